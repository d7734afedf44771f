"""The readings of one set: every number of the ledger with its error.

Means are jackknifed over the 32 groups like any measure. Diversities are taken at `at` valid records: those that count
kinds as the exact expectation over all draws of so many (statistics.rarefied), the others on the `at` records of the
smallest address hash.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from triptych.core.groups import everything, mix
from triptych.core.measure import Measure
from triptych.core.sorting import run_starts, tally
from triptych.core.statistic import Statistic
from triptych.engines.fold import Selected, fold
from triptych.engines.local import LocalEngine
from triptych.engines.progress import Progress
from triptych.engines.store import FeatureStore, ShardColumns
from triptych.guarding.archive import Archive, nearest_distance
from triptych.guarding.counting import Table, jackknifed, undefined
from triptych.guarding.ledger import Reading
from triptych.guarding.prepared import GRAMS, Flags, Floats, Ints, Prepared, Scheme, UInts
from triptych.measures.diversity.distinct_n import DistinctN
from triptych.measures.diversity.per_prompt_distance import PerPromptDistance
from triptych.measures.diversity.per_prompt_novelty import PerPromptNovelty
from triptych.measures.diversity.vendi import Vendi
from triptych.measures.quality.label_mean import LabelMean

ANCHOR_MOST = 2048
"""Records of the anchor that novelty is measured against."""

PAIRED_MOST = 4096
"""Records that are compared with others of their prompt."""

Singles = NDArray[np.float32]


def _measured(measure: Measure, statistic: Statistic) -> Reading:
    kind = measure.interval_kind(statistic)
    n = statistic.records(everything())
    return jackknifed(lambda keep: measure.value(statistic, keep), statistic.records, kind, measure.about.bounds, n)


@dataclass(frozen=True, eq=False)
class _Beside:
    """A shard with columns beside those of its files; NaN is missing."""

    inner: ShardColumns
    start: int
    added: Mapping[str, Floats]

    @property
    def records(self) -> int:
        """Number of records."""
        return self.inner.records

    def read(self, columns: Sequence[str]) -> dict[str, pa.Array[Any]]:
        """These columns."""
        files = self.inner.read([name for name in columns if name not in self.added])
        here = slice(self.start, self.start + self.records)
        own = {name: self.added[name][here] for name in columns if name in self.added}
        return files | {name: pa.array(values, mask=np.isnan(values)) for name, values in own.items()}


def _with(store: FeatureStore, added: Mapping[str, Floats]) -> FeatureStore:
    starts = store.bounds[:-1].tolist()
    shards = tuple(_Beside(shard, start, added) for shard, start in zip(store.shards, starts, strict=True))
    return FeatureStore(shards, (*store.columns, *added))


@dataclass(frozen=True, eq=False)
class Anchor:
    """What every round is compared with.

    Attributes:
        vectors: of records of the anchor, unit rows or zeros, float32 (k, d); None without an anchor.
        rare: keys of the rarer half of its structures (else of the first round's); None where that is not known.
        whose: the anchor or the first round, in words.
    """

    vectors: Singles | None = None
    rare: UInts | None = None
    whose: str = ""


@dataclass(frozen=True, eq=False)
class SetReader:
    """Reads one set.

    Attributes:
        prepared: the set, equipped for the scheme.
        scheme: how all rounds are read.
        at: valid records at which diversity is read.
        archive: of earlier rounds; empty in the first.
        anchor: what every round is compared with.
        rows: ordinals of the valid records that are read where not all are, ascending.
        vectors: of those, unit rows or zeros.
        structure: key of the structure of each record, 0 where it has none, (N,).
    """

    prepared: Prepared
    scheme: Scheme
    at: int
    archive: Archive
    anchor: Anchor
    rows: Ints
    vectors: Singles
    structure: UInts
    valid: Table = field(repr=False)

    @classmethod
    def of(cls, prepared: Prepared, scheme: Scheme, at: int, archive: Archive, anchor: Anchor) -> SetReader:
        """Draw the sample and look up its vectors and structures."""
        structure = structures(prepared, scheme)
        rows = prepared.sample(at, prepared.valid)
        table = Table.of(structure[prepared.valid], prepared.keys.group[prepared.valid])
        vectors = vectors_of(prepared, scheme, rows)
        return cls(prepared, scheme, at, archive, anchor, rows, vectors, structure, table)

    def readings(self) -> dict[str, Reading]:
        """All of them, by name."""
        p = self.prepared
        out = self._means()
        out |= self._kinds()
        few = self._few()
        out |= (
            {name: undefined(few, int(p.valid.sum())) for name in ("semantic", "surface")} if few else self._sampled()
        )
        out |= self._per_prompt()
        return out

    def archived(self, number: int) -> Archive:
        """The archive of earlier rounds with this round's sample in it."""
        rows = self.rows
        return self.archive.grown(number, self.prepared.keys.address[rows], self.structure[rows], self.vectors)

    def _few(self) -> str | None:
        """Why diversity cannot be read, if it cannot."""
        number = int(self.prepared.valid.sum())
        if not number:
            return "no record is valid"
        if number < self.at:
            return f"{number:,} valid records, fewer than the {self.at:,} at which rounds are read"
        return None

    def _columns(self) -> tuple[dict[str, Floats], dict[str, str]]:
        """Numbers of each record, NaN where missing, (N,); and for readings that have none, why."""
        p, valid = self.prepared, self.prepared.valid
        have = {name: values for name, values in p.columns.items() if name != "complexity"}
        have.setdefault("quality", p.sound.astype(np.float64))
        have["tokens"] = p.length
        have["complexity"] = np.where(valid, p.columns["complexity"], np.nan)
        why = {name: f"no field says {what}" for name, what in _MISSING.items() if name not in have}
        if "verified" in have and "true" in have:
            have["reward_gap"] = have["verified"] - have["true"]
            have["false_pass"] = np.where(have["verified"] >= 1, 1 - have["true"], np.nan)
            have["false_fail"] = np.where(have["true"] >= 1, 1 - have["verified"], np.nan)
        signal = zero_signal(p)
        if signal is None:
            why["zero_signal"] = f"{_ONCE}, or none has a verdict"
        else:
            have["zero_signal"] = signal
        if not len(self.archive):
            why |= dict.fromkeys(("novelty", "semantic_novelty"), "no earlier round")
        else:
            new = np.where(self.archive.lacks(self.structure), 1.0, 0.0)
            have["novelty"] = np.where(valid & (self.structure != 0), new, np.nan)
            have["semantic_novelty"] = self._placed(self.archive.distance(self.vectors))
        if self.anchor.vectors is None:
            why["anchor_novelty"] = "no anchor"
        else:
            have["anchor_novelty"] = self._placed(nearest_distance(self.vectors, self.anchor.vectors))
        return have, why

    def _placed(self, values: Floats) -> Floats:
        """Values of the sample among all records, (N,)."""
        out = np.full(len(self.prepared), np.nan)
        out[self.rows] = values
        return out

    def _means(self) -> dict[str, Reading]:
        p = self.prepared
        have, why = self._columns()
        store = _with(p.store, {f"label.{name}": values for name, values in have.items()})
        measures = {name: LabelMean(field=name) for name in have}
        folded = _folded(Selected(store, p.keys), measures.values())
        out = {name: _measured(measure, folded[measure.statistic().spec.hash]) for name, measure in measures.items()}
        out = {name: _said(name, reading) for name, reading in out.items()}
        return out | {name: undefined(reason) for name, reason in why.items()}

    def _kinds(self) -> dict[str, Reading]:
        p, few = self.prepared, self._few()
        group, n = p.keys.group, int(p.valid.sum())
        out = {"structures_all": Table.of(self.structure, group).effective(self.at)}
        if self.scheme.by_field is not None:
            words = p.column(f"wording@{self.scheme.text}")
            out["templates"] = Table.of(words[p.valid], group[p.valid]).effective(self.at)
        out["structures"] = undefined(few, n) if few else self.valid.effective(self.at)
        out["evenness"] = undefined(few, n) if few else self.valid.evenness(self.at)
        if "true" in p.columns:
            right = p.columns["true"] >= 1
            out["correct_structures"] = Table.of(self.structure[right], group[right]).effective(self.at)
        else:
            out["correct_structures"] = undefined(f"no field says {_MISSING['true']}")
        rare = self.anchor.rare
        if rare is None:
            out["tail"] = undefined(self.anchor.whose or "nothing earlier to compare with")
        else:
            out["tail"] = undefined(few, n) if few else self.valid.seen(rare, self.at)
        return out

    def _sampled(self) -> dict[str, Reading]:
        p, on = self.prepared, self.scheme.on
        measures: dict[str, Measure] = {"semantic": Vendi(q=2.0, on=on), "surface": DistinctN(n=GRAMS, on=on)}
        folded = _folded(Selected(p.store, p.keys, self.rows), measures.values())
        return {name: _measured(m, folded[m.statistic().spec.hash]) for name, m in measures.items()}

    def _per_prompt(self) -> dict[str, Reading]:
        p = self.prepared
        measures: dict[str, Measure] = {
            "per_prompt": PerPromptDistance(),
            "per_prompt_novelty": PerPromptNovelty(n=GRAMS),
        }
        rows = whole_clusters(p, p.valid, PAIRED_MOST) if answered_often(p) else self.rows[:0]
        if not len(rows):
            reason = "no prompt has two valid responses" if answered_often(p) else _ONCE
            return dict.fromkeys(measures, undefined(reason))
        selected = Selected(p.store, p.keys, rows)
        folded = _folded(selected, measures.values(), p.relations)
        return {name: _measured(m, folded[m.statistic().spec.hash]) for name, m in measures.items()}


_MISSING = {
    "verified": "whether a record was verified",
    "true": "whether a record is right apart from the verifier",
    "real": "where a record comes from",
}


_ONCE = "most prompts have one response"


def _said(name: str, reading: Reading) -> Reading:
    """A mean of nothing, in the words of the reading rather than of its column."""
    if reading.value is not None:
        return reading
    return undefined(f"no valid record has a value of {name.replace('_', ' ')}", reading.n)


def _folded(selected: Selected, measures: Any, relations: Sequence[Any] = ()) -> dict[str, Statistic]:
    statistics = [measure.statistic() for measure in measures]
    needs = {need for statistic in statistics for need in statistic.needs}
    wanted = [relation for relation in relations if needs & set(relation.gives)]
    return fold(selected, statistics, wanted, LocalEngine(1), Progress())


def structures(prepared: Prepared, scheme: Scheme) -> UInts:
    """Key of the structure of each record, 0 where it has none, (N,)."""
    if scheme.by_field is None:
        return prepared.column(f"wording@{scheme.text}")
    if prepared.dataset.layout.structure_field is None:
        return np.zeros(len(prepared), dtype=np.uint64)
    return prepared.column(f"template@{scheme.text}")


def vectors_of(prepared: Prepared, scheme: Scheme, rows: Ints) -> Singles:
    """Vectors of these records, unit rows or zeros, float32 (rows, d)."""
    name = f"embedding@{scheme.on}"
    batches = Selected(prepared.store, prepared.keys, rows).batches((name,))
    vectors = np.concatenate([batch.matrix(name).astype(np.float32) for _, batch in batches])
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Singles = np.divide(vectors, norms, out=np.zeros_like(vectors), where=norms > 0)
    return unit


def whole_clusters(prepared: Prepared, among: Flags, most: int) -> Ints:
    """Ordinals of records of clusters with at least two of these records, ascending; whole clusters by hash, about `most`."""
    rows = np.flatnonzero(among & (prepared.keys.cluster != 0))
    order = mix(prepared.keys.cluster[rows])
    rows, order = rows[np.argsort(order, kind="stable")], np.sort(order)
    starts = run_starts(order)
    size = np.diff(np.append(starts, len(order)))
    several = np.repeat(size > 1, size)
    first = np.repeat(np.cumsum(np.where(size > 1, size, 0)) - size, size)
    return np.sort(rows[several & (first < most)])


def answered_often(prepared: Prepared) -> bool:
    """Whether most records answer a prompt that others answer too; a few that do so by chance say nothing."""
    held = prepared.prompt[prepared.prompt != 0]
    _, size = tally(held)
    return len(held) > 0 and 2 * int(size[size > 1].sum()) > len(prepared)


def zero_signal(prepared: Prepared) -> Floats | None:
    """1 where all judged responses to a prompt got one verdict, else 0, on one record of each such prompt; NaN elsewhere.

    None where no prompt has two responses with a verdict, or few prompts have two responses at all.
    """
    verdict = next(
        (prepared.columns[name] for name in ("verified", "true", "quality") if name in prepared.columns), None
    )
    if verdict is None or not answered_often(prepared):
        return None
    rows = np.flatnonzero(np.isfinite(verdict) & (prepared.prompt != 0))
    rows = rows[np.argsort(prepared.prompt[rows], kind="stable")]
    starts = run_starts(prepared.prompt[rows])
    size = np.diff(np.append(starts, len(rows)))
    if not (size > 1).any():
        return None
    low, high = (ends.reduceat(verdict[rows], starts) for ends in (np.minimum, np.maximum))
    several = size > 1
    out = np.full(len(prepared), np.nan)
    out[rows[starts[several]]] = (low == high)[several]
    return out
