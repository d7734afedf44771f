"""What every world does: exact counts, splits that never mix, the same each time, clear messages."""

from __future__ import annotations

import hashlib
from collections import Counter
from importlib.metadata import EntryPoint

import pytest

from triptych.core.errors import RegistryError, SpecError, UsageError
from triptych.worlds import registry
from triptych.worlds.draw import Draw
from triptych.worlds.programs import Programs
from triptych.worlds.registry import load_world
from triptych.worlds.world import HELD_OUT, Dials, words
from triptych.worlds.writing import Recipe, describe_worlds, make

WORLD = Programs()


def data(n=600, block="0", seed=0, tokens=None, **dials):
    return WORLD.data(Dials(**dials), n, block, seed, tokens)


def skeletons(rows):
    return {row["skeleton"] for row in rows}


def inputs(rows):
    """Skill and input of each row, whatever the wording: the digits of the prompt."""
    return {(row["skeleton"], *(word for word in row["prompt"].split() if word.isdigit())) for row in rows}


@pytest.mark.parametrize("quality", [0.0, 0.333, 0.9, 1.0])
@pytest.mark.parametrize("n", [1, 7, 600])
def test_right_answers_and_errors_are_exact(quality, n):
    rows = data(n, quality=quality)
    wrong = [row for row in rows if not row["correct"]]
    assert len(rows) == n
    assert n - len(wrong) == round(quality * n)
    for row in wrong:
        assert row["response"] != row["answer"]
        assert WORLD.grade(row, row["response"]) < 1
    kinds = Counter(row["error"] for row in wrong)
    assert not wrong or max(kinds.values()) - min(kinds[error] for error in WORLD.errors) <= 1
    assert {row["error"] for row in data(n, quality=quality, errors=("truncated",))} <= {"truncated", None}


def test_errors_fall_on_all_kinds_of_record_alike():
    rows = data(3000, quality=0.5)
    for depth in WORLD.depths:
        mine = [row["correct"] for row in rows if row["depth"] == depth]
        assert abs(sum(mine) / len(mine) - 0.5) < 0.06


def test_depths_and_skills_are_exact():
    rows = data(1000, skills=20, depths={1: 0.1, 2: 0.6, 3: 0.3})
    assert Counter(row["depth"] for row in rows) == {1: 100, 2: 600, 3: 300}
    times = Counter(row["skeleton"] for row in rows)
    by_depth = {depth: [k for name, k in times.items() if name.count(">") == depth - 1] for depth in WORLD.depths}
    assert {depth: len(counts) for depth, counts in by_depth.items()} == {1: 8, 2: 20, 3: 20}
    assert all(max(counts) - min(counts) <= 1 for counts in by_depth.values())
    assert {row["depth"] for row in data(300, depths={2: 1.0})} == {2}


def test_skew_is_a_power_of_the_rank():
    order = [skill.name for skill in WORLD.order("0", 3)[:10]]
    times = Counter(row["skeleton"] for row in data(2929, skills=10, depths={3: 1}, skew=1.0))
    assert [times[name] for name in order] == [1000, 500, 333, 250, 200, 167, 143, 125, 111, 100]


def test_a_narrow_set_is_part_of_a_wide_one_in_the_same_block():
    narrow, wide = (skeletons(data(900, skills=skills)) for skills in (8, 40))
    assert narrow < wide
    other = skeletons(data(900, skills=8, block="1"))
    assert narrow != other
    assert len(narrow & other) < len(narrow)


def test_forms_in_use():
    assert {row["form"] for row in data(2000)} == set(range(WORLD.forms))
    assert {row["form"] for row in data(200, forms=3)} == {0, 1, 2}


def test_held_out_skills_and_forms_are_never_in_data():
    held = {skill.name for depth in WORLD.depths for skill in WORLD.held_out(depth)}
    assert [len(WORLD.held_out(depth)) for depth in WORLD.depths] == [0, round(HELD_OUT * 64), round(HELD_OUT * 512)]
    for block in ("0", "1"):
        rows = data(3000, block=block, skills=10_000)
        assert skeletons(rows).isdisjoint(held)
        assert len(skeletons(rows)) == 8 + 54 + 435  # all others are there
        assert max(row["form"] for row in rows) < WORLD.forms


def test_panels_hold_what_they_are_named_for():
    panels = WORLD.panels("0", 0, 150, 8)
    assert tuple(panels) == WORLD.panel_names == ("id", "paraphrase", "compositions", "deeper", "longer")
    known = {skill.name for depth in WORLD.depths for skill in WORLD.order("0", depth)[:8]}
    held = {skill.name for depth in WORLD.depths for skill in WORLD.held_out(depth)}
    for name, rows in panels.items():
        assert len(rows) == 150
        assert len({row["prompt"] for row in rows}) == 150
        assert all(row["correct"] and row["response"] == row["answer"] and row["error"] is None for row in rows)
        assert all((row["form"] >= WORLD.forms) == (name == "paraphrase") for row in rows)
    for name in ("id", "paraphrase", "longer"):
        assert skeletons(panels[name]) <= known
        assert Counter(row["depth"] for row in panels[name]) == {2: 75, 3: 75}
    assert skeletons(panels["compositions"]) <= held
    assert Counter(row["depth"] for row in panels["compositions"]) == {2: 75, 3: 75}
    assert {row["depth"] for row in panels["deeper"]} == {4}
    few = WORLD.panels("0", 0, 100, 8, forms=2)
    assert all({row["form"] for row in few[name]} == {0, 1} for name in few if name != "paraphrase")


def test_panels_in_distribution_are_in_distribution_for_narrow_and_wide():
    asked = skeletons(WORLD.panels("3", 0, 300, 8)["id"])
    for skills in (8, 30):
        assert asked <= skeletons(data(2000, block="3", skills=skills))


def test_no_panel_item_is_in_any_data_set():
    for block, seed in (("0", 0), ("1", 1)):
        taught = inputs(data(2000, block=block, seed=seed, depths={1: 1.0}, forms=1))  # 8 skills, 10,000 inputs each
        for other in ("0", "1"):
            for rows in WORLD.panels(other, seed, 60, 8).values():
                assert taught.isdisjoint(inputs(rows))


def test_the_test_side_is_about_a_tenth():
    draws = [WORLD.task(WORLD.skills[100], Draw("side", index)) for index in range(1500)]
    digests = [hashlib.sha256(f"{task.skill.name}|{task.facts!r}".encode()).digest()[0] < 26 for task in draws]
    assert 0.07 < sum(digests) / 1500 < 0.13


def test_the_same_each_time_and_another_draw_for_another_seed():
    assert data(quality=0.7) == Programs().data(Dials(quality=0.7), 600, "0", 0)
    assert WORLD.panels("0", 0, 50, 8) == Programs().panels("0", 0, 50, 8)
    first, second = data(seed=0), data(seed=1)
    assert skeletons(first) == skeletons(second)
    assert len(inputs(first) & inputs(second)) < 30


def test_few_prompts_repeat():
    rows = data(3000, forms=1, skills=4)
    assert len({row["prompt"] for row in rows}) == 3000


def test_rows_are_mixed():
    rows = data(900, quality=0.5)
    assert {row["depth"] for row in rows[:30]} == {1, 2, 3}
    assert 5 < sum(row["correct"] for row in rows[:30]) < 25


@pytest.mark.parametrize("tokens", [1, 100, 20_011])
@pytest.mark.parametrize("dials", [{}, {"depths": {1: 1.0}}, {"depths": {3: 1.0}, "quality": 0.5}])
def test_equal_tokens_within_one_record(tokens, dials):
    rows = data(tokens=tokens, **dials)
    total = sum(map(words, rows))
    assert total - words(rows[-1]) < tokens <= total


def test_equal_tokens_keep_the_dials():
    rows = data(tokens=40_000, quality=0.7, depths={1: 0.2, 2: 0.5, 3: 0.3})
    assert abs(sum(row["correct"] for row in rows) / len(rows) - 0.7) < 0.02
    assert abs(sum(row["depth"] == 2 for row in rows) / len(rows) - 0.5) < 0.02


@pytest.mark.parametrize(
    ("n", "dials", "said"),
    [
        (0, {}, "records"),
        (5, {"quality": 1.01}, "quality"),
        (5, {"quality": float("nan")}, "quality"),
        (5, {"skills": 0}, "skills"),
        (5, {"skew": -1.0}, "skew"),
        (5, {"forms": 33}, "0 to 32"),
        (5, {"errors": ("random_stap",)}, "random_step"),
        (5, {"depths": {4: 1.0}}, "depths 1, 2, 3"),
        (5, {"depths": {1: 0.0}}, "not all 0"),
        (5, {"depths": {1: 2.0, 2: -1.0}}, "depths are out of range"),
        (5, {"depths": {1: float("nan")}}, "depths are out of range"),
        (5, {"depths": {1: float("inf")}}, "depths are out of range"),
    ],
)
def test_dials_out_of_range(n, dials, said):
    with pytest.raises(SpecError, match=said) as caught:
        data(n, **dials)
    assert str(caught.value).startswith("programs: ")


def test_panels_out_of_range():
    for given, said in (((0, 8), "items"), ((10, 0), "skills"), ((10, 8, 33), "forms")):
        with pytest.raises(SpecError, match=said):
            WORLD.panels("0", 0, *given)
    with pytest.raises(SpecError, match="tokens"):
        data(tokens=0)


def test_worlds_are_found_by_name():
    assert load_world("programs").name == "programs"
    with pytest.raises(SpecError, match="programs") as caught:
        load_world("program")
    assert "try:  programs" in str(caught.value)


@pytest.fixture
def plugins(monkeypatch):
    """Pretend that these plug-ins are installed."""

    def install(*entries):
        monkeypatch.setattr(registry, "entry_points", lambda group: [EntryPoint(*entry, group) for entry in entries])
        registry.entries.cache_clear()
        registry.load_world.cache_clear()

    yield install
    registry.entries.cache_clear()
    registry.load_world.cache_clear()


def test_plugins_bring_worlds(plugins):
    plugins(("other", "triptych.worlds.programs:Programs"))
    assert "other" in registry.entries()
    with pytest.raises(RegistryError, match="calls itself"):
        load_world("other")
    plugins(("broken", "no_such_module:Nothing"), ("odd", "triptych.worlds.world:words"))
    with pytest.raises(RegistryError, match="no_such_module"):
        load_world("broken")
    with pytest.raises(RegistryError, match="not a World class"):
        load_world("odd")
    plugins(("programs", "elsewhere:Programs"))
    with pytest.raises(RegistryError, match="two worlds"):
        load_world("programs")


def test_recipes_can_be_read_back():
    recipe = Recipe.of("programs", records=50, quality=0.8, depths={1: 0.5, 3: 0.5}, errors=("truncated",), panels=10)
    again = Recipe.of_json(recipe.to_json())
    assert again == recipe
    assert make(again) == make(recipe)
    with pytest.raises(UsageError, match="try:  quality"):
        Recipe.of("programs", qualty=0.8)
    with pytest.raises(UsageError, match="exclude"):
        Recipe.of("programs", records=5, tokens=5)


def test_worlds_describe_themselves():
    about = {entry["name"]: entry for entry in describe_worlds()}
    assert about.keys() == registry.entries().keys()
    assert about["programs"]["skills"] == {"1": 8, "2": 64, "3": 512, "4": 4096}
    assert about["programs"]["panels"] == list(WORLD.panel_names)
