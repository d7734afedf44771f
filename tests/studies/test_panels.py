"""Panels: how they are read, and how each scorer scores."""

from __future__ import annotations

import json
import pickle
import sys

import numpy as np
import pytest

from triptych.core.errors import ReadError, SchemaError, SpecError, TriptychError
from triptych.core.script import Script
from triptych.core.spec import Spec
from triptych.studies.panels import (
    CommandScorer,
    Exact,
    LogLikelihood,
    ScoredPanel,
    UserVerifier,
    WorldVerifier,
    panel_kind,
    parse_scorer,
    read_examples,
    read_panel,
)
from triptych.studies.trainers.trainer import Cost, Example, Model, ModelTrainer

ITEMS = tuple(Example(f"say {word}", word, {"word": word}) for word in ("one", "two", "three"))


class Saying(Model):
    """A model that says what it is told to, in the order of the prompts it is asked."""

    def __init__(self, replies=(), likelihoods=()):
        self.replies, self.likelihoods, self.asked = list(replies), likelihoods, []

    def generate(self, prompts, *, temperature=0.0, max_tokens=None, seed=0, min_p=0.0):
        self.asked.append((list(prompts), temperature))
        return self.replies

    def log_likelihood(self, examples):
        return np.array(self.likelihoods, dtype=np.float64)

    def save(self, folder):
        raise NotImplementedError


def script(tmp_path, body):
    path = tmp_path / "scorer.py"
    path.write_text("import json, sys\nlines = [json.loads(line) for line in sys.stdin]\n" + body)
    return CommandScorer(Script.parse(f"{sys.executable} {path}"), timeout=30)


def test_exact_ignores_white_space_only():
    model = Saying(["one", " two\n", "Three"])
    assert ScoredPanel("id", ITEMS).score(model, 0).tolist() == [1, 1, 0]
    assert model.asked == [(["say one", "say two", "say three"], 0.0)]


def test_loglik_is_a_mean_per_token():
    panel = ScoredPanel("id", ITEMS, LogLikelihood())
    scores, notes = panel.scored(Saying(likelihoods=[(-6, 3), (-1, 2), (0, 0)]), 0)
    assert scores[:2].tolist() == [-2, -0.5]
    assert np.isnan(scores[2])
    assert notes == {"scorer": "loglik", "missing": 1, "first_missing": "item 3: nan"}


def test_a_world_grades_its_own_rows():
    from triptych.worlds.registry import load_world

    world = load_world("programs")
    rows = world.panels("a", 0, 4, 3)["id"]
    examples = tuple(Example(row["prompt"], row["response"], row) for row in rows)
    panel = ScoredPanel("id", examples, WorldVerifier())
    said = [row["response"] for row in rows[:3]] + ["nonsense"]
    scores = panel.score(Saying(said), 0)
    assert scores[:3].tolist() == [1, 1, 1]
    assert scores[3] == world.grade(rows[3], "nonsense") < 1
    with pytest.raises(SchemaError, match="item 1 names no world"):
        ScoredPanel("id", ITEMS, WorldVerifier())


def test_a_verifier_of_the_users(tmp_path, monkeypatch):
    (tmp_path / "my_checks.py").write_text(
        "def half(row, response):\n"
        "    if row['word'] == 'three':\n        raise KeyError('no three')\n"
        "    return 0.5 if response == row['word'] == row['response'] else 'wrong'\n"
        "def bad(row, response):\n    return 7\n"
    )
    monkeypatch.chdir(tmp_path)
    before = list(sys.path)
    panel = ScoredPanel("ood", ITEMS, parse_scorer("verifier:my_checks:half"))
    scores, notes = panel.scored(Saying(["one", "no", "three"]), 0)
    assert sys.path == before
    assert scores[0] == 0.5
    assert np.isnan(scores[1:]).all()
    assert notes == {"scorer": "verifier:my_checks:half", "missing": 2, "first_missing": "item 2: 'wrong'"}
    with pytest.raises(TriptychError, match=r'panel "ood": verifier:my_checks:bad gave no score for any of 3 items'):
        ScoredPanel("ood", ITEMS, parse_scorer("verifier:my_checks:bad")).score(Saying(["a", "b", "c"]), 0)
    with pytest.raises(SpecError) as error:
        parse_scorer("verifier:my_checks:hal")
    assert "try:  verifier:my_checks:half" in str(error.value)
    with pytest.raises(SpecError, match="cannot be imported"):
        UserVerifier("no_such_module_here:f")
    with pytest.raises(SpecError, match="no function is named"):
        UserVerifier("justamodule")
    monkeypatch.delitem(sys.modules, "my_checks")


def test_a_script_scores(tmp_path):
    body = "for x in lines: print(json.dumps(len(x['response']) + len(x['reference']) + len(x['row']['word'])))\n"
    scores, notes = ScoredPanel("id", ITEMS, script(tmp_path, body)).scored(Saying(["a", "b", "c"]), 0)
    assert (scores.tolist(), notes) == ([7, 7, 11], {})


def test_a_script_may_answer_by_id_in_any_order(tmp_path):
    body = "print('loading')\nfor x in lines[::-1][:2]: print(json.dumps({'id': x['id'], 'score': x['id'] / 2}))\n"
    scores, notes = ScoredPanel("id", ITEMS, script(tmp_path, body)).scored(Saying("abc"), 0)
    assert np.isnan(scores[0])
    assert scores[1:].tolist() == [0.5, 1]
    assert notes["first_missing"] == "item 1: no line for item 0"


def test_nonsense_of_a_script_is_missing_never_zero(tmp_path):
    body = "print('oops')\nprint('NaN')\nprint(json.dumps({'score': True}))\n"
    scores, notes = ScoredPanel("id", ITEMS, script(tmp_path, body)).scored(Saying("abc"), 0)
    assert np.isnan(scores[:2]).all()
    assert scores[2] == 1
    assert (notes["missing"], notes["first_missing"]) == (2, "item 1: oops")


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("for x in lines: print('what?')\n", "gave no score for any of 3 items"),
        ("print(1)\n", "1 lines; the last: 1"),
        ("", "0 lines; the last: none"),
        ("sys.exit('the judge is asleep')\n", "the judge is asleep"),
        ("import time\ntime.sleep(60)\n", "longer than 1 seconds"),
    ],
)
def test_a_script_that_fails_fails_the_run(tmp_path, body, says):
    scorer = CommandScorer(script(tmp_path, body).script, timeout=1 if "sleep" in body else 30)
    with pytest.raises(TriptychError) as error:
        ScoredPanel("id", ITEMS, scorer).score(Saying("abc"), 0)
    assert says in str(error.value)


class Constant(ModelTrainer):
    name = "constant"

    @property
    def spec(self):
        return Spec("constant", {})

    def train(self, data, seed, start=None):
        return Saying(["one", "x", "y"]), Cost(0.0, 3, 4), {"loss": 1.0}

    def load(self, folder):
        raise NotImplementedError


def test_a_run_keeps_what_the_scorers_say(tmp_path):
    panels = [ScoredPanel("id", ITEMS), ScoredPanel("ood", ITEMS, script(tmp_path, "print(1)\nprint('?')\nprint(0)\n"))]
    outcome = Constant().run([], panels, 0)
    assert outcome.items["id"].tolist() == [1, 0, 0]
    assert outcome.notes["loss"] == 1.0
    assert outcome.notes["panels"].keys() == {"ood"}
    assert outcome.notes["panels"]["ood"]["missing"] == 1


def test_reading_keeps_the_whole_row(tmp_path):
    rows = [{"instruction": "p", "output": "r", "depth": 3}, {"instruction": "q", "output": "s", "extra": [1]}]
    path = tmp_path / "test,one.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    panel = read_panel(f"id={path}")
    assert panel.examples == (Example("p", "r", rows[0]), Example("q", "s", rows[1]))
    assert (panel.name, panel.scorer, panel.kind) == ("id", Exact(), "id")
    assert read_panel(f"deeper={path},loglik").scorer == LogLikelihood()
    assert read_panel(f"deeper={path}, loglik").kind == "ood"
    assert pickle.loads(pickle.dumps(panel)) == panel
    assert [example.row for example in read_examples(rows)] == rows


def test_reading_other_kinds(tmp_path):
    csv = tmp_path / "test.csv"
    csv.write_text("prompt,response,level\np,r,1\n\nq,s,2\n")
    assert [example.row["level"] for example in read_examples(csv)] == ["1", "2"]
    turns = [{"role": "user", "content": "p"}, {"role": "assistant", "content": "r"}]
    assert read_examples([{"messages": turns, "level": 1}])[0] == Example("p", "r", {"messages": turns, "level": 1})


def test_a_command_scorer_is_found_after_a_comma(tmp_path):
    path = tmp_path / "test.jsonl"
    path.write_text('{"prompt": "p", "response": "r"}\n')
    panel = read_panel(f"id={path},command:score.py --a 1,2")
    assert panel.scorer == CommandScorer(Script.parse("score.py --a 1,2"))
    assert panel.scorer.text == "command:score.py --a 1,2"


@pytest.mark.parametrize(
    ("text", "error", "says"),
    [
        ("{}", SpecError, "NAME=FILE[,SCORER]"),
        ("={}", SpecError, "NAME=FILE[,SCORER]"),
        ("id={},exat", SpecError, "try:  exact"),
        ("id={},loglik:2", SpecError, "no scorer is named"),
        ("id={},verifier", SchemaError, "names no world"),
        ("id={}.gone", ReadError, "no such file"),
        ("id={},command:", SpecError, "no command is named"),
        ("id={},command:a 'b", SpecError, "No closing quotation"),
    ],
)
def test_bad_panels(tmp_path, text, error, says):
    path = tmp_path / "test.jsonl"
    path.write_text('{"prompt": "p", "response": "r"}\n')
    with pytest.raises(error) as caught:
        read_panel(text.format(path))
    assert says in str(caught.value)


def test_items_without_what_the_scorer_reads(tmp_path):
    path = tmp_path / "prompts.jsonl"
    path.write_text('{"prompt": "p"}\n{"prompt": "q"}\n')
    with pytest.raises(SchemaError, match='panel "id": item 1 has no reference'):
        read_panel(f"id={path}")
    assert len(read_panel(f"id={path},command:score.py").examples) == 2
    with pytest.raises(SchemaError, match="has no items"):
        ScoredPanel("id", ())
    pairs = [{"prompt": "p", "chosen": "a", "rejected": "b"}]
    with pytest.raises(SchemaError, match="several records"):
        read_examples(pairs)


def test_what_is_in_distribution():
    names = ("id", "ID", "id-easy", "id_2", "id2", "ideas", "ood", "compositions", "paraphrase")
    assert [panel_kind(name) for name in names] == ["id"] * 5 + ["ood"] * 4
