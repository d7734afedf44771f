"""Rows to records under a layout: texts, labels, structure, group and carried vectors of one row at a time."""

from __future__ import annotations

from collections.abc import Sequence

from triptych.data.columns import Columns, check_key
from triptych.data.layout import Layout, bad_label, foreign_layout, mixed, other_layout, own_fields
from triptych.data.names import GROUP_NAMES, STRUCTURE_NAMES, is_label_name
from triptych.data.options import ReadOptions
from triptych.data.texts import Texts, reader_of
from triptych.data.values import MisfitError, Row, as_key, as_label, as_vector, excerpt


class RowReader:
    """Reads rows under one layout.

    Attributes:
        late: fields named like labels, groups or structures that first appear after the head and so are not read.
    """

    def __init__(self, layout: Layout, options: ReadOptions) -> None:
        self.layout, self.options = layout, options
        self.late: dict[str, None] = {}
        self._read = reader_of(layout.fields)
        self._seen = set(layout.known | layout.unfilled)
        self._unfilled = set(layout.unfilled)
        self._judged: set[tuple[str, ...]] = set()
        self._labels = [(name, fields) for name, fields in layout.label_fields.items()]
        self._preference = layout.fields.shape == "preference"

    def texts(self, row: Row) -> list[Texts]:
        """The (prompt, response) of each record of a row.

        Raises:
            MisfitError: the row is of another layout.
        """
        if not row.keys() <= self._seen or (self._unfilled and any(row.get(k) is not None for k in self._unfilled)):
            self._note(row)
        try:
            texts = self._read(row)
        except MisfitError as error:
            own = own_fields(row, self.options)
            if own is not None and (own.shape != self.layout.fields.shape or own.used - self.layout.fields.used):
                raise mixed(own, self.layout) from error
            raise
        prompt, response = texts[0]
        if (prompt is None or response is None) and self.layout.fields.shape == "pair":
            self._judge(row)
        return texts

    def add(self, row: Row, address: tuple[int, int, int], columns: Columns) -> None:
        """Add the records of a row to the columns.

        Args:
            row: the row.
            address: source, row and line.
            columns: where the records go; nothing is added when the row does not fit.

        Raises:
            MisfitError: the row does not fit.
        """
        texts = self.texts(row)
        layout = self.layout
        labels = self.label_values(row, len(texts)) if self._labels or self._preference else ()
        structure = group = None
        if layout.structure_field is not None:
            structure = check_key(layout.structure_field, as_key(row.get(layout.structure_field)))
        if layout.group_field is not None:
            group = check_key(layout.group_field, as_key(row.get(layout.group_field)))
        vectors = [self._vector(row, name) for name in layout.carry] if layout.carry else ()
        columns.add(address, texts, (structure, group), labels, vectors)

    def label_values(self, row: Row, parts: int) -> Sequence[Sequence[float | None]]:
        """The label columns of a row: one value for each record, in the order of `layout.labels`."""
        columns: list[Sequence[float | None]] = [(1.0, 0.0)] if self._preference else []
        for name, fields in self._labels:
            values = [row.get(field) for field in fields]
            if len(values) == 1:
                value = values[0]
                if isinstance(value, (list, tuple)) and self.layout.fields.shape == "completions":
                    if len(value) != parts:
                        got = f"{len(value)} values for {parts} completions"
                        raise MisfitError(f'the label "{name}" has another length', got=got, want="one for each")
                    values = list(value)
                else:
                    values = [value] * parts
            try:
                columns.append([as_label(value) for value in values])
            except ValueError as error:
                raise bad_label(name, values[0] if len(values) == 1 else values) from error
        return columns

    def _vector(self, row: Row, name: str) -> list[float] | None:
        try:
            return as_vector(row.get(name))
        except ValueError as error:
            got = excerpt(row.get(name))
            raise MisfitError(f'the carried field "{name}" is no vector', got=got, want="a list of numbers") from error

    def _judge(self, row: Row) -> None:
        """A text is missing: null if the row simply lacks it, an error if the row is of another layout."""
        key = tuple(name for name, value in row.items() if value is not None)
        if key in self._judged:
            return
        error = other_layout(row, self.layout, self.options)
        if error is not None:
            raise error
        self._judged.add(key)

    def _note(self, row: Row) -> None:
        """Remember fields that held nothing in the head, and those among them that would have been read."""
        error = foreign_layout(row, self.layout, self.options)
        if error is not None:
            raise error
        for name, value in row.items():
            new = name not in self._seen
            if value is None or not (new or name in self._unfilled):
                self._unfilled |= {name} if new else set()
                self._seen.add(name)
                continue
            self._seen.add(name)
            self._unfilled.discard(name)
            if is_label_name(name) or str(name).lower() in (*GROUP_NAMES, *STRUCTURE_NAMES):
                self.late[str(name)] = None
