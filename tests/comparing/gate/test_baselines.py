"""Baselines: a saved folder, its profile alone, another data set; and everything that is none."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pyarrow.parquet as pq
import pytest

from triptych import api
from triptych.comparing.gate.request import Source
from triptych.comparing.gate.saved import open_saved, saved_side
from triptych.comparing.sides import prepare
from triptych.core.errors import InputError, ReadError, SchemaError, SpecError, UsageError
from triptych.data import open_dataset
from triptych.engines.fold import Selected, fold
from triptych.engines.progress import Progress
from triptych.profiling.bench import open_bench
from triptych.profiling.settings import Settings

RIGHT = "label_mean:field=correct"
PANEL = ("near_duplicate_rate", "vendi:q=2", "self_repetition", RIGHT, "per_prompt_distance", "effective_structures")
MORE = ("valid_share", "tokens", "vendi:q=2,valid_only=true")


@pytest.fixture(scope="module")
def kept(make, tmp_path_factory):
    """A baseline in all its forms, measured once."""
    folder = tmp_path_factory.mktemp("kept")
    rows = make(160, "base")
    rows += [{**row, "response": f"{row['response']} Again."} for row in rows[:40]]
    file = folder / "base.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    api.measure(str(file), measures=[*PANEL, *MORE], out=folder / "base", workers=1, cache=folder / "cache")
    return folder


@pytest.fixture
def saved(kept, tmp_path):
    """A copy of it."""
    shutil.copy(kept / "base.jsonl", tmp_path)
    shutil.copytree(kept / "base", tmp_path / "base")
    return tmp_path / "base.jsonl", tmp_path / "base"


def test_a_saved_side_is_the_side_that_was_measured(saved):
    file, folder = saved
    with open_bench(Settings.of(measures=PANEL, workers=1), Progress()) as bench:
        fresh = prepare(open_dataset(str(file), bench.settings.reading()), bench)
        again = saved_side(open_saved(folder), bench)
        for name in ("prompt", "length", "tokens", "valid"):
            assert np.array_equal(getattr(fresh, name), getattr(again, name)), name
        for name in ("address", "group", "cluster"):
            assert np.array_equal(getattr(fresh.keys, name), getattr(again.keys, name)), name
        assert [m.spec for m in fresh.measures] == [m.spec for m in again.measures]
        (mine,), (theirs,) = ([shard.fingerprint for shard in side.dataset.shards()] for side in (fresh, again))
        assert mine == theirs
        states = []
        for side in (fresh, again):
            statistics = [measure.statistic() for measure in side.measures]
            selected = Selected(side.store, side.keys, np.arange(0, len(side), 3))
            states.append(fold(selected, statistics, side.work.relations, bench.engine, Progress()))
        for key, statistic in states[0].items():
            for name, array in statistic.state().items():
                assert np.array_equal(array, states[1][key].state()[name]), name


def test_columns_that_were_not_saved_are_made_again(make, write, tmp_path, gate):
    base, data = write("base.jsonl", make(90, "base")), write("data.jsonl", make(90, "data"))
    api.measure(str(base), measures=RIGHT, out=tmp_path / "few", workers=1)
    assert "embedding@response" not in pq.read_schema(tmp_path / "few" / "features.parquet").names
    rules = [{"measure": name, "no_worse_than_baseline": True} for name in PANEL[:4]]
    found = [gate(data, baseline, rules) for baseline in (base, tmp_path / "few")]
    assert found[0]["rules"] == found[1]["rules"]
    assert [one["baseline"]["kind"] for one in found] == ["data", "features"]


def test_all_forms_of_a_baseline_agree(saved, make, gate):
    file, folder = saved
    for data in (make(200, "data"), str(folder)):
        rules = [{"measure": name, "no_worse_than_baseline": True, "ceiling": 1.0} for name in ("vendi:q=2", RIGHT)]
        of_data, of_features = (gate(data, baseline, rules) for baseline in (file, folder))
        assert of_data["rules"] == of_features["rules"]
        alone = gate(data, folder / "profile.json", rules)
        assert alone["baseline"]["kind"] == "profile"
        for mine, other in zip(of_data["rules"], alone["rules"], strict=True):
            assert mine["value"] == pytest.approx(other["value"])
            if mine["kind"] != "ceiling":
                assert mine["baseline"] == pytest.approx(other["baseline"])
                assert mine["diff_lo"] == pytest.approx(other["diff_lo"], rel=0.1, abs=1e-9)


def test_a_profile_alone_is_read_where_its_curve_has_a_value(saved, make, gate, one):
    _, folder = saved
    rule = [{"measure": "vendi:q=2", "no_worse_than_baseline": True}]
    document = json.loads((folder / "profile.json").read_text())
    (estimate,) = [entry for entry in document["estimates"] if entry["label"] == "vendi:q=2"]
    halves = {point["n"]: point["value"] for point in estimate["curve"]}
    for size, n in ((400, 200), (200, 200), (199, 100), (60, 50), (7, 6)):
        found = gate(make(size, "data"), folder / "profile.json", rule)
        limit = one(found)
        (note,) = [warning["text"] for warning in found["warnings"] if warning["code"] == "profile_alone"]
        assert f"at {n:,} records" in note
        if size > 7:
            assert limit["n"] == n
            assert limit["baseline"] == pytest.approx(halves[n])
            assert limit["diff_lo"] < limit["diff"] < limit["diff_hi"]
    few = gate(make(5, "data"), folder / "profile.json", rule)
    assert one(few)["outcome"] == "unsure"
    assert "fewer than a 32nd" in one(few)["text"]


def test_default_rules_fit_what_both_sets_have(saved, make, gate):
    _, folder = saved
    prompts_only = [{"prompt": row["prompt"]} for row in make(120, "data")]
    labels = {one["measure"] for one in gate(make(120, "data"), folder)["rules"]}
    assert labels >= {RIGHT, "valid_share", "near_duplicate_rate", "near_duplicate_rate:on=response"}
    alone = {one["measure"] for one in gate(make(120, "data"), folder / "profile.json")["rules"]}
    assert alone == labels - {"near_duplicate_rate:on=response"}
    fewer = {one["measure"] for one in gate(prompts_only, folder)["rules"]}
    assert fewer == {"effective_structures"}


def test_instruments_are_those_of_the_saved_profile(saved, make, gate):
    _, folder = saved
    features = folder / "features.parquet"
    table = pq.read_table(features)
    noted = json.loads(table.schema.metadata[b"triptych"])
    noted["instruments"]["encoder_identity"] = "static@000000000000"
    pq.write_table(table.replace_schema_metadata({b"triptych": json.dumps(noted).encode()}), features)
    data = make(60, "data")
    rule = {"no_worse_than_baseline": True}
    with pytest.raises(SpecError, match="another encoder"):
        gate(data, folder, [{"measure": "vendi:q=2", **rule}])
    assert gate(data, folder, [{"measure": RIGHT, **rule}])["provenance"]["encoder"].startswith("static@")
    noted["instruments"]["tokenizer_identity"] = "wordpiece@0"
    pq.write_table(table.replace_schema_metadata({b"triptych": json.dumps(noted).encode()}), features)
    with pytest.raises(SpecError, match="another tokenizer"):
        gate(data, folder, [{"measure": RIGHT, **rule}])


def test_an_older_version_is_noted(saved, make, gate):
    _, folder = saved
    document = json.loads((folder / "profile.json").read_text())
    document["provenance"]["version"] = "0.0.1"
    (folder / "profile.json").write_text(json.dumps(document))
    found = gate(make(60, "data"), folder, [{"measure": RIGHT, "no_worse_than_baseline": True}])
    (warning,) = [warning for warning in found["warnings"] if warning["code"] == "version"]
    assert "0.0.1" in warning["text"]


def bad_baselines(folder):
    other = folder.parent / "other"
    shutil.copytree(folder, other)
    document = json.loads((folder / "profile.json").read_text())
    older = {**document, "schema": "triptych/profile@0"}
    (folder.parent / "older.json").write_text(json.dumps(older))
    (folder.parent / "study.json").write_text('{"schema": "triptych/study@1"}')
    (folder.parent / "damaged.json").write_text('{"schema": "triptych/profile@1", "dataset": {}}')
    (folder.parent / "cut.json").write_text('{"schema": "triptych/profile@1", ')
    (other / "profile.json").write_text(json.dumps({**document, "dataset": {**document["dataset"], "records": 7}}))
    foreign = folder.parent / "foreign"
    shutil.copytree(folder, foreign)
    pq.write_table(pq.read_table(folder / "features.parquet").replace_schema_metadata({}), foreign / "features.parquet")
    several = folder.parent / "several"
    shutil.copytree(folder, several / "one")
    (several / "report.html").write_text("")
    empty = folder.parent / "empty"
    empty.mkdir()
    lone = folder.parent / "lone"
    lone.mkdir()
    shutil.copy(folder / "features.parquet", lone)
    return {
        "none.jsonl": "none.jsonl",
        "nothing/profile.json": "no profile can be read",
        "older.json": "triptych/profile@0",
        "study.json": "triptych/study@1",
        "damaged.json": "damaged",
        "cut.json": "no profile can be read",
        "other": "different runs",
        "foreign": "not a features.parquet",
        "several": "several sets",
        "empty": "empty",
        "lone": "no profile can be read",
    }


def test_bad_baselines_are_one_clear_message(saved, make, gate):
    _, folder = saved
    data = make(40, "data")
    for name, text in bad_baselines(folder).items():
        with pytest.raises(InputError) as caught:
            gate(data, folder.parent / name)
        assert text in str(caught.value), name


def test_bad_data_and_rules_that_do_not_fit(saved, make, write, gate):
    file, folder = saved
    data = make(60, "data")
    compared = {"measure": RIGHT, "no_worse_than_baseline": True}
    unlabelled = [{"prompt": row["prompt"], "response": row["response"]} for row in data]
    cases = [
        (unlabelled, folder, [compared], SchemaError, 'rule 1 .*the data have no label "correct"'),
        (data, unlabelled, [compared], SchemaError, 'the baseline has no label "correct"'),
        (data, folder, [{"measure": "label_mean:field=corect", "floor": 0}], SchemaError, "label_mean:field=correct"),
        ([{"text": "A river."}] * 40, folder, [{"measure": "tokens:on=prompt", "floor": 1}], SpecError, "no prompt"),
        (data, folder, [{**compared, "by": "task"}], SchemaError, "does not hold the field"),
        (data, file, [{**compared, "by": "tsak"}], SchemaError, 'rule 1 .*no row has the field "tsak"'),
        (data, file, [{**compared, "by": "prompt"}], SchemaError, "more than 64 values"),
        (data, folder / "profile.json", [{**compared, "by": "task"}], SpecError, "by needs the records"),
        (data, folder / "profile.json", [{**compared, "match": "length"}], SpecError, "match needs the records"),
        (data, folder / "profile.json", [{**compared, "measure": "vendi:q=3"}], SpecError, "no estimate of vendi:q=3"),
        (folder / "profile.json", folder, [compared], ReadError, "holds no records"),
        (write("empty.jsonl", []), folder, None, ReadError, "the file is empty"),
        (data, None, None, UsageError, "default rules compare"),
        (data, None, [compared], UsageError, "rule 1"),
        ("-", "-", None, UsageError, "standard input"),
    ]
    for source, baseline, rules, kind, text in cases:
        with pytest.raises(kind, match=text):
            gate(source, baseline, rules)
    for name in ("measures", "by", "valid_only"):
        with pytest.raises(UsageError, match="no such setting"):
            gate(data, folder, **{name: "tokens"})


def test_rows_that_were_skipped_are_noted(make, write, gate):
    file = write("data.jsonl", make(40, "data"))
    file.write_text(file.read_text() + '{"prompt": 3\n')
    with pytest.raises(ReadError, match=r"data\.jsonl:41"):
        gate(file, rules=[{"minimum_n": 1}])
    found = gate(file, rules=[{"minimum_n": 1}], on_bad="skip")
    assert "1 rows of 41" in found["warnings"][-1]["text"]


def test_a_saved_set_by_its_label(saved, gate):
    _, folder = saved
    found = gate(folder, rules=[{"measure": "tokens", "floor": 1, "by": "correct"}])
    assert sorted(one["group"] for one in found["rules"]) == ["0", "1"]
    assert Source(folder, open_saved(folder)).dataset.layout.labels == ("correct",)
