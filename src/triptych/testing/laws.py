"""What all laws share: how a broken law is told, how states are compared, how records are folded."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from triptych.core.batch import Batch
from triptych.core.errors import LawError, message
from triptych.core.estimate import Undefined
from triptych.core.groups import GROUPS, Mask
from triptych.core.measure import Row
from triptych.core.rng import stream
from triptych.core.statistic import Statistic
from triptych.testing.fixtures import make_batch

State = dict[str, NDArray[Any]]
S = TypeVar("S", bound=Statistic)


def broken(law: str, where: str, got: object, want: object) -> LawError:
    """The error of a broken law: its name, where, what was got and wanted."""
    return LawError(message(f"law broken: {law} ({where}).", got=str(got), want=str(want)))


@contextmanager
def law(name: str, where: str) -> Iterator[None]:
    """Anything raised inside breaks the law `name`."""
    try:
        yield
    except LawError:
        raise
    except Exception as error:
        raise broken(name, where, f"{type(error).__name__}: {error}", "no error") from error


def fold(fresh: S, rows: Sequence[Row]) -> S:
    """All rows in one update of a fresh statistic."""
    statistic = fresh.fresh()
    if rows:
        statistic.update(make_batch(rows, statistic.needs))
    return statistic


def update(fresh: S, batches: Sequence[Batch]) -> S:
    """Batch after batch into a fresh statistic."""
    statistic = fresh.fresh()
    for batch in batches:
        statistic.update(batch)
    return statistic


def merged(fresh: S, parts: Sequence[S]) -> S:
    """Parts merged in order into a fresh statistic; the parts stay as they are."""
    statistic = fresh.fresh()
    for part in parts:
        statistic.merge(part)
    return statistic


def pieces(batch: Batch, size: int) -> list[Batch]:
    """The batch cut into batches of `size` records (the last may be smaller)."""
    place = np.arange(len(batch)) // size
    return [batch.take(place == i) for i in range(int(place[-1]) + 1)] if len(batch) else []


def thirds(batch: Batch) -> list[Batch]:
    """The batch cut into three parts whose records lie interleaved."""
    return [batch.take(np.arange(len(batch)) % 3 == i) for i in range(3)]


def masks() -> list[Mask]:
    """All groups but one, a random half, and another half."""
    half = stream("laws", "masks").permutation(GROUPS) < GROUPS // 2
    return [np.arange(GROUPS) != 5, half, ~half]


def inside(rows: Sequence[Row], keep: Mask) -> list[Row]:
    """The rows of the kept groups."""
    return [row for row in rows if keep[row["group"]]]


def saved(statistic: Statistic) -> State:
    """The state after a trip through the bytes of an .npz file, without pickle."""
    buffer = io.BytesIO()
    np.savez(buffer, **statistic.state())  # type: ignore[arg-type]
    buffer.seek(0)
    with np.load(buffer, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def same_bits(a: State, b: State) -> str | None:
    """The first difference of two states in name, type, shape or bits, or None."""
    if a.keys() != b.keys():
        return f"arrays {sorted(a)} and {sorted(b)}"
    for name, array in a.items():
        one, two = np.asarray(array), np.asarray(b[name])
        if one.dtype != two.dtype or one.shape != two.shape:
            return f"{name}: {one.dtype}{one.shape} and {two.dtype}{two.shape}"
        if one.tobytes() != two.tobytes():
            return f"{name}: {_first(one, two)}"
    return None


def near(a: State, b: State) -> str | None:
    """The first difference beyond rounding of two states, or None. Whole numbers must be equal."""
    if a.keys() != b.keys():
        return f"arrays {sorted(a)} and {sorted(b)}"
    for name, array in a.items():
        one, two = np.asarray(array), np.asarray(b[name])
        if one.shape != two.shape:
            return f"{name}: shape {one.shape} and {two.shape}"
        if np.issubdtype(one.dtype, np.floating):
            size = float(np.max(np.abs(one), initial=0.0))
            alike = np.allclose(one, two, rtol=1e-6, atol=1e-6 * size, equal_nan=True)
        else:
            alike = bool(np.array_equal(one, two))
        if not alike:
            return f"{name}: {_first(one, two)}"
    return None


def _first(one: NDArray[Any], two: NDArray[Any]) -> str:
    at = tuple(int(i) for i in np.argwhere(np.asarray(one != two))[0]) if one.ndim and (one != two).any() else ()
    return f"{one[at]!r} and {two[at]!r} at {at}"


def equal(a: float | Undefined | None, b: float | Undefined | None, tolerance: float) -> bool:
    """Whether two values agree: both undefined, or both numbers within the tolerance (relative above 1)."""
    if a is None or b is None or isinstance(a, Undefined) or isinstance(b, Undefined):
        return (a is None or isinstance(a, Undefined)) and (b is None or isinstance(b, Undefined))
    return math.isclose(a, b, rel_tol=tolerance, abs_tol=tolerance)
