"""Evidence that a reading falls, round after round, with a declared rate of false alarms for the whole run of a loop.

The null hypothesis, for one series of readings x (logarithms of sizes, or shares):

    x_r = m_r + walk_r + noise_r,   m any path that never falls, however it depends on the past,
    walk a random walk with normal steps of standard deviation `drift` a round,
    noise independent and normal with variance se_r^2 + wobble^2, se_r the reading's own standard error.

From a baseline round b on, let u_r be the standardized error of the best linear forecast of x_r from x_b, .., x_(r-1) with
the level unknown (the innovations of the local-level model; Brown, Durbin & Evans 1975 for drift = 0). If m is constant they
are independent N(0, 1). If m grows they are larger than that path by path, since the forecast is a mean of earlier readings
with positive weights. A bet on a fall beginning after round c, with what that fall would make of u_r known beforehand
(-l_r, l_r >= 0), multiplies its stake by exp(-l_r u_r - l_r^2 / 2) a round: its mean is at most 1 under the null, so the
stake is a test supermartingale. Stakes are spread over c (1 / ((c-b+1)(c-b+2)), which sum to 1), over the sizes of the fall
and over two shapes, a fall that goes on and one that stays; what has not been staked yet is kept. The sum is one
supermartingale for each baseline b, and by Ville's inequality it reaches 1/a with probability at most a, at any time.

Baselines, and several readings, live in different filtrations, where means of such processes are not safe (Choe & Ramdas,
arXiv 2402.09698: a mean over filtrations can exceed its bound when one stops by looking at all). So across baselines and
readings each gets a share w of the error, and the evidence is the largest w E: the union bound makes it exact under any
dependence, and it loses against the mean at most what the mean loses against its largest part. Sums over starts without
weights (e-detectors, Shin, Ramdas & Rinaldo, NEJSDS 2024; Shiryaev-Roberts) bound the mean time between alarms; here the
chance of any alarm in the whole run is bounded, which is what a loop of 4 to 12 rounds needs.

Cost: rounds^2 small vector operations; 12 rounds take a few milliseconds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Bets:
    """What is bet on, and the noise that is granted.

    Attributes:
        wobble: standard deviation of a reading from round to round beyond its own error, in the units of the series.
        drift: standard deviation of the level's own step a round.
        falls: sizes of the falls that are bet on, a round.
    """

    wobble: float
    drift: float
    falls: tuple[float, ...]


@dataclass(frozen=True)
class Trace:
    """Evidence of a fall in one series, round after round; entry t uses readings 0..t alone.

    Attributes:
        logs: natural logarithm of the evidence; at most 0 where there is none.
        last: index of the last reading before the fall that is best supported; -1 before the second reading.
    """

    logs: tuple[float, ...]
    last: tuple[int, ...]


def trace(rounds: Sequence[int], values: Sequence[float], errors: Sequence[float], bets: Bets) -> Trace:
    """The evidence of one series."""
    parts = stakes(rounds, np.asarray(values, float)[:, None], np.asarray(errors, float), bets)[..., 0]
    logs, last = [0.0], [-1]
    for time in range(1, len(rounds)):
        logs.append(float(_evidence(parts[: time + 1, : time + 1, time, None])[0]))
        best = int(np.argmax(parts[:time, :time, time].max(axis=0)))
        last.append(best)
    return Trace(tuple(logs), tuple(last))


def evidence(rounds: Sequence[int], values: Floats, errors: Floats, bets: Bets) -> Floats:
    """Natural logarithms of the evidence for many series with the same errors: (rounds, series) for (rounds, series)."""
    parts = stakes(rounds, values, errors, bets)
    logs = np.zeros_like(values)
    for time in range(1, len(rounds)):
        logs[time] = _evidence(parts[: time + 1, : time + 1, time])
    return logs


def _evidence(parts: Floats) -> Floats:
    """The largest weighted process over baselines, from (baselines, starts, series) at one time: (series,)."""
    time = parts.shape[0] - 1
    baselines = np.arange(time)
    kept = -np.log(time - baselines + 1.0) - np.log((baselines + 1.0) * (baselines + 2.0))
    whole: Floats = np.logaddexp(np.logaddexp.reduce(parts[:time, :time], axis=1), kept[:, None])
    found: Floats = whole.max(axis=0)
    return found


def stakes(rounds: Sequence[int], values: Floats, errors: Floats, bets: Bets) -> Floats:
    """Natural logarithms of all weighted stakes: (baseline, last round before the fall, time, series), -inf where none.

    Args:
        rounds: the rounds' numbers, increasing; (rounds,).
        values: (rounds, series).
        errors: the readings' standard errors; (rounds,).
        bets: sizes of falls and granted noise.
    """
    count, series = values.shape
    numbers = np.asarray(rounds, float)
    noise = errors**2 + bets.wobble**2
    found = np.full((count, count, count, series), -math.inf)
    for base in range(count - 1):
        seen = _innovations(values, numbers, noise, bets.drift, base)
        lasts = range(base, count - 1)
        shapes = np.hstack([_shapes(numbers, last, bets.falls) for last in lasts])
        bet = -_innovations(shapes, numbers, noise, bets.drift, base).reshape(count, len(lasts), -1)
        for which, last in enumerate(lasts):
            own = bet[last + 1 :, which]
            gains = -own[:, :, None] * seen[last + 1 :, None, :] - (own**2 / 2)[:, :, None]
            weight = 1 / ((base + 1) * (base + 2) * (which + 1) * (which + 2) * own.shape[1])
            found[base, last, last + 1 :] = _log_sum(np.cumsum(gains, axis=0)) + math.log(weight)
    return found


def _log_sum(logs: Floats) -> Floats:
    """Logarithm of the sum of exponentials over axis 1, of finite values."""
    top = logs.max(axis=1, keepdims=True)
    found: Floats = np.log(np.exp(logs - top).sum(axis=1)) + top[:, 0]
    return found


def _shapes(numbers: Floats, last: int, falls: tuple[float, ...]) -> Floats:
    """What each fall after round `last` subtracts: (rounds, 2 x sizes): one that goes on, one of two rounds that stays."""
    since = np.maximum(numbers - numbers[last], 0.0)[:, None]
    sizes = np.asarray(falls)[None, :]
    return np.hstack([-since * sizes, -2.0 * (since > 0) * sizes])


def _innovations(columns: Floats, numbers: Floats, noise: Floats, drift: float, base: int) -> Floats:
    """Standardized forecast errors of (rounds, columns) with the level unknown before round `base`; 0 up to it."""
    found = np.zeros_like(columns)
    level, spread = columns[base].copy(), noise[base]
    for at in range(base + 1, columns.shape[0]):
        spread += drift**2 * (numbers[at] - numbers[at - 1])
        whole = spread + noise[at]
        error = columns[at] - level
        found[at] = error / math.sqrt(whole)
        level = level + error * spread / whole
        spread *= noise[at] / whole
    return found


def fallen(values: Sequence[float], last: int) -> float:
    """How far the newest readings lie below the level up to `last`; negative where they lie above.

    The level is the mean of up to three readings that end at `last`, but not lower than the last of them: a loop that
    still grew has left the earlier ones behind.
    """
    before = list(values[max(0, last - 2) : last + 1])
    return max(sum(before) / len(before), before[-1]) - values[-1]
