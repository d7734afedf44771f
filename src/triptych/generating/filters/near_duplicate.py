"""Near-duplicates: a record is dropped that is too like one which was kept before.

Likeness is the Jaccard similarity of the sets of runs of n words (Broder 1997), exact: the runs of what was kept stand in an
index, and only records that share one are compared. A text of fewer than n words is one run. What a later filter drops
is forgotten; within a batch records are compared with those before them.

Worked example, n = 2: "a b c d" and "a b c e" share 2 of 4 different runs, similarity .5.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, final

import numpy as np

from triptych.comparing.spans import words_of
from triptych.generating.ask import Desk, Dropped, Filter, Gate, Kept, Made, Verdict


@final
@dataclass(frozen=True)
class NearDuplicate(Filter):
    """Drops records that are like a kept one.

    Attributes:
        threshold: similarity from which two are too alike, above 0 and at most 1.
        n: words in a run.
        on: the text that is compared.
        seeds: whether the seeds count as kept.
    """

    threshold: float = 0.8
    n: int = 3
    on: Literal["prompt", "response", "both"] = "prompt"
    seeds: bool = False

    name: ClassVar[str] = "near_duplicate"
    source: ClassVar[str] = "Broder 1997"

    def __post_init__(self) -> None:
        """Check the numbers."""
        if not 0 < self.threshold <= 1:
            raise ValueError(f"threshold must be above 0 and at most 1; got {self.threshold}")
        if self.n < 1:
            raise ValueError(f"n must be at least 1; got {self.n}")

    def begin(self, desk: Desk) -> Gate:
        """The gate, which knows the seeds where it should."""
        gate = _Gate(self)
        if self.seeds:
            gate.keep([Made(seed.prompt or "", seed.response or "") for seed in desk.seeds])
        return gate

    def runs(self, made: Made) -> frozenset[int]:
        """Hashes of the different runs of words of a record."""
        texts = {"prompt": made.prompt, "response": made.response, "both": f"{made.prompt}\n\n{made.response}"}
        words = words_of([texts[self.on]])
        hashes = words.grams(self.n)[0] if len(words.key) >= self.n else words.whole()
        return frozenset(hashes.tolist()) if len(words.key) else frozenset()


class _Index:
    """Sets of runs, looked up by the runs that they share."""

    def __init__(self) -> None:
        self._sizes: list[int] = []
        self._holders: dict[int, list[int]] = {}

    def add(self, runs: frozenset[int]) -> None:
        for run in runs:
            self._holders.setdefault(run, []).append(len(self._sizes))
        self._sizes.append(len(runs))

    def nearest(self, runs: frozenset[int]) -> float:
        """Similarity of the nearest set, 0 where none shares a run."""
        shared = Counter(holder for run in runs for holder in self._holders.get(run, ()))
        if not shared:
            return 0.0
        at, common = (np.fromiter(each, dtype=np.int64) for each in (shared.keys(), shared.values()))
        union = np.array([self._sizes[place] for place in at.tolist()]) + len(runs) - common
        return float((common / union).max())


class _Gate(Gate):
    def __init__(self, own: NearDuplicate) -> None:
        self._own, self._kept = own, _Index()

    def judge(self, batch: Sequence[Made]) -> list[Verdict]:
        """Each against what was kept, and against what passed before it in the batch."""
        here, out = _Index(), list[Verdict]()
        for made in batch:
            runs = self._own.runs(made)
            value = max(self._kept.nearest(runs), here.nearest(runs))
            if value >= self._own.threshold:
                out.append(Dropped("near-duplicate of a kept record", value))
            else:
                here.add(runs)
                out.append(Kept(value))
        return out

    def keep(self, batch: Sequence[Made]) -> None:
        """Remember what all filters let pass."""
        for made in batch:
            self._kept.add(self._own.runs(made))
