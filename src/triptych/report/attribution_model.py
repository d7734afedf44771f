"""An attribution document read into frozen records: cleaned, bounded, tolerant of missing keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from triptych.report.fields import items, listed, mapping, number, text
from triptych.report.loose import facts
from triptych.report.loose_numbers import bounded, reading
from triptych.report.study_model import checked, read_warnings
from triptych.report.study_records import Effect, Facts, Reading
from triptych.report.text import line

SCHEMA = "triptych/attribution@1"
NAME, VALUE = 80, 120
AXES = ("quality", "diversity", "complexity")
"""Of the table of components."""


@dataclass(frozen=True)
class AttributionLimits:
    """How much of an attribution a page shows. What is left out is counted and said."""

    runs: int = 256
    measures: int = 24
    effects: int = 600
    rows: int = 120
    notes: int = 24
    text: int = 400


ATTRIBUTION_LADDER = (
    AttributionLimits(),
    AttributionLimits(96, 16, 300, 80, 12, 300),
    AttributionLimits(32, 8, 120, 40, 8, 200),
    AttributionLimits(12, 4, 40, 16, 4, 120),
)
"""From all that is readable to the least; the first that fits the page's limit of bytes is taken."""


@dataclass(frozen=True)
class MeasureInfo:
    """A measure that runs were read by."""

    label: str
    title: str
    axis: str
    unit: str
    better: str
    headline: bool


@dataclass(frozen=True)
class Told:
    """An effect of a component (or of a pair) on a measure; `within` is the interval of the records alone."""

    component: str
    level: str
    reference: str
    label: str
    effect: Effect
    within: Reading
    error_from: str

    @property
    def versus(self) -> str:
        """The level against its reference."""
        return f"{self.level} against {self.reference}"


@dataclass(frozen=True)
class CostTold:
    """What a level of a component did to a cost."""

    component: str
    level: str
    reference: str
    title: str
    found: Reading
    mean: float | None
    verdict: str
    no_interval: str
    undefined: str


@dataclass(frozen=True)
class RunTold:
    """A run: what it is made of, how it was read, what its measures say."""

    name: str
    made_by: str
    cell: float | None
    components: Facts
    unknown: tuple[str, ...]
    records: float | None
    used: float | None
    accepted: float | None
    values: Mapping[str, Reading]
    undefined: Mapping[str, str]


@dataclass(frozen=True)
class TableCell:
    """One axis in a line of the table of components."""

    title: str
    unit: str
    found: Reading
    verdict: str
    undefined: str


@dataclass(frozen=True)
class TableLine:
    """A line of the table: a level of a component, or why there is none."""

    part: str
    component: str
    state: str
    level: str
    reference: str
    value: str
    axes: Mapping[str, TableCell]
    cost: CostTold | None


@dataclass(frozen=True)
class Attribution:
    """An attribution document."""

    verdict: str
    sentence: str
    same: Facts
    missing: tuple[str, ...]
    design: Facts
    error_from: str
    inference: str
    measures: tuple[MeasureInfo, ...]
    measures_total: int
    lines: tuple[TableLine, ...]
    effects: tuple[Told, ...]
    effects_total: int
    pairs: tuple[Told, ...]
    pairs_total: int
    costs: tuple[CostTold, ...]
    runs: tuple[RunTold, ...]
    runs_total: int
    scatter: tuple[str, ...]
    warnings: tuple[str, ...]
    provenance: Facts


def read_attribution(document: Any, limits: AttributionLimits | None = None) -> Attribution:
    """Read one document.

    Raises:
        SchemaError: it is no mapping, or it names another schema.
    """
    limits = limits or AttributionLimits()
    checked(document, SCHEMA)
    told, inference = mapping(document, "comparability"), mapping(document, "inference")
    measures, runs = listed(document, "measures"), listed(document, "runs")
    effects, pairs = listed(document, "effects"), listed(document, "interactions")
    return Attribution(
        verdict=text(told, "verdict", 40),
        sentence=text(told, "sentence", limits.text),
        same=tuple(
            (text(one, "component", NAME), text(one, "value", VALUE)) for one in listed(told, "same")[: limits.rows]
        ),
        missing=tuple(
            line(one, limits.text) for one in items(told.get("missing"))[: limits.notes] if isinstance(one, str)
        ),
        design=facts(mapping(document, "design")),
        error_from=text(inference, "error_from", NAME),
        inference=text(inference, "text", 4 * limits.text),
        measures=tuple(map(_measure, measures[: limits.measures])),
        measures_total=len(measures),
        lines=tuple(_line(one, limits) for one in listed(document, "taxonomy")[: limits.rows]),
        effects=tuple(_told(one, limits) for one in effects[: limits.effects]),
        effects_total=len(effects),
        pairs=tuple(_told(one, limits) for one in pairs[: limits.effects]),
        pairs_total=len(pairs),
        costs=tuple(_cost(one, limits) for one in listed(document, "costs")[: limits.effects]),
        runs=tuple(_run(one, limits) for one in runs[: limits.runs]),
        runs_total=len(runs),
        scatter=tuple(map(_scatter, listed(document, "scatter")[: limits.measures])),
        warnings=read_warnings(document, limits.notes, limits.text),
        provenance=facts(mapping(document, "provenance"), text=limits.text),
    )


def _measure(item: Mapping[str, Any]) -> MeasureInfo:
    label = text(item, "label", NAME) or "unnamed"
    return MeasureInfo(
        label,
        text(item, "title", NAME) or label,
        text(item, "axis", 40),
        text(item, "unit", NAME),
        text(item, "better", 20),
        item.get("headline") is True,
    )


def _names(item: Mapping[str, Any], single: str, several: str) -> str:
    found = [line(str(one), VALUE) for one in items(item.get(several))[:4]]
    return " × ".join(found) if found else text(item, single, VALUE)


def _told(item: Mapping[str, Any], limits: AttributionLimits) -> Told:
    component = _names(item, "component", "components") or "unnamed"
    label = text(item, "label", NAME)
    found = reading({"value": item.get("estimate"), "lo": item.get("lo"), "hi": item.get("hi")})
    inside = mapping(item, "within")
    effect = Effect(
        name=component,
        factor=component,
        panel=label,
        family="main",
        value=found.value,
        lo=found.lo,
        hi=found.hi,
        level=0.95,
        p=number(item, "p"),
        p_adjusted=number(item, "p_adjusted"),
        unit=text(item, "unit", NAME),
        measure=label,
        boot=None,
        sd_units=None,
        partial_r2=None,
        runs=None,
        margin=bounded(item.get("margin")),
        verdict=text(item, "verdict", 40),
        undefined=text(item, "undefined", limits.text),
    )
    return Told(
        component=component,
        level=_names(item, "level", "levels"),
        reference=_names(item, "reference", "references"),
        label=label,
        effect=effect,
        within=reading({"value": found.value, "lo": inside.get("lo"), "hi": inside.get("hi")}),
        error_from=text(item, "error_from", NAME),
    )


def _cost(item: Mapping[str, Any], limits: AttributionLimits) -> CostTold:
    return CostTold(
        component=text(item, "component", VALUE) or "unnamed",
        level=text(item, "level", VALUE),
        reference=text(item, "reference", VALUE),
        title=text(item, "title", NAME),
        found=reading({"value": item.get("estimate"), "lo": item.get("lo"), "hi": item.get("hi")}),
        mean=bounded(item.get("mean")),
        verdict=text(item, "verdict", 40),
        no_interval=text(item, "no_interval", limits.text),
        undefined=text(item, "undefined", limits.text),
    )


def _run(item: Mapping[str, Any], limits: AttributionLimits) -> RunTold:
    measures = mapping(item, "measures")
    shown = {line(str(key), NAME): value for key, value in list(measures.items())[: limits.measures]}
    return RunTold(
        name=text(item, "name", NAME) or "unnamed",
        made_by=text(item, "made_by", NAME),
        cell=number(item, "cell"),
        components=facts(mapping(item, "components"), text=VALUE),
        unknown=tuple(line(str(one), NAME) for one in items(item.get("unknown"))[: limits.notes]),
        records=number(item, "records"),
        used=number(item, "used"),
        accepted=bounded(mapping(item, "per_record").get("accepted")),
        values={key: reading(value) for key, value in shown.items()},
        undefined={
            key: text(value, "undefined", limits.text) for key, value in shown.items() if isinstance(value, Mapping)
        },
    )


def _line(item: Mapping[str, Any], limits: AttributionLimits) -> TableLine:
    cost = item.get("cost")
    return TableLine(
        part=text(item, "part", NAME),
        component=text(item, "component", VALUE),
        state=text(item, "state", 20),
        level=text(item, "level", VALUE),
        reference=text(item, "reference", VALUE),
        value=text(item, "value", limits.text),
        axes={axis: _cell(found, limits) for axis in AXES if (found := mapping(item, axis))},
        cost=_cost(cost, limits) if isinstance(cost, Mapping) else None,
    )


def _cell(item: Mapping[str, Any], limits: AttributionLimits) -> TableCell:
    return TableCell(
        text(item, "title", NAME),
        text(item, "unit", NAME),
        reading({"value": item.get("estimate"), "lo": item.get("lo"), "hi": item.get("hi")}),
        text(item, "verdict", 40),
        text(item, "undefined", limits.text),
    )


def _scatter(item: Mapping[str, Any]) -> str:
    ratio, p = bounded(item.get("ratio")), number(item, "p")
    shown = "" if ratio is None or p is None else f" ({ratio:.2f} times what records explain, p {p:.3f})"
    return f"{text(item, 'label', NAME)}: {text(item, 'text', 400)}{shown}"
