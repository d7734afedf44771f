"""All rules on all records and on every group they name: outcomes, changes against the baseline, and how sets were matched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from triptych.comparing.gate.against import DRAWS, against_itself, against_profile, folded_rows
from triptych.comparing.gate.benchmarks import held_by
from triptych.comparing.gate.outcome import (
    Outcome,
    Scope,
    absent,
    absolute,
    counted,
    margin_of,
    relative,
    sign_of,
)
from triptych.comparing.gate.parts import Texts, part, values_of
from triptych.comparing.gate.prepared import Prepared
from triptych.comparing.gate.rules import Rule
from triptych.comparing.gate.told import Change
from triptych.comparing.matching import Matching, view
from triptych.comparing.reading import Compared, compare_view
from triptych.comparing.sides import Ints, Side
from triptych.comparing.view import View
from triptych.core.estimate import Undefined
from triptych.core.groups import everything
from triptych.core.measure import Measure
from triptych.core.statistic import Statistic
from triptych.profiling.bench import Bench

Pairs = Sequence[tuple[Rule, Measure | None]]


@dataclass(eq=False)
class Judged:
    """What was found, in the order of the rules.

    Attributes:
        views: how the two sets were matched: `{match, group, paired, draws, records, balance, undefined}`.
        notes: on many groups at once.
        held: what was found of each benchmark that a rule names.
    """

    outcomes: list[Outcome] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    views: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    held: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class _Records:
    """The records that some rules are judged on."""

    alone: Side
    side: Side
    base: Side | None
    texts: Mapping[str, tuple[Texts, Texts]]
    scope: Scope


def judge_rules(ready: Prepared, bench: Bench) -> Judged:
    """All outcomes."""
    out = Judged()
    for by in dict.fromkeys(rule.by for rule, _ in ready.rules):
        rules = [(rule, measure) for rule, measure in ready.rules if rule.by == by]
        if by is None:
            texts = {name: (a, b) for name, (a, b) in ready.texts.items() if b is not None}
            _judge(_Records(ready.alone, ready.side, ready.base, texts, Scope()), rules, ready, bench, out)
        else:
            _each_value(by, rules, ready, bench, out)
    for rule, _ in ready.rules:
        if rule.against is not None:
            outcome, entry = held_by(rule, ready.alone, bench)
            out.outcomes.append(outcome)
            out.held.append(entry)
    places = {rule.place: at for at, (rule, _) in enumerate(ready.rules)}
    out.outcomes.sort(key=lambda outcome: places[outcome.rule.place])
    return out


def _each_value(by: str, rules: Pairs, ready: Prepared, bench: Bench, out: Judged) -> None:
    """The rules on the records with each value of a field."""
    mine, other = ready.texts[by]
    both = [column for column in (mine, other) if column is not None]
    values = values_of(both, by, rules[0][0].place)
    if len(values) > 1:
        out.notes.append(
            f"{by}: {len(values)} values are judged at once, so each interval is at {100 * (1 - 0.05 / len(values)):.4g} % "
            "(Bonferroni): a gate on noise does not fail more often for having groups"
        )
    for value in values:
        rows = [np.flatnonzero(column == value) for column in both]
        scope = Scope(value, len(values))
        if len(rows[0]) and (len(rows) == 1 or len(rows[1])):
            _judge(_some(ready, rows, scope), rules, ready, bench, out)
            continue
        held = len(rows[0]), len(rows[1]) if len(rows) > 1 else 0
        for rule, measure in rules:
            if rule.compares:
                of = len(both[0]), len(both[-1])
                out.outcomes.append(absent(rule, measure, scope, held, of))
        if held[0]:
            _judge(_some(ready, rows[:1], scope), rules, ready, bench, out)


def _some(ready: Prepared, rows: Sequence[Ints], scope: Scope) -> _Records:
    """The records with these ordinals in the data and, where there are two, in the baseline."""
    base = part(ready.base, rows[1]) if ready.base is not None and len(rows) > 1 else None
    texts = {}
    if base is not None:
        texts = {name: (a[rows[0]], b[rows[1]]) for name, (a, b) in ready.texts.items() if b is not None}
    return _Records(part(ready.alone, rows[0]), part(ready.side, rows[0]), base, texts, scope)


def _judge(records: _Records, rules: Pairs, ready: Prepared, bench: Bench, out: Judged) -> None:
    """The rules on some records; those without a baseline of theirs are not compared."""
    comparing = records.base is not None or ready.profile is not None
    measures = {m.spec.hash: m for _, m in rules if m is not None}
    folded = folded_rows(records.alone, None, list(measures.values()), bench) if measures else {}
    found = _compared(records, rules, folded, (ready, bench, out)) if comparing else {}
    dealt = records.alone.keys.dealt()

    def beside(rule: Rule, measure: Measure) -> Compared | None:
        return None if rule.beside is None else found[rule.beside, measure.spec.hash]

    for rule, measure in rules:
        statistic = folded[measure.statistic().spec.hash] if measure is not None else None
        if rule.minimum_n is not None:
            n = len(records.alone) if statistic is None else statistic.records(everything())
            out.outcomes.append(counted(rule, measure, n, records.scope))
        if measure is None or statistic is None:
            continue
        out.outcomes += absolute(rule, measure, statistic, records.scope, dealt)
        if rule.compares and comparing:
            compared = found[rule.match, measure.spec.hash]
            value = _value(measure, statistic)
            out.outcomes += relative(rule, measure, (compared, beside(rule, measure)), value, records.scope)
    seen: set[tuple[str, str]] = set()
    for rule, measure in rules:
        key = (rule.match, "" if measure is None else measure.spec.hash)
        if measure is not None and rule.compares and key in found and key not in seen:
            seen.add(key)
            group, sign, margin = records.scope.group, sign_of(rule, measure), margin_of(rule, measure)
            out.changes.append(Change(found[key], rule.match, group, sign, margin, beside(rule, measure)))


def _value(measure: Measure, statistic: Statistic) -> float | Undefined:
    value = measure.value(statistic, everything())
    return value if isinstance(value, Undefined) else float(value)


def _compared(
    records: _Records, rules: Pairs, folded: Mapping[str, Statistic], where: tuple[Prepared, Bench, Judged]
) -> dict[tuple[str, str], Compared]:
    """Every measure that rules compare, under every matching that they ask for."""
    ready, bench, out = where
    found: dict[tuple[str, str], Compared] = {}
    pairs = [(rule, m) for rule, m in rules if m is not None and rule.compares]
    for match in dict.fromkeys(name for rule, _ in pairs for name in (rule.match, rule.beside) if name is not None):
        wanted = {m.spec.hash: m for rule, m in pairs if match in (rule.match, rule.beside)}
        if ready.same:
            made = against_itself(list(wanted.values()), folded)
        elif records.base is None:
            assert ready.profile is not None  # noqa: S101 - a request that compares has a baseline
            made = against_profile(records.alone, ready.profile, list(wanted.values()), bench)
        else:
            sides = (records.side, records.base)
            drawn = view(match, sides, Matching(draws=DRAWS, fields=records.texts))
            out.views.append(_shown(match, records.scope, drawn))
            made = compare_view(sides, drawn, list(wanted.values()), bench)
        found |= {(match, key): one for key, one in zip(wanted, made, strict=True)}
    return found


def _shown(match: str, scope: Scope, drawn: View) -> dict[str, Any]:
    first = drawn.draws[0] if drawn.draws else None
    return {
        "match": match,
        "group": scope.group,
        "question": drawn.question,
        "paired": drawn.paired,
        "draws": len(drawn.draws),
        "records": [len(first.a), len(first.b)] if first is not None else [0, 0],
        "balance": [
            {"variable": one.variable, "before": one.before, "after": one.after, "asked": one.asked}
            for one in drawn.balance
        ],
        "undefined": drawn.undefined,
    }
