"""Homogenization: the mean similarity of two records drawn from the set.

    mean over pairs of different records of sim(a, b):  rouge_l: 2 LCS(a, b) / (|a| + |b|)  (F1)
                                                        jaccard: tokens in both / tokens in either, each counted once

Padmakumar & He 2024 (arXiv 2309.05196) use ROUGE-L so; Shaib et al. 2024 (arXiv 2403.00553) put it in a package. ROUGE-L: Lin
2004. Over tokens, of which at most the first 512 of a record are read.

All pairs are read where there are few; else those of a random sample (64 records of each of the 32 groups, and of each pair of
groups `pairs` pairs, by seeded hashes: 16,896 pairs at 32), with each pair of groups weighted by the pairs it stands for. That
is unbiased for the mean over all pairs; the error of drawing is part of the interval, and `seed` gives another draw. 1 to 3 s
for 16,896 pairs of 100 tokens, at any number of records.

Unit: similarity, range 0..1, lower is more diverse. Does not move with the number of records. Confounded by length (long texts
share more common words: unequal lengths lower ROUGE-L) and by the share of function words; a mean over pairs hardly sees a
small cluster of copies, for which `near_duplicate_rate` is made.

Worked example: "a b c d", "a c d", "x y": LCS 3 of 4 and 3 tokens: 6/7; the other pairs 0; mean 2/7 = 0.2857.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import combinations, product

import numpy as np

from triptych.core.batch import On
from triptych.core.estimate import Undefined
from triptych.core.groups import GROUPS, Mask
from triptych.core.measure import Example, Measure, Row, measure
from triptych.measures.reference import kept
from triptych.statistics.pair_sample import RECORDS, TOKENS, PairSample, Similarity, draw_keys, pair_keys


@measure(
    axis="diversity",
    unit="similarity",
    bounds=(0.0, 1.0),
    better="lower",
    interval="pairs",
    source="Padmakumar & He 2024 (arXiv 2309.05196); Shaib et al. 2024 (arXiv 2403.00553); ROUGE-L: Lin 2004",
    confounders=("length", "share of function words", "tokenizer"),
    panel=(),
)
class Homogenization(Measure):
    """Mean similarity of two different records."""

    similarity: Similarity = "rouge_l"
    pairs: int = 32
    seed: int = 0
    on: On = "response"
    valid_only: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1 <= self.pairs <= RECORDS**2:
            raise ValueError(f"pairs must lie in 1..{RECORDS**2}, got {self.pairs}")
        if self.seed < 0:
            raise ValueError(f"seed must be at least 0, got {self.seed}")

    def statistic(self) -> PairSample:
        """Tokens of sampled records."""
        return PairSample(self.similarity, self.pairs, self.seed, self.on, "valid" if self.valid_only else "all")

    def value(self, sample: PairSample, keep: Mask) -> float | Undefined:
        """The mean over pairs of records of the kept groups."""
        if sample.records(keep) < 2:
            return Undefined("needs two records with tokens")
        return min(sample.mean(keep), 1.0)

    def reference(self, rows: Sequence[Row]) -> float | None:
        """Pair by pair, the drawn pairs of two groups standing for all of them."""
        groups: dict[int, list[tuple[int, list[int]]]] = defaultdict(list)
        for row in kept(rows, self.valid_only):
            if row[f"tokens@{self.on}"]:
                key = int(draw_keys(np.array([row["address"]], dtype=np.uint64), self.seed)[0])
                groups[row["group"]].append((key, row[f"tokens@{self.on}"][:TOKENS]))
        total, number = 0.0, 0
        for g in range(GROUPS):
            for h in range(g, GROUPS):
                one, other = sorted(groups[g])[:RECORDS], sorted(groups[h])[:RECORDS]
                pairs = list(combinations(one, 2) if g == h else product(one, other))
                drawn = sorted(pairs, key=lambda pair: _key(pair[0][0], pair[1][0]))[: self.pairs]
                size, size_h = len(groups[g]), len(groups[h])
                weight = size * (size - 1) // 2 if g == h else size * size_h
                number += weight
                total += sum(self._similarity(a, b) for (_, a), (_, b) in drawn) * weight / max(len(drawn), 1)
        return total / number if number else None

    def _similarity(self, a: list[int], b: list[int]) -> float:
        if self.similarity == "jaccard":
            return len(set(a) & set(b)) / len(set(a) | set(b))
        row = [0] * (len(b) + 1)
        for x in a:
            above = row
            row = [0]
            for j, y in enumerate(b):
                row.append(above[j] + 1 if x == y else max(above[j + 1], row[j]))
        return 2 * row[-1] / (len(a) + len(b))


def _key(a: int, b: int) -> int:
    return int(pair_keys(np.array([a], dtype=np.uint64), np.array([b], dtype=np.uint64))[0])


EXAMPLE = Example(records=["a b c d", "a c d", "x y"], params={"pairs": 1}, value=2 / 7)
