"""Overlap of a set with benchmarks, or with a held-out set.

A record is a hit when its prompt or its response covers at least .7 of a text of the benchmark: that share of the text's
different runs of eight words occurs in it (the share and the length of PaLM, arXiv 2204.02311, here within one record; see
`overlap` for short texts). Two other rules stand beside it: one common run of thirteen words (GPT-3, arXiv 2005.14165),
and near-duplicates (MinHash, 5-grams of tokens, similarity at least .8).

How many of the hits are there by chance cannot be read from the hits. What can: how often one item of the benchmark is a
hit of *another* item of it, by the same rule. A set that has nothing to do with the benchmark is no more like it than that,
so the share of chance hits is at most about rate · records / hits, and precision at least about one less that. Where this
says nothing (its lower end is 0), precision is null until pairs have been judged.

Tried on halves of real sets with 50 planted items (GSM8K, role play, Alpaca; twice each): coverage found all 50 with at most
one other record, the run of thirteen words 3 to 14 others; the interval of the precision held the true one every time.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from triptych.comparing.adjudicate import Matches, Precision
from triptych.comparing.corpus import Corpus, Ints, data_of, representatives, signature_columns
from triptych.comparing.overlap import LONG_WORDS, ROLES, Finder, Passages, passages
from triptych.comparing.spans import longest, shared_spans, words_of
from triptych.comparing.twins import Twins, signatures_of
from triptych.core.groups import Mask
from triptych.core.interval import interval, wilson
from triptych.core.rng import stream
from triptych.profiling.bench import Bench

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

N, THRESHOLD = 8, 0.7
RUN = 13
NEAR = 0.8
LOWEST = 0.4
"""Pairs of less coverage are not kept."""
EXAMPLES, SHOWN = 8, 4000
_ITEMS_LEAST, _ITEMS_MOST = 50, 4096
_Z = 1.959964


@dataclass(eq=False)
class _Best:
    """For each record of the set what it covers most, and which of its texts does."""

    text: Ints
    share: Floats
    role: NDArray[np.int8]

    @classmethod
    def none(cls, n: int) -> _Best:
        return cls(np.full(n, -1, dtype=np.int64), np.zeros(n), np.zeros(n, dtype=np.int8))

    def take(self, at: Ints, text: Ints, share: Floats, role: int) -> None:
        better = share > self.share[at]
        at = at[better]
        self.text[at], self.share[at], self.role[at] = text[better], share[better], role


@dataclass(frozen=True, eq=False)
class Overlap:
    """What one set shares with one benchmark.

    Attributes:
        records, benchmark: the two.
        of: the benchmark's texts.
        text, share, role: for each record the text that it covers most (-1: none), how much, and by which of its texts
            (0: prompt, 1: response); (N,).
        covered: texts of the benchmark that some record covers enough (t,).
        run: records with a common run of thirteen words (N,).
        near: similarity of the nearest near-duplicate, 0 where there is none (N,).
        chance: by rule, how many of how many items of the benchmark are hits of another item.
    """

    records: Corpus
    benchmark: Corpus
    of: Passages
    text: Ints
    share: Floats
    role: NDArray[np.int8]
    covered: Flags
    run: Flags
    near: Floats
    chance: Mapping[str, tuple[int, int]]

    @property
    def name(self) -> str:
        """Of the list of matches."""
        return list_name(self.records.name, self.benchmark.name)

    @property
    def hits(self) -> Flags:
        """Records that cover a text of the benchmark (N,)."""
        return self.share >= THRESHOLD

    def matches(self) -> Matches:
        """Pairs for a sheet: each record that covers at least .4 of a text, with that text."""
        at = np.flatnonzero(self.share >= LOWEST)

        def show(place: int) -> dict[str, str]:
            found = example(self, int(at[place]))
            span = longest([(start, stop) for start, stop in found["spans"]])
            item, role = int(self.of.record[self.text[at[place]]]), ROLES[int(self.of.role[self.text[at[place]]])]
            return {
                "first_at": _place(found["record"]),
                "second_at": _place(found["benchmark"]),
                "first": found["text"],
                "second": self.benchmark.some([item], role)[0],
                "span": found["text"][slice(*span)] if span else "",
            }

        data = data_of(self.records, self.benchmark)
        return Matches(self.name, data, THRESHOLD, self.share[at], show)


def list_name(records: str, benchmark: str) -> str:
    """Name of the list of matches of a set with a benchmark."""
    return f"{records} against {benchmark}"


def _place(address: Mapping[str, Any]) -> str:
    return f"{address['source']}:{address['row']} {address['field']}"


@dataclass(frozen=True, eq=False)
class Looked:
    """A benchmark that is ready to be looked for."""

    corpus: Corpus
    of: Passages
    cover: Finder
    run: Finder
    twins: Twins
    chance: Mapping[str, tuple[int, int]]


def contamination(sets: Sequence[Corpus], benchmarks: Sequence[Corpus], bench: Bench) -> list[Overlap]:
    """What each set shares with each benchmark.

    Args:
        sets: of the comparison.
        benchmarks: as `corpus.open_corpus` gives them.
        bench: to compute signatures with.
    """
    ready = [look_at(benchmark, bench) for benchmark in benchmarks]
    return [found for records in sets for found in overlaps_of(records, ready, bench)]


def look_at(benchmark: Corpus, bench: Bench) -> Looked:
    """Make a benchmark ready to be looked for in any number of sets."""
    benchmark = benchmark.having(signature_columns(benchmark.roles), bench)
    of = passages(benchmark)
    cover, run = Finder(of, N), Finder(of, RUN)
    owners, tables = [], []
    for role, column in zip(benchmark.roles, signature_columns(benchmark.roles), strict=True):
        # the texts that n-grams are looked for in: short ones meet by chance
        here = (of.role == ROLES.index(role)) & (of.words.sizes >= LONG_WORDS)
        at, table = signatures_of(benchmark, column)
        mine = np.isin(at, of.record[here])
        owners.append(at[mine])
        tables.append(table[mine])
    twins = Twins(np.concatenate(tables), benchmark.family[np.concatenate(owners)])
    return Looked(benchmark, of, cover, run, twins, _chance(benchmark, (cover, run, twins), bench.settings.seed))


def _chance(benchmark: Corpus, by: tuple[Finder, Finder, Twins], seed: int) -> dict[str, tuple[int, int]]:
    """How many of some items of a benchmark, one of each family, are hits of an item of another family."""
    cover, run, twins = by
    at = representatives(benchmark.family)
    if len(at) > _ITEMS_MOST:
        at = np.sort(stream("contamination", "chance", seed).choice(at, _ITEMS_MOST, replace=False))
    family = benchmark.family[at]
    hit = {rule: np.zeros(len(at), dtype=np.bool_) for rule in ("coverage", "run", "near")}
    for role, column in zip(benchmark.roles, signature_columns(benchmark.roles), strict=True):
        words = words_of(benchmark.some(at.tolist(), role))
        pairs = cover.pairs(words, role, family)
        hit["coverage"][pairs.asked[pairs.share >= THRESHOLD]] = True
        hit["run"][run.pairs(words, role, family).asked] = True
        where, table = signatures_of(benchmark, column)
        mine = np.searchsorted(at, where)
        held = (mine < len(at)) & (at[np.minimum(mine, len(at) - 1)] == where)
        _, near = twins.nearest(table[held], family[mine[held]])
        hit["near"][mine[held][near >= NEAR]] = True
    return {rule: (int(found.sum()), len(at)) for rule, found in hit.items()}


def overlaps_of(records: Corpus, ready: Sequence[Looked], bench: Bench) -> list[Overlap]:
    """One pass over the texts of a set for all benchmarks, then one over its signatures."""
    n = len(records)
    best = [_Best.none(n) for _ in ready]
    covered = [np.zeros(len(each.of), dtype=np.bool_) for each in ready]
    runs, nears = np.zeros((len(ready), n), dtype=np.bool_), np.zeros((len(ready), n))
    with bench.progress.stage(f"overlap of {records.name}", unit="records", total=n) as stage:
        for number, role in enumerate(ROLES):
            if role not in records.roles:
                continue
            for start, texts in records.texts(role):
                words = words_of(texts)
                for place, each in enumerate(ready):
                    pairs = each.cover.pairs(words, role)
                    covered[place][pairs.text[pairs.share >= THRESHOLD]] = True
                    top = pairs.best()
                    best[place].take(start + top.asked, top.text, top.share, number)
                    runs[place, start + each.run.pairs(words, role).asked] = True
                stage.advance(len(texts) if role == records.roles[-1] else 0)
    records = records.having(signature_columns(records.roles), bench)
    for column in signature_columns(records.roles):
        for shard in range(len(records.store.shards)):
            at, table = signatures_of(records, column, shard)
            for place, each in enumerate(ready):
                nears[place, at] = np.maximum(nears[place, at], each.twins.nearest(table)[1])
    return [
        Overlap(records, each.corpus, each.of, *(mine.text, mine.share, mine.role), seen, run, near, each.chance)
        for each, mine, seen, run, near in zip(ready, best, covered, runs, nears, strict=True)
    ]


def document(found: Sequence[Overlap], labels: Mapping[str, Precision] | None = None) -> dict[str, Any]:
    """The key `contamination` of a comparison or a profile.

    Args:
        found: overlap of each set with each benchmark.
        labels: precision by list of matches, as read back from a sheet.
    """
    entries = [_entry(each, (labels or {}).get(each.name)) for each in found]
    return {"benchmarks": entries, "text": " ".join(_sentence(entry) for entry in entries)}


def _entry(found: Overlap, told: Precision | None) -> dict[str, Any]:
    rules = {
        "coverage": (found.hits, N, THRESHOLD),
        "run": (found.run, RUN, None),
        "near": (found.near >= NEAR, 5, NEAR),
    }
    own = _rule(found, "coverage", *rules["coverage"])
    held = np.zeros(len(found.benchmark), dtype=np.bool_)
    judged = np.zeros(len(found.benchmark), dtype=np.bool_)
    for of in found.of.of.values():
        judged |= of >= 0
        held |= (of >= 0) & np.append(found.covered, False)[of]
    precision = own.pop("precision")
    if told is not None:
        known = told.value is not None
        precision = {"value": told.value, "lo": told.lo, "hi": told.hi, "by": "labels"} if known else precision
    return {
        "list": found.name,
        "set": found.records.name,
        "name": found.benchmark.name,
        **own,
        "precision": precision,
        "labels": told.document() if told is not None else None,
        "items": int(judged.sum()),
        "items_hit": int(held.sum()),
        "items_left_out": int(len(judged) - judged.sum()),
        "rules": [_rule(found, name, *rule) for name, rule in rules.items()],
        "examples": [example(found, at) for at in _spread(found.share, found.hits)],
    }


def _rule(found: Overlap, name: str, hit: Flags, n: int, threshold: float | None) -> dict[str, Any]:
    """Hits by one rule: their number, their share with its interval, and what chance would give."""
    group = found.records.keys.group
    per_group = np.bincount(group, minlength=32), np.bincount(group[hit], minlength=32)

    def share(keep: Mask) -> float:
        return float(per_group[1][keep].sum() / per_group[0][keep].sum())

    ends = interval(share, lambda keep: int(per_group[0][keep].sum()), "share", (0.0, 1.0))
    hits, n_records = int(hit.sum()), len(hit)
    chance = _rate(*found.chance[name], n_records)
    return {
        "rule": name,
        "n": n,
        "threshold": threshold,
        "records": n_records,
        "hits": hits,
        "share": hits / n_records,
        "lo": ends.lo,
        "hi": ends.hi,
        "chance": chance,
        "precision": _precision(hits, chance),
    }


def _rate(hits: int, items: int, records: int) -> dict[str, Any] | None:
    """How often an item of the benchmark is a hit of another, and what that makes of so many records."""
    if items < _ITEMS_LEAST:
        return None
    rate = hits / items
    lo, hi = wilson(rate, math.sqrt(rate * (1 - rate) / items), items, _Z)
    lo, hi = max(min(lo, rate), 0.0), min(max(hi, rate), 1.0)
    return {"items": items, "rate": rate, "lo": lo, "hi": hi, "records": rate * records, "at_most": hi * records}


def _precision(hits: int, chance: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Share of the hits that chance does not explain; None where that says nothing."""
    if not hits or chance is None or chance["at_most"] >= hits:
        return None
    records = chance["at_most"] / chance["hi"]
    value, lo, hi = (1 - chance[end] * records / hits for end in ("rate", "hi", "lo"))
    return {"value": value, "lo": lo, "hi": min(hi, 1.0), "by": "chance"}


def _spread(share: Floats, hit: Flags) -> list[int]:
    """Some hits, from those that cover most to those that hardly do."""
    at = np.flatnonzero(hit)
    at = at[np.argsort(-share[at], kind="stable")]
    return (
        list(dict.fromkeys(int(at[place]) for place in np.linspace(0, len(at) - 1, EXAMPLES).round().astype(int)))
        if len(at)
        else []
    )


def example(found: Overlap, at: int) -> dict[str, Any]:
    """One record with the text of the benchmark that it covers most.

    `spans` are places in `text`; where the record's text is long, `text` is a part of it that begins at character `start`.
    """
    text = int(found.text[at])
    item, theirs, mine = int(found.of.record[text]), ROLES[int(found.of.role[text])], ROLES[int(found.role[at])]
    whole, other = found.records.some([at], mine)[0], found.benchmark.some([item], theirs)[0]
    spans = shared_spans(whole, other, N)
    start = 0 if len(whole) <= SHOWN or not spans else max(min(spans[0][0] - 200, len(whole) - SHOWN), 0)
    shown = whole[start : start + SHOWN]
    inside = [[a - start, min(b - start, len(shown))] for a, b in spans if a - start < len(shown)]
    return {
        "record": {**found.records.address(at), "field": mine},
        "benchmark": {**found.benchmark.address(item), "field": theirs},
        "similarity": float(found.share[at]),
        "spans": inside,
        "text": shown,
        "start": start,
    }


def _sentence(entry: Mapping[str, Any]) -> str:
    ends = f" ({entry['lo']:.4f} to {entry['hi']:.4f})" if entry["lo"] is not None else ""
    out = (
        f"{entry['hits']:,} of {entry['records']:,} records of {entry['set']}, a share of {entry['share']:.4f}{ends}, hold at least "
        f"{THRESHOLD:g} of the runs of {N} words of a text of {entry['name']}; {entry['items_hit']:,} of its "
        f"{entry['items']:,} items are held so."
    )
    if not entry["hits"]:
        return out
    precision = entry["precision"]
    if precision is None:
        return out + " How many of these hits are there by chance is not known: have pairs judged (--adjudicate 50)."
    if precision["by"] == "labels":
        return out + f" By {entry['labels']['labelled']} labels, {precision['value']:.2f} of the hits are the same."
    rate, least = entry["chance"]["rate"], math.floor(100 * precision["lo"]) / 100
    return f"{out} At least about {least:.2f} of the hits are no chance: {rate:.4f} of its items hit another item."
