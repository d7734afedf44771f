"""Dear columns (a judge's, a language model's), looked up in a table that was made before the scan.

See `triptych.annotating`. A record outside the sample has null, and so has one whose values could not be had. What was said
of a pair stands with its chosen record, which is found by its address.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from triptych.core.feature import Feature
from triptych.core.groups import address_keys
from triptych.core.spec import Spec

_ADDRESS = ("source", "row", "part")


@dataclass(frozen=True)
class Annotated(Feature):
    """The columns of an annotation: float64, or vectors of float32.

    Attributes:
        columns: their names.
        digest: hash of the table's content and of what made it: with the threshold, the identity of the columns.
        threshold: records whose address hash is below it are in the sample.
        path: an Arrow file with `content_id` or `address` (hashed), and the columns.
        source: who made them, for people ("judge of quality (m)").
    """

    columns: tuple[str, ...]
    digest: str
    threshold: int
    path: str
    source: str

    @property
    def needs(self) -> tuple[str, ...]:
        """The content, and the address, which says whether the record is in the sample."""
        return ("content_id", *_ADDRESS)

    @property
    def gives(self) -> tuple[str, ...]:
        """The columns."""
        return self.columns

    @property
    def spec(self) -> Spec:
        """Free of the path, which is no part of the identity."""
        return Spec("Annotated", {"digest": self.digest, "threshold": str(self.threshold)}, self.version)

    def compute(self, batch: pa.RecordBatch) -> Mapping[str, pa.Array]:
        """Look the records up."""
        table = _table(self.path)
        keys = address_keys(*(batch.column(name).to_numpy() for name in _ADDRESS))
        inside = np.ones(len(keys), bool) if self.threshold >= 1 << 64 else keys < np.uint64(self.threshold)
        sought = pa.array(keys) if "address" in table.schema.names else batch.column("content_id")
        places: Any = pc.index_in(sought, value_set=table.column(0))
        places = pc.if_else(pa.array(inside), places, pa.scalar(None, pa.int32()))
        return {name: table.column(name).take(places) for name in self.columns}


@lru_cache(maxsize=8)
def _table(path: str) -> pa.RecordBatch:
    """The table in memory, once a process."""
    with pa.memory_map(path) as source:
        return pa.ipc.open_file(source).get_batch(0)
