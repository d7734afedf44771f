"""The registry of verifiers: a folder scan plus the entry-point group `triptych.verifiers`.

A verifier is asked for by name and parameters, `unit_tests:timeout=5,memory=256`. A name taken twice raises and names
both places; a plug-in that cannot be loaded raises; a name not found gets a hint.
"""

from __future__ import annotations

from functools import cache

from triptych.core.errors import SpecError, message, nearest
from triptych.core.plugins import asked, build, by_name, classes_in, modules_of, plugged_in
from triptych.verifiers.verifier import Verifier

ENTRY_POINTS = "triptych.verifiers"
FOLDER = "triptych.verifiers"


@cache
def verifiers() -> dict[str, type[Verifier]]:
    """All verifiers there are, by name in alphabetical order: our own, and those of installed plug-ins.

    Raises:
        RegistryError: two have one name, or a plug-in cannot be loaded or is no verifier.
    """
    base: type[Verifier] = Verifier  # type: ignore[type-abstract]
    own = [
        cls for module in modules_of(FOLDER, skip=("registry", "verifier")) for cls in classes_in(module, base, "name")
    ]
    found = by_name([*own, *plugged_in(ENTRY_POINTS, base, "verifier")], lambda cls: cls.name, "verifier")
    return dict(sorted(found.items()))


def is_verifier(text: str) -> bool:
    """Whether a text is in the form of a verifier by name: `name` or `name:param=value,..`, not `module:function`."""
    _, colon, rest = text.partition(":")
    return not colon or "=" in rest


def parse_verifier(text: str) -> Verifier:
    """A verifier from the command line's form, `name:param=value,param=value`.

    Raises:
        SpecError: unknown name or parameter, a value of the wrong kind or out of range, or the form is not right.
    """
    name, _, rest = (part.strip() for part in text.partition(":"))
    known = verifiers()
    if name not in known:
        near = nearest(name, known)
        want = "one of " + ", ".join(known) + ", or MODULE:FUNCTION of yours"
        raise SpecError(
            message(f'no verifier is named "{name}".', got=text, want=want, hint=near and f"verifier:{near}")
        )
    given: dict[str, str] = {}
    for piece in filter(None, (part.strip() for part in rest.split(","))):
        key, equals, value = (part.strip() for part in piece.partition("="))
        if not equals or key in given:
            what = f'verifier "{name}": "{piece}" is ' + ("given twice." if equals else "not a parameter.")
            raise SpecError(message(what, got=text, want="name:param=value,param=value"))
        given[key] = value
    return build(known[name], "verifier", name, given)


def verifier_text(verifier: Verifier) -> str:
    """How the user asks for this verifier: its name and the parameters that differ from their defaults."""
    return asked(verifier.name, verifier)
