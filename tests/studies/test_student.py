"""Complexity relative to a student: solve rates and surprisals, on models whose probabilities are known, and on `tiny`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest

from triptych.core.errors import ReadError, SchemaError, SpecError, UsageError
from triptych.core.rng import stream
from triptych.core.spec import Spec
from triptych.studies.panels import Exact, Grader, LogLikelihood, ScoredPanel, UserVerifier, WorldVerifier
from triptych.studies.student import CHUNK, Sampling, graded, right, sampled, solve_rates, surprisal
from triptych.studies.trainers.trainer import Cost, Example, Model, ModelTrainer


class Knowing(Model):
    """Says the prompt's answer with the probability that the prompt names, else "no"; counts what it is asked."""

    def __init__(self):
        self.asked = []

    def generate(self, prompts, *, temperature=0.0, max_tokens=None, seed=0, min_p=0.0):
        self.asked.append((len(prompts), temperature, seed))
        draws = stream("knowing", seed).random(len(prompts))
        return ["yes" if draw < float(prompt) else "no" for prompt, draw in zip(prompts, draws, strict=True)]

    def log_likelihood(self, examples):
        """Each word of a response costs log 2; an empty one would cost nothing."""
        words = np.array([len(item.response.split()) for item in examples])
        return np.stack([-math.log(2) * words, words], axis=1)

    def save(self, folder):
        raise OSError(folder)


def asking(*chances):
    return [Example(str(chance), "yes") for chance in chances]


def test_rates_are_those_of_the_model():
    rates = solve_rates(Knowing(), asking(*[0.0] * 40, *[0.3] * 40, *[1.0] * 40), Exact(), samples=50)
    assert (rates[:40] == 0).all()
    assert (rates[80:] == 1).all()
    se = math.sqrt(0.3 * 0.7 / 50)
    assert abs(rates[40:80].mean() - 0.3) < 4 * se / math.sqrt(40)
    assert 0.6 * se < rates[40:80].std(ddof=1) < 1.5 * se  # samples and prompts are drawn independently
    assert set(np.round(rates * 50, 9) % 1) == {0.0}


def test_the_same_seed_gives_the_same_rates_and_another_gives_others():
    examples = asking(*np.linspace(0.2, 0.8, 30).round(2))
    first, again, other = (solve_rates(Knowing(), examples, Exact(), seed=seed) for seed in (0, 0, 1))
    assert (first == again).all()
    assert (first != other).any()


def test_prompts_go_in_chunks_each_with_draws_of_its_own():
    model, told = Knowing(), []
    said = list(sampled(model, ["0.5"] * (CHUNK + 9), Sampling(3), SimpleNamespace(advance=told.append)))
    assert [(n, t) for n, t, _ in model.asked] == [(CHUNK, 0.8), (9, 0.8)] * 3
    assert len({seed for *_, seed in model.asked}) == 6
    assert sum(told) == 3 * (CHUNK + 9)
    assert [len(row) for row in said] == [CHUNK + 9] * 3
    assert said[0] != said[1]


@dataclass(frozen=True)
class Table(Grader):
    """Grades by what was said; NaN where the table has nothing."""

    @property
    def text(self):
        return "table"

    def grade(self, examples, responses):
        scores = np.array([{"yes": 1.0, "half": 0.5, "beyond": 2.0}.get(said, np.nan) for said in responses])
        return scores, {"first_missing": "item 1: what?"} if np.isnan(scores).any() else {}


def test_right_is_a_full_score_and_ungraded_is_never_wrong():
    said = [["yes", "half", "?", "beyond"], ["half", "half", "?", "?"], ["yes", "half", "?", "yes"]]
    scores, first = graded(asking(1, 1, 1, 1), said, Table())
    assert scores.shape == (4, 3)
    assert first == "item 1: what?"
    rates = right(scores)
    assert rates[:2].tolist() == [2 / 3, 0]
    assert np.isnan(rates[2])
    assert rates[3] == 1


def test_surprisal_is_a_mean_per_token_and_needs_a_reference():
    examples = [Example("p", "one two three"), Example("p", " "), Example("p", "one")] * CHUNK
    told = []
    found = surprisal(Knowing(), examples, SimpleNamespace(advance=told.append))
    assert np.isnan(found[1::3]).all()
    np.testing.assert_allclose(np.delete(found, np.s_[1::3]), math.log(2))
    assert sum(told) == len(examples)
    assert np.isnan(surprisal(Knowing(), [Example("p", "")])).all()


def test_a_grader_scores_a_model_on_its_greedy_responses():
    model = Knowing()
    panel = ScoredPanel("id", tuple(asking(0.0, 1.0)))
    assert panel.score(model, 3).tolist() == [0, 1]
    assert [(n, t) for n, t, _ in model.asked] == [(2, 0.0)]
    assert Exact().grade(panel.examples, [" yes\n", "no"])[0].tolist() == [1, 0]
    assert not isinstance(LogLikelihood(), Grader)


def test_examples_without_what_the_scorer_reads():
    with pytest.raises(SchemaError, match="the data: item 2 has no reference, which exact compares with"):
        solve_rates(Knowing(), [*asking(1), Example("p", "")], Exact())
    with pytest.raises(SchemaError, match="the data: item 1 names no world"):
        solve_rates(Knowing(), asking(1), WorldVerifier())


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"samples": 0}, "1 or more"),
        ({"temperature": -1.0}, "0 or more"),
        ({"temperature": math.inf}, "0 or more"),
        ({"temperature": 0.0}, "all samples are the same"),
    ],
)
def test_sampling_that_is_none(given, says):
    with pytest.raises(SpecError, match=says):
        Sampling(**given)
    assert Sampling(samples=1, temperature=0.0).temperature == 0


def test_a_verifier_of_the_users_grades_every_sample(tmp_path, monkeypatch):
    (tmp_path / "yes_checks.py").write_text("def check(row, response):\n    return response == row['want']\n")
    monkeypatch.chdir(tmp_path)
    examples = [Example("1.0", "", {"want": "yes"}), Example("1.0", "", {"want": "no"})]
    assert solve_rates(Knowing(), examples, UserVerifier("yes_checks:check")).tolist() == [1, 0]


class Scratch(ModelTrainer):
    name = "scratch"

    @property
    def spec(self):
        return Spec("scratch", {})

    def train(self, data, seed, start=None):
        return Knowing(), Cost(0.0), {}

    def load(self, folder):
        return Knowing()


def test_a_trainer_without_a_model_before_training():
    with pytest.raises(UsageError, match="the trainer scratch has no model before training"):
        Scratch().base()


def programs(n, seed=0):
    """Records of depth 1 of the world of programs."""
    from triptych.worlds.writing import Recipe, make

    made = make(Recipe.of("programs", records=n, seed=seed, depths={1: 1.0}, skills=8, forms=1, panels=0))
    return [Example(row["prompt"], row["response"], row) for row in made.rows]


@pytest.fixture(scope="module")
def student(tmp_path_factory):
    """Folder of a tiny model that was trained for a few steps, and the data."""
    pytest.importorskip("torch", reason="the tiny trainer needs triptych[torch]")
    from triptych.studies.trainers.tiny import Tiny

    data = programs(600)
    trainer = Tiny(width=32, steps=250, device="cpu").prepare(t for item in data for t in (item.prompt, item.response))
    folder = tmp_path_factory.mktemp("student")
    trainer.train(data, 0)[0].save(folder)
    return folder, data


def test_tiny_as_a_student(student):
    from triptych.studies.trainers.tiny import Tiny

    folder, data = student
    untrained = Tiny(width=32, steps=1, device="cpu").prepare(t for item in data for t in (item.prompt, item.response))
    model, fresh = Tiny(start=str(folder), device="cpu").base(), untrained.train(data[:1], 0)[0]
    some = data[:80]
    rates = solve_rates(model, some, WorldVerifier())
    assert ((rates >= 0) & (rates <= 1)).all()
    assert len(set(rates)) > 2
    assert rates.mean() > solve_rates(fresh, some, WorldVerifier()).mean() + 0.1
    costs = surprisal(model, some)
    assert costs.mean() < surprisal(fresh, some).mean() / 2
    assert np.corrcoef(rates, costs)[0, 1] < -0.2  # what is likely is solved
    found = model.log_likelihood(some)
    np.testing.assert_allclose(costs, -found[:, 0] / found[:, 1], rtol=1e-4)


def test_tiny_goes_on_from_a_saved_model(student, tmp_path):
    from triptych.studies.trainers.registry import parse_trainer
    from triptych.studies.trainers.tiny import Tiny

    folder, data = student
    texts = [text for item in data for text in (item.prompt, item.response)]
    begun = parse_trainer(f"tiny:start={folder},width=32,steps=1,learning_rate=1e-9,device=cpu").prepare(
        ["other words"]
    )
    base = begun.base()
    assert begun.vocabulary == base.vocabulary
    model, _, notes = begun.train([*data[:20], Example("unheard", "yes")], 0)
    np.testing.assert_allclose(model.flat.numpy(), base.flat.numpy(), atol=1e-6)
    assert notes["unknown"] >= 1

    moved = tmp_path / "elsewhere"
    base.save(moved)
    same = Tiny(start=str(moved), width=32, steps=1, learning_rate=1e-9, device="cpu").prepare(texts)
    assert same.spec == begun.spec
    assert str(moved) not in same.spec.canonical
    model.save(moved)
    assert same.spec.hash != begun.spec.hash
    assert "start" not in Tiny().spec.params
    with pytest.raises(UsageError, match="cannot go on from this model"):
        Tiny(start=str(folder), width=64, steps=1, device="cpu").prepare(texts).train(data[:9], 0)
    with pytest.raises(UsageError, match=r"starts from scratch[^$]*try:  tiny:start=FOLDER"):
        Tiny().base()
    gone = Tiny(start=str(tmp_path / "gone"))
    for read in (gone.base, lambda: gone.spec, lambda: gone.prepare(texts)):
        with pytest.raises(ReadError, match="no tiny model can be read"):
            read()
