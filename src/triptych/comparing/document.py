"""Entries of `comparison.json`, from what was found. Strict JSON values only."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from triptych.comparing.members import Member
from triptych.comparing.sides import Side
from triptych.comparing.verdict import SAME, A, B, Judged
from triptych.comparing.view import View
from triptych.profiling.annotations import described

SCHEMA = "triptych/comparison@1"

INFERENCE = {
    "level": 0.95,
    "multiplicity": "Holm over the measures of a view",
    "text": (
        "Differences are first less second, with delete-a-group jackknife intervals at 95 %: paired where both sets answer "
        "the same prompts, and with the spread of the draws where a matching leaves records out by chance. Equivalent: the "
        "90 % interval lies within the margin (two one-sided tests at 5 %); a or b: p, adjusted by Holm over the measures "
        "of the view, is under .05; else it cannot be told."
    ),
}


def set_entry(one: Member) -> dict[str, Any]:
    """What a set is."""
    side = one.side
    summary = side.dataset.summary
    assert summary is not None  # noqa: S101 - the scan has read the whole set
    return {
        "name": side.name,
        "path": side.dataset.path,
        "sha256": summary.sha256,
        "rows": summary.rows,
        "records": len(side),
        "tokens": int(side.tokens.sum()),
        "valid": float(side.valid.mean()),
        "prompts": len(np.unique(side.prompt[side.prompt != 0])),
        "skipped": summary.skipped_total,
        "detected": side.dataset.layout.sentence,
        "grouping": side.grouping.sentence,
        **({"annotations": described(side.annotations)} if side.annotations else {}),
    }


def view_entry(
    view: View, pair: tuple[Side, Side], judged: Sequence[Judged], headlines: Collection[str]
) -> dict[str, Any]:
    """One view of two sets, with its results."""
    first = view.draws[0] if view.draws else None
    rows = (first.a, first.b) if first else (np.zeros(0, np.int64), np.zeros(0, np.int64))
    names = (pair[0].name, pair[1].name)
    return {
        "name": view.name,
        "question": view.question,
        "paired": view.paired,
        "draws": len(view.draws),
        "records": [len(mine) for mine in rows],
        "tokens": [int(side.tokens[mine].sum()) for side, mine in zip(pair, rows, strict=True)],
        "balance": [
            {"variable": one.variable, "before": one.before, "after": one.after, "asked": one.asked}
            for one in view.balance
        ],
        "undefined": view.undefined,
        "results": [result_entry(one, names, headlines) for one in judged],
    }


def result_entry(judged: Judged, names: tuple[str, str], headlines: Collection[str]) -> dict[str, Any]:
    """One measure in one view."""
    measure, found = judged.compared.measure, judged.compared.difference
    about, spec = measure.about, measure.spec
    keys = ("a", "b", "diff", "lo", "hi", "se", "p")
    numbers = {key: None if found is None else getattr(found, key) for key in keys}
    a_ends, b_ends = judged.compared.ends
    return {
        "measure": about.name,
        "axis": about.axis,
        "label": measure.label,
        "title": about.title,
        "unit": about.unit,
        "better": about.better,
        "headline": spec.hash in headlines,
        "spec": {"params": spec.params, "hash": spec.hash},
        "a": numbers["a"],
        "b": numbers["b"],
        "a_interval": None if found is None else list(a_ends),
        "b_interval": None if found is None else list(b_ends),
        "n": list(judged.compared.n),
        **{key: numbers[key] for key in ("diff", "lo", "hi", "se", "p")},
        "p_adjusted": judged.p_adjusted,
        "margin": judged.margin,
        "margin_why": judged.why,
        "verdict": judged.verdict,
        "about": words(judged, names),
        "needed": judged.needed,
        "undefined": judged.compared.undefined,
    }


def words(judged: Judged, names: tuple[str, str]) -> str:
    """A verdict in words."""
    found, about = judged.compared.difference, judged.compared.measure.about
    if found is None:
        return f"there is no difference: {judged.compared.undefined}"
    if judged.verdict == SAME:
        return f"a difference beyond the margin of {judged.margin:.3g} is ruled out"
    if judged.verdict in (A, B):
        name = names[0] if judged.verdict == A else names[1]
        if about.better == "neither":
            return f"{name} is higher; neither side is better"
        return f"{name} is better ({about.better} is better)"
    if judged.needed is None:
        return "no number of records in reach would tell"
    return f"about {judged.needed:,} records on each side would tell"
