"""Pairs to be judged by people, and the precision of a threshold from their judgement.

The sheet holds pairs of every list of matches, drawn by chance from strata of similarity around the threshold, as many of
each stratum as can be. Whoever judges writes yes or no into the field `same`. From the strata at or above the threshold
comes the precision: the mean of their shares of yes, weighted by the pairs that each stratum has. Its interval is Wilson's
with the number of labels that would leave as much uncertain in a plain sample; the variance in a stratum takes
(yes + 1/2)/(n + 1) as its share, so that strata with nothing but yes are not certain, and falls to 0 where all pairs of a
stratum were judged (compare Yan & Su 2010, "Stratified Wilson and Newcombe confidence intervals").

Worked example: 300 pairs in .8 to .9, of which 10 were judged and 5 are the same; 100 pairs above, 10 judged, all the same:
precision (300 · .5 + 100 · 1)/400 = .625.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from triptych.core.errors import OutputError, ReadError, UsageError, message
from triptych.core.interval import wilson
from triptych.core.profile import write_text
from triptych.core.rng import stream

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SHEETS = ("adjudicate.jsonl", "adjudicate.csv")
STEP = 0.05
"""Width of a stratum."""
_Z = 1.959964
_YES, _NO = frozenset({"yes", "y", "true", "1"}), frozenset({"no", "n", "false", "0"})
_FIELDS = (
    "list",
    "data",
    "threshold",
    "stratum",
    "pairs",
    "similarity",
    "first_at",
    "second_at",
    "first",
    "second",
    "span",
    "same",
)


@dataclass(frozen=True, eq=False)
class Matches:
    """A list of pairs by similarity.

    Attributes:
        name: of the list.
        data: what the pairs are of, as a short hash.
        threshold: from which a pair counts as the same.
        similarity: of each (k,).
        show: of a pair by its number: first_at, second_at, first, second, span as texts.
    """

    name: str
    data: str
    threshold: float
    similarity: Floats
    show: Callable[[int], Mapping[str, str]]


@dataclass(frozen=True)
class Precision:
    """Share of the pairs at or above the threshold that are the same.

    Attributes:
        data: what the pairs are of, as a short hash.
        labelled: pairs judged there.
        value, lo, hi: the share and its 95 % interval; None where it is not known.
        undefined: why not, or None.
    """

    data: str
    threshold: float
    labelled: int
    value: float | None
    lo: float | None
    hi: float | None
    undefined: str | None = None

    def document(self) -> dict[str, Any]:
        """As written."""
        return {
            "labelled": self.labelled,
            "threshold": self.threshold,
            "precision": self.value,
            "lo": self.lo,
            "hi": self.hi,
            "undefined": self.undefined,
        }


def sheet(lists: Sequence[Matches], number: int, seed: int) -> list[dict[str, Any]]:
    """The rows to judge.

    Args:
        lists: what was matched; each gets an equal part.
        number: rows in all, at least 1.
        seed: of the draw.

    Raises:
        UsageError: a number below 1.
    """
    if number < 1:
        raise UsageError(message("--adjudicate is not right.", got=str(number), want="at least one pair"))
    sizes = [int((each.similarity >= _edges(each.threshold)[0]).sum()) for each in lists]
    rows: list[dict[str, Any]] = []
    for each, part in zip(lists, _share_out(number, sizes), strict=True):
        edges = _edges(each.threshold)
        stratum = np.searchsorted(edges, each.similarity, side="right") - 1
        inside = [np.flatnonzero(stratum == place) for place in range(len(edges))]
        for place, wanted in enumerate(_share_out(part, [len(at) for at in inside])):
            draw = stream("adjudicate", each.name, place, seed)
            drawn = np.sort(draw.permutation(inside[place])[:wanted]).tolist()
            rows.extend(_row(each, at, edges, place, len(inside[place])) for at in drawn)
    return rows


def _row(of: Matches, at: int, edges: Sequence[float], place: int, pairs: int) -> dict[str, Any]:
    upto = f"{edges[place + 1]:g}" if place + 1 < len(edges) else "1"
    known = {
        "list": of.name,
        "data": of.data,
        "threshold": of.threshold,
        "stratum": f"{edges[place]:g} to {upto}",
        "pairs": pairs,
        "similarity": round(float(of.similarity[at]), 4),
        "same": "",
        **of.show(at),
    }
    return {name: known[name] for name in _FIELDS}


def _edges(threshold: float) -> list[float]:
    """Lower ends of the strata, ascending; the threshold is one of them, and the last reaches to 1."""
    return [round(threshold + STEP * step, 6) for step in (-2, -1, 0, 1, 2) if threshold + STEP * step < 1 or not step]


def _share_out(number: int, sizes: Sequence[int]) -> list[int]:
    """Equal parts of a number, none larger than its size; what one cannot take goes to the others."""
    parts = [0] * len(sizes)
    left = min(number, sum(sizes))
    while left:
        open_ = [at for at, size in enumerate(sizes) if parts[at] < size]
        for count, at in enumerate(open_):
            more = min(math.ceil(left / (len(open_) - count)), sizes[at] - parts[at])
            parts[at] += more
            left -= more
    return parts


def write_sheet(folder: Path, rows: Sequence[Mapping[str, Any]]) -> list[Path]:
    """Write `adjudicate.jsonl` and `adjudicate.csv`, the same rows twice: fill in either."""
    lines = "".join(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n" for row in rows)
    table = io.StringIO()
    out = csv.DictWriter(table, _FIELDS, lineterminator="\n")
    out.writeheader()
    out.writerows(rows)
    places = [folder / name for name in SHEETS]
    for place, text in zip(places, (lines, table.getvalue()), strict=True):
        write_text(place, text)
    return places


@dataclass(frozen=True)
class _Told:
    """One row of a sheet; `same` is None where it was not judged."""

    list: str
    data: str
    threshold: float
    stratum: str
    pairs: int
    same: bool | None


def keep_sheet(folder: Path) -> None:
    """Refuse to write a sheet over one in which pairs have been judged.

    Raises:
        OutputError: there is one.
    """
    for name in SHEETS:
        path = folder / name
        if path.exists() and any(str(row.get("same") or "").strip() for _, row in _rows(path)):
            what = f"{path}: pairs have been judged in this sheet; nothing was written."
            raise OutputError(message(what, hint=f"--labels {path}, or -o another/folder"))


def read_labels(path: Path) -> dict[str, Precision]:
    """The precision of each list of a sheet that was filled in.

    Raises:
        ReadError: the file cannot be read.
        UsageError: it is no such sheet, or a field `same` says neither yes nor no.
    """
    rows = [_told(path, line, row) for line, row in _rows(path)]
    by_list: dict[str, list[_Told]] = {}
    for row in rows:
        by_list.setdefault(row.list, []).append(row)
    out = {name: _precision(mine) for name, mine in by_list.items() if any(row.same is not None for row in mine)}
    if not out:
        what = f"{path}: no pair has been judged."
        raise UsageError(message(what, got=f"{len(rows)} rows", want='yes or no in the field "same"'))
    return out


def _rows(path: Path) -> list[tuple[int, Mapping[str, Any]]]:
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ReadError(message(f"{path}: the labels cannot be read.", got=str(error))) from error
    if path.suffix == ".csv":
        return list(enumerate(csv.DictReader(io.StringIO(text, newline="")), start=2))
    out: list[tuple[int, Mapping[str, Any]]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise ReadError(message(f"{path}:{number}: the line is no JSON object.", got=line[:80])) from error
        out.append((number, row if isinstance(row, dict) else {}))
    return out


def _told(path: Path, line: int, row: Mapping[str, Any]) -> _Told:
    try:
        held = _Told(
            list=str(row["list"]),
            data=str(row["data"]),
            threshold=float(row["threshold"]),
            stratum=str(row["stratum"]),
            pairs=int(row["pairs"]),
            same=None,
        )
        said = str("" if row["same"] is None else row["same"]).strip().casefold()
        _lower(held.stratum)
    except (KeyError, TypeError, ValueError) as error:
        what = f"{path}:{line}: the row is not one of a sheet of --adjudicate."
        raise UsageError(message(what, got=", ".join(map(str, row)), want=", ".join(_FIELDS))) from error
    if said and said not in _YES | _NO:
        what = f'{path}:{line}: the field "same" cannot be understood.'
        raise UsageError(message(what, got=said, want="yes or no, or nothing where you cannot tell"))
    return replace(held, same=said in _YES) if said else held


def _lower(stratum: str) -> float:
    """The lower end of a stratum."""
    return float(stratum.split(" to ", maxsplit=1)[0])


def _precision(rows: Sequence[_Told]) -> Precision:
    """From the rows of one list."""
    threshold, data = rows[0].threshold, rows[0].data
    above = {row.stratum: row.pairs for row in rows if _lower(row.stratum) >= threshold - 1e-9}
    judged = {name: [row.same for row in rows if row.stratum == name and row.same is not None] for name in above}
    labelled = sum(map(len, judged.values()))
    missing = [name for name in above if not judged[name]]
    if missing or not above:
        where = ", ".join(missing) or f"{threshold:g} to 1"
        why = f"no pair of a similarity of {where} has been judged"
        return Precision(data, threshold, labelled, None, None, None, why)
    pairs = np.array([above[name] for name in above], dtype=np.float64)
    n = np.array([len(judged[name]) for name in above], dtype=np.float64)
    yes = np.array([sum(judged[name]) for name in above], dtype=np.float64)
    return Precision(data, threshold, labelled, *stratified(pairs, n, yes))


def stratified(pairs: Floats, n: Floats, yes: Floats) -> tuple[float, float, float]:
    """A share with its 95 % interval from a stratified sample.

    Args:
        pairs: size of each stratum (s,).
        n: how many of each were judged, at least 1 (s,).
        yes: how many of those are the same (s,).
    """
    weight = pairs / pairs.sum()
    value = float(weight @ (yes / n))
    smooth = (yes + 0.5) / (n + 1)
    left = np.clip(1 - n / pairs, 0.0, 1.0)
    variance = float(np.sum(weight**2 * smooth * (1 - smooth) / n * left))
    middle = float(weight @ smooth)
    if variance <= 0:
        return value, value, value
    as_many = middle * (1 - middle) / variance
    lo, hi = wilson(value, math.sqrt(max(value * (1 - value), 0.0) / as_many), max(round(as_many), 1), _Z)
    return value, max(min(lo, value), 0.0), min(max(hi, value), 1.0)
