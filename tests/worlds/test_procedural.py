"""The procedural world: items of reasoning-gym, made again from a row and judged by its own verifiers."""

from __future__ import annotations

import math
import re
import subprocess
import sys
import time
from collections import Counter

import pytest

from triptych.core.errors import LawError, MissingExtraError
from triptych.worlds import procedural
from triptych.worlds.draw import Draw
from triptych.worlds.procedural import Procedural
from triptych.worlds.procedural_tasks import TASKS
from triptych.worlds.world import Dials

WORLD = Procedural()
GCD = next(skill for skill in WORLD.skills if skill.name == "gcd/0")


@pytest.fixture(scope="module")
def gym():
    return pytest.importorskip("reasoning_gym", reason="needs the extra procedural")


def test_skills_are_many_and_need_no_package():
    depths = Counter(skill.depth for skill in WORLD.skills)
    assert len(WORLD.skills) == len({skill.name for skill in WORLD.skills}) >= 200
    assert set(depths) == {1, 2, 3, 4}
    assert min(depths.values()) >= 30
    assert all(settings[0] == "0" for settings in TASKS.values())
    assert (WORLD.forms, WORLD.held_forms) == (30, 6)


def test_a_missing_package_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "reasoning_gym", None)
    monkeypatch.setitem(sys.modules, "reasoning_gym.factory", None)
    monkeypatch.setitem(sys.modules, "reasoning_gym.coaching.base_curriculum", None)
    procedural._source.cache_clear()
    with pytest.raises(MissingExtraError, match=r"triptych\[procedural\]"):
        WORLD.data(Dials(), 3, "0", 0)
    with pytest.raises(MissingExtraError, match=r"triptych\[procedural\]"):
        WORLD.grade({"skeleton": "gcd/0", "item": 1}, "1")
    procedural._source.cache_clear()


def test_greatest_common_divisors_are_right(gym):
    for turn in range(30):
        task = WORLD.task(GCD, Draw("test", turn))
        numbers = [int(number) for number in re.findall(r"\d+", task.facts.question)]
        assert task.answer == str(math.gcd(*numbers))


def test_a_level_is_a_setting_of_the_curriculum(gym):
    from reasoning_gym.factory import create_curriculum

    curriculum = create_curriculum("gcd")
    values = curriculum.attributes["value"].levels
    hard, easy = procedural._source("gcd/2-value").config, procedural._source("gcd/0").config
    assert (hard.min_value, hard.max_value) == (values[2], values[3])
    assert (easy.min_value, easy.max_value) == (values[0], values[1])
    assert (hard.min_numbers, hard.max_numbers) == (easy.min_numbers, easy.max_numbers)


@pytest.fixture(scope="module")
def tasks(gym):
    return [WORLD.task(skill, Draw("test", skill.name)) for skill in WORLD.skills]


def test_every_skill_gives_tasks_whose_answer_its_verifier_calls_right(tasks):
    for task in tasks:
        row = {"skeleton": task.skill.name, "item": task.facts.number}
        assert WORLD.grade(row, task.answer) == 1
        assert WORLD.grade(row, "") < 1
        assert len(task.facts.question) <= 2700
        assert task.answer.strip()


@pytest.mark.parametrize("error", WORLD.errors)
def test_errors_are_really_wrong(tasks, error):
    for task in tasks:
        wrong = WORLD.spoiled(task, error, Draw("test", error, task.skill.name))
        assert WORLD.grade({"skeleton": task.skill.name, "item": task.facts.number}, wrong) < 1
        assert wrong.strip()
        if error == "slip":
            assert sum(one != other for one, other in zip(task.answer, wrong, strict=True)) == 1
        elif error == "truncated":
            assert task.answer.startswith(wrong) or wrong == "The answer is"


def test_rows_can_be_made_and_judged_again(gym):
    rows = WORLD.data(Dials(quality=0.7, skills=500), 300, "0", 0)
    assert sum(row["correct"] for row in rows) == 210
    assert Counter(row["error"] for row in rows if not row["correct"]) == dict.fromkeys(WORLD.errors, 30)
    for row in rows:
        assert WORLD.grade(row, row["answer"]) == 1
        assert (WORLD.grade(row, row["response"]) == 1) == row["correct"]
        assert procedural._entry(row["skeleton"], row["item"])["question"] in row["prompt"]


def test_an_item_does_not_depend_on_the_items_made_before_it(gym):
    long = next(skill for skill in WORLD.skills if skill.name == "decimal_chain_sum/3-decimal_places")
    before = [WORLD.task(long, Draw("test", turn)).answer for turn in range(20)]
    short = next(skill for skill in WORLD.skills if skill.name == "decimal_arithmetic/0")
    WORLD.task(short, Draw("test"))  # the package sets the precision of decimals to 5 here
    assert [WORLD.task(long, Draw("test", turn)).answer for turn in range(20)] == before
    assert max(map(len, before)) > 7


def test_data_is_quick_and_the_same_each_time(gym):
    WORLD.data(Dials(skills=500), 300, "0", 0)  # reads the package's word lists
    started = time.perf_counter()
    one = WORLD.data(Dials(quality=0.7, skills=500), 1000, "0", 0)
    assert time.perf_counter() - started < 6  # 1.4 s on two loaded cores
    assert one == WORLD.data(Dials(quality=0.7, skills=500), 1000, "0", 0)
    assert one != WORLD.data(Dials(quality=0.7, skills=500), 1000, "0", 1)
    assert len({row["prompt"] for row in one}) == 1000


def test_items_do_not_depend_on_the_hash_seed_of_python(gym):
    code = (
        "import hashlib; from triptych.worlds.procedural import Procedural; from triptych.worlds.draw import Draw\n"
        "world = Procedural(); print(hashlib.sha256(repr([(task.facts, task.answer) for skill in world.skills "
        "for task in [world.task(skill, Draw('test', skill.name))]]).encode()).hexdigest())"
    )
    runs = [
        subprocess.run([sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, check=True, capture_output=True)
        for seed in ("1", "2")
    ]
    assert runs[0].stdout == runs[1].stdout
    assert len(runs[0].stdout.strip()) == 64
    assert not runs[0].stderr


def test_no_question_of_a_panel_is_in_the_data(gym):
    rows = WORLD.data(Dials(skills=500), 1500, "0", 0)
    panels = WORLD.panels("0", 1, 100, 20)
    assert set(panels) == {"id", "paraphrase", "compositions", "deeper"}

    def question(row):
        return procedural._entry(row["skeleton"], row["item"])["question"]

    trained = {question(row) for row in rows}
    for name, panel in panels.items():
        assert not trained & {question(row) for row in panel}, name
        assert all(WORLD.grade(row, row["response"]) == 1 for row in panel)
    assert {row["depth"] for row in panels["deeper"]} == {4}


def test_held_out_forms_join_known_parts_in_new_ways(gym):
    task = WORLD.task(GCD, Draw("test"))
    trained = [WORLD.worded(task, form, Draw("any")) for form in range(WORLD.forms)]
    held = [WORLD.worded(task, WORLD.forms + form, Draw("any")) for form in range(WORLD.held_forms)]
    assert trained[0] == task.facts.question
    assert len({*trained, *held}) == 36
    ends = [[text.split(task.facts.question) for text in texts] for texts in (trained, held)]
    for side in (0, 1):
        assert {parts[side] for parts in ends[1]} <= {parts[side] for parts in ends[0]}


def test_a_verifier_that_fails_says_so(gym, monkeypatch):
    class Broken:
        def __getitem__(self, number):
            return {"question": "?", "answer": "!"}

        def score_answer(self, answer, entry):
            if answer == "odd":
                return 1.5
            raise ZeroDivisionError

    monkeypatch.setattr(procedural, "_source", lambda skill: Broken())
    for response in ("odd", "any"):
        with pytest.raises(LawError, match="verifier of gcd/0"):
            WORLD.grade({"skeleton": "gcd/0", "item": 1}, response)
