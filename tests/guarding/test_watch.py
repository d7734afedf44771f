"""The watch: rounds on disk as `triptych guard` reads them, the same verdicts, resumption, failures that end nothing."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pyarrow as pa
import pytest

import triptych
from triptych.core.errors import OutputError, TriptychError, UsageError
from triptych.core.rng import stream

KINDS = (60, 58, 20, 8, 3)
VERBS = ("Explain", "Describe", "List", "Compare", "Rewrite", "Plan", "Name", "Count")


def written(kinds, *labels, n=160):
    """n records of so many structures."""
    rng = stream("watch", kinds, *labels)
    out = []
    for _ in range(n):
        kind, a, b = (int(rng.integers(high)) for high in (kinds, 100, 100))
        prompt = f"{VERBS[kind % 8]} the numbers {a} and {b}."
        row = {"prompt": prompt, "response": f"It is {a + b}, and that is all.", "structure": f"kind {kind}"}
        out.append({**row, "verified": bool(rng.random() < 0.9)})
    return out


def without(document):
    return {name: value for name, value in document.items() if name != "provenance"}


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    """A loop that collapses, watched; the folder, the watch, its verdicts."""
    folder = tmp_path_factory.mktemp("watched") / "guard"
    numbers = []
    anchor = written(60, "anchor")
    watch = triptych.Watch(folder, anchor=anchor, log_to=lambda found, step: numbers.append((step, found)), strict=True)
    verdicts = []
    for number, kinds in enumerate(KINDS):
        rows = written(kinds, number)
        scores = {"id": 0.7, "ood": {"score": 0.6, "n": 100}, "ood@16": 0.8}
        verdicts.append(watch.add(rows, selected=[row for row in rows if row["verified"]], scores=scores))
    return folder, watch, verdicts, numbers


def test_every_round_is_written_as_guard_reads_it(watched):
    folder, watch, _, _ = watched
    names = sorted(path.name for path in folder.iterdir())
    assert names == [".guard", "guard.json", *(f"round_{number:03d}" for number in range(5))]
    rows = [json.loads(line) for line in (folder / "round_002" / "generated.jsonl").read_text().splitlines()]
    assert rows == written(20, 2)
    assert (folder / "round_002" / "selected.jsonl").read_text().count("\n") == sum(row["verified"] for row in rows)
    assert json.loads((folder / "round_002" / "scores.json").read_text())["scores"]["ood"] == {"score": 0.6, "n": 100}
    assert [source.round for source in watch.rounds] == list(range(5))


def test_the_collapse_is_called_and_guard_on_the_folder_says_the_same(watched):
    folder, watch, verdicts, _ = watched
    assert verdicts[0].verdict == "continue"
    assert "stop" not in {verdict.verdict for verdict in verdicts[:2]}
    assert (verdicts[-1].state, verdicts[-1].verdict) == ("collapsing", "stop")
    again = triptych.guard(folder)
    assert without(again) == without(watch.document) == without(json.loads((folder / "guard.json").read_text()))
    for verdict, entry in zip(verdicts, again["rounds"], strict=True):
        assert (verdict.state, verdict.verdict, list(verdict.reasons)) == (
            entry["state"],
            entry["verdict"],
            entry["reasons"],
        )


def test_a_watch_made_again_goes_on(watched, tmp_path):
    _, _, verdicts, _ = watched
    for number, kinds in enumerate(KINDS[:4]):
        rows = written(kinds, number)
        watch = triptych.Watch(tmp_path, anchor=written(60, "anchor") if not number else None, strict=True)
        scores = {"id": 0.7, "ood": {"score": 0.6, "n": 100}, "ood@16": 0.8}
        verdict = watch.add(rows, selected=[row for row in rows if row["verified"]], scores=scores)
        assert verdict == verdicts[number]


def test_numbers_go_to_the_tracker(watched):
    _, watch, _, numbers = watched
    assert [step for step, _ in numbers] == list(range(5))
    last = numbers[-1][1]
    assert last == watch.numbers
    assert last["guard/verdict"] == 2.0
    assert last["guard/state"] == 3.0
    assert last["guard/diversity"] == watch.document["rounds"][-1]["diversity"]["value"]
    assert last["guard/scores/ood@16"] == 0.8
    assert last.keys() >= {"guard/selected/diversity", "guard/splits/narrowing", "guard/quality", "guard/novelty"}


def test_what_fails_is_said_and_ends_nothing(tmp_path, caplog, monkeypatch):
    watch = triptych.Watch(tmp_path)
    with caplog.at_level(logging.WARNING, logger="triptych.guard"):
        first = watch.add([{"a": 1}])
    assert first.verdict == "continue"
    assert first.reasons[0].startswith("round 0 could not be judged: SchemaError")
    assert first.reasons[0] in caplog.text
    (away,) = (tmp_path / ".guard").glob("unread_000_*")
    assert json.loads((away / "round_000" / "generated.jsonl").read_text()) == {"a": 1}  # nothing is lost
    good = watch.add(written(60, 0))
    assert good.round == 0
    assert not good.reasons
    bad = watch.add(3)
    assert bad.reasons[:2] == (
        "round 1 could not be judged: ReadError: cannot read records from this object.",
        "the verdict of round 0 stands",
    )
    assert sorted(path.name for path in tmp_path.glob("round_*")) == ["round_000"]
    assert not list(tmp_path.glob(".round*"))

    def full(*_given, **_more):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", full)
        assert "No space left on device" in watch.add(written(60, 1)).reasons[0]
    assert not list(tmp_path.glob(".round*"))
    assert watch.add(written(60, 1)).round == 1
    strict = triptych.Watch(tmp_path, strict=True)
    with pytest.raises(TriptychError, match="cannot read records"):
        strict.add(3)


def test_a_round_without_a_record_is_told(tmp_path):
    watch = triptych.Watch(tmp_path)
    watch.add(written(60, 0))
    assert "round 1 could not be judged" in watch.add([]).reasons[0]
    assert watch.add(written(60, 1)).round == 1


def test_a_first_round_of_nothing_valid_settles_nothing(tmp_path):
    watch = triptych.Watch(tmp_path, strict=True)
    first = watch.add([{**row, "verified": False} for row in written(60, 0)])
    assert first.verdict == "warn"
    assert "no valid record" in first.reasons[0]
    watch.add(written(60, 1))
    assert [entry["valid"] > 0 for entry in watch.document["rounds"]] == [False, True]
    assert without(triptych.guard(tmp_path)) == without(watch.document)


def test_roll_back_goes_on_from_an_earlier_round(tmp_path):
    watch = triptych.Watch(tmp_path, strict=True)
    for number, kinds in enumerate((60, 58, 4)):
        watch.add(written(kinds, number))
    with pytest.raises(UsageError, match=r"watch\.roll_back\(1\)"):
        watch.add(written(60, 9), number=2)
    watch.roll_back(1)
    assert watch.verdict is None
    verdict = watch.add(written(60, 9))
    assert (verdict.round, verdict.verdict) == (2, watch.document["verdict"])
    (away,) = (tmp_path / ".guard").glob("after_001_*")
    assert [path.name for path in away.iterdir()] == ["round_002"]


def test_records_may_be_anything_that_holds_rows(tmp_path):
    rows = written(60, 0)
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    kinds = {"rows": rows, "table": pa.Table.from_pylist(rows), "file": file, "path": str(file)}
    found = {}
    for name, records in kinds.items():
        watch = triptych.Watch(tmp_path / name, strict=True)
        watch.add(records)
        found[name] = {**watch.document["rounds"][0], "name": None}
    assert all(one == found["rows"] for one in found.values())


def test_settings_and_folders_that_are_not_right(tmp_path):
    with pytest.raises(UsageError, match=r'no setting "alarm"'):
        triptych.Watch(tmp_path / "a", alarm=0.1)
    with pytest.raises(UsageError, match="a watch is told its rounds"):
        triptych.Watch(tmp_path / "a", by="step")
    assert not (tmp_path / "a").exists()
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "notes.txt").write_text("mine")
    with pytest.raises(OutputError, match=r"notes\.txt"):
        triptych.Watch(tmp_path / "b")


def test_settings_of_the_folder_hold_and_those_given_go_first(tmp_path):
    first = triptych.Watch(tmp_path, strict=True, quality="score", alarm_rate=0.01)
    first.add([{**row, "score": 0.25, "reward": 1.0} for row in written(60, 0)])
    assert triptych.Watch(tmp_path).options.alarm_rate == 0.01
    document = triptych.guard(tmp_path, alarm_rate=0.1)
    assert (document["alarm_rate"], document["fields"]) == (0.1, {"quality": "score"})
    assert document["rounds"][0]["quality"]["value"] == 0.25
