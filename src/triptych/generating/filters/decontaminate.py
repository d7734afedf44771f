"""Decontamination: a record is dropped that holds most of a text of a benchmark.

The rule and the code are those of `triptych compare --benchmark`: a text of the benchmark counts as held where at least
a share .7 of its runs of eight words occur in the record's prompt or response (after PaLM, arXiv 2204.02311; see
`comparing.contamination` for short texts).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, final

import numpy as np

from triptych.comparing.contamination import THRESHOLD, N
from triptych.comparing.corpus import Corpus, open_corpus
from triptych.comparing.overlap import ROLES, Finder, passages
from triptych.comparing.spans import words_of
from triptych.data import ReadOptions, open_dataset
from triptych.engines.progress import Progress
from triptych.generating.ask import Desk, Dropped, Filter, Gate, Kept, Made, Verdict
from triptych.profiling.bench import open_bench
from triptych.profiling.settings import Settings


@final
@dataclass(frozen=True)
class Decontaminate(Filter):
    """Drops records that overlap with a benchmark.

    Attributes:
        against: file of the benchmark, or several.
        threshold: share of a text's runs of eight words that a record must hold to be dropped.
        map: role to field of the benchmark.
    """

    against: str | tuple[str, ...]
    threshold: float = THRESHOLD
    map: Mapping[str, str] = field(default_factory=dict)

    name: ClassVar[str] = "decontaminate"
    source: ClassVar[str] = "Chowdhery et al. 2022 (arXiv 2204.02311)"

    def __post_init__(self) -> None:
        """Check the number."""
        if not 0 < self.threshold <= 1:
            raise ValueError(f"threshold must be above 0 and at most 1; got {self.threshold}")

    def begin(self, desk: Desk) -> Gate:
        """The gate, with the benchmarks read.

        Raises:
            ReadError, SchemaError: one cannot be read.
        """
        files = (self.against,) if isinstance(self.against, str) else tuple(self.against)
        with open_bench(Settings.of(cache=False, workers=1), Progress()) as bench:
            found = []
            for name in files:
                dataset = open_dataset(str(desk.file(name)), ReadOptions(roles=dict(self.map)))
                corpus: Corpus = open_corpus(dataset, bench)
                found.append(Finder(passages(corpus), N))
        return _Gate(tuple(found), self.threshold)


@dataclass(frozen=True)
class _Gate(Gate):
    finders: tuple[Finder, ...]
    threshold: float

    def judge(self, batch: Sequence[Made]) -> list[Verdict]:
        """By the most that prompt or response cover of any text."""
        share = np.zeros(len(batch))
        for role in ROLES:
            words = words_of([getattr(made, role) for made in batch])
            for finder in self.finders:
                pairs = finder.pairs(words, role)
                np.maximum.at(share, pairs.asked, pairs.share)
        held = "overlaps with a benchmark"
        return [Dropped(held, value) if value >= self.threshold else Kept(value) for value in share.tolist()]
