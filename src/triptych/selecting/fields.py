"""What a name on the command line is read from: a label, a field of the rows, or the per-record column of a measure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from triptych.core.batch import Text
from triptych.core.errors import SchemaError, SpecError, message, nearest
from triptych.core.measure import build
from triptych.core.registry import lookup, measures
from triptych.data import Dataset, Layout
from triptych.data.values import as_key, as_label, excerpt
from triptych.engines.store import FeatureStore
from triptych.selecting.sourcerows import fields_of_rows
from triptych.statistics.moments import Moments
from triptych.statistics.powered import PoweredMean

_MEANS = (Moments, PoweredMean)
"""Statistics of measures that are the mean of a column; that of the second costs a call to a model for each record."""

LENGTH = "length"
_SHORT, _HELD = 64, 1 << 16
"""Texts of at most so many characters, and so many different ones, are held once however many records have them."""


@dataclass(frozen=True)
class Wish:
    """Something to be read of every record: a column of the store, or a field of the rows; and how a profile calls it.

    `equals`: the number is 1 where the field, as text, is this, 0 where it is something else.
    """

    label: str
    column: str | None = None
    field: str | None = None
    equals: str | None = None


def number(name: str, factor: str, dataset: Dataset, judged: Text) -> Wish:
    """What holds the numbers that this name stands for. A field of the rows goes before a measure of the same name.

    `FIELD=VALUE` is 1 where the field is that value, 0 where it is another.

    Raises:
        SchemaError: nothing does; the message hints at a near miss.
    """
    layout = dataset.layout
    if name in layout.labels:
        return Wish(f"label_mean:field={name}", column=f"label.{name}")
    if name in layout.known:
        return Wish(name, field=name)
    before, equals, value = name.partition("=")
    if equals and before in layout.known:
        return Wish(name, field=before, equals=value)
    base, _, on = name.partition("@")
    if base == LENGTH:
        return Wish("tokens", column=f"length@{on or judged}")
    columns = _columns()
    if base in columns:
        try:
            statistic = build(lookup(base), {"on": on} if on else {}).statistic()
        except (SpecError, ValueError) as error:
            raise SchemaError(message(f"{factor}: {base} is not read on this text.", got=name)) from error
        if isinstance(statistic, _MEANS):
            return Wish(name, column=statistic.column)
    known = sorted({*layout.labels, *map(str, layout.known), LENGTH, *columns})
    near = nearest(base, known)
    raise SchemaError(
        message(
            f'{dataset.name}: no field or per-record measure is called "{name}" ({factor}).',
            got="fields " + ", ".join(sorted(map(str, layout.known))),
            want=f"a numeric field, {LENGTH}, or one of " + ", ".join(columns),
            hint=f"{factor}={near}" if near else None,
        )
    )


def named(name: str, option: str, dataset: Dataset) -> Wish:
    """A field of the rows that names what a record is.

    Raises:
        SchemaError: no row has it.
    """
    layout = dataset.layout
    if name not in layout.known:
        near = nearest(name, map(str, layout.known))
        what = f'{dataset.name}: no row has the field "{name}" ({option}).'
        got = ", ".join(sorted(map(str, layout.known)))
        raise SchemaError(message(what, got=got, hint=f"{option}={near}" if near else None))
    return Wish(name, field=name)


def _columns() -> tuple[str, ...]:
    """Measures that are the mean of a numeric column."""
    plain = [name for name in measures() if name != "label_mean"]
    return tuple(name for name in plain if isinstance(build(lookup(name), _needed(name)).statistic(), _MEANS))


def _needed(name: str) -> Mapping[str, Any]:
    """Parameters without which a measure cannot be built: those of the worked example of its module."""
    import sys  # noqa: PLC0415 - only to find the module of a class

    example = getattr(sys.modules[lookup(name).__module__], "EXAMPLE", None)
    return dict(example.params) if example is not None else {}


class Columns:
    """Values of wishes for all records of a store."""

    def __init__(self, source: object, dataset: Dataset, store: FeatureStore, wishes: Iterable[Wish]) -> None:
        self._store, self._name = store, dataset.name
        self._fields = tuple(dict.fromkeys(wish.field for wish in wishes if wish.field))
        self._values: dict[str, NDArray[Any]] = {}
        if self._fields:
            self._values = self._read(source, dataset)

    def _read(self, source: object, dataset: Dataset) -> dict[str, NDArray[Any]]:
        """The fields of all records; the rows are streamed, and equal texts are held once."""
        at = [self._store.whole(name).to_numpy() for name in ("source", "row")]
        held = {name: np.full(len(self._store), None, dtype=object) for name in self._fields}
        known: dict[str, str] = {}
        place, n = 0, len(self._store)
        rows = fields_of_rows(source, dataset.options, self._fields)
        for address, values in rows:
            while place < n and (at[0][place], at[1][place]) < address:
                place += 1  # a row that is no object
            if place == n:
                break
            begin = place
            while place < n and (at[0][place], at[1][place]) == address:
                place += 1
            for name, value in zip(self._fields, values, strict=True):
                if isinstance(value, str) and len(value) <= _SHORT:
                    value = known.setdefault(value, value) if len(known) < _HELD else known.get(value, value)
                for one in range(begin, place):
                    held[name][one] = value
        return held

    def numbers(self, wish: Wish) -> NDArray[np.float64]:
        """Numbers of all records (N,), NaN where a record has none.

        Raises:
            SchemaError: a value is no number.
        """
        if wish.column is not None:
            column = self._store.whole(wish.column).cast("float64")
            values: NDArray[np.float64] = pc.fill_null(column, float("nan")).to_numpy()
            return np.where(np.isfinite(values), values, np.nan)
        out = np.full(len(self._store), np.nan)
        if wish.equals is not None:
            texts = self.texts(wish)
            known = np.array([text is not None for text in texts], dtype=np.bool_)
            return np.where(known, np.where(texts == wish.equals, 1.0, 0.0), np.nan)
        for at, value in enumerate(self._values[str(wish.field)]):
            try:
                label = as_label(value)
            except ValueError as error:
                what = f'{self._name}: the field "{wish.field}" holds something else than numbers.'
                raise SchemaError(message(what, got=excerpt(value), want="numbers, true, false or null")) from error
            out[at] = np.nan if label is None else label
        return out

    def texts(self, wish: Wish) -> NDArray[Any]:
        """Texts of all records (N,), None where a record has none."""
        if wish.column is not None:
            return np.array([as_key(value) for value in self._store.whole(wish.column).to_pylist()], dtype=object)
        return np.array([as_key(value) for value in self._values[str(wish.field)]], dtype=object)


def structure(layout: Layout) -> Wish:
    """The structure of a record: its structure field or, failing one, its template."""
    if layout.structure_field is not None:
        return Wish(layout.structure_field, column="structure")
    return Wish("template", column=f"template@{'prompt' if layout.has_prompt else 'response'}")
