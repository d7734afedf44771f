"""Trainers by name."""

from __future__ import annotations

import pickle
import sys
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from typing import ClassVar, Literal

import pytest

from triptych.core.errors import RegistryError, SpecError
from triptych.core.spec import Spec, params_of
from triptych.studies.trainers import registry
from triptych.studies.trainers.command import Command
from triptych.studies.trainers.probe import Probe
from triptych.studies.trainers.registry import build_trainer, parse_trainer, trainer_class, trainer_names
from triptych.studies.trainers.trainer import Trainer


@dataclass(frozen=True)
class Plugged(Trainer):
    name: ClassVar[str] = "plugged"
    ARGUMENT: ClassVar[str] = "place"

    place: str
    rate: float = 0.5
    count: int = 1
    loud: bool = False
    kind: Literal["a", "b"] = "a"
    most: int | None = None

    def __post_init__(self):
        if self.count < 1:
            raise ValueError("count is at least 1")

    @property
    def spec(self):
        return Spec(self.name, params_of(self))

    def run(self, data, panels, seed):
        raise NotImplementedError


@pytest.fixture
def plugged(monkeypatch):
    def plug(name, value):
        entry = EntryPoint(name, value, registry.ENTRY_POINTS)
        monkeypatch.setattr(registry, "entry_points", lambda group: [entry] if group == registry.ENTRY_POINTS else [])

    module = type(sys)("plugged_trainers")
    module.Plugged, module.Other = Plugged, dict
    monkeypatch.setitem(sys.modules, "plugged_trainers", module)
    plug("plugged", "plugged_trainers:Plugged")
    return plug


def test_our_own_names():
    assert trainer_names()[:4] == ("tiny", "hf", "probe", "command")
    for name in registry.TRAINERS:
        assert trainer_class(name).name == name


def test_forms(plugged):
    assert parse_trainer("probe") == parse_trainer("probe:encoder=static") == Probe()
    assert parse_trainer("plugged:./here") == Plugged("./here")
    assert parse_trainer("plugged:here, rate=2 ,count=3,") == Plugged("here", 2.0, 3)
    assert parse_trainer("plugged:rate=2,here") == Plugged("here", 2.0)
    assert parse_trainer("plugged:place=a=b") == Plugged("a=b")
    assert parse_trainer("plugged:x,loud=yes,kind=b,most=4") == Plugged("x", loud=True, kind="b", most=4)
    assert parse_trainer("plugged:x,most=none") == Plugged("x")
    assert build_trainer("plugged", {"place": "x", "rate": 2}) == Plugged("x", 2)


def test_a_command_keeps_its_own_commas_and_equals():
    assert parse_trainer("command:./run --a=1,2 b=3") == Command("./run --a=1,2 b=3")
    made = parse_trainer("command:timeout=60,python run.py x=1,y")
    assert made == Command("python run.py x=1,y", 60.0)
    assert parse_trainer("command:env A=1 run").command == "env A=1 run"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("tinny:width=3", "try:  tiny"),
        ("", 'no trainer is named ""'),
        ("probe:encoding=static", "try:  probe:encoder=static"),
        ("probe:encoder=statik", "static"),
        ("probe:static", '"static" is not a parameter'),
        ("plugged", 'needs "place"'),
        ("plugged:x,y", '"y" is not a parameter'),
        ("plugged:x,rate=1,rate=2", '"rate=2" is given twice'),
        ("plugged:x,rate=fast", "want:  a number"),
        ("plugged:x,count=1.5", "want:  a whole number"),
        ("plugged:x,loud=maybe", "want:  true or false"),
        ("plugged:x,kind=c", "want:  one of a, b"),
        ("plugged:x,count=0", "count is at least 1"),
        ("command", 'needs "command"'),
        ("command:timeout=0,run", "timeout is out of range"),
        ("tiny:vocabulary=3", 'no parameter "vocabulary"'),
        ("hf:x,weights=3", 'no parameter "weights"'),
    ],
)
def test_one_message_for_what_is_not_right(plugged, text, says):
    with pytest.raises(SpecError) as error:
        parse_trainer(text)
    assert says in str(error.value)


def test_plug_ins_that_break_the_rules(plugged):
    assert trainer_names()[-1] == "plugged"
    plugged("tiny", "plugged_trainers:Plugged")
    with pytest.raises(RegistryError, match="takes the name of our trainer"):
        trainer_class("probe")
    plugged("broken", "no_such_module:X")
    with pytest.raises(RegistryError, match="cannot be loaded"):
        trainer_class("broken")
    plugged("other", "plugged_trainers:Other")
    with pytest.raises(RegistryError, match="is not a dataclass"):
        trainer_class("other")


@pytest.mark.parametrize("text", ["tiny:width=32", "probe", "command:echo hello"])
def test_trainers_travel_to_workers(text):
    made = parse_trainer(text)
    again = pickle.loads(pickle.dumps(made))
    assert again == made
    assert again.spec.hash == made.spec.hash
