"""What a measuring run works with, for the time of one call."""

from __future__ import annotations

import platform
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from triptych._version import __version__
from triptych.core.places import default_cache
from triptych.engines.cache import ColumnCache
from triptych.engines.catalog import Instruments
from triptych.engines.local import LocalEngine
from triptych.engines.progress import Progress
from triptych.profiling.settings import Settings

PACKAGES = ("numpy", "scipy", "pyarrow", "tokenizers")


@dataclass(frozen=True)
class Bench:
    """Settings, tokenizer and encoder, cache, engine, progress."""

    settings: Settings
    instruments: Instruments
    cache: ColumnCache
    engine: LocalEngine
    progress: Progress

    def provenance(self, seconds: float) -> dict[str, Any]:
        """What two equal runs may differ in: version, command, seed, time taken, packages, instruments, workers."""
        return {
            "version": __version__,
            "command": self.settings.command,
            "seed": self.settings.seed,
            "seconds": round(seconds, 3),
            "packages": {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
            "encoder": self.instruments.encoder_identity,
            "tokenizer": self.instruments.tokenizer_identity,
            "workers": self.engine.workers,
        }


@contextmanager
def open_bench(settings: Settings, progress: Progress) -> Iterator[Bench]:
    """Engine and cache for the time of a `with` block. Without a cache the columns live in a folder that is removed."""
    temporary = tempfile.mkdtemp(prefix="triptych-") if settings.cache is False else None
    root = Path(temporary) if temporary else Path(settings.cache or default_cache())
    try:
        instruments = Instruments.named(settings.tokenizer, settings.encoder)
        with LocalEngine(settings.workers) as engine:
            yield Bench(settings, instruments, ColumnCache(root), engine, progress)
    finally:
        if temporary:
            shutil.rmtree(temporary, ignore_errors=True)
