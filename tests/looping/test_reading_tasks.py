"""What kind of task a prompt is."""

from __future__ import annotations

import time

import pytest

from triptych.features.structure import template
from triptych.looping.reading_tasks import TaskReader
from triptych.looping.records import Written
from triptych.studies.trainers.trainer import Example
from triptych.worlds.registry import load_world
from triptych.worlds.world import Dials


@pytest.mark.parametrize("name", ["programs", "rewriting"])
def test_a_world_reads_what_it_wrote(name):
    world = load_world(name)
    rows = world.data(Dials(skills=30, forms=3), 200, "0", 1) + world.panels("0", 1, 40, 5)["deeper"]
    kinds = TaskReader(world).read(Written(row["prompt"], "") for row in rows)
    for row, kind in zip(rows, kinds, strict=True):
        assert kind.valid
        assert (kind.structure, kind.complexity) == (row["skeleton"], row["depth"])
        assert kind.item.response == kind.item.row["answer"] == row["answer"]
        assert kind.item.row["world"] == name
        assert world.grade(dict(kind.item.row), row["answer"]) == 1


@pytest.mark.parametrize("prompt", ["", "reverse sort", "reverse : 1 2 3", "fly : 1 2 3 4 =", "reverse : 1 2 3 4 = ="])
def test_what_a_world_cannot_read_is_no_task(prompt):
    (kind,) = TaskReader(load_world("programs")).read([Written(prompt, "1 2")])
    assert (kind.valid, kind.structure, kind.complexity) == (False, "", None)


def test_without_a_world_any_text_is_a_task_of_its_template():
    one, other, blank = TaskReader().read([Written(text, "") for text in ("Add 3 and 4.", "Add 70 and 1.", " \n")])
    assert one.valid
    assert one.structure == other.structure == template("Add 3 and 4.") == "add <num> and <num>."
    assert one.complexity is None
    assert (blank.valid, blank.structure) == (False, "")


GIVEN = [
    Example("Do a.", "A", {"skeleton": "f>g", "depth": 2, "answer": "A"}),
    Example("Do b.", "B", {"Operations": ["x", "y"], "level": "3"}),
    Example("Do 7.", "C", {"note": 1, "difficulty": "hard"}),
    Example("Do a.", "other", {"kind": "k", "size": 9}),
]


def test_a_given_prompt_brings_its_row():
    written = [Written(item.prompt, "r", group=str(place), row=item.row) for place, item in enumerate(GIVEN)]
    kinds = TaskReader(prompts=GIVEN).read(written)
    assert [(kind.structure, kind.complexity) for kind in kinds] == [
        ("f>g", 2.0), ("x | y", 3.0), ("do <num>.", None), ("do a.", None)
    ]  # fmt: skip
    assert [kind.item.response for kind in kinds] == ["A", "B", "C", "other"]
    assert all(kind.valid for kind in kinds)
    named = TaskReader(prompts=GIVEN, structure="kind", complexity="size").read(written)
    assert (named[3].structure, named[3].complexity) == ("k", 9.0)
    assert (named[0].structure, named[0].complexity) == ("do a.", None)


def test_a_given_prompt_is_known_by_its_row_where_the_list_is_not():
    row = {"skeleton": "f", "depth": 1, "response": "A"}
    for group in ("0", "17", "name"):
        (kind,) = TaskReader().read([Written("Do a.", "r", group=group, row=row)])
        assert (kind.structure, kind.complexity, kind.item.response) == ("f", 1.0, "A")


def test_a_world_helps_with_a_given_prompt_whose_row_says_nothing():
    reader = TaskReader(load_world("programs"))
    kind = reader.given(Example("reverse sort : 3 1 4 1 =", "", {"id": 4}))
    assert (kind.structure, kind.complexity) == ("reverse>sort", 2.0)
    assert kind.item.response == "1 4 1 3 ; 1 1 3 4"
    assert (kind.item.row["id"], kind.item.row["world"]) == (4, "programs")
    free = reader.given(Example("Say hello.", "hello", {}))
    assert (free.valid, free.structure) == (True, "say hello.")


def test_equal_prompts_are_read_once_and_fast():
    world = load_world("programs")
    rows = world.data(Dials(skills=50, forms=0), 6000, "0", 0)
    written = [Written(row["prompt"], row["response"]) for row in rows]
    reader = TaskReader(world)
    started = time.process_time()
    kinds = reader.read(written)
    seconds = time.process_time() - started
    print(f"\n6,000 prompts of programs in all forms: {seconds:.2f} CPU s")
    assert seconds < 1
    twice = reader.read([*written[:50], *written[:50]])
    assert all(one is other for one, other in zip(twice[:50], twice[50:], strict=True))
    assert twice[:50] == kinds[:50]
