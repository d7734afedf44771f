"""The judge: quality, diversity and complexity of any selection from one pool, each with its interval.

Means of quality and complexity are read on all records of a selection that have a value. Diversity is read on valid
records only and at one number of records for all selections, since it grows with it: of a larger selection, a sample by
address, in the same order for all, so that two selections share what they share. All intervals come from the same 32
groups of the pool.

The default judge is one that no policy selects with: the Vendi score of order 2 on TF-IDF vectors. Policies that select
on embeddings are not to be judged by them alone; `independent` says which judges are free of that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from triptych.core.batch import DEFECTS, Batch
from triptych.core.errors import SpecError, UsageError, message
from triptych.core.estimate import Estimate, Undefined
from triptych.core.groups import Mask, everything, mix
from triptych.core.interval import Dealt, interval
from triptych.core.measure import Measure
from triptych.core.reading import read
from triptych.core.registry import parse
from triptych.engines.catalog import Instruments, work_for
from triptych.engines.fold import Selected, fold
from triptych.engines.local import LocalEngine
from triptych.engines.progress import Progress
from triptych.engines.store import FeatureStore, scan
from triptych.profiling.bench import Bench
from triptych.selecting.frontier.shape import Reading
from triptych.selecting.lexical import Lexicon, SquaredCosines, tokens_of
from triptych.selecting.pool import Pool
from triptych.statistics.moments import Moments

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

TFIDF = "tfidf_vendi:q=2"
MEASURES = ("vendi:q=2,valid_only=true", "effective_structures")
"""Judged beside TF-IDF, if nothing else is asked for."""

SAMPLE = 4096
"""Records of a selection that TF-IDF reads at most: n²/2 cosines take about a second."""

LEXICON = 20_000
"""Records of the pool that document frequencies come from at most."""

_SALT = np.uint64(0xA5A5F00DC0FFEE11)
_INFINITE = (float("-inf"), float("inf"))


@dataclass(frozen=True, eq=False)
class Ruler:
    """One way to judge diversity.

    Attributes:
        label: as asked for.
        title, unit: for people.
        independent: whether no policy selects with what it reads.
        measure: a measure of the panel; None: TF-IDF.
        store: where its columns are; None: those of the pool.
        made_by: what pins those columns.
    """

    label: str
    title: str
    unit: str
    independent: bool
    measure: Measure | None = None
    store: FeatureStore | None = None
    made_by: str = ""

    def to_json(self, at: int) -> dict[str, Any]:
        """The entry in the document, where diversity is read on `at` records."""
        told = {"label": self.label, "title": self.title, "unit": self.unit, "independent": self.independent}
        return {**told, "at": min(at, SAMPLE) if self.measure is None else at}


@dataclass(frozen=True)
class Judged:
    """What was read of one selection; a reading without a value says why."""

    quality: Reading
    complexity: Reading
    diversity: Mapping[str, Reading]

    def to_json(self) -> dict[str, Any]:
        """As in the document."""
        return {
            "quality": self.quality.to_json(),
            "complexity": self.complexity.to_json(),
            "diversity": {label: found.to_json() for label, found in self.diversity.items()},
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Judged:
        """The inverse of `to_json`."""
        diversity = {label: Reading(**found) for label, found in data["diversity"].items()}
        return cls(Reading(**data["quality"]), Reading(**data["complexity"]), diversity)


def measures_for(judge: str) -> tuple[str, ...]:
    """Measures to be read of every point when this one judges: what the pool is asked for.

    Raises:
        SpecError: no measure of diversity is called so.
    """
    if judge == TFIDF:
        return MEASURES
    (measure,) = parse((judge,))
    if measure.about.axis != "diversity":
        what = f'"{judge}" judges {measure.about.axis}, not diversity.'
        raise SpecError(message(what, want=f"{TFIDF}, {' or '.join(MEASURES)}, or another measure of diversity"))
    if measure.about.better != "higher":
        raise SpecError(message(f'"{judge}" is better when it is {measure.about.better}.', want=TFIDF))
    same = {parse((label,))[0].spec.hash: label for label in MEASURES}
    return tuple(dict.fromkeys([same.get(measure.spec.hash, judge), *MEASURES]))


def another_encoder(name: str, pool: Pool, bench: Bench) -> Ruler:
    """Vendi of order 2 by vectors of an encoder that the policies do not see. Every record of the pool is encoded.

    Raises:
        InputError: no such encoder, or it is not installed, or a field of vectors, which is read with the pool alone.
    """
    if name.startswith("column:") and not name.endswith(".npy"):
        want = "minilm, adapted:PATH or column:FILE.npy"
        raise UsageError(message("--judge-encoder reads no field of the rows.", got=name, want=want))
    instruments = Instruments.named(bench.instruments.tokenizer, name)
    work = work_for([DEFECTS, f"embedding@{pool.judged}"], replace(instruments, judged=pool.judged))
    store = scan(pool.dataset, work.features, bench.cache, bench.engine, bench.progress)
    (measure,) = parse((f"vendi:q=2,valid_only=true,on={pool.judged}",))
    other = instruments.encoder_identity != bench.instruments.encoder_identity
    title = f"Vendi score of order 2 on vectors of {name}"
    label = f"{measure.label},encoder={name}"
    return Ruler(label, title, measure.about.unit, other, measure, store, instruments.encoder_identity)


class Judge:
    """Reads selections of one pool.

    Args:
        pool: with the columns of `measures_for(judge)`.
        judge: label of the judge on the x axis.
        engine: folds.
        more: rulers beside those of the pool.
    """

    def __init__(self, pool: Pool, judge: str, engine: LocalEngine, more: Sequence[Ruler] = ()) -> None:
        self.pool, self.engine = pool, engine
        self.keys = pool.grouping.keys
        self._valid = pc.fill_null(pool.store.whole(DEFECTS), 0).to_numpy() == 0
        self._order = mix(self.keys.address ^ _SALT)
        self.rulers = (*_rulers(pool, judge), *more)
        quality = pool.values.get("quality")
        self._quality = self._valid.astype(np.float64) if quality is None else quality
        self._complexity = pool.values.get("complexity")

    @property
    def quality_label(self) -> str:
        """What quality is the mean of."""
        return self.pool.quality.label if self.pool.quality else "valid_share"

    def countable(self, ordinals: Ints) -> int:
        """Records of a selection that diversity can be read on: the valid ones."""
        return int(self._valid[ordinals].sum())

    def read(self, ordinals: Ints, at: int) -> Judged:
        """Judge a selection.

        Args:
            ordinals: of its records, ascending.
            at: number of records that diversity is read on.
        """
        shown = self.sample(ordinals[self._valid[ordinals]], at)
        measured = self._measured(shown)
        diversity = {ruler.label: measured.get(ruler) or self._lexical(shown) for ruler in self.rulers}
        nothing = Reading(None, reason="the records have no complexity")
        complexity = nothing if self._complexity is None else self.mean(self._complexity, ordinals)
        return Judged(self.mean(self._quality, ordinals), complexity, diversity)

    def sample(self, ordinals: Ints, at: int) -> Ints:
        """`at` of these records, the first by a scrambled address; ascending."""
        if len(ordinals) <= at:
            return ordinals
        return np.sort(ordinals[np.argsort(self._order[ordinals], kind="stable")[:at]])

    def mean(self, values: Floats, ordinals: Ints) -> Reading:
        """Mean of some values (N,) over the records of a selection that have one."""
        moments = Moments("value")
        batch = Batch({"value": pa.array(values[ordinals])}, self.keys.group[ordinals], self.keys.address[ordinals])
        moments.update(batch)
        if not moments.records(everything()):
            return Reading(None, reason="no record taken has a value")

        def value(keep: Mask) -> float | Undefined:
            return moments.mean(keep) if moments.records(keep) else Undefined("no record has a value")

        share = moments.binary()
        between = interval(value, moments.records, "share" if share else "plain", (0.0, 1.0) if share else _INFINITE)
        return Reading(moments.mean(everything()), between.lo, between.hi, between.reason)

    def _measured(self, ordinals: Ints) -> dict[Ruler, Reading]:
        """What the rulers with a measure read on some records: one fold for each store."""
        found: dict[Ruler, Reading] = {}
        measured = [(ruler, ruler.measure) for ruler in self.rulers if ruler.measure is not None]
        for store in {id(ruler.store): ruler.store for ruler, _ in measured}.values():
            mine = [(ruler, measure) for ruler, measure in measured if ruler.store is store]
            selected = Selected(store or self.pool.store, self.keys, ordinals)
            relations = self.pool.work.relations if store is None else ()
            statistics = [measure.statistic() for _, measure in mine]
            folded = fold(selected, statistics, relations, self.engine, Progress())
            for (ruler, measure), statistic in zip(mine, statistics, strict=True):
                found[ruler] = _reading(read(measure, folded[statistic.spec.hash], dealt=selected.keys.dealt()))
        return found

    @cached_property
    def lexicon(self) -> Lexicon:
        """Document frequencies of the candidates, or of a sample of them."""
        all_of_them = self.pool.ordinals(np.arange(len(self.pool), dtype=np.int64))
        return Lexicon(*tokens_of(self.pool.store, f"tokens@{self.pool.judged}", self.sample(all_of_them, LEXICON)))

    def _lexical(self, ordinals: Ints) -> Reading:
        """The Vendi score of order 2 on TF-IDF vectors of at most `SAMPLE` records."""
        rows = self.sample(ordinals, SAMPLE)
        vectors = self.lexicon.vectors(*tokens_of(self.pool.store, f"tokens@{self.pool.judged}", rows))
        return lexical_vendi(vectors, self.keys.group[rows], Selected(self.pool.store, self.keys, rows).keys.dealt())


def lexical_vendi(vectors: Any, group: NDArray[np.uint8], dealt: Dealt | None = None) -> Reading:
    """Effective records of order 2, with the delete-a-group jackknife: exact for every group left out.

    A record with itself is among the pairs, as in the measure `vendi`: the score of n records is
    1 / (1/n + (1 - 1/n) c), c the mean squared cosine of two different ones, so it stays below n and grows with it.

    Args:
        vectors: unit rows, sparse (n, vocabulary); rows of zeros are not counted.
        group: of each record, (n,).
        dealt: what the records were dealt to the groups as (`Keys.dealt`); None: every record on its own.
    """
    squares = SquaredCosines(vectors, group)
    if not squares.records(everything()):
        return Reading(None, reason="no text has a token that tells it from the others")

    def value(keep: Mask) -> float | Undefined:
        return squares.vendi(keep) if squares.records(keep) else Undefined("no record is left")

    between = interval(value, squares.records, "growing", (1.0, float("inf")), dealt)
    return Reading(squares.vendi(everything()), between.lo, between.hi, between.reason)


def _reading(found: Estimate) -> Reading:
    if found.value is None:
        return Reading(None, reason=found.undefined)
    return Reading(found.value, found.interval.lo, found.interval.hi, found.interval.reason)


def _rulers(pool: Pool, judge: str) -> tuple[Ruler, ...]:
    """The judge of the x axis, then the others."""
    lexical = Ruler(TFIDF, "Vendi score of order 2 on TF-IDF vectors", "effective records", independent=True)
    rulers = [lexical, *(_ruler(measure, pool) for measure in pool.measures if measure.about.axis == "diversity")]
    if judge == TFIDF:
        return tuple(rulers)
    asked = parse((judge,))[0].about.name
    first = [ruler for ruler in rulers if ruler.label == judge or (ruler.measure and ruler.measure.about.name == asked)]
    exact = [ruler for ruler in first if ruler.label == judge] or first
    return tuple(dict.fromkeys([*exact[:1], *rulers]))


def _ruler(measure: Measure, pool: Pool) -> Ruler:
    """A measure as a ruler. Policies select on vectors, and on structures where the rows have a field of them."""
    needs = measure.statistic().needs
    selects = f"embedding@{pool.on}" in needs
    if pool.candidates.structure is not None:
        selects = selects or any(need.startswith("template@") for need in needs)
    return Ruler(measure.label, measure.about.title, measure.about.unit, independent=not selects, measure=measure)
