"""MIG: take what adds most information to a graph of labels.

    maximize  Σ_j φ(z_j),   z = Σ_{a in S} v_a P,   φ(x) = x^0.8

Chen et al. 2025 (arXiv 2504.13835). v_a holds the record's weight at its label, P spreads it over the graph of labels: a
label keeps 1 and gives each label j that it is joined with their cosine w, all divided by 1 + Σ w. Two labels are joined
where the cosine of their centroids is above 0 and among the highest: `edges` is the share of pairs, since no cosine fits
all encoders; the threshold that follows is in the result.

The paper takes argmax φ'(z) · (v_a P), a gradient that is infinite where a label was not seen; here a step takes the
highest true gain Φ(z + v_a P) - Φ(z), which that gradient stands for. Labels: a field, or (default) the clusters of the
vectors by k-means. Weight: the share of candidates of lower quality (and half of the equal ones); 1 for all where there is
no quality. Records without a score are left out where others have one; as must-keeps they weigh 1/2. Records without a
label, and texts without tokens where labels are clusters, carry no information: they are taken last.

Lazy greedy (Minoux 1978) over labels, not records: of one label the best record is always the next. O(n d + L² d) for L
labels, then some ten gains of a few labels for each pick.

Bound: monotone and submodular, 1 - 1/e of the best at equal costs, 1/2 under caps.

Confounded by: the labels (their number and their size decide the shares); the encoder; quality, and all it is
confounded by.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from triptych.core.basket import Basket
from triptych.core.candidates import TOLERANCE, Candidates
from triptych.core.errors import SelectionError, message
from triptych.core.selector import Choice, Selector, Setting
from triptych.selectors._clusters import clusters_of
from triptych.selectors._columns import finite_vectors
from triptych.selectors._greedy import bound_facts, quality_ranks, scores_of

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Row = tuple[Ints, Floats]

LABELS = 10_000
"""Labels at most: their graph has up to `LABELS`² pairs."""
_SAMPLE = 2_000  # labels whose cosines say what the threshold is
_TOLD = 1_000  # picks between two words on progress


@final
@dataclass(frozen=True)
class MIG(Selector):
    """The candidates that add most information to the graph of labels, one after the other.

    Attributes:
        field: whose values are the labels; "": clusters of the vectors.
        clusters: their number, without a field.
        edges: share of the pairs of labels that are joined, 0..1.
        power: of φ, above 0 and below 1; near 1 nothing is ever known enough, near 0 the first record of a label is all.
    """

    field: str = ""
    clusters: int = 100
    edges: float = 0.05
    power: float = 0.8

    name: ClassVar[str] = "mig"
    source: ClassVar[str] = "Chen et al. 2025 (arXiv 2504.13835)"
    sweep: ClassVar[tuple[Mapping[str, Any], ...]] = tuple({"power": p} for p in (0.3, 0.5, 0.65, 0.8, 0.95))

    def __post_init__(self) -> None:
        if self.clusters < 1:
            raise ValueError(f"clusters must be 1 or more; got {self.clusters}")
        if not 0 <= self.edges <= 1:
            raise ValueError(f"edges must be between 0 and 1; got {self.edges:g}")
        if not 0 < self.power < 1:
            raise ValueError(f"power must be above 0 and below 1; got {self.power:g}")

    @property
    def needs(self) -> tuple[str, ...]:
        """Vectors, and the field of the labels if one is named."""
        return ("vectors", f"field:{self.field}") if self.field else ("vectors",)

    @property
    def wants(self) -> tuple[str, ...]:
        """Quality, which weights the records."""
        return ("quality",)

    def choose(self, pool: Candidates, basket: Basket, setting: Setting) -> Choice:
        """Take the highest gain until the basket admits none.

        Raises:
            SelectionError: the field has more than 10,000 values among the candidates.
        """
        left = basket.left
        weights = self._weights(pool, basket)
        with threadpool_limits(1):
            codes, centroids = self._labels(pool, setting)
            rows, threshold = label_graph(centroids, self.edges)
        information = _Information(codes, weights, rows, self.power)
        information.fill(basket, setting)
        facts = {"labels": len(rows), "cosine_threshold": threshold, "information": float(information.known.sum())}
        raced = len(basket)
        basket.fill(np.arange(len(pool)), np.zeros(len(pool)))
        setting.told(len(basket) - raced)
        return Choice(
            score=scores_of(basket, information.gains()),
            scored="gain in information",
            gained="information",
            facts=facts | {"without_label": len(basket) - raced} | bound_facts(basket, exact=True, left=left),
        )

    def _weights(self, pool: Candidates, basket: Basket) -> Floats:
        """Weight of each candidate; closes those without a score where others have one."""
        if pool.quality is None or not np.isfinite(pool.quality).any():
            return np.ones(len(pool))
        weights = quality_ranks(pool)
        missing = np.isnan(weights)
        weights[missing] = 0.5
        missing[basket.taken] = False
        basket.refuse(np.flatnonzero(missing), "no quality score")
        return weights

    def _labels(self, pool: Candidates, setting: Setting) -> tuple[Ints, Floats]:
        """Label of each candidate from 0, -1 for none, and the labels' unit centroids (L, d)."""
        vectors = finite_vectors(pool)
        if not self.field:
            codes, centroids = clusters_of(pool, self.clusters, setting.seed)
            return codes, centroids.astype(np.float64)
        given = pool.codes[self.field]
        known, place = np.unique(given[given >= 0], return_inverse=True)
        if len(known) > LABELS:
            raise SelectionError(
                message(
                    f'mig: the field "{self.field}" has too many values to be labels.',
                    got=f"{len(known):,} values",
                    want=f"at most {LABELS:,}",
                    hint="mig:clusters=100",
                )
            )
        codes = np.full(len(pool), -1, dtype=np.int64)
        codes[given >= 0] = place.reshape(-1)
        return codes, _centroids(vectors, codes, len(known))


def _centroids(vectors: NDArray[np.float32], codes: Ints, number: int) -> Floats:
    """Unit means of the vectors of each label, zeros where they cancel out, (number, d)."""
    order = np.argsort(codes, kind="stable")
    order = order[np.searchsorted(codes[order], 0) :]
    if not number:
        return np.zeros((0, vectors.shape[1]))
    starts = np.searchsorted(codes[order], np.arange(number))
    sums: Floats = np.add.reduceat(vectors[order], starts, axis=0, dtype=np.float64)
    norms = np.linalg.norm(sums, axis=1, keepdims=True)
    means: Floats = np.divide(sums, norms, out=np.zeros_like(sums), where=norms > TOLERANCE)
    return means


def label_graph(centroids: Floats, edges: float) -> tuple[list[Row], float | None]:
    """What each label gives to which labels, itself first: P by rows, each summing to 1.

    Args:
        centroids: unit rows or zeros (L, d).
        edges: share of the pairs that are joined.

    Returns:
        For each label (labels, shares); the cosine from which labels are joined, None where none are.
    """
    number = len(centroids)
    shown = centroids[:: max(1, -(-number // _SAMPLE))]
    cosines = (shown @ shown.T)[np.triu_indices(len(shown), 1)]
    threshold = None
    if len(cosines) and edges:
        threshold = max(float(np.quantile(cosines, 1 - edges, method="higher")), 2 * TOLERANCE)
    rows: list[Row] = []
    for label in range(number):
        own, shares = np.array([label]), np.ones(1)
        if threshold is not None:
            close = centroids @ centroids[label]
            joined = np.flatnonzero(close >= threshold - TOLERANCE)
            joined = joined[joined != label]
            own, shares = np.concatenate([own, joined]), np.concatenate([shares, close[joined]])
        rows.append((own, shares / shares.sum()))
    return rows, threshold


class _Information:
    """z, φ(z), and the records of each label, best first."""

    def __init__(self, codes: Ints, weights: Floats, rows: list[Row], power: float) -> None:
        self._codes, self._weights, self._rows, self._power = codes, weights, rows, power
        self._z, self.known = np.zeros(len(rows)), np.zeros(len(rows))
        self._order = np.lexsort((np.arange(len(codes)), -weights, codes))
        labels = np.arange(len(rows))
        self._next = np.searchsorted(codes[self._order], labels)
        self._end = np.searchsorted(codes[self._order], labels, side="right")

    def fill(self, basket: Basket, setting: Setting) -> None:
        """Take the record with the highest gain, of equal ones the first, until none with a label is open."""
        for candidate in basket.taken:
            self._take(candidate)
        told = len(basket)
        bounds = np.array([self._bound(label, basket) for label in range(len(self._rows))], dtype=np.float64)
        seen = np.full(len(self._rows), told)  # records taken when the bound was last exact
        while True:
            top = float(bounds.max(initial=-np.inf))
            if top == -np.inf:
                setting.told(len(basket) - told)
                return
            equal = np.flatnonzero(bounds >= top - TOLERANCE * max(top, TOLERANCE))
            stale = equal[seen[equal] != len(basket)]
            for label in stale.tolist():
                bounds[label] = self._bound(label, basket)
                seen[label] = len(basket)
            if len(stale):
                continue
            label = int(equal[np.argmin(self._order[self._next[equal]])])
            candidate = int(self._order[self._next[label]])
            basket.add(candidate, float(bounds[label]))
            self._take(candidate)
            self._next[label] += 1
            if len(basket) - told == _TOLD:
                setting.told(_TOLD)
                told = len(basket)

    def gains(self) -> Floats:
        """What each candidate would add now, NaN without a label, (n,)."""
        out = np.full(len(self._codes), np.nan)
        for label, row in enumerate(self._rows):
            at = np.flatnonzero(self._codes == label)
            out[at] = self._gain(row, self._weights[at])
        return out

    def _bound(self, label: int, basket: Basket) -> float:
        """Gain of the label's first record that the basket admits; -inf: there is none."""
        while self._next[label] < self._end[label]:
            candidate = int(self._order[self._next[label]])
            if basket.admits(candidate):
                return float(self._gain(self._rows[label], self._weights[candidate : candidate + 1])[0])
            self._next[label] += 1
        return float("-inf")

    def _gain(self, row: Row, weights: Floats) -> Floats:
        """Gains of records of one label with these weights, (m,)."""
        labels, shares = row
        gains: Floats = ((self._z[labels] + weights[:, None] * shares) ** self._power - self.known[labels]).sum(axis=1)
        return gains

    def _take(self, candidate: int) -> None:
        label = int(self._codes[candidate])
        if label >= 0:
            labels, shares = self._rows[label]
            self._z[labels] += self._weights[candidate] * shares
            self.known[labels] = self._z[labels] ** self._power
