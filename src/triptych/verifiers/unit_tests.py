"""Python unit tests: the response's program passes the tests of its row, in a sandbox.

The program is the last code fence that defines what is tested, or the whole response; where it goes on from a prompt
that begins the function (as in HumanEval, Chen et al. 2021, arXiv 2107.03374), the prompt is put before it. Tests are
sources: asserts, a `check(candidate)` with the row's `entry_point`, `test_*` functions or unittest's TestCase classes.

A program that loops, forks, eats memory, writes outside its folder or opens a socket is stopped and has failed, with
the reason. Where the walls that hold it cannot be built there is no verdict, unless walls=python says that an audit
hook is enough. What they hold against, and what not: `sandbox` and `_inside`.

Worked example: the row {"tests": ["assert add(1, 2) == 3"]} and the response "def add(a, b): return a + b": 1.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from triptych.core.estimate import Undefined
from triptych.verifiers.jsontext import fenced
from triptych.verifiers.sandbox import KERNEL_WALLS, Job, Limits, run
from triptych.verifiers.verifier import RIGHT, Judgement, Verdict, Verifier, check_positive, first_field

FIELDS = ("tests", "test", "test_list", "unit_tests")
SETUP = ("test_setup_code", "test_imports")
_OPEN_FENCE = re.compile(r"^[ \t]*```[ \t]*(?:python|py)?3?[ \t]*\n(.*)", re.DOTALL | re.MULTILINE | re.IGNORECASE)


@dataclass(frozen=True)
class UnitTests(Verifier):
    """1 where the program passes all tests of the row, else 0; or the share of tests that it passes.

    Attributes:
        field: of the row that holds the tests, a source or a list of them; empty: `tests`, `test`, `test_list`.
        timeout: seconds of processor time for the program and all its tests; three times that and 2 by the clock.
        memory: MiB of address space.
        disk: MiB in its folder.
        share: whether the verdict is the share of tests that it passes.
        walls: `kernel`: nothing runs where the kernel does not hold it; `python`: limits and an audit hook will do.
    """

    name: ClassVar[str] = "unit_tests"

    field: str = ""
    timeout: float = 5.0
    memory: int = 1024
    disk: int = 64
    share: bool = False
    walls: Literal["kernel", "python"] = "kernel"

    def __post_init__(self) -> None:
        """Check the parameters.

        Raises:
            ValueError: one is out of range.
        """
        check_positive(self, "timeout", "memory", "disk")

    def lacks(self, row: Mapping[str, Any]) -> str:
        """What the row lacks to be graded by, in words; empty where it lacks nothing."""
        field = self.field or first_field(row, FIELDS)
        tests = _sources(row.get(field))
        if not tests:
            return f'tests in "{field or FIELDS[0]}"'
        for source in [*tests, *_setup(row)]:
            try:
                ast.parse(source)
            except (SyntaxError, ValueError) as error:
                return f"tests that compile ({error}: {source.strip().splitlines()[0][:60]})"
        return ""

    def verify(self, row: Mapping[str, Any], response: str) -> Judgement:
        """Grade one response."""
        lacking = self.lacks(row)
        if lacking:
            return Undefined(f"the row lacks {lacking}")
        entry_point = str(row.get("entry_point") or "")
        program = program_of(response, str(row.get("prompt") or ""), entry_point)
        if not program.strip():
            return Verdict(0.0, "no code")
        field = self.field or first_field(row, FIELDS)
        tests = tuple(_sources(row.get(field)))
        source = "\n".join([*_setup(row), program])
        limits = Limits(self.timeout, self.memory, self.disk, kernel=self.walls == "kernel")
        outcome = run(Job(source, tests, entry_point), limits)
        missing = [wall for wall in KERNEL_WALLS if limits.kernel and wall not in outcome.walls]
        if missing:
            return Undefined(
                f"no sandbox: this machine does not give {' and '.join(missing)} (walls=python does without)"
            )
        if not outcome.started:
            return Undefined("the program was not run: Python did not start within the limits (memory, timeout)")
        if not outcome.reason:
            return RIGHT
        told = outcome.told or {}
        passed = told.get("passed", 0) / max(1, told.get("total", 1))
        return Verdict(passed if self.share else 0.0, outcome.reason, str(told.get("detail", "")))


def program_of(response: str, prompt: str = "", entry_point: str = "") -> str:
    """The program in a response.

    Args:
        response: with code fences, or all code.
        prompt: put before code that goes on from it.
        entry_point: name of the function that is tested, where it is known.
    """
    blocks = fenced(response)
    if not blocks:
        unclosed = _OPEN_FENCE.search(response)
        blocks = [unclosed[1]] if unclosed else [response]
    wanted = rf"^\s*(?:async\s+)?(?:def|class)\s+{re.escape(entry_point) if entry_point else ''}"
    wanted += r"\b" if entry_point else r"\w"
    fitting = [block for block in blocks if re.search(wanted, block, re.MULTILINE)]
    code = (fitting or blocks)[-1]
    begun = entry_point and not fitting and re.search(wanted, prompt, re.MULTILINE)
    return f"{prompt}{code}" if begun else code


def _sources(value: Any) -> list[str]:
    """Sources of tests: a list of them, or one; asserts alone, each on its line, are one each."""
    listed = value if isinstance(value, (list, tuple)) else [value]
    sources = [source for source in listed if isinstance(source, str) and source.strip()]
    if len(sources) == 1:
        lines = [line for line in sources[0].splitlines() if line.strip()]
        if all(line.startswith("assert ") for line in lines) and _compile(lines):
            return lines
    return sources


def _compile(sources: list[str]) -> bool:
    try:
        for source in sources:
            ast.parse(source)
    except SyntaxError:
        return False
    return True


def _setup(row: Mapping[str, Any]) -> list[str]:
    return [source for field in SETUP for source in _sources(row.get(field))]
