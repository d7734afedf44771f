"""Study documents to one page: `render_study`. Pure; the same document gives the same bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from triptych.report.page import render_bounded
from triptych.report.study_figures import Figure, FigureGroup, dose_figures, pair_groups, strip_figures
from triptych.report.study_model import read_parts
from triptych.report.study_plots import Places, effect_scale
from triptych.report.study_records import STUDY_LADDER, Study, StudyLimits
from triptych.report.study_tradeoff import TradeoffView, tradeoff_view
from triptych.report.study_view import (
    CheckGroup,
    EffectLine,
    EffectTable,
    FactorCard,
    bake_groups,
    check_groups,
    contrast_lines,
    effect_tables,
    factor_cards,
    main_effects,
    margin_of,
    margin_words,
    summary,
    undefined_panels,
)
from triptych.report.study_words import condition_name
from triptych.report.text import line
from triptych.report.words import count, listing

SMD = 0.1
"""A standardized mean difference beyond this is flagged."""


@dataclass(frozen=True)
class PartView:
    """One study as its section shows it; `key` begins the ids of its headings."""

    key: str
    study: Study
    cards: tuple[FactorCard, ...]
    margin: str
    tables: tuple[EffectTable, ...]
    contrasts: tuple[tuple[str, str, list[EffectLine]], ...]
    contrast_ticks: Places
    contrast_margin: str
    pairs: tuple[FigureGroup, ...]
    doses: tuple[Figure, ...]
    strips: tuple[Figure, ...]
    tradeoff: TradeoffView | None
    checks: tuple[CheckGroup, ...]
    bakes: tuple[CheckGroup, ...]
    undefined: Mapping[str, str]
    measured: tuple[str, ...]
    scored: tuple[str, ...]
    levels: str
    left_out: tuple[str, ...]


def render_study(document: Mapping[str, Any]) -> str:
    """One self-contained HTML page for a study document, or for one that has several studies as `parts`.

    Args:
        document: a study document (`triptych/study@1`) as read from JSON.

    Returns:
        The page, under 3 MB. What had to be left out for that is counted on the page.

    Raises:
        SchemaError: the document or one of its parts has another schema.
    """
    return render_bounded("study.html.jinja", lambda limits: study_view(document, limits), STUDY_LADDER)


def study_view(document: Mapping[str, Any], limits: StudyLimits) -> dict[str, Any]:
    """Everything that the template prints."""
    studies, total = read_parts(document, limits)
    several = len(studies) > 1
    outer = studies[0] if not several else None
    rows, summary_ticks, summary_margin = summary(studies, limits.factors) if several else ([], (), None)
    notes = []
    if total > len(studies):
        notes.append(
            f"{count(total, 'study')} were given; this page shows the first {len(studies)}.".replace(
                "studys", "studies"
            )
        )
    return {
        "title": outer.title if outer else line(str(document.get("title") or ""), 120) or f"{total} studies",
        "question": outer.question if outer else line(str(document.get("question") or ""), limits.text),
        "parts": [part_view(study, at if several else None, limits) for at, study in enumerate(studies)],
        "several": several,
        "summary": rows,
        "summary_ticks": summary_ticks,
        "summary_margin": margin_words(summary_margin, [item for study in studies for item in study.effects]),
        "notes": notes,
        "condition_name": condition_name,
        "smd": SMD,
    }


def part_view(study: Study, at: int | None, limits: StudyLimits) -> PartView:
    """One study, or one part of several."""
    effects = main_effects(study, limits.factors)
    margin = margin_of(effects)
    contrasts, contrast_ticks, contrast_margin = contrast_lines(study)
    measured = dict.fromkeys(label for arm in study.arms for label in arm.measured)
    levels = sorted({item.level for item in study.effects if item.lo is not None})
    return PartView(
        key="" if at is None else f"p{at + 1}-",
        study=study,
        cards=tuple(factor_cards(study, effect_scale(effects, margin), limits.factors)),
        margin=margin_words(margin, effects),
        tables=tuple(effect_tables(study, limits.effects)),
        contrasts=tuple(contrasts),
        contrast_ticks=contrast_ticks,
        contrast_margin=margin_words(contrast_margin, study.contrasts),
        pairs=tuple(pair_groups(study, limits)),
        doses=tuple(dose_figures(study, limits)),
        strips=tuple(strip_figures(study, limits)),
        tradeoff=tradeoff_view(study.tradeoff) if study.tradeoff else None,
        checks=tuple(check_groups(study, limits.rows)),
        bakes=tuple(bake_groups(study, limits.panels)),
        undefined=undefined_panels(study.panels),
        measured=tuple(measured)[: limits.columns],
        scored=tuple(dict.fromkeys(name for arm in study.arms for name in arm.scores)),
        levels=listing([f"{level:g}" for level in levels]),
        left_out=tuple(_left_out(study)),
    )


def _left_out(study: Study) -> Sequence[str]:
    pairs = (
        (study.panels_total, len(study.panels), "panel"),
        (study.effects_total, len(study.effects), "effect"),
        (study.arms_total, len(study.arms), "arm"),
        (study.points_total, len(study.points), "score of a run"),
    )
    return [
        f"{count(shown)} of {count(total, noun).replace('score of a runs', 'scores of runs')} are shown; the others are in the document."
        for total, shown, noun in pairs
        if total > shown
    ]
