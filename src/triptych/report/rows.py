"""Estimates of several sets lined up: one row for each measure, with what may share a scale kept together.

Two sets share a scale for a measure only if they were measured with the same parameters under the same condition (the
same encoder, partition or student).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from triptych.report.model import Estimate, Profile
from triptych.report.text import line

COMPANION = "length_correlation"


@dataclass(frozen=True)
class Cell:
    """One measure in one set, with its correlation to length where there is one."""

    which: int
    estimate: Estimate
    companion: Estimate | None = None


@dataclass(frozen=True)
class Row:
    """One measure in all sets that have it. `groups` are the cells that share a condition, hence a scale."""

    cells: tuple[Cell, ...]
    missing: tuple[int, ...]
    detail: str = ""

    @property
    def first(self) -> Estimate:
        """What all cells agree on: title, unit, direction."""
        return self.cells[0].estimate

    @property
    def headline(self) -> bool:
        """True where it is the headline of at least one set."""
        return any(cell.estimate.headline for cell in self.cells)

    @property
    def groups(self) -> list[tuple[str, list[Cell]]]:
        """Cells by condition, in order of appearance; undefined cells condition on nothing and join the first group."""
        found: dict[str, list[Cell]] = {}
        for cell in self.cells:
            if cell.estimate.value is not None:
                found.setdefault(cell.estimate.about.conditional_on, []).append(cell)
        undefined = [cell for cell in self.cells if cell.estimate.value is None]
        if not found:
            return [("", undefined)]
        first = next(iter(found))
        found[first] = sorted(found[first] + undefined, key=lambda cell: cell.which)
        return list(found.items())


def rows(profiles: Sequence[Profile], axis: str) -> list[Row]:
    """The rows of one axis: headlines first, then in the order in which the sets name them."""
    cells: dict[str, list[Cell]] = {}
    for which, profile in enumerate(profiles):
        seen: set[str] = set()
        for cell in _paired(which, [item for item in profile.estimates if item.axis == axis]):
            if cell.estimate.key not in seen:
                seen.add(cell.estimate.key)
                cells.setdefault(cell.estimate.key, []).append(cell)
    every = set(range(len(profiles)))
    found = [Row(tuple(group), tuple(sorted(every - {cell.which for cell in group}))) for group in cells.values()]
    return _told_apart(sorted(found, key=lambda row: not row.headline))


def _told_apart(found: Sequence[Row]) -> list[Row]:
    """Give rows of one title the parameters in which they differ as `detail`: Vendi score, q=2."""
    by_title: dict[str, list[Row]] = {}
    for row in found:
        by_title.setdefault(row.first.title, []).append(row)
    return [replace(row, detail=_detail(row, by_title[row.first.title])) for row in found]


def _detail(row: Row, twins: Sequence[Row]) -> str:
    if len(twins) == 1:
        return ""
    own = row.first.params
    differing = [key for key in own if any(other.first.params.get(key) != own[key] for other in twins)]
    told = [
        f"{key}={str(own[key]).lower() if own[key] is True else own[key]}"
        for key in sorted(differing)
        if own[key] not in (None, "", False)
    ]
    return line(", ".join(told), 60) or ("all" if differing else row.first.label)


def headline(profile: Profile, axis: str) -> Cell | None:
    """The first headline measure of an axis, with its companion."""
    cells = _paired(0, [item for item in profile.estimates if item.axis == axis])
    return next((cell for cell in cells if cell.estimate.headline), None)


def _paired(which: int, estimates: Sequence[Estimate]) -> list[Cell]:
    """Join each correlation with length to the measure that it is about; one that matches nothing stays a row."""
    companions = [item for item in estimates if item.measure == COMPANION]
    cells, used = [], set()
    for item in estimates:
        if item.measure == COMPANION:
            continue
        names = {item.measure, item.label, str(item.params.get("field", item.measure))}
        found = next((other for other in companions if _subjects(other) & names), None)
        used.add(id(found))
        cells.append(Cell(which, item, found))
    return cells + [Cell(which, _named(item)) for item in companions if id(item) not in used]


def _subjects(companion: Estimate) -> set[str]:
    """What a correlation may be about: the column `judge.complexity` is read by the measure judge_complexity."""
    of = str(companion.params.get("of"))
    return {of, of.replace(".", "_"), of.rpartition(".")[2]}


def _named(companion: Estimate) -> Estimate:
    """A correlation that stands alone says in its title what it is a correlation of."""
    subject = line(str(companion.params.get("of", "")).replace("_", " "), 40)
    return replace(companion, title=f"{companion.title}: {subject}") if subject else companion
