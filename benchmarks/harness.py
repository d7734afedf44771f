"""What the benchmarks share: the machine, a sampler of the memory of a process tree, and result files.

CPU seconds are user plus system of a process and of all its children that have ended. Memory is read from /proc every
50 ms and summed over the tree; pages that two processes share count twice, so the sum is an upper bound; the part that
is not backed by a file (heap, not memory-mapped columns) is given beside it.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import IO, Any

HERE = Path(__file__).parent
RESULTS = HERE / "results"
PACKAGES = ("triptych", "numpy", "scipy", "pyarrow", "tokenizers", "orjson")
ONE_THREAD = dict.fromkeys(
    ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS", "POLARS_MAX_THREADS"), "1"
) | {"TOKENIZERS_PARALLELISM": "false"}
EVERY = 0.05


def data_folder() -> Path:
    """The folder of the data sets; without one there is nothing to measure, and that is no failure."""
    place = os.environ.get("TRIPTYCH_DATA")
    if not place:
        print("nothing measured: set TRIPTYCH_DATA to the folder of the .jsonl.gz files")
        sys.exit(0)
    return Path(place)


def machine() -> dict[str, Any]:
    """Processor, cores, memory, system, and how busy it was when asked."""
    with suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next(
            (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.processor()
        )
        flags = next((line for line in lines if line.startswith("flags")), "").split()
        memory = next(
            int(line.split()[1]) for line in Path("/proc/meminfo").read_text().splitlines() if "MemTotal" in line
        )
        return {
            "cpu": model,
            "simd": next((name for name in ("avx512f", "avx2", "avx") if name in flags), "unknown"),
            "cores": len(os.sched_getaffinity(0)),
            "memory_gb": round(memory / 1e6, 1),
            "system": f"{platform.system()} {platform.machine()}",
            "load_at_start": round(os.getloadavg()[0], 2),
        }
    return {"cpu": platform.processor(), "cores": os.cpu_count(), "system": platform.system()}


def packages(names: Sequence[str] = PACKAGES) -> dict[str, str]:
    """Versions of what is installed here."""
    found = {"python": platform.python_version()}
    for name in names:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def commit() -> dict[str, Any]:
    """The commit of the checkout, and whether the source that is measured differs from it."""
    import triptych  # noqa: PLC0415 - only its place is asked

    def git(*words: str) -> subprocess.CompletedProcess[str]:
        env = {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}
        return subprocess.run(
            ["git", *words], cwd=HERE, capture_output=True, text=True, timeout=30, check=False, env=env
        )

    root = Path(triptych.__file__).parents[2]
    folder = (HERE / git("rev-parse", "--git-dir").stdout.strip()).resolve()
    # From the top: "src" alone would be looked for in this folder, where there is none, and nothing ever differ.
    said = git(f"--git-dir={folder}", f"--work-tree={root}", "status", "--porcelain", "--", ":/src")
    changed = said.returncode != 0 or bool(said.stdout.strip())
    return {"commit": git("rev-parse", "HEAD").stdout.strip() or None, "source_changed": changed}


def save(name: str, rows: Mapping[str, Any], quick: bool) -> None:
    """Write `results/NAME.json` with where and when; a quick run only prints and writes nothing."""
    document = {
        "date": datetime.now(UTC).isoformat(timespec="minutes"),
        **COMMIT,
        "machine": MACHINE,
        "packages": packages(),
        **rows,
    }
    if quick:
        print(json.dumps(document, indent=1))
        print("quick run: nothing was written")
        return
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    print(f"written: results/{name}.json")


@dataclass
class Usage:
    """What a process tree took."""

    wall: float
    cpu: float
    rss: float  # peak of the sum over the tree, MB
    heap: float  # peak of the sum of what no file backs, MB
    largest: float  # peak of a single process, MB
    stages: dict[str, dict[str, float]] = field(default_factory=dict)
    output: str = ""

    def row(self) -> dict[str, Any]:
        """For a result file."""
        return {
            "wall_seconds": round(self.wall, 2),
            "cpu_seconds": round(self.cpu, 2),
            "peak_memory_mb": round(self.rss),
            "peak_heap_mb": round(self.heap),
            "peak_single_process_mb": round(self.largest),
        }


class _Sampler(threading.Thread):
    """Sums memory over a process and its descendants every 50 ms until told to stop."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.samples: list[tuple[float, float, float, float]] = []
        self._pid, self._done = pid, threading.Event()

    def run(self) -> None:
        while not self._done.wait(EVERY):
            parts = [_memory(pid) for pid in _tree(self._pid)]
            rss = [part[0] for part in parts]
            if rss:
                self.samples.append((time.monotonic(), sum(rss), sum(part[1] for part in parts), max(rss)))

    def stop(self) -> None:
        self._done.set()
        self.join()


def _tree(root: int) -> list[int]:
    out, stack = [], [root]
    while stack:
        pid = stack.pop()
        out.append(pid)
        with suppress(OSError):
            for task in Path(f"/proc/{pid}/task").iterdir():
                with suppress(OSError):
                    stack += map(int, (task / "children").read_text().split())
    return out


def _memory(pid: int) -> tuple[float, float]:
    """Resident and unbacked memory of one process in MB."""
    rss = heap = 0.0
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                rss = int(line.split()[1]) / 1e3
            elif line.startswith("RssAnon:"):
                heap = int(line.split()[1]) / 1e3
    return rss, heap


def watch(command: Sequence[str], timeout: float, env: Mapping[str, str] | None = None) -> Usage:
    """Run a command, with its memory and CPU; its lines on standard error end stages.

    Raises:
        subprocess.TimeoutExpired, RuntimeError: it did not end well.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.monotonic()
    process = subprocess.Popen(
        list(command), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **(env or {})}
    )
    sampler = _Sampler(process.pid)
    sampler.start()
    marks: list[tuple[float, str]] = []
    said: list[str] = []
    assert process.stdout is not None
    assert process.stderr is not None
    readers = [
        threading.Thread(target=_read, args=(process.stderr, marks.append), daemon=True),
        threading.Thread(target=lambda pipe: said.append(pipe.read()), args=(process.stdout,), daemon=True),
    ]
    for reader in readers:
        reader.start()
    try:
        process.wait(timeout)
    except subprocess.TimeoutExpired:
        for pid in reversed(_tree(process.pid)):
            with suppress(OSError):
                os.kill(pid, 9)
        process.wait()
        raise
    finally:
        sampler.stop()
    wall = time.monotonic() - started
    for reader in readers:
        reader.join(10)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    if process.returncode:
        raise RuntimeError(f"exit {process.returncode}: " + "\n".join(line for _, line in marks[-20:]))
    peaks = [max((sample[i] for sample in sampler.samples), default=0.0) for i in (1, 2, 3)]
    return Usage(wall, cpu, *peaks, stages=_stages(sampler.samples, marks, started), output="".join(said))


def _read(pipe: IO[str], keep: Any) -> None:
    for line in pipe:
        keep((time.monotonic(), line.rstrip()))


def _stages(samples: list[Any], marks: list[tuple[float, str]], started: float) -> dict[str, dict[str, float]]:
    """Seconds and peak memory between the lines that say that a stage has ended."""
    out: dict[str, dict[str, float]] = {}
    begin = started
    ends = [(at, line.partition(":")[0]) for at, line in marks if line.endswith(" s") and " in " in line]
    for at, title in [*ends, (float("inf"), "rest")]:
        inside = [sample for sample in samples if begin <= sample[0] < at]
        if inside:
            last = min(at, samples[-1][0])
            name = title.partition(" of ")[0]
            out[name] = {
                "seconds": round(last - begin, 1),
                "peak_memory_mb": round(max(sample[1] for sample in inside)),
                "peak_heap_mb": round(max(sample[2] for sample in inside)),
            }
        begin = at
    return out


MACHINE, COMMIT = machine(), commit()  # when the run begins
