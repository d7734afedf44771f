"""n-gram entropy: Shannon entropy of the n-grams of all records.

    H = -Σ p log p,  p the shares of the n-grams;  correction=miller: H + (different n-grams - 1) / (2 · n-grams)

Zhang et al. 2018 (arXiv 1809.05972, "Ent-n"). Unit: nats, range 0 upwards (at most the log of the number of n-grams), higher
is more diverse. Unlike distinct_n it weighs how often each n-gram occurs: a set that says one thing mostly and many things
once has many n-grams and little entropy. Exact up to hash collisions; reads the table of `distinct_n`.

Too low at finite size: by about (m - 1)/(2N) for N draws of m kinds while m is much below N (Miller 1955; uniform on 500
tokens, N = 2,000: by .133, where the formula says .125; by .010 with the correction, which knows only the kinds it saw), and
by far more where most n-grams occur once, as bigrams and trigrams of text do: there H follows log N, the correction does not
mend it, and only sets of equal size compare. The interval is for the value expected at this size, not for the limit.

Worked example: "a b a b a", n = 2: ab, ba, ab, ba: log 2 = 0.693.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Literal

from triptych.core.batch import On
from triptych.core.estimate import Undefined
from triptych.core.groups import Mask
from triptych.core.measure import Example, Measure, Row, measure
from triptych.measures.reference import grams, kept
from triptych.statistics.tables import NGramTable


@measure(
    axis="diversity",
    title="n-gram entropy",
    unit="nats",
    bounds=(0.0, float("inf")),
    better="higher",
    interval="growing",
    source="Zhang et al. 2018 (arXiv 1809.05972); correction: Miller 1955",
    confounders=("number of records", "length", "tokenizer"),
    panel=(),
)
class NgramEntropy(Measure):
    """Entropy of the n-grams of a set."""

    n: int = 2
    correction: Literal["none", "miller"] = "none"
    on: On = "response"
    valid_only: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.n < 1:
            raise ValueError(f"n must be at least 1, got {self.n}")

    def statistic(self) -> NGramTable:
        """n-grams by group; `distinct_n` reads the same table."""
        return NGramTable(n=self.n, on=self.on, where="valid" if self.valid_only else "all")

    def value(self, table: NGramTable, keep: Mask) -> float | Undefined:
        """The entropy in the kept groups."""
        total = table.total(keep)
        if not total:
            return Undefined(f"no record has {self.n} tokens")
        missing = (table.distinct(keep) - 1) / (2 * total) if self.correction == "miller" else 0.0
        return table.entropy(keep) + missing

    def reference(self, rows: Sequence[Row]) -> float | None:
        """By counting n-grams."""
        found = Counter(gram for row in kept(rows, self.valid_only) for gram in grams(row[f"tokens@{self.on}"], self.n))
        total = found.total()
        if not total:
            return None
        missing = (len(found) - 1) / (2 * total) if self.correction == "miller" else 0.0
        return -math.fsum(k / total * math.log(k / total) for k in found.values()) + missing


EXAMPLE = Example(records=["a b a b a"], value=math.log(2))
