"""The verifier of `own_data.toml` and `command.toml`: a function of a row and a response gives a number from 0 to 1."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any


def check(row: Mapping[str, Any], response: str) -> float:
    """1 where the response is the sum or difference that the prompt asks for: `13+2=`, `9-4+1=`."""
    if not re.fullmatch(r"[0-9]{1,2}([+-][0-9]{1,2})+=", row["prompt"]):
        return 0.0
    return float(response == str(sum(int(term) for term in re.findall(r"[+-]?[0-9]+", row["prompt"]))))
