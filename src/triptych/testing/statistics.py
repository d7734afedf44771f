"""The laws of a statistic."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from itertools import permutations

import numpy as np

from triptych.core.batch import Batch
from triptych.core.groups import everything
from triptych.core.measure import Row
from triptych.core.rng import stream
from triptych.core.statistic import Statistic
from triptych.testing import laws
from triptych.testing.fixtures import empty_rows, fixtures, make_batch
from triptych.testing.laws import broken, fold, law, merged, near, same_bits, update


def check_statistic(statistic: Statistic, rows: Sequence[Row] | None = None) -> None:
    """Check the laws of a statistic.

    A fresh statistic is neutral on both sides of `merge`; `merge` is commutative and associative and leaves the other
    one as it was; merged parts equal one pass; any batching and any order of the records give the same state; a mask
    counts the records of its groups; the state survives .npz bytes bit for bit, and the restored statistic goes on
    without touching the first; an empty record harms nothing; it can be pickled. Whole numbers must come out equal, sums
    of floats equal up to rounding (1e-6).

    Args:
        statistic: any instance; only its parameters are used.
        rows: records with the columns it needs, with `address` and `group` (`fixtures.make_rows`); several contrasting
            sets of made-up records by default.

    Raises:
        LawError: the law broken, where, what was got and wanted.
    """
    sets = fixtures() if rows is None else {"rows": list(rows)}
    for name, each in sets.items():
        where = f"{type(statistic).__name__} on {name}"
        with law("needs", where):
            batch = make_batch(each, statistic.needs)
        _check_merge(statistic, batch, where)
        _check_order(statistic, batch, where)
        _check_masks(statistic, each, where)
        _check_saving(statistic, batch, where)
        _check_empty_record(statistic, each, where)


def _check_merge(statistic: Statistic, batch: Batch, where: str) -> None:
    with law("update", where):
        whole = update(statistic, [batch])
        one = whole.state()
    with law("identity", where):
        left = merged(statistic, [statistic.fresh(), whole]).state()
        right = update(statistic, [batch])
        right.merge(statistic.fresh())
    for side, state in (("left", left), ("right", right.state())):
        if difference := same_bits(one, state):
            raise broken("identity", f"{where}, fresh on the {side}", difference, "the state unchanged")
    parts = [update(statistic, [part]) for part in laws.thirds(batch)]
    before = [part.state() | {} for part in parts]
    copies = [{name: array.copy() for name, array in state.items()} for state in before]
    with law("commutative", where):
        orders = [merged(statistic, [parts[i] for i in order]).state() for order in permutations(range(3))]
    for state in orders[1:]:
        if difference := near(orders[0], state):
            raise broken("commutative", where, difference, "the same state in any order of merging")
    with law("associative", where):
        pair = merged(statistic, parts[1:])
        nested = merged(statistic, [parts[0], pair]).state()
    if difference := near(orders[0], nested):
        raise broken("associative", where, difference, "the same state in any tree of merging")
    if difference := near(one, orders[0]):
        raise broken("merged equals one pass", where, difference, "the state of one pass")
    for part, copy in zip(parts, copies, strict=True):
        if difference := same_bits(copy, part.state()):
            raise broken("merge leaves the other as it was", where, difference, "the state before merging")


def _check_order(statistic: Statistic, batch: Batch, where: str) -> None:
    one = update(statistic, [batch]).state()
    for size in (1, 7):
        with law("batching", where):
            state = update(statistic, laws.pieces(batch, size)).state()
        if difference := near(one, state):
            raise broken("batching", f"{where}, {size} records a batch", difference, "the state of one batch")
    with law("batching", where):
        state = update(statistic, [batch, batch.take(np.zeros(len(batch), dtype=np.bool_))]).state()
    if difference := near(one, state):
        raise broken("batching", f"{where}, with a batch of no records", difference, "the state of one batch")
    order = stream("laws", "order").permutation(len(batch))
    columns = {name: column.take(order) for name, column in batch.columns.items()}
    with law("order", where):
        state = update(statistic, [Batch(columns, batch.group[order], batch.address[order])]).state()
    if difference := near(one, state):
        raise broken("order", where, difference, "the same state for the records in another order")


def _check_masks(statistic: Statistic, rows: Sequence[Row], where: str) -> None:
    whole = fold(statistic, rows)
    for keep in laws.masks():
        with law("mask", where):
            part = fold(statistic, laws.inside(rows, keep))
            got, want = whole.records(keep), part.records(everything())
        if got != want:
            raise broken("mask", where, f"{got} records", f"{want}, folded from the records of the kept groups")


def _check_saving(statistic: Statistic, batch: Batch, where: str) -> None:
    whole = update(statistic, [batch])
    state = {name: array.copy() for name, array in whole.state().items()}
    with law("round trip", where):
        back = statistic.fresh()
        back.load(laws.saved(whole))
        after = back.state()
    if difference := same_bits(state, after):
        raise broken("round trip", where, difference, "the saved state, bit for bit")
    with law("round trip", where):
        back.load(whole.state())
        back.update(batch)
        went_on = back.state()
        straight = update(statistic, [batch, batch]).state()
    if difference := same_bits(straight, went_on):
        raise broken("round trip", f"{where}, going on after loading", difference, "the state without the trip")
    if difference := same_bits(state, whole.state()):
        raise broken("round trip", f"{where}, after the loaded one went on", difference, "the first one untouched")
    with law("picklable", where):
        thawed = pickle.loads(pickle.dumps(whole)).state()  # noqa: S301 - our own bytes; workers pass statistics so
    if difference := same_bits(state, thawed):
        raise broken("picklable", where, difference, "the same state in a worker")


def _check_empty_record(statistic: Statistic, rows: Sequence[Row], where: str) -> None:
    with law("empty record", where):
        state = fold(statistic, [*rows, *empty_rows(rows)]).state()
        fold(statistic, empty_rows(rows)).state()
    for name, array in state.items():
        if np.issubdtype(array.dtype, np.floating) and not np.isfinite(array).all():
            raise broken("empty record", where, f"{name} holds NaN or infinity", "finite numbers")
