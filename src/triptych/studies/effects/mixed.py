"""How much of a score is the block's: the variance component of a random intercept, by REML in statsmodels."""

from __future__ import annotations

import warnings

import numpy as np

from triptych.studies.effects.model import Array, Clusters


def shares(outcome: Array, columns: Array, clusters: Clusters) -> Array:
    """How much of each block's mean to take out of its runs so that least squares is the mixed model's estimate, (count,).

    1 - sqrt(s² / (s² + size t²)), s² the variance of runs and t² that of blocks (Fuller and Battese 1973). 0 where
    blocks do not differ.

    Args:
        outcome: (n,), finite.
        columns: fixed effects with the constant, (n, k), of full rank.
        clusters: the blocks.
    """
    from statsmodels.regression.mixed_linear_model import MixedLM  # noqa: PLC0415 - takes seconds to import

    spread = float(outcome.std()) or 1.0
    with warnings.catch_warnings():
        # At the edge (blocks that do not differ) the optimizer says so in several warnings; the answer 0 is right.
        warnings.simplefilter("ignore")
        try:
            found = MixedLM((outcome - outcome.mean()) / spread, columns, groups=clusters.codes).fit(reml=True)
            between, within = float(np.asarray(found.cov_re)[0, 0]), float(found.scale)
        except np.linalg.LinAlgError:
            # Singular exactly where the component is 0: the model without blocks.
            between, within = 0.0, 1.0
    if not (np.isfinite(between) and np.isfinite(within)) or between <= 0:
        return np.zeros(clusters.count)
    if within <= 0:
        return np.ones(clusters.count)
    out: Array = 1 - np.sqrt(within / (within + clusters.sizes * between))
    return out
