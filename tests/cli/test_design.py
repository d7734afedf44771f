"""`triptych design`: the artifact of the API, printed and as JSON; messages and exit codes."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from triptych import api


def run(*arguments):
    command = [sys.executable, "-m", "triptych.cli", *map(str, arguments)]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)


@pytest.fixture(scope="module")
def pool(tmp_path_factory):
    rng = np.random.default_rng(0)
    file = tmp_path_factory.mktemp("pool") / "pool.jsonl"
    words = [f"word{i}" for i in range(60)]
    rows = [
        {"prompt": f"Question {i}?", "response": " ".join(rng.choice(words, 12)) + ".", "score": float(rng.normal())}
        for i in range(300)
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def test_the_command_line_gives_the_artifact_of_the_api(pool, tmp_path):
    asked = ("design", pool, "--budget", "40", "--levels", "Q=score", "--blocks", "2", "--workers", "1", "--no-cache")
    done = run(*asked, "-o", tmp_path / "cli", "--json")
    assert done.returncode == 0, done.stderr
    printed = json.loads(done.stdout)
    options = {"blocks": 2}
    document = api.design(
        str(pool), budget="40", levels="Q=score", out=tmp_path / "api", options=options, workers=1, cache=False
    )
    for one in (printed, document):
        del one["provenance"]
    assert printed == document
    for arm in document["arms"]:
        assert (tmp_path / "cli" / arm["file"]).read_bytes() == (tmp_path / "api" / arm["file"]).read_bytes()


def test_tables_and_plan(pool, tmp_path):
    asked = (
        "design",
        pool,
        "--budget",
        "40",
        "--levels",
        "Q=score",
        "--blocks",
        "1",
        "--no-cache",
        "-o",
        tmp_path / "o",
    )
    planned = run(*asked, "--plan")
    assert planned.returncode == 0, planned.stderr
    assert "arms: 3 of 40 records" in planned.stdout
    assert not (tmp_path / "o").exists()
    done = run(*asked)
    assert done.returncode == 0, done.stderr
    for word in ("b0-q1", "random", "longest", "SMD", "condition number", "design.json"):
        assert word in done.stdout


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--budget", "40", "--levels", "Q=scoer"], "Q=score"),
        (["--budget", "lots", "--levels", "Q=score"], "budget"),
        (["--budget", "40", "--levels", "Q=score:value:-9,value:9"], "not separable in this pool"),
        (["--budget", "290", "--levels", "Q=score"], "too small"),
        (["--budget", "40", "--levels", "Q=score", "--points", "half"], "fractional"),
    ],
)
def test_one_clear_message_and_exit_2(pool, tmp_path, more, said):
    done = run("design", pool, *more, "--blocks", "1", "--workers", "1", "-o", tmp_path / "o")
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
