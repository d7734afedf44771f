"""The registry of policies: a folder scan plus the entry-point group `triptych.selectors`.

A policy is asked for by name and parameters, `balanced:quality=0.8,complexity=as-is`. A name taken twice raises and names
both files; a plug-in that cannot be loaded raises; a name not found gets a hint.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import ModuleType
from typing import Any

from triptych.core.errors import RegistryError, SpecError, message
from triptych.core.plugins import asked, build, by_name, classes_in, modules_of, plugged_in, unknown
from triptych.core.selector import Selector

ENTRY_POINTS = "triptych.selectors"
FOLDER = "triptych.selectors"


@cache
def selectors() -> dict[str, type[Selector]]:
    """All policies there are, by name in alphabetical order: our own, and those of installed plug-ins.

    Raises:
        RegistryError: two have one name, or a plug-in cannot be loaded or is no policy.
    """
    own = [cls for module in modules_of(FOLDER, skip=("registry",)) for cls in selectors_in(module)]
    plugged = plugged_in(ENTRY_POINTS, Selector, "policy")  # type: ignore[type-abstract]
    return dict(sorted(by_name([*own, *plugged], lambda cls: cls.name, "policy").items()))


def selectors_in(module: ModuleType) -> list[type[Selector]]:
    """The policies that a module itself defines: the classes with a name."""
    return classes_in(module, Selector, "name")  # type: ignore[type-abstract]


def lookup_policy(name: str) -> type[Selector]:
    """The policy of this name.

    Raises:
        SpecError: there is none; the message hints at a near miss.
    """
    known = selectors()
    if name not in known:
        raise unknown("policy", name, known, hint="triptych list --policies")
    return known[name]


def build_policy(name: str, params: Mapping[str, Any]) -> Selector:
    """A policy with these parameters; text is converted to the type of the parameter.

    Raises:
        SpecError: unknown name or parameter, a value of the wrong kind or out of range, or one that is needed and missing.
    """
    return build(lookup_policy(name), "policy", name, params, f"triptych explain {name}")


def parse_policy(text: str) -> Selector:
    """A policy from the command line's form, `name:param=value,param=value`.

    Raises:
        SpecError: as `build_policy`, or the form is not right.
    """
    name, _, rest = text.strip().partition(":")
    lookup_policy(name.strip())
    given: dict[str, str] = {}
    for piece in filter(None, (part.strip() for part in rest.split(","))):
        key, equals, value = (part.strip() for part in piece.partition("="))
        if not equals or key in given:
            what = f'policy "{name}": "{piece}" is ' + ("given twice." if equals else "not a parameter.")
            raise SpecError(
                message(what, got=text, want="name:param=value,param=value", hint=f"triptych explain {name}")
            )
        given[key] = value
    return build_policy(name.strip(), given)


def policy_text(policy: Selector) -> str:
    """How the user asks for this policy: its name and the parameters that differ from their defaults."""
    return asked(policy.name, policy)


def example_of(cls: type[Selector]) -> Selector:
    """A policy of this class: at its defaults, or where a parameter must be given, as its sweep begins.

    Raises:
        RegistryError: it has neither.
    """
    try:
        return cls()
    except (TypeError, ValueError) as error:
        if not cls.sweep:
            raise RegistryError(f"policy {cls.name} has no sweep, and no defaults that make one: {error}") from error
        return build(cls, "policy", cls.name, cls.sweep[0])
