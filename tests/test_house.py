"""Rules of the house that a linter does not know."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

import triptych

PACKAGE = Path(triptych.__file__).parent
REPO = Path(__file__).parent.parent
SOURCES = sorted(PACKAGE.rglob("*.py"))
NAMES = [str(path.relative_to(PACKAGE)) for path in SOURCES]

FILE_LINES = 600
FUNCTION_LINES = 80

# What must not stand in the sources: pattern and why.
BANNED = (
    (r"\b(?:TODO|FIXME|XXX)\b", "a task is done or written down elsewhere"),
    (r"\bNotImplementedError\b", "abstract methods say so; everything else is there or is not"),
    (r"\bpickle\.(?:dump|load)\(|\.to_pickle\(|\bjoblib\b", "pickle is no file format"),
    (
        r"\b(?:np\.random|random)\.seed\(|\bnp\.random\.(?:rand|randn|randint|choice|shuffle|permutation)\(",
        "global randomness",
    ),
    (r"(?:^|\s)random\.(?:random|choice|choices|shuffle|sample|randint|uniform)\(", "global randomness"),
    (r"\bseed \+ \w", "seeds are not added: use core.rng.stream"),
    (r"except Exception:\s*\n\s*(?:pass|return 0)", "failure never becomes a number"),
)


def functions(tree):
    return [node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]


def test_the_version_stands_in_one_place():
    project = tomllib.loads((REPO / "pyproject.toml").read_text())
    assert "version" in project["project"]["dynamic"]
    assert (REPO / project["tool"]["hatch"]["version"]["path"]).read_text().count(f'"{triptych.__version__}"') == 1
    others = [
        path for path in SOURCES if path.name != "_version.py" and f'"{triptych.__version__}"' in path.read_text()
    ]
    assert not others
    assert version("triptych") == triptych.__version__


def test_data_files_are_shipped():
    assert (PACKAGE / "py.typed").is_file()
    build = tomllib.loads((REPO / "pyproject.toml").read_text())["tool"]["hatch"]["build"]
    for pattern in build["artifacts"]:
        assert list(REPO.glob(pattern)), pattern


@pytest.mark.slow
def test_the_wheel_holds_everything(tmp_path):
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    made = subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stdout + made.stderr
    (wheel,) = tmp_path.glob("*.whl")
    listed = subprocess.run(
        [sys.executable, "-m", "zipfile", "-l", str(wheel)], capture_output=True, text=True, check=True
    )
    files = {line.split()[0] for line in listed.stdout.splitlines()[1:]}
    for path in PACKAGE.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            assert f"triptych/{path.relative_to(PACKAGE).as_posix()}" in files
    assert any(name.endswith("licenses/LICENSE") for name in files)


@pytest.mark.parametrize("path", SOURCES, ids=NAMES)
def test_sources_fit_in_the_head(path):
    text = path.read_text()
    assert len(text.splitlines()) < FILE_LINES
    for node in functions(ast.parse(text)):
        assert (node.end_lineno or 0) - node.lineno + 1 < FUNCTION_LINES, node.name


@pytest.mark.parametrize("path", SOURCES, ids=NAMES)
def test_public_things_say_what_they_are(path):
    tree = ast.parse(path.read_text())
    bodies = [tree, *(node for node in tree.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_"))]
    for body in bodies:
        for node in body.body:
            public = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and node.name[0] != "_"
            overload = public and any("overload" in ast.unparse(mark) for mark in node.decorator_list)
            overridden = public and any("override" in ast.unparse(mark) for mark in node.decorator_list)
            assert not public or overload or overridden or ast.get_docstring(node), node.name


@pytest.mark.parametrize("path", SOURCES, ids=NAMES)
def test_nothing_banned(path):
    text = path.read_text()
    for pattern, why in BANNED:
        found = re.search(pattern, text, re.MULTILINE)
        assert not found, f"{found and found[0]!r}: {why}"


def help_of(*command):
    done = subprocess.run(
        [sys.executable, "-m", "triptych.cli", *command, "--help"], capture_output=True, text=True, check=False
    )
    return done.stdout if done.returncode == 0 else None


def commands_in(text):
    """The commands `triptych VERB ..` in the shell blocks of a Markdown text, as lists of words."""
    blocks = re.findall(r"```(?:sh|bash|console)\n(.*?)```", text, re.DOTALL)
    lines = [line.split("#")[0].removeprefix("$ ").split() for block in blocks for line in block.splitlines()]
    return [words[1:] for words in lines if words[:1] == ["triptych"]]


def test_the_readme_names_commands_that_are_there():
    commands = commands_in((REPO / "README.md").read_text())
    assert {words[0] for words in commands} >= {"measure", "demo", "list", "explain", "check"}
    helps = {words[0]: help_of(words[0]) for words in commands}
    for words in commands:
        text = helps[words[0]]
        assert text is not None, f"triptych {words[0]} is not a command"
        for option in (word for word in words[1:] if word.startswith("-")):
            assert re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", text), f"triptych {words[0]} has no {option}"


def test_the_readme_check_can_fail():
    assert commands_in("```sh\n$ triptych nothing x --flag  # no\nls\n```") == [["nothing", "x", "--flag"]]
    assert help_of("nothing") is None


def test_the_readme_names_make_targets_that_are_there():
    text = (REPO / "README.md").read_text() + (REPO / "CONTRIBUTING.md").read_text()
    targets = set(re.findall(r"^([\w-]+):", (REPO / "Makefile").read_text(), re.MULTILINE))
    wanted = set(re.findall(r"(?:`|^)make ([\w-]+)", text, re.MULTILINE))
    assert {"demo", "test"} <= wanted <= targets


def test_links_in_the_docs_lead_somewhere():
    for page in [*REPO.glob("*.md"), *(REPO / "design").glob("*.md"), *(REPO / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#\s]+)\)", page.read_text()):
            assert "://" in target or (page.parent / target).exists(), f"{page.name}: {target}"
