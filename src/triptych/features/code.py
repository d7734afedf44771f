"""Cyclomatic complexity of the Python code in a text.

McCabe 1976, "A complexity measure": one more than the number of decisions. Counted by the rules of radon, the common tool
for Python: `if`, `elif` and a conditional expression 1, a loop 1 and 1 more with an `else`, each `except` 1 and a `try`
with an `else` 1 more, each operator of `and` / `or` 1, each `for` and each `if` of a comprehension 1, `assert` 1, each
`case` 1 but for a bare `_`. Functions and classes add their own decisions; a lambda, `with` and `return` add none. Other
than radon it also reads `except*`, the condition of an `assert`, default values and decorators.

All Python blocks of a text are one program: 1 + all decisions. A block counts when its fence says python (py, python3,
ipython), or says nothing while it parses and does more than state a value (an assignment, call, loop, definition ..). A text
without fences is code when all of it is such a program and a line begins as one ("def", "import", "for", "print("): "x = 5"
answers an equation. A block that says python and cannot be parsed makes the whole text null: half a program has no
complexity. Lines that a notebook reads for itself ("%pip", "!ls") are passed over. Blocks of
more than 200,000 characters are not parsed.

Nothing is run. Other languages have none. Confounded by the length of the code, and by style: a comprehension and a loop
count alike, a table of cases counts nothing.
"""

from __future__ import annotations

import ast
import dataclasses
import re
import textwrap
import warnings
from collections.abc import Mapping
from typing import Literal

import pyarrow as pa

from triptych.core.feature import Feature

LONGEST = 200_000
_FENCE = re.compile(r"^[ \t]*(`{3,}|~{3,})[ \t]*([\w+#.-]*)[^\n]*\n(.*?)(?:^[ \t]*\1|\Z)", re.DOTALL | re.MULTILINE)
_PYTHON = frozenset({"python", "py", "python3", "ipython", "ipython3"})
_NOTEBOOK = re.compile(r"^([ \t]*)[%!].*$", re.MULTILINE)
_SIGN = re.compile(r"^(?:def |class |import |from \w|for |while |if |try:|with |async |@\w|print\()", re.MULTILINE)
_DOES = (
    ast.Assign,
    ast.AugAssign,
    ast.AnnAssign,
    ast.Call,
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.ClassDef,
    ast.For,
)
_DOES_MORE = (
    ast.While,
    ast.If,
    ast.Import,
    ast.ImportFrom,
    ast.With,
    ast.Try,
    ast.comprehension,
    ast.Lambda,
    ast.Assert,
)


def decisions(node: ast.AST) -> int:
    """Decisions of one node of the syntax tree, without those of its children."""
    if isinstance(node, (ast.If, ast.IfExp, ast.Assert)):
        return 1
    if isinstance(node, (ast.For, ast.AsyncFor, ast.While)):
        return 1 + bool(node.orelse)
    if isinstance(node, (ast.Try, ast.TryStar)):
        return len(node.handlers) + bool(node.orelse)
    if isinstance(node, ast.BoolOp):
        return len(node.values) - 1
    if isinstance(node, ast.comprehension):
        return 1 + len(node.ifs)
    if isinstance(node, ast.Match):
        return len(node.cases) - any(map(_catches_all, node.cases))
    return 0


def _catches_all(case: ast.match_case) -> bool:
    """Whether a case is a bare `_` or a bare name."""
    return isinstance(case.pattern, ast.MatchAs) and case.pattern.pattern is None


def parsed(code: str) -> ast.Module | None:
    """The syntax tree, or None for what is no Python: read as it stands, moved to the margin, without notebook lines."""
    if len(code) > LONGEST:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "\d" in a string that is not raw warns, and is no affair of ours
        for form in (code, textwrap.dedent(code), _NOTEBOOK.sub(r"\1pass", textwrap.dedent(code))):
            try:
                return ast.parse(form)
            except (SyntaxError, ValueError, RecursionError, MemoryError):  # null bytes; nested beyond the parser
                continue
    return None


def _does(tree: ast.Module) -> bool:
    """Whether code does more than state a value: `{"a": 1}` and `yes` parse, and are no programs."""
    return any(isinstance(node, (*_DOES, *_DOES_MORE)) for node in ast.walk(tree))


def programs(text: str) -> list[ast.Module] | None:
    """The syntax trees of the Python blocks of a text; None where there is none or one cannot be parsed."""
    found = []
    for _, name, code in _FENCE.findall(text) if "```" in text or "~~~" in text else ():
        if name and name.lower() not in _PYTHON:
            continue
        tree = parsed(code)
        if tree is None and name:
            return None
        if tree is not None and (name or _does(tree)) and tree.body:
            found.append(tree)
    if not found and "```" not in text and _SIGN.search(text):
        whole = parsed(text)
        found = [whole] if whole is not None and _does(whole) else []
    return found or None


def code_complexity(text: str) -> int | None:
    """Cyclomatic complexity of the Python code in a text; None where there is none.

    >>> code_complexity("import os; print(1 if os.name else 2)")
    2
    >>> code_complexity("There is no code here.") is None
    True
    """
    trees = programs(text)
    return None if trees is None else 1 + sum(decisions(node) for tree in trees for node in ast.walk(tree))


@dataclasses.dataclass(frozen=True)
class CodeComplexity(Feature):
    """`code_complexity@on` int32: cyclomatic complexity of the Python code of the text; null where there is none."""

    on: Literal["response", "prompt"] = "response"

    @property
    def needs(self) -> tuple[str, ...]:
        """The text."""
        return (self.on,)

    @property
    def gives(self) -> tuple[str, ...]:
        """One count."""
        return (f"code_complexity@{self.on}",)

    def compute(self, batch: pa.RecordBatch) -> Mapping[str, pa.Array]:
        """The count of each record."""
        texts: list[str | None] = batch.column(self.on).to_pylist()
        found = [None if text is None else code_complexity(text) for text in texts]
        return {self.gives[0]: pa.array(found, type=pa.int32())}
