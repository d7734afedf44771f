"""Measuring: `measure`, `demo`, and fitting the encoder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from triptych.api.opening import open_sets
from triptych.comparing.adjudicate import keep_sheet, write_sheet
from triptych.comparing.held import Held, MeasureOptions
from triptych.core.errors import UsageError, message
from triptych.core.profile import Profile, write_text
from triptych.data import open_dataset
from triptych.engines.catalog import Instruments
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

if TYPE_CHECKING:
    from triptych.features.adapt import AdaptedEncoder


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
        settings: against, adjudicate, labels: see `triptych.comparing.held.MeasureOptions`; and those of
            `triptych.profiling.settings.Settings`.

    Returns:
        One profile for each data set, in order.

    Raises:
        InputError: bad input or usage, with one clear message; nothing is lost.
    """
    options = MeasureOptions.of(**settings)
    if not data:
        raise UsageError(
            message("there is nothing to measure.", want="at least one data set", hint="measure('data.jsonl')")
        )
    if out is None and options.adjudicate is not None:
        raise UsageError(message("--adjudicate without a folder.", want="-o FOLDER, where the sheet is written"))
    return _measure(data, claim(Path(out)) if out is not None else None, options, progress or Progress())


def _measure(data: Sequence[Any], folder: Path | None, options: MeasureOptions, progress: Progress) -> list[Profile]:
    """Measure the sources, and write into the folder, which is ours."""
    settings = options.settings
    if folder is not None and options.adjudicate is not None:
        keep_sheet(folder)
    first, *others = settings.encoders
    with open_bench(replace(settings, encoder=first), progress) as opened:
        bench = replace(opened, second=Instruments.named(settings.tokenizer, others[0])) if others else opened
        held = Held(options, bench) if options.against else None
        datasets = unique_names([dataset for source in data for dataset in open_sets(source, settings)])
        if held:
            held.expect([dataset.name for dataset in datasets])
        profiles = []
        for dataset in datasets:
            place = None if folder is None else folder / dataset.name if len(datasets) > 1 else folder
            profile = profile_dataset(dataset, bench, place / "features.parquet" if place else None, held)
            if place:
                profile.save(place / "profile.json")
            profiles.append(profile)
    if folder is not None:
        if held and (rows := held.sheet()) is not None:
            write_sheet(folder, rows)
        write_text(folder / "report.html", render_profiles([profile.to_json() for profile in profiles]))
    return profiles


def plan(*data: Any, **settings: Any) -> str:
    """What `measure` would do, in words: passes, barriers, memory, calls. Reads only the head of the data (all of it, once,
    where a model is named: to say how many records it would be asked about).

    Raises:
        InputError: as `measure`.
    """
    options = MeasureOptions.of(**settings)
    datasets = [dataset for source in data for dataset in open_sets(source, options.settings)]
    return "\n\n".join([*(describe_plan(dataset, options.settings) for dataset in datasets), *options.plan()])


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
    return _measure(files, folder, MeasureOptions.of(seed=seed, **settings), progress or Progress())


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
