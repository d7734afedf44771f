"""Generating: records from a recipe of components."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from triptych.core.profile import write_text
from triptych.engines.progress import Progress

if TYPE_CHECKING:
    from triptych.generating.recipe import Recipe


def generate(
    recipe: str | Path | Mapping[str, Any],
    *,
    out: str | Path,
    progress: Progress | None = None,
    answers: str | Path | None = None,
    command: str = "triptych.generate",
) -> dict[str, Any]:
    """Write records by a recipe: seeds, a writer, a method, a search around it, filters, a budget.

    Args:
        recipe: a `recipe.toml`, or the same as a dict, see `triptych.generating.recipe`.
        out: folder for `data.jsonl`, `failed.jsonl`, `recipe.json`, `report.html` and the answers; a second call goes on
            where the first stopped, with a larger budget too.
        progress: what long work tells its caller.
        answers: folder of answers instead of the one in `out`, to share with runs before and after.
        command: kept in the provenance.

    Returns:
        The document of `recipe.json`. A run that ends short of its budget says why in `stopped`.

    Raises:
        InputError: bad input or usage, or a folder with the records of another recipe.
        TriptychError: the writer cannot go on; what was made is in the folder.
    """
    from triptych.generating.folder import REPORT  # noqa: PLC0415 - only generation needs what is below
    from triptych.generating.run import RunOptions, run_recipe  # noqa: PLC0415
    from triptych.generating.samples import samples  # noqa: PLC0415
    from triptych.report.generation import render_generation  # noqa: PLC0415

    options = RunOptions(answers=Path(answers) if answers else None, command=command)
    document = run_recipe(_recipe(recipe), Path(out), progress, options)
    write_text(Path(out) / REPORT, render_generation(document, samples(Path(out))))
    return document


def plan_generate(recipe: str | Path | Mapping[str, Any]) -> str:
    """What `generate` would do and take, in words: requests, tokens, seconds, money. Sends nothing, writes nothing.

    Raises:
        InputError: as `generate`.
    """
    from triptych.generating.planning import plan_text  # noqa: PLC0415 - only generation needs what is below

    return plan_text(_recipe(recipe))


def _recipe(recipe: str | Path | Mapping[str, Any]) -> Recipe:
    from triptych.generating.recipe import Recipe  # noqa: PLC0415 - only generation needs it

    return Recipe.of(recipe) if isinstance(recipe, Mapping) else Recipe.read(recipe)
