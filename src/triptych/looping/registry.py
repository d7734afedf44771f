"""The registry of loop policies: a folder scan plus the entry-point group `triptych.loop_policies`.

A policy is asked for by name and parameters, `archive:push=1,explore=1.6`. A name taken twice raises and names both files;
a plug-in that cannot be loaded raises; a name not found gets a hint.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from triptych.core.errors import SpecError, message
from triptych.core.plugins import asked, build, by_name, classes_in, modules_of, plugged_in, unknown
from triptych.looping.policy import Policy

ENTRY_POINTS = "triptych.loop_policies"
FOLDER = "triptych.looping.policies"
KIND = "loop policy"


@cache
def policies() -> dict[str, type[Policy]]:
    """All policies there are, by name in alphabetical order: our own, and those of installed plug-ins.

    Raises:
        RegistryError: two have one name, or a plug-in cannot be loaded or is no policy.
    """
    own = [cls for module in modules_of(FOLDER) for cls in classes_in(module, Policy, "name")]  # type: ignore[type-abstract]
    plugged = plugged_in(ENTRY_POINTS, Policy, KIND)  # type: ignore[type-abstract]
    return dict(sorted(by_name([*own, *plugged], lambda cls: cls.name, KIND).items()))


def lookup_policy(name: str) -> type[Policy]:
    """The policy of this name.

    Raises:
        SpecError: there is none; the message hints at a near miss.
    """
    known = policies()
    if name not in known:
        raise unknown(KIND, name, known)
    return known[name]


def build_policy(name: str, params: Mapping[str, Any]) -> Policy:
    """A policy with these parameters; text is converted to the type of the parameter.

    Raises:
        SpecError: unknown name or parameter, or a value of the wrong kind or out of range.
    """
    return build(lookup_policy(name), KIND, name, params)


def parse_policy(text: str) -> Policy:
    """A policy from the form `name:param=value,param=value`.

    Raises:
        SpecError: as `build_policy`, or the form is not right.
    """
    name, _, rest = (part.strip() for part in text.partition(":"))
    lookup_policy(name)
    given: dict[str, str] = {}
    for piece in filter(None, (part.strip() for part in rest.split(","))):
        key, equals, value = (part.strip() for part in piece.partition("="))
        if not equals or key in given:
            what = f'{KIND} "{name}": "{piece}" is ' + ("given twice." if equals else "not a parameter.")
            raise SpecError(message(what, got=text, want="name:param=value,param=value"))
        given[key] = value
    return build_policy(name, given)


def policy_text(policy: Policy) -> str:
    """How the user asks for this policy: its name and the parameters that differ from their defaults."""
    return asked(policy.name, policy)
