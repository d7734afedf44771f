"""The sets of a comparison with what only their sources know: fields of the rows, and the cards that lie beside a file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from triptych.comparing.sides import Side
from triptych.core.errors import ReadError, SchemaError, message, nearest
from triptych.data import Dataset
from triptych.data.values import canonical
from triptych.selecting.fields import Columns, Wish

Texts = NDArray[np.object_]

CARDS = ("recipe.json", "world.json", "card.json")
"""Beside a data file, or in its folder; `NAME.recipe.json` beside `NAME.jsonl` goes first."""

SELECTION = ("selected.jsonl", "selection.json")
"""What `select` wrote, and what says how it was chosen."""


@dataclass(frozen=True, eq=False)
class Member:
    """One of the sets.

    Attributes:
        side: its records.
        fields: name in lower case to the values of all records as texts, None where missing.
        card: what a card beside the data says, key to canonical JSON; empty where there is none.
    """

    side: Side
    fields: Mapping[str, Texts]
    card: Mapping[str, str]

    @property
    def name(self) -> str:
        """Of the data set."""
        return self.side.name


def member(source: object, side: Side, names: Iterable[str], needed: Sequence[str]) -> Member:
    """Read the fields of a set that are called by these names (in any case), and its card.

    Args:
        source: what it was opened from.
        side: its records.
        names: of fields that are read where there are any.
        needed: of fields that must be there.

    Raises:
        SchemaError: a needed field is not there.
        ReadError: a card that is no JSON.
    """
    known = {str(name).lower(): str(name) for name in side.dataset.layout.known}
    for name in needed:
        if name.lower() not in known:
            near = nearest(name, known.values())
            what = f'{side.name}: no row has the field "{name}" (--match mix:{name}).'
            got = ", ".join(sorted(known.values()))
            raise SchemaError(message(what, got=got, hint=near and f"--match mix:{near}"))
    used = {field.lower() for field in side.dataset.layout.fields.used}
    wanted = {name for name in known if name in names and name not in used} | {name.lower() for name in needed}
    wishes = {name: Wish(known[name], field=known[name]) for name in sorted(wanted)}
    columns = Columns(source, side.dataset, side.store, wishes.values())
    return Member(side, {name: columns.texts(wish) for name, wish in wishes.items()}, read_card(side.dataset))


def read_card(dataset: Dataset) -> dict[str, str]:
    """What a card beside the data says, key to canonical JSON; empty where there is none.

    Raises:
        ReadError: it is no JSON object.
    """
    if dataset.path is None or dataset.path == "-":
        return {}
    path = Path(dataset.path)
    folder, stem = (path, "") if path.is_dir() else (path.parent, path.name.partition(".")[0])
    candidates = [folder / f"{stem}.{CARDS[0]}"] if stem else []
    candidates += [folder / SELECTION[1]] if path.name == SELECTION[0] else []
    candidates += [folder / name for name in CARDS]
    file = next((one for one in candidates if one.is_file()), None)
    if file is None:
        return {}
    try:
        document: Any = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ReadError(message(f"{file}: the card beside the data cannot be read.", got=str(error))) from error
    if not isinstance(document, dict):
        raise ReadError(message(f"{file}: the card beside the data is no object.", want="an object with named fields"))
    if file.name == SELECTION[1]:
        document = {"selection": {key: document.get(key) for key in ("policy", "budget", "limits")}}
    return {str(key): canonical(value) for key, value in document.items() if value is not None}
