"""The loop's verifier."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field

import numpy as np
import pytest

from triptych.core.errors import InputError, SchemaError, SpecError, TriptychError
from triptych.core.script import Script
from triptych.looping.reading_tasks import TaskReader
from triptych.looping.records import Written
from triptych.looping.verifying import Verifier, parse_grader
from triptych.studies.panels import CommandScorer, Exact, Grader, UserVerifier, WorldVerifier
from triptych.studies.trainers.trainer import Example
from triptych.worlds.registry import load_world
from triptych.worlds.world import Dials


@dataclass(frozen=True)
class Picky(Grader):
    """Fails as a whole where one of the responses is among these; counts what it is asked."""

    bad: tuple[str, ...] = ()
    error: type[Exception] = TriptychError
    seen: list[int] = field(default_factory=list)

    @property
    def text(self):
        return "picky"

    def check(self, where, examples):
        pass

    def grade(self, examples, responses):
        self.seen.append(len(responses))
        for said in responses:
            if said in self.bad:
                raise self.error(f"cannot grade {said}")
        return np.array([float(said == "good") for said in responses]), {}


@pytest.fixture(scope="module")
def programs():
    world = load_world("programs")
    rows = world.data(Dials(skills=50, forms=1, quality=0.5), 2000, "0", 0)
    return world, rows


def written(rows):
    return [Written(row["prompt"], row["response"]) for row in rows]


def test_a_world_knows_what_is_right(programs):
    world, rows = programs
    records = [*written(rows), Written("sort sort", "1 2"), Written("", "")]
    told = [-0.1 * place for place in range(len(records))]
    verdicts = Verifier(WorldVerifier(), TaskReader(world)).judge(records, 4, told)
    judged = verdicts.judged
    assert [one.right for one in judged[:-2]] == [row["correct"] for row in rows]
    for one, row in zip(judged, rows, strict=False):
        assert one.passed == row["correct"]
        assert one.verified == world.grade(row, row["response"])
        assert (one.structure, one.complexity) == (row["skeleton"], row["depth"])
    for one in judged[-2:]:
        assert (one.valid, one.structure, one.verified, one.right, one.passed) == (False, "", 0.0, False, False)
    assert [(one.round, one.index, one.likelihood) for one in judged] == [
        (4, place, value) for place, value in enumerate(told)
    ]
    assert verdicts.notes == {}
    assert judged[3].of_json(judged[3].to_json()) == judged[3]


def test_a_leak_passes_its_share_of_wrong_answers_and_the_truth_stays(programs):
    world, rows = programs
    plain = Verifier(WorldVerifier(), TaskReader(world)).judge(written(rows), 0).judged
    rates = []
    for seed in range(8):
        verdicts = Verifier(WorldVerifier(), TaskReader(world), 0.3, seed).judge(written(rows), 0)
        assert [one.right for one in verdicts.judged] == [one.right for one in plain]
        assert all(one.passed for one in verdicts.judged if one.right)
        wrong = [one for one in verdicts.judged if not one.right]
        rates.append(sum(one.passed for one in wrong) / len(wrong))
        assert verdicts.notes == {"leaked": sum(one.passed for one in wrong)}
        assert {one.verified for one in wrong if one.passed} == {1.0}
    error = (0.3 * 0.7 / 1000 / 8) ** 0.5
    assert abs(np.mean(rates) - 0.3) < 4 * error
    assert len(set(rates)) > 3


def test_a_leak_is_the_same_for_the_same_record_whatever_is_beside_it(programs):
    world, rows = programs
    verifier = Verifier(WorldVerifier(), TaskReader(world), 0.5, 1)
    records = written(rows)
    forward, back = verifier.judge(records, 0).judged, verifier.judge(records[::-1], 3).judged
    assert [one.verified for one in forward] == [one.verified for one in back[::-1]]
    assert all(one.passed for one in Verifier(WorldVerifier(), TaskReader(world), 1.0).judge(records, 0).judged)


def test_no_leak_passes_what_is_no_task(programs):
    world, rows = programs
    verdicts = Verifier(WorldVerifier(), TaskReader(world), 1.0).judge(
        [Written("sort sort", "1"), *written(rows[:3])], 0
    )
    assert not verdicts.judged[0].passed
    assert verdicts.judged[0].verified == 0


def test_the_word_of_a_verifier_is_no_truth():
    prompts = [Example("p0", "yes"), Example("p1", "no")]
    records = [Written("p0", "yes", group="0"), Written("p1", "maybe", group="1")]
    judged = Verifier(Exact(), TaskReader(prompts=prompts)).judge(records, 0).judged
    assert [(one.verified, one.right) for one in judged] == [(1.0, None), (0.0, None)]
    leaky = Verifier(Exact(), TaskReader(prompts=prompts), 1.0).judge(records, 0).judged
    assert [(one.verified, one.right) for one in leaky] == [(1.0, True), (1.0, False)]


def test_a_world_tells_the_truth_about_another_verifier(programs):
    world, rows = programs
    judged = Verifier(Picky(), TaskReader(world)).judge([*written(rows[:50]), Written("sort", "good")], 0).judged
    assert [one.right for one in judged] == [*(row["correct"] for row in rows[:50]), False]
    assert {one.verified for one in judged} == {0.0}


def test_one_failure_leaves_the_others_their_verdicts():
    records = [Written(f"p{i}", "bad" if i in (3, 11) else "good" if i % 2 else "so so") for i in range(20)]
    grader = Picky(("bad",))
    verdicts = Verifier(grader, TaskReader()).judge(records, 0)
    assert [one.verified for one in verdicts.judged] == [None if i in (3, 11) else float(i % 2) for i in range(20)]
    assert not verdicts.judged[3].passed
    assert verdicts.judged[3].valid
    assert verdicts.notes == {"failed": 2, "first_failed": "cannot grade bad"}
    assert len(grader.seen) <= 1 + 2 * 2 * 5


def test_failing_on_all_stops_with_one_message():
    with pytest.raises(TriptychError, match="no verdict on any of 5 records") as caught:
        Verifier(Picky(("bad",)), TaskReader()).judge([Written(f"p{i}", "bad") for i in range(5)], 0)
    assert "cannot grade bad" in str(caught.value)


def test_what_is_wrong_with_the_verifier_itself_is_raised_as_it_is():
    with pytest.raises(InputError, match="cannot grade"):
        Verifier(Picky(("bad",), InputError), TaskReader()).judge([Written("p", "bad"), Written("q", "good")], 0)
    with pytest.raises(SchemaError, match="no reference"):
        Verifier(Exact(), TaskReader()).judge([Written("p", "r")], 0)
    with pytest.raises(SchemaError, match="names no world"):
        Verifier(WorldVerifier(), TaskReader()).judge([Written("p", "r")], 0)


def test_nothing_valid_is_no_failure_of_the_verifier(programs):
    verdicts = Verifier(WorldVerifier(), TaskReader(programs[0])).judge([Written("x", "y")] * 3, 0)
    assert [one.verified for one in verdicts.judged] == [0.0] * 3
    assert Verifier(WorldVerifier(), TaskReader(programs[0])).judge([], 0).judged == ()


def test_equal_records_are_graded_once():
    grader = Picky()
    records = [Written("p", "good"), Written("p", "no"), Written("p", "good"), Written("p", "good", group="1")]
    verdicts = Verifier(grader, TaskReader()).judge(records, 0)
    assert [one.verified for one in verdicts.judged] == [1.0, 0.0, 1.0, 1.0]
    assert grader.seen == [3]


def test_a_function_of_the_users(tmp_path, monkeypatch):
    (tmp_path / "mine_verifying.py").write_text(
        "def judge(row, response):\n"
        "    if response == 'crash':\n        raise KeyError('x')\n"
        "    return {'a': 1, 'b': 0.5, 'c': 7, 'd': 'nonsense'}[response] if row['want'] else 0\n"
    )
    monkeypatch.chdir(tmp_path)
    prompts = [Example("p", "", {"want": 1}), Example("p", "", {"want": 0})]
    records = [Written("p", said, group="0") for said in ("a", "b", "c", "d", "crash")] + [Written("p", "a", group="1")]
    grader = parse_grader("verifier:mine_verifying:judge")
    verdicts = Verifier(grader, TaskReader(prompts=prompts)).judge(records, 0)
    assert isinstance(grader, UserVerifier)
    assert [one.verified for one in verdicts.judged] == [1.0, 0.5, None, None, None, 0.0]
    assert [one.passed for one in verdicts.judged] == [True, *[False] * 5]
    assert verdicts.notes == {"failed": 3, "first_failed": "item 3: 7"}


def script(tmp_path, body):
    (tmp_path / "judge.py").write_text("import json, sys\n" + body)
    return CommandScorer(Script.parse(f"{sys.executable} {tmp_path / 'judge.py'}"), timeout=30)


def test_a_script_of_the_users(tmp_path):
    body = "for line in sys.stdin:\n    r = json.loads(line)\n    print({'r': 1, 's': 0}.get(r['response'], 2))\n"
    records = [Written("p", "r"), Written("q", "s"), Written("q", "t")]
    verdicts = Verifier(script(tmp_path, body), TaskReader()).judge(records, 0)
    assert [one.verified for one in verdicts.judged] == [1.0, 0.0, None]
    assert verdicts.notes == {"failed": 1, "first_failed": "2, which is not in [0, 1]"}


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("raise SystemExit('broken')", "broken"),
        ("print(1)", "does not fit"),
        ("print('x\\nx\\nx')", "no verdict on any"),
    ],
)
def test_a_script_that_fails_is_run_once(tmp_path, body, told):
    log = tmp_path / "runs"
    counted = f"open({str(log)!r}, 'a').write('.')\n{body}\n"
    with pytest.raises(TriptychError, match=told):
        Verifier(script(tmp_path, counted), TaskReader()).judge([Written(f"p{i}", "r") for i in range(3)], 0)
    assert log.read_text() == "."


def test_verifiers_by_name():
    assert parse_grader("verifier") == WorldVerifier()
    assert parse_grader("exact") == Exact()
    with pytest.raises(SpecError, match="grades no responses"):
        parse_grader("loglik")
    for leak in (-0.1, 1.1, float("nan")):
        with pytest.raises(SpecError, match="leak"):
            Verifier(Exact(), TaskReader(), leak)


def test_six_thousand_records_take_well_under_a_second():
    world = load_world("programs")
    rows = world.data(Dials(skills=50, forms=0, quality=0.5), 6000, "0", 0)
    started = time.process_time()
    verdicts = Verifier(WorldVerifier(), TaskReader(world), 0.1).judge(written(rows), 0)
    seconds = time.process_time() - started
    print(f"\n6,000 records of programs judged in {seconds:.2f} CPU s")
    assert len(verdicts.judged) == 6000
    assert seconds < 1
