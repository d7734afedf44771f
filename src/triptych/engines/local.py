"""The local engine: jobs in worker processes, results in the order of the jobs.

The result of a job depends on the job alone, and results come back in job order, so any number of workers gives the same
bits. BLAS runs on one thread everywhere: two threads on busy cores are slower than one, and sums would differ.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from itertools import chain, islice
from queue import SimpleQueue
from types import TracebackType
from typing import Any, Self, TypeVar

from threadpoolctl import threadpool_limits

from triptych.core.errors import TriptychError, message
from triptych.engines.memory import return_large_blocks
from triptych.engines.worker import receive, send

Job = TypeVar("Job")
Result = TypeVar("Result")

_FEW = 3
"""Fewer jobs than this are not worth starting processes for."""

_ONE_THREAD = dict.fromkeys(
    ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1"
) | {"TOKENIZERS_PARALLELISM": "false"}


def cores() -> int:
    """Processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class LocalEngine:
    """Runs jobs in `workers` processes of this machine; with one worker, or few jobs, in this process.

    Use as a context manager: leaving it ends the processes.
    """

    name = "local"

    def __init__(self, workers: int | None = None) -> None:
        self.workers = workers or cores()
        self._idle: SimpleQueue[subprocess.Popen[bytes]] = SimpleQueue()
        self._all: list[subprocess.Popen[bytes]] = []
        self._threads: ThreadPoolExecutor | None = None
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

    def __enter__(self) -> Self:
        self._limits = threadpool_limits(1)
        return_large_blocks()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._limits.restore_original_limits()
        self.rest()

    def rest(self) -> None:
        """End the processes, if any run: what they hold in memory (encoder weights) is let go. `map` starts new ones."""
        threads, self._threads = self._threads, None
        self._kill()
        if threads:
            threads.shutdown(wait=True, cancel_futures=True)
        self._bury()
        self._idle = SimpleQueue()

    def _kill(self) -> None:
        for process in self._all:
            process.kill()

    def _bury(self) -> None:
        self._kill()  # one that took the place of another in the meantime
        for process in self._all:
            process.wait()
            for stream in (process.stdin, process.stdout):
                with suppress(OSError):  # what a dead worker did not take
                    if stream:
                        stream.close()
        self._all.clear()

    def map(
        self,
        function: Callable[[Job], Result],
        jobs: Iterable[Job],
        parts: Iterable[object] = (),
    ) -> Iterator[Result]:
        """`function(job)` for every job, in order. At most workers + 1 jobs are held at a time.

        Args:
            function: of a module that can be imported.
            jobs: picklable arguments.
            parts: objects that the jobs hold; one whose class is defined in the caller's own script or notebook cannot
                be sent to another process, so all work stays in this one.

        Raises:
            TriptychError: a worker process died.
            Exception: whatever `function` raised.
        """
        stream = iter(jobs)
        first = list(islice(stream, _FEW))
        homeless = any(type(part).__module__ == "__main__" for part in parts)
        if self.workers == 1 or len(first) < _FEW or homeless:
            yield from map(function, chain(first, stream))
            return
        yield from self._spread(function, chain(first, stream))

    def attempt(
        self, function: Callable[[Job], Result], jobs: Iterable[Job]
    ) -> Iterator[tuple[Job, Result | Exception]]:
        """`function(job)` for every job, each with its result or with the error it ended in, as they finish.

        For long jobs that may fail one by one: always in processes of their own, so that one that is killed takes
        nothing with it; it is replaced. At most workers + 1 jobs are held at a time.
        """
        self._start()
        assert self._threads is not None  # noqa: S101 - set by _start
        stream = iter(jobs)
        waiting: dict[Future[Result], Job] = {}
        while True:
            for job in islice(stream, self.workers + 1 - len(waiting)):
                waiting[self._threads.submit(self._call, function, job)] = job
            if not waiting:
                return
            for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                error = future.exception()
                if error is not None and not isinstance(error, Exception):
                    raise error
                yield waiting.pop(future), future.result() if error is None else error

    def share(self, function: Callable[[Job], Result], jobs: Iterable[Job]) -> Iterator[Result]:
        """`function(job)` for every job, in order, in threads of this process.

        For work that is mostly array arithmetic, which runs outside the interpreter's lock, and whose results are large:
        nothing crosses a pipe. At most workers + 1 jobs are held at a time.
        """
        if self.workers == 1:
            yield from map(function, jobs)
            return
        with ThreadPoolExecutor(self.workers, thread_name_prefix="triptych-fold") as threads:
            yield from self._in_order(lambda job: threads.submit(function, job), iter(jobs))

    def _spread(self, function: Callable[[Job], Result], jobs: Iterator[Job]) -> Iterator[Result]:
        self._start()
        assert self._threads is not None  # noqa: S101 - set by _start
        threads = self._threads
        yield from self._in_order(lambda job: threads.submit(self._call, function, job), jobs)

    def _in_order(self, submit: Callable[[Job], Future[Result]], jobs: Iterator[Job]) -> Iterator[Result]:
        waiting: deque[Future[Result]] = deque()
        for job in jobs:
            waiting.append(submit(job))
            if len(waiting) > self.workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()

    def _start(self) -> None:
        if self._threads:
            return
        self._threads = ThreadPoolExecutor(self.workers, thread_name_prefix="triptych-engine")
        for _ in range(self.workers):
            self._idle.put(self._program())

    def _program(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-m", "triptych.engines.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **_ONE_THREAD, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        self._all.append(process)
        return process

    def _call(self, function: Callable[[Job], Any], job: Job) -> Any:
        process = self._idle.get()
        assert process.stdin is not None and process.stdout is not None  # noqa: S101, PT018 - pipes were asked for
        try:
            send(process.stdin, (function, job))
            good, answer = receive(process.stdout)
        except (EOFError, BrokenPipeError) as error:
            status = process.wait()
            if self._threads:  # not while the engine itself ends its processes
                process = self._program()
            raise TriptychError(
                message(
                    "a worker process ended before its job was done.",
                    got=f"exit status {status}",
                    hint="fewer workers (--workers 1) if memory ran out; a rerun goes on from the cache",
                )
            ) from error
        finally:
            self._idle.put(process)
        if not good:
            raise answer
        return answer
