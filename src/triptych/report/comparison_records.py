"""What a comparison document holds once it is read: frozen records, cleaned and bounded. `comparison_model.py` fills them."""

from __future__ import annotations

from dataclasses import dataclass

from triptych.report.study_records import Facts, Reading

A, B, SAME, UNKNOWN = "a", "b", "equivalent", "cannot tell"
VERDICTS = (A, B, SAME, UNKNOWN)
CONTROLLED, CONFOUNDED, NOT_KNOWN = "controlled", "confounded", "unknown"
RAW = "raw"


@dataclass(frozen=True)
class ComparisonLimits:
    """How much of a comparison document a page shows. What is left out is counted and said."""

    sets: int = 26
    pairs: int = 20
    views: int = 10
    results: int = 80
    balance: int = 24
    causes: int = 24
    ranks: int = 24
    benchmarks: int = 24
    examples: int = 12
    notes: int = 24
    text: int = 400


COMPARISON_LADDER = (
    ComparisonLimits(),
    ComparisonLimits(26, 12, 8, 60, 16, 16, 12, 16, 8, 12, 300),
    ComparisonLimits(16, 6, 6, 40, 12, 12, 8, 8, 4, 8, 200),
    ComparisonLimits(8, 2, 4, 24, 8, 8, 4, 4, 2, 4, 120),
)
"""From all that is readable to the least; the first that fits the page's limit of bytes is taken."""


@dataclass(frozen=True)
class SetInfo:
    """One of the sets. `letter` and `css` are its badge on the page, `notes` how it was read."""

    name: str
    letter: str
    css: str
    path: str = ""
    sha256: str = ""
    records: float | None = None
    tokens: float | None = None
    valid: float | None = None
    prompts: float | None = None
    notes: Facts = ()


@dataclass(frozen=True)
class Result:
    """One measure in one view. `diff` is the first value less the second, None where `undefined` says why.

    `better` is higher, lower or neither; `verdict` is one of four words, or empty where the document has none.
    """

    label: str
    title: str
    unit: str
    axis: str
    better: str
    headline: bool
    a: float | None
    b: float | None
    n: tuple[float | None, float | None]
    diff: float | None
    lo: float | None
    hi: float | None
    p: float | None
    p_adjusted: float | None
    margin: float | None
    margin_why: str
    verdict: str
    about: str
    needed: float | None
    undefined: str


@dataclass(frozen=True)
class Balanced:
    """A standardized mean difference before and after matching; None where the variable does not vary."""

    variable: str
    before: float | None
    after: float | None
    asked: bool


@dataclass(frozen=True)
class ViewRecord:
    """One way to match two sets, and what it found. `title` is its name for people."""

    name: str
    title: str
    question: str
    paired: bool
    draws: float | None
    records: tuple[float | None, float | None]
    tokens: tuple[float | None, float | None]
    balance: tuple[Balanced, ...]
    undefined: str
    results: tuple[Result, ...]


@dataclass(frozen=True)
class Trade:
    """What the better diversity of one set costs in quality. `quality_side` and `diversity_side` are a or b."""

    quality_side: str
    diversity_side: str
    quality: str
    diversity: str
    lost: float | None
    gained: float | None
    per_unit: float | None
    lo: float | None
    hi: float | None
    unit: str


@dataclass(frozen=True)
class PairRecord:
    """Two sets and all views of them. `primary` is the place of the main view, None where no view is there.

    `comparability` is that of these two, None where the document has only that of all sets together.
    """

    first: SetInfo
    second: SetInfo
    views: tuple[ViewRecord, ...]
    primary: int | None
    price: Trade | None
    comparability: Comparability | None


@dataclass(frozen=True)
class Cause:
    """Something that made the sets: the same in both, or different, then with what it is in either.

    `held`: the main view holds it equal.
    """

    name: str
    text: str
    first: str = ""
    second: str = ""
    smd: float | None = None
    held: bool = False


@dataclass(frozen=True)
class Comparability:
    """Whether the sets can be compared. `prompts` are shares of each set's prompts that the other has too."""

    verdict: str
    sentence: str
    same: tuple[Cause, ...]
    differs: tuple[Cause, ...]
    outcomes: tuple[Cause, ...]
    missing: tuple[str, ...]
    prompts: tuple[tuple[str, float | None, float | None], ...]


@dataclass(frozen=True)
class Place:
    """A set in the order of one measure, with the ranks that its interval leaves possible."""

    owner: SetInfo
    reading: Reading
    rank: int
    rank_lo: float | None
    rank_hi: float | None


@dataclass(frozen=True)
class Ranking:
    """All sets by one measure, the best first."""

    label: str
    title: str
    unit: str
    axis: str
    better: str
    places: tuple[Place, ...]


@dataclass(frozen=True)
class Excerpt:
    """A text with its marked places, cut into (marked, text) pieces; `note` says what they are."""

    where: str
    pieces: tuple[tuple[bool, str], ...]
    note: str = ""


@dataclass(frozen=True)
class Overlap:
    """One benchmark in one set: how many records hold some of it. `by` says where the precision comes from."""

    name: str
    owner: str
    records: float | None
    hits: float | None
    share: Reading
    precision: Reading
    by: str
    threshold: float | None
    items: str
    undefined: str
    examples: tuple[Excerpt, ...]


@dataclass(frozen=True)
class Overlaps:
    """All benchmarks, and what they say in words."""

    rows: tuple[Overlap, ...]
    text: str


@dataclass(frozen=True)
class Twin:
    """Two records of different sets that are nearly the same."""

    first: Excerpt
    second: Excerpt
    similarity: float | None
    span: str


@dataclass(frozen=True)
class Across:
    """Duplicates across sets. `title` says by what, `labelled` and `precision` what labelled pairs say of the threshold."""

    title: str
    pairs: float | None
    share: Reading
    threshold: float | None
    suggested: str
    examples: tuple[Twin, ...]
    examples_total: int
    labelled: float | None
    precision: Reading
    undefined: str


@dataclass(frozen=True)
class ModelRow:
    """What one model's answers are: quality, diversity and complexity, and the chance that one of k is right."""

    owner: SetInfo
    cells: tuple[Reading, ...]
    pass_at: tuple[Reading, ...]


@dataclass(frozen=True)
class Models:
    """Models side by side: `heads` name the cells, `k` the sizes of pass@k, `said` what differs in words."""

    heads: tuple[str, ...]
    k: tuple[str, ...]
    rows: tuple[ModelRow, ...]
    said: tuple[str, ...]
    undefined: str


@dataclass(frozen=True)
class Comparison:
    """One comparison document. `left_out` says where it holds more than is read: how many are shown, of how many, of what."""

    sets: tuple[SetInfo, ...]
    sets_total: int
    comparability: Comparability
    pairs: tuple[PairRecord, ...]
    pairs_total: int
    ranks: tuple[Ranking, ...]
    contamination: Overlaps | None
    across: tuple[Across, ...]
    models: Models | None
    inference: str
    left_out: tuple[tuple[int, int, str], ...]
    warnings: tuple[str, ...]
    provenance: Facts
    command: str
