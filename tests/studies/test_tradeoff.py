"""Quality against diversity in what a model writes: planted trade-offs are found, failures are told, nothing is made up."""

from __future__ import annotations

import json
import math
import os
from collections import Counter
from dataclasses import dataclass, replace
from itertools import combinations
from typing import ClassVar

import numpy as np
import pytest

from triptych.core.errors import TriptychError, UsageError
from triptych.core.rng import stream
from triptych.core.spec import Spec, params_of
from triptych.engines.local import LocalEngine
from triptych.engines.progress import Progress
from triptych.statistics.rarefied import effective
from triptych.studies.findings.build import write_design
from triptych.studies.findings.presets import PRESETS
from triptych.studies.findings.tradeoff import Writing, likelier_half, tradeoff
from triptych.studies.findings.writing import MARK, Pile, likelihoods, parted, whole, write
from triptych.studies.folder import read_design
from triptych.studies.trainers.trainer import Cost, Model, ModelTrainer, Outcome, Trainer
from triptych.worlds.draw import Draw
from triptych.worlds.programs import Programs
from triptych.worlds.registry import load_world

WORLD = Programs()
TEMPERATURES = (0.5, 1.0, 1.5)


@dataclass(frozen=True)
class Scripted(Model):
    """Writes programs: at temperature t, `skills[t]` of them, `right[t]` in 100 right; the last 5 of 100 are no tasks."""

    trainer: Planted
    block: int

    def generate(self, prompts, *, temperature=0.0, max_tokens=None, seed=0, min_p=0.0):
        assert set(prompts) == {""}
        place = TEMPERATURES.index(temperature)
        many = self.trainer.skills[place]
        right = self.trainer.right[place] + self.block
        out = []
        for i in range(len(prompts)):
            draw = Draw("written", seed, i)
            task = WORLD.task(draw.pick(WORLD.skills[8 : 8 + many]), draw)
            answer = task.answer if i % 100 < right else WORLD.spoiled(task, "random_step", draw)
            prompt = WORLD.worded(task, 0, draw) if i % 100 < 95 else "what ?"
            out.append(f"{prompt} {MARK} {answer}")
        return out

    def log_likelihood(self, examples):
        """Likelier the earlier its first skill stands among all: knows nothing of what is right."""
        names = [skill.name for skill in WORLD.skills]
        told = []
        for example in examples:
            task = WORLD.parse(parted(example.response)[0])
            told.append((-1000.0 if task is None else -names.index(task.skill.name), 2.0))
        return np.array(told)

    def save(self, folder):
        raise NotImplementedError


@dataclass(frozen=True)
class Planted(ModelTrainer):
    """Gives scripted models; fails on one block, or dies on it."""

    name: ClassVar[str] = "planted"

    skills: tuple[int, ...] = (4, 16, 48)
    right: tuple[int, ...] = (80, 60, 40)
    raises: str = ""
    dies: str = ""

    @property
    def spec(self):
        return Spec("planted", params_of(self))

    def train(self, data, seed, start=None):
        assert all(example.prompt == "" and f" {MARK} " in example.response for example in data)
        block = next(b for b in range(9) if int(stream("tradeoff", str(b), "train").integers(2**31)) == seed)
        if str(block) == self.raises:
            raise TriptychError("the loss is not finite")
        if str(block) == self.dies:
            os._exit(9)
        return Scripted(self, block), Cost(0.1), {}

    def load(self, folder):
        raise NotImplementedError


@dataclass(frozen=True)
class NoModel(Trainer):
    """A trainer that only gives scores."""

    name: ClassVar[str] = "no-model"

    @property
    def spec(self):
        return Spec("no-model", {})

    def run(self, data, panels, seed):
        return Outcome({}, Cost(0.0))


PRESET = replace(PRESETS["programs"], records=120, items=2, designs=("records",))


@pytest.fixture(scope="module")
def design(tmp_path_factory):
    return read_design(write_design(tmp_path_factory.mktemp("design"), PRESET, 4))


def weighed(design, trainer, world="programs", **writing):
    writing = {"temperatures": TEMPERATURES, "records": 400} | writing
    with LocalEngine(2) as engine:
        found = tradeoff(design, world, trainer, engine, Progress(), Writing(**writing))
    return json.loads(json.dumps(found, allow_nan=False))


def test_a_record_is_one_text_and_comes_apart_again():
    for row in WORLD.data(PRESET.dials({"Q": -1.0, "D": 0.0, "C": 0.0}), 50, "0", 0):
        example = whole(row["prompt"], row["response"])
        assert example.prompt == ""
        assert parted(example.response) == (row["prompt"], row["response"])
    assert parted("no mark") == ("no mark", "")
    assert parted(f"a {MARK}") == ("a", "")
    assert parted(f"a {MARK} b {MARK} c") == ("a", f"b {MARK} c")


def test_effective_number_at_equal_n():
    assert effective(Counter(a=2, b=1), 2) == pytest.approx(math.exp(2 / 3 * math.log(2)))
    counts = Counter(a=4, b=3, c=1, d=1)
    records = list(counts.elements())
    for n in range(1, len(records) + 1):
        entropies = []
        for drawn in combinations(records, n):
            shares = [k / n for k in Counter(drawn).values()]
            entropies.append(-sum(share * math.log(share) for share in shares))
        assert effective(counts, n) == pytest.approx(math.exp(np.mean(entropies)))
    assert effective(Counter({str(i): 250 for i in range(48)}), 12_000) == pytest.approx(48)
    for n in (0, 10):
        with pytest.raises(ValueError, match="of 9 records"):
            effective(counts, n)


def test_a_pile_counts_what_is_a_task_and_what_is_right():
    records = [
        ("reverse : 1 2 3 4 =", "4 3 2 1"),
        ("flip : 1 2 3 4 =", "4 3 2 1"),
        ("reverse : 1 2 3 4 =", "4 3 2 2"),
        ("sort : 1 2 3 4 =", ""),
        ("reverse 1 2 3 4 =", "4 3 2 1"),
    ]
    pile = Pile.of(WORLD, records)
    assert (pile.read, pile.right) == ({"reverse": 3, "sort": 1}, {"reverse": 2})
    assert (pile.valid, pile.quality) == (0.8, 0.4)


def test_a_planted_trade_off_is_found(design):
    found = weighed(design, Planted())
    assert (found["undefined"], found["failed"], found["blocks"]) == (None, [], 4)
    points = found["points"]
    # Block b has b right answers in 100 more, of 95 that are tasks; their mean is 1.5.
    assert [point["quality"] for point in points] == pytest.approx([0.815, 0.615, 0.415])
    half = 3.182446 * np.std([0, 1, 2, 3], ddof=1) / 2 / 100
    assert points[0]["quality_hi"] - points[0]["quality"] == pytest.approx(half, rel=1e-5)
    assert [point["valid"] for point in points] == pytest.approx([0.95] * 3)
    assert points[0]["valid_lo"] is None, "every block has the same share: no interval"
    assert found["at"]["diversity"] == 380
    for point, skills in zip(points, (4, 16, 48), strict=True):
        assert skills * 0.9 < point["diversity"] <= skills
        assert point["diversity_lo"] < point["diversity"] < point["diversity_hi"]
    slope = found["slope"]
    assert slope["verdict"] == "trade off"
    through_means = np.polyfit(np.log2([point["diversity"] for point in points]), [0.815, 0.615, 0.415], 1)[0]
    assert slope["estimate"] == pytest.approx(through_means, rel=0.01)
    assert slope["lo"] < through_means < slope["hi"] < 0
    assert found["data"]["quality"] == 0.75


@pytest.mark.parametrize(
    ("right", "verdict"), [((40, 60, 80), "go together"), ((60, 60, 60), "cannot tell"), ((80, 10, 80), "cannot tell")]
)
def test_what_was_not_planted_is_not_found(design, right, verdict):
    found = weighed(design, Planted(skills=(6, 6, 6) if right == (80, 10, 80) else (4, 16, 48), right=right))
    assert found["slope"]["verdict"] == verdict


def test_selection_keeps_the_likelier_half(design):
    found = weighed(design, Planted(skills=(4, 4, 40), right=(50, 50, 50)), selected_at=1.5)
    for which in ("selection", "selection_any_length"):
        one = found[which]
        assert one["temperature"] == 1.5
        assert 0.35 < one["diversity"]["estimate"] < 0.65, "half of 40 evenly used skills; a random half has all"
        assert one["diversity"]["hi"] < 1
    # Blind to what is right, but the likelier half of all holds none of the 5 in 100 that are no tasks.
    assert abs(found["selection_any_length"]["quality"]["estimate"] - 0.515 * 0.05 / 0.95) < 0.06


def test_the_likelier_half_is_of_each_group():
    told = [-1.0, -2.0, -3.0, -4.0, -10.0, -20.0, -30.0, -40.0]
    assert likelier_half(told, [0] * 8) == [0, 1, 2, 3]
    assert likelier_half(told, [1] * 4 + [2] * 4) == [0, 1, 4, 5]
    assert likelier_half(told[::-1], [1, 2] * 4) == [4, 5, 6, 7]
    assert likelier_half([0.0] * 5, [3] * 5) == [3, 4]


def test_a_failed_block_is_told_and_the_others_go_on(design):
    found = weighed(design, Planted(raises="1"))
    assert found["failed"] == [{"block": "1", "error": "the loss is not finite"}]
    assert found["blocks"] == 3
    assert found["undefined"] is None
    assert found["points"][0]["quality"] == pytest.approx(0.80 + (0 + 2 + 3) / 3 / 100)
    found = weighed(design, Planted(raises="1", dies="2"))
    assert "ended before its job was done" in found["failed"][1]["error"]
    assert found["undefined"] == "blocks that were finished: 2; fewer than 3 do not tell how blocks differ"
    assert "points" not in found


def test_what_cannot_be_done_has_a_reason(design):
    two = replace(design, arms=tuple(arm for arm in design.arms if arm.block in {"0", "1"}))
    assert "arm at the centre: 2" in weighed(two, Planted(raises="0"))["undefined"]
    assert weighed(design, NoModel())["undefined"] == "the trainer no-model gives no model that could write"
    assert "rewriting can read no prompt" in weighed(design, Planted(), world="rewriting")["undefined"]
    assert load_world("procedural").parse("reverse : 1 2 3 4 =") is None
    with pytest.raises(UsageError, match="nothing is written at this temperature"):
        Writing(selected_at=2.0)


def test_too_few_tasks_give_no_diversity(design):
    found = weighed(design, Planted(), least=390)
    assert all(point["diversity"] is None and "fewer than 390" in point["undefined"] for point in found["points"])
    assert found["slope"]["estimate"] is None
    assert found["slope"]["undefined"] == "temperatures with a diversity: 0; a slope takes 3"
    assert found["selection"]["verdict"] == "cannot tell"
    assert [point["quality"] for point in found["points"]] == pytest.approx([0.815, 0.615, 0.415])


def test_a_tiny_model_writes(design):
    pytest.importorskip("torch", reason="the tiny trainer needs torch")
    from triptych.studies.trainers.tiny import Tiny

    rows = WORLD.data(PRESET.dials({"Q": 1.0, "D": -1.0, "C": -1.0}), 400, "0", 0)
    data = [whole(row["prompt"], row["response"]) for row in rows]
    trainer = Tiny(steps=120, batch=32, width=32, device="cpu").prepare(each.response for each in data)
    model, _, _ = trainer.train(data, 0)
    cold, again, hot = (write(model, 100, temperature, 0) for temperature in (0.4, 0.4, 2.0))
    assert cold == again
    piles = [Pile.of(WORLD, each) for each in (cold, hot)]
    assert piles[0].valid > 0.8, "120 steps teach what a prompt looks like"
    assert piles[0].valid > piles[1].valid
    assert np.mean(likelihoods(model, cold)) > np.mean(likelihoods(model, hot))
    three = replace(design, arms=tuple(arm for arm in design.arms if arm.block != "3"))
    found = weighed(three, Tiny(steps=20, batch=16, width=32, device="cpu"), least=5, records=50)
    assert (found["blocks"], found["failed"]) == (3, [])
    assert all(0 <= point["quality"] <= point["valid"] <= 1 for point in found["points"])
