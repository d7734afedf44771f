"""Limits of a selection: minimums and maximums of a field's values, must-keep and must-drop lists, de-duplication first.

`--max FIELD:VALUE=N` bounds one value of a field, `--max FIELD=N` every value of it; `--min` likewise. FIELD is a field
of the rows, `source` or `file` (the file, where the rows have no such field), `structure`, or `group`: the records of a
named group or, without one, the responses to one prompt, so that `--max group=1` keeps one answer of a prompt. N counts
records (rows, where a row gives several records), or is a share of the budget written as `0.3` or `30%`. A bound of one
value goes before a bound of every value. Records without a value are not bounded.

    asked = LimitRequest(most=("source:web=300",), least=("model=0.1",), keep="keep.jsonl", dedup="near")
    read_pool(.., PoolRequest(by=(.., *needed_fields(asked, dataset)), ..))
    limits = resolve(asked, pool, budget, bench)
    basket, choice = fill(pool.candidates, policy, budget, limits, setting)    # selecting.fill
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from triptych.core.budget import Budget
from triptych.core.candidates import Ints
from triptych.core.errors import SchemaError, SelectionError, UsageError, message, nearest
from triptych.data import Dataset
from triptych.profiling.bench import Bench
from triptych.selecting.duplicates import Duplicates, parse_dedup, remove
from triptych.selecting.lists import Listed, read_list, wanted_field
from triptych.selecting.values import Valued, values_of

if TYPE_CHECKING:
    from triptych.selecting.pool import Pool

_SPECIAL = ("source", "file", "group", "structure")
_NUMBER = re.compile(r"([\d_]+)\s*([kKmM]?)")
_TIMES = {"": 1, "k": 1_000, "m": 1_000_000}
_NAMED = 5
Numbers = Mapping[str, Any]


@dataclass(frozen=True)
class LimitRequest:
    """What the user asks for.

    Attributes:
        most: maximums as on the command line ("source:web=300"), or a mapping of FIELD or FIELD:VALUE to a number (a
            count) or a float (a share of the budget).
        least: minimums, likewise.
        keep: must-keeps: a file, or ids, line numbers or rows.
        drop: must-drops, likewise.
        id_field: the field that the lists name records by; "line": they hold line numbers.
        dedup: "exact", "near", or the similarity from which two records are near-duplicates; None: none is removed.
    """

    most: Sequence[str] | Numbers = ()
    least: Sequence[str] | Numbers = ()
    keep: str | Path | Sequence[Any] | None = None
    drop: str | Path | Sequence[Any] | None = None
    id_field: str = "id"
    dedup: str | float | None = None


@dataclass(frozen=True)
class Bound:
    """One written bound: of one value of a field, or of every value (`value` None).

    `number` counts records; where it was a share of the budget, `share` is that, and the number follows from the budget.
    """

    kind: str
    field: str
    value: str | None
    number: int
    share: float | None = None

    @property
    def name(self) -> str:
        """As on the command line, without the number."""
        return f"--{self.kind} {self.field}" + ("" if self.value is None else f":{self.value}")

    def __str__(self) -> str:
        return f"{self.name}={self.number if self.share is None else f'{self.share:g}'}"


@dataclass(frozen=True, eq=False)
class Bounded:
    """One field whose values are bounded, over n candidates.

    Attributes:
        field: its name.
        codes: value of each candidate; values that no bound can touch share the last code, int64 (n,).
        names: the values, (v,).
        least: least records of each value, int64 (v,); what must-keeps outside the candidates give is taken off.
        most: most records of each value, int64 (v,); n where it has no maximum.
        least_by: the written bound each minimum comes from, -1 where there is none, int64 (v,).
        most_by: likewise of each maximum.
    """

    field: str
    codes: Ints
    names: tuple[str, ...]
    least: Ints
    most: Ints
    least_by: Ints
    most_by: Ints


def _none() -> Ints:
    return np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Limits:
    """Limits as they hold for the candidates of one pool.

    Attributes:
        bounds: the bounds as written, shares turned into records.
        fields: the bounded fields.
        keep: candidates that must be kept, in tie order.
        drop: candidates that must not be taken.
        duplicates: candidates that de-duplication removed, or None where it was not asked for.
        outside: ordinals of must-keep records that are no candidates (they have a defect, or no quality): they are kept
            beside what the policy takes, and count for the budget and the bounds.
        spent: what those take of the budget.
        lines: the limits in words.
        notes: how lists and names were read.
        warnings: (code, sentence) of what the user should look at.
    """

    bounds: tuple[Bound, ...] = ()
    fields: tuple[Bounded, ...] = ()
    keep: Ints = field(default_factory=_none)
    drop: Ints = field(default_factory=_none)
    duplicates: Duplicates | None = None
    outside: Ints = field(default_factory=_none)
    spent: int = 0
    lines: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    warnings: tuple[tuple[str, str], ...] = ()


def needed_fields(asked: LimitRequest, dataset: Dataset) -> tuple[str, ...]:
    """Fields of the rows that the limits read: to be named in `PoolRequest.by`.

    Raises:
        SchemaError: a bounded field that no row has; the message hints at a near miss.
        UsageError: a bound that cannot be read.
    """
    names = [bound.field for bound in parse_bounds(asked, dataset) if bound.field in dataset.layout.known]
    for given in (asked.keep, asked.drop):
        if given is not None:
            names += wanted_field(asked.id_field, dataset)
    return tuple(dict.fromkeys(names))


def parse_bounds(asked: LimitRequest, dataset: Dataset) -> tuple[Bound, ...]:
    """The bounds as written; a share is not yet a number of records.

    Raises:
        SchemaError: a field that no row has.
        UsageError: a bound that cannot be read, or that is given twice.
    """
    out: dict[tuple[str, str, str | None], Bound] = {}
    for kind, given in (("max", asked.most), ("min", asked.least)):
        pairs = list(given.items()) if isinstance(given, Mapping) else [_split(kind, text) for text in given]
        for left, number in pairs:
            name, value = _name(kind, str(left), dataset)
            bound = Bound(kind, name, value, *_number(kind, str(left), number))
            if out.setdefault((kind, name, value), bound) != bound:
                what = f"{bound.name} is given twice."
                raise UsageError(message(what, got=f"{out[kind, name, value]} and {bound}", want="one number"))
    return tuple(out.values())


def resolve(asked: LimitRequest, pool: Pool, budget: Budget, bench: Bench) -> Limits:
    """The limits over the candidates of a pool.

    Raises:
        SchemaError: a value that no record has; the message hints at a near miss.
        SelectionError: more must-keeps than the budget, or a budget above what there is.
        UsageError: a list entry that matches no record, a record on both lists, a share of a budget of tokens.
    """
    lists = _lists(asked, pool)
    keep, drop = (lists[name].positions(pool) for name in ("keep", "drop"))
    outside, spent = _outside(lists["keep"], pool, budget)
    _check_keep(keep, outside, spent, pool, budget)
    removed = None
    if asked.dedup is not None:
        staying = np.ones(len(pool.candidates), dtype=np.bool_)
        staying[drop] = False
        removed = remove(pool, parse_dedup(asked.dedup), staying, keep, bench)
    bounds = tuple(_in_records(bound, pool, budget) for bound in parse_bounds(asked, pool.dataset))
    closed = np.union1d(drop, removed.at) if removed else drop
    fields = tuple(_bounded(name, bounds, pool, closed, outside) for name in dict.fromkeys(b.field for b in bounds))
    notes = [*(one.sentence for one in lists.values() if one.entries), *_said(bounds, pool)]
    if removed is not None:
        notes.append(removed.sentence)
    limits = Limits(
        bounds=bounds,
        fields=fields,
        keep=keep,
        drop=drop,
        duplicates=removed,
        outside=outside,
        spent=spent,
        lines=_lines(asked, bounds, lists),
        notes=tuple(notes),
        warnings=_warnings(outside),
    )
    _check_budget(limits, pool, budget)
    return limits


def _split(kind: str, text: str) -> tuple[str, str]:
    left, equals, number = text.rpartition("=")
    if not equals or not left.strip():
        want = "FIELD=N or FIELD:VALUE=N"
        raise UsageError(message(f"--{kind} cannot be read.", got=text, want=want, hint=f"--{kind} source:web=300"))
    return left.strip(), number.strip()


def _number(kind: str, left: str, given: Any) -> tuple[int, float | None]:
    """A count, or a share of the budget: (count, None) or (0, share)."""
    text = str(given)
    found = _NUMBER.fullmatch(text)
    if found and not isinstance(given, bool):
        return int(found[1].replace("_", "")) * _TIMES[found[2].lower()], None
    try:
        share = float(text[:-1]) / 100 if text.endswith("%") else float(text)
    except ValueError:
        share = math.nan
    if not 0 <= share <= 1 or isinstance(given, bool):
        want = "a number of records, or a share of the budget in [0, 1] such as 0.3 or 30%"
        raise UsageError(message(f"--{kind} {left}: the number is not right.", got=text, want=want))
    return 0, share


def _name(kind: str, left: str, dataset: Dataset) -> tuple[str, str | None]:
    """Field and value; names of fields and values may hold colons, so the fields of the rows decide."""
    known = {str(name) for name in dataset.layout.known}
    if left in known or left in _SPECIAL:
        return left, None
    for at in (place for place, letter in enumerate(left) if letter == ":"):
        if left[:at] in known or left[:at] in _SPECIAL:
            return left[:at], left[at + 1 :]
    before, colon, value = left.partition(":")
    near = nearest(before, [*sorted(known), *_SPECIAL])
    what = f'{dataset.name}: no row has the field "{before}" (--{kind}).'
    hint = f"--{kind} {near}{colon}{value}=N" if near else None
    raise SchemaError(message(what, got=", ".join(sorted(known)), want=f"a field, or {', '.join(_SPECIAL)}", hint=hint))


def _in_records(bound: Bound, pool: Pool, budget: Budget) -> Bound:
    """A share of the budget as a number of candidates: maximums rounded down, minimums up."""
    if bound.share is None:
        return bound
    cost = pool.candidates.cost
    if budget.unit == "tokens" or (len(cost) and int(cost.min()) < int(cost.max())):
        what = f"{bound}: a share needs a budget in which every candidate counts the same."
        want = "a number of records, or a budget of records or rows"
        raise UsageError(message(what, got=f"a budget of {budget}", want=want, hint=f"{bound.name}=100"))
    whole = bound.share * (budget.number // (int(cost[0]) if len(cost) else 1))
    number = math.floor(whole + 1e-9) if bound.kind == "max" else math.ceil(whole - 1e-9)
    return Bound(bound.kind, bound.field, bound.value, number, bound.share)


def _lists(asked: LimitRequest, pool: Pool) -> dict[str, Listed]:
    lists = {name: read_list(f"--{name}", getattr(asked, name), asked.id_field, pool) for name in ("keep", "drop")}
    both = np.intersect1d(lists["keep"].ordinals, lists["drop"].ordinals)
    if len(both):
        what = f"{len(both):,} records are on both lists."
        first = ", ".join(f"{at:,}" for at in both[:_NAMED].tolist())
        raise UsageError(message(what, got=f"records {first}", want="lists that share no record"))
    return lists


def _outside(listed: Listed, pool: Pool, budget: Budget) -> tuple[Ints, int]:
    """Ordinals of all records of the must-keeps that are no candidates, and what they take of the budget."""
    at = listed.outside(pool)
    if budget.unit == "tokens":
        return at, int(np.maximum(pool.tokens[at], 1).sum())
    if budget.unit == "records" or pool.sizes is None:
        return at, len(at)
    return at, len(np.unique(pool.store.whole("row").to_numpy()[at]))


def _check_keep(keep: Ints, outside: Ints, spent: int, pool: Pool, budget: Budget) -> None:
    takes = spent + int(pool.candidates.cost[keep].sum())
    if takes > budget.number:
        what = "the must-keep list is longer than the budget."
        got = f"must-keeps of {takes:,} {budget.unit} ({len(keep) + len(outside):,} records)"
        raise SelectionError(message(what, got=got, want=f"at most {budget}", hint=f"--budget '{takes} {budget.unit}'"))


def _bounded(name: str, bounds: Sequence[Bound], pool: Pool, closed: Ints, outside: Ints) -> Bounded:
    """One field's values with their bounds. Values that no bound can touch become one."""
    mine = [(at, bound) for at, bound in enumerate(bounds) if bound.field == name]
    values = values_of(name, pool)
    every = np.bincount(values.codes[values.codes >= 0], minlength=len(values))
    open_ = np.ones(len(pool.candidates), dtype=np.bool_)
    open_[closed] = False
    codes = values.codes[pool.first]
    there = np.bincount(codes[open_ & (codes >= 0)], minlength=len(values))
    taken = np.bincount(values.codes[outside][values.codes[outside] >= 0], minlength=len(values))
    least, most = np.zeros(len(values), dtype=np.int64), np.full(len(values), len(codes), dtype=np.int64)
    by = {"min": np.full(len(values), -1), "max": np.full(len(values), -1)}
    for at, bound in sorted(mine, key=lambda pair: pair[1].value is not None):
        # every value: those that no candidate has could only make a minimum that nothing can meet
        which = every > 0 if bound.value is None else np.arange(len(values)) == values.code(bound.value, bound)
        (most if bound.kind == "max" else least)[which] = bound.number
        by[bound.kind][which] = at
    most, least = most - np.where(by["max"] >= 0, taken, 0), np.maximum(least - taken, 0)
    touched = np.flatnonzero((least > 0) | ((by["max"] >= 0) & (most < there)))
    place = np.full(len(values) + 1, len(touched), dtype=np.int64)
    place[touched] = np.arange(len(touched))
    rest = ([0], [len(codes)], [-1])
    return Bounded(
        name,
        place[codes],  # a missing value is -1: the last place
        (*(values.name(code) for code in touched.tolist()), "any other"),
        np.append(least[touched], rest[0]),
        np.append(most[touched], rest[1]),
        np.append(by["min"][touched], rest[2]),
        np.append(by["max"][touched], rest[2]),
    )


def _check_budget(limits: Limits, pool: Pool, budget: Budget) -> None:
    """A budget above all that there is."""
    cost = pool.candidates.cost
    gone = np.union1d(limits.drop, limits.duplicates.at) if limits.duplicates else limits.drop
    there = int(cost.sum()) - int(cost[gone].sum()) + limits.spent
    if there >= budget.number:
        return
    why = [f"{len(at):,} {reason}" for reason, at in pool.left_out.items() if len(at)]
    why += [f"{len(limits.drop):,} on the drop list"] if len(limits.drop) else []
    why += [f"{len(limits.duplicates.at):,} {limits.duplicates.why}"] if limits.duplicates else []
    left = f"; left out: {', '.join(why)}" if why else ""
    got = f"{there:,} {budget.unit} in {len(cost) - len(gone):,} candidates of {len(pool.store):,} records{left}"
    what = "the budget is above what there is."
    hint = f"--budget '{there} {budget.unit}'" if there else None
    raise SelectionError(message(what, got=got, want=str(budget), hint=hint))


def _lines(asked: LimitRequest, bounds: Sequence[Bound], lists: Mapping[str, Listed]) -> tuple[str, ...]:
    out = [f"{bound}" + ("" if bound.share is None else f" ({bound.number:,})") for bound in bounds]
    out += [f"--{name}: {one.entries:,} entries" for name, one in lists.items() if one.entries]
    return (*out, *([f"--dedup {asked.dedup}"] if asked.dedup is not None else []))


def _said(bounds: Sequence[Bound], pool: Pool) -> list[str]:
    """What the names that stand for more than a field were taken for."""
    names = dict.fromkeys(bound.field for bound in bounds)
    return [said for name in names if name in _SPECIAL and (said := Valued.meaning(name, pool.dataset.layout))]


def _warnings(outside: Ints) -> tuple[tuple[str, str], ...]:
    if not len(outside):
        return ()
    verb = "is" if len(outside) == 1 else "are"
    text = (
        f"{len(outside):,} must-keep records have a defect or lack what the policy needs; kept, as they {verb} listed."
    )
    return (("kept_outside", text),)
