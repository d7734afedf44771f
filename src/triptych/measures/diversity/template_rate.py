"""Template rate: the share of records that hold an n-gram which at least `others` other records hold too.

A template here is a run of n tokens as written (lower case, pieces of words) that stands in `others` + 1 records or more; how
often it stands in one record does not matter. n-grams never cross records; records of fewer than n tokens are not counted.
After Shaib et al. 2024 (arXiv 2407.00211, "template rate"; their package: 2403.00553), who take runs of parts of speech, so
that "the old dog sat" and "a red car stood" are one template: that needs a tagger, this sees shared wording alone, and misses
a frame whose slots lie closer than n tokens apart. Frames of whole records are what `effective_structures` counts.

Unit: ratio, range 0..1, lower is more diverse. Read among at most 8,192 records (256 of each group, by address hash): the
rate grows with the number of records among which it is counted and with their length, so it is read at a size that does not
grow. O(tokens of these records). The interval is that of a share of records; where several others must share, leaving out
groups counts the same sharing more than once, and it is up to a third too wide, on sets made of templates up to twice.

Worked example: n = 3, others = 1: "a b c d", "x a b c", "a b d c": abc is in the first two: 2 of 3 = 0.667.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from triptych.core.batch import On
from triptych.core.estimate import Undefined
from triptych.core.groups import Mask
from triptych.core.measure import Example, Measure, Row, measure
from triptych.measures.reference import grams, kept
from triptych.statistics.shared_grams import SharedGrams


@measure(
    axis="diversity",
    unit="ratio",
    bounds=(0.0, 1.0),
    better="lower",
    interval="share",
    source="after Shaib et al. 2024 (arXiv 2407.00211; 2403.00553), without parts of speech",
    confounders=("number of records up to 8,192", "length", "several responses to one prompt"),
    panel=(),
)
class TemplateRate(Measure):
    """Share of records that share an n-gram with several others."""

    n: int = 6
    others: int = 3
    on: On = "response"
    valid_only: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.n < 1:
            raise ValueError(f"n must be at least 1, got {self.n}")
        if self.others < 1:
            raise ValueError(f"others must be at least 1, got {self.others}")

    def statistic(self) -> SharedGrams:
        """n-grams of sampled records."""
        return SharedGrams(n=self.n, on=self.on, where="valid" if self.valid_only else "all")

    def value(self, shared: SharedGrams, keep: Mask) -> float | Undefined:
        """Records with a shared n-gram over records with an n-gram."""
        n = shared.records(keep)
        return shared.sharing(self.others, keep) / n if n else Undefined(f"no record has {self.n} tokens")

    def reference(self, rows: Sequence[Row]) -> float | None:
        """By a set for each record."""
        sets = [set(grams(row[f"tokens@{self.on}"], self.n)) for row in kept(rows, self.valid_only)]
        sets = [each for each in sets if each]
        number = Counter(gram for each in sets for gram in each)
        return sum(any(number[gram] > self.others for gram in each) for each in sets) / len(sets) if sets else None


EXAMPLE = Example(records=["a b c d", "x a b c", "a b d c"], params={"n": 3, "others": 1}, value=2 / 3)
