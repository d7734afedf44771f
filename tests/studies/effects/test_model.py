"""The error of an effect against the obvious computation, against statsmodels, and against what it should hold."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.linalg import block_diag
from scipy.stats import ttest_ind

from triptych.core.multiplicity import benjamini_hochberg, holm
from triptych.core.rng import stream
from triptych.studies.effects.mixed import shares
from triptych.studies.effects.model import Clusters, Fit, basis

CORNERS = np.array(list(itertools.product((-1.0, 1.0), repeat=3)))


def study(blocks, seed=0, keep=1.0, panels=2):
    """Columns Q, D, C and Q:D, block of each run, scores (n, panels)."""
    rng = stream("test", "model", seed)
    columns = np.tile(np.column_stack([CORNERS, CORNERS[:, 0] * CORNERS[:, 1]]), (blocks, 1))
    labels = np.repeat(np.arange(blocks), 8)
    y = columns[:, :2] @ rng.normal(size=(2, panels)) + rng.normal(size=(blocks, panels))[labels]
    y += rng.normal(size=y.shape) * rng.uniform(0.2, 2, size=(len(y), 1))
    left = rng.random(len(y)) < keep
    return columns[left], labels[left], y[left]


def slow_cr2(columns, labels, y):
    """Bell and McCaffrey with dense matrices and all dummies written out, their working model independent runs."""
    dummies = (labels[:, None] == np.unique(labels)).astype(float)
    whole = np.column_stack([columns, dummies])
    inverse = np.linalg.inv(whole.T @ whole)
    rest = np.eye(len(y)) - whole @ inverse @ whole.T
    residuals = rest @ y
    # The adjustment acts on what is left inside blocks, where the dummies are nought.
    inside = np.eye(len(y)) - dummies @ np.linalg.inv(dummies.T @ dummies) @ dummies.T
    x = inside @ columns
    m = np.linalg.inv(x.T @ x)
    pieces = []
    for name in np.unique(labels):
        mine = labels == name
        values, vectors = np.linalg.eigh(np.eye(mine.sum()) - x[mine] @ m @ x[mine].T)
        root = (vectors * np.where(values > 1e-9, 1 / np.sqrt(np.maximum(values, 1e-9)), 0)) @ vectors.T
        pieces.append(root @ x[mine] @ m)
    order = np.concatenate([np.flatnonzero(labels == name) for name in np.unique(labels)])
    spread = block_diag(*[np.ones((1, (labels == name).sum())) for name in np.unique(labels)])
    a = np.vstack(pieces)
    se, df = [], []
    for k in range(columns.shape[1]):
        sums = spread @ (a[:, [k]] * residuals[order])
        se.append(np.sqrt((sums**2).sum(0)))
        g = (rest[:, order] * a[:, k]) @ spread.T
        omega = g.T @ g
        df.append(np.trace(omega) ** 2 / np.trace(omega @ omega))
    return (inverse @ whole.T @ y)[: columns.shape[1]], np.array(se), np.array(df)


@pytest.mark.parametrize("keep", [1.0, 0.8])
def test_clustered_error_is_the_slow_one(keep):
    columns, labels, y = study(6, keep=keep)
    found = Fit(columns, np.ones((len(y), 1)), Clusters.of(labels)).solve(y)
    beta, se, df = slow_cr2(columns, labels, y)
    np.testing.assert_allclose(found.beta, beta, atol=1e-10)
    np.testing.assert_allclose(found.se, se, rtol=1e-8)
    np.testing.assert_allclose(found.df, np.repeat(df[:, None], 2, axis=1), rtol=1e-6)


@pytest.mark.parametrize("blocks", [3, 5])
def test_with_all_arms_in_every_block_it_is_the_t_test_over_blocks(blocks):
    columns, labels, y = study(blocks)
    found = Fit(columns, np.ones((len(y), 1)), Clusters.of(labels)).solve(y)
    own = np.stack([columns[labels == b].T @ y[labels == b] / 8 for b in range(blocks)])
    np.testing.assert_allclose(found.beta, own.mean(0), atol=1e-12)
    np.testing.assert_allclose(found.se, own.std(0, ddof=1) / np.sqrt(blocks), rtol=1e-9)
    np.testing.assert_allclose(found.df, blocks - 1)


def test_the_worked_example():
    x, labels = np.tile([-1.0, 1.0], 4)[:, None], np.repeat(np.arange(4), 2)
    y = np.array([0, 0.1, 5, 5.2, -1, -0.7, 2, 2.4])[:, None]
    found = Fit(x, np.ones((8, 1)), Clusters.of(labels)).solve(y)
    assert 2 * found.beta[0, 0] == pytest.approx(0.25)
    assert 2 * found.se[0, 0] == pytest.approx(0.0645, abs=5e-5)
    assert found.df[0, 0] == pytest.approx(3)


def test_two_groups_without_blocks_are_welchs_t_test():
    rng = stream("test", "welch")
    x = np.r_[-np.ones(6), np.ones(6)]
    y = np.r_[rng.normal(size=6), 3 * rng.normal(size=6)]
    found = Fit(x[:, None], np.ones((12, 1)), Clusters.alone(12)).solve(y[:, None])
    assert 2 * found.se[0, 0] == pytest.approx(np.sqrt((y[:6].var(ddof=1) + y[6:].var(ddof=1)) / 6))
    theirs = ttest_ind(y[6:], y[:6], equal_var=False)
    assert 2 * found.beta[0, 0] / (2 * found.se[0, 0]) == pytest.approx(theirs.statistic)
    assert found.df[0, 0] == pytest.approx(theirs.df)


def test_against_statsmodels():
    import statsmodels.api as sm

    columns, labels, y = study(5, keep=0.85, panels=1)
    dummies = (labels[:, None] == np.unique(labels)).astype(float)
    theirs = sm.OLS(y[:, 0], np.column_stack([columns, dummies])).fit()
    mine = Fit(columns, np.ones((len(y), 1)), Clusters.of(labels))
    found = mine.solve(y)
    np.testing.assert_allclose(found.beta[:, 0], theirs.params[:4], atol=1e-10)
    np.testing.assert_allclose(found.residuals[:, 0], theirs.resid, atol=1e-10)
    assert mine.df_residual == theirs.df_resid
    np.testing.assert_allclose(mine.leverage, theirs.get_influence().hat_matrix_diag, atol=1e-10)
    np.testing.assert_allclose(found.partial_r2[:, 0], (t2 := theirs.tvalues[:4] ** 2) / (t2 + theirs.df_resid))

    plain = sm.OLS(y[:, 0], np.column_stack([columns, np.ones(len(y))])).fit(cov_type="HC2")
    alone = Fit(columns, np.ones((len(y), 1)), Clusters.alone(len(y))).solve(y)
    np.testing.assert_allclose(alone.se[:, 0], plain.bse[:4], rtol=1e-8)


def test_random_blocks_are_the_mixed_model_of_statsmodels():
    from statsmodels.regression.mixed_linear_model import MixedLM

    rng = stream("test", "mixed")
    labels = np.repeat(np.arange(20), 5)[:93]
    x = np.column_stack([rng.normal(size=93), rng.normal(size=20)[labels]])
    y = x @ [0.5, -0.3] + rng.normal(size=20)[labels] + rng.normal(size=93)
    theirs = MixedLM(y, np.column_stack([x, np.ones(93)]), groups=labels).fit(reml=True)
    whole = Clusters.of(labels)
    mine = Clusters(whole.codes, whole.count, shares(y, np.column_stack([x, np.ones(93)]), whole))
    found = Fit(x, np.ones((93, 1)), mine).solve(y[:, None])
    np.testing.assert_allclose(found.beta[:, 0], theirs.fe_params[:2], rtol=1e-4)
    assert found.df[1, 0] < 20  # a factor between blocks has no more freedom than there are blocks
    assert (mine.share > 0).all()
    assert (mine.share < 1).all()


def test_blocks_that_do_not_differ_have_no_share():
    rng = stream("test", "same blocks")
    labels = np.repeat(np.arange(10), 4)
    y = rng.normal(size=40)
    y -= Clusters.of(labels).sums(y[:, None])[labels, 0] / 4
    assert (shares(y, np.ones((40, 1)), Clusters.of(labels)) < 1e-3).all()


def test_what_is_held_fixed_may_be_collinear_and_drops_out():
    columns, labels, y = study(4)
    extra = stream("test", "held").normal(size=(len(y), 1))
    once = Fit(columns, np.column_stack([np.ones(len(y)), extra]), Clusters.of(labels)).solve(y)
    twice = Fit(columns, np.column_stack([np.ones(len(y)), extra, 3 * extra - 1]), Clusters.of(labels)).solve(y)
    np.testing.assert_allclose(once.se, twice.se)
    assert basis(np.column_stack([extra, extra])).shape[1] == 1


def test_adjusted_p_is_statsmodels():
    from statsmodels.stats.multitest import multipletests

    p = stream("test", "p").random(25) ** 3
    np.testing.assert_allclose(holm(p), multipletests(p, method="holm")[1])
    np.testing.assert_allclose(benjamini_hochberg(p), multipletests(p, method="fdr_bh")[1])
    np.testing.assert_allclose(holm(np.array([0.01, 0.04, 0.03])), [0.03, 0.06, 0.06])
    np.testing.assert_allclose(benjamini_hochberg(np.array([0.01, 0.04, 0.03])), [0.03, 0.04, 0.04])
