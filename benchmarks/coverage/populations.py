"""Known populations: each draws a data set of n records as the columns that statistics read.

Groups are dealt at random, as a hash of the address deals them; records of one prompt share a group where a population
has several responses to a prompt. Relation columns are exact.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from against import AgainstReference

from triptych.core.batch import Batch, list_array
from triptych.core.groups import GROUPS
from triptych.core.ngrams import ngram_hashes

DEFECTS = 6


def dealt(rng: np.random.Generator, columns: dict[str, Any], n: int, group: np.ndarray | None = None) -> Batch:
    """A batch with random groups and addresses."""
    made = {name: column if isinstance(column, pa.Array) else pa.array(column) for name, column in columns.items()}
    group = rng.integers(0, GROUPS, n) if group is None else group
    return Batch(made, group.astype(np.uint8), rng.integers(0, 1 << 63, n).astype(np.uint64))


def vectors(x: np.ndarray) -> pa.Array:
    """Rows as a fixed-size list column."""
    return pa.FixedSizeListArray.from_arrays(pa.array(x.astype(np.float32).reshape(-1)), x.shape[1])


def zipf_tokens(rng: np.random.Generator, count: int, vocabulary: int, exponent: float = 1.0) -> np.ndarray:
    """Token ids of a Zipf law over a finite vocabulary."""
    cumulative = np.cumsum(1.0 / np.arange(1, vocabulary + 1) ** exponent)
    return np.searchsorted(cumulative, rng.random(count) * cumulative[-1]).astype(np.int32)


def copies_of(ids: np.ndarray, patterns: str) -> dict[str, Any]:
    """Content ids, templates and near-duplicate patterns of records that are copies where their ids are equal."""
    digests = [int(i).to_bytes(8, "little") * 2 for i in ids]
    columns = {"content_id": pa.array(digests, type=pa.binary(16)), "template@prompt": ids.astype(np.uint64)}
    return columns | {"defects": np.zeros(len(ids), dtype=np.uint16), patterns: ids}


def with_patterns(batch: Batch, name: str) -> Batch:
    """Replace the column of ids by the groups of the equal ids of lower address."""
    _, place = np.unique(np.asarray(batch.columns[name]), return_inverse=True)
    first = np.full((place.max() + 1, GROUPS), np.iinfo(np.uint64).max, dtype=np.uint64)
    np.minimum.at(first, (place, batch.group), batch.address)
    seen = first[place] < batch.address[:, None]
    pattern = (seen * (np.uint64(1) << np.arange(GROUPS, dtype=np.uint64))).sum(axis=1, dtype=np.uint64)
    return Batch({**batch.columns, name: pa.array(pattern.astype(np.uint32))}, batch.group, batch.address)


def with_repeats(batch: Batch, n: int, on: str = "response") -> Batch:
    """Add the vectors of what each record shares with the records of each group."""
    hashes, counts = ngram_hashes(*batch.lists(f"tokens@{on}"), n)
    owner = np.repeat(np.arange(len(counts)), counts)
    _, grams = np.unique(hashes, return_inverse=True)
    pairs = np.unique(owner * (grams.max() + 1) + grams)
    owner, grams = pairs // (grams.max() + 1), pairs % (grams.max() + 1)
    table = np.bincount(grams * GROUPS + batch.group[owner], minlength=(grams.max() + 1) * GROUPS).reshape(-1, GROUPS)
    starts = np.searchsorted(owner, np.arange(len(counts)))
    sums = np.add.reduceat(table[grams], np.minimum(starts, len(owner) - 1))
    rows = np.zeros((len(counts), GROUPS + 1), dtype=np.int32)
    rows[:, :GROUPS] = np.where(counts[:, None] > 0, sums, 0)
    rows[:, GROUPS] = np.bincount(owner, minlength=len(counts))
    column = pa.FixedSizeListArray.from_arrays(pa.array(rows.reshape(-1)), GROUPS + 1, mask=pa.array(rows[:, -1] == 0))
    return Batch({**batch.columns, f"repeats:n={n}@{on}": column}, batch.group, batch.address)


def words(values: np.ndarray, offsets: np.ndarray) -> list[str]:
    """Texts that spell the tokens."""
    spelled = [f"w{value:x}" for value in values]
    return [" ".join(spelled[a:b]) for a, b in itertools.pairwise(offsets)]


@dataclass(frozen=True)
class Mixture:
    """Vectors of 50 clusters with Zipf weights in 32 dimensions; a fifth of the records is invalid and off-topic."""

    n: int = 1000

    def draw(self, rng: np.random.Generator) -> Batch:
        centres = np.random.default_rng(7).normal(size=(50, 32))
        cluster = zipf_tokens(rng, self.n, 50, 0.7)
        x = centres[cluster] + 0.4 * rng.normal(size=(self.n, 32))
        invalid = rng.random(self.n) < 0.2
        x[invalid] = rng.normal(size=(int(invalid.sum()), 32))
        return dealt(rng, {"embedding@response": vectors(x), "defects": invalid.astype(np.uint16)}, self.n)


@dataclass(frozen=True)
class ZipfText:
    """Texts of Zipf words, of skewed length."""

    n: int = 1000

    def draw(self, rng: np.random.Generator) -> Batch:
        lengths = np.maximum(rng.lognormal(3.7, 0.6, self.n).astype(np.int64), 1)
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        tokens = zipf_tokens(rng, int(offsets[-1]), 20_000, 1.05)
        columns = {"tokens@response": list_array(tokens, offsets), "response": words(tokens, offsets)}
        columns["length@response"] = lengths.astype(np.int32)
        return with_repeats(dealt(rng, columns, self.n), 4)


@dataclass(frozen=True)
class Templates:
    """Texts of 40 templates of Zipf frequency with a few slots filled in: much is repeated."""

    n: int = 1000

    def draw(self, rng: np.random.Generator) -> Batch:
        fixed = np.random.default_rng(11)
        bodies = [fixed.integers(0, 3000, int(size)) for size in fixed.integers(15, 60, 40)]
        kind = zipf_tokens(rng, self.n, 40, 1.0)
        made = [bodies[k].copy() for k in kind]
        for body in made:
            body[rng.integers(0, len(body), 4)] = rng.integers(3000, 6000, 4)
        offsets = np.concatenate([[0], np.cumsum([len(body) for body in made])])
        tokens = np.concatenate(made).astype(np.int32)
        columns = {"tokens@response": list_array(tokens, offsets), "response": words(tokens, offsets)}
        columns["template@prompt"] = kind.astype(np.uint64)
        columns["defects"] = (rng.random(self.n) < 0.1).astype(np.uint16)
        return with_repeats(dealt(rng, columns, self.n), 4)


@dataclass(frozen=True)
class Copies:
    """Records that are copies of texts drawn from a pool: `pool` texts, of Zipf popularity; a share is unique."""

    n: int = 1000
    pool: int = 100
    exponent: float = 0.0
    unique: float = 0.0

    def draw(self, rng: np.random.Generator) -> Batch:
        ids = zipf_tokens(rng, self.n, self.pool, self.exponent).astype(np.int64)
        alone = rng.random(self.n) < self.unique
        ids[alone] = self.pool + rng.integers(0, 1 << 40, int(alone.sum()))
        text = np.random.default_rng(13).integers(0, 2000, (self.pool, 20))
        tokens = np.where(alone[:, None], rng.integers(0, 2000, (self.n, 20)), text[np.minimum(ids, self.pool - 1)])
        name = "near_duplicates:n=5,threshold=0.8@both"
        columns = copies_of(ids, name)
        columns["tokens@response"] = list_array(tokens.reshape(-1).astype(np.int32), np.arange(self.n + 1) * 20)
        x = np.random.default_rng(17).normal(size=(self.pool, 24))[np.minimum(ids, self.pool - 1)]
        x[alone] = rng.normal(size=(int(alone.sum()), 24))
        columns["embedding@response"] = vectors(x)
        return with_repeats(with_patterns(dealt(rng, columns, self.n), name), 4)


@dataclass(frozen=True)
class Prompts:
    """Prompts of their own topic, difficulty and validity, with four responses each; groups follow the prompt."""

    prompts: int = 250

    def draw(self, rng: np.random.Generator) -> Batch:
        n, m = self.prompts * 4, self.prompts
        prompt = np.repeat(np.arange(m), 4)
        topics = np.random.default_rng(19).normal(size=(60, 24))
        spread = rng.gamma(2.0, 0.2, m)
        x = topics[rng.integers(0, 60, m)][prompt] + spread[prompt, None] * rng.normal(size=(n, 24))
        unit = x / np.linalg.norm(x, axis=1, keepdims=True)
        sums = unit.reshape(m, 4, -1).sum(axis=1)
        distance = 1 - ((sums**2).sum(axis=1) - 4) / 12
        hardness = rng.normal(size=m)
        lengths = np.maximum(rng.lognormal(3 + 0.5 * hardness[prompt], 0.4), 3).astype(np.int32)
        steps = rng.poisson(np.exp(0.6 * hardness)[prompt])
        right = rng.random(n) < 1 / (1 + np.exp(2 * hardness[prompt]))
        broken = rng.random(n) < 0.15 / (1 + np.exp(-2 * hardness[prompt]))
        first = np.arange(n) % 4 == 0
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        tokens = zipf_tokens(rng, int(offsets[-1]), 5000) + np.repeat(rng.integers(0, 50, m)[prompt], lengths) * 100
        columns = {
            "prompt": [f"p{i}" for i in prompt],
            "template@response": steps.astype(np.uint64) + np.uint64(1),
            "embedding@response": vectors(x),
            "per_prompt_distance@response": pa.array(np.repeat(distance, 4), mask=~first),
            "per_prompt_novelty:n=3@response": pa.array(np.repeat(rng.beta(8, 2, m), 4), mask=~first),
            "length@response": lengths,
            "reasoning_steps@response": steps.astype(np.int32),
            "label.score": right.astype(np.float64),
            "defects": broken.astype(np.uint16),
            "defects@response": broken.astype(np.uint16),
            "tokens@response": list_array(tokens.astype(np.int32), offsets),
        }
        return dealt(rng, columns, n, rng.integers(0, GROUPS, m)[prompt])


@dataclass(frozen=True)
class Skewed:
    """Skewed counts: steps that go with length, constraints mostly 0, rare and frequent defects."""

    n: int = 1000

    def draw(self, rng: np.random.Generator) -> Batch:
        n = self.n
        lengths = np.maximum(rng.lognormal(4.5, 1.0, n), 1).astype(np.int32)
        steps = rng.poisson(lengths / 60 * rng.gamma(1.5, 0.7, n)).astype(np.int32)
        prompt = np.maximum(rng.lognormal(3, 0.7, n), 1).astype(np.int32)
        constraints = np.where(rng.random(n) < 0.7, 0, rng.geometric(0.4, n)).astype(np.int32)
        defects = sum((rng.random(n) < rate).astype(np.uint16) << bit for bit, rate in enumerate((0.3, 0.02, 0.003)))
        columns = {
            "length@response": lengths,
            "length@prompt": prompt,
            "reasoning_steps@response": steps,
            "constraints@prompt": constraints,
            "readability_grade@response": pa.array(rng.gumbel(8, 3, n), mask=rng.random(n) < 0.2),
            "lexical_diversity@response": pa.array(rng.beta(20, 4, n), mask=lengths < 42),
            "label.score": pa.array(rng.exponential(1.0, n), mask=rng.random(n) < 0.5),
            "defects": defects,
            "defects@response": defects,
        }
        return dealt(rng, columns, n)


@dataclass(frozen=True)
class Verdicts:
    """Prompts of Beta(.6, .6) difficulty with four to eight judged responses; pairs of preferred and other responses."""

    prompts: int = 200

    def draw(self, rng: np.random.Generator) -> Batch:
        m = self.prompts
        prompt = np.repeat(np.arange(m), rng.integers(2, 5, m) * 2)
        n = len(prompt)
        hardness = rng.beta(0.6, 0.6, m)
        right = rng.random(n) < 1 - hardness[prompt]
        judged = np.clip(np.rint(3 + 1.5 * (right - 0.5) + rng.normal(0, 1.2, n)), 1, 5)
        preferred = np.arange(n) % 2 == 0
        topic = rng.normal(4.3, 0.5, m)
        lengths = np.maximum(np.rint(np.exp(topic[prompt] + 0.1 * preferred + rng.normal(0, 0.4, n))), 1)
        steps = rng.poisson(lengths / 30 * rng.gamma(2, 0.5, n))
        columns = {
            "prompt": [f"p{i}" for i in prompt],
            "label.correct": right.astype(np.float64),
            "label.judge": judged,
            "label.again": np.where(rng.random(n) < 0.6, judged, np.clip(judged + rng.integers(-1, 2, n), 1, 5)),
            "label.preference": preferred.astype(np.float64),
            "label.reward": rng.normal(0, 1, m)[prompt] + 0.3 * preferred + rng.exponential(0.5, n),
            "length@response": lengths.astype(np.int32),
            "reasoning_steps@response": steps.astype(np.int32),
            "code_complexity@response": pa.array(1 + rng.poisson(lengths / 40), mask=rng.random(n) < 0.4),
            "structure_depth@prompt": rng.integers(1, 5, m)[prompt].astype(np.float64),
            "sentence_length@response": pa.array(rng.gamma(4, 4, n) + 1, mask=rng.random(n) < 0.2),
            "subordination@response": pa.array(rng.gamma(1.5, 2, n), mask=rng.random(n) < 0.2),
        }
        return dealt(rng, columns, n, rng.integers(0, GROUPS, m)[prompt])


def cheap(rng: np.random.Generator, told: np.ndarray) -> dict[str, Any]:
    """Vectors of width 24 and lengths that all records have, and that go with a number as far as half of its variance."""
    x = rng.normal(size=(len(told), 24))
    x[:, 0] = (told - told.mean()) / told.std() + rng.normal(size=len(told))
    return {"embedding@response": vectors(x), "length@response": rng.integers(5, 300, len(told)).astype(np.int32)}


@dataclass(frozen=True)
class Read:
    """Records that language models read: skewed surprisals that go together, ranks that go with them, one in ten not read."""

    n: int = 1000

    def draw(self, rng: np.random.Generator) -> Batch:
        n = self.n
        missing = rng.random(n) < 0.1
        alone = rng.lognormal(1.2, 0.4, n)
        ifd = 1.1 * rng.beta(6.0, 3.5, n)
        student = rng.lognormal(0.5, 0.5, n)
        rank = 1 + student * rng.gamma(2.0, 1.5, n)
        columns = {
            "lm.surprisal": alone * ifd,
            "lm.surprisal_alone": alone,
            "lm.ifd": ifd,
            "lm.misfit": (ifd > 1).astype(np.float64),
            "lm.ifd_perplexity": np.exp(alone * (ifd - 1)),
            "student.surprisal": student,
            "student.rank": np.minimum(rank, 100.0),
        }
        made = {name: pa.array(column, mask=missing) for name, column in columns.items()}
        return dealt(rng, made | cheap(rng, np.log(alone)), n)


@dataclass(frozen=True)
class Judged:
    """A sample of 400 of 1,000 records that a judge and a reward model scored: expected grades that crowd at 4 and 5, some of
    them missing; scores with a long tail; four records to a prompt, in one group, that share what the judge thinks of it.
    """

    def draw(self, rng: np.random.Generator) -> Batch:
        n, m = 1000, 250
        prompt = np.repeat(np.arange(m), 4)
        taste = rng.normal(0, 0.5, m)[prompt]
        quality = np.clip(4.6 + taste + rng.normal(0, 0.7, n) - rng.exponential(0.5, n), 1, 6)
        missing = rng.permutation(n) >= 400
        failed = missing | (rng.random(n) < 0.03)
        demand = np.clip(1 + 5 * rng.beta(1.2, 3.0, m)[prompt], 1, 6)
        columns = {
            "prompt": [f"p{i}" for i in prompt],
            "judge.quality": pa.array(quality, mask=failed),
            "judge.complexity": pa.array(demand, mask=failed),
            "reward.score": pa.array(2 * taste + rng.gumbel(0, 1.5, n), mask=missing),
        }
        return dealt(rng, columns | cheap(rng, quality), n, rng.integers(0, GROUPS, m)[prompt])


@dataclass(frozen=True)
class Rated:
    """A sample of 400 of 1,000 records that a judge graded, a fifth of all with a rating by people on a scale of its own: a bent
    and noisy relation to the grade; and pairs that the judge turns with their order where they are close.
    """

    def draw(self, rng: np.random.Generator) -> Batch:
        n = 1000
        true = rng.normal(0, 1, n)
        grade = np.clip(4.2 + 0.8 * true + rng.normal(0, 0.5, n), 1, 6)
        rating = np.clip(np.rint(10 / (1 + np.exp(-1.5 * true)) + rng.normal(0, 1, n)), 0, 10)
        missing, unrated = rng.permutation(n) >= 400, rng.permutation(n) >= 200
        close, wins = rng.random(n) < 0.3, rng.random(n) < 0.7
        favours = rng.random(n) < 0.8
        straight, swapped = np.where(close, favours, wins), np.where(close, favours, ~wins)
        columns = {
            "judge.quality": pa.array(grade, mask=missing),
            "judge.complexity": pa.array(7 - grade, mask=missing),
            "judge.pair": pa.array(straight.astype(np.float64), mask=missing),
            "judge.pair_swapped": pa.array(swapped.astype(np.float64), mask=missing | (rng.random(n) < 0.03)),
            "label.rating": pa.array(rating, mask=unrated),
        }
        return dealt(rng, columns | cheap(rng, grade), n)


class Verified:
    """100 of 500 records graded, two fifths of all with the word of a verifier that passes one in six: most labels are of records
    that the judge was not asked about.
    """

    def draw(self, rng: np.random.Generator) -> Batch:
        n = 500
        true = rng.normal(0, 1, n)
        grade = np.clip(3.5 + 0.9 * true + rng.normal(0, 0.6, n), 1, 6)
        missing, unlabelled = rng.permutation(n) >= 100, rng.permutation(n) >= 200
        columns = {
            "judge.quality": pa.array(grade, mask=missing),
            "judge.complexity": pa.array(7 - grade, mask=missing),
            "label.rating": pa.array((true > 0.97).astype(np.float64), mask=unlabelled),
        }
        return dealt(rng, columns | cheap(rng, grade), n)


@dataclass(frozen=True)
class Pulled:
    """Gradients of twelve kinds of records: directions of a mixture, lengths of a gamma law."""

    n: int = 300
    width: int = 32

    def draw(self, rng: np.random.Generator) -> Batch:
        axes = np.random.default_rng(11).normal(size=(12, self.width))
        kind = rng.choice(12, self.n, p=np.arange(12, 0, -1) / 78)
        x = axes[kind] + 0.8 * rng.normal(size=(self.n, self.width))
        x *= rng.gamma(4.0, 0.25, self.n)[:, None]
        return dealt(rng, {"gradients.vector": vectors(x), "student.gradient": vectors(x)}, self.n)


POPULATIONS = {
    "mixture": (
        Mixture(),
        ("vendi:q=1,vendi:q=2,vendi:q=inf,vendi:q=2,valid_only=true,mean_cosine_distance,log_det,effective_clusters"),
    ),
    "mixture, n=300": (
        Mixture(300),
        (
            "vendi:q=1,vendi:q=2,vendi:q=2,valid_only=true,mean_cosine_distance,log_det,chamfer_distance,knn_distance,"
            "effective_clusters"
        ),
    ),
    "mixture, n=200": (Mixture(200), "novelsum,facility_coverage,knn_distance"),
    "zipf text": (
        ZipfText(),
        (
            "distinct_n:n=1,distinct_n:n=2,distinct_n:n=3,ead,ead:n=2,self_repetition,compression_ratio:block=2048,tokens,"
            "mtld,hdd,ngram_entropy,homogenization"
        ),
    ),
    "templates": (
        Templates(),
        (
            "distinct_n:n=1,distinct_n:n=2,distinct_n:n=3,ead,self_repetition,compression_ratio:block=2048,"
            "effective_structures,structure_coverage,template_rate,template_rate:others=8"
        ),
    ),
    "100 texts, copies": (
        Copies(),
        (
            "exact_duplicate_rate,near_duplicate_rate,distinct_n:n=2,self_repetition,effective_structures,"
            "structure_coverage,vendi:q=1,vendi:q=2,mean_cosine_distance,log_det,effective_clusters"
        ),
    ),
    "heavy duplicates": (
        Copies(pool=2000, exponent=1.0),
        "exact_duplicate_rate,near_duplicate_rate,distinct_n:n=2,self_repetition,effective_structures,structure_coverage",
    ),
    "light duplicates": (
        Copies(pool=2000, unique=0.7),
        (
            "exact_duplicate_rate,near_duplicate_rate,distinct_n:n=2,self_repetition,effective_structures,"
            "structure_coverage,chamfer_distance,effective_clusters,singleton_structures"
        ),
    ),
    "rare duplicates": (
        Copies(pool=4000, unique=0.9),
        "exact_duplicate_rate,near_duplicate_rate,self_repetition,effective_structures,structure_coverage",
    ),
    "prompts": (
        Prompts(),
        (
            "per_prompt_distance,per_prompt_novelty,tokens,reasoning_steps,label_mean:field=score,valid_share,"
            "defect_rate:kind=empty,length_correlation,vendi:q=2,mean_cosine_distance,distinct_n:n=2,log_det,"
            "weighted_vendi:field=score,chamfer_distance,effective_clusters,per_prompt_distinct_n,per_prompt_structures,"
            "per_prompt_vendi:k=4"
        ),
    ),
    "skewed": (
        Skewed(),
        (
            "tokens,reasoning_steps,constraints,readability_grade,lexical_diversity,label_mean:field=score,valid_share,"
            "defect_rate:kind=empty,defect_rate:kind=truncated,defect_rate:kind=refusal,length_correlation"
        ),
    ),
    "skewed, n=200": (
        Skewed(200),
        (
            "tokens,reasoning_steps,constraints,readability_grade,lexical_diversity,label_mean:field=score,valid_share,"
            "defect_rate:kind=empty,defect_rate:kind=truncated,defect_rate:kind=refusal,length_correlation"
        ),
    ),
    "against a reference": (
        AgainstReference(800),
        "reference_precision,reference_density,reference_coverage,reference_distance",
    ),
    "against a reference, n=200": (
        AgainstReference(200),
        (
            "reference_precision,reference_density,reference_coverage,reference_distance,novelsum,"
            "novelsum:density=reference"
        ),
    ),
    "verdicts": (
        Verdicts(),
        (
            "solve_rate:field=correct,learnability:field=correct,zero_signal_share:field=correct,length_adjusted,"
            "code_complexity,structure_depth,sentence_length,subordination,label_agreement:field=judge,against=again,"
            "label_kappa:field=judge,against=again,label_rank_correlation:field=judge,against=again,"
            "label_floor_ceiling:field=judge,preference_margin:field=reward,preference_length_bias"
        ),
    ),
    "read by a model": (Read(), "surprisal,ifd,ifd:form=perplexity,fluency,misfit_rate,student_surprisal,rsr"),
    "scored by a model": (Judged(), "judge_mean,judge_complexity,reward_mean"),
    "rated in part": (
        Rated(),
        "calibrated_quality:field=rating,calibrated_complexity:field=rating,judge_preference",
    ),
    "labels of others": (Verified(), "calibrated_quality:field=rating,calibrated_complexity:field=rating"),
    "gradients, n=300": (Pulled(), "g_vendi,g_vendi:q=2,grace"),
}
"""Name: the population, and the measures read on it."""

CHEAP = {
    "mixture",
    "mixture, n=300",
    "prompts",
    "skewed",
    "skewed, n=200",
    "read by a model",
    "scored by a model",
    "rated in part",
    "labels of others",
}
"""Populations that are drawn and read in milliseconds."""

WIDE = {
    "templates": "n-grams that two groups share are counted twice",
    "100 texts, copies": "every sample holds nearly all texts: the value hardly varies, and no interval is narrower than one record",
    "heavy duplicates": "records that two groups share are counted twice",
    "light duplicates": "records that two groups share are counted twice",
    "rare duplicates": "a handful of repeats: what two groups share is counted twice, and 0 of n has an upper end",
    "prompts": "what two groups share is counted twice",
    "skewed, n=200": "Wilson's interval of a rare defect: counts of 0, 1, 2 ..",
    "rated in part": "a tie counts half, which varies less than a win or a loss; the interval is never below that of those",
}
"""Why intervals are wide (coverage above .98) on these populations."""
