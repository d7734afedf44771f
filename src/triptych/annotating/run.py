"""Annotating a data set: a sample by hash of the address, what is missing asked for, a table that features look up."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from triptych.annotating.annotator import Annotator, Item, Outcome, Paid, pair_of
from triptych.annotating.kept import Kept, Values
from triptych.core.errors import TriptychError, message
from triptych.core.groups import address_keys
from triptych.data import Dataset

ALL = 1 << 64
"""The threshold that takes all records: every hash of an address is below it."""

_KEPT = "run it again: what is done is kept and not asked for again"
_LOST = "run it without --no-cache: what is done is kept then"
NOT_FINITE = "the value is not a finite number"
_ADDRESS = ("source", "row", "part")
_TEXTS = ("content_id", "prompt", "response")

Choice: TypeAlias = Callable[[pa.RecordBatch], NDArray[np.bool_]]
"""Says which records of a batch may be drawn."""


class Stage(Protocol):
    """What is told of work under way."""

    def advance(self, units: int) -> None:
        """So many more units are done."""


class Progress(Protocol):
    """Who is told, as `triptych.engines.progress.Progress`."""

    def stage(self, title: str, *, unit: str, total: int | None = None) -> AbstractContextManager[Stage]:
        """A stage for the time of a `with` block."""

    def tell(self, text: str) -> None:
        """One line that stays."""


@dataclass(frozen=True)
class Sample:
    """The records to annotate, or the pairs: then a record below is the chosen one of its row.

    Attributes:
        items: one for each content, in the order of the address hash.
        copies: how many sampled records have a content.
        threshold: records whose address hash is below it are in the sample.
        records: of the data set that could be drawn.
        addresses: of pairs, content to the hashes of the addresses: what a record was compared with, its own content does
            not tell.
    """

    items: tuple[Item, ...]
    copies: Mapping[bytes, int]
    threshold: int
    records: int
    addresses: Mapping[bytes, Sequence[int]] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Records in the sample."""
        return sum(self.copies.values())


@dataclass(frozen=True)
class Annotation:
    """Dear columns of one data set, in a file.

    Attributes:
        name, title: of the annotator.
        columns: their names.
        path: an Arrow file of `content_id` (of pairs: `address`, hashed) and the columns; no row for a record without values.
        identity: hash of what the values depend on beside the record.
        digest: hash of the identity and of all values.
        threshold: records whose address hash is below it are in the sample.
        sampled: records in the sample, of `records`.
        scored: sampled records that have values.
        failed: reason to number of sampled records, for the others.
        notes: what it took, from the annotator.
    """

    name: str
    title: str
    columns: tuple[str, ...]
    path: Path
    identity: str
    digest: str
    threshold: int
    sampled: int
    records: int
    scored: int
    failed: Mapping[str, int]
    notes: Mapping[str, Any]


def draw(dataset: Dataset, sample: int | None, *, pairs: bool = False, choice: Choice | None = None) -> Sample:
    """The records with the smallest address hashes, exactly `sample` of them (all, where there are no more).

    A random sample that depends on nothing but the addresses: a larger one holds every smaller one, so that what was paid
    for the smaller one is used. One pass over the data; memory holds the texts of the sample.

    Args:
        dataset: where every row gives a chosen and a rejected record, if pairs are drawn.
        sample: how many; None: all.
        pairs: draw rows, each as one item.
        choice: which records may be drawn; None: all.

    Raises:
        InputError: the data cannot be read.
    """
    kept: list[tuple[int, Item]] = []
    records = 0
    for batch in _batches(dataset, pairs=pairs):
        there = batch.column("part").to_numpy() == 0 if pairs else np.ones(batch.num_rows, dtype=np.bool_)
        places = np.flatnonzero(there & choice(batch) if choice else there)
        records += len(places)
        keys = address_keys(*(batch.column(name).to_numpy()[places] for name in _ADDRESS))
        first = np.argsort(keys)[: None if sample is None else sample + 1]
        items = _items(batch, places[first])
        if pairs:
            items = map(pair_of, items, _items(batch, places[first] + 1))
        kept += zip(keys[first].tolist(), items, strict=True)
        if sample is not None:
            kept = sorted(kept, key=itemgetter(0))[: sample + 1]
    kept.sort(key=itemgetter(0))
    threshold = ALL
    if sample is not None and len(kept) > sample:
        threshold = kept.pop()[0]
    copies = Counter(item.content_id for _, item in kept)
    addresses: dict[bytes, list[int]] = defaultdict(list)
    for key, item in kept if pairs else ():
        addresses[item.content_id].append(key)
    items_of = {item.content_id: item for _, item in kept}
    return Sample(tuple(items_of.values()), copies, threshold, records, addresses)


def _batches(dataset: Dataset, *, pairs: bool) -> Iterator[pa.RecordBatch]:
    """The records of a data set; no pair is cut in two."""
    held: pa.RecordBatch | None = None
    for shard in dataset.shards():
        batch = shard.batch
        if held is not None:
            (batch,) = pa.Table.from_batches([held, batch]).combine_chunks().to_batches()
            held = None
        if pairs and batch.num_rows and batch.column("part")[-1].as_py() == 0:
            held, batch = batch.slice(batch.num_rows - 1), batch.slice(0, batch.num_rows - 1)
        yield batch


def _items(batch: pa.RecordBatch, places: NDArray[np.intp]) -> Iterator[Item]:
    return map(Item, *(batch.column(name).take(pa.array(places)).to_pylist() for name in _TEXTS))


def annotate(
    sample: Sample, annotator: Annotator, cache: Path, progress: Progress, *, lasting: bool = True
) -> Annotation:
    """Annotate a sample; what is kept in the cache already is not paid for again.

    Args:
        sample: the records.
        annotator: who annotates them.
        cache: folder; the values lie below `annotations/`.
        progress: who is told.
        lasting: whether the folder outlives the run.

    Raises:
        TriptychError: the annotator could not go on; what it gave is kept, and the message counts it.
    """
    found, asked = outcomes(sample.items, annotator, cache, progress, lasting=lasting)
    values = {key: told for key, told in found.items() if not isinstance(told, str)}
    failed: Counter[str] = Counter()
    for key, told in found.items():
        if isinstance(told, str):
            failed[str(told)] += sample.copies[key]
    path, digest = _write(cache / "annotations" / "tables", annotator, values, sample.addresses)
    return Annotation(
        name=annotator.name,
        title=annotator.title,
        columns=annotator.gives,
        path=path,
        identity=identity_hash(annotator),
        digest=digest,
        threshold=sample.threshold,
        sampled=sample.size,
        records=sample.records,
        scored=sum(sample.copies[key] for key in values),
        failed=dict(failed.most_common()),
        notes=annotator.notes() if asked else {},
    )


def outcomes(
    items: Sequence[Item], annotator: Annotator, cache: Path, progress: Progress, *, lasting: bool = True
) -> tuple[dict[bytes, Values | str], int]:
    """Values of items of different content, or why there are none, and how many were asked about now.

    Raises:
        TriptychError: as `annotate`.
    """
    kept = Kept(cache / "annotations", annotator.identity)
    known = kept.read()
    missing = [item for item in items if item.content_id not in known]
    found: dict[bytes, Values | str] = {
        item.content_id: known[item.content_id] for item in items if item.content_id in known
    }
    if missing:
        now = 0
        progress.tell(f"{annotator.title}: {annotator.plan(missing)}")
        try:
            with kept, progress.stage(annotator.title, unit="records", total=len(missing)) as stage:
                for content_id, outcome in annotator.annotate(missing):
                    told = found[content_id] = _checked(outcome, annotator)
                    if not isinstance(told, str) or isinstance(told, Paid):
                        kept.add(content_id, told)
                        now += 1
                    stage.advance(1)
        except TriptychError as error:
            hint = _KEPT if lasting else _LOST
            raise _stopped(error, annotator, (len(items) - len(missing), now, len(items)), hint) from error
    return found, len(missing)


def identity_hash(annotator: Annotator) -> str:
    """What a profile names an annotator by."""
    return hashlib.sha256(annotator.identity.encode()).hexdigest()[:16]


def missing_items(sample: Sample, annotator: Annotator, cache: Path) -> list[Item]:
    """The items of a sample that have no kept values: what a run would pay for."""
    known = Kept(cache / "annotations", annotator.identity).read()
    return [item for item in sample.items if item.content_id not in known]


def _checked(outcome: Outcome, annotator: Annotator) -> Values | str:
    """Values of the annotator's own columns, all finite; or the reason why there are none."""
    if isinstance(outcome, str):
        return outcome
    found = {name: outcome.get(name) for name in annotator.gives}
    finite = all(value is None or bool(np.all(np.isfinite(value))) for value in found.values())
    return found if finite else NOT_FINITE


def _stopped(error: TriptychError, annotator: Annotator, done: tuple[int, int, int], hint: str) -> TriptychError:
    """The error of an annotator that could not go on, of the same kind, with a count of what is there."""
    first, *rest = str(error).splitlines()
    cause = next((line.split(":", 1)[1].strip() for line in rest if line.lstrip().startswith("got:")), "")
    tried = next((line.split(":", 1)[1].strip() for line in rest if line.lstrip().startswith("try:")), "")
    before, now, every = done
    of = f"{before + now:,} of {every:,} records done" + (f" ({now:,} of them in this run)" if before else "")
    what = f"{annotator.title}: stopped with {of}."
    return type(error)(message(what, got=f"{first} {cause}".strip(), hint=(hint if before + now else tried) or None))


def _write(
    folder: Path, annotator: Annotator, values: Mapping[bytes, Values], addresses: Mapping[bytes, Sequence[int]]
) -> tuple[Path, str]:
    """Write the table, atomically; its path and the hash of what is in it."""
    order, name_of_key = sorted(values), "content_id"
    arrays: list[pa.Array[Any]] = [pa.array(order, pa.binary(16))]
    if annotator.pairs:
        places = sorted((address, key) for key in values for address in addresses[key])
        order, name_of_key = [key for _, key in places], "address"
        arrays = [pa.array([address for address, _ in places], pa.uint64())]
    columns = {name: [values[key].get(name) for key in order] for name in annotator.gives}
    arrays += [_column(found, annotator.widths.get(name)) for name, found in columns.items()]
    batch = pa.RecordBatch.from_arrays(arrays, names=[name_of_key, *annotator.gives])
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, batch.schema) as writer:
        writer.write_batch(batch)
    data = sink.getvalue()
    digest = hashlib.sha256(annotator.identity.encode() + b"\0" + data).hexdigest()[:24]
    path = folder / f"{digest}.arrow"
    folder.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=folder, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(data)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return path, digest


def _column(values: Sequence[Any], width: int | None) -> pa.Array[Any]:
    if width is None:
        return pa.array(values, pa.float64())
    return pa.array(values, pa.list_(pa.float32(), width))
