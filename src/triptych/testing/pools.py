"""Small planted pools of candidates, on which the laws of policies are checked."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
from numpy.typing import NDArray

from triptych.core.candidates import Candidates, Floats, Ints
from triptych.core.rng import stream

SIZE, WIDTH = 48, 16


def pools(needs: tuple[str, ...], wants: tuple[str, ...]) -> dict[str, Candidates]:
    """The planted pools by name, each with what the policy asks for and nothing else.

    mixed: clusters, copies, near copies, equal qualities. constant: all of one quality and length. copies: one vector.
    cluster: all vectors close together. zeros: texts without tokens. scarce: half without complexity, structure and
    fields, and without the quality that is only wanted. bare: nothing that is only wanted. one: a single candidate.
    """
    asked = (*needs, *wants)
    mixed = _mixed([word.removeprefix("field:") for word in asked if word.startswith("field:")])
    rng = stream("pools", "close together")
    vectors = _vectors()
    close = _unit(rng.normal(size=WIDTH) + 0.02 * rng.normal(size=(SIZE, WIDTH)))
    empty = np.where((np.arange(SIZE) % 3 == 0)[:, None], np.float32(0), vectors)
    made = {
        "mixed": mixed,
        "constant": replace(mixed, quality=np.full(SIZE, 0.7), length=np.full(SIZE, 20.0)),
        "copies": replace(mixed, vectors=np.tile(vectors[:1], (SIZE, 1))),
        "cluster": replace(mixed, vectors=close),
        "zeros": replace(mixed, vectors=empty),
        "scarce": _scarce(mixed, "quality" in needs),
        "one": take(mixed, np.arange(1)),
    }
    return {name: shown(pool, asked) for name, pool in made.items()} | {"bare": shown(mixed, needs)}


def equal_pool(asked: tuple[str, ...], *, apart: bool = False) -> Candidates:
    """Candidates that differ in nothing but their ids.

    Args:
        asked: what the policy asks for.
        apart: the vectors are all at right angles instead of equal, but for rounding.
    """
    names = [word.removeprefix("field:") for word in asked if word.startswith("field:")]
    n, rng = WIDTH - 3, stream("pools", "apart")
    turned = np.linalg.qr(rng.normal(size=(WIDTH, WIDTH)))[0][:n]
    vectors = _unit(turned if apart else np.tile(turned[:1], (n, 1)))
    pool = Candidates(
        id=_ids(n),
        cost=np.ones(n, dtype=np.int64),
        length=np.full(n, 20.0),
        quality=np.full(n, 0.7),
        complexity=np.full(n, 3.0),
        vectors=vectors,
        structure=np.full(n, 5, dtype=np.uint64),
        codes={name: np.zeros(n, dtype=np.int64) for name in names},
    )
    return shown(pool, asked)


def shown(pool: Candidates, asked: tuple[str, ...]) -> Candidates:
    """The pool as a policy sees it that asks for these: everything else is not there. The memo is empty."""
    hidden = {word: None for word in ("quality", "complexity", "vectors", "structure") if word not in asked}
    return replace(pool, **hidden, memo={})  # type: ignore[arg-type]


def take(pool: Candidates, chosen: Ints) -> Candidates:
    """The candidates at these positions."""
    out: dict[str, object] = {"memo": {}}
    for field in fields(pool):
        value = getattr(pool, field.name)
        if isinstance(value, np.ndarray):
            out[field.name] = value[chosen]
        elif field.name in ("codes", "numbers"):
            out[field.name] = {name: each[chosen] for name, each in value.items()}
    return replace(pool, **out)  # type: ignore[arg-type]


def arrays(pool: Candidates) -> dict[str, NDArray[np.generic]]:
    """Every array of a pool by name; what is derived and shared is left out."""
    single = {field.name: getattr(pool, field.name) for field in fields(pool)}
    named = {f"{kind}:{name}": each for kind in ("codes", "numbers") for name, each in single[kind].items()}
    return {name: value for name, value in (single | named).items() if isinstance(value, np.ndarray)}


def _mixed(names: list[str]) -> Candidates:
    """Every second field holds numbers, the others hold texts."""
    rng = stream("pools", "mixed")
    quality = -np.sort(-np.round(rng.uniform(size=SIZE), 1))
    codes = {name: rng.integers(-1, 5, size=SIZE) for name in names[0::2]}
    numbers = {name: rng.normal(size=SIZE) for name in names[1::2]}
    return Candidates(
        id=_ids(SIZE),
        cost=np.ones(SIZE, dtype=np.int64),
        length=rng.integers(1, 60, size=SIZE).astype(np.float64),
        quality=quality,
        complexity=rng.integers(1, 9, size=SIZE).astype(np.float64),
        vectors=_vectors(),
        structure=rng.integers(1, 9, size=SIZE).astype(np.uint64),
        codes=codes,
        numbers=numbers,
    )


def _scarce(pool: Candidates, rated: bool) -> Candidates:
    half = np.arange(SIZE) % 2 == 0
    late = np.arange(SIZE) >= SIZE // 2  # candidates without quality come last
    return replace(
        pool,
        quality=pool.quality if rated else _without(pool.quality, late),
        complexity=_without(pool.complexity, half),
        structure=None if pool.structure is None else np.where(half, np.uint64(0), pool.structure),
        codes={name: np.where(half, -1, each) for name, each in pool.codes.items()},
        numbers={name: np.where(half, np.nan, each) for name, each in pool.numbers.items()},
    )


def _without(values: Floats | None, missing: NDArray[np.bool_]) -> Floats | None:
    return None if values is None else np.where(missing, np.nan, values)


def _vectors() -> NDArray[np.float32]:
    """Six clusters; the last third of the candidates are copies and near copies of the first."""
    rng = stream("pools", "vectors")
    centres = rng.normal(size=(6, WIDTH))
    vectors = centres[rng.integers(6, size=SIZE)] + 0.5 * rng.normal(size=(SIZE, WIDTH))
    third = SIZE // 3
    vectors[-third:] = vectors[:third] + 0.02 * rng.normal(size=(third, WIDTH)) * (np.arange(third) % 2)[:, None]
    return _unit(vectors)


def _unit(rows: NDArray[np.float64]) -> NDArray[np.float32]:
    lengths: Floats = np.linalg.norm(rows, axis=1, keepdims=True)
    return (rows / lengths).astype(np.float32)


def _ids(n: int) -> NDArray[np.uint64]:
    return np.sort(stream("pools", "ids").integers(2**63, size=n, dtype=np.uint64))
