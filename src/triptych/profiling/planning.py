"""What a run would do, in words, before it is done."""

from __future__ import annotations

from triptych.data import SHARD_RECORDS, Dataset
from triptych.engines.catalog import Instruments, work_for
from triptych.engines.local import cores
from triptych.profiling.panel import check_labels, plan
from triptych.profiling.settings import Settings


def describe_plan(dataset: Dataset, settings: Settings) -> str:
    """Passes, barriers, memory, calls and cost of measuring a data set.

    Raises:
        InputError: a request that does not fit the data.
    """
    panel = plan(settings, dataset.layout)
    check_labels(panel.measures, dataset.layout)
    instruments = Instruments.named(settings.tokenizer, settings.encoder)
    statistics = {m.statistic().spec.hash: m.statistic() for m in panel.measures}
    work = work_for([need for s in statistics.values() for need in s.needs], instruments)
    workers = settings.workers or cores()
    lines = [
        f"{dataset.name}: {dataset.layout.sentence}",
        f"pass 1, over the source: {len(work.features)} features in shards of {SHARD_RECORDS:,} records, {workers} processes",
        *(f"  {type(f).__name__}: {', '.join(f.gives)}" for f in work.features),
        "barrier: groups of records by address, or by cluster where several responses share a prompt",
        *(f"barrier: {type(r).__name__}: {', '.join(r.gives)}" for r in work.relations),
        f"pass 2, over the columns: {len(statistics)} statistics for {len(panel.measures)} measures",
        *(f"  {s.spec.kind} {s.spec.params}" for s in statistics.values()),
        "memory: about 0.9 GB and 0.25 GB a process, growing little with the number of records; columns on disk: 2 kB a record",
        "calls to a model endpoint: 0; cost: 0",
    ]
    return "\n".join(lines)
