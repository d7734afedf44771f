"""The verifier of `endpoint.toml`: the plural of a noun by the rules of spelling."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any


def check(row: Mapping[str, Any], response: str) -> float:
    """1 where the response is the regular plural of the word that the prompt gives: `church:`, churches."""
    found = re.fullmatch(r"([a-z]{2,14}):", row["prompt"])
    if not found:
        return 0.0
    noun = found[1]
    if re.search(r"(s|x|z|ch|sh)$", noun):
        return float(response == noun + "es")
    if re.search(r"[^aeiou]y$", noun):
        return float(response == noun[:-1] + "ies")
    return float(response == noun + "s")
