"""Rows of finished runs from anything: tables of any kind, our own `runs.jsonl`, result files of evaluation tools.

What is read becomes `Gathered`: one `Row` a run, with named cells and, where they were kept, the scores of items. Tables
are CSV, TSV, JSON, JSONL, Parquet, Arrow, compressed or not, or Python objects. A long table (a row for each run and
panel, or for each run, panel and item) is turned into a wide one.
"""

from __future__ import annotations

import json
import math
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path
from typing import Any, TypeAlias

from triptych.core.errors import ReadError, SchemaError, message
from triptych.data.bytestream import ending, open_bytes, reading
from triptych.data.options import ReadOptions
from triptych.data.sources import locate
from triptych.data.textrows import Damaged
from triptych.studies.runs import SCHEMA
from triptych.studies.trace.cells import is_missing, number

Items: TypeAlias = dict[Hashable, float]
Warnings: TypeAlias = tuple[dict[str, str], ...]

RUN_NAMES = ("run", "run_id", "run_name", "")
PANEL_NAMES = ("panel", "task", "benchmark", "eval")
SCORE_NAMES = ("score", "value", "accuracy", "acc")
ITEM_NAMES = ("item", "item_id", "doc_id", "sample_id", "question")


@dataclass(frozen=True)
class Row:
    """One run.

    Attributes:
        place: where it stands, for messages (`runs.csv:12`).
        cells: column to value as read.
        items: panel to the score of each item, by the item's name; NaN where an item has none.
    """

    place: str
    cells: dict[str, Any]
    items: dict[str, Items] = field(default_factory=dict)


@dataclass(frozen=True)
class Gathered:
    """Rows, and what is known of their columns without being told.

    Attributes:
        rows: one a run.
        kind: "table", "runs", "lm-eval" or "inspect".
        run: the column that names runs; None: rows are numbered.
        panels, factors, blocks, measured: columns that are known to be such.
        warnings: `{code, text}`.
    """

    rows: tuple[Row, ...]
    kind: str = "table"
    run: str | None = None
    panels: tuple[str, ...] = ()
    factors: tuple[str, ...] = ()
    blocks: tuple[str, ...] = ()
    measured: tuple[str, ...] = ()
    warnings: Warnings = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of all columns, in the order in which they first appear."""
        return tuple(dict.fromkeys(name for row in self.rows for name in row.cells))


def read_table(source: object, run: str | None = None) -> Gathered:
    """Read one table of runs, or a list of dicts, an Arrow table or a data frame.

    Args:
        source: path, "-" or object.
        run: the column that names runs; None: `run`, `run_id`, `run_name` or a column without a name, where there is one.

    Raises:
        ReadError: nothing there, damaged, or no rows.
        SchemaError: a row is no object.
    """
    label, numbered = _rows(source)
    rows = [Row(place, _cells(place, value)) for place, value in numbered]
    if not rows:
        raise ReadError(message(f"{label}: no runs.", got="a header or an empty table", want="one row a run"))
    if all(row.cells.get("schema") == SCHEMA for row in rows):
        return _own(rows)
    columns = {name for row in rows for name in row.cells}
    name = run if run is not None else next((known for known in RUN_NAMES if known in columns), None)
    return _widened(Gathered(tuple(rows), run=name))


def _rows(source: object) -> tuple[str, Iterator[tuple[str, Any]]]:
    """Name of the source, and (place, value) of its rows; JSON may hold NaN, which is counted later on."""
    if isinstance(source, (str, Path)) and str(source) != "-" and Path(source).is_file():
        path = Path(source)
        if path.stat().st_size and ending(path) in ("json", "jsonl"):
            return str(path), _json_rows(path)
    found = locate(source, ReadOptions())
    return found.path or found.name, ((item.place(n), value) for item in found.items for n, value in item.rows())


def _json_rows(path: Path) -> Iterator[tuple[str, Any]]:
    with reading(str(path)), open_bytes(path) as stream:
        text = stream.read().decode("utf-8-sig", errors="replace")
    if text.lstrip()[:1] == "[":
        values = _parsed(text, str(path))
        yield from ((f"{path}, row {count}", value) for count, value in enumerate(values, start=1))
        return
    lines = text.splitlines()
    for count, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        if count == len(lines) and not text.endswith("\n") and not line.rstrip().endswith("}"):
            return  # a line that a killed process left half written
        yield f"{path}:{count}", _parsed(line, f"{path}:{count}")


def _parsed(text: str, place: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        want = "one JSON object a line, or one array of objects"
        raise ReadError(message(f"{place}: not JSON.", got=str(error), want=want)) from error


def _cells(place: str, value: Any) -> dict[str, Any]:
    if isinstance(value, Damaged):
        raise ReadError(message(f"{place}: {value.what}.", got=value.got, want=value.want))
    if not isinstance(value, dict):
        raise SchemaError(message(f"{place}: a row is no object.", got=type(value).__name__, want="named columns"))
    return value


def _own(rows: Sequence[Row]) -> Gathered:
    """Runs of our own studies. The last line of a run counts: it may have failed and been tried again."""
    last = {row.cells["run"]: row for row in rows}
    flat = [_flat(row) for row in last.values()]
    of = {key: tuple(dict.fromkeys(n for row in last.values() for n in row.cells.get(key) or {})) for key in _PARTS}
    have = {name for row in flat for name in row.cells}
    return Gathered(
        tuple(flat),
        kind="runs",
        run="run",
        panels=of["panels"],
        factors=of["levels"],
        blocks=tuple(name for name in ("block", "seed") if name in have),
        measured=of["measured"],
    )


_PARTS = ("panels", "levels", "measured")


def _flat(row: Row) -> Row:
    line = row.cells
    cells: dict[str, Any] = {
        key: line[key] for key in ("run", "arm", "block", "data_seed", "seed", "status", "error") if key in line
    }
    cells |= {key: value for key, value in (line.get("data") or {}).items() if key in ("records", "tokens")}
    cells |= {"seconds": line["cost"]["seconds"]} if "seconds" in (line.get("cost") or {}) else {}
    cells |= {"trainer": line["trainer"]["name"]} if "name" in (line.get("trainer") or {}) else {}
    cells |= (line.get("measured") or {}) | (line.get("levels") or {})
    items = dict[str, Items]()
    for name, panel in (line.get("panels") or {}).items():
        cells[name] = panel.get("mean")
        if panel.get("items"):
            items[name] = {place: math.nan if v is None else float(v) for place, v in enumerate(panel["items"])}
    return Row(row.place, cells, items)


def _widened(table: Gathered) -> Gathered:
    """A long table (run, panel, score and perhaps item) as a wide one; a wide one as it is."""
    columns = set(table.columns)
    panel, score, item = (
        next((name for name in known if name in columns), None) for known in (PANEL_NAMES, SCORE_NAMES, ITEM_NAMES)
    )
    if table.run is None or panel is None or score is None:
        return table
    runs: dict[Any, list[Row]] = {}
    for row in table.rows:
        runs.setdefault(row.cells.get(table.run), []).append(row)
    if len(runs) == len(table.rows):
        return table
    long = _Long(table.run, panel, score, item)
    rows = tuple(long.wide(name, group) for name, group in runs.items())
    return replace(table, rows=rows, panels=tuple(dict.fromkeys(str(row.cells[panel]) for row in table.rows)))


@dataclass(frozen=True)
class _Long:
    """The columns of a long table: run, panel, score, item."""

    run: str
    panel: str
    score: str
    item: str | None

    def wide(self, name: Any, group: Sequence[Row]) -> Row:
        """The rows of one run as one row.

        Raises:
            SchemaError: the run has a panel (or an item of it) twice, or another column says two things of it.
        """
        cells, items, first = dict[str, Any](), dict[str, Items](), group[0]
        for row in group:
            for column, value in row.cells.items():
                if column in (self.panel, self.score, self.item):
                    continue
                if cells.setdefault(column, value) != value and not (is_missing(value) and is_missing(cells[column])):
                    got = f"{cells[column]} ({first.place}) and {value} ({row.place})"
                    what = f'{self.run} {name}: the column "{column}" differs between its rows.'
                    raise SchemaError(message(what, got=got, want="one value for a run", hint="another name a run"))
        for panel, rows in groupby(sorted(group, key=self._panel), key=self._panel):
            self._place(name, panel, list(rows), cells, items)
        return Row(first.place, cells, items)

    def _panel(self, row: Row) -> str:
        return str(row.cells.get(self.panel))

    def _place(self, name: Any, panel: str, rows: list[Row], cells: dict[str, Any], items: dict[str, Items]) -> None:
        if self.item is None:
            if len(rows) > 1:
                what = f'{self.run} {name} has the panel "{panel}" {len(rows)} times.'
                got = ", ".join(row.place for row in rows[:3])
                raise SchemaError(message(what, got=got, want="once", hint="a column `item` where rows are items"))
            cells[panel] = rows[0].cells.get(self.score)
            return
        scores: Items = {}
        for row in rows:
            key = str(row.cells.get(self.item))
            if key in scores:
                what = f'{self.run} {name} has item {key} of the panel "{panel}" twice.'
                raise SchemaError(message(what, got=row.place, want="once"))
            scores[key] = number(row.cells.get(self.score))
        known = [score for score in scores.values() if math.isfinite(score)]
        cells[panel], items[panel] = (sum(known) / len(known) if known else None), scores


def join(runs: Gathered, about: Gathered, key: str | None) -> Gathered:
    """Add the columns of a table about the runs (factors, blocks, seeds) to runs that are known by name.

    A name is the whole one, or its last part (`outputs/run-3` and `run-3`) where that is unique, with `__` for `/`.

    Raises:
        SchemaError: no column to join by, a name twice, or no run in both.
    """
    column = key or next((name for name in (*RUN_NAMES[:3], "model", "model_name") if name in about.columns), None)
    if column is None or column not in about.columns:
        got = ", ".join(about.columns[:8])
        raise SchemaError(
            message("the table of runs has no column to join by.", got=got, want="run", hint="--run NAME")
        )
    known: dict[str, Row] = {}
    for row in about.rows:
        name = str(row.cells.get(column))
        if name in known:
            raise SchemaError(message(f'{row.place}: the run "{name}" is there twice.', got=known[name].place))
        known[name] = row
    by_end = _unique((_end(name), name) for name in known)
    rows, alone, used = [], [], set[str]()
    for row in runs.rows:
        name = str(row.cells["run"])
        found = name if name in known else by_end.get(_end(name))
        if found is None:
            alone.append(name)
            continue
        used.add(found)
        mine = {k: v for k, v in known[found].cells.items() if k not in row.cells or k == column}
        rows.append(Row(row.place, row.cells | mine | {"run": name}, row.items))
    if not rows:
        got = f"{', '.join(alone[:3])} beside {', '.join([*known][:3])}"
        raise SchemaError(message("no run is in both the results and the table of runs.", got=got, hint="--run NAME"))
    notes = list(runs.warnings)
    for names, what in (
        (alone, "results are of no run of the table"),
        ([*known.keys() - used], "runs have no results"),
    ):
        if names:
            listed = ", ".join(sorted(names)[:8]) + (" .." if len(names) > 8 else "")
            notes.append({"code": "not_joined", "text": f"{len(names)} {what} and are left out: {listed}"})
    return replace(runs, rows=tuple(rows), warnings=tuple(notes))


def _end(name: str) -> str:
    return name.replace("__", "/").rstrip("/").rpartition("/")[2]


def _unique(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Short name to name, without the short names that several have."""
    out: dict[str, list[str]] = {}
    for short, name in pairs:
        out.setdefault(short, []).append(name)
    return {short: names[0] for short, names in out.items() if len(names) == 1}
