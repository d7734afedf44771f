"""What a run would do, in words, before it is done."""

from __future__ import annotations

from triptych.core.dear import maker_of
from triptych.data import SHARD_RECORDS, Dataset
from triptych.engines.catalog import Instruments, work_for
from triptych.engines.local import cores
from triptych.profiling.annotations import plan_lines, wanted
from triptych.profiling.panel import check_labels, plan
from triptych.profiling.settings import Settings


def describe_plan(dataset: Dataset, settings: Settings) -> str:
    """Passes, barriers, memory, calls and cost of measuring a data set.

    Raises:
        InputError: a request that does not fit the data.
    """
    panel = plan(settings, dataset.layout)
    check_labels(panel.measures, dataset.layout)
    first, *others = settings.encoders
    instruments = Instruments.named(settings.tokenizer, first)
    statistics = {m.statistic().spec.hash: m.statistic() for m in panel.measures}
    needs = [need for s in statistics.values() for need in s.needs]
    work = work_for([need for need in needs if maker_of(need) is None], instruments)
    asked = wanted(panel.measures, settings)
    dear = plan_lines(dataset, asked, settings)
    workers = settings.workers or cores()
    lines = [
        f"{dataset.name}: {dataset.layout.sentence}",
        *dear,
        f"pass 1, over the source: {len(work.features)} features in shards of {SHARD_RECORDS:,} records, {workers} processes",
        *(f"  {type(f).__name__}: {', '.join(f.gives)}" for f in work.features),
        "barrier: groups of records by address, or by cluster where several responses share a prompt",
        *(f"barrier: {type(r).__name__}: {', '.join(r.gives)}" for r in work.relations),
        f"pass 2, over the columns: {len(statistics)} statistics for {len(panel.measures)} measures",
        *(f"  {s.spec.kind} {s.spec.params}" for s in statistics.values()),
        *(f"both passes once more for what reads vectors, under the encoder {name}{_of(settings)}" for name in others),
        "memory: about 0.9 GB and 0.25 GB a process, growing little with the number of records; columns on disk: 2 kB a record",
        *(
            f"the encoder {name.split(',')[0]} is asked for a vector of every text"
            for name in settings.encoders
            if name.startswith("endpoint:")
        ),
        *(() if dear or "endpoint:" in settings.encoder else ("calls to a model endpoint: 0; cost: 0",)),
    ]
    return "\n".join(lines)


def _of(settings: Settings) -> str:
    size = settings.encoder_sample
    return "" if size is None else f" on {size:,} records drawn at random, helped by the first encoder on others"
