"""The rules of a gate that has none: nothing that counts may be clearly worse than the baseline.

Valid share, the mean of every label that both sets have, the headline measures of diversity, and near duplicates among
records and among responses alone (a set that gives one answer to many prompts repeats only those), each within the default
margin of a comparison. A floor that suits any data does not exist, so there is none by default.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from triptych.comparing.gate.rules import Rule
from triptych.core.measure import Measure
from triptych.data import Layout
from triptych.profiling.panel import plan
from triptych.profiling.settings import Settings

ALWAYS = ("valid_share", "near_duplicate_rate")
RESPONSES = "near_duplicate_rate:on=response"


def measured(layout: Layout, settings: Settings) -> tuple[Measure, ...]:
    """The default panel of a set, and near duplicates among its responses."""
    panel = plan(replace(settings, measures=()), layout).measures
    more = plan(replace(settings, measures=(RESPONSES,)), layout).measures if layout.has_response else ()
    return tuple({measure.spec.hash: measure for measure in (*panel, *more)}.values())


def default_rules(layout: Layout, settings: Settings, known: Collection[str]) -> tuple[Rule, ...]:
    """No worse than the baseline, on what counts.

    Args:
        layout: of the data.
        settings: of the run.
        known: labels of the measures that the baseline can be read on too.
    """
    headlines = plan(replace(settings, measures=()), layout).headlines

    def counts(measure: Measure) -> bool:
        name = measure.about.name
        headline = measure.spec.hash in headlines and measure.about.axis == "diversity"
        return name in (*ALWAYS, "label_mean") or headline

    chosen = [
        m.label for m in measured(layout, settings) if counts(m) and m.label in known and m.about.better != "neither"
    ]
    return tuple(
        Rule(name=label, place=f"default rule {at + 1} ({label})", measure=label, no_worse_than_baseline=True)
        for at, label in enumerate(chosen)
    )
