"""`--encoder A,B --encoder-sample N`: B is asked about N records and no more, and every number says so."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

import triptych
from triptych.api.measuring import plan
from triptych.core.errors import SchemaError, TriptychError, UsageError
from triptych.core.profile import Profile
from triptych.core.relation import Keys
from triptych.features import embedding
from triptych.profiling.second import samples
from triptych.report import print_profiles, render_profiles

MEASURES = ("vendi:q=2", "mean_cosine_distance", "distinct_n")
WORDS = "river market engine garden ledger bridge melody harvest planet library kitchen moves grows breaks".split()


class Counted:
    """Sums of a fixed random vector for each word; counts the texts, and fails where it is told to."""

    identity, dim, max_tokens, pooling, at_home = "counted@1", 12, 0, "sum", True

    def __init__(self) -> None:
        self.texts, self.fails = [], ""

    def encode(self, texts):
        if self.fails and any(self.fails in text for text in texts):
            raise SchemaError("the encoder is down")
        self.texts += texts
        return np.array([self._vector(text) for text in texts], dtype=np.float32).reshape(len(texts), self.dim)

    def _vector(self, text: str) -> np.ndarray:
        rows = [np.random.default_rng(list(word.encode())).normal(size=self.dim) for word in text.split()]
        total = np.sum(rows, axis=0) if rows else np.zeros(self.dim)
        return total / (np.linalg.norm(total) or 1)


@pytest.fixture
def counted(monkeypatch) -> Counted:
    encoder = Counted()
    monkeypatch.setitem(embedding.ENCODERS, "counted", lambda _: encoder)
    embedding.load_encoder.cache_clear()
    yield encoder
    embedding.load_encoder.cache_clear()


def rows_of(n: int, seed: int = 0, prompts: int = 0) -> list[dict]:
    rng = np.random.default_rng(seed)
    made = [" ".join(rng.choice(WORDS, 9)) + f" {i}" for i in range(n)]
    return [{"prompt": f"question {i % prompts if prompts else i}", "response": text} for i, text in enumerate(made)]


def measured(rows, counted, tmp_path: Path, n: int = 150, **more) -> dict:
    (profile,) = triptych.measure(
        rows, measures=MEASURES, encoder="static,counted", encoder_sample=n, cache=tmp_path / "cache", **more
    )
    return profile.details["second_encoder"]


def test_so_many_texts_are_encoded_and_no_more(counted, tmp_path: Path) -> None:
    rows = rows_of(900)
    told = measured(rows, counted, tmp_path)
    assert len(counted.texts) == len(set(counted.texts)) == 150
    assert {name: told["sample"][name] for name in ("sampled", "records", "helped_by")} == {
        "sampled": 150,
        "records": 900,
        "helped_by": 750,
    }
    assert told["encoder"] == "counted@1"
    for dear, cheap in zip(told["estimates"], told["first"], strict=True):
        assert dear["spec"] == cheap["spec"]
        assert dear["n"] == cheap["n"] == 150
        assert dear["exact"] is cheap["exact"] is False
        assert dear["about"]["conditional_on"] == "encoder counted@1"
        assert cheap["about"]["conditional_on"].startswith("encoder static@")
        assert dear["bound"].startswith("at 150 records: 150 of 900 asked; helped by static on 750 others; weight ")
        assert dear["lo"] < dear["value"] < dear["hi"]
    assert measured(rows, counted, tmp_path) == told
    assert len(counted.texts) == 150  # kept
    measured(rows, counted, tmp_path, 200)
    assert len(set(counted.texts)) == len(counted.texts) == 200  # a larger sample holds the smaller


def test_near_the_value_of_so_many_records(counted, tmp_path: Path) -> None:
    rows = rows_of(1600, 4)
    told = {e["measure"]: e for e in measured(rows, counted, tmp_path, 200)["estimates"]}
    (whole,) = triptych.measure(rows, measures=MEASURES, encoder="static,counted", cache=False, workers=1)
    every = {e["measure"]: e for e in whole.details["second_encoder"]["estimates"]}
    for name in ("vendi", "mean_cosine_distance"):
        at = next(point for point in every[name]["curve"] if point["n"] == 200)
        assert abs(told[name]["value"] - at["value"]) < 3 * told[name]["se"] + 3 * at["se"]
        assert every[name]["n"] == 1600


def test_a_sample_of_all_is_all(counted, tmp_path: Path) -> None:
    rows = rows_of(120)
    (whole,) = triptych.measure(rows, measures=MEASURES, encoder="static,counted", cache=False, workers=1)
    (asked,) = triptych.measure(
        rows, measures=MEASURES, encoder="static,counted", encoder_sample=120, cache=False, workers=1
    )
    assert asked.details["second_encoder"] == whole.details["second_encoder"]


def test_more_than_half_is_read_without_help(counted, tmp_path: Path) -> None:
    told = measured(rows_of(300), counted, tmp_path, 200)
    assert told["sample"]["helped_by"] == 0
    assert {e["bound"] for e in told["estimates"]} == {"at 200 records: 200 of 300 asked"}


def test_valid_only_and_no_measure_that_reads_vectors(counted, tmp_path: Path) -> None:
    rows = [*rows_of(400), *({"prompt": "q", "response": ""} for _ in range(100))]
    told = measured(rows, counted, tmp_path, 100, valid_only=True)
    assert (told["sample"]["records"], len(counted.texts)) == (400, 100)
    (profile,) = triptych.measure(rows, measures="distinct_n", encoder="static,counted", encoder_sample=10)
    assert profile.details["second_encoder"] == {"encoder": "counted@1", "estimates": []}


def test_samples_are_whole_clusters_and_disjoint() -> None:
    rng = np.random.default_rng(1)
    n = 3000
    address = rng.integers(1, 1 << 62, n).astype(np.uint64)
    cluster = np.where(np.arange(n) < 2000, np.uint64(7) + np.arange(n, dtype=np.uint64) // 5, np.uint64(0))
    keys = Keys(np.arange(n), address, np.zeros(n, dtype=np.uint8), cluster)
    found = samples(keys, 250)
    assert len(found) == 11 or len(found) == 12
    assert all(245 <= len(one) <= 250 for one in found)
    every = np.concatenate(found)
    assert len(set(every.tolist())) == len(every)
    for one in found:
        inside = one[cluster[one] != 0]
        assert len(inside) == 5 * len(set(cluster[inside].tolist()))
    assert set(samples(keys, 100)[0]) <= set(found[0])
    assert len(samples(keys, 3000)) == 1
    assert [len(one) for one in samples(keys, 1)][:1] in ([1], [5])
    few = Keys(np.arange(40), address[:40], np.zeros(40, dtype=np.uint8), np.full(40, 9, dtype=np.uint64))
    assert [len(one) for one in samples(few, 10)] == [40]  # one cluster is never cut


def test_responses_to_one_prompt_are_asked_about_together(counted, tmp_path: Path) -> None:
    told = measured(rows_of(600, prompts=150), counted, tmp_path, 200)
    assert told["sample"]["sampled"] == len(counted.texts) == 200


def test_a_run_that_stopped_goes_on(counted, tmp_path: Path) -> None:
    rows = rows_of(800)
    counted.fails = " 7"
    with pytest.raises(TriptychError, match="the encoder is down"):
        measured(rows, counted, tmp_path, 300)
    before = len(counted.texts)
    counted.fails = ""
    measured(rows, counted, tmp_path, 300)
    assert len(counted.texts) == len(set(counted.texts)) == 300
    assert before < 300


def test_the_report_and_the_terminal_say_what_was_asked(counted, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (profile,) = triptych.measure(
        rows_of(900), measures=MEASURES, encoder="static,counted", encoder_sample=150, cache=False, out=out
    )
    assert Profile.load(out).to_json() == json.loads((out / "profile.json").read_text())
    documents = [profile.to_json()]
    said = StringIO()
    print_profiles(documents, Console(file=said, width=300))
    want = "Two encoders, static and counted: 2 measures read under both at 150 of 900 records, drawn at random, "
    assert want in said.getvalue()
    page = render_profiles(documents)
    assert want.strip() in page
    assert "The second encoder was asked about a random sample" in page
    first = documents[0]["second_encoder"]["first"][0]["value"]
    second = documents[0]["second_encoder"]["estimates"][0]["value"]
    assert f"×{second / first:.2f}" in page


def test_what_is_refused_and_what_is_planned(counted) -> None:
    rows = rows_of(50)
    for encoder in ("static", "static,column:vec"):
        with pytest.raises(UsageError, match="needs a second encoder to ask"):
            triptych.measure(rows, encoder=encoder, encoder_sample=10)
    with pytest.raises(UsageError, match="at least one record"):
        triptych.measure(rows, encoder="static,counted", encoder_sample=0)
    said = plan(rows, measures="vendi", encoder="static,counted", encoder_sample=10)
    assert "under the encoder counted on 10 records drawn at random, helped by the first encoder on others" in said
