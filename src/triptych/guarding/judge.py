"""The judgement of a loop: state, verdict, reasons and actions for each round, from the rounds up to it only.

A pure function of the ledger. What holds, under the null hypothesis that `guarding.detect` states, with the noise that
`JudgeOptions` grants: the chance that a healthy loop of any length is ever called collapsing is at most `alarm_rate`, and so
is the chance that it is ever warned of for a side sign. A stall is no change and no test: it is a plateau without novelty,
and warns.

What cannot be told from rounds alone: whether a plateau is all that can be reached. Structures that the model never writes
leave no trace in what it writes (Good-Turing's missing mass is that of its own distribution). So a plateau after growth, or
of structures that are known and evenly covered, counts as coverage, one that never grew as a stall, and the reason says so.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from triptych.guarding.detect import Bets
from triptych.guarding.ledger import Entry, Ledger
from triptych.guarding.reasons import change, covering, kept, moved, still, structures
from triptych.guarding.selection import selection
from triptych.guarding.states import Decision, JudgeOptions, Plateau, Standing, State, confirmed, narrowing, stand
from triptych.guarding.suggest import NARROW, narrows, suggest
from triptych.guarding.tracks import Role, Sign, Track, diversity, error, everything, sides

__all__ = ["JudgeOptions", "Verdict", "judge"]

CEILING = 1e12  # evidence is not told above it
COMPANION = 0.5  # of a change of length that a change of complexity must have to explain it


@dataclass(frozen=True)
class Verdict:
    """What is said of one round.

    Attributes:
        round: its number.
        state: healthy, stalled, collapsing or quality_control.
        verdict: continue, warn or stop.
        since: the first round of the change, or of the flat stretch; None for a healthy loop.
        reasons: in words, with their numbers, the main one first.
        suggest: actions, the most useful first.
        evidence: numbers behind it: `collapse`, `quality_control` and the side signs as evidence (1 / evidence bounds the
            chance in a healthy loop; 1 / alarm_rate calls), the same for each reading and for the witnesses `text` and
            `yield`, and what a stall is judged by.
    """

    round: int
    state: State
    verdict: Decision
    since: int | None = None
    reasons: tuple[str, ...] = ()
    suggest: tuple[str, ...] = ()
    evidence: Mapping[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True)
class _Followed:
    """All tracks of a ledger, and the options."""

    entries: Sequence[Entry]
    at: int
    main: Sequence[Track]
    side: Sequence[Track]
    options: JudgeOptions


def judge(ledger: Ledger, options: JudgeOptions | None = None) -> tuple[Verdict, ...]:
    """One verdict a round, in order; a round's does not change when later rounds come.

    Args:
        ledger: the rounds.
        options: the tuned numbers; the default ones where None.
    """
    options = options or JudgeOptions()
    bets = Bets(options.wobble, options.drift, options.falls)
    scale = options.share_scale
    shares = Bets(options.wobble * scale, options.drift * scale, tuple(size * scale for size in options.falls))
    quiet = options.text_wobble / options.wobble
    text = Bets(options.text_wobble, options.drift * quiet, options.falls)
    main = [*diversity(ledger, bets, text), *everything(ledger, bets)]
    followed = _Followed(ledger.entries, ledger.at, main, sides(ledger, bets, shares), options)
    found: list[Verdict] = []
    before: Standing | None = None
    for at in range(len(ledger.entries)):
        verdict, before = _round(followed, at, before)
        found.append(verdict)
    return tuple(found)


def _round(followed: _Followed, at: int, before: Standing | None) -> tuple[Verdict, Standing]:
    """The verdict of entry `at`, and where it leaves the loop."""
    options, entries = followed.options, followed.entries[: at + 1]
    read = [sign for track in followed.main if (sign := track.at(at)) is not None]
    signs = confirmed(read, followed.at, options)
    others = [sign for track in followed.side if (sign := track.at(at)) is not None]
    others += [sign for sign in (selection(entries, options),) if sign is not None]
    called = [sign for sign in others if _called(sign, entries, options)]
    plateau = _plateau(entries, options)
    standing = stand(signs, plateau, before, followed.at, options, early=len(entries) < options.least_rounds)
    empty = entries[-1].records > 0 and entries[-1].valid == 0
    if standing.verdict == "continue" and (called or empty):
        standing = replace(standing, verdict="warn")
    reasons = _reasons(followed, standing, plateau, signs, [sign.role for sign in called], entries)
    if empty:
        reasons.insert(0, f"round {entries[-1].round} has no valid record")
    reasons += [change(sign, entries) for sign in called]
    sign = standing.called
    good = entries[sign.last].round if sign is not None else None
    verdict = Verdict(
        entries[-1].round,
        standing.state,
        standing.verdict,
        _since(standing, plateau, called, entries),
        tuple(reasons),
        suggest(standing, called, entries[-1], good),
        _evidence(signs, others, plateau, narrowing(signs, followed.at, options)),
    )
    return verdict, standing


def _since(standing: Standing, plateau: Plateau, called: Sequence[Sign], entries: Sequence[Entry]) -> int | None:
    """The first round of what the state tells of; of the first side sign where there is nothing else."""
    if standing.called is not None:
        return entries[standing.called.first].round
    if standing.state == "stalled":
        return entries[plateau.since].round
    return min((entries[sign.first].round for sign in called), default=None)


def _reasons(
    followed: _Followed,
    standing: Standing,
    plateau: Plateau,
    signs: Sequence[Sign],
    told: Sequence[Role],
    entries: Sequence[Entry],
) -> list[str]:
    """Why the loop is in this state; `told` are the side signs that are told apart."""
    options, entry = followed.options, entries[-1]
    found = []
    if standing.called is not None:
        tell = moved if standing.back or standing.state == "quality_control" else change
        found.append(tell(standing.called, entries))
    if standing.state == "collapsing":
        also = [
            s for s in signs if s.log >= options.alarm and (s.role in {"structures", "other"} or s.name == "surface")
        ]
        main = None if standing.called is None else standing.called.key
        found += [change(sign, entries) for sign in sorted(also, key=lambda sign: -sign.log) if sign.key != main]
        if standing.back:
            found.append("it is back in this round: the stop holds until it is so in two")
        elif standing.sudden:
            found.append(
                "it is too steep and too certain to wait for the next round, which lifts the stop if it is back"
            )
        ratio = narrows(entry)
        if ratio is not None and ratio < NARROW and "selection" not in told:
            found.append(
                f"selection itself narrows: it keeps {ratio:.0%} of the effective structures that were written"
            )
    elif standing.state == "quality_control":
        found += [f"that is quality control: {told}" for told in kept(signs, entries)]
    elif standing.state == "stalled":
        found += still(plateau, entry, entries)
    else:
        found += covering(plateau, entry, options)
    return found


def _called(sign: Sign, entries: Sequence[Entry], options: JudgeOptions) -> bool:
    """Whether a side sign is certain enough, and large enough to matter."""
    if sign.log < options.alarm:
        return False
    if sign.role == "hacking":
        return sign.fall >= options.least_gap
    if sign.role == "selection":
        return True
    if sign.role == "zero":
        return sign.now >= options.zero_share
    if sign.role == "score":
        return sign.fall >= -math.log1p(-options.least_fall)
    if sign.role == "right":
        return sign.fall >= -math.log1p(-options.big_change)
    grew = sign.fall if sign.turned else -sign.fall
    was, now = entries[sign.last].value("complexity"), entries[-1].value("complexity")
    if grew and was is not None and now is not None and was > 0 and now > 0 and math.log(now / was) / grew >= COMPANION:
        return False
    return sign.fall >= math.log1p(options.big_change)


def _plateau(entries: Sequence[Entry], options: JudgeOptions) -> Plateau:
    """What the last rounds say about growth, novelty and the panels."""
    values = [(index, value) for index, entry in enumerate(entries) if (value := structures(entry))]
    steps = options.patience
    if len(values) <= steps or values[-1][0] != len(entries) - 1:
        return Plateau()
    now = values[-1][1]
    growth = now / values[-1 - steps][1] - 1
    begin = len(values) - 1 - steps
    while (
        begin > 0
        and now / values[begin - 1][1] - 1 < options.growth
        and values[begin - 1][1] / now - 1 < options.growth
    ):
        begin -= 1
    seen = [value for entry in entries[-steps:] if (value := entry.value("novelty")) is not None]
    ood, gain = _panels(entries, steps)
    return Plateau(
        growth,
        values[begin][0],
        sum(seen) / len(seen) if seen else None,
        entries[-1].value("evenness"),
        now / values[0][1],
        ood,
        gain,
    )


def _panels(entries: Sequence[Entry], steps: int) -> tuple[float | None, float | None]:
    """Mean score of the OOD panels now, and its gain over `steps` rounds less two standard errors."""
    now, was = entries[-1], entries[max(0, len(entries) - 1 - steps)]
    names = [n for n in now.scores if now.kinds.get(n) == "ood" and now.value(n, "scores") is not None]
    both = [name for name in names if was.value(name, "scores") is not None]
    if not both:
        return None, None
    level = sum(now.scores[name].value or 0.0 for name in both) / len(both)
    gain = level - sum(was.scores[name].value or 0.0 for name in both) / len(both)
    spread = math.sqrt(sum(error(now.scores[n]) ** 2 + error(was.scores[n]) ** 2 for n in both)) / len(both)
    return level, gain - 2 * spread


def _evidence(
    signs: Sequence[Sign], others: Sequence[Sign], plateau: Plateau, worst: Sequence[Sign]
) -> dict[str, float | None]:
    """Numbers behind a verdict; evidence in units in which 1 is none."""
    found: dict[str, float | None] = {"collapse": _told(max((s.log for s in worst), default=0.0)) if signs else None}
    benign = [sign.log for sign in signs if sign.role == "all"]
    found["quality_control"] = _told(max(benign)) if benign else None
    for role in ("text", "yield"):
        logs = [sign.log for sign in signs if sign.role == role]
        found[role] = _told(max(logs)) if logs else None
    for sign in signs:
        if sign.role not in {"text", "yield"}:
            found[sign.key] = _told(sign.log)
    for role in ("hacking", "length", "zero", "right", "score", "selection"):
        logs = [sign.log for sign in others if sign.role == role]
        found[role] = _told(max(logs)) if logs else None
    found["growth"], found["novelty"] = plateau.growth, plateau.novelty
    found["grown"], found["evenness"], found["ood"] = plateau.grown, plateau.evenness, plateau.ood
    return found


def _told(log: float) -> float:
    """Evidence from its logarithm, held below the ceiling."""
    return min(CEILING, math.exp(min(log, math.log(CEILING))))
