"""The laws of policies: `check_selector` runs them all on small planted pools.

A policy keeps exact budgets and caps, begins with the must-keeps, takes nothing twice and nothing that is closed, changes
neither its inputs nor any global state, takes the same for the same seed at any number of threads, breaks ties by position,
and says what it did in numbers that are numbers. Every law that is broken raises a `LawError` that names it.
"""

from __future__ import annotations

import json
import pickle
import random
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from triptych.core.basket import Basket
from triptych.core.candidates import Candidates, Ints
from triptych.core.errors import InputError, SelectionError
from triptych.core.plugins import asked, build
from triptych.core.rng import stream
from triptych.core.selector import Choice, Selector, Setting
from triptych.testing.laws import broken, law
from triptych.testing.pools import arrays, equal_pool, pools
from triptych.testing.selector_parameters import check_parameters

WORDS = ("quality", "complexity", "vectors", "structure")
SEEDS = (0, 1, 2)
BUDGETS = (1, 7, 16)


@dataclass(frozen=True)
class Given:
    """What a policy is given beside the pool: a budget, caps, must-keeps and what is closed to it."""

    limit: int
    room: tuple[int, ...] = ()
    keep: tuple[int, ...] = ()
    closed: tuple[int, ...] = ()
    tokens: bool = False
    setting: Setting = field(default_factory=Setting)


@dataclass(frozen=True, eq=False)
class Taken:
    """What came of it: the basket, the choice, or neither where the policy refused."""

    basket: Basket
    choice: Choice | None
    told: int = 0

    @property
    def bits(self) -> tuple[Any, ...]:
        """All that two equal runs have in common."""
        if self.choice is None:
            return ("refused",)
        basket, score = self.basket, self.choice.score
        numbers = (np.array(basket.gains), basket.reason, basket.score, basket.threshold, basket.rival, score)
        return (tuple(basket.taken), *(None if each is None else np.asarray(each).tobytes() for each in numbers))


def check_selector(
    policy: type[Selector] | Selector,
    *,
    values: Mapping[str, Sequence[Any]] | None = None,
    skip: Collection[str] = (),
) -> None:
    """Check a policy against all laws.

    Args:
        policy: a class (checked at its defaults, where it has them, and along its sweep), or one instance.
        values: by parameter, values that show its effect, where the usual ones do not.
        skip: laws that do not apply, by name; "rounding" for a policy that parts the pool by clusters, for where nothing
            is near anything its clusters mean nothing.

    Raises:
        LawError: a law is broken; the message names the law, the policy and the pool.
    """
    instances = _instances(policy)
    for instance in instances:
        _check_what_it_says(instance)
        _check_budgets(instance)
    first = instances[0]
    laws = {
        "tokens": _check_tokens,
        "caps": _check_caps,
        "must-keeps": _check_keeps,
        "closed": _check_closed,
        "determinism": _check_determinism,
        "ties": _check_ties,
        "rounding": _check_rounding,
        "ids": _check_ids,
        "vectors": _check_vectors,
        "travel": _check_travel,
    }
    for name, check in laws.items():
        if name not in skip:
            check(first)
    if "parameters" not in skip:
        _check_parameters(instances, values or {})


def _instances(policy: type[Selector] | Selector) -> list[Selector]:
    """The instances to check: the one given, or the defaults and the sweep of a class."""
    if isinstance(policy, Selector):
        return [policy]
    if not getattr(vars(policy).get("__dataclass_params__"), "frozen", False):
        raise broken("frozen", policy.__name__, "no frozen dataclass", "a frozen dataclass of parameters")
    with law("sweep", policy.__name__):
        swept = [build(policy, "policy", policy.name, params) for params in policy.sweep]
    try:
        found = [policy(), *swept]
    except (ValueError, TypeError):
        found = swept
    unlike = list(dict.fromkeys(found))
    if not unlike:
        raise broken("sweep", policy.name, "no defaults and no sweep", "parameters that make a policy")
    return unlike


def _run(policy: Selector, pool: Candidates, given: Given, where: str) -> Taken:
    """Let the policy choose, and check what holds for every choice."""
    n = len(pool)
    cost = pool.cost
    if given.tokens:
        cost = stream("laws", "tokens").integers(1, 30, size=n)
        pool = replace(pool, cost=cost)
    room = np.array(given.room or (n,), dtype=np.int64)
    cells = np.arange(n, dtype=np.int64) % len(room)
    basket = Basket(cost, given.limit, cells, room, given.keep)
    if given.closed:
        basket.refuse(np.array(given.closed), "closed by the law")
    before = {name: each.copy() for name, each in (arrays(pool) | {"cells": cells, "room": room}).items()}
    told: list[int] = []
    choice = None
    with law("no error", where), _global_state_kept(where):
        try:
            choice = policy.choose(pool, basket, replace(given.setting, told=told.append))
        except SelectionError as error:
            if "want:" not in str(error) and "try:" not in str(error):
                raise broken("refusal", where, str(error), "the change that would do, as want or try") from error
    for name, each in (arrays(pool) | {"cells": cells, "room": room}).items():
        if each.tobytes() != before[name].tobytes():
            raise broken("inputs", where, f"{name} was changed", "everything as it was")
    taken = Taken(basket, choice, sum(told))
    if choice is not None:
        _check_basket(basket, cost, given, where)
        _check_choice(choice, taken, n, where)
    return taken


@contextmanager
def _global_state_kept(where: str) -> Iterator[None]:
    """Other global generators than usual, which must not be drawn from."""
    own, other = random.getstate(), np.random.get_state()  # noqa: NPY002 - what must not be used
    random.setstate(random.Random(5).getstate())  # noqa: S311
    np.random.set_state(np.random.RandomState(5).get_state())  # noqa: NPY002
    now = repr((random.getstate(), np.random.get_state()))  # noqa: NPY002
    try:
        yield
        drawn = repr((random.getstate(), np.random.get_state())) != now  # noqa: NPY002
    finally:
        random.setstate(own)
        np.random.set_state(other)  # noqa: NPY002
    if drawn:
        raise broken("global state", where, "a global generator was drawn from", "triptych.core.rng.stream")


def _check_basket(basket: Basket, cost: Ints, given: Given, where: str) -> None:
    """The basket holds what it may: counted anew from what was taken."""
    taken = np.array(basket.taken, dtype=np.int64)
    if len(np.unique(taken)) < len(taken):
        raise broken("once", where, "a candidate was taken twice", "each at most once")
    if np.isin(taken, given.closed).any() or (basket.reason[taken] >= 0).any():
        raise broken("closed", where, "a candidate was taken that is closed", "only what the basket admits")
    if given.closed and {basket.reasons[each] for each in basket.reason[list(given.closed)]} != {"closed by the law"}:
        raise broken("closed", where, "the reason of a closed candidate was changed", "refuse what is open")
    if tuple(taken[: len(given.keep)]) != given.keep or basket.kept != len(given.keep):
        raise broken("must-keeps", where, taken[: len(given.keep)].tolist(), list(given.keep))
    spent = int(cost[taken].sum())
    if spent > given.limit or basket.left != given.limit - spent:
        raise broken("budget", where, f"{spent} spent, {basket.left} left", f"at most {given.limit} together")
    room = np.array(given.room or (len(cost),)) - np.bincount(
        np.arange(len(cost))[taken] % max(len(given.room), 1), minlength=max(len(given.room), 1)
    )
    if (room < 0).any() or not np.array_equal(room, basket.room):
        raise broken("caps", where, f"room for {room.tolist()}", "no cell over its cap")
    if len(basket.gains) != len(taken):
        raise broken("gains", where, f"{len(basket.gains)} gains", f"{len(taken)}, one for each taken")


def _check_choice(choice: Choice, taken: Taken, n: int, where: str) -> None:
    """What the policy says is in order: progress, gains, scores, facts and notes; and it stopped for a reason."""
    basket = taken.basket
    own = np.array(basket.gains[basket.kept :], dtype=np.float64)
    if taken.told != len(own):
        raise broken("progress", where, f"{taken.told} records told", f"{len(own)} taken")
    if np.isinf(own).any() or (not choice.gained and not np.isnan(own).all()):
        want = "finite or NaN" if choice.gained else "NaN, or a unit in `gained`"
        raise broken("gains", where, own[~np.isnan(own)][:3].tolist(), want)
    if (choice.score is not None) != bool(choice.scored):
        raise broken("scores", where, f'score in words "{choice.scored}"', "words with a score, none without")
    score = np.zeros(n) if choice.score is None else choice.score
    if score.dtype != np.float64 or score.shape != (n,) or np.isinf(score).any():
        raise broken("scores", where, f"{score.dtype}{score.shape}", f"float64({n},), finite or NaN")
    with law("facts", where):
        json.dumps(dict(choice.facts), allow_nan=False)
    said: Any = choice.notes
    if not (isinstance(said, tuple) and all(isinstance(note, str) for note in said)):
        raise broken("notes", where, repr(choice.notes), "a tuple of sentences")
    if basket.open().any() and not choice.notes:
        left = f"{len(basket)} taken, {int(basket.open().sum())} more could have been"
        raise broken("budget", where, left, "all of the budget, or a note that says why it ended")


def _asked(policy: Selector) -> tuple[str, ...]:
    return (*policy.needs, *policy.wants)


def _pools(policy: Selector) -> dict[str, Candidates]:
    return pools(policy.needs, policy.wants)


def _where(policy: Selector, pool: str, *more: str) -> str:
    return ", ".join((asked(policy.name, policy), f"pool {pool}", *more))


def _check_what_it_says(policy: Selector) -> None:
    """Needs and wants are known words, each once; the specification makes the policy again."""
    where = asked(policy.name, policy)
    parts: tuple[Any, Any] = (policy.needs, policy.wants)
    words = _asked(policy) if all(isinstance(part, tuple) for part in parts) else parts
    known = [word in WORDS or str(word).startswith("field:") for word in words]
    if not all(known) or len(set(words)) < len(words):
        raise broken("needs", where, parts, f"tuples of {', '.join(WORDS)}, field:NAME; each word once")
    with law("specification", where):
        again = build(type(policy), "policy", policy.name, policy.spec.params)
    if again != policy or again.spec.hash != policy.spec.hash:
        raise broken("specification", where, repr(again), repr(policy))


def _check_budgets(policy: Selector) -> None:
    """Budgets are met on every pool; at least one record of the mixed pool can be taken."""
    for name, pool in _pools(policy).items():
        for limit in BUDGETS:
            if limit <= len(pool):
                taken = _run(policy, pool, Given(limit), _where(policy, name, f"budget {limit}"))
        if name == "mixed" and not len(taken.basket):
            raise broken("budget", _where(policy, name), "nothing taken", "something")


def _check_tokens(policy: Selector) -> None:
    """A budget of tokens is met within one record."""
    for name, pool in _pools(policy).items():
        _run(policy, pool, Given(3 * len(pool), tokens=True), _where(policy, name, "tokens"))


def _check_caps(policy: Selector) -> None:
    """Caps are never exceeded, also where they leave less than the budget."""
    for name, pool in _pools(policy).items():
        for room in ((2, 5, 50), (3, 1, 2)):
            _run(policy, pool, Given(min(12, len(pool)), room), _where(policy, name, f"caps {room}"))


def _check_keeps(policy: Selector) -> None:
    """Must-keeps stay first and count, also where they are all that is bought."""
    pool = _pools(policy)["mixed"]
    keep = (len(pool) - 1, 3)
    for limit in (2, 9):
        _run(policy, pool, Given(limit, keep=keep), _where(policy, "mixed", "must-keeps"))
    _run(policy, pool, Given(120, keep=keep, tokens=True), _where(policy, "mixed", "must-keeps", "tokens"))


def _check_closed(policy: Selector) -> None:
    """What is closed when the policy begins stays closed, with its reason."""
    for name in ("mixed", "copies"):
        closed = tuple(range(0, 40, 3))
        _run(policy, _pools(policy)[name], Given(9, closed=closed), _where(policy, name, "closed"))


def _check_determinism(policy: Selector) -> None:
    """The same for one seed: again, with what is derived at hand, at any number of threads, with and without a cache."""
    for name in ("mixed", "zeros"):
        pool = _pools(policy)[name]
        for given in (Given(9), Given(90, tokens=True)):
            want = _run(policy, pool, given, _where(policy, name)).bits
            with tempfile.TemporaryDirectory() as folder:
                cached = replace(pool, key="laws", memo={})
                runs = {
                    "again": (replace(pool, memo={}), Setting()),
                    "with the memo": (pool, Setting()),
                    "2 threads": (replace(pool, memo={}), Setting(threads=2)),
                    "3 threads": (replace(pool, memo={}), Setting(threads=3)),
                    "an empty cache": (cached, Setting(cache=Path(folder))),
                    "a filled cache": (replace(cached, memo={}), Setting(cache=Path(folder))),
                }
                for how, (same, setting) in runs.items():
                    if _run(policy, same, replace(given, setting=setting), _where(policy, name)).bits != want:
                        raise broken("determinism", _where(policy, name, how), "another selection", "the same bits")


def _draws(policy: Selector) -> bool:
    """Whether the seed moves what the policy takes."""
    pool = _pools(policy)["mixed"]
    runs = [_run(policy, pool, Given(9, setting=Setting(seed=seed)), _where(policy, "mixed")) for seed in SEEDS]
    return len({tuple(sorted(run.basket.taken)) for run in runs}) > 1


def _check_ties(policy: Selector) -> None:
    """Of candidates that are equal in all, the first are taken."""
    _check_first(policy, equal_pool(_asked(policy)), "ties", "equal")


def _check_rounding(policy: Selector) -> None:
    """As ties, where vectors are all at right angles but for rounding."""
    if "vectors" in _asked(policy):
        _check_first(policy, equal_pool(_asked(policy), apart=True), "rounding", "at right angles")


def _check_first(policy: Selector, pool: Candidates, name: str, where: str) -> None:
    taken = _run(policy, pool, Given(6), _where(policy, where)).basket.taken
    if not _draws(policy) and taken != list(range(len(taken))):
        raise broken(name, _where(policy, where), taken, list(range(len(taken))))


def _check_ids(policy: Selector) -> None:
    """Ids do no more than to order equal candidates."""
    pool = _pools(policy)["mixed"]
    other = replace(pool, id=np.sort(stream("laws", "ids").integers(2**62, size=len(pool), dtype=np.uint64)), memo={})
    want = _run(policy, pool, Given(9), _where(policy, "mixed")).bits
    if _run(policy, other, Given(9), _where(policy, "mixed")).bits != want:
        raise broken("ids", _where(policy, "mixed", "other ids"), "another selection", "the same")


def _check_vectors(policy: Selector) -> None:
    """A vector that is not finite is refused."""
    pool = _pools(policy)["mixed"]
    if "vectors" not in policy.needs or pool.vectors is None:
        return
    for wrong in (np.nan, np.inf):
        vectors = pool.vectors.copy()
        vectors[-1, 2] = wrong
        try:
            policy.choose(replace(pool, vectors=vectors, memo={}), Basket(pool.cost, 9), Setting())
        except InputError:
            continue
        raise broken("vectors", _where(policy, "mixed", f"a vector with {wrong}"), "a selection", "a SelectionError")


def _check_travel(policy: Selector) -> None:
    """A policy travels to another process."""
    with law("travel", asked(policy.name, policy)):
        again = pickle.loads(pickle.dumps(policy))  # noqa: S301 - our own bytes
    if again != policy or hash(again) != hash(policy) or again.needs != policy.needs:
        raise broken("travel", asked(policy.name, policy), repr(again), repr(policy))


def _check_parameters(instances: list[Selector], values: Mapping[str, Sequence[Any]]) -> None:
    """Every parameter has an effect, and nonsense is refused."""

    @cache
    def result(policy: Selector, name: str, given: Given) -> Any:
        bits = _run(policy, _pools(policy)[name], given, _where(policy, name)).bits
        return bits[0] if bits[0] == "refused" else bits

    def results(policy: Selector) -> Iterator[Any]:
        for name in ("mixed", "scarce", "zeros", "constant"):
            yield result(policy, name, Given(12))
        yield result(policy, "mixed", Given(150, keep=(30,), tokens=True))

    check_parameters(instances, values, results)
