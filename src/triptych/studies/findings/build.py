"""Arms and panels of a preset, written as a design folder that `study` reads like any other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import orjson

from triptych._version import __version__
from triptych.core.profile import write_json, write_text
from triptych.studies.findings.balance import Drawn, conditioning, levels_reached, table
from triptych.studies.findings.presets import FACTORS, Preset
from triptych.studies.folder import SCHEMA
from triptych.studies.panels import panel_kind
from triptych.worlds.registry import load_world
from triptych.worlds.world import Row, World, words

FIELDS = {"Q": "share of right answers", "D": "skills at each depth", "C": "shares of depths"}
CENTRE = dict.fromkeys(FACTORS, 0.0)


def write_design(folder: Path, preset: Preset, blocks: int) -> Path:
    """Write `design.json`, `arms/` and `panels/` of a preset with so many blocks.

    A block is one order of the world's skills (so which few skills the narrow arms have), one draw of data and one set
    of panel items; all arms are run in every block. Gives the folder.
    """
    world = load_world(preset.world)
    panels = [name for name in world.panel_names if not preset.panels or name in preset.panels]
    made: list[_Made] = []
    for block in map(str, range(blocks)):
        items = world.panels(block, 0, preset.items, preset.skills[0], preset.forms)
        for name in panels:
            _write_rows(folder / "panels" / f"b{block}" / f"{name}.jsonl", items[name])
        for equal in preset.designs:
            made += _arms(folder, world, preset, block, equal)
    write_json(folder / "design.json", _document(preset, world, made, panels))
    return folder


@dataclass(frozen=True)
class _Made:
    """An arm that was written: which design it belongs to, its entry, and what was read on it."""

    equal: str
    entry: dict[str, Any]
    drawn: Drawn


def _points() -> list[dict[str, float]]:
    """The corners of the cube, and its centre."""
    corners = [dict(zip(FACTORS, levels, strict=True)) for levels in product((-1.0, 1.0), repeat=len(FACTORS))]
    return [*corners, CENTRE]


def _arms(folder: Path, world: World, preset: Preset, block: str, equal: str) -> list[_Made]:
    """The arms of one block and design. Equal tokens: as many as the all-right arm with the least complexity has."""
    seed = int(block)
    plain = preset.dials({"Q": 1.0, "D": 1.0, "C": -1.0})
    tokens = None if equal == "records" else sum(map(words, world.data(plain, preset.records, block, seed)))
    out = []
    for levels in _points():
        rows = world.data(preset.dials(levels), preset.records, block, seed, tokens)
        name = f"b{block}-{_point_name(levels)}" + ("" if equal == "records" else f"-{equal}")
        file = f"arms/{name}.jsonl"
        _write_rows(folder / file, rows)
        entry = {"name": name, "levels": levels, "block": block, "data_seed": seed, "file": file}
        entry |= {"records": len(rows), "tokens": sum(map(words, rows)), "measured": {}}
        out.append(_Made(equal, entry, Drawn.of(name, levels, block, rows)))
    return out


def _point_name(levels: Mapping[str, float]) -> str:
    """q0d1c0 for a corner, centre for the centre."""
    if not any(levels.values()):
        return "centre"
    return "".join(f"{factor.lower()}{int(level > 0)}" for factor, level in levels.items())


def _write_rows(path: Path, rows: Sequence[Row]) -> None:
    lines = (orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE).decode() for row in rows)
    write_text(path, "".join(lines))


def _document(preset: Preset, world: World, made: Sequence[_Made], panels: Sequence[str]) -> dict[str, Any]:
    everything = [one.drawn for one in made]
    shares = [", ".join(f"{depth}: {share:g}" for depth, share in depths.items()) for depths in preset.depths]
    asked = {"Q": list(preset.quality), "D": list(preset.skills), "C": shares}
    reached = levels_reached(everything)
    return {
        "schema": SCHEMA,
        "title": world.title,
        "pool": {"name": f"world {world.name}"},
        "kind": "factorial",
        "factors": {
            factor: {"field": FIELDS[factor], "levels": asked[factor], "reached": reached[factor]} for factor in FACTORS
        },
        "designs": [_part(equal, [one for one in made if one.equal == equal]) for equal in preset.designs],
        "arms": [one.entry for one in made],
        "panels": {
            name: {"file": f"panels/b{{block}}/{name}.jsonl", "scorer": "exact", "kind": panel_kind(name)}
            for name in panels
        },
        "condition_number": conditioning(everything),
        "provenance": {"version": __version__, "records": preset.records, "items": preset.items, "forms": preset.forms},
    }


def _part(equal: str, made: Sequence[_Made]) -> dict[str, Any]:
    """One design: its arms, and how well they are balanced."""
    drawn = [one.drawn for one in made]
    return {
        "title": f"equal {equal}",
        "equal": [equal],
        "arms": [arm.name for arm in drawn],
        "balance": table(drawn),
        "condition_number": conditioning(drawn),
    }
