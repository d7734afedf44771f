"""A budget: so many records, rows, or tokens of prompts and responses together."""

from __future__ import annotations

import re
from dataclasses import dataclass

from triptych.core.errors import UsageError, message

_BUDGET = re.compile(r"([\d_,]+(?:\.\d+)?)\s*([kKmMbB]?)\s*(records?|rows?|tokens?)?")
_TIMES = {"": 1, "k": 1_000, "m": 1_000_000, "b": 1_000_000_000}


@dataclass(frozen=True)
class Budget:
    """How much is taken: records, rows of the source, or tokens of prompts and responses together."""

    number: int
    unit: str = "records"

    @classmethod
    def of(cls, asked: str | int) -> Budget:
        """From a number of records, or words: "2M tokens", "800 records", "10k rows".

        Raises:
            UsageError: neither.
        """
        found = _BUDGET.fullmatch(str(asked).strip())
        number = round(float(found[1].replace("_", "").replace(",", "")) * _TIMES[found[2].lower()]) if found else 0
        if not found or number < 1:
            want = "a number of records, or of tokens as in '2M tokens'"
            raise UsageError(message("the budget is not right.", got=str(asked), want=want, hint="--budget 800"))
        return cls(number, (found[3] or "records").rstrip("s") + "s")

    def __str__(self) -> str:
        return f"{self.number:,} {self.unit}"
