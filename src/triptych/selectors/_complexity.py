"""The complexity that a selection is to have: bins of the complexity, and the share of each.

    free              no matter what it comes to
    as-is             ten bins of about equally many candidates, as many of each as the candidates have
    harder, easier    four bins of about equally many candidates, in shares 1:2:3:4 from the easiest, or 4:3:2:1
    1/2/1             so many bins of about equally many candidates, in these shares from the easiest
    1:.2/2:.5/3:.3    bins that begin at these values, in these shares; what lies below the first is not taken

Equal values share a bin. Candidates without a complexity are a bin of their own under `as-is`, and else not taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from triptych.core.candidates import Floats, Ints
from triptych.core.errors import SelectionError, message

OUTSIDE = -1
WORDS = ("free", "as-is", "harder", "easier")
_AS_IS = 10
_SHIFTED = {"harder": (1.0, 2.0, 3.0, 4.0), "easier": (4.0, 3.0, 2.0, 1.0)}


@dataclass(frozen=True)
class Shares:
    """What a text asks for.

    Attributes:
        starts: where bins begin; None: at quantiles.
        weights: of the bins, sum above 0; None: as the candidates have them.
    """

    starts: tuple[float, ...] | None = None
    weights: tuple[float, ...] | None = None


@dataclass(frozen=True)
class Bins:
    """Bins of the complexity.

    Attributes:
        code: bin of each candidate, `OUTSIDE` (-1) where it is in none, int64 (n,).
        names: of the bins.
        shares: wanted of each, sum 1, float64 (bins,).
    """

    code: Ints
    names: tuple[str, ...]
    shares: Floats


def read_shares(text: str) -> Shares | None:
    """What a text asks for; None: free.

    Raises:
        ValueError: it is none of the forms.
    """
    if text in WORDS:
        return None if text == "free" else Shares(weights=_SHIFTED.get(text))
    want = f"complexity is one of {', '.join(WORDS)}, shares such as 1/2/1, or bins with shares such as 1:.2/2:.5/3:.3"
    pieces = [piece.split(":") for piece in text.split("/")]
    try:
        numbers = [[float(number) for number in piece] for piece in pieces]
    except ValueError:
        raise ValueError(f"{want}; got {text}") from None
    weights = tuple(piece[-1] for piece in numbers)
    sizes = {len(piece) for piece in numbers}
    if sizes not in ({1}, {2}) or len(numbers) < 2 or min(weights) < 0 or not 0 < sum(weights) < np.inf:
        raise ValueError(f"{want}; got {text}")
    starts = tuple(piece[0] for piece in numbers) if sizes == {2} else None
    if starts is not None and not all(a < b for a, b in pairwise(starts)):
        raise ValueError(f"{want}, beginning at values that rise; got {text}")
    return Shares(starts, weights)


def bins_of(complexity: Floats, shares: Shares) -> Bins:
    """Put candidates in bins.

    Args:
        complexity: NaN where a candidate has none, (n,).
        shares: what is asked for.

    Raises:
        SelectionError: the complexity has fewer different levels than bins are asked for.
    """
    known = np.isfinite(complexity)
    number = len(shares.weights) if shares.weights else _AS_IS
    starts = np.array(shares.starts) if shares.starts else _quantiles(complexity[known], number)
    code = np.where(known, np.searchsorted(starts, np.where(known, complexity, 0.0), "right") - 1, OUTSIDE)
    names = [f"from {start:g}" for start in starts]
    if shares.weights is None:
        if not known.all():
            code, names = np.where(known, code, len(starts)), [*names, "none"]
        counts = np.bincount(code, minlength=len(names)).astype(np.float64)
        return Bins(code, tuple(names), counts / max(counts.sum(), 1))
    if len(starts) < number:
        what = f"the complexity has too few different levels for {number} bins."
        got = ", ".join(f"{start:g}" for start in starts) or "no candidate has one"
        hint = "/".join(["1"] * len(starts)) if len(starts) > 1 else "free"
        raise SelectionError(message(what, got=got, want=f"{number} bins", hint=f"complexity={hint}"))
    weights = np.array(shares.weights)
    return Bins(code, tuple(names), weights / weights.sum())


def quotas(shares: Floats, total: int, held: Ints, have: Ints) -> Ints:
    """Whole numbers in these shares that add up to the total, by largest remainders, (bins,).

    Args:
        shares: sum 1.
        total: to be divided.
        held: what each bin holds already (must-keeps): it gets no less.
        have: what each bin can give in all; rounding goes where there is room.
    """
    exact = shares * total
    out: Ints = np.floor(exact + 1e-9).astype(np.int64)
    fits = out < np.maximum(have, held)
    order = np.lexsort((np.arange(len(out)), -(exact - out), ~fits))
    out[order[: max(0, total - int(out.sum()))]] += 1
    out = np.maximum(out, held)
    while (over := int(out.sum()) - total) > 0 and (spare := out - held).any():
        out[np.argmax(spare)] -= min(over, int(spare.max()))
    return out


def counted(bins: Bins, candidates: Ints, weight: Ints) -> Ints:
    """Sum of the weights (n,) of these candidates in each bin, (bins,)."""
    code = bins.code[candidates]
    inside = code != OUTSIDE
    sums = np.bincount(code[inside], weights=weight[candidates[inside]], minlength=len(bins.names))
    return sums.astype(np.int64)


def short(bins: Bins, quota: Ints, have: Ints, other: str = "") -> None:
    """Refuse where a bin cannot give what is asked of it.

    Args:
        bins: what was asked.
        quota: of each bin, as `have`.
        have: what each can give, must-keeps among it.
        other: what else the message proposes, ending with ", ".

    Raises:
        SelectionError: with the largest budget that would do.
    """
    lacking = np.flatnonzero(quota > have)
    if not len(lacking):
        return
    worst = int(lacking[np.argmax(quota[lacking] - have[lacking])])
    wanted = bins.shares > 0
    most = int(np.min(have[wanted] / bins.shares[wanted]))
    what = f"the complexity profile cannot be met: bin {bins.names[worst]!r} has too few candidates."
    want = f"{int(quota[worst]):,} ({bins.shares[worst]:.1%} of the budget)"
    hint = f"a budget of {most:,} at most, {other}or complexity=free"
    raise SelectionError(message(what, got=f"{int(have[worst]):,}", want=want, hint=hint))


def _quantiles(values: Floats, number: int) -> Floats:
    """Where bins of about equally many values begin, ascending: each at the level nearest to its share of the values."""
    levels, counts = np.unique(values, return_counts=True)
    if len(levels) <= number:
        return levels
    below = (np.cumsum(counts) - counts) / len(values)
    nearest = [int(np.argmin(np.abs(below - at / number))) for at in range(number)]
    return levels[np.unique(nearest)]
