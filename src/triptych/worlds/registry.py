"""The worlds there are: our own, and those that plug-ins bring through the entry-point group `triptych.worlds`.

A world is loaded when it is asked for by name. A name taken twice raises; a name not found gets a hint.
"""

from __future__ import annotations

import inspect
from functools import cache
from importlib.metadata import EntryPoint, entry_points

from triptych.core.errors import RegistryError
from triptych.core.plugins import taken_twice, unknown
from triptych.worlds.world import World

GROUP = "triptych.worlds"

OWN = {
    "programs": "triptych.worlds.programs:Programs",
    "rewriting": "triptych.worlds.rewriting:Rewriting",
    "procedural": "triptych.worlds.procedural:Procedural",
}
"""Name to module:class."""


@cache
def entries() -> dict[str, EntryPoint]:
    """Name to where the world is: our own first, then plug-ins by name.

    Raises:
        RegistryError: two worlds have one name.
    """
    found = {name: EntryPoint(name, target, GROUP) for name, target in OWN.items()}
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
        other = found.setdefault(entry.name, entry)
        if other is not entry:
            raise taken_twice("world", entry.name, other.value, entry.value)
    return found


@cache
def load_world(name: str) -> World:
    """The world of this name; the same object each time, for a world keeps its skills and nothing of its use.

    Raises:
        SpecError: there is none; the message hints at a near miss.
        RegistryError: a plug-in's world cannot be loaded, or is none.
    """
    known = entries()
    if name not in known:
        raise unknown("world", name, known)
    entry = known[name]
    try:
        item = entry.load()
    except (ImportError, AttributeError) as error:
        raise RegistryError(f"world {name} ({entry.value}) cannot be loaded: {error}") from error
    if not (inspect.isclass(item) and issubclass(item, World) and not inspect.isabstract(item)):
        raise RegistryError(f"world {name} ({entry.value}) is not a World class")
    if item.name != name:
        raise RegistryError(f'world {name} ({entry.value}) calls itself "{item.name}"')
    return item()
