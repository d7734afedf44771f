"""The programs world against an interpreter written from its description alone."""

from __future__ import annotations

import time
from collections import Counter

import pytest

from triptych.worlds.draw import Draw
from triptych.worlds.programs import FRAMES, HELD, NAMES, OPERATIONS, TRAINED, Programs
from triptych.worlds.world import Dials, words

WORLD = Programs()


def interpret(operation, digits):
    """One operation, digit by digit."""
    size = len(digits)
    out = [0] * size
    if operation == "sort":
        left = list(digits)
        for place in range(size):
            out[place] = left.pop(left.index(min(left)))
        return out
    for place in range(size):
        if operation == "reverse":
            out[place] = digits[size - 1 - place]
        elif operation == "rotate":
            out[place] = digits[(place + 1) % size]
        elif operation == "swap":
            out[place] = digits[{0: size - 1, size - 1: 0}.get(place, place)]
        elif operation == "increment":
            out[place] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 0][digits[place]]
        elif operation == "double":
            out[place] = [0, 2, 4, 6, 8, 0, 2, 4, 6, 8][digits[place]]
        elif operation == "complement":
            out[place] = [9, 8, 7, 6, 5, 4, 3, 2, 1, 0][digits[place]]
        elif operation == "triple":
            out[place] = [0, 3, 6, 9, 2, 5, 8, 1, 4, 7][digits[place]]
        else:
            raise AssertionError(operation)
    return out


def read(prompt):
    """Operations and digits of a prompt in any wording: the words that are digits, and those that name an operation."""
    meaning = {word: op for names in NAMES for word, op in zip(names, OPERATIONS, strict=True)}
    found = prompt.split()
    return [meaning[word] for word in found if word in meaning], [int(word) for word in found if word.isdigit()]


def solve(prompt):
    operations, digits = read(prompt)
    lines = []
    for operation in operations:
        digits = interpret(operation, digits)
        lines.append(" ".join(str(digit) for digit in digits))
    return " ; ".join(lines)


def every_row():
    rows = WORLD.data(Dials(quality=0.5), 3000, "0", 0)
    return rows + [row for panel in WORLD.panels("0", 0, 200, 20).values() for row in panel]


def test_every_answer_follows_from_the_prompt_alone():
    for row in every_row():
        assert row["answer"] == solve(row["prompt"]), row
        assert ">".join(read(row["prompt"])[0]) == row["skeleton"]
        assert row["correct"] == (row["response"] == row["answer"]) == (row["error"] is None)
        assert row["prompt"] == " ".join(row["prompt"].split())
        assert row["response"] == " ".join(row["response"].split())


def test_operations_keep_length_and_digits():
    for digits in ((0, 0), (9, 0, 5, 5), (1, 2, 3, 4, 5, 6)):
        for name, operation in OPERATIONS.items():
            assert list(operation(digits)) == interpret(name, digits)


def test_the_plain_form_is_short():
    row = next(row for row in WORLD.data(Dials(forms=1), 300, "0", 0) if row["depth"] == 3)
    operations, digits = read(row["prompt"])
    assert row["prompt"] == f"{' '.join(operations)} : {' '.join(map(str, digits))} ="
    assert words(row) == 23


def test_there_are_enough_skills_and_they_differ():
    depths = Counter(skill.depth for skill in WORLD.skills)
    assert depths == {1: 8, 2: 64, 3: 512, 4: 4096}
    assert len({skill.name for skill in WORLD.skills}) == len(WORLD.skills)
    for depth in (1, 2, 3):  # two sequences have the same trace on few inputs: 1 in 50 at most
        pool = [skill for skill in WORLD.skills if skill.depth == depth]
        same = 0
        for index in range(2000):
            draw = Draw("differ", depth, index)
            one, other = draw.some(pool, 2)
            digits = WORLD.task(one, draw).facts
            traces = []
            for skill in (one, other):
                now, trace = list(digits), []
                for name in skill.name.split(">"):
                    now = interpret(name, now)
                    trace.append(tuple(now))
                traces.append(trace)
            same += traces[0] == traces[1]
        assert same <= 40, depth


def test_held_out_forms_are_new_combinations_of_known_words():
    assert len(TRAINED) >= 20
    assert len(HELD) >= 5
    assert not set(TRAINED) & set(HELD)
    vocabulary = {form: set() for form in range(WORLD.forms + WORLD.held_forms)}
    for skill in (skill for skill in WORLD.skills if skill.depth == 2):
        task = WORLD.task(skill, Draw("vocabulary", skill.name))
        prompts = [WORLD.worded(task, form, Draw("unused")) for form in vocabulary]
        assert len(set(prompts)) == len(prompts)
        for form, prompt in enumerate(prompts):
            vocabulary[form] |= set(prompt.split())
    seen = set().union(*(vocabulary[form] for form in range(WORLD.forms)))
    for form in range(WORLD.forms, WORLD.forms + WORLD.held_forms):
        assert vocabulary[form] <= seen
    assert {(form.frame, form.names) for form in TRAINED}.isdisjoint((form.frame, form.names) for form in HELD)
    for part in range(4):
        assert {form[part] for form in HELD} <= {form[part] for form in TRAINED}
    every = {place: {form[place] for form in TRAINED} for place in range(4)}
    assert {place: {form[place] for form in TRAINED[:6]} for place in range(4)} == every  # few forms differ in all ways


def test_names_and_frames_share_no_word():
    names = [name for names in NAMES for name in names]
    assert len(names) == len(set(names)) == 3 * len(OPERATIONS)
    assert not set(names) & {word for frame in FRAMES for text in frame for word in text.split()}


@pytest.mark.parametrize("error", WORLD.errors)
def test_each_error_is_what_it_says(error):
    seen = Counter()
    for index in range(600):
        draw = Draw("error", error, index)
        skill = draw.pick([skill for skill in WORLD.skills if skill.depth <= 3])
        task = WORLD.task(skill, draw)
        right = [step.split() for step in task.answer.split(" ; ")]
        wrong = [step.split() for step in WORLD.spoiled(task, error, draw).split(" ; ")]
        assert wrong != right
        if error == "truncated":
            assert wrong == right[: len(wrong)] or (len(right) == 1 and wrong[0] == right[0][: len(wrong[0])])
            seen[len(wrong)] += 1
            continue
        assert [len(step) for step in wrong] == [len(step) for step in right]
        first = next(place for place, pair in enumerate(zip(right, wrong, strict=True)) if pair[0] != pair[1])
        apart = [(int(a) - int(b)) % 10 for a, b in zip(wrong[first], right[first], strict=True)]
        if error == "plausible_slip":
            assert sorted(apart) in ([0, 0, 0, 1], [0, 0, 0, 9])
        digits = [int(word) for word in wrong[first]]
        for operation, step in zip(skill.name.split(">")[first + 1 :], wrong[first + 1 :], strict=True):
            digits = interpret(operation, digits)
            assert [int(word) for word in step] == digits
        seen[first] += 1
    assert len(seen) >= 2  # not always the same place


def test_grade():
    row = {"answer": "1 2 ; 3 4 ; 5 6 ; 7 8"}
    assert WORLD.grade(row, row["answer"]) == 1
    assert WORLD.grade(row, " 1  2 ; 3 4 ;5 6 ; 7 8\n") == 1  # white space does not count
    assert WORLD.grade(row, "1 2 ; 3 4") == 0.5
    assert WORLD.grade(row, "1 2 ; 3 5 ; 5 6 ; 7 8") == 0.25
    assert WORLD.grade(row, "0 0 ; 3 4 ; 5 6 ; 7 8") == 0
    assert WORLD.grade(row, row["answer"] + " ; 1 2") == 0.8
    assert WORLD.grade(row, row["answer"] + " ;") < 1
    assert WORLD.grade(row, "") == 0
    for row in every_row():
        assert (WORLD.grade(row, row["response"]) == 1) == row["correct"]


def test_longer_inputs_are_longer_than_any_trained_on():
    lengths = {len(read(row["prompt"])[1]) for row in WORLD.data(Dials(), 500, "0", 0)}
    longer = {len(read(row["prompt"])[1]) for row in WORLD.panels("0", 0, 100, 8)["longer"]}
    assert lengths == {4}
    assert longer == {5, 6}


def test_it_is_fast():
    best = 9.0
    for seed in range(3):
        start = time.process_time()
        WORLD.data(Dials(quality=0.8), 6000, "0", seed)
        best = min(best, time.process_time() - start)
    print(f"\n6000 rows: {best:.2f} CPU s")
    assert best < 2.0  # about .4 on an idle machine


def test_parse_undoes_worded_in_every_form():
    for index, skill in enumerate(draw_skills(150)):
        draw = Draw("parse", index)
        for kind in ("plain", "longer"):
            task = WORLD.task(skill, draw, kind)
            for form in range(WORLD.forms + WORLD.held_forms):
                assert WORLD.parse(WORLD.worded(task, form, draw)) == task
    for row in every_row():
        task = WORLD.parse(row["prompt"])
        assert (task.skill.name, task.skill.depth, task.answer) == (row["skeleton"], row["depth"], row["answer"])


def draw_skills(count):
    """Some skills of every depth, all of the first."""
    draw = Draw("some skills")
    first = [skill for skill in WORLD.skills if skill.depth == 1]
    return first + draw.some([skill for skill in WORLD.skills if skill.depth > 1], count)


@pytest.mark.parametrize(
    "prompt",
    [
        "",
        "=",
        "reverse",
        "reverse : 1 2 3 4",
        "reverse : 1 2 3 =",  # too short
        "reverse : 1 2 3 4 5 6 7 =",  # too long
        "reverse : 1 2 3 14 =",
        "reverse : 1 2 3 x =",
        "reverse : 1 2 3 ٤ =",
        "reverse  sort : 1 2 3 4 =",
        " reverse : 1 2 3 4 =",
        "reverse : 1 2 3 4 =\n",
        "rewind : 1 2 3 4 =",
        "reverse mirror : 1 2 3 4 =",  # names of two sets
        "reverse then sort swap : 1 2 3 4 =",  # linked in two ways
        "reverse then : 1 2 3 4 =",
        "then reverse : 1 2 3 4 =",
        "reverse reverse reverse reverse reverse : 1 2 3 4 =",  # deeper than any skill
        "after reverse show 1 2 3 4 =",  # two frames
        "1 2 3 4 : 1 2 3 4 =",
        "reverse : sort : 1 2 3 4 =",
    ],
)
def test_parse_gives_none_for_what_is_no_task(prompt):
    assert WORLD.parse(prompt) is None
