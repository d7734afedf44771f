"""The registry of measures: a folder scan plus the entry-point group `triptych.measures`.

A name taken twice raises and names both files. A name not found gets a hint.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterable
from functools import cache
from importlib.metadata import entry_points
from types import ModuleType

from triptych.core.errors import RegistryError, SpecError, message, nearest
from triptych.core.measure import AXES, Measure, build

ENTRY_POINTS = "triptych.measures"
FOLDER = "triptych.measures"


def scan(package: str) -> list[type[Measure]]:
    """All measures defined in the modules of a package, in order of module name."""
    root = importlib.import_module(package)
    found: list[type[Measure]] = []
    for info in sorted(pkgutil.walk_packages(root.__path__, package + "."), key=lambda info: info.name):
        found += measures_in(importlib.import_module(info.name))
    return found


def measures_in(module: ModuleType) -> list[type[Measure]]:
    """The measures that a module itself defines."""
    return [
        item
        for item in vars(module).values()
        if inspect.isclass(item)
        and issubclass(item, Measure)
        and item.__module__ == module.__name__
        and "about" in vars(item)
    ]


def collect(classes: Iterable[type[Measure]]) -> dict[str, type[Measure]]:
    """Name to class, ordered by axis and name.

    Raises:
        RegistryError: two classes have one name.
    """
    known: dict[str, type[Measure]] = {}
    for cls in classes:
        other = known.setdefault(cls.about.name, cls)
        if other is not cls:
            raise RegistryError(
                message(
                    f'two measures are named "{cls.about.name}".',
                    got=f"{other.__module__}.{other.__qualname__} and {cls.__module__}.{cls.__qualname__}",
                    want="one name for one measure",
                    hint="rename one of them, or uninstall the plug-in that brings it",
                )
            )
    return dict(sorted(known.items(), key=lambda item: (AXES.index(item[1].about.axis), item[0])))


@cache
def measures() -> dict[str, type[Measure]]:
    """All measures there are: our own, then those of installed plug-ins."""
    return collect([*scan(FOLDER), *_plugged_in()])


def _plugged_in() -> list[type[Measure]]:
    found = []
    for entry in entry_points(group=ENTRY_POINTS):
        try:
            item = entry.load()
        except Exception as error:
            raise RegistryError(f"plug-in {entry.name} ({entry.value}) cannot be loaded: {error}") from error
        if not (inspect.isclass(item) and issubclass(item, Measure)):
            raise RegistryError(f"plug-in {entry.name} ({entry.value}) is not a measure class")
        found.append(item)
    return found


def lookup(name: str) -> type[Measure]:
    """The measure of this name.

    Raises:
        SpecError: there is none; the message hints at a near miss.
    """
    known = measures()
    if name in known:
        return known[name]
    near = nearest(name, known)
    raise SpecError(
        message(
            f'no measure is named "{name}".',
            got=name,
            want="one of those in `triptych list`",
            hint=near or "triptych list",
        )
    )


def parse(requests: Iterable[str]) -> list[Measure]:
    """Measures from the command line's form: `vendi:q=1,vendi:q=2,distinct_n:n=3,on=prompt`.

    A piece without a known name before its `=` is a parameter of the measure before it.

    Raises:
        SpecError: unknown name or parameter, or a value that does not fit.
    """
    wanted: list[tuple[str, dict[str, str]]] = []
    for piece in (part.strip() for request in requests for part in request.split(",")):
        if not piece:
            continue
        parameter = piece
        if ":" in piece.partition("=")[0] or "=" not in piece:
            name, _, parameter = piece.partition(":")
            wanted.append((name, {}))
        if not parameter:
            continue
        key, equals, value = parameter.partition("=")
        if not equals or not wanted or key in wanted[-1][1]:
            what = "is given twice" if equals and wanted else "is not a parameter"
            raise SpecError(message(f'"{parameter}" {what}.', want="name:param=value", hint="vendi:q=2"))
        wanted[-1][1][key] = value
    if not wanted:
        raise SpecError(message("no measure is named.", want="--measures name:param=value,..", hint="triptych list"))
    made = [build(lookup(name), params) for name, params in wanted]
    return list({measure.spec.hash: measure for measure in made}.values())
