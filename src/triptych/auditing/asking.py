"""Scorers that are asked for an audit: a judge's grades of the records, or its verdicts on the pairs in both orders.

What it says becomes a column like one that the data bring along. What is no grade stays a reason, and is counted as one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from triptych.annotating.annotator import Annotator, Item, pair_of
from triptych.annotating.kept import Values
from triptych.annotating.pairs import PairJudge, verdict
from triptych.annotating.run import outcomes
from triptych.auditing.columns import NoScore
from triptych.auditing.frame import Frame
from triptych.auditing.judges import annotators_of
from triptych.core.errors import UsageError, message
from triptych.core.places import default_cache
from triptych.data import Dataset
from triptych.engines.progress import Progress


@dataclass(frozen=True)
class Answers:
    """What was asked for.

    Attributes:
        frame: with the answers among its fields.
        names: scorer as given to the name of its field.
        swapped: name of a field of verdicts to that of the verdicts in the other order.
    """

    frame: Frame
    names: Mapping[str, str]
    swapped: Mapping[str, str]


def ask(dataset: Dataset, frame: Frame, scorers: Sequence[str], cache: Path | None, progress: Progress) -> Answers:
    """Ask all scorers that must be asked; what was asked in an earlier run is not asked again.

    Raises:
        TriptychError: a judge could not go on; what it said is kept.
        UsageError: pairs are to be compared, and there are none.
    """
    named = {scorer: makers for scorer in scorers if (makers := annotators_of(scorer))}
    if not named:
        return Answers(frame, {}, {})
    items = _items(dataset)
    fields: dict[str, Sequence[Any]] = {}
    names, swapped = {}, {}
    for scorer, makers in named.items():
        titles = [f"{maker.title} #{len(fields)}" if maker.title in fields else maker.title for maker in makers]
        for title, maker in zip(titles, makers, strict=True):
            fields[title] = _column(items, frame, maker, cache or default_cache(), progress)
        names[scorer] = titles[0]
        if len(titles) > 1:
            swapped[titles[0]] = titles[1]
            fields[titles[0]] = list(map(_by_both, fields[titles[0]], fields[titles[1]]))
    return Answers(replace(frame, fields={**frame.fields, **fields}), names, swapped)


def _items(dataset: Dataset) -> list[Item]:
    """All records, in order."""
    columns = ("content_id", "prompt", "response")
    batches = (shard.batch for shard in dataset.shards())
    return [
        Item(*texts)
        for batch in batches
        for texts in zip(*(batch.column(name).to_pylist() for name in columns), strict=True)
    ]


def _column(items: Sequence[Item], frame: Frame, maker: Annotator, cache: Path, progress: Progress) -> list[Any]:
    """What is said of each record: a number, a side, or why there is none."""
    out: list[Any] = [None] * len(items)
    if not isinstance(maker, PairJudge):
        found, _ = outcomes(_different(items), maker, cache, progress)
        return [_told(found[item.content_id], maker.gives[0]) for item in items]
    if frame.pairs is None:
        what = "a judge of pairs compares two responses, and the records make no pairs."
        raise UsageError(message(what, want="--pairs FIELD, or rows with a chosen and a rejected response"))
    places = list(zip(frame.pairs.first.tolist(), frame.pairs.second.tolist(), strict=True))
    pairs = [pair_of(items[a], items[b]) for a, b in places]
    found, _ = outcomes(_different(pairs), maker, cache, progress)
    for (a, b), pair in zip(places, pairs, strict=True):
        told = _told(found[pair.content_id], maker.gives[0])
        out[a] = out[b] = told if isinstance(told, NoScore) else "A" if told else "B"
    return out


def _by_both(straight: Any, turned: Any) -> Any:
    """The verdict of both orders, as that of the first one: a tie where the order decides."""
    if isinstance(straight, NoScore) or isinstance(turned, NoScore) or straight is None:
        return turned if isinstance(turned, NoScore) else straight
    return {"win": "A", "loss": "B", "tie": "tie"}[verdict(float(straight == "A"), float(turned == "A"))]


def _different(items: Sequence[Item]) -> list[Item]:
    return list({item.content_id: item for item in items}.values())


def _told(outcome: Values | str, column: str) -> Any:
    return NoScore(outcome) if isinstance(outcome, str) else outcome[column]
