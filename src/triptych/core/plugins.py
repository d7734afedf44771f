"""What the registries share: classes from a folder and from plug-ins, unknown names, parameters from text.

A registry of measures, policies, trainers or worlds says what it holds and what a name means; the rules are the same:
a name taken twice raises and names both, a plug-in that cannot be loaded raises, a name not found gets a hint.
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import operator
import pkgutil
import types
from collections.abc import Callable, Collection, Iterable, Mapping
from importlib.metadata import entry_points
from types import ModuleType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from triptych.core.errors import RegistryError, SpecError, message, nearest

T = TypeVar("T")


def modules_of(package: str, skip: Collection[str] = ()) -> list[ModuleType]:
    """The modules of a package and of the packages in it, by name.

    Args:
        package: dotted name.
        skip: last names of modules that hold nothing; those that begin with `_` never do.
    """
    root = importlib.import_module(package)
    names = sorted(info.name for info in pkgutil.walk_packages(root.__path__, package + "."))
    last = {name: name.rpartition(".")[2] for name in names}
    return [importlib.import_module(name) for name in names if last[name] not in skip and last[name][0] != "_"]


def classes_in(module: ModuleType, base: type[T], mark: str) -> list[type[T]]:
    """The classes below `base` that a module itself defines, and that say what they are in the attribute `mark`."""
    return [
        item
        for item in vars(module).values()
        if inspect.isclass(item)
        and issubclass(item, base)
        and item.__module__ == module.__name__
        and mark in vars(item)
    ]


def plugged_in(group: str, base: type[T], kind: str) -> list[type[T]]:
    """The classes that installed packages bring through an entry-point group.

    Raises:
        RegistryError: one cannot be loaded, or is no class below `base`.
    """
    found = []
    for entry in entry_points(group=group):
        try:
            item = entry.load()
        except Exception as error:
            raise RegistryError(f"plug-in {entry.name} ({entry.value}) cannot be loaded: {error}") from error
        if not (inspect.isclass(item) and issubclass(item, base)) or inspect.isabstract(item):
            raise RegistryError(f"plug-in {entry.name} ({entry.value}) is not a {kind} class")
        found.append(item)
    return found


def by_name(classes: Iterable[type[T]], name: Callable[[type[T]], str], kind: str) -> dict[str, type[T]]:
    """Name to class, in the order given.

    Raises:
        RegistryError: two classes have one name.
    """
    known: dict[str, type[T]] = {}
    for cls in classes:
        other = known.setdefault(name(cls), cls)
        if other is not cls:
            raise taken_twice(kind, name(cls), *(f"{each.__module__}.{each.__qualname__}" for each in (other, cls)))
    return known


def taken_twice(kind: str, name: str, one: str, other: str) -> RegistryError:
    """The error of two things with one name, of which both places are named."""
    plural = kind[:-1] + "ies" if kind.endswith("y") else kind + "s"
    return RegistryError(
        message(
            f'two {plural} are named "{name}".',
            got=f"{one} and {other}",
            want=f"one name for one {kind}",
            hint="rename one of them, or uninstall the plug-in that brings it",
        )
    )


def unknown(kind: str, name: str, known: Iterable[str], *, want: str | None = None, hint: str = "") -> SpecError:
    """The error of a name that nothing has, with the nearest that something has.

    Args:
        kind: of thing, in one word.
        name: as asked.
        known: the names there are.
        want: in words; None: all names are listed.
        hint: what to try when no name is near.
    """
    names = list(known)
    want = want or "one of " + ", ".join(names)
    return SpecError(message(f'no {kind} is named "{name}".', got=name, want=want, hint=nearest(name, names) or hint))


def parameters(cls: type) -> dict[str, Any]:
    """Parameters that a user sets, with their types: the fields of the dataclass but those that are fitted later."""
    hints = get_type_hints(cls)
    fields = dataclasses.fields(cls)
    return {field.name: hints[field.name] for field in fields if field.init and not field.metadata.get("fitted")}


def build(cls: type[T], kind: str, name: str, params: Mapping[str, Any], hint: str | None = None) -> T:
    """An instance with these parameters; text is converted to the type of the parameter.

    A class may say in `ARGUMENT` which parameter is given without its name.

    Args:
        cls: a dataclass.
        kind: of thing, in one word.
        name: of the thing, as asked.
        params: name to value.
        hint: what to try when no parameter is near.

    Raises:
        SpecError: unknown parameter, a value of the wrong kind or out of range, or one that is needed and missing.
    """
    fields = parameters(cls)
    given: dict[str, Any] = {}
    for key, value in params.items():
        if key not in fields:
            near = nearest(key, fields)
            what = f'{kind} "{name}" has no parameter "{key}".'
            want = "one of " + ", ".join(fields) if fields else "no parameters"
            tried = f"{name}:{near}={value}" if near else hint
            raise SpecError(message(what, got=f"{key}={value}", want=want, hint=tried))
        given[key] = converted(f'{kind} "{name}"', key, value, fields[key])
    for field in dataclasses.fields(cls):  # type: ignore[arg-type]
        bare = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        if bare and field.name in fields and field.name not in given:
            form = field.name.upper() if field.name == getattr(cls, "ARGUMENT", None) else f"{field.name}=.."
            raise SpecError(message(f'{kind} "{name}" needs "{field.name}".', want=f"{name}:{form}", hint=hint))
    try:
        return cls(**given)
    except (ValueError, TypeError) as error:
        raise SpecError(f'{kind} "{name}": {error}') from error


_WORDS = {"true": True, "false": False, "yes": True, "no": False, "1": True, "0": False}
_KINDS: Mapping[Any, str] = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}


def converted(owner: str, key: str, value: Any, kind: Any) -> Any:
    """A value as the type of its parameter: from text, or as it is when it has that type.

    Args:
        owner: whose parameter it is, for the message.
        key: name of the parameter.
        value: text or a JSON value.
        kind: the annotation: bool, int, float, str, Literal, or a union of them; anything else is not looked at.

    Raises:
        SpecError: it does not fit.
    """
    try:
        return _convert(value, kind)
    except (ValueError, KeyError, TypeError):
        words = [str(word) for word in get_args(kind)] if get_origin(kind) is Literal else []
        near = nearest(str(value), words)
        what = f'{owner}: parameter "{key}" is not right.' + (f' Did you mean "{near}"?' if near else "")
        raise SpecError(message(what, got=str(value), want=_wanted(kind))) from None


def _convert(value: Any, kind: Any) -> Any:
    """As `converted`; raises ValueError, KeyError or TypeError."""
    if get_origin(kind) is Literal:
        return {str(word): word for word in get_args(kind)}[str(value)]
    if get_origin(kind) in (Union, types.UnionType):
        return _convert_one_of(value, get_args(kind))
    text = isinstance(value, str)
    if kind is bool:
        return _WORDS[value.lower()] if text else {True: True, False: False}[value]
    if kind is int:
        return int(value) if text else operator.index(value)
    if kind is float:
        return float(value)
    if kind is str:
        return {value: value}[str(value)]
    return value


def _convert_one_of(value: Any, kinds: tuple[Any, ...]) -> Any:
    """The value as the first kind that it fits; any text fits `str`, so that is tried last."""
    none = value is None or (isinstance(value, str) and value.lower() in ("none", "null"))
    if type(None) in kinds and none:
        return None
    for kind in sorted((kind for kind in kinds if kind is not type(None)), key=lambda kind: kind is str):
        try:
            return _convert(value, kind)
        except (ValueError, KeyError, TypeError):
            continue
    raise ValueError(value)


def _wanted(kind: Any) -> str:
    """What fits a parameter, in words."""
    if get_origin(kind) is Literal:
        return "one of " + ", ".join(map(str, get_args(kind)))
    if get_origin(kind) in (Union, types.UnionType):
        return " or ".join(_wanted(each) for each in get_args(kind))
    return "none" if kind is type(None) else _KINDS.get(kind, "another value")


def asked(name: str, thing: Any) -> str:
    """How the user asks for it: `name:param=value,..` with the parameters that differ from their defaults."""
    changed = [
        f"{field.name}={_text(getattr(thing, field.name))}"
        for field in dataclasses.fields(thing)
        if field.init and getattr(thing, field.name) != field.default
    ]
    return name + (":" + ",".join(changed) if changed else "")


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    short = f"{value:g}" if isinstance(value, float) else str(value)
    return short if not isinstance(value, float) or float(short) == value else repr(value)
