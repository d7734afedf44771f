"""Folders of a loop: whole files or none, what was half written goes, another loop's rounds are left alone."""

from __future__ import annotations

import json

import pytest

from triptych.core.errors import OutputError, ReadError
from triptych.looping.folder import ArmFolder, arm_name, own_folders, read_document, read_records, write_records
from triptych.looping.records import Judged, Written


def record(i, **more):
    return Judged(
        Written(f"prompt {i}", "answer", 0.7, 1.0, row={"a": [1, 2]}),
        0,
        i,
        valid=True,
        structure="s",
        complexity=2.0,
        verified=1.0,
        **more,
    )


def test_records_come_back_as_they_were(tmp_path):
    records = [record(0), record(1, right=False, likelihood=-0.25, source="archive")]
    write_records(tmp_path / "generated.jsonl", records)
    assert read_records(tmp_path / "generated.jsonl") == records
    assert [path.name for path in tmp_path.iterdir()] == ["generated.jsonl"]


def test_a_damaged_file_is_told(tmp_path):
    (tmp_path / "generated.jsonl").write_text('{"prompt": "x"}\n')
    with pytest.raises(ReadError, match="no records of a loop"):
        read_records(tmp_path / "generated.jsonl")
    (tmp_path / "scores.json").write_text("[1]")
    with pytest.raises(ReadError, match="no JSON object"):
        read_document(tmp_path / "scores.json")


def test_a_model_is_there_whole_or_not_at_all(tmp_path):
    folder = ArmFolder(tmp_path).round(3)
    assert folder.path.name == "round_003"

    def broken(part):
        (part / "weights").write_text("half")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        folder.save_model(broken, {})
    assert not list(folder.path.iterdir())
    folder.save_model(lambda part: (part / "weights").write_text("all"), {"loss": 0.5})
    assert sorted(path.name for path in folder.model.iterdir()) == ["training.json", "weights"]
    other = ArmFolder(tmp_path / "arm_b").round(0)
    other.copy_model(folder)
    assert (other.model / "weights").read_text() == "all"
    assert json.loads((other.model / "training.json").read_text()) == {"loss": 0.5}


def test_what_a_killed_run_left_goes(tmp_path):
    arm = ArmFolder(tmp_path)
    arm.claim({"seed": 1})
    part = arm.round(0).path / ".model.part"
    part.mkdir(parents=True)
    (part / "weights").write_text("half")
    (arm.round(0).path / ".generated.jsonl.x.part").write_text("half")
    arm.claim({"seed": 1})
    assert not list(arm.round(0).path.iterdir())


def test_another_config_is_refused_with_what_changed(tmp_path):
    arm = ArmFolder(tmp_path)
    arm.claim({"config": {"seed": 1, "dials": {"anchor": 0.1, "floor": 0.0}}})
    arm.claim({"config": {"seed": 1, "dials": {"anchor": 0.1, "floor": 0.0}}})
    with pytest.raises(OutputError) as caught:
        arm.claim({"config": {"seed": 2, "dials": {"anchor": 0.5, "floor": 0.0}}})
    text = str(caught.value)
    assert "config.seed = 1 there, 2 asked" in text
    assert "config.dials.anchor = 0.1 there, 0.5 asked" in text
    assert "floor" not in text
    assert "-o another/folder" in text


def test_names_of_arms_are_safe_and_different():
    assert arm_name("keep") == "arm_keep"
    assert arm_name("archive:push=1,explore=1.6") == "arm_archive_push=1_explore=1.6"
    assert arm_name("a:b", ["arm_a_b"]) == "arm_a_b-2"


def test_own_folders_are_rounds_and_arms(tmp_path):
    for name in ("round_000", "arm_keep", "thesis"):
        (tmp_path / name).mkdir()
    assert sorted(own_folders(tmp_path)) == ["arm_keep", "round_000"]
    assert own_folders(tmp_path / "nothing") == ()
