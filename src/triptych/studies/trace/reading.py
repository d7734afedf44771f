"""From rows to a `RunTable`: which column is what, what is left out and why. Nothing is dropped without being listed."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from triptych.core.errors import InputError, SchemaError, UsageError, message, nearest
from triptych.studies.table import RunTable
from triptych.studies.trace.cells import Column, is_missing
from triptych.studies.trace.checks import fractions_beside_percents, missing_seeds, refuse_inseparable
from triptych.studies.trace.rows import Gathered, Row

MIN_RUNS = 4
_DONE = frozenset({"done", "success", "ok", "completed", "complete", "finished", "succeeded", "1", "true"})
_LISTED = 8


@dataclass(frozen=True)
class Roles:
    """Which column is what; an empty one is taken from what the source says of itself.

    Attributes:
        outcomes: scores.
        factors: what was varied.
        blocks: what runs were repeated over: model, seed, data set.
        covariates: what is partialled out: length, size, quality.
        candidates: measures of the data, for the bake-off.
        arm: the column of the data condition; None: `arm`, where there is one.
    """

    outcomes: tuple[str, ...] = ()
    factors: tuple[str, ...] = ()
    blocks: tuple[str, ...] = ()
    covariates: tuple[str, ...] = ()
    candidates: tuple[str, ...] = ()
    arm: str | None = None

    def completed(self, rows: Gathered) -> Roles:
        """With what is missing from the source.

        Raises:
            UsageError: no outcome or no factor, or a column in two roles.
            SchemaError: no such column; the message hints at a near miss.
        """
        arm = self.arm or ("arm" if "arm" in rows.columns else None)
        chosen = Roles(
            self.outcomes or rows.panels,
            self.factors or rows.factors,
            self.blocks or rows.blocks,
            self.covariates,
            self.candidates or rows.measured,
            arm,
        )
        for what, names in (("outcome", chosen.outcomes), ("factors", chosen.factors)):
            if not names:
                raise UsageError(
                    message(
                        f"--{what} is not given.", got=_some(rows.columns), want="column names, separated by commas"
                    )
                )
        for name in (*chosen.all, *([self.arm] if self.arm else [])):
            if name not in rows.columns:
                near = nearest(name, rows.columns)
                what = f'no column "{name}" in the table of runs.'
                raise SchemaError(message(what, got=_some(rows.columns), hint=near))
        twice = [name for name, times in Counter(chosen.all).items() if times > 1]
        if twice:
            what = f'column "{twice[0]}" is asked for in two roles.'
            raise UsageError(message(what, want="each column as outcome, factor, block or covariate"))
        return chosen

    @property
    def all(self) -> tuple[str, ...]:
        """Names in all roles but that of a candidate: a factor may be a candidate too."""
        return (*self.outcomes, *self.factors, *self.blocks, *self.covariates)


@dataclass(frozen=True)
class Loaded:
    """A table of runs with what had to be left out.

    Attributes:
        table: the runs that can be analysed.
        roles: which column was what.
        failed: runs without a score: run, arm, seed, error.
        units: outcome to its unit: "score" within 0..1, else "points".
        codes: two-valued factor to (low, high).
        total: runs in the source.
        warnings: `{code, text}`.
    """

    table: RunTable
    roles: Roles
    failed: tuple[dict[str, Any], ...]
    units: Mapping[str, str]
    codes: Mapping[str, tuple[str, str]]
    total: int
    warnings: tuple[dict[str, str], ...]


@dataclass
class _Reader:
    """Rows at hand, and what there is to say about them."""

    rows: Gathered
    roles: Roles
    names: list[str]
    warnings: list[dict[str, str]] = field(default_factory=list)

    def warn(self, code: str, text: str) -> None:
        self.warnings.append({"code": code, "text": text})

    def column(self, name: str) -> Column:
        rows = self.rows.rows
        return Column(name, [row.cells.get(name) for row in rows], [row.place for row in rows])

    def keep(self, there: NDArray[np.bool_]) -> None:
        """Go on with these rows only."""
        kept = [row for row, stays in zip(self.rows.rows, there, strict=True) if stays]
        self.names = [name for name, stays in zip(self.names, there, strict=True) if stays]
        self.rows = Gathered(tuple(kept), self.rows.kind)

    def listed(self, there: NDArray[np.bool_]) -> str:
        return some([self.names[index] for index in np.flatnonzero(there)])


def some(names: Sequence[str], mark: str = ", ") -> str:
    """The first few names, and how many there are."""
    return mark.join(names[:_LISTED]) + (f" .. ({len(names)} in all)" if len(names) > _LISTED else "")


def _some(names: Sequence[str]) -> str:
    return some([name for name in names if name])


def load(rows: Gathered, roles: Roles) -> Loaded:
    """Read the columns.

    Raises:
        SchemaError, UsageError: no such column, words where numbers are asked for, run names twice.
        InputError: too few runs, a panel without a score, a factor that is constant or cannot be told from the others.
    """
    reader = _Reader(rows, roles.completed(rows), _names(rows))
    reader.warnings += rows.warnings
    roles, total = reader.roles, len(rows.rows)
    failed = _failed(reader)
    _incomplete(reader)
    if len(reader.names) < MIN_RUNS:
        got = f"{len(reader.names)} of {total} (failed: {len(failed)})"
        raise InputError(message("too few runs to say anything.", got=got, want=f"at least {MIN_RUNS} with a score"))
    outcomes = {name: _outcome(reader, name) for name in roles.outcomes}
    factors, codes = _factors(reader)
    blocks = {name: reader.column(name).labels() for name in roles.blocks}
    covariates = {name: reader.column(name).numbers("covariate") for name in roles.covariates}
    table = RunTable(
        runs=tuple(reader.names),
        factors=factors,
        outcomes=outcomes,
        blocks=blocks,
        covariates=covariates,
        items={name: items for name in roles.outcomes if (items := _items(reader, name)) is not None},
        arms=reader.column(roles.arm).labels() if roles.arm else np.empty(0, dtype=np.str_),
        measured={name: _measured(reader, name) for name in roles.candidates},
    )
    refuse_inseparable(table)
    reader.warnings += missing_seeds(table)
    units = _units(reader, outcomes, blocks)
    return Loaded(table, roles, tuple(failed), units, codes, total, tuple(reader.warnings))


def _names(rows: Gathered) -> list[str]:
    """The name of each run.

    Raises:
        SchemaError: a name is there twice.
    """
    if rows.run is None:
        return [f"row {number}" for number in range(1, len(rows.rows) + 1)]
    column = [str(row.cells.get(rows.run, "")).strip() for row in rows.rows]
    names = [name or f"row {number}" for number, name in enumerate(column, start=1)]
    twice = [name for name, times in Counter(names).items() if times > 1]
    if twice:
        places = [row.place for row, name in zip(rows.rows, names, strict=True) if name == twice[0]]
        what = f"{len(twice)} run name{'s are' if len(twice) > 1 else ' is'} there more than once."
        got = f"{some(twice)}; {twice[0]} at {', '.join(places[:3])}"
        want = "a name for each run; for a long table the columns run, panel, score"
        raise SchemaError(message(what, got=got, want=want, hint="--run NAME, another column"))
    return names


def _failed(reader: _Reader) -> list[dict[str, Any]]:
    """Runs that failed, or have no score on any outcome: listed, and left out."""
    out, there = [], np.ones(len(reader.names), dtype=bool)
    for index, (row, name) in enumerate(zip(reader.rows.rows, reader.names, strict=True)):
        error = _error(row, reader.roles.outcomes)
        if error is not None:
            there[index] = False
            arm = row.cells.get(reader.roles.arm or "")
            out.append({"run": name, "arm": arm, "seed": row.cells.get("seed"), "error": error})
    if out:
        text = f"{len(out)} runs failed and are left out: {some([str(entry['run']) for entry in out])}"
        reader.warn("failed", text)
        reader.keep(there)
    return out


def _error(row: Row, outcomes: Sequence[str]) -> str | None:
    status, error = row.cells.get("status"), row.cells.get("error")
    said = None if is_missing(error) else " ".join(str(error).split())
    if not is_missing(status) and str(status).strip().lower() not in _DONE:
        return said or f"status {status}"
    if all(is_missing(row.cells.get(name)) for name in outcomes):
        return said or "no score on any panel"
    return None


def _incomplete(reader: _Reader) -> None:
    """Leave out runs without a value of a factor, block or covariate, and say which."""
    roles = reader.roles
    for what, names in (("factor", roles.factors), ("block", roles.blocks), ("covariate", roles.covariates)):
        for name in names:
            blank = np.array([not _there(value) for value in reader.column(name).values], dtype=bool)
            if blank.all() and len(blank):
                raise InputError(message(f'no run has a value of the {what} "{name}".', want="a column with values"))
            if blank.any():
                text = f"{int(blank.sum())} runs have no {what} {name} and are left out: {reader.listed(blank)}"
                reader.warn("incomplete", text)
                reader.keep(~blank)


def _there(value: Any) -> bool:
    return not is_missing(value) and not (isinstance(value, float) and math.isinf(value)) and str(value) != "inf"


def _outcome(reader: _Reader, name: str) -> NDArray[np.float64]:
    """Scores, NaN where there is none; infinities are none, and counted."""
    column = reader.column(name)
    scores = column.numbers("score")
    infinite = np.isinf(scores)
    scores[infinite] = math.nan
    missing = np.isnan(scores)
    if missing.all():
        want = "numbers; nothing can be said of a panel without a score"
        raise InputError(message(f'no run has a score on "{name}".', got=f"{len(scores)} blank or NaN", want=want))
    if missing.any():
        kinds = f"{int(missing.sum() - infinite.sum())} blank or NaN, {int(infinite.sum())} infinite"
        text = f"{name}: {int(missing.sum())} runs have no finite score ({kinds}), left out of it: "
        reader.warn("not_finite", text + reader.listed(missing))
    return scores


def _factors(reader: _Reader) -> tuple[dict[str, NDArray[np.float64]], dict[str, tuple[str, str]]]:
    factors, codes = {}, {}
    for name in reader.roles.factors:
        factors[name], pair = reader.column(name).factor()
        if pair is not None:
            codes[name] = pair
            text = f"{name} has two values: low is {pair[0]}, high is {pair[1]}; its effect is high minus low"
            reader.warn("two_values", text)
    return factors, codes


def _measured(reader: _Reader, name: str) -> NDArray[np.float64]:
    values = reader.column(name).numbers("measure")
    return np.where(np.isfinite(values), values, math.nan)


def _items(reader: _Reader, panel: str) -> NDArray[np.float64] | None:
    """Scores of items over all runs, (n, items), NaN where a run has none; None where no run kept them."""
    rows = reader.rows.rows
    names = list(dict.fromkeys(item for row in rows for item in row.items.get(panel, {})))
    if not names:
        return None
    place = {name: index for index, name in enumerate(names)}
    out = np.full((len(rows), len(names)), math.nan)
    for line, row in zip(out, rows, strict=True):
        for name, score in row.items.get(panel, {}).items():
            line[place[name]] = score
    few = sum(panel in row.items for row in rows)
    if few < len(rows):
        reader.warn("items_missing", f"{panel}: {len(rows) - few} of {len(rows)} runs kept no scores of items")
    return out


def _units(
    reader: _Reader, outcomes: Mapping[str, NDArray[np.float64]], blocks: Mapping[str, NDArray[np.str_]]
) -> dict[str, str]:
    """Outcome to its unit; scores are never divided by 100 on a guess."""
    ends = {name: (float(np.nanmin(scores)), float(np.nanmax(scores))) for name, scores in outcomes.items()}
    units = {name: "score" if low >= 0 and high <= 1 else "points" for name, (low, high) in ends.items()}
    beyond = [f"{name} {ends[name][0]:g} to {ends[name][1]:g}" for name, unit in units.items() if unit == "points"]
    if beyond:
        text = f"scores not within 0 to 1 are kept as they are, their unit is points: {some(beyond, '; ')}"
        reader.warn("points", text)
    for name in outcomes:
        for mixed in _mixed(outcomes[name], blocks):
            reader.warn("percent_and_fraction", f"{name}: {mixed}")
    return units


def _mixed(scores: NDArray[np.float64], blocks: Mapping[str, NDArray[np.str_]]) -> Iterator[str]:
    for block, labels in blocks.items():
        found = fractions_beside_percents(scores, labels)
        if found:
            small, large = found
            yield f"{block} {small} has fractions where {block} {large} has percentages; bring them to one unit"
