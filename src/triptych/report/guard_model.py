"""A guard document read into frozen records: cleaned, bounded, tolerant of missing keys.

Everything after this module works on these records and never on the raw JSON. The rounds of a loop document hold the same
lines (`ledger`), so `loop_model` reads them with `read_round` too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from triptych.report.fields import finite, items, listed, mapping
from triptych.report.guard_records import (
    GENERATED,
    SCORES,
    SELECTED,
    SPLITS,
    Guarded,
    Round,
    RoundLimits,
    Ruling,
)
from triptych.report.guard_words import BY_KEY, ID, OOD, READINGS, SPLIT_NAMES
from triptych.report.loose import facts, written
from triptych.report.loose_numbers import bounded, reading
from triptych.report.study_model import checked, read_warnings
from triptych.report.study_records import Facts, Reading
from triptych.report.text import line

SCHEMA = "triptych/guard@1"
NAME = 60
MOST = 1_000_000
"""A larger number of a round is read as absent."""

Numbers = dict[str, Reading]
Missing = dict[tuple[str, str], str]


def read_guard(document: Any, limits: RoundLimits | None = None) -> Guarded:
    """Read one document.

    Raises:
        SchemaError: it is no mapping, or it names another schema.
    """
    limits = limits or RoundLimits()
    checked(document, SCHEMA)
    found = listed(document, "rounds")
    rounds = [read_round(item, at, limits) for at, item in thinned(list(enumerate(found)), limits.rounds)]
    own, last = read_ruling(document, limits), rounds[-1].ruling if rounds else Ruling()
    rate = finite(document.get("alarm_rate"))
    return Guarded(
        rounds=tuple(rounds),
        rounds_total=len(found),
        ruling=own if own.state or own.verdict else last,
        kinds=read_kinds([document, *found]),
        at=bounded(document.get("at")),
        structure=words(document, "structure", NAME),
        shared_prompts=found_bool(document.get("shared_prompts")),
        alarm_rate=rate if rate is not None and 0 <= rate <= 1 else None,
        anchor=_anchor(document.get("anchor")),
        notes=read_texts(document, "notes", limits),
        warnings=read_warnings(document, limits.notes, limits.text),
        provenance=facts(mapping(document, "provenance"), text=limits.text),
    )


def thinned(found: Sequence[Any], most: int) -> list[Any]:
    """At most `most` of a row, evenly spread, the first and the last among them."""
    if len(found) <= most:
        return list(found)
    places = {round(at * (len(found) - 1) / max(1, most - 1)) for at in range(most)}
    return [found[at] for at in sorted(places)]


def read_round(item: Mapping[str, Any], at: int, limits: RoundLimits) -> Round:
    """One line of a ledger; `at` is its place, which stands in for a missing number."""
    number = bounded(item.get("round"))
    missing: Missing = {}
    generated = _readings(item, GENERATED, missing, limits) | _readings(
        mapping(item, GENERATED), GENERATED, missing, limits
    )
    return Round(
        number=int(number) if number is not None and abs(number) <= MOST else at,
        name=words(item, "name", NAME),
        records=_size(item, ("n", "records")),
        valid=_size(item, ("valid",)),
        numbers={
            GENERATED: generated,
            SELECTED: _readings(mapping(item, SELECTED), SELECTED, missing, limits),
            SPLITS: _splits(mapping(item, SPLITS), missing, limits),
            SCORES: read_scores(mapping(item, "scores"), missing, limits)
            | _pass_at(mapping(item, "pass_at"), missing, limits),
        },
        missing=missing,
        ruling=read_ruling(item, limits),
    )


def read_ruling(item: Mapping[str, Any], limits: RoundLimits) -> Ruling:
    """The guard's words on a round, or on all of them."""
    return Ruling(
        state=words(item, "state", 40),
        verdict=words(item, "verdict", 40),
        since=bounded(item.get("since")),
        reasons=read_texts(item, "reasons", limits),
        suggest=read_texts(item, "suggest", limits),
        evidence=_evidence(mapping(item, "evidence")),
    )


def read_scores(found: Mapping[str, Any], missing: Missing, limits: RoundLimits) -> Numbers:
    """Scores by panel, from a ledger's line or from a round's own file: `k` inside a panel becomes `panel@k`.

    k = 1 alone is the panel's own score again, and is not held twice.
    """
    inner = mapping(found, "scores")
    out: Numbers = {}
    for key, each in islice((inner or found).items(), 4 * limits.panels):
        name = line(str(key), NAME)
        item: Mapping[str, Any] = each if isinstance(each, Mapping) else {"value": each}
        own = _score(item)
        undefined = words(item, "undefined", limits.text)
        if own.value is None and not undefined and not mapping(item, "k"):
            continue
        out[name] = own
        if undefined:
            missing[SCORES, name] = undefined
        for k, score in islice(mapping(item, "k").items(), 8):
            at_k = _score(score)
            if at_k.value is not None and (str(k) != "1" or own.value is None or len(mapping(item, "k")) > 1):
                out[f"{name}@{line(str(k), 8)}"] = at_k
    return out


def read_kinds(found: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Panels that are said to be id or ood: by `panels` or `kinds` of a document or a round, or by their scores."""
    out: dict[str, str] = {}
    for item in islice(found, 64):
        scores = mapping(item, "scores")
        for said in (mapping(item, "panels"), mapping(item, "kinds"), scores, mapping(scores, "scores")):
            for name, each in islice(said.items(), 64):
                kind = each.get("kind") if isinstance(each, Mapping) else each
                if kind in (ID, OOD):
                    out[line(str(name), NAME)] = kind
    return out


def read_texts(item: Mapping[str, Any], key: str, limits: RoundLimits) -> tuple[str, ...]:
    """The texts under a key: a list, or one."""
    found = [line(each, limits.text) for each in items(item.get(key)) if isinstance(each, str)]
    found = [each for each in dict.fromkeys(found) if each]
    more = len(found) - limits.notes
    return (*found[: limits.notes], *([f"{more} more are in the document."] if more > 0 else []))


def words(item: Mapping[str, Any], key: str, limit: int) -> str:
    """The text under a key, cleaned, on one line; what is no text is absent."""
    found = item.get(key)
    return line(found, limit) if isinstance(found, str) else ""


def found_bool(found: Any) -> bool | None:
    """True or false; None for everything else."""
    return found if isinstance(found, bool) else None


def _score(found: Any) -> Reading:
    """A reading whose value may stand under `score`."""
    return reading({**found, "value": found["score"]} if isinstance(found, Mapping) and "score" in found else found)


def _size(item: Mapping[str, Any], keys: Sequence[str]) -> float | None:
    return next((value for key in keys if (value := reading(item.get(key)).value) is not None), None)


def _readings(item: Mapping[str, Any], of: str, missing: Missing, limits: RoundLimits) -> Numbers:
    """The readings that are known by name, then others that look like one."""
    out: Numbers = {}
    for named in READINGS:
        for key in (named.key, *named.also):
            if key in item and named.key not in out:
                _take(item[key], named.key, of, (out, missing), limits)
    others = [
        key
        for key, each in islice(item.items(), 200)
        if key not in BY_KEY and isinstance(each, Mapping) and "value" in each
    ]
    for key in [key for key in others if key not in ("n", "valid", "records")][: limits.extra]:
        _take(item[key], line(str(key), NAME), of, (out, missing), limits)
    return out


def _splits(item: Mapping[str, Any], missing: Missing, limits: RoundLimits) -> Numbers:
    out: Numbers = {}
    known = [named.key for named in SPLIT_NAMES if named.key in item]
    others = [key for key in islice(item, 200) if key not in known]
    for key in (*known, *others[: limits.extra]):
        _take(item[key], line(str(key), NAME), SPLITS, (out, missing), limits)
    return out


def _pass_at(item: Mapping[str, Any], missing: Missing, limits: RoundLimits) -> Numbers:
    """Pass@k: by k, by `panel@k`, or by k inside a panel."""
    out: Numbers = {}
    for key, each in islice(item.items(), 4 * limits.panels):
        name = line(str(key), NAME)
        if isinstance(each, Mapping) and "value" not in each:
            for k, score in islice(each.items(), 8):
                _take(score, f"{name}@{line(str(k), 8)}", SCORES, (out, missing), limits)
        else:
            _take(each, f"pass@{name}" if name.isdigit() else name, SCORES, (out, missing), limits)
    return out


def _take(found: Any, name: str, of: str, into: tuple[Numbers, Missing], limits: RoundLimits) -> None:
    """Hold a reading, or the reason why there is none."""
    item = reading(found)
    reason = words(found, "undefined", limits.text) if isinstance(found, Mapping) else ""
    if item.value is not None:
        into[0][name] = item
    elif reason:
        into[1][of, name] = reason


def _evidence(item: Mapping[str, Any]) -> Facts:
    return tuple((name, value) for name, value in facts(item, limit=40))


def _anchor(found: Any) -> str:
    if isinstance(found, Mapping):
        return (
            words(found, "name", NAME) or words(found, "path", 200) or "; ".join(" ".join(f) for f in facts(found, 4))
        )
    return written(found)
