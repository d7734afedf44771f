"""Imports run one way, and optional packages are loaded by the one module that owns them."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import triptych

ROOT = Path(triptych.__file__).parent

# A package may import every package on a line above its own, never one on its own line.
LINES = (
    ("_version",),
    ("core",),
    ("data",),
    ("endpoints", "language", "neighbours"),
    ("annotating", "features", "statistics", "measures", "selectors", "relations", "verifiers"),
    ("engines",),
    ("profiling",),
    ("selecting",),
    ("auditing", "comparing", "worlds"),
    ("guarding", "generating"),
    ("studies",),
    ("looping", "attributing"),
    ("api",),
    ("cli",),
)

# What else is allowed: (who, whom).
ALSO = {
    ("measures", "statistics"),  # a measure names the statistic it reads
    ("testing", "core"),
    ("testing", "engines"),
    ("testing", "relations"),
    ("testing", "selectors"),
    ("report", "core"),  # a page needs its document and nothing else
    ("api", "report"),
    ("cli", "report"),
    ("cli", "testing"),
    ("triptych", "_version"),
    ("triptych", "api"),  # by lazy access, see the package's __getattr__
    ("triptych", "core"),
}

ASIDE = {"testing", "report", "triptych"}

# The core stands on these alone.
CORE_NEEDS = {"numpy", "pyarrow", "triptych"}

# Never imported when a module of triptych is imported; inside a function only, in the module that owns the package.
NOT_AT_IMPORT = {
    *(
        "torch",
        "ray",
        "transformers",
        "trl",
        "peft",
        "accelerate",
        "sentence_transformers",
        "reasoning_gym",
        "xllamacpp",
    ),
    *("sklearn", "pandas", "statsmodels", "datasets", "duckdb", "faiss", "math_verify", "sympy", "jsonschema"),
}
ONLY_IN = {"ray": "engines/ray.py"}

SECONDS = 0.8


def files() -> list[Path]:
    return sorted(ROOT.rglob("*.py"))


def package(path: Path) -> str:
    parts = path.relative_to(ROOT).parts
    return "triptych" if parts == ("__init__.py",) else parts[0].removesuffix(".py")


def imported(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and dotted name of every import, in functions too. `from triptych import api` is `triptych.api`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: relative import"
            if node.module == "triptych":
                yield from ((node.lineno, f"triptych.{alias.name}") for alias in node.names)
            else:
                yield node.lineno, node.module or ""


def at_import(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements that run when the module is imported."""
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, (ast.If, ast.Try, ast.With, ast.ClassDef)):
            yield from at_import([child for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt)])
        yield node


def allowed(who: str, whom: str) -> bool:
    if who == whom or (who, whom) in ALSO:
        return True
    level = {name: place for place, line in enumerate(LINES) for name in line}
    return who in level and whom in level and level[whom] < level[who]


def test_every_package_has_its_place():
    known = {name for line in LINES for name in line} | ASIDE
    assert {package(path) for path in files()} <= known


def test_the_line_forbids_what_it_should():
    assert allowed("engines", "core")
    assert allowed("measures", "statistics")
    for who, whom in (
        ("core", "data"), ("statistics", "measures"), ("features", "relations"), ("engines", "worlds"),
        ("report", "data"), ("engines", "testing"), ("worlds", "comparing"), ("api", "cli"), ("data", "triptych"),
    ):  # fmt: skip
        assert not allowed(who, whom), (who, whom)


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_run_one_way(path):
    who = package(path)
    wrong = [
        f"line {line}: {who} imports {name}"
        for line, name in imported(ast.parse(path.read_text()))
        if name.split(".")[0] == "triptych" and "." in name and not allowed(who, name.split(".")[1])
    ]
    assert not wrong


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_heavy_packages_are_not_loaded_at_import(path):
    tree = ast.parse(path.read_text())
    here = str(path.relative_to(ROOT))
    early = {name.split(".")[0] for node in at_import(tree.body) for _, name in direct(node)}
    assert not early & NOT_AT_IMPORT
    for heavy, home in ONLY_IN.items():
        assert here == home or heavy not in {name.split(".")[0] for _, name in imported(tree)}


def direct(node: ast.stmt) -> Iterator[tuple[int, str]]:
    return imported(node) if isinstance(node, (ast.Import, ast.ImportFrom)) else iter(())


def test_the_core_needs_little():
    standard = sys.stdlib_module_names
    for path in files():
        if package(path) == "core":
            names = {name.split(".")[0] for _, name in imported(ast.parse(path.read_text()))}
            assert names - standard <= CORE_NEEDS, path


def loaded(code: str) -> tuple[float, set[str]]:
    """CPU seconds that the code takes in a new interpreter, and the top-level packages it has loaded."""
    script = (
        f"import time; t = time.process_time(); {code}; s = time.process_time() - t; import sys; print(s, *sys.modules)"
    )
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    return float(out[0]), {name.split(".")[0] for name in out[1:]}


def test_import_is_fast_and_light():
    runs = [loaded("import triptych") for _ in range(3)]
    best = min(seconds for seconds, _ in runs)
    print(f"\nimport triptych: {best:.3f} CPU s, best of 3")
    assert best < SECONDS
    assert not runs[0][1] & (NOT_AT_IMPORT | {"scipy", "numpy", "pyarrow"})


def test_the_verbs_load_nothing_heavy():
    seconds, names = loaded("import triptych; triptych.measure")
    print(f"\ntriptych.measure: {seconds:.3f} CPU s")
    assert not names & NOT_AT_IMPORT
