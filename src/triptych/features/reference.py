"""Where a record lies among the records of a reference set: a frozen artifact, vectors and the ball around each.

The ball of a reference record reaches to its k-th nearest other record of the reference (Kynkäänniemi et al. 2019, arXiv
1904.06991; Naeem et al. 2020, arXiv 2002.09797; there with Euclidean distances, which on unit vectors order as cosines do).
Cosines are compared in steps of `TOLERANCE`, so that neither the shape of a product nor the number of threads decides.
"""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from triptych.core.batch import On, list_array
from triptych.core.candidates import TOLERANCE
from triptych.core.errors import ReadError, SchemaError, message
from triptych.core.feature import Feature
from triptych.neighbours.search import Rows, exact

BLOCK = 512
NEAREST = 10
"""Reference records that a record's distance to the reference is a mean over, in `reference_near`."""


@dataclass(frozen=True, eq=False)
class Balls:
    """A reference set.

    Attributes:
        vectors: unit rows, float32 (m, d).
        reach: cosine of each to its k-th nearest other, in steps of `TOLERANCE`, float64 (m,).
    """

    vectors: NDArray[np.float32]
    reach: NDArray[np.float64]

    @classmethod
    def around(cls, vectors: NDArray[np.float32], k: int) -> Balls:
        """Find the reach of each.

        Args:
            vectors: unit rows, none of zeros, float32 (m, d).
            k: which neighbour the ball reaches to.

        Raises:
            SchemaError: there are not more than k different ones.
        """
        different = len(np.unique(vectors, axis=0)) if len(vectors) else 0
        if different <= k:
            got = f"{len(vectors):,} that have a vector" + (f", {different:,} different" if len(vectors) > k else "")
            raise SchemaError(message("the reference has too few records.", got=got, want=f"more than {k}"))
        rows = Rows.of(vectors)
        _, close = exact(rows, rows, k, 1, skip=np.arange(len(vectors)))
        return cls(vectors, np.round(close[:, k - 1].astype(np.float64) / TOLERANCE))

    def save(self, folder: Path) -> tuple[Path, str]:
        """Write them once into the folder; the file, and the hash of its content."""
        held = io.BytesIO()
        np.savez(held, vectors=self.vectors, reach=self.reach)
        digest = hashlib.sha256(self.vectors.tobytes() + self.reach.tobytes()).hexdigest()[:16]
        path = folder / f"{digest}.npz"
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=folder, suffix=".part")
            with os.fdopen(handle, "wb") as out:
                out.write(held.getvalue())
            Path(name).replace(path)
        return path, digest


@lru_cache(maxsize=2)
def load_balls(path: str) -> Balls:
    """Read what `Balls.save` wrote.

    Raises:
        ReadError: the file is not there, or no such file.
    """
    try:
        with np.load(path, allow_pickle=False) as held:
            return Balls(held["vectors"], held["reach"])
    except (OSError, ValueError, KeyError) as error:
        raise ReadError(message(f"{path}: no reference can be read.", got=str(error))) from error


@dataclass(frozen=True)
class Reference(Feature):
    """Columns of a record against a reference; null where it has no vector.

    reference_nearest@on float64   cosine distance to the nearest reference record
    reference_near@on float64      mean cosine distance to the ten nearest
    reference_inside@on float64    1 where it lies in any ball, else 0
    reference_density@on float64   balls that it lies in, over k
    reference_balls@on list<int32> which balls those are
    reference_size@on int32        records of the reference

    Attributes:
        path, identity: of the balls.
        k: which neighbour they reach to.
    """

    path: str
    identity: str
    k: int
    on: On = "response"
    version: ClassVar[int] = 1

    @property
    def needs(self) -> tuple[str, ...]:
        """The vector."""
        return (f"embedding@{self.on}",)

    @property
    def gives(self) -> tuple[str, ...]:
        """Six columns."""
        names = ("nearest", "near", "inside", "density", "balls", "size")
        return tuple(f"reference_{name}@{self.on}" for name in names)

    @property
    def cache_key(self) -> str:
        """By content of the reference, not by where it lies."""
        return hashlib.sha256(f"{self.identity} {self.k} {self.on} {self.version}".encode()).hexdigest()[:16]

    def compute(self, batch: pa.RecordBatch) -> Mapping[str, pa.Array]:
        """Compare a shard with the whole reference, a block at a time.

        Raises:
            SchemaError: vectors of another size than those of the reference.
        """
        balls, column = load_balls(self.path), batch.column(self.needs[0])
        width = column.type.list_size
        if width != balls.vectors.shape[1]:
            got, want = f"{width} numbers", f"{balls.vectors.shape[1]}, as in the reference"
            raise SchemaError(message("vectors of another size than those of the reference.", got=got, want=want))
        flat = np.asarray(column.values.slice(column.offset * width, len(column) * width))
        rows: NDArray[np.float32] = np.nan_to_num(flat.astype(np.float32).reshape(len(column), width))
        norm = np.linalg.norm(rows, axis=1)
        absent = np.asarray(column.is_null()) | (norm == 0)
        unit: NDArray[np.float32] = (rows / np.where(norm == 0, 1, norm)[:, None]).astype(np.float32)
        found = [against(unit[start : start + BLOCK], balls) for start in range(0, len(unit), BLOCK)]
        nearest, near = (np.concatenate([one[i] for one in found] or [np.zeros(0)]) for i in range(2))
        inside = [row for one in found for row in one[2]]
        counts = np.where(absent, 0, [len(row) for row in inside]).astype(np.int64)
        held = [row for row, gone in zip(inside, absent, strict=True) if not gone]
        values = np.concatenate(held or [np.zeros(0, np.int64)]).astype(np.int32)
        columns: list[Any] = [
            *(pa.array(each, mask=absent) for each in (nearest, near, (counts > 0).astype(float), counts / self.k)),
            list_array(values, np.concatenate([[0], np.cumsum(counts)])),
            pa.array(np.full(len(rows), len(balls.vectors), np.int32), mask=absent),
        ]
        return dict(zip(self.gives, columns, strict=True))


def against(
    rows: NDArray[np.float32], balls: Balls
) -> tuple[NDArray[np.float64], NDArray[np.float64], list[NDArray[np.int64]]]:
    """Distance to the nearest (n,), mean distance to the ten nearest (n,), and the balls that each row lies in."""
    steps = np.round((rows @ balls.vectors.T).astype(np.float64) / TOLERANCE)
    wide = min(NEAREST, steps.shape[1])
    top = np.sort(np.partition(steps, steps.shape[1] - wide, axis=1)[:, -wide:], axis=1)
    distance = np.clip(1 - top * TOLERANCE, 0.0, 2.0)
    inside = [np.flatnonzero(row) for row in steps >= balls.reach]
    return distance[:, -1], distance.mean(axis=1), inside
