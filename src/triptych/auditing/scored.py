"""The scores of one scorer: of records, or verdicts on pairs. A field gives them; a judge that is asked gives the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from triptych.auditing.columns import FIRST, MISSING, SECOND, Column, Reference, list_length, read_column, verdict_of
from triptych.auditing.frame import Frame, Pairs
from triptych.auditing.intervals import Sample
from triptych.auditing.request import LENGTH, AuditOptions

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

SCORE, VERDICT = "score", "verdict"
ALIKE = 0.95
"""A column names one of two responses when both records of a pair hold the same in so many pairs."""


@dataclass(frozen=True, eq=False)
class Scored:
    """What a scorer said.

    Attributes:
        name: as asked for.
        kind: "score": one number a record; "verdict": the first response's share of the win, one a pair.
        column: scores of all records, or of all pairs.
        repeats: second scores of the same, each as long.
        swapped: verdicts with the responses in the other order, or None.
        frame: the records.
        places: of the records (of the first of each pair) in the frame.
    """

    name: str
    kind: str
    column: Column
    repeats: tuple[Column, ...]
    swapped: Column | None
    frame: Frame
    places: Ints

    @property
    def sample(self) -> Sample:
        """Groups and clusters of what is scored."""
        return Sample(self.frame.group[self.places], self.frame.cluster[self.places])

    @property
    def unit(self) -> str:
        """What one score is of."""
        return "pairs" if self.kind == VERDICT else "records"

    @property
    def length(self) -> Floats:
        """Of the responses of all records, NaN where the score is that length itself, (n,)."""
        length = self.frame.response_length
        return np.full(len(length), np.nan) if self.name == LENGTH else length

    def won(self, pairs: Pairs) -> Floats:
        """The first response's share of the win in each pair, NaN where it is not known, (p,)."""
        if self.kind == VERDICT:
            return self.column.values
        first, second = self.column.values[pairs.first], self.column.values[pairs.second]
        won = (1 + np.sign(first - second)) / 2
        return np.asarray(won, dtype=np.float64)


def scored(name: str, frame: Frame, options: AuditOptions, known: frozenset[str], *, verdicts: bool = False) -> Scored:
    """Read the scores of one scorer from the fields of the records; `verdicts`: they are known to be verdicts."""
    everyone = np.arange(len(frame))
    if name == LENGTH:
        missing = np.isnan(frame.response_length)
        failures = read_column(Reference("", ""), [None] * int(missing.sum())).failures
        return Scored(name, SCORE, Column(name, frame.response_length, failures), (), None, frame, everyone)
    reference = Reference.of(name, known)
    raw = frame.fields[reference.name]
    verdicts = verdicts or _is_verdict(reference, raw, frame)
    places = frame.pairs.first if verdicts and frame.pairs is not None else everyone

    def column(reference: Reference) -> Column:
        held = frame.fields[reference.name]
        return read_column(reference, [held[at] for at in places], verdicts=verdicts)

    repeats = [column(Reference.of(one, known)) for one in options.repeat]
    size = list_length(raw) if reference.index is None and reference.value is None else 0
    if size:
        several = [column(Reference(f"{name}[{at}]", name, str(at))) for at in range(size)]
        main, repeats = several[0], [*several[1:], *repeats]
    else:
        main = column(reference)
    swapped = column(Reference.of(options.swapped, known)) if options.swapped is not None else None
    return Scored(name, VERDICT if verdicts else SCORE, main, tuple(repeats), swapped, frame, places)


def _is_verdict(reference: Reference, raw: Sequence[Any], frame: Frame) -> bool:
    """Whether a column names one of the two responses: both records of a pair hold the same, and it names both sides."""
    pairs = frame.pairs
    if pairs is None or reference.value is not None:
        return False
    held = [(reference.pick(raw[a]), reference.pick(raw[b])) for a, b in zip(pairs.first, pairs.second, strict=True)]
    found = [(verdict_of(a), a == b) for a, b in held]
    there = [(value, alike) for value, alike in found if value != MISSING]
    if not there:
        return False
    sides = {value for value, _ in there}
    named = sum(not isinstance(value, str) for value, _ in there)
    alike = sum(alike for _, alike in there)
    return {FIRST, SECOND} <= sides and 2 * named > len(there) and alike >= ALIKE * len(there)
