"""Where things are kept between runs."""

from __future__ import annotations

import os
from pathlib import Path


def default_cache() -> Path:
    """`$TRIPTYCH_CACHE`, else `~/.cache/triptych`."""
    named = os.environ.get("TRIPTYCH_CACHE")
    return Path(named) if named else Path.home() / ".cache" / "triptych"
