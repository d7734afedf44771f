"""The verb `attribute`: runs of recipes in, what each component did to quality, diversity, complexity and cost out."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from triptych.attributing.cells import Cells, read_cells
from triptych.attributing.document import document
from triptych.attributing.factors import components_of
from triptych.attributing.grading import common_grader, graded_rows
from triptych.attributing.making import ANSWERS, Cell
from triptych.attributing.request import AttributeOptions
from triptych.attributing.runs import Run, filled
from triptych.comparing.verdict import parse_margins
from triptych.core.errors import OutputError, UsageError, message, nearest
from triptych.core.registry import parse
from triptych.data import Dataset, open_dataset
from triptych.generating.folder import FAILED_ASKS
from triptych.generating.imports.imported import NONE
from triptych.generating.keep import Answers
from triptych.profiling.bench import Bench
from triptych.profiling.output import is_marked

ATTRIBUTE_FILES = frozenset({"attribution.json", "report.html"})
"""What an attribution writes into its folder."""
INFERRED = "recipes"
"""A folder beside them, with the recipes that were inferred for other tools' sets."""


def attribute_runs(runs: Sequence[Run], bench: Bench, options: AttributeOptions) -> dict[str, Any]:
    """What each component did, from finished runs.

    Returns:
        The document of `attribution.json`.

    Raises:
        InputError: the runs or the options do not fit.
    """
    started = time.perf_counter()
    unique(runs)
    components = components_of(filled(list(runs)), [run.unknown for run in runs], _references(runs, options))
    cells = read_cells(opened(runs, options), bench, options.match)
    _check_replicates(runs, cells, components.cells.tolist())
    margins = parse_margins(options.margin, cells.measures)
    found = document(runs, cells, components, (options, margins))
    found["provenance"] = bench.provenance(time.perf_counter() - started)
    return found


def check_asked(cells: Sequence[Cell], options: AttributeOptions) -> None:
    """See that measures, margins and references are there before anything is generated.

    Raises:
        SpecError, UsageError: one is not.
    """
    measures = parse(options.settings.measures) if options.settings.measures else ()
    if measures:
        parse_margins(options.margin, measures)
    stated = [cell.recipe.components() for cell in cells]
    for name, value in options.reference.items() if cells else ():
        known = dict.fromkeys(one[name] for one in stated if name in one)
        if known and not any(value.startswith(one) for one in known):
            what = f'no run has the value "{value}" of {name}.'
            raise UsageError(message(what, want=", ".join(known), hint=nearest(value, known)))


def _references(runs: Sequence[Run], options: AttributeOptions) -> dict[str, str]:
    """Reference levels: as asked; in runs that were found (not varied in an order of the user's) "none" where there is it."""
    if options.vary:
        return dict(options.reference)
    stated = filled(list(runs))
    found: dict[str, set[str]] = {}
    for one in stated:
        for name, value in one.items():
            found.setdefault(name, set()).add(value)
    plain = {
        name: NONE for name in ("seeds", "search", "filters") if NONE in found.get(name, ()) and len(found[name]) > 1
    }
    return {**plain, **options.reference}


def _check_replicates(runs: Sequence[Run], cells: Cells, number: Sequence[int]) -> None:
    """Runs of one cell must be draws of their own.

    Raises:
        UsageError: two hold the same records.
    """
    seen: dict[tuple[int, str], str] = {}
    for run, side, cell in zip(runs, cells.sides, number, strict=True):
        summary = side.dataset.summary
        key = (cell, summary.sha256 if summary is not None else run.name)
        if key in seen:
            what = (
                f"{seen[key]} and {run.name} are runs of one cell and hold the same records, so they are no replicates."
            )
            want = "runs whose answers were drawn anew (another seed, and answers of their own)"
            raise UsageError(message(what, want=want))
        seen[key] = run.name


def unique(runs: Sequence[Run]) -> None:
    """Every run must have a name of its own.

    Raises:
        UsageError: two have one.
    """
    names = [run.name for run in runs]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        got = ", ".join(run.path for run in runs if run.name == twice)
        raise UsageError(message(f'two runs are named "{twice}".', got=got, want="NAME=PATH for each"))


def inferred(runs: Sequence[Run]) -> list[tuple[str, Mapping[str, Any]]]:
    """The recipes that were inferred, by the name of their file."""
    named = [(re.sub(r"[^\w.+-]+", "_", run.name), run.recipe) for run in runs if run.recipe is not None]
    return [(f"{name}.recipe.json", recipe) for name, recipe in named]


def keep_foreign(folder: Path, runs: Sequence[Run]) -> None:
    """Refuse a folder in which an inferred recipe, or the answers of the runs, would replace what somebody else wrote.

    Raises:
        OutputError: there is such a file.
    """
    Answers(folder / ANSWERS, FAILED_ASKS)  # it refuses a file of another kind
    files = [folder / INFERRED / name for name, _ in inferred(runs)]
    found = [file for file in files if file.exists() and not (file.is_file() and is_marked(file))]
    if found:
        what = f"{found[0]}: this file was not written by an attribution, and would be replaced; nothing was written."
        raise OutputError(message(what, want="an empty folder, or an earlier result", hint="-o another/folder"))


def opened(runs: Sequence[Run], options: AttributeOptions) -> list[Dataset]:
    """The data sets of the runs, each under its run's name; with grades where all recipes grade alike."""
    out = []
    grader = common_grader(runs)
    for run in runs:
        source = graded_rows(run, grader) if grader is not None else run.source
        dataset = open_dataset(source, options.settings.reading())
        dataset.name = run.name
        out.append(dataset)
    return out
