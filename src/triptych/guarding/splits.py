"""What is derived from several readings of a round.

    reward_gap        verified - right, over records that have both: reward hacking
    false_pass        share of what the verifier passed that is wrong: the ceiling of a loop (arXiv 2510.16657)
    false_fail        share of what is right that the verifier did not pass
    gap               generation-verification gap: E[u w] / E[w] - E[u], u the truth and w the verifier's verdict; where the
                      truth is not known, the mean quality of what was selected minus that of what was generated
                      (arXiv 2412.02674)
    quality_control   part of the loss of diversity since the first round that is only the removal of wrong records
    narrowing         the rest: what correct records lost among themselves (after arXiv 2604.16027)
    illusion          relative loss of structures minus relative loss of surface diversity since the first round: above 0,
                      texts stay varied while what they do does not (after arXiv 2602.13103)
    pass_gap          pass@k - pass@1 at the largest k, mean over panels
    length_drift      relative change of the mean length since the first round

Losses of diversity are differences of log effective numbers (entropies, in nats): for small losses the relative loss.
quality_control + narrowing = the total loss, log of `structures_all` then over now. Differences of two rounds add up the
errors of both, as if they were independent.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from triptych.core.estimate import Undefined
from triptych.core.groups import GROUPS, Mask
from triptych.guarding.counting import jackknifed, undefined
from triptych.guarding.ledger import Reading
from triptych.guarding.prepared import Floats, Prepared

_Z = 1.959964
FIRST = "the first round is what later ones are compared with"

Readings = Mapping[str, Reading]


def splits(
    generated: Readings, selected: Readings, first: Readings | None, verdicts: Reading, scores: Readings
) -> dict[str, Reading]:
    """The splits of a round.

    Args:
        generated: its readings.
        selected: the same of what was selected; empty where that is not known.
        first: those of the first round's generated set; None in the first round.
        verdicts: the gap between truth and verdicts, see `verified_gap`.
        scores: of its panels.
    """
    out = {"gap": verdicts if verdicts.value is not None else _chosen(generated, selected, verdicts)}
    out["pass_gap"] = _pass_gap(scores)
    names = ("quality_control", "narrowing", "illusion", "length_drift")
    if first is None:
        return out | dict.fromkeys(names, undefined(FIRST))
    total = _combined(_log_loss(first, generated, "structures_all"))
    known = first["correct_structures"].value is not None  # told by the first round alone: one series, no switching
    correct = "correct_structures" if known else "structures"
    narrowing = _combined(_log_loss(first, generated, correct))
    out["narrowing"] = narrowing
    out["quality_control"] = _combined([(total, 1.0), (narrowing, -1.0)])
    out["illusion"] = _illusion(first, generated)
    out["length_drift"] = _drift(first.get("tokens"), generated.get("tokens"))
    return out


def verifier_errors(found: dict[str, Reading]) -> dict[str, Reading]:
    """What the verifier gets wrong, taken out of a set's readings, where they stand among the means."""
    unknown = undefined("no field says both what was verified and what is right")
    return {name: found.pop(name, unknown) for name in ("reward_gap", "false_pass", "false_fail")}


def verified_gap(prepared: Prepared) -> Reading:
    """E[u w] / E[w] - E[u] over the records whose verdict w and truth u are known."""
    if "verified" not in prepared.columns or "true" not in prepared.columns:
        return undefined("no field says both what was verified and what is right")
    w, u = prepared.columns["verified"], prepared.columns["true"]
    held = np.isfinite(w) & np.isfinite(u)
    group = prepared.keys.group[held]

    def sums(values: Floats) -> Floats:
        return np.bincount(group, weights=values, minlength=GROUPS).astype(np.float64)

    n, passed, right, both = (sums(values) for values in (np.ones(len(group)), w[held], u[held], (u * w)[held]))

    def value(keep: Mask) -> float | Undefined:
        if not passed[keep].sum():
            return Undefined("the verifier passed no record")
        return float(both[keep].sum() / passed[keep].sum() - right[keep].sum() / n[keep].sum())

    return jackknifed(value, lambda keep: int(n[keep].sum()), "plain", (-1.0, 1.0), int(n.sum()))


def _chosen(generated: Readings, selected: Readings, otherwise: Reading) -> Reading:
    """Mean quality of what was selected minus that of what was generated, by the best knowledge of it."""
    for name in ("true", "verified", "quality"):
        if _both(generated, selected, name):
            return _combined([(selected[name], 1.0), (generated[name], -1.0)])
    return otherwise if selected else undefined("what was selected is not known")


def _both(a: Readings, b: Readings, name: str) -> bool:
    return all(name in each and each[name].value is not None for each in (a, b))


def _combined(parts: list[tuple[Reading, float]]) -> Reading:
    """A weighted sum of readings; the first reason where one of them is undefined."""
    reason = next((part.undefined for part, _ in parts if part.value is None), None)
    n = min(part.n for part, _ in parts)
    if reason is not None:
        return undefined(reason, n)
    value = sum(weight * part.value for part, weight in parts if part.value is not None)
    if any(part.se is None for part, _ in parts):
        return Reading(value, n=n)
    se = math.sqrt(sum((weight * part.se) ** 2 for part, weight in parts if part.se is not None))
    return Reading(value, se, value - _Z * se, value + _Z * se, n)


def _log(reading: Reading) -> Reading:
    """The log of an effective number, with its error by the delta method."""
    if not reading.value:
        return reading
    return Reading(math.log(reading.value), None if reading.se is None else reading.se / reading.value, n=reading.n)


def _log_loss(first: Readings, now: Readings, name: str) -> list[tuple[Reading, float]]:
    return [(_log(first[name]), 1.0), (_log(now[name]), -1.0)]


def _share(first: Reading, now: Reading) -> Reading:
    """What is left of a reading of the first round, as a share."""
    if first.value is None or now.value is None:
        return undefined(str(first.undefined or now.undefined), now.n)
    if not first.value:
        return undefined("it was 0 in the first round", now.n)
    left = now.value / first.value
    if first.se is None or now.se is None:
        return Reading(left, n=now.n)
    se = math.hypot(now.se, left * first.se) / abs(first.value)
    return Reading(left, se, left - _Z * se, left + _Z * se, now.n)


def _illusion(first: Readings, now: Readings) -> Reading:
    left = {name: _share(first[name], now[name]) for name in ("structures", "surface")}
    return _combined([(left["surface"], 1.0), (left["structures"], -1.0)])


def _drift(first: Reading | None, now: Reading | None) -> Reading:
    if first is None or now is None:
        return undefined("no length")
    left = _share(first, now)
    if left.value is None or left.lo is None or left.hi is None:
        return left if left.value is None else Reading(left.value - 1, n=left.n)
    return Reading(left.value - 1, left.se, left.lo - 1, left.hi - 1, left.n)


def _pass_gap(scores: Readings) -> Reading:
    """Mean over panels of the score at the largest k minus that at 1 (or at none, where 1 is not told)."""
    by_panel: dict[str, dict[int, Reading]] = {}
    for name, score in scores.items():
        panel, _, k = name.partition("@")
        if score.value is not None:
            by_panel.setdefault(panel, {})[int(k) if k.isdecimal() else 0] = score
    parts: list[tuple[Reading, float]] = []
    for told in by_panel.values():
        base, most = told.get(1, told.get(0)), max(told)
        if most > 1 and base is not None:
            parts += [(told[most], 1.0), (base, -1.0)]
    if not parts:
        return undefined("no panel has a score at 1 and at a larger k")
    panels = len(parts) // 2
    return _combined([(reading, weight / panels) for reading, weight in parts])
