"""Runs: one line a run in `runs.jsonl`, with the score of every item. Lines are added, never changed.

A run is known by its id: a hash of trainer, data, panels and seed. The last line of an id counts, so a run that failed and
was tried again is done when its last line says so. A line that a killed process left half written is cut off when the
file is opened for writing, and ignored when it is read.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from triptych.core.errors import ReadError, SchemaError, message
from triptych.studies.table import RunTable

SCHEMA = "triptych/run@1"


@dataclass(frozen=True)
class PanelScore:
    """What one run scored on one panel: one number an item, NaN where an item has none."""

    items: NDArray[np.float64]

    @property
    def mean(self) -> float | None:
        """Mean over the items that have a score; None where none has."""
        there = self.items[np.isfinite(self.items)]
        return float(there.mean()) if len(there) else None

    def to_json(self) -> dict[str, Any]:
        """Mean, number of items, how many are missing, and the items (0 and 1 as whole numbers, null where missing)."""
        items = [None if math.isnan(v) else int(v) if v.is_integer() else round(v, 6) for v in self.items.tolist()]
        return {"mean": self.mean, "n": len(items), "missing": items.count(None), "items": items}


@dataclass(frozen=True)
class Run:
    """One training with one seed: where it stands in the design, and what it gave.

    Attributes:
        run: its id.
        arm, levels, block, data_seed: the data condition; levels are coded -1, 0, 1.
        seed: of the training.
        trainer: name, params, hash.
        status: "done" or "failed"; `error` says why it failed.
        panels: panel to scores.
        data: records, tokens, sha256 of the arm's file.
        measured: what measures read on the arm, by label.
        cost: seconds, steps, tokens.
    """

    run: str
    arm: str
    levels: Mapping[str, float]
    block: str
    data_seed: int
    seed: int
    trainer: Mapping[str, Any]
    status: str = "done"
    error: str | None = None
    panels: Mapping[str, PanelScore] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
    measured: Mapping[str, float] = field(default_factory=dict)
    cost: Mapping[str, float] = field(default_factory=dict)
    notes: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    started: str = ""

    def to_json(self) -> dict[str, Any]:
        """The line of this run."""
        body = {"schema": SCHEMA, **vars(self)}
        body["panels"] = {name: panel.to_json() for name, panel in self.panels.items()}
        return body

    @classmethod
    def from_json(cls, line: Mapping[str, Any]) -> Run:
        """The run of a line; unknown keys are ignored."""
        known = {name: line[name] for name in cls.__dataclass_fields__ if name in line}
        known["panels"] = {
            name: PanelScore(np.array([math.nan if v is None else v for v in panel["items"]], dtype=np.float64))
            for name, panel in line.get("panels", {}).items()
        }
        return cls(**known)


def run_id(*parts: str | int) -> str:
    """The id of a run: a hash of what makes it."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


class RunLog:
    """The file `runs.jsonl`: read it whole, add to its end."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._whole = False

    def read(self) -> dict[str, Run]:
        """Id to the last line of every run, in the order in which ids first appear.

        Raises:
            ReadError: a line other than a torn last one is not JSON.
            SchemaError: a line is no run.
        """
        return {line["run"]: Run.from_json(line) for line in self._lines()}

    def add(self, run: Run) -> None:
        """Write one line at the end, whole, and make sure that it is on disk."""
        line = orjson.dumps(run.to_json(), option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_SERIALIZE_NUMPY)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab") as out:
            if not self._whole:
                self._cut_torn(out.fileno())
                self._whole = True
            out.write(line)
            out.flush()
            os.fsync(out.fileno())

    def _cut_torn(self, handle: int) -> None:
        data = self.path.read_bytes()
        if data and not data.endswith(b"\n"):
            os.ftruncate(handle, data.rfind(b"\n") + 1)

    def _lines(self) -> Iterator[dict[str, Any]]:
        if not self.path.exists():
            return
        for number, raw in enumerate(self.path.read_bytes().splitlines(keepends=True), start=1):
            try:
                line = orjson.loads(raw)
            except ValueError as error:
                if not raw.endswith(b"\n"):
                    return
                raise ReadError(message(f"{self.path}:{number}: not JSON.", got=str(error))) from error
            if not isinstance(line, dict) or line.get("schema") != SCHEMA:
                got = line.get("schema") if isinstance(line, dict) else type(line).__name__
                raise SchemaError(message(f"{self.path}:{number}: not a run.", got=str(got), want=SCHEMA))
            yield line


def run_table(runs: Sequence[Run], factors: Sequence[str]) -> RunTable:
    """The finished runs that have a level of every factor, as columns.

    Arms without levels (random, longest) are left out: they are no points of the design.
    """
    placed = [run for run in runs if run.status == "done" and all(factor in run.levels for factor in factors)]
    panels = list(dict.fromkeys(name for run in placed for name in run.panels))
    labels = [
        label for label in dict.fromkeys(k for run in placed for k in run.measured) if label in placed[0].measured
    ]
    return RunTable(
        runs=tuple(run.run for run in placed),
        factors={factor: np.array([float(run.levels[factor]) for run in placed]) for factor in factors},
        outcomes={name: np.array([_mean(run, name) for run in placed]) for name in panels},
        blocks={
            "block": np.array([run.block for run in placed]),
            "seed": np.array([str(run.seed) for run in placed]),
        },
        covariates={name: np.array([float(run.data[name]) for run in placed]) for name in ("records", "tokens")},
        items={name: items for name in panels if (items := _items(placed, name)) is not None},
        arms=np.array([run.arm for run in placed]),
        measured={label: np.array([run.measured.get(label, math.nan) for run in placed]) for label in labels},
    )


def _mean(run: Run, panel: str) -> float:
    mean = run.panels[panel].mean if panel in run.panels else None
    return math.nan if mean is None else mean


def _items(runs: Sequence[Run], panel: str) -> NDArray[np.float64] | None:
    """Items of a panel over all runs, or None where runs have different numbers of them."""
    sizes = {len(run.panels[panel].items) for run in runs if panel in run.panels}
    if len(sizes) != 1:
        return None
    nothing = np.full(sizes.pop(), math.nan)
    return np.stack([run.panels[panel].items if panel in run.panels else nothing for run in runs])
