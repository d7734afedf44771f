"""A measure: a pure reading of a statistic under a mask of kept groups, on one axis.

A measure is one file. It holds a class of parameters decorated with `@measure`, the statistic it reads, `value`, a slow
obvious `reference`, a docstring (formula, source, unit, range, cost, confounders) and one worked `EXAMPLE`.
"""

from __future__ import annotations

import dataclasses
import operator
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

from triptych.core.errors import SpecError, message, nearest
from triptych.core.estimate import Undefined
from triptych.core.groups import Mask
from triptych.core.interval import Kind
from triptych.core.spec import Spec, spec_of
from triptych.core.statistic import Statistic

Axis: TypeAlias = Literal["quality", "diversity", "complexity"]
AXES: tuple[Axis, ...] = ("quality", "diversity", "complexity")
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
        changed = [
            f"{f.name}={_text(getattr(self, f.name))}"
            for f in dataclasses.fields(self)  # type: ignore[arg-type]
            if getattr(self, f.name) != f.default
        ]
        return self.about.name + (":" + ",".join(changed) if changed else "")


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
    """An instance with these parameters (strings are converted to the type of the field's default).

    Raises:
        SpecError: unknown parameter, or a value of the wrong kind or out of range.
    """
    fields = {f.name: f for f in dataclasses.fields(cls)}  # type: ignore[arg-type]
    given: dict[str, Any] = {}
    for key, value in params.items():
        if key not in fields:
            near = nearest(key, fields)
            raise SpecError(
                message(
                    f'measure "{cls.about.name}" has no parameter "{key}".',
                    got=f"{key}={value}",
                    want="one of " + ", ".join(fields) if fields else "no parameters",
                    hint=f"{cls.about.name}:{near}={value}" if near else f"triptych explain {cls.about.name}",
                )
            )
        given[key] = _convert(cls.about.name, key, value, fields[key].default)
    try:
        return cls(**given)
    except ValueError as error:
        raise SpecError(f'measure "{cls.about.name}": {error}') from error
    except TypeError as error:
        raise SpecError(
            message(f'measure "{cls.about.name}": {error}', hint=f"triptych explain {cls.about.name}")
        ) from error


_WORDS = {"true": True, "false": False, "1": True, "0": False, "yes": True, "no": False}


def _convert(name: str, key: str, value: Any, default: Any) -> Any:
    """The value as the type of the field's default: from text, or as it is when it has that type."""
    try:
        if isinstance(default, bool):
            return _WORDS[value.lower()] if isinstance(value, str) else {True: True, False: False}[value]
        if isinstance(default, int):
            return int(value) if isinstance(value, str) else operator.index(value)
        if isinstance(default, float):
            return float(value)
        if isinstance(default, str):
            return {value: value}[str(value)]
    except (ValueError, KeyError, TypeError):
        kind = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}[type(default)]
        raise SpecError(
            message(f'measure "{name}": parameter "{key}" is not right.', got=str(value), want=kind)
        ) from None
    return value


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)
