"""The four states of a loop, and the verdict with its memory.

    healthy          structure still grows, or what can be reached seems covered
    stalled          nothing new is explored: structure is flat and nearly nothing new is written
    collapsing       diversity among valid (where it is known: correct) records falls
    quality_control  diversity of all records falls, that of valid ones does not: wrong outputs go away, which is benign

Collapse is called by the detector (`guarding.detect`) alone, and only where the fall is large enough to matter, structures take
part in it (meaning, answers per prompt and the tail may narrow benignly while structures grow), and a witness does too
(`confirmed`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from triptych.core.errors import SpecError, message
from triptych.guarding.tracks import Sign

State: TypeAlias = Literal["healthy", "stalled", "collapsing", "quality_control"]
Decision: TypeAlias = Literal["continue", "warn", "stop"]


@dataclass(frozen=True)
class JudgeOptions:
    """Every tuned number of the guard.

    Attributes:
        alarm_rate: chance that a healthy loop is ever called collapsing; and, apart from it, that it is ever warned of for
            a side sign (hacking, length, zero signal, quality, scores, selection).
        wobble: standard deviation of the logarithm of a reading from round to round beyond its own error, in a healthy loop.
            Fitted on real loops, see `design/0013-guard.md`.
        drift: standard deviation of a step of its level a round, in a healthy loop; half the wobble.
        text_wobble: the wobble of text (distinct n-grams, meaning) where it confirms a fall; its drift is in proportion.
        falls: logarithmic falls a round that are bet on.
        share_scale: the same three for readings that are shares, relative to those for logarithms.
        least_fall: a relative fall below this is no collapse, however certain; a called one stops when it goes on by this.
        deep: a called fall of this much stops in the next round that does not take it back, whether it goes on or not.
        steep: a fall of this much whose evidence is the square of what calls one stops in the round in which it is seen.
        least_rounds: rounds to have read before any other stop.
        patience: rounds without growth before a loop is stalled.
        growth: relative growth over these rounds below which structure is flat.
        little_new: share of records of new structure below which nothing new is explored.
        even: effective over distinct structures from which what is known is covered evenly.
        grown: structures over those of the first round from which a loop has explored, and a plateau may be coverage.
        solved: OOD score above which a plateau is no stall.
        blind: a structure reading above this share of the records that it was read on sees no narrowing.
        big_change: relative change of length or of the share right that is told.
        least_gap: rise of the share that is verified but not right that is told.
        zero_share: share of prompts without signal that is told.
    """

    alarm_rate: float = 0.05
    wobble: float = 0.05
    drift: float = 0.025
    text_wobble: float = 0.025
    falls: tuple[float, ...] = (0.05, 0.12, 0.3, 0.75)
    share_scale: float = 0.4
    least_fall: float = 0.1
    deep: float = 0.5
    steep: float = 0.3
    least_rounds: int = 4
    patience: int = 2
    growth: float = 0.1
    little_new: float = 0.1
    even: float = 0.5
    grown: float = 2.0
    solved: float = 0.9
    blind: float = 0.8
    big_change: float = 0.25
    least_gap: float = 0.05
    zero_share: float = 0.8

    def __post_init__(self) -> None:
        """Validate.

        Raises:
            SpecError: a rate outside 0 .. 1, no noise, no falls, or fewer than 1 round of patience.
        """
        if not 0 < self.alarm_rate < 1:
            raise SpecError(message("alarm_rate is out of range", got=str(self.alarm_rate), want="above 0 and below 1"))
        if min(self.wobble, self.text_wobble) <= 0 or self.drift < 0:
            got = f"wobble {self.wobble}, drift {self.drift}, text_wobble {self.text_wobble}"
            raise SpecError(message("no noise is granted", got=got, want="wobble above 0, drift not below 0"))
        if not self.falls or min(self.falls) <= 0:
            raise SpecError(message("falls must be above 0", got=str(self.falls), want="e.g. 0.05, 0.12, 0.3, 0.75"))
        if self.patience < 1:
            raise SpecError(message("patience is out of range", got=str(self.patience), want="1 or more rounds"))

    @property
    def alarm(self) -> float:
        """Natural logarithm of the evidence that calls a change."""
        return -math.log(self.alarm_rate)


@dataclass(frozen=True)
class Plateau:
    """What tells a stall from coverage, over the last `patience` rounds.

    Attributes:
        growth: relative growth of structures; None where too few rounds have them.
        since: index of the entry at which the flat stretch began.
        novelty: mean share of new structure in these rounds; None where it is not read.
        evenness: effective over distinct structures; None where it is not read.
        grown: structures now over those of the first round.
        ood: mean score of the OOD panels now; None without one.
        ood_gain: its gain, with two standard errors taken off.
    """

    growth: float | None = None
    since: int = 0
    novelty: float | None = None
    evenness: float | None = None
    grown: float | None = None
    ood: float | None = None
    ood_gain: float | None = None

    def covered(self, options: JudgeOptions) -> bool:
        """Whether the plateau may be coverage of all that can be reached.

        Structures had grown before they stopped, so the loop has explored; and what is known is written evenly, where that
        is read. Evenness alone is no sign: a narrow start is written evenly too. A panel that stands still below 1 does
        not tell the two apart.
        """
        explored = (self.grown or 0.0) >= options.grown
        return explored and (self.evenness is None or self.evenness >= options.even)

    def stalled(self, options: JudgeOptions) -> bool:
        """Whether nothing new is explored, and that is not because all is covered."""
        if self.growth is None or self.growth >= options.growth or self.covered(options):
            return False
        if self.ood is not None and self.ood_gain is not None and (self.ood >= options.solved or self.ood_gain > 0):
            return False
        return self.novelty is None or self.novelty < options.little_new


@dataclass(frozen=True)
class Standing:
    """A round's state and verdict, which the next round's hysteresis looks at.

    Attributes:
        state: one of four.
        verdict: continue, warn or stop.
        called: the sign that stands for the state; None for healthy and stalled.
        opened: reading to its value when the collapse was first called, in the units of its series.
        back: the fall is taken back, or its evidence gone, in this round; a stop is lifted when it is so in two.
        sudden: the stop rests on the one round in which it was seen; one round that takes the fall back lifts it.
    """

    state: State
    verdict: Decision
    called: Sign | None = None
    opened: Mapping[str, float] = field(default_factory=dict)
    back: bool = False
    sudden: bool = False


def confirmed(signs: Sequence[Sign], at: int, options: JudgeOptions) -> list[Sign]:
    """The signs, with none of valid records fallen further, or more surely, than a witness has.

    A model that stops guessing has fewer structures among its right records, may write as variedly as before, and as many right
    structures in all: no ability need be lost. A loop that eats its diversity repeats its words, or writes fewer structures in
    all. So a fall counts as far as distinct n-grams or meaning of the same set fall too, or the yield (structures times the
    share that is right). That none of them falls is one more hypothesis that must go: the lesser evidence counts, of the
    witnesses the largest over their number. Where structures cannot see there is nothing to confirm.
    """
    made = next((sign for sign in signs if sign.role == "structures" and sign.of == "generated"), None)
    if made is not None and min(made.before, made.now) >= options.blind * at:
        return list(signs)
    whole = [sign for sign in signs if sign.role == "yield"]
    text = {of: [sign for sign in signs if sign.role == "text" and sign.of == of] for of in ("generated", "selected")}
    caps = {of: _witness([*(own or text["generated"]), *whole]) for of, own in text.items()}

    def counted(sign: Sign) -> Sign:
        """As much of it as its set's witness confirms."""
        cap = caps.get(sign.of)
        if cap is None or sign.role not in {"structures", "other"}:
            return sign
        return replace(sign, log=min(sign.log, cap.log), fall=min(sign.fall, cap.fall))

    return [counted(sign) for sign in signs] if any(text.values()) else list(signs)


def _witness(readings: Sequence[Sign]) -> Sign | None:
    """The reading that falls most surely, with the price of having chosen it; None where there is none."""
    best = max(readings, key=lambda sign: sign.log, default=None)
    return None if best is None else replace(best, log=best.log - math.log(len(readings)))


def narrowing(signs: Sequence[Sign], at: int, options: JudgeOptions) -> list[Sign]:
    """The falls of diversity among valid records that are large enough, best supported first, called or not.

    Readings of this round come before older ones. Other readings of diversity count where structures fell too, and where no
    structure reading could see it.
    """
    least = _logarithm(options.least_fall)
    main = [sign for sign in signs if sign.role == "structures"]
    sighted = [sign for sign in main if min(sign.before, sign.now) < options.blind * at]
    taking_part = any(sign.fall >= least for sign in sighted) or not sighted
    counted = [s for s in signs if s.fall >= least and (s in sighted or (s.role == "other" and taking_part))]
    return sorted(counted, key=lambda sign: (sign.log < options.alarm, not sign.fresh, -sign.log))


def benign(signs: Sequence[Sign], options: JudgeOptions) -> Sign | None:
    """The fall among all records, called, while no structure reading of valid ones fell; else None."""
    least = _logarithm(options.least_fall)
    if any(sign.fall >= least for sign in signs if sign.role == "structures"):
        return None
    called = [s for s in signs if s.role == "all" and s.log >= options.alarm and s.fall >= least]
    return max(called, key=lambda sign: sign.log, default=None)


def stand(
    signs: Sequence[Sign],
    plateau: Plateau,
    before: Standing | None,
    at: int,
    options: JudgeOptions,
    *,
    early: bool = False,
) -> Standing:
    """State and verdict of a round.

    A stop needs a collapse that was called in the round before too, and has gone on since or is deep: a small dip of one
    round never stops, and one fall to a plateau warns. A fall that is steep and far beyond doubt stops at once (`_sudden`). A
    stop is lifted when the fall has been taken back, or its evidence gone, in two rounds in a row; one at once that the next
    round takes back, in that round.

    Args:
        signs: one for each watched reading, roles structures, other and all.
        plateau: growth and novelty of the last rounds.
        before: of the round before; None at the first.
        at: records at which diversity is read.
        options: the tuned numbers.
        early: fewer than `least_rounds` were read, which the caller counts: only a steep fall stops.
    """
    worst = narrowing(signs, at, options)
    called = [sign for sign in worst if sign.log >= options.alarm]
    running = before if before is not None and before.state == "collapsing" else None
    if called:
        return _collapsing(signs, called, running, options, early=early)
    if running is not None and running.verdict == "stop":
        back = not worst or worst[0].log <= 0
        if not (back and (running.back or running.sudden)):
            same = next((sign for sign in signs if running.called is not None and sign.key == running.called.key), None)
            return replace(running, called=_earliest(same or running.called, running), back=back)
    removed = benign(signs, options)
    if removed is not None and (removed.recent or not plateau.stalled(options)):
        return Standing("quality_control", "continue", removed)
    if plateau.stalled(options):
        return Standing("stalled", "warn")
    return Standing("healthy", "continue")


def _collapsing(
    signs: Sequence[Sign], called: Sequence[Sign], running: Standing | None, options: JudgeOptions, *, early: bool
) -> Standing:
    """A round whose collapse is called; `running` is the round before where that was collapsing too."""
    sudden = _sudden(signs, called, options)
    if running is None:
        opened = {sign.key: sign.value for sign in signs}
        return Standing("collapsing", "stop" if sudden else "warn", called[0], opened, sudden=sudden)
    least, deep = _logarithm(options.least_fall), _logarithm(options.deep)
    on = [s for s in called if s.fresh and (s.fall >= deep or running.opened.get(s.key, s.value) - s.value >= least)]
    on = [] if early else on
    held = running.verdict == "stop"
    verdict: Decision = "stop" if on or held or sudden else "warn"
    once = not on and (running.sudden and not any(sign.fresh for sign in called) if held else sudden)
    return Standing("collapsing", verdict, _earliest(called[0], running), running.opened, sudden=once)


def _sudden(signs: Sequence[Sign], called: Sequence[Sign], options: JudgeOptions) -> bool:
    """Whether a fall of this round is so steep and certain that the next round need not be waited for.

    Where both are read, what was selected must hold fewer structures than were written before the fall: a loop that still
    trains on as many does not eat them.
    """
    steep = _logarithm(options.steep)
    now = {sign.of: sign for sign in signs if sign.role == "structures" and sign.fresh}
    if len(now) > 1 and now["selected"].now > (1 - options.least_fall) * now["generated"].before:
        return False
    return any(sign.fresh and sign.fall >= steep and sign.log >= 2 * options.alarm for sign in called)


def _earliest(sign: Sign | None, running: Standing) -> Sign | None:
    """The sign, told from the earliest start that this collapse has had: a fall that quickens did not begin there."""
    old = running.called
    if sign is None or old is None or old.key != sign.key or old.last >= sign.last:
        return sign
    return replace(sign, last=old.last, first=old.first, before=old.before)


def _logarithm(fall: float) -> float:
    """A relative fall as a fall of logarithms."""
    return -math.log1p(-fall)
