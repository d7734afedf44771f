"""The values of one name over all records, as codes: a field of the rows, the file, the structure, or the group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from triptych.core.candidates import Ints
from triptych.core.errors import SchemaError, message, nearest
from triptych.data import Layout
from triptych.data.values import excerpt

if TYPE_CHECKING:
    from triptych.selecting.limits import Bound
    from triptych.selecting.pool import Pool

_LISTED = 12


@dataclass(frozen=True, eq=False)
class Valued:
    """Codes from 0 of all N records, -1 where missing, and the texts of the values in order; None: they have no text."""

    label: str
    codes: Ints
    texts: NDArray[Any] | None
    different: int

    def __len__(self) -> int:
        return self.different

    def name(self, code: int) -> str:
        """The value of a code, for messages."""
        return f"#{code}" if self.texts is None else str(self.texts[code])

    def code(self, value: str, bound: Bound) -> int:
        """The code of a value.

        Raises:
            SchemaError: no record has it, or the values have no names.
        """
        if self.texts is None:
            what = f"{bound}: what belongs together here has no name."
            raise SchemaError(message(what, got=self.label, want="one bound for all", hint=f"--{bound.kind} group=1"))
        at = int(np.searchsorted(self.texts, value))
        if at < len(self.texts) and self.texts[at] == value:
            return at
        near = nearest(value, self.texts.tolist()) if len(self.texts) < 1 << 12 else None
        got = ", ".join(excerpt(text) for text in self.texts[:_LISTED]) + (", .." if len(self) > _LISTED else "")
        hint = f"--{bound.kind} {bound.field}:{near}=N" if near else None
        raise SchemaError(message(f'{bound}: no record has the {self.label} "{value}".', got=got, hint=hint))

    @staticmethod
    def meaning(name: str, layout: Layout) -> str:
        """What a name that is not just a field of the rows stands for, in a sentence; "" where it is one."""
        if name in layout.known:
            return ""
        if name == "structure":
            field = layout.structure_field
            return "" if field is None else f'structure is the field "{field}".'
        if name != "group":
            return f"{name} is the file that a record comes from."
        if layout.group_field is not None:
            return f'group is the field "{layout.group_field}".'
        return "group is the prompt: the records that answer the same one."


def values_of(name: str, pool: Pool) -> Valued:
    """Codes of a field of the rows, or of `source`, `file`, `structure` or `group`, over all records of a pool.

    Raises:
        SchemaError: the data have no structure field, or no prompts to group by.
    """
    layout, store = pool.dataset.layout, pool.store
    if name in layout.known:
        return _of_texts(name, pa.array(pool.texts[name], type=pa.string()))
    if name in ("source", "file"):
        names = np.array(pool.dataset.source_names, dtype=object)
        return _of_texts("file", pa.array(names[store.whole("source").to_numpy()], type=pa.string()))
    if name == "structure":
        if layout.structure_field is None:
            what = "the rows have no structure field to bound."
            raise SchemaError(message(what, got=layout.sentence, hint="--map structure=FIELD"))
        return _of_texts("structure", store.whole("structure"))
    if layout.group_field is not None:
        return _of_texts("group", store.whole("group_key"))
    if not (layout.has_prompt and layout.has_response):
        raise SchemaError(message("nothing groups these records.", got=layout.sentence, hint="--group-by FIELD"))
    keys = np.asarray(pc.fill_null(store.whole("key@prompt").cast("uint64"), 0).to_numpy())
    different, codes = np.unique(keys, return_inverse=True)
    codes = codes.astype(np.int64).reshape(-1)
    if len(different) and different[0] == 0:  # no prompt
        codes -= 1
        different = different[1:]
    return Valued("group (the responses to one prompt)", codes, None, len(different))


def _of_texts(label: str, column: Any) -> Valued:
    """Codes in the order of the texts."""
    coded = (column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column).dictionary_encode()
    if isinstance(coded, pa.ChunkedArray):
        coded = coded.combine_chunks()
    texts = np.array(coded.dictionary.to_pylist(), dtype=object)
    order = np.argsort(texts, kind="stable")
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    held = pc.fill_null(coded.indices, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    codes = np.where(held < 0, -1, place[held]) if len(place) else np.full(len(held), -1, dtype=np.int64)
    return Valued(label, codes, texts[order], len(order))
