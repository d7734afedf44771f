"""The verdict of a gate on the set as a whole: improved, regressed, same or cannot tell.

All comparisons of the gate are one family (Holm): where nothing differs, at most 5 in 100 gates say improved or regressed.
A difference that is shown to lie within the margin (two one-sided tests at 5 %) is no change, as in a comparison.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from triptych.comparing.difference import Difference
from triptych.comparing.gate.limits import LEVEL
from triptych.comparing.reading import Compared
from triptych.comparing.verdict import Margin
from triptych.core.multiplicity import holm

IMPROVED, REGRESSED, SAME, UNKNOWN = "improved", "regressed", "same", "cannot tell"


@dataclass(frozen=True)
class Change:
    """One measure of the data against the baseline, under one matching, for all records or a group.

    Attributes:
        sign: 1 where more is better, -1 where less is.
        margin: that is too small to matter.
        beside: the same without equal length, where the matching holds length equal: what is better must be so there too.
    """

    compared: Compared
    match: str
    group: str | None
    sign: int
    margin: Margin
    beside: Compared | None = None

    @property
    def p(self) -> float:
        """Of no difference; of none on either matching, where two must agree on what is better."""
        found = self.compared.difference
        assert found is not None  # noqa: S101 - the caller looked
        if self.beside is None or found.diff * self.sign <= 0:
            return found.p
        other = self.beside.difference
        if other is None or other.diff * self.sign <= 0 or self.no_change(other):
            return 1.0
        return max(found.p, other.p)

    def no_change(self, found: Difference) -> bool:
        """Whether a difference is shown to lie within the margin, or there is none at all."""
        margin = self.margin.of(found)
        return (-margin < found.inner[0] and found.inner[1] < margin) or found.diff == found.lo == found.hi == 0

    @property
    def name(self) -> str:
        """For people."""
        parts = [self.compared.measure.label]
        parts += [f"at equal {self.match}"] if self.match not in ("records", "raw") else []
        parts += [f"of {self.group}"] if self.group is not None else []
        return " ".join(parts)


@dataclass(frozen=True)
class Told:
    """The verdict, and the names of what changed which way."""

    verdict: str
    better: tuple[str, ...]
    worse: tuple[str, ...]


def told(changes: Sequence[Change]) -> Told:
    """The verdict: regressed where anything is worse, else improved where anything is better, same where all is the same."""
    known = [(change, found) for change in changes if (found := change.compared.difference) is not None]
    adjusted = holm(np.array([change.p for change, _ in known])) if known else np.zeros(0)
    better: list[str] = []
    worse: list[str] = []
    same = 0
    for (change, found), p in zip(known, adjusted.tolist(), strict=True):
        if change.no_change(found):
            same += 1
        elif p < 1 - LEVEL:
            (better if found.diff * change.sign > 0 else worse).append(change.name)
    verdict = UNKNOWN
    if worse:
        verdict = REGRESSED
    elif better:
        verdict = IMPROVED
    elif changes and same == len(changes):
        verdict = SAME
    return Told(verdict, tuple(better), tuple(worse))
