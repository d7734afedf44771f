"""What the benchmarks of loops share: one loop from its config to a row, kept in a file that a second call goes on from.

A row holds every score, dial and reading of every round, and which processor it ran on: between kinds of them weights differ in
their last bits, and so do loops. Loops that start alike start from one trained model, which is kept in the cache folder. Rows are
appended as loops end, so a benchmark that is stopped loses at most the loops under way.
"""

from __future__ import annotations

import dataclasses
import gzip
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import suppress
from pathlib import Path
from typing import Any

from harness import machine

from triptych.core.places import default_cache
from triptych.engines.progress import Progress
from triptych.guarding.ledger import Entry, Ledger, Reading
from triptych.looping.config import LoopConfig
from triptych.looping.folder import ArmFolder, RoundFolder, read_records
from triptych.looping.registry import parse_policy
from triptych.looping.rounds import Arm, begin
from triptych.looping.setting import Setting
from triptych.looping.watching import Watching
from triptych.profiling.bench import open_bench
from triptych.profiling.settings import Settings

HERE = Path(__file__).parent
SETS = ("generated", "selected", "splits", "scores")


def play(name: str, table: Mapping[str, Any]) -> dict[str, Any]:
    """Run a loop of one policy, and give its row: name, config, seconds, and what every round was like."""
    os.environ["OMP_NUM_THREADS"] = "1"
    config = LoopConfig.of(table)
    setting, policy = Setting.of(config), parse_policy(config.policies[0])
    began, busy = time.perf_counter(), time.process_time()
    rounds, stopped = [], None
    with tempfile.TemporaryDirectory(prefix="triptych-loop-") as place:
        folder = ArmFolder(Path(place))
        _begin(setting, folder)
        with open_bench(Settings(workers=1, cache=Path(place) / "cache"), Progress()) as bench:
            arm = Arm(setting, policy, folder, Watching.of(setting, bench))
            for number in range(config.rounds + 1):
                played = arm.play(number)
                rounds.append(_round(played.document) | {"entropy": _entropy(folder.round(number))})
                stopped = played.stop
                if stopped or number == config.rounds:
                    break
                arm.train(number, played.selected)
                shutil.rmtree(folder.round(number).path / "model", ignore_errors=True)
            ledger = arm.watching.reader.ledger(arm.watching.entries)
    return {
        "name": name,
        "policy": config.policies[0],
        "config": config.to_json(),
        "panels": {panel.name: panel.kind for panel in setting.panels},
        "rounds": rounds,
        "ledger": packed(ledger),
        "stopped": stopped,
        "cpu": machine()["cpu"],
        "seconds": round(time.perf_counter() - began, 1),
        "cpu_seconds": round(time.process_time() - busy, 1),
    }


def _begin(setting: Setting, folder: ArmFolder) -> None:
    """The first model: trained once for all loops that start alike."""
    config = setting.config
    key = LoopConfig.of(
        {"seed": config.seed, "start": dataclasses.asdict(config.start), "model": dataclasses.asdict(config.model)}
    ).hash
    kept = ArmFolder(default_cache() / "loops" / key).round(0)
    if not kept.model.exists():
        begin(setting, folder.round(0))
        own = ArmFolder(default_cache() / "loops" / f".{key}.{os.getpid()}")
        own.round(0).copy_model(folder.round(0))
        with suppress(OSError):  # another worker has kept the same one meanwhile
            own.path.replace(kept.path.parent)
        shutil.rmtree(own.path, ignore_errors=True)
    else:
        folder.round(0).copy_model(kept)


def _round(document: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept of a round beside its ledger: neither texts nor verdicts, which follow from the ledger."""
    left_out = ("samples", "structures", "ledger", "notes", "guard", "decisions")
    return {key: value for key, value in document.items() if key not in left_out}


def packed(ledger: Ledger) -> dict[str, Any]:
    """A ledger as JSON values of six digits, without what readings and rounds have by default; `unpacked` reads it."""
    values = dataclasses.asdict(ledger)
    for entry in values["entries"]:
        for kind in SETS:
            entry[kind] = {name: _short(one) for name, one in entry[kind].items()}
    return json.loads(json.dumps(values))


def _short(reading: Mapping[str, Any]) -> dict[str, Any]:
    held = {name: one for name, one in reading.items() if one is not None}
    return {"value": None} | {n: float(f"{one:.6g}") if isinstance(one, float) else one for n, one in held.items()}


def unpacked(values: Mapping[str, Any]) -> Ledger:
    """The ledger of a row."""
    entries = [
        Entry(**{**entry, **{kind: {name: Reading(**one) for name, one in entry[kind].items()} for kind in SETS}})
        for entry in values["entries"]
    ]
    return Ledger(**{**values, "entries": tuple(entries), "notes": tuple(values["notes"])})


def _entropy(folder: RoundFolder) -> float | None:
    """Mean of -log p per token over what the model wrote, in nats: what trainers log as the entropy of the policy."""
    told = [one.likelihood for one in read_records(folder.generated) if one.likelihood is not None]
    return -sum(told) / len(told) if told else None


def rows_of(file: Path) -> list[dict[str, Any]]:
    """The rows of a file of compressed lines; a last one that was cut is left out."""
    out = []
    with suppress(EOFError, ValueError, FileNotFoundError), gzip.open(file, "rt", encoding="utf-8") as lines:
        for line in lines:
            out.append(json.loads(line))  # noqa: PERF401 - those before a damaged one count
    return out


def add(row: Mapping[str, Any], file: Path) -> None:
    """Append a row."""
    with gzip.open(file, "at", encoding="utf-8") as out:
        out.write(json.dumps(row) + "\n")


def run(jobs: Mapping[str, Mapping[str, Any]], file: Path, workers: int, minutes: float) -> Iterator[dict[str, Any]]:
    """Run the loops that the file does not hold, in this order, until the time is up; give each row as it is added.

    One that failed before runs again.
    """
    done = {row["name"] for row in rows_of(file) if "failed" not in row}
    waiting = iter([(name, table) for name, table in jobs.items() if name not in done])
    ends = time.monotonic() + 60 * minutes
    with ProcessPoolExecutor(workers) as pool:
        under_way = {}
        while True:
            while len(under_way) < workers and time.monotonic() < ends and (job := next(waiting, None)):
                under_way[pool.submit(play, *job)] = job[0]
            if not under_way:
                return
            future = next(as_completed(under_way))
            name = under_way.pop(future)
            try:
                row = future.result()
            except Exception as error:  # noqa: BLE001 - one loop that fails is told, and leaves the others alone
                row = {"name": name, "failed": f"{type(error).__name__}: {error}"}
            add(row, file)
            yield row


def table_of(rows: Iterable[Mapping[str, Any]], value: Callable[[Mapping[str, Any]], Any]) -> dict[str, Any]:
    """Name of each row that did not fail to a value of it."""
    return {row["name"]: value(row) for row in rows if "failed" not in row}
