"""From differences to verdicts: margins, p adjusted over the panel of a view, one of four words, and what it would take.

    equivalent     two one-sided tests at 5 % (Schuirmann 1987) show the difference smaller than the margin, also where it
                   is not nought: judged first
    a, b           p, adjusted by Holm over all measures of the view, is under .05: the first or the second set is better
                   (higher, where a measure has no better side)
    cannot tell    neither; `needed` says about how many records on each side would tell with power .8, if the difference
                   is what it looks like and Holm still counts the measures that are not told

Default margins, printed with each result: .02 where a value is a ratio, .05 for correlations, else a twentieth of the mean of
the two values.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from triptych.comparing.difference import Difference
from triptych.comparing.reading import Compared
from triptych.core.errors import UsageError, message, nearest
from triptych.core.measure import Measure
from triptych.core.multiplicity import holm

LEVEL = 0.95
A, B, SAME, UNKNOWN = "a", "b", "equivalent", "cannot tell"

RATIO, CORRELATION, PART = 0.02, 0.05, 0.05
POWER, POWER_T, HALF_T = 0.8, 0.8416, 1.2816
"""Power of the records that are said to be needed; its normal quantile, and that where two ends share the risk."""
MOST_NEEDED = 10_000_000
"""Beyond so many records nobody will tell."""


@dataclass(frozen=True)
class Margin:
    """A difference that is too small to matter: a number, or a share of the mean of the two values."""

    number: float
    relative: bool = False

    def of(self, found: Difference) -> float:
        """In the units of the measure."""
        return self.number * (abs(found.a) + abs(found.b)) / 2 if self.relative else self.number

    @property
    def why(self) -> str:
        """In words."""
        return f"{self.number:g} of the mean of both values" if self.relative else f"{self.number:g}"


def default_margin(measure: Measure, found: Difference | None = None) -> Margin:
    """What is too small to matter where the user does not say; a label's mean is a ratio where the label is 0 or 1."""
    low, high = measure.about.bounds
    if (low, high) == (0, 1) or (found is not None and found.share):
        return Margin(RATIO)
    if (low, high) == (-1, 1):
        return Margin(CORRELATION)
    return Margin(PART, relative=True)


def parse_margins(asked: Sequence[str] | Mapping[str, float | str], measures: Sequence[Measure]) -> dict[str, Margin]:
    """Margins by label of the measure, from `NAME=0.02`, `NAME=5%` (a share of the mean value), or a mapping.

    A bare name stands for all parameter sets of the measure.

    Raises:
        UsageError: no such measure in the panel, or no positive number.
    """
    pairs = list(asked.items()) if isinstance(asked, Mapping) else [_split(text) for text in asked]
    known = {measure.label: measure for measure in measures}
    out: dict[str, Margin] = {}
    for name, given in pairs:
        mine = [label for label, measure in known.items() if name in (label, measure.about.name)]
        if not mine:
            near = nearest(name, [*known, *(measure.about.name for measure in measures)])
            raise UsageError(message(f'--margin: no measure "{name}" is compared.', got=name, hint=near))
        margin = _margin(name, str(given))
        out |= dict.fromkeys(mine, margin)
    return out


def _split(text: str) -> tuple[str, str]:
    name, equals, number = text.rpartition("=")
    if not equals:
        raise UsageError(message("--margin cannot be read.", got=text, want="NAME=0.02 or NAME=5%"))
    return name.strip(), number.strip()


def _margin(name: str, text: str) -> Margin:
    try:
        number = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise UsageError(message(f"--margin {name} is not right.", got=text, want="a positive number, or 5%"))
    return Margin(number, relative=text.endswith("%"))


@dataclass(frozen=True)
class Judged:
    """One measure in one view, with its verdict.

    Attributes:
        compared: the difference.
        margin: in the units of the measure, None where there is no difference; `why` in words.
        p_adjusted: by Holm over the view.
        verdict: a, b, equivalent or cannot tell.
        needed: records on each side that would tell, None where it is told, or where no number would.
    """

    compared: Compared
    margin: float | None
    why: str
    p_adjusted: float | None
    verdict: str
    needed: int | None


def judge(found: Sequence[Compared], margins: Mapping[str, Margin]) -> list[Judged]:
    """Verdicts of all measures of a view, in order.

    Args:
        found: the differences.
        margins: by label; measures that are not there have the default one.
    """
    there = [place for place, one in enumerate(found) if one.difference is not None]
    adjusted = holm(np.array([_known(found[place]).p for place in there])) if there else np.zeros(0)
    by_place = dict(zip(there, adjusted.tolist(), strict=True))
    untold = int((adjusted >= 1 - LEVEL).sum())
    records = max((min(one.n) for one in found), default=0)  # a measure that leaves records out counts fewer
    out = []
    for place, one in enumerate(found):
        margin = margins.get(one.measure.label) or default_margin(one.measure, one.difference)
        if one.difference is None:
            out.append(Judged(one, None, margin.why, None, UNKNOWN, None))
            continue
        size, p = margin.of(one.difference), by_place[place]
        verdict = _verdict(one, size, p)
        needed = _needed(one.difference, size, records, untold) if verdict == UNKNOWN else None
        out.append(Judged(one, size, margin.why, p, verdict, needed))
    return out


def _known(one: Compared) -> Difference:
    assert one.difference is not None  # noqa: S101 - the caller looked
    return one.difference


def _verdict(one: Compared, margin: float, p: float) -> str:
    found = _known(one)
    if (-margin < found.inner[0] and found.inner[1] < margin) or found.lo == found.hi == 0:
        return SAME
    if p >= 1 - LEVEL:
        return UNKNOWN
    higher = found.diff > 0
    return A if higher == (one.measure.about.better != "lower") else B


def _needed(found: Difference, margin: float, n: int, untold: int) -> int | None:
    """Records on each side with which the difference, if it is what it looks like, is told with power .8.

    A difference beyond the margin is to be found, at the level that Holm leaves one of so many measures that are not told; a
    smaller one is to be shown smaller, on both sides. Errors fall with the root of n.
    """
    gap = abs(found.diff)
    if found.se <= 0:
        return None
    wide = (found.hi - found.lo) / 2 / found.se / _t(found, (1 - LEVEL) / 2)
    if gap >= margin:
        ratio = (wide * _t(found, (1 - LEVEL) / 2 / untold) + POWER_T) * found.se / gap
    else:
        ratio = _ratio_to_show_smaller(found.se, gap, margin, wide * _t(found, 1 - LEVEL))
    wanted = math.ceil(n * ratio**2)
    if wanted > MOST_NEEDED:
        return None
    step = int(10 ** max(0, len(str(wanted)) - 2))
    return max(n + 1, math.ceil(wanted / step) * step)


def _t(found: Difference, beyond: float) -> float:
    """Student's t with so much of it beyond."""
    from scipy.special import stdtrit  # noqa: PLC0415 - scipy is slow to import

    return float(stdtrit(found.degrees, 1 - beyond))


def _ratio_to_show_smaller(se: float, gap: float, margin: float, t: float) -> float:
    """How many times smaller the error must be for both one-sided tests to pass with power .8, by bisection."""
    low, high = (at * se / (margin - gap) for at in (t + POWER_T, t + HALF_T))
    for _ in range(30):
        middle = (low + high) / 2
        missed = sum(math.erfc((middle * (margin + sign * gap) / se - t) / math.sqrt(2)) / 2 for sign in (-1, 1))
        low, high = (middle, high) if 1 - missed < POWER else (low, middle)
    return high


def price(judged: Sequence[Judged], headlines: Sequence[str]) -> dict[str, object] | None:
    """What the better diversity of one set costs in quality, where each set is better on one of the two; else None.

    The first headline measure of either axis that tells is taken. The interval of the price joins the ends of both
    differences, so it is too wide rather than too narrow.

    Args:
        judged: verdicts of one view.
        headlines: labels of the headline measures.
    """
    told = {"quality": None, "diversity": None} | {
        one.compared.measure.about.axis: one
        for one in reversed(judged)
        if one.verdict in (A, B)
        and one.compared.measure.label in headlines
        and one.compared.measure.about.axis in ("quality", "diversity")
    }
    quality, diversity = told["quality"], told["diversity"]
    if quality is None or diversity is None or quality.verdict == diversity.verdict:
        return None
    lost, gained = _known(quality.compared), _known(diversity.compared)
    ends = [[abs(end) for end in (one.lo, one.hi)] for one in (lost, gained)]
    return {
        "better_quality": quality.verdict,
        "better_diversity": diversity.verdict,
        "quality": quality.compared.measure.label,
        "diversity": diversity.compared.measure.label,
        "quality_lost": abs(lost.diff),
        "diversity_gained": abs(gained.diff),
        "per_unit": abs(lost.diff) / abs(gained.diff),
        "lo": min(ends[0]) / max(ends[1]),
        "hi": max(ends[0]) / min(ends[1]) if min(ends[1]) > 0 else None,
        "unit": f"{quality.compared.measure.about.unit} per {diversity.compared.measure.about.unit}",
    }
