"""The defects that decide whether a record is valid: those of its response, or of its prompt in a set of prompts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from triptych.core.batch import DEFECTS, Text
from triptych.core.feature import Feature


@dataclass(frozen=True)
class Judged(Feature):
    """Column `defects`: the column `defects@on` of the text that is judged in this data set."""

    on: Text = "response"

    @property
    def needs(self) -> tuple[str, ...]:
        """The defects of the text."""
        return (f"{DEFECTS}@{self.on}",)

    @property
    def gives(self) -> tuple[str, ...]:
        """The same, by the name that statistics know."""
        return (DEFECTS,)

    def compute(self, batch: pa.RecordBatch) -> Mapping[str, pa.Array]:
        """Rename."""
        return {DEFECTS: batch.column(self.needs[0])}
