"""One study as its page shows it: texts and geometry for each section, ready for the template."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from triptych.report.scales import Scale
from triptych.report.study_plots import EffectMark, Places, effect_mark, effect_scale, effect_ticks
from triptych.report.study_records import Check, Effect, PanelInfo, Study
from triptych.report.study_words import (
    FACTOR_NAMES,
    FACTOR_QUESTIONS,
    VERDICT_CSS,
    factor_name,
    interval,
    optional,
    p_value,
    places_for,
    sentence,
    signed,
    told,
)
from triptych.report.words import not_defined, number

CSS = {"Q": "s0", "D": "s2", "C": "s1"}
OTHER_CSS = ("s3", "s6", "s7", "s5", "s4")
KINDS = ((False, "In distribution"), (True, "Out of distribution"))
FAMILIES = (
    ("interactions", "Interactions"),
    ("shape", "Shape: does the effect bend between low and high?"),
    ("measured", "Measured effects: per standard deviation of what the measures read on the arms"),
)


@dataclass(frozen=True)
class EffectLine:
    """One effect in words and as a mark."""

    label: str
    value: str
    interval: str
    verdict: str
    verdict_css: str
    undefined: str
    mark: EffectMark | None
    spoken: str


@dataclass(frozen=True)
class Group:
    """Lines under one heading."""

    title: str
    lines: tuple[EffectLine, ...]


@dataclass(frozen=True)
class FactorCard:
    """All that one factor did."""

    factor: str
    name: str
    question: str
    css: str
    sentence: str
    groups: tuple[Group, ...]
    ticks: Places


@dataclass(frozen=True)
class EffectRow:
    """One line of the table of effects."""

    panel: str
    factor: str
    measure: str
    css: str
    cells: tuple[str, ...]
    verdict: str
    verdict_css: str
    undefined: str


@dataclass(frozen=True)
class EffectTable:
    """The effects of one family, panel by panel."""

    title: str
    rows: tuple[EffectRow, ...]


@dataclass(frozen=True)
class CheckGroup:
    """One effect under every analysis."""

    factor: str
    panel: str
    css: str
    lines: tuple[EffectLine, ...]
    ticks: Places


def factor_css(factors: Iterable[str]) -> dict[str, str]:
    """The colour class of each factor: Q, D and C keep theirs on every page."""
    names = list(dict.fromkeys(factors))
    others = [name for name in names if name not in CSS]
    return {name: CSS.get(name) or OTHER_CSS[others.index(name) % len(OTHER_CSS)] for name in names}


def main_factors(study: Study) -> list[str]:
    """The factors that have main effects: Q, D, C first, then as they come."""
    found = dict.fromkeys(item.factor for item in study.effects if item.family == "main")
    return sorted(found, key=lambda factor: list(CSS).index(factor) if factor in CSS else len(CSS))


def main_effects(study: Study, limit: int) -> list[Effect]:
    """The main effects on panels that are shown."""
    names = {panel.name for panel in study.panels}
    factors = set(main_factors(study)[:limit])
    return [e for e in study.effects if e.family == "main" and e.factor in factors and e.panel in names]


def margin_of(effects: Sequence[Effect]) -> float | None:
    """The margin that all effects share, or None."""
    found = {item.margin for item in effects}
    margin = found.pop() if len(found) == 1 else None
    return margin or None


def factor_cards(study: Study, scale: Scale, limit: int) -> list[FactorCard]:
    """One card for each factor, its panels grouped into ID and OOD, all on one scale."""
    effects = main_effects(study, limit)
    places = places_for(effects)
    css, panels = factor_css(main_factors(study)), {panel.name: panel for panel in study.panels}
    cards = []
    for factor in main_factors(study)[:limit]:
        own = [item for item in effects if item.factor == factor]
        groups = [
            Group(title, tuple(effect_line(e, e.panel, scale, places) for e in own if panels[e.panel].out == out))
            for out, title in KINDS
        ]
        cards.append(
            FactorCard(
                factor=factor,
                name=FACTOR_NAMES.get(factor, factor),
                question=FACTOR_QUESTIONS.get(factor, "What did it do?"),
                css=css[factor],
                sentence=sentence(factor, own, panels),
                groups=tuple(group for group in groups if group.lines),
                ticks=effect_ticks(scale),
            )
        )
    return cards


def effect_line(item: Effect, label: str, scale: Scale, places: int) -> EffectLine:
    """One effect on a scale that it shares with others."""
    if item.value is None:
        words = not_defined(item.undefined)
        return EffectLine(label, "", "", "", "open", words, None, f"{label}: {words}")
    value, ends = signed(item.value, places), interval(item.lo, item.hi, places)
    spoken = f"{label}: {value} {item.unit}, {ends or 'no interval'}; {item.verdict}"
    mark = effect_mark(item, scale, item.margin)
    return EffectLine(label, value, ends or "no interval", told(item), _verdict_css(item), "", mark, spoken)


def contrast_lines(study: Study) -> tuple[list[tuple[str, str, list[EffectLine]]], Places, float | None]:
    """Contrasts by factor (name, colour, lines), the ticks of their common scale, the margin."""
    found = study.contrasts
    scale, margin, places = effect_scale(found, margin_of(found)), margin_of(found), places_for(found)
    css = factor_css([*main_factors(study), *(item.factor for item in found)])
    groups: dict[str, list[EffectLine]] = {}
    for item in found:
        label = item.name.split(": ", 1)[-1] if item.name.startswith(f"{item.factor} x panel: ") else item.name
        groups.setdefault(item.factor, []).append(effect_line(item, label or item.panel, scale, places))
    return [(factor_name(name), css[name], lines) for name, lines in groups.items()], effect_ticks(scale), margin


def effect_tables(study: Study, limit: int) -> list[EffectTable]:
    """The numbers behind the plot, then those of each other family of effects."""
    names = {panel.name: place for place, panel in enumerate(study.panels)}
    shown = [item for item in study.effects if item.panel in names]
    css = factor_css([*main_factors(study), *(item.factor for item in shown)])
    families = dict(FAMILIES)
    found = []
    for family in dict.fromkeys(["main", *families, *(item.family for item in shown)]):
        own = [item for item in shown if item.family == family][:limit]
        own.sort(key=lambda item: names[item.panel])
        if own:
            title = "Main effects" if family == "main" else families.get(family, family)
            found.append(EffectTable(title, tuple(_effect_row(item, css, places_for(own)) for item in own)))
    return found


def check_groups(study: Study, limit: int) -> list[CheckGroup]:
    """Each main effect beside its other analyses: bootstrap over items, blocks left out, covariates."""
    css = factor_css([*(item.factor for item in study.effects), *(item.factor for item in study.checks)])
    groups: list[tuple[str, str, list[Check]]] = []
    panels = {panel.name: panel for panel in study.panels}
    others: dict[tuple[str, str], list[Check]] = {}
    for check in study.checks:
        others.setdefault((check.factor, check.panel), []).append(check)
    for effect in [item for item in study.effects if item.family == "main" and item.value is not None]:
        lines = [Check(effect.factor, effect.panel, "as reported", effect.value, effect.lo, effect.hi, "")]
        if effect.boot:
            lines.append(Check(effect.factor, effect.panel, "bootstrap over items", effect.value, *effect.boot, ""))
        lines += others.pop((effect.factor, effect.panel), [])
        if len(lines) > 1:
            groups.append((effect.factor, effect.panel, lines))
    groups += [(factor, panel, lines) for (factor, panel), lines in others.items()]
    groups.sort(key=lambda group: (panels[group[1]].out if group[1] in panels else True, group[1]))
    scale = effect_scale(check for _, _, lines in groups[:limit] for check in lines)
    return [
        CheckGroup(factor, panel, css[factor], tuple(_check_line(check, scale) for check in lines), effect_ticks(scale))
        for factor, panel, lines in groups[:limit]
        if any(check.value is not None for check in lines)
    ]


def bake_groups(study: Study, limit: int) -> list[CheckGroup]:
    """The bake-off, panel by panel in the order of the document, all on one scale."""
    scale = effect_scale(study.bakeoff.entries)
    panels = list(dict.fromkeys(entry.panel for entry in study.bakeoff.entries))[:limit]
    return [
        CheckGroup(
            "",
            name,
            "s7",
            tuple(_check_line(e, scale) for e in study.bakeoff.entries if e.panel == name),
            effect_ticks(scale),
        )
        for name in panels
    ]


def summary(studies: Sequence[Study], limit: int) -> tuple[list[tuple[Study, list[FactorCard]]], Places, float | None]:
    """Every part's factors on one scale, for the table at the top of a page with several parts."""
    every = [effect for study in studies for effect in main_effects(study, limit)]
    scale = effect_scale(every, margin_of(every))
    return [(study, factor_cards(study, scale, limit)) for study in studies], effect_ticks(scale), margin_of(every)


def undefined_panels(panels: Sequence[PanelInfo]) -> Mapping[str, str]:
    """Panels that have no scores to analyse, with the reason."""
    return {panel.name: not_defined(panel.undefined) for panel in panels if panel.undefined}


def _verdict_css(item: Effect) -> str:
    return VERDICT_CSS.get(item.verdict, "open")


def _effect_row(item: Effect, css: Mapping[str, str], places: int) -> EffectRow:
    cells: tuple[str, ...] = ()
    if item.value is not None:
        cells = (
            signed(item.value, places),
            interval(item.lo, item.hi, places) or "no interval",
            p_value(item.p_adjusted if item.p_adjusted is not None else item.p)
            + ("" if item.p_adjusted is not None else " (raw)"),
            optional(item.sd_units, 2, sign=True),
            optional(item.partial_r2, 3),
            optional(item.runs, 0),
        )
    return EffectRow(
        item.panel,
        item.factor,
        item.measure,
        css[item.factor],
        cells,
        item.verdict,
        _verdict_css(item),
        not_defined(item.undefined) if item.value is None else "",
    )


def _check_line(check: Check, scale: Scale) -> EffectLine:
    if check.value is None:
        words = not_defined(check.note)
        return EffectLine(check.name, "", "", "", "", words, None, f"{check.name}: {words}")
    value, ends = signed(check.value), interval(check.lo, check.hi)
    mark = effect_mark(check, scale)
    return EffectLine(
        check.name, value, ends, check.note, "", "", mark, f"{check.name}: {value}, {ends or 'no interval'}"
    )


def margin_words(margin: float | None, effects: Sequence[Effect]) -> str:
    """What the shaded bands mean."""
    if margin is not None:
        unit = next((item.unit for item in effects), "score")
        return f"The shaded band is the margin, {number(-margin, 3)} to {number(margin, 3)} {unit}."
    return "The shaded bands are the margins, which differ by panel." if any(item.margin for item in effects) else ""
