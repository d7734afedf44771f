"""`measure` from rows to files: what is written, what stays equal, what is refused."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

import triptych
from triptych import api
from triptych.core.errors import InputError, OutputError, SchemaError, SpecError, UsageError
from triptych.core.profile import Profile
from triptych.features.static_encoder import StaticEncoder

RowsOf = Callable[..., list[dict[str, Any]]]


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def stripped(folder: Path) -> dict[str, Any]:
    """A profile without what two equal runs may differ in."""
    document = json.loads((folder / "profile.json").read_text())
    del document["provenance"], document["dataset"]["path"]
    return dict(document)


def test_one_set_gives_profile_features_and_report(rows_of: RowsOf, tmp_path: Path) -> None:
    data = write(tmp_path / "mine.jsonl", rows_of(300, copies=0.1))
    (profile,) = triptych.measure(data, out=tmp_path / "out", workers=1)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "features.parquet",
        "profile.json",
        "report.html",
    ]
    again = Profile.load(tmp_path / "out")
    assert again.to_json() == profile.to_json()
    document = profile.to_json()
    assert document["schema"] == "triptych/profile@1"
    for entry in document["estimates"]:
        assert (entry["value"] is None) == (entry["undefined"] is not None)
        assert entry["lo"] is None or entry["lo"] <= entry["value"] <= entry["hi"]
        assert (entry["lo"] is None) == (entry["no_interval"] is not None)
    table = pq.read_table(tmp_path / "out" / "features.parquet", columns=["response", "group", "length@response"])
    assert table.num_rows == 300
    headlines = {e.axis: e.label for e in profile if e.headline}
    assert headlines["quality"] == "label_mean:field=score"
    assert set(headlines) == {"quality", "diversity", "complexity"}


def test_every_number_of_a_defined_measure_has_an_interval(rows_of: RowsOf) -> None:
    (profile,) = triptych.measure(rows_of(600), workers=1)
    for estimate in profile:
        if estimate.value is not None:
            told = estimate.interval.reason is None or "end of its range in every group" in estimate.interval.reason
            assert told, estimate.label
            assert estimate.curve, estimate.label


def test_two_runs_give_equal_bytes_outside_provenance(rows_of: RowsOf, tmp_path: Path) -> None:
    data = write(tmp_path / "mine.jsonl", rows_of(200))
    for name, workers in (("a", 1), ("b", 2)):
        triptych.measure(data, out=tmp_path / name, workers=workers, cache=False)
    assert stripped(tmp_path / "a") == stripped(tmp_path / "b")
    assert (tmp_path / "a" / "features.parquet").read_bytes() == (tmp_path / "b" / "features.parquet").read_bytes()


def test_several_sets_get_a_folder_each_and_one_report(rows_of: RowsOf, tmp_path: Path) -> None:
    one, two = write(tmp_path / "x.jsonl", rows_of(60, 1)), write(tmp_path / "y.jsonl", rows_of(60, 2))
    profiles = triptych.measure(one, two, one, out=tmp_path / "out", workers=1, measures="tokens")
    assert [profile.dataset["name"] for profile in profiles] == ["x", "y", "x-2"]
    assert (tmp_path / "out" / "x-2" / "profile.json").is_file()
    assert (tmp_path / "out" / "report.html").is_file()


def test_by_splits_one_source(rows_of: RowsOf) -> None:
    rows = [{**row, "kind": "ab"[i % 2]} for i, row in enumerate(rows_of(100))]
    profiles = triptych.measure(rows, by="kind", workers=1, measures="tokens")
    assert [(p.dataset["name"], p.dataset["records"]) for p in profiles] == [("a", 50), ("b", 50)]


def test_valid_only_leaves_out_defects(rows_of: RowsOf) -> None:
    rows = rows_of(100) + [{"prompt": "Say something.", "response": "..."}] * 20
    (whole,) = triptych.measure(rows, workers=1, measures="tokens,valid_share")
    (valid,) = triptych.measure(rows, workers=1, measures="tokens,valid_share", valid_only=True)
    assert whole["valid_share"].value == pytest.approx(100 / 120)
    assert valid["valid_share"].value == 1
    assert valid["tokens"].n == 100
    with pytest.raises(SchemaError, match="no record is free of defects"):
        triptych.measure(rows[100:], workers=1, valid_only=True, measures="tokens")


def test_prompts_only_are_read_as_prompts(rows_of: RowsOf) -> None:
    (profile,) = triptych.measure([{"prompt": row["prompt"]} for row in rows_of(100)], workers=1)
    assert profile["vendi:q=2,on=prompt"].value is not None
    with pytest.raises(SpecError, match="the records have no response"):
        triptych.measure([{"prompt": "a b"}] * 20, workers=1, measures="vendi:on=both,q=2")


def test_a_label_that_is_not_there_is_named_with_the_nearest() -> None:
    rows = [{"prompt": "2 + 2?", "response": "4", "score": 1}, {"prompt": "2 + 3?", "response": "5", "score": 2}]
    with pytest.raises(SpecError, match="no such label") as error:
        triptych.measure(rows, workers=1, measures="label_mean:field=scor")
    assert "try:  score" in str(error.value)


def test_own_vectors_as_a_column(rows_of: RowsOf) -> None:
    rows = [{**row, "vector": [1.0, 0.0] if i % 2 else [0.0, 2.0]} for i, row in enumerate(rows_of(80))]
    (profile,) = triptych.measure(rows, encoder="column:vector", workers=1, measures="vendi:q=2")
    assert profile["vendi:q=2"].value == pytest.approx(2.0, abs=1e-6)
    assert profile.provenance["encoder"] == "column:vector"


def test_a_foreign_folder_is_refused_and_untouched(rows_of: RowsOf, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "thesis.docx").write_text("precious")
    with pytest.raises(OutputError, match=r"thesis\.docx"):
        triptych.measure(rows_of(50), out=folder, workers=1)
    assert [path.name for path in folder.iterdir()] == ["thesis.docx"]
    triptych.measure(rows_of(50), out=tmp_path / "fine", workers=1, measures="tokens")
    triptych.measure(rows_of(50), out=tmp_path / "fine", workers=1, measures="tokens")


@pytest.mark.parametrize(
    ("settings", "error", "said"),
    [
        ({"measures": "vendy"}, SpecError, "try:  vendi"),
        ({"measures": "vendi:qq=2"}, SpecError, 'no parameter "qq"'),
        ({"measure": "vendi"}, UsageError, "try:  measures"),
        ({"limit": 0}, UsageError, "at least one row"),
        ({"engine": "ray"}, UsageError, "not available"),
        ({"encoder": "statik"}, SpecError, "try:  static"),
        ({"encoder": "column:nothing"}, InputError, "nothing"),
        ({"tokenizer": "no/such/file"}, InputError, "tokenizer"),
    ],
)
def test_bad_settings_are_refused_with_a_hint(
    rows_of: RowsOf, settings: dict[str, Any], error: type, said: str
) -> None:
    with pytest.raises(error, match=re.escape(said)):
        triptych.measure(rows_of(20), workers=1, **settings)


def test_a_killed_run_goes_on_and_gives_the_same_bytes(rows_of: RowsOf, tmp_path: Path) -> None:
    data = write(tmp_path / "mine.jsonl", rows_of(9000))
    triptych.measure(data, out=tmp_path / "whole", workers=1, cache=False, measures="tokens,vendi:q=2,self_repetition")
    code = (
        "import triptych, sys; triptych.measure(sys.argv[1], out=sys.argv[2], workers=2,"
        "measures='tokens,vendi:q=2,self_repetition')"
    )
    command = [sys.executable, "-c", code, str(data), str(tmp_path / "out")]
    cache = Path(os.environ["TRIPTYCH_CACHE"])
    for wanted in (1, 6):
        process = subprocess.Popen(command)
        while process.poll() is None and sum(1 for _ in cache.rglob("*.arrow")) < wanted:
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert any(cache.rglob("*.arrow"))
    subprocess.run(command, check=True)
    assert stripped(tmp_path / "out") == stripped(tmp_path / "whole")
    assert (tmp_path / "out" / "features.parquet").read_bytes() == (
        tmp_path / "whole" / "features.parquet"
    ).read_bytes()
    assert not list((tmp_path / "out").glob("*.part"))


def test_the_demo_shows_what_it_was_made_for(tmp_path: Path) -> None:
    varied, repetitive, noisy = api.demo(out=tmp_path / "demo", records=400, workers=1)
    structures = "effective_structures"
    assert varied[structures].value > 2 * repetitive[structures].value
    assert repetitive["exact_duplicate_rate"].interval.lo > varied["exact_duplicate_rate"].interval.hi
    assert noisy["valid_share"].interval.hi < 0.9 < varied["valid_share"].interval.lo
    assert noisy["label_mean"].value < varied["label_mean"].value
    api.demo(out=tmp_path / "demo", records=400, workers=1)


def test_the_encoder_can_be_adapted_and_is_then_another_instrument(rows_of: RowsOf, tmp_path: Path) -> None:
    class Teacher:
        identity = "teacher@1"
        dim, max_tokens, pooling = 384, 256, "the static encoder, some dimensions weighing more"

        def encode(self, texts: Sequence[str]) -> Any:
            rows = StaticEncoder.load().encode(texts) * np.geomspace(0.05, 20, 384, dtype=np.float32)
            return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(api.measuring, "load_encoder", lambda _: Teacher())
        fitted = api.adapt(rows_of(600), out=tmp_path / "a", texts=500, ridge=0.1)
    assert fitted.header["texts"] == "500"
    assert fitted.after.spearman > fitted.before.spearman
    name = f"adapted:{tmp_path / 'a' / 'adapted.safetensors'}"
    (profile,) = triptych.measure(rows_of(100), encoder=name, measures="vendi:q=2", workers=1)
    assert profile.provenance["encoder"] == fitted.identity
    assert profile["vendi:q=2"].about["conditional_on"] == f"encoder {fitted.identity}"


def test_equal_content_on_other_lines_keeps_its_own_lines(rows_of: RowsOf, tmp_path: Path) -> None:
    rows = rows_of(30)
    close = write(tmp_path / "close.jsonl", rows)
    apart = tmp_path / "apart.jsonl"
    apart.write_text("".join(json.dumps(row) + "\n\n" for row in rows), encoding="utf-8")
    for data, lines in ((close, list(range(1, 31))), (apart, list(range(1, 61, 2)))):
        triptych.measure(data, out=tmp_path / data.stem, workers=1, measures="tokens")
        table = pq.read_table(tmp_path / data.stem / "features.parquet", columns=["line"])
        assert table.column("line").to_pylist() == lines
