"""Times one task in a process of its own: CPU seconds on one core, the best of some repetitions, and memory above the input.

Imported by `ours.py` and by `theirs.py`, which run in different environments: standard library only.
"""

from __future__ import annotations

import json
import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

ENOUGH = 6.0  # CPU seconds: a task that takes longer is not repeated


def status(name: str) -> float:
    """A line of /proc/self/status in MB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) / 1e3
    return 0.0


def run(tasks: dict[str, Any]) -> None:
    """`SCRIPT TASK FOLDER`: prepare the task from the folder, time it, print a JSON line."""
    if len(sys.argv) != 3:
        print("run by benchmarks/peers.py; tasks: " + ", ".join(tasks))
        return
    with suppress(AttributeError, OSError):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    work = tasks[sys.argv[1]](Path(sys.argv[2]))
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew: loading is not what is measured
    held = status("VmRSS")
    times: list[tuple[float, float]] = []
    found: Any = None
    while len(times) < 3 and sum(cpu for cpu, _ in times) < ENOUGH:
        wall, cpu = time.perf_counter(), time.process_time()
        found = work()
        times.append((time.process_time() - cpu, time.perf_counter() - wall))
    best = min(times)
    memory = {"above_input_mb": round(status("VmHWM") - held), "peak_mb": round(status("VmHWM"))}
    print(json.dumps({"cpu": best[0], "wall": best[1], "runs": len(times), **memory, "found": found}))
