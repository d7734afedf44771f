"""Progress on a terminal as bars with a time left, elsewhere as plain log lines; always on standard error."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

from triptych.engines.progress import Progress, Stage

_EVERY = 5.0


class _Bar(Stage):
    def __init__(self, bars: Bars, task: TaskID) -> None:
        self._bars, self._task = bars, task

    def advance(self, units: int) -> None:
        self._bars.advance(self._task, units)


class BarProgress(Progress):
    """A bar for each stage, with elapsed time and time left."""

    def __init__(self, console: Console) -> None:
        self._console = console

    @contextmanager
    def stage(self, title: str, *, unit: str, total: int | None = None) -> Iterator[Stage]:
        """One bar, removed when the stage ends."""
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn(unit))
        with Bars(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=self._console, transient=True) as bars:
            yield _Bar(bars, bars.add_task(title, total=total))

    def tell(self, text: str) -> None:
        """One line above the bars."""
        self._console.print(text, markup=False, highlight=False, style="dim")


class _Line(Stage):
    def __init__(self, title: str, unit: str, total: int | None) -> None:
        self._title, self._unit, self._total = title, unit, total
        self._start = self._last = time.monotonic()
        self.done = 0

    def advance(self, units: int) -> None:
        self.done += units
        now = time.monotonic()
        if now - self._last < _EVERY:
            return
        self._last = now
        rate = self.done / max(now - self._start, 1e-9)
        of = f" of {self._total:,}" if self._total else ""
        left = f", about {(self._total - self.done) / rate:.0f} s left" if self._total and rate else ""
        print(f"{self._title}: {self.done:,}{of} {self._unit}, {rate:,.0f}/s{left}", file=sys.stderr, flush=True)

    def end(self) -> None:
        took = time.monotonic() - self._start
        print(f"{self._title}: {self.done:,} {self._unit} in {took:.1f} s", file=sys.stderr, flush=True)


class LineProgress(Progress):
    """A line when a stage ends, and one every five seconds while it runs."""

    @contextmanager
    def stage(self, title: str, *, unit: str, total: int | None = None) -> Iterator[Stage]:
        """One stage."""
        line = _Line(title, unit, total)
        yield line
        line.end()

    def tell(self, text: str) -> None:
        """One line."""
        print(text, file=sys.stderr, flush=True)


def progress() -> Progress:
    """Bars on a terminal, lines elsewhere."""
    return BarProgress(Console(stderr=True)) if sys.stderr.isatty() else LineProgress()
