"""A view: which records of two sets are set against each other, and what question their difference answers.

Raw, equal records, equal tokens, like length, shared prompts: each answers another question, so they stand side by side.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Draw:
    """Records of the first and of the second set, ordinals in their own stores, ascending."""

    a: Ints
    b: Ints


@dataclass(frozen=True)
class Balance:
    """How well one thing is matched: standardized mean difference (first less second, over the pooled standard deviation
    of the two raw sets) before and after, mean over draws; None where it does not vary.
    """

    variable: str
    before: float | None
    after: float | None
    asked: bool


@dataclass(frozen=True, eq=False)
class View:
    """One way to match two sets.

    Attributes:
        name: raw, records, tokens, length, prompt, prompt+length, mix:FIELD, or several joined by "+".
        question: what its differences answer, in words.
        paired: whether both sides' records lie in joint groups that are to be compared group by group.
        draws: the same set drawn again where a draw leaves records out; the first is read in full.
        balance: of everything that may differ.
        undefined: why there is no such view of these sets, or None; then `draws` is empty.
    """

    name: str
    question: str
    paired: bool
    draws: tuple[Draw, ...]
    balance: tuple[Balance, ...] = ()
    undefined: str | None = None
