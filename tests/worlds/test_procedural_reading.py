"""Prompts of the world `procedural` read back: the inverse of wording them, for the tasks where that can be done."""

from __future__ import annotations

import json

import pytest

from triptych.worlds.draw import Draw
from triptych.worlds.procedural_tasks import TASKS
from triptych.worlds.registry import load_world

pytest.importorskip("reasoning_gym", reason="the world procedural needs reasoning-gym")

from triptych.worlds.procedural_reading import TASKS_READ

WORLD = load_world("procedural")
SKILLS = [skill for skill in WORLD.skills if skill.name.partition("/")[0] in TASKS_READ]


def row_of(task):
    return {"answer": task.answer, "skeleton": task.skill.name, **WORLD.extras(task)}


def test_many_skills_can_be_read():
    assert len(SKILLS) >= 45
    assert {skill.name.partition("/")[0] for skill in SKILLS} == set(TASKS_READ)
    assert set(TASKS_READ) <= set(TASKS)


@pytest.mark.parametrize("name", TASKS_READ)
def test_parse_undoes_worded_in_every_form(name):
    draw = Draw("read", name)
    for skill in (skill for skill in SKILLS if skill.name.startswith(f"{name}/")):
        for turn in range(40):
            task = WORLD.task(skill, draw)
            form = turn % (WORLD.forms + WORLD.held_forms)
            prompt = WORLD.worded(task, form, draw)
            read = WORLD.parse(prompt)
            assert read == task, prompt
            assert read.facts.number is None
            assert WORLD.parse(prompt.strip()) == task  # as a model writes it


@pytest.mark.parametrize("name", TASKS_READ)
def test_a_question_that_was_read_is_graded_as_its_item(name):
    draw = Draw("grade", name)
    for skill in (skill for skill in SKILLS if skill.name.startswith(f"{name}/")):
        task = WORLD.task(skill, draw)
        read = WORLD.parse(WORLD.worded(task, 0, draw))
        rows = row_of(task), row_of(read)
        assert json.loads(json.dumps(rows[1])) == rows[1]
        said = [task.answer, f" {task.answer}", f"It is {task.answer}.", f"{task.answer}.0", task.answer[:-1], "", "no"]
        for response in (*said, WORLD.spoiled(task, "slip", draw), WORLD.spoiled(read, "other_item", draw)):
            assert WORLD.grade(rows[0], response) == WORLD.grade(rows[1], response)
        assert WORLD.grade(rows[1], task.answer) == 1


def test_new_questions_get_their_right_answer():
    for prompt, skill, answer in (
        ("State the final answer to the following arithmetic problem: 9 - 0 - 9 + 8 =", "chain_sum/2-num_terms", "8"),
        ("State the final answer to the following arithmetic problem: 10 - 99 =", "chain_sum/1-num_digits", "-89"),
        ("Spell this word backward (example: sun -> nus): fix", "spell_backward/0", "xif"),
        ("How many 1 bits are there in the binary representation of the number 255?\nAnswer:", "count_bits/0", "8"),
        ("Count how many prime numbers there are between 10 and 20 (inclusive) ?", "count_primes/0", "4"),
    ):
        task = WORLD.parse(prompt)
        assert (task.skill.name, task.answer) == (skill, answer)
        assert WORLD.grade(row_of(task), answer) == 1


@pytest.mark.parametrize(
    "prompt",
    [
        "", "\n", "Here is a task.\n", "What is 3 + 4?",
        "State the final answer to the following arithmetic problem: 9 - 10 =",  # digits of two settings
        "State the final answer to the following arithmetic problem: 09 - 1 =",
        "State the final answer to the following arithmetic problem: 9 * 1 =",
        "State the final answer to the following arithmetic problem: 9  - 1 =",
        "State the final answer to the following arithmetic problem: 9 - 1 = 8",
        "State the final answer to the following arithmetic problem: 9 =",
        "Please Here is a task.\nState the final answer to the following arithmetic problem: 9 - 1 =",
        "How many 1 bits are there in the binary representation of the number 5?",  # below the range
        "How many 1 bits are there in the binary representation of the number 99999999999?",
        "Count how many prime numbers there are between 20 and 10 (inclusive) ?",
        "Spell this word backward (example: sun -> nus): xqz",
        "Spell this word backward (example: sun -> nus): sun sun",
        "Find the Least Common Multiple (LCM) of these numbers: 100, 99",
        "Find the Least Common Multiple (LCM) of these numbers: 100",
    ],
)  # fmt: skip
def test_parse_gives_none_for_what_is_no_task(prompt):
    assert WORLD.parse(prompt) is None


@pytest.mark.parametrize(
    ("base", "digits", "into", "answer"),
    [("base-7", "21055", "binary", "1010001000001"), ("binary", "21055", "base-7", None), ("base-7", "21055", "base-7", None),
     ("base-2", "1010001000001", "base-7", None), ("base-7", "021055", "binary", None), ("base-99", "21055", "binary", None)],
)  # fmt: skip
def test_bases(base, digits, into, answer):
    question = (
        "Your task is to convert a number between two different bases.\n\n"
        "If the target base is > 10, use lowercase letters a-z for digits above 9.\n\n"
        f"Now, convert the {base} number {digits} to {into}\n"
    )
    task = WORLD.parse(question)
    assert (task and task.answer) == answer


def test_a_right_beginning_is_not_wholly_right():
    task = WORLD.parse("Spell this word backward (example: sun -> nus): spanpiece")
    assert WORLD.grade(row_of(task), "eceipnaps") == 1
    assert 0.7 < WORLD.grade(row_of(task), "eceipnaps and more") < 1  # the package's own sum is above 1


def test_tasks_that_cannot_be_read_give_none():
    draw = Draw("unread")
    others = [skill for skill in WORLD.skills if skill not in SKILLS]
    for skill in others[::9]:
        assert WORLD.parse(WORLD.worded(WORLD.task(skill, draw), 0, draw)) is None
