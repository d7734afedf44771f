"""Studies: worlds, designs, students, training and tracing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from triptych.core.profile import write_json, write_text
from triptych.data import open_dataset
from triptych.engines.progress import Progress
from triptych.profiling.bench import open_bench
from triptych.profiling.output import claim
from triptych.profiling.settings import Settings
from triptych.worlds.writing import Made, Recipe, make


def world(name: str, *, out: str | Path | None = None, **settings: Any) -> Made:
    """Make a data set whose true quality, diversity and complexity are set by hand, with test panels.

    Args:
        name: of a world, see `list_worlds`.
        out: folder for `data.jsonl`, `panels/NAME.jsonl` and `world.json`; None: nothing is written.
        settings: records or tokens, quality, skills, depths, skew, forms, errors, block, seed, panels, id_skills: see
            `triptych.worlds.writing.Recipe` and `triptych.worlds.world.Dials`.

    Raises:
        InputError: bad usage, with one clear message; nothing is written.
    """
    made = make(Recipe.of(name, **settings))
    if out is not None:
        made.save(Path(out))
    return made


def design(
    pool: Any,
    *,
    budget: str | int,
    levels: str | Mapping[str, str],
    out: str | Path | None = None,
    progress: Progress | None = None,
    options: Mapping[str, Any] | None = None,
    **settings: Any,
) -> dict[str, Any]:
    """Make arms at target levels of quality, diversity and complexity from a pool, with everything else held equal.

    Args:
        pool: one data set, as for `measure`.
        budget: of an arm: records (800), or tokens of prompts and responses ("2M tokens").
        levels: "Q=FIELD:lo,hi,D=embedding,C=FIELD:lo,hi", see `triptych.studies.design.levels`.
        out: folder for `design.json` and `arms/NAME.jsonl`; None: nothing is written but the cache.
        progress: what long work tells its caller.
        options: points, centre, blocks, draws, equal, balance, pilot: see `triptych.studies.design.levels.Request`.
        settings: how to read and measure the pool, as for `measure`; `seed` is that of the design.

    Returns:
        The document of `design.json`.

    Raises:
        InputError: bad input or usage, or "not separable in this pool" with the limit that binds; nothing is written.
    """
    from triptych.studies.design.build import ARMS, OWN, build, save  # noqa: PLC0415 - only designs need it
    from triptych.studies.design.levels import Request  # noqa: PLC0415

    chosen = Settings.of(**settings)
    request = Request.of(budget, levels, options or {}, seed=chosen.seed)
    folder = claim(Path(out), beside=(ARMS,), own=OWN) if out is not None else None
    with open_bench(chosen, progress or Progress()) as bench:
        data = open_dataset(pool, chosen.reading())
        built = build(pool, data, bench, request)
        if folder is not None:
            save(built, pool, folder)
    return built.document


def plan_design(
    pool: Any, *, budget: str | int, levels: str | Mapping[str, str], options: Mapping[str, Any], **settings: Any
) -> str:
    """What `design` would do, in words. Reads only the head of the pool.

    Raises:
        InputError: as `design`.
    """
    from triptych.studies.design.levels import Request  # noqa: PLC0415 - only designs need it
    from triptych.studies.design.planning import describe_design  # noqa: PLC0415

    chosen = Settings.of(**settings)
    request = Request.of(budget, levels, options, seed=chosen.seed)
    return describe_design(open_dataset(pool, chosen.reading()), request)


def solve(
    data: Any, *, student: str, out: str | Path | None = None, progress: Progress | None = None, **settings: Any
) -> dict[str, Any]:
    """Find how complex each record is to a student: its solve rate before training, and the surprisal of the answer.

    Args:
        data: one data set, as for `measure`.
        student: a trainer, as for `study`; the student is its model before training: "hf:MODEL", "tiny:start=FOLDER".
        out: folder for `solved.jsonl` (the rows, each with `solve_rate` and `surprisal`) and `solve.json`; None: nothing
            is written.
        progress: what long work tells its caller.
        settings: see `triptych.studies.solve.SolveOptions`.

    Returns:
        The document of `solve.json`.

    Raises:
        InputError: bad input or usage, with one clear message; nothing is written.
        TriptychError: no response was graded, or the scorer failed.
    """
    from triptych.studies.solve import SOLVE_FILES, SolveOptions, run_solve, save  # noqa: PLC0415 - only here needed

    options = SolveOptions.of(student=student, **settings)
    folder = claim(Path(out), own=SOLVE_FILES) if out is not None else None
    document, lines = run_solve(data, options, progress or Progress())
    if folder is not None:
        save(document, lines, folder)
    return document


def plan_solve(data: Any, *, student: str, **settings: Any) -> str:
    """What `solve` would do, in words: responses and tokens. Reads only the head of the data, and loads no model.

    Raises:
        InputError: as `solve`.
    """
    from triptych.studies.solve import SolveOptions, describe_solve  # noqa: PLC0415 - only here needed

    return describe_solve(data, SolveOptions.of(student=student, **settings))


def study(
    design: str | Path | None = None, *, out: str | Path, progress: Progress | None = None, **settings: Any
) -> dict[str, Any]:
    """Train on every arm of a design, score every panel, and trace each axis to the scores.

    Args:
        design: a folder that `design` wrote; None with `preset="findings"`.
        out: folder for `runs.jsonl`, `study.json` and `report.html`; a second call goes on where the first stopped.
        progress: what long work tells its caller.
        settings: see `triptych.studies.verb.Options`.

    Returns:
        The document of `study.json`.

    Raises:
        InputError: bad input or usage, with one clear message; no run was made. Runs that fail are noted, not raised.
    """
    from triptych.report.study import render_study  # noqa: PLC0415 - only studies need what is below
    from triptych.studies.verb import STUDY_FILES, Options, run_study  # noqa: PLC0415

    options = Options.of(**settings)
    folder = claim(Path(out), beside=options.folders, own=STUDY_FILES)
    document = run_study(design, folder, options, progress or Progress())
    write_text(folder / "report.html", render_study(document))
    return document


def plan_study(design: str | Path | None = None, *, out: str | Path = "", **settings: Any) -> str:
    """What `study` would do, in words: arms, runs, panels, tokens. Makes no run.

    Raises:
        InputError: as `study`.
    """
    from triptych.studies.verb import Options, describe_study  # noqa: PLC0415 - only studies need what is below

    return describe_study(design, Path(out), Options.of(**settings))


def trace(
    *runs: Any, out: str | Path | None = None, progress: Progress | None = None, **settings: Any
) -> dict[str, Any]:
    """Find what moved the scores of finished runs.

    Args:
        runs: tables of runs (paths, "-", lists of dicts, Arrow tables, data frames), folders of studies, or results of
            lm-eval or logs of inspect, as files or folders of them.
        out: folder for `study.json` and `report.html`; None: nothing is written.
        progress: what long work tells its caller.
        settings: see `triptych.studies.trace.verb.TraceOptions`.

    Returns:
        The document of `study.json`.

    Raises:
        InputError: bad input or usage, with one clear message; nothing is written.
    """
    from triptych.report.study import render_study  # noqa: PLC0415 - only studies need what is below
    from triptych.studies.trace.verb import TRACE_FILES, TraceOptions, trace_runs  # noqa: PLC0415

    options = TraceOptions.of(**settings)
    folder = claim(Path(out), own=TRACE_FILES) if out is not None else None
    document = trace_runs(runs, options, progress or Progress())
    if folder is not None:
        write_json(folder / "study.json", document)
        write_text(folder / "report.html", render_study(document))
    return document
