"""`triptych audit`: the artifact of the API, exit codes, and what is printed."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from triptych import api
from triptych.core.rng import stream


def run(*arguments):
    command = [sys.executable, "-m", "triptych.cli", *map(str, arguments)]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)


@pytest.fixture
def data(tmp_path):
    rng = stream("audit cli")
    lines = []
    for at in range(150):
        truth = rng.normal()
        row = {"prompt": f"Question {at}?", "response": "word " * int(rng.integers(1, 30)), "gold": int(truth > 0)}
        lines.append(json.dumps({**row, "judge": truth + 0.3 * rng.normal() if at != 7 else "8/10"}))
    path = tmp_path / "scored.jsonl"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_the_command_line_gives_the_artifact_of_the_api(data, tmp_path):
    done = run("audit", data, "--scorer", "judge", "--gold", "gold", "-o", tmp_path / "cli", "--json")
    assert done.returncode == 0, done.stderr
    printed = json.loads(done.stdout)
    made = api.audit(str(data), scorer="judge", gold="gold", out=tmp_path / "api")
    assert json.loads((tmp_path / "cli" / "audit.json").read_text()) == printed
    assert json.loads((tmp_path / "api" / "audit.json").read_text()) == made
    for one in (printed, made):
        del one["provenance"]
    assert printed == made
    assert sorted(path.name for path in (tmp_path / "cli").iterdir()) == ["audit.json", "report.html"]
    assert printed["schema"] == "triptych/audit@1"


def test_what_is_printed(data, tmp_path):
    done = run("audit", data, "--scorer", "judge,@length", "--gold", "gold", "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert "judge: usable" in done.stdout
    assert "first 8/10" in " ".join(done.stdout.split())
    assert "scored.jsonl:8" in done.stdout
    assert f"report: {tmp_path / 'out' / 'report.html'}" in done.stdout


def test_plan(data, tmp_path):
    done = run("audit", data, "--scorer", "judge", "--plan", "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert "gold: none" in done.stdout
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("more", "text"),
    [(("--scorer", "jugde"), "--scorer judge"), (("--scorer", "judge", "--gold", "judge"), "with itself")],
)
def test_bad_usage_is_one_message_and_exit_2(data, tmp_path, more, text):
    done = run("audit", data, "-o", tmp_path / "out", *more)
    assert done.returncode == 2
    assert text in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()
