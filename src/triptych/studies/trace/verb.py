"""The verb `trace`: read finished runs, find what moved their scores, and put the document together."""

from __future__ import annotations

import math
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from importlib.metadata import version
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from triptych._version import __version__
from triptych.core.errors import UsageError, message, nearest
from triptych.engines.progress import Progress
from triptych.studies.document import Analysis, analyse
from triptych.studies.trace.bakeoff import BakeoffOptions, bakeoff
from triptych.studies.trace.checks import is_seed
from triptych.studies.trace.reading import Loaded, Roles, load
from triptych.studies.trace.shares import agreement, variance_shares
from triptych.studies.trace.sources import gather

SCHEMA = "triptych/study@1"

TRACE_FILES = frozenset({"study.json", "report.html"})
"""What a trace writes into its folder."""

_UNNAMED = "unit of the outcome"
_PACKAGES = ("numpy", "scipy", "statsmodels")
_SAID = frozenset({"missing_scores"})
"""Warnings of the analysis that reading has given already, with the names of the runs."""

_LISTS = ("outcome", "factors", "blocks", "covariates", "candidates", "panels_id")


@dataclass(frozen=True)
class TraceOptions:
    """What a trace is asked for.

    Attributes:
        outcome, factors, blocks, covariates, candidates: names of columns; empty: what the source says of itself.
        panels_id: outcomes that count as in distribution; empty: those named `id`, `id-..`, `id_..`.
        run: the column that names runs; None: `run`, `run_id`, `run_name` or one without a name.
        arm: the column of the data condition; None: `arm`.
        about: a table that says more of runs known by name: factors, blocks.
        margin: the smallest effect worth having, in units of the outcome.
        bakeoff: whether measures are compared as predictors.
        random: whether the first block is a random effect; None: where it must be.
        interactions: whether products of factors are estimated.
        level: of the intervals.
        bootstrap: draws.
        seed: of the bootstrap.
    """

    outcome: tuple[str, ...] = ()
    factors: tuple[str, ...] = ()
    blocks: tuple[str, ...] = ()
    covariates: tuple[str, ...] = ()
    candidates: tuple[str, ...] = ()
    panels_id: tuple[str, ...] = ()
    run: str | None = None
    arm: str | None = None
    about: Any = None
    margin: float | None = None
    bakeoff: bool = False
    random: bool | None = None
    interactions: bool = True
    level: float = 0.95
    bootstrap: int = 1000
    seed: int = 0

    @classmethod
    def of(cls, **given: Any) -> TraceOptions:
        """Options from keywords: lists as sequences of names, or one name.

        Raises:
            UsageError: an unknown name, or a value out of range.
        """
        known = [item.name for item in fields(cls)]
        for name in given:
            if name not in known:
                hint = nearest(name, known)
                raise UsageError(message(f'trace has no setting "{name}".', want=", ".join(known), hint=hint))
        values: dict[str, Any] = {n: _names(value) if n in _LISTS else value for n, value in given.items()}
        made = cls(**values)
        for name, number, low, high in (
            ("margin", made.margin or 1.0, 0, math.inf),
            ("level", made.level, 0.5, 0.999),
            ("bootstrap", made.bootstrap, 0, math.inf),
        ):
            if not low <= number <= high:
                raise UsageError(message(f"{name} is out of range.", got=f"{number}", want=f"{low:g} to {high:g}"))
        unknown = [name for name in made.panels_id if made.outcome and name not in made.outcome]
        if unknown:
            what = f'"{unknown[0]}" is said to be in distribution, but it is no outcome.'
            raise UsageError(message(what, want=", ".join(made.outcome), hint=nearest(unknown[0], made.outcome)))
        return made

    @property
    def roles(self) -> Roles:
        """Which columns are what."""
        return Roles(self.outcome, self.factors, self.blocks, self.covariates, self.candidates, self.arm)


def _names(value: str | Sequence[str] | None) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value or ())


def trace_runs(sources: Sequence[object], options: TraceOptions, progress: Progress) -> dict[str, Any]:
    """Analyse finished runs. Returns the document of `study.json`.

    Args:
        sources: as `triptych.studies.trace.sources.gather`.
        options: which column is what, and what is asked.
        progress: what long work tells its caller.

    Raises:
        InputError: bad input or usage, with one clear message.
    """
    with threadpool_limits(1):  # the systems are small: threads would only wait for each other
        return _document(sources, options, progress)


def _document(sources: Sequence[object], options: TraceOptions, progress: Progress) -> dict[str, Any]:
    with progress.stage("runs", unit="sources", total=len(sources)) as stage:
        loaded = load(gather(sources, options.about, options.run, options.outcome), options.roles)
        stage.advance(len(sources))
    table = loaded.table
    with progress.stage("effects", unit="panels", total=len(table.outcomes)) as stage:
        found = analyse(table, _analysis(loaded, options))
        stage.advance(len(table.outcomes))
    baked = None
    if options.bakeoff:
        with progress.stage("bake-off", unit="panels", total=len(table.outcomes)) as stage:
            baked = bakeoff(table, BakeoffOptions(options.level, max(options.bootstrap, 1000), options.seed))
            stage.advance(len(table.outcomes))
    names = [Path(source).name if isinstance(source, (str, os.PathLike)) else "records" for source in sources]
    return {
        "schema": SCHEMA,
        "title": f"Trace of {', '.join(names)}",
        "design": _design(loaded, names),
        "arms": [],
        "runs": _runs(loaded),
        "balance": [],
        **_in_units(found, loaded.units),
        "shares": variance_shares(table, options.level),
        "agreement": agreement(table, options.level),
        "bakeoff": baked,
        "warnings": [*loaded.warnings, *(w for w in found["warnings"] if w["code"] not in _SAID)],
        "provenance": _provenance(sources, options),
    }


def _analysis(loaded: Loaded, options: TraceOptions) -> Analysis:
    """Blocks in the order given, seeds left to the analysis: a seed of its own for each run is no block."""
    return Analysis(
        factors=tuple(loaded.table.factors),
        panels_id=options.panels_id,
        margin=options.margin,
        block=tuple(name for name in loaded.table.blocks if not is_seed(name)),
        random=options.random,
        covariates=tuple(loaded.table.covariates),
        interactions=options.interactions,
        level=options.level,
        seed=options.seed,
        bootstrap=options.bootstrap,
    )


def _design(loaded: Loaded, names: Sequence[str]) -> dict[str, Any]:
    """What the columns of the table were taken for."""
    roles = loaded.roles
    factors = {
        name: {"field": name, "levels": list(loaded.codes[name])} if name in loaded.codes else {"field": name}
        for name in roles.factors
    }
    return {
        "kind": "observed",
        "sources": list(names),
        "outcomes": list(roles.outcomes),
        "factors": factors,
        "blocks": {name: len(set(labels.tolist())) for name, labels in loaded.table.blocks.items()},
        "covariates": list(roles.covariates),
        "candidates": list(roles.candidates),
    }


def _runs(loaded: Loaded) -> dict[str, Any]:
    return {
        "total": loaded.total,
        "done": loaded.total - len(loaded.failed),
        "analysed": len(loaded.table),
        "failed": list(loaded.failed),
        "seconds": None,
        "trainer": {},
    }


def _in_units(found: Mapping[str, Any], units: Mapping[str, str]) -> dict[str, Any]:
    """The analysis, with the unit of outcomes that lie beyond 0 to 1."""
    out = dict(found)
    for key in ("effects", "contrasts"):
        out[key] = [
            {**entry, "unit": entry["unit"].replace(_UNNAMED, "points")}
            if "points" in {units.get(name) for name in _panels(entry)}
            else entry
            for entry in found.get(key, [])
        ]
    return out


def _panels(entry: Mapping[str, Any]) -> list[str]:
    return [*entry.get("panels", []), *([entry["panel"]] if "panel" in entry else [])]


def _provenance(sources: Sequence[object], options: TraceOptions) -> dict[str, Any]:
    packages = {"python": platform.python_version(), **{name: version(name) for name in _PACKAGES}}
    paths = [str(source) for source in sources if isinstance(source, (str, os.PathLike))]
    return {"version": __version__, "seed": options.seed, "sources": paths, "packages": packages}
