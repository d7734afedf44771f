"""Trainers by name, from the command line's form.

    tiny:epochs=20,width=64           name:param=value,..
    hf:PATH,lora=8,epochs=1           a first piece without `=` is the model
    probe:encoder=static
    command:./train.py --flag         the rest of the line is the user's command
    command:timeout=600,./train.py    with parameters before it

Others come through the entry-point group `triptych.trainers`: a class that is a frozen dataclass and a `Trainer`. A class
may say in `ARGUMENT` which parameter is given without its name, and in `VERBATIM` that this one is all the rest.
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import Any

from triptych.core import plugins
from triptych.core.errors import RegistryError, SpecError, message
from triptych.studies.trainers.trainer import Trainer

ENTRY_POINTS = "triptych.trainers"

TRAINERS: Mapping[str, str] = {
    "tiny": "triptych.studies.trainers.tiny:Tiny",
    "hf": "triptych.studies.trainers.hf:HuggingFace",
    "probe": "triptych.studies.trainers.probe:Probe",
    "command": "triptych.studies.trainers.command:Command",
}


def trainer_names() -> tuple[str, ...]:
    """Names of all trainers there are: our own, then those of installed plug-ins."""
    return (*TRAINERS, *(name for name in _plugged_in() if name not in TRAINERS))


def trainer_class(name: str) -> type[Trainer]:
    """The trainer of this name; its module is imported now.

    Raises:
        SpecError: there is none; the message hints at a near miss.
        RegistryError: a plug-in takes one of our names, cannot be loaded, or is no trainer.
    """
    plugged = _plugged_in()
    taken = sorted(set(plugged) & set(TRAINERS))
    if taken:
        what = f'plug-in {plugged[taken[0]]} takes the name of our trainer "{taken[0]}".'
        raise RegistryError(message(what, want="a name of its own", hint="rename its entry point, or uninstall it"))
    if name not in TRAINERS and name not in plugged:
        raise plugins.unknown("trainer", name, [*TRAINERS, *plugged])
    place = TRAINERS.get(name) or plugged[name]
    module, _, attribute = place.partition(":")
    try:
        found: Any = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise RegistryError(f"trainer {name} ({place}) cannot be loaded: {error}") from error
    fits: bool = inspect.isclass(found) and issubclass(found, Trainer) and dataclasses.is_dataclass(found)
    if not fits:
        raise RegistryError(f"trainer {name} ({place}) is not a dataclass that is a Trainer")
    trainer: type[Trainer] = found
    return trainer


def parse_trainer(text: str) -> Trainer:
    """A trainer from the command line's form; see the module's text.

    Raises:
        SpecError: unknown name or parameter, or a value that does not fit.
    """
    name, _, rest = text.strip().partition(":")
    cls = trainer_class(name)
    argument, given = getattr(cls, "ARGUMENT", None), {}
    fields = plugins.parameters(cls)
    while rest:
        piece, comma, after = rest.partition(",")
        key, equals, value = piece.partition("=")
        key = key.strip()
        if argument and argument not in given and not (equals and _is_parameter(cls, key, fields)):
            verbatim = getattr(cls, "VERBATIM", False)
            given[argument] = rest.strip() if verbatim else piece.strip()
            rest = "" if verbatim else after
            continue
        if not equals or key in given:
            what = f'trainer "{name}": "{piece}" is ' + ("given twice." if equals else "not a parameter.")
            raise SpecError(message(what, got=text, want=f"{name}:param=value,.."))
        given[key] = value.strip()
        rest = after
        if comma and not after.strip():
            break
    return build_trainer(name, given)


def build_trainer(name: str, params: Mapping[str, Any]) -> Trainer:
    """A trainer with these parameters; text is converted to the type of the parameter.

    Raises:
        SpecError: unknown name or parameter, a value of the wrong kind or out of range, or one that is needed and missing.
    """
    return plugins.build(trainer_class(name), "trainer", name, params)


def _plugged_in() -> dict[str, str]:
    return {entry.name: entry.value for entry in entry_points(group=ENTRY_POINTS)}


def _is_parameter(cls: type[Trainer], key: str, fields: Mapping[str, Any]) -> bool:
    """Whether `key=` begins a parameter. In a user's command only a known name does: its own words hold `=` too."""
    return key in fields if getattr(cls, "VERBATIM", False) else key.isidentifier()
