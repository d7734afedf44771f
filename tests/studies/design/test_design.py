"""The whole way from a pool to arms, on small pools made here."""

from __future__ import annotations

import gzip
import json

import numpy as np
import pytest

from triptych import api
from triptych.core.errors import InputError, OutputError, SchemaError, SpecError, UsageError

LEVELS = "Q=score,D=topic:2,10,C=effort"
QUICK = {"workers": 1, "cache": False}


def made(pool, out=None, budget=40, levels=LEVELS, seed=0, **options):
    options = {"blocks": 1, **options}
    return api.design(pool, budget=budget, levels=levels, out=out, options=options, seed=seed, **QUICK)


@pytest.fixture(scope="module")
def whole(tmp_path_factory, rows_of_pool):
    folder = tmp_path_factory.mktemp("design")
    rows = rows_of_pool(1000, source=lambda index, row, rng: "book" if rng.random() < 0.3 else "web")
    rows[5]["score"] = rows[6]["effort"] = None
    rows[7]["response"] = ""
    lines = [json.dumps(row, ensure_ascii=False, separators=(", ", ":")) for row in rows]
    (folder / "pool.jsonl.gz").write_bytes(gzip.compress(("\n".join(lines) + "\n").encode()))
    document = made(str(folder / "pool.jsonl.gz"), folder / "out", blocks=2, budget=80)
    return folder, rows, lines, document


def arms_of(document, **codes):
    return [
        arm
        for arm in document["arms"]
        if arm["levels"] and all(arm["levels"][name] == code for name, code in codes.items())
    ]


def test_arms_hold_rows_verbatim_in_source_order(whole):
    folder, rows, lines, document = whole
    place = {line: index for index, line in enumerate(lines)}
    assert document == json.loads((folder / "out" / "design.json").read_text())
    assert sorted(path.name for path in (folder / "out" / "arms").iterdir()) == sorted(
        arm["file"].removeprefix("arms/") for arm in document["arms"]
    )
    for arm in document["arms"]:
        held = (folder / "out" / arm["file"]).read_text().splitlines()
        at = [place[line] for line in held]
        assert at == sorted(at)
        assert len(set(at)) == len(at) == arm["records"] == 80
        assert not {5, 6, 7} & set(at)
        if arm["levels"]:
            score = np.mean([rows[i]["score"] for i in at])
            assert arm["measured"]["label_mean:field=score"] == pytest.approx(score)


def test_levels_move_and_nothing_else_does(whole):
    _, _, _, document = whole
    assert document["schema"] == "triptych/design@1"
    assert [arm["name"] for arm in document["arms"][:2]] == ["b0-q0d0c0", "b0-q0d0c1"]
    assert len(arms_of(document)) == 18
    for name in "QC":
        low, high = document["factors"][name]["reached"]
        assert high - low == pytest.approx(document["gap"]["taken"], rel=0.1)
        assert high - low > 0.5
    asked = [row for row in document["balance"] if row["asked"]]
    assert {"tokens", "log length", "Q at one level", "source: web", "length bin 1 of 5"} <= {
        r["variable"] for r in asked
    }
    assert max(row["smd"] for row in asked) < 0.1
    assert document["equal"] == ["records", "tokens", "length"]
    assert document["condition_number"] < 1.3
    assert document["power"] == []
    left = {warning["text"] for warning in document["warnings"] if warning["code"] == "left_out"}
    assert left == {
        "1 records are left out: a defect.",
        "1 records are left out: no value of Q.",
        "1 records are left out: no value of C.",
    }


def test_narrow_arms_are_narrow_in_two_representations(whole):
    folder, _, _, document = whole
    rows = {row["arm"]: row for row in document["diversity"]}

    def of(code, label):
        return [rows[arm["name"]][label] for arm in arms_of(document, D=code)]

    for label in ("vendi", "tfidf_vendi:q=1"):
        assert max(of(-1, label)) < min(of(1, label))
    topics = {}
    for arm in arms_of(document):
        lines = (folder / "out" / arm["file"]).read_text().splitlines()
        topics[arm["name"]] = {json.loads(line)["topic"] for line in lines}
    assert all(len(topics[arm["name"]]) == 10 for arm in arms_of(document, D=1))
    narrow = {
        block: set.union(*(topics[a["name"]] for a in arms_of(document, D=-1) if a["block"] == block)) for block in "01"
    }
    assert all(len(found) <= 4 for found in narrow.values())
    assert not narrow["0"] & narrow["1"]


def test_random_and_longest_are_always_there(whole):
    folder, rows, _, document = whole
    beside = {arm["name"]: arm for arm in document["arms"] if not arm["levels"]}
    assert set(beside) == {"random", "longest"}
    lengths = [
        len(json.loads(line)["response"].split())
        for line in (folder / "out" / "arms" / "longest.jsonl").read_text().splitlines()
    ]
    assert np.mean(lengths) > 1.4 * np.mean([len(row["response"].split()) for row in rows])


def test_the_same_seed_gives_the_same_arms_and_another_seed_others(rows_of_pool, tmp_path):
    rows = rows_of_pool(400)
    first, again, other = (
        made(rows, tmp_path / name, levels="Q=score", seed=seed) for name, seed in (("a", 0), ("b", 0), ("c", 1))
    )
    for document in (first, again, other):
        del document["provenance"]
    assert first == again
    read = [(tmp_path / name / "arms" / "b0-q1.jsonl").read_bytes() for name in "abc"]
    assert read[0] == read[1] != read[2]


def test_data_draws_are_arms_of_their_own(rows_of_pool):
    document = made(rows_of_pool(400), levels="Q=score", draws=2, centre=0)
    assert {arm["name"] for arm in arms_of(document)} == {"b0-q0-s0", "b0-q0-s1", "b0-q1-s0", "b0-q1-s1"}
    assert {arm["data_seed"] for arm in document["arms"]} == {0, 1}


def test_rows_from_memory_are_written_as_json(rows_of_pool, tmp_path):
    rows = rows_of_pool(300)
    made(rows, tmp_path / "o", levels="Q=score")
    held = [json.loads(line) for line in (tmp_path / "o" / "arms" / "random.jsonl").read_text().splitlines()]
    assert all(row in rows for row in held)
    made(rows, tmp_path / "o", levels="C=effort")
    assert "b0-c0.jsonl" in {path.name for path in (tmp_path / "o" / "arms").iterdir()}
    assert not (tmp_path / "o" / "arms" / "b0-q0.jsonl").exists()
    (tmp_path / "o" / "mine.txt").write_text("keep")
    with pytest.raises(OutputError, match=r"mine\.txt"):
        made(rows, tmp_path / "o", levels="Q=score")


def test_given_levels_are_reached(rows_of_pool):
    document = made(rows_of_pool(600), levels="Q=score:value:-0.4,value:0.4,C=effort:.4,.6")
    assert document["factors"]["Q"]["reached"] == pytest.approx([-0.4, 0.4], abs=0.03)
    assert document["factors"]["C"]["reached"] == pytest.approx(document["factors"]["C"]["levels"], abs=0.03)


def test_levels_that_are_too_far_name_the_limit_and_the_nearest(rows_of_pool):
    with pytest.raises(SpecError, match="not separable in this pool") as caught:
        made(rows_of_pool(300), levels="Q=score:value:-2,value:2")
    assert "what binds" in str(caught.value)
    assert "try:  --levels Q=score:value:" in str(caught.value)


def test_a_source_that_decides_quality_is_the_limit(rows_of_pool):
    rows = rows_of_pool(300, origin=lambda index, row, rng: "good" if row["score"] > 0 else "bad")
    for row in rows:
        row["score"] = 1.0 if row["origin"] == "good" else 0.0
    with pytest.raises(SpecError, match="what binds: origin"):
        made(rows, levels="Q=score")


def test_complexity_that_is_length_gives_two_designs(rows_of_pool):
    document = made(rows_of_pool(500), levels="Q=score,C=length", budget=50)
    parts = {part["title"]: part for part in document["designs"]}
    assert list(parts) == ["equal records", "equal tokens"]
    arms = {arm["name"]: arm for arm in document["arms"]}
    records, tokens = ([arms[name] for name in parts[title]["arms"]] for title in parts)
    assert {arm["records"] for arm in records} == {50}
    total = [arm["tokens"] for arm in tokens]
    assert max(total) - min(total) < 1.5 * np.mean(total) / 50, "within about one record"
    by_level = {code: {arm["records"] for arm in tokens if arm["levels"]["C"] == code} for code in (-1, 1)}
    assert min(by_level[-1]) > max(by_level[1])
    assert "complexity_is_length" in {warning["code"] for warning in document["warnings"]}


def test_one_answer_to_a_prompt(rows_of_pool, tmp_path):
    rows = rows_of_pool(600)
    for index, row in enumerate(rows):
        row["prompt"] = f"Question {index // 3}?"
    made(rows, tmp_path / "o", levels="Q=score", budget=60)
    for path in (tmp_path / "o" / "arms").glob("b0*.jsonl"):
        prompts = [json.loads(line)["prompt"] for line in path.read_text().splitlines()]
        assert len(set(prompts)) == len(prompts) == 60


def test_a_token_budget(rows_of_pool):
    document = made(rows_of_pool(600), levels="Q=score", budget="2000 tokens")
    assert all(abs(arm["tokens"] - 2000) < 60 for arm in document["arms"])


@pytest.mark.parametrize(
    ("levels", "budget", "error", "said"),
    [
        ("Q=scor", 40, SchemaError, "try:  Q=score"),
        ("C=reasoning_step", 40, SchemaError, "try:  C=reasoning_steps"),
        ("Q=same", 40, SchemaError, "the same for all"),
        ("Q=topic", 40, SchemaError, "something else than numbers"),
        ("D=topik", 40, SchemaError, "try:  D=topic"),
        ("Q=score", 200, SpecError, "too small"),
        ("Q=score,D=topic:2,10", 120, SpecError, "--budget"),
        ("Q=score,D=same:2,10", 40, SchemaError, "too few kinds"),
        ("Z=score", 40, UsageError, "Z=score"),
    ],
)
def test_one_clear_message(rows_of_pool, tmp_path, levels, budget, error, said):
    rows = rows_of_pool(300, same=lambda *_: 1.0)
    with pytest.raises(error) as caught:
        made(rows, tmp_path / "o", levels=levels, budget=budget)
    assert said in str(caught.value)
    assert not (tmp_path / "o" / "design.json").exists()


def test_a_pool_whose_rows_give_several_records_is_refused():
    rows = [{"prompt": f"a {i}", "chosen": f"x {i}", "rejected": f"y {i}"} for i in range(20)]
    with pytest.raises(InputError, match="several records"):
        made(rows, levels="Q=preference")


def test_power_from_a_pilot(rows_of_pool, tmp_path):
    rng = np.random.default_rng(0)
    runs = [
        {
            "schema": "triptych/run@1",
            "run": f"{arm}{seed}",
            "arm": arm,
            "levels": {"Q": level},
            "block": "0",
            "data_seed": 0,
        }
        | {"seed": seed, "trainer": {}, "status": "done", "data": {"records": 40, "tokens": 900}}
        | {"panels": {"id": {"mean": 0.5, "n": 4, "missing": 0, "items": rng.random(4).round(3).tolist()}}}
        for arm, level in (("low", -1), ("high", 1))
        for seed in range(4)
    ]
    pilot = tmp_path / "runs.jsonl"
    pilot.write_text("".join(json.dumps(run) + "\n" for run in runs))
    document = made(rows_of_pool(300), levels="Q=score", pilot=pilot, blocks=2)
    assert {(row["panel"], row["seeds"]) for row in document["power"]} == {("id", 1), ("id", 3), ("id", 5)}
    found = {row["seeds"]: row["mde"] for row in document["power"]}
    assert found[5] < found[3] < found[1]
    pilot.write_text("")
    with pytest.raises(InputError, match="no finished run"):
        made(rows_of_pool(300), levels="Q=score", pilot=pilot)
