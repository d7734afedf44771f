"""A rule against a benchmark: how many records hold its text, which a model that is tested on it must not be trained on."""

from __future__ import annotations

from typing import Any

from triptych.comparing.contamination import contamination, document
from triptych.comparing.corpus import Corpus, open_corpus
from triptych.comparing.gate.limits import FAIL, PASS, show
from triptych.comparing.gate.outcome import Outcome
from triptych.comparing.gate.rules import Rule
from triptych.comparing.sides import Side
from triptych.core.errors import InputError, SpecError
from triptych.data import Dataset, ReadOptions, open_dataset
from triptych.profiling.bench import Bench

_SHOWN = 80


def open_benchmark(rule: Rule) -> Dataset:
    """The set that a rule names.

    Raises:
        SpecError: it cannot be read; the message names the rule.
    """
    try:
        return open_dataset(str(rule.against), ReadOptions())
    except InputError as error:
        raise SpecError(f"{rule.place}: against: {error}") from error


def held_by(rule: Rule, side: Side, bench: Bench) -> tuple[Outcome, dict[str, Any]]:
    """The outcome of a ceiling on the share of records that hold text of a benchmark, and what was found.

    It is about these records, not about what they are a sample of: so the share is held against the ceiling as it is.

    Args:
        rule: with `against` and a ceiling.
        side: the data, with the signatures of their texts.
        bench: what to work with.

    Returns:
        The outcome, and the entry as under `contamination` in `comparison.json`.
    """
    found = contamination(
        [Corpus(side.dataset, side.store, side.keys)], [open_corpus(open_benchmark(rule), bench)], bench
    )
    entry: dict[str, Any] = document(found)["benchmarks"][0]
    limit, value = float(rule.ceiling or 0.0), float(entry["share"])
    good = value <= limit
    hits = f"{entry['hits']:,} of {entry['records']:,} records hold text of {entry['name']}"
    text = (
        f"{hits}, a share of {show(value)}, {'not over' if good else 'over'} the ceiling {show(limit)}{_first(entry)}"
    )
    numbers = {"value": value, "limit": limit, "n": entry["records"]}
    said = PASS if good else FAIL
    return Outcome(rule, None, "contamination", None, said, text, numbers), entry


def _first(entry: dict[str, Any]) -> str:
    """The record that holds most, with a piece of what it holds."""
    if not entry["examples"]:
        return ""
    first = max(entry["examples"], key=lambda one: float(one["similarity"]))
    start, end = first["spans"][0] if first["spans"] else (0, _SHOWN)
    piece = " ".join(first["text"][start : min(end, start + _SHOWN)].split())
    record, of = first["record"], first["benchmark"]
    return f'; row {record["row"]} of {record["source"]} holds row {of["row"]} of {of["source"]}: "{piece}"'
