"""Attributing: what each component of a recipe did to quality, diversity, complexity and cost."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from triptych.core.errors import UsageError, message
from triptych.core.profile import write_json, write_text
from triptych.engines.progress import Progress
from triptych.profiling.bench import open_bench
from triptych.profiling.output import claim

if TYPE_CHECKING:
    from triptych.attributing.making import Cell
    from triptych.attributing.request import AttributeOptions
    from triptych.attributing.runs import Run

RECIPE_ENDING = ".toml"
LEAST = 2
"""Runs without which there is nothing to compare."""


def attribute(
    *data: str | Path, out: str | Path | None = None, progress: Progress | None = None, **settings: Any
) -> dict[str, Any]:
    """Say what each component of recipes did to quality, diversity, complexity and cost, with intervals.

    Args:
        data: finished sets (folders with data.jsonl and recipe.json, or outputs of distilabel, NeMo Data Designer, Bespoke
            Curator, reasoning-gym, verifiers), or recipes (TOML files), which are generated first at one budget; a path may
            have a name before it: "base=runs/1".
        out: folder for `attribution.json`, `report.html` and what is generated; None: nothing is written but the cache, and
            recipes cannot be given.
        progress: what long work tells its caller.
        settings: vary ({"method": ["few_shot", "evol_instruct"]} around one recipe), design (full, oaat, fractional),
            replicates, match (records or tokens), reference ({"filters": "none"}), margin; and how to read and measure the
            data, as for `measure`: without `measures` the headline measures. `seed` is that of the cut to equal size.

    Returns:
        The document of `attribution.json`.

    Raises:
        InputError: bad input or usage, with one clear message.
        TriptychError: a writer cannot go on; the same call goes on from what is there.
    """
    from triptych.attributing.making import ANSWERS, MADE, make_runs  # noqa: PLC0415 - only attributions need what is below
    from triptych.attributing.request import AttributeOptions  # noqa: PLC0415
    from triptych.attributing.verb import (  # noqa: PLC0415
        ATTRIBUTE_FILES,
        INFERRED,
        attribute_runs,
        check_asked,
        inferred,
        keep_foreign,
    )
    from triptych.report.attribution import render_attribution  # noqa: PLC0415

    options = AttributeOptions.of(**settings)
    progress = progress or Progress()
    cells, finished = _opened(data, options)
    if cells and out is None:
        raise UsageError(message("recipes are generated into a folder.", got="no folder", want="out=, or -o DIR"))
    check_asked(cells, options)
    folder = Path(out) if out is not None else None
    if folder is not None:
        claim(folder, beside=(MADE, ANSWERS, INFERRED), own=ATTRIBUTE_FILES)
        keep_foreign(folder, finished)
    made = make_runs(cells, folder, progress, options.settings.command) if folder is not None else []
    runs = [*made, *finished]
    with open_bench(options.settings, progress) as bench:
        document = attribute_runs(runs, bench, options)
    if folder is not None:
        for name, recipe in inferred(runs):
            write_json(folder / INFERRED / name, recipe)
        write_json(folder / "attribution.json", document)
        write_text(folder / "report.html", render_attribution(document))
    return document


def plan_attribute(*data: str | Path, **settings: Any) -> str:
    """What `attribute` would do, in words. Generates nothing.

    Raises:
        InputError: as `attribute`.
    """
    from triptych.attributing.making import describe_cells  # noqa: PLC0415 - only attributions need what is below
    from triptych.attributing.request import AttributeOptions  # noqa: PLC0415
    from triptych.attributing.verb import opened  # noqa: PLC0415
    from triptych.profiling.planning import describe_plan  # noqa: PLC0415

    options = AttributeOptions.of(**settings)
    cells, finished = _opened(data, options)
    lines = [describe_cells(cells)] if cells else []
    lines += [describe_plan(dataset, options.settings) for dataset in opened(finished, options)]
    lines.append(f"all runs are cut to equal {options.match}, and read by the headline measures or by those asked for")
    return "\n\n".join(lines)


def _opened(data: Sequence[str | Path], options: AttributeOptions) -> tuple[list[Cell], list[Run]]:
    """The runs that are to be generated, and the finished ones."""
    from triptych.attributing.making import cells_of  # noqa: PLC0415 - only attributions need what is below
    from triptych.attributing.runs import read_run  # noqa: PLC0415
    from triptych.comparing.request import check_names, named  # noqa: PLC0415

    given = [named(source) for source in data]
    check_names([name for name, _ in given])
    recipes = [Path(source) for _, source in given if Path(source).suffix == RECIPE_ENDING]
    found = [(name, source) for name, source in given if Path(source).suffix != RECIPE_ENDING]
    if not given:
        raise UsageError(message("there is nothing to attribute.", want="recipes, or finished sets"))
    if (options.vary or options.replicates > 1) and (found or not recipes):
        want = "one recipe (a TOML file)"
        raise UsageError(message("--vary and --replicates make new runs of a recipe.", got="finished sets", want=want))
    cells = cells_of(recipes, options) if recipes else []
    if len(cells) + len(found) < LEAST:
        want = "at least two, or one recipe with --vary"
        got = f"{len(cells) + len(found)} run"
        raise UsageError(message("there is nothing to compare with.", got=got, want=want))
    return cells, [read_run(source, name) for name, source in found]
