"""Sets whose true difference is known, drawn from real ones: halves of one set, and halves with something planted.

A case draws records of two sides from a pool. Which group a record falls in is dealt anew for every trial, as it would be if
each trial were written to a file of its own.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from triptych.comparing.matching import Matching, shared_groups, view
from triptych.comparing.sides import Side
from triptych.comparing.view import Draw, View
from triptych.core.groups import group_of, mix
from triptych.core.relation import Keys
from triptych.core.rng import stream

Ints = NDArray[np.int64]
Rng = np.random.Generator

POOL, HALF = 12_000, 2000
LABEL = "label_mean:field=correct"
PAD = " I hope this helps."
TOPICS, FADE = 40, 3.0


@dataclass(frozen=True)
class Case:
    """Two sides, N records each, from pools of these names.

    Attributes:
        what: in words.
        a, b: pools.
        draw: records of either side from sides, random numbers and N.
        views: how they are matched.
        null: those of the views in which nothing differs.
        n: records of each side.
        targets: measures that differ, and which side is better.
    """

    what: str
    a: str
    b: str
    draw: Callable[[tuple[Side, Side], Rng, int], Draw]
    views: tuple[str, ...] = ("raw",)
    null: tuple[str, ...] = ()
    n: int = HALF
    targets: tuple[tuple[str, str], ...] = ()


def _halves(sides: tuple[Side, Side], rng: Rng, n: int) -> Draw:
    del sides
    both = rng.choice(POOL, 2 * n, replace=False)
    return Draw(np.sort(both[:n]), np.sort(both[n:]))


def _by_prompt(side: Side, rng: Rng, answers: int) -> Ints:
    """For every prompt, so many of its records at random, (prompts, answers)."""
    order = np.lexsort((rng.random(len(side)), side.prompt))
    starts = np.flatnonzero(np.diff(side.prompt[order], prepend=np.uint64(0)))
    found: Ints = order[starts[:, None] + np.arange(answers)]
    return found


def _whole_prompts(sides: tuple[Side, Side], rng: Rng, n: int) -> Draw:
    rows = rng.permutation(_by_prompt(sides[0], rng, 3))
    half = min(n // 3, len(rows) // 2)
    return Draw(np.sort(rows[:half].ravel()), np.sort(rows[half : 2 * half].ravel()))


def _same_prompts(sides: tuple[Side, Side], rng: Rng, n: int) -> Draw:
    rows = rng.permutation(_by_prompt(sides[0], rng, 6))[: n // 3]
    return Draw(np.sort(rows[:, :3].ravel()), np.sort(rows[:, 3:].ravel()))


def _weighted(rng: Rng, weights: NDArray[np.float64], n: int) -> Ints:
    """n different places, likelier where the weight is large (Efraimidis & Spirakis 2006)."""
    keys = rng.random(len(weights)) ** (1 / weights)
    return np.argsort(-keys)[:n]


def _length_biased(sides: tuple[Side, Side], rng: Rng, n: int) -> Draw:
    """Disjoint: the first side is likelier to get a long record."""
    both = rng.choice(POOL, 2 * n, replace=False)
    size = np.log1p(sides[0].length[both])
    lean = np.exp(0.5 * (size - size.mean()) / size.std())
    mine = np.zeros(len(both), bool)
    mine[_weighted(rng, lean, n)] = True
    return Draw(np.sort(both[mine]), np.sort(both[~mine]))


def _labelled(sides: tuple[Side, Side], rng: Rng, n: int) -> Draw:
    """Shares of .60 and .55 of a label that goes with nothing."""
    labels = sides[0].store.whole("label.correct").to_numpy()
    good, bad = (rng.permutation(np.flatnonzero(labels == value)) for value in (1.0, 0.0))
    a, b = rng.binomial(n, 0.60), rng.binomial(n, 0.55)
    first = np.concatenate([good[:a], bad[: n - a]])
    second = np.concatenate([good[a : a + b], bad[n - a : 2 * n - a - b]])
    return Draw(np.sort(first), np.sort(second))


def _copied(sides: tuple[Side, Side], rng: Rng, n: int) -> Draw:
    """A twentieth of the second side are copies of others of it (the second pool holds each record twice)."""
    del sides
    first, second = (half for half in np.array_split(rng.choice(POOL, 2 * n, replace=False), 2))
    copies = n // 20
    second[:copies] = second[copies : 2 * copies] + POOL
    return Draw(np.sort(first), np.sort(second))


def _narrow(sides: tuple[Side, Side], rng: Rng, n: int) -> Draw:
    """The second side keeps to one corner: topics weigh ever less with their distance from it."""
    near = topics(sides[1])
    rows = rng.permutation(POOL)
    first, others = rows[:n], rows[n:]
    return Draw(np.sort(first), np.sort(others[_weighted(rng, np.exp(-near[others] / FADE), n)]))


_TOPICS: dict[str, Ints] = {}


def topics(side: Side) -> Ints:
    """Topic of each record, by k-means on the unit vectors: 0 is a corner, the others by distance from it."""
    if side.name not in _TOPICS:
        column = "embedding@response"
        vectors = np.concatenate([_matrix(shard.read([column])[column]) for shard in side.store.shards])
        vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
        centres = vectors[stream("verdicts", "topics").choice(len(vectors), TOPICS, replace=False)]
        for _ in range(10):
            near = np.argmax(vectors @ centres.T, axis=1)
            centres = np.stack([vectors[near == k].sum(0) if (near == k).any() else centres[k] for k in range(TOPICS)])
            centres /= np.maximum(np.linalg.norm(centres, axis=1, keepdims=True), 1e-12)
        rank = np.argsort(np.argsort(-(centres @ centres[0])))
        _TOPICS[side.name] = rank[near]
    return _TOPICS[side.name]


def _matrix(column: Any) -> NDArray[np.float64]:
    return np.asarray(column.flatten().to_numpy(zero_copy_only=False), dtype=np.float64).reshape(len(column), -1)


RAW = ("raw",)
CASES = {
    "halves": Case("halves of one set, records on their own", "plain", "plain", _halves, null=RAW),
    "whole prompts": Case(
        "whole prompts dealt to halves, 3 answers each", "answers", "answers", _whole_prompts, null=RAW
    ),
    "same prompts": Case(
        "the same prompts on both sides, 3 answers each", "answers", "answers", _same_prompts, null=RAW
    ),
    "length-biased halves": Case(
        "halves of one set, one of them longer", "plain", "plain", _length_biased,
        views=("raw", "length"), null=("length",),
    ),
    "label +.05": Case("a label's share .60 v .55", "plain", "plain", _labelled, targets=((LABEL, "a"),)),
    "5 % copies": Case(
        "a twentieth of the second half are copies of others of it", "plain", "doubled", _copied,
        targets=(("exact_duplicate_rate", "a"), ("near_duplicate_rate", "a"), ("vendi", "a"), ("distinct_n", "a")),
    ),
    "padded": Case("every response of the second half has five words more", "plain", "padded", _halves, targets=(("tokens", "b"),)),
    "few topics": Case(
        "the second half keeps to a corner of all topics", "plain", "plain", _narrow,
        targets=(("vendi", "a"), ("vendi:q=2", "a"), ("mean_cosine_distance", "a"), ("distinct_n", "a")),
    ),
}  # fmt: skip


def pools(data: Path, folder: Path) -> dict[str, Path]:
    """Write the pools, once."""
    out = {name: folder / f"{name}-{POOL}.jsonl" for name in ("plain", "doubled", "padded", "answers")}
    if all(path.exists() for path in out.values()):
        return out
    folder.mkdir(parents=True, exist_ok=True)
    rng = stream("verdicts", "pool")
    everything = _rows(data / "alpaca_cleaned_52k.jsonl.gz")
    plain = [
        {"prompt": row["prompt"], "response": row["response"], "correct": bool(rng.random() < 0.5)}
        for row in (everything[at] for at in rng.choice(len(everything), POOL, replace=False))
    ]
    solutions = _rows(data / "gsm8k_model_solutions.jsonl.gz")
    made = {
        "plain": plain,
        "doubled": plain * 2,
        "padded": [row | {"response": row["response"] + PAD} for row in plain],
        "answers": [{key: row[key] for key in ("prompt", "response", "correct")} for row in solutions],
    }
    for name, rows in made.items():
        part = out[name].with_suffix(".part")
        part.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        part.replace(out[name])
    return out


def _rows(path: Path) -> list[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as stream_:
        return [json.loads(line) for line in stream_]


def dealt(side: Side, salt: np.uint64) -> Side:
    """The side with its records in other groups, those of a cluster together."""
    address = mix(side.keys.address ^ salt)
    cluster = np.where(side.keys.cluster == 0, np.uint64(0), np.maximum(mix(side.keys.cluster ^ salt), np.uint64(1)))
    group = group_of(np.where(cluster == 0, address, cluster))
    return replace(side, keys=Keys(side.keys.ordinal, address, group, cluster))


def part(side: Side, rows: Ints) -> Side:
    """What matching reads of a side, of some of its records only."""
    keys = Keys(side.keys.ordinal[rows], side.keys.address[rows], side.keys.group[rows], side.keys.cluster[rows])
    return replace(
        side,
        keys=keys,
        prompt=side.prompt[rows],
        length=side.length[rows],
        tokens=side.tokens[rows],
        valid=side.valid[rows],
    )


def views(case: Case, sides: tuple[Side, Side], drawn: Draw, seed: int) -> list[View]:
    """The views of a case, in records of its pools."""
    parts = part(sides[0], drawn.a), part(sides[1], drawn.b)
    out = []
    for name in case.views:
        made = view(name, parts, Matching(seed=seed))
        draws = tuple(Draw(drawn.a[each.a], drawn.b[each.b]) for each in made.draws)
        out.append(replace(made, draws=draws, paired=shared_groups(parts)))
    return out
