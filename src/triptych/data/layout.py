"""The layout of a data set: which field plays which role, found on the first rows and said in one sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from triptych.core.errors import SchemaError, UsageError, message, nearest
from triptych.data.names import (
    GROUP_NAMES,
    RESPONSE_NAMES,
    STRUCTURE_NAMES,
    Fields,
    assign,
    find,
    is_label_name,
    kind_of,
    kinds_of,
)
from triptych.data.options import ReadOptions
from triptych.data.values import MisfitError, Row, as_label, excerpt, fields_of

HEAD_ROWS = 1000
_KEY_KINDS = frozenset({"text", "number", "texts", "list", "empty", "object"})
_SHAPES = {"pair": "prompt/response", "text": "plain text"}


@dataclass(frozen=True)
class Layout:
    """How rows become records.

    Attributes:
        source: the format in words ("JSONL", "folder of 3 files, Parquet").
        fields: role to field.
        labels: names of the label columns, without `label.`.
        label_fields: label to its field, or to its two fields where chosen and rejected have their own.
        structure_field, group_field: the fields of those columns, where there are any.
        carry: fields carried along as vectors.
        has_prompt, has_response: whether any row of the head has such a text that is not empty.
        parts: whether one row can give several records.
        known: fields that hold something in rows of the head that have this layout.
        unfilled: fields of those rows that hold nothing (tables have every field in every row).
        beside: role to the fields that hold something in rows of the head that have the role's field.
    """

    source: str
    fields: Fields
    label_fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    structure_field: str | None = None
    group_field: str | None = None
    carry: tuple[str, ...] = ()
    has_prompt: bool = True
    has_response: bool = True
    known: frozenset[str] = frozenset()
    unfilled: frozenset[str] = frozenset()
    beside: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the label columns, without `label.`."""
        own = ("preference",) if self.fields.shape == "preference" else ()
        return (*own, *self.label_fields)

    @property
    def parts(self) -> bool:
        """Whether one row can give several records."""
        return self.fields.shape in ("preference", "completions")

    @property
    def kind(self) -> str:
        """A short word: prompt/response, prompts, messages, preference, completions, plain text."""
        if self.fields.shape in ("pair", "messages") and not self.has_response:
            return "prompts"
        return _SHAPES.get(self.fields.shape, self.fields.shape)

    @property
    def sentence(self) -> str:
        """The layout in one line."""
        kind = "prompts only" if self.kind == "prompts" else self.kind
        empty = [
            role for role in ("prompt", "response") if getattr(self.fields, role) and not getattr(self, f"has_{role}")
        ]
        parts = [f"{self.source}, {kind}: {self.fields.sentence}" + "".join(f" ({role} is empty)" for role in empty)]
        if self.labels:
            parts.append("labels: " + ", ".join(self.labels))
        if self.structure_field:
            parts.append(f"structure: {self.structure_field}")
        if self.group_field:
            parts.append(f"group: {self.group_field}")
        if self.carry:
            parts.append("carried: " + ", ".join(self.carry))
        return "; ".join(parts)


def detect(head: Sequence[Row], options: ReadOptions, source: str, place: str) -> Layout:
    """Find the layout on the first rows.

    Args:
        head: rows of the data set, at least one.
        options: what the user named.
        source: the format in words, for the sentence.
        place: where the first row stands, for messages.

    Raises:
        SchemaError: no field has a role, or a field that the user named is in no row.
        UsageError: a role that the user named has no part in the layout.
    """
    kinds = kinds_of(head)
    _check_named(kinds, options, len(head), place)
    rows = _of_one_shape(head, options)
    fields = assign(kinds_of(rows), options.roles)
    if fields is None:
        raise SchemaError(_unknown(head[0], place))
    _check_effect(fields, options)
    used = fields.used
    labels = _labels(rows, fields)
    free = {name: held for name, held in kinds.items() if name not in used}
    structure = options.roles.get("structure") or find(free, STRUCTURE_NAMES, _KEY_KINDS)
    group = options.group or find(free, GROUP_NAMES, frozenset({"text", "number"}))
    known = frozenset(kinds_of(rows))
    return Layout(
        source,
        fields,
        labels,
        structure,
        group,
        options.carry,
        known=known,
        unfilled=frozenset(name for row in rows for name in row) - known,
        beside={role: _beside(rows, getattr(fields, role)) for role in ("prompt", "response")},
    )


def own_fields(row: Row, options: ReadOptions) -> Fields | None:
    """The roles that a row would have if it stood alone."""
    kinds = kinds_of([row])
    return assign(kinds, {role: name for role, name in options.roles.items() if name in kinds})


def foreign_layout(row: Row, layout: Layout, options: ReadOptions) -> MisfitError | None:
    """Why a row that holds fields which the head did not is of another layout; None when the fields are additions."""
    own = own_fields(row, options)
    if own is None or own.shape == layout.fields.shape or own.used <= layout.fields.used | layout.known:
        return None
    return mixed(own, layout)


def other_layout(row: Row, layout: Layout, options: ReadOptions) -> MisfitError | None:
    """Why a row that lacks a role is of another layout; None when the text is only missing.

    The text is only missing when everything that the row holds was seen beside that text in other rows, too.
    """
    own = own_fields(row, options)
    fields = layout.fields
    for role in ("prompt", "response"):
        name = getattr(fields, role)
        if name is not None and row.get(name) is not None:
            continue
        new = (own.used if own is not None else frozenset()) - fields.used - layout.beside.get(role, frozenset())
        if new and own is not None:
            return mixed(own, layout)
        late = [key for key, value in row.items() if key not in layout.known and isinstance(value, (str, list))]
        if name is not None and late:
            want = "one of " + ", ".join(dict.fromkeys([name, *RESPONSE_NAMES[:6]]))
            what = f'no field with role "{role}"'
            return MisfitError(what, got=fields_of(row), want=want, hint=f"--map {role}={late[0]}")
    return None


def mixed(own: Fields, layout: Layout) -> MisfitError:
    """A row of another layout than the set."""
    got = f"this row: {_SHAPES.get(own.shape, own.shape)} ({own.sentence})"
    want = f"as in the rows before: {_SHAPES.get(layout.fields.shape, layout.fields.shape)} ({layout.fields.sentence})"
    hint = "measure the layouts as separate sets, --map role=field"
    return MisfitError("the set mixes two layouts", got=got, want=want, hint=hint)


def _of_one_shape(head: Sequence[Row], options: ReadOptions) -> list[Row]:
    """The rows of the head that have the shape of the first row (of most rows, when bad rows are skipped)."""
    shapes = [own.shape if (own := own_fields(row, options)) is not None else None for row in head]
    known = [shape for shape in shapes if shape is not None]
    if not known:
        return list(head)
    wanted = Counter(known).most_common(1)[0][0] if options.on_bad == "skip" else known[0]
    return [row for row, shape in zip(head, shapes, strict=True) if shape == wanted]


def _check_named(kinds: Mapping[str, set[str]], options: ReadOptions, rows: int, place: str) -> None:
    named = {f"--map {role}": name for role, name in options.roles.items()}
    if options.group_by is not None:
        named["--group-by"] = options.group_by
    named |= {f"--carry {name}": name for name in options.carry}
    for option, name in named.items():
        if name not in kinds:
            near = nearest(name, kinds)
            what = f'{place}: no row has the field "{name}" ({option}) among the first {rows}.'
            hint = f"{option}{'=' if option.startswith('--map') else ' '}{near}" if near else None
            raise SchemaError(
                message(what, got=fields_of(dict.fromkeys(kinds, "")), want="a field that rows have", hint=hint)
            )


def _check_effect(fields: Fields, options: ReadOptions) -> None:
    """A role that the user named and that this layout has no use for is an error, not silence."""
    for role, name in options.roles.items():
        if role not in ("structure", "group") and getattr(fields, role) != name:
            what = f'the role "{role}" plays no part in this layout.'
            layout = f"{_SHAPES.get(fields.shape, fields.shape)} ({fields.sentence})"
            want = "chosen and rejected together" if role in ("chosen", "rejected") else f"roles that go with {layout}"
            raise UsageError(message(what, got=f"--map {role}={name}", want=want))


def _unknown(row: Row, place: str) -> str:
    texts = [str(name) for name, value in row.items() if isinstance(value, str) and " " in value]
    guess = sorted(texts, key=lambda name: -len(row[name]))[:2]
    hint = "--map text=FIELD" if not guess else f"--map prompt={guess[-1]} and --map response={guess[0]}"
    if len(guess) == 1:
        hint = f"--map text={guess[0]}"
    want = "one of prompt, response, instruction, output, question, answer, messages, conversations, chosen, text"
    return message(f"{place}: no field has a known role.", got=fields_of(row), want=want, hint=hint)


def _labels(rows: Sequence[Row], fields: Fields) -> dict[str, tuple[str, ...]]:
    """Label to field(s): fields named like labels that hold numbers only, in all rows."""
    names: dict[str, None] = {}
    for row in rows:
        names |= dict.fromkeys(name for name, value in row.items() if value is not None and isinstance(name, str))
    labels: dict[str, tuple[str, ...]] = {}
    for name in names:
        if name in fields.used or not is_label_name(name) or (fields.shape == "preference" and name == "preference"):
            continue
        if all(_is_label(row.get(name), row, fields) for row in rows):
            labels[name] = (name,)
    if fields.shape == "preference":
        for pattern in ("{}_chosen:{}_rejected", "chosen_{}:rejected_{}"):
            labels |= _sided(names, pattern, rows, fields)
    return labels


def _sided(names: Mapping[str, None], pattern: str, rows: Sequence[Row], fields: Fields) -> dict[str, tuple[str, ...]]:
    """Labels whose chosen and rejected values stand in two fields (score_chosen, score_rejected)."""
    left, right = pattern.split(":")
    found: dict[str, tuple[str, ...]] = {}
    for base in ("score", "reward", "rating", "grade"):
        pair = (left.format(base), right.format(base))
        if all(name in names and all(_is_label(row.get(name), row, fields) for row in rows) for name in pair):
            found[base] = pair
    return found


def _is_label(value: object, row: Row, fields: Fields) -> bool:
    if kind_of(value) in ("list", "empty") and fields.completions is not None:
        many = row.get(fields.completions)
        if not isinstance(value, (list, tuple)) or not isinstance(many, (list, tuple)) or len(value) != len(many):
            return False
        return all(_is_label(item, row, Fields("pair")) for item in value)
    try:
        as_label(value)
    except ValueError:
        return False
    return True


def _beside(rows: Sequence[Row], name: str | None) -> frozenset[str]:
    if name is None:
        return frozenset()
    seen: set[str] = set()
    for row in rows:
        if row.get(name) is not None:
            seen.update(key for key, value in row.items() if value is not None)
    return frozenset(seen)


def bad_label(name: str, value: object) -> MisfitError:
    """A label that is no number in a column that holds numbers."""
    return MisfitError(f'the label "{name}" is no number', got=excerpt(value), want="a number, true, false or null")
