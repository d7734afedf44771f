"""MTLD: mean number of tokens over which a response keeps up a type-token ratio above a threshold, averaged over responses.

A text is read token by token; where the ratio of different tokens to tokens falls to `threshold`, a factor is complete and
counting starts anew. The rest at the end is (1 - ratio)/(1 - threshold) of a factor. MTLD = tokens / factors, averaged over
reading forwards and backwards; then the mean over records, each counted once.

McCarthy & Jarvis 2010 ("MTLD, vocd-D, and HD-D", Behavior Research Methods 42). Unit: tokens, range 1 upwards, higher is more
varied. Exact; O(tokens). Made not to move with length; texts under 100 tokens are still shaky, so records of fewer than
`shortest` tokens are not counted. A text that repeats nothing counts as one factor: its length, a lower bound. Confounded by
the tokenizer (pieces of words repeat more than words) and by genre: code and tables repeat. Says nothing of variety between
records: read `hdd` or `distinct_n` for that.

Worked example: "a b a b", threshold .6, from 1 token: ratios 1, 1, 2/3, 1/2: one factor of 4 tokens, and the same backwards:
4. "a b c" repeats nothing: 3. Mean 3.5.
"""

from __future__ import annotations

from collections.abc import Sequence

from triptych.core.batch import On
from triptych.core.estimate import Undefined
from triptych.core.groups import Mask
from triptych.core.measure import Example, Measure, Row, measure
from triptych.measures.reference import kept, mean
from triptych.statistics.lexical import MtldMoments


@measure(
    axis="diversity",
    title="MTLD",
    unit="tokens",
    bounds=(1.0, float("inf")),
    better="higher",
    source="McCarthy & Jarvis 2010 (Behavior Research Methods 42, 381-392)",
    confounders=("tokenizer", "genre", "a few texts that hardly repeat weigh much"),
    panel=(),
)
class Mtld(Measure):
    """Mean MTLD of the records."""

    threshold: float = 0.72
    shortest: int = 50
    on: On = "response"
    valid_only: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.threshold < 1:
            raise ValueError(f"threshold must lie between 0 and 1, got {self.threshold:g}")
        if self.shortest < 1:
            raise ValueError(f"shortest must be at least 1 token, got {self.shortest}")

    def statistic(self) -> MtldMoments:
        """Moments over records."""
        return MtldMoments(f"tokens@{self.on}", "valid" if self.valid_only else "all", self.threshold, self.shortest)

    def value(self, moments: MtldMoments, keep: Mask) -> float | Undefined:
        """The mean over records that are long enough."""
        return moments.mean(keep) if moments.records(keep) else Undefined(f"no record has {self.shortest} tokens")

    def reference(self, rows: Sequence[Row]) -> float | None:
        """Token by token."""
        texts = [row[f"tokens@{self.on}"] or [] for row in kept(rows, self.valid_only)]
        texts = [text for text in texts if len(text) >= self.shortest]
        return mean([(self._one_way(text) + self._one_way(text[::-1])) / 2 for text in texts])

    def _one_way(self, text: Sequence[int]) -> float:
        factors, seen, number = 0.0, set[int](), 0
        for token in text:
            seen.add(token)
            number += 1
            if len(seen) / number <= self.threshold:
                factors, seen, number = factors + 1, set(), 0
        if number:
            factors += (1 - len(seen) / number) / (1 - self.threshold)
        return len(text) / (factors or 1.0)


EXAMPLE = Example(records=["a b a b", "a b c"], params={"threshold": 0.6, "shortest": 1}, value=3.5)
