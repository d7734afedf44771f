"""Dear columns: the sample, what is kept, what is told when an annotator stops, and the columns of the records."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pytest

from triptych.annotating.annotator import Annotator, Paid
from triptych.annotating.kept import Kept
from triptych.annotating.run import ALL, NOT_FINITE, annotate, draw, missing_items
from triptych.core.errors import TriptychError
from triptych.core.groups import address_keys
from triptych.data import open_dataset
from triptych.data.columns import content_id
from triptych.engines.progress import Progress
from triptych.features.annotated import Annotated


@dataclass(frozen=True)
class Toy(Annotator):
    """Gives the length of the response, and a vector; some responses say what it is to do."""

    stop_after: int = 1 << 30
    version: int = 1
    asked: list = field(default_factory=list, compare=False)

    name: ClassVar[str] = "toy"

    @property
    def title(self):
        return "toy"

    @property
    def gives(self):
        return ("toy.length", "toy.vector")

    @property
    def widths(self):
        return {"toy.vector": 2}

    @property
    def identity(self):
        return f"toy {self.version}"

    def plan(self, items):
        return f"{len(items)} calls"

    def annotate(self, items):
        for done, item in enumerate(items):
            if done >= self.stop_after:
                raise TriptychError("the toy broke.\n  got:  a spring\n  try:  glue")
            self.asked.append(item.content_id)
            outcomes = {"paid": Paid("said no"), "free": "was busy", "nan": {"toy.length": float("nan")}}
            n = len(item.response)
            value = {"toy.length": n / 3, "toy.vector": np.array([n, 0.1], np.float32), "else": 1.0}
            yield item.content_id, outcomes.get(item.response.split()[0], value)

    def notes(self):
        return {"calls": len(self.asked)}


def rows(n, copies=1):
    return [{"prompt": f"p{i}", "response": "a" * (i + 1)} for i in range(n)] * copies


def feature(annotation, **more):
    return replace(
        Annotated(annotation.columns, annotation.digest, annotation.threshold, str(annotation.path), "toy"), **more
    )


def columns_of(dataset, made):
    shards = [made.compute(shard.batch) for shard in dataset.shards()]
    return {name: pa.chunked_array([shard[name] for shard in shards]).to_pylist() for name in made.gives}


@pytest.mark.parametrize("size", [1, 7, 99, 100, 101, None])
def test_a_sample_has_exactly_so_many_records_and_larger_ones_hold_smaller_ones(size):
    dataset = open_dataset(rows(50, copies=2))
    sample = draw(dataset, size)
    assert sample.size == min(size or 100, 100)
    assert sample.records == 100
    (shard,) = dataset.shards()
    keys = address_keys(*(shard.batch.column(name).to_numpy() for name in ("source", "row", "part")))
    inside = np.array([int(key) < sample.threshold for key in keys])
    assert inside.sum() == sample.size
    ids = [value for value, there in zip(shard.batch.column("content_id").to_pylist(), inside, strict=True) if there]
    assert Counter(ids) == sample.copies
    assert {item.content_id for item in sample.items} == set(ids)
    assert set(ids) <= {item.content_id for item in draw(dataset, 100).items}
    assert (sample.threshold == ALL) == (sample.size == 100)


def test_a_sample_is_as_random_as_the_addresses():
    dataset = open_dataset(rows(400))
    where = [int(item.prompt[1:]) for item in draw(dataset, 100).items]
    assert len(set(where)) == 100
    assert 150 < np.mean(where) < 250
    assert where != sorted(where)


def test_columns_are_those_of_the_sampled_records_and_null_elsewhere(tmp_path):
    dataset = open_dataset(rows(60, copies=2))
    sample = draw(dataset, 50)
    annotation = annotate(sample, Toy(), tmp_path, Progress())
    found = columns_of(dataset, feature(annotation))
    there = [i for i, value in enumerate(found["toy.length"]) if value is not None]
    assert len(there) == 50  # a copy outside of the sample has no value, though its content has one
    assert [found["toy.length"][i] for i in there] == [(i % 60 + 1) / 3 for i in there]
    assert found["toy.vector"][there[3]] == [there[3] % 60 + 1, pytest.approx(0.1)]
    assert [i for i, value in enumerate(found["toy.vector"]) if value is not None] == there
    assert (annotation.sampled, annotation.scored, annotation.records) == (50, 50, 120)
    whole = annotate(draw(dataset, None), Toy(), tmp_path, Progress())
    assert None not in columns_of(dataset, feature(whole))["toy.length"]


def test_the_identity_of_the_columns_is_what_is_in_them(tmp_path):
    sample = draw(open_dataset(rows(20)), 10)
    one = feature(annotate(sample, Toy(), tmp_path / "one", Progress()))
    two = feature(annotate(sample, Toy(), tmp_path / "two", Progress()))
    other = feature(annotate(sample, Toy(version=2), tmp_path / "two", Progress()))
    more = feature(annotate(draw(open_dataset(rows(20)), 11), Toy(), tmp_path / "two", Progress()))
    assert one.path != two.path
    assert one.cache_key == two.cache_key
    assert len({two.cache_key, other.cache_key, more.cache_key}) == 3


def test_what_was_paid_for_is_kept_and_what_failed_is_asked_again(tmp_path):
    texts = ["one", "two two", "paid 1", "paid 2", "free", "nan", "nan"]
    sample = draw(open_dataset([{"prompt": f"p{i // 2}", "response": text} for i, text in enumerate(texts)]), None)
    first = Toy()
    annotation = annotate(sample, first, tmp_path, Progress())
    assert annotation.failed == {"said no": 2, NOT_FINITE: 2, "was busy": 1}
    assert (annotation.scored, annotation.sampled) == (2, 7)
    assert annotation.notes == {"calls": 7}
    again = Toy()
    repeated = annotate(sample, again, tmp_path, Progress())
    assert sorted(again.asked) == sorted(content_id(f"p{i // 2}", texts[i]) for i in (4, 5, 6))
    assert (repeated.failed, repeated.digest) == (annotation.failed, annotation.digest)
    assert len(missing_items(sample, again, tmp_path)) == 3


def test_an_annotator_that_stops_loses_nothing_and_the_count_is_told(tmp_path):
    sample = draw(open_dataset(rows(30)), 20)
    with pytest.raises(TriptychError) as caught:
        annotate(sample, Toy(stop_after=8), tmp_path, Progress())
    assert str(caught.value) == (
        "toy: stopped with 8 of 20 records done.\n"
        "  got:  the toy broke. a spring\n"
        "  try:  run it again: what is done is kept and not asked for again"
    )
    with pytest.raises(TriptychError, match=r"11 of 20 records done \(3 of them in this run\)"):
        annotate(sample, Toy(stop_after=3), tmp_path, Progress())
    last = Toy()
    assert annotate(sample, last, tmp_path, Progress()).scored == 20
    assert len(last.asked) == 9
    with pytest.raises(TriptychError, match="try:  glue"):
        annotate(sample, Toy(stop_after=0, version=2), tmp_path, Progress())


def test_a_half_line_or_a_spoiled_one_is_asked_for_again_and_harms_no_other(tmp_path):
    sample = draw(open_dataset(rows(6)), None)
    annotate(sample, Toy(), tmp_path, Progress())
    path = Kept(tmp_path / "annotations", "toy 1").path
    lines = path.read_bytes().splitlines(keepends=True)
    assert len(lines) == 6
    odd = [b'{"id": "00", "values": 3}\n', b"\xff\xfe\n", b"[]\n", b'{"values": {}}\n']
    path.write_bytes(b"".join([*odd, *lines[:4], lines[4][: len(lines[4]) // 2]]))
    again = Toy()
    assert annotate(sample, again, tmp_path, Progress()).scored == 6
    assert len(again.asked) == 2
    last = Toy()
    annotate(sample, last, tmp_path, Progress())
    assert last.asked == []


def test_numbers_come_back_to_the_last_bit(tmp_path):
    kept = Kept(tmp_path, "x")
    values = {"a": 0.1 + 0.2, "b": None, "c": np.array([1 / 3, -1e-30], np.float32)}
    with kept:
        kept.add(b"\x01" * 16, values)
        kept.add(b"\x02" * 16, Paid("no"))
    found = kept.read()
    assert found[b"\x01" * 16]["a"] == values["a"]
    assert found[b"\x01" * 16]["b"] is None
    assert found[b"\x01" * 16]["c"].tobytes() == values["c"].tobytes()
    assert found[b"\x02" * 16] == "no"
    assert isinstance(found[b"\x02" * 16], Paid)
    assert all(json.loads(line) for line in kept.path.read_text().splitlines())


def test_a_set_that_is_sampled_whole_or_has_one_record(tmp_path):
    dataset = open_dataset([{"prompt": "p", "response": "abc"}])
    annotation = annotate(draw(dataset, 5), Toy(), tmp_path, Progress())
    assert columns_of(dataset, feature(annotation))["toy.length"] == [1.0]
    none = annotate(draw(open_dataset([{"response": "paid"}]), 5), Toy(), tmp_path, Progress())
    assert none.scored == 0
    assert columns_of(dataset, feature(none)) == {"toy.length": [None], "toy.vector": [None]}
