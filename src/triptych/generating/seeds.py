"""The seeds of a recipe, read by the library's own readers, and the licences that come with them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from triptych.core.errors import SchemaError, message
from triptych.core.rng import stream
from triptych.data import ReadOptions, open_dataset
from triptych.generating.ask import Seed
from triptych.generating.recipe import Recipe, SeedsConfig
from triptych.selecting.sourcerows import objects
from triptych.worlds.registry import load_world
from triptych.worlds.world import Dials

LICENCE_FIELDS = ("license", "licence")
_ID_FIELDS = ("id", "uid", "uuid", "prompt_id")
_LISTED = 20


@dataclass(frozen=True)
class Seeds:
    """What a run starts from.

    Attributes:
        items: the seeds, in the order drawn.
        about: name, detected layout, records there were, drawn, sha256: JSON values; empty where there are none.
        licences: as the recipe says, else as the rows say, each once.
    """

    items: tuple[Seed, ...] = ()
    about: Mapping[str, Any] | None = None
    licences: tuple[str, ...] = ()


def read_seeds(recipe: Recipe) -> Seeds:
    """The seeds of a recipe.

    Raises:
        ReadError, SchemaError: they cannot be read, their rows have several layouts, or lack what the method needs.
    """
    config = recipe.seeds
    if config is None:
        return Seeds()
    items, about = _of_world(config, recipe.seed) if config.world else _of_file(recipe, config)
    total = len(items)
    if config.sample is not None and config.sample < total:
        drawn = stream("generate", "seeds", recipe.seed).permutation(total)[: config.sample]
        items = [items[place] for place in drawn.tolist()]
    for role in recipe.method.needs:
        if not any(getattr(seed, role) for seed in items):
            what = f'recipe: method "{recipe.method.name}" needs the {role} of the seeds, and none has one.'
            raise SchemaError(message(what, got=str(about["detected"]), hint=f'[seeds] map = {{{role} = "FIELD"}}'))
    digest = hashlib.sha256(json.dumps([[seed.id, seed.prompt, seed.response] for seed in items]).encode()).hexdigest()
    return Seeds(
        tuple(items), {**about, "records": total, "drawn": len(items), "sha256": digest}, _licences(config, items)
    )


def _of_world(config: SeedsConfig, seed: int) -> tuple[list[Seed], dict[str, Any]]:
    rows = load_world(config.world).data(Dials(), config.records, "0", seed)
    made = [Seed(f"seed-{place}", row["prompt"], row["response"], row) for place, row in enumerate(rows)]
    return made, {"name": config.world, "detected": f"world {config.world}"}


def _of_file(recipe: Recipe, config: SeedsConfig) -> tuple[list[Seed], dict[str, Any]]:
    path = str(recipe.file(config.data))
    options = ReadOptions(roles=dict(config.map), on_bad=config.on_bad, split=config.split)
    dataset = open_dataset(path, options)
    if dataset.layout.parts:
        what = f"{dataset.name}: a row gives several records ({dataset.layout.sentence})."
        raise SchemaError(message(what, want="one prompt and one response in a row", hint='map = {response = "FIELD"}'))
    names = ["source", "row", "line", "prompt", "response"]
    found = [each for shard in dataset.shards() for each in shard.batch.select(names).to_pylist()]
    places = np.array([[each["source"], each["row"], each["line"]] for each in found], dtype=np.int64)
    rows = [dict(row) for row in objects(path, options, places)]
    items = [
        Seed(name, each["prompt"], each["response"], row)
        for name, each, row in zip(_ids(rows), found, rows, strict=True)
    ]
    about = {"name": dataset.name, "detected": dataset.layout.sentence}
    skipped = dataset.summary.skipped_total if dataset.summary else 0
    return items, {**about, "skipped": skipped} if skipped else about


def _ids(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The rows' own ids where every row has another one, else their places."""
    for name in _ID_FIELDS:
        ids = [row.get(name) for row in rows]
        if all(isinstance(each, (str, int)) for each in ids) and len(set(map(str, ids))) == len(ids):
            return [str(each) for each in ids]
    return [f"seed-{place}" for place in range(len(rows))]


def _licences(config: SeedsConfig, items: Sequence[Seed]) -> tuple[str, ...]:
    if config.licence:
        return (config.licence,)
    said = {str(seed.row[name]) for seed in items for name in LICENCE_FIELDS if seed.row.get(name)}
    return tuple(sorted(said)[:_LISTED])
