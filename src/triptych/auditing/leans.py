"""What the scores lean on that is no merit: length, position, the order of the file, the order of the responses."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from triptych.auditing.columns import Column
from triptych.auditing.frame import Frame, Pairs
from triptych.auditing.intervals import Number, Sample, mean_of
from triptych.auditing.numbers import partial, spearman
from triptych.auditing.scored import VERDICT, Scored

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

RANK = "rank correlation"


def leans(one: Scored, gold: Column | None, position: Column | None) -> list[Number]:
    """Correlations of the scores with what should not move them, then what pairs show."""
    out = [] if one.kind == VERDICT else _correlations(one, gold, position)
    if one.kind == VERDICT:
        along = np.arange(len(one.column.values), dtype=np.float64)
        out.append(_rank(one, ("drift", "follows the place in the file", RANK), along))
        if position is not None:
            out.append(_rank(one, ("position", f"follows {position.name}", RANK), position.values[one.places]))
    return [*out, *(_pairs(one, one.frame.pairs, gold) if one.frame.pairs is not None else [])]


def _correlations(one: Scored, gold: Column | None, position: Column | None) -> list[Number]:
    frame = one.frame
    out = []
    has_length = not np.isnan(one.length).all()
    if has_length:
        out.append(_rank(one, ("length", "follows the length of the response", RANK), one.length))
    if not np.isnan(frame.prompt_length).all():
        out.append(_rank(one, ("prompt_length", "follows the length of the prompt", RANK), frame.prompt_length))
    if has_length and len(out) > 1:
        name = ("length_given_prompt", "follows the length of the response, that of the prompt held equal", RANK)
        out.append(_partial(one, name, one.length, frame.prompt_length))
    if has_length and gold is not None:
        name = ("length_given_gold", "follows the length of the response, gold held equal", RANK)
        out.append(_partial(one, name, one.length, gold.values))
    if position is not None:
        out.append(_rank(one, ("position", f"follows {position.name}", RANK), position.values))
    along = np.arange(len(frame), dtype=np.float64)
    return [*out, _rank(one, ("drift", "follows the place in the file", RANK), along)]


def _rank(one: Scored, name: tuple[str, str, str], other: Floats) -> Number:
    values = one.column.values
    there = ~np.isnan(values) & ~np.isnan(other)
    x, y = values[there], other[there]
    return one.sample.at(there).number(name, lambda rows: spearman(x[rows], y[rows]), "correlation")


def _partial(one: Scored, name: tuple[str, str, str], other: Floats, held: Floats) -> Number:
    values = one.column.values
    there = ~np.isnan(values) & ~np.isnan(other) & ~np.isnan(held)
    x, y, z = values[there], other[there], held[there]
    return one.sample.at(there).number(name, lambda rows: partial(x[rows], y[rows], z[rows]), "correlation")


def _pairs(one: Scored, pairs: Pairs, gold: Column | None) -> list[Number]:
    """First response preferred, longer response preferred, another winner in the other order."""
    won, sample = one.won(pairs), _of_pairs(one, pairs)
    out = []
    there = ~np.isnan(won)
    if pairs.ordered:
        name = ("first", "the first response of a pair wins", "ratio")
        out.append(sample.at(there).number(name, mean_of(won[there]), "share").noted("a tie counts half"))
    if pairs.ordered and gold is not None:
        better = (1 + np.sign(gold.values[pairs.first] - gold.values[pairs.second])) / 2
        both = there & ~np.isnan(better)
        name = ("first_excess", "the first response wins more often than by gold", "difference")
        out.append(sample.at(both).number(name, mean_of((won - better)[both])))
    longer = one.length[pairs.first] - one.length[pairs.second]
    usable = ~np.isnan(won) & ~np.isnan(longer) & (longer != 0)
    if usable.any():
        by_length = np.where(longer > 0, won, 1 - won)[usable]
        name = ("longer", "the longer response of a pair wins", "ratio")
        out.append(sample.at(usable).number(name, mean_of(by_length), "share").noted("a tie counts half"))
    return [*out, *_flips(one, pairs, won)]


def _of_pairs(one: Scored, pairs: Pairs) -> Sample:
    return Sample(one.frame.group[pairs.first], one.frame.cluster[pairs.first])


def _flips(one: Scored, pairs: Pairs, won: Floats) -> list[Number]:
    """Pairs that were judged in both orders: how often the winner is another one."""
    if one.swapped is not None:
        other = 1 - one.swapped.values
        both = ~np.isnan(won) & ~np.isnan(other)
        flipped, sample = (won != other)[both].astype(np.float64), _of_pairs(one, pairs).at(both)
    elif not pairs.ordered:
        return []
    else:
        a, b = both_orders(one.frame, pairs)
        there = ~np.isnan(won[a]) & ~np.isnan(won[b])
        a, b = a[there], b[there]
        flipped, sample = (won[a] != 1 - won[b]).astype(np.float64), _of_pairs(one, pairs).at(a)
    if not len(flipped):
        return []
    name = ("flips", "another winner when the order is turned round", "ratio")
    return [sample.number(name, mean_of(flipped), "share").noted("a tie in one order only is a flip")]


def both_orders(frame: Frame, pairs: Pairs) -> tuple[Ints, Ints]:
    """Places of pairs, and of pairs with the same prompt and the same two responses in the other order.

    Each pair is taken once, with the first that is its turn.
    """
    held: dict[tuple[int, int, int], int] = {}
    found = []
    for at, (i, j) in enumerate(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True)):
        prompt, a, b = int(frame.prompt[i]), int(frame.response[i]), int(frame.response[j])
        if a in (0, b) or b == 0:
            continue
        turned = held.pop((prompt, b, a), None)
        if turned is None:
            held.setdefault((prompt, a, b), at)
        else:
            found.append((turned, at))
    table = np.array(found, dtype=np.intp).reshape(-1, 2)
    return table[:, 0], table[:, 1]
