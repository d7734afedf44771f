"""What was measured of each arm: a few measures of the panel, and the Vendi score of a second representation.

The second representation is TF-IDF: cosines of token counts weighted by log(n / document frequency) over the pool, so
that the narrow arms' diversity does not rest on the encoder that the clusters were made with.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from triptych.core.estimate import Undefined
from triptych.core.groups import everything
from triptych.core.rng import stream
from triptych.engines.fold import Selected, fold
from triptych.engines.progress import Progress
from triptych.measures.diversity.vendi import effective_number
from triptych.profiling.bench import Bench
from triptych.selecting.lexical import Lexicon, tokens_of
from triptych.studies.design.balance import Arm
from triptych.studies.design.pool import Pool

SAMPLE = 800
"""Records of an arm that the TF-IDF score reads: the same number for all arms, since it grows with it."""

TFIDF = "tfidf_vendi:q=1"


def measured(pool: Pool, arm: Arm, bench: Bench) -> dict[str, float]:
    """The measures of the pool's panel on one arm, by label; one that is undefined there is left out."""
    selected = Selected(pool.store, pool.grouping.keys, pool.rows[arm.chosen])
    statistics = [measure.statistic() for measure in pool.measures]
    folded = fold(selected, statistics, pool.work.relations, bench.engine, Progress())
    out = {}
    for measure, statistic in zip(pool.measures, statistics, strict=True):
        value = measure.value(folded[statistic.spec.hash], everything())
        if not isinstance(value, Undefined):
            out[measure.label] = float(value)
    return out


class TfIdf:
    """TF-IDF vectors of a pool, and the Vendi score of some of its records."""

    def __init__(self, pool: Pool) -> None:
        tokens = tokens_of(pool.store, f"tokens@{pool.on}", pool.rows)
        self.rows = Lexicon(*tokens).vectors(*tokens)

    def vendi(self, chosen: NDArray[np.int64], size: int) -> float | None:
        """Effective records of order 1 among `size` of the chosen, drawn at random; None where no text has a token."""
        if len(chosen) > size:
            chosen = np.sort(stream("design", "tfidf", len(chosen), size).choice(chosen, size, replace=False))
        rows = self.rows[chosen]
        rows = rows[np.asarray(rows.multiply(rows).sum(axis=1)) > 0]
        if not rows.shape[0]:
            return None
        cosines = (rows @ rows.T).toarray()
        return effective_number(np.linalg.eigvalsh(cosines / len(cosines)), 1.0)


def diversity(pool: Pool, arms: Sequence[Arm], bench: Bench) -> list[dict[str, float]]:
    """What was measured of each arm, by label, in the order of the arms."""
    second = TfIdf(pool)
    size = min(SAMPLE, *(len(arm.chosen) for arm in arms))
    out = []
    with bench.progress.stage("measures of the arms", unit="arms", total=len(arms)) as stage:
        for arm, score in zip(arms, bench.engine.share(lambda arm: second.vendi(arm.chosen, size), arms), strict=True):
            found = measured(pool, arm, bench)
            out.append(found if score is None else {**found, TFIDF: score})
            stage.advance(1)
    return out
