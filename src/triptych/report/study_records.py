"""What a study document holds once it is read: frozen records, cleaned and bounded. `study_model.py` fills them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Facts = tuple[tuple[str, str], ...]
"""Names and values, ready to print."""


@dataclass(frozen=True)
class StudyLimits:
    """How much of a study document a page shows. What is left out is counted and said."""

    parts: int = 12
    panels: int = 40
    factors: int = 16
    effects: int = 600
    figures: int = 24
    arms: int = 60
    points: int = 6000
    rows: int = 120
    columns: int = 14
    notes: int = 24
    text: int = 400


STUDY_LADDER = (
    StudyLimits(),
    StudyLimits(8, 24, 12, 240, 12, 40, 2400, 60, 10, 12, 300),
    StudyLimits(6, 12, 8, 120, 8, 24, 1000, 30, 8, 8, 200),
    StudyLimits(3, 6, 6, 60, 4, 12, 300, 12, 6, 4, 120),
)
"""From all that is readable to the least; the first that fits the page's limit of bytes is taken."""


@dataclass(frozen=True)
class Effect:
    """What a factor (or a contrast, then `name` says which) did to one panel, or the reason why that is not known.

    `family` is main, interactions, curvature, measured or contrasts; `boot` is the interval of a bootstrap over items.
    """

    name: str
    factor: str
    panel: str
    family: str
    value: float | None
    lo: float | None
    hi: float | None
    level: float
    p: float | None
    p_adjusted: float | None
    unit: str
    measure: str
    boot: tuple[float, float] | None
    sd_units: float | None
    partial_r2: float | None
    runs: float | None
    margin: float | None
    verdict: str
    undefined: str


@dataclass(frozen=True)
class Check:
    """One effect under another analysis: `lo`, `hi` are an interval, or the range over the blocks left out."""

    factor: str
    panel: str
    name: str
    value: float | None
    lo: float | None
    hi: float | None
    note: str


@dataclass(frozen=True)
class PanelInfo:
    """One set of test items and what the runs scored on it."""

    name: str
    out: bool
    items: float | None
    scorer: str
    mean: float | None
    sd_runs: float | None
    undefined: str


@dataclass(frozen=True)
class Arm:
    """One data condition, what its runs scored on each panel (mean), and what the measures read on it."""

    name: str
    levels: Mapping[str, float]
    block: str
    records: float | None
    tokens: float | None
    scores: Mapping[str, float]
    measured: Mapping[str, float]


@dataclass(frozen=True)
class Cell:
    """Mean score of the runs at one combination of levels; `se` is 0 where the document gives none."""

    panel: str
    levels: Mapping[str, float]
    mean: float
    se: float
    n: float | None


@dataclass(frozen=True)
class RunPoint:
    """The score of one run on one panel."""

    arm: str
    panel: str
    levels: Mapping[str, float]
    score: float


@dataclass(frozen=True)
class Dose:
    """Mean score at one level of one factor."""

    factor: str
    panel: str
    level: float
    mean: float
    se: float
    n: float | None


@dataclass(frozen=True)
class Balance:
    """How far the arms differ in something that should not move; `asked` is False where nobody asked for it."""

    variable: str
    smd: float | None
    ks: float | None
    worst: str
    asked: bool


@dataclass(frozen=True)
class Power:
    """What the study could have seen. `runs_for`: effect to the number of runs that would show it."""

    factor: str
    panel: str
    mde: float | None
    residual_sd: float | None
    runs_for: Facts


@dataclass(frozen=True)
class Conclusion:
    """One sentence; `can` says whether it can be concluded."""

    can: bool
    text: str


@dataclass(frozen=True)
class FailedRun:
    """A run that gave no scores, and why."""

    run: str
    arm: str
    seed: str
    error: str


@dataclass(frozen=True)
class Runs:
    """How many runs there are, what they took, which failed."""

    total: float | None
    done: float | None
    seconds: float | None
    failed: tuple[FailedRun, ...]
    failed_total: int
    trainer: Facts


@dataclass(frozen=True)
class Table:
    """A table whose columns are not known in advance: every text is cleaned, every number written."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left_out: int


@dataclass(frozen=True)
class Bakeoff:
    """Which measure predicts the scores: one check for each measure and panel, and what else is told."""

    entries: tuple[Check, ...]
    tables: tuple[Table, ...]
    facts: Facts


@dataclass(frozen=True)
class Reading:
    """A mean with its interval; what is not known is None."""

    value: float | None = None
    lo: float | None = None
    hi: float | None = None


@dataclass(frozen=True)
class Written:
    """What models wrote at one temperature: shares, and effective numbers of skills."""

    temperature: float
    valid: Reading
    quality: Reading
    diversity: Reading
    right: Reading
    undefined: str


@dataclass(frozen=True)
class Selected:
    """The likelier half of what was written against a random half: quality as a difference, diversity as a ratio."""

    among: str
    temperature: float | None
    quality: Reading
    diversity: Reading
    verdict: str


@dataclass(frozen=True)
class Tradeoff:
    """Quality against diversity in what models wrote."""

    text: str
    points: tuple[Written, ...]
    data: tuple[float | None, float | None]
    slope: Reading
    slope_unit: str
    slope_verdict: str
    selections: tuple[Selected, ...]
    failed: Facts
    undefined: str


@dataclass(frozen=True)
class Factor:
    """What was varied: asked and reached levels in words."""

    name: str
    field: str
    asked: str
    reached: str


@dataclass(frozen=True)
class Study:
    """One study document."""

    title: str
    question: str
    design: Facts
    factors: tuple[Factor, ...]
    margin: float | None
    arms: tuple[Arm, ...]
    arms_total: int
    runs: Runs
    panels: tuple[PanelInfo, ...]
    panels_total: int
    effects: tuple[Effect, ...]
    effects_total: int
    contrasts: tuple[Effect, ...]
    cells: tuple[Cell, ...]
    points: tuple[RunPoint, ...]
    points_total: int
    dose: tuple[Dose, ...]
    balance: tuple[Balance, ...]
    diversity: Table | None
    power: tuple[Power, ...]
    checks: tuple[Check, ...]
    other_checks: Table | None
    traced: tuple[Table, ...]
    bakeoff: Bakeoff
    tradeoff: Tradeoff | None
    inference: str
    conclusions: tuple[Conclusion, ...]
    warnings: tuple[str, ...]
    provenance: Facts


@dataclass(frozen=True)
class Design:
    """One design document."""

    facts: Facts
    factors: tuple[Factor, ...]
    arms: tuple[Arm, ...]
    arms_total: int
    balance: tuple[Balance, ...]
    diversity: Table | None
    overlap: Facts
    power: tuple[Power, ...]
    binding: str
    warnings: tuple[str, ...]
    provenance: Facts
