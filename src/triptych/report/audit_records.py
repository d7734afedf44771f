"""What an audit document holds once it is read: frozen records, cleaned and bounded. `audit_model.py` fills them."""

from __future__ import annotations

from dataclasses import dataclass

from triptych.report.model import Histogram
from triptych.report.study_records import Facts, Reading

SECTIONS = {
    "gold": ("Does it agree with gold?", "Chance is .5 for a probability, 0 for a correlation or a kappa."),
    "coverage": ("Is there a score?", "A value that is missing or no number is counted, and is never a number."),
    "spread": (
        "Does it tell records apart?",
        "Few values, ends that hold most records and ties leave nothing to choose by.",
    ),
    "repeats": ("Does it come again?", "Second scores of the same records, and equal texts."),
    "leans": (
        "What else moves it?",
        "Length, the place in the file, the order of two responses: none of these is merit.",
    ),
}
"""Sections of numbers in the order of the page: title, and what they say."""
VERDICTS = {"usable": "s2", "weak": "s4", "no discrimination": "s6", "cannot tell": "s5"}
"""Colour of each verdict."""


@dataclass(frozen=True)
class AuditLimits:
    """How much of an audit a page shows. What is left out is counted and said."""

    scorers: int = 24
    numbers: int = 60
    notes: int = 24
    text: int = 400


AUDIT_LADDER = (AuditLimits(), AuditLimits(8, 40, 12, 300), AuditLimits(2, 20, 4, 120))
"""From all that is readable to the least; the first that fits the page's limit of bytes is taken."""


@dataclass(frozen=True)
class AuditNumber:
    """One number of a scorer; without a value, why."""

    key: str
    title: str
    unit: str
    reading: Reading
    n: float | None
    clusters: float | None
    undefined: str
    no_interval: str
    note: str


@dataclass(frozen=True)
class Failed:
    """Values of one kind that are no score, and the first of them."""

    kind: str
    count: float | None
    place: str
    example: str


@dataclass(frozen=True)
class Block:
    """A tenth of the file."""

    first: str
    mean: Reading
    failed: float | None


@dataclass(frozen=True)
class Scorer:
    """One scorer."""

    name: str
    kind: str
    verdict: str
    reasons: tuple[str, ...]
    needed: str
    failures: tuple[Failed, ...]
    sections: tuple[tuple[str, tuple[AuditNumber, ...]], ...]
    histogram: Histogram | None
    blocks: tuple[Block, ...]

    @property
    def css(self) -> str:
        """Class of its colour."""
        return VERDICTS.get(self.verdict, "s5")


@dataclass(frozen=True)
class Audit:
    """An audit document."""

    title: str
    data: Facts
    gold: Facts
    gold_name: str
    scorers: tuple[Scorer, ...]
    scorers_total: int
    thresholds: Facts
    warnings: tuple[str, ...]
    provenance: Facts
