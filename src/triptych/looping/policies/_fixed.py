"""What policies of fixed dials share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from triptych.looping.dials import Decision, Dials
from triptych.looping.policy import Given

Fixed = tuple[Dials, list[Decision]]


def fixed(given: Given, why: Mapping[str, str], **dials: Any) -> Fixed:
    """The user's dials with these in their place, and a decision for each.

    Args:
        given: the loop.
        why: dial to the reason, in words.
        dials: dial to value; each has its reason.
    """
    decisions = [Decision(name, shown(value), why[name]) for name, value in dials.items()]
    return replace(given.dials, **dials), decisions


def shown(value: Any) -> str:
    """A dial's value as text."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(f"{temperature:g}: {share:.0%}" for temperature, share in value)
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def check_share(name: str, value: float) -> None:
    """Whether a parameter is a share.

    Raises:
        ValueError: it is not between 0 and 1.
    """
    if not 0 <= value <= 1:
        raise ValueError(f"{name} must be between 0 and 1; got {value:g}")


def check_temperature(name: str, value: float) -> None:
    """Whether a parameter is a temperature.

    Raises:
        ValueError: it is not between 0 and 10.
    """
    if not 0 <= value <= 10:
        raise ValueError(f"{name} must be between 0 and 10; got {value:g}")
