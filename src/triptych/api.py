"""The verbs. Each command of the command line is one of these calls plus printing."""

from __future__ import annotations

import dataclasses
import inspect
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from triptych.core.errors import UsageError, message
from triptych.core.measure import Measure
from triptych.core.profile import Profile, write_text
from triptych.core.registry import lookup, measures
from triptych.core.spec import json_value
from triptych.data import Dataset, field_values, open_dataset
from triptych.engines.cache import ColumnCache, default_cache
from triptych.engines.catalog import Instruments
from triptych.engines.local import LocalEngine
from triptych.engines.progress import Progress
from triptych.features.embedding import load_encoder
from triptych.profiling.output import claim, unique_names
from triptych.profiling.planning import describe_plan
from triptych.profiling.run import Bench, profile_dataset
from triptych.profiling.sample import sample_texts
from triptych.profiling.settings import Settings
from triptych.report import render_profiles
from triptych.worlds.demo import write_demo

if TYPE_CHECKING:
    from triptych.features.adapt import AdaptedEncoder

__all__ = ["adapt", "demo", "explain", "list_measures", "measure", "plan"]


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
    with _bench(settings, progress) as bench:
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


@contextmanager
def _bench(settings: Settings, progress: Progress) -> Iterator[Bench]:
    """Engine and cache for the time of one call. Without a cache the columns live in a folder that is removed."""
    temporary = tempfile.mkdtemp(prefix="triptych-") if settings.cache is False else None
    root = Path(temporary) if temporary else Path(settings.cache or default_cache())
    try:
        instruments = Instruments.named(settings.tokenizer, settings.encoder)
        with LocalEngine(settings.workers) as engine:
            yield Bench(settings, instruments, ColumnCache(root), engine, progress)
    finally:
        if temporary:
            shutil.rmtree(temporary, ignore_errors=True)
