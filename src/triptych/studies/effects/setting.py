"""What the intervals count: which blocks, fixed or random, and what else is held fixed.

The rule. The block is the first name the plan gives, else the first of `PREFERRED` that has at least three levels, several
runs a level and factors that vary inside. It is *fixed* (its mean taken out) as long as every factor varies inside blocks:
that asks nothing of how blocks differ. It is *random* (part of its mean taken out) where a factor varies between blocks
only, or where the plan says so. Either way an interval counts blocks, not runs. With fewer than three blocks it counts
runs, block means held fixed, and says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from triptych.studies.effects.mixed import shares
from triptych.studies.effects.model import Array, Clusters, Labels, basis
from triptych.studies.effects.plan import CLUSTERS, PREFERRED, Analysis
from triptych.studies.effects.terms import CONDITION, Factor
from triptych.studies.table import RunTable

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Setting:
    """How errors are counted for a table.

    Attributes:
        block: name of the block that is counted; None: runs are.
        labels: block of each run, (n,); each run's own number where runs are counted.
        random: whether the block is a random effect.
        held: columns held fixed, the constant first, (n, k).
        warnings: what to know about it.
    """

    block: str | None
    labels: Labels
    random: bool
    held: Array
    warnings: tuple[dict[str, str], ...] = ()
    _shares: dict[bytes, Array] = field(default_factory=dict)

    def clusters(self, rows: Mask, outcome: Array | None = None, columns: Array | None = None) -> Clusters:
        """Clusters of some runs; a random block needs the outcome of these runs and the columns of the model.

        How much the blocks differ is estimated once for an outcome, in the first model asked for, and kept in the others:
        it decides how well effects are weighted, not whether their intervals hold.
        """
        if self.block is None:
            return Clusters.alone(int(rows.sum()))
        whole = Clusters.of(self.labels[rows])
        if not self.random:
            return whole
        if outcome is None or columns is None:
            return Clusters(whole.codes, whole.count, np.full(whole.count, 0.5))
        key = rows.tobytes() + outcome.tobytes()
        if key not in self._shares:
            fixed = basis(np.column_stack([self.held[rows], columns]))
            self._shares[key] = shares(outcome, fixed, whole)
        return Clusters(whole.codes, whole.count, self._shares[key])

    @property
    def counted(self) -> str:
        """What an interval counts, in a word."""
        return self.block or "run"


def setting(table: RunTable, plan: Analysis, factors: Sequence[Factor]) -> Setting:
    """Choose the block by the rule above."""
    varying = [one for one in factors if not one.constant]
    name = plan.blocks[0] if plan.blocks else _found(table, varying)
    n = len(table)
    held, warnings = [np.ones((n, 1))], []
    held += [_dummies(table.blocks[other]) for other in plan.blocks[1:]]
    levels = len(np.unique(table.blocks[name])) if name else 0
    if name and levels < CLUSTERS:
        held.append(_dummies(table.blocks[name]))
        text = (
            f"{name} has {levels} level{'s' if levels > 1 else ''}: fewer than {CLUSTERS} cannot be counted. Intervals "
            f"count runs, and hold for {'these' if levels > 1 else 'this'} only."
        )
        warnings.append({"code": "few_blocks", "text": text})
        name = None
    elif name is None:
        text = "No block repeats the whole design: intervals count runs as independent of one another."
        warnings.append({"code": "no_block", "text": text})
    draws = table.blocks.get("data_seed")
    if draws is not None and len(np.unique(draws)) == 1:
        text = "Every arm is one draw of its data: intervals hold for these sets of records, not for others drawn so."
        warnings.append({"code": "one_draw", "text": text})
    labels = table.blocks[name] if name else np.arange(n)
    random = bool(name) and (plan.random if plan.random is not None else not _inside(table.blocks[name or ""], varying))
    if random:
        text = f"{name} is a random effect: {'as asked' if plan.random else 'a factor does not vary inside it'}."
        warnings.append({"code": "random_block", "text": text})
    return Setting(name, labels, random, np.column_stack(held), tuple(warnings))


def _found(table: RunTable, factors: Sequence[Factor]) -> str | None:
    """The block that repeats the design, by the rule; one with too few levels rather than none."""
    names = [name for name in PREFERRED if name in table.blocks]
    names += [name for name in table.blocks if name not in names]
    several = [name for name in names if 1 < len(np.unique(table.blocks[name])) <= len(table) / 2]
    enough = [name for name in several if len(np.unique(table.blocks[name])) >= CLUSTERS]
    repeats = [name for name in enough if _inside(table.blocks[name], factors)]
    return next(iter([*repeats, *enough, *several]), None)


def _inside(labels: Labels, factors: Sequence[Factor]) -> bool:
    """Whether every factor varies inside blocks."""
    if not factors:
        return True
    columns = np.column_stack([one.column - one.column.mean() for one in factors])
    left = np.linalg.norm(Clusters.of(labels).without_means(columns), axis=0)
    return bool((left > np.linalg.norm(columns, axis=0) / CONDITION).all())


def _dummies(labels: Labels) -> Array:
    names = np.unique(labels)
    out: Array = (labels[:, None] == names[None, 1:]).astype(np.float64)
    return out
