"""Guard documents to one page: `render_guard`. Pure; the same document gives the same bytes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from triptych.report.guard_figures import main_charts, more_charts, round_table
from triptych.report.guard_model import read_guard
from triptych.report.guard_plots import spells_of, strip
from triptych.report.guard_records import ROUND_LADDER, Guarded, RoundLimits
from triptych.report.guard_words import STATES, headline, one_in, rate, read_how, state_of
from triptych.report.page import render_bounded
from triptych.report.study_records import Facts
from triptych.report.words import count

SPELLS = 12
"""Most runs of equal verdicts that are listed."""


def render_guard(document: Mapping[str, Any]) -> str:
    """One self-contained HTML page for a guard document.

    Args:
        document: a guard document (`triptych/guard@1`) as read from JSON.

    Returns:
        The page, under 3 MB. What had to be left out for that is counted on the page.

    Raises:
        SchemaError: the document has another schema.
    """
    return render_bounded(
        "guard.html.jinja", lambda limits: guard_view(read_guard(document, limits), limits), ROUND_LADDER
    )


def guard_view(found: Guarded, limits: RoundLimits) -> dict[str, Any]:
    """Everything that the template prints."""
    rulings = [(each.number, each.ruling) for each in found.rounds]
    spells = spells_of(rulings) if any(ruling.state or ruling.verdict for _, ruling in rulings) else []
    return {
        "found": found,
        "title": headline(found.ruling),
        "state": state_of(found.ruling),
        "lede": read_how(found),
        "strip": strip(rulings) if rulings else None,
        "spells": spells[-SPELLS:],
        "states": list(STATES.values()),
        "charts": main_charts(found.rounds, found.kinds) if found.rounds else [],
        "more": more_charts(found.rounds) if found.rounds else [],
        "table": round_table(found.rounds),
        "shaded": any(each.ruling.verdict in ("warn", "stop") for each in found.rounds),
        "spoken": [each for each in found.rounds if each.ruling.reasons or each.ruling.evidence][-limits.samples * 6 :],
        "facts": _facts(found),
        "promise": one_in(found.alarm_rate),
        "left_out": [
            f"{count(len(found.rounds))} of {count(found.rounds_total, 'round')} are shown; the others are in the document."
        ]
        if found.rounds_total > len(found.rounds)
        else [],
    }


def _facts(found: Guarded) -> Facts:
    """How the rounds were read, one by one."""
    shared = {True: "yes: structure is read on responses", False: "no", None: ""}[found.shared_prompts]
    pairs = (
        ("valid records read", "" if found.at is None else count(found.at)),
        ("structure", found.structure),
        ("shared prompts", shared),
        ("false-alarm rate", "" if found.alarm_rate is None else rate(found.alarm_rate)),
        ("anchor", found.anchor or "none"),
    )
    return tuple((name, value) for name, value in pairs if value)
