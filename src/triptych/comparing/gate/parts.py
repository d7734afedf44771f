"""Parts of a side: the records with one value of a field, as a side of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from triptych.comparing.corpus import some_records
from triptych.comparing.gate.saved import SavedSet
from triptych.comparing.sides import Ints, Side
from triptych.core.errors import SchemaError, message, nearest
from triptych.core.relation import Keys
from triptych.data.values import as_key
from triptych.selecting.fields import Columns, named

Texts = NDArray[np.object_]
NONE = "(none)"
"""What stands for records without the field."""
MOST = 64


def field_texts(side: Side, source: object, field: str, place: str) -> Texts:
    """The values of a field for all records, as texts, `NONE` where a record has none (N,).

    Args:
        side: the set.
        source: what it was opened from.
        field: a field of its rows; of a saved profile a label, its structure or its group.
        place: the rule that asks, for messages.

    Raises:
        SchemaError: no row has the field, or it was not saved.
    """
    layout = side.dataset.layout
    if isinstance(side.dataset, SavedSet):
        column = _saved_column(side, field, place)
        values = np.array([as_key(value) for value in side.store.whole(column).to_pylist()], dtype=object)
    elif field in layout.labels:
        values = np.array([as_key(value) for value in side.store.whole(f"label.{field}").to_pylist()], dtype=object)
    else:
        try:
            wish = named(field, "by", side.dataset)
        except SchemaError as error:
            raise SchemaError(f"{place}: {error}") from error
        values = Columns(source, side.dataset, side.store, [wish]).texts(wish)
    return np.where(values == None, NONE, values)  # noqa: E711 - item by item


def _saved_column(side: Side, field: str, place: str) -> str:
    layout = side.dataset.layout
    known = {name: f"label.{name}" for name in layout.labels}
    if layout.structure_field is not None:
        known[layout.structure_field] = "structure"
    if layout.group_field is not None:
        known[layout.group_field] = "group_key"
    if field in known:
        return known[field]
    near = nearest(field, known)
    what = f'{place}: the saved profile of {side.name} does not hold the field "{field}".'
    hint = f'"{near}"' if near else "give the data set itself instead of its profile"
    raise SchemaError(message(what, got="fields " + (", ".join(known) or "none"), hint=hint))


def values_of(columns: Sequence[Texts], field: str, place: str) -> list[str]:
    """The values that any of the sets has, in order.

    Raises:
        SchemaError: more than 64 of them.
    """
    values = sorted({str(value) for column in columns for value in np.unique(column.astype(str))})
    if len(values) > MOST:
        what = f'{place}: the field "{field}" has more than {MOST} values.'
        raise SchemaError(message(what, got=", ".join(values[:3]) + ", ..", want="a field that names a few kinds"))
    return values


def part(side: Side, rows: Ints) -> Side:
    """Some records of a side as a side of their own; they keep their groups.

    Args:
        side: of N records.
        rows: ordinals, ascending.
    """
    if len(rows) == len(side):
        return side
    k = side.keys
    return replace(
        side,
        store=some_records(side.store, rows),
        keys=Keys(np.arange(len(rows)), k.address[rows], k.group[rows], k.cluster[rows]),
        prompt=side.prompt[rows],
        length=side.length[rows],
        tokens=side.tokens[rows],
        valid=side.valid[rows],
    )
