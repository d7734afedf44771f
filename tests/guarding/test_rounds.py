"""Which files the rounds are in, and which number each has."""

from __future__ import annotations

import pytest

from triptych.core.errors import ReadError, UsageError
from triptych.guarding.rounds import find_rounds, natural


@pytest.fixture
def make(tmp_path):
    """Make files by their relative names; the folder."""

    def _make(*names):
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text('{"prompt": "a", "response": "b"}\n')
        return tmp_path

    return _make


def told(sources):
    return [(source.round, source.name) for source in sources]


def test_folders_of_rounds(make):
    root = make(
        "round_000/generated.jsonl", "round_000/selected.jsonl", "round_000/scores.json",
        "round_001/generated.jsonl.gz", "round_010/generated.parquet", "round_002/generated.jsonl", "loop.json",
    )  # fmt: skip
    found = find_rounds([root])
    assert told(found) == [(0, "round_000"), (1, "round_001"), (2, "round_002"), (10, "round_010")]
    assert found[0].generated.name == "generated.jsonl"
    assert found[0].selected == root / "round_000/selected.jsonl"
    assert found[0].scores == root / "round_000/scores.json"
    assert (found[1].selected, found[1].scores) == (None, None)
    assert found[0].notes == ("Rounds are missing from the numbering: 3, 4, 5, 6, 7, ...",)


def test_files_in_natural_order(make):
    root = make("round_10.jsonl", "round_9.jsonl", "round_8.jsonl", "anchor.jsonl")
    found = find_rounds([root])
    assert told(found) == [(8, "round_8.jsonl"), (9, "round_9.jsonl"), (10, "round_10.jsonl")]
    assert "anchor.jsonl" in found[0].notes[0]


def test_names_without_numbers_count_by_their_place(make):
    root = make("b.jsonl", "a.jsonl", "llama3-8b.jsonl")
    assert told(find_rounds([root])) == [(0, "a.jsonl"), (1, "b.jsonl"), (2, "llama3-8b.jsonl")]
    assert told(find_rounds([root / "b.jsonl", str(root / "a.jsonl")])) == [(0, "b.jsonl"), (1, "a.jsonl")]


def test_a_number_that_two_names_have_is_told(make):
    found = find_rounds([make("round_1.jsonl", "round_01.jsonl", "round_2.jsonl")])
    assert told(found) == [(0, "round_01.jsonl"), (1, "round_1.jsonl"), (2, "round_2.jsonl")]
    (note,) = found[0].notes
    assert note == "Rounds are numbered by their places, as round_01.jsonl, round_1.jsonl are all called round 1."


def test_a_shell_gives_files_in_another_order(make):
    root = make("iter-2.jsonl", "iter-10.jsonl", "iter-1.jsonl")
    found = find_rounds(sorted(root.iterdir()))
    assert [source.round for source in found] == [1, 2, 10]
    assert "put in the order" in found[0].notes[0]


def test_one_folder_can_be_one_round(make):
    root = make("generated.jsonl", "scores.json")
    (only,) = find_rounds([root])
    assert (only.round, only.generated.name) == (0, "generated.jsonl")


def test_the_number_may_be_that_of_the_folder(make):
    root = make("round_3/generated.jsonl", "round_4/generated.jsonl")
    found = find_rounds([root / "round_3", root / "round_4" / "generated.jsonl"])
    assert [source.round for source in found] == [3, 4]


def test_rows_in_memory():
    rows = [{"prompt": "a", "response": "b"}]
    assert told(find_rounds([rows, rows])) == [(0, "round 0"), (1, "round 1")]


def test_a_folder_that_is_not_done_is_left_out(make):
    root = make("round_000/generated.jsonl", "round_001/meta.json")
    found = find_rounds([root])
    assert told(found) == [(0, "round_000")]
    assert "round_001" in found[0].notes[0]


def test_clear_errors(make):
    root = make("round_1.jsonl", "empty/notes.txt", "two/round_1.jsonl")
    with pytest.raises(UsageError, match="no round is given"):
        find_rounds([])
    with pytest.raises(UsageError, match=r"round_1\.jsonl is given twice"):
        find_rounds([root / "round_1.jsonl", root / "two" / ".." / "round_1.jsonl"])
    with pytest.raises(ReadError, match="no such file") as error:
        find_rounds([root / "round_2.jsonl"])
    assert "round_1.jsonl" in str(error.value)
    with pytest.raises(ReadError, match="holds no rounds"):
        find_rounds([root / "empty"])
    with pytest.raises(ReadError, match="holds no round"):
        find_rounds([root / "round_1.jsonl", root / "empty"])
    found = find_rounds([root / "round_1.jsonl", root / "two" / "round_1.jsonl"])
    assert [source.round for source in found] == [0, 1]


def test_natural_order():
    assert sorted(["r10", "r9", "r9a", "s1"], key=natural) == ["r9", "r9a", "r10", "s1"]
