"""What the slow references share: plain Python over the feature columns of the records."""

from __future__ import annotations

import math
from collections.abc import Sequence

from triptych.core.batch import DEFECTS
from triptych.core.measure import Row

Gram = tuple[int, ...]


def kept(rows: Sequence[Row], valid_only: bool) -> list[Row]:
    """All rows, or those without a defect."""
    return [row for row in rows if not valid_only or not row[DEFECTS]]


def numbers(rows: Sequence[Row], column: str) -> list[float]:
    """The values of a column that are there."""
    return [float(row[column]) for row in rows if row[column] is not None and math.isfinite(row[column])]


def mean(values: Sequence[float]) -> float | None:
    """The mean, None of nothing."""
    return math.fsum(values) / len(values) if values else None


def grams(tokens: Sequence[int] | None, n: int) -> list[Gram]:
    """The n-grams of one record in reading order."""
    tokens = tokens or []
    return [tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1)]


def unit_vectors(rows: Sequence[Row], column: str) -> list[list[float]]:
    """The vectors of a column at length 1, without those of length 0."""
    vectors = [list(row[column]) for row in rows if row[column] is not None]
    norms = [math.sqrt(math.fsum(x * x for x in vector)) for vector in vectors]
    return [[x / norm for x in vector] for vector, norm in zip(vectors, norms, strict=True) if norm > 0]


def dot(a: Sequence[float], b: Sequence[float]) -> float:
    """The inner product."""
    return math.fsum(x * y for x, y in zip(a, b, strict=True))
