"""The laws of a measure."""

from __future__ import annotations

import dataclasses
import math
import pickle
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, get_args, get_origin, get_type_hints

import numpy as np

from triptych.core.batch import Batch
from triptych.core.errors import InputError
from triptych.core.estimate import Undefined
from triptych.core.groups import GROUPS, everything
from triptych.core.measure import Example, Measure, Row, build
from triptych.core.rng import stream
from triptych.core.statistic import Statistic
from triptych.testing import laws
from triptych.testing.fixtures import empty_rows, fixtures, make_batch, make_rows
from triptych.testing.laws import broken, equal, fold, law, merged, update
from triptych.testing.statistics import check_statistic

Value = float | Undefined

_WORDS: Mapping[str, tuple[str, ...]] = {
    "field": ("score", "other"),
    "against": ("score", "other"),
    "by": ("score", "other"),
    "of": ("reasoning_steps", "constraints", "readability_grade", "lexical_diversity"),
}
"""Values of text parameters that the fixtures can answer to."""


def check_measure(
    measure: type[Measure] | Measure,
    rows: Sequence[Row] | None = None,
    *,
    alternatives: Mapping[str, Sequence[Any]] | None = None,
    tolerance: float = 1e-6,
) -> None:
    """Check the laws of a measure and of the statistic it reads.

    No records give Undefined; every value lies in the stated range and is no NaN; it agrees with the slow reference;
    reading changes nothing; a mask equals folding the records of its groups anew; any batching, any order of the records
    and any way of merging give the same value; empty records harm nothing; the measure can be pickled; every parameter
    has an effect; the worked example holds; and the laws of `check_statistic`.

    Args:
        measure: an instance, or a class: then each parameter set of its panel and of its example is checked.
        rows: records with the columns it needs (`fixtures.make_rows`); several contrasting sets by default.
        alternatives: values to try for a parameter, where they cannot be guessed (a text parameter).
        tolerance: how far from its reference the value may be, relative above 1 and absolute below.

    Raises:
        LawError: the law broken, where, what was got and wanted.
    """
    sets = fixtures() if rows is None else {"rows": list(rows)}
    instances = _instances(measure)
    defined = False
    for one in instances:
        defined |= _check_one(one, sets, tolerance)
    if not defined:
        raise broken(
            "defined", type(instances[0]).__name__, "Undefined on all records", "a value; pass `rows` that give one"
        )
    _check_parameters(instances, sets, alternatives or {})
    _check_example(type(instances[0]))


def _instances(measure: type[Measure] | Measure) -> list[Measure]:
    if isinstance(measure, Measure):
        return [measure]
    example = _example(measure)
    given = [*measure.about.panel, *([example.params] if example else [{}])]
    with law("parameters", measure.__name__):
        made = [build(measure, params) for params in given]
    return list({one.spec.hash: one for one in made}.values())


def _example(cls: type[Measure]) -> Example | None:
    found = getattr(sys.modules.get(cls.__module__), "EXAMPLE", None)
    return found if isinstance(found, Example) else None


def _check_one(measure: Measure, sets: Mapping[str, list[Row]], tolerance: float) -> bool:
    """All laws that hold for one instance. Returns whether it has a value on some set."""
    _check_empty(measure)
    defined = False
    for name, rows in sets.items():
        where = f"{measure.label} on {name}"
        with law("needs", where):
            batch = make_batch(rows, measure.statistic().needs)
        value = _check_reference(measure, rows, where, "reference", tolerance)
        defined |= not isinstance(value, Undefined)
        _check_reading(measure, rows, where)
        _check_folds(measure, batch, value, where)
        _check_masks(measure, rows, where, tolerance)
        _check_empty_record(measure, rows, where, tolerance)
    _check_pickle(measure)
    for name, rows in sets.items():
        with law("statistic", f"{measure.label} on {name}"):
            check_statistic(measure.statistic(), rows)
    return defined


def _read(measure: Measure, statistic: Statistic, where: str, name: str, keep: Any = None) -> Value:
    """The value, held to the range."""
    with law(name, where):
        value = measure.value(statistic, everything() if keep is None else keep)
        number = math.nan if isinstance(value, Undefined) else float(value)
    if isinstance(value, Undefined):
        if not value.reason:
            raise broken(name, where, "Undefined without a reason", "why there is no value")
        return value
    lo, hi = measure.about.bounds
    if not math.isfinite(number) or not lo <= number <= hi:
        raise broken("range", where, value, f"a finite number in {lo:g}..{hi:g}, or Undefined")
    return value


def _check_empty(measure: Measure) -> None:
    with law("empty", measure.label):
        fresh = measure.statistic()
        value = measure.value(fresh, everything())
        reference = measure.reference([])
    if not isinstance(value, Undefined) or not value.reason:
        raise broken("empty", f"{measure.label} on no records", value, "Undefined with a reason")
    if reference is not None:
        raise broken("empty", f"reference of {measure.label} on no records", reference, "None")


def _check_reference(measure: Measure, rows: Sequence[Row], where: str, name: str, tolerance: float) -> Value:
    with law(name, where):
        statistic = fold(measure.statistic(), rows)
    value = _read(measure, statistic, where, name)
    with law(name, where):
        want = measure.reference(rows)
    if not equal(value, want, tolerance):
        raise broken(name, where, value, f"{want}, the slow reference")
    return value


def _check_reading(measure: Measure, rows: Sequence[Row], where: str) -> None:
    statistic = fold(measure.statistic(), rows)
    before = {name: array.copy() for name, array in statistic.state().items()}
    first = _read(measure, statistic, where, "reading")
    nothing = _read(measure, statistic, where, "empty", np.zeros(GROUPS, dtype=np.bool_))
    if not isinstance(nothing, Undefined):
        raise broken("empty", f"{where}, no group kept", nothing, "Undefined with a reason")
    again = _read(measure, statistic, where, "reading")
    difference = laws.same_bits(before, statistic.state())
    if first != again or difference:
        raise broken("reading", where, difference or f"{first}, then {again}", "a pure reading: nothing changes")


def _check_folds(measure: Measure, batch: Batch, value: Value, where: str) -> None:
    for name, statistic in _other_folds(measure.statistic(), batch, where):
        got = _read(measure, statistic, where, name)
        if not equal(got, value, 0.0 if name == "round trip" else 1e-6):
            raise broken(name, where, repr(got), f"{value!r}, as in one pass")


def _other_folds(fresh: Statistic, batch: Batch, where: str) -> Iterator[tuple[str, Statistic]]:
    """The same records folded in other ways, each with the name of the law."""
    with law("identity", where):
        whole = update(fresh, [batch])
        whole.merge(fresh.fresh())
    yield "identity", whole
    with law("identity", where):
        whole = merged(fresh, [fresh, update(fresh, [batch])])
    yield "identity", whole
    for size in (1, 7):
        with law("batching", where):
            whole = update(fresh, laws.pieces(batch, size))
        yield "batching", whole
    order = stream("laws", "order").permutation(len(batch))
    columns = {name: column.take(order) for name, column in batch.columns.items()}
    with law("order", where):
        whole = update(fresh, [Batch(columns, batch.group[order], batch.address[order])])
    yield "order", whole
    with law("merged equals one pass", where):
        parts = [update(fresh, [part]) for part in laws.thirds(batch)]
        forward, backward = merged(fresh, parts), merged(fresh, parts[::-1])
    yield "commutative", backward
    yield "merged equals one pass", forward
    with law("round trip", where):
        back = fresh.fresh()
        back.load(laws.saved(update(fresh, [batch])))
    yield "round trip", back


def _check_masks(measure: Measure, rows: Sequence[Row], where: str, tolerance: float) -> None:
    whole = fold(measure.statistic(), rows)
    for keep in laws.masks():
        kept = laws.inside(rows, keep)
        got = _read(measure, whole, where, "mask", keep)
        want = _read(measure, fold(measure.statistic(), kept), where, "mask")
        if not equal(got, want, 1e-6):
            raise broken("mask", where, got, f"{want}, folded from the records of the kept groups")
        with law("reference", where):
            slow = measure.reference(kept)
        if not equal(got, slow, tolerance):
            raise broken("reference", f"{where}, under a mask", got, f"{slow}, the slow reference")


def _check_empty_record(measure: Measure, rows: Sequence[Row], where: str, tolerance: float) -> None:
    empty = empty_rows(rows)
    for each, what in (([*rows, *empty], "with empty records"), (empty, "only empty records")):
        _check_reference(measure, each, f"{where}, {what}", "empty record", tolerance)


def _check_pickle(measure: Measure) -> None:
    with law("picklable", measure.label):
        thawed = pickle.loads(pickle.dumps(measure))  # noqa: S301 - our own bytes; workers pass measures so
    if thawed != measure:
        raise broken("picklable", measure.label, thawed, "an equal measure")


def _check_parameters(
    instances: Sequence[Measure], sets: Mapping[str, list[Row]], alternatives: Mapping[str, Sequence[Any]]
) -> None:
    for field in dataclasses.fields(instances[0]):  # type: ignore[arg-type]
        tried = alternatives.get(field.name) or _guesses(instances[0], field.name)
        if not any(_differs(one, field.name, other, sets) for one in _bases(instances) for other in tried):
            raise broken(
                "parameters",
                f"{type(instances[0]).__name__}.{field.name}",
                f"the same value for {tried} on all records" if tried else "no value to try",
                "an effect; pass `alternatives` or `rows` that show it",
            )


def _bases(instances: Sequence[Measure]) -> Iterator[Measure]:
    """The instances, and each with one of its switches turned: a parameter may speak only with another."""
    yield from instances
    for one in instances:
        for field in dataclasses.fields(one):  # type: ignore[arg-type]
            if isinstance(getattr(one, field.name), bool):
                yield dataclasses.replace(one, **{field.name: not getattr(one, field.name)})  # type: ignore[type-var]


def _guesses(measure: Measure, name: str) -> list[Any]:
    """Other values for a parameter: the other words, the opposite, numbers around it, or what the panel names."""
    value = getattr(measure, name)
    hint = get_type_hints(type(measure))[name]
    if get_origin(hint) is Literal:
        return [word for word in get_args(hint) if word != value]
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1, value - 1, 2 * value, value // 2, 64, 128, 256]
    if isinstance(value, float):
        return [value / 2, value * 2, value + 1, value - 1, 0.5, 1.0, 2.0]
    return [*(params[name] for params in measure.about.panel if name in params), *_WORDS.get(name, ())]


def _differs(measure: Measure, name: str, other: Any, sets: Mapping[str, list[Row]]) -> bool:
    """Whether the value changes on some set. A value that the measure refuses or the records cannot answer is skipped."""
    if other == getattr(measure, name):
        return False
    try:
        changed: Measure = dataclasses.replace(measure, **{name: other})  # type: ignore[type-var]
    except (ValueError, InputError):
        return False
    for rows in sets.values():
        if not all(_has(rows, one.statistic()) for one in (measure, changed)):
            continue
        before, after = (one.value(fold(one.statistic(), rows), everything()) for one in (measure, changed))
        if not equal(before, after, 1e-9):
            return True
    return False


def _has(rows: Sequence[Row], statistic: Statistic) -> bool:
    try:
        make_batch(rows[:1], statistic.needs)
    except KeyError:
        return False
    return True


def _check_example(cls: type[Measure]) -> None:
    example = _example(cls)
    if example is None:
        raise broken("worked example", cls.__name__, "no EXAMPLE in its module", "EXAMPLE = Example(records, value)")
    with law("worked example", cls.__name__):
        measure = build(cls, example.params)
        rows = make_rows(example.records)
        value = _read(measure, fold(measure.statistic(), rows), cls.__name__, "worked example")
    if not equal(value, example.value, example.tolerance):
        raise broken("worked example", cls.__name__, value, example.value)
