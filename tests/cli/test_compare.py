"""`triptych compare`: the artifact of the API, printed and as JSON; messages and exit codes."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from triptych import api

MEASURES = "valid_share,label_mean:field=score,distinct_n,tokens"


def run(*arguments):
    command = [sys.executable, "-m", "triptych.cli", *map(str, arguments)]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)


@pytest.fixture
def files(rows_of, tmp_path):
    out = []
    for name, size in (("old", 90), ("new", 120)):
        out.append(tmp_path / f"{name}.jsonl")
        rows = [{**row, "model": name, "id": i} for i, row in enumerate(rows_of(size, name))]
        out[-1].write_text("".join(json.dumps(row) + "\n" for row in rows))
    return out


def test_the_command_line_gives_the_artifact_of_the_api(files, tmp_path):
    asked = ("compare", *files, "--measures", MEASURES, "--margin", "tokens=10%", "--match", "n,length", "--draws", 2)
    done = run(*asked, "--workers", 1, "--no-cache", "-o", tmp_path / "cli", "--json")
    assert done.returncode == 0, done.stderr
    printed = json.loads(done.stdout)
    settings = {"measures": MEASURES.split(","), "margin": "tokens=10%", "match": "records,length", "draws": 2}
    document = api.compare(*map(str, files), out=tmp_path / "api", workers=1, cache=False, **settings)
    saved = [json.loads((tmp_path / name / "comparison.json").read_text()) for name in ("cli", "api")]
    assert saved == [printed, document]
    for one in (printed, document):
        del one["provenance"]
    assert printed == document
    assert [one["margin_why"] for one in document["results"] if one["measure"] == "tokens"] == [
        "0.1 of the mean of both values"
    ]


def test_tables_and_plan(files, tmp_path):
    asked = ("compare", *files, "--measures", MEASURES, "--draws", 2, "--no-cache", "-o", tmp_path / "out")
    planned = run(*asked, "--plan")
    assert planned.returncode == 0, planned.stderr
    assert "comparison of 2 sets, pairs: old and new" in planned.stdout
    assert not (tmp_path / "out").exists()
    done = run(*asked)
    assert done.returncode == 0, done.stderr
    assert str(tmp_path / "out" / "report.html") in done.stdout.replace("\n", "")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"comparison.json", "report.html"}


@pytest.mark.parametrize(
    ("more", "text"),
    [
        (("--match", "lenght"), "length"),
        (("--baseline", "olt"), "--baseline old"),
        (("--margin", "tokens"), "NAME=0.02"),
    ],
)
def test_bad_usage_is_one_message(files, tmp_path, more, text):
    done = run("compare", *files, "--measures", MEASURES, *more, "--no-cache", "-o", tmp_path / "out")
    assert done.returncode == 2
    assert text in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out" / "comparison.json").exists()


def test_one_set_is_not_enough(files, tmp_path):
    done = run("compare", files[0], "-o", tmp_path / "out")
    assert done.returncode == 2
    assert "nothing to compare with" in done.stderr
