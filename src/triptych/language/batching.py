"""Rows of like length together, so that little is computed on what fills them up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence


def batches(sizes: Sequence[int], most: int) -> Iterator[list[int]]:
    """Rows in batches of like size, shortest first, each of at most `most` tokens when filled up (or one row)."""
    batch: list[int] = []
    for row in sorted(range(len(sizes)), key=lambda row: (sizes[row], row)):
        if batch and (len(batch) + 1) * sizes[row] > most:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch
