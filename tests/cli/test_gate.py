"""`triptych gate`: the artifact of the API, exit codes, annotations, and the examples as they are shipped."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import typer.main

from triptych import api
from triptych.cli.app import app
from triptych.comparing.gate.rules import read_rules

EXAMPLES = Path(__file__).parents[2] / "examples"


def run(*arguments, **given):
    command = [sys.executable, "-m", "triptych.cli", *map(str, arguments)]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=120, **given)


@pytest.fixture
def sets(rows_of, tmp_path):
    """Data, the folder of a saved baseline, and the data with half of the answers cut off."""
    files = {}
    for name, rows in (("data", rows_of(120, "data")), ("base", rows_of(120, "base"))):
        files[name] = tmp_path / f"{name}.jsonl"
        files[name].write_text("".join(json.dumps(row) + "\n" for row in rows))
    broken = rows_of(120, "data")
    for row in broken[::2]:
        row["response"] = "The river moves near the coast, and so the market sells of"
    files["broken"] = tmp_path / "broken.jsonl"
    files["broken"].write_text("".join(json.dumps(row) + "\n" for row in broken))
    api.measure(str(files["base"]), out=tmp_path / "base", workers=1, measures=("valid_share", "tokens"))
    rules = tmp_path / "rules.toml"
    rules.write_text(
        '[[rule]]\nname = "valid: 5%, and\\nmore"\nmeasure = "valid_share"\nno_worse_than_baseline = true\n'
    )
    return files | {"folder": tmp_path / "base", "rules": rules}


def test_the_command_line_gives_the_artifact_of_the_api(sets, tmp_path):
    asked = ("gate", sets["data"], "--baseline", sets["folder"], "--workers", "1", "--no-cache", "--seed", "7")
    done = run(*asked, "-o", tmp_path / "cli", "--json")
    assert done.returncode == 0, done.stderr
    printed = json.loads(done.stdout)
    made = api.gate(str(sets["data"]), baseline=str(sets["folder"]), out=tmp_path / "api", workers=1, cache=False)
    document = json.loads((tmp_path / "api" / "gate.json").read_text())
    assert made == document
    assert json.loads((tmp_path / "cli" / "gate.json").read_text()) == printed
    for one in (printed, document):
        del one["provenance"]
    assert printed == document
    assert printed["schema"] == "triptych/gate@1"
    assert (tmp_path / "cli" / "gate.md").read_bytes() == (tmp_path / "api" / "gate.md").read_bytes()


def test_a_failure_is_exit_1_with_annotations_and_a_table(sets, tmp_path):
    asked = ("gate", sets["broken"], "--baseline", sets["folder"], "--rules", sets["rules"], "--workers", "1")
    done = run(*asked, "-o", tmp_path / "out", "--annotations", "github")
    assert done.returncode == 1
    assert "gate FAILED: regressed (valid_share)" in done.stdout
    error, notice = [line for line in done.stdout.splitlines() if line.startswith("::")]
    assert error.startswith("::error title=Triptych gate%3A valid%3A 5%25%2C and%0Amore::difference -0.5 [")
    assert notice.startswith("::notice title=Triptych gate failed%3A regressed::regressed (valid_share); 1 of 1 limit")
    text = (tmp_path / "out" / "gate.md").read_text()
    assert text.startswith("### Triptych gate failed: regressed\n")
    assert "| **fail** | `valid: 5%, and more` | 0.5 | 1 | -0.5 [" in text
    quiet = run(*asked, "-o", tmp_path / "out", "--json", "--annotations", "github")
    assert quiet.returncode == 1
    assert not json.loads(quiet.stdout)["passed"]
    assert error in quiet.stderr


def test_plan_and_standard_input(sets, tmp_path):
    planned = run("gate", sets["data"], "--baseline", sets["folder"], "--plan", "-o", tmp_path / "out")
    assert planned.returncode == 0, planned.stderr
    assert "baseline: base: saved profile with its features, 120 records" in planned.stdout
    assert "  valid_share: no_worse_than_baseline, at equal records" in planned.stdout
    assert not (tmp_path / "out").exists()
    asked = (
        "gate",
        "-",
        "--baseline",
        sets["folder"],
        "--rules",
        sets["rules"],
        "--workers",
        "1",
        "-o",
        tmp_path / "out",
    )
    done = run(*asked, input=sets["data"].read_text())
    assert done.returncode == 0, done.stderr
    assert "gate passed: " in done.stdout


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ((), "default rules compare"),
        (("--baseline", "nowhere"), "nowhere"),
        (("--rules", "nowhere.toml"), "no rules can be read"),
        (("--annotations", "gitlab"), "--annotations is not right"),
        (("--baseline", "-", "--limit", "0"), "the limit must be at least one row"),
    ],
)
def test_bad_usage_is_one_message_and_exit_2(sets, tmp_path, more, text):
    done = run("gate", sets["data"], "--no-cache", "--workers", "1", "-o", tmp_path / "out", *more)
    assert done.returncode == 2
    assert text in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_foreign_folder_is_not_touched(sets, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    done = run("gate", sets["data"], "--baseline", sets["folder"], "--no-cache", "-o", tmp_path / "mine")
    assert done.returncode == 2
    assert "holds something else" in done.stderr
    assert sorted(path.name for path in (tmp_path / "mine").iterdir()) == ["notes.txt"]


def test_the_example_rules_judge(sets, tmp_path):
    done = run(
        "gate", sets["data"], "--baseline", sets["folder"], "--rules", EXAMPLES / "rules.toml", "-o", tmp_path / "o"
    )
    assert done.returncode == 1, done.stderr
    document = json.loads((tmp_path / "o" / "gate.json").read_text())
    assert [one["rule"] for one in document["rules"] if one["fails"]] == ["enough records"]
    commented = [part.split("\n\n")[0] for part in (EXAMPLES / "rules.toml").read_text().split("# [[rule]]")[1:]]
    rules = [tomllib.loads(part.replace("\n# ", "\n")) for part in commented]
    assert [rule.get("by") for rule in rules] == ["task", None]
    assert read_rules(rules)[1].against == "benchmark.jsonl"


def test_the_example_workflow_calls_what_there_is():
    text = (EXAMPLES / "gate-workflow.yml").read_text()
    assert all(re.fullmatch(r"[\w./-]+@v\d+", use) for use in re.findall(r"uses: (\S+)", text))
    (command,) = re.findall(r"run: triptych gate (.+)", text)
    known = {option for param in typer.main.get_command(app).commands["gate"].params for option in param.opts}
    assert {word for word in command.split() if word.startswith("-")} <= known
    assert "$GITHUB_STEP_SUMMARY" in text
