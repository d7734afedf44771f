"""Freed memory goes back to the system, and what nobody asked for is not loaded.

glibc raises the size from which it maps blocks of their own each time such a block is freed, up to 32 MB. Arrays of some
megabytes then come from arenas, one for each thread, which keep what is freed: 1.23 GB instead of .95 GB on 52,000
records. A fixed threshold ends that. Other C libraries are left alone.
"""

from __future__ import annotations

import ctypes
import sys
from importlib.abc import MetaPathFinder

import pyarrow as pa

THRESHOLD = 1 << 20
_M_MMAP_THRESHOLD = -3


def return_large_blocks() -> None:
    """Fix the threshold in this process, where the C library knows how."""
    if sys.platform != "linux":
        return
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return
    mallopt(_M_MMAP_THRESHOLD, THRESHOLD)
    mallopt(-1, THRESHOLD)


def leave_out_pandas() -> None:
    """Keep pyarrow from loading pandas in this process: for programs of ours, not for a process that we are guests in.

    Where pandas is installed, pyarrow imports it at the first list that it reads, to know a Series if it sees one: .2 s and
    50 MB in every process. Code that imports pandas itself, or asks pyarrow for a data frame, still gets it.
    """
    if "pandas" in sys.modules:
        return
    sys.meta_path.insert(0, _NoPandas)
    try:
        pa.array([])  # looks for it once, and remembers that there is none
    finally:
        sys.meta_path.remove(_NoPandas)


class _NoPandas(MetaPathFinder):
    """Finds modules, and says of pandas that there is none."""

    @classmethod
    def find_spec(cls, name: str, *_: object) -> None:
        if name == "pandas":
            raise ModuleNotFoundError(name)
