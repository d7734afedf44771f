"""Runs from any source: result files of evaluation tools are told from tables by what is in them."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from triptych.core.errors import ReadError, UsageError, message
from triptych.data.bytestream import open_bytes, reading
from triptych.studies.trace.inspect_logs import is_inspect, open_log, read_inspect
from triptych.studies.trace.lm_eval import is_lm_eval, read_lm_eval
from triptych.studies.trace.rows import Gathered, join, read_table

Documents = list[tuple[Path, dict[str, Any]]]


def gather(sources: Sequence[object], about: object | None, run: str | None, wanted: Collection[str]) -> Gathered:
    """Rows of all sources as one table.

    Args:
        sources: tables of runs; or results of lm-eval or logs of inspect, as files or folders of them.
        about: a table that says more of runs known by name (factors, blocks), or None.
        run: the column that names runs.
        wanted: outcomes whose items are read, where results keep them.

    Raises:
        ReadError: nothing there, damaged, or of several kinds.
        SchemaError: as `read_table` and `join`.
    """
    harness: Documents = []
    inspect: Documents = []
    tables: list[Gathered] = []
    for source in sources:
        theirs, ours, rest = _results(source, items=bool(wanted))
        harness += theirs
        inspect += ours
        if rest is not None:
            tables.append(read_table(rest, run))
    kinds = [name for name, found in (("lm-eval", harness), ("inspect", inspect), ("tables", tables)) if found]
    if len(kinds) != 1:
        what = "the sources are of several kinds." if kinds else "there are no runs to read."
        hint = "a table about the runs goes behind --about" if "tables" in kinds else None
        raise ReadError(message(what, got=" and ".join(kinds) or "nothing", want="one kind", hint=hint))
    if harness or inspect:
        read = read_lm_eval(harness, wanted) if harness else read_inspect(inspect, wanted)
    else:
        read = _stacked(tables)
    if about is None:
        return read
    if read.run is None:
        raise UsageError(message("the runs have no names to join by.", want="a column run", hint="--run NAME"))
    named = replace(read, rows=tuple(replace(r, cells=r.cells | {"run": r.cells.get(read.run)}) for r in read.rows))
    return join(replace(named, run="run"), read_table(about), run)


def _stacked(tables: Sequence[Gathered]) -> Gathered:
    """Several tables below one another."""
    first = tables[0]
    for other in tables[1:]:
        if other.run != first.run:
            got = f'"{first.run}" and "{other.run}"'
            raise ReadError(message("the tables name their runs in different columns.", got=got, hint="--run NAME"))

    def all_of(name: str) -> tuple[Any, ...]:
        return tuple(dict.fromkeys(value for table in tables for value in getattr(table, name)))

    return replace(
        first,
        rows=tuple(row for table in tables for row in table.rows),
        panels=all_of("panels"),
        factors=all_of("factors"),
        blocks=all_of("blocks"),
        measured=all_of("measured"),
        warnings=tuple(warning for table in tables for warning in table.warnings),
    )


def _results(source: object, *, items: bool) -> tuple[Documents, Documents, object | None]:
    """(lm-eval results, inspect logs, the source itself where it is a table)."""
    if not isinstance(source, (str, Path)) or str(source) == "-":
        return [], [], source
    path = Path(source)
    if path.is_dir() and (path / "runs.jsonl").is_file():
        return [], [], path / "runs.jsonl"
    harness: Documents = []
    inspect: Documents = []
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if file.suffix == ".eval" and file.is_file():
            inspect.append((file, open_log(file, items=items)))
        elif file.suffix == ".json" and file.is_file():
            document = _document(file, strict=path.is_dir() and file.name.startswith("results"))
            if is_inspect(document):
                inspect.append((file, document))
            elif is_lm_eval(document):
                harness.append((file, document))
    return harness, inspect, None if harness or inspect else source


def _document(file: Path, *, strict: bool) -> Any:
    """A JSON file that is one object; None for anything else (a table, a damaged file: its reader says so).

    Raises:
        ReadError: damaged, and `strict`: the name says that it holds results.
    """
    with reading(str(file)), open_bytes(file) as stream:
        text = stream.read()
    if text.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] != b"{":
        return None
    try:
        return json.loads(text)
    except ValueError as error:
        if strict:
            raise ReadError(message(f"{file}: not JSON.", got=str(error), want="a whole results file")) from error
        return None
