"""The registry of measures: a folder scan plus the entry-point group `triptych.measures`.

A name taken twice raises and names both files. A name not found gets a hint.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from types import ModuleType

from triptych.core.errors import SpecError, message
from triptych.core.measure import AXES, Measure, build
from triptych.core.plugins import by_name, classes_in, modules_of, plugged_in, unknown

ENTRY_POINTS = "triptych.measures"
FOLDER = "triptych.measures"


def measures_in(module: ModuleType) -> list[type[Measure]]:
    """The measures that a module itself defines."""
    return classes_in(module, Measure, "about")  # type: ignore[type-abstract]


def collect(classes: Iterable[type[Measure]]) -> dict[str, type[Measure]]:
    """Name to class, ordered by axis and name.

    Raises:
        RegistryError: two classes have one name.
    """
    known = by_name(classes, lambda cls: cls.about.name, "measure")
    return dict(sorted(known.items(), key=lambda item: (AXES.index(item[1].about.axis), item[0])))


@cache
def measures() -> dict[str, type[Measure]]:
    """All measures there are: our own, then those of installed plug-ins."""
    own = [cls for module in modules_of(FOLDER) for cls in measures_in(module)]
    return collect([*own, *plugged_in(ENTRY_POINTS, Measure, "measure")])  # type: ignore[type-abstract]


def lookup(name: str) -> type[Measure]:
    """The measure of this name.

    Raises:
        SpecError: there is none; the message hints at a near miss.
    """
    known = measures()
    if name not in known:
        raise unknown("measure", name, known, want="one of those in `triptych list`", hint="triptych list")
    return known[name]


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
