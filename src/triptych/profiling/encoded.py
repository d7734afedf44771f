"""Vectors of a sample of records by an encoder that is dear: kept row by row, as all that costs a model call is.

See `triptych.annotating`. The vectors are those that the feature `Embedding` gives, in half precision.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np
import pyarrow as pa

from triptych.annotating.annotator import Annotator, Item, Outcome
from triptych.core.batch import Batch
from triptych.engines.catalog import Instruments, work_for
from triptych.features.embedding import Embedding, load_encoder

_PORTION = 128
"""Texts that are encoded at a time, of like length: a few seconds on a CPU."""


@final
@dataclass(frozen=True)
class EncoderReading(Annotator):
    """Columns `embedding@on` under the encoder of some instruments.

    Attributes:
        instruments: with the encoder.
        columns: which are made; the width of each is the encoder's.
    """

    name: ClassVar[str] = "encoder"

    instruments: Instruments
    columns: tuple[str, ...]

    @property
    def title(self) -> str:
        """With the encoder."""
        return f"vectors by {self.instruments.encoder_identity.partition('@')[0]}"

    @property
    def gives(self) -> tuple[str, ...]:
        """The columns."""
        return self.columns

    @property
    def widths(self) -> Mapping[str, int]:
        """The encoder's."""
        return dict.fromkeys(self.columns, load_encoder(self.instruments.encoder).dim)

    @property
    def identity(self) -> str:
        """The encoder's weights, the tokenizer, the columns, and the version of the feature."""
        used = f"{self.instruments.encoder_identity} {self.instruments.tokenizer_identity}"
        return f"{' '.join(self.columns)} {used} version={Embedding.version}"

    def plan(self, items: Sequence[Item]) -> str:
        """The number of texts; the time is told once the first of them are done."""
        return f"{len(items) * len(self.columns):,} texts to encode"

    def annotate(self, items: Sequence[Item]) -> Iterator[tuple[bytes, Outcome]]:
        """Portions of like length, short ones first."""
        ordered = sorted(items, key=lambda item: (len(item.prompt or "") + len(item.response or ""), item.content_id))
        for start in range(0, len(ordered), _PORTION):
            part = ordered[start : start + _PORTION]
            yield from zip((item.content_id for item in part), self._vectors(part), strict=True)

    def _vectors(self, items: Sequence[Item]) -> list[Outcome]:
        """The vectors of each item; None where the record has no such text."""
        prompts, responses = ([getattr(item, name) for item in items] for name in ("prompt", "response"))
        held = {"prompt": pa.array(prompts, pa.string()), "response": pa.array(responses, pa.string())}
        for feature in work_for(self.columns, self.instruments).features:
            needed = [held[name] for name in feature.needs]
            held |= feature.compute(pa.RecordBatch.from_arrays(needed, names=list(feature.needs)))
        nobody = np.zeros(len(items), dtype=np.uint64)
        batch = Batch({name: held[name] for name in self.columns}, nobody.astype(np.uint8), nobody)
        found = {name: (batch.matrix(name).astype(np.float32), batch.present(name)) for name in self.columns}
        return [
            {name: rows[at] if there[at] else None for name, (rows, there) in found.items()} for at in range(len(items))
        ]
