"""faiss at its full speed and at a fixed number of threads, and blocks of work in threads.

Every product is computed by one thread in blocks whose shape does not hang on the number of threads, and threads take
whole blocks: so one, two or eight threads give the same bits.

The wheel of faiss brings an OpenBLAS of its own that knows no processor newer than itself and falls back to the oldest
kernels there (on Sapphire Rapids a quarter of the speed of numpy's, which is newer). So it is told, while it is loaded,
to take the kernels that numpy's OpenBLAS chose. Where that says nothing the only loss is time.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from typing import Any, Protocol, TypeVar

from threadpoolctl import threadpool_info, threadpool_limits

Job = TypeVar("Job")
Found = TypeVar("Found")

_KERNELS = "OPENBLAS_CORETYPE"


@cache
def library() -> Any:
    """The module faiss."""
    chosen = next((one["architecture"] for one in threadpool_info() if one["internal_api"] == "openblas"), None)
    ours = chosen is not None and _KERNELS not in os.environ
    if ours:
        os.environ[_KERNELS] = str(chosen)
    try:
        import faiss  # noqa: PLC0415 - loads 60 MB of libraries, and only here may be told which kernels to take
    finally:
        if ours:
            del os.environ[_KERNELS]
    return faiss


class Spread(Protocol):
    """Does a piece of work for every job, in order."""

    def __call__(self, work: Callable[[Job], Found], jobs: Iterable[Job]) -> list[Found]:
        """`work(job)` for every job."""
        ...


@contextmanager
def workers(threads: int) -> Iterator[Spread]:
    """So many threads for a while; products in them, and beside them, take one thread each."""
    faiss, count = library(), max(1, threads)
    with (
        threadpool_limits(1),
        ThreadPoolExecutor(
            count, thread_name_prefix="triptych-neighbours", initializer=faiss.omp_set_num_threads, initargs=(1,)
        ) as pool,
    ):

        def run(work: Callable[[Job], Found], jobs: Iterable[Job]) -> list[Found]:
            return list(pool.map(work, jobs))

        yield run


def spread(work: Callable[[Job], Found], jobs: Iterable[Job], threads: int) -> list[Found]:
    """`work(job)` for every job, in order, by so many threads."""
    with workers(threads) as run:
        return run(work, jobs)
