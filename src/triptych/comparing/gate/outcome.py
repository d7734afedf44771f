"""One rule's limits on one set of records: each with its numbers, its outcome, and a sentence."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from triptych.comparing.difference import Difference
from triptych.comparing.gate.against import changes_of
from triptych.comparing.gate.limits import (
    FAIL,
    PASS,
    UNSURE,
    Ends,
    at_least,
    at_most,
    difference_ends,
    gone,
    show,
    value_ends,
)
from triptych.comparing.gate.rules import Rule
from triptych.comparing.reading import Compared
from triptych.comparing.verdict import Margin, default_margin
from triptych.core.estimate import Undefined
from triptych.core.groups import everything
from triptych.core.interval import Dealt
from triptych.core.measure import Measure
from triptych.core.statistic import Statistic


@dataclass(frozen=True)
class Outcome:
    """What one limit of one rule says, for all records or those with one value of a field.

    Attributes:
        kind: floor, ceiling, no_worse_than_baseline, at_least_better, minimum_n or contamination.
        group: value of the field `by`, or None.
        numbers: value, lo, hi, limit, baseline, diff, diff_lo, diff_hi, margin, n as far as they are known.
        outcome: pass, fail or unsure.
        text: one sentence.
    """

    rule: Rule
    measure: Measure | None
    kind: str
    group: str | None
    outcome: str
    text: str
    numbers: dict[str, Any] = field(default_factory=dict)

    @property
    def fails(self) -> bool:
        """Whether it makes the gate fail."""
        return self.outcome == FAIL or (self.outcome == UNSURE and self.rule.strict)


@dataclass(frozen=True)
class Scope:
    """Which records: all (None), or those with one value of the field `by`, one of so many that are judged at once."""

    group: str | None = None
    many: int = 1


def counted(rule: Rule, measure: Measure | None, n: int, scope: Scope) -> Outcome:
    """The outcome of a minimum number of records: exact."""
    wanted = int(rule.minimum_n or 0)
    good = n >= wanted
    text = f"{n:,} records, {'at least' if good else 'fewer than'} {wanted:,}"
    numbers = {"value": float(n), "limit": wanted, "n": n}
    return Outcome(rule, measure, "minimum_n", scope.group, PASS if good else FAIL, text, numbers)


def absolute(rule: Rule, measure: Measure, statistic: Statistic, scope: Scope, dealt: Dealt | None) -> list[Outcome]:
    """The outcomes of a floor and of a ceiling; `dealt` as `Keys.dealt` of the folded records tells."""
    kinds = [kind for kind in ("floor", "ceiling") if getattr(rule, kind) is not None]
    if not kinds:
        return []
    n = statistic.records(everything())
    value = measure.value(statistic, everything())
    found = changes_of(measure, statistic, dealt)
    out = []
    for kind in kinds:
        limit = float(getattr(rule, kind))
        made = Outcome(rule, measure, kind, scope.group, FAIL, "", {"limit": limit, "n": n})
        if isinstance(value, Undefined):
            out.append(replace(made, text=f"there is no value to judge: {value.reason}"))
        elif isinstance(found, Undefined):
            numbers = made.numbers | {"value": float(value)}
            text = f"{show(float(value))}, without an interval: {found.reason}"
            out.append(replace(made, outcome=UNSURE, text=text, numbers=numbers))
        else:
            out.append(_bounded(made, value_ends(found, measure, scope.many), limit))
    return out


_SAID = {
    ("floor", PASS): "reaches the floor",
    ("floor", FAIL): "is under the floor",
    ("floor", UNSURE): "cannot tell whether it reaches the floor",
    ("ceiling", PASS): "keeps under the ceiling",
    ("ceiling", FAIL): "is over the ceiling",
    ("ceiling", UNSURE): "cannot tell whether it keeps under the ceiling",
}


def _bounded(made: Outcome, found: Ends, limit: float) -> Outcome:
    said = at_least(found, limit) if made.kind == "floor" else at_most(found, limit)
    text = f"{found}: {_SAID[made.kind, said]} {show(limit)}"
    return replace(
        made, outcome=said, text=text, numbers=made.numbers | {"value": found.value, "lo": found.lo, "hi": found.hi}
    )


def sign_of(rule: Rule, measure: Measure) -> int:
    """1 where more is better, -1 where less is."""
    return -1 if (rule.better or measure.about.better) == "lower" else 1


def margin_of(rule: Rule, measure: Measure) -> Margin:
    """What is too small to matter: as the rule says, or the default of a comparison."""
    return rule.margin or default_margin(measure)


def relative(
    rule: Rule, measure: Measure, both: tuple[Compared, Compared | None], value: float | Undefined, scope: Scope
) -> list[Outcome]:
    """The outcomes of no worse than the baseline, and of at least so much better.

    Args:
        rule: which.
        measure: of the rule.
        both: the data against the baseline; and the same without equal length where the rule asks for equal length.
        value: of the data, as far as it is known where there is no difference.
        scope: which records.
    """
    compared, beside = both
    kinds = [kind for kind in ("no_worse_than_baseline", "at_least_better") if getattr(rule, kind)]
    out = []
    for kind in kinds:
        made = Outcome(rule, measure, kind, scope.group, UNSURE, "", {"n": compared.n[0]})
        if isinstance(value, Undefined):
            out.append(replace(made, outcome=FAIL, text=f"there is no value to judge: {value.reason}"))
        elif compared.difference is None:
            text = f"not compared with the baseline: {compared.undefined}"
            out.append(replace(made, text=text, numbers=made.numbers | {"value": value}))
        else:
            found = _differs(made, compared.difference, scope)
            out.append(found if kind != "at_least_better" or beside is None else _also(found, beside, scope))
    return out


def _differs(made: Outcome, found: Difference, scope: Scope) -> Outcome:
    rule, measure = made.rule, made.measure
    assert measure is not None  # noqa: S101 - rules that compare have one
    ends = difference_ends(found, scope.many)
    gain = ends.turned(sign_of(rule, measure))
    numbers = made.numbers | {"value": found.a, "baseline": found.b}
    numbers |= {"diff": ends.value, "diff_lo": ends.lo, "diff_hi": ends.hi}
    if made.kind == "at_least_better" and rule.at_least_better is not None:
        limit = rule.at_least_better.of(found)
        said = at_least(gain, limit)
        words = {PASS: "better by at least", FAIL: "not better by", UNSURE: "cannot tell whether it is better by"}
        text = f"difference {ends}: {words[said]} {show(limit)}"
        return replace(made, outcome=said, text=text, numbers=numbers | {"limit": limit})
    margin = margin_of(rule, measure).of(found)
    said = at_least(gain, -margin)
    words = {
        PASS: "not worse than the baseline by more than",
        FAIL: "worse than the baseline by more than",
        UNSURE: "cannot tell whether it is worse than the baseline by more than",
    }
    text = f"difference {ends}: {words[said]} {show(margin)}"
    return replace(made, outcome=said, text=text, numbers=numbers | {"margin": margin})


def _also(made: Outcome, beside: Compared, scope: Scope) -> Outcome:
    """What is better at equal length must be better without it too."""
    rule, measure, found = made.rule, made.measure, beside.difference
    assert measure is not None and rule.at_least_better is not None  # noqa: S101, PT018 - the caller looked
    if found is None:
        return replace(
            made, outcome=UNSURE, text=f"{made.text}; not compared at equal {rule.beside}: {beside.undefined}"
        )
    ends = difference_ends(found, scope.many)
    other = at_least(ends.turned(sign_of(rule, measure)), rule.at_least_better.of(found))
    if other == PASS or made.outcome == FAIL:
        return made
    words = {FAIL: "not better", UNSURE: "perhaps not better"}
    text = f"{made.text}, but {words[other]} at equal {rule.beside} whatever the length: {ends}"
    return replace(made, outcome=other, text=text)


def absent(rule: Rule, measure: Measure | None, scope: Scope, counts: tuple[int, int], of: tuple[int, int]) -> Outcome:
    """A value of the field that only one of the two sets has.

    Args:
        rule: which.
        measure: of the rule.
        scope: which value.
        counts: records with the value, of the data and of the baseline; one of them is 0.
        of: all records of both.
    """
    kind = "no_worse_than_baseline" if rule.no_worse_than_baseline else "at_least_better"
    if counts[0]:
        text = f"only the data have such records ({counts[0]:,}): nothing to compare"
        return Outcome(rule, measure, kind, scope.group, UNSURE, text, {"n": counts[0]})
    missed = gone(counts[1] / of[1], of[0], scope.many)
    text = f"the data have no such record, the baseline has {counts[1]:,}"
    text += "" if missed else ": by chance, perhaps"
    return Outcome(rule, measure, kind, scope.group, FAIL if missed else UNSURE, text, {"n": 0})
