"""What a guard would do, in words, before it is done."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from triptych.data import open_dataset
from triptych.guarding.panel import read_scores
from triptych.guarding.request import GuardRequest
from triptych.guarding.rounds import RoundSource, find_rounds

LISTED = 12


def describe_guard(request: GuardRequest) -> str:
    """Rounds with their layout, real data, scores, what is judged and how, cost.

    Raises:
        InputError: as the guard, as far as the heads of the rounds tell.
    """
    options = request.options
    if options.settings.by is not None:
        lines = _rows(request)
    else:
        sources = find_rounds(request.rounds)
        lines = [f"rounds: {len(sources)}", *(f"  {_round(source)}" for source in sources[:LISTED])]
        lines += [f"  .. and {len(sources) - LISTED} more"] if len(sources) > LISTED else []
        lines += [f"layout of round {sources[0].round}: {_layout(sources[0].generated, request)}"]
        lines += [f"note: {note}" for source in sources for note in source.notes]
    lines.append(f"anchor: {'none' if request.anchor is None else _layout(request.anchor, request)}")
    if request.panel is not None:
        scores = read_scores(request.panel)
        names = dict.fromkeys(name for one in scores.values() for name in one.scores)
        lines.append(f"scores: {request.panel.name}, {len(scores)} rounds: {', '.join(names)}")
    lines += [f"{what}: field {name}" for what, name in options.named.items()]
    lines.append(f"diversity is read at {options.at:,} valid records" if options.at else _COMMON)
    lines.append(f"at most {options.alarm_rate:.0%} of healthy loops are called collapsing, over all their rounds")
    lines.append("one pass over each round; calls to a model endpoint: 0; cost: 0")
    return "\n".join(lines)


_COMMON = "diversity is read at a common number of valid records, in every round"


def _rows(request: GuardRequest) -> list[str]:
    """What is known of rounds that are made of rows: which field says them; that takes a pass to count."""
    by, window = request.options.settings.by, request.options.window
    how = f"each value of {by}" if window == 1 else f"{window} values of {by} in a row"
    lines = [f"rounds: {how} in {len(request.rounds)} sources (one pass counts them)"]
    if request.options.decode is not None:
        return [*lines, f"token numbers are decoded with {Path(request.options.decode).name}"]
    return [*lines, f"layout: {_layout(request.rounds[0], request)}"]


def _round(source: RoundSource) -> str:
    parts = [f"{source.round}: {source.name}"]
    parts += ["with what was selected"] if source.selected is not None else []
    parts += ["with scores"] if source.scores is not None else []
    return ", ".join(parts)


def _layout(source: Any, request: GuardRequest) -> str:
    reading = replace(request.options.settings.reading(), split=None)
    if request.options.structure is not None:
        reading = replace(reading, roles={**reading.roles, "structure": request.options.structure})
    return open_dataset(source, reading).layout.sentence
