"""`triptych solve`: rows verbatim with what a student can do beside them, as from Python, and as a design reads them."""

from __future__ import annotations

import json
import math
import subprocess
import sys

import numpy as np
import pytest
from typer.testing import CliRunner

from triptych import api
from triptych.cli.app import app
from triptych.core.errors import InputError, OutputError, SchemaError, SpecError, TriptychError, UsageError
from triptych.core.rng import stream
from triptych.core.spec import Spec
from triptych.studies.trainers import registry
from triptych.studies.trainers.trainer import Cost, Model, ModelTrainer


class Knowing(Model):
    """Right with the probability that ends the prompt; each character of a response costs a nat."""

    def generate(self, prompts, *, temperature=0.0, max_tokens=None, seed=0, min_p=0.0):
        draws = stream("knowing", seed).random(len(prompts))
        return [p.split()[0] if d < float(p.split()[-1]) else "?" for p, d in zip(prompts, draws, strict=True)]

    def log_likelihood(self, examples):
        return np.array([(-2.0 * len(item.response), 2.0) for item in examples])

    def save(self, folder):
        raise OSError(folder)


class Known(ModelTrainer):
    name = "known"

    @property
    def spec(self):
        return Spec("known", {"by": "heart"})

    def base(self):
        return Knowing()

    def train(self, data, seed, start=None):
        return Knowing(), Cost(0.0), {}

    def load(self, folder):
        return Knowing()


@pytest.fixture
def known(monkeypatch):
    """The name of a student whose probabilities are known."""
    parse = registry.parse_trainer
    monkeypatch.setattr(
        "triptych.studies.solve.parse_trainer", lambda text: Known() if text == "known" else parse(text)
    )
    return "known"


def lines_of(n):
    """Rows as text: keys in odd order, odd spaces, odd numbers."""
    chances = [0.0, 0.25, 0.5, 0.75, 1.0]
    return [
        f'{{ "level":1.50,"prompt": "w{i} caf\\u00e9 {chances[i % 5]}", "response":"w{i}",  "n":[1e3] }} '
        for i in range(n)
    ]


def write(path, lines):
    path.write_text("".join(line + "\n" for line in lines))
    return path


def solved(folder):
    return [json.loads(line) for line in (folder / "solved.jsonl").read_text().splitlines()]


def test_rows_are_verbatim_and_numbers_are_the_models(known, tmp_path):
    lines = lines_of(200)
    data = write(tmp_path / "data.jsonl", lines)
    told = api.solve(data, student=known, out=tmp_path / "out", samples=8)
    written = (tmp_path / "out" / "solved.jsonl").read_text().splitlines()
    for before, after in zip(lines, written, strict=True):
        assert after.startswith(before.rstrip(" }"))
        row = json.loads(after)
        rest = {name: row.pop(name) for name in ("solve_rate", "surprisal")}
        assert row == json.loads(before)
        assert rest["surprisal"] == len(row["response"])
        assert (rest["solve_rate"] * 8).is_integer()
    rows = solved(tmp_path / "out")
    assert {row["solve_rate"] for row in rows[::5]} == {0.0}
    assert {row["solve_rate"] for row in rows[4::5]} == {1.0}
    mean = told["solve_rate"]
    assert mean["mean"] == pytest.approx(np.mean([row["solve_rate"] for row in rows]))
    assert mean["lo"] < 0.5 < mean["hi"]
    assert 0.5 * 4 * math.sqrt(0.135 / 200) < mean["hi"] - mean["lo"] < 2 * 4 * math.sqrt(0.135 / 200)
    assert told["mean_score"] == pytest.approx(mean["mean"])
    assert told["ungraded"] == {"records": 0, "responses": 0, "first": None}
    assert told["cost"]["responses"] == 1600
    assert told["student"]["params"] == {"by": "heart"}
    assert json.loads((tmp_path / "out" / "solve.json").read_text()) == told
    assert (told["schema"], told["warnings"]) == ("triptych/solve@1", [])


def test_other_sources_give_rows_too(known, tmp_path):
    rows = [json.loads(line) for line in lines_of(6)]
    csv = tmp_path / "data.csv"
    csv.write_text("prompt,response\n" + "".join(f"{row['prompt']},{row['response']}\n" for row in rows))
    api.solve(csv, student=known, out=tmp_path / "csv", limit=4)
    assert [(row["prompt"], row["surprisal"]) for row in solved(tmp_path / "csv")] == [
        (row["prompt"], 2.0) for row in rows[:4]
    ]
    api.solve(rows, student=known, out=tmp_path / "memory")
    assert [{**row, "solve_rate": 0, "surprisal": 0} for row in solved(tmp_path / "memory")] == [
        {**row, "solve_rate": 0, "surprisal": 0} for row in rows
    ]
    turns = [[{"role": "user", "content": f"yes {p}"}, {"role": "assistant", "content": "yes"}] for p in (0.0, 1.0)]
    bare = write(tmp_path / "bare.jsonl", map(json.dumps, turns))
    api.solve(bare, student=known, out=tmp_path / "bare")
    assert solved(tmp_path / "bare") == [
        {"messages": turn, "solve_rate": rate, "surprisal": 3.0} for turn, rate in zip(turns, (0.0, 1.0), strict=True)
    ]


def test_what_is_not_graded_is_null_and_counted(known, tmp_path, monkeypatch):
    (tmp_path / "odd_checks.py").write_text(
        "def check(row, said):\n    return None if 'w1 ' in row['prompt'] else 0.5\n"
    )
    monkeypatch.chdir(tmp_path)
    rows = [{"prompt": f"w{i} 1.0", "response": "" if i == 2 else "w"} for i in range(4)]
    told = api.solve(rows, student=known, out=tmp_path / "o", scorer="verifier:odd_checks:check", samples=2)
    assert [row["solve_rate"] for row in solved(tmp_path / "o")] == [0.0, None, 0.0, 0.0]
    assert [row["surprisal"] for row in solved(tmp_path / "o")] == [1.0, 1.0, None, 1.0]
    assert told["ungraded"] == {"records": 1, "responses": 2, "first": "item 2: None"}
    assert told["mean_score"] == 0.5
    assert [warning["code"] for warning in told["warnings"]] == ["constant"]
    assert (told["solve_rate"]["records"], told["surprisal"]["records"]) == (3, 3)
    assert told["solve_rate"]["lo"] is None
    assert "too few" in told["solve_rate"]["no_interval"]
    with pytest.raises(TriptychError, match="gave no score for any response to 1 prompts"):
        api.solve(rows[1:2], student=known, out=tmp_path / "none", scorer="verifier:odd_checks:check")
    assert list((tmp_path / "none").iterdir()) == []


def test_a_scorer_that_fails_does_so_after_one_sample(known, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(
        Knowing, "generate", lambda self, prompts, **more: asked.append(len(prompts)) or ["?"] * len(prompts)
    )
    scorer = f"command:{sys.executable} -c \"import sys; sys.exit('the judge is asleep')\""
    with pytest.raises(TriptychError, match="the judge is asleep"):
        api.solve([{"prompt": "p 1", "response": "r"}], student=known, out=tmp_path / "o", scorer=scorer)
    assert asked == [1]
    assert list((tmp_path / "o").iterdir()) == []


def test_a_design_reads_solve_rates_from_easy_to_hard(known, tmp_path, monkeypatch):
    rng = stream("test", "solve")
    words = [f"word{i}" for i in range(60)]
    rows = [
        {
            "prompt": f"w{i} {rng.choice([0.0, 0.3, 0.6, 1.0])}",
            "response": " ".join(["w", *rng.choice(words, 12)]) + ".",
        }
        for i in range(300)
    ]
    (tmp_path / "checks_first.py").write_text("def check(row, said):\n    return said != '?'\n")
    monkeypatch.chdir(tmp_path)
    api.solve(rows, student=known, out=tmp_path / "o", scorer="verifier:checks_first:check")
    pool = tmp_path / "o" / "solved.jsonl"
    given = {"budget": 40, "options": {"blocks": 1}, "workers": 1, "cache": False}
    made = api.design(pool, levels="C=solve_rate:value:.7,value:.3", out=tmp_path / "d", **given)
    factor = made["factors"]["C"]
    assert factor["levels"] == pytest.approx([0.7, 0.3])
    assert factor["reached"] == pytest.approx([0.7, 0.3], abs=0.02)
    for arm in made["arms"]:
        if arm["levels"].get("C"):
            mine = [json.loads(line) for line in (tmp_path / "d" / arm["file"]).read_text().splitlines()]
            assert np.mean([row["solve_rate"] for row in mine]) == pytest.approx(
                {-1: 0.7, 1: 0.3}[arm["levels"]["C"]], abs=0.02
            )
    quantiles = api.design(pool, levels="C=solve_rate:.6,.3", **given)["factors"]["C"]
    assert quantiles["reached"][0] > quantiles["reached"][1]
    with pytest.raises(SpecError, match=r"try:  --levels C=solve_rate:value:0\.8\d*,value:0\.0\d+"):
        api.design(pool, levels="C=solve_rate:value:3,value:-3", **given)


@pytest.mark.parametrize(
    ("rows", "given", "error", "says"),
    [
        (None, {"student": "probe"}, UsageError, "the trainer probe has no model that can be asked"),
        (None, {"student": "command:true"}, UsageError, "the trainer command has no model that can be asked"),
        (None, {"student": "tiny"}, UsageError, "try:  tiny:start=FOLDER"),
        (None, {"student": "tinny"}, SpecError, "try:  tiny"),
        (None, {"student": ""}, UsageError, "no student is named"),
        (None, {"scorer": "exat"}, SpecError, "try:  exact"),
        (None, {"scorer": "loglik"}, SpecError, "loglik grades no responses"),
        (None, {"scorer": "verifier"}, SchemaError, "records: item 1 names no world"),
        (None, {"samples": 0}, SpecError, "samples is out of range"),
        (None, {"sample": 2}, UsageError, "try:  samples"),
        (None, {"limit": 0}, InputError, "limit"),
        ([{"prompt": "p 1"}], {}, SchemaError, "item 1 has no reference, which exact compares with"),
        ([{"text": "only text"}], {}, SchemaError, "no prompts to ask"),
        ([{"prompt": "p 1", "response": "r", "surprisal": 3}], {}, SchemaError, 'a field "surprisal" already'),
    ],
)
def test_bad_input(known, tmp_path, rows, given, error, says):
    pytest.importorskip("torch", reason="tiny and probe need triptych[torch]")
    rows = rows or [{"prompt": "p 1", "response": "r"}]
    with pytest.raises(error) as caught:
        api.solve(rows, **{"student": known, "out": tmp_path / "o", **given})
    assert says in str(caught.value)
    assert not list((tmp_path / "o").glob("*"))


def test_a_folder_of_other_things_is_left_alone(known, tmp_path):
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(OutputError, match=r"mine\.txt"):
        api.solve([{"prompt": "p 1", "response": "r"}], student=known, out=tmp_path)


def invoke(*arguments):
    return CliRunner().invoke(app, ["solve", *map(str, arguments)])


def test_plan_tables_and_json(known, tmp_path):
    data = write(tmp_path / "data.jsonl", lines_of(120))
    asked = (data, "--student", known, "-o", tmp_path / "o", "--limit", 50)
    planned = invoke(*asked, "--plan", "--samples", 2)
    assert planned.exit_code == 0, planned.output
    assert "about 50 prompts, 100 responses: 2 to each prompt at temperature 0.8, graded by exact" in planned.stdout
    assert not (tmp_path / "o").exists()
    assert "about 120 prompts, 480 responses" in invoke(data, "--student", known, "--plan").stdout
    shown = invoke(*asked)
    assert shown.exit_code == 0, shown.output
    for words in ("50 records, 200 responses", "solve rate: 0.", "nats per token", "solved.jsonl"):
        assert words in shown.stdout
    printed = json.loads(invoke(*asked, "--json").stdout)
    document = api.solve(data, student=known, limit=50)
    for one in (printed, document):
        del one["cost"]["seconds"]
    assert printed == document


def test_the_command_asks_a_tiny_student(tmp_path):
    pytest.importorskip("torch", reason="the tiny trainer needs triptych[torch]")
    from triptych.studies.trainers.tiny import Tiny
    from triptych.studies.trainers.trainer import Example

    rows = [{"prompt": f"say {w}", "response": w, "world": "none"} for w in ("one", "two", "three")] * 4
    examples = [Example(row["prompt"], row["response"]) for row in rows]
    trainer = Tiny(width=16, heads=2, steps=40, device="cpu").prepare(f"{e.prompt} {e.response}" for e in examples)
    trainer.train(examples, 0)[0].save(tmp_path / "student")
    data = write(tmp_path / "data.jsonl", map(json.dumps, rows))
    command = [sys.executable, "-m", "triptych.cli", "solve", str(data), "-o", str(tmp_path / "o"), "--json"]
    named = f"tiny:start={tmp_path / 'student'},device=cpu"
    done = subprocess.run([*command, "--student", named], check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert str(tmp_path) not in json.dumps(told["student"])
    assert told == json.loads((tmp_path / "o" / "solve.json").read_text())
    assert told["solve_rate"]["mean"] > 0.5
    assert len(solved(tmp_path / "o")) == 12
    failed = subprocess.run([*command, "--student", "tiny"], check=False, capture_output=True, text=True, timeout=120)
    assert failed.returncode == 2
    assert "no model before training" in failed.stderr
    assert "Traceback" not in failed.stderr
