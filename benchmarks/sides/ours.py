"""Our side of benchmarks/peers.py: the public pieces of Triptych, fed shard by shard as the engine feeds them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from tokenizers import Tokenizer

sys.path.insert(0, str(Path(__file__).parent))
from clock import run

from triptych.core.batch import Batch
from triptych.core.groups import address_keys, everything, group_of
from triptych.core.reading import read
from triptych.core.registry import parse
from triptych.core.relation import Keys
from triptych.core.statistic import Statistic
from triptych.data import SHARD_RECORDS
from triptych.engines.fold import UNIT
from triptych.features.minhash import MinHash
from triptych.features.minilm import MiniLMEncoder
from triptych.features.static_encoder import StaticEncoder, shipped_tokenizer
from triptych.features.tokens import Tokens, load_tokenizer
from triptych.relations.near_duplicates import NearDuplicates
from triptych.relations.repeats import Repeats
from triptych.statistics.gram import Gram

Columns = dict[str, pa.Array]


class Shards:
    """Records in memory, in shards as the engine cuts them."""

    def __init__(self, shards: list[Columns]) -> None:
        self.shards = shards
        n = sum(len(next(iter(shard.values()))) for shard in shards)
        rows = np.arange(n)
        address = address_keys(np.zeros(n, np.int32), rows, np.zeros(n, np.int32))
        self.keys = Keys(rows, address, group_of(address), np.zeros(n, np.uint64))

    def batches(self, columns: tuple[str, ...]) -> Iterator[tuple[int, Batch]]:
        start = 0
        for shard in self.shards:
            held = {name: shard[name] for name in columns}
            stop = start + len(next(iter(shard.values())))
            yield start, Batch(held, self.keys.group[start:stop], self.keys.address[start:stop])
            start = stop

    def fold(self, statistic: Statistic, **related: Any) -> Statistic:
        """Update a fresh copy for each unit of shards and merge, as the engine does."""
        total = statistic.fresh()
        stream = self.batches(tuple(name for name in statistic.needs if name not in related))
        while unit := list(islice(stream, UNIT)):
            fresh = statistic.fresh()
            for start, batch in unit:
                extra = {name: column.piece(start, start + len(batch)) for name, column in related.items()}
                fresh.update(Batch({**batch.columns, **extra}, batch.group, batch.address))
            total.merge(fresh)
        return total


def sharded(**columns: pa.Array) -> list[Columns]:
    n = len(next(iter(columns.values())))
    return [
        {name: column.slice(at, SHARD_RECORDS) for name, column in columns.items()} for at in range(0, n, SHARD_RECORDS)
    ]


def texts(folder: Path, name: str = "responses") -> list[str]:
    found: list[str] = json.loads((folder / f"{name}.json").read_text("utf-8"))
    return found


def words_of(lines: list[str]) -> pa.Array:
    """Token lists of white-space words: what the peers count, so that values can be compared."""
    known: dict[str, int] = {}
    ids = [[known.setdefault(word, len(known)) for word in line.split()] for line in lines]
    return pa.array(ids, pa.list_(pa.int32()))


def vectors(folder: Path, name: str) -> Shards:
    rows = np.load(folder / f"vectors_{name}.npy")
    flat = pa.array(rows.reshape(-1))
    return Shards(sharded(**{"embedding@response": pa.FixedSizeListArray.from_arrays(flat, rows.shape[1])}))


def vendi(name: str) -> Callable[[Path], Callable[[], Any]]:
    def prepare(folder: Path) -> Callable[[], Any]:
        shards, (one, two) = vectors(folder, name), parse(["vendi:q=1,vendi:q=2"])

        def work() -> Any:
            gram = shards.fold(Gram())
            return {"value": one.value(gram, everything()), "q=2": two.value(gram, everything())}

        return work

    return prepare


def vendi_interval(folder: Path) -> Callable[[], Any]:
    shards, (one,) = vectors(folder, "interval"), parse(["vendi:q=1"])

    def work() -> Any:
        estimate = read(one, shards.fold(Gram()))
        return {"value": estimate.value, "lo": estimate.interval.lo, "hi": estimate.interval.hi}

    return work


def distinct(shards: Shards) -> dict[str, float]:
    found = {}
    for measure in parse(["distinct_n:n=1,distinct_n:n=2,distinct_n:n=3,distinct_n:n=4"]):
        found[f"distinct_{measure.n}"] = measure.value(shards.fold(measure.statistic()), everything())
    return {**found, "sum": sum(found.values())}


def distinct_tokens(folder: Path) -> Callable[[], Any]:
    """From token lists: what each measure after the first pays."""
    shards = Shards(sharded(**{"tokens@response": words_of(texts(folder))}))
    return lambda: distinct(shards)


def distinct_texts(folder: Path) -> Callable[[], Any]:
    """From texts, tokenizing included."""
    lines = texts(folder)
    load_tokenizer("wordpiece")
    return lambda: distinct(Shards(tokenized(lines)))


def tokenized(lines: list[str]) -> list[Columns]:
    return [
        dict(Tokens().compute(pa.RecordBatch.from_pydict({"response": lines[at : at + SHARD_RECORDS]})))
        for at in range(0, len(lines), SHARD_RECORDS)
    ]


def repetition(name: str) -> Callable[[Path], Callable[[], Any]]:
    def prepare(folder: Path) -> Callable[[], Any]:
        lines = texts(folder, name)
        shards, (measure,) = Shards(sharded(**{"tokens@response": words_of(lines)})), parse(["self_repetition:n=4"])

        def work() -> Any:
            statistic = shards.fold(measure.statistic(), **Repeats(4).compute(shards))
            value, n = measure.value(statistic, everything()), statistic.records(everything())
            return {"value": value, "over_all_records": value * n / len(lines)}

        return work

    return prepare


def compression(folder: Path) -> Callable[[], Any]:
    lines = texts(folder)
    (measure,) = parse(["compression_ratio"])

    def blocks(some: list[str]) -> float:
        value: float = measure.value(Shards(sharded(response=pa.array(some))).fold(measure.statistic()), everything())
        return value

    ordered = sorted(lines)
    return lambda: {"value": blocks(lines), "sorted": blocks(ordered)}


def near(shards: Shards, folder: Path) -> dict[str, Any]:
    feature, relation = MinHash(5, "both"), NearDuplicates(5, 0.8, "both")
    for shard in shards.shards:
        batch = pa.RecordBatch.from_arrays([shard["tokens@both"]], names=["tokens@both"])
        shard.update(feature.compute(batch))
    column = relation.compute(shards)[relation.gives[0]]
    flagged = column.positions[column.values != 0]
    planted = json.loads((folder / "planted.json").read_text())
    # Of a pair the one of higher address hash is flagged, so a planted pair counts when either end is.
    first, number = planted["first"], planted["number"]
    ends = np.zeros(first + number, dtype=bool)
    ends[flagged] = True
    found = ends[first:] | ends[np.array(planted["of"])]
    real = np.setdiff1d(flagged[flagged < first], np.array(planted["of"]))
    return {"flagged": len(real), "recall": float(found.mean())}


def duplicates_tokens(folder: Path) -> Callable[[], Any]:
    column = words_of(texts(folder, "both"))
    return lambda: near(Shards(sharded(**{"tokens@both": column})), folder)


def duplicates_texts(folder: Path) -> Callable[[], Any]:
    lines = texts(folder, "both")
    load_tokenizer("wordpiece")

    def work() -> Any:
        shards = [{"tokens@both": shard["tokens@response"]} for shard in tokenized(lines)]
        return near(Shards(shards), folder)

    return work


def static(folder: Path) -> Callable[[], Any]:
    encoder, lines = StaticEncoder.load(), texts(folder, "static")
    return lambda: {"texts": len(lines), "dimensions": encoder.encode(lines).shape[1]}


def tokenizer(folder: Path) -> Callable[[], Any]:
    """The tokenizers package alone: no encoder that reads word pieces can be faster."""
    alone: Tokenizer = shipped_tokenizer(StaticEncoder.load().max_tokens)
    lines = texts(folder, "static")
    return lambda: {"tokens": sum(len(row) for row in alone.encode_batch_fast(lines, add_special_tokens=False))}


def minilm(folder: Path) -> Callable[[], Any]:
    encoder, lines = MiniLMEncoder(json.loads((folder / "weights.json").read_text())), texts(folder, "encode")

    def work() -> Any:
        np.save(folder / "minilm_ours.npy", encoder.encode(lines))
        return {"texts": len(lines)}

    return work


TASKS = {
    "vendi_100k": vendi("100k"),
    "vendi_1m": vendi("1m"),
    "vendi_small": vendi("small"),
    "vendi_interval": vendi_interval,
    "distinct_tokens": distinct_tokens,
    "distinct_texts": distinct_texts,
    "repetition_10k": repetition("responses_10k"),
    "repetition_all": repetition("responses"),
    "compression": compression,
    "duplicates_tokens": duplicates_tokens,
    "duplicates_texts": duplicates_texts,
    "static": static,
    "tokenizer": tokenizer,
    "minilm": minilm,
}

if __name__ == "__main__":
    run(TASKS)
