"""Trackers: where a guard's numbers go beside the guard's own files.

Nothing is imported that the user has not imported: "auto" logs to the runs that are active in this process (MLflow,
trackio, Weights & Biases), and to what the user passes: a TensorBoard writer (torch's or tensorboardX's), any object with
`log_metrics(numbers, step)` or `log(numbers)`, or a function of (numbers, step). Whatever then leaves the machine leaves it
by the user's own tracker.
"""

from __future__ import annotations

import importlib
import logging
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, final

from triptych.core.errors import MissingExtraError, UsageError, message, nearest

AUTO = "auto"
NAMES = ("tensorboard", "mlflow", "trackio", "wandb")
VERDICTS = ("continue", "warn", "stop")
"""A verdict as a number is its place here."""

_LOG = logging.getLogger("triptych.guard")
Numbers = Mapping[str, float]


class Tracker(ABC):
    """A place that numbers go to."""

    @abstractmethod
    def log(self, numbers: Numbers, notes: Mapping[str, str], step: int) -> None:
        """Log the numbers of a step, and words beside them where the tracker takes words."""


@final
@dataclass(frozen=True)
class Writer(Tracker):
    """A TensorBoard writer: anything with `add_scalar` and, for words, `add_text`."""

    writer: Any

    def log(self, numbers: Numbers, notes: Mapping[str, str], step: int) -> None:
        """Scalars by name; words as texts."""
        for name, value in numbers.items():
            self.writer.add_scalar(name, value, step)
        if hasattr(self.writer, "add_text"):
            for name, words in notes.items():
                self.writer.add_text(name, words, step)
        self.writer.flush()


@final
@dataclass(frozen=True)
class Mlflow(Tracker):
    """MLflow, or an object with its `log_metrics(numbers, step=..)`; words become tags."""

    client: Any

    def log(self, numbers: Numbers, notes: Mapping[str, str], step: int) -> None:
        """Metrics at the step; tags hold the newest words."""
        self.client.log_metrics(dict(numbers), step=step)
        if notes and hasattr(self.client, "set_tags"):
            self.client.set_tags(dict(notes))


@final
@dataclass(frozen=True)
class Stream(Tracker):
    """trackio, Weights & Biases, or an object with their `log(numbers)`.

    Their steps are the trainer's own and may not go back, so the guard's step is one of the numbers.
    """

    client: Any

    def log(self, numbers: Numbers, notes: Mapping[str, str], step: int) -> None:
        """One row with numbers, words and the step."""
        self.client.log({**numbers, **notes, "guard/round": step})


@final
@dataclass(frozen=True)
class Call(Tracker):
    """A function of (numbers, step)."""

    function: Callable[[dict[str, float], int], Any]

    def log(self, numbers: Numbers, notes: Mapping[str, str], step: int) -> None:
        """The numbers alone."""
        del notes
        self.function(dict(numbers), step)


def _tracker(given: Any) -> Tracker:
    """The tracker that an object is.

    Raises:
        UsageError: it takes numbers in no way that is known.
    """
    if isinstance(given, Tracker):
        return given
    for method, kind in (("add_scalar", Writer), ("log_metrics", Mlflow), ("log", Stream)):
        if callable(getattr(given, method, None)):
            return kind(given)
    if callable(given):
        return Call(given)
    want = "a writer with add_scalar, an object with log_metrics or log, a function, or one of " + ", ".join(NAMES)
    raise UsageError(message("this is no tracker.", got=type(given).__name__, want=want))


def _active(name: str) -> Tracker | None:
    """The tracker of a package that was imported and has an active run; None: there is none."""
    module: Any = sys.modules.get(name)
    if name == "mlflow":
        return Mlflow(module) if module is not None and module.active_run() is not None else None
    if name == "wandb":
        return Stream(module) if module is not None and getattr(module, "run", None) is not None else None
    run = getattr(getattr(module, "context_vars", None), "current_run", None)
    return Stream(module) if run is not None and run.get() is not None else None


def _writer(folder: str) -> Tracker:
    """A TensorBoard writer of one's own.

    Raises:
        MissingExtraError: neither torch with tensorboard nor tensorboardX is installed.
    """
    for name in ("torch.utils.tensorboard", "tensorboardX"):
        try:
            module = importlib.import_module(name)
        except ImportError:
            continue
        return Writer(module.SummaryWriter(folder))
    what = "TensorBoard files need a package that is not installed."
    raise MissingExtraError(
        message(what, want="torch with tensorboard, or tensorboardX", hint="pip install tensorboardX")
    )


@final
class Trackers:
    """The trackers of a watch: resolved at each step, because runs begin and end; what fails is said once, not raised."""

    def __init__(self, log_to: Any = AUTO) -> None:
        """`log_to`: "auto"; names (tensorboard:FOLDER, mlflow, trackio, wandb); objects; several of them; or nothing.

        Raises:
            UsageError: an unknown name, or an object that takes no numbers.
            MissingExtraError: a writer was asked for by name, and no package writes it.
        """
        one = log_to is not None and (isinstance(log_to, (str, Tracker)) or not isinstance(log_to, Iterable))
        given: list[Any] = [log_to] if one else list(log_to or ())
        self._named: list[str] = []
        self._fixed: list[Tracker] = []
        self._said: set[str] = set()
        for item in given:
            if not isinstance(item, str):
                self._fixed.append(_tracker(item))
            elif item.startswith("tensorboard:"):
                self._fixed.append(_writer(item.partition(":")[2]))
            elif item == AUTO:
                self._named += [name for name in NAMES[1:] if name not in self._named]
            elif item in NAMES[1:]:
                self._named.append(item)
            else:
                hint = "tensorboard:FOLDER" if item == NAMES[0] else nearest(item, (AUTO, *NAMES))
                want = ", ".join((AUTO, f"{NAMES[0]}:FOLDER", *NAMES[1:]))
                raise UsageError(message(f'"{item}" is no tracker.', want=want, hint=hint))
        self._asked = {name for name in self._named if AUTO not in given}

    def log(self, numbers: Numbers, notes: Mapping[str, str], step: int) -> None:
        """Log to all of them. One that fails, or a named one without a run, is said in the log, once each."""
        found = list(self._fixed)
        for name in self._named:
            tracker = _active(name)
            if tracker is not None:
                found.append(tracker)
            elif name in self._asked:
                self._say(name, f"{name} has no active run; nothing was logged to it")
        for one in found:
            try:
                one.log(numbers, notes, step)
            except Exception as error:  # noqa: BLE001 - a tracker that fails must not end a training
                self._say(repr(one), f"{type(one).__name__} failed: {type(error).__name__}: {error}")

    def _say(self, key: str, words: str) -> None:
        if key not in self._said:
            self._said.add(key)
            _LOG.warning("guard: %s", words)
