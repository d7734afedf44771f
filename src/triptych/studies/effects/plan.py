"""What is asked of a table of runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from triptych.core.errors import SchemaError, SpecError, UsageError, message, nearest
from triptych.studies.table import RunTable

CLUSTERS = 3
"""From so many blocks on, blocks are what an interval counts; with fewer it counts runs."""

PREFERRED = ("block", "data_seed", "model", "seed")
"""Which of a table's blocks is taken when the plan names none: the first of these with enough levels, then any."""


@dataclass(frozen=True)
class Analysis:
    """What to estimate and how.

    Attributes:
        factors: names of `RunTable.factors`, in the order wanted; empty: all.
        panels_id: panels that count as in distribution; empty: those named `id`, `id-..`, `id_..`, `id1`.
        measured: factor to the label in `RunTable.measured` that reads it on the data; empty: no measured effects.
        margin: the smallest effect that is worth having, in score units or in SDs of the runs' scores (inside blocks).
            None: .05 where a panel's scores lie in 0..1, .2 SD elsewhere.
        margin_unit: what `margin` counts.
        block: what the runs were repeated over; the first name is the cluster, further ones are held fixed.
            Empty: see `PREFERRED`.
        random: whether the block is a random effect. None: only where a factor does not vary inside blocks.
        covariates: names of `RunTable.covariates`: every effect is also told with them held fixed.
        interactions: whether products of factors are estimated.
        multiplicity: how p is adjusted within a family: "holm" (no false finding in 95 % of families) or "bh".
        level: of all intervals.
        seed: of the bootstrap.
        bootstrap: draws of the bootstrap over items; 0: none.
    """

    factors: tuple[str, ...] = ()
    panels_id: tuple[str, ...] = ()
    measured: Mapping[str, str] = field(default_factory=dict)
    margin: float | None = None
    margin_unit: Literal["score", "sd"] = "score"
    block: str | tuple[str, ...] = ()
    random: bool | None = None
    covariates: tuple[str, ...] = ()
    interactions: bool = True
    multiplicity: Literal["holm", "bh"] = "holm"
    level: float = 0.95
    seed: int = 0
    bootstrap: int = 1000

    def checked(self, table: RunTable) -> Analysis:
        """This plan with all names known and `factors` filled in.

        Raises:
            SchemaError: a run is there twice, or a factor or covariate has no number for a run.
            SpecError: a name is not in the table, or a number is out of range.
            UsageError: the table has no runs or no factors.
        """
        if not len(table):
            raise UsageError(message("the table has no finished run.", want="at least one run with a score"))
        if not table.factors:
            raise UsageError(message("the table has no factor.", want="columns that say what was varied"))
        twice = sorted(name for name, times in Counter(table.runs).items() if times > 1)
        if twice:
            raise SchemaError(
                message("runs have one name twice.", got=", ".join(twice[:5]), want="one name for one run")
            )
        for name, values in (*table.factors.items(), *table.covariates.items()):
            if not np.isfinite(values).all():
                got = f"{int((~np.isfinite(values)).sum())} of {len(values)} missing or infinite"
                raise SchemaError(
                    message(f"{name} has no value for some runs.", got=got, want="a number for every run")
                )
        _known("factor", self.factors, table.factors)
        _known("panel", self.panels_id, table.outcomes)
        _known("covariate", self.covariates, table.covariates)
        _known("block", self.blocks, table.blocks)
        _known("measured label", tuple(self.measured.values()), table.measured)
        for what, value, high in (("level", self.level, 1.0), ("margin", self.margin, float("inf"))):
            if value is not None and not 0 < value < high:
                raise SpecError(message(f"{what} is out of range.", got=f"{value}", want=f"above 0, below {high:g}"))
        if self.multiplicity not in {"holm", "bh"} or self.margin_unit not in {"score", "sd"}:
            got = f"{self.multiplicity}, {self.margin_unit}"
            raise SpecError(
                message("multiplicity or margin unit is not known.", got=got, want="holm or bh; score or sd")
            )
        return self if self.factors else Analysis(**{**vars(self), "factors": tuple(table.factors)})

    @property
    def blocks(self) -> tuple[str, ...]:
        """`block` as a tuple."""
        return (self.block,) if isinstance(self.block, str) else self.block

    def is_id(self, panel: str) -> bool:
        """Whether a panel is in distribution."""
        if self.panels_id:
            return panel in self.panels_id
        rest = panel.lower().removeprefix("id")
        return rest != panel.lower() and not rest[:1].isalpha()


def _known(what: str, names: tuple[str, ...], have: Mapping[str, object]) -> None:
    for name in names:
        if name not in have:
            raise SpecError(
                message(
                    f'the table has no {what} "{name}".',
                    got=", ".join(have) or "none",
                    want=f"the name of a {what}",
                    hint=nearest(name, have),
                )
            )
