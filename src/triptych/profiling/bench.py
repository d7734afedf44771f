"""What a measuring run works with, for the time of one call."""

from __future__ import annotations

import platform
import shutil
import tempfile
from collections.abc import Iterator, Mapping
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
from triptych.features.embedding import load_encoder
from triptych.profiling.settings import Settings

PACKAGES = ("numpy", "scipy", "pyarrow", "tokenizers")


@dataclass(frozen=True)
class Bench:
    """Settings, tokenizer and encoder, cache, engine, progress; `second`: another encoder to read under as well."""

    settings: Settings
    instruments: Instruments
    cache: ColumnCache
    engine: LocalEngine
    progress: Progress
    second: Instruments | None = None

    def asked(self) -> dict[str, dict[str, int]]:
        """What the encoders have asked of servers so far in this process: identity to counts; empty where none asks."""
        used = [each for each in (self.instruments, self.second) if each and not each.encoder.startswith("column:")]
        usages = {each.encoder_identity: getattr(load_encoder(each.encoder), "usage", None) for each in used}
        return {name: usage.to_json() for name, usage in usages.items() if usage is not None}

    def provenance(self, seconds: float, before: Mapping[str, Mapping[str, int]] | None = None) -> dict[str, Any]:
        """What two equal runs may differ in: version, command, seed, time taken, packages, instruments, workers.

        Args:
            seconds: that the run took.
            before: what `asked` said when it began; None: all that this process asked is counted.
        """
        known = before or {}
        requests = {
            name: {key: n - known.get(name, {}).get(key, 0) for key, n in counts.items()}
            for name, counts in self.asked().items()
        }
        return {
            "version": __version__,
            "command": self.settings.command,
            "seed": self.settings.seed,
            "seconds": round(seconds, 3),
            "packages": {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
            "encoder": self.instruments.encoder_identity,
            "tokenizer": self.instruments.tokenizer_identity,
            "workers": self.engine.workers,
            **({"requests": requests} if requests else {}),
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
