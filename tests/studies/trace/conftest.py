"""Runs that were never made: scores with known causes, and files as tables write them."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from triptych.core.rng import stream

Runs = list[dict[str, Any]]
WriteTable = Callable[[str, Runs], Path]


def make_runs(*labels: str | int, seeds: int = 3, models: Sequence[str] = ("a", "b", "c", "d")) -> Runs:
    """A full 2³ factorial on each model and seed: Q moves `id` by .2, D moves `ood` by .3, C nothing."""
    rng = stream("trace runs", *labels)
    runs = []
    for place, model in enumerate(models):
        for arm in range(8):
            q, d, c = ((1 if arm >> bit & 1 else -1) for bit in range(3))
            for seed in range(seeds):
                run = {"run": f"{model}-{arm}-{seed}", "model": model, "seed": seed, "arm": f"arm{arm}"}
                run |= {"Q": q, "D": d, "C": c, "tokens": round(float(rng.normal(5000, 100)), 1)}
                run["id"] = round(0.4 + 0.05 * place + 0.1 * q + 0.01 * float(rng.normal()), 4)
                run["ood"] = round(0.3 + 0.05 * place + 0.15 * d + 0.01 * float(rng.normal()), 4)
                runs.append(run)
    return runs


@pytest.fixture
def write_table(tmp_path: Path) -> WriteTable:
    def write(name: str, runs: Runs) -> Path:
        path = tmp_path / name
        with path.open("w", newline="") as out:
            writer = csv.DictWriter(out, list(runs[0]))
            writer.writeheader()
            writer.writerows(runs)
        return path

    return write


@pytest.fixture
def runs() -> Runs:
    return make_runs("plain")
