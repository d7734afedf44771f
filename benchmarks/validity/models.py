"""Small populations for measures that ask a language model about each record: some dozens of records, one replicate.

The planted ones are those of `planted.py`, the natural ones the first pairs of those of `natural.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from natural import EXPERIMENTS, Experiment
from planted import MANIPULATIONS, SEVERAL

Row = dict[str, Any]

SCORED = ("surprisal", "ifd", "fluency", "misfit_rate")
GRADIENTS = ("g_vendi",)
RECORDS, FEW = 80, 40
"""Records of a set that is scored, and of one of which gradients are taken: these cost about four times as much."""


def planted(name: str, doses: tuple[float, ...], n: int = RECORDS) -> Experiment:
    """A planted manipulation at some of its doses, on so many records."""
    one = next(each for each in MANIPULATIONS if each.name == name and each.base not in SEVERAL and not each.only)

    def make(_: Path) -> dict[Any, list[Row]]:
        return {dose: _keyed(one.make(dose, 0, n), one.paired) for dose in doses}

    return Experiment(name, one.words, "", make, one.paired)


def _keyed(rows: list[Row], paired: bool) -> list[Row]:
    """Rows without labels; those that come from each other share a key."""
    texts = [{key: row[key] for key in ("prompt", "response")} for row in rows]
    return [{**row, "prompt_id": at} for at, row in enumerate(texts)] if paired else texts


def natural(name: str, n: int) -> Experiment:
    """So many pairs of a natural experiment: the first ones."""
    one = next(each for each in EXPERIMENTS if each.name == name)
    return replace(one, make=_first(one.make, n))


def _first(make: Callable[[Path], dict[str, list[Row]]], n: int) -> Callable[[Path], dict[str, list[Row]]]:
    return lambda folder: {part: rows[:n] for part, rows in make(folder).items()}


ASKED: tuple[tuple[Experiment, tuple[str, ...]], ...] = (
    (planted("exact copies", (0.0, 0.1, 0.3, 0.6)), SCORED),
    (planted("word salad", (0.0, 0.1, 0.3, 0.5)), SCORED),
    (planted("swapped responses", (0.0, 0.1, 0.3, 0.6)), SCORED),
    (planted("wrong answers", (0.0, 0.1, 0.3, 0.6)), SCORED),
    (natural("wrong solutions", 50), SCORED),
    (natural("experts prefer (natural)", 50), SCORED),
    (planted("gibberish", (0.0, 0.1, 0.3)), SCORED),
    (planted("padding", (1.0, 1.5)), SCORED),
    (planted("exact copies", (0.0, 0.1, 0.3, 0.6), FEW), GRADIENTS),
    (planted("lost modes", (42, 5), FEW), GRADIENTS),
    (planted("word salad", (0.0, 0.1, 0.3, 0.5), FEW), GRADIENTS),
    (planted("steps told", (2, 8), 40), SCORED),
)
"""Populations, and the measures that are read on them."""
