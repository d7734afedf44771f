"""Data sets in memory and data sets that the datasets library saved."""

import pyarrow as pa
import pytest

from triptych.core.errors import ReadError, UsageError
from triptych.data import ReadOptions, open_dataset

ROWS = [{"prompt": f"p{i}", "response": f"r{i}"} for i in range(5)]
PAIRS = [(row["prompt"], row["response"]) for row in ROWS]


def test_tables_and_frames(texts):
    pandas = pytest.importorskip("pandas")
    table = pa.Table.from_pylist(ROWS)
    assert texts(table) == texts(table.to_batches()[0]) == texts(pandas.DataFrame(ROWS)) == PAIRS


def test_missing_values_of_a_frame(records):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame([{"text": "a", "score": 1.0}, {"text": "b", "score": None}])
    assert [r["label.score"] for r in records(frame)] == [1.0, None]


def test_numpy_scalars(records):
    import numpy as np

    found = records([{"text": np.str_("a"), "score": np.float32(0.5), "passed": np.bool_(1), "group_id": np.int64(3)}])
    assert (found[0]["response"], found[0]["label.score"], found[0]["label.passed"]) == ("a", 0.5, 1.0)
    assert found[0]["group_key"] == "3"


def test_datasets_respect_their_indices(texts):
    datasets = pytest.importorskip("datasets")
    data = datasets.Dataset.from_list(ROWS)
    assert texts(data) == PAIRS
    assert texts(data.select([3, 1, 1])) == [PAIRS[3], PAIRS[1], PAIRS[1]]
    assert texts(datasets.DatasetDict({"train": data, "test": data.select([4])}), split="test") == [PAIRS[4]]
    assert texts(data.to_iterable_dataset()) == PAIRS


def test_saved_sets(tmp_path, texts):
    datasets = pytest.importorskip("datasets")
    data = datasets.Dataset.from_list(ROWS)
    data.save_to_disk(tmp_path / "one", num_shards=2)
    assert texts(tmp_path / "one") == PAIRS
    assert open_dataset(tmp_path / "one").layout.sentence.startswith("saved Hugging Face data set, prompt/response")
    datasets.DatasetDict({"train": data, "test": data.select([4])}).save_to_disk(tmp_path / "many")
    assert texts(tmp_path / "many", split="test") == [PAIRS[4]]
    assert open_dataset(tmp_path / "many", ReadOptions(split="train")).name == "many-train"
    with pytest.raises(ReadError, match=r"(?s)has several splits.*got:  train, test.*try:  --split train"):
        open_dataset(tmp_path / "many")
    with pytest.raises(ReadError, match='has no split "dev"'):
        open_dataset(tmp_path / "many", ReadOptions(split="dev"))


def test_a_split_of_what_has_none():
    with pytest.raises(UsageError, match="has no splits"):
        open_dataset(ROWS, ReadOptions(split="train"))


def test_an_object_that_is_no_data():
    with pytest.raises(ReadError, match=r"(?s)cannot read records from this object.*got:  int"):
        open_dataset(3)


def test_a_frame_of_mixed_columns():
    pandas = pytest.importorskip("pandas")
    with pytest.raises(ReadError, match=r"(?s)several types.*to_dict"):
        open_dataset(pandas.DataFrame({"text": ["a", 1, [2]]}))
