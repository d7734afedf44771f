"""A comparison document read into frozen records: cleaned, bounded, tolerant of missing keys.

Everything after this module works on these records and never on the raw JSON, so that one gate (`text.clean`) stands
between data and page. A number that is no number, or is absurdly large, is read as absent; ends of an interval that do
not hold their value too.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import count as counting
from typing import Any

from triptych.report.comparison_more import read_across, read_models, read_overlaps, read_ranks
from triptych.report.comparison_records import (
    RAW,
    VERDICTS,
    A,
    B,
    Balanced,
    Cause,
    Comparability,
    Comparison,
    ComparisonLimits,
    PairRecord,
    Result,
    SetInfo,
    Trade,
    ViewRecord,
)
from triptych.report.fields import items, listed, mapping, raw, text
from triptych.report.loose import facts
from triptych.report.loose_numbers import bounded, reading
from triptych.report.study_model import checked, read_warnings
from triptych.report.text import line
from triptych.report.words import AXES, letter

SCHEMA = "triptych/comparison@1"
NAME = 80
COLOURS = 8
"""Sets have so many colours; then these come again, and the letter tells."""
VIEW_TITLES = {
    "raw": "As they are",
    "records": "Equal records",
    "tokens": "Equal tokens",
    "length": "Like length",
    "prompt": "Same prompts",
    "prompt+length": "Same prompts, like length",
}
PROMPTS = (
    ("exact", "the same text"),
    ("normalized", "the same but for case, spaces and digits"),
    ("near", "nearly the same"),
)


def read_comparison(document: Any, limits: ComparisonLimits | None = None) -> Comparison:
    """Read one document.

    Raises:
        SchemaError: it is no mapping, or it names another schema.
    """
    limits = limits or ComparisonLimits()
    checked(document, SCHEMA)
    found, pairs = listed(document, "sets"), listed(document, "pairs")
    sets = tuple(_set(at, item) for at, item in enumerate(found[: limits.sets]))
    owner = Owners(sets)
    read = tuple(_pair(item, owner, limits) for item in pairs[: limits.pairs])
    titles = {item.label: item.title for pair in read for view in pair.views for item in view.results}
    return Comparison(
        sets=sets,
        sets_total=len(found),
        comparability=_comparability(mapping(document, "comparability"), limits),
        pairs=read,
        pairs_total=len(pairs),
        ranks=tuple(
            replace(each, title=titles.get(each.label, each.title))
            for each in read_ranks(document, owner.named, limits)
        ),
        contamination=read_overlaps(document, limits),
        across=read_across(document, limits),
        models=read_models(document, owner.named, limits),
        left_out=_left_out(document, limits),
        inference=text(mapping(document, "inference"), "text", 2 * limits.text),
        warnings=read_warnings(document, limits.notes, limits.text),
        provenance=tuple(
            pair for pair in facts(mapping(document, "provenance"), text=limits.text) if pair[0] != "command"
        ),
        command=_command(document, sets),
    )


def _left_out(document: Mapping[str, Any], limits: ComparisonLimits) -> tuple[tuple[int, int, str], ...]:
    pairs = listed(document, "pairs")[: limits.pairs]
    views = [each for pair in pairs for each in listed(pair, "views")[: limits.views]]
    counts = [
        (len(listed(document, "sets")), limits.sets, "set"),
        (len(listed(document, "pairs")), limits.pairs, "pair"),
        (len(listed(document, "ranks")), limits.ranks, "order"),
        (len(listed(mapping(document, "contamination"), "benchmarks")), limits.benchmarks, "benchmark"),
        (max((len(listed(pair, "views")) for pair in pairs), default=0), limits.views, "view"),
        (max((len(listed(each, "results")) for each in views), default=0), limits.results, "measure"),
    ]
    return tuple((most, total, noun) for total, most, noun in counts if total > most)


class Owners:
    """Sets by name, with the badges that they have on the page; a name that no set has gets the next letter."""

    def __init__(self, sets: tuple[SetInfo, ...]) -> None:
        self._sets = sets
        self._more: dict[str, SetInfo] = {}
        self._next = counting(len(sets))

    def named(self, found: Any, beside: SetInfo | None = None) -> SetInfo:
        """The set of this name, another one than `beside` where two have it."""
        name = line(str(found), NAME) if found is not None else "unnamed"
        own = [each for each in self._sets if each.name == name]
        other = [each for each in own if each is not beside]
        if own:
            return (other or own)[0]
        if name not in self._more:
            at = next(self._next)
            self._more[name] = SetInfo(name, letter(at), f"s{at % COLOURS}")
        return self._more[name]


def _set(at: int, item: Mapping[str, Any]) -> SetInfo:
    return SetInfo(
        name=text(item, "name", NAME) or "unnamed",
        letter=letter(at),
        css=f"s{at % COLOURS}",
        path=text(item, "path", 240),
        sha256=text(item, "sha256", 80),
        records=bounded(item.get("records")),
        tokens=bounded(item.get("tokens")),
        valid=bounded(item.get("valid")),
        prompts=bounded(item.get("prompts")),
        notes=facts({key: item.get(key) for key in ("detected", "grouping", "skipped") if item.get(key)}),
    )


def _comparability(item: Mapping[str, Any], limits: ComparisonLimits) -> Comparability:
    prompts = mapping(item, "prompts")
    return Comparability(
        verdict=text(item, "verdict", 20),
        sentence=text(item, "sentence", 2 * limits.text),
        same=_causes(item, "same", limits),
        differs=_causes(item, "differs", limits),
        outcomes=_causes(item, "outcomes", limits),
        missing=tuple(_said(each, limits) for each in items(item.get("missing"))[: limits.causes]),
        prompts=tuple((title, *_both(prompts.get(key))) for key, title in PROMPTS if prompts.get(key) is not None),
    )


def _said(found: Any, limits: ComparisonLimits) -> str:
    if isinstance(found, Mapping):
        return text(found, "text", limits.text) or text(found, "cause", NAME) or "something without a name"
    return line(str(found), limits.text)


def _causes(item: Mapping[str, Any], key: str, limits: ComparisonLimits) -> tuple[Cause, ...]:
    out = []
    for each in items(item.get(key))[: limits.causes]:
        if isinstance(each, str):
            out.append(Cause(line(each, NAME), ""))
        if isinstance(each, Mapping):
            name = text(each, "cause", NAME) or text(each, "name", NAME) or "something without a name"
            first, second = (_plain(each.get(side), limits.text) for side in ("first", "second"))
            smd, held = bounded(each.get("smd")), each.get("held") is True
            out.append(Cause(name, text(each, "text", limits.text), first, second, smd, held))
    return tuple(out)


def _plain(found: Any, limit: int) -> str:
    if found is None:
        return ""
    return line(", ".join(map(str, items(found)[:12])) if isinstance(found, (list, tuple)) else str(found), limit)


def _both(found: Any) -> tuple[float | None, float | None]:
    """Numbers of the first and of the second set: a list, a mapping, or one number for both."""
    if isinstance(found, Mapping):
        a, b = (next((found[key] for key in keys if key in found), None) for keys in (("a", "first"), ("b", "second")))
    elif isinstance(found, (list, tuple)):
        a, b = (found[at] if at < len(found) else None for at in (0, 1))
    else:
        a = b = found
    return bounded(a), bounded(b)


def _pair(item: Mapping[str, Any], owner: Owners, limits: ComparisonLimits) -> PairRecord:
    first = owner.named(item.get("first"))
    views = tuple(_view(each, limits) for each in listed(item, "views")[: limits.views])
    names = [view.name for view in views]
    wanted = text(item, "primary", NAME)
    there = [at for at, view in enumerate(views) if not view.undefined]
    primary = names.index(wanted) if wanted in names else (there or [0])[0] if views else None
    own = mapping(item, "comparability")
    return PairRecord(
        first=first,
        second=owner.named(item.get("second"), first),
        views=views,
        primary=primary,
        price=_price(mapping(item, "price")),
        comparability=_comparability(own, limits) if own else None,
    )


def _view(item: Mapping[str, Any], limits: ComparisonLimits) -> ViewRecord:
    name = text(item, "name", NAME) or "unnamed"
    undefined, found = text(item, "undefined", limits.text), listed(item, "results")[: limits.results]
    results = [_result(each, undefined, limits) for each in found]
    return ViewRecord(
        name=name,
        title=view_title(name),
        question=text(item, "question", limits.text),
        paired=item.get("paired") is True,
        draws=bounded(item.get("draws")),
        records=_both(item.get("records")),
        tokens=_both(item.get("tokens")),
        balance=tuple(_balance(each) for each in listed(item, "balance")[: limits.balance]),
        undefined=undefined,
        results=told_apart(results, [mapping(mapping(each, "spec"), "params") for each in found]),
    )


def told_apart(found: Sequence[Result], params: Sequence[Mapping[str, Any]]) -> tuple[Result, ...]:
    """Give results their subject (Label mean: correct), and those of one title the parameters in which they differ."""
    subjects = [line(str(own.get("field") or own.get("of") or "").replace("_", " "), 40) for own in params]
    named = [f"{item.title}: {own}" if own else item.title for item, own in zip(found, subjects, strict=True)]
    out = []
    for item, title, own in zip(found, named, params, strict=True):
        twins = [other for other, same in zip(params, named, strict=True) if same == title]
        keys = sorted(str(key) for key in own if any(other.get(key) != own[key] for other in twins))
        told = [f"{key}={str(own[key]).lower() if own[key] is True else own[key]}" for key in keys if own.get(key)]
        detail = line(", ".join(told), 60) or ("all" if keys else "")
        out.append(replace(item, title=f"{title}, {detail}" if detail else title))
    return tuple(out)


def view_title(name: str) -> str:
    """A view for people.

    >>> view_title("raw"), view_title("length+mix:task"), view_title("own")
    ('As they are', 'Like length, same mix of task', 'own')
    """
    if name in VIEW_TITLES:
        return VIEW_TITLES[name]
    parts = [
        VIEW_TITLES.get(part) or (f"Same mix of {part[4:]}" if part[4:] and part[:4] == "mix:" else "")
        for part in name.split("+")
    ]
    if not all(parts):
        return name
    return ", ".join(part if not at else part[0].lower() + part[1:] for at, part in enumerate(parts))


def _balance(item: Mapping[str, Any]) -> Balanced:
    return Balanced(
        variable=text(item, "variable", NAME) or "unnamed",
        before=bounded(item.get("before")),
        after=bounded(item.get("after")),
        asked=item.get("asked") is True,
    )


def _result(item: Mapping[str, Any], undefined: str, limits: ComparisonLimits) -> Result:
    label = text(item, "label", NAME) or text(item, "measure", NAME) or "unnamed"
    own = reading({"value": item.get("diff"), "lo": item.get("lo"), "hi": item.get("hi")})
    axis, better, verdict = (text(item, key, 20) for key in ("axis", "better", "verdict"))
    margin, needed = bounded(item.get("margin")), bounded(item.get("needed"))
    reason = text(item, "undefined", limits.text) or undefined
    return Result(
        label=label,
        title=text(item, "title", NAME) or label,
        unit=text(item, "unit", 60),
        axis=axis if axis in AXES else "",
        better=better if better in ("higher", "lower") else "neither",
        headline=item.get("headline") is True,
        a=bounded(item.get("a")),
        b=bounded(item.get("b")),
        n=_both(item.get("n")),
        diff=own.value,
        lo=own.lo,
        hi=own.hi,
        p=bounded(item.get("p")),
        p_adjusted=bounded(item.get("p_adjusted")),
        margin=margin if margin is not None and margin > 0 else None,
        margin_why=text(item, "margin_why", 120),
        verdict=verdict if verdict in VERDICTS and own.value is not None else "",
        about=text(item, "about", limits.text),
        needed=needed if needed is not None and needed > 0 else None,
        undefined=reason if own.value is None else "",
    )


def _price(item: Mapping[str, Any]) -> Trade | None:
    quality, diversity = (text(item, f"better_{axis}", 20) for axis in ("quality", "diversity"))
    if {quality, diversity} != {A, B}:
        return None
    return Trade(
        quality_side=quality,
        diversity_side=diversity,
        quality=text(item, "quality", NAME),
        diversity=text(item, "diversity", NAME),
        lost=bounded(item.get("quality_lost")),
        gained=bounded(item.get("diversity_gained")),
        per_unit=bounded(item.get("per_unit")),
        lo=bounded(item.get("lo")),
        hi=bounded(item.get("hi")),
        unit=text(item, "unit", 120),
    )


def _command(document: Mapping[str, Any], sets: tuple[SetInfo, ...]) -> str:
    """The command that makes the document again: its own, else the plain one with its paths."""
    given = mapping(document, "provenance").get("command")
    if isinstance(given, (list, tuple)):
        return line(shlex.join(map(str, given[:60])), 1000)
    own = text(mapping(document, "provenance"), "command", 1000) if isinstance(given, str) else ""
    paths = [raw({"path": each.path}, "path") for each in sets]
    return own or (f"triptych compare {shlex.join(paths)}" if len(paths) > 1 and all(paths) else "")


def is_raw(view: ViewRecord) -> bool:
    """Whether a view leaves the sets as they are."""
    return view.name == RAW
