"""The local engine, the cache and the fold: the same bits for any number of workers, and nothing computed twice."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pytest

from triptych.core.errors import TriptychError
from triptych.core.feature import Feature
from triptych.core.places import default_cache
from triptych.core.relation import Keys
from triptych.data import columns, open_dataset
from triptych.engines.cache import ColumnCache, readable
from triptych.engines.catalog import Instruments, work_for
from triptych.engines.fold import Selected, fold
from triptych.engines.grouping import NEEDS, group_records
from triptych.engines.local import LocalEngine
from triptych.engines.parquet import read_features, write_features
from triptych.engines.progress import Progress
from triptych.engines.store import FeatureStore, scan
from triptych.statistics.blocks import TextBlocks
from triptych.statistics.gram import Gram
from triptych.statistics.moments import Moments
from triptych.statistics.tables import ColumnTable, NGramTable
from triptych.statistics.vectors import GroupVectors, PatternCounts

STATISTICS = (
    NGramTable(n=2),
    ColumnTable("content_id"),
    Moments("length@response"),
    Gram(),
    TextBlocks(block=512),
    GroupVectors("repeats:n=4@response"),
    PatternCounts("near_duplicates:n=5,threshold=0.8@both"),
    Moments("per_prompt_distance@response"),
)
RowsOf = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shards of 64 records, so that small sets have many."""
    monkeypatch.setattr(columns, "SHARD_RECORDS", 64)
    monkeypatch.setattr("triptych.data.dataset.SHARD_RECORDS", 64, raising=False)


@contextmanager
def folded(rows: list[dict[str, Any]], workers: int, at: np.ndarray[Any, Any] | None = None) -> Iterator[Any]:
    """Store, keys and statistics of rows."""
    with LocalEngine(workers) as engine:
        store, keys, work = prepare(rows, engine)
        yield store, keys, fold(Selected(store, keys, at), STATISTICS, work.relations, engine, Progress())


def prepare(rows: list[dict[str, Any]], engine: LocalEngine) -> tuple[FeatureStore, Keys, Any]:
    instruments = Instruments.named()
    work = work_for([need for s in STATISTICS for need in s.needs] + list(NEEDS), instruments)
    dataset = open_dataset(rows)
    store = scan(dataset, work.features, ColumnCache(default_cache()), engine, Progress())
    return store, group_records(store, dataset.layout).keys, work


def same(a: dict[str, Any], b: dict[str, Any]) -> None:
    """Bit for bit the same states."""
    assert a.keys() == b.keys()
    for name, statistic in a.items():
        one, two = statistic.state(), b[name].state()
        assert one.keys() == two.keys()
        for key, array in one.items():
            assert array.dtype == two[key].dtype
            assert array.tobytes() == two[key].tobytes(), f"{statistic.spec.kind}.{key}"


@pytest.mark.usefixtures("small_shards")
def test_any_number_of_workers_gives_the_same_bits(rows_of: RowsOf) -> None:
    rows = rows_of(600, copies=0.3)
    states = []
    for workers in (1, 2, 4):
        os.environ["TRIPTYCH_CACHE"] += "x"  # compute again, not from the cache
        with folded(rows, workers) as (store, _, statistics):
            assert len(store.shards) >= 9
            states.append(statistics)
    same(states[0], states[1])
    same(states[0], states[2])


@pytest.mark.usefixtures("small_shards")
def test_a_fold_over_rows_is_the_fold_of_those_records(rows_of: RowsOf) -> None:
    rows = rows_of(400, copies=0.3)
    at = np.flatnonzero(np.arange(400) % 3 == 0)
    with folded(rows, 1, at) as (store, keys, part):
        masked = {name: statistic.records(np.ones(32, dtype=bool)) for name, statistic in part.items()}
        assert masked[ColumnTable("content_id").spec.hash] == len(at)
        distinct = part[ColumnTable("content_id").spec.hash].distinct(np.ones(32, dtype=bool))
        assert distinct == len({(rows[i]["prompt"], rows[i]["response"]) for i in at})
        lengths = np.asarray(store.whole("length@response"))[at]
        assert part[Moments("length@response").spec.hash].mean(np.ones(32, dtype=bool)) == pytest.approx(lengths.mean())
        assert len(keys) == 400


@pytest.mark.usefixtures("small_shards")
def test_features_parquet_gives_the_same_fold(rows_of: RowsOf, tmp_path: Path) -> None:
    with folded(rows_of(300, copies=0.2), 1) as (store, keys, statistics):
        write_features(tmp_path / "features.parquet", store, keys, {"note": 1})
    again, read_keys, noted = read_features(tmp_path / "features.parquet")
    assert noted == {"note": 1}
    assert len(again) == 300
    np.testing.assert_array_equal(read_keys.group, keys.group)
    kept = [s for s in STATISTICS if all(need in again.columns for need in s.needs)]
    assert len(kept) >= 5
    with LocalEngine(1) as engine:
        folded_again = fold(Selected(again, read_keys), kept, (), engine, Progress())
    same(folded_again, {name: statistics[name] for name in folded_again})


@pytest.mark.usefixtures("small_shards")
def test_what_is_cached_is_not_computed_again(rows_of: RowsOf, tmp_path: Path) -> None:
    rows = rows_of(200)
    log = tmp_path / "log"
    for suffix, computed in (("", 4), ("", 4), ("!", 8)):
        with LocalEngine(1) as engine:
            feature = Recorder(str(log), suffix)
            store = scan(open_dataset(rows), [feature], ColumnCache(default_cache()), engine, Progress())
            assert store.whole("loud")[0].as_py().endswith(suffix)
        assert len(log.read_text().splitlines()) == computed


@pytest.mark.usefixtures("small_shards")
def test_a_damaged_cache_file_is_computed_again(rows_of: RowsOf, tmp_path: Path) -> None:
    rows, feature = rows_of(200), Recorder(str(tmp_path / "log"))
    with LocalEngine(1) as engine:
        scan(open_dataset(rows), [feature], ColumnCache(default_cache()), engine, Progress())
        files = sorted(default_cache().rglob("*.arrow"))
        for file in files:
            file.write_bytes(file.read_bytes()[:100])
        assert not any(map(readable, files))
        store = scan(open_dataset(rows), [feature], ColumnCache(default_cache()), engine, Progress())
    assert [text.as_py() for text in store.whole("loud")] == [row["response"].upper() for row in rows]


def test_a_worker_that_dies_is_a_clear_error() -> None:
    with LocalEngine(2) as engine, pytest.raises(TriptychError, match="a worker process ended"):
        list(engine.map(os._exit, [3, 3, 3, 3]))


def test_attempts_end_each_by_itself() -> None:
    with LocalEngine(2) as engine:
        answers = dict(engine.attempt(perhaps, ["fine", "raise", "die", "fine too", "die again", "last"]))
    assert answers["fine"] == "fine!"
    assert answers["fine too"] == "fine too!"
    assert answers["last"] == "last!"
    assert isinstance(answers["raise"], ValueError)
    for name in ("die", "die again"):
        assert isinstance(answers[name], TriptychError)
        assert "ended before its job was done" in str(answers[name])


def test_attempts_hold_few_jobs_at_a_time() -> None:
    drawn: list[str] = []

    def jobs() -> Iterator[str]:
        for name in "abcdefgh":
            drawn.append(name)
            yield name

    with LocalEngine(2) as engine:
        for _ in engine.attempt(perhaps, jobs()):
            assert len(drawn) <= 6
            break


def test_an_error_in_a_worker_is_raised_here() -> None:
    with LocalEngine(2) as engine, pytest.raises(ValueError, match="invalid literal"):
        list(engine.map(int, ["1", "2", "three", "4"]))


def test_results_come_in_the_order_of_the_jobs() -> None:
    with LocalEngine(3) as engine:
        assert list(engine.map(str, range(50))) == [str(i) for i in range(50)]


@dataclass(frozen=True)
class Recorder(Feature):
    """A feature that writes a line each time it is computed."""

    log: str
    suffix: str = ""
    version: ClassVar[int] = 7

    @property
    def needs(self) -> tuple[str, ...]:
        return ("response",)

    @property
    def gives(self) -> tuple[str, ...]:
        return ("loud",)

    def compute(self, batch: pa.RecordBatch) -> Mapping[str, pa.Array]:
        with Path(self.log).open("a") as out:
            out.write("x\n")
        return {"loud": pa.array([text.as_py().upper() + self.suffix for text in batch.column("response")])}


def perhaps(name: str) -> str:
    if name.startswith("die"):
        os._exit(7)
    if name == "raise":
        raise ValueError(name)
    return f"{name}!"


def test_our_programs_load_pandas_only_when_it_is_asked_for() -> None:
    if find_spec("pandas") is None:
        pytest.skip("pandas is not installed")
    said = (
        "import sys, pyarrow as pa; from triptych.engines.memory import leave_out_pandas; leave_out_pandas();"
        "pa.array([1], mask=[False]); pa.scalar(1); print('pandas' in sys.modules);"
        "print(pa.table({'a': [1, 2]}).to_pandas()['a'].sum(), 'pandas' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["False", "3", "True"]
