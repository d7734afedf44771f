"""Selecting: `select` and `frontier`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from triptych.api.opening import one_set
from triptych.core.errors import UsageError, message
from triptych.core.profile import write_text
from triptych.core.selector import Selector
from triptych.data import open_dataset
from triptych.engines.progress import Progress
from triptych.profiling.bench import open_bench
from triptych.profiling.output import claim
from triptych.profiling.settings import Settings

if TYPE_CHECKING:
    from triptych.selecting.run import Selection


def select(  # noqa: PLR0913 - the options of the verb
    data: Any,
    *,
    budget: str | int,
    policy: str | Selector = "balanced",
    quality: str | None = None,
    complexity: str | None = None,
    out: str | Path | None = None,
    progress: Progress | None = None,
    options: Mapping[str, Any] | None = None,
    **settings: Any,
) -> Selection:
    """Take the records to train on: a policy under an exact budget, with the reason for every record.

    Args:
        data: one data set, as for `measure`.
        budget: records (800), rows of the source ("500 rows") or tokens of prompts and responses ("2M tokens").
        policy: "balanced:quality=0.8", or a policy; see `triptych list`.
        quality: what it is read from: a label, a numeric field, `FIELD=VALUE` (1 or 0), or a measure's column such as
            `length`; None: the first field that looks like a label, stated.
        complexity: likewise; None: a field named like it, else the reasoning steps of the text.
        out: folder for `selected.jsonl`, `selection.parquet` and `selection.json`; None: nothing is written but the cache.
        progress: what long work tells its caller.
        options: by, with_invalid, on, estimates, max, min, keep, drop, id_field, dedup: see
            `triptych.selecting.request.SelectRequest` and `triptych.selecting.limits.LimitRequest`.
        settings: how to read and measure the data, as for `measure`; `seed` is that of the policy.

    Returns:
        The selection: `document` as in `selection.json`, `ordinals` of the records, `rows()` as objects. Without `out`
        the nearest kept record of each is not looked for.

    Raises:
        InputError: bad input or usage, a budget or limits that cannot be met; nothing is written.
    """
    from triptych.selecting.request import SelectRequest  # noqa: PLC0415 - only selections need it
    from triptych.selecting.run import OWN, select_records  # noqa: PLC0415

    chosen = Settings.of(**settings)
    one_set(chosen)
    request = SelectRequest.of(budget, policy, quality, complexity, options)
    folder = Path(out) if out is not None else None
    if folder is not None and folder.exists():
        claim(folder, own=OWN)
    with open_bench(chosen, progress or Progress()) as bench:
        dataset = open_dataset(data, chosen.reading())
        made = select_records(data, dataset, bench, request, near=folder is not None)
        if folder is not None:
            made.save(claim(folder, own=OWN))
    return made


def plan_select(
    data: Any,
    *,
    budget: str | int,
    policy: str | Selector = "balanced",
    quality: str | None = None,
    complexity: str | None = None,
    options: Mapping[str, Any] | None = None,
    **settings: Any,
) -> str:
    """What `select` would do, in words. Reads only the head of the data.

    Raises:
        InputError: as `select`.
    """
    from triptych.selecting.planning import describe_select  # noqa: PLC0415 - only selections need it
    from triptych.selecting.request import SelectRequest  # noqa: PLC0415

    chosen = Settings.of(**settings)
    one_set(chosen)
    request = SelectRequest.of(budget, policy, quality, complexity, options)
    return describe_select(data, open_dataset(data, chosen.reading()), chosen, request)


def frontier(  # noqa: PLR0913 - the options of the verb
    data: Any,
    *,
    budget: str | int,
    quality: str | None = None,
    complexity: str | None = None,
    out: str | Path | None = None,
    progress: Progress | None = None,
    options: Mapping[str, Any] | None = None,
    **settings: Any,
) -> dict[str, Any]:
    """Show the whole trade-off between quality and diversity under one budget, policy by policy, and pick from it.

    Args:
        data: one data set, as for `measure`.
        budget: of every point, as for `select`.
        quality: a label or numeric field, `FIELD=VALUE`, or a measure's column; None: a label that is found.
        complexity: likewise; None: found, else reasoning steps.
        out: folder for `frontier.json`, `report.html`, `points.jsonl` (from which a second call goes on) and, with a
            pick, the files of `select`; None: nothing is written but the cache.
        progress: what long work tells its caller.
        options: policies ("balanced,threshold:quantile=0.5"), pick ("knee", "quality>=0.8", "diversity>=120"), judge (a measure of
            diversity), judge_encoder (another encoder that judges too), and the options of `select`.
        settings: how to read and measure the data, as for `measure`; `seed` is that of the policies.

    Returns:
        The document of `frontier.json`.

    Raises:
        InputError: bad input or usage, a budget or limits that no policy can meet, a pick that no point fits. A policy
            that fails by itself is listed in the document, and the others go on.
    """
    from triptych.report.frontier import render_frontier  # noqa: PLC0415 - only frontiers need what is below
    from triptych.selecting.frontier.verb import FRONTIER_FILES, FrontierRequest, run_frontier, save  # noqa: PLC0415

    _no_recipe(data)
    chosen = Settings.of(**settings)
    one_set(chosen)
    request = FrontierRequest.of(budget, _with_roles(options, quality, complexity), chosen.seed)
    folder = claim(Path(out), own=FRONTIER_FILES) if out is not None else None
    with open_bench(chosen, progress or Progress()) as bench:
        found = run_frontier(data, open_dataset(data, chosen.reading()), bench, request, folder)
        if folder is not None:
            save(found, folder)
    if folder is not None:
        write_text(folder / "report.html", render_frontier(found.document))
    return found.document


def plan_frontier(
    data: Any,
    *,
    budget: str | int,
    quality: str | None = None,
    complexity: str | None = None,
    options: Mapping[str, Any] | None = None,
    **settings: Any,
) -> str:
    """What `frontier` would do, in words: points, judges. Reads only the head of the data.

    Raises:
        InputError: as `frontier`.
    """
    from triptych.selecting.frontier.verb import FrontierRequest, describe_frontier  # noqa: PLC0415 - only here needed

    chosen = Settings.of(**settings)
    one_set(chosen)
    request = FrontierRequest.of(budget, _with_roles(options, quality, complexity), chosen.seed)
    return describe_frontier(open_dataset(data, chosen.reading()), request)


def _with_roles(options: Mapping[str, Any] | None, quality: str | None, complexity: str | None) -> dict[str, Any]:
    """The options of a frontier with what quality and complexity are read from, where that is named."""
    named = {"quality": quality, "complexity": complexity}
    return {**(options or {}), **{name: field for name, field in named.items() if field is not None}}


def _no_recipe(data: Any) -> None:
    """A recipe has a trade-off of its own, between the sets that its dials write.

    Raises:
        UsageError: the data are a recipe.
    """
    if isinstance(data, (str, Path)) and str(data).endswith(".toml"):
        what = f"{data}: frontier reads records that are there, and this is a recipe."
        hint = f"triptych attribute {data} --vary writer.temperature=0.3,0.7,1.1,1.5"
        raise UsageError(message(what, want="a data set", hint=hint))
