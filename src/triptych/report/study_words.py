"""How a study reads in words: factors, levels, verdicts, effects and the sentence of each factor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from triptych.report.study_records import Effect, PanelInfo
from triptych.report.words import listing, not_defined, number

FACTOR_NAMES = {"Q": "Quality", "D": "Diversity", "C": "Complexity"}
FACTOR_QUESTIONS = {
    "Q": "What did better data do?",
    "D": "What did more varied data do?",
    "C": "What did more demanding data do?",
}
LEVEL_NAMES = {-1.0: "low", 0.0: "centre", 1.0: "high"}
RAISES, LOWERS, NOTHING, UNKNOWN = "raises", "lowers", "no effect worth the margin", "cannot tell"
VERDICT_CSS = {RAISES: "up", LOWERS: "down", NOTHING: "flat", UNKNOWN: "open"}
NAMED = 5
"""Panels named in one sentence; the others are counted."""


def factor_name(factor: str) -> str:
    """A factor for people.

    >>> factor_name("Q"), factor_name("Q:D"), factor_name("vendi:q=2")
    ('Quality', 'Quality × Diversity', 'vendi:q=2')
    """
    parts = factor.split(":")
    known = all(part in FACTOR_NAMES for part in parts)
    return " × ".join(FACTOR_NAMES[part] for part in parts) if known else factor


def level_name(level: float) -> str:
    """Low, centre, high; a number where a level is none of them."""
    return LEVEL_NAMES.get(level) or number(level, 2)


def condition_name(levels: Mapping[str, float]) -> str:
    """One combination of levels in short.

    >>> condition_name({"Q": -1, "D": 1}), condition_name({"Q": 0, "D": 0}), condition_name({})
    ('Q low, D high', 'centre', '')
    """
    if len(levels) > 1 and not any(levels.values()):
        return "centre"
    return ", ".join(f"{name} {level_name(level)}" for name, level in levels.items())


def signed(value: float, places: int = 3) -> str:
    """A difference: its sign is always written.

    >>> signed(0.25), signed(-0.5, 2), signed(0.0001)
    ('+0.250', '−0.50', '0.000')
    """
    text = number(value, places)
    return f"+{text}" if value > 0 and text.strip("0.,") else text


def places_for(effects: Sequence[Effect]) -> int:
    """Decimals for a group of effects: three where the outcome is a score, fewer where it is large."""
    largest = max((abs(item.value) for item in effects if item.value is not None), default=0.0)
    return 3 if largest < 10 else 1 if largest < 1000 else 0


def interval(lo: float | None, hi: float | None, places: int = 3) -> str:
    """Both ends, signed; empty where there are none."""
    return "" if lo is None or hi is None else f"{signed(lo, places)} to {signed(hi, places)}"


def p_value(value: float | None) -> str:
    """A p-value: three decimals, or that it is smaller.

    >>> p_value(0.0123), p_value(1e-9), p_value(None)
    ('0.012', '< 0.001', '–')
    """
    return "–" if value is None else "< 0.001" if value < 0.001 else number(min(1.0, value), 3)


def optional(value: float | None, places: int = 3, *, sign: bool = False) -> str:
    """A number, or a dash where there is none."""
    return "–" if value is None else signed(value, places) if sign else number(value, places)


def told(effect: Effect) -> str:
    """The verdict of an effect, or why it has none."""
    return not_defined(effect.undefined) if effect.value is None else effect.verdict or "no verdict"


def sentence(factor: str, effects: Sequence[Effect], panels: Mapping[str, PanelInfo]) -> str:
    """What one factor did, by verdict: "Raises id (+0.300); cannot tell on longer."."""
    parts = []
    for verdict, words in (
        (RAISES, "raises"),
        (LOWERS, "lowers"),
        (NOTHING, "has no effect worth the margin on"),
        (UNKNOWN, "cannot be told on"),
    ):
        found = [
            item for item in effects if item.factor == factor and item.value is not None and item.verdict == verdict
        ]
        if found:
            parts.append(f"{words} {_panels(found, with_value=verdict in (RAISES, LOWERS))}")
    missing = [item for item in effects if item.factor == factor and item.value is None and item.panel in panels]
    if missing:
        parts.append(f"is not defined on {_panels(missing, with_value=False)}")
    return f"{factor_name(factor)} {'; '.join(parts)}." if parts else ""


def _panels(found: Sequence[Effect], *, with_value: bool) -> str:
    names = [f"{item.panel} ({signed(item.value or 0.0)})" if with_value else item.panel for item in found[:NAMED]]
    more = len(found) - len(names)
    return listing(names + ([f"{more} more"] if more > 0 else []))
