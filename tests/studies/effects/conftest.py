"""Simulated tables of runs with known effects."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from triptych.core.rng import stream
from triptych.studies.table import RunTable

LEVELS = np.array([*itertools.product((-1.0, 1.0), repeat=3), (0.0, 0.0, 0.0)])


def make_table(blocks=5, seed=0, items=60, effects=None, **changes):
    """Nine arms in blocks; panels id, compositions, deeper, each with items; scores by log odds."""
    rng = stream("test", "table", seed)
    effects = effects or {"id": (0.9, 0.0, 0.2), "compositions": (0.3, 1.2, 0.0), "deeper": (0.2, 0.4, 0.4)}
    levels, labels = np.tile(LEVELS, (blocks, 1)), np.repeat(np.arange(blocks), 9)
    n = len(labels)
    answers = {}
    for name, slopes in effects.items():
        hard = rng.normal(size=(blocks, items))
        mean = levels @ np.array(slopes) + 0.1 * rng.normal(size=n)
        answers[name] = (rng.random((n, items)) < 1 / (1 + np.exp(-(mean[:, None] + hard[labels])))).astype(float)
    fields = {
        "runs": tuple(f"r{i}" for i in range(n)),
        "factors": {name: levels[:, k] for k, name in enumerate("QDC")},
        "outcomes": {name: one.mean(1) for name, one in answers.items()},
        "blocks": {"block": labels.astype(str), "data_seed": labels.astype(str)},
        "covariates": {"length": 20 + 3 * levels[:, 2] + rng.normal(size=n)},
        "items": answers,
        "arms": np.array([f"b{b}-{i % 9}" for i, b in enumerate(labels)]),
        "measured": {
            "vendi:q=2": 60 * 3.0 ** levels[:, 1] * np.exp(0.05 * rng.normal(size=n)),
            "mine": levels[:, 0] + 0.01 * rng.normal(size=n),
        },
    }
    return RunTable(**{**fields, **changes})


@pytest.fixture
def table_of():
    return make_table
