"""Generators by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from triptych.core.plugins import build, unknown
from triptych.looping.generators.base import Generator
from triptych.looping.generators.command import CommandGenerator
from triptych.looping.generators.endpoint import EndpointGenerator
from triptych.looping.generators.self_writing import SelfWriting

GENERATORS: Mapping[str, type[Generator]] = {
    cls.name: cls for cls in (SelfWriting, EndpointGenerator, CommandGenerator)
}


def build_generator(name: str, params: Mapping[str, Any]) -> Generator:
    """The generator of this name with these parameters; text is converted to the type of the parameter.

    Raises:
        SpecError: unknown name or parameter, a value that does not fit, or one that is needed and missing.
    """
    if name not in GENERATORS:
        raise unknown("generator", name, GENERATORS)
    return build(GENERATORS[name], "generator", name, params)
