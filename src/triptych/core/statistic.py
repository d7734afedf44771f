"""A statistic: mergeable state over batches of records, kept for each of 32 groups.

The laws (checked by `triptych.testing.check_statistic`): a fresh statistic is neutral on both sides of `merge`; merge
is associative and commutative; two parts merged equal one pass; any batching gives the same state; reading with a mask
equals folding only the records of the kept groups; `state` and `load` lose nothing; an empty record harms nothing.

Floating-point sums obey these laws up to rounding. The engines therefore fold shards cut at fixed record counts and
merge them in shard order, so that the bits do not depend on the number of workers.
"""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from typing import Any, ClassVar, Self

from numpy.typing import NDArray

from triptych.core.batch import Batch
from triptych.core.groups import Mask
from triptych.core.spec import Spec, spec_of


class Statistic(ABC):
    """Mergeable state. Subclasses are dataclasses (`eq=False`) whose fields are parameters; state is private."""

    version: ClassVar[int] = 1

    @property
    @abstractmethod
    def needs(self) -> tuple[str, ...]:
        """Names of the columns that `update` reads."""

    @abstractmethod
    def update(self, batch: Batch) -> None:
        """Take in the records of a batch."""

    @abstractmethod
    def merge(self, other: Self) -> None:
        """Take in the state of another statistic with the same spec; `other` is left as it was."""

    @abstractmethod
    def state(self) -> dict[str, NDArray[Any]]:
        """The whole state as arrays, in a canonical order (equal states give equal arrays)."""

    @abstractmethod
    def load(self, state: dict[str, NDArray[Any]]) -> None:
        """Replace the state by a saved one."""

    @abstractmethod
    def records(self, keep: Mask) -> int:
        """Number of records (or units, where a statistic counts other units) in the kept groups."""

    def settle(self) -> None:  # noqa: B027 - a hook that few need
        """Bring the state to the form in which it is handed over; numbers do not change."""

    @property
    def spec(self) -> Spec:
        """Name, parameters and version: statistics with equal specs are computed once and shared."""
        return spec_of(self, version=self.version)

    def bound(self) -> tuple[bool, str | None]:
        """Whether the state is exact, and if not, its error bound in words."""
        return True, None

    def fresh(self) -> Self:
        """An empty statistic with the same parameters."""
        return type(self)(**{field.name: getattr(self, field.name) for field in dataclasses.fields(self) if field.init})  # type: ignore[arg-type]
