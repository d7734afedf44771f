"""From a recipe to files: a data set of a world with its test panels, and the document that can make them again."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import orjson

from triptych._version import __version__
from triptych.core.errors import MissingExtraError, UsageError, message, nearest
from triptych.core.profile import write_json, write_text
from triptych.profiling.output import claim
from triptych.worlds.registry import entries, load_world
from triptych.worlds.world import Dials, Row, World, words

SCHEMA = "triptych/world@1"
RECORDS = 2000
_PANELS = "panels"


@dataclass(frozen=True)
class Recipe:
    """Everything that a data set and its panels follow from.

    Attributes:
        world: its name.
        dials: what the data set is like.
        records: how many; None: `RECORDS`, or as many as `tokens` asks for.
        tokens: words of prompts and responses in all, instead of a number of records.
        block: names the order of the skills.
        seed: of the draw of data, and of the panels' inputs.
        panels: items of each panel; 0: no panels.
        id_skills: how many skills a depth count as in distribution; None: as many as the data set has. Data sets of one
            block that differ in the number of skills share panels made with the smallest number.
    """

    world: str
    dials: Dials = field(default_factory=Dials)
    records: int | None = None
    tokens: int | None = None
    block: str = "0"
    seed: int = 0
    panels: int = 200
    id_skills: int | None = None

    @classmethod
    def of(cls, world: str, **given: Any) -> Recipe:
        """A recipe from keywords: its own fields and those of `Dials`.

        Raises:
            UsageError: an unknown name, or records and tokens both.
        """
        of_dials = [item.name for item in fields(Dials)]
        own = [item.name for item in fields(cls) if item.name not in ("world", "dials")]
        for name in given:
            if name not in (*own, *of_dials):
                known = [*own, *of_dials]
                hint = nearest(name, known)
                raise UsageError(message(f'a world has no setting "{name}".', want=", ".join(known), hint=hint))
        if given.get("records") is not None and given.get("tokens") is not None:
            raise UsageError(message("records and tokens exclude each other.", want="one of them"))
        dials = {name: given.pop(name) for name in of_dials if name in given}
        return cls(world, Dials(**dials), **given)

    def to_json(self) -> dict[str, Any]:
        """Strict JSON values, flat; `of_json` reads them."""
        values = {**asdict(self), **asdict(self.dials)}
        del values["dials"]
        depths = {str(depth): share for depth, share in self.dials.depths.items()}
        return values | {"depths": depths, "errors": list(self.dials.errors)}

    @classmethod
    def of_json(cls, values: Mapping[str, Any]) -> Recipe:
        """The recipe of the field `recipe` of a `world.json`."""
        depths = {int(depth): share for depth, share in values["depths"].items()}
        return cls.of(**{**values, "depths": depths, "errors": tuple(values["errors"])})


@dataclass(frozen=True)
class Made:
    """What a recipe gives: the rows of the data set, and those of each panel."""

    recipe: Recipe
    rows: list[Row]
    panels: dict[str, list[Row]]

    def to_json(self) -> dict[str, Any]:
        """The document of `world.json`."""
        text = _lines(self.rows)
        return {
            "schema": SCHEMA,
            "world": self.recipe.world,
            "title": load_world(self.recipe.world).title,
            "recipe": self.recipe.to_json(),
            "data": {"file": "data.jsonl", "sha256": hashlib.sha256(text.encode()).hexdigest(), **_counts(self.rows)},
            "panels": {
                name: {"file": f"{_PANELS}/{name}.jsonl", **_counts(rows)} for name, rows in self.panels.items()
            },
            "provenance": {"version": __version__},
        }

    def save(self, folder: Path) -> None:
        """Write `data.jsonl`, `panels/NAME.jsonl` and, last, `world.json`; panels of an earlier result go.

        Raises:
            OutputError: the folder holds something else.
        """
        document = claim(folder, beside=(_PANELS,), own=("data.jsonl", "world.json")) / "world.json"
        earlier = _panel_files(document)
        write_text(folder / "data.jsonl", _lines(self.rows))
        for name, rows in self.panels.items():
            write_text(folder / _PANELS / f"{name}.jsonl", _lines(rows))
        write_json(document, self.to_json())
        for name in earlier - self.panels.keys():
            (folder / _PANELS / f"{name}.jsonl").unlink(missing_ok=True)


def make(recipe: Recipe) -> Made:
    """The data set and the panels of a recipe; the same each time.

    Raises:
        SpecError: no world has this name, or a dial is out of range.
        MissingExtraError: the world needs a package that is not installed.
    """
    world = load_world(recipe.world)
    rows = world.data(
        recipe.dials,
        recipe.records if recipe.records is not None else RECORDS,
        recipe.block,
        recipe.seed,
        recipe.tokens,
    )
    if recipe.panels == 0:
        return Made(recipe, rows, {})
    skills = recipe.dials.skills if recipe.id_skills is None else recipe.id_skills
    return Made(recipe, rows, world.panels(recipe.block, recipe.seed, recipe.panels, skills, recipe.dials.forms))


def describe_worlds() -> list[dict[str, Any]]:
    """All worlds: name, title, extra, number of skills by depth, surface forms, kinds of error, panels.

    A world whose extra is not installed tells no more than name, title and extra.
    """
    return [_described(load_world(name)) for name in entries()]


def _described(world: World) -> dict[str, Any]:
    about = {"name": world.name, "title": world.title, "extra": world.extra, "depths": list(world.depths)}
    try:
        skills = Counter(skill.depth for skill in world.skills)
        held = {depth: len(world.held_out(depth)) for depth in world.depths}
        panels = list(world.panel_names)
    except MissingExtraError:
        return {
            **about,
            "skills": None,
            "held_out": None,
            "forms": None,
            "held_forms": None,
            "errors": None,
            "panels": None,
        }
    return {
        **about,
        "skills": {str(depth): count for depth, count in sorted(skills.items())},
        "held_out": {str(depth): count for depth, count in held.items()},
        "forms": world.forms,
        "held_forms": world.held_forms,
        "errors": list(world.errors),
        "panels": panels,
    }


def _counts(rows: list[Row]) -> dict[str, Any]:
    """What is in the rows: records, words, right ones, records and different skills by depth, forms, kinds of error."""
    depths = Counter(row["depth"] for row in rows)
    skills = Counter(depth for depth, _ in {(row["depth"], row["skeleton"]) for row in rows})
    errors = Counter(row["error"] for row in rows if row["error"] is not None)
    return {
        "records": len(rows),
        "tokens": sum(map(words, rows)),
        "right": sum(row["correct"] for row in rows),
        "depths": {str(depth): depths[depth] for depth in sorted(depths)},
        "skills": {str(depth): skills[depth] for depth in sorted(skills)},
        "forms": len({row["form"] for row in rows}),
        "errors": dict(sorted(errors.items())),
    }


def _lines(rows: Iterable[Row]) -> str:
    return "".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE).decode() for row in rows)


def _panel_files(document: Path) -> set[str]:
    """Names of the panels of an earlier result, as its own document lists them."""
    try:
        return set(json.loads(document.read_text(encoding="utf-8"))["panels"])
    except (OSError, ValueError, KeyError, TypeError):
        return set()
