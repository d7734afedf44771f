"""`triptych study`: from a design folder to runs, effects and a page; going on; one message for bad input."""

from __future__ import annotations

import json
import sys

import pytest

from triptych import api
from triptych.cli.app import main
from triptych.core.rng import stream
from triptych.studies.runs import RunLog

COLOURS = ("red", "green", "blue", "grey")


@pytest.fixture
def call(monkeypatch, capsys):
    def run_here(*arguments):
        monkeypatch.setattr(sys, "argv", ["triptych", "study", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return run_here


def rows(right, n, *labels):
    """Questions about things of a colour, so many of them answered right."""
    draw = stream("test study", *labels)
    out = []
    for i in range(n):
        colour = COLOURS[int(draw.integers(4))]
        said = colour if i < right * n else COLOURS[(COLOURS.index(colour) + 1) % 4]
        out.append(
            {"prompt": f"the {colour} box number {i} is of which colour ?", "response": said, "correct": said == colour}
        )
    return out


def write(path, lines):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


@pytest.fixture
def folder(tmp_path):
    arms = []
    for block in ("0", "1", "2"):
        for level in (-1, 1):
            name = f"b{block}-q{int(level > 0)}"
            write(tmp_path / "design" / "arms" / f"{name}.jsonl", rows(0.5 + 0.25 * level, 60, block, level))
            entry = {"name": name, "levels": {"Q": level}, "block": block, "file": f"arms/{name}.jsonl"}
            arms.append(entry | {"records": 60, "tokens": 600})
    design = {"schema": "triptych/design@1", "title": "boxes", "factors": {"Q": {"field": "correct"}}, "arms": arms}
    design |= {"equal": ["records"], "kind": "factorial"}
    (tmp_path / "design" / "design.json").write_text(json.dumps(design))
    for name in ("id", "ood"):
        write(tmp_path / f"{name}.jsonl", rows(1, 40, name))
    return tmp_path


def arguments(folder, *more):
    panels = [part for name in ("id", "ood") for part in ("--panel", f"{name}={folder / name}.jsonl")]
    out = ("-o", folder / "out", "--bootstrap", "50", "--workers", "1")
    return (folder / "design", "--trainer", "probe", *panels, *out, *more)


def test_a_study_writes_runs_effects_and_a_page(folder, call):
    code, said, _ = call(*arguments(folder))
    assert code == 0
    assert "report.html" in said
    document = json.loads((folder / "out" / "study.json").read_text())
    assert document["schema"] == "triptych/study@1"
    assert document["title"] == "boxes"
    assert document["runs"]["done"] == document["runs"]["total"] == 6
    assert [panel["name"] for panel in document["panels"]] == ["id", "ood"]
    assert {panel["scorer"] for panel in document["panels"]} == {"exact"}
    [effect] = [e for e in document["effects"] if (e["factor"], e["panel"], e["kind"]) == ("Q", "id", "designed")]
    assert effect["estimate"] is not None
    assert document["arms"][0]["measured"]["label_mean:field=correct"] == 0.25
    assert document["bakeoff"] is not None
    log = RunLog(folder / "out" / "runs.jsonl").read()
    scored = {run.arm: {name: panel.mean for name, panel in run.panels.items()} for run in log.values()}
    assert {arm["name"]: arm["scores"] for arm in document["arms"]} == scored
    assert "score: <bdi>id</bdi>" in (folder / "out" / "report.html").read_text()
    assert (folder / "out" / "report.html").read_text().startswith("<!DOCTYPE html>")
    assert len(RunLog(folder / "out" / "runs.jsonl").read()) == 6


def test_measured_effects_stand_beside_designed_ones(folder, call):
    call(*arguments(folder))
    effects = json.loads((folder / "out" / "study.json").read_text())["effects"]
    read = {e["measure"] for e in effects if e["kind"] == "measured"}
    assert read == {"label_mean:field=correct"}
    call(*arguments(folder, "--measured", "Q=vendi:q=2"))
    effects = json.loads((folder / "out" / "study.json").read_text())["effects"]
    assert {e["measure"] for e in effects if e["kind"] == "measured"} == {"vendi:q=2"}
    for given, says in (("Q", "FACTOR=MEASURE"), ("R=vendi", 'no factor "R"'), ("Q=vendy", "try:  vendi")):
        code, _, err = call(*arguments(folder, "--measured", given))
        assert code == 2
        assert says in err


def test_the_command_is_the_call(folder, call):
    call(*arguments(folder))
    panels = [f"{name}={folder / name}.jsonl" for name in ("id", "ood")]
    settings = {"trainer": "probe", "panels": panels, "bootstrap": 50, "workers": 1}
    api.study(folder / "design", out=folder / "again", **settings)
    first, second = (json.loads((folder / name / "study.json").read_text()) for name in ("out", "again"))
    for document in (first, second):
        document.pop("provenance")
        document["runs"].pop("seconds")
    assert first == second


def test_a_second_call_makes_no_run_and_keeps_the_log(folder, call):
    call(*arguments(folder))
    log = (folder / "out" / "runs.jsonl").read_bytes()
    code, said, _ = call(*arguments(folder, "--json"))
    assert code == 0
    assert json.loads(said)["runs"]["done"] == 6
    assert (folder / "out" / "runs.jsonl").read_bytes() == log


def test_a_plan_runs_nothing(folder, call):
    code, said, _ = call(*arguments(folder, "--plan"))
    assert code == 0
    assert "6 arms in 3 blocks" in said
    assert not (folder / "out").exists()
    code, said, _ = call("--preset", "findings", "--plan", "-o", folder / "none")
    assert "world programs" in said
    assert "world rewriting" in said
    assert not (folder / "none").exists()


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ((), "what is to be studied?"),
        (("--preset", "finding"), "try:  findings"),
        (("--preset", "findings", "--worlds", "program"), "try:  programs"),
        (("nowhere",), "no design can be read"),
        (("--preset", "findings", "--blocks", "0"), "blocks is out of range"),
        (("--preset", "findings", "--trainer", "tinny"), "try:  tiny"),
        (("--preset", "findings", "--engine", "ray"), 'engine "ray" is not available'),
    ],
)
def test_bad_usage_is_one_clear_message(given, says, call, tmp_path):
    code, said, err = call(*given, "-o", tmp_path / "out")
    assert code == 2
    assert says in err
    assert not said
    assert "Traceback" not in err


def test_a_foreign_folder_is_left_alone(folder, call):
    write(folder / "out" / "thesis.txt", [{"mine": 1}])
    code, _, err = call(*arguments(folder))
    assert code == 2
    assert "holds something else" in err
    assert [path.name for path in (folder / "out").iterdir()] == ["thesis.txt"]
