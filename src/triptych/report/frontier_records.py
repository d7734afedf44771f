"""What a frontier document holds once it is read: frozen records, cleaned and bounded. `frontier_model.py` fills them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from triptych.report.study_records import Facts, Reading


@dataclass(frozen=True)
class FrontierLimits:
    """How much of a frontier document a page shows. What is left out is counted and said."""

    points: int = 300
    judges: int = 8
    rows: int = 300
    prices: int = 60
    commands: int = 40
    notes: int = 24
    text: int = 400


FRONTIER_LADDER = (
    FrontierLimits(),
    FrontierLimits(160, 6, 160, 40, 24, 12, 300),
    FrontierLimits(80, 4, 80, 20, 12, 8, 200),
    FrontierLimits(40, 2, 40, 10, 6, 4, 120),
)
"""From all that is readable to the least; the first that fits the page's limit of bytes is taken."""

REFERENCES = ("random", "longest", "top_quality", "most_diverse")
"""Roles of points that are no policy's own: what a frontier is held against."""


@dataclass(frozen=True)
class Axis:
    """What an axis is: the label that the document uses as a key, its name for people, its unit."""

    key: str
    label: str
    title: str
    unit: str
    independent: bool | None


@dataclass(frozen=True)
class Spot:
    """One selection that was made and judged.

    `diversity`, `dominated_by` and `clearly` (dominated beyond the intervals; None where that is not said) go by the key
    of the judge; `place` is its number in the document, `same_as` the id of an earlier point with the same records.
    """

    place: int
    id: str
    policy: str
    text: str
    seed: str
    role: str
    records: float | None
    tokens: float | None
    quality: Reading
    complexity: Reading
    diversity: Mapping[str, Reading]
    dominated_by: Mapping[str, frozenset[str]]
    clearly: Mapping[str, frozenset[str]] | None
    same_as: str
    undefined: str


@dataclass(frozen=True)
class Price:
    """From one point of a front to its more diverse neighbour. `judge` is the key of the judge, or empty for the first."""

    judge: str
    start: str
    end: str
    gained: float | None
    lost: float | None
    per_unit: float | None
    verdict: str


@dataclass(frozen=True)
class Rung:
    """One rejection threshold, and what was left after it."""

    threshold: float | None
    share: float | None
    records: float | None
    quality: Reading
    diversity: Mapping[str, Reading]
    complexity: Reading


@dataclass(frozen=True)
class Threshold:
    """What tightening a rejection threshold did. `changes` are verdicts by the key of a judge; "" stands for quality."""

    rows: tuple[Rung, ...]
    verdict: str
    changes: Mapping[str, str]
    text: str
    undefined: str


@dataclass(frozen=True)
class Decile:
    """Records that are about equally typical, and how far they comply. `rank` is 1 for the least typical."""

    rank: float
    typicality: float | None
    compliance: Reading
    records: float | None


@dataclass(frozen=True)
class Typicality:
    """How compliance goes with typicality, record by record."""

    rows: tuple[Decile, ...]
    label: str
    quality: str
    correlation: Reading
    verdict: str
    text: str
    undefined: str


@dataclass(frozen=True)
class Frontier:
    """One frontier document. What goes by judge has the judge's key."""

    name: str
    path: str
    sha256: str
    pool: float | None
    facts: Facts
    budget: str
    at: str
    quality: Axis
    complexity: Axis | None
    judges: tuple[Axis, ...]
    judges_total: int
    spots: tuple[Spot, ...]
    spots_total: int
    front: Mapping[str, tuple[str, ...]]
    volumes: Mapping[str, tuple[tuple[str, Reading], ...]]
    volume_of_all: Mapping[str, Reading]
    knee: Mapping[str, str]
    no_knee: Mapping[str, str]
    rules: Facts
    noise: Facts
    prices: tuple[Price, ...]
    threshold: Threshold | None
    typicality: Typicality | None
    pick_rule: str
    pick: str
    pick_why: str
    failed: Facts
    failed_total: int
    skipped: Facts
    warnings: tuple[str, ...]
    provenance: Facts
