"""What long work tells its caller: stages with a number of units done. Silent unless a front end shows it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class Stage:
    """One stretch of work. Front ends override `advance`."""

    def advance(self, units: int) -> None:
        """So many more units are done."""


class Progress:
    """Opens stages. This one is silent; the command line's shows bars or log lines."""

    @contextmanager
    def stage(self, title: str, *, unit: str, total: int | None = None) -> Iterator[Stage]:
        """A stage for the time of a `with` block; `total` units where that is known."""
        del title, unit, total
        yield Stage()

    def tell(self, text: str) -> None:
        """One line that stays: what work that is about to begin will cost."""
