"""Whether selection itself narrows, read within a round."""

from __future__ import annotations

import math

import numpy as np
import pytest

from triptych.core.rng import stream
from triptych.guarding.ledger import Entry, Reading
from triptych.guarding.selection import selection
from triptych.guarding.states import JudgeOptions
from triptych.guarding.tracks import SIDE

OPTIONS = JudgeOptions()
ERROR = 0.03


def entry(written, chosen, name="structures", error=ERROR):
    """A round with these readings; None: not read."""
    told = [{} if value is None else {name: Reading(value, value * error, n=400)} for value in (written, chosen)]
    return Entry(0, "round", 2000, 1500, generated=told[0], selected=told[1])


def log(*rounds, **more):
    found = selection([entry(*one, **more) for one in rounds], OPTIONS)
    return None if found is None else found.log


def test_a_narrowing_selection_is_seen_in_the_first_round():
    found = selection([entry(58.0, 39.0)], OPTIONS)
    assert found is not None
    assert found.log > OPTIONS.alarm
    assert (found.role, found.before, found.now, found.first) == ("selection", 58.0, 39.0, 0)
    assert found.fall == pytest.approx(math.log(58 / 39))
    assert log((58.0, 57.0)) < 0
    assert log((58.0, 39.0), name="correct_structures") == found.log


def test_both_comparisons_must_speak_for_it():
    alone = log((58.0, 57.0), (58.0, 35.0))
    assert alone > OPTIONS.alarm
    assert log((58.0, 57.0), (120.0, 72.0)) < 0  # narrower than what is written, wider than the loop began
    assert log((58.0, 57.0), (36.0, 35.0)) < 0  # all of what is written


def test_later_rounds_have_less_of_the_error():
    whole = (58.0, 57.0)
    first, later = log((58.0, 36.0)), log(whole, whole, (58.0, 36.0))
    assert first - later >= math.log(6)  # shares of 1/2 and 1/12, and noise between rounds


def test_what_is_not_read_says_nothing():
    assert log((None, 40.0)) is None
    assert log((58.0, None)) is None
    assert log((58.0, 40.0), error=0.0) is None
    assert log((None, None), (58.0, 39.0)) > OPTIONS.alarm


def test_the_mean_of_the_evidence_is_at_most_its_share_at_the_bound():
    """What the union bound rests on: at nine tenths kept the e-value of a round has mean 1, times its share of the error."""
    draw = stream("test-selection", "bound", 0)
    noise = draw.normal(0, ERROR, (3000, 2))
    values = [log((58 * math.exp(a), 0.9 * 58 * math.exp(b))) for a, b in noise]
    found = np.exp(values)
    assert found.mean() <= SIDE / 2 * (1 + 4 * found.std() / found.mean() / math.sqrt(len(found)))
    assert np.mean(np.array(values) >= OPTIONS.alarm) <= 0.05 * SIDE / 2 + 0.005
