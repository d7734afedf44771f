"""Recipes that differ in what is varied, and in nothing else: `--vary method=few_shot,evol_instruct:depth=2`.

What is varied is a key of the recipe (`writer.temperature`, `seeds.sample`, `method.shots`), or a whole component: writer,
method, search by name with parameters after a colon, seeds by file, and filters joined by `+` (`none` for none of them). A
name alone takes the parameters that the recipe gives it. A key of one filter is `filters.NAME.KEY`.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from triptych.core.errors import UsageError, message
from triptych.core.rng import stream
from triptych.studies.design.points import points_of

FULL, ONE, FRACTIONAL = "full", "oaat", "fractional"
DESIGNS = (FULL, ONE, FRACTIONAL)
NAMED = {"writer": "kind", "method": "name", "search": "name", "seeds": "data"}
"""Components that a value replaces as a whole, and the key that names them."""
FILTERS, NONE = "filters", "none"
CLOSED = ("budget", "seed")
"""Keys that are no component: all cells have one budget, and seeds tell replicates apart."""
MOST = 256

Table = dict[str, Any]


@dataclass(frozen=True)
class Varied:
    """One key with the values it takes; the first is the reference."""

    key: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Planned:
    """One run that is to be generated: levels by key, the recipe's table, which replicate of its cell it is."""

    name: str
    levels: Mapping[str, str]
    table: Table
    replicate: int


def parse_vary(given: Sequence[str] | Mapping[str, Sequence[Any]]) -> tuple[Varied, ...]:
    """What is varied, from `KEY=A,B` or a mapping of keys to values.

    Raises:
        UsageError: it cannot be read, has fewer than two values, or names what cannot vary.
    """
    if isinstance(given, Mapping):
        pairs = [(str(key), [_text(value) for value in values]) for key, values in given.items()]
    else:
        pairs = [_split(text) for text in given]
    out = []
    for key, values in pairs:
        if key.partition(".")[0] in CLOSED:
            want = "a component: seeds, writer, method, search, filters, or a key of one"
            hint = "--replicates N for several runs of each cell" if key == "seed" else None
            raise UsageError(message(f"--vary: {key} is the same for all cells.", got=key, want=want, hint=hint))
        if len(set(values)) < len(values) or len(values) < 2:
            raise UsageError(
                message(f"--vary {key} needs values that differ.", got=",".join(values), want="two or more")
            )
        out.append(Varied(key, tuple(values)))
    if len({one.key for one in out}) < len(out):
        raise UsageError(message("--vary: one key is given twice.", got=", ".join(one.key for one in out)))
    return tuple(out)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else f"{value}"


def _split(text: str) -> tuple[str, list[str]]:
    """A key and its values: a piece with `=` goes on with the parameters of the value before it."""
    key, equals, rest = text.partition("=")
    if not equals or not key.strip() or not rest.strip():
        raise UsageError(
            message("--vary cannot be read.", got=text, want="KEY=A,B", hint="method=few_shot,evol_instruct")
        )
    values: list[str] = []
    for piece in rest.split(","):
        if "=" in piece and ":" not in piece and values and ":" in values[-1]:
            values[-1] += "," + piece.strip()
        else:
            values.append(piece.strip())
    return key.strip(), values


def plan(table: Mapping[str, Any], varied: Sequence[Varied], design: str, replicates: int) -> list[Planned]:
    """The runs of a design around one recipe.

    Args:
        table: of the recipe, as read from TOML.
        varied: what differs; with none of them the recipe itself is the one cell.
        design: full (all combinations), oaat (the first values, and one key changed at a time) or fractional (half of the
            combinations of three or more keys with two values each; the last is the product of the others).
        replicates: runs of each cell. One: every run has the recipe's seed, so what is equal is drawn equal; several: each
            run has a seed of its own, so all are independent.

    Raises:
        UsageError: the design does not fit, or has too many cells.
    """
    points = _points(varied, design)
    if len(points) * replicates > MOST:
        want = f"at most {MOST}"
        raise UsageError(
            message(f"{len(points) * replicates} runs are too many.", want=want, hint="--design oaat or fractional")
        )
    out = []
    for number, point in enumerate(points, 1):
        levels = {one.key: one.values[place] for one, place in zip(varied, point, strict=True)}
        cell = copy.deepcopy(dict(table))
        for key, value in levels.items():
            changed(cell, key, value, table)
        slug = re.sub(r"[^\w.+-]+", "_", "-".join(levels.values()))[:60].strip("._-") or "recipe"
        for replicate in range(replicates):
            mine = copy.deepcopy(cell)
            if replicates > 1:
                mine["seed"] = _seed(int(table.get("seed") or 0), number, replicate)
            name = f"{number:02d}-{slug}" + (f"-r{replicate + 1}" if replicates > 1 else "")
            out.append(Planned(name, levels, mine, replicate))
    return out


def _seed(base: int, cell: int, replicate: int) -> int:
    return int(stream("attribute", "seed", base, cell, replicate).integers(2**31))


def _points(varied: Sequence[Varied], design: str) -> list[tuple[int, ...]]:
    sizes = [len(one.values) for one in varied]
    if design == FULL:
        return list(product(*(range(size) for size in sizes)))
    if design == ONE:
        alone = [
            tuple(level if place == at else 0 for place in range(len(sizes)))
            for at, size in enumerate(sizes)
            for level in range(1, size)
        ]
        return [(0,) * len(sizes), *alone]
    if design != FRACTIONAL:
        raise UsageError(message("--design is not right.", got=design, want=", ".join(DESIGNS)))
    wide = [one.key for one in varied if len(one.values) != 2]
    if wide or len(varied) < 3:
        what = "half of the combinations are for three or more keys with two values each."
        raise UsageError(message(what, got=", ".join(wide) or f"{len(varied)} keys", hint="--design full or oaat"))
    keys = [one.key for one in varied]
    return [tuple((point[key] + 1) // 2 for key in keys) for point in points_of("fractional", keys, 0)]


def changed(table: Table, key: str, value: str, base: Mapping[str, Any]) -> None:
    """Set a key of a recipe's table to a value that is given as text.

    Raises:
        UsageError: the recipe has no such filter.
    """
    head, _, rest = key.partition(".")
    if key == FILTERS:
        names = [] if value == NONE else [part.strip() for part in value.split("+")]
        table[FILTERS] = [_filter(name, base) for name in names]
    elif head == FILTERS:
        name, _, parameter = rest.partition(".")
        mine = [one for one in table.get(FILTERS, []) if one.get("name") == name]
        if not mine or not parameter:
            got = ", ".join(str(one.get("name")) for one in table.get(FILTERS, [])) or "no filter"
            want = f"{FILTERS}.NAME.KEY of a filter that the recipe has"
            raise UsageError(message(f"--vary {key}: the recipe has no such filter.", got=got, want=want))
        for one in mine:
            one[parameter] = _value(value)
    elif not rest and head in NAMED:
        table[head] = _component(head, value, base.get(head))
    else:
        place = table
        *path, last = key.split(".")
        for step in path:
            if not isinstance(place.get(step), dict):
                place[step] = {}
            place = place[step]
        place[last] = _value(value)


def _filter(text: str, base: Mapping[str, Any]) -> Table:
    own = next((one for one in base.get(FILTERS, []) if one.get("name") == text.partition(":")[0]), None)
    return _component(FILTERS, text, own)


def _component(head: str, text: str, own: Mapping[str, Any] | None) -> Table:
    """A component by its name; with no parameters those that the recipe gives to this name."""
    mark = NAMED.get(head, "name")
    if head == "seeds":
        kept = {key: value for key, value in (own or {}).items() if key not in ("world", "records")}
        return {**kept, mark: text}
    name, _, parameters = text.partition(":")
    pairs = [part.partition("=") for part in parameters.split(",") if part]
    given = {key.strip(): _value(value) for key, _, value in pairs}
    same = own is not None and own.get(mark) == name
    return {**(dict(own or {}) if same else {}), mark: name, **given}


def _value(text: str) -> Any:
    """A number, true or false where the text is one."""
    if text in ("true", "false"):
        return text == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
