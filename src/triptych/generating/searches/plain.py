"""No search: what the method makes is handed on as it comes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, final

from triptych.generating.ask import Batch, Desk, Method, Search


@final
@dataclass(frozen=True)
class Plain(Search):
    """No search."""

    name: ClassVar[str] = "none"

    def make(self, method: Method, desk: Desk) -> Iterator[Batch]:
        """The method's batches."""
        return method.make(desk)
