"""The sheet of pairs to judge: drawn by strata, read back, with an interval that honours how it was drawn."""

from __future__ import annotations

import csv
import json
from collections import Counter

import numpy as np
import pytest

from triptych.comparing.adjudicate import Matches, keep_sheet, read_labels, sheet, stratified, write_sheet
from triptych.core.errors import OutputError, ReadError, UsageError
from triptych.core.rng import stream


def matches(name="across", threshold=0.8, similarity=None):
    if similarity is None:
        similarity = np.concatenate(
            [np.full(300, 0.72), np.full(200, 0.78), np.full(100, 0.82), np.full(40, 0.87), np.full(20, 1.0)]
        )

    def show(at):
        return {
            "first_at": f"a:{at}",
            "second_at": f"b:{at}",
            "first": f"text {at}",
            "second": 'a "text"\n,',
            "span": "é",
        }

    return Matches(name, "0123abcd", threshold, np.asarray(similarity, dtype=np.float64), show)


def test_a_sheet_holds_every_stratum_alike():
    rows = sheet([matches()], 50, 0)
    assert Counter(row["stratum"] for row in rows) == Counter(
        {"0.7 to 0.75": 10, "0.75 to 0.8": 10, "0.8 to 0.85": 10, "0.85 to 0.9": 10, "0.9 to 1": 10}
    )
    assert {row["stratum"]: row["pairs"] for row in rows} == {
        "0.7 to 0.75": 300, "0.75 to 0.8": 200, "0.8 to 0.85": 100, "0.85 to 0.9": 40, "0.9 to 1": 20,
    }  # fmt: skip
    assert all(row["same"] == "" for row in rows)
    assert len({row["first_at"] for row in rows}) == 50
    assert rows == sheet([matches()], 50, 0)
    assert rows != sheet([matches()], 50, 1)


def test_a_sheet_is_as_long_as_there_are_pairs():
    small = matches(similarity=[0.2, 0.5, 0.71, 0.8, 0.81, 1.0])
    assert [row["similarity"] for row in sheet([small], 50, 0)] == [0.71, 0.8, 0.81, 1.0]
    assert sheet([matches(similarity=[0.1])], 5, 0) == []
    both = sheet([small, matches("other")], 50, 0)
    assert Counter(row["list"] for row in both) == {"across": 4, "other": 46}
    with pytest.raises(UsageError, match="at least one pair"):
        sheet([small], 0, 0)


def test_a_threshold_near_one_has_its_stratum():
    rows = sheet([matches(threshold=0.97, similarity=[0.88, 0.93, 0.98, 1.0])], 10, 0)
    assert [row["stratum"] for row in rows] == ["0.87 to 0.92", "0.92 to 0.97", "0.97 to 1", "0.97 to 1"]
    assert sheet([matches(threshold=1.0, similarity=[0.97, 1.0])], 10, 0)[-1]["stratum"] == "1 to 1"


def fill(rows, same):
    for row in rows:
        row["same"] = same(row)
    return rows


@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_what_is_written_is_read_back(tmp_path, kind):
    rows = fill(
        sheet([matches()], 50, 0),
        lambda row: {"0.8": "no", "0.85": "Yes", "0.9": "y"}.get(row["stratum"].split()[0], "no"),
    )
    paths = write_sheet(tmp_path, rows)
    assert [path.name for path in paths] == ["adjudicate.jsonl", "adjudicate.csv"]
    with paths[1].open(encoding="utf-8", newline="") as opened:
        assert [row["second"] for row in csv.DictReader(opened)] == [row["second"] for row in rows]
    found = read_labels(tmp_path / f"adjudicate.{kind}")["across"]
    assert found.labelled == 30
    assert (found.threshold, found.data) == (0.8, "0123abcd")
    assert found.value == pytest.approx((40 + 20) / 160)
    assert found.lo < found.value < found.hi
    assert found.document()["precision"] == found.value


def test_the_worked_example():
    value, lo, hi = stratified(np.array([300.0, 100.0]), np.array([10.0, 10.0]), np.array([5.0, 10.0]))
    assert value == 0.625
    assert 0.3 < lo < 0.625 < hi < 0.9


def test_all_yes_is_as_uncertain_as_a_plain_sample():
    value, lo, hi = stratified(np.full(4, 1e9), np.full(4, 10.0), np.full(4, 10.0))
    assert value == hi == 1
    assert lo == pytest.approx(40 / (40 + 1.959964**2), abs=1e-3)  # Wilson, 40 of 40
    # but a stratum that was judged whole is certain
    assert stratified(np.array([10.0]), np.array([10.0]), np.array([7.0])) == (0.7, 0.7, 0.7)


def test_the_interval_covers_under_the_draw_that_is_made():
    pairs, true = np.array([400, 150, 60]), np.array([0.55, 0.85, 0.98])
    draw = stream("adjudicate", "coverage")
    covered, widths = [], []
    for _ in range(600):
        yes = [draw.random(size) < rate for size, rate in zip(pairs, true, strict=True)]
        whole = sum(each.sum() for each in yes) / pairs.sum()
        got = np.array([draw.choice(each, 15, replace=False).sum() for each in yes], dtype=np.float64)
        _, lo, hi = stratified(pairs.astype(np.float64), np.full(3, 15.0), got)
        covered.append(lo <= whole <= hi)
        widths.append(hi - lo)
    print(f"coverage {np.mean(covered):.3f}, width {np.mean(widths):.3f}")
    assert 0.93 <= np.mean(covered) <= 0.99
    assert np.mean(widths) < 0.4


def test_a_stratum_without_labels_leaves_the_precision_open(tmp_path):
    rows = fill(sheet([matches()], 50, 0), lambda row: "" if row["stratum"] == "0.85 to 0.9" else "yes")
    found = read_labels(write_sheet(tmp_path, rows)[0])["across"]
    assert found.value is None
    assert "0.85 to 0.9" in found.undefined


def test_what_cannot_be_read_is_said(tmp_path):
    with pytest.raises(ReadError, match="cannot be read"):
        read_labels(tmp_path / "nowhere.jsonl")
    rows = sheet([matches()], 5, 0)
    with pytest.raises(UsageError, match="no pair has been judged"):
        read_labels(write_sheet(tmp_path, rows)[0])
    with pytest.raises(UsageError, match=r"adjudicate\.jsonl:1: the field \"same\""):
        read_labels(write_sheet(tmp_path, fill(rows, lambda _: "perhaps"))[0])
    (tmp_path / "other.jsonl").write_text(json.dumps({"same": "yes"}) + "\n")
    with pytest.raises(UsageError, match="not one of a sheet"):
        read_labels(tmp_path / "other.jsonl")
    (tmp_path / "broken.jsonl").write_text("{\n")
    with pytest.raises(ReadError, match=r"broken\.jsonl:1"):
        read_labels(tmp_path / "broken.jsonl")


def test_a_sheet_that_was_filled_in_is_not_overwritten(tmp_path):
    keep_sheet(tmp_path)
    rows = sheet([matches()], 5, 0)
    write_sheet(tmp_path, rows)
    keep_sheet(tmp_path)
    write_sheet(tmp_path, fill(rows, lambda _: "no"))
    with pytest.raises(OutputError, match="pairs have been judged"):
        keep_sheet(tmp_path)
