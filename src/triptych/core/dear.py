"""Dear columns: those that cost a call to a model for each record, and how the user names the model that makes them.

Such a column is named by its maker: `judge.quality`, `lm.surprisal`, `reward.score`.
"""

from __future__ import annotations

from collections.abc import Mapping

OPTIONS: Mapping[str, str] = {
    "judge": "--judge URL,model=NAME",
    "lm": "--lm smollm2",
    "gradients": "--lm smollm2",
    "student": "--student MODEL",
    "reward": "--reward MODEL",
}
"""Maker to the option of `measure` that names its model."""

PAIR, PAIR_SWAPPED = "judge.pair", "judge.pair_swapped"
"""Columns of pairs of responses: whether the judge named the one shown first, the chosen one first and the rejected one first."""


def maker_of(column: str) -> str | None:
    """Who makes a column: a key of `OPTIONS`, or None for a column that is not dear."""
    maker, dot, _ = column.partition(".")
    return maker if dot and maker in OPTIONS else None


def column_of(base: str, text: str) -> str:
    """The column `base` of a text; a dear column is of the record and has no text of its own."""
    return base if maker_of(base) else f"{base}@{text}"
