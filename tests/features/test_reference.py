"""A reference set: the balls around its records, what lies in them, and the measures that read it."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest

from triptych import api
from triptych.core.errors import InputError, ReadError, SchemaError, SpecError
from triptych.core.rng import stream
from triptych.features.reference import Balls, Reference, load_balls

K = 5


def unit(*labels, n, d=16, middle=0.0):
    x = stream("reference test", *labels).normal(size=(n, d)).astype(np.float32) + np.float32(middle)
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def computed(rows, balls, tmp_path):
    path, digest = balls.save(tmp_path)
    feature = Reference(str(path), digest, K)
    flat = pa.FixedSizeListArray.from_arrays(pa.array(rows.reshape(-1)), rows.shape[1])
    return feature.compute(pa.RecordBatch.from_arrays([flat], ["embedding@response"]))


def test_as_the_slow_definition_by_euclidean_distances(tmp_path):
    real, made = unit("real", n=90), unit("made", n=700, middle=0.2)
    columns = computed(made, Balls.around(real, K), tmp_path)
    own = np.linalg.norm(real[:, None].astype(float) - real[None], axis=2)
    reach = np.sort(own, axis=1)[:, K]
    far = np.linalg.norm(made[:, None].astype(float) - real[None], axis=2)
    inside = far <= reach + 1e-9
    assert columns["reference_inside@response"].to_pylist() == inside.any(axis=1).astype(float).tolist()
    np.testing.assert_allclose(columns["reference_density@response"].to_numpy(), inside.sum(axis=1) / K)
    np.testing.assert_allclose(columns["reference_nearest@response"].to_numpy(), (far**2 / 2).min(axis=1), atol=1e-6)
    ten = np.sort(far**2 / 2, axis=1)[:, :10].mean(axis=1)
    np.testing.assert_allclose(columns["reference_near@response"].to_numpy(), ten, atol=1e-6)
    assert columns["reference_balls@response"].to_pylist() == [np.flatnonzero(row).tolist() for row in inside]
    assert set(columns["reference_size@response"].to_pylist()) == {90}


def test_records_without_a_vector_are_nowhere(tmp_path):
    rows = unit("made", n=3)
    rows[1] = 0
    columns = computed(rows, Balls.around(unit("real", n=20), K), tmp_path)
    assert columns["reference_inside@response"][1].as_py() is None
    assert columns["reference_nearest@response"].null_count == 1
    assert columns["reference_balls@response"][1].as_py() == []


def test_saved_once_by_content(tmp_path):
    balls = Balls.around(unit("real", n=20), K)
    first, again = balls.save(tmp_path), balls.save(tmp_path)
    assert first == again
    assert [path.name for path in tmp_path.iterdir()] == [first[0].name]
    assert np.array_equal(load_balls(str(first[0])).reach, balls.reach)
    with pytest.raises(ReadError, match="no reference can be read"):
        load_balls(str(tmp_path / "none.npz"))


def test_too_few_and_other_sizes(tmp_path):
    with pytest.raises(SchemaError, match="too few"):
        Balls.around(unit("real", n=K), K)
    with pytest.raises(SchemaError, match="another size"):
        computed(unit("made", n=4, d=8), Balls.around(unit("real", n=20), K), tmp_path)


TOPICS = (
    "the sea and ships",
    "baking bread at home",
    "old trains and rails",
    "birds of the marsh",
    "tax law and forms",
)


def texts(label, n, topics):
    draw, words = stream("reference texts", label), "quiet large small early late fine rough plain".split()
    said = [
        f"A {words[i]} and {words[j]} word on {topics[k]}."
        for i, j, k in draw.integers((8, 8, len(topics)), size=(n, 3))
    ]
    return [{"prompt": f"Say something, number {at}.", "response": text} for at, text in enumerate(said)]


@pytest.fixture
def trusted(tmp_path):
    path = tmp_path / "trusted.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in texts("trusted", 300, TOPICS)))
    return path


def test_a_narrow_set_is_precise_and_covers_little(trusted):
    own = {"reference": str(trusted), "workers": 1, "cache": False}
    wide, narrow, other = (
        {estimate.measure: estimate for estimate in api.measure(rows, measures=list(NAMES), **own)[0]}
        for rows in (
            texts("wide", 400, TOPICS),
            texts("narrow", 400, TOPICS[:1]),
            [{"prompt": "p", "response": f"{i} * {i + 3} = {i * (i + 3)}; qed {i}"} for i in range(400)],
        )
    )
    assert wide["reference_precision"].value > 0.9
    assert narrow["reference_precision"].value > 0.9
    assert other["reference_precision"].value < 0.2
    assert wide["reference_coverage"].value > 0.9
    assert narrow["reference_coverage"].value < 0.4
    assert other["reference_distance"].value > 2 * wide["reference_distance"].value
    assert narrow["reference_coverage"].interval.hi < wide["reference_coverage"].interval.lo
    assert "reference trusted@" in str(wide["reference_density"].about)


NAMES = ("reference_precision", "reference_density", "reference_coverage", "reference_distance")


def test_its_measures_join_the_panel_only_where_it_is_named(trusted):
    rows = texts("wide", 60, TOPICS)
    plain = {each.measure for each in api.measure(rows, workers=1, cache=False)[0]}
    beside = {each.measure for each in api.measure(rows, workers=1, cache=False, reference=str(trusted))[0]}
    assert beside - plain == set(NAMES)
    with pytest.raises(SpecError, match="--reference"):
        api.measure(rows, measures="reference_density", workers=1, cache=False)


def test_a_reference_that_does_not_fit(tmp_path):
    rows, path = texts("wide", 60, TOPICS), tmp_path / "few.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in texts("few", 4, TOPICS)))
    with pytest.raises(SchemaError, match="too few"):
        api.measure(rows, reference=str(path), workers=1, cache=False)
    with pytest.raises(InputError, match="nowhere"):
        api.measure(rows, reference=str(tmp_path / "nowhere.jsonl"), workers=1, cache=False)
    prompts = tmp_path / "prompts.jsonl"
    prompts.write_text("".join(json.dumps({"prompt": row["response"]}) + "\n" for row in rows))
    with pytest.raises(SpecError, match="has no response"):
        api.measure(rows, reference=str(prompts), workers=1, cache=False)
