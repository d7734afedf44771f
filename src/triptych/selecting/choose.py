"""A policy's choice from a pool under a budget: who is shown to it, and whether what came back is what was asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from triptych.core.basket import Basket
from triptych.core.budget import Budget
from triptych.core.errors import SelectionError, UsageError, message
from triptych.core.selector import Choice, Selector, Setting
from triptych.selecting.fill import fill
from triptych.selecting.limits import Limits
from triptych.selecting.pool import Pool

Ints = NDArray[np.int64]

FIELD = "field:"
NO_QUALITY = "no quality"


@dataclass(frozen=True)
class Chosen:
    """What a policy took.

    Attributes:
        policy: as asked.
        basket: over the candidates of `pool`.
        choice: what the policy says of it.
        pool: the candidates that the policy was shown; `left_out` says who was not.
        budget: as asked.
        limits: as they held.
        notes: what the user should know, in sentences.
    """

    policy: Selector
    basket: Basket
    choice: Choice
    pool: Pool
    budget: Budget
    limits: Limits
    notes: tuple[str, ...] = ()

    @property
    def taken(self) -> Ints:
        """Candidates in the order of taking, int64 (k,)."""
        return np.array(self.basket.taken, dtype=np.int64)

    @property
    def ordinals(self) -> Ints:
        """Ordinals of all records that are kept, ascending."""
        return np.union1d(self.pool.ordinals(self.taken), self.limits.outside)

    @property
    def spent(self) -> int:
        """What of the budget is used."""
        return self.budget.number - self.basket.left


def fields_of(policy: Selector, known: Any) -> tuple[str, ...]:
    """Fields of the rows that a policy names: what it cannot do without, and what it uses where it is there."""
    needed = [need.removeprefix(FIELD) for need in policy.needs if need.startswith(FIELD)]
    wanted = [want.removeprefix(FIELD) for want in policy.wants if want.startswith(FIELD)]
    return tuple(dict.fromkeys([*needed, *(name for name in wanted if name in known)]))


def fitted(pool: Pool, policy: Selector) -> Pool:
    """The pool of the candidates that a policy may see. Limits are resolved over this one.

    A policy with a quality floor sees neither invalid records nor those without quality; one that needs quality sees
    none without.

    Raises:
        SelectionError: the data lack what the policy needs, or no candidate is left.
    """
    candidates = pool.candidates
    have: dict[str, Any] = {
        "quality": candidates.quality,
        "complexity": candidates.complexity,
        "vectors": candidates.vectors,
    }
    have["structure"] = candidates.structure
    for need in policy.needs:
        name = need.removeprefix(FIELD)
        if need.startswith(FIELD):
            if name not in candidates.codes and name not in candidates.numbers:
                raise SelectionError(message(f"{policy.name}: the field {name} was not read.", want=f"--by {name}"))
        elif have[need] is None:
            raise _lacks(pool, policy, need)
    if policy.floor:
        pool = pool.narrowed(pool.valid, "a defect")
    quality = pool.candidates.quality
    if quality is not None and (policy.floor or "quality" in policy.needs):
        pool = pool.narrowed(~np.isnan(quality), NO_QUALITY)
    if not len(pool):
        got = ", ".join(f"{len(at):,}: {why}" for why, at in pool.left_out.items())
        what = f"{pool.dataset.name}: no record is left that {policy.name} may take."
        raise SelectionError(message(what, got=got, want="valid records with a quality"))
    return pool


def _lacks(pool: Pool, policy: Selector, need: str) -> SelectionError:
    """What the data have not."""
    layout = pool.dataset.layout
    what = f"{pool.dataset.name}: the policy {policy.name} needs {need}, and the data have none."
    fields = "fields " + ", ".join(sorted(map(str, layout.known)))
    if need in ("quality", "complexity"):
        hint = f"--{need} FIELD, FIELD=VALUE or a measure such as length"
        return SelectionError(message(what, got=fields, want="a field with numbers", hint=hint))
    return SelectionError(message(what, got=fields, hint="--map structure=FIELD" if need == "structure" else None))


def choose(pool: Pool, policy: Selector, budget: Budget, limits: Limits, setting: Setting) -> Chosen:
    """Let a policy choose.

    Args:
        pool: as read; the policy is shown the candidates of `fitted(pool, policy)`.
        policy: the policy.
        budget: in the unit that the pool was read for.
        limits: resolved over `fitted(pool, policy)`; `Limits()` for none.
        setting: seed, threads, progress.

    Raises:
        SelectionError: the budget is above what there is, or the policy's dials leave too few.
        UsageError: limits that were resolved over other candidates.
    """
    shown = fitted(pool, policy)
    if shown is not pool and (len(limits.keep) or len(limits.drop) or limits.fields or limits.duplicates):
        raise UsageError("limits must be resolved over the candidates that the policy is shown")
    there = int(shown.candidates.cost.sum()) + limits.spent
    if there < budget.number:
        raise above(shown, budget, there)
    basket, choice = fill(shown.candidates, policy, budget, limits, setting)
    return Chosen(policy, basket, choice, shown, budget, limits, _short(basket, policy, budget, limits))


def above(pool: Pool, budget: Budget, there: int) -> SelectionError:
    """The budget is above the pool."""
    left = ", ".join(f"{len(at):,}: {why}" for why, at in pool.left_out.items())
    got = f"{there:,} {budget.unit} in {len(pool):,} candidates" + (f"; left out: {left}" if left else "")
    what = f"{pool.dataset.name}: the budget is above the pool."
    return SelectionError(message(what, got=got, want=str(budget), hint=f"--budget '{there} {budget.unit}'"))


def _short(chosen: Basket, policy: Selector, budget: Budget, limits: Limits) -> tuple[str, ...]:
    """What to say where the policy's own rule ended it although more would have fitted the budget."""
    own = chosen.reason >= 0
    own[limits.drop] = False
    if limits.duplicates is not None:
        own[limits.duplicates.at] = False
    own &= chosen.cost <= chosen.left
    still = chosen.open()
    if not own.any() and not still.any():
        return ()
    counts = [(int((own & (chosen.reason == at)).sum()), why) for at, why in enumerate(chosen.reasons)]
    refused = ", ".join(f"{count:,} {why}" for count, why in counts if count)
    ended = f"it refused {refused}" if refused else f"its own rule ended it with {int(still.sum()):,} left"
    dials = ", ".join(f"{name}={value}" for name, value in policy.spec.params.items())
    text = f"{policy.name} took {len(chosen):,} records and left {chosen.left:,} of {budget}: {ended}."
    return (text + (f" Its dials: {dials}." if dials else ""),)
