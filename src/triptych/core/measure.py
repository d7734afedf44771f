"""A measure: a pure reading of a statistic under a mask of kept groups, on one axis.

A measure is one file. It holds a class of parameters decorated with `@measure`, the statistic it reads, `value`, a slow
obvious `reference`, a docstring (formula, source, unit, range, cost, confounders) and one worked `EXAMPLE`.
"""

from __future__ import annotations

import dataclasses
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import (
    Any,
    ClassVar,
    Literal,
    TypeAlias,
    TypeVar,
    cast,
    dataclass_transform,
    get_args,
    get_origin,
    get_type_hints,
)

from triptych.core import plugins
from triptych.core.errors import nearest
from triptych.core.estimate import Undefined
from triptych.core.groups import Mask
from triptych.core.interval import Kind
from triptych.core.spec import Spec, spec_of
from triptych.core.statistic import Statistic

Axis: TypeAlias = Literal["quality", "diversity", "complexity", "fit"]
AXES: tuple[Axis, ...] = ("quality", "diversity", "complexity", "fit")
Row: TypeAlias = Mapping[str, Any]
"""One record as the slow reference sees it: column name to Python value."""


@dataclass(frozen=True)
class About:
    """What a measure is, apart from its parameters.

    Attributes:
        bounds: closed range of the value.
        better: which direction is usually wanted: "higher", "lower" or "neither".
        interval: which variant of `triptych.core.interval` applies.
        panel: parameter sets measured when the user names no measures; empty: on request only.
        headline: parameter sets that a screen shows first on the axis.
        confounders: what else moves the number, in words.
        extra: the extra that must be installed, or None.
        length: the column whose rank correlation with length is shown beside the measure, or None.
    """

    name: str
    axis: Axis
    title: str
    unit: str
    bounds: tuple[float, float]
    better: Literal["higher", "lower", "neither"]
    interval: Kind = "plain"
    source: str = ""
    confounders: tuple[str, ...] = ()
    panel: tuple[Mapping[str, Any], ...] = ({},)
    headline: tuple[Mapping[str, Any], ...] = ()
    extra: str | None = None
    length: str | None = None


class Measure(ABC):
    """Base of all measures; use the decorator `measure` on subclasses."""

    about: ClassVar[About]

    def __post_init__(self) -> None:
        """Check parameters that are one of a few words. Subclasses that check more call it first.

        Raises:
            ValueError: another word.
        """
        for name, words in _choices(type(self)).items():
            value = getattr(self, name)
            if value not in words:
                near = nearest(str(value), words)
                raise ValueError(
                    f'{name} is one of {", ".join(words)}; got "{value}"'
                    + (f'. Did you mean "{near}"?' if near else "")
                )

    @abstractmethod
    def statistic(self) -> Statistic:
        """An empty statistic of the kind this measure reads."""

    @abstractmethod
    def value(self, statistic: Any, keep: Mask) -> float | Undefined:
        """The value over the records of the kept groups. Pure: reads the statistic, changes nothing."""

    @abstractmethod
    def reference(self, rows: Sequence[Row]) -> float | None:
        """The same number computed slowly and obviously from the feature columns of the records; None: undefined."""

    def interval_kind(self, statistic: Any) -> Kind:
        """Which variant of `triptych.core.interval` applies to this statistic; the one of `About` unless overridden."""
        del statistic
        return self.about.interval

    @property
    def spec(self) -> Spec:
        """Name and parameters: the identity of the number."""
        return spec_of(self, kind=self.about.name, version=self.statistic().version)

    @property
    def label(self) -> str:
        """How the user asks for it: `name:param=value,..` with the parameters that differ from their defaults."""
        return plugins.asked(self.about.name, self)


@cache
def _choices(cls: type[Measure]) -> dict[str, tuple[str, ...]]:
    """The parameters that are annotated as one of a few words, and the words."""
    hints = get_type_hints(cls)
    fields = [f.name for f in dataclasses.fields(cls)]  # type: ignore[arg-type]
    return {name: get_args(hints[name]) for name in fields if get_origin(hints[name]) is Literal}


M = TypeVar("M", bound=type[Measure])


@dataclass_transform(frozen_default=True)
def measure(**about: Any) -> Callable[[M], M]:
    """Class decorator: makes a frozen dataclass of parameters and attaches `About` (the keywords are its fields).

    The registered name is the class name in snake case unless `name` is given.
    """

    def decorate(cls: M) -> M:
        about.setdefault("name", re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower())
        about.setdefault("title", about["name"].replace("_", " ").capitalize())
        made = cast("M", dataclass(frozen=True)(cls))
        made.about = About(**about)
        return made

    return decorate


@dataclass(frozen=True)
class Example:
    """A worked example: records (strings are responses, mappings are rows), parameters, and the value by hand."""

    records: Sequence[str | Mapping[str, Any]]
    value: float
    params: Mapping[str, Any] = field(default_factory=dict)
    tolerance: float = 1e-6


def build(cls: type[Measure], params: Mapping[str, Any]) -> Measure:
    """An instance with these parameters (text is converted to the type of the parameter).

    Raises:
        SpecError: unknown parameter, or a value of the wrong kind or out of range.
    """
    return plugins.build(cls, "measure", cls.about.name, params, f"triptych explain {cls.about.name}")
