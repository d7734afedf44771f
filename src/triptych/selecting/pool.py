"""The pool of a selection: the candidates in the order in which ties are broken, and what belongs to them.

Where rows give one record each, a candidate is a record. Where a row gives several (a preference pair, N completions) it
is the row: its cost is that of its records, its quality the mean of the known ones, its vector their mean direction, and
it is valid when all of them are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from triptych.core.batch import DEFECTS, Text
from triptych.core.candidates import Candidates
from triptych.core.errors import SchemaError, message
from triptych.core.measure import Measure
from triptych.data import Dataset
from triptych.data.values import as_label
from triptych.engines.catalog import Instruments, Work, work_for
from triptych.engines.grouping import NEEDS, Grouping, group_records
from triptych.engines.store import FeatureStore, scan
from triptych.profiling.annotations import Wanted, annotated, features_of, wanted
from triptych.profiling.bench import Bench
from triptych.profiling.panel import plan
from triptych.profiling.settings import Settings
from triptych.selecting.fields import Columns, Wish, number
from triptych.selecting.making import Maker, codes, filled, structures, vectors
from triptych.selecting.sourcerows import fields_of_rows

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

COMPLEX = ("complexity", "difficulty", "complexity_score", "difficulty_score")
"""Fields that are taken for complexity where none is named, if they hold numbers."""

FILE = "file"
"""The file that a record comes from, where no field has this name."""

_HEAD = 1000


@dataclass(frozen=True)
class PoolRequest:
    """What is to be read of the pool.

    Attributes:
        quality, complexity: a label, a numeric field, `FIELD=VALUE` or a measure's column; None: found, else none.
        by: fields that policies and limits name: of the rows, `file`, or a measure's column.
        with_invalid: whether records with a defect are candidates too.
        unit: of the budget.
        on: text that is embedded; None: the response, in a set of prompts the prompt.
        vectors: whether vectors are needed.
        measures: measures whose columns are to be there, so that any of the records can be folded.
    """

    quality: str | None = None
    complexity: str | None = None
    by: tuple[str, ...] = ()
    with_invalid: bool = False
    unit: str = "records"
    on: Text | None = None
    vectors: bool = True
    measures: tuple[str, ...] = ()


@dataclass(frozen=True)
class Pool:
    """N records of which n candidates are made.

    Attributes:
        dataset, store, grouping, work, instruments, measures: what statistics of any records are folded with.
        on, judged: the text that is embedded; the text that is judged and whose length is `length`.
        candidates: in the order in which ties are broken.
        first: ordinal of the first record of each candidate, int64 (n,).
        sizes: records of each candidate, which follow each other, int64 (n,); None: 1 each.
        valid: whether a candidate is free of defects (n,).
        quality, complexity: what they were read from; None: there is none.
        detected: which of `quality` and `complexity` nobody named.
        values: "quality" and "complexity" of all records, float64 (N,), NaN where missing.
        tokens: of prompt and response together, int64 (N,).
        texts: fields asked for, (N,), None where missing.
        left_out: reason to the ordinals of records that are no candidates.
    """

    dataset: Dataset
    store: FeatureStore
    grouping: Grouping
    work: Work
    instruments: Instruments
    measures: tuple[Measure, ...]
    on: Text
    judged: Text
    candidates: Candidates
    first: Ints
    sizes: Ints | None
    valid: Flags
    quality: Wish | None
    complexity: Wish | None
    detected: tuple[str, ...]
    values: Mapping[str, Floats]
    tokens: Ints
    texts: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    left_out: Mapping[str, Ints] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.candidates)

    def ordinals(self, taken: Sequence[int] | Ints) -> Ints:
        """Ordinals of all records of these candidates, ascending."""
        return np.sort(self.members(np.asarray(taken, dtype=np.int64))[0])

    def members(self, taken: Ints) -> tuple[Ints, Ints]:
        """Ordinals of all records of these candidates in their order, and for each the place of its candidate in `taken`."""
        if self.sizes is None:
            return self.first[taken], np.arange(len(taken))
        place = np.repeat(np.arange(len(taken)), self.sizes[taken])
        start = np.cumsum(self.sizes[taken]) - self.sizes[taken]
        return self.first[taken][place] + np.arange(len(place)) - start[place], place

    @property
    def owner(self) -> Ints:
        """The candidate of each record, -1 where it is of none, int64 (N,)."""
        out = np.full(len(self.store), -1, dtype=np.int64)
        at, place = self.members(np.arange(len(self), dtype=np.int64))
        out[at] = place
        return out

    def narrowed(self, keep: Flags, reason: str | Mapping[str, Flags]) -> Pool:
        """The pool of the candidates where `keep` (n,) is True.

        Args:
            keep: which ones stay.
            reason: why the others are left out; or reason to those that it fits, the first that fits counts.
        """
        if keep.all():
            return self
        left_out = dict(self.left_out)
        open_ = ~keep
        for why, fits in (reason if isinstance(reason, Mapping) else {reason: open_}).items():
            gone = np.flatnonzero(open_ & fits)
            if len(gone):
                left_out[why] = np.sort(np.concatenate([left_out.get(why, gone[:0]), self.members(gone)[0]]))
            open_ = open_ & ~fits
        # All that goes lies at the end where it goes for lack of quality: then the columns are views, not copies.
        n = int(keep.sum())
        at: Any = slice(n) if keep[:n].all() else np.flatnonzero(keep)
        first = self.first[at]
        return replace(
            self,
            candidates=_taken(self.candidates, at, first),
            first=first,
            sizes=None if self.sizes is None else self.sizes[at],
            valid=self.valid[at],
            left_out=left_out,
        )


def _taken(c: Candidates, at: Any, first: Ints) -> Candidates:
    return Candidates(
        id=c.id[at],
        cost=c.cost[at],
        length=c.length[at],
        quality=None if c.quality is None else c.quality[at],
        complexity=None if c.complexity is None else c.complexity[at],
        vectors=None if c.vectors is None else c.vectors[at],
        structure=None if c.structure is None else c.structure[at],
        codes={name: values[at] for name, values in c.codes.items()},
        numbers={name: values[at] for name, values in c.numbers.items()},
        key=_key(c.key, first) if c.key else "",
    )


@dataclass(frozen=True)
class Reading:
    """What is read of a data set: fields and columns, and the text that is embedded and judged."""

    wishes: dict[str, Wish]
    detected: tuple[str, ...]
    judged: Text
    on: Text
    texts: tuple[str, ...]
    measures: tuple[Measure, ...]
    columns: tuple[str, ...]


def planned(source: object, dataset: Dataset, settings: Settings, request: PoolRequest) -> Reading:
    """What a request reads, from the head of the data.

    Raises:
        SchemaError: a field that does not exist, or a text to embed that the records do not have.
    """
    layout = dataset.layout
    judged: Text = "response" if layout.has_response else "prompt"
    on = request.on or judged
    if not getattr(layout, f"has_{on}"):
        raise SchemaError(message(f"{dataset.name}: the records have no {on} to embed.", got=layout.sentence))
    wishes, detected = _wishes(source, dataset, request, judged)
    texts = tuple(text for text in ("prompt", "response") if getattr(layout, f"has_{text}"))
    measures = plan(replace(settings, measures=request.measures), layout).measures if request.measures else ()
    columns = [*NEEDS, DEFECTS, *(f"length@{text}" for text in texts)]
    columns += [f"embedding@{on}"] if request.vectors else []
    columns += [wish.column for wish in wishes.values() if wish.column]
    columns += [need for measure in measures for need in measure.statistic().needs]
    return Reading(wishes, detected, judged, on, texts, measures, tuple(columns))


def read_pool(source: object, dataset: Dataset, bench: Bench, request: PoolRequest) -> Pool:
    """Read a data set and make the candidates of a selection.

    Args:
        source: what the data set was opened from; fields that the store does not hold are read from it.
        dataset: the data.
        bench: what to work with.
        request: what is to be read.

    Raises:
        SchemaError: a field that does not exist or holds no numbers.
        SelectionError: no record is free of defects.
        TriptychError: a model that is asked about each record could not go on; what was paid for is kept.
    """
    layout, reading = dataset.layout, planned(source, dataset, bench.settings, request)
    asked = asked_of(reading, bench.settings, request)
    lasting = bench.settings.cache is not False
    annotations = features_of(annotated(dataset, asked, bench.cache.root, bench.progress, lasting=lasting))
    instruments = replace(bench.instruments, judged=reading.judged, annotations=annotations)
    work = work_for(reading.columns, instruments)
    store = scan(dataset, work.features, bench.cache, bench.engine, bench.progress)
    read = _Read(source, dataset, store, reading.wishes)
    lengths = {text: filled(store, f"length@{text}") for text in reading.texts}
    maker = Maker(store, layout, request.unit, read.values, lengths)
    rank, left_out = maker.ranked(dataset.name, with_invalid=request.with_invalid)
    first = maker.first[rank]
    summary = dataset.summary
    told = (summary.sha256 if summary else "", instruments.encoder_identity, instruments.tokenizer_identity, reading.on)
    candidates = Candidates(
        id=maker.id[rank],
        cost=maker.cost[rank],
        length=maker.summed(lengths[reading.judged].astype(np.float64))[rank],
        quality=maker.mean(read.values.get("quality"), rank),
        complexity=maker.mean(read.values.get("complexity"), rank),
        vectors=vectors(store, f"embedding@{reading.on}", maker, rank) if request.vectors else None,
        structure=structures(store, layout, first),
        codes={name: codes(values[first]) for name, values in read.texts.items()},
        numbers={name: maker.mean(values, rank) for name, values in read.numbers.items()},
        key=_key("|".join(told), first),
    )
    return Pool(
        dataset=dataset,
        store=store,
        grouping=group_records(store, layout),
        work=work,
        instruments=instruments,
        measures=reading.measures,
        on=reading.on,
        judged=reading.judged,
        candidates=candidates,
        first=first,
        sizes=None if maker.sizes is None else maker.sizes[rank],
        valid=maker.valid[rank],
        quality=reading.wishes.get("quality"),
        complexity=reading.wishes.get("complexity"),
        detected=reading.detected,
        values=read.values,
        tokens=maker.tokens,
        texts=read.texts,
        left_out=left_out,
    )


def asked_of(reading: Reading, settings: Settings, request: PoolRequest) -> tuple[Wanted, ...]:
    """Who is asked about the records of a pool: about those that may be taken.

    Raises:
        SpecError: a model is needed and none is named.
    """
    return wanted((), replace(settings, valid_only=not request.with_invalid), reading.columns)


def _wishes(
    source: object, dataset: Dataset, request: PoolRequest, judged: Text
) -> tuple[dict[str, Wish], tuple[str, ...]]:
    """What is read: "quality", "complexity" and `by:NAME`; and which of the first two nobody named."""
    layout = dataset.layout
    wishes: dict[str, Wish] = {}
    detected = []
    if request.quality is not None:
        wishes["quality"] = number(request.quality, "--quality", dataset, judged)
    else:
        own = [name for name in layout.labels if name.lower() not in COMPLEX]
        if layout.kind == "preference":  # of chosen and rejected one each, in every row
            own = [name for name in own if name != "preference"]
        if own:
            wishes["quality"] = number(own[0], "--quality", dataset, judged)
            detected.append("quality")
    if request.complexity is not None:
        wishes["complexity"] = number(request.complexity, "--complexity", dataset, judged)
    else:
        found = [name for name in COMPLEX if name in layout.known and _numeric(source, dataset, name)]
        steps = Wish("reasoning_steps", column=f"reasoning_steps@{judged}")
        wishes["complexity"] = number(found[0], "--complexity", dataset, judged) if found else steps
        detected.append("complexity")
    for name in request.by:
        if name == FILE and name not in layout.known:
            wishes[f"by:{name}"] = Wish(FILE, column="source")
        elif name in layout.known:
            wishes[f"by:{name}"] = Wish(name, field=name)
        else:
            wishes[f"by:{name}"] = number(name, "--by", dataset, judged)
    return wishes, tuple(detected)


def _numeric(source: object, dataset: Dataset, name: str) -> bool:
    """Whether the first rows hold numbers in this field."""
    head = islice(fields_of_rows(source, dataset.options, [name]), _HEAD)
    try:
        values = [as_label(value) for _, (value,) in head]

    except ValueError:
        return False
    return any(value is not None for value in values)


class _Read:
    """Values of the wishes: `values` of quality and complexity, `texts` and `numbers` of the fields asked for, (N,) each."""

    def __init__(self, source: object, dataset: Dataset, store: FeatureStore, wishes: dict[str, Wish]) -> None:
        columns = Columns(source, dataset, store, wishes.values())
        self.values: dict[str, Floats] = {}
        self.texts: dict[str, NDArray[Any]] = {}
        self.numbers: dict[str, Floats] = {}
        for name, wish in wishes.items():
            if not name.startswith("by:"):
                self.values[name] = columns.numbers(wish)
                continue
            asked = name.removeprefix("by:")
            if wish.label == FILE and wish.column == "source":
                names = np.array(dataset.source_names, dtype=object)
                self.texts[asked] = names[store.whole("source").to_numpy()]
                continue
            if wish.field is not None:
                self.texts[asked] = columns.texts(wish)
            try:
                self.numbers[asked] = columns.numbers(wish)
            except SchemaError:  # a field of names
                if wish.field is None:
                    raise


def _key(told: str, first: Ints) -> str:
    return hashlib.sha256(told.encode() + first.tobytes()).hexdigest()
