"""The order of more than two sets by one measure, and how sure each place is.

A set's rank lies between one more than the number of sets that are significantly better and as many as there are sets less
those that are significantly worse: Holm over the pairs of the measure, at 5 %. Sets that cannot be told apart share ranks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from triptych.comparing.reading import Compared
from triptych.core.measure import Measure
from triptych.core.multiplicity import holm

LEVEL = 0.05

Pairs = Mapping[tuple[int, int], Compared]


def rank(measure: Measure, names: Sequence[str], found: Pairs) -> dict[str, Any] | None:
    """The order of the sets, the best first (the highest, where a measure has no better side).

    Args:
        measure: what they are ordered by.
        names: of the sets.
        found: the measure in every pair of sets, by their places.

    Returns:
        The entry of `comparison.json`, or None where a pair has no difference. Values are means over the pairs of a set.
    """
    differences = {pair: one.difference for pair, one in found.items()}
    known = {pair: one for pair, one in differences.items() if one is not None}
    if len(known) < len(names) * (len(names) - 1) // 2:
        return None
    adjusted = holm(np.array([one.p for one in known.values()]))
    sign = -1 if measure.about.better == "lower" else 1
    better = np.zeros((len(names), len(names)), dtype=np.bool_)
    values: dict[int, list[tuple[float, float, float]]] = {place: [] for place in range(len(names))}
    for ((a, b), one), p in zip(known.items(), adjusted.tolist(), strict=True):
        values[a].append((one.a, *found[a, b].ends[0]))
        values[b].append((one.b, *found[a, b].ends[1]))
        if p < LEVEL and one.diff != 0:
            high, low = (a, b) if sign * one.diff > 0 else (b, a)
            better[high, low] = True
    means = {place: np.mean(mine, axis=0).tolist() for place, mine in values.items()}
    order = sorted(means, key=lambda place: (-sign * means[place][0], place))
    return {
        "measure": measure.label,
        "title": measure.about.title,
        "axis": measure.about.axis,
        "unit": measure.about.unit,
        "better": measure.about.better,
        "order": [
            {
                "set": names[place],
                **dict(zip(("value", "lo", "hi"), means[place], strict=True)),
                "rank_lo": 1 + int(better[:, place].sum()),
                "rank_hi": len(names) - int(better[place].sum()),
            }
            for place in order
        ],
    }
