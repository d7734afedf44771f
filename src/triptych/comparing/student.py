"""Student's t beyond the core's table, and how far a value's own interval reaches."""

from __future__ import annotations

from triptych.core.interval import Changes, wilson


def quantile(degrees: float, at: float) -> float:
    """Student's t with so many degrees of freedom at a probability."""
    from scipy.special import stdtrit  # noqa: PLC0415 - scipy is slow to import

    return float(stdtrit(degrees, at))


def p_value(value: float, se: float, degrees: float) -> float:
    """Two-sided, of a value with this error against 0; without an error 1 at 0, else 0."""
    from scipy.special import stdtr  # noqa: PLC0415 - scipy is slow to import

    if se <= 0:
        return 1.0 if value == 0 else 0.0
    return float(2 * stdtr(degrees, -abs(value) / se))


def share_reach(found: Changes, t: float) -> tuple[float, float]:
    """Distance of a share, or of an effective number, to the lower and the upper end of its own interval (Wilson's)."""
    share = min(found.whole / found.scale, 1.0)
    lo, hi = wilson(share, found.se / found.scale, found.n, t)
    return max(share - max(lo, 0.0), 0.0) * found.scale, max(min(hi, 1.0) - share, 0.0) * found.scale
