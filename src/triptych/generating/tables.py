"""Tables of a recipe read into components and sections, with a hint for what is nearly right."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from triptych.core.errors import SpecError, message, nearest
from triptych.core.plugins import converted, parameters
from triptych.generating.ask import Price, Writer
from triptych.generating.registry import KINDS, Part, lookup, make

Section = TypeVar("Section")


def part(base: type[Part], given: Any, where: str, folder: Path) -> Part:
    """A component of a table; a writer's files are looked for in the folder.

    Raises:
        SpecError: there is none of this name, or a parameter is not right.
    """
    mark = KINDS[base][2]
    own = {key: value for key, value in table(given, where).items() if value is not None}
    if mark not in own:
        raise SpecError(message(f"recipe: {where} has no {mark}.", want=f'{mark} = "NAME"'))
    name = converted(f"recipe: {where}", mark, own.pop(mark), str)
    cls = lookup(base, name)
    known: Mapping[str, Any] = parameters(cls)
    for key in own:
        if key not in known:
            raise unknown(where, key, (mark, *known), f", {KINDS[base][0]} {name},")
    if isinstance(own.get("price"), Mapping):
        own["price"] = _price(own["price"], where)
    made = make(base, name, own)
    return made.beside(folder) if isinstance(made, Writer) else made  # type: ignore[return-value]


def _price(given: Mapping[str, Any], where: str) -> Price:
    price = section(Price, given, f"{where} price")
    if min(price.prompt, price.completion) < 0:
        raise SpecError(message(f"recipe: {where} price is out of range.", got=str(dict(given)), want="0 or more"))
    return price


def section(cls: type[Section], given: Any, where: str) -> Section:
    """A section of plain values."""
    hints = get_type_hints(cls)
    own = {key: value for key, value in table(given, where).items() if value is not None}
    for key in own:
        if key not in hints:
            raise unknown(where, key, hints)
    return cls(**{key: _converted(where, key, value, hints[key]) for key, value in own.items()})


def _converted(where: str, key: str, value: Any, kind: Any) -> Any:
    if key == "map":
        pairs = table(value, f"{where} map")
        return {role: converted(f"recipe: {where} map", role, name, str) for role, name in pairs.items()}
    return value if isinstance(value, Writer) else converted(f"recipe: {where}", key, value, kind)


def table(value: Any, where: str) -> dict[str, Any]:
    """A table as a dict of its own.

    Raises:
        SpecError: it is none.
    """
    if not isinstance(value, Mapping):
        raise SpecError(message(f"recipe: {where} is not right.", got=str(value), want=f"a table {where}"))
    return dict(value)


def tables(value: Any) -> Sequence[Any]:
    """A list of tables, which `part` looks at.

    Raises:
        SpecError: it is no list.
    """
    if isinstance(value, Mapping) or not isinstance(value, (list, tuple)):
        raise SpecError(message("recipe: the filters are not right.", got=str(value), want="tables [[filters]]"))
    return value


def unknown(where: str, key: str, known: Iterable[str], of: str = "") -> SpecError:
    """The error of a key that a table does not have, with the nearest that it has."""
    names = list(known)
    what = f'recipe: {where}{of} has no key "{key}".' if where else f'recipe: there is no key "{key}".'
    return SpecError(message(what, got=key, want=", ".join(names), hint=nearest(key, names)))
