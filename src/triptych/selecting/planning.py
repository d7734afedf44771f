"""What `select` would do, in words, from the head of the data."""

from __future__ import annotations

from triptych.core.dear import maker_of
from triptych.data import SHARD_RECORDS, Dataset
from triptych.engines.catalog import Instruments, work_for
from triptych.engines.local import cores
from triptych.profiling.annotations import plan_lines
from triptych.profiling.settings import Settings
from triptych.selecting.pool import asked_of, planned
from triptych.selecting.request import SelectRequest


def describe_select(source: object, dataset: Dataset, settings: Settings, request: SelectRequest) -> str:
    """What is read, what the policy needs, and what is written.

    Raises:
        InputError: a field or an option that is not right.
    """
    asked = request.reading(dataset, settings.measures, vectors=True)
    reading = planned(source, dataset, settings, asked)
    instruments = Instruments.named(settings.tokenizer, settings.encoder)
    features = work_for([name for name in reading.columns if maker_of(name) is None], instruments).features
    dear = plan_lines(dataset, asked_of(reading, settings, asked), settings)
    rows = dataset.expected_rows()
    wishes = reading.wishes
    read = [
        f"  {name.removeprefix('by:')}: {wish.label}" + (" (found)" if name in reading.detected else "")
        for name, wish in wishes.items()
    ]
    fields = any(wish.field for wish in wishes.values())
    needs = ", ".join(request.policy.needs) or "nothing"
    return "\n".join(
        [
            f"{dataset.name}: {dataset.layout.sentence}",
            f"  about {rows:,} rows" if rows is not None else "  rows are counted as they are read",
            *read,
            *dear,
            f"pass 1, over the source: {len(features)} features in shards of {SHARD_RECORDS:,} records",
            *(["pass 2, over the source: fields of the rows"] if fields else []),
            f"processes: {settings.workers or cores()}",
            f"candidates: {'all records' if request.with_invalid else 'records without a defect'}",
            f"embedded text: {reading.on}",
            f"policy: {request.text}, which needs {needs}; budget: {request.budget}",
            "then: the nearest kept record of each, measures of the selection, the rows copied verbatim",
            *(() if dear else ("calls to a model endpoint: 0; cost: 0",)),
        ]
    )
