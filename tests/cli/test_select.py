"""`triptych select`: the artifact of the API, printed and as JSON; messages and exit codes."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from triptych import api


def run(*arguments, **given):
    command = [sys.executable, "-m", "triptych.cli", *map(str, arguments)]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=120, **given)


@pytest.fixture
def data(rows_of, tmp_path):
    rows = [{**row, "id": f"r{i}", "source": "web" if i % 2 else "books"} for i, row in enumerate(rows_of(80))]
    rows[5]["response"] = "The river moves near the coast, and so the market sells of"
    file = tmp_path / "data.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def test_the_command_line_gives_the_artifact_of_the_api(data, tmp_path):
    (tmp_path / "keep.txt").write_text("r7\n")
    asked = ("select", data, "--budget", "20", "--policy", "longest", "--max", "source:web=6", "--by", "source")
    asked += ("--keep", tmp_path / "keep.txt", "--workers", "1", "--no-cache")
    done = run(*asked, "-o", tmp_path / "cli", "--json")
    assert done.returncode == 0, done.stderr
    printed = json.loads(done.stdout)
    options = {"max": "source:web=6", "by": "source", "keep": tmp_path / "keep.txt"}
    made = api.select(
        str(data), budget=20, policy="longest", out=tmp_path / "api", options=options, workers=1, cache=False
    )
    document = json.loads((tmp_path / "api" / "selection.json").read_text())
    assert made.document == document
    for one in (printed, document):
        del one["provenance"]
    assert printed == document
    for name in ("selected.jsonl", "selection.parquet"):
        assert (tmp_path / "cli" / name).read_bytes() == (tmp_path / "api" / name).read_bytes()


def test_tables_and_plan(data, tmp_path):
    asked = ("select", data, "--budget", "2k tokens", "--policy", "top_quality", "--no-cache", "-o", tmp_path / "out")
    planned = run(*asked, "--plan")
    assert planned.returncode == 0, planned.stderr
    assert "policy: top_quality, which needs quality; budget: 2,000 tokens" in planned.stdout
    assert not (tmp_path / "out").exists()
    done = run(*asked)
    assert done.returncode == 0, done.stderr
    assert "of 2,000 tokens" in done.stdout
    assert "score" in done.stdout
    assert "ranked lower by quality" in done.stdout
    assert "a defect: truncated" in done.stdout
    assert str(tmp_path / "out" / "selected.jsonl") in done.stdout


def test_standard_input(data, tmp_path):
    asked = ("select", "-", "--budget", "5", "--policy", "random", "--no-cache", "-o", tmp_path / "out")
    done = run(*asked, "--workers", "1", input=data.read_text())
    assert done.returncode == 0, done.stderr
    lines = (tmp_path / "out" / "selected.jsonl").read_text().splitlines()
    assert len(lines) == 5
    assert set(lines) <= set(data.read_text().splitlines())


@pytest.mark.parametrize(
    ("more", "text"),
    [
        (("--budget", "100"), "above"),
        (("--budget", "none"), "the budget is not right"),
        (("--budget", "10", "--policy", "balnced"), "balnced"),
        (("--budget", "10", "--quality", "colour"), "colour"),
        (("--budget", "10", "--max", "source:wbe=3"), "web"),
    ],
)
def test_bad_usage_is_one_message_and_exit_2(data, tmp_path, more, text):
    done = run("select", data, "--no-cache", "--workers", "1", "-o", tmp_path / "out", "--policy", "random", *more)
    assert done.returncode == 2
    assert text in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()
