"""The runs of a design, generated: every cell from a recipe of its own, into a folder of its own, at one budget.

With one run of each cell all runs have the seed of the recipe and share the folder of answers: what two cells ask alike is
asked once, and cells that differ only in a filter are filtered from the same records, which their joint groups take into
account. With replicates every run has a seed and answers of its own. A run that is finished is not made again.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from triptych.attributing.request import AttributeOptions
from triptych.attributing.runs import DATA, Run, read_run
from triptych.attributing.vary import Planned, plan
from triptych.core.errors import ReadError, SpecError, TriptychError, UsageError, message
from triptych.engines.progress import Progress
from triptych.generating.folder import FAILED_ASKS
from triptych.generating.planning import forecast
from triptych.generating.recipe import Recipe
from triptych.generating.run import RunOptions, run_recipe

Done = TypeVar("Done")

MADE, ANSWERS = "cells", "answers"
"""Folders beside the result: the runs, and the answers that they share."""


@dataclass(frozen=True)
class Cell:
    """A run that is to be made: its name, its recipe, and whether it may share answers with others."""

    name: str
    recipe: Recipe
    shared: bool


def cells_of(paths: Sequence[Path], options: AttributeOptions) -> list[Cell]:
    """The runs of one recipe with what is varied, or of several recipes as they are.

    Raises:
        ReadError: a recipe that cannot be read.
        SpecError, UsageError: recipes with other budgets, or what is varied does not fit.
    """
    if options.vary and len(paths) > 1:
        got = f"{len(paths)} recipes and --vary"
        raise UsageError(
            message("what is varied is varied around one recipe.", got=got, want="one recipe, or no --vary")
        )
    planned: list[tuple[Path, Planned]] = []
    for path in paths:
        made = plan(_table(path), options.vary, options.design, options.replicates)
        if not options.vary:
            made = [_named(one, path, options.replicates) for one in made]
        planned += [(path, one) for one in made]
    cells = [Cell(one.name, _recipe(path, one), options.replicates == 1) for path, one in planned]
    names = [cell.name for cell in cells]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UsageError(message(f'two recipes are named "{twice}".', want="files with names of their own"))
    budgets = {cell.name: str(cell.recipe.budget) for cell in cells}
    if len(set(budgets.values())) > 1:
        got = "; ".join(f"{name}: {budget}" for name, budget in list(budgets.items())[:4])
        raise SpecError(message("the recipes have other budgets.", got=got, want="one budget for all cells"))
    return cells


def _named(one: Planned, path: Path, replicates: int) -> Planned:
    stem = path.parent.name if path.stem == "recipe" else path.stem
    name = f"{stem}-r{one.replicate + 1}" if replicates > 1 else stem
    return Planned(name, one.levels, one.table, one.replicate)


def _table(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ReadError(message(f"{path}: no recipe can be read.", got=reason, want="a TOML file")) from error


def _recipe(path: Path, one: Planned) -> Recipe:
    try:
        return Recipe.of(one.table, path.parent)
    except (SpecError, UsageError) as error:
        which = "".join(f", {key} = {value}" for key, value in one.levels.items())
        raise type(error)(f"{path}{which}: {error}") from error


def make_runs(cells: Sequence[Cell], folder: Path, progress: Progress, command: str) -> list[Run]:
    """Generate what is not there yet, and read all runs.

    Raises:
        InputError: a run gave no record, or a writer does not answer what its recipe asks; that is found out first.
        TriptychError: a writer cannot go on; the same call goes on from what is there.
    """
    out = []
    for cell in cells:
        if cell.recipe.writer.purposes:
            _in_cell(cell, partial(forecast, cell.recipe))
    _forget_failures(folder, cells)
    with progress.stage("cells", unit="runs", total=len(cells)) as stage:
        for cell in cells:
            place = folder / MADE / cell.name
            answers = folder / ANSWERS if cell.shared else None
            asked = RunOptions(answers, axes=False, command=command)
            document = _in_cell(cell, partial(run_recipe, cell.recipe, place, progress, asked))
            if not (place / DATA).is_file() or not (place / DATA).stat().st_size:
                why = str(document.get("stopped") or "no reason was given")
                want = "at least one record in every cell"
                raise ReadError(message(f"{cell.name}: the run gave no record.", got=why, want=want))
            out.append(read_run(place, cell.name))
            stage.advance(1)
    return out


def _in_cell(cell: Cell, call: Callable[[], Done]) -> Done:
    """What a call for this cell gives; its errors name the cell."""
    try:
        return call()
    except TriptychError as error:
        raise type(error)(f"{cell.name}: {error}") from error


def _forget_failures(folder: Path, cells: Sequence[Cell]) -> None:
    """What failed is asked again where no cell has a record yet: whatever was wrong may have been mended."""
    if not any(
        (folder / MADE / cell.name / DATA).is_file() and (folder / MADE / cell.name / DATA).stat().st_size
        for cell in cells
    ):
        (folder / ANSWERS / FAILED_ASKS).unlink(missing_ok=True)


def describe_cells(cells: Sequence[Cell]) -> str:
    """The runs that would be made, in words."""
    lines = [f"{len(cells)} runs, each with a budget of {cells[0].recipe.budget}:"]
    lines += [f"  {cell.name}: seed {cell.recipe.seed}, recipe {cell.recipe.hash}" for cell in cells]
    lines.append("answers are shared between the runs" if cells[0].shared else "every run asks for answers of its own")
    return "\n".join(lines)
