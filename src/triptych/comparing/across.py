"""Duplicates across two sets: for each record of the second the nearest of the first, how near, and what they share.

    text       estimated Jaccard similarity of 5-grams of tokens (MinHash); pairs below .6 are not found
    meaning    cosine of the embeddings

What similarity is too high for chance? Two items of the first set (records of different prompts or clusters) were written
for different purposes; how often the nearest of them is as near as t is the chance level at t. The suggested threshold is
the least t at which the chance level is at most a twentieth of the share of the second set's records that reach t: of
twenty pairs at or above it at most about one is there by chance (compare the target-decoy rule, Elias & Gygi 2007; one is
added to the chance pairs, so that none seen is not taken for none). A set that repeats itself has a high chance level, and
where no t will do none is suggested. That a pair is not there by chance does not make it a duplicate: that is for people to
judge (`triptych.comparing.adjudicate`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from triptych.comparing.adjudicate import Matches, Precision
from triptych.comparing.corpus import Corpus, Ints, data_of, representatives, signature_columns
from triptych.comparing.spans import longest, shared_spans
from triptych.comparing.twins import LEAST, Twins, signatures_of
from triptych.core.batch import Batch, On, Text
from triptych.core.groups import Mask
from triptych.core.interval import interval
from triptych.core.rng import stream
from triptych.neighbours.graph import Nearest, nearest
from triptych.profiling.bench import Bench

Floats = NDArray[np.float64]

NEAR = 0.8
RARE = 0.05
EXAMPLES = 8
SHARED = 5
"""Words that a shared span has at least."""
_ASKED, _ITEMS_LEAST = 4096, 50
_LOWEST = {"text": LEAST, "meaning": 0.3}


@dataclass(frozen=True)
class Suggested:
    """A threshold and its reason; None where no similarity is too high for chance."""

    threshold: float | None
    why: str


@dataclass(frozen=True, eq=False)
class Twinned:
    """The nearest records by one similarity.

    Attributes:
        by: text or meaning.
        first, second: the sets; `on`: which text of them.
        at: for each record of the second set the nearest of the first, -1 where none was found (N,).
        similarity: of the two, 0 where none was found (N,).
        suggested: from which similarity on they are hardly there by chance.
        threshold: from which a pair counts; None where there is none.
        recall: share of the records whose nearest was found, estimated; None: all, or as far as bands find them.
    """

    by: str
    first: Corpus
    second: Corpus
    on: On
    at: Ints
    similarity: Floats
    suggested: Suggested
    threshold: float | None
    recall: float | None = None

    @property
    def name(self) -> str:
        """Of the list of matches."""
        return f"{self.second.name} in {self.first.name} by {self.by}"

    def matches(self) -> Matches | None:
        """Pairs for a sheet; None where there is no threshold to judge."""
        if self.threshold is None:
            return None
        at = np.flatnonzero(self.at >= 0)

        def show(place: int) -> dict[str, str]:
            found = example(self, int(at[place]))
            first, second = found["first"], found["second"]
            places = {f"{name}_at": side["record"] for name, side in (("first", first), ("second", second))}
            return {**places, "first": first["text"], "second": second["text"], "span": found["span"]}

        data = data_of(self.first, self.second)
        return Matches(self.name, data, self.threshold, self.similarity[at], show)


def common_text(first: Sequence[Text], second: Sequence[Text]) -> On | None:
    """What can be compared of sets with these texts: prompt and response together where both sets have both, else the one
    that both have.
    """
    both = [role for role in first if role in second]
    return ("both" if len(both) > 1 else both[0]) if both else None


def by_text(first: Corpus, second: Corpus, on: On, bench: Bench) -> Twinned:
    """Near-duplicates by MinHash. Memory: about 900 bytes for each record of the first set."""
    (column,) = signature_columns([on])
    first, second = first.having([column], bench), second.having([column], bench)
    where, table = signatures_of(first, column)
    family = first.family[where]
    twins = Twins(table, family)
    at, similarity = np.full(len(second), -1, dtype=np.int64), np.zeros(len(second))
    with bench.progress.stage("duplicates across sets", unit="records", total=len(second)) as stage:
        for shard in range(len(second.store.shards)):
            mine, asked = signatures_of(second, column, shard)
            place, similarity[mine] = twins.nearest(asked)
            at[mine] = np.where(place >= 0, where[place], -1)
            stage.advance(second.store.shards[shard].records)
    alone = _sampled(representatives(family), bench.settings.seed)
    chance = twins.nearest(table[alone], family[alone])[1]
    suggested = suggest(similarity, chance, LEAST, (first.name, second.name))
    return Twinned("text", first, second, on, at, similarity, suggested, NEAR)


def by_meaning(first: Corpus, second: Corpus, on: On, bench: Bench) -> Twinned:
    """The nearest by embedding. Memory: 4 bytes for each number of all vectors."""
    column = f"embedding@{on}"
    first, second = first.having([column], bench), second.having([column], bench)
    base, threads = _vectors(first, column), bench.engine.workers
    found = nearest(_vectors(second, column), base, threads)
    at, similarity = found.at.astype(np.int64), _cosines(found)
    alone = representatives(first.family)
    asked = _sampled(np.arange(len(alone)), bench.settings.seed)
    items = base[alone]
    chance = _cosines(nearest(items[asked], items, threads, skip=asked))
    suggested = suggest(similarity, chance, _LOWEST["meaning"], (first.name, second.name))
    return Twinned("meaning", first, second, on, at, similarity, suggested, suggested.threshold, found.recall)


def _cosines(found: Nearest) -> Floats:
    """Similarity in [0, 1], 0 where none was found."""
    return np.where(found.at >= 0, np.clip(found.similarity, 0.0, 1.0), 0.0).astype(np.float64)


def _sampled(at: Ints, seed: int) -> Ints:
    return np.sort(stream("across", "chance", seed).choice(at, _ASKED, replace=False)) if len(at) > _ASKED else at


def _vectors(corpus: Corpus, column: str) -> NDArray[np.float32]:
    """All vectors, float32 (N, d)."""
    out = []
    for shard in corpus.store.shards:
        none = np.zeros(shard.records, dtype=np.uint8), np.zeros(shard.records, dtype=np.uint64)
        out.append(Batch(shard.read([column]), *none).matrix(column).astype(np.float32))
    return np.concatenate(out)


def suggest(similarity: Floats, chance: Floats, lowest: float, names: tuple[str, str]) -> Suggested:
    """The least similarity from which on a pair is hardly there by chance.

    Args:
        similarity: of each record of the second set to the nearest of the first (N,).
        chance: of some items of the first set to the nearest other one (m,).
        lowest: similarity below which nothing is known.
        names: of the sets.
    """
    first, second = names
    if len(chance) < _ITEMS_LEAST:
        return Suggested(None, f"{first} has {len(chance)} items, {_ITEMS_LEAST} are needed to know the chance level")
    steps = np.round(np.arange(round(lowest * 100), 101) / 100, 2)
    # a hair below, so that a similarity of exactly t counts in float32 too
    seen = np.array([(similarity >= t - 1e-6).mean() for t in steps])
    there = np.array([((chance >= t - 1e-6).sum() + 1) / (len(chance) + 1) for t in steps])
    held = seen > 0
    if not held.any():
        return Suggested(None, f"no record of {second} has one in {first} with a similarity of {lowest:g} or more")
    good = held & (there <= RARE * seen)
    if not good.any():
        return Suggested(None, _unclear(similarity, chance, steps[np.argmin(there[held] / seen[held])], names))
    at = np.argmax(good)
    least = " (the lowest that was looked for)" if at == 0 else ""
    return Suggested(
        float(steps[at]),
        f"at {steps[at]:g}{least} {seen[at]:.4f} of the records of {second} have a match in {first}, while "
        f"{_share(there[at], len(chance))} of the items of {first} have one among its other items: from here on, of 20 "
        "matches about 1 at most is there by chance",
    )


def _unclear(similarity: Floats, chance: Floats, t: float, names: tuple[str, str]) -> str:
    """Why no similarity is clear of chance, told at the one that is clearest."""
    hits, meets = (int((each >= t - 1e-6).sum()) for each in (similarity, chance))
    told = (
        f"at {t:g} {hits:,} of {len(similarity):,} records of {names[1]} have a match in {names[0]}, and {meets:,} of "
    )
    told += f"{len(chance):,} items of {names[0]} have one among its other items"
    return f"matches are {'not clear of chance' if meets else 'too few to be told from chance'}: {told}"


def _share(rate: float, m: int) -> str:
    """The chance level in words, without the one that was added."""
    seen = round(rate * (m + 1)) - 1
    return f"{seen / m:.4f}" if seen else f"none of {m:,}"


def document(found: Sequence[Twinned], labels: Mapping[str, Precision] | None = None) -> dict[str, Any] | None:
    """The key `across` of a comparison: by text, and under `meaning` the same by meaning.

    Args:
        found: by text, and by meaning where it was asked; empty where the sets have no text in common.
        labels: precision by list of matches, as read back from a sheet.
    """
    if not found:
        return {
            "pairs": None,
            "threshold": None,
            "examples": [],
            "undefined": "the sets have no kind of text in common",
        }
    entries = {each.by: _entry(each, (labels or {}).get(each.name)) for each in found}
    return {**entries["text"], "meaning": entries.get("meaning")}


def _entry(found: Twinned, told: Precision | None) -> dict[str, Any]:
    t = found.threshold
    hit = found.similarity >= (t - 1e-6 if t is not None else np.inf)
    return {
        "list": found.name,
        "by": found.by,
        "on": found.on,
        "first": found.first.name,
        "second": found.second.name,
        "records": len(found.second),
        "pairs": int(hit.sum()) if t is not None else None,
        **_share_of(found, hit, known=t is not None),
        "threshold": t,
        "recall": found.recall,
        "undefined": None if t is not None else found.suggested.why,
        "suggested": {"threshold": found.suggested.threshold, "why": found.suggested.why},
        "adjudication": told.document() if told is not None else None,
        "examples": [example(found, at) for at in _spread(found.similarity, hit)],
    }


def _share_of(found: Twinned, hit: NDArray[np.bool_], *, known: bool) -> dict[str, float | None]:
    """Share of the second set's records that have a match, with its interval."""
    if not known:
        return {"share": None, "lo": None, "hi": None}
    group = found.second.keys.group
    whole, part = np.bincount(group, minlength=32), np.bincount(group[hit], minlength=32)

    def share(keep: Mask) -> float:
        return float(part[keep].sum() / whole[keep].sum())

    ends = interval(share, lambda keep: int(whole[keep].sum()), "share", (0.0, 1.0))
    return {"share": float(hit.mean()), "lo": ends.lo, "hi": ends.hi}


def _spread(similarity: Floats, hit: NDArray[np.bool_]) -> list[int]:
    """Some matches, from the nearest to those that hardly are."""
    at = np.flatnonzero(hit)
    if not len(at):
        return []
    at = at[np.argsort(-similarity[at], kind="stable")]
    places = np.linspace(0, len(at) - 1, EXAMPLES).round().astype(np.int64)
    return [int(each) for each in at[np.unique(places)]]


def example(found: Twinned, at: int) -> dict[str, Any]:
    """A record of the second set with the nearest of the first; `spans` are places in the texts, `span` the longest one."""
    texts = [corpus.some([place], found.on)[0] for corpus, place in _both(found, at)]
    spans = [shared_spans(texts[0], texts[1], SHARED), shared_spans(texts[1], texts[0], SHARED)]
    sides = []
    for (corpus, place), text, where in zip(_both(found, at), texts, spans, strict=True):
        address = corpus.address(place)
        record = f"{address['source']}:{address['row']}"
        sides.append({**address, "record": record, "text": text, "spans": [list(span) for span in where]})
    best = longest(spans[1])
    return {
        "first": sides[0],
        "second": sides[1],
        "similarity": float(found.similarity[at]),
        "span": texts[1][slice(*best)] if best else "",
    }


def _both(found: Twinned, at: int) -> tuple[tuple[Corpus, int], tuple[Corpus, int]]:
    return (found.first, int(found.at[at])), (found.second, at)
