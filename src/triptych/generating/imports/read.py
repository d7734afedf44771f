"""A file or folder of another tool, by what is in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from triptych.core.errors import ReadError, message
from triptych.generating.imports import (
    curator_responses,
    data_designer,
    distilabel_output,
    reasoning_gym_entries,
    verifiers_rollouts,
    verifiers_traces,
)
from triptych.generating.imports.imported import Imported

KINDS: Mapping[str, tuple[Callable[[Path], bool], Callable[[Path], Imported]]] = {
    one.KIND: (one.fits, one.read)
    for one in (
        data_designer,
        verifiers_rollouts,
        verifiers_traces,
        curator_responses,
        reasoning_gym_entries,
        distilabel_output,
    )
}
"""In the order in which they are tried: what is told by names of files goes before what is told by fields."""


def read_import(path: str | Path) -> Imported:
    """Read the finished set of another tool.

    Raises:
        ReadError: it is of no known kind, or cannot be read.
    """
    place = Path(path)
    read = next((read for fits, read in KINDS.values() if fits(place)), None)
    if read is None:
        want = "data.jsonl beside recipe.json, or the output of " + ", ".join(KINDS)
        raise ReadError(message(f"{place}: nothing says how this was made.", want=want))
    return read(place)
