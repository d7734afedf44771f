"""A callback for the trainers of TRL and transformers: what the model writes while it trains becomes the rounds of a guard.

    guard = triptych.GuardCallback("guard/", every=50)
    trainer = GRPOTrainer(model, reward_funcs=guard.rewards(right), callbacks=[guard], ..)

The reward functions of GRPO, RLOO and online DPO are called with the prompts and completions of a batch: wrapped by
`rewards`, they tell the callback what was written and what it earned. After `every` steps these records are a round.
Reward models are no functions: for them `guard.attach(trainer)` reads the trainer's own log of completions.
For rounds of supervised fine-tuning, where each training is a round, `records` says what the round wrote.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from triptych.core.errors import MissingExtraError, UsageError, message
from triptych.guarding.judge import Verdict
from triptych.guarding.watch import Watch

_LOG = logging.getLogger("triptych.guard")
Rows = list[dict[str, Any]]


class GuardCallback:
    """Watches a training by what it writes. An instance is a `transformers.TrainerCallback`.

    Attributes:
        watch: that writes the rounds and judges them.
        every: training steps that make a round.
        stop: whether the training is ended at the verdict stop; else it is only said.
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """An instance of this class that transformers knows as a callback.

        Raises:
            MissingExtraError: transformers is not installed.
        """
        del args, kwargs
        made: Self = object.__new__(_known_to_transformers(cls))
        return made

    def __init__(
        self,
        watch: Watch | str | Path,
        *,
        every: int = 50,
        stop: bool = False,
        keep: Sequence[str] = (),
        records: Any = None,
        **settings: Any,
    ) -> None:
        """Watch a training.

        Args:
            watch: a watch, or the folder of one.
            every: training steps that make a round.
            stop: end the training at the verdict stop.
            keep: columns of the trainer's data set to keep in the records, beside the fields that `settings` name.
            records: for supervised fine-tuning: what this training's round wrote, as `Watch.add` takes it.
            settings: of the watch, where its folder is given: see `Watch`.

        Raises:
            UsageError: `every` below 1, or settings beside a watch.
        """
        if every < 1:
            raise UsageError(message("a round is at least one step.", got=f"every={every}", want="every >= 1"))
        if isinstance(watch, Watch) and settings:
            got = ", ".join(settings)
            raise UsageError(message("a watch has its settings.", got=got, want="settings beside a folder"))
        self._own_trackers = "log_to" in settings or isinstance(watch, Watch)
        self.watch = watch if isinstance(watch, Watch) else Watch(watch, **settings)
        self.every, self.stop = every, stop
        self._keep = (*self.watch.options.named.values(), *keep)
        self._records = records
        self._rows: Rows = []
        self._batch: _Batch | None = None
        self._trainer: Any = None
        self._read_log = False
        self._seen: Any = None
        self._since = 0

    @property
    def verdict(self) -> Verdict | None:
        """The verdict of the last round; None before the first."""
        return self.watch.verdict

    def rewards(self, *functions: Callable[..., Any]) -> list[Callable[..., Any]]:
        """The reward functions, each telling this callback what it was given and what it gave. Names stay.

        Raises:
            UsageError: one is no function (a model, a name): those are read by `attach`.
        """
        for function in functions:
            if not _is_function(function):
                got, want = type(function).__name__, "functions; reward models are read by guard.attach(trainer)"
                raise UsageError(message("this reward cannot be wrapped.", got=got, want=want))
        return [self._wrapped(function) for function in functions]

    def attach(self, trainer: Any) -> GuardCallback:
        """Watch a trainer that is made: wrap its reward functions, or read its log of completions where they are models,
        and log the guard's numbers with the trainer's own, to wherever it reports. Adds the callback if it is not there.

        Raises:
            UsageError: it has reward models and keeps no log of completions.
        """
        self._trainer = trainer
        functions = list(getattr(trainer, "reward_funcs", None) or ())
        if functions and all(_is_function(one) for one in functions):
            trainer.reward_funcs = [one if hasattr(one, "__guard__") else self._wrapped(one) for one in functions]
        elif functions and not isinstance(getattr(trainer, "_logs", None), Mapping):
            got = f"{type(trainer).__name__}, {type(functions[0]).__name__}"
            what, want = "this trainer keeps no log of completions.", "reward functions, or a trainer like GRPOTrainer"
            raise UsageError(message(what, got=got, want=want))
        else:
            self._read_log = bool(functions)
        handler = getattr(trainer, "callback_handler", None)
        if handler is not None and self not in handler.callbacks:
            trainer.add_callback(self)
        if not self._own_trackers:
            self.watch.log_to(())  # the trainer's log reaches its own trackers
        return self

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """For supervised fine-tuning: this training's round, judged before it trains."""
        del args, kwargs
        self._since = int(state.global_step)
        if self._records is not None:
            self._judge(self._records, state, control)

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Every `every` steps: a round."""
        del args, kwargs
        self._take()
        if state.global_step - self._since >= self.every:
            self._since = int(state.global_step)
            self._round(state, control)

    def on_prediction_step(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """What is written while evaluating is no part of a round."""
        del args, state, control, kwargs
        self._take(drop=True)

    def on_evaluate(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """What is written while evaluating is no part of a round."""
        del args, state, control, kwargs
        self._take(drop=True)

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """What is left of at least half a round is a last one; less is left out."""
        del args, kwargs
        self._take()
        if 2 * (state.global_step - self._since) >= self.every:
            self._round(state, control)
        self._rows = []

    def _wrapped(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, whose calls are seen."""
        name = getattr(function, "__name__", type(function).__name__)
        if asyncio.iscoroutinefunction(function):

            @functools.wraps(function)
            async def later(*args: Any, **given: Any) -> Any:
                return self._see(name, given, await function(*args, **given))

            later.__guard__ = self  # type: ignore[attr-defined]
            return later

        def now(*args: Any, **given: Any) -> Any:
            return self._see(name, given, function(*args, **given))

        functools.update_wrapper(now, function)
        now.__name__ = name
        now.__guard__ = self  # type: ignore[attr-defined]
        return now

    def _see(self, name: str, given: Mapping[str, Any], rewards: Any) -> Any:
        """Take note of a call, and give its result back as it is. Functions of one batch share its completions."""
        model = getattr(self._trainer, "model", None)
        if model is None or getattr(model, "training", True):
            completions = given.get("completions")
            if completions is not None:
                if self._batch is None or self._batch.completions is not completions:
                    self._take()
                    self._batch = _Batch(given, self._keep)
                self._batch.rewards[name] = [_number(value) for value in rewards]
        return rewards

    def _take(self, *, drop: bool = False) -> None:
        """Move what was written since the last call into the rows of the round, or drop it."""
        found: Rows = []
        if self._batch is not None:
            found = self._batch.rows(self._weights())
            self._batch = None
        elif self._read_log:
            logs = self._trainer._logs  # noqa: SLF001 - the only place where trainers with reward models show completions
            newest = logs["completion"][-1] if logs["completion"] else None
            if newest is not None and newest is not self._seen:
                self._seen = newest
                given = {"prompts": list(logs["prompt"]), "completions": list(logs["completion"])}
                batch = _Batch({**given, **{key: list(values) for key, values in logs["extra"].items()}}, self._keep)
                batch.rewards = {name: [_number(v) for v in values] for name, values in logs["rewards"].items()}
                found = batch.rows(self._weights())
        if not drop:
            self._rows += found

    def _weights(self) -> Sequence[float]:
        weights = getattr(self._trainer, "reward_weights", None)
        return [] if weights is None else [float(weight) for weight in weights]

    def _round(self, state: Any, control: Any) -> None:
        """Judge the rows since the last round. Every process calls this at the same step; the first one judges."""
        rows, self._rows = _gathered(self._rows, everywhere=self._read_log), []
        self._judge(rows, state, control)

    def _judge(self, records: Any, state: Any, control: Any) -> None:
        stop = False
        if state.is_world_process_zero:
            verdict = self.watch.add(records)
            self._log(state, control)
            stop = verdict.verdict == "stop"
            if stop or verdict.verdict == "warn":
                _LOG.warning(
                    "guard, step %d: %s, %s: %s", state.global_step, verdict.verdict, verdict.state, _why(verdict)
                )
        if self.stop and _shared(stop):
            control.should_training_stop = True

    def _log(self, state: Any, control: Any) -> None:
        """The round's numbers into the trainer's log. The base class's `log` is called: GRPO's own would also empty its
        means, and any call takes back the wish to log this step.
        """
        numbers = dict(self.watch.numbers)
        if self._trainer is None:
            state.log_history.append({**numbers, "step": state.global_step})
            return
        from transformers import Trainer  # noqa: PLC0415 - there, or nothing would have called this

        wish = control.should_log
        Trainer.log(self._trainer, numbers)
        control.should_log = wish


class _Batch:
    """What one call of the reward functions is about."""

    def __init__(self, given: Mapping[str, Any], keep: Sequence[str]) -> None:
        self.completions = given["completions"]
        self._prompts = given.get("prompts") or [None] * len(self.completions)
        self._beside = {
            name: list(given[name])
            for name in keep
            if isinstance(given.get(name), Sequence) and len(given[name]) == len(self.completions)
        }
        self.rewards: dict[str, list[float | None]] = {}

    def rows(self, weights: Sequence[float]) -> Rows:
        """Records: prompt, completion, each reward by its name, and `reward`, their weighted sum; null where none gave
        one.
        """
        weight = dict(zip(self.rewards, weights, strict=False))
        out: Rows = []
        for at, (prompt, completion) in enumerate(zip(self._prompts, self.completions, strict=True)):
            each = {name: values[at] for name, values in self.rewards.items()}
            known = [value * weight.get(name, 1.0) for name, value in each.items() if value is not None]
            row = {"prompt": prompt, "completion": completion, **{name: v[at] for name, v in self._beside.items()}}
            out.append({**row, **each, "reward": math.fsum(known) if known else None})
        return out


def _is_function(reward: Any) -> bool:
    """Whether a reward is a plain function: not a model, not the name of one."""
    return callable(reward) and not hasattr(reward, "forward")


def _number(value: Any) -> float | None:
    """A reward as a number; None where there is none (TRL's None, or the NaN that it becomes)."""
    number = None if value is None else float(value)
    return None if number is None or not math.isfinite(number) else number


def _why(verdict: Verdict) -> str:
    return "; ".join((*verdict.reasons, *verdict.suggest))


def _processes() -> int:
    from accelerate.state import PartialState  # noqa: PLC0415 - comes with the trainers

    return int(PartialState().num_processes)


def _gathered(rows: Rows, *, everywhere: bool) -> Rows:
    """The rows of all processes; `everywhere`: each has them all already."""
    if everywhere or _processes() == 1:
        return rows
    from accelerate.utils import gather_object  # noqa: PLC0415 - comes with the trainers

    return list(gather_object(rows))


def _shared(stop: bool) -> bool:
    """The first process's word, in all of them: one that trains on alone would wait for the others for ever."""
    if _processes() == 1:
        return stop
    from accelerate.utils import broadcast_object_list  # noqa: PLC0415 - comes with the trainers

    return bool(broadcast_object_list([stop], from_process=0)[0])


def _known_to_transformers(cls: type[Any]) -> type[Any]:
    """The class, with transformers' own as a base: it is not imported with this module.

    Raises:
        MissingExtraError: transformers is not installed.
    """
    try:
        from transformers import TrainerCallback  # noqa: PLC0415 - asked for by whoever makes a callback
    except ImportError as error:
        want = "transformers (and trl for its trainers)"
        raise MissingExtraError(
            message("the callback needs transformers.", want=want, hint="pip install trl")
        ) from error
    return cls if issubclass(cls, TrainerCallback) else type(cls.__name__, (cls, TrainerCallback), {})
