"""`triptych world`: files that say how they were made, the same as from Python, and that `measure` reads unaided."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from typer.testing import CliRunner

import triptych
from triptych import api
from triptych.cli.app import app
from triptych.core.errors import InputError, OutputError
from triptych.worlds import writing
from triptych.worlds.writing import Recipe, make

FILES = ["data.jsonl", *(f"panels/{name}.jsonl" for name in ("compositions", "deeper", "id", "longer", "paraphrase"))]


def invoke(*arguments):
    return CliRunner().invoke(app, ["world", *map(str, arguments)])


def rows_of(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def names_in(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_the_command_line_gives_the_files_of_the_api(tmp_path: Path) -> None:
    options = ["-n", "300", "--quality", ".9", "--skills", "12", "--depths", "1:.2,2:.5,3:.3", "--skew", ".5"]
    options += ["--forms", "4", "--errors", "truncated,random_step", "--block", "b", "--seed", "3", "--panels", "20"]
    command = [
        sys.executable,
        "-m",
        "triptych.cli",
        "world",
        "programs",
        *options,
        "-o",
        str(tmp_path / "cli"),
        "--json",
    ]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    dials = {"quality": 0.9, "skills": 12, "depths": {1: 0.2, 2: 0.5, 3: 0.3}, "skew": 0.5, "forms": 4}
    dials["errors"] = ("truncated", "random_step")
    made = api.world("programs", out=tmp_path / "api", records=300, block="b", seed=3, panels=20, **dials)
    document = json.loads((tmp_path / "cli" / "world.json").read_text())
    assert json.loads(done.stdout) == made.to_json() == document
    assert names_in(tmp_path / "cli") == names_in(tmp_path / "api") == sorted([*FILES, "world.json"])
    for name in [*FILES, "world.json"]:
        assert (tmp_path / "cli" / name).read_bytes() == (tmp_path / "api" / name).read_bytes()


def test_the_document_tells_what_is_in_the_files_and_makes_them_again(tmp_path: Path) -> None:
    assert invoke("programs", "--tokens", "4000", "--quality", ".5", "--panels", "30", "-o", tmp_path).exit_code == 0
    document = json.loads((tmp_path / "world.json").read_text())
    assert document["schema"] == "triptych/world@1"
    assert document["provenance"]["version"] == triptych.__version__
    text = (tmp_path / "data.jsonl").read_bytes()
    assert document["data"]["sha256"] == hashlib.sha256(text).hexdigest()
    for part in (document["data"], *document["panels"].values()):
        rows = rows_of(tmp_path / part["file"])
        assert part["records"] == len(rows)
        assert part["tokens"] == sum(len(f"{row['prompt']} {row['response']}".split()) for row in rows)
        assert part["right"] == sum(row["correct"] for row in rows)
        assert part["depths"] == {str(k): v for k, v in Counter(row["depth"] for row in rows).items()}
        assert sum(part["skills"].values()) == len({row["skeleton"] for row in rows})
    assert 4000 <= document["data"]["tokens"] < 4050
    assert {part["records"] for part in document["panels"].values()} == {30}
    again = make(Recipe.of_json(document["recipe"]))
    again.save(tmp_path / "again")
    assert (tmp_path / "again" / "data.jsonl").read_bytes() == text


def test_panels_can_be_those_of_a_narrower_set(tmp_path: Path) -> None:
    narrow = api.world("programs", records=100, skills=4, panels=30)
    wide = api.world("programs", records=100, skills=40, panels=30, id_skills=4)
    assert narrow.panels == wide.panels
    assert narrow.rows != wide.rows
    assert api.world("programs", records=100, panels=0).panels == {}


def test_an_earlier_result_is_replaced_whole_and_nothing_else_is(tmp_path: Path) -> None:
    folder = tmp_path / "result"
    assert invoke("programs", "-n", 50, "--panels", 5, "-o", folder).exit_code == 0
    assert invoke("programs", "-n", 20, "--panels", 0, "-o", folder).exit_code == 0
    assert names_in(folder) == ["data.jsonl", "world.json"]
    (folder / "mine.txt").write_text("mine")
    refused = invoke("programs", "-n", 20, "-o", folder)
    assert isinstance(refused.exception, OutputError)
    assert "mine.txt" in str(refused.exception)
    assert names_in(folder) == ["data.jsonl", "mine.txt", "world.json"]


def test_measure_reads_the_data_unaided_and_sees_the_dials(tmp_path: Path) -> None:
    def measured(name, **dials):
        api.world("programs", out=tmp_path / name, records=600, panels=0, **dials)
        asked = ("label_mean:field=correct", "effective_structures", "structure_coverage", "tokens")
        (profile,) = api.measure(tmp_path / name / "data.jsonl", measures=asked, workers=1)
        assert "labels: correct; structure: skeleton" in profile.dataset["detected"]
        return {estimate.measure: estimate.value for estimate in profile}

    narrow = measured("narrow", quality=0.6, skills=4)
    wide = measured("wide", quality=0.9, skills=40)
    skewed = measured("skewed", skills=40, skew=1.5)
    deep = measured("deep", depths={3: 1.0}, skills=40)
    assert narrow["label_mean"] == pytest.approx(0.6)
    assert wide["label_mean"] == pytest.approx(0.9)
    assert narrow["effective_structures"] == pytest.approx(12, rel=0.01)
    assert wide["effective_structures"] > 3 * narrow["effective_structures"]
    assert skewed["effective_structures"] < 0.5 * wide["effective_structures"]
    assert wide["structure_coverage"] > narrow["structure_coverage"]
    assert deep["tokens"] > 1.3 * wide["tokens"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "--list"),
        (["program"], "try:  programs"),
        (["programs", "--quality", "1.5"], "0 to 1"),
        (["programs", "--depths", "1=.5"], "1:.2,2:.5,3:.3"),
        (["programs", "--depths", "1:.5,1:.5"], "each depth once"),
        (["programs", "--depths", ""], "depth:share"),
        (["programs", "--depths", "9:1"], "depths 1, 2, 3"),
        (["programs", "--errors", "plausible_slop"], "try:  plausible_slip"),
        (["programs", "-n", "10", "--tokens", "10"], "exclude"),
        (["programs", "-n", "0"], "at least 1"),
        (["programs", "--panels", "-1"], "at least 1"),
        (["programs", "--id-skills", "0"], "at least 1"),
    ],
)
def test_bad_usage_has_one_message_and_writes_nothing(arguments, said, tmp_path: Path) -> None:
    done = invoke(*arguments, "-o", tmp_path / "o")
    assert isinstance(done.exception, InputError)
    assert said in str(done.exception)
    assert done.stdout == ""
    assert not (tmp_path / "o").exists()


def test_bad_usage_exits_with_two() -> None:
    command = [sys.executable, "-m", "triptych.cli", "world", "program"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 2
    assert done.stderr.startswith("SpecError: ")
    assert "Traceback" not in done.stderr


def test_the_list_shows_every_world(monkeypatch) -> None:
    shown = invoke("--list")
    assert shown.exit_code == 0, shown.exception
    listed = json.loads(invoke("--list", "--json").stdout)
    assert [entry["name"] for entry in listed][:3] == ["programs", "rewriting", "procedural"]
    for entry in listed:
        assert f"{entry['name']}: {entry['title']}" in shown.stdout
    assert "8 of depth 1, 64 of depth 2, 512 of depth 3, 4,096 of depth 4 (never trained); held out: 87" in shown.stdout
    missing = {**listed[0], "extra": "worlds", "skills": None}
    monkeypatch.setattr(api.listing, "describe_worlds", lambda: [missing])
    assert "not installed: pip install 'triptych[worlds]'" in invoke("--list").stdout


def test_a_file_that_is_no_result_does_not_name_panels(tmp_path: Path) -> None:
    for text in ("", "[]", '{"panels": 3}', "{}"):
        (tmp_path / "world.json").write_text(text)
        assert writing._panel_files(tmp_path / "world.json") == set()
