"""`triptych frontier`: the artifact of the API, printed and as JSON; messages and exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from triptych import api

ASKED = ("--budget", "60", "--quality", "score", "--policies", "threshold:quantile=0.2", "--workers", "1")


def run(*arguments, cache):
    environment = {**os.environ, "TRIPTYCH_CACHE": str(cache), "COLUMNS": "160"}
    command = [sys.executable, "-m", "triptych.cli", "frontier", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


@pytest.fixture(scope="module")
def pool(rows_of_pool, tmp_path_factory):
    file = tmp_path_factory.mktemp("data") / "pool.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows_of_pool(300)))
    return file


def lasting(document):
    return {key: value for key, value in document.items() if key != "provenance"}


def test_the_command_is_the_call(pool, cache, tmp_path):
    done = run(pool, *ASKED, "--pick", "quality>=0", "--json", "-o", tmp_path / "o", cache=cache)
    assert done.returncode == 0, done.stderr
    written = json.loads((tmp_path / "o" / "frontier.json").read_text())
    assert json.loads(done.stdout) == written
    options = {"quality": "score", "policies": "threshold:quantile=0.2", "pick": "quality>=0"}
    assert lasting(api.frontier(pool, budget=60, options=options, workers=1, cache=cache)) == lasting(written)
    names = {path.name for path in (tmp_path / "o").iterdir()}
    selection = {"selected.jsonl", "selection.parquet", "selection.json"}
    assert names == {"frontier.json", "report.html", "points.jsonl"} | selection
    again = run(pool, *ASKED, "-o", tmp_path / "o", cache=cache)
    assert again.returncode == 0, again.stderr
    for word in ("random", "top_quality", "Who is ahead", "What diversity costs", "report.html"):
        assert word in again.stdout
    assert not (tmp_path / "o" / "selected.jsonl").exists()


def test_messages_and_the_plan(pool, cache, tmp_path):
    done = run(pool, *ASKED, "--plan", "-o", tmp_path / "p", cache=cache)
    assert done.returncode == 0
    assert "points: " in done.stdout
    assert not (tmp_path / "p").exists()
    wrong = run(pool, *ASKED, "--pick", "the best", "-o", tmp_path / "p", cache=cache)
    assert wrong.returncode == 2
    assert "UsageError: --pick is not right." in wrong.stderr
    assert "Traceback" not in wrong.stderr
