"""The tables of README.md, from result.json: what is written between the two marks is replaced."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from expectations import grouped
from natural import EXPERIMENTS
from planted import MANIPULATIONS, SEVERAL
from words import NATURAL, times

BEGIN, END = "<!-- made by run.py: begin -->", "<!-- made by run.py: end -->"

Z = 5
"""Place of z in the doses of a row."""

Cells = Mapping[tuple[str, str], Mapping[str, Any]]


def write_tables(home: Path) -> None:
    """Put the tables of `result.json` into README.md."""
    result = json.loads((home / "result.json").read_text(encoding="utf-8"))
    page = (home / "README.md").read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    body = "\n".join(tables(result))
    (home / "README.md").write_text(f"{before}{BEGIN}\n{body}\n{END}{after}", encoding="utf-8")


def tables(result: Mapping[str, Any]) -> Iterator[str]:
    """The populations, then a table for each axis and kind of population."""
    rows = result["rows"]
    changed = " (uncommitted changes)" if result["source_changed"] else ""
    machine = result["machine"]
    yield (
        f"{result['date']}, commit {result['commit'][:12]}{changed}; {machine['cpu']}, {machine['cores']} cores; "
        f"{result['cpu_seconds'] / 60:.0f} CPU minutes, one process.{_later(result)} {len(result['verdicts'])} numbers of "
        f"{len({label.partition(':')[0] for label in result['verdicts']})} measures, {len(rows):,} rows; left out: "
        + ("; ".join(f"{name} ({why})" for name, why in result["left_out"].items()) or "none")
        + "."
    )
    yield ""
    yield from _populations(result)
    cells = {(each["measure"], each["population"]): each for each in rows}
    for axis in ("quality", "diversity", "complexity", "fit"):
        for title, names, many in _parts():
            mine = list(dict.fromkeys(each["measure"] for each in rows if each["axis"] == axis))
            mine = [label for label in mine if many is None or grouped(label.partition(":")[0]) == many]
            yield from _table(f"{axis.capitalize()}, {title}", mine, names, cells, result.get("few", {}))


def _later(result: Mapping[str, Any]) -> str:
    """The parts that were read after the rest, when and at which commit."""
    return "".join(
        f" Read later: {each['what']} ({each['rows']} rows; {each['date']}, commit {each['commit'][:12]}"
        f"{' with changes' if each['source_changed'] else ''}; {each['cpu_seconds'] / 60:.1f} CPU minutes)."
        for each in result.get("later", ())
    )


def _parts() -> Iterator[tuple[str, list[str], bool | None]]:
    for many, title in ((False, "planted"), (True, "planted, several answers to a prompt")):
        names = [one.name for one in MANIPULATIONS if (one.base in SEVERAL) == many]
        yield title, list(dict.fromkeys(names)), many
    yield "natural", [one.name for one in EXPERIMENTS], None


def _populations(result: Mapping[str, Any]) -> Iterator[str]:
    yield "| planted | what is done | read on |"
    yield "| --- | --- | --- |"
    for one in MANIPULATIONS:
        where = "several answers to a prompt" if one.base in SEVERAL else one.only[0] if one.only else "single answers"
        yield f"| {one.name} | {one.words} | {where} |"
    if result["natural"]:
        yield ""
        yield "| natural | what it is | records |"
        yield "| --- | --- | --- |"
        for one in EXPERIMENTS:
            sizes = result["records"][one.name]
            yield f"| {one.name} | {one.words} | {'; '.join(f'{name}: {n:,}' for name, n in sizes.items())} |"


def _table(
    title: str, labels: Sequence[str], names: Sequence[str], cells: Cells, few: Mapping[str, str]
) -> Iterator[str]:
    names = [name for name in names if any(_told(cells.get((label, name))) for label in labels)]
    labels = [label for label in labels if any(_told(cells.get((label, name))) for name in names)]
    if not names:
        return
    yield ""
    yield f"### {title}"
    yield ""
    yield "| | " + " | ".join(names) + " |"
    yield "| --- |" + " --- |" * len(names)
    for label in labels:
        yield (
            f"| {label}{f' ({few[label]})' if label in few else ''} | "
            + " | ".join(_told(cells.get((label, name))) for name in names)
            + " |"
        )


def _told(each: Mapping[str, Any] | None) -> str:
    """One cell: the verdict, the way the number goes, z, and how large it is beside what the axis is about."""
    if each is None or each["verdict"] == "no value":
        return ""
    z, way = each["doses"][-1][Z], each["way"]
    arrow = {1: "↑", -1: "↓", 0: ""}[way]
    size = "" if z is None or not way else f"{abs(z):.0f}"
    if each["verdict"] == "free":
        return f"{arrow}{size}"
    beside = (
        f" ({times(each['beside'][1]).removesuffix(' of')})"
        if "beside" in each and each["population"] not in NATURAL and way
        else ""
    )
    word = f"**{each['verdict']}**" if each["verdict"] in ("reads", "wrong way", "blind") else each["verdict"]
    return f"{word} {arrow}{size}{beside}".rstrip()
