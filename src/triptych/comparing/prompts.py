"""The prompts of two sets: which both have, exactly, but for writing, or nearly; and whether the rest is alike.

Exact: equal texts. Normalized: equal once case, white space and punctuation are folded. Near: MinHash of 5-grams of tokens
agrees in four fifths. Each share counts the records of a set whose prompt the other set has, those of the shares before
included. Prompts that are not shared may still be another sample of the same kind: the mean embeddings of both sets are
compared with those of sets made by swapping whole groups of records at random.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from triptych.comparing.sides import Ints, Side, UInts
from triptych.core.batch import DEFECTS
from triptych.core.groups import GROUPS
from triptych.core.rng import stream
from triptych.engines.catalog import work_for
from triptych.engines.fold import Selected
from triptych.engines.progress import Progress
from triptych.engines.store import scan
from triptych.profiling.bench import Bench
from triptych.relations.near_duplicates import BANDS, band_keys

COVERED = 0.95
"""From this share of records on, with a prompt that the other set has, the prompts are the same."""
SIMILAR = 0.8
APART = 0.15
"""Mean embeddings closer than this, in units of the spread of single prompts, are alike however sure the distance is."""
SWAPS, LEVEL = 999, 0.01
BUCKET = 8
"""Candidates of a bucket that are looked at."""

_SIGNATURE, _VECTOR = "minhash:n=5@prompt", "embedding@prompt"
_FOLD = re.compile(r"[\W_]+")

Shares = tuple[float, float]


@dataclass(frozen=True)
class Shared:
    """Shares of the records of both sets whose prompt the other set has too, and how far the prompts lie apart.

    Attributes:
        exact, normalized, near: each includes the one before.
        distance: of the mean embeddings, in units of the spread of single prompts; None where prompts are shared.
        p: of as large a distance when both are samples of one population.
    """

    exact: Shares
    normalized: Shares
    near: Shares
    distance: float | None = None
    p: float | None = None

    @property
    def same(self) -> bool:
        """Nearly every record of both sets has a prompt that the other has."""
        return min(self.near) >= COVERED

    @property
    def alike(self) -> bool:
        """Not the same, but of one kind."""
        return self.distance is not None and self.p is not None and (self.distance < APART or self.p >= LEVEL)


def shared(pair: tuple[Side, Side], bench: Bench) -> Shared | None:
    """What the prompts of two sets have in common; None where one of them has no prompts."""
    if not all(side.dataset.layout.has_prompt for side in pair):
        return None
    found = tuple(_within(side.prompt, other.prompt) for side, other in (pair, pair[::-1]))
    exact = _shares(found)
    if min(exact) == 1:
        return Shared(exact, exact, exact)
    folded = tuple(_folded(side) for side in pair)
    found = tuple(mine | _within(a, b) for mine, a, b in zip(found, folded, folded[::-1], strict=True))
    normalized = _shares(found)
    if min(normalized) >= COVERED:
        return Shared(exact, normalized, normalized)
    richer = tuple(_with_columns(side, bench) for side in pair)
    near = _shares(_near(richer, found))
    made = Shared(exact, normalized, near)
    if made.same:
        return made
    distance, p = _apart(richer)
    return replace(made, distance=distance, p=p)


def records_within(side: Side, other: Side) -> NDArray[np.bool_]:
    """Which records of a set, prompt and response, the other set has too (N,)."""
    found: NDArray[np.bool_] = np.isin(_record_keys(side), _record_keys(other))
    return found


def _record_keys(side: Side) -> UInts:
    """64 bits of the content id of each record."""
    return np.frombuffer(b"".join(side.store.whole("content_id").to_pylist()), dtype="<u8")[::2]


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).digest(), "little")


def _within(keys: UInts, others: UInts) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = np.isin(keys, others) & (keys != 0)
    return found


def _shares(found: tuple[NDArray[np.bool_], ...]) -> Shares:
    a, b = (float(one.mean()) for one in found)
    return a, b


def _folded(side: Side) -> UInts:
    """Key of the prompt of each record with case, white space and punctuation folded; 0 where nothing is left (N,)."""
    out = np.zeros(len(side), dtype=np.uint64)
    start = 0
    known: dict[str, int] = {}
    for shard in side.store.shards:
        for text in shard.read(["prompt"])["prompt"].to_pylist():
            plain = _FOLD.sub(" ", (text or "").casefold()).strip()
            if plain not in known:
                known[plain] = _hash(plain) if plain else 0
            out[start] = known[plain]
            start += 1
    return out


def _with_columns(side: Side, bench: Bench) -> Side:
    """The side with signatures and vectors of its prompts."""
    instruments = replace(bench.instruments, judged=side.judged)
    work = work_for([_SIGNATURE, _VECTOR, DEFECTS], instruments)
    return replace(side, store=scan(side.dataset, work.features, bench.cache, bench.engine, Progress()))


def _matrix(side: Side, column: str) -> tuple[Ints, NDArray[np.generic]]:
    """Ordinals of the records that have the column, and its values."""
    at, values = [np.zeros(0, np.int64)], []
    for start, batch in Selected(side.store, side.keys).batches((column,)):
        there = batch.present(column)
        at.append(start + np.flatnonzero(there))
        values.append(batch.matrix(column)[there])
    return np.concatenate(at), np.concatenate(values)


def _near(pair: tuple[Side, ...], found: tuple[NDArray[np.bool_], ...]) -> tuple[NDArray[np.bool_], ...]:
    """Records whose prompt the other set has, those known so far and those that have a near one there."""
    tables = [_matrix(side, _SIGNATURE) for side in pair]
    firsts = [_first_of_each(side.prompt, at) for side, (at, _) in zip(pair, tables, strict=True)]
    at = [at[first] for (at, _), first in zip(tables, firsts, strict=True)]
    rows = [values[first].astype(np.uint16) for (_, values), first in zip(tables, firsts, strict=True)]
    hit = [np.zeros(len(one), dtype=np.bool_) for one in at]
    for band in range(1, BANDS + 1):
        keys = [band_keys(one, band) for one in rows]
        for mine, other in ((0, 1), (1, 0)):
            _meet(mine, other, keys, rows, hit)
    out = []
    for side, known, places, flags in zip(pair, found, at, hit, strict=True):
        out.append(known | np.isin(side.prompt, side.prompt[places[flags]]))
    return tuple(out)


def _first_of_each(prompt: UInts, at: Ints) -> Ints:
    """Places in `at` of the first record of every prompt."""
    return np.sort(np.unique(prompt[at], return_index=True)[1])


def _meet(
    mine: int, other: int, keys: list[UInts], rows: list[NDArray[np.uint16]], hit: list[NDArray[np.bool_]]
) -> None:
    """Mark the prompts of one set that have a near one in the same bucket of the other set."""
    open_ = np.flatnonzero(~hit[mine])
    order = np.argsort(keys[other], kind="stable")
    ordered = keys[other][order]
    begin = np.searchsorted(ordered, keys[mine][open_])
    end = np.searchsorted(ordered, keys[mine][open_], side="right")
    for step in range(BUCKET):
        left = np.flatnonzero(begin + step < end)
        if not len(left):
            return
        a, b = open_[left], order[begin[left] + step]
        alike = np.count_nonzero(rows[mine][a] == rows[other][b], axis=1) >= SIMILAR * rows[mine].shape[1]
        hit[mine][a[alike]] = True


def _apart(pair: tuple[Side, ...]) -> tuple[float, float]:
    """Distance of the mean embeddings in units of the spread of single prompts, and its p."""
    sums, sizes, spread = [], [], []
    for side in pair:
        at, vectors = _matrix(side, _VECTOR)
        vectors = vectors.astype(np.float64)
        group = side.keys.group[at]
        counts = np.bincount(group, minlength=GROUPS)
        total = np.zeros((GROUPS, vectors.shape[1]))
        np.add.at(total, group, vectors)
        sums.append(total)
        sizes.append(counts)
        spread.append(float(np.square(vectors - vectors.mean(axis=0)).sum(axis=1).mean()))
    parts, counts = np.concatenate(sums), np.concatenate(sizes)
    first = np.repeat([True, False], GROUPS)
    scale = float(np.sqrt(np.mean(spread))) or 1.0
    found = _gap(parts, counts, first)
    draw = stream("compare", "prompts", *sizes[0].tolist(), *sizes[1].tolist())
    drawn = [_gap(parts, counts, draw.permutation(first)) for _ in range(SWAPS)]
    p = (1 + sum(one >= found for one in drawn)) / (SWAPS + 1)
    return found / scale, p


def _gap(parts: NDArray[np.float64], counts: Ints, first: NDArray[np.bool_]) -> float:
    means = [parts[mask].sum(axis=0) / max(int(counts[mask].sum()), 1) for mask in (first, ~first)]
    return float(np.linalg.norm(means[0] - means[1]))
