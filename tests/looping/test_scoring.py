"""Scores of a round: pass@k against its definition, items without a score, the same items in every round."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pytest

from triptych.core.errors import TriptychError
from triptych.core.rng import stream
from triptych.guarding.panel import round_scores
from triptych.looping.scoring import Scoring, pass_at_k, score
from triptych.studies.panels import Exact, Grader, LogLikelihood, ScoredPanel
from triptych.studies.trainers.trainer import Example, Model


class Guesser(Model):
    """Greedy it answers even items; at a temperature it is right with the chance that the item's name says."""

    def generate(self, prompts, *, temperature=0.0, max_tokens=None, seed=0, min_p=0.0):
        draw = stream("guesser", seed)
        if temperature == 0:
            return ["yes" if int(prompt.split()[0]) % 2 == 0 else "no" for prompt in prompts]
        return ["yes" if draw.random() < float(prompt.split()[1]) else "no" for prompt in prompts]

    def log_likelihood(self, examples):
        return np.array([[-2.0, 4.0] for _ in examples])

    def save(self, folder):
        del folder


def panel(name, n, chance, scorer=None):
    return ScoredPanel(name, tuple(Example(f"{i} {chance}", "yes") for i in range(n)), scorer or Exact())


def naive(right, k):
    """Share of the ways to draw k of the samples that hold a right one."""
    ways = list(combinations(right, k))
    return sum(any(way) for way in ways) / len(ways)


@pytest.mark.parametrize("n", [1, 4, 7])
def test_pass_at_k_is_the_share_of_draws_with_a_right_one(n):
    for c in range(n + 1):
        for k in range(1, n + 1):
            assert pass_at_k(n, c, k) == pytest.approx(naive([i < c for i in range(n)], k), abs=1e-12)


def test_pass_at_k_worked_example():
    assert [pass_at_k(4, 1, k) for k in (1, 2, 4)] == [0.25, 0.5, 1.0]


def test_greedy_and_sampled_scores_stand_side_by_side():
    found = score(Guesser(), Scoring((panel("id", 200, 0.3), panel("hard", 100, 0.0)), (1, 4), 150, 7), 2, 0.7)
    assert found["round"] == 2
    one, hard = found["scores"]["id"], found["scores"]["hard"]
    assert (one["score"], one["n"], one["kind"]) == (0.5, 200, "id")
    assert one["lo"] < 0.5 < one["hi"]
    assert one["k"]["1"]["score"] == pytest.approx(0.3, abs=0.05)
    assert one["k"]["4"]["score"] == pytest.approx(1 - 0.7**4, abs=0.09)
    assert one["k"]["4"]["n"] == 150
    for k in ("1", "4"):
        assert one["k"][k]["lo"] < one["k"][k]["score"] < one["k"][k]["hi"]
    assert hard["kind"] == "ood"
    assert hard["k"]["4"]["score"] == 0.0


def test_the_guard_reads_what_is_written():
    document = score(Guesser(), Scoring((panel("id", 20, 0.5),), (1, 4), 10, 7), 0, 0.7)
    told = round_scores(document)
    assert told.scores["id"].value == 0.5
    assert told.scores["id@4"].value == document["scores"]["id"]["k"]["4"]["score"]
    assert told.kinds["id"] == "id"


def test_the_same_draws_give_the_same_scores():
    scoring = Scoring((panel("id", 50, 0.4),), (1, 8), 20, 1)
    assert score(Guesser(), scoring, 1, 0.7) == score(Guesser(), scoring, 1, 0.7)
    assert score(Guesser(), scoring, 1, 0.7) != score(Guesser(), scoring, 2, 0.7)


def test_no_sampling_where_none_is_asked_for():
    for scoring, temperature in (
        (Scoring((panel("id", 5, 1),), (), 5, 0), 0.7),
        (Scoring((panel("id", 5, 1),), (4,), 5, 0), 0),
    ):
        assert "k" not in score(Guesser(), scoring, 0, temperature)["scores"]["id"]


def test_a_likelihood_is_no_share():
    found = score(Guesser(), Scoring((panel("id", 5, 1, LogLikelihood()),), (1, 4), 5, 0), 0, 0.7)["scores"]["id"]
    assert found["score"] == -0.5
    assert found["lo"] == found["hi"] == -0.5
    assert "k" not in found


@dataclass(frozen=True)
class Sometimes(Grader):
    """Fails on items whose number is below `fails`; half right elsewhere for "no"."""

    fails: int

    @property
    def text(self):
        return "sometimes"

    def grade(self, examples, responses):
        scores = [
            np.nan if int(item.prompt.split()[0]) < self.fails else 1.0 if said == "yes" else 0.5
            for item, said in zip(examples, responses, strict=True)
        ]
        missing = int(np.isnan(scores).sum())
        return np.array(scores), {"missing": missing} if missing else {}


def test_items_without_a_score_are_left_out_and_counted():
    found = score(Guesser(), Scoring((panel("id", 10, 0.5, Sometimes(4)),), (1, 2), 10, 0), 0, 0.7)["scores"]["id"]
    assert found["n"] == 6
    assert found["score"] == 0.5  # half a right answer is none
    assert found["grade"] == 0.75
    assert found["notes"] == {"missing": 4}
    assert found["k"]["2"]["n"] == 6


def test_no_score_at_all_is_an_error_and_no_number():
    with pytest.raises(TriptychError, match="gave no score for any"):
        score(Guesser(), Scoring((panel("id", 3, 0.5, Sometimes(9)),), (), 3, 0), 0, 0.7)
