"""Relations against slow obvious references, for every mask of groups."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from triptych.core.batch import Batch, list_array
from triptych.core.groups import group_of, mix
from triptych.core.relation import Keys, Relation, Sparse
from triptych.core.rng import stream
from triptych.features.minhash import PERMUTATIONS, MinHash, signatures
from triptych.relations import repeats
from triptych.relations.near_duplicates import NearDuplicates
from triptych.relations.per_prompt import PerPromptDistance, PerPromptNovelty
from triptych.relations.repeats import Repeats
from triptych.statistics.vectors import GroupVectors, PatternCounts


@dataclass(frozen=True)
class Shelf:
    """Records in memory, cut into two shards."""

    columns: dict[str, pa.Array]
    cluster: NDArray[np.uint64]

    @property
    def keys(self) -> Keys:
        n = len(self.cluster)
        address = mix(np.arange(n, dtype=np.uint64) + np.uint64(17))
        return Keys(np.arange(n), address, group_of(np.where(self.cluster > 0, self.cluster, address)), self.cluster)

    def batches(self, columns: tuple[str, ...]) -> Iterator[tuple[int, Batch]]:
        keys, n = self.keys, len(self.cluster)
        for start, stop in ((0, n // 3), (n // 3, n)):
            part = {name: self.columns[name].slice(start, stop - start) for name in columns}
            yield start, Batch(part, keys.group[start:stop], keys.address[start:stop])


def tokens(records: list[list[int] | None]) -> pa.Array:
    flat = np.array([t for r in records for t in r or []], dtype=np.int32)
    offsets = np.cumsum([0, *(len(r or []) for r in records)])
    lists = list_array(flat, offsets)
    absent = [r is None for r in records]
    return pa.ListArray.from_arrays(lists.offsets, lists.values, mask=pa.array(absent)) if any(absent) else lists


def shelf(records: list[list[int] | None], cluster: list[int] | None = None, **more: pa.Array) -> Shelf:
    keys = np.array(cluster or [0] * len(records), dtype=np.uint64)
    columns = {"tokens@response": tokens(records), "tokens@both": tokens(records), **more}
    batch = pa.RecordBatch.from_arrays([columns["tokens@both"]], names=["tokens@both"])
    return Shelf(columns | MinHash(5, "both").compute(batch), keys)


def column(relation: Relation, records: Shelf) -> Sparse:
    return relation.compute(records)[relation.gives[0]]


def batch_with(name: str, sparse: Sparse, records: Shelf) -> Batch:
    n = len(records.keys)
    return Batch({name: sparse.piece(0, n)}, records.keys.group, records.keys.address)


def grams(record: list[int] | None, n: int) -> set[tuple[int, ...]]:
    record = record or []
    return {tuple(record[i : i + n]) for i in range(len(record) - n + 1)}


def masks() -> list[NDArray[np.bool_]]:
    rng = stream("masks")
    return [np.ones(32, dtype=bool), *(rng.random(32) < share for share in (0.03, 0.2, 0.5, 0.9, 0.97))]


def corpus(n: int) -> list[list[int] | None]:
    rng = stream("corpus", n)
    out: list[list[int] | None] = [None, [], [7], [1, 2, 3]]
    while len(out) < n:
        if len(out) > 10 and rng.random() < 0.4:
            other = list(out[int(rng.integers(4, len(out)))] or [])
            if rng.random() < 0.5 and other:
                other[int(rng.integers(len(other)))] = int(rng.integers(50))
            out.append(other)
        else:
            out.append([int(t) for t in rng.integers(0, 50, int(rng.integers(3, 60)))])
    return out


@pytest.mark.parametrize("sample", [1 << 16, 60])
def test_repeats_are_recomputed_for_every_mask(sample: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repeats, "SAMPLE", sample)
    records = corpus(300)
    shelved = shelf(records)
    found = column(Repeats(n=3), shelved)
    statistic = GroupVectors("repeats:n=3@response")
    statistic.update(batch_with("repeats:n=3@response", found, shelved))
    group = shelved.keys.group
    for keep in masks():
        inside = [i for i in range(300) if keep[group[i]] and records[i] is not None]
        want = []
        for i in (i for i in inside if i in set(found.positions)):
            mine = grams(records[i], 3)
            want.append(sum(len(mine & grams(records[j], 3)) for j in inside if j != i))
        assert sorted(statistic.totals(keep)) == sorted(want)
        assert statistic.records(keep) == len(want)
    assert len(found.positions) in {min(sample, 300) - 1, min(sample, 299)}


def test_near_duplicates_of_planted_copies() -> None:
    rng = stream("near")
    base = [[int(t) for t in rng.integers(0, 30_000, 60)] for _ in range(200)]
    near = [[*record[:59], 5] for record in base[:100]]  # Jaccard 55/57 = .96
    far = [[*record[:30], *(int(t) for t in rng.integers(0, 30_000, 30))] for record in base[100:150]]
    copies = [list(record) for record in base[150:] for _ in range(6)]
    records = base + near + far + copies
    shelved = shelf(records)
    found = column(NearDuplicates(), shelved)
    statistic = PatternCounts(NearDuplicates().gives[0])
    statistic.update(batch_with(NearDuplicates().gives[0], found, shelved))
    kin = list(range(200)) + list(range(100)) + list(range(-50, 0)) + [150 + i // 6 for i in range(300)]
    group, address = shelved.keys.group, shelved.keys.address
    for keep in masks():
        inside = [i for i in range(len(records)) if keep[group[i]]]
        want = sum(any(kin[j] == kin[i] and address[j] < address[i] for j in inside) for i in inside)
        assert statistic.touching(keep) == want
    assert statistic.records(np.ones(32, dtype=bool)) == len(records)


def test_near_duplicates_when_everything_is_one_text() -> None:
    shelved = shelf([[1, 2, 3, 4, 5, 6, 7]] * 5000)
    found = column(NearDuplicates(), shelved)
    statistic = PatternCounts(NearDuplicates().gives[0])
    statistic.update(batch_with(NearDuplicates().gives[0], found, shelved))
    for keep in masks():
        size = int(keep[shelved.keys.group].sum())
        assert statistic.touching(keep) == max(size - 1, 0)


def test_short_records_are_compared_whole() -> None:
    found = column(NearDuplicates(), shelf([[1, 2], [1, 2], [2, 1], [3], [], None]))
    assert found.positions.tolist() == [0, 1, 2, 3]
    assert np.count_nonzero(found.values) == 1


@pytest.mark.parametrize("jaccard", [0.2, 0.5, 0.8])
def test_signatures_estimate_jaccard_within_their_error(jaccard: float) -> None:
    rng = stream("jaccard", str(jaccard))
    common = round(200 * jaccard / (1 + jaccard))
    truth, flat = common / (200 - common), []
    for _ in range(400):
        both = rng.integers(0, 1 << 62, 200 - common, dtype=np.uint64)
        flat += [both[:100], np.concatenate([both[:common], both[100:]])]
    table = signatures(np.concatenate(flat), np.array([len(part) for part in flat]))
    share = (table[::2] == table[1::2]).mean(axis=1)
    error = math.sqrt(truth * (1 - truth) / PERMUTATIONS)
    assert abs(share.mean() - truth) < 4 * error / 20
    assert share.std() == pytest.approx(error, rel=0.15)


def test_per_prompt_distance_is_a_mean_over_pairs() -> None:
    rng = stream("vectors")
    vectors = rng.normal(size=(40, 8)).astype(np.float32)
    vectors[3] = 0
    cluster = [1 + i % 7 for i in range(30)] + [0] * 9 + [99]
    flat = pa.FixedSizeListArray.from_arrays(pa.array(vectors.reshape(-1)), 8)
    found = column(PerPromptDistance(), shelf([[1]] * 40, cluster, **{"embedding@response": flat}))
    want: dict[int, float] = {}
    for name in range(1, 8):
        members = [i for i in range(30) if cluster[i] == name and np.any(vectors[i])]
        unit = [vectors[i] / np.linalg.norm(vectors[i]) for i in members]
        pairs = [1 - float(a @ b) for k, a in enumerate(unit) for b in unit[k + 1 :]]
        want[members[0]] = float(np.mean(pairs))
    assert dict(zip(found.positions.tolist(), found.values.tolist(), strict=True)) == pytest.approx(want, abs=1e-6)


def test_per_prompt_novelty_is_a_mean_over_pairs() -> None:
    records = corpus(60)
    cluster = [1 + i % 9 for i in range(60)]
    found = column(PerPromptNovelty(n=2), shelf(records, cluster))
    want: list[float] = []
    for name in range(1, 10):
        sets: list[Any] = [grams(records[i], 2) for i in range(60) if cluster[i] == name and grams(records[i], 2)]
        pairs = [1 - len(a & b) / len(a | b) for k, a in enumerate(sets) for b in sets[k + 1 :]]
        want.append(float(np.mean(pairs)))
    assert sorted(found.values) == pytest.approx(sorted(want), abs=1e-6)
