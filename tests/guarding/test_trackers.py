"""Where a guard's numbers go: what is active, what is passed, what is asked for by name; and that a failure ends nothing."""

from __future__ import annotations

import logging
import sys
from types import ModuleType, SimpleNamespace

import pytest

from triptych.core.errors import UsageError
from triptych.guarding.trackers import Trackers

NUMBERS = {"guard/diversity": 12.5, "guard/verdict": 1.0}
WORDS = {"guard/words": "warn, stalled"}


class Recorder:
    """Takes calls of any method down."""

    def __init__(self, *methods):
        self.calls = []
        for method in methods:
            setattr(self, method, lambda *a, _m=method, **k: self.calls.append((_m, a, k)))


def module(name, monkeypatch, **attributes):
    made = ModuleType(name)
    made.calls = []
    for key, value in attributes.items():
        setattr(made, key, value)
    for method in ("log", "log_metrics", "set_tags"):
        setattr(made, method, lambda *a, _m=method, **k: made.calls.append((_m, a, k)))
    monkeypatch.setitem(sys.modules, name, made)
    return made


def absent(monkeypatch):
    for name in ("mlflow", "trackio", "wandb"):
        monkeypatch.delitem(sys.modules, name, raising=False)


def test_auto_logs_to_active_runs_and_to_nothing_else(monkeypatch):
    absent(monkeypatch)
    Trackers().log(NUMBERS, WORDS, 0)  # nothing is there, nothing happens
    assert not {"mlflow", "trackio", "wandb"} & sys.modules.keys()
    run = SimpleNamespace(current_run=SimpleNamespace(get=object))
    trackio = module("trackio", monkeypatch, context_vars=run)
    mlflow = module("mlflow", monkeypatch, active_run=object)
    wandb = module("wandb", monkeypatch, run=None)
    trackers = Trackers("auto")
    trackers.log(NUMBERS, WORDS, 3)
    assert wandb.calls == []
    assert trackio.calls == [("log", ({**NUMBERS, **WORDS, "guard/round": 3},), {})]
    assert mlflow.calls == [("log_metrics", (NUMBERS,), {"step": 3}), ("set_tags", (WORDS,), {})]
    mlflow.active_run = lambda: None  # a run that ended
    wandb.run = object()
    trackers.log(NUMBERS, {}, 4)
    assert len(mlflow.calls) == 2
    assert wandb.calls == [("log", ({**NUMBERS, "guard/round": 4},), {})]


def test_objects_are_known_by_what_they_take():
    writer, client, stream = (
        Recorder("add_scalar", "add_text", "flush"),
        Recorder("log_metrics"),
        Recorder("log"),
    )
    seen = []
    trackers = Trackers([writer, client, stream, lambda numbers, step: seen.append((numbers, step))])
    trackers.log(NUMBERS, WORDS, 7)
    assert writer.calls == [
        *(("add_scalar", (name, value, 7), {}) for name, value in NUMBERS.items()),
        ("add_text", ("guard/words", "warn, stalled", 7), {}),
        ("flush", (), {}),
    ]
    assert client.calls == [("log_metrics", (NUMBERS,), {"step": 7})]
    assert stream.calls[0][1][0]["guard/round"] == 7
    assert seen == [(NUMBERS, 7)]


def test_what_fails_is_said_once_and_does_not_stop_the_others(caplog, monkeypatch):
    absent(monkeypatch)
    seen = []

    def broken(numbers, step):
        raise ConnectionError("no route")

    trackers = Trackers([broken, "mlflow", lambda numbers, step: seen.append(step)])
    with caplog.at_level(logging.WARNING, logger="triptych.guard"):
        trackers.log(NUMBERS, WORDS, 0)
        trackers.log(NUMBERS, WORDS, 1)
    assert seen == [0, 1]
    assert [record.getMessage() for record in caplog.records] == [
        "guard: mlflow has no active run; nothing was logged to it",
        "guard: Call failed: ConnectionError: no route",
    ]


def test_tensorboard_by_name_writes_event_files(tmp_path):
    pytest.importorskip(
        "tensorboardX" if "tensorboardX" in sys.modules else "tensorboard", reason="no TensorBoard here"
    )
    Trackers(f"tensorboard:{tmp_path}").log(NUMBERS, WORDS, 0)
    assert list(tmp_path.glob("events*"))


@pytest.mark.parametrize(
    ("given", "text"),
    [("wandbx", "wandb"), ("tensorboard", "tensorboard:FOLDER"), (3, "this is no tracker"), ([object()], "no tracker")],
)
def test_what_is_no_tracker_is_said(given, text):
    with pytest.raises(UsageError, match=text):
        Trackers(given)


@pytest.mark.parametrize("nothing", [None, (), []])
def test_nothing_is_fine(nothing):
    Trackers(nothing).log(NUMBERS, WORDS, 0)
