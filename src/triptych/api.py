"""The verbs. Each command of the command line is one of these calls plus printing."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from triptych.core.errors import UsageError, message
from triptych.core.measure import Measure
from triptych.core.profile import Profile, write_json, write_text
from triptych.core.registry import lookup, measures
from triptych.core.spec import json_value
from triptych.data import Dataset, field_values, open_dataset
from triptych.engines.progress import Progress
from triptych.features.embedding import load_encoder
from triptych.profiling.bench import open_bench
from triptych.profiling.output import claim, unique_names
from triptych.profiling.planning import describe_plan
from triptych.profiling.run import profile_dataset
from triptych.profiling.sample import sample_texts
from triptych.profiling.settings import Settings
from triptych.report import render_profiles
from triptych.worlds.demo import write_demo
from triptych.worlds.writing import Made, Recipe, describe_worlds, make

if TYPE_CHECKING:
    from triptych.features.adapt import AdaptedEncoder

__all__ = [
    "adapt",
    "demo",
    "design",
    "explain",
    "list_measures",
    "list_worlds",
    "measure",
    "plan",
    "plan_design",
    "plan_solve",
    "plan_study",
    "solve",
    "study",
    "trace",
    "world",
]


def measure(
    *data: Any, out: str | Path | None = None, progress: Progress | None = None, **settings: Any
) -> list[Profile]:
    """Measure one or several data sets on quality, diversity and complexity.

    Args:
        data: a path (JSONL, JSON, Parquet, CSV, compressed or not, a folder of them, a saved Hugging Face set), "-", a
            list of dicts, an Arrow table, a data frame or a `datasets.Dataset`; several of them for several sets.
        out: folder for `profile.json`, `features.parquet` and `report.html` (several sets: `NAME/profile.json`,
            `NAME/features.parquet` and one `report.html`); None: nothing is written but the cache.
        progress: what long work tells its caller.
        settings: see `triptych.profiling.settings.Settings`.

    Returns:
        One profile for each data set, in order.

    Raises:
        InputError: bad input or usage, with one clear message; nothing is lost.
    """
    chosen = Settings.of(**settings)
    if not data:
        raise UsageError(
            message("there is nothing to measure.", want="at least one data set", hint="measure('data.jsonl')")
        )
    return _measure(data, claim(Path(out)) if out is not None else None, chosen, progress or Progress())


def _measure(data: Sequence[Any], folder: Path | None, settings: Settings, progress: Progress) -> list[Profile]:
    """Measure the sources, and write into the folder, which is ours."""
    with open_bench(settings, progress) as bench:
        datasets = unique_names([dataset for source in data for dataset in _open(source, settings)])
        profiles = []
        for dataset in datasets:
            place = None if folder is None else folder / dataset.name if len(datasets) > 1 else folder
            profile = profile_dataset(dataset, bench, place / "features.parquet" if place else None)
            if place:
                profile.save(place / "profile.json")
            profiles.append(profile)
    if folder is not None:
        write_text(folder / "report.html", render_profiles([profile.to_json() for profile in profiles]))
    return profiles


def plan(*data: Any, **settings: Any) -> str:
    """What `measure` would do, in words: passes, barriers, memory, calls. Reads only the head of the data.

    Raises:
        InputError: as `measure`.
    """
    chosen = Settings.of(**settings)
    return "\n\n".join(describe_plan(dataset, chosen) for source in data for dataset in _open(source, chosen))


def demo(
    *, out: str | Path, records: int = 2000, seed: int = 0, progress: Progress | None = None, **settings: Any
) -> list[Profile]:
    """Make a varied, a repetitive and a noisy data set of questions with worked answers, and measure all three.

    Args:
        out: folder; the data go into `data/` below it, the result beside it as `measure` writes it.
        records: in each set.
        seed: of the data.
        progress: what long work tells its caller.
        settings: as for `measure`.

    Raises:
        InputError: as `measure`.
    """
    if records < 1:
        raise UsageError(message("there must be at least one record.", got=str(records), want="--records N"))
    folder = claim(Path(out), beside=("data",))
    files = list(write_demo(folder / "data", seed, records).values())
    return _measure(files, folder, Settings.of(seed=seed, **settings), progress or Progress())


def adapt(
    data: Any, *, out: str | Path, texts: int = 2000, teacher: str = "minilm", ridge: float = 1.0, **settings: Any
) -> AdaptedEncoder:
    """Fit the static encoder to one's own texts: a linear correction towards a teacher, saved as a frozen artifact.

    Args:
        data: one data set, as for `measure`.
        out: folder for `adapted.safetensors`; use it as `encoder="adapted:FOLDER/adapted.safetensors"`.
        texts: size of the sample that the teacher encodes (about 40 texts a second for MiniLM).
        teacher: name of the encoder to follow.
        ridge: strength of the penalty.
        settings: how to read the data, as for `measure`.

    Raises:
        InputError: as `measure`, or too few texts, or the teacher is not installed.
    """
    from triptych.features.adapt import adapt as fit  # noqa: PLC0415 - needs scipy.stats
    from triptych.features.static_encoder import StaticEncoder  # noqa: PLC0415 - loads weights

    guide = load_encoder(teacher)
    chosen = Settings.of(**settings)
    folder = claim(Path(out))
    fitted = fit(sample_texts(open_dataset(data, chosen.reading()), texts), guide, StaticEncoder.load(), ridge=ridge)
    fitted.save(folder / "adapted.safetensors")
    return fitted


def list_measures() -> list[dict[str, Any]]:
    """All measures: name, axis, unit, parameters with their defaults, columns they need, extra, source."""
    entries = []
    for name, cls in measures().items():
        defaults = {f.name: json_value(f.default) for f in dataclasses.fields(cls)}  # type: ignore[arg-type]
        needs = list(cls(**_example_params(cls)).statistic().needs)
        about = cls.about
        entries.append(
            {"name": name, "axis": about.axis, "unit": about.unit, "params": defaults, "needs": needs}
            | {"extra": about.extra, "source": about.source}
        )
    return entries


def _example_params(cls: type[Measure]) -> dict[str, Any]:
    """Parameters that make an instance: those of the worked example of the measure's file."""
    example = getattr(inspect.getmodule(cls), "EXAMPLE", None)
    return dict(example.params) if example is not None else {}


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


def list_worlds() -> list[dict[str, Any]]:
    """All worlds: name, title, extra, number of skills by depth, surface forms, kinds of error, panels."""
    return describe_worlds()


def explain(name: str) -> str:
    """What a measure is: the documentation of its file, its range, parameters, confounders and how to ask for it.

    Raises:
        SpecError: no measure has this name; the message hints at a near miss.
    """
    cls = lookup(name)
    about = cls.about
    params = [f"  {f.name} = {json_value(f.default)}" for f in dataclasses.fields(cls)]  # type: ignore[arg-type]
    doc = inspect.cleandoc(inspect.getmodule(cls).__doc__ or cls.__doc__ or "")
    lines = [f"{name}: {about.title}, {about.axis}", "", doc, ""]
    lines += [f"unit: {about.unit}, from {about.bounds[0]:g} to {about.bounds[1]:g}; better: {about.better}"]
    lines += [f"source: {about.source}", "confounded by: " + (", ".join(about.confounders) or "nothing known")]
    lines += ["parameters:", *params] if params else ["parameters: none"]
    return "\n".join(lines)


def _open(source: Any, settings: Settings) -> Iterator[Dataset]:
    """The data sets of one source: one, or one for each value of the field `by`."""
    if settings.by is None:
        yield open_dataset(source, settings.reading())
        return
    for value in field_values(source, settings.by, settings.reading()):
        yield open_dataset(source, settings.reading((settings.by, value)), value or "empty")
