"""Scores of panels: `scores.csv` of any loop, and the `scores.json` in a round's folder.

    long    round,panel,score      with k, n, lo, hi where they are known
    wide    round,id,ood,ood@16    a column for each panel, `@k` for pass@k

A score's error is what the file says, else that of a share of n items, else unknown. Panels whose names begin with `id` are
in-distribution, all others out of it.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from triptych.core.errors import ReadError, SchemaError, message, nearest
from triptych.core.interval import wilson
from triptych.guarding.ledger import Reading

ROUND, PANEL, SCORE = "round", "panel", "score"
_BESIDE = frozenset({"n", "seed", "step", "steps", "tokens", "seconds", "time", "epoch"})
"""Columns of a wide file that are no panels."""

_Z = 1.959964
_NO_SCORE = "the file has no score here"


@dataclass(frozen=True)
class PanelScores:
    """Scores of one round.

    Attributes:
        scores: panel or `panel@k` to its score.
        kinds: panel to id or ood.
    """

    scores: Mapping[str, Reading] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)


def panel_kind(name: str) -> str:
    """`id` for a panel whose name begins with it, else `ood`."""
    return "id" if name.lower().startswith(("id", "in_dist", "in-dist")) else "ood"


def read_scores(path: Path) -> dict[int, PanelScores]:
    """Scores by round, from a CSV or TSV file.

    Raises:
        ReadError: the file is not there, is empty, or is no text.
        SchemaError: a column is missing, a value is no number, or a score is given twice.
    """
    lines = _lines(path)
    header = [name.strip() for name in (lines[0] or ())]
    by_lower = {name.lower(): name for name in header}
    if ROUND not in by_lower:
        near = nearest(ROUND, by_lower)
        hint = f'call the column "{by_lower[near]}" round' if near else None
        want = "round,panel,score or round and a column for each panel"
        raise SchemaError(message(f"{path}: no column says the round.", got=", ".join(header), want=want, hint=hint))
    held: dict[int, dict[str, Reading]] = {}
    long = PANEL in by_lower and SCORE in by_lower
    for number, values in enumerate(lines[1:], start=2):
        if not any(value.strip() for value in values):
            continue
        row = dict(zip(header, values, strict=False))
        place = f"{path}:{number}"
        at = _whole(row.get(by_lower[ROUND]), place, ROUND)
        found = _long(row, by_lower, place) if long else _wide(row, by_lower, place)
        mine = held.setdefault(at, {})
        for name, score in found:
            if name in mine:
                raise SchemaError(message(f'{place}: round {at} has two scores of the panel "{name}".', want="one"))
            mine[name] = score
    if not held:
        raise ReadError(message(f"{path}: no scores.", got="a header and no row", want="a row for each round"))
    return {at: PanelScores(mine, _kinds(mine)) for at, mine in sorted(held.items())}


def round_scores(given: Path | Mapping[str, Any]) -> PanelScores:
    """Scores of a round, from its `scores.json` or from the document that it holds.

    Raises:
        ReadError: the file is not there or is not JSON.
        SchemaError: it holds no scores.
    """
    document, place = (given, "scores") if isinstance(given, Mapping) else (_json(given), str(given))
    panels = document.get("scores") if isinstance(document, Mapping) else None
    if not isinstance(panels, Mapping):
        want = '{"scores": {"ood": {"score": .7, "n": 300}}}'
        raise SchemaError(message(f"{place}: no scores.", got=str(document)[:80], want=want))
    scores: dict[str, Reading] = {}
    kinds: dict[str, str] = {}
    for name, told in panels.items():
        told = told if isinstance(told, Mapping) else {"score": told}
        kinds[str(name)] = str(told.get("kind") or panel_kind(str(name)))
        scores[str(name)] = _told(told, f"{place}: {name}")
        for k, at_k in (told.get("k") or {}).items():
            each = at_k if isinstance(at_k, Mapping) else {"score": at_k}
            scores[f"{name}@{k}"] = _told(each, f"{place}: {name}@{k}")
    return PanelScores(scores, kinds)


def _lines(path: Path) -> list[list[str]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ReadError(message(f"{path}: {error.strerror}.", want="a CSV file of scores")) from error
    except UnicodeDecodeError as error:
        raise ReadError(message(f"{path}: not UTF-8 text.", got=str(error), want="a CSV file of scores")) from error
    head = text.partition("\n")[0]
    if not head.strip():
        raise ReadError(message(f"{path}: the file is empty.", want="round,panel,score"))
    return list(csv.reader(text.splitlines(), delimiter="\t" if "\t" in head else ";" if ";" in head else ","))


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ReadError(message(f"{path}: {error.strerror}.", want="a round's scores.json")) from error
    except ValueError as error:
        raise ReadError(message(f"{path}: not JSON.", got=str(error), want="a round's scores.json")) from error


def _long(row: Mapping[str, str], by_lower: Mapping[str, str], place: str) -> Iterable[tuple[str, Reading]]:
    name = row.get(by_lower[PANEL], "").strip()
    if not name:
        raise SchemaError(message(f"{place}: no panel is named.", want="a name in the column panel"))
    cells = {key: row.get(by_lower[key], "").strip() for key in ("k", SCORE, "n", "lo", "hi") if key in by_lower}
    if cells.get("k"):
        name = f"{name}@{_whole(cells['k'], place, 'k')}"
    return [(name, _told({key: _number(cells[key], place, key) for key in cells if key != "k"}, place))]


def _wide(row: Mapping[str, str], by_lower: Mapping[str, str], place: str) -> Iterable[tuple[str, Reading]]:
    n = _number(row.get(by_lower["n"], ""), place, "n") if "n" in by_lower else None
    panels = [name for lower, name in by_lower.items() if lower != ROUND and lower not in _BESIDE and lower]
    if not panels:
        raise SchemaError(message(f"{place}: no column of a panel.", want="round and a column for each panel"))
    return [(name, _told({"score": _number(row.get(name, ""), place, name), "n": n}, place)) for name in panels]


def _told(values: Mapping[str, Any], place: str) -> Reading:
    """A score with its error, from `score`, `lo`, `hi` and `n`."""
    score, lo, hi, n = (values.get(key) for key in ("score", "lo", "hi", "n"))
    count = int(n) if n else 0
    if score is None:
        return Reading(None, n=count, undefined=_NO_SCORE)
    if not isinstance(score, (int, float)) or not math.isfinite(score):
        raise SchemaError(message(f"{place}: the score is no number.", got=str(score)[:80], want="a number"))
    if lo is not None and hi is not None:
        return Reading(float(score), (hi - lo) / (2 * _Z), float(lo), float(hi), count)
    if not count or not 0 <= score <= 1:
        return Reading(float(score), n=count)
    low, high = wilson(score, math.sqrt(score * (1 - score) / count) or 1 / count, count, _Z)
    return Reading(float(score), (high - low) / (2 * _Z), low, high, count)


def _number(cell: str, place: str, name: str) -> float | None:
    if not cell.strip():
        return None
    try:
        value = float(cell)
    except ValueError as error:
        raise SchemaError(message(f'{place}: "{name}" is no number.', got=cell[:80], want="a number")) from error
    return value if math.isfinite(value) else None


def _whole(cell: str | None, place: str, name: str) -> int:
    value = _number(cell or "", place, name)
    if value is None or not value.is_integer():
        raise SchemaError(message(f'{place}: "{name}" is no whole number.', got=str(cell)[:80], want="0, 1, 2, .."))
    return int(value)


def _kinds(scores: Iterable[str]) -> dict[str, str]:
    """Kind of each panel, without its `@k`."""
    names = dict.fromkeys(name.partition("@")[0] for name in scores)
    return {name: panel_kind(name) for name in names}
