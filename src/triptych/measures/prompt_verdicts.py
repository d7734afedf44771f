"""What measures over the verdicts of a prompt share: the counts they read, and their slow reference.

The unit of their interval is the prompt, so its responses must fall in one of the 32 groups. Grouping sees to that where
there is a group field, where a row gives several records, and where a prompt has different responses. Prompts with
nothing but identical responses (short answers) are dealt singly: with half of the prompts split so, intervals of the
solve rate held the truth in 55 % of trials. Beyond a few such prompts there is therefore no number, but what to do.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from triptych.core.estimate import Undefined
from triptych.core.groups import Mask
from triptych.core.measure import Row
from triptych.statistics.tallies import PromptTallies

SPLIT = 0.05
"""Share of prompts that may have responses in several groups."""


def tallied(tallies: PromptTallies, keep: Mask) -> NDArray[np.int64] | Undefined:
    """Labelled responses and solved ones (prompts, 2), or why they cannot be read."""
    counts, split = tallies.counts(keep), tallies.split(keep)
    field = tallies.column.removeprefix("label.")
    if not len(counts):
        several = "two" if tallies.least == 2 else str(tallies.least)
        hint = "" if tallies.least == 2 else "; try a smaller k"
        return Undefined(f'no prompt has {several} responses with a label "{field}"{hint}')
    if split > SPLIT * len(counts):
        return Undefined(
            f"{split:,} of {len(counts):,} prompts have identical responses that were dealt singly, so that the error "
            "cannot be told; name the field of the prompt with --group-by"
        )
    return counts


def verdicts(rows: Sequence[Row], field: str, at: float, least: int) -> list[list[bool]]:
    """For each prompt of at least `least` labelled responses: whether each has a label of at least `at`.

    Empty where too many prompts are split over groups.
    """
    prompts: dict[str, list[tuple[bool, int]]] = defaultdict(list)
    for row in rows:
        label = row[f"label.{field}"]
        if row["prompt"] and label is not None and math.isfinite(label):
            prompts[row["prompt"]].append((label >= at, row["group"]))
    counted = [seen for seen in prompts.values() if len(seen) >= least]
    split = sum(len({group for _, group in seen}) > 1 for seen in counted)
    return [] if split > SPLIT * len(counted) else [[solved for solved, _ in seen] for seen in counted]
