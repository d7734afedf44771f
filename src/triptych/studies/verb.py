"""The verb `study`: measure the arms, make the runs, analyse them part by part, and put the document together."""

from __future__ import annotations

import json
import math
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from triptych._version import __version__
from triptych.core.errors import UsageError, message, nearest
from triptych.core.profile import write_json
from triptych.engines.local import LocalEngine
from triptych.engines.progress import Progress
from triptych.profiling.settings import Settings
from triptych.studies.conduct import Plan, conduct, parse_panel, plan_text
from triptych.studies.document import Analysis, analyse
from triptych.studies.findings.build import write_design
from triptych.studies.findings.presets import TITLES, chosen, describe
from triptych.studies.findings.tradeoff import tradeoff
from triptych.studies.folder import DesignFolder, Part, read_design
from triptych.studies.measuring import measure_arms
from triptych.studies.readings import parse_readings, readings
from triptych.studies.runs import Run, RunLog, run_id, run_table
from triptych.studies.table import RunTable
from triptych.studies.trace.bakeoff import BakeoffOptions, bakeoff
from triptych.studies.trainers.registry import parse_trainer

SCHEMA = "triptych/study@1"

STUDY_FILES = frozenset({"runs.jsonl", "study.json", "report.html"})
"""What a study writes into its folder."""

SAME = 0.005
"""Sizes of arms that differ by less than this share are equal."""

_PACKAGES = ("numpy", "scipy", "statsmodels")


@dataclass(frozen=True)
class Options:
    """What a study is asked for, beside its design.

    Attributes:
        trainer: as after `--trainer`: name:parameter=value,..
        panels: as after `--panel`; empty: those of the design.
        seeds: trainings of each arm.
        margin: in score units: an effect whose interval lies within it is worth nothing. None: as `Analysis` says.
        level: of the intervals.
        bootstrap: resamples of items, seeds and arms; 0: none.
        measure: whether the arms are profiled.
        measured: which measures read the factors, as FACTOR=LABEL; empty: see `readings`.
        workers: processes; None: one a core.
        seed: of the bootstrap.
        preset: "findings", instead of a design; `worlds` and `blocks` say where and how often.
        worlds: of the preset; empty: all that have one.
        blocks: of the preset.
        cache: folder of the columns; None: the default one; False: none is kept.
        engine: "local".
    """

    trainer: str = "tiny"
    panels: tuple[str, ...] = ()
    seeds: int = 1
    margin: float | None = None
    level: float = 0.95
    bootstrap: int = 1000
    measure: bool = True
    measured: tuple[str, ...] = ()
    workers: int | None = None
    seed: int = 0
    preset: str | None = None
    worlds: tuple[str, ...] = ()
    blocks: int = 5
    cache: Path | Literal[False] | None = None
    engine: str = "local"

    @property
    def settings(self) -> Settings:
        """How the arms are measured.

        Raises:
            UsageError: an engine that is not there, or no worker.
        """
        return Settings.of(workers=self.workers, engine=self.engine, cache=self.cache)

    @property
    def folders(self) -> tuple[str, ...]:
        """The folders that the study makes beside its files."""
        return tuple(chosen(self.preset, self.worlds)) if self.preset else ()

    @classmethod
    def of(cls, **given: Any) -> Options:
        """Options from keywords, with a hint for a name that is nearly right.

        Raises:
            UsageError: an unknown name or a value out of range.
        """
        known = [item.name for item in fields(cls)]
        for name in given:
            if name not in known:
                hint = nearest(name, known)
                raise UsageError(message(f'study has no setting "{name}".', want=", ".join(known), hint=hint))
        for name in ("panels", "worlds", "measured"):
            given[name] = tuple(given.get(name) or ())
        made = cls(**given)
        for name, value, low, high in (
            ("seeds", made.seeds, 1, math.inf),
            ("blocks", made.blocks, 1, math.inf),
            ("margin", made.margin or 1.0, 0, math.inf),
            ("level", made.level, 0.5, 0.999),
            ("bootstrap", made.bootstrap, 0, math.inf),
        ):
            if not low <= value <= high:
                raise UsageError(message(f"{name} is out of range.", got=f"{value}", want=f"{low:g} to {high:g}"))
        _ = made.settings, made.folders  # say now what is wrong with them
        return made


def run_study(design: str | Path | None, out: Path, options: Options, progress: Progress) -> dict[str, Any]:
    """Conduct the study of a design folder, or of a preset, and write `runs.jsonl` and `study.json` into a folder.

    Returns:
        The document of `study.json`.

    Raises:
        InputError: bad input or usage; no run was made.
    """
    if (design is None) == (options.preset is None):
        want = "a design folder, or --preset findings, and not both"
        raise UsageError(message("what is to be studied?", want=want, hint="triptych study --preset findings"))
    plans = _plans(design, out, options)
    parts = []
    with LocalEngine(options.workers) as engine:
        for name, plan in plans.items():
            log = RunLog(out / name / "runs.jsonl")
            measured = _measured(plan, options, engine, progress)
            runs = conduct(plan, log, measured, engine, progress)
            weighed = _tradeoff(plan, out / name, engine, progress) if options.preset else None
            with progress.stage("effects", unit="parts", total=len(plan.design.parts)) as stage:
                parts.append(study_document(plan, runs, options, weighed))
                stage.advance(len(plan.design.parts))
    document = parts[0] if len(parts) == 1 else together(TITLES.get(options.preset or "", "Study"), parts)
    write_json(out / "study.json", document)
    return document


def describe_study(design: str | Path | None, out: Path, options: Options) -> str:
    """What `run_study` would do, in words. Writes nothing."""
    if options.preset:
        return "\n\n".join(
            describe(preset, options.blocks) for preset in chosen(options.preset, options.worlds).values()
        )
    plans = _plans(design, out, options)
    return "\n\n".join(plan_text(plan) for plan in plans.values())


def _plans(design: str | Path | None, out: Path, options: Options) -> dict[str, Plan]:
    """Folder below the result to what is run there."""
    panels = tuple(parse_panel(text) for text in options.panels)
    if design is not None:
        folder = design_path(design)
        return {"": Plan(read_design(folder, panels), parse_trainer(options.trainer), options.seeds)}
    return {
        name: Plan(
            read_design(write_design(out / name, preset, options.blocks), panels),
            parse_trainer(options.trainer if options.trainer != "tiny" else preset.trainer),
            options.seeds,
        )
        for name, preset in chosen(options.preset, options.worlds).items()
    }


def _measured(plan: Plan, options: Options, engine: LocalEngine, progress: Progress) -> dict[str, dict[str, float]]:
    return measure_arms(plan.design.arms, options.settings, engine, progress) if options.measure else {}


def _tradeoff(plan: Plan, folder: Path, engine: LocalEngine, progress: Progress) -> dict[str, Any]:
    """Quality against diversity in what the models write; kept in the folder for a second call."""
    file = folder / "tradeoff.json"
    key = run_id(plan.trainer.spec.hash, *(arm.sha256() for arm in plan.design.arms))
    if file.exists() and (kept := json.loads(file.read_text(encoding="utf-8"))).get("key") == key:
        return dict(kept["tradeoff"])
    found = tradeoff(plan.design, folder.name, plan.trainer, engine, progress)
    if not found["failed"]:
        write_json(file, {"key": key, "tradeoff": found})
    return found


def study_document(
    plan: Plan, runs: Sequence[Run], options: Options, weighed: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The document `study.json` of one design: one part for each thing held equal, or the part itself if it is alone.

    `weighed` is what a preset found of quality against diversity; it stands with the first part.
    """
    title = plan.design.document.get("title")
    parts = [_part(plan, part, runs, options) for part in plan.design.parts]
    if weighed:
        parts[0]["tradeoff"] = weighed
    if len(parts) > 1:
        return together(title or "Study", parts)
    return {**parts[0], "title": title or parts[0]["title"] or "Study"}


def together(title: str, parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """One document of several studies; parts that have parts of their own give those."""
    flat: list[Mapping[str, Any]] = []
    for part in parts:
        inner = part.get("parts", [part])
        flat += [{**item, "title": _title(part, item)} for item in inner]
    return {"schema": SCHEMA, "title": title, "parts": flat, "provenance": provenance()}


def _title(outer: Mapping[str, Any], inner: Mapping[str, Any]) -> str:
    return inner["title"] if outer is inner else f"{outer['title']}, {inner['title']}"


def _part(plan: Plan, part: Part, runs: Sequence[Run], options: Options) -> dict[str, Any]:
    design = plan.design
    mine = [run for run in runs if run.arm in set(part.arms)]
    table = run_table(mine, design.factors)
    with threadpool_limits(1):  # small matrices: more threads cost far more than they save
        found = analyse(table, _analysis(design, options, table))
        judged = _bakeoff(table, options)
    failed = [run for run in mine if run.status == "failed"]
    scorers = {source.name: source.scorer for source in design.panels}
    for panel in found["panels"]:
        panel["scorer"] = scorers.get(panel["name"])
    return {
        "schema": SCHEMA,
        "title": part.title,
        "design": {
            **{key: design.document.get(key) for key in ("pool", "kind", "factors")},
            "condition_number": part.condition_number,
        },
        "arms": _arms(design, part, mine),
        "runs": {
            "total": len(mine),
            "done": len(mine) - len(failed),
            "failed": [{"run": r.run, "arm": r.arm, "seed": r.seed, "error": r.error} for r in failed],
            "seconds": round(sum(run.cost.get("seconds", 0.0) for run in mine), 1),
            "tokens": sum(run.cost.get("tokens", 0) for run in mine),
            "trainer": dict(mine[0].trainer) if mine else {},
        },
        "balance": list(part.balance),
        "diversity": design.document.get("diversity", []),
        **found,
        "bakeoff": judged,
        "provenance": provenance(),
    }


def _bakeoff(table: RunTable, options: Options) -> dict[str, Any] | None:
    """Which measure of the data predicts the scores; None where nothing was measured."""
    if not table.measured:
        return None
    held = replace(table, covariates=_moving(table.covariates))
    return bakeoff(held, BakeoffOptions(level=options.level, seed=options.seed))


def _moving(covariates: Mapping[str, NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
    """Covariates that differ between runs by more than a record more or less does."""
    return {name: values for name, values in covariates.items() if np.ptp(values) > SAME * values.mean()}


def _analysis(design: DesignFolder, options: Options, table: RunTable) -> Analysis:
    return Analysis(
        measured=readings(table, parse_readings(options.measured)),
        covariates=tuple(_moving(table.covariates)),
        factors=design.factors,
        panels_id=tuple(source.name for source in design.panels if source.kind == "id"),
        margin=options.margin,
        level=options.level,
        bootstrap=options.bootstrap,
        seed=options.seed,
        block="block",
    )


def _arms(design: DesignFolder, part: Part, runs: Sequence[Run]) -> list[dict[str, Any]]:
    """The arms of a part with what was measured and scored on them; arms without levels stand first."""
    entries = {entry["name"]: entry for entry in design.document["arms"]}
    out = []
    for name in sorted(part.arms, key=lambda name: bool(entries[name]["levels"])):
        mine = [run for run in runs if run.arm == name]
        measured = dict(mine[0].measured) if mine else {}
        out.append({**entries[name], "measured": measured, "scores": _scores(mine)})
    return out


def _scores(runs: Sequence[Run]) -> dict[str, float]:
    """Panel to the mean score of these runs; a panel without one is left out."""
    found: dict[str, list[float]] = {}
    for run in runs:
        for name, panel in run.panels.items():
            if panel.mean is not None:
                found.setdefault(name, []).append(panel.mean)
    return {name: sum(values) / len(values) for name, values in found.items()}


def provenance() -> dict[str, Any]:
    """Versions."""
    packages = {"python": platform.python_version(), **{name: version(name) for name in _PACKAGES}}
    return {"version": __version__, "packages": packages}


def design_path(source: str | Path) -> Path:
    """The folder of a design given by its folder or its JSON."""
    path = Path(source)
    return path.parent if path.name == "design.json" else path
