"""Which points a frontier has: the references, then every policy along its dial, in a stated order."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from triptych.core.errors import SpecError, UsageError, message
from triptych.core.rng import stream
from triptych.core.selector import Selector
from triptych.selecting.pool import Pool
from triptych.selectors.registry import build_policy, lookup_policy, parse_policy, policy_text, selectors

Role = Literal["policy", "random", "longest", "top_quality", "most_diverse"]

RANDOM_SEEDS = 5
MOST_DIVERSE = ("logdet", "k_center", "facility_location")
"""What stands for the largest diversity there is: the first that the pool is not too large for."""

HEAVY = {"logdet": 1e9, "vendi_greedy": 1e9, "novelty": 1e9, "k_center": 1e10, "mig": 1e11}
"""Candidates times budget above which a policy is left out unless it is asked for by name."""

_FIELD = "field:"


@dataclass(frozen=True)
class Point:
    """One selection of the sweep: a policy with a seed, and what it stands for."""

    policy: Selector
    seed: int
    role: Role = "policy"

    @property
    def id(self) -> str:
        """Short, different for all points of a frontier."""
        return f"{policy_text(self.policy)}#{self.seed}" if self.role == "random" else policy_text(self.policy)


@dataclass
class Plan:
    """The points in their order, and the policies that are left out with the reason."""

    points: list[Point] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)

    def fields(self) -> tuple[str, ...]:
        """Fields of the rows that the policies name."""
        return fields_of(point.policy for point in self.points)


def fields_of(policies: Iterable[Selector]) -> tuple[str, ...]:
    """Fields of the rows that some policies name."""
    named = (need for policy in policies for need in (*policy.needs, *policy.wants) if need.startswith(_FIELD))
    return tuple(dict.fromkeys(need.removeprefix(_FIELD) for need in named))


def split(texts: Iterable[str]) -> list[str]:
    """Policies from the command line: `a,b:x=1,y=2,c` is a, b:x=1,y=2 and c."""
    out: list[str] = []
    for piece in (part.strip() for text in texts for part in text.split(",")):
        more = out and ":" in out[-1] and re.fullmatch(r"[^:=]+=.*", piece)
        if more:
            out[-1] += "," + piece
        elif piece:
            out.append(piece)
    return out


def planned(texts: Sequence[str], seed: int) -> Plan:
    """The points of a frontier, before the pool is known.

    Args:
        texts: policies as after `--policies`; one without parameters is swept along its dial; none: all there are.
        seed: of every policy, and of the first random selection.

    Raises:
        SpecError: an unknown policy or parameter.
        UsageError: a policy twice.
    """
    asked = split(texts)
    if len(set(asked)) < len(asked):
        twice = next(text for at, text in enumerate(asked) if text in asked[:at])
        raise UsageError(message("a policy is named twice.", got=twice, want="each once", hint="--policies a,b"))
    plan = Plan()
    seeds = [seed] + [int(stream("frontier", "random", at, seed).integers(2**31)) for at in range(1, RANDOM_SEEDS)]
    plan.points += [Point(build_policy("random", {}), each, "random") for each in seeds]
    plan.points += [Point(build_policy(name, {}), seed, role) for name, role in _references()]
    for text in asked or selectors():
        try:
            plan.points += [Point(policy, seed) for policy in _along(text)]
        except SpecError as error:
            if asked:
                raise
            plan.skipped.append((text, str(error).partition("\n")[0]))
    plan.points = _unique(plan.points)
    return plan


def _references() -> list[tuple[str, Role]]:
    known = selectors()
    roles: dict[str, Role] = {"longest": "longest", "top_quality": "top_quality"}
    roles |= dict.fromkeys(MOST_DIVERSE, "most_diverse")
    return [(name, role) for name, role in roles.items() if name in known]


def _along(text: str) -> list[Selector]:
    """A policy as asked, or along its dial."""
    cls = lookup_policy(text.partition(":")[0])
    if ":" in text or not cls.sweep:
        return [parse_policy(text)]
    return [build_policy(cls.name, params) for params in cls.sweep]


def _unique(points: Iterable[Point]) -> list[Point]:
    """Each policy and seed once: where a reference and a sweep meet, the reference."""
    found: dict[tuple[str, int], Point] = {}
    for point in points:
        found.setdefault((point.policy.spec.hash, point.seed), point)
    return list(found.values())


def served(plan: Plan, pool: Pool, cost: float, asked: Sequence[str]) -> Plan:
    """The plan without what this pool cannot serve, or is too large for.

    Args:
        plan: from `planned`.
        pool: the candidates.
        cost: candidates times budget in records.
        asked: as given to `planned`: policies that were named are not left out for their cost.
    """
    names = {text.partition(":")[0] for text in split(asked)}
    out = Plan(skipped=list(plan.skipped))
    diverse = False
    for point in plan.points:
        name = point.policy.name
        reason = _lack(point.policy, pool)
        if reason is None and name not in names and cost > HEAVY.get(name, np.inf):
            reason = f"left out for its cost on {len(pool):,} candidates; --policies {name} has it run"
        if reason is None and point.role == "most_diverse" and diverse:
            if not names or name in names:
                out.points.append(Point(point.policy, point.seed))
            continue
        if reason is None:
            diverse = diverse or point.role == "most_diverse"
            out.points.append(point)
        elif (name, reason) not in out.skipped:
            out.skipped.append((name, reason))
    return out


def _lack(policy: Selector, pool: Pool) -> str | None:
    """What a policy needs and the pool has not."""
    candidates = pool.candidates
    have = {"quality": candidates.quality, "complexity": candidates.complexity, "vectors": candidates.vectors}
    have["structure"] = candidates.structure  # type: ignore[assignment]
    for need in policy.needs:
        if need.startswith(_FIELD):
            if not {need.removeprefix(_FIELD)} & {*candidates.codes, *candidates.numbers}:
                return f'the rows have no field "{need.removeprefix(_FIELD)}"'
            continue
        values = have.get(need)
        if values is None or (need in ("quality", "complexity") and np.isnan(values).all()):
            return f"it needs {need}, and the records have none"
    return None
