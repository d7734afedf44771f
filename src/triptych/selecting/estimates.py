"""A few numbers of a selection, beside those of a random one and of the pool.

Means of quality, complexity and tokens are those of all records of the pool; diversity grows with the number of records,
so the pool's is that of a random sample of as many records as the selection has.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from triptych.core.basket import Basket
from triptych.core.estimate import Undefined
from triptych.core.groups import GROUPS, Mask, everything
from triptych.core.interval import Dealt, interval
from triptych.core.reading import read
from triptych.core.rng import stream
from triptych.engines.fold import Selected, fold
from triptych.engines.progress import Progress
from triptych.profiling.bench import Bench
from triptych.selecting.choose import Chosen
from triptych.selecting.pool import Pool

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_EVERY = (-np.inf, np.inf)


def random_ordinals(pool: Pool, limit: int, seed: int) -> Ints:
    """Records of a random selection: candidates in a random order until the budget is spent; ascending."""
    basket = Basket(pool.candidates.cost, limit)
    basket.fill(stream("select", "beside", seed).permutation(len(pool)))
    return pool.ordinals(basket.taken)


def pool_sample(pool: Pool, size: int) -> Ints:
    """As many records of the whole pool, drawn at random: those of the smallest address hash; ascending."""
    address = pool.store.address()
    if size >= len(address):
        return np.arange(len(address), dtype=np.int64)
    return np.sort(np.argpartition(address, size)[:size])


def estimates(chosen: Chosen, pool: Pool, bench: Bench, seed: int) -> list[dict[str, Any]]:
    """The numbers of a selection: of the pool, at random and selected, with the interval of the last.

    Args:
        chosen: the selection.
        pool: all candidates, before the policy's own rules.
        bench: what to work with.
        seed: of the random selection.
    """
    kept = chosen.ordinals
    random = random_ordinals(pool, chosen.spent, seed)
    out = [_mean(name, axis, chosen, random) for name, axis in (("quality", "quality"), ("complexity", "complexity"))]
    found = [entry for entry in out if entry is not None]
    found.append(
        _of_means("tokens", "complexity", "tokens", pool, chosen.pool.tokens.astype(np.float64), (kept, random))
    )
    if pool.measures:
        sets = {"selected": kept, "random": random, "pool": pool_sample(pool, len(kept))}
        with bench.progress.stage("measures of the selection", unit="sets", total=len(sets)) as stage:
            states = {}
            for name, rows in sets.items():
                states[name] = _folded(pool, rows, bench)
                stage.advance(1)
        dealt = Selected(pool.store, pool.grouping.keys, kept).keys.dealt()
        found += [_measured(measure, states, dealt, bench) for measure in pool.measures]
    return sorted(found, key=lambda entry: ("quality", "diversity", "complexity").index(entry["axis"]))


def _folded(pool: Pool, rows: Ints, bench: Bench) -> Mapping[str, Any]:
    selected = Selected(pool.store, pool.grouping.keys, rows)
    statistics = [measure.statistic() for measure in pool.measures]
    return fold(selected, statistics, pool.work.relations, bench.engine, Progress())


def _measured(
    measure: Any, states: Mapping[str, Mapping[str, Any]], dealt: Dealt | None, bench: Bench
) -> dict[str, Any]:
    key = measure.statistic().spec.hash
    embedded = any("embedding" in need for need in measure.statistic().needs)
    frozen = f"encoder {bench.instruments.encoder_identity}" if embedded else None
    estimate = read(measure, states["selected"][key], dealt=dealt, conditional_on=frozen)
    beside = {}
    for name in ("pool", "random"):
        value = measure.value(states[name][key], everything())
        beside[name] = None if isinstance(value, Undefined) else float(value)
    return {
        "measure": measure.about.name,
        "axis": measure.about.axis,
        "label": measure.label,
        **beside,
        "selected": estimate.value,
        "lo": estimate.interval.lo,
        "hi": estimate.interval.hi,
        "unit": measure.about.unit,
    }


def _mean(name: str, axis: str, chosen: Chosen, random: Ints) -> dict[str, Any] | None:
    wish = getattr(chosen.pool, name)
    if wish is None:
        return None
    values = chosen.pool.values[name]
    return _of_means(wish.label.partition(":")[0], axis, wish.label, chosen.pool, values, (chosen.ordinals, random))


def _of_means(
    measure: str, axis: str, label: str, pool: Pool, values: Floats, sets: tuple[Ints, Ints]
) -> dict[str, Any]:
    """Means of what is known; the interval is the jackknife over the 32 groups of records."""
    kept, random = sets
    group = pool.grouping.keys.group[kept]
    known = ~np.isnan(values[kept])
    count = np.bincount(group[known], minlength=GROUPS)
    total = np.bincount(group[known], weights=values[kept][known], minlength=GROUPS)

    def value(keep: Mask) -> float | Undefined:
        n = int(count[keep].sum())
        return float(total[keep].sum() / n) if n else Undefined("no record has a value")

    whole = value(everything())
    selected = None if isinstance(whole, Undefined) else whole
    between = interval(value, lambda keep: int(count[keep].sum()), "plain", _EVERY) if selected is not None else None
    return {
        "measure": measure,
        "axis": axis,
        "label": label,
        "pool": _known_mean(values),
        "random": _known_mean(values[random]),
        "selected": selected,
        "lo": between.lo if between else None,
        "hi": between.hi if between else None,
        "unit": "tokens" if measure == "tokens" else "mean of the field",
    }


def _known_mean(values: Floats) -> float | None:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else None
