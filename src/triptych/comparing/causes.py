"""Causes: what made the records of a set, read from fields of the rows and from cards. The same in two sets, or not.

A field is compared as a distribution of its values: total variation distance, half the sum of the differences of shares.
Two samples of one population differ in it by chance, so a field differs only when the distance is more than 99.5 % of what
draws of the pooled shares give at these numbers of clusters, and more than `ALIKE`. A field with another value in most
rows names the row (an id) and says nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from triptych.comparing.members import Member, Texts
from triptych.comparing.sides import Side
from triptych.core.rng import stream

ALIKE = 0.02
"""Shares of values that differ by less in all are the same mix."""
TRIALS, CHANCE = 200, 0.995
SHOWN = 3
SHORT = 40

FIELDS: Mapping[str, frozenset[str]] = {
    "sources": frozenset({"source", "dataset", "subset", "split", "origin", "corpus", "seed", "seeds"}),
    "tasks": frozenset(
        {"category", "categories", "task", "task_type", "topic", "behaviour", "behavior", "type", "level"}
        | {"difficulty_level", "domain", "subject", "skill"}
    ),
    "generator": frozenset({"model", "model_name", "generator", "engine", "author", "annotator", "written_by"}),
    "sampling": frozenset(
        {"temperature", "top_p", "top_k", "min_p", "max_tokens", "max_new_tokens", "sampling", "decoding"}
        | {"frequency_penalty", "presence_penalty", "repetition_penalty"}
    ),
    "filters": frozenset({"status", "filter", "filters", "filtered", "selection"}),
}
"""Cause to the fields, and keys of cards, that speak of it. Fields that begin with `seed_` speak of the sources."""

OUTCOMES = frozenset({"language", "lang", "locale"})
"""Fields that the generation chose, or may have: listed, never a cause."""

CARD_KEYS: Mapping[str, frozenset[str]] = {
    "prompts": frozenset({"prompt", "prompts", "template", "templates", "instructions"}),
    "sources": frozenset({"seed_data", "seed_tasks", "data", "pool"}),
    "tasks": frozenset({"tasks", "topics", "world", "skills", "depths", "skew"}),
    "generator": frozenset({"provider", "endpoint", "quality", "errors"}),
    "sampling": frozenset(),
    "filters": frozenset({"verifier", "verifiers", "judge", "dedup", "policy"}),
    "search": frozenset({"search", "method"}),
}
"""Keys that only cards have."""

_CONTROL = frozenset({"seed", "seeds"})
"""Numbers of random streams in a card: another draw, no other cause."""


@dataclass(frozen=True)
class Cause:
    """One thing that made the sets, compared.

    Attributes:
        name: prompts, sources, tasks, generator, sampling, filters, search.
        differs: whether it does.
        text: in words.
        first, second: what it is in either set.
    """

    name: str
    differs: bool
    text: str
    first: str
    second: str


@dataclass(frozen=True)
class Spoken:
    """What fields and cards say of two sets: causes, and those that only one of them, or none, names."""

    causes: tuple[Cause, ...]
    missing: tuple[str, ...]
    known: frozenset[str]


def wanted_fields(names: Sequence[str]) -> list[str]:
    """Those of a row's fields, in lower case, that speak of a cause or an outcome."""
    every = OUTCOMES.union(*FIELDS.values())
    return [name for name in names if name in every or name.startswith("seed_")]


def spoken(pair: tuple[Member, Member]) -> Spoken:
    """Compare what the fields and the cards of two sets say."""
    found: list[Cause] = []
    missing, known = [], set()
    for name in ("sources", "tasks", "generator", "sampling", "filters", "search"):
        parts = [*_fields(name, pair), *_cards(name, pair)]
        alone = _alone(name, pair)
        missing += alone
        if parts:
            found.append(_together(name, parts))
        if parts and not (name == "generator" and alone):
            known.add(name)
    found += [_together("prompts", parts) for parts in [_cards("prompts", pair)] if parts]
    return Spoken(tuple(found), tuple(missing), frozenset(known))


def _cause_of(field: str) -> str | None:
    if field.startswith("seed_"):
        return "sources"
    return next((name for name, fields in FIELDS.items() if field in fields), None)


def _fields(name: str, pair: tuple[Member, Member]) -> list[Cause]:
    a, b = pair
    shared = [field for field in a.fields if field in b.fields and _cause_of(field) == name]
    compared = [_compare(name, field, pair) for field in shared]
    return [one for one in compared if one is not None]


def _alone(name: str, pair: tuple[Member, Member]) -> list[str]:
    """Fields that speak of this cause in one of the sets only."""
    out: list[str] = []
    if name == "filters":  # a set that lacks the field was not filtered by it, as far as one can see
        return out
    for mine, other in (pair, pair[::-1]):
        own = [f for f in mine.fields if _cause_of(f) == name and f not in other.fields and not _named_rows(mine, f)]
        if own and not any(_cause_of(field) == name for field in other.fields):
            out.append(f'{name} of {other.name}: no field like "{own[0]}" of {mine.name}')
    return out


def _named_rows(one: Member, field: str) -> bool:
    values = one.fields[field]
    return len(values) > 20 and len(set(values)) > len(values) / 2


def _compare(name: str, field: str, pair: tuple[Member, Member]) -> Cause | None:
    """One field of both sets; None where it names rows, or holds nothing."""
    if any(_named_rows(one, field) for one in pair):
        return None
    a, b = (Counter(one.fields[field]) for one in pair)
    if set(a) | set(b) == {None}:
        return None
    distance, chance = variation(a, b, (independent(pair[0].side), independent(pair[1].side)))
    first, second = (shares(field, counts) for counts in (a, b))
    if distance <= max(ALIKE, chance):
        alike = first if len({*a, *b}) == 1 else f"{field}: the same mix (distance {distance:.2f})"
        return Cause(name, differs=False, text=alike, first=first, second=second)
    text = f"{field}: {_short(a)} and {_short(b)}" if len(a) == len(b) == 1 else f"{field}: distance {distance:.2f}"
    return Cause(name, differs=True, text=text, first=first, second=second)


def _cards(name: str, pair: tuple[Member, Member]) -> list[Cause]:
    """What both cards say of a cause."""
    keys = (FIELDS.get(name, frozenset()) | CARD_KEYS[name]) - _CONTROL
    out = []
    for key in sorted(keys & pair[0].card.keys() & pair[1].card.keys()):
        first, second = (one.card[key] for one in pair)
        same = first == second
        text = f"card, {key}: {_cut(first)}" + ("" if same else f" and {_cut(second)}")
        out.append(Cause(name, not same, text, f"{key}: {_cut(first)}", f"{key}: {_cut(second)}"))
    return out


def _together(name: str, parts: Sequence[Cause]) -> Cause:
    """Several fields of one cause: it differs where one of them does, and those are named."""
    shown = [one for one in parts if one.differs] or parts
    joined = ["; ".join(getattr(one, key) for one in shown) for key in ("text", "first", "second")]
    return Cause(name, any(one.differs for one in parts), *joined)


def variation(a: Counter[Any], b: Counter[Any], sizes: tuple[int, int]) -> tuple[float, float]:
    """Total variation distance of two distributions, and how large it gets by chance in samples of these sizes."""
    names = sorted({*a, *b}, key=lambda value: (value is None, value))
    shares_of = [np.array([counts[name] for name in names], dtype=np.float64) / counts.total() for counts in (a, b)]
    distance = float(np.abs(shares_of[0] - shares_of[1]).sum() / 2)
    pooled = (shares_of[0] * sizes[0] + shares_of[1] * sizes[1]) / sum(sizes)
    draw = stream("compare", "mix", len(names), *sizes)
    drawn = [draw.multinomial(size, pooled / pooled.sum(), size=TRIALS) / size for size in sizes]
    by_chance = np.abs(drawn[0] - drawn[1]).sum(axis=1) / 2
    return distance, float(np.quantile(by_chance, CHANCE))


def independent(side: Side) -> int:
    """Records that are dealt independently: those on their own, and clusters."""
    cluster = side.keys.cluster
    return int((cluster == 0).sum()) + len(np.unique(cluster[cluster != 0]))


def shares(field: str, counts: Counter[str | None]) -> str:
    """A field's values and their shares, the most frequent first."""
    if len(counts) == 1:
        return f"{field}: {_short(counts)}"
    ordered = sorted(counts.items(), key=lambda item: (-item[1], str(item[0])))
    listed = [f"{_cut(value or 'none')} {number / counts.total():.2f}" for value, number in ordered[:SHOWN]]
    more = f", {len(counts) - SHOWN} more" if len(counts) > SHOWN else ""
    return f"{field}: {', '.join(listed)}{more}"


def _short(counts: Counter[str | None]) -> str:
    value = next(iter(counts))
    return _cut("none" if value is None else value)


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= SHORT else line[: SHORT - 2] + ".."


def indicators(pair: tuple[Member, Member], field: str, most: int = 6) -> dict[str, tuple[Texts, Texts]]:
    """Whether each record has each of the most frequent values of a field, for the balance: label to 0 or 1 of both sets."""
    a, b = (one.fields[field] for one in pair)
    both = Counter(a) + Counter(b)
    top = [value for value, _ in sorted(both.items(), key=lambda item: (-item[1], str(item[0]))) if value is not None]
    if not 1 < len(both) <= 4 * most:
        return {}
    return {
        f"{field}: {_cut(value)}": tuple((column == value).astype(np.float64) for column in (a, b))
        for value in top[:most]
    }
