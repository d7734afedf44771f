"""Relation columns computed slowly and obviously, by name, over exactly the rows given."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import combinations
from typing import Any

from triptych.core.groups import GROUPS
from triptych.core.measure import Row

_NAME = re.compile(r"(?P<base>\w+)(?::(?P<params>[^@]*))?@(?P<on>\w+)")


def is_relation(name: str) -> bool:
    """Whether this is a column that needs the whole set of records."""
    return re.split(r"[@:]", name)[0] in _RELATIONS


def relation(name: str, rows: Sequence[Row]) -> list[Any]:
    """The column, one value a row, None where it does not speak of the record."""
    found = _NAME.fullmatch(name)
    if not found:
        raise KeyError(name)
    given = dict(part.split("=") for part in (found["params"] or "").split(",") if part)
    params = {key: float(value) if "." in value else int(value) for key, value in given.items()}
    return _RELATIONS[found["base"]](rows, found["on"], **params)


def _near_duplicates(rows: Sequence[Row], on: str, n: int, threshold: float) -> list[int | None]:
    """The groups of the near-duplicates of lower address, as bits."""
    sets = [
        _grams(row[f"tokens@{on}"], n) or ({tuple(row[f"tokens@{on}"])} if row[f"tokens@{on}"] else None)
        for row in rows
    ]
    out: list[int | None] = []
    for row, own in zip(rows, sets, strict=True):
        pattern = 0
        for other, theirs in zip(rows, sets, strict=True):
            lower = own and theirs and other["address"] < row["address"]
            if own and theirs and lower and len(own & theirs) >= threshold * len(own | theirs):
                pattern |= 1 << other["group"]
        out.append(pattern if own else None)
    return out


def _repeats(rows: Sequence[Row], on: str, n: int) -> list[list[int] | None]:
    """What each record shares with the records of each group, and its own number of different n-grams."""
    sets = [_grams(row[f"tokens@{on}"], n) for row in rows]
    out: list[list[int] | None] = []
    for own in sets:
        vector = [0] * GROUPS + [len(own)]
        for other, theirs in zip(rows, sets, strict=True):
            vector[other["group"]] += len(own & theirs)
        out.append(vector if own else None)
    return out


def _per_prompt_distance(rows: Sequence[Row], on: str) -> list[float | None]:
    return _per_prompt(rows, lambda row: _unit(row[f"embedding@{on}"]), lambda a, b: 1 - _dot(a, b))


def _per_prompt_novelty(rows: Sequence[Row], on: str, n: int) -> list[float | None]:
    return _per_prompt(rows, lambda row: _grams(row[f"tokens@{on}"], n), lambda a, b: 1 - len(a & b) / len(a | b))


def _per_prompt(
    rows: Sequence[Row], read: Callable[[Row], Any], distance: Callable[[Any, Any], float]
) -> list[float | None]:
    """The mean over pairs on the first record of each cluster that has two records to read."""
    clusters: dict[int, list[tuple[int, Any]]] = defaultdict(list)
    for i, row in enumerate(rows):
        if row["cluster"] and read(row):
            clusters[row["cluster"]].append((i, read(row)))
    out: list[float | None] = [None] * len(rows)
    for members in clusters.values():
        pairs = [distance(a, b) for (_, a), (_, b) in combinations(members, 2)]
        if pairs:
            out[members[0][0]] = math.fsum(pairs) / len(pairs)
    return out


def _grams(tokens: Sequence[int] | None, n: int) -> set[tuple[int, ...]]:
    return {tuple((tokens or [])[i : i + n]) for i in range(len(tokens or []) - n + 1)}


def _unit(vector: Sequence[float] | None) -> list[float] | None:
    norm = math.sqrt(_dot(vector, vector)) if vector else 0.0
    return [x / norm for x in vector] if vector and norm else None


def _dot(a: Sequence[float], b: Sequence[float]) -> float:
    return math.fsum(x * y for x, y in zip(a, b, strict=True))


_RELATIONS: dict[str, Callable[..., list[Any]]] = {
    "near_duplicates": _near_duplicates,
    "repeats": _repeats,
    "per_prompt_distance": _per_prompt_distance,
    "per_prompt_novelty": _per_prompt_novelty,
}
