"""Guarding: `guard`; `Watch` and `GuardCallback` for loops that run, loaded when they are first used."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from triptych.core.profile import write_json, write_text
from triptych.engines.progress import Progress
from triptych.profiling.bench import open_bench
from triptych.profiling.output import claim

if TYPE_CHECKING:
    from triptych.guarding.callbacks import GuardCallback
    from triptych.guarding.watch import Watch

__all__ = ["GuardCallback", "Watch", "guard", "plan_guard"]

_HOME = {"GuardCallback": "triptych.guarding.callbacks", "Watch": "triptych.guarding.watch"}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME[name]), name)


def guard(
    *rounds: Any,
    anchor: Any = None,
    panel: str | Path | None = None,
    out: str | Path | None = None,
    progress: Progress | None = None,
    **settings: Any,
) -> dict[str, Any]:
    """Say from the texts of a loop's rounds whether it is healthy, stalled, collapsing or only losing bad records.

    Args:
        rounds: a file, a folder (`generated.jsonl`, `selected.jsonl`, `scores.json`) or rows in memory for each round, in
            order; or one folder that holds such files or folders.
        anchor: real data to compare every round with, as for `measure`.
        panel: scores by round, as CSV: round,panel,score, or round,id,ood,..
        out: folder for `guard.json` and `report.html`; None: nothing is written but the cache.
        progress: what long work tells its caller.
        settings: quality, verified, right, structure, complexity (fields), at, alarm_rate, by, window, decode: see
            `triptych.guarding.request.GuardOptions`; and how to read the data, as for `measure`. A folder that a
            `triptych.Watch` wrote brings the settings that the watch was made with; what is given here goes first.

    Returns:
        The document of `guard.json`; its `verdict` is continue, warn or stop.

    Raises:
        InputError: bad input or usage, with one clear message; nothing is written.
    """
    from triptych.guarding.request import GuardRequest  # noqa: PLC0415 - only guards need what is below
    from triptych.guarding.verb import GUARD_FILES, run_guard  # noqa: PLC0415
    from triptych.report.guard import render_guard  # noqa: PLC0415

    request = GuardRequest.of(rounds, anchor, panel, settings)
    folder = Path(out) if out is not None else None
    if folder is not None and folder.exists():
        claim(folder, own=GUARD_FILES)
    with open_bench(request.options.settings, progress or Progress()) as bench:
        document = run_guard(request, bench)
    if folder is not None:
        claim(folder, own=GUARD_FILES)
        write_json(folder / "guard.json", document)
        write_text(folder / "report.html", render_guard(document))
    return document


def plan_guard(*rounds: Any, anchor: Any = None, panel: str | Path | None = None, **settings: Any) -> str:
    """What `guard` would do, in words. Reads only the heads of the rounds.

    Raises:
        InputError: as `guard`.
    """
    from triptych.guarding.planning import describe_guard  # noqa: PLC0415 - only guards need what is below
    from triptych.guarding.request import GuardRequest  # noqa: PLC0415

    return describe_guard(GuardRequest.of(rounds, anchor, panel, settings))
