"""Whether two sets can be compared: which of the causes that made them differ.

    controlled   exactly one cause differs, and it is named
    confounded   several do, and all are named: a difference cannot be put down to one of them
    unknown      what made the sets is not known well enough: what is missing is said. Also where nothing that is known
                 differs (two samples of one source, or one set twice): then a difference is chance, or has a cause that the
                 data do not name

Causes are prompts, sources and seeds, tasks and their mix, generator, sampling, filters, search. They are read from the
data (which records and prompts both have), from fields of the rows, and from cards beside the data. Size is matched.
Length, tokens, validity, language and style are what came of the causes: listed and adjusted for, never confounding.

Where one set holds only records of the other, the filter that chose them is the cause; that prompts, tasks and sources are
then another mix follows from it. Where the responses are a few fixed answers, what was written is the prompts: that they
differ is then no cause but what is compared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow.compute as pc

from triptych.comparing.causes import Cause, spoken
from triptych.comparing.members import Member
from triptych.comparing.outcomes import outcomes
from triptych.comparing.prompts import Shared, records_within, shared
from triptych.comparing.sides import Side
from triptych.profiling.bench import Bench

CONTROLLED, CONFOUNDED, UNKNOWN = "controlled", "confounded", "unknown"

INSIDE = 0.9
"""From this share on, the records of a set are a part of the other set."""
FIXED, ENOUGH = 10, 50
"""At most so many different responses, among at least so many records, are fixed answers."""

ORDER = ("generator", "sampling", "search", "prompts", "sources", "tasks", "filters")


@dataclass(frozen=True)
class Audit:
    """What is known of the causes of two sets.

    Attributes:
        same, differs: causes.
        follows: differences that follow from the one that differs.
        missing: what would have to be known, in words.
        shared: of the prompts, or None where a set has none.
        needed: whether something is missing without which no cause can be told.
        outcomes: entries of `comparison.json`.
        records: whether both hold the same records.
    """

    same: tuple[Cause, ...]
    differs: tuple[Cause, ...]
    follows: tuple[Cause, ...]
    missing: tuple[str, ...]
    shared: Shared | None
    needed: bool
    outcomes: tuple[Mapping[str, Any], ...] = field(default=())
    records: bool = False

    @property
    def verdict(self) -> str:
        """Controlled, confounded or unknown."""
        if len(self.differs) > 1:
            return CONFOUNDED
        return CONTROLLED if len(self.differs) == 1 and not self.needed else UNKNOWN


def audit(pair: tuple[Member, Member], bench: Bench) -> Audit:
    """Compare the causes of two sets, under their joint grouping."""
    a, b = pair
    common = shared((a.side, b.side), bench)
    told = spoken(pair)
    inside = [float(records_within(x.side, y.side).mean()) for x, y in (pair, pair[::-1])]
    causes = [*told.causes, *_prompts(pair, common)]
    merged = [_merged([one for one in causes if one.name == name]) for name in ORDER]
    found = [one for one in merged if one is not None]
    same_records = min(inside) >= INSIDE
    one_in_other = max(inside) >= INSIDE and not same_records
    fixed = all(_fixed_answers(one.side) for one in pair)
    follows: list[Cause] = []
    if one_in_other:
        found, follows = _by_filter(pair, inside, found)
    elif fixed:
        follows = [one for one in found if one.name == "prompts" and one.differs]
        found = [one for one in found if one not in follows]
    generator = "generator" in told.known or same_records or one_in_other
    missing = list(told.missing)
    if not generator and not any(text.startswith("generator") for text in missing):
        missing.append("generator: no field (model, generator, engine) and no card names it")
    silent = [name for name in ("sampling", "filters") if name not in told.known and not one_in_other]
    if silent:
        missing.append(f"{' and '.join(silent)}: not stated")
    return Audit(
        same=tuple(one for one in found if not one.differs),
        differs=tuple(one for one in found if one.differs),
        follows=tuple(follows),
        missing=tuple(missing),
        shared=common,
        needed=not generator,
        outcomes=tuple(outcomes(pair)),
        records=same_records,
    )


def _merged(parts: Sequence[Cause]) -> Cause | None:
    """One cause of what the data and the cards say of it."""
    if not parts:
        return None
    shown = [one for one in parts if one.differs] or parts
    text, first, second = ("; ".join(getattr(one, key) for one in shown) for key in ("text", "first", "second"))
    return replace(shown[0], text=text, first=first, second=second)


def _prompts(pair: tuple[Member, Member], common: Shared | None) -> list[Cause]:
    """What the data say of the prompts."""
    has = [one.side.dataset.layout.has_prompt for one in pair]
    if common is None:
        if not any(has):
            return []
        first, second = ("prompts" if one else "no prompts" for one in has)
        return [Cause("prompts", differs=True, text=f"{first} and {second}", first=first, second=second)]
    first, second = (f"{share:.2f} of the records have a prompt of the other set" for share in common.near)
    if common.same:
        how = "the same" if min(common.exact) >= INSIDE else "the same but for writing"
        return [Cause("prompts", differs=False, text=how, first=first, second=second)]
    apart = "" if common.distance is None else f"; mean embeddings {common.distance:.2f} apart (p {common.p:.3f})"
    shares = f"shared by {common.near[0]:.2f} and {common.near[1]:.2f} of the records{apart}"
    if common.alike:
        return [
            Cause("prompts", differs=False, text=f"other prompts of one kind, {shares}", first=first, second=second)
        ]
    return [Cause("prompts", differs=True, text=shares, first=first, second=second)]


def _fixed_answers(side: Side) -> bool:
    """Whether the responses are a few fixed answers (the letters of choices), so that what was written is the prompts."""
    if not side.dataset.layout.has_response or not side.dataset.layout.has_prompt or len(side) < ENOUGH:
        return False
    return pc.count_distinct(side.store.whole("key@response")).as_py() <= FIXED  # type: ignore[no-any-return]


def _by_filter(
    pair: tuple[Member, Member], inside: Sequence[float], found: Sequence[Cause]
) -> tuple[list[Cause], list[Cause]]:
    """Where one set is a part of the other: the filter is the cause, other mixes of what both hold follow from it."""
    small, large = pair if inside[0] >= INSIDE else pair[::-1]
    part = (
        f"{small.name} holds {len(small.side) / len(large.side):.2f} as many records, {max(inside):.2f} of them also in"
    )
    named = [one for one in found if one.name in ("filters", "sources") and one.differs]
    text = "; ".join([f"{part} {large.name}", *(one.text for one in named)])
    words = ("a part of the other set", "the set that it is chosen from")
    first, second = words if small is pair[0] else words[::-1]
    if named:
        first, second = (f"{mine} ({getattr(named[0], key)})" for mine, key in ((first, "first"), (second, "second")))
    chosen = Cause("filters", differs=True, text=text, first=first, second=second)
    follows = [one for one in found if one.differs and one.name not in ("filters", "sources")]
    return [*(one for one in found if not one.differs and one.name != "filters"), chosen], follows


def comparability(
    audits: Mapping[tuple[int, int], Audit], names: Sequence[str], held: frozenset[str]
) -> dict[str, Any]:
    """The part `comparability` of `comparison.json`: of one pair, or of several together.

    Args:
        audits: by places of the two sets.
        names: of all sets.
        held: causes that the primary views hold equal.
    """
    several = len(audits) > 1
    differs, same = _across(audits, several=several)
    first = next(iter(audits.values()))
    missing = list(dict.fromkeys(text for one in audits.values() for text in one.missing))
    whole = replace(
        first,
        differs=tuple(differs),
        same=tuple(same),
        missing=tuple(missing),
        needed=any(one.needed for one in audits.values()),
        records=all(one.records for one in audits.values()),
    )
    listed = [dict(one) for one in first.outcomes] + [
        {"name": one.name, "text": f"{one.text} (follows from what differs)", "smd": None} for one in first.follows
    ]
    shown = None
    if all(one.shared is not None for one in audits.values()):
        shown = {
            kind: [min(getattr(one.shared, kind)[at] for one in audits.values()) for at in (0, 1)]
            for kind in ("exact", "normalized", "near")
        }
    if several:
        pair = " and ".join(names[place] for place in next(iter(audits)))
        listed = [{**one, "text": f"{pair}: {one['text']}"} for one in listed]
    return {
        "verdict": whole.verdict,
        "sentence": sentence(whole, held),
        "same": [{"cause": one.name, "text": one.text} for one in whole.same],
        "differs": [
            {"cause": one.name, "text": one.text, "first": one.first, "second": one.second, "held": one.name in held}
            for one in whole.differs
        ],
        "outcomes": listed,
        "missing": list(whole.missing),
        "prompts": shown,
    }


def _across(audits: Mapping[tuple[int, int], Audit], *, several: bool) -> tuple[list[Cause], list[Cause]]:
    """Causes that differ in any pair, as in the first such pair, and causes that are the same in all."""
    differs, same = [], []
    for name in ORDER:
        in_pairs = [one for found in audits.values() for one in found.differs if one.name == name]
        alike = [one for found in audits.values() for one in found.same if one.name == name]
        if in_pairs:
            more = f" (so in {len(in_pairs)} of {len(audits)} pairs)" if several else ""
            differs.append(replace(in_pairs[0], text=in_pairs[0].text + more))
        elif len(alike) == len(audits):
            same.append(alike[0])
    return differs, same


def sentence(found: Audit, held: frozenset[str]) -> str:
    """The verdict in one line."""
    names = [one.name for one in found.differs]
    if found.verdict == CONTROLLED:
        one = found.differs[0]
        return f"Controlled: one cause differs, the {_word(one.name)} ({one.text})."
    if found.verdict == CONFOUNDED:
        words = _listed([f"the {_word(name)}" for name in names])
        left = [name for name in names if name not in held]
        text = f"Confounded: {words} differ, so a difference cannot be put down to one of them."
        if len(left) == 1:
            text += f" The matched view holds the rest equal: there only the {_word(left[0])} {_verb(left[0])}."
        return text
    if names:
        return f"Unknown: the {_word(names[0])} {_verb(names[0])} ({found.differs[0].text}), but not all is known: {found.missing[0]}."
    if found.records:
        return "Unknown: nothing differs; both hold the same records, or nearly."
    known = f" Not known: {found.missing[0]}." if found.needed else ""
    return f"Unknown: nothing that the data name differs, so a difference is chance or has a cause that is not recorded.{known}"


def _word(name: str) -> str:
    return {"filters": "filter", "sources": "source", "tasks": "mix of tasks"}.get(name, name)


def _verb(name: str) -> str:
    return "differ" if name == "prompts" else "differs"


def _listed(words: Sequence[str]) -> str:
    return ", ".join(words[:-1]) + " and " + words[-1]
