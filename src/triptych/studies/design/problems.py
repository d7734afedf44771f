"""From a pool and a request to the programs of the blocks: columns in pool SDs, arms, candidates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from triptych.core.errors import SchemaError, message
from triptych.core.rng import stream
from triptych.studies.design.assign import Part, Problem
from triptych.studies.design.clusters import (
    CLUSTERS,
    LOW_CLUSTERS,
    Block,
    Kinds,
    blocks_of,
    in_proportion,
    k_means,
    sizes_of,
)
from triptych.studies.design.levels import Request
from triptych.studies.design.pool import Pool

Floats = NDArray[np.float64]

ROOM = 2.0
"""A kind holds twice as many records as an arm takes from it: half of them are chosen, which makes the gap."""

ROOM_PROMPTS = 1.25
"""The same in prompts, where every prompt has several answers to choose from."""

CANDIDATES = 3
"""Records of a kind that a program sees for each one an arm takes: the narrow arms see all, wide arms need no more."""

CANDIDATES_PROMPTS = 2
"""The same in prompts, where every prompt has several answers."""

ONE_KIND = 12
MAIN_AXES = 20
BINS = 5
SAME = 0.99
TAGS = 200
LENGTH = 1.0
WORTH = 1e-9


@dataclass(frozen=True)
class Setup:
    """What is the same for all programs of a design.

    Attributes:
        pool: the records.
        request: what is asked.
        kinds: of the records.
        columns: factor to its values in pool SDs from the pool's mean, (n,).
        matched: limit to columns (n, j) in pool SDs.
        points: codes of the arms of a block, centre arms last.
        low: kinds of a narrow arm.
    """

    pool: Pool
    request: Request
    kinds: Kinds
    columns: Mapping[str, Floats]
    matched: Mapping[str, Floats]
    points: tuple[Mapping[str, int], ...]
    low: int

    @property
    def several(self) -> bool:
        """Whether prompts have several answers as a rule."""
        return bool((self.pool.prompts >= 0).mean() > 0.5)

    @property
    def room(self) -> float:
        """Records (or prompts) of a kind for each one that an arm takes."""
        return ROOM_PROMPTS if self.several else ROOM

    def blocks(self, n: int) -> list[Block] | None:
        """The blocks for arms of at most n records; None where the pool is too small."""
        if "D" not in self.points[0]:
            caps = self.kinds.sizes
            whole = np.arange(len(caps))
            return [Block(whole, whole, caps, caps)] * self.request.blocks if caps.sum() >= self.room * n else None
        return blocks_of(self.kinds, n, self.low, self.room, self.request.blocks, self.request.seed)


def standard(values: Floats) -> Floats:
    """In SDs from the mean; zeros where nothing varies. NaN, where a record has no value, counts as the mean."""
    known = values[~np.isnan(values)]
    sd = known.std() if len(known) else 0.0
    return np.nan_to_num((values - known.mean()) / sd) if sd > WORTH else np.zeros_like(values)


def setup(pool: Pool, request: Request, points: tuple[Mapping[str, int], ...]) -> Setup:
    """Kinds, columns and limits of a design."""
    diverse = request.factor("D")
    low, most = (int(level.number) for level in diverse.levels) if diverse and diverse.levels else (LOW_CLUSTERS, None)
    kinds = _kinds_of_tags(pool, most or TAGS) if pool.tags is not None else _clusters(pool, most or CLUSTERS, request)
    if "D" in points[0] and len(kinds.sizes) <= low:
        got = f"{len(kinds.sizes)} kinds of record"
        raise SchemaError(message(f"{pool.dataset.name}: D has too few kinds.", got=got, want=f"more than {low}"))
    columns = {name: standard(values) for name, values in pool.factors.items()}
    return Setup(pool, request, kinds, columns, _matched(pool), points, low)


def _clusters(pool: Pool, wanted: int, request: Request) -> Kinds:
    k = min(wanted, max(len(pool) // 20, 1))
    of, centres = k_means(pool.vectors, k, request.seed)
    return Kinds(of, centres, sizes_of(of, pool.prompts, k))


def _kinds_of_tags(pool: Pool, most: int) -> Kinds:
    """The most common values of a field, and the rest together."""
    assert pool.tags is not None  # noqa: S101 - asked before
    common = [tag for tag, count in Counter(pool.tags).most_common(most) if count > 1]
    lumped = len(set(pool.tags)) > len(common)
    code = {tag: index for index, tag in enumerate(common)}
    of = np.array([code.get(tag, len(common)) for tag in pool.tags], dtype=np.int64)
    k = len(common) + lumped
    sums = np.zeros((k, pool.vectors.shape[1]))
    np.add.at(sums, of, pool.vectors)
    return Kinds(of, sums / np.bincount(of, minlength=k)[:, None], sizes_of(of, pool.prompts, k), lumped)


def _matched(pool: Pool) -> dict[str, Floats]:
    """What must not move, by the name of the limit: columns (n, j) in pool SDs; shares as they are."""
    edges = np.unique(np.quantile(pool.length, np.arange(1, BINS) / BINS))
    bins = np.digitize(pool.length, edges)
    out = {
        "tokens": np.column_stack([standard(pool.tokens), standard(np.log(pool.tokens + LENGTH))]),
        "length": np.column_stack(
            [standard(pool.length), standard(np.log(pool.length + LENGTH)), *(bins == b for b in range(len(edges)))]
        ).astype(np.float64),
    }
    out |= {name: standard(values)[:, None] for name, values in pool.beside.items()}
    for name, values in pool.sources.items():
        out[name] = np.column_stack([values == value for value in sorted(set(values))[1:]]).astype(np.float64)
    return out


def reads_length(setup: Setup) -> bool:
    """Whether complexity is length: a correlation beyond .99 of C with the length or the tokens, or of their ranks."""
    values = setup.pool.factors.get("C")
    if values is None:
        return False
    for other in (setup.pool.length, setup.pool.tokens):
        if np.ptp(other) > 0:
            plain = abs(np.corrcoef(values, other)[0, 1])
            if max(plain, abs(np.corrcoef(_ranks(values), _ranks(other))[0, 1])) > SAME:
                return True
    return False


def _ranks(values: Floats) -> Floats:
    """Mid-ranks (n,)."""
    _, codes, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (counts.cumsum() - (counts - 1) / 2)[codes]


def given_levels(setup: Setup) -> dict[str, tuple[float | None, float]]:
    """Middle and half gap of the factors whose levels are given, in pool SDs from the pool's mean."""
    out: dict[str, tuple[float | None, float]] = {}
    for factor in setup.request.factors:
        if factor.name == "D" or not factor.levels:
            continue
        values = setup.pool.factors[factor.name]
        low, high = (
            float(np.quantile(values, level.number)) if level.quantile else level.number for level in factor.levels
        )
        if not (low < high or (factor.name == "C" and low > high)):  # a low solve rate is high complexity
            what = f"{factor.name}: the low level {low:g} is not below the high one, {high:g}."
            hint = f"{factor.name}={factor.source}:value:LO,value:HI (means of an arm), or no levels"
            raise SchemaError(message(what, got=f"quantiles of {factor.source}", hint=hint))
        mean, sd = values.mean(), values.std()
        out[factor.name] = ((low + high) / 2 - mean) / sd, (high - low) / 2 / sd
    return out


def problem_of(
    setup: Setup, block: Block, index: int, sizes: Mapping[int, int], equal: tuple[str, ...]
) -> Problem | None:
    """The program of one block.

    Args:
        setup: of the design.
        block: which kinds.
        index: of the block.
        sizes: records of an arm by the code of C (0 where C is no factor).
        equal: what is held equal.

    Returns:
        None where the kinds hold too few records.
    """
    parts: list[Part] = []
    kept: dict[tuple[int, int], NDArray[np.int64]] = {}
    for point in setup.points:
        size, level = sizes[point.get("C", 0)], point.get("D", 2)
        counts = block.counts(level, size) if level != 2 else in_proportion(setup.kinds.sizes, size)
        if counts is None:
            return None
        if (level, size) not in kept:
            per = ONE_KIND if level == 2 else CANDIDATES_PROMPTS if setup.several else CANDIDATES
            kept[level, size] = _candidates(setup, counts, per, (index, level))
        parts.append(Part(arm_name(index, point, len(parts)), point, kept[level, size], counts))
    matched = {name: columns for name, columns in setup.matched.items() if name not in ("tokens", "length")}
    if "records" in equal and "tokens" in equal:
        matched = {"tokens": setup.matched["tokens"], **matched}
    if "length" in equal:
        matched = {"length": setup.matched["length"], **matched}
    return Problem(
        tuple(parts),
        setup.kinds.of,
        setup.pool.prompts,
        setup.columns,
        matched,
        _pinned(setup, parts),
        levels=given_levels(setup),
    )


def arm_name(block: int, point: Mapping[str, int], place: int) -> str:
    """`b0-q0d1c0`: 0 for low, 1 for high; centre arms are called so."""
    if not any(point.values()):
        return f"b{block}-centre{place}"
    return f"b{block}-" + "".join(
        f"{name.lower()}{(code + 1) / 2:g}".replace("0.5", "m") for name, code in point.items()
    )


def _candidates(setup: Setup, counts: NDArray[np.int64], per: int, labels: tuple[int, int]) -> NDArray[np.int64]:
    """Records that arms with these counts may take: of each kind, all answers to `per` prompts for each one taken."""
    prompts, out = setup.pool.prompts, []
    rng = stream("design", "candidates", setup.request.seed, *labels)
    for kind in np.flatnonzero(counts):
        inside = np.flatnonzero(setup.kinds.of == kind)
        own = np.where(prompts[inside] < 0, -1 - np.arange(len(inside)), prompts[inside])
        names = np.unique(own)
        chosen = rng.permutation(names)[: per * int(counts[kind])]
        out.append(inside[np.isin(own, chosen)])
    return np.sort(np.concatenate(out))


def _pinned(setup: Setup, parts: list[Part]) -> dict[int, Floats]:
    """Squared projections on the 20 main axes of what the arms of one level of diversity may take, in SDs."""
    out = {}
    for level in {part.codes.get("D", 1) for part in parts}:
        inside = np.unique(np.concatenate([part.records for part in parts if part.codes.get("D", 1) == level]))
        vectors = setup.pool.vectors[inside]
        _, axes = np.linalg.eigh(vectors.T @ vectors / len(vectors))
        squares = (setup.pool.vectors @ axes[:, -MAIN_AXES:]) ** 2
        out[level] = (squares - squares[inside].mean(axis=0)) / np.maximum(squares[inside].std(axis=0), WORTH)
    return out
