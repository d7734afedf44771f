"""The readings that the guard follows, each as a series with its evidence of a fall.

What is followed is fixed by the first two rounds that have any of a group's readings, before the first bet, so that the
shares of the error that they get do not depend on what they turn out to be. Half of the error goes to structures, half to
the other readings of diversity.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from triptych.guarding.detect import Bets, Trace, fallen, trace
from triptych.guarding.ledger import Entry, Ledger, Reading

Role: TypeAlias = Literal[
    "structures", "other", "text", "yield", "all", "hacking", "length", "zero", "right", "score", "selection"
]
Point: TypeAlias = tuple[float, float]
Read: TypeAlias = Callable[[Entry], Reading | None]

OTHER = (
    ("generated", "semantic"),
    ("generated", "per_prompt"),
    ("generated", "tail"),
    ("generated", "templates"),
    ("selected", "semantic"),
)
TEXT = ("surface", "semantic")
"""What is written, apart from its structure: distinct n-grams and meaning."""
SIDE = 1 / 6
"""Share of the error of side signs that each group of them gets."""
FLOOR = (
    0.01  # of the first value: a reading that falls further counts as having fallen so far, its logarithm stays finite
)


@dataclass(frozen=True)
class Sign:
    """Where one track stands after a round.

    Attributes:
        role: what a fall of it means.
        of: generated, selected, splits or scores.
        name: of the reading.
        log: natural logarithm of its evidence, the share of the error that it was given included.
        last: index of the entry before the change that is best supported.
        first: index of the first entry after it.
        before: value at `last`, in the reading's own units.
        now: newest value.
        fall: how far the newest value lies below the level before the change, in the units of the series.
        value: newest value in the units of the series.
        recent: whether some of the fall is of the last two rounds.
        fresh: whether the newest value is of this round, not of an earlier one.
        turned: the series is the reading turned round, so that a fall is a rise of the reading.
    """

    role: Role
    of: str
    name: str
    log: float
    last: int
    first: int
    before: float
    now: float
    fall: float
    value: float
    recent: bool
    fresh: bool
    turned: bool = False

    @property
    def key(self) -> str:
        """The reading, as evidence names it."""
        return f"{self.of}.{self.name}"


@dataclass(frozen=True)
class Track:
    """A reading's series over the rounds that have it; indices are of entries.

    Attributes:
        role: what a fall means.
        of: generated, selected, splits or scores.
        name: of the reading.
        where: entries that have it.
        raw: its values there.
        series: the values as the detector sees them.
        found: the detector's evidence.
        share: of the error that it was given.
        turned: series is minus the (logarithm of the) reading.
    """

    role: Role
    of: str
    name: str
    where: tuple[int, ...]
    raw: tuple[float, ...]
    series: tuple[float, ...]
    found: Trace
    share: float
    turned: bool = False

    def at(self, entry: int) -> Sign | None:
        """How it stands after this entry; None before its second reading."""
        newest = bisect.bisect_right(self.where, entry) - 1
        if newest < 1:
            return None
        last = self.found.last[newest]
        seen = self.series[: newest + 1]
        step = seen[max(0, newest - 2)] - seen[newest]
        fall = fallen(seen, last)
        return Sign(
            self.role,
            self.of,
            self.name,
            self.found.logs[newest] + math.log(self.share),
            self.where[last],
            self.where[last + 1],
            self.raw[last],
            self.raw[newest],
            fall,
            seen[newest],
            step > fall / 4 > 0,
            self.where[newest] == entry,
            self.turned,
        )


@dataclass(frozen=True)
class Wanted:
    """A reading to follow: its role, where it is, whether as a logarithm, whether turned round."""

    role: Role
    of: str
    name: str
    read: Read
    log: bool = True
    turned: bool = False


def error(reading: Reading) -> float:
    """Its standard error; from the interval where only that is there, 0 where nothing is."""
    if reading.se is not None:
        return reading.se
    if reading.lo is not None and reading.hi is not None:
        return (reading.hi - reading.lo) / 3.92
    return 0.0


def diversity(ledger: Ledger, bets: Bets, text: Bets) -> list[Track]:
    """Tracks of structures and of other readings of diversity among valid records, whose shares sum to 1; and of witnesses.

    Text, and the yield (structures times the share that is right), confirm a fall of structures and call none, so they take
    no share of the error.

    Args:
        ledger: the rounds.
        bets: for structures and other readings.
        text: for readings of text that confirm a fall.
    """
    names = [("generated", "structures"), ("selected", "structures"), *OTHER]
    first = _head(ledger.entries, [_reading(*name) for name in names])
    main = [
        Wanted("structures", of, truest(first, of), _reading(of, truest(first, of))) for of in ("generated", "selected")
    ]
    main = [want for want in main if _any(first, want.read)]
    other = [Wanted("other", of, name, _reading(of, name)) for of, name in OTHER if _any(first, _reading(of, name))]
    half = 0.5 if main and other else 1.0
    shared = [(want, half / len(main)) for want in main] + [(want, half / len(other)) for want in other]
    tracks = [_track(ledger.entries, want, share, bets) for want, share in shared]
    beside = [
        Wanted("text", of, name, _reading(of, name))
        for of in ("generated", "selected")
        for name in TEXT
        if main and _any(first, _reading(of, name))
    ]
    tracks += [_track(ledger.entries, want, 1.0, text) for want in beside]
    made = Wanted("yield", "generated", "yield", _yield(truest(first, "generated")))
    return [*tracks, *([_track(ledger.entries, made, 1.0, bets)] if main and _any(first, made.read) else [])]


def everything(ledger: Ledger, bets: Bets) -> list[Track]:
    """Tracks of structures among all records; where truth is known, also among those that only a verifier passed."""
    names = ["structures_all"]
    first = _head(ledger.entries, [_reading("generated", name) for name in ("structures_all", "structures")])
    if truest(first, "generated") != "structures":
        names.append("structures")
    found = [Wanted("all", "generated", name, _reading("generated", name)) for name in names]
    found = [want for want in found if _any(first, want.read)]
    return [_track(ledger.entries, want, 1 / len(found), bets) for want in found]


def sides(ledger: Ledger, bets: Bets, shares: Bets) -> list[Track]:
    """Tracks of the side signs: five groups, an equal share of the error each; one more is left for what selection keeps.

    Args:
        ledger: the rounds.
        bets: for logarithms.
        shares: for shares.
    """
    panels = list(dict.fromkeys(name for entry in ledger.entries for name in entry.scores))
    groups = [
        [Wanted("hacking", "splits", "reward_gap", _reward_gap, log=False, turned=True)],
        [
            Wanted("length", "generated", "tokens", _reading("generated", "tokens"), turned=turn)
            for turn in (False, True)
        ],
        [Wanted("zero", "generated", "zero_signal", _reading("generated", "zero_signal"), log=False, turned=True)],
        [Wanted("right", "generated", "verified", _right)],
        [Wanted("score", "scores", name, _reading("scores", name)) for name in panels],
    ]
    tracks = []
    for group in groups:
        first = _head(ledger.entries, [want.read for want in group])
        there = [want for want in group if _any(first, want.read)]
        share = SIDE / max(1, len(there))
        tracks += [_track(ledger.entries, want, share, bets if want.log else shares) for want in there]
    return tracks


def _track(entries: Sequence[Entry], want: Wanted, share: float, bets: Bets) -> Track:
    """The series of one reading with its evidence."""
    where: list[int] = []
    raw: list[float] = []
    errors: list[float] = []
    for index, entry in enumerate(entries):
        reading = want.read(entry)
        if reading is None or reading.value is None or not math.isfinite(reading.value):
            continue
        if raw or reading.value > 0 or not want.log:
            where.append(index)
            raw.append(reading.value)
            errors.append(error(reading))
    series, errors = _logarithms(raw, errors) if want.log else (list(raw), errors)
    if want.turned:
        series = [-value for value in series]
    rounds = [entries[index].round for index in where]
    found = trace(rounds, series, errors, bets) if where else Trace((), ())
    return Track(want.role, want.of, want.name, tuple(where), tuple(raw), tuple(series), found, share, want.turned)


def _logarithms(raw: Sequence[float], errors: Sequence[float]) -> tuple[list[float], list[float]]:
    """Logarithms and their standard errors; the first value is above 0, and one below the floor counts as the floor."""
    held = [max(value, FLOOR * raw[0]) for value in raw]
    return [math.log(value) for value in held], [min(1.0, e / value) for e, value in zip(errors, held, strict=True)]


def _head(entries: Sequence[Entry], reads: Sequence[Read]) -> list[Entry]:
    """The first two entries that have any of these readings."""
    return [entry for entry in entries if any(_there(read(entry)) for read in reads)][:2]


def truest(first: Sequence[Entry], of: str) -> str:
    """The name of the structure reading that is nearest to the truth: of correct records where that is known."""
    return "correct_structures" if _any(first, _reading(of, "correct_structures")) else "structures"


def _any(entries: Sequence[Entry], read: Read) -> bool:
    """Whether some entry has it."""
    return any(_there(read(entry)) for entry in entries)


def _there(reading: Reading | None) -> bool:
    """Whether it has a value."""
    return reading is not None and reading.value is not None


def _reading(of: str, name: str) -> Read:
    """A reader of one name."""

    def read(entry: Entry) -> Reading | None:
        """The reading of this entry."""
        found: Mapping[str, Reading] = getattr(entry, of)
        return found.get(name)

    return read


def _yield(name: str) -> Read:
    """A reader of effective structures times the share of all records that they are counted among."""

    def read(entry: Entry) -> Reading | None:
        """The reading of this entry; its error by the delta method, as if the two were independent."""
        found = entry.generated.get(name)
        share = entry.generated.get("true") if name == "correct_structures" else _valid(entry)
        if found is None or share is None or not found.value or not share.value:
            return None
        value = found.value * share.value
        return Reading(value, value * math.hypot(error(found) / found.value, error(share) / share.value), n=found.n)

    return read


def _reward_gap(entry: Entry) -> Reading | None:
    """Share verified minus share right: the split, else from the two."""
    found = entry.splits.get("reward_gap")
    if found is not None:
        return found
    verified, right = entry.generated.get("verified"), entry.generated.get("true")
    if verified is None or right is None or verified.value is None or right.value is None:
        return None
    return Reading(verified.value - right.value, math.hypot(error(verified), error(right)), n=right.n)


def _right(entry: Entry) -> Reading | None:
    """Share right as far as is known: what the verifier passed, else what is valid."""
    found = entry.generated.get("verified")
    if found is not None and found.value is not None:
        return found
    return _valid(entry)


def _valid(entry: Entry) -> Reading | None:
    """Share of the records that are valid."""
    if not entry.records:
        return None
    share = entry.valid / entry.records
    return Reading(share, math.sqrt(share * (1 - share) / entry.records), n=entry.records)
