"""Models as well as data sets: several answers to each prompt from two models or more, side by side.

A model that is judged by quality alone may have lost what the next round of data needs: other ways to be right. So beside
the mean label stand the diversity of the answers to one prompt, and pass@k, the chance that one of k answers is right, with
the unbiased estimator of Chen et al. 2021 (arXiv 2107.03374, eq. 1): of n answers c are right, 1 - C(n-c, k) / C(n, k).
A model that is better at k = 1 and worse at a large k has narrowed (Yue et al. 2025, arXiv 2504.13837).

Everything is a mean over prompts that all sets answer, each prompt counted once, so neither the number of answers nor its
variation moves it. Intervals leave out one of 32 groups of prompts at a time, differences are paired by prompt. A prompt with
fewer than k labelled answers in any set is left out of pass@k for all of them, and counted; k doubles for as long as half of
the prompts stay.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal

import numpy as np

from triptych.comparing.answers import (
    PER_PROMPT,
    QUALITY,
    Answers,
    Floats,
    Groups,
    answers_of,
    binary,
    common_prompts,
    fewer,
    groups_of,
    sizes_of,
    with_passes,
)
from triptych.comparing.difference import Difference, difference
from triptych.comparing.sides import Side
from triptych.comparing.verdict import LEVEL, PART, RATIO, SAME, UNKNOWN, A, B, Margin
from triptych.core.errors import UsageError, message, nearest
from triptych.core.estimate import Undefined
from triptych.core.groups import GROUPS, Mask
from triptych.core.interval import Changes, changes, t_quantile, wilson
from triptych.core.multiplicity import holm
from triptych.data import Dataset

TITLES = {
    QUALITY: "mean label",
    "per_prompt": "distance between answers to a prompt",
    "per_prompt_novelty": "novelty between answers to a prompt",
    "complexity": "reasoning steps",
}


@dataclass(frozen=True)
class Quantity:
    """One thing that models are compared by; `share`: it lies in 0..1."""

    key: str
    share: bool
    better: Literal["higher", "neither"] = "higher"

    @property
    def margin(self) -> Margin:
        """What is too small to matter."""
        return Margin(RATIO) if self.share else Margin(PART, relative=True)


def models(sides: Sequence[Side], label: str, pairs: Sequence[tuple[int, int]] = ()) -> dict[str, Any]:
    """Quality, diversity per prompt, pass@k and complexity of two models or more, with paired differences.

    Args:
        sides: the models' answers, under their joint grouping (`comparing.sides.joined`).
        label: field that says how good an answer is; pass@k needs one of 0 and 1.
        pairs: places of the sets whose difference is wanted; empty: all pairs.

    Returns:
        The entry `models` of `comparison.json`; `undefined` has a reason where the sets are no answers to shared prompts.

    Raises:
        UsageError: a set has no such label.
    """
    check_label([side.dataset for side in sides], label)
    prompts = common_prompts(sides, label)
    if not len(prompts):
        return _nothing(label, "no prompt has a labelled answer in every set")
    groups = groups_of(sides[0], prompts)
    read = [answers_of(side, prompts, label) for side in sides]
    shares = all(binary(side, label) for side in sides)
    sizes = sizes_of(np.minimum.reduce([one.n for one in read])) if shares else ()
    read = [with_passes(one, sizes, read) for one in read]
    quantities = [Quantity(key, shares or key != QUALITY) for key in (QUALITY, *(f"pass@{k}" for k in sizes))]
    quantities += [Quantity("per_prompt", share=False), Quantity("per_prompt_novelty", share=True)]
    quantities += [Quantity("complexity", share=False, better="neither")]
    wanted = list(pairs) or list(combinations(range(len(sides)), 2))
    told = [_differences(read[a], read[b], quantities, groups) for a, b in wanted]
    alone = all(int(one.n.max()) < 2 for one in read)
    return {
        "k": list(sizes),
        "label": label,
        "prompts": len(prompts),
        "left_out": {str(k): fewer(read, k) for k in sizes},
        "rows": [_row(one, quantities, sizes, groups) for one in read],
        "differences": [each for pair in told for each in pair],
        "narrowed": sorted({name for pair in told for name in _narrowed(pair, sizes)}),
        "text": " ".join(_sentence(pair, sizes) for pair in told),
        "undefined": None,
        "note": _note(shares=shares, alone=alone, label=label),
    }


def check_label(datasets: Sequence[Dataset], label: str) -> None:
    """Every set must have the label that models are compared by.

    Raises:
        UsageError: one has not.
    """
    for dataset in datasets:
        labels = dataset.layout.labels
        if label not in labels:
            what = f'{dataset.name}: there is no label "{label}" (--models {label}).'
            near = nearest(label, labels)
            raise UsageError(message(what, got=", ".join(labels) or "no label", hint=near and f"--models {near}"))


def _nothing(label: str, reason: str) -> dict[str, Any]:
    empty: dict[str, Any] = {"k": [], "label": label, "prompts": 0, "left_out": {}, "rows": [], "differences": []}
    return {**empty, "narrowed": [], "text": "", "undefined": reason, "note": ""}


def _note(*, shares: bool, alone: bool, label: str) -> str:
    """What could not be read, in words."""
    if not shares:
        return f'"{label}" is not 0 or 1 everywhere, so there is no pass@k.'
    return (
        "No prompt has two labelled answers: nothing can be said of diversity per prompt or of k > 1." if alone else ""
    )


def _changes(values: Floats, groups: Groups) -> Changes | Undefined:
    """What each group of prompts contributes to the mean."""
    known = ~np.isnan(values)
    sums = np.bincount(groups[known], weights=values[known], minlength=GROUPS)
    sizes = np.bincount(groups[known], minlength=GROUPS)

    def read(keep: Mask) -> float | Undefined:
        n = int(sizes[keep].sum())
        return float(sums[keep].sum()) / n if n else Undefined("no prompt has a value")

    return changes(read, lambda keep: int(sizes[keep].sum()), "plain")


def _value(values: Floats, groups: Groups, *, share: bool) -> dict[str, Any]:
    """A mean over prompts with its interval: Wilson's ends for a share, with the effective number of prompts."""
    known = values[~np.isnan(values)]
    found = _changes(values, groups)
    if isinstance(found, Undefined):
        value = float(known.mean()) if len(known) else None
        return {"value": value, "lo": None, "hi": None, "n": len(known), "undefined": found.reason}
    t = t_quantile(found.degrees)
    lo, hi = found.whole - t * found.se, found.whole + t * found.se
    if share and (found.se > 0 or found.whole in (0.0, 1.0)):
        lo, hi = wilson(found.whole, found.se, found.n, t)
        lo, hi = max(lo, 0.0), min(hi, 1.0)
    return {
        "value": found.whole,
        "lo": min(lo, found.whole),
        "hi": max(hi, found.whole),
        "n": found.n,
        "undefined": None,
    }


def _row(one: Answers, quantities: Sequence[Quantity], sizes: Sequence[int], groups: Groups) -> dict[str, Any]:
    """What a model's answers are."""
    read = {each.key: _value(one.values[each.key], groups, share=each.share) for each in quantities}
    return {
        "set": one.name,
        "n_per_prompt": {"least": int(one.n.min()), "median": float(np.median(one.n)), "most": int(one.n.max())},
        **{key: read[key] for key in TITLES},
        "pass_at": {str(k): read[f"pass@{k}"] for k in sizes},
    }


def _differences(a: Answers, b: Answers, quantities: Sequence[Quantity], groups: Groups) -> list[dict[str, Any]]:
    """Every quantity's difference on the prompts where both have it, with verdicts.

    Holm runs over the quantities of the pair; pass@1 is the quality once more and not counted twice.
    """
    found = {each.key: _difference(a.values[each.key], b.values[each.key], groups) for each in quantities}
    tested = {key: one.p for key, one in found.items() if isinstance(one, Difference) and key != "pass@1"}
    adjusted = dict(zip(tested, holm(np.array([*tested.values()])).tolist(), strict=True)) if tested else {}
    if QUALITY in adjusted:
        adjusted["pass@1"] = adjusted[QUALITY]
    return [_entry(a.name, b.name, each, found[each.key], adjusted.get(each.key)) for each in quantities]


def _difference(a: Floats, b: Floats, groups: Groups) -> Difference | Undefined:
    both = np.isnan(a) | np.isnan(b)
    sides = [_changes(np.where(both, np.nan, values), groups) for values in (a, b)]
    for one in sides:
        if isinstance(one, Undefined):
            return one
    return difference(sides[0], sides[1], paired=True)  # type: ignore[arg-type] # both are there


def _entry(
    first: str, second: str, what: Quantity, found: Difference | Undefined, adjusted: float | None
) -> dict[str, Any]:
    head = {"first": first, "second": second, "what": what.key, "title": TITLES.get(what.key, what.key)}
    head |= {"better": what.better}
    keys = ("a", "b", "diff", "lo", "hi", "se", "p")
    if isinstance(found, Undefined) or adjusted is None:
        reason = found.reason if isinstance(found, Undefined) else "it was not tested"
        return {**head, **dict.fromkeys((*keys, "p_adjusted", "margin")), "verdict": UNKNOWN, "undefined": reason}
    margin = what.margin.of(found)
    verdict = UNKNOWN
    if -margin < found.inner[0] and found.inner[1] < margin:
        verdict = SAME
    elif adjusted < 1 - LEVEL:
        verdict = A if found.diff > 0 else B
    numbers = {key: getattr(found, key) for key in keys}
    return {**head, **numbers, "p_adjusted": adjusted, "margin": margin, "verdict": verdict, "undefined": None}


def _verdicts(pair: Sequence[Mapping[str, Any]]) -> tuple[dict[str, str], dict[str, str]]:
    """Verdict of every quantity, and the name of the set that a verdict speaks of and of the other one."""
    return {each["what"]: each["verdict"] for each in pair}, {A: pair[0]["first"], B: pair[0]["second"]}


def _narrowed(pair: Sequence[Mapping[str, Any]], sizes: Sequence[int]) -> list[str]:
    """The set that is no worse at k = 1 and worse at the largest k."""
    verdicts, names = _verdicts(pair)
    if len(sizes) < 2:
        return []
    small, large = verdicts["pass@1"], verdicts[f"pass@{sizes[-1]}"]
    return [names[B if large == A else A]] if large in names and small != large else []


def _sentence(pair: Sequence[Mapping[str, Any]], sizes: Sequence[int]) -> str:
    """What differs between two models, in words."""
    verdicts, names = _verdicts(pair)
    first, last = verdicts[QUALITY], verdicts[f"pass@{sizes[-1]}"] if len(sizes) > 1 else None
    return " ".join(part for part in (_passes(first, last, names, sizes), _spread(verdicts, names)) if part)


def _passes(first: str, last: str | None, names: Mapping[str, str], sizes: Sequence[int]) -> str:
    both = f"{names[A]} and {names[B]}"
    apart = {SAME: f"{both} are equivalent", UNKNOWN: f"{both} cannot be told apart"}
    other = {A: names[B], B: names[A]}
    better = {verdict: f"{names[verdict]} is better than {other[verdict]}" for verdict in names}
    if last is None:
        return f"{better[first] if first in names else apart[first]}."
    k = sizes[-1]
    if last not in names:
        end = "equivalent" if last == SAME else "not told apart"
        return f"{better[first] if first in names else apart[first]} at k = 1, and at k = {k} the two are {end}."
    if first == last:
        return f"{better[first]} at k = 1 and at k = {k}."
    if first in names:
        return f"{better[first]} at k = 1 and worse at k = {k}: it has narrowed."
    return f"{apart[first]} at k = 1, and {other[last]} is worse at k = {k}: it is the narrower of the two."


def _spread(verdicts: Mapping[str, str], names: Mapping[str, str]) -> str:
    """Whose answers to one prompt are more alike, by either measure."""
    told = {verdicts[key] for key in PER_PROMPT if verdicts[key] in names}
    if len(told) != 1:
        return ""
    return f"Answers of {names[B if told == {A} else A]} to one prompt are more alike."
