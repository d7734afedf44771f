"""A set of a round, ready to be read: its features, and what its fields say of each record.

Fields are found by name unless the user named them:

    valid       valid, is_valid: false is not valid
    verified    verified, is_verified, passed, correct, is_correct, solved, where they hold 0 and 1
    right       right, is_right: the truth, where it is known apart from the verifier
    quality     a label-like field (quality, score, reward, ..)
    complexity  complexity, difficulty, ..
    source      source, where it tells real data (anchor, real, human) from what was generated

A record is valid when it is free of defects and none of valid, verified and right says otherwise; a graded verdict below 1
says otherwise, a missing one does not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from triptych.core.batch import DEFECTS, On, Text
from triptych.core.errors import ReadError, SchemaError, message
from triptych.core.feature import Feature
from triptych.core.groups import group_of, mix
from triptych.core.relation import Keys, Relation
from triptych.core.sorting import tally
from triptych.data import Dataset, Layout, open_dataset
from triptych.engines.catalog import work_for
from triptych.engines.grouping import NEEDS, group_records
from triptych.engines.store import FeatureStore, scan
from triptych.features.structure import Structure
from triptych.guarding.request import GuardOptions
from triptych.profiling.bench import Bench
from triptych.selecting.fields import Columns, Wish, number
from triptych.selecting.pool import COMPLEX

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Ints = NDArray[np.int64]
UInts = NDArray[np.uint64]

VALID = ("valid", "is_valid")
VERIFIED = ("verified", "is_verified", "passed", "correct", "is_correct", "solved")
RIGHT = ("right", "is_right")
SOURCE = "source"
REAL = frozenset({"anchor", "real", "human"})
MADE = frozenset({"generated", "archive", "synthetic", "model"})
"""Values of the field `source`; with any other value among them the field says something else."""

GRAMS = 3
"""n of the n-grams that are counted."""


@dataclass(frozen=True)
class Wording(Feature):
    """`wording@on` uint64: hash of the template of the text, whatever a structure field says; null without text."""

    on: Text = "prompt"

    @property
    def needs(self) -> tuple[str, ...]:
        """The text."""
        return (self.on,)

    @property
    def gives(self) -> tuple[str, ...]:
        """One hash."""
        return (f"wording@{self.on}",)

    def compute(self, batch: pa.RecordBatch) -> Mapping[str, pa.Array[Any]]:
        """The hash of each record."""
        none = pa.nulls(batch.num_rows, pa.string())
        bare = pa.RecordBatch.from_arrays([none, batch.column(self.on)], names=["structure", self.on])
        found = Structure(self.on).compute(bare)
        return {self.gives[0]: found[f"template@{self.on}"]}


@dataclass(frozen=True)
class Scheme:
    """How all rounds are read alike.

    Attributes:
        shared: whether rounds share their prompts, so that only responses tell them apart.
        on: text that n-grams and vectors are taken of.
        text: text whose template is a structure where no field is.
        by_field: name of the structure field; None: templates.
    """

    shared: bool
    on: On
    text: Text
    by_field: str | None = None

    @property
    def sentence(self) -> str:
        """What a structure is."""
        return f"field {self.by_field}" if self.by_field is not None else f"template of the {self.text}"

    @property
    def columns(self) -> tuple[str, ...]:
        """Feature columns that are read under the scheme, beside the wording of its text."""
        own = (f"template@{self.text}",) if self.by_field is not None else ()
        pairs = ("per_prompt_distance@response", f"per_prompt_novelty:n={GRAMS}@response")
        return (f"tokens@{self.on}", f"embedding@{self.on}", *own, *pairs)


@dataclass(frozen=True, eq=False)
class Prepared:
    """A set of N records.

    Attributes:
        name: for people.
        dataset, store, keys, relations: what statistics of any of its records are folded with.
        prompt: key of the prompt of each record, 0 where it has none, (N,).
        length: tokens of prompt and response together, (N,).
        sound: free of defects, and not called invalid by a field, (N,).
        valid: sound, and not called wrong either, (N,).
        columns: `quality`, `verified`, `true`, `real`, `complexity`, where there is such a field, float64 (N,), NaN where missing.
        named: what each of them was read from, by role.
    """

    name: str
    dataset: Dataset
    store: FeatureStore
    keys: Keys
    relations: tuple[Relation, ...]
    prompt: UInts
    length: Floats
    sound: Flags
    valid: Flags
    columns: Mapping[str, Floats] = field(default_factory=dict)
    named: Mapping[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.keys)

    def column(self, name: str) -> UInts:
        """A column of keys, 0 where missing, (N,)."""
        return _keys(self.store, name)

    def sample(self, n: int, among: Flags) -> Ints:
        """Ordinals of the n records of the smallest address hash among these, ascending; all of them where they are fewer."""
        rows = np.flatnonzero(among)
        first = np.argsort(self.keys.address[rows], kind="stable")[:n]
        return np.sort(rows[first])


def prepare(
    source: Any,
    name: str,
    options: GuardOptions,
    bench: Bench,
    scheme: Scheme | None = None,
    *,
    answered: bool = False,
) -> Prepared:
    """Read a set and compute its features; without a scheme only those that every scheme needs (see `equip`).

    Args:
        source: rows, a table, a data set or a path.
        name: of the set, for people.
        options: which fields say what.
        bench: what to work with.
        scheme: how all rounds are read.
        answered: whether the loop's rounds hold responses: where all of this set's are empty, they are defects of a model
            that has gone silent, and not the sign of a set of prompts.

    Raises:
        InputError: the set cannot be read, a field that the user named is not there or holds no numbers, or responses are
            asked for and there is no field of them.
    """
    if isinstance(source, (list, tuple)) and not source:
        raise ReadError(message(f"{name}: no records.", got="no row", want="at least one record"))
    reading = bench.settings.reading()
    if options.structure is not None:
        reading = replace(reading, roles={**reading.roles, "structure": options.structure})
    dataset = open_dataset(source, reading, name)
    if answered and not dataset.layout.has_response:
        dataset.layout = _with_responses(dataset.layout, name)
    features, relations = _work(dataset, bench, scheme)
    store = scan(dataset, features, bench.cache, bench.engine, bench.progress)
    texts = [text for text in ("prompt", "response") if getattr(dataset.layout, f"has_{text}")]
    length = np.sum([_numbers(store, f"length@{text}") for text in texts], axis=0)
    columns, named = _fields(source, dataset, store, options)
    sound = _numbers(store, DEFECTS) == 0
    if "valid" in columns:
        sound &= ~(columns.pop("valid") < 1)
    valid = sound.copy()
    for verdict in ("verified", "true"):
        if verdict in columns:
            valid &= ~(columns[verdict] < 1)
    if "complexity" not in columns:
        columns["complexity"] = _numbers(store, f"reasoning_steps@{_judged(dataset)}", missing=np.nan)
    made = Prepared(
        name=name,
        dataset=dataset,
        store=store,
        keys=group_records(store, dataset.layout).keys,
        relations=relations,
        prompt=_keys(store, "key@prompt"),
        length=length,
        sound=sound,
        valid=valid,
        columns=columns,
        named=named,
    )
    return made if scheme is None else _clustered(made, scheme)


def equip(prepared: Prepared, scheme: Scheme, bench: Bench) -> Prepared:
    """The same set with the features of a scheme."""
    features, relations = _work(prepared.dataset, bench, scheme)
    store = scan(prepared.dataset, features, bench.cache, bench.engine, bench.progress)
    return _clustered(replace(prepared, store=store, relations=relations), scheme)


def _with_responses(layout: Layout, name: str) -> Layout:
    """The layout of a set whose responses are all empty."""
    if layout.fields.response is None and layout.fields.messages is None:
        what = f"{name}: no field holds responses, and other rounds have them."
        raise SchemaError(
            message(what, got=layout.sentence, want="one layout in all rounds", hint="--map response=FIELD")
        )
    return replace(layout, has_response=True)


def _judged(dataset: Dataset) -> Text:
    return "response" if dataset.layout.has_response else "prompt"


def _work(dataset: Dataset, bench: Bench, scheme: Scheme | None) -> tuple[tuple[Feature, ...], tuple[Relation, ...]]:
    judged = _judged(dataset)
    needs = [*NEEDS, DEFECTS, "length@prompt", "length@response", f"reasoning_steps@{judged}"]
    needs += scheme.columns if scheme is not None else ()
    work = work_for(needs, replace(bench.instruments, judged=judged))
    own = (Wording(scheme.text),) if scheme is not None else ()
    return (*work.features, *own), work.relations


def _clustered(prepared: Prepared, scheme: Scheme) -> Prepared:
    """With given prompts, all records of a prompt are one cluster, those that repeat a response too.

    Responses to a prompt that have become one and the same are what a collapse looks like: they must not drop out.
    """
    if not scheme.shared or prepared.dataset.layout.group_field is not None:
        return prepared
    names, size = tally(prepared.prompt[prepared.prompt != 0])
    several = np.isin(prepared.prompt, names[size > 1])
    cluster = np.where(several, np.maximum(mix(prepared.prompt), np.uint64(1)), np.uint64(0))
    address = prepared.keys.address
    group = group_of(np.where(cluster == 0, address, cluster))
    return replace(prepared, keys=Keys(prepared.keys.ordinal, address, group, cluster))


def _keys(store: FeatureStore, column: str) -> UInts:
    return np.asarray(pc.fill_null(store.whole(column).cast("uint64"), 0).to_numpy(), dtype=np.uint64)


def _numbers(store: FeatureStore, column: str, missing: float = 0.0) -> Floats:
    return np.asarray(pc.fill_null(store.whole(column).cast("float64"), missing).to_numpy(), dtype=np.float64)


def _fields(
    source: Any, dataset: Dataset, store: FeatureStore, options: GuardOptions
) -> tuple[dict[str, Floats], dict[str, str]]:
    """What the fields say of each record, and where each was read."""
    judged = _judged(dataset)
    given = {"true" if role == "right" else role: name for role, name in options.named.items() if role != "structure"}
    wishes = {role: number(name, role, dataset, judged) for role, name in given.items()}
    wishes |= {role: wish for role, wish in _detected(dataset).items() if role not in wishes}
    read = Columns(source, dataset, store, wishes.values())
    columns: dict[str, Floats] = {}
    for role, wish in wishes.items():
        try:
            values = _real(read.texts(wish)) if role == "real" else read.numbers(wish)
        except SchemaError:
            if role in given:
                raise
            continue  # a field of that name that holds something else
        if (
            values is None
            or not np.isfinite(values).any()
            or (role == "verified" and role not in given and _graded(values))
        ):
            continue
        columns[role] = _passed(values) if role in ("verified", "true") else values
    return columns, {
        "right" if role == "true" else role: wishes[role].field or str(wishes[role].column).removeprefix("label.")
        for role in columns
    }


def _passed(values: Floats) -> Floats:
    """A verdict: 1 where the whole point was given, 0 where a part of it, NaN where none is known."""
    return np.where(np.isnan(values), np.nan, (values >= 1).astype(np.float64))


def _graded(values: Floats) -> bool:
    """Whether numbers lie outside of 0..1: a score then, no verdict."""
    known = values[np.isfinite(values)]
    return bool(((known < 0) | (known > 1)).any())


def _real(texts: NDArray[Any]) -> Floats | None:
    """1 for real data, 0 for what was generated; None where the field says something else."""
    if not set(filter(None, texts)) <= REAL | MADE:
        return None
    return np.array([np.nan if text is None else float(text in REAL) for text in texts])


def _detected(dataset: Dataset) -> dict[str, Wish]:
    """The fields that play a part by their names."""
    layout = dataset.layout
    taken = layout.fields.used | {layout.structure_field, layout.group_field}
    known = {str(name).lower(): str(name) for name in layout.known if name not in taken}
    labels = {name.lower(): name for name in layout.labels if name != "preference"}
    found: dict[str, Wish] = {}
    for role, names in (
        ("valid", VALID),
        ("verified", VERIFIED),
        ("true", RIGHT),
        ("complexity", COMPLEX),
        ("real", (SOURCE,)),
    ):
        name = next((name for name in names if name in known or name in labels), None)
        if name is not None:
            found[role] = (
                Wish(name, column=f"label.{labels[name]}") if name in labels else Wish(name, field=known[name])
            )
    quality = _best(labels, (COMPLEX, VALID, RIGHT))
    if quality is not None:
        found["quality"] = Wish(quality, column=f"label.{labels[quality]}")
    return found


def _best(labels: Mapping[str, str], others: Sequence[Iterable[str]]) -> str | None:
    """The label that is read as quality: a graded one before a verdict."""
    free = [name for name in labels if not any(name in names for names in others)]
    return next((name for name in free if name not in VERIFIED), free[0] if free else None)
