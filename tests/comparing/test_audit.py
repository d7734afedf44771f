"""The audit: which causes differ in small sets whose causes are known."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest

from triptych.comparing.audit import CONFOUNDED, CONTROLLED, UNKNOWN, audit, comparability
from triptych.comparing.causes import variation, wanted_fields
from triptych.comparing.members import member, read_card
from triptych.comparing.outcomes import language
from triptych.comparing.prompts import shared
from triptych.comparing.sides import joined, prepare
from triptych.core.errors import ReadError, SchemaError
from triptych.core.rng import stream
from triptych.data import open_dataset
from triptych.engines.progress import Progress
from triptych.profiling.bench import open_bench
from triptych.profiling.settings import Settings

THINGS = "river market engine garden ledger bridge melody harvest planet library kitchen window".split()
DOES = "moves grows breaks sells turns waits opens carries holds changes".split()


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    with open_bench(
        Settings.of(measures=("tokens",), cache=tmp_path_factory.mktemp("cache"), workers=1), Progress()
    ) as b:
        yield b


def prompts(n, *label):
    draw = stream("audit", *label)
    pick = lambda words: words[int(draw.integers(len(words)))]  # noqa: E731
    return [
        f"Say why the {pick(THINGS)} {pick(DOES)} when the {pick(THINGS)} {pick(DOES)}, case {i}." for i in range(n)
    ]


def answers(asked, author, **fields):
    """Every value of a field may be a function of the row's number."""
    draw = stream("audit answers", author)
    return [
        {"prompt": text, "response": f"The {THINGS[int(draw.integers(12))]} of {author} {DOES[int(draw.integers(10))]} {i}."}
        | {name: value(i) if callable(value) else value for name, value in fields.items()}
        for i, text in enumerate(asked)
    ]  # fmt: skip


def audited(bench, a, b):
    opened = [open_dataset(rows, bench.settings.reading(), name) for rows, name in ((a, "A"), (b, "B"))]
    sides = joined([prepare(one, bench) for one in opened])
    pair = tuple(
        member(rows, side, wanted_fields([str(name) for name in side.dataset.layout.known]), ())
        for rows, side in zip((a, b), sides, strict=True)
    )
    return audit(pair, bench)


def names(found):
    return {one.name for one in found.differs}


def test_one_cause_is_controlled_and_named(bench):
    asked = prompts(300)
    found = audited(bench, answers(asked, "x", model="m1", topic="t"), answers(asked, "y", model="m2", topic="t"))
    assert found.verdict == CONTROLLED
    assert names(found) == {"generator"}
    assert {one.name for one in found.same} == {"prompts", "tasks"}
    entry = comparability({(0, 1): found}, ["A", "B"], frozenset())
    assert entry["sentence"] == "Controlled: one cause differs, the generator (model: m1 and m2)."
    assert entry["differs"][0]["first"] == "model: m1"
    assert entry["prompts"] == {"exact": [1, 1], "normalized": [1, 1], "near": [1, 1]}
    json.dumps(entry, allow_nan=False)


def test_several_causes_are_confounded_and_all_named(bench):
    a = answers(prompts(300, "a"), "x", model="m1", topic=lambda i: "ab"[i % 2], temperature=0.2)
    other = [f"Translate into French, number {i}: the {THINGS[i % 12]} is blue" for i in range(300)]
    b = answers(other, "y", model="m2", topic=lambda i: "ab"[i % 10 == 0], temperature=1.0)
    found = audited(bench, a, b)
    assert found.verdict == CONFOUNDED
    assert names(found) == {"generator", "prompts", "tasks", "sampling"}
    entry = comparability({(0, 1): found}, ["A", "B"], frozenset({"prompts", "tasks", "sampling"}))
    assert entry["sentence"].startswith(
        "Confounded: the generator, the sampling, the prompts and the mix of tasks differ"
    )
    assert "only the generator differs" in entry["sentence"]


def test_without_a_generator_nothing_is_controlled(bench):
    found = audited(bench, answers(prompts(200), "x"), answers(prompts(200), "y"))
    assert found.verdict == UNKNOWN
    assert "generator" in found.missing[0]
    one = audited(bench, answers(prompts(200), "x", model="m", topic="p"), answers(prompts(200), "y", topic="q"))
    assert one.verdict == UNKNOWN
    assert names(one) == {"tasks"}
    assert one.missing[0] == 'generator of B: no field like "model" of A'


def test_the_same_records_differ_in_nothing(bench):
    rows = answers(prompts(200), "x", model="m")
    found = audited(bench, rows, [dict(row) for row in rows])
    assert found.verdict == UNKNOWN
    assert not found.differs
    assert "nothing differs" in comparability({(0, 1): found}, ["A", "B"], frozenset())["sentence"]


def test_two_samples_of_one_pool_differ_in_nothing(bench):
    rows = answers(prompts(800), "x", model=lambda i: f"m{i % 3}", topic=lambda i: f"t{i % 7}")
    half = stream("audit", "half").random(800) < 0.5
    found = audited(
        bench, *([row for row, mine in zip(rows, half, strict=True) if mine == which] for which in (True, False))
    )
    assert not found.differs
    assert {one.name for one in found.same} == {"prompts", "generator", "tasks"}
    assert found.shared.near[0] < 0.2
    assert found.shared.alike


def test_a_part_of_the_other_set_differs_by_its_filter(bench):
    rows = answers(prompts(600), "x", topic=lambda i: f"t{i % 3}", model="m")
    part = [{**row, "subset": "clean"} for row in rows if row["topic"] != "t0"]
    found = audited(bench, [{**row, "subset": "all"} for row in rows], part)
    assert found.verdict == CONTROLLED
    assert names(found) == {"filters"}
    assert {one.name for one in found.follows} == {"tasks"}
    assert found.differs[0].first == "the set that it is chosen from (subset: all)"


def test_prompts_are_the_same_but_for_writing(bench):
    asked = prompts(200)
    folded = [text.upper().replace(",", "  -") for text in asked]
    found = audited(bench, answers(asked, "x", model="m1"), answers(folded, "y", model="m2")).shared
    assert found.exact == (0, 0)
    assert found.normalized == (1, 1)
    assert found.same


def test_prompts_are_nearly_the_same(bench):
    body = " ".join(f"{THINGS[i % 12]} {DOES[i % 10]}" for i in range(30))
    asked = [f"{i} {body} {THINGS[i % 12]} {i * i} {body}" for i in range(60)]
    edited = [f"{text} please" for text in asked]
    rows = [answers(asked, "x"), answers(edited, "y")]
    sides = joined([prepare(open_dataset(one, bench.settings.reading()), bench) for one in rows])
    found = shared((sides[0], sides[1]), bench)
    assert found.normalized == (0, 0)
    assert found.near == (1, 1)


def test_fixed_answers_make_the_prompts_what_is_compared(bench):
    a = answers(prompts(300, "a"), "x", generator="people", behaviour="calm")
    b = answers([f"Would you rather be number {i}, or have no {THINGS[i % 12]}?" for i in range(300)], "y")
    b = [
        {**row, "generator": "model", "behaviour": "calm", "response": " (A)" if i % 2 else " (B)"}
        for i, row in enumerate(b)
    ]
    fixed = [{**row, "response": " (A)" if i % 3 else " (B)"} for i, row in enumerate(a)]
    assert names(audited(bench, a, b)) == {"generator", "prompts"}
    found = audited(bench, fixed, b)
    assert found.verdict == CONTROLLED
    assert names(found) == {"generator"}
    assert [one.name for one in found.follows] == ["prompts"]


def test_length_and_validity_are_outcomes(bench):
    asked = prompts(200)
    long = [{**row, "response": row["response"] * (5 + i % 3)} for i, row in enumerate(answers(asked, "x", model="m"))]
    found = audited(bench, long, answers(asked, "y", model="m2"))
    assert names(found) == {"generator"}
    by_name = {one["name"]: one for one in found.outcomes}
    assert by_name["length"]["smd"] > 2
    assert by_name["records"]["smd"] is None
    assert by_name["language"]["text"] == "English 1.00"


def test_cards_speak_where_rows_do_not(bench, tmp_path):
    asked = prompts(200)
    pair = []
    for name, model in (("a", "m1"), ("b", "m2")):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in answers(asked, name)))
        card = {"generator": model, "sampling": {"temperature": 1}, "seed": len(name), "filters": ["dedup"]}
        (folder / "recipe.json").write_text(json.dumps(card))
        pair.append(str(folder / "data.jsonl"))
    found = audited(bench, *pair)
    assert found.verdict == CONTROLLED
    assert names(found) == {"generator"}
    assert {one.name for one in found.same} == {"prompts", "sampling", "filters"}
    (tmp_path / "a" / "recipe.json").write_text("[1]")
    with pytest.raises(ReadError, match="is no object"):
        read_card(open_dataset(pair[0]))


def test_variation_by_chance():
    a, b = Counter({"x": 50, "y": 50}), Counter({"x": 60, "y": 40})
    distance, chance = variation(a, b, (100, 100))
    assert distance == pytest.approx(0.1)
    assert 0.15 < chance < 0.25
    draws = stream("audit", "chance")
    held = []
    for _ in range(300):
        drawn = [
            Counter(dict(zip("xyz", map(int, draws.multinomial(200, [0.2, 0.3, 0.5])), strict=True))) for _ in "ab"
        ]
        held.append(np.less_equal(*variation(*drawn, (200, 200))))
    assert np.mean(held) >= 0.98


def test_a_needed_field_must_be_there(bench):
    rows = answers(prompts(50), "x", topic="t")
    (side,) = joined([prepare(open_dataset(rows, bench.settings.reading()), bench)])
    with pytest.raises(SchemaError, match="mix:topc"):
        member(rows, side, (), ("topc",))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("The cat is on the mat and it is happy with that.", "English"),
        ("Die Katze ist nicht auf der Matte und das ist gut.", "German"),
        ("Кошка сидит на ковре", "Cyrillic"),
        ("猫はマットの上にいる", "Japanese"),
        ("12 + 3 = 15", None),
    ],
)
def test_language(text, told):
    assert language(text) == told
