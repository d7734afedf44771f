"""What is read from another tool's output: rows, and a recipe with known and unknown parts."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from triptych.core.errors import ReadError, message
from triptych.data import ReadOptions
from triptych.data.sources import locate
from triptych.data.textrows import Damaged
from triptych.data.values import canonical

SCHEMA = "triptych/recipe@1"
PARTS = ("seeds", "writer", "writer.temperature", "method", "search", "filters")
"""The components that every recipe has: one that is not stated is unknown."""
COSTS = ("requests", "prompt_tokens", "tokens", "seconds", "money")
NONE = "none"
SEVERAL = " + "
"""Between the values of a component that a set has several of."""


@dataclass(frozen=True)
class Imported:
    """A finished set of another tool.

    Attributes:
        kind: the tool.
        rows: its records, as `triptych.open_dataset` takes them.
        components: what is stated, name to value.
        cost: what is stated of it; a missing one is not known.
        failed: what gave no record, reason to count.
        notes: what a reader should know, in words.
    """

    kind: str
    rows: Sequence[Mapping[str, Any]]
    components: Mapping[str, str]
    cost: Mapping[str, float] = field(default_factory=dict)
    failed: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def unknown(self) -> tuple[str, ...]:
        """The components that are not stated."""
        return tuple(name for name in PARTS if name not in self.components)

    def recipe(self) -> dict[str, Any]:
        """The document of `recipe.json`: what is not known is null, or listed in `unknown`."""
        known = {name: self.components[name] for name in sorted(self.components)}
        kept = len(self.rows)
        return {
            "schema": SCHEMA,
            "hash": hashlib.sha256(json.dumps([self.kind, known]).encode()).hexdigest()[:16],
            "components": known,
            "unknown": list(self.unknown),
            "recipe": None,
            "imported": self.kind,
            "counts": {"asked": None, "made": None, "kept": kept, "failed": dict(self.failed), "filters": []},
            "cost": {name: self.cost.get(name) for name in COSTS},
            "licences": [],
            "axes": {},
            "notes": list(self.notes),
        }


def rows_of(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of whatever a data set can be opened from.

    Raises:
        ReadError: nothing there, or a row that is no object.
    """
    for source in locate(path, ReadOptions()).items:
        for line, value in source.rows():
            if isinstance(value, Damaged) or not isinstance(value, Mapping):
                got = "damaged" if isinstance(value, Damaged) else type(value).__name__
                raise ReadError(message(f"{source.place(line)}: this row is no object.", got=got))
            yield {str(key): item for key, item in value.items()}


def first_row(path: Path) -> dict[str, Any] | None:
    """The first row, or None where there is none that can be read."""
    try:
        return next(rows_of(path), None)
    except ReadError:
        return None


def json_object(path: Path) -> dict[str, Any] | None:
    """A JSON object from a file, or None where there is no such file.

    Raises:
        ReadError: there is one that holds something else.
    """
    if not path.is_file():
        return None
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ReadError(message(f"{path}: cannot be read.", got=str(error), want="a JSON object")) from error
    if not isinstance(value, dict):
        raise ReadError(message(f"{path}: no object.", got=type(value).__name__, want="a JSON object"))
    return value


def yaml_object(path: Path) -> dict[str, Any] | None:
    """A mapping from a YAML file, or None where PyYAML is not installed.

    Raises:
        ReadError: the file is no YAML.
    """
    try:
        import yaml  # noqa: PLC0415 - comes with many packages, and is none that this one needs
    except ImportError:
        return None
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ReadError(message(f"{path}: cannot be read.", got=str(error), want="YAML")) from error
    return found if isinstance(found, dict) else {}


def values(found: Iterable[Any]) -> str | None:
    """The different values in order of frequency, joined; None where one is missing, or there is none."""
    counts: Counter[str] = Counter()
    for value in found:
        if value is None:
            return None
        counts[value if isinstance(value, str) else canonical(value)] += 1
    return SEVERAL.join(name for name, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))) or None


def total(found: Iterable[Any]) -> float | None:
    """The sum; None where one is missing or no number, or there is none."""
    numbers = list(found)
    if not numbers or not all(isinstance(one, (int, float)) and not isinstance(one, bool) for one in numbers):
        return None
    return float(sum(numbers))


def told_total(found: Iterable[Any]) -> tuple[float | None, int]:
    """The sum of the numbers, and how many do not state theirs; no sum where none does."""
    every = list(found)
    numbers = [one for one in every if isinstance(one, (int, float)) and not isinstance(one, bool)]
    return total(numbers), len(every) - len(numbers)


def stated(**found: Any) -> dict[str, Any]:
    """What is not None; `__` in a name stands for a dot."""
    return {name.replace("__", "."): value for name, value in found.items() if value is not None}


def public(value: Any) -> Any:
    """A value without what is secret: keys of mappings that hold "api_key", "token", "secret" or "password"."""
    if isinstance(value, Mapping):
        kept = {str(key): item for key, item in value.items() if not any(part in str(key).lower() for part in _SECRET)}
        return {key: public(item) for key, item in kept.items()}
    return [public(item) for item in value] if isinstance(value, (list, tuple)) else value


_SECRET = ("api_key", "token", "secret", "password")


def digest(value: Any) -> str:
    """Eight hex digits that are the same for the same value."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()[:8]
