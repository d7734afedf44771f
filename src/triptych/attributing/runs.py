"""Finished data sets as runs of recipes: where their records are, what made them, and what it cost."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from triptych.core.errors import ReadError, message
from triptych.generating.imports.imported import COSTS, NONE, PARTS, SCHEMA
from triptych.generating.imports.read import read_import

DATA, RECIPE = "data.jsonl", "recipe.json"
OWN = "triptych"
ASIDE = frozenset({"licence", "price", "key_env", "timeout", "concurrency", "retries", "patience"})
"""Keys of a recipe that say nothing about how its records came to be."""


@dataclass(frozen=True, eq=False)
class Run:
    """One finished data set.

    Attributes:
        name: for people.
        source: what `triptych.open_dataset` takes.
        path: as given.
        kind: "triptych", or the tool that made it.
        components: name to value, as far as known.
        unknown: those that are there but not known.
        seed: of the recipe, which tells replicates apart; None where it is not stated.
        kept, made: records in the set, and before filters; None where not stated.
        accepted: share of the records made that passed all filters.
        cost: name to number; a missing one is not known.
        notes: what a reader should know.
        grade: what the recipe grades records by, as in `recipe.json`; None where it names nothing.
        recipe: the document that was inferred, for other tools' sets; None for our own.
    """

    name: str
    source: object
    path: str
    kind: str
    components: Mapping[str, str]
    unknown: tuple[str, ...]
    seed: str | None = None
    kept: int | None = None
    made: int | None = None
    accepted: float | None = None
    cost: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    grade: Mapping[str, Any] | None = None
    recipe: Mapping[str, Any] | None = None


def read_run(path: str | Path, name: str | None = None) -> Run:
    """A folder with data.jsonl and recipe.json, or the output of another tool.

    Raises:
        ReadError: nothing there, or nothing says how it was made.
    """
    place = Path(path)
    if not place.exists():
        raise ReadError(message(f"{place}: no such file or folder.", want=f"a folder with {DATA} and {RECIPE}"))
    if place.is_file() and place.name == DATA and (place.parent / RECIPE).is_file():
        place = place.parent
    if place.is_dir() and (place / RECIPE).is_file():
        return _own(place, name or place.name or place.resolve().name)
    found = read_import(place)
    if not found.rows:
        raise ReadError(message(f"{place}: there is no record in it.", got=f"an output of {found.kind}"))
    document = found.recipe()
    return Run(
        name=name or place.stem or place.resolve().name,
        source=list(found.rows),
        path=str(path),
        kind=found.kind,
        components=found.components,
        unknown=found.unknown,
        kept=len(found.rows),
        cost=found.cost,
        notes=found.notes,
        recipe=document,
    )


def _own(folder: Path, name: str) -> Run:
    file, data = folder / RECIPE, folder / DATA
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ReadError(message(f"{file}: cannot be read.", got=str(error), want=SCHEMA)) from error
    schema = document.get("schema") if isinstance(document, dict) else type(document).__name__
    if schema != SCHEMA:
        raise ReadError(message(f"{file}: no recipe of a finished set.", got=str(schema), want=SCHEMA))
    if not data.is_file() or not data.stat().st_size:
        what = f"{folder}: there are no records beside {RECIPE}."
        raise ReadError(
            message(what, want=DATA, hint="triptych generate ends with at least one record, or says why not")
        )
    components = {str(key): str(value) for key, value in _table(document, "components").items() if value is not None}
    unknown = [str(one) for one in document.get("unknown") or () if not _aside(str(one))]
    counts, cost = _table(document, "counts"), _table(document, "cost")
    return Run(
        name=name,
        source=str(data),
        path=str(folder),
        kind=str(document.get("imported") or OWN),
        components={key: value for key, value in components.items() if key != "seed" and not _aside(key)},
        unknown=tuple(dict.fromkeys([*unknown, *(part for part in PARTS if _silent(part, components, unknown))])),
        seed=components.get("seed"),
        kept=_count(counts.get("kept")),
        made=_count(counts.get("made")),
        accepted=_accepted(counts),
        cost={key: float(cost[key]) for key in COSTS if isinstance(cost.get(key), (int, float))},
        notes=tuple(str(one) for one in document.get("notes") or ()),
        grade=_table(_table(document, "recipe"), "grade") or None,
    )


def _silent(part: str, components: Mapping[str, str], unknown: list[str]) -> bool:
    """Whether a main component is neither stated nor listed; a parameter that is not stated has its default."""
    return "." not in part and part not in components and part not in unknown


def _aside(name: str) -> bool:
    """Whether a key of a recipe says nothing about how the records came to be."""
    return name.rpartition(".")[2] in ASIDE or ".price" in name


def _accepted(counts: Mapping[str, Any]) -> float | None:
    """Of the records that all filters looked at, those that passed, whether there was room for them or not."""
    kept, made = _count(counts.get("kept")), _count(counts.get("made"))
    if kept is None or not made:
        return None
    over, unseen = _count(counts.get("over_budget")) or 0, _count(counts.get("not_looked_at")) or 0
    return min(1.0, (kept + over) / (made - unseen)) if made > unseen else None


def filled(runs: list[Run]) -> list[Mapping[str, str]]:
    """The components of all runs; a parameter that a complete recipe does not state is "none" where others state it."""
    names = dict.fromkeys(name for run in runs for name in run.components)
    return [
        {**({name: NONE for name in names if name not in run.unknown} if run.kind == OWN else {}), **run.components}
        for run in runs
    ]


def _table(document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = document.get(key)
    return found if isinstance(found, Mapping) else {}


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
