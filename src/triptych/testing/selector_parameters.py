"""The law of parameters: every one has an effect, and a value that makes no sense is refused."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, Union, get_args, get_origin

from triptych.core.errors import SpecError
from triptych.core.plugins import asked, build, parameters
from triptych.core.selector import Selector
from triptych.testing.laws import broken

Result = Callable[[Selector], Iterator[Any]]

_NONSENSE = "no such thing"
_TRIED: Mapping[Any, tuple[Any, ...]] = {
    bool: (False, True),
    int: (1, 2, 3, 5, 10, 20),
    float: (0.0, 0.05, 0.2, 0.5, 0.8, 0.95, 1.0, 2.0, 10.0),
    str: ("tag",),  # it may be the name of a field
}
_WRONG: Mapping[Any, tuple[Any, ...]] = {int: (-1,), float: (float("nan"),), str: (_NONSENSE,)}


def check_parameters(instances: Sequence[Selector], values: Mapping[str, Sequence[Any]], results: Result) -> None:
    """Check that every parameter moves something, and that nonsense is refused.

    Args:
        instances: of one policy; each is a starting point from which one parameter is moved.
        values: by parameter, values that are tried beside the usual ones.
        results: what a policy does on one pool after the other.

    Raises:
        LawError: a parameter has no effect, or takes nonsense.
    """
    cls = type(instances[0])
    starts: list[dict[str, Any]] = [{}, *({**each.spec.params} for each in instances)]
    for name, kind in parameters(cls).items():
        held = [getattr(each, name) for each in instances] + [step[name] for step in cls.sweep if name in step]
        tried = [*values.get(name, ()), *held, *_usual(kind), *_around(held)]
        if not any(_moves(cls, start, name, tried, results) for start in starts):
            got = f"the same for {', '.join(dict.fromkeys(map(str, tried)))}"
            raise broken("parameters", f"{cls.name}, {name}", got, "an effect, or no such parameter")
        for wrong in _wrong(kind):
            for start in starts:
                _check_refused(cls, start, name, wrong, results)


def _moves(cls: type[Selector], start: dict[str, Any], name: str, tried: Sequence[Any], results: Result) -> bool:
    """Whether two of the values lead to different results, everything else being as at the start."""
    made = [each for value in tried if (each := _made(cls, {**start, name: value})) is not None]
    made = list(dict.fromkeys(made))
    return len(made) > 1 and any(len(set(found)) > 1 for found in zip(*map(results, made), strict=True))


def _made(cls: type[Selector], params: dict[str, Any]) -> Selector | None:
    try:
        return build(cls, "policy", cls.name, params)
    except SpecError:
        return None


def _check_refused(cls: type[Selector], start: dict[str, Any], name: str, wrong: Any, results: Result) -> None:
    """A policy with this value is not made, or takes nothing; a text may be the name of a field that is asked for."""
    policy = _made(cls, {**start, name: wrong})
    if policy is None or any(_NONSENSE in word for word in (*policy.needs, *policy.wants)):
        return
    if any(found != "refused" for found in results(policy)):
        raise broken("parameters", f"{asked(cls.name, policy)}, {name}", f"a policy with {wrong}", "a ValueError")


def _kinds(kind: Any) -> tuple[Any, ...]:
    return get_args(kind) if get_origin(kind) in (Union, types.UnionType) else (kind,)


def _usual(kind: Any) -> list[Any]:
    """Values of this type that are worth a try."""
    tried: list[Any] = []
    for each in _kinds(kind):
        tried += get_args(each) if get_origin(each) is Literal else _TRIED.get(each, ())
    return tried


def _around(held: Sequence[Any]) -> list[Any]:
    numbers = [each for each in held if isinstance(each, (int, float)) and not isinstance(each, bool)]
    return [moved for each in numbers for moved in (each * 2, each + 1, type(each)(each / 2))]


def _wrong(kind: Any) -> list[Any]:
    return [wrong for each in _kinds(kind) for wrong in _WRONG.get(each, ())]
