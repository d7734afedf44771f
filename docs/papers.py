"""What docs/papers.md says: every work that the source cites, and the files that cite it.

Read from docstrings and from the sources that measures declare; nothing is added. Years and names stand as they are written
there, titles only where a docstring quotes them.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

IDENTIFIER = re.compile(
    r"(?<![\d.])(?:(?P<long>\d\d(?:0[1-9]|1[0-2])\.\d{5})"
    # Before 2015 numbers had four digits, as many a plain number has: only where it can be nothing else.
    r"|(?:(?<=arXiv )|(?<=20\d\d, ))(?P<short>(?:0[7-9]|1[0-4])(?:0[1-9]|1[0-2])\.\d{4}))(?!\d|\.\d)"
)
_NAME = r"(?:(?:van|von|de|der|di|Van|De) )?[A-Z][^\W\d_][\w’'-]*"
WORK = re.compile(
    rf"(?<![\w-])(?P<who>{_NAME}(?:(?:, {_NAME})*,? (?:and|&) {_NAME}| et al\.)?),? \(?(?P<year>1[89]\d\d|20[0-2]\d)\)?"
    rf'(?![\d.%]*\d)(?:,? \(?"(?P<title>[^"]+)")?'
)
NO_AUTHORS = frozenset(
    "January February March April May June July August September October November December In Since Of Apache Python "
    "arXiv Xiv ICML NEJSDS Simula Ecology".split()
)
"""Words that stand before a year and wrote nothing there."""

BETWEEN = re.compile(r'"?\)?[,:]? ?\(?(?:[A-Z][\w-]*,? )?\(?(?:arXiv )?')
"""What may stand between authors with a year and the number of their paper: "(arXiv ", "(QDIT, arXiv "."""

CALLED = re.compile(r"(?<![\w-])(?P<name>[A-Z][\w-]*[A-Z][\w-]*|[A-Z][a-z]+ & [A-Z][a-z]+),? ?\(?(?:arXiv )?$")
"""What stands right before the number: a method ("RKE, arXiv .."), a benchmark, authors without a year."""

NEAR = 40
"""Characters between authors and year and the number of the paper, at most."""


@dataclass
class Cited:
    """One work: how it is cited, and where."""

    names: dict[str, None] = field(default_factory=dict)
    called: dict[str, None] = field(default_factory=dict)
    titles: dict[str, None] = field(default_factory=dict)
    files: set[str] = field(default_factory=set)


def docstrings(path: Path) -> Iterator[str]:
    """Every docstring of a module, those of constants too, and the sources that its measures declare; white space folded."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        held: ast.expr | None = None
        if isinstance(node, ast.Expr) or (isinstance(node, ast.keyword) and node.arg == "source"):
            held = node.value
        if isinstance(held, ast.Constant) and isinstance(held.value, str):
            yield " ".join(held.value.split())


def cited(root: Path) -> tuple[dict[str, Cited], dict[str, Cited]]:
    """Works by number in arXiv, and works without one by authors and year; files relative to the root.

    A work named without its number in one file and with one and the same number in others is the same work.
    """
    numbered: dict[str, Cited] = defaultdict(Cited)
    named: dict[str, Cited] = defaultdict(Cited)
    for path in sorted(root.rglob("*.py")):
        place = path.relative_to(root).as_posix()
        for text in docstrings(path):
            _read(text, place, numbered, named)
    numbers: dict[str, set[str]] = defaultdict(set)
    for number, work in numbered.items():
        for name in work.names:
            numbers[name].add(number)
    for name in [name for name in named if len(numbers[name]) == 1]:
        numbered[next(iter(numbers[name]))].files |= named.pop(name).files
    return dict(numbered), dict(named)


def _read(text: str, place: str, numbered: dict[str, Cited], named: dict[str, Cited]) -> None:
    works = [found for found in WORK.finditer(text) if found["who"].split()[0] not in NO_AUTHORS]
    taken = set()
    for found in IDENTIFIER.finditer(text):
        work = numbered[found["long"] or found["short"]]
        work.files.add(place)
        before = [each for each in works if 0 <= found.start() - each.end() <= NEAR]
        if before and BETWEEN.fullmatch(text, before[-1].end(), found.start()):
            taken.add(before[-1].start())
            _note(work, before[-1])
        elif called := CALLED.search(text, max(0, found.start() - NEAR), found.start()):
            work.called[called["name"]] = None
    for each in works:
        if each.start() not in taken:
            work = named[_name(each)]
            work.files.add(place)
            _note(work, each)


def _name(found: re.Match[str]) -> str:
    return f"{found['who'].replace(' and ', ' & ')} {found['year']}"


def _note(work: Cited, found: re.Match[str]) -> None:
    work.names[_name(found)] = None
    if found["title"]:
        work.titles[found["title"]] = None


def papers(root: Path, note: str) -> str:
    """The page."""
    numbered, named = cited(root)
    lines = ["# Papers", "", note, ""]
    count = (
        f"{len(numbered)} papers of arXiv and {len(named)} other works are cited in the docstrings of `src/triptych`."
    )
    lines += [
        f"{count} Titles stand where a docstring quotes them; two years for one paper are those that docstrings give."
    ]
    lines += ["", "| arXiv | cited as | in |", "| --- | --- | --- |"]
    for number in sorted(numbered):
        lines.append(
            f"| [{number}](https://arxiv.org/abs/{number}) | {_said(numbered[number])} | {_files(numbered[number])} |"
        )
    lines += ["", "| work | in |", "| --- | --- |"]
    lines += [f"| {_said(named[name])} | {_files(named[name])} |" for name in sorted(named, key=str.casefold)]
    return "\n".join(lines) + "\n"


def _said(work: Cited) -> str:
    titles = "".join(f', "{title}"' for title in sorted(work.titles))
    return (", ".join(sorted(work.names) or sorted(work.called)) or "by its number") + titles


def _files(work: Cited) -> str:
    return ", ".join(f"[{file}](../src/triptych/{file})" for file in sorted(work.files))


def conflicts(works: Mapping[str, Cited]) -> list[str]:
    """Papers cited under different first authors: one of them must be wrong."""
    out = []
    for number, work in sorted(works.items()):
        first = {re.split(r",? (?:et al\.|&)|, ", name.rsplit(" ", 1)[0])[0] for name in work.names}
        if len(first) > 1:
            out.append(
                f"arXiv {number} is cited as {' and as '.join(sorted(work.names))} in {', '.join(sorted(work.files))}"
            )
    return out
