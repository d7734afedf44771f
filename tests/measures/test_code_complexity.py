"""Cyclomatic complexity: counts by hand, what is code and what is not, and agreement with the tools of the field."""

from __future__ import annotations

import ast
import importlib
import inspect

import pyarrow as pa
import pytest

from triptych.core.groups import everything
from triptych.core.registry import parse
from triptych.features.code import LONGEST, CodeComplexity, code_complexity, decisions, programs
from triptych.testing import make_rows
from triptych.testing.laws import fold

MODULES = (
    "textwrap",
    "bisect",
    "heapq",
    "fnmatch",
    "shlex",
    "csv",
    "statistics",
    "calendar",
    "configparser",
    "json.decoder",
)


def fenced(code: str, name: str = "python") -> str:
    return f"Here it is:\n\n```{name}\n{code}\n```\n\nThat is all."


@pytest.mark.parametrize(
    ("code", "want"),
    [
        ("x = 1", 1),
        ("def f(x):\n    return x", 1),
        ("if a:\n    b = 1", 2),
        ("if a:\n    b = 1\nelif c:\n    b = 2\nelse:\n    b = 3", 3),
        ("for x in xs:\n    print(x)", 2),
        ("for x in xs:\n    print(x)\nelse:\n    print(0)", 3),
        ("while a and b or c:\n    a = g()", 4),
        ("try:\n    g()\nexcept KeyError:\n    h()\nexcept ValueError:\n    h()\nelse:\n    i()\nfinally:\n    j()", 4),
        ("y = [x for row in m if row for x in row if x > 0 if x < 9]", 6),
        ("y = 1 if a else 2", 2),
        ("assert a and b", 3),
        ("k = lambda a, b: b if a else k", 2),
        ("match a:\n    case 1:\n        b = 1\n    case 2:\n        b = 2\n    case _:\n        b = 3", 3),
        ("try:\n    g()\nexcept* KeyError:\n    h()", 2),
        ("class A:\n    def f(self):\n        if self.x:\n            return 1\n    def g(self):\n        return 2", 2),
        ("async def f():\n    async for x in y:\n        await x", 2),
        ("def outer():\n    def inner(x):\n        return x if x else 0\n    return inner if inner else None", 3),
    ],
)
def test_counts_by_hand(code, want):
    assert code_complexity(fenced(code)) == want


def test_blocks_of_a_text_are_one_program():
    text = (
        fenced("if a:\n    b = 1")
        + "\nand\n"
        + fenced("for x in y:\n    print(x)", "py")
        + fenced("if [ 1 ]; then", "bash")
    )
    assert code_complexity(text) == 3


@pytest.mark.parametrize(
    "text",
    [
        "",
        "There is no code here.",
        "x = 5",
        "Yes",
        "if you want, for example",
        fenced("for (i = 0; i < 3; i++) {}", "javascript"),
        fenced("if x:\n  pass", "text"),
        fenced('{"a": 1, "b": [2, 3]}', ""),
        fenced("yes", ""),
        fenced("for (int i = 0; i < n; i++) sum += i;", ""),
        fenced("def f(:", "python"),
        fenced("print 'old'", "python"),
        fenced("x = 1\x00", "python"),
        fenced("(" * 500 + ")" * 500, "python"),
        fenced("x = " + "-" * 100_000 + "1", "python"),
        fenced("x = 1\n" * (LONGEST // 5), "python"),
        fenced("x = 1", "python") + fenced("def half(", "python"),
        fenced("", "python"),
        "```python\n",
    ],
)
def test_what_is_no_code_has_no_complexity(text):
    assert code_complexity(text) is None


@pytest.mark.parametrize(
    ("text", "want"),
    [
        (fenced("n = 3\nif n:\n    print(n)", ""), 2),
        (fenced("%pip install x\nimport x\n!ls -l\nif x:\n    x()"), 2),
        ("1. Do this:\n\n   ```python\n   if a:\n       b = 1\n   ```\n", 2),
        ("~~~python\nif a:\n    b = 1\n~~~", 2),
        ("````python\ns = '```'\nif a:\n    b = 1\n````", 2),
        ("def f(x):\n    if x:\n        return 1\n    return 2", 2),
        ("```python\nif a:\n    b = 1", 2),
        (fenced("s = '\\d'\nt = 'x' is 'x'"), 1),
        (fenced("s = '''\n%d items\n''' % 3 if a else b"), 2),
    ],
)
def test_what_is_code(text, want):
    assert code_complexity(text) == want


def functions():
    """Functions without inner ones of modules of the standard library: (source of the function, nodes of its body)."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    for name in MODULES:
        source = inspect.getsource(importlib.import_module(name))
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, kinds):
                inner = [item for child in node.body for item in ast.walk(child)]
                if not any(isinstance(item, (*kinds, ast.ClassDef)) for item in inner):
                    yield node, inner


def test_radon_counts_alike():
    """Equal on every function of the modules that asserts nothing with an operator: radon does not look into asserts."""
    visitors = pytest.importorskip("radon.visitors")
    compared = 0
    for node, inner in functions():
        if any(isinstance(item, ast.Assert) for item in inner):
            continue
        visitor = visitors.ComplexityVisitor()
        visitor.visit(ast.Module(body=[node], type_ignores=[]))
        assert 1 + sum(map(decisions, inner)) == visitor.functions[0].complexity, node.name
        compared += 1
    assert compared > 150


def test_mccabe_counts_alike_where_it_counts_at_all():
    """mccabe draws a graph of statements: it sees neither `and` / `or` nor conditional expressions nor comprehensions."""
    mccabe = pytest.importorskip("mccabe")
    blind = (ast.BoolOp, ast.IfExp, ast.comprehension, ast.Assert, ast.Try, ast.Match, ast.Lambda, ast.With)
    compared = 0
    for node, inner in functions():
        loops = [item for item in inner if isinstance(item, (ast.For, ast.While))]
        if any(isinstance(item, blind) for item in inner) or any(loop.orelse for loop in loops):
            continue
        visitor = mccabe.PathGraphingAstVisitor()
        visitor.preorder(ast.Module(body=[node], type_ignores=[]), visitor)
        (graph,) = visitor.graphs.values()
        assert 1 + sum(map(decisions, inner)) == graph.complexity(), node.name
        compared += 1
    assert compared > 60


def slow(tree: ast.AST) -> int:
    """The decisions, by walking down with one rule a line."""
    own = {
        ast.If: lambda _: 1,
        ast.IfExp: lambda _: 1,
        ast.Assert: lambda _: 1,
        ast.For: lambda node: 2 if node.orelse else 1,
        ast.While: lambda node: 2 if node.orelse else 1,
        ast.AsyncFor: lambda node: 2 if node.orelse else 1,
        ast.Try: lambda node: len(node.handlers) + (1 if node.orelse else 0),
        ast.BoolOp: lambda node: len(node.values) - 1,
        ast.comprehension: lambda node: 1 + len(node.ifs),
    }.get(type(tree), lambda _: 0)
    return own(tree) + sum(slow(child) for child in ast.iter_child_nodes(tree))


@pytest.mark.parametrize("name", MODULES)
def test_whole_modules_against_the_slow_walk(name):
    source = inspect.getsource(importlib.import_module(name))
    tilde = f"~~~python\n{source}\n~~~"
    assert len(programs(tilde) or ()) == 1
    assert code_complexity(tilde) == 1 + slow(ast.parse(source))


def test_the_column_and_its_measure():
    texts = [fenced("if a:\n    b = 1"), None, "prose", fenced("x = 1")]
    feature = CodeComplexity()
    column = feature.compute(pa.RecordBatch.from_arrays([pa.array(texts)], ["response"]))["code_complexity@response"]
    assert column.to_pylist() == [2, None, None, 1]
    assert column.type == pa.int32()
    records = [{"response": "x", "code_complexity@response": count} for count in column.to_pylist()]
    (measure,) = parse(["code_complexity"])
    assert measure.value(fold(measure.statistic(), make_rows(records)), everything()) == 1.5
