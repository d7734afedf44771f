"""The registries of writers, methods, searches and filters: folder scans plus entry-point groups of the same names.

A name taken twice raises and names both files; a plug-in that cannot be loaded raises; a name not found gets a hint.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar

from triptych.core.plugins import build, by_name, classes_in, modules_of, plugged_in, unknown
from triptych.generating.ask import Filter, Method, Search, Writer

Part = TypeVar("Part", bound=Writer | Method | Search | Filter)

KINDS: Mapping[type, tuple[str, str, str]] = {
    Writer: ("writer", "writers", "kind"),
    Method: ("generation method", "methods", "name"),
    Search: ("search", "searches", "name"),
    Filter: ("filter", "filters", "name"),
}
"""Base class to what it is called, the folder and group it is found in, and the attribute that holds its name."""


@cache
def known(base: type[Part]) -> dict[str, type[Part]]:
    """All components of a kind, by name in alphabetical order: our own, and those of installed plug-ins.

    Raises:
        RegistryError: two have one name, or a plug-in cannot be loaded or is no such component.
    """
    kind, folder, mark = KINDS[base]
    own: list[type[Part]] = [
        cls for module in modules_of(f"triptych.generating.{folder}") for cls in classes_in(module, base, mark)
    ]
    plugged: list[type[Part]] = plugged_in(f"triptych.{folder}", base, kind)
    return dict(sorted(by_name([*own, *plugged], lambda cls: str(getattr(cls, mark)), kind).items()))


def lookup(base: type[Part], name: str) -> type[Part]:
    """The component of this name.

    Raises:
        SpecError: there is none; the message hints at a near miss.
    """
    there: Mapping[str, type[Part]] = known(base)  # type: ignore[arg-type]
    if name not in there:
        raise unknown(KINDS[base][0], name, there)
    return there[name]


def make(base: type[Part], name: str, params: Mapping[str, Any]) -> Part:
    """A component with these parameters; text is converted to the type of the parameter.

    Raises:
        SpecError: unknown name or parameter, or a value of the wrong kind or out of range.
    """
    return build(lookup(base, name), KINDS[base][0], name, params)
