"""The demo sets: the same each time, right where they say so, spoiled as announced."""

from __future__ import annotations

import time
from collections import Counter

import orjson
import pytest

from triptych.worlds import demo, wording
from triptych.worlds.checks import CHECKS, is_right
from triptych.worlds.draw import Draw

N = 2000


@pytest.fixture(scope="module")
def sets():
    return demo.demo_sets(7, N)


def test_the_same_each_time_and_different_for_another_seed(sets):
    assert demo.demo_sets(7, N) == sets
    other = demo.demo_sets(8, N)
    for name, rows in sets.items():
        shared = {row["prompt"] for row in rows} & {row["prompt"] for row in other[name]}
        assert len(shared) < 0.02 * N


def test_the_first_rows_do_not_depend_on_the_number_of_rows(sets):
    fewer = demo.demo_sets(7, 130)
    assert fewer["varied"] == sets["varied"][:130]
    assert fewer["repetitive"] == sets["repetitive"][:130]


@pytest.mark.parametrize("n", [1, 2, 33, 100])
def test_sizes_are_exact(n):
    assert {name: len(rows) for name, rows in demo.demo_sets(0, n).items()} == dict.fromkeys(
        ("varied", "repetitive", "noisy"), n
    )


def test_there_are_many_skills_with_many_surface_forms():
    assert len(demo.SKILLS) >= 25
    assert demo.SKILLS.keys() == CHECKS.keys()
    for skill in demo.SKILLS.values():
        assert len(set(skill.forms)) >= 6, skill.name


@pytest.mark.parametrize("name", sorted(demo.SKILLS))
def test_every_answer_is_verified(name):
    skill = demo.SKILLS[name]
    for index in range(300):
        draw = Draw("test", name, index)
        draft = skill.draft(draw)
        assert is_right(name, draft.facts, draft.answer), draft
        assert 1 <= len(draft.steps) <= 9
        assert draft.answer in draft.steps[-1], draft
        wrong = wording.wrong_answer(draft, draw)
        assert not is_right(name, draft.facts, wrong), (draft, wrong)
        assert wording.response(draft, draw, draft.answer).count("{") == 0


@pytest.mark.parametrize("name", sorted(demo.SKILLS))
def test_every_form_states_the_whole_question(name):
    """One wording never has two answers, and no slot is left open."""
    skill = demo.SKILLS[name]
    answers: dict[str, str] = {}
    for index in range(600):
        draft = skill.draft(Draw("whole", name, index))
        prompt = draft.worded(skill.forms[index % len(skill.forms)])
        assert answers.setdefault(prompt, draft.answer) == draft.answer, prompt
        assert prompt == prompt.strip()
        assert "  " not in prompt


def test_varied_is_even_right_and_without_repeats(sets):
    rows = sets["varied"]
    numbers = Counter(row["skill"] for row in rows)
    assert numbers.keys() == demo.SKILLS.keys()
    assert max(numbers.values()) - min(numbers.values()) <= 1
    assert all(row["correct"] for row in rows)
    assert len({row["prompt"] for row in rows}) == N
    assert len({row["response"] for row in rows}) > 0.99 * N
    starts = {
        skill: {" ".join(row["prompt"].split()[:2]) for row in rows if row["skill"] == skill} for skill in numbers
    }
    assert all(len(found) >= 4 for found in starts.values())


def test_varied_has_ordinary_lengths(sets):
    words = sorted(len(f"{row['prompt']} {row['response']}".split()) for row in sets["varied"])
    assert words[N // 50] >= 25
    assert words[-N // 50] <= 130
    lines = [row["response"].count("\n") for row in sets["varied"]]
    assert min(lines) == 0
    assert max(lines) >= 6


def test_repetitive_repeats_because_seeds_are_added(sets):
    rows = sets["repetitive"]
    assert all(row["correct"] for row in rows)
    assert {row["skill"] for row in rows} == set(demo.REPEATED)
    prompts = [row["prompt"] for row in rows]
    seeds = (N // demo.BLOCK - 1) * demo.STEP + demo.BLOCK
    assert seeds < len(set(prompts)) < 2 * seeds
    first, second = prompts[demo.STEP : demo.BLOCK], prompts[demo.BLOCK : 2 * demo.BLOCK - demo.STEP]
    assert 0.5 < sum(a == b for a, b in zip(first, second, strict=True)) / len(first) < 1
    numbers = [[word for word in prompt.split() if any(map(str.isdigit, word))] for prompt in (*first, *second)]
    assert numbers[: len(first)] == numbers[len(first) :]
    texts = {(row["prompt"], row["response"]) for row in rows}
    assert len(set(prompts)) < len(texts) < 0.6 * N


def test_noise_has_the_announced_shares(sets):
    plan = demo.noise_plan(7, N)
    numbers = Counter(plan)
    assert numbers[None] == N - N * demo.NOISE_PERCENT // 100
    assert max(numbers[kind] for kind in demo.NOISE) - min(numbers[kind] for kind in demo.NOISE) <= 1
    for row, kind in zip(sets["noisy"], plan, strict=True):
        assert row["correct"] == (kind in (None, "broken_encoding"))


def test_noise_is_what_it_says(sets):
    rows = {kind: [] for kind in demo.NOISE}
    for row, kind in zip(sets["noisy"], demo.noise_plan(7, N), strict=True):
        if kind is not None:
            rows[kind].append(row)
    assert {row["response"] for row in rows["empty"]} <= set(wording.EMPTY)
    assert {row["response"] for row in rows["refusal"]} <= set(wording.REFUSALS)
    assert all(row["response"].endswith(row["prompt"]) for row in rows["prompt_echo"])
    assert all(
        len(set(row["response"].split())) < 0.6 * len(row["response"].split()) for row in rows["repetition_loop"]
    )
    assert all("\ufffd" in row["response"] or "â" in row["response"] for row in rows["broken_encoding"])
    assert not any(row["response"].endswith(".") for row in rows["truncated"])
    assert all(row["response"] for row in rows["wrong"])


def test_the_sets_share_no_question(sets):
    prompts = {name: {row["prompt"] for row in rows} for name, rows in sets.items()}
    assert not prompts["varied"] & prompts["repetitive"]
    assert len(prompts["varied"] & prompts["noisy"]) < 0.02 * N


def test_files_hold_the_sets(sets, tmp_path):
    paths = demo.write_demo(tmp_path / "new", 7, N)
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == [
        "noisy.jsonl",
        "repetitive.jsonl",
        "varied.jsonl",
    ]
    assert list(paths) == list(sets)
    for name, path in paths.items():
        assert [orjson.loads(line) for line in path.read_bytes().splitlines()] == sets[name]
    before = [path.read_bytes() for path in paths.values()]
    assert demo.write_demo(tmp_path / "new", 7, N) == paths
    assert before == [path.read_bytes() for path in paths.values()]


def test_it_is_fast():
    best = 9.0
    for _ in range(3):
        start = time.process_time()
        demo.demo_sets(1, N)
        best = min(best, time.process_time() - start)
    print(f"\n{3 * N} rows: {best:.2f} CPU s")
    assert best < 2.0  # about .6 on an idle machine
