"""Whether selection itself narrows: what is trained on has far fewer structures than what was written, in one round.

What is trained on falls first: a loop that takes the likeliest of its records loses structures by selection in the very first
round, before the model that is trained on them writes one less. A fall over rounds cannot show that, as nothing comes before.
So each round's selected set is compared with what was written in it, and with what the loop wrote in its first round: a set
that is narrower than what was written just now, but not than the loop began, feeds growth.

Null hypothesis of a round: the selected set keeps at least 1 - `least_fall` of the effective structures of one of the two.
The readings' errors are taken as independent, which is more than they are for parts of one set; what is granted between rounds
is granted where two rounds are compared. Stakes on falls of several
sizes below that bound make an e-value for each of the two; the lesser one counts. Round r gets the share 1 / ((r+1)(r+2)) of
the error, so that the chance of any alarm in the whole run is bounded, however many rounds there are.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from triptych.guarding.ledger import Entry, Reading
from triptych.guarding.states import JudgeOptions
from triptych.guarding.tracks import SIDE, Sign, error, truest


def selection(entries: Sequence[Entry], options: JudgeOptions) -> Sign | None:
    """What the last of these entries says: structures selected as a fall below those written; None where not read."""
    entry = entries[-1]
    name = truest(entries[:2], "generated")
    begun = next((at for at, one in enumerate(entries) if one.value(name)), None)
    if begun is None:
        return None
    chosen, written = entry.selected.get(name), entry.generated.get(name)
    turn = len(entries) - begun
    wobble = math.sqrt(2) * options.wobble if turn > 1 else 0.0
    evidence = [
        _kept(chosen, written, 0.0, options),
        _kept(chosen, entries[begun].generated.get(name), wobble, options),
    ]
    if chosen is None or written is None or not chosen.value or not written.value or None in evidence:
        return None
    log = min(one for one in evidence if one is not None) - math.log(turn * (turn + 1)) + math.log(SIDE)
    at = len(entries) - 1
    return Sign(
        role="selection",
        of="selected",
        name="kept",
        log=log,
        last=at,
        first=at,
        before=written.value,
        now=chosen.value,
        fall=math.log(written.value / chosen.value),
        value=math.log(chosen.value / written.value),
        recent=True,
        fresh=True,
    )


def _kept(chosen: Reading | None, base: Reading | None, wobble: float, options: JudgeOptions) -> float | None:
    """Logarithm of the e-value against "at least 1 - least_fall of the base is kept"; None where either is not read."""
    if chosen is None or base is None or not chosen.value or not base.value:
        return None
    spread = math.hypot(error(chosen) / chosen.value, error(base) / base.value, wobble)
    if not spread:
        return None
    below = (math.log1p(-options.least_fall) - math.log(chosen.value / base.value)) / spread
    sizes = np.asarray(options.falls) / spread
    return float(np.logaddexp.reduce(sizes * below - sizes**2 / 2)) - math.log(len(sizes))
