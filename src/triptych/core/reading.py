"""Reading a measure from its statistic: value, interval and size curve in one estimate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from triptych.core.estimate import CurvePoint, Estimate, Interval, Undefined
from triptych.core.groups import Mask, everything
from triptych.core.interval import Dealt, Reading, interval, size_curve
from triptych.core.measure import Measure
from triptych.core.statistic import Statistic


@dataclass(frozen=True)
class Instead:
    """A reading in place of a measure's own; `fitted`: numbers in it that were fitted to the changes of the groups."""

    reading: Reading
    fitted: int = 0


def read(
    measure: Measure,
    statistic: Statistic,
    *,
    dealt: Dealt | None = None,
    headline: bool = False,
    conditional_on: str | None = None,
    instead: Instead | None = None,
) -> Estimate:
    """The estimate of a measure.

    Args:
        measure: what to read.
        statistic: folded over the records; of the spec that `measure.statistic()` has.
        dealt: what the folded records were dealt to the groups as (`Keys.dealt`); None: every record on its own.
        headline: whether a screen shows it first on its axis.
        conditional_on: frozen artifacts (encoder, partition) that value and interval are conditional on, in words.
        instead: a reading that takes the place of the measure's own; what it gives is clipped to the measure's range.
    """
    about = measure.about
    low, high = about.bounds
    known: dict[bytes, float | Undefined] = {}

    def value(keep: Mask) -> float | Undefined:
        key = keep.tobytes()
        if key not in known:
            told = instead.reading(keep) if instead else measure.value(statistic, keep)
            known[key] = told if isinstance(told, Undefined) or not instead else min(max(told, low), high)
        return known[key]

    whole = value(everything())
    exact, bound = statistic.bound()
    number: float | None = None
    reason: str | None = None
    curve: tuple[CurvePoint, ...] = ()
    if isinstance(whole, Undefined):
        reason = whole.reason
        between = Interval(reason=whole.reason)
    else:
        number = float(whole)
        kind = measure.interval_kind(statistic)
        between = interval(value, statistic.records, kind, about.bounds, dealt, fitted=instead.fitted if instead else 0)
        curve = size_curve(value, statistic.records, between.se)
    return Estimate(
        measure=about.name,
        axis=about.axis,
        spec=measure.spec,
        value=number,
        undefined=reason,
        interval=between,
        n=statistic.records(everything()),
        unit=about.unit,
        better=about.better,
        exact=exact,
        bound=bound,
        curve=curve,
        title=about.title,
        label=measure.label,
        headline=headline,
        about=_about(measure, conditional_on),
    )


def _about(measure: Measure, conditional_on: str | None) -> dict[str, Any]:
    doc = (type(measure).__doc__ or "").strip().partition("\n")[0]
    out: dict[str, Any] = {
        "summary": doc,
        "source": measure.about.source,
        "confounders": list(measure.about.confounders),
    }
    if conditional_on:
        out["conditional_on"] = conditional_on
    return out
