"""Triptych measures training data for language models on quality, diversity and complexity.

>>> import triptych
>>> profile = triptych.measure("data.jsonl")  # doctest: +SKIP

Importing the package loads nothing but this file; a name is loaded when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from triptych._version import __version__

if TYPE_CHECKING:
    from triptych.api import (
        adapt,
        attribute,
        audit,
        compare,
        demo,
        design,
        frontier,
        gate,
        generate,
        guard,
        loop,
        measure,
        select,
        study,
        trace,
        world,
    )
    from triptych.api.guarding import GuardCallback, Watch
    from triptych.core.profile import Profile

__all__ = [
    "GuardCallback",
    "Profile",
    "Watch",
    "__version__",
    "adapt",
    "attribute",
    "audit",
    "compare",
    "demo",
    "design",
    "frontier",
    "gate",
    "generate",
    "guard",
    "loop",
    "measure",
    "select",
    "study",
    "trace",
    "world",
]

_HOME = {name: "triptych.api" for name in __all__ if name.islower() and name.isalpha()}
_HOME |= {"Profile": "triptych.core.profile", "Watch": "triptych.api.guarding"}
_HOME["GuardCallback"] = "triptych.api.guarding"


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
