"""Which components of the recipes differ between runs, and which of them the runs can tell apart.

A run is one finished data set; runs whose components are all equal (another seed apart) are replicates of one cell. A
component is a factor where its known values differ. A part of a component (`method.depth`) that follows from the component
itself is no factor of its own: it belongs to the level. What is not stated is unknown, and is never guessed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from triptych.core.errors import UsageError, message, nearest

REPLICATE = "seed"
"""The component in which replicates of one cell differ."""
BUDGET = "budget"
"""What every run was given. Runs are cut to equal size, so it is no factor."""

CONTROLLED, CONFOUNDED, UNKNOWN = "controlled", "confounded", "unknown"
"""The words of `triptych compare`."""


@dataclass(frozen=True)
class Factor:
    """A component whose values differ.

    Attributes:
        name: of the component.
        levels: its values; the first is the reference.
        of: place of each run's value in `levels`, -1 where it is unknown, (runs,).
    """

    name: str
    levels: tuple[str, ...]
    of: NDArray[np.int64]


@dataclass(frozen=True)
class Components:
    """The components of all runs.

    Attributes:
        factors: those that differ.
        held: those that are the same in all runs, with the value.
        unknown: component to the places of the runs that do not state it.
        follows: part of a component to the component that it follows from.
        budgets: what differs in the budgets, component to values.
        cells: number of the cell of each run (runs,).
    """

    factors: tuple[Factor, ...]
    held: Mapping[str, str]
    unknown: Mapping[str, tuple[int, ...]]
    follows: Mapping[str, str]
    budgets: Mapping[str, tuple[str, ...]]
    cells: NDArray[np.int64]

    @property
    def replicated(self) -> bool:
        """Whether any cell has several runs."""
        return len(self.cells) > len(np.unique(self.cells))


def components_of(
    stated: Sequence[Mapping[str, str]], missing: Sequence[Sequence[str]], first: Mapping[str, str] | None = None
) -> Components:
    """Sort the components of the runs into factors, held and unknown ones.

    Args:
        stated: for each run its components with their values.
        missing: for each run the components that are there but not known.
        first: reference level of some components; for the others it is the value of the first run that states it.

    Raises:
        UsageError: a reference that no run has.
    """
    names = list(dict.fromkeys(name for one in (*stated, *missing) for name in one if name != REPLICATE))
    values = {name: [one.get(name) for one in stated] for name in names}
    values = _nested(values)
    follows = _follows(values)
    factors: list[Factor] = []
    held: dict[str, str] = {}
    unknown: dict[str, tuple[int, ...]] = {}
    budgets: dict[str, tuple[str, ...]] = {}
    for name in names:
        known = list(dict.fromkeys(value for value in values[name] if value is not None))
        if name.partition(".")[0] == BUDGET:
            budgets |= {name: tuple(known)} if len(known) > 1 else {}
            continue
        if name in follows:
            continue
        silent = tuple(place for place, value in enumerate(values[name]) if value is None)
        if silent:
            unknown[name] = silent
        if len(known) > 1:
            factors.append(_factor(name, known, values[name], (first or {}).get(name)))
        elif known and not silent:
            held[name] = known[0]
    _check_references(first or {}, [factor.name for factor in factors])
    table = np.array([factor.of for factor in factors]).reshape(len(factors), len(stated)).T
    return Components(tuple(factors), held, unknown, follows, budgets, _cells(table, [list(one) for one in missing]))


NONE, JOINED = "none", ", "


def _nested(values: Mapping[str, list[str | None]]) -> dict[str, list[str | None]]:
    """Parts that differ within one value of a component, and that its other values lack, are said with the component:
    few_shot, "evol_instruct, depth 1", "evol_instruct, depth 3" are three levels of the method.
    """
    out = {name: list(mine) for name, mine in values.items()}
    for name in sorted(out, key=lambda one: -one.count(".")):
        head, _, last = name.rpartition(".")
        if head not in out or None in out[head] or None in out[name]:
            continue
        by_head: dict[str | None, set[str | None]] = {}
        for value, part in zip(out[head], out[name], strict=True):
            by_head.setdefault(value, set()).add(part)
        lacking = [value for value, parts in by_head.items() if parts == {NONE}]
        if lacking and any(len(parts) > 1 for parts in by_head.values()):
            pairs = zip(out[head], out[name], strict=True)
            out[head] = [value if part == NONE else f"{value}{JOINED}{last} {part}" for value, part in pairs]
    return out


def _follows(values: Mapping[str, Sequence[str | None]]) -> dict[str, str]:
    """Parts of components that are the same wherever the component is."""
    out = {}
    for name, mine in values.items():
        parts = name.split(".")
        above = [".".join(parts[:end]) for end in range(len(parts) - 1, 0, -1)]
        parent = next((one for one in above if one in values), None)
        if parent is None:
            continue
        pairs = set(zip(values[parent], mine, strict=True))
        whole = None not in values[parent]
        if whole and len(pairs) == len(set(values[parent])) and len(set(values[parent])) > 1:
            out[name] = parent
    return out


def _factor(name: str, known: Sequence[str], values: Sequence[str | None], first: str | None) -> Factor:
    levels = list(known)
    if first is not None:
        if first not in levels:
            near = nearest(first, levels)
            what = f'no run has the value "{first}" of {name}.'
            raise UsageError(message(what, want=", ".join(levels), hint=near and f"--reference {name}={near}"))
        levels = [first, *(level for level in levels if level != first)]
    places = {level: place for place, level in enumerate(levels)}
    return Factor(name, tuple(levels), np.array([-1 if v is None else places[v] for v in values], dtype=np.int64))


def _check_references(first: Mapping[str, str], names: Sequence[str]) -> None:
    for name in first:
        if name not in names:
            what = f'--reference: "{name}" does not differ between the runs.'
            raise UsageError(message(what, got=name, want=", ".join(names) or None, hint=nearest(name, names)))


def _cells(table: NDArray[np.int64], missing: Sequence[list[str]]) -> NDArray[np.int64]:
    """Equal rows are one cell, but two runs that do not state something are never taken for replicates."""
    keys = [
        (*row, *((place,) if row.min(initial=0) < 0 or missing[place] else ()))
        for place, row in enumerate(table.astype(int))
    ]
    numbers = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    return np.array([numbers[key] for key in keys], dtype=np.int64)
