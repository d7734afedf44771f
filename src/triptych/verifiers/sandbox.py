"""A sandbox for Python programs that nobody has read: how it is started, watched, ended and read out.

What holds on Linux (kernel 6.7 or newer, user namespaces allowed): see `_inside`, which builds the walls, of which the
kernel's (landlock, seccomp) must stand, or nothing is run. Elsewhere there are the limits and the audit hook of
`_harness`, which a determined program gets around: one must ask for that.

A program is killed with its whole process group, and with its process namespace where it has one.

What it does not hold against: a program that searches its own interpreter for the harness can claim to have passed,
and one whose objects call themselves equal to everything passes tests that compare with them.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import site
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO, Any

_HERE = Path(__file__).parent
_SYSTEM = ("/usr", "/lib", "/lib64", "/lib32", "/bin", "/etc")
_READ = 2**20
KERNEL_WALLS = ("landlock", "seccomp")


@dataclass(frozen=True, slots=True)
class Limits:
    """What a program may use.

    Attributes:
        seconds: of processor time; three times as much and 2 seconds by the clock.
        memory: MiB of address space.
        disk: MiB in its folder; a quarter of it for one file.
        kernel: whether walls of the kernel must stand.
    """

    seconds: float = 5.0
    memory: int = 1024
    disk: int = 64
    kernel: bool = True

    @property
    def wall(self) -> float:
        """Seconds by the clock."""
        return 3 * self.seconds + 2


@dataclass(frozen=True, slots=True)
class Job:
    """A program and the tests of it: sources, and the name of what a test named `check` is given."""

    program: str
    tests: tuple[str, ...]
    entry_point: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a program ended.

    Attributes:
        walls: those that stood; empty where the launcher did not come so far.
        started: whether the harness began: where it did not, the program was not run.
        told: what the harness told at its end: reason, detail, passed, total; None where it did not.
        code: exit code of the program, 128 and the signal where one ended it; None where it was killed for its time.
    """

    walls: tuple[str, ...]
    started: bool
    told: dict[str, Any] | None
    code: int | None

    @property
    def reason(self) -> str:
        """Why it did not pass, in a few words; empty where it told that it did."""
        if self.told is not None:
            return str(self.told["reason"])
        if self.code is None or self.code in (128 + signal.SIGXCPU, 128 + signal.SIGKILL):
            return "out of time"
        return "crashed" if self.code > 128 else "ended before its tests did"


def run(job: Job, limits: Limits) -> Outcome:
    """Run a program and its tests in the sandbox, to its end or to that of its time."""
    nonce = secrets.token_hex(16)
    with tempfile.TemporaryDirectory(prefix="triptych-") as above, tempfile.TemporaryFile() as result:
        folder = Path(above) / "folder"
        folder.mkdir(mode=0o700)
        plan = Path(above) / "plan.json"
        plan.write_text(json.dumps(_plan(folder, limits)))
        task: dict[str, Any] = {
            "program": job.program,
            "tests": job.tests,
            "entry_point": job.entry_point,
            "folder": str(folder),
        }
        task |= {"nonce": nonce, "result": result.fileno()}
        code = _watch(plan, result, json.dumps(task).encode(), limits.wall)
        return _read(result, nonce, code)


def _watch(plan: Path, result: IO[bytes], task: bytes, wall: float) -> int | None:
    """Start the launcher, and end all of it when it ends or when its time does. Its exit code, None for the latter."""
    process = subprocess.Popen(  # noqa: S603 - our own file
        [sys.executable, "-I", "-S", "-B", str(_HERE / "_inside.py"), str(plan), str(result.fileno())],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=(result.fileno(),),
        start_new_session=True,
        env=_environment(str(plan.parent)),
    )
    with process:
        try:
            process.communicate(task, wall)
        except subprocess.TimeoutExpired:
            return None
        finally:
            _kill(process.pid)
    return process.returncode


def _kill(group: int) -> None:
    """Kill a process group: the program, and what it started."""
    try:
        os.killpg(group, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):  # none is left (or, on macOS, only one that is not reaped yet)
        return


def _read(result: IO[bytes], nonce: str, code: int | None) -> Outcome:
    """The result's lines: the launcher's first, then the harness's. A program may have written others between."""
    result.seek(0)
    parsed = [_loads(line) for line in result.read(_READ).splitlines()]
    lines = [line for line in parsed if isinstance(line, dict)]
    walls = lines[0].get("walls", []) if lines else []
    started = any(line.get("started") == nonce for line in lines)
    told = next((line for line in lines if line.get("nonce") == nonce), None)
    return Outcome(tuple(walls), started, told, code)


def _loads(line: bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _plan(folder: Path, limits: Limits) -> dict[str, Any]:
    """What the launcher is told."""
    command = [sys.executable, "-s", "-P", "-B", "-c", (_HERE / "_harness.py").read_text()]
    return {
        "folder": str(folder),
        "command": command,
        "environment": _environment(str(folder)),
        "readable": _readable(),
        "seconds": limits.seconds,
        "wall": limits.wall,
        "memory": limits.memory,
        "file_size": max(1, limits.disk // 4),
        "disk": limits.disk,
        "kernel": limits.kernel,
    }


@cache
def _readable() -> list[str]:
    """Folders that a Python program reads: Python's own, and the system's libraries."""
    own: Sequence[str] = (sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix, *site.getsitepackages())
    return sorted({*own, *_SYSTEM} - {"/"})


def _environment(home: str) -> dict[str, str]:
    """The environment of a program: nothing of ours, one thread for numeric libraries, hashes that are always the same."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    fixed = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "PYTHONHASHSEED": "0", "PYTHONUTF8": "1"}
    return {"HOME": home, "TMPDIR": home, **fixed, **threads}
