"""MAP-Elites: an archive of cells, each with the best record that fell into it, from which the next records come.

Mouret and Clune 2015 (arXiv 1504.04909); over texts, with a judge's quality and descriptors with names, QDAIF (Bradley et al. 2023,
arXiv 2310.13032). The cells are all combinations of the descriptors' bins. Until `start` cells are filled, the method
draws from the seeds, then from the elites, one of each cell, so that parents are drawn evenly over the cells. Quality is the recipe's [grade].

Each record that is handed on says its cell and grade, whether it is an `elite`, the one that it `replaced`, and how the archive stands after it: `filled` cells,
`coverage` (of all cells), `qd_score` (sum of the elites' grades). The last record's are those of the run; the elites that nobody replaced are the archive.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, final

from triptych.generating.ask import Batch, Desk, Failed, Made, Method, Search, Seed
from triptych.generating.methods._drafts import seed_of
from triptych.generating.searches._cells import Bins, Clusters, Descriptor, Judged, whole
from triptych.generating.searches._steered import Steered, dropped

DESCRIPTORS = ("length", "complexity", "cluster", "category")

_WORSE = "worse than its cell's elite"

Cell = tuple[str, ...]


class Archive:
    """The best record of each cell.

    Attributes:
        cells: that there are.
        elites: cell to its grade and record.
    """

    def __init__(self, cells: int) -> None:
        self.cells = cells
        self.elites: dict[Cell, tuple[float, Made]] = {}

    def put(self, cell: Cell, grade: float, made: Made) -> tuple[bool, str | None]:
        """Whether the record is its cell's elite now, and the id of the one that it replaced. Equal is not better."""
        old = self.elites.get(cell)
        if old is not None and grade <= old[0]:
            return False, None
        self.elites[cell] = (grade, made)
        return True, old[1].id if old else None

    @property
    def seeds(self) -> list[Seed]:
        """The elites, in the order in which their cells were filled."""
        return [seed_of(made) for _, made in self.elites.values()]

    def facts(self) -> dict[str, float]:
        """How it stands."""
        score = sum(grade for grade, _ in self.elites.values())
        return {"filled": len(self.elites), "coverage": len(self.elites) / self.cells, "qd_score": score}


@final
@dataclass(frozen=True)
class MapElites(Search):
    """Records by an archive.

    Attributes:
        descriptors: of length (words of the response), complexity (steps that it takes), cluster (of the embedding),
            category (that the writer says).
        lengths, steps: where bins of words and of steps begin.
        clusters: centroids, fitted to the seeds and the first records.
        question, categories: what the writer is asked for a category, and the answers there are.
        start: filled cells from which on elites are the parents.
        keep: what is handed on: elites (what enters the archive: a small set, for cells fill up), good (what is at least as
            good as its cell's elite), or all that has a grade and a cell.
    """

    descriptors: tuple[str, ...] = ("length", "cluster")
    lengths: tuple[int, ...] = (20, 50, 100, 200)
    steps: tuple[int, ...] = (1, 3, 6)
    clusters: int = 8
    question: str = "What kind of text is this answer?"
    categories: tuple[str, ...] = ()
    start: int = 4
    keep: Literal["elites", "good", "all"] = "good"

    name: ClassVar[str] = "map_elites"
    source: ClassVar[str] = "Bradley et al. 2023 (QDAIF, arXiv 2310.13032)"
    graded: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Check the parameters, and bring lists into their one form."""
        for name in ("descriptors", "lengths", "steps", "categories"):
            value: Any = getattr(self, name)
            parts = [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value
            kind = int if name in {"lengths", "steps"} else str
            object.__setattr__(self, name, tuple(kind(part) for part in parts))
        wrong = [name for name in self.descriptors if name not in DESCRIPTORS]
        if wrong or not self.descriptors or len(set(self.descriptors)) < len(self.descriptors):
            raise ValueError(f"descriptors must be some of {', '.join(DESCRIPTORS)}; got {', '.join(self.descriptors)}")
        for name in ("lengths", "steps"):
            edges = getattr(self, name)
            if not edges or list(edges) != sorted(set(edges)) or edges[0] < 1:
                raise ValueError(f"{name} must be ascending whole numbers from 1; got {edges}")
        if "category" in self.descriptors and len(set(self.categories)) < 2:
            raise ValueError("the descriptor category needs at least two categories")
        for name, least in (("clusters", 2), ("start", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} must be at least {least}; got {getattr(self, name)}")

    def make(self, method: Method, desk: Desk) -> Iterator[Batch]:
        """The method's batches, put into the archive."""
        steered = Steered(desk)
        archive: Archive | None = None
        axes: list[Descriptor] = []
        for batch in method.make(steered):
            made = [one for one in batch if isinstance(one, Made)]
            if not made:
                yield batch
                continue
            if archive is None:
                axes = self._axes(desk, made)
                archive = Archive(math.prod(axis.number for axis in axes))
            placed = iter(self._placed(archive, axes, made, desk))
            yield [next(placed) if isinstance(one, Made) else one for one in batch]
            if len(archive.elites) >= self.start:
                steered.seeds = archive.seeds

    def _axes(self, desk: Desk, made: Sequence[Made]) -> list[Descriptor]:
        """The descriptors; clusters are fitted to the seeds and the first records."""
        axes: list[Descriptor] = []
        for name in self.descriptors:
            if name == "cluster":
                texts = [
                    *(whole(seed.prompt, seed.response) for seed in desk.seeds),
                    *(whole(o.prompt, o.response) for o in made),
                ]
                axes.append(Clusters(texts, desk, self.clusters))
            elif name == "category":
                axes.append(Judged(self.question, self.categories))
            else:
                axes.append(Bins(name, self.lengths if name == "length" else self.steps))
        return axes

    def _placed(
        self, archive: Archive, axes: Sequence[Descriptor], made: Sequence[Made], desk: Desk
    ) -> Iterator[Made | Failed]:
        """Each record as it is handed on or dropped, in order."""
        cells = list(zip(*(axis.places(made, desk) for axis in axes), strict=True))
        for one, cell, grade in zip(made, cells, desk.grades(made), strict=True):
            known = tuple(place for place in cell if place is not None)
            if len(known) < len(cell) or grade is None:
                yield dropped(one, "no cell" if len(known) < len(cell) else "no grade")
                continue
            entered, replaced = archive.put(known, grade, one)
            facts = {
                "cell": " | ".join(known),
                "grade": grade,
                "elite": entered,
                "replaced": replaced,
                **archive.facts(),
            }
            level = self.keep == "good" and grade == archive.elites[known][0]
            if entered or level or self.keep == "all":
                yield replace(one, extra={**one.extra, **facts})
            else:
                yield dropped(one, "no better than its cell's elite" if self.keep == "elites" else _WORSE, **facts)
