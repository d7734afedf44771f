"""A study or design document read into frozen records: cleaned, bounded, tolerant of missing keys.

As in `model.py`, everything after this module works on the records and never on the raw JSON. A number that is not
finite is absent; an effect without a number has a reason; unknown keys are ignored.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any

from triptych.core.errors import SchemaError, message
from triptych.report.fields import finite, items, listed, mapping, raw, text
from triptych.report.loose import facts, table, written
from triptych.report.study_bakeoff import read_bakeoff
from triptych.report.study_records import (
    Arm,
    Balance,
    Cell,
    Check,
    Conclusion,
    Design,
    Dose,
    Effect,
    Factor,
    Facts,
    FailedRun,
    PanelInfo,
    Power,
    RunPoint,
    Runs,
    Study,
    StudyLimits,
)
from triptych.report.study_tradeoff import read_tradeoff
from triptych.report.text import line

STUDY_SCHEMA = "triptych/study@1"
DESIGN_SCHEMA = "triptych/design@1"
NAME = 80
NO_NUMBER = "the document gives neither a number nor a reason"
FACTOR_ORDER = ("Q", "D", "C")
LARGEST = 1e100
"""A number beyond this is no result: it is read as absent, so that no sum or scale overflows."""


def read_parts(document: Any, limits: StudyLimits) -> tuple[list[Study], int]:
    """The studies of a document, one for each of its `parts` (or `designs`), and how many it has in all.

    Raises:
        SchemaError: it is no mapping, or it names another schema.
    """
    checked(document, STUDY_SCHEMA)
    found = listed(document, "parts") or listed(document, "designs")
    for part in found:
        checked(part, STUDY_SCHEMA)
    if not found:
        return [read_study(document, limits)], 1
    return [read_study(part, limits) for part in found[: limits.parts]], len(found)


def checked(document: Any, schema: str) -> None:
    """Refuse what names another schema.

    Raises:
        SchemaError: it is no mapping, or it names another schema.
    """
    found = document.get("schema", schema) if isinstance(document, Mapping) else type(document).__name__
    if found != schema:
        what = f"this is no {schema.split('/')[1].split('@', maxsplit=1)[0]} document."
        raise SchemaError(message(what, got=line(str(found), 80), want=f'"schema": "{schema}"'))


def read_study(document: Mapping[str, Any], limits: StudyLimits) -> Study:
    """Read one study document (without parts)."""
    design, every = mapping(document, "design"), listed(document, "effects")
    panels, arms, points = (listed(document, key) for key in ("panels", "arms", "points"))
    margin = next((found for item in (document, design) if (found := number(item, "margin")) is not None), None)
    effects = tuple(_effect(item, margin, limits) for item in every[: limits.effects])
    checks = listed(document, "sensitivity")
    return Study(
        title=text(document, "title", 120) or "Untitled study",
        question=text(document, "question", limits.text),
        design=_design_facts(design),
        factors=_factors(design),
        margin=margin,
        arms=tuple(_arm(item, limits) for item in arms[: limits.arms]),
        arms_total=len(arms),
        runs=_runs(mapping(document, "runs"), limits),
        panels=_panels(panels, effects, limits),
        panels_total=max(len(panels), len({str(item.get("panel")) for item in every})),
        effects=effects,
        effects_total=len(every),
        contrasts=tuple(_effect(item, margin, limits) for item in listed(document, "contrasts")[: limits.rows]),
        cells=tuple(cell for item in listed(document, "cells")[: 20 * limits.rows] if (cell := _cell(item))),
        points=_points(points, limits),
        points_total=len(points),
        dose=tuple(dose for item in listed(document, "dose")[: 10 * limits.rows] if (dose := _dose(item))),
        balance=_balances(document, limits),
        diversity=table("", listed(document, "diversity") or listed(design, "diversity"), limits.rows, limits.columns),
        power=_powers(document, limits),
        checks=tuple(_check(item, limits) for item in checks[: 4 * limits.rows] if _is_check(item)),
        other_checks=table("", [item for item in checks if not _is_check(item)], limits.rows, limits.columns),
        traced=tuple(
            made
            for key, title in (("shares", "Shares of the variation"), ("agreement", "Agreement of rankings"))
            if (made := table(title, listed(document, key), limits.rows, limits.columns))
        ),
        bakeoff=read_bakeoff(mapping(document, "bakeoff"), limits),
        tradeoff=read_tradeoff(mapping(document, "tradeoff"), limits),
        inference=text(mapping(document, "inference"), "text", 2 * limits.text),
        conclusions=tuple(
            Conclusion(item.get("kind") == "can", text(item, "text", limits.text))
            for item in listed(document, "conclusions")[: 2 * limits.notes]
        ),
        warnings=read_warnings(document, limits.notes, limits.text),
        provenance=facts(mapping(document, "provenance"), text=limits.text),
    )


def read_design(document: Any, limits: StudyLimits | None = None) -> Design:
    """Read one design document.

    Raises:
        SchemaError: it is no mapping, or it names another schema.
    """
    checked(document, DESIGN_SCHEMA)
    limits = limits or StudyLimits()
    arms = listed(document, "arms")
    return Design(
        facts=_design_facts(document),
        factors=_factors(document),
        arms=tuple(_arm(item, limits) for item in arms[: limits.arms]),
        arms_total=len(arms),
        balance=_balances(document, limits),
        diversity=table("", listed(document, "diversity"), limits.rows, limits.columns),
        overlap=facts(mapping(document, "overlap")),
        power=_powers(document, limits),
        binding=written(document.get("binding")) or "; ".join(" ".join(f) for f in facts(mapping(document, "binding"))),
        warnings=read_warnings(document, limits.notes, limits.text),
        provenance=facts(mapping(document, "provenance")),
    )


def number(item: Mapping[str, Any], key: str) -> float | None:
    """A finite number of a size that can be drawn, or None."""
    found = finite(item.get(key))
    return found if found is not None and abs(found) < LARGEST else None


def _is_check(item: Mapping[str, Any]) -> bool:
    return "factor" in item and "panel" in item and ("estimate" in item or "undefined" in item)


def _effect(item: Mapping[str, Any], margin: float | None, limits: StudyLimits) -> Effect:
    undefined, value = text(item, "undefined", limits.text), number(item, "estimate")
    ends = _interval(item) if value is not None and not undefined else None
    own = number(item, "margin")
    factor, kind = text(item, "factor", NAME) or "unnamed", text(item, "kind", 40)
    family = "measured" if kind == "measured" else "interactions" if ":" in factor else "main"
    return Effect(
        name=text(item, "name", NAME),
        factor=factor,
        panel=text(item, "panel", NAME) or ", ".join(line(str(each), NAME) for each in items(item.get("panels"))[:4]),
        family=text(item, "family", 40) or family,
        value=None if undefined else value,
        lo=ends[0] if ends else None,
        hi=ends[1] if ends else None,
        level=number(item, "level") or 0.95,
        p=number(item, "p"),
        p_adjusted=number(item, "p_adjusted"),
        unit=text(item, "unit", 40) or "score",
        measure=text(item, "measure", NAME),
        boot=_interval(mapping(item, "items")) if ends else None,
        sd_units=number(item, "sd_units"),
        partial_r2=number(item, "partial_r2"),
        runs=number(item, "n_runs"),
        margin=abs(margin) if own is None and margin is not None else own,
        verdict=text(item, "verdict", 60),
        undefined=undefined or ("" if value is not None else NO_NUMBER),
    )


def _interval(item: Mapping[str, Any], ends: tuple[str, str] = ("lo", "hi")) -> tuple[float, float] | None:
    lo, hi = (number(item, key) for key in ends)
    return (lo, hi) if lo is not None and hi is not None and lo <= hi else None


def _check(item: Mapping[str, Any], limits: StudyLimits) -> Check:
    """One line of the sensitivity table; known kinds in words, others under their own name."""
    kind, value, ends, note = text(item, "kind", NAME), number(item, "estimate"), _interval(item), ""
    name = text(item, "name", NAME) or kind or "other"
    if ranged := _interval(item, ("lowest", "highest")):
        name, ends = f"{kind or 'leave one out'}: {text(item, 'block', 40) or 'block'}", ranged
        without = [text(item, f"{key}_without", 40) for key in ("lowest", "highest")]
        note = f"lowest without {without[0]}, highest without {without[1]}" if all(without) else ""
        note += "; the sign changes" if item.get("sign_changes") is True else ""
    elif "with_covariate" in item:
        name, value = f"with {text(item, 'covariate', NAME) or 'a covariate'}", number(item, "with_covariate")
    undefined = text(item, "undefined", limits.text)
    lo, hi = ends if ends and not undefined else (None, None)
    factor, panel = text(item, "factor", NAME), text(item, "panel", NAME)
    return Check(factor, panel, name, None if undefined else value, lo, hi, undefined or note)


def _panels(
    found: Sequence[Mapping[str, Any]], effects: Sequence[Effect], limits: StudyLimits
) -> tuple[PanelInfo, ...]:
    """The panels listed, then those that only the effects name; ID before OOD."""
    read = {panel.name: panel for item in found if (panel := _panel(item, limits)).name}
    for effect in effects:
        if effect.panel and effect.panel not in read:
            read[effect.panel] = PanelInfo(effect.panel, not effect.panel.startswith("id"), None, "", None, None, "")
    return tuple(sorted(read.values(), key=lambda panel: panel.out)[: limits.panels])


def _panel(item: Mapping[str, Any], limits: StudyLimits) -> PanelInfo:
    name = text(item, "name", NAME)
    kind = text(item, "kind", 20).lower()
    return PanelInfo(
        name=name,
        out=kind == "ood" if kind in ("id", "ood") else not name.startswith("id"),
        items=number(item, "items"),
        scorer=text(item, "scorer", NAME),
        mean=number(item, "mean"),
        sd_runs=number(item, "sd_runs"),
        undefined=text(item, "undefined", limits.text),
    )


def _levels(item: Mapping[str, Any]) -> dict[str, float]:
    """Levels in the order Q, D, C, then as they came."""
    found = {
        _cleaned(str(key)[:24]): level
        for key, value in islice(mapping(item, "levels").items(), 12)
        if (level := finite(value)) is not None and abs(level) < LARGEST
    }
    return {name: found[name] for name in [*FACTOR_ORDER, *found] if name in found}


def _arm(item: Mapping[str, Any], limits: StudyLimits) -> Arm:
    measured = islice(mapping(item, "measured").items(), limits.columns)
    return Arm(
        name=text(item, "name", NAME) or "unnamed",
        levels=_levels(item),
        block=text(item, "block", 40),
        records=number(item, "records"),
        tokens=number(item, "tokens"),
        scores=_numbers(islice(mapping(item, "scores").items(), limits.columns)),
        measured=_numbers(measured),
    )


def _numbers(pairs: Iterable[tuple[Any, Any]]) -> dict[str, float]:
    return {line(str(key), 60): found for key, value in pairs if (found := finite(value)) is not None}


def _cell(item: Mapping[str, Any]) -> Cell | None:
    mean = number(item, "mean")
    if mean is None:
        return None
    return Cell(text(item, "panel", NAME), _levels(item), mean, abs(number(item, "se") or 0.0), number(item, "n"))


def _points(found: Sequence[Mapping[str, Any]], limits: StudyLimits) -> tuple[RunPoint, ...]:
    """Scores of runs; where there are too many, each panel keeps its first ones, so that none is left empty."""
    panels: dict[str, list[Mapping[str, Any]]] = {}
    for item in found:
        panels.setdefault(str(item.get("panel"))[: 2 * NAME], []).append(item)
    shown = list(panels.values())[: limits.panels]
    each = limits.points // max(1, len(shown))
    return tuple(point for own in shown for item in own[:each] if (point := _point(item)))


def _point(item: Mapping[str, Any]) -> RunPoint | None:
    score = number(item, "score")
    return None if score is None else RunPoint(_name(item, "arm"), _name(item, "panel"), _levels(item), score)


def _name(item: Mapping[str, Any], key: str) -> str:
    """A name that comes with every run: cleaned once."""
    return _cleaned(raw(item, key)[: 2 * NAME])


@lru_cache(maxsize=4096)
def _cleaned(found: str) -> str:
    return line(found, NAME)


def _dose(item: Mapping[str, Any]) -> Dose | None:
    level, mean = number(item, "level"), number(item, "mean")
    if level is None or mean is None:
        return None
    factor, panel = text(item, "factor", NAME), text(item, "panel", NAME)
    return Dose(factor, panel, level, mean, abs(number(item, "se") or 0.0), number(item, "n"))


def _balances(document: Mapping[str, Any], limits: StudyLimits) -> tuple[Balance, ...]:
    return tuple(
        Balance(
            text(item, "variable", NAME),
            number(item, "smd"),
            number(item, "ks"),
            written(item.get("worst"), 160),
            item.get("asked") is not False,
        )
        for item in listed(document, "balance")[: limits.rows]
    )


def _powers(document: Mapping[str, Any], limits: StudyLimits) -> tuple[Power, ...]:
    return tuple(
        Power(
            factor=text(item, "factor", NAME),
            panel=text(item, "panel", NAME),
            mde=number(item, "mde"),
            residual_sd=number(item, "residual_sd"),
            runs_for=facts(mapping(item, "runs_for"), 8, 40),
        )
        for item in listed(document, "power")[: limits.rows]
    )


def _runs(item: Mapping[str, Any], limits: StudyLimits) -> Runs:
    failed = listed(item, "failed")
    rows = tuple(
        FailedRun(
            text(each, "run", NAME),
            text(each, "arm", NAME),
            written(each.get("seed")),
            text(each, "error", limits.text),
        )
        for each in failed[: limits.notes]
    )
    done, total, seconds = (number(item, key) for key in ("done", "total", "seconds"))
    return Runs(total, done, seconds, rows, len(failed), facts(mapping(item, "trainer")))


def _design_facts(item: Mapping[str, Any]) -> Facts:
    """The plain facts of a design: not its factors and lists, which have tables of their own."""
    apart = {
        "schema",
        "factors",
        "arms",
        "balance",
        "diversity",
        "overlap",
        "power",
        "binding",
        "warnings",
        "provenance",
    }
    return facts({str(key): value for key, value in item.items() if key not in apart}, 16)


def _factors(design: Mapping[str, Any]) -> tuple[Factor, ...]:
    found = []
    for name, value in islice(mapping(design, "factors").items(), 12):
        item = value if isinstance(value, Mapping) else {"field": value}
        field = line(str(item.get("field") or ""), NAME)
        found.append(Factor(line(str(name), 40), field, *(_ends(item.get(key)) for key in ("levels", "reached"))))
    return tuple(found)


def _ends(found: Any) -> str:
    return " to ".join(written(each, 40) for each in items(found)[:5])


def read_warnings(document: Mapping[str, Any], notes: int, length: int) -> tuple[str, ...]:
    """The warnings of a document, each once: at most `notes`, then how many more there are."""
    found = [text(item, "text", length) or text(item, "code", NAME) for item in listed(document, "warnings")]
    found += [line(item, length) for item in items(document.get("warnings")) if isinstance(item, str)]
    found = list(dict.fromkeys(found))
    more = len(found) - notes
    return (*found[:notes], *([f"{more} more warnings are in the document."] if more > 0 else []))
