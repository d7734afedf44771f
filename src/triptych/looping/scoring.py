"""Scores of a round's model: greedy pass@1 on every item, and the unbiased pass@k on some.

pass@k of an item with c right ones of n samples is 1 - C(n - c, k) / C(n, k) (Chen et al. 2021, arXiv 2107.03374, eq. 1);
n is the largest k. An item is passed where its grade is 1: half a right answer is none. Items that the scorer gave no
score are left out of a mean and counted.

Worked example: n = 4, c = 1: pass@1 = 1/4, pass@2 = 1 - C(3, 2)/C(4, 2) = 1/2, pass@4 = 1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from triptych.core.errors import TriptychError, message
from triptych.core.interval import wilson
from triptych.core.rng import stream
from triptych.studies.panels import Grader, ScoredPanel
from triptych.studies.trainers.trainer import Example, Model

SCHEMA = "triptych/scores@1"
_Z = 1.959964
_RESAMPLES = 1000
_FEWEST = 2
"""Items that an interval needs."""


@dataclass(frozen=True)
class Scoring:
    """How a model is scored.

    Attributes:
        panels: what on.
        k: of pass@k; empty: greedy responses alone.
        k_items: items of a panel that pass@k is read on; the same ones in every round.
        seed: of all draws.
    """

    panels: tuple[ScoredPanel, ...]
    k: tuple[int, ...]
    k_items: int
    seed: int


def score(model: Model, scoring: Scoring, number: int, temperature: float) -> dict[str, Any]:
    """The document of `scores.json`: panel to score, interval, items, kind and pass@k.

    Args:
        model: that is scored.
        scoring: how.
        number: of the round.
        temperature: of the samples of pass@k.

    Raises:
        TriptychError: no item of a panel has a score, or a scorer failed.
    """
    scores = {panel.name: _panel(model, panel, scoring, number, temperature) for panel in scoring.panels}
    return {"schema": SCHEMA, "round": number, "temperature": temperature, "scores": scores}


def pass_at_k(n: int, c: int, k: int) -> float:
    """Chance that one of k of n samples, c of them right, is right; 1 <= k <= n."""
    return 1.0 - math.comb(n - c, k) / math.comb(n, k)


def _panel(model: Model, panel: ScoredPanel, scoring: Scoring, number: int, temperature: float) -> dict[str, Any]:
    graded = isinstance(panel.scorer, Grader)
    values, notes = panel.scored(model, _seed(scoring, panel.name, "greedy"))
    values = values[~np.isnan(values)]
    right = values >= 1 if graded else values
    found: dict[str, Any] = {"score": float(np.mean(right)), **_ends(right, graded), "n": len(values)}
    found |= {"kind": panel.kind, "scorer": panel.scorer.text}
    if graded:
        found["grade"] = float(np.mean(values))
    if notes:
        found["notes"] = notes
    if graded and scoring.k and temperature > 0:
        found["k"] = _many(model, panel, scoring, number, temperature)
    return found


def _ends(values: NDArray[Any], graded: bool) -> dict[str, float | None]:
    """Wilson's interval of a share, the normal one of another mean; None with too few items."""
    n = len(values)
    if n < _FEWEST:
        return {"lo": None, "hi": None}
    mean = float(np.mean(values))
    if graded:
        lo, hi = wilson(mean, math.sqrt(mean * (1 - mean) / n), n, _Z)
        return {"lo": max(lo, 0.0), "hi": min(hi, 1.0)}
    half = _Z * float(np.std(values, ddof=1)) / math.sqrt(n)
    return {"lo": mean - half, "hi": mean + half}


def _many(
    model: Model, panel: ScoredPanel, scoring: Scoring, number: int, temperature: float
) -> dict[str, dict[str, Any]]:
    """pass@k for each k, with an interval over items (percentiles of a bootstrap)."""
    n = max(scoring.k)
    order = stream("loop", "items of pass@k", panel.name, scoring.seed).permutation(len(panel.examples))
    items = [panel.examples[i] for i in sorted(order[: scoring.k_items].tolist())]
    right, known = _sampled(model, panel, items, n, (temperature, _seed(scoring, panel.name, "samples", number)))
    out = {}
    for k in scoring.k:
        values = np.array([pass_at_k(int(m), int(c), k) for m, c in zip(known, right, strict=True) if m >= k])
        if not len(values):
            what = f'panel "{panel.name}": no item has {k} samples with a score.'
            raise TriptychError(message(what, got=f"{panel.scorer.text} failed on them", want="numbers"))
        draw = stream("loop", "bootstrap of pass@k", panel.name, k, scoring.seed)
        means = values[draw.integers(len(values), size=(_RESAMPLES, len(values)))].mean(axis=1)
        lo, hi = map(float, np.percentile(means, [2.5, 97.5])) if len(values) >= _FEWEST else (None, None)
        out[str(k)] = {"score": float(values.mean()), "lo": lo, "hi": hi, "n": len(values)}
    return out


def _sampled(
    model: Model, panel: ScoredPanel, items: Sequence[Example], n: int, how: tuple[float, int]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Right samples, and samples with a score, of each item, int64 (items,) each."""
    temperature, seed = how
    asked = [item for item in items for _ in range(n)]
    said = model.generate([item.prompt for item in asked], temperature=temperature, seed=seed)
    assert isinstance(panel.scorer, Grader)  # noqa: S101 - the caller looked
    grades, _ = panel.scorer.grade(asked, said)
    table = grades.reshape(len(items), n)
    return (table >= 1).sum(axis=1).astype(np.int64), (~np.isnan(table)).sum(axis=1).astype(np.int64)


def _seed(scoring: Scoring, *labels: str | int) -> int:
    return int(stream("loop", "score", *labels, scoring.seed).integers(2**31))
