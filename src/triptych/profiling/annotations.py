"""The dear columns of a run: which are read, who makes them, and what is told about them in the profile."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from triptych.annotating.annotator import Annotator
from triptych.annotating.named import annotators
from triptych.annotating.run import Annotation, Sample, annotate, draw, missing_items
from triptych.core.batch import Text
from triptych.core.dear import OPTIONS, maker_of
from triptych.core.errors import SchemaError, SpecError, message
from triptych.core.groups import everything
from triptych.core.measure import Measure
from triptych.core.places import default_cache
from triptych.core.statistic import Statistic
from triptych.data import Dataset
from triptych.engines.progress import Progress
from triptych.features.annotated import Annotated
from triptych.features.validity import Validity
from triptych.profiling.settings import Settings
from triptych.statistics.both_orders import BothOrders
from triptych.statistics.calibrated import Calibrated
from triptych.statistics.powered import PoweredMean


@dataclass(frozen=True)
class Wanted:
    """An annotator, and how many records it is asked about (None: all). `valid_only`: of those without a defect."""

    annotator: Annotator
    sample: int | None
    valid_only: bool = False


def wanted(measures: Iterable[Measure], settings: Settings, more: Iterable[str] = ()) -> tuple[Wanted, ...]:
    """Who must be asked before these measures, and `more` columns, can be read.

    Raises:
        SpecError: a measure needs a model that is not named.
        InputError: a model is not there, or is named wrongly.
    """
    columns: dict[str, list[str]] = {}
    needs = [(measure.label, need) for measure in measures for need in measure.statistic().needs]
    for label, need in (*needs, *((column, column) for column in more)):
        maker = maker_of(need)
        if maker is None:
            continue
        if settings.model_of(maker) is None:
            what = f"{label} asks a model about each record, and no model is named."
            raise SpecError(message(what, want=OPTIONS[maker], hint=f"triptych measure DATA {OPTIONS[maker]}"))
        if need not in columns.setdefault(maker, []):
            columns[maker].append(need)
    return tuple(
        Wanted(annotator, settings.sample_of(maker), settings.valid_only)
        for maker, names in columns.items()
        for annotator in annotators(maker, settings.model_of(maker) or "", names)
    )


def annotated(
    dataset: Dataset, asked: Sequence[Wanted], cache: Path, progress: Progress, *, lasting: bool = True
) -> tuple[Annotation, ...]:
    """Ask all annotators about a data set, each about its sample.

    Raises:
        TriptychError: one of them could not go on; what was paid for is kept.
        SchemaError: one compares pairs of responses, and the rows are none.
    """
    samples = _samples(dataset, asked)
    return tuple(
        annotate(sample, each.annotator, cache, progress, lasting=lasting)
        for each, sample in zip(asked, samples, strict=True)
    )


def _samples(dataset: Dataset, asked: Sequence[Wanted]) -> list[Sample]:
    """The records or pairs that each is asked about; equal samples are drawn once."""
    drawn: dict[tuple[int | None, bool, bool], Sample] = {}
    keys = [(each.sample, each.annotator.pairs, each.valid_only) for each in asked]
    for (size, pairs, valid_only), each in zip(keys, asked, strict=True):
        if pairs and dataset.layout.kind != "preference":
            what = f"{each.annotator.title} compares two responses, and the rows make no pairs."
            want = "rows with a chosen and a rejected response"
            raise SchemaError(message(what, got=dataset.layout.sentence, want=want, hint="--map chosen=A,rejected=B"))
        if (size, pairs, valid_only) not in drawn:
            choice = _Valid("response" if dataset.layout.has_response else "prompt") if valid_only else None
            drawn[size, pairs, valid_only] = draw(dataset, size, pairs=pairs, choice=choice)
    return [drawn[key] for key in keys]


@dataclass(frozen=True)
class _Valid:
    """Says which records of a batch have no defect; `on`: the text that is judged."""

    on: Text

    def __call__(self, batch: pa.RecordBatch) -> NDArray[np.bool_]:
        defects = Validity(self.on).compute(batch)[f"defects@{self.on}"]
        return np.asarray(defects.to_numpy() == 0)


def features_of(annotations: Iterable[Annotation]) -> tuple[Annotated, ...]:
    """The features that look the columns up."""
    return tuple(
        Annotated(each.columns, each.digest, each.threshold, str(each.path), each.title) for each in annotations
    )


def described(annotations: Iterable[Annotation]) -> list[dict[str, Any]]:
    """What a profile says of them, as JSON values."""
    return [
        {
            "name": each.name,
            "title": each.title,
            "identity": each.identity,
            "records": each.records,
            "sampled": each.sampled,
            "scored": each.scored,
            "failed": dict(each.failed),
            "means": _means(each),
            "notes": dict(each.notes),
        }
        for each in annotations
    ]


def conditions(needs: Iterable[str], annotations: Iterable[Annotation]) -> list[str]:
    """What a number that reads these columns is conditional on, in words."""
    read = set(needs)
    return [f"{each.title}@{each.identity}" for each in annotations if read & set(each.columns)]


def asked_words(statistic: Statistic, annotations: Iterable[Annotation]) -> str:
    """How many records were asked about for a number, what helps it and what is told of it, in a few words; "" for nothing."""
    read = next((each for each in annotations if set(statistic.needs) & set(each.columns)), None)
    if read is None:
        return ""
    own = statistic.told(everything()) if isinstance(statistic, (BothOrders, Calibrated)) else ""
    helped = isinstance(statistic, (PoweredMean, Calibrated)) and statistic.leans(everything())
    if read.sampled == read.records and not helped:
        return own
    n = read.scored if isinstance(statistic, Calibrated) else statistic.records(everything())
    told = f"{read.sampled:,} of {read.records:,} asked" + (f", {n:,} have a value" if n < read.sampled else "")
    told += "; helped by vectors and lengths of all" if helped else ""
    return f"{own}; {told}" if own else told


def plan_lines(dataset: Dataset, asked: Sequence[Wanted], settings: Settings) -> list[str]:
    """What the annotators would cost, a line each; reads the data once."""
    cache = Path(settings.cache or default_cache())
    lines = []
    for each, sample in zip(asked, _samples(dataset, asked), strict=True):
        items = list(sample.items) if settings.cache is False else missing_items(sample, each.annotator, cache)
        done = len(sample.items) - len(items)
        kind = "pairs" if each.annotator.pairs else "records"
        of = f"{sample.size:,} of {sample.records:,} {kind}, {done:,} contents of them done before"
        lines += [f"before the scan: {each.annotator.title}: {of}", f"  {each.annotator.plan(items)}"]
    return lines


def _means(annotation: Annotation) -> dict[str, dict[str, Any]]:
    """Number of contents with a value, and their mean, for each column of numbers."""
    with pa.memory_map(str(annotation.path)) as source:
        table = pa.ipc.open_file(source).get_batch(0)
    found = {}
    for name in annotation.columns:
        column: Any = table.column(name)
        if pa.types.is_floating(column.type):
            mean = pc.mean(column).as_py()
            n = len(column) - column.null_count
            found[name] = {"n": n, "mean": mean if mean is not None and math.isfinite(mean) else None}
    return found
