"""Estimate: a number with its n, unit, interval, exactness and size curve. Undefined: the reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from triptych.core.spec import Spec, json_value


@dataclass(frozen=True, slots=True)
class Undefined:
    """Why a measure has no value here. Never 0.0, never NaN."""

    reason: str


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """The mean value over random subsets of about n records, and its standard error (None where it has none)."""

    n: int
    value: float
    se: float | None


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence interval, or the reason why there is none."""

    lo: float | None = None
    hi: float | None = None
    se: float | None = None
    level: float = 0.95
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Estimate:
    """One measure read on one data set.

    Attributes:
        measure: registered name; `spec` holds the parameters and the hash that identify the number.
        value: the number, or None exactly when `undefined` holds a reason.
        n: records (or the unit the statistic counts) behind the number.
        exact: whether the number is exact for this set; otherwise `bound` says how far off it may be.
        curve: the value at 1/32, 1/16, .. 1/1 of the set.
        headline: whether a screen shows it first on its axis.
    """

    measure: str
    axis: str
    spec: Spec
    value: float | None
    undefined: str | None
    interval: Interval
    n: int
    unit: str
    better: str
    exact: bool = True
    bound: str | None = None
    curve: tuple[CurvePoint, ...] = ()
    title: str = ""
    label: str = ""
    headline: bool = False
    about: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The entry of this estimate in `profile.json`."""
        return {
            "measure": self.measure,
            "title": self.title,
            "label": self.label,
            "axis": self.axis,
            "headline": self.headline,
            "spec": {"params": self.spec.params, "version": self.spec.version, "hash": self.spec.hash},
            "value": self.value,
            "undefined": self.undefined,
            "lo": self.interval.lo,
            "hi": self.interval.hi,
            "se": self.interval.se,
            "level": self.interval.level,
            "no_interval": self.interval.reason,
            "n": self.n,
            "unit": self.unit,
            "better": self.better,
            "exact": self.exact,
            "bound": self.bound,
            "curve": [{"n": point.n, "value": point.value, "se": point.se} for point in self.curve],
            "about": json_value(self.about),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Estimate:
        """The inverse of `to_json`."""
        return cls(
            measure=data["measure"],
            axis=data["axis"],
            spec=Spec(data["measure"], data["spec"]["params"], data["spec"]["version"]),
            value=data["value"],
            undefined=data["undefined"],
            interval=Interval(data["lo"], data["hi"], data.get("se"), data["level"], data.get("no_interval")),
            n=data["n"],
            unit=data["unit"],
            better=data["better"],
            exact=data["exact"],
            bound=data["bound"],
            curve=tuple(CurvePoint(point["n"], point["value"], point["se"]) for point in data["curve"]),
            title=data.get("title", ""),
            label=data.get("label", ""),
            headline=data.get("headline", False),
            about=data.get("about", {}),
        )
