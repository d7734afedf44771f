"""JSON in a response: the whole text, or what stands in its last code fence that is JSON."""

from __future__ import annotations

import json
import re
from typing import Any

_FENCE = re.compile(r"^[ \t]*(`{3,}|~{3,})[ \t]*[\w+-]*[ \t]*\n(.*?)\n?[ \t]*\1[ \t]*$", re.DOTALL | re.MULTILINE)


def fenced(text: str) -> list[str]:
    """What stands in the code fences of a text, in order."""
    return [found[2] for found in _FENCE.finditer(text)]


def read_json(text: str, *, fences: bool = True) -> Any:
    """The JSON value of a response.

    Args:
        text: the response.
        fences: whether a code fence may hold it, with any words around the fence.

    Raises:
        ValueError: there is none, or it is nested too deeply to be read; NaN and infinities are no JSON.
    """
    text = text.strip().removeprefix("\ufeff")
    try:
        return _loads(text)
    except ValueError as error:
        first = error
    for block in reversed(fenced(text) if fences else []):
        try:
            return _loads(block)
        except ValueError as error:
            first = error
    raise first


def _loads(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _refuse(word: str) -> Any:
    raise ValueError(f"{word} is no JSON")
