"""Matching: views of two sets with one thing or another held equal, by leaving records out.

Records fall into strata (bins of length, values of a field, shared prompts); of each stratum both sides keep as many as the
side that has fewer. Which ones is decided by a hash of the record's cluster and of the number of the draw, so a draw is the
same for the same data, and clusters stay whole as far as the count allows. What is left out by chance is drawn several
times, so that the draw is part of the error.

Matching changes what is asked. Sets matched on length say which is better at equal length, and have another mix of prompts
than the raw ones; on length-biased samples of one pool the raw comparison finds a difference always, the matched one in 0
to 5 of a hundred. Forty to sixty quantile bins, the smaller count of each, at least eight draws.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from triptych.comparing.balance import balance
from triptych.comparing.sides import Ints, Side
from triptych.comparing.view import Draw, View
from triptych.core.errors import UsageError, message, nearest
from triptych.core.groups import mix
from triptych.core.rng import stream

BINS, PER_BIN = 50, 8
"""Quantile bins of length, fewer where a bin would hold less than so many records of the smaller set."""
NEAR = 0.2
"""Lengths that differ by at most this share of the longer are alike."""
ALSO = ("records", "tokens", "length", "prompt")
MIX = "mix:"

Pair = tuple[Side, Side]
Codes = NDArray[np.int64]

_QUESTIONS = {
    "raw": "how the two sets differ as they are, in size too",
    "records": "which is better with equally many records",
    "tokens": "which is better with equally many tokens",
    "length": "which is better among records of like length; the mix of prompts is then not that of the sets",
    "prompt": "which answers the same prompts better, with equally many responses to each",
    "prompt+length": "which is better between two responses of like length to one prompt",
}


@dataclass(frozen=True)
class Matching:
    """How views are drawn.

    Attributes:
        draws: of a matching that leaves records out by chance.
        seed: of the draws.
        fields: values of a field for the records of both sides, as texts, None where missing (for `mix:FIELD`).
        beside: numbers of both sides that the balance shows, NaN where missing.
    """

    draws: int = 8
    seed: int = 0
    fields: Mapping[str, tuple[NDArray[np.object_], NDArray[np.object_]]] = field(default_factory=dict)
    beside: Mapping[str, tuple[NDArray[np.float64], NDArray[np.float64]]] = field(default_factory=dict)


def view(name: str, sides: Pair, how: Matching) -> View:
    """The view of this name: raw, or one or several of records, tokens, length, prompt, mix:FIELD joined by "+".

    Raises:
        UsageError: no such matching.
    """
    parts = name.split("+")
    for part in parts:
        if part not in ALSO and not part.startswith(MIX) and name != "raw":
            near = nearest(part, [*ALSO, "raw"])
            want = ", ".join((*ALSO, f"{MIX}FIELD"))
            raise UsageError(message(f'"{part}" is no way to match.', want=want, hint=near and f"--match {near}"))
    shared = bool(len(shared_prompts(sides)))
    paired = shared_groups(sides)
    made = View(name, _question(parts), paired, ())
    if name == "raw":
        draws: Sequence[Draw] = [Draw(*(np.arange(len(side)) for side in sides))]
    elif "prompt" in parts and not shared:
        return replace(made, undefined="the two sets have no prompt in common")
    elif set(parts) == {"prompt", "length"}:
        draws = [_alike(sides)]
    elif "tokens" in parts:
        draws = _drawn(how, lambda at: _tokens_draw(sides, _strata(parts, sides, how), how.seed, at))
    else:
        draws = _drawn(how, lambda at: _count_draw(sides, _strata(parts, sides, how), how.seed, at))
    if not all(len(draw.a) and len(draw.b) for draw in draws):
        return replace(made, undefined="no records of the two sets can be matched so")
    return replace(made, draws=tuple(draws), balance=balance(sides, draws, parts, how.beside))


def _question(parts: Sequence[str]) -> str:
    name = "+".join(parts)
    if name in _QUESTIONS:
        return _QUESTIONS[name]
    mixes = [f"with the same mix of {part.removeprefix(MIX)}" for part in parts if part.startswith(MIX)]
    plain = [_QUESTIONS[part] for part in parts if part in _QUESTIONS]
    return ", ".join([*(plain or ["which is better"]), *mixes])


def shared_prompts(sides: Pair) -> NDArray[np.uint64]:
    """Keys of the prompts that both sets have, ascending."""
    a, b = (np.unique(side.prompt) for side in sides)
    both = np.intersect1d(a, b, assume_unique=True)
    found: NDArray[np.uint64] = both[both != 0]
    return found


def shared_groups(sides: Pair) -> bool:
    """Whether records of both sides are bound together (a shared prompt or group), so that they must be paired."""
    a, b = (np.unique(side.keys.cluster) for side in sides)
    return bool((np.intersect1d(a, b, assume_unique=True) != 0).any())


def _strata(parts: Sequence[str], sides: Pair, how: Matching) -> tuple[Codes, Codes]:
    """The stratum of every record of both sides, -1 where it can have none."""
    columns = []
    for part in parts:
        if part == "prompt":
            known = shared_prompts(sides)
            columns.append(tuple(_places(side.prompt, known) for side in sides))
        elif part == "length":
            columns.append(_length_bins(sides))
        elif part.startswith(MIX):
            columns.append(_values(*how.fields[part.removeprefix(MIX)]))
    if not columns:
        return np.zeros(len(sides[0]), np.int64), np.zeros(len(sides[1]), np.int64)
    table = np.concatenate([np.stack([column[side] for column in columns], axis=1) for side in (0, 1)])
    _, codes = np.unique(table, axis=0, return_inverse=True)
    codes = np.where((table < 0).any(axis=1), -1, codes.reshape(-1))
    return codes[: len(sides[0])], codes[len(sides[0]) :]


def _places(keys: NDArray[np.uint64], known: NDArray[np.uint64]) -> Codes:
    at = np.searchsorted(known, keys).clip(0, len(known) - 1)
    return np.where(known[at] == keys, at, -1)


def _length_bins(sides: Pair) -> tuple[Codes, Codes]:
    """Quantile bins of both sets' lengths together, each set with the same weight."""
    fewest = min(len(side) for side in sides)
    number = max(1, min(BINS, fewest // PER_BIN))
    at = np.arange(1, number) / number
    edges = np.unique(np.mean([np.quantile(side.length, at) for side in sides], axis=0)) if number > 1 else np.zeros(0)
    return tuple(np.searchsorted(edges, side.length, side="right") for side in sides)  # type: ignore[return-value] # two


def _values(a: NDArray[np.object_], b: NDArray[np.object_]) -> tuple[Codes, Codes]:
    names = {value: place for place, value in enumerate(sorted({*a[a != None], *b[b != None]}))}  # noqa: E711 - by item
    return tuple(np.array([names.get(value, -1) for value in column]) for column in (a, b))  # type: ignore[return-value]


def _drawn(how: Matching, draw: Callable[[int], Draw]) -> list[Draw]:
    """All draws, or one where they are all alike."""
    first = draw(0)
    second = draw(1) if how.draws > 1 else None
    if second is None or (np.array_equal(first.a, second.a) and np.array_equal(first.b, second.b)):
        return [first]
    return [first, second, *(draw(at) for at in range(2, how.draws))]


def _order(side: Side, which: int, seed: int, at: int) -> Ints:
    """All records of a side in random order, those of a cluster together and inside it likewise at random."""
    salt = np.uint64(stream("compare", "draw", which, seed, at).integers(2**63))
    own = mix(side.keys.address ^ salt)
    cluster = np.where(side.keys.cluster == 0, own, mix(side.keys.cluster ^ salt))
    return np.lexsort((own, cluster))


def _count_draw(sides: Pair, strata: tuple[Codes, Codes], seed: int, at: int) -> Draw:
    """Of each stratum, as many records of either side as the side with fewer has."""
    most = max(int(codes.max(initial=-1)) for codes in strata) + 1
    room = np.minimum(*(np.bincount(codes[codes >= 0], minlength=most) for codes in strata))
    kept = []
    for which, (side, codes) in enumerate(zip(sides, strata, strict=True)):
        order = _order(side, which, seed, at)
        order = order[codes[order] >= 0]
        kept.append(np.sort(order[_rank(codes[order]) < room[codes[order]]]))
    return Draw(*kept)


def _tokens_draw(sides: Pair, strata: tuple[Codes, Codes], seed: int, at: int) -> Draw:
    """Of each stratum, records of either side up to the tokens of the side with fewer there, within one record."""
    most = max(int(codes.max(initial=-1)) for codes in strata) + 1
    totals = [
        np.bincount(codes[codes >= 0], weights=side.tokens[codes >= 0], minlength=most)
        for side, codes in zip(sides, strata, strict=True)
    ]
    room = np.minimum(*totals)
    kept = []
    for which, (side, codes) in enumerate(zip(sides, strata, strict=True)):
        order = _order(side, which, seed, at)
        order = order[codes[order] >= 0]
        by = order[np.argsort(codes[order], kind="stable")]
        ends = np.cumsum(side.tokens[by])
        begin = np.concatenate([[0], ends])[np.searchsorted(codes[by], codes[by])]
        kept.append(np.sort(by[ends - begin <= room[codes[by]]]))
    return Draw(*kept)


def _rank(codes: Codes) -> Ints:
    """Place of each entry among those of its code, in the order given."""
    by = np.argsort(codes, kind="stable")
    grouped = codes[by]
    out = np.empty(len(codes), dtype=np.int64)
    out[by] = np.arange(len(codes)) - np.searchsorted(grouped, grouped)
    return out


def _alike(sides: Pair) -> Draw:
    """Responses to shared prompts in pairs whose lengths differ by at most `NEAR`, each in one pair, shortest first."""
    known = shared_prompts(sides)
    places = [_places(side.prompt, known) for side in sides]
    orders = [np.lexsort((side.length, place)) for side, place in zip(sides, places, strict=True)]
    pairs: tuple[list[int], list[int]] = ([], [])
    a, b = (order[place[order] >= 0].tolist() for order, place in zip(orders, places, strict=True))
    i = j = 0
    while i < len(a) and j < len(b):
        left, right = (int(places[0][a[i]]), int(places[1][b[j]]))
        x, y = int(sides[0].length[a[i]]), int(sides[1].length[b[j]])
        if left == right and abs(x - y) <= NEAR * max(x, y):
            pairs[0].append(a[i])
            pairs[1].append(b[j])
            i, j = i + 1, j + 1
        elif (left, x) <= (right, y):
            i += 1
        else:
            j += 1
    return Draw(*(np.sort(np.array(side, dtype=np.int64)) for side in pairs))
