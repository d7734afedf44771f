"""Formulas compared by math-verify, in a process of its own.

A formula may be a bomb: `9^{9^{9^9}}` is a number that no memory holds, and the library's own time limit cannot break
into it. So the comparison runs apart, with a limit on memory, and is killed when one pair takes too long; it goes on
behind that pair.
"""

from __future__ import annotations

import importlib.util
import json
import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from triptych.core.errors import MissingExtraError, message

WORKER = Path(__file__).with_name("_latex_worker.py")
MEMORY = 2048
"""MiB of address space for the worker."""
START = 60.0
"""Seconds that the worker may take to load the library."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two answers to compare.

    Attributes:
        gold: the right one.
        said: the response's answer, or the whole response.
        whole: whether it is the whole response, in which the library is to find the answer.
    """

    gold: str
    said: str
    whole: bool = False


def installed() -> bool:
    """Whether math-verify is there."""
    return importlib.util.find_spec("math_verify") is not None


def need_library() -> None:
    """Nothing where math-verify is installed.

    Raises:
        MissingExtraError: it is not.
    """
    if not installed():
        what = "verifier number: the answer of a row is a formula, and math-verify is not installed."
        raise MissingExtraError(message(what, want="the extra verify", hint="pip install 'triptych[verify]'"))


def compare(pairs: Sequence[Pair], timeout: float) -> list[bool | str]:
    """Whether the two of each pair are equal, or why that is not known.

    Args:
        pairs: what is compared.
        timeout: seconds for one pair.
    """
    if pairs and not installed():
        return ["a formula is compared with the extra verify only"] * len(pairs)
    out: list[bool | str] = []
    while len(out) < len(pairs):
        before = len(out)
        why = _run(pairs[before:], timeout, out)
        if len(out) < len(pairs):  # it stopped at the next pair, and begins anew behind it
            out.append(why)
    return out


def _run(pairs: Sequence[Pair], timeout: float, out: list[bool | str]) -> str:
    """One worker over these pairs; it adds what it found to `out`. Gives why it stopped."""
    with tempfile.TemporaryDirectory(prefix="triptych-") as folder:
        asked = Path(folder) / "pairs.json"
        asked.write_text(json.dumps([asdict(pair) for pair in pairs]))
        # -P: the folder of this file is not searched for modules, in which `number` is not the library's.
        command = [sys.executable, "-P", str(WORKER), str(asked), str(MEMORY)]
        process = subprocess.Popen(  # noqa: S603 - our own file
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, cwd=folder
        )
        with process:
            try:
                return _read(process, len(pairs), timeout, out)
            finally:
                process.kill()


def _read(process: subprocess.Popen[bytes], wanted: int, timeout: float, out: list[bool | str]) -> str:
    """Read the worker's lines, each within its time: the first says that it is ready."""
    if process.stdout is None:
        raise ValueError("the worker has no standard output")
    pipe = process.stdout.fileno()
    held, ready, got, until = b"", False, 0, time.monotonic() + START
    while got < wanted:
        left = until - time.monotonic()
        if left <= 0 or not select.select([pipe], [], [], left)[0]:
            limit = timeout if ready else START
            return f"the comparison took longer than {limit:g} seconds"
        data = os.read(pipe, 65536)
        if not data:
            return "the comparison ran out of memory or crashed"
        *lines, held = (held + data).split(b"\n")
        for line in lines:
            if ready:
                out.append(json.loads(line))
                got += 1
            ready = True
        until = time.monotonic() + timeout
    return ""
