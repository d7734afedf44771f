"""Descriptors of records for quality-diversity search: what of a record says which cell it belongs to."""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from triptych.core.candidates import Candidates
from triptych.features.reasoning import reasoning_steps
from triptych.generating.ask import Ask, Desk, Made, Vectors
from triptych.generating.methods._drafts import nonce, shown
from triptych.generating.methods._reading import Unread, choice_of
from triptych.selectors._clusters import clusters_of


def whole(prompt: str | None, response: str | None) -> str:
    """Both texts of a record, as they are embedded."""
    return "\n".join(part for part in (prompt, response) if part)


class Descriptor(ABC):
    """One coordinate of a cell."""

    @abstractmethod
    def places(self, made: Sequence[Made], desk: Desk) -> list[str | None]:
        """The coordinate of each record in words; None where it cannot be said."""

    @property
    @abstractmethod
    def number(self) -> int:
        """Of different coordinates."""


@dataclass(frozen=True)
class Bins(Descriptor):
    """A number in bins: words of the response, or steps that it takes.

    Attributes:
        of: length or complexity.
        edges: ascending; a bin begins at its edge. The first bin lies below the first edge.
    """

    of: str
    edges: tuple[int, ...]

    @property
    def number(self) -> int:
        """One more than there are edges."""
        return len(self.edges) + 1

    def places(self, made: Sequence[Made], desk: Desk) -> list[str | None]:
        """Such as "50-99 words"."""
        del desk
        return [self._place(one.response) for one in made]

    def _place(self, text: str) -> str:
        value, unit = (len(text.split()), "words") if self.of == "length" else (reasoning_steps(text), "steps")
        at = bisect_right(self.edges, value)
        low = self.edges[at - 1] if at else 0
        return f"{low}-{self.edges[at] - 1} {unit}" if at < len(self.edges) else f"{low}+ {unit}"


class Clusters(Descriptor):
    """The nearest of some centroids in the space of embeddings, fitted once, so that cells stay what they are."""

    def __init__(self, texts: Sequence[str], desk: Desk, number: int) -> None:
        self._centres = centres_of(desk.embed(texts), number)[1]

    @property
    def number(self) -> int:
        """Of the centroids: fewer than asked for where there were fewer texts."""
        return len(self._centres)

    def places(self, made: Sequence[Made], desk: Desk) -> list[str | None]:
        """Such as "cluster 3"."""
        near = desk.embed([whole(one.prompt, one.response) for one in made]) @ self._centres.T
        return [f"cluster {code}" for code in near.argmax(axis=1).tolist()]


@dataclass(frozen=True)
class Judged(Descriptor):
    """A category that the writer says.

    Attributes:
        question: that is asked of each record.
        categories: the answers that there are.
    """

    question: str
    categories: tuple[str, ...]

    @property
    def number(self) -> int:
        """Of the categories."""
        return len(self.categories)

    def places(self, made: Sequence[Made], desk: Desk) -> list[str | None]:
        """The category of each record; equal records are asked about once."""
        said = desk.ask([self._ask(one, desk) for one in made])
        found = [choice_of(each, self.categories) for each in said]
        return [None if isinstance(one, Unread) else one for one in found]

    def _ask(self, made: Made, desk: Desk) -> Ask:
        last = f"{self.question} Say one of: {', '.join(self.categories)}.\n\nTask: {made.prompt}\n\nAnswer: {made.response}"
        return Ask(shown((), last), "judge", nonce(desk, "category"))


def centres_of(vectors: Vectors, number: int) -> tuple[np.ndarray[tuple[int], np.dtype[np.int64]], Vectors]:
    """Cluster of each row, -1 for a row of zeros, and unit centroids, by spherical k-means.

    Args:
        vectors: unit rows (n, d).
        number: of clusters; fewer where there are fewer different rows.
    """
    n = len(vectors)
    rows = Candidates(np.arange(n, dtype=np.uint64), np.ones(n, dtype=np.int64), np.ones(n), vectors=vectors)
    return clusters_of(rows, number, 0)
