"""The figures of a study, panel by panel: interactions, dose-response, every run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from triptych.report.study_plots import LinePlot, StripPlot, cell_ends, dose_plot, pair_plot, score_scale, strip_plot
from triptych.report.study_records import RunPoint, Study, StudyLimits
from triptych.report.study_view import factor_css, main_factors, undefined_panels
from triptych.report.study_words import condition_name, factor_name, interval, signed, told
from triptych.report.words import count

LABEL = 19
"""Longest label inside a drawing, in characters."""
ROWS = 40
"""Most conditions in one drawing of raw points."""


@dataclass(frozen=True)
class Figure:
    """One drawing, or the reason why there is none."""

    title: str
    kind: str
    pair: LinePlot | None = None
    dose: LinePlot | None = None
    strip: StripPlot | None = None
    note: str = ""
    undefined: str = ""


@dataclass(frozen=True)
class FigureGroup:
    """Drawings under one heading."""

    title: str
    figures: tuple[Figure, ...]


def pair_groups(study: Study, limits: StudyLimits) -> list[FigureGroup]:
    """Interaction plots: for each pair of factors one drawing a panel. Drawings of a panel share one scale."""
    factors = [name for name in main_factors(study) if any(name in cell.levels for cell in study.cells)]
    factors = factors or list(dict.fromkeys(name for cell in study.cells for name in cell.levels))
    effects = {(item.factor, item.panel): item for item in study.effects if item.family == "interactions"}
    reasons, groups = undefined_panels(study.panels), []
    for first, second in combinations(factors[:3], 2):
        figures = []
        for panel in study.panels[: limits.figures]:
            cells = [] if panel.name in reasons else [cell for cell in study.cells if cell.panel == panel.name]
            if not cells and panel.name not in reasons:
                continue
            plot = pair_plot(cells, first, second, score_scale(cell_ends(cells))) if cells else None
            effect = effects.get((f"{first}:{second}", panel.name))
            note = ""
            if effect is not None and effect.value is not None:
                ends = interval(effect.lo, effect.hi)
                note = f"{first} × {second}: {signed(effect.value)}{f' ({ends})' if ends else ''}, {told(effect)}"
            missing = "" if plot else reasons.get(panel.name, "not drawn: the document has no runs at all four corners")
            figures.append(Figure(panel.name, _kind(panel.out), pair=plot, note=note, undefined=missing))
        if any(figure.pair for figure in figures):
            groups.append(FigureGroup(f"{factor_name(first)} × {factor_name(second)}", tuple(figures)))
    return groups


def dose_figures(study: Study, limits: StudyLimits) -> list[Figure]:
    """Dose-response: one drawing a panel, all factors in it, raw points behind the means."""
    factors = main_factors(study) or list(dict.fromkeys(dose.factor for dose in study.dose))
    css, reasons, figures = factor_css(factors[:4]), undefined_panels(study.panels), []
    for panel in study.panels[: limits.figures]:
        doses = [] if panel.name in reasons else [dose for dose in study.dose if dose.panel == panel.name]
        points = [point for point in study.points if point.panel == panel.name]
        scale = score_scale([*(dose.mean for dose in doses), *(point.score for point in points)])
        plot = dose_plot(doses, points, css, scale) if doses else None
        if plot or panel.name in reasons:
            missing = "" if plot else reasons[panel.name]
            figures.append(Figure(panel.name, _kind(panel.out), dose=plot, undefined=missing))
    return figures


def strip_figures(study: Study, limits: StudyLimits) -> list[Figure]:
    """Every run: one drawing a panel, one row for each condition."""
    reasons, figures = undefined_panels(study.panels), []
    for panel in study.panels[: limits.figures]:
        points = [point for point in study.points if point.panel == panel.name]
        missing = reasons.get(panel.name, "")
        if not points and not missing:
            continue
        rows = _conditions(points)
        note = f"{count(len(rows) - ROWS, 'more condition')} not drawn." if len(rows) > ROWS else ""
        plot = strip_plot(rows[:ROWS], score_scale([point.score for point in points])) if points else None
        figures.append(Figure(panel.name, _kind(panel.out), strip=plot, note=note, undefined=missing))
    return figures


def _conditions(points: Sequence[RunPoint]) -> list[tuple[str, str, list[float]]]:
    """Runs by condition, from all low to all high, arms without levels (random, longest) last."""
    groups: dict[str, list[RunPoint]] = {}
    for point in points:
        groups.setdefault(condition_name(point.levels) or point.arm, []).append(point)
    order = sorted(groups.items(), key=lambda group: _rank(group[1][0].levels))
    return [(_short(name, own[0].levels), name, [point.score for point in own]) for name, own in order]


def _rank(levels: Mapping[str, float]) -> tuple[bool, list[float]]:
    return not levels, list(levels.values())


def _short(name: str, levels: Mapping[str, float]) -> str:
    """A row label that fits: "Q low D high C low" loses its commas, anything longer its end."""
    text = name.replace(",", "") if levels else name
    return text if len(text) <= LABEL + 2 else text[:LABEL] + "…"


def _kind(out: bool) -> str:
    return "out of distribution" if out else "in distribution"
