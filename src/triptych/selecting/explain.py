"""Why each record is kept or dropped: `selection.parquet`, a row for each record of the source in its order."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from triptych.core.candidates import TOLERANCE
from triptych.neighbours.graph import nearest
from triptych.selecting.choose import Chosen
from triptych.selecting.making import unit_rows

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

GROUP = 1 << 16
"""Records in a row group."""

NONE = -1
NAMED = 12
"""Values of a bounded field that are named in a reason, if no more are full."""
MUST_KEEP, MUST_DROP = "must keep", "must drop"
NO_ROOM = "does not fit the tokens that are left"
SPENT = "not taken before the budget was spent"
TIED = "equal to the last one taken, and after it in the order of ties"

SCHEMA: Any = pa.schema(
    [
        pa.field("source", pa.int32(), nullable=False),
        pa.field("row", pa.int64(), nullable=False),
        pa.field("part", pa.int32(), nullable=False),
        pa.field("line", pa.int64(), nullable=False),
        pa.field("ordinal", pa.int64(), nullable=False),
        pa.field("kept", pa.bool_(), nullable=False),
        pa.field("reason", pa.dictionary(pa.int32(), pa.string()), nullable=False),
        pa.field("order", pa.int32()),
        pa.field("added", pa.float64()),
        pa.field("score", pa.float64()),
        pa.field("threshold", pa.float64()),
        pa.field("nearest", pa.int64()),
        pa.field("similarity", pa.float32()),
        pa.field("quality", pa.float64()),
        pa.field("complexity", pa.float64()),
        pa.field("tokens", pa.int64(), nullable=False),
    ]
)


@dataclass(frozen=True, eq=False)
class Explained:
    """The verdict on all N records, in the order of the source.

    Attributes:
        kept: bool (N,).
        reason: number of the reason in `reasons`, int32 (N,); for kept records that of what the policy took is -1: it
            is told by order, gain and score.
        reasons: in words.
        order: place in the order of taking from 1, 0 where dropped, int32 (N,).
        added: what a record added when it was taken, NaN where that has no meaning, float64 (N,).
        score, threshold: what it is ranked by, and what it would have had to reach, NaN where there is none, (N,).
        nearest: ordinal of the nearest kept record, another one for a kept record; -1: none, int64 (N,).
        similarity: cosine of the two, float32 (N,).
        recall: share of the records whose nearest kept one is the true one, estimated; None: all, or none are told.
    """

    kept: NDArray[np.bool_]
    reason: NDArray[np.int32]
    reasons: tuple[str, ...]
    order: NDArray[np.int32]
    added: Floats
    score: Floats
    threshold: Floats
    nearest: Ints
    similarity: NDArray[np.float32]
    recall: float | None = None

    def counts(self) -> dict[str, int]:
        """How many records are dropped for each kind of reason, most first; numbers and names in reasons are left out."""
        kinds: dict[str, int] = {}
        found = np.bincount(self.reason[~self.kept], minlength=len(self.reasons))
        for why, count in zip(self.reasons, found.tolist(), strict=True):
            if count:
                kinds[why] = kinds.get(why, 0) + count
        return dict(sorted(kinds.items(), key=lambda pair: (-pair[1], pair[0])))


def _silent(done: int) -> None:
    del done


class _Reasons:
    """Reasons by number."""

    def __init__(self, n: int) -> None:
        self.names: list[str] = []
        self.of = np.full(n, NONE, dtype=np.int32)

    def put(self, at: Ints | NDArray[np.bool_], why: str) -> None:
        """Give a reason to candidates that have none yet."""
        if why not in self.names:
            self.names.append(why)
        places = np.flatnonzero(at) if at.dtype == np.bool_ else at
        places = places[self.of[places] == NONE]
        self.of[places] = self.names.index(why)


def explain(chosen: Chosen, threads: int = 1, *, near: bool = True, told: Callable[[int], None] = _silent) -> Explained:
    """Say of every record why it is kept or dropped, and which kept record is nearest to it.

    Args:
        chosen: the selection.
        threads: for the nearest kept records.
        near: whether they are looked for; without vectors there are none.
        told: called with the number of records whose nearest kept one is found.
    """
    pool = chosen.pool
    n, records = len(pool), len(pool.store)
    score, threshold, reasons = _verdicts(chosen)
    order, added = np.zeros(n, dtype=np.int32), np.full(n, np.nan)
    taken = chosen.taken
    order[taken] = np.arange(1, len(taken) + 1)
    added[taken] = chosen.basket.gains
    owner = pool.owner
    mine = owner >= 0

    def spread(values: NDArray[Any], absent: Any) -> NDArray[Any]:
        out = np.full(records, absent, dtype=values.dtype)
        out[mine] = values[owner[mine]]
        return out

    reason = spread(reasons.of, np.int32(NONE))
    names = list(reasons.names)
    for why, ordinals in pool.left_out.items():
        if why not in names:
            names.append(why)
        reason[ordinals] = names.index(why)
    kept = np.zeros(records, dtype=np.bool_)
    kept[chosen.ordinals] = True
    if len(chosen.limits.outside):
        if MUST_KEEP not in names:
            names.append(MUST_KEEP)
        reason[chosen.limits.outside] = names.index(MUST_KEEP)
    closest, similarity, recall = _nearest(chosen, owner, threads if near else 0, told)
    return Explained(
        kept=kept,
        reason=reason,
        reasons=tuple(names),
        order=spread(order, np.int32(0)),
        added=spread(added, np.nan),
        score=spread(score, np.nan),
        threshold=spread(threshold, np.nan),
        nearest=closest,
        similarity=similarity,
        recall=recall,
    )


def _verdicts(chosen: Chosen) -> tuple[Floats, Floats, _Reasons]:
    """Score, threshold and reason of each candidate; the reason of what the policy took is none."""
    basket, choice, limits, n = chosen.basket, chosen.choice, chosen.limits, len(chosen.pool)
    score = np.full(n, np.nan) if choice.score is None else choice.score.astype(np.float64)
    refused = basket.reason >= 0
    told = ~np.isnan(basket.score)
    score = np.where(told, basket.score, score)
    threshold = basket.threshold.copy()
    reasons = _Reasons(n)
    out = np.ones(n, dtype=np.bool_)
    out[basket.taken] = False
    reasons.put(np.array(basket.taken[: basket.kept], dtype=np.int64), MUST_KEEP)
    reasons.put(limits.drop, MUST_DROP)
    if limits.duplicates is not None:
        reasons.put(limits.duplicates.at, limits.duplicates.why)
        score[limits.duplicates.at] = limits.duplicates.similarity
        threshold[limits.duplicates.at] = limits.duplicates.threshold
    for at, why in enumerate(basket.reasons):
        reasons.put(out & refused & (basket.reason == at), why)
    for why, whose in _full(chosen):
        reasons.put(out & whose, why)
    last = _last_score(chosen)
    if last is not None and choice.score is not None:
        rest = out & (reasons.of == NONE)
        threshold[rest] = last
        slack = TOLERANCE * max(abs(last), TOLERANCE)
        reasons.put(rest & (score < last - slack), f"ranked lower by {choice.scored or 'score'}")
        before = (score > last + slack) | ((score >= last - slack) & (np.arange(n) < basket.taken[-1]))
        reasons.put(rest & before & (basket.cost > basket.left), NO_ROOM)
        reasons.put(rest & (np.abs(score - last) <= slack), TIED)
    if chosen.budget.unit == "tokens" and not basket.spent:
        reasons.put(out & (basket.cost > basket.left), NO_ROOM)
    reasons.put(out, f"would have added less {choice.gained}" if choice.gained and choice.score is None else SPENT)
    return score, threshold, reasons


def _full(chosen: Chosen) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Why, and whose value of a bounded field holds as many records as it may (n,). Many values are not named."""
    taken = chosen.taken
    for field in chosen.limits.fields:
        held = np.bincount(field.codes[taken], minlength=len(field.names))
        full = (held >= field.most) & (field.most_by >= 0)
        if np.count_nonzero(full) > NAMED:
            yield f"its {field.field} is full", full[field.codes]
            continue
        for code in np.flatnonzero(full).tolist():
            yield f"its {field.field} is full: {field.names[code]}", field.codes == code


def _last_score(chosen: Chosen) -> float | None:
    """The lowest score that was taken, where records were taken in the order of their scores."""
    if chosen.choice.score is None:
        return None
    scores = chosen.choice.score[chosen.taken[chosen.basket.kept :]]
    scores = scores[~np.isnan(scores)]
    if not len(scores):
        return None
    falls = np.diff(scores) <= TOLERANCE * np.maximum(np.abs(scores[:-1]), TOLERANCE)
    return float(scores[-1]) if falls.all() else None


def _nearest(
    chosen: Chosen, owner: Ints, threads: int, told: Callable[[int], None]
) -> tuple[Ints, NDArray[np.float32], float | None]:
    """Ordinal of the nearest kept record of every record, -1: none; their similarity; and the share that is found."""
    pool, records = chosen.pool, len(chosen.pool.store)
    near, similarity = np.full(records, NONE, dtype=np.int64), np.full(records, np.nan, dtype=np.float32)
    vectors = pool.candidates.vectors
    if vectors is None or not threads:
        return near, similarity, None
    taken, outside, column = np.sort(chosen.taken), chosen.limits.outside, f"embedding@{pool.on}"
    base = vectors[taken]
    if len(outside):
        base = np.concatenate([base, unit_rows(pool.store, column, outside)])
    ordinal = np.concatenate([pool.first[taken], outside])
    place = np.full(len(pool), NONE, dtype=np.int64)
    place[taken] = np.arange(len(taken))
    found = nearest(vectors, base, threads, place, told=told)
    recalls = [found.recall]
    mine = owner >= 0
    near[mine] = np.where(found.at >= 0, ordinal[found.at], NONE)[owner[mine]]
    similarity[mine] = np.where(found.at >= 0, found.similarity, np.nan)[owner[mine]]
    others = np.flatnonzero(~mine)
    if len(others):
        place = np.full(records, NONE, dtype=np.int64)
        place[outside] = len(taken) + np.arange(len(outside))
        found = nearest(unit_rows(pool.store, column, others), base, threads, place[others], told=told)
        recalls.append(found.recall)
        near[others] = np.where(found.at >= 0, ordinal[found.at], NONE)
        similarity[others] = np.where(found.at >= 0, found.similarity, np.nan)
    return near, similarity, min((recall for recall in recalls if recall is not None), default=None)


def write_selection(path: Path, chosen: Chosen, found: Explained, document: Mapping[str, Any]) -> None:
    """Write `selection.parquet` by row groups, atomically; the document is kept in its metadata under `triptych`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    os.close(handle)
    draft = Path(name)
    told = json.dumps(document, ensure_ascii=False, allow_nan=False).encode()
    try:
        with pq.ParquetWriter(draft, SCHEMA.with_metadata({b"triptych": told}), compression="zstd") as writer:
            columns = _columns(chosen, found)
            for low in range(0, len(found.kept), GROUP):
                writer.write_table(_piece(chosen, found, columns, slice(low, low + GROUP)))
        draft.chmod(0o644)
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def _columns(chosen: Chosen, found: Explained) -> dict[str, NDArray[Any]]:
    """Columns of all records but the reason, as arrays."""
    pool = chosen.pool
    columns = {name: pool.store.whole(name).to_numpy() for name in ("source", "row", "part", "line")}
    columns["ordinal"] = np.arange(len(pool.store), dtype=np.int64)
    columns |= {name: getattr(found, name) for name in ("kept", "order", "added", "score", "threshold")}
    columns |= {"nearest": found.nearest, "similarity": found.similarity, "tokens": pool.tokens}
    for name in ("quality", "complexity"):
        columns[name] = pool.values.get(name, np.full(len(pool.store), np.nan))
    return columns


def _piece(chosen: Chosen, found: Explained, columns: Mapping[str, NDArray[Any]], part: slice) -> Any:
    arrays = []
    for field in SCHEMA:
        if field.name == "reason":
            arrays.append(pa.array(_words(chosen, found, part), type=pa.string()).dictionary_encode())
            continue
        values = columns[field.name][part]
        absent = None
        if field.nullable:
            absent = np.isnan(values) if values.dtype.kind == "f" else values < (1 if field.name == "order" else 0)
        arrays.append(pa.array(values, type=field.type, mask=absent))
    return pa.Table.from_arrays(arrays, schema=SCHEMA)


def _words(chosen: Chosen, found: Explained, part: slice) -> list[str]:
    """The reason of each record of a stretch in words."""
    choice = chosen.choice
    out = []
    columns = (found.kept, found.reason, found.order, found.added, found.score, found.threshold, found.similarity)
    for kept, reason, order, added, score, threshold, close in zip(
        *(column[part].tolist() for column in columns), strict=True
    ):
        if reason != NONE:
            why = found.reasons[reason]
            if not kept and why.startswith("ranked lower"):
                why = f"{why}: {_figure(score)}, the last one taken had {_figure(threshold)}"
            elif why == SPENT and close == close:  # noqa: PLR0124 - NaN is not itself
                why = f"{why}; similarity {close:.2f} to the nearest that is kept"
            out.append(why)
        elif choice.gained and added == added:  # noqa: PLR0124 - NaN is not itself
            same = choice.gained == choice.scored
            told = f"{choice.gained} {_figure(added)}" if same else f"added {_figure(added)} {choice.gained}"
            out.append(f"taken {ordinal_word(order)}: {told}")
        elif choice.scored and score == score:  # noqa: PLR0124
            out.append(f"taken {ordinal_word(order)}: {choice.scored} {_figure(score)}")
        else:
            out.append(f"taken {ordinal_word(order)}")
    return out


def _figure(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def ordinal_word(number: int) -> str:
    """As 1st, 2nd, 3rd, 11th."""
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number:,}{ending}"
