"""Do the intervals of effects hold? `python benchmarks/inference/run.py [--repetitions 2000] [-o result.json]`.

Simulated studies of eight arms and a centre in 3, 5 or 10 blocks, with planted effects and with none, runs missing or
not, scored by the product's own code. Counts how often 95 % intervals hold the truth and how often something is found
where nothing is. Writes `result.json`.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from triptych.core.multiplicity import benjamini_hochberg, holm
from triptych.core.rng import stream
from triptych.studies.effects.bootstrap import interval_over_items
from triptych.studies.effects.mixed import shares
from triptych.studies.effects.model import Clusters, Fit
from triptych.studies.effects.plan import Analysis
from worlds import LEVELS, WORLDS, World

Q, D, C = LEVELS.T
COLUMNS = np.column_stack([Q, D, C, Q * D, Q * C, D * C, Q * D * C, 1 - Q**2])
"""What the product puts into the model: factors, products, curvature."""

MARGIN = 0.05


def fitted(blocks: int, keep: Any = None) -> Fit:
    """The product's model for a study of so many blocks, some runs missing."""
    columns, labels = np.tile(COLUMNS, (blocks, 1)), np.repeat(np.arange(blocks), 9)
    keep = np.ones(len(labels), bool) if keep is None else keep
    return Fit(columns[keep], np.ones((int(keep.sum()), 1)), Clusters.of(labels[keep]))


def estimated(fit: Fit, y: Any, error: str) -> tuple[Any, Any, Any]:
    """Effects of Q, D, C, their errors and degrees of freedom, by one way to tell the error."""
    from scipy.special import stdtrit  # noqa: F401, PLC0415 - loaded once, before the clock

    found = fit.solve(y)
    effect = 2 * found.beta[:3]
    if error == "blocks":
        return effect, 2 * found.se[:3], found.df[:3]
    df = fit.df_residual
    if error == "pooled":
        squares = (found.residuals**2).sum(0) / df
        return effect, 2 * np.sqrt((fit.weights[:3] ** 2).sum(1)[:, None] * squares), np.full((3, 1), df)
    leverage = np.clip(fit.leverage, 0, 1 - 1e-9)
    squares = (found.residuals / (1 - leverage)[:, None]) ** 2
    return effect, 2 * np.sqrt(fit.weights[:3] ** 2 @ squares), np.full((3, 1), df)


def tested(effect: Any, se: Any, df: Any) -> Any:
    """Two-sided p, (3, repetitions)."""
    from scipy.special import stdtr  # noqa: PLC0415

    return 2 * stdtr(df, -np.abs(effect) / se)


def covered(effect: Any, se: Any, df: Any, truth: Any) -> Any:
    """Whether the 95 % interval holds the truth, (3, repetitions)."""
    from scipy.special import stdtrit  # noqa: PLC0415

    return np.abs(effect - truth[:, None]) <= stdtrit(df, 0.975) * se


def scenario(name: str, world: World, blocks: int, missing: float, repetitions: int) -> list[dict[str, Any]]:
    """One row for each way to tell the error."""
    rng = stream("inference", name, blocks, round(100 * missing))
    scores = np.stack([world.draw(rng, blocks)[..., 0].ravel() for _ in range(repetitions)], axis=1)
    truth, rows = world.truth(), []
    patterns = [None]
    if missing:
        patterns = [keep for _ in range(100) if estimable(keep := rng.random(9 * blocks) >= missing, blocks)]
    parts = np.array_split(np.arange(repetitions), len(patterns))
    fits = [fitted(blocks, keep) for keep in patterns]
    for error in ("blocks", "pooled", "hc3"):
        hold, width, found, same = [], [], [], []
        for fit, keep, some in zip(fits, patterns, parts, strict=True):
            y = scores[:, some] if keep is None else scores[keep][:, some]
            effect, se, df = estimated(fit, y, error)
            p = tested(effect, se, df)
            from scipy.special import stdtr, stdtrit  # noqa: PLC0415

            hold.append(covered(effect, se, df, truth))
            width.append(2 * stdtrit(df, 0.975) * se)
            found.append(p < 0.05)
            same.append(stdtr(df, (np.abs(effect) - MARGIN) / se) < 0.05)
        hold, width = np.concatenate(hold, axis=1), np.concatenate(width, axis=1)
        found, same = np.concatenate(found, axis=1), np.concatenate(same, axis=1)
        for k, factor in enumerate("QDC"):
            row = {
                "scenario": name, "blocks": blocks, "missing": missing, "error": error, "factor": factor,
                "truth": round(float(truth[k]), 4), "repetitions": repetitions,
                "coverage": share(hold[k]), "width": round(float(width[k].mean()), 4),
            }  # fmt: skip
            row["found" if abs(truth[k]) > 1e-9 else "false_findings"] = share(found[k])
            if abs(truth[k]) >= MARGIN:
                row["false_equivalence"] = share(same[k])
            rows.append(row)
    return rows


def estimable(keep: Any, blocks: int) -> bool:
    """Whether every arm is left somewhere and every column can be told inside blocks."""
    columns, labels = np.tile(COLUMNS, (blocks, 1))[keep], np.repeat(np.arange(blocks), 9)[keep]
    return np.linalg.matrix_rank(Clusters.of(labels).without_means(columns)) == COLUMNS.shape[1]


def families(repetitions: int, blocks: int) -> list[dict[str, Any]]:
    """No effect anywhere, four panels that share blocks, 12 tests: how often a family holds a finding."""
    rows, fit = [], fitted(blocks)
    for name in ("uneven arms, no effect", "blocks differ, no effect", "items, no effect"):
        rng = stream("inference", "family", name, blocks)
        draws = np.stack([WORLDS[name].draw(rng, blocks, panels=4).reshape(-1, 4) for _ in range(repetitions)], axis=1)
        p = np.concatenate([tested(*estimated(fit, draws[:, :, k], "blocks")) for k in range(4)])
        for how, adjust in (("none", lambda one: one), ("holm", holm), ("bh", benjamini_hochberg)):
            wrong = np.array([adjust(one).min() < 0.05 for one in p.T])
            row = {"family": name, "blocks": blocks, "tests": 12, "multiplicity": how, "repetitions": repetitions}
            rows.append({**row, "families_with_a_false_finding": share(wrong)})
    return rows


def over_items(repetitions: int, blocks: int, own: bool) -> dict[str, Any]:
    """Coverage of both intervals for new items, where each item answers to factors in its own way."""
    rng, fit, plan = stream("inference", "items", blocks, int(own)), fitted(blocks), Analysis(bootstrap=400)
    first, second, widths = [], [], []
    for _ in range(repetitions):
        shape = (1 if not own else blocks, 1, 100)
        slopes = np.array([0.4, 0.2, 0.0]) + 0.6 * rng.normal(size=(*shape, 3))
        mean = (
            (LEVELS[None, :, None, :] * slopes).sum(-1)
            + 1.0 * rng.normal(size=shape)
            + 0.15 * rng.normal(size=(blocks, 9, 1))
        )
        answers = (rng.random((blocks, 9, 100)) < 1 / (1 + np.exp(-mean))).reshape(-1, 100).astype(float)
        found = fit.solve(answers.mean(1, keepdims=True))
        both = interval_over_items(fit, found, answers, np.full(8, 2.0), plan)
        first.append(covered(2 * found.beta[:3], 2 * found.se[:3], found.df[:3], ITEMS_TRUTH)[:, 0])
        second.append([one["lo"] <= true <= one["hi"] for one, true in zip(both[:3], ITEMS_TRUTH, strict=True)])
        widths.append(both[0]["se"] / (2 * found.se[0, 0]))
    return {
        "items": "own to each block" if own else "the same in all blocks", "blocks": blocks, "repetitions": repetitions,
        "coverage_blocks": share(np.array(first)), "coverage_items": share(np.array(second)),
        "width_ratio": round(float(np.median(widths)), 3),
    }  # fmt: skip


def _items_truth() -> Any:
    """True effects of `over_items`: over items' difficulty and slopes and runs, by a large draw of the normal's nodes."""
    from worlds import CORNERS, NODES, WEIGHTS  # noqa: PLC0415

    spread = np.sqrt(1.0 + 0.15**2 + 3 * 0.36)
    means = (1 / (1 + np.exp(-((CORNERS @ [0.4, 0.2, 0.0])[:, None] + spread * NODES))) * WEIGHTS).sum(
        1
    ) / WEIGHTS.sum()
    return CORNERS.T @ means / 4


ITEMS_TRUTH = _items_truth()


def models(repetitions: int, count: int, random: bool) -> list[dict[str, Any]]:
    """Runs of so many models, few or many to a model, whose effects differ; `random`: one factor is the model's own."""
    rng, held, size = stream("inference", "models", count, int(random)), [], 12 * count
    for _ in range(repetitions):
        labels = np.r_[
            np.arange(count).repeat(2), rng.choice(count, size - 2 * count, p=rng.dirichlet(np.full(count, 2.0)))
        ]
        x = rng.normal(size=size) + 0.7 * rng.normal(size=count)[labels]
        columns = np.column_stack([x, rng.normal(size=count)[labels]]) if random else x[:, None]
        y = 0.3 * columns.sum(1) + rng.normal(size=count)[labels] + 0.15 * rng.normal(size=count)[labels] * x
        y += rng.normal(size=size) * (0.3 + 0.3 * (x > 0))
        clusters = Clusters.of(labels)
        if random:
            part = shares(y, np.column_stack([columns, np.ones(size)]), clusters)
            clusters = Clusters(clusters.codes, clusters.count, part)
        found = Fit(columns, np.ones((size, 1)), clusters).solve(y[:, None])
        held.append(covered(found.beta, found.se, found.df, np.full(columns.shape[1], 0.3))[:, 0])
    return [
        {
            "table": f"{size} runs of {count} models", "block": "random" if random else "fixed",
            "factor": factor, "repetitions": repetitions, "coverage": share(np.array(held)[:, k]),
        }
        for k, factor in enumerate(["inside models", "between models"][: 1 + random])
    ]  # fmt: skip


def loose(repetitions: int, seeds: int) -> list[dict[str, Any]]:
    """Nine uneven arms with so many runs each and no blocks: runs are counted."""
    world, rng = WORLDS["uneven arms, effects"], stream("inference", "loose", seeds)
    scores = np.array(world.effects) @ LEVELS.T + np.array(world.normal) * rng.normal(size=(repetitions, seeds, 9))
    columns = np.tile(COLUMNS, (seeds, 1))
    found = Fit(columns, np.ones((9 * seeds, 1)), Clusters.alone(9 * seeds)).solve(scores.reshape(repetitions, -1).T)
    hold = covered(2 * found.beta[:3], 2 * found.se[:3], found.df[:3], world.truth())
    return [
        {
            "table": f"9 uneven arms, {seeds} runs each, no blocks", "block": None,
            "factor": factor, "repetitions": repetitions, "coverage": share(hold[k]),
        }
        for k, factor in enumerate("QDC")
    ]  # fmt: skip


def share(hits: Any) -> float:
    """Share of a set of yes and no."""
    return round(float(np.mean(hits)), 4)


def main() -> None:
    """Run all scenarios, print a summary and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=2000)
    parser.add_argument("-o", type=Path)
    options = parser.parse_args()
    start, n = time.perf_counter(), options.repetitions
    rows = []
    for name, world in WORLDS.items():
        for blocks, missing in ((3, 0.0), (5, 0.0), (10, 0.0), (5, 0.1), (5, 0.2)):
            rows += scenario(name, world, blocks, missing, n)
        for error in ("blocks", "pooled", "hc3"):
            held = [row["coverage"] for row in rows if row["scenario"] == name and row["error"] == error]
            print(f"{name:28} {error:7} coverage {min(held):.3f} to {max(held):.3f}")
    family = [row for blocks in (3, 5, 10) for row in families(4 * n, blocks)]
    items = [over_items(max(300, n // 2), blocks, own) for blocks in (3, 5, 10) for own in (True, False)]
    tables = [
        row for count in (10, 20, 40) for random in (False, True) for row in models(max(300, n // 2), count, random)
    ]
    tables += [row for seeds in (2, 3, 5) for row in loose(n, seeds)]
    for row in (*family, *items, *tables):
        print(row)
    print(f"{time.perf_counter() - start:.0f} s", file=sys.stderr)
    if options.o:
        about = {
            "level": 0.95, "monte_carlo_error": round(float(np.sqrt(0.95 * 0.05 / n)), 4),
            "python": platform.python_version(), "numpy": np.__version__,
        }  # fmt: skip
        options.o.write_text(
            json.dumps({**about, "effects": rows, "families": family, "items": items, "tables": tables}, indent=1)
            + "\n"
        )


if __name__ == "__main__":
    main()
