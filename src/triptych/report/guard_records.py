"""What a document of rounds holds once it is read: frozen records, cleaned and bounded. `guard_model.py` fills them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from triptych.report.study_records import Facts, Reading

GENERATED, SELECTED, SPLITS, SCORES = "generated", "selected", "splits", "scores"
"""The four kinds of numbers that a round has."""


@dataclass(frozen=True)
class RoundLimits:
    """How much of a document of rounds a page shows. What is left out is counted and said."""

    rounds: int = 200
    arms: int = 16
    panels: int = 24
    extra: int = 16
    samples: int = 4
    structures: int = 10
    decisions: int = 400
    notes: int = 24
    text: int = 400


ROUND_LADDER = (
    RoundLimits(),
    RoundLimits(100, 10, 12, 10, 3, 8, 160, 12, 300),
    RoundLimits(40, 8, 8, 6, 2, 6, 60, 8, 200),
    RoundLimits(16, 4, 4, 3, 1, 4, 20, 4, 120),
)
"""From all that is readable to the least; the first that fits the page's limit of bytes is taken."""


@dataclass(frozen=True)
class Ruling:
    """What the guard said of a round; empty texts where it said nothing."""

    state: str = ""
    verdict: str = ""
    since: float | None = None
    reasons: tuple[str, ...] = ()
    suggest: tuple[str, ...] = ()
    evidence: Facts = ()


@dataclass(frozen=True)
class Round:
    """One round. `numbers` holds its readings by kind and name; `missing` says why a reading has no value."""

    number: int
    name: str
    records: float | None
    valid: float | None
    numbers: Mapping[str, Mapping[str, Reading]]
    missing: Mapping[tuple[str, str], str]
    ruling: Ruling

    def get(self, name: str, of: str = GENERATED) -> Reading:
        """A reading; an empty one where there is none."""
        return self.numbers.get(of, {}).get(name, Reading())

    def value(self, name: str, of: str = GENERATED) -> float | None:
        """A reading's value; None where there is none."""
        return self.get(name, of).value


@dataclass(frozen=True)
class Guarded:
    """A guard document."""

    rounds: tuple[Round, ...]
    rounds_total: int
    ruling: Ruling
    kinds: Mapping[str, str]
    at: float | None
    structure: str
    shared_prompts: bool | None
    alarm_rate: float | None
    anchor: str
    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    provenance: Facts = field(default=())
