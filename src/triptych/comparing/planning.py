"""What a comparison would do, in words, before it is done."""

from __future__ import annotations

from collections.abc import Sequence

from triptych.comparing.request import CompareOptions, pairs_of
from triptych.data import Dataset
from triptych.profiling.planning import describe_plan


def describe_compare(datasets: Sequence[Dataset], options: CompareOptions) -> str:
    """Passes, barriers, views and pairs. Reads only the heads of the sets.

    Raises:
        InputError: a request that does not fit the sets.
    """
    names = [dataset.name for dataset in datasets]
    pairs = pairs_of(names, [dataset.path for dataset in datasets], options.baseline)
    primary = ", ".join(options.match) or "prompt where most records share one and not their response, else records"
    lines = [describe_plan(dataset, options.settings) for dataset in datasets]
    lines.append(
        "\n".join(
            [
                f"comparison of {len(names)} sets, pairs: "
                + ", ".join(f"{names[a]} and {names[b]}" for a, b in pairs[:5])
                + (f", .. ({len(pairs)} in all)" if len(pairs) > 5 else ""),
                f"views: {primary}; beside it raw, length, and prompt+length where prompts are shared",
                f"draws of a matching that leaves records out by chance: {options.draws}",
                *_overlaps(options),
                "the audit reads the prompts, fields of the rows and a card beside the data where there is one",
            ]
        )
    )
    return "\n\n".join(lines)


def _overlaps(options: CompareOptions) -> list[str]:
    """What is looked for in the texts."""
    lines = ["duplicates across the first pair: by MinHash"]
    if options.adjudicate is not None or options.labels is not None:
        lines[0] += ", and by embedding (every record with every other up to 60,000 of each)"
    if options.against:
        lines.append(
            f"benchmarks: {len(options.against)}; one pass over the texts of all sets, one over their signatures"
        )
    return lines
