"""The sweep: every point chosen, then every choice judged, one after another; what is finished is kept in `points.jsonl`.

Choosing comes first, for what diversity is judged at is known only when all are chosen: the smallest number of valid
records among them. A line of the log holds one choice or one judgement under a key of everything that it follows from,
so a second call with the same data and dials takes it from there, and the document is the same.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
import time
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from triptych._version import __version__
from triptych.core.budget import Budget
from triptych.core.errors import SelectionError
from triptych.core.selector import Selector, Setting
from triptych.engines.progress import Stage
from triptych.profiling.bench import Bench
from triptych.selecting.choose import choose, fitted
from triptych.selecting.frontier.judging import LEXICON, SAMPLE, Judge, Judged
from triptych.selecting.frontier.points import Point
from triptych.selecting.frontier.shape import Reading
from triptych.selecting.limits import LimitRequest, Limits, resolve
from triptych.selecting.pool import Pool

Ints = NDArray[np.int64]

ENOUGH = 0.9
"""Share of the budget that a point must spend to be compared with the others."""


@dataclass(frozen=True)
class Taken:
    """What one point took: ordinals of its records, ascending, what it spent of the budget, and what the policy says."""

    point: Point
    ordinals: Ints
    spent: int
    facts: Mapping[str, Any]
    notes: tuple[str, ...]


@dataclass
class Swept:
    """The points that were chosen, what each was judged to be, and the policies that failed.

    Attributes:
        at: records that diversity is read on.
        short: id of a point that is not compared, to the reason.
    """

    taken: list[Taken] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)
    judged: dict[str, Judged] = field(default_factory=dict)
    short: dict[str, str] = field(default_factory=dict)
    at: int = 0


class PointLog:
    """Finished work by key, in a file of JSON lines; without a path, nothing is kept."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._known: dict[str, Any] = {}
        self._start = ""
        if path is not None and path.is_file():
            told = path.read_text(encoding="utf-8", errors="replace")
            self._start = "" if told.endswith("\n") or not told else "\n"
            for line in told.splitlines():
                try:
                    entry = json.loads(line)
                    self._known[entry["key"]] = entry["value"]
                except (ValueError, TypeError, KeyError):  # the line that a killed run was writing
                    continue

    def get(self, key: str) -> Any:
        """What was kept under the key, or None."""
        return self._known.get(key)

    def add(self, key: str, value: Any) -> None:
        """Keep it, and append its line. A half line of a killed run is ended first."""
        self._known[key] = value
        if self._path is not None:
            with self._path.open("a", encoding="utf-8") as out:
                out.write(self._start + json.dumps({"key": key, "value": value}, allow_nan=False) + "\n")
            self._start = ""


class Sweep:
    """Chooses and judges the points of one frontier.

    Args:
        pool: as read.
        budget: of each point, in the unit that the pool was read for.
        limits: as asked, for each point.
        bench: engine, cache, progress.
        log: what is finished already.
    """

    def __init__(self, pool: Pool, budget: Budget, limits: LimitRequest, bench: Bench, log: PointLog) -> None:
        self._pool, self._budget, self._asked, self._bench, self._log = pool, budget, limits, bench, log
        self._fitted: dict[tuple[bool, bool], tuple[Pool, Limits]] = {}

    def choose(self, points: Sequence[Point]) -> Swept:
        """Every point's choice.

        Raises:
            SelectionError: the budget or a limit cannot be met by any policy: the first random draw fails.
        """
        swept = Swept()
        with self._bench.progress.stage("policies", unit="points", total=len(points)) as stage:
            for point in points:
                try:
                    swept.taken.append(self._taken(point, stage))
                except SelectionError as error:
                    if point.role == "random":
                        raise
                    swept.failed.append((point.id, str(error)))
        return swept

    def judge(self, swept: Swept, judge: Judge) -> None:
        """Read every choice at the common number of records."""
        most = max(one.spent for one in swept.taken)
        for one in swept.taken:
            if one.spent < ENOUGH * most:
                unit = self._budget.unit
                swept.short[one.point.id] = f"took {one.spent:,} of {self._budget.number:,} {unit}: too few to compare"
        compared = [one for one in swept.taken if one.point.id not in swept.short]
        swept.at = min(judge.countable(one.ordinals) for one in compared)
        labels = [[ruler.label, ruler.made_by] for ruler in judge.rulers]
        with self._bench.progress.stage("judging", unit="points", total=len(swept.taken)) as stage:
            for one in swept.taken:
                key = self._key("judged", self._point(one.point), swept.at, labels, SAMPLE, LEXICON)
                known = self._log.get(key)
                if known is None:
                    known = self._read(judge, one, swept.at).to_json()
                    self._log.add(key, known)
                swept.judged[one.point.id] = Judged.from_json(known)
                stage.advance(1)

    def _read(self, judge: Judge, one: Taken, at: int) -> Judged:
        found = judge.read(one.ordinals, at)
        there = judge.countable(one.ordinals)
        if there >= at:
            return found
        none = Reading(None, reason=f"{there:,} valid records were taken, diversity is read on {at:,}")
        return Judged(found.quality, found.complexity, {ruler.label: none for ruler in judge.rulers})

    def _taken(self, point: Point, stage: Stage) -> Taken:
        key = self._key("taken", self._point(point))
        known = self._log.get(key)
        if known is None:
            known = self._chosen(point)
            self._log.add(key, known)
        stage.advance(1)
        ordinals = unpacked(known["taken"], len(self._pool.store))
        return Taken(point, ordinals, known["spent"], known["facts"], tuple(known["notes"]))

    def _chosen(self, point: Point) -> dict[str, Any]:
        pool, limits = self._shown(point.policy)
        setting = Setting(point.seed, threads=self._bench.engine.workers, cache=self._bench.cache.root)
        started = time.perf_counter()
        chosen = choose(pool, point.policy, self._budget, limits, setting)
        ordinals = chosen.ordinals
        return {
            "id": point.id,
            "taken": packed(ordinals, len(self._pool.store)),
            "sha256": hashlib.sha256(ordinals.astype("<i8").tobytes()).hexdigest(),
            "spent": chosen.spent,
            "facts": strict(dict(chosen.choice.facts)),
            "notes": [*chosen.choice.notes, *chosen.notes],
            "seconds": round(time.perf_counter() - started, 3),
        }

    def _shown(self, policy: Selector) -> tuple[Pool, Limits]:
        """The candidates that a policy is shown with the limits over them: the same objects for all that see the same.

        What policies derive from the candidates (the neighbour graph) is kept with them.
        """
        sees = (policy.floor, policy.floor or "quality" in policy.needs)
        if sees not in self._fitted:
            pool = fitted(self._pool, policy)
            same = next((known for known in self._fitted.values() if known[0] is pool), None)
            self._fitted[sees] = same or (pool, self._limits(pool))
        return self._fitted[sees]

    def _limits(self, pool: Pool) -> Limits:
        return Limits() if self._asked == LimitRequest() else resolve(self._asked, pool, self._budget, self._bench)

    def _point(self, point: Point) -> list[Any]:
        return [point.policy.spec.canonical, point.seed]

    def _key(self, *parts: Any) -> str:
        return hashlib.sha256(json.dumps([self._base, *parts]).encode()).hexdigest()[:32]

    @cached_property
    def _base(self) -> str:
        """Hash of all that every point follows from: the candidates, the budget, the limits."""
        candidates = self._pool.candidates
        digest = hashlib.sha256(candidates.key.encode())
        arrays: list[NDArray[Any] | None] = [
            candidates.id,
            candidates.cost,
            candidates.quality,
            candidates.complexity,
            candidates.structure,
        ]
        arrays += [values for _, values in sorted({**candidates.codes, **candidates.numbers}.items())]
        for values in arrays:
            digest.update(b"|" if values is None else np.ascontiguousarray(values).tobytes())
        told = [
            __version__,
            repr(self._asked),
            str(self._budget),
            self._pool.on,
            self._pool.judged,
            self._pool.grouping.sentence,
        ]
        digest.update(json.dumps(told).encode())
        return digest.hexdigest()


def strict(value: Any) -> Any:
    """As JSON holds it: no NaN, no infinity, no numbers of numpy."""
    if isinstance(value, Mapping):
        return {str(name): strict(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [strict(one) for one in value]
    value = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(value, float) and not math.isfinite(value) else value


def packed(ordinals: Ints, n: int) -> str:
    """Some of n ordinals as text: a compressed bit for each."""
    bits = np.zeros(n, dtype=np.bool_)
    bits[ordinals] = True
    return base64.b64encode(zlib.compress(np.packbits(bits).tobytes(), 6)).decode()


def unpacked(text: str, n: int) -> Ints:
    """The inverse of `packed`: ascending ordinals."""
    raw = np.frombuffer(zlib.decompress(base64.b64decode(text)), dtype=np.uint8)
    return np.flatnonzero(np.unpackbits(raw, count=n)).astype(np.int64)
