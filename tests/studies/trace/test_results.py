"""Result files of lm-eval and inspect: layouts as these tools write them, joined with a table about the runs."""

from __future__ import annotations

import json
import math
import zipfile

import numpy as np
import pytest

from triptych.core.errors import InputError, ReadError, SchemaError
from triptych.studies.trace.reading import Roles, load
from triptych.studies.trace.sources import gather

NAN = math.nan


def lm_eval_results(model, shift, date):
    """The results of one evaluation as lm-eval 0.4.9 writes them, less the long tail of its environment."""
    return {
        "results": {
            "mmlu": {"acc,none": 0.40 + shift, "acc_stderr,none": 0.004, "alias": "mmlu"},
            "mmlu_stem": {"alias": " - stem", "acc,none": 0.35 + shift, "acc_stderr,none": 0.0083},
            "mmlu_other": {"alias": " - other", "acc,none": 0.45 + shift, "acc_stderr,none": 0.0087},
            "gsm8k": {
                "alias": "gsm8k",
                "exact_match,strict-match": 0.20 + shift,
                "exact_match_stderr,strict-match": 0.011,
                "exact_match,flexible-extract": 0.25 + shift,
                "exact_match_stderr,flexible-extract": 0.0119,
            },
            "wikitext": {
                "alias": "wikitext",
                "word_perplexity,none": 12.5 - shift,
                "word_perplexity_stderr,none": "N/A",
            },
            "humaneval": {"alias": "humaneval", "pass@1,create_test": "N/A", "pass@1_stderr,create_test": None},
        },
        "groups": {"mmlu": {"acc,none": 0.40 + shift, "acc_stderr,none": 0.004, "alias": "mmlu"}},
        "group_subtasks": {"mmlu": ["mmlu_stem", "mmlu_other"], "gsm8k": [], "wikitext": [], "humaneval": []},
        "configs": {"gsm8k": {"task": "gsm8k", "num_fewshot": 5, "output_type": "generate_until"}},
        "versions": {"gsm8k": 3.0, "mmlu": 2, "mmlu_other": 1.0, "mmlu_stem": 1.0, "wikitext": 2.0},
        "n-shot": {"gsm8k": 5, "mmlu_other": 0, "mmlu_stem": 0, "wikitext": 0},
        "higher_is_better": {
            "gsm8k": {"exact_match": True},
            "mmlu": {"acc": True},
            "wikitext": {"word_perplexity": False},
        },
        "n-samples": {"gsm8k": {"original": 1319, "effective": 4}},
        "config": {"model": "hf", "model_args": f"pretrained={model},dtype=bfloat16", "limit": None, "random_seed": 0},
        "git_hash": "1044db9",
        "date": date,
        "task_hashes": {},
        "model_source": "hf",
        "model_name": model,
        "model_name_sanitized": model.replace("/", "__"),
        "system_instruction": None,
        "chat_template": None,
        "start_time": 1.0,
        "end_time": 2.0,
        "total_evaluation_time_seconds": "1.0",
    }


def samples_line(doc, name, score):
    return {
        "doc_id": doc,
        "doc": {"question": f"q{doc}", "answer": "#### 4"},
        "target": "#### 4",
        "arguments": {"gen_args_0": {"arg_0": "Question: ..", "arg_1": {"until": ["Question:"]}}},
        "resps": [["4"]],
        "filtered_resps": ["4"],
        "filter": name,
        "metrics": ["exact_match"],
        "doc_hash": "a",
        "prompt_hash": "b",
        "target_hash": "c",
        "exact_match": score,
    }


@pytest.fixture
def harness(tmp_path):
    """Six fine-tuned models, one of them evaluated twice, with samples of gsm8k."""
    root = tmp_path / "results"
    for k in range(6):
        name = f"out/run-{k}"
        folder = root / name.replace("/", "__")
        folder.mkdir(parents=True)
        stamp = f"2025-06-0{k + 1}T10-00-00.123456"
        (folder / f"results_{stamp}.json").write_text(json.dumps(lm_eval_results(name, k / 100, 1749000000.0 + k)))
        lines = [
            samples_line(doc, kind, float((doc + k) % 2 if kind == "strict-match" else 1))
            for kind in ("strict-match", "flexible-extract")
            for doc in (2, 0, 1, 3)
        ]
        text = "".join(json.dumps(line) + "\n" for line in lines)
        (folder / f"samples_gsm8k_{stamp}.jsonl").write_text(text)
    late = lm_eval_results("out/run-0", 0.5, 1750000000.0)
    late["results"] = {"gsm8k": late["results"]["gsm8k"]}
    late["group_subtasks"] = {"gsm8k": []}
    (root / "out__run-0" / "results_2025-07-01T10-00-00.000001.json").write_text(json.dumps(late))
    return root


def test_lm_eval_columns(harness):
    rows = gather([harness], None, None, ())
    assert rows.kind == "lm-eval"
    assert [row.cells["run"] for row in rows.rows] == [f"out/run-{k}" for k in range(6)]
    cells = rows.rows[3].cells
    assert cells["mmlu"] == cells["mmlu/acc"] == pytest.approx(0.43)
    assert cells["gsm8k"] == cells["gsm8k/exact_match@strict-match"] == pytest.approx(0.23)
    assert cells["gsm8k/exact_match@flexible-extract"] == pytest.approx(0.28)
    assert cells["mmlu_stem"] == pytest.approx(0.38)
    assert cells["humaneval"] is None  # "N/A" is no score
    assert not [name for name in cells if "stderr" in name or "alias" in name]
    assert rows.panels == ("mmlu", "gsm8k", "wikitext", "humaneval")  # groups and what is in none
    assert rows.rows[0].cells["gsm8k"] == pytest.approx(0.70)  # the later evaluation of the task
    assert rows.rows[0].cells["mmlu"] == pytest.approx(0.40)  # which says nothing of the others
    texts = {warning["code"]: warning["text"] for warning in rows.warnings}
    assert "out/run-0: gsm8k" in texts["evaluated_again"]
    assert texts["lower_is_better"].endswith(": wikitext")
    assert "first_metric" in texts


def test_lm_eval_items_by_document(harness):
    (harness / "out__run-0" / "results_2025-07-01T10-00-00.000001.json").unlink()
    rows = gather([harness], None, None, ("gsm8k", "gsm8k/exact_match@flexible-extract", "mmlu"))
    assert rows.rows[1].items["gsm8k"] == {2: 1.0, 0: 1.0, 1: 0.0, 3: 0.0}
    assert set(rows.rows[1].items["gsm8k/exact_match@flexible-extract"].values()) == {1.0}
    assert "mmlu" not in rows.rows[1].items


def test_lm_eval_joined_with_a_table_about_the_runs(harness, tmp_path):
    about = tmp_path / "about.csv"
    lines = [f"run-{k},{-1 if k % 2 else 1},{k // 2}" for k in range(5)]
    about.write_text("run,Q,seed\n" + "\n".join([*lines, "run-9,1,0"]) + "\n")
    roles = Roles(("gsm8k", "mmlu"), ("Q",), ("seed",))
    found = load(gather([harness], about, None, roles.outcomes), roles)
    assert found.table.runs == tuple(f"out/run-{k}" for k in range(5))
    assert found.table.factors["Q"].tolist() == [1, -1, 1, -1, 1]
    assert found.table.items["gsm8k"].shape == (5, 4)
    texts = [warning["text"] for warning in found.warnings if warning["code"] == "not_joined"]
    assert len(texts) == 2
    assert "out/run-5" in texts[0]
    assert "run-9" in texts[1]
    other = tmp_path / "other.csv"
    other.write_text("run,Q\nelse,1\n")
    with pytest.raises(SchemaError, match="no run is in both"):
        gather([harness], other, None, ())
    other.write_text("run,Q\nrun-1,1\nrun-1,0\n")
    with pytest.raises(SchemaError, match='the run "run-1" is there twice'):
        gather([harness], other, None, ())


def test_lm_eval_model_name_from_arguments(harness):
    path = next((harness / "out__run-2").glob("results_*.json"))
    document = json.loads(path.read_text())
    document |= {
        "model_name": "",
        "config": {"model": "hf", "model_args": {"pretrained": "base", "peft": "out/adapter"}},
    }
    path.write_text(json.dumps(document))
    assert gather([path], None, None, ()).rows[0].cells["run"] == "out/adapter"
    path.write_text(path.read_text()[:-40])
    with pytest.raises(ReadError, match="not JSON"):
        gather([harness], None, None, ())


def inspect_log(model, accuracy, values, status="success", **more):
    """A log of inspect, version 2, as `write_eval_log(.., format="json")` writes it, less plan and messages."""
    results = {
        "total_samples": len(values),
        "completed_samples": len(values),
        "scores": [
            {
                "name": "match",
                "scorer": "match",
                "reducer": "mean",
                "scored_samples": len(values),
                "unscored_samples": 0,
                "params": {},
                "metrics": {
                    "accuracy": {"name": "accuracy", "value": accuracy, "params": {}},
                    "stderr": {"name": "stderr", "value": 0.05, "params": {}},
                },
            }
        ],
    }
    samples = [
        {"id": i, "epoch": epoch, "input": "2+2?", "target": "4", "scores": {"match": {"value": value, "answer": "4"}}}
        for i, value in enumerate(values)
        for epoch in (1, 2)
    ]
    log = {
        "version": 2,
        "status": status,
        "eval": {
            "eval_id": "e",
            "run_id": "r",
            "created": more.pop("created", "2025-06-01T10:00:00+00:00"),
            "task": more.pop("task", "inspect_evals/gsm8k"),
            "task_id": "t",
            "task_version": 0,
            "task_args": {},
            "dataset": {"name": "gsm8k", "samples": len(values)},
            "model": "hf/base",
            "model_args": {"model_path": model},
            "config": {"epochs": 2},
            "packages": {"inspect_ai": "0.3.110"},
            "metadata": {"Q": more.pop("q", 1), "notes": {"deep": 1}},
        },
        "plan": {"name": "plan", "steps": [], "config": {}},
        "stats": {"started_at": "", "completed_at": "", "model_usage": {}},
        "samples": samples,
    }
    return log | ({"results": results} if status == "success" else {}) | more


def as_eval(path, log):
    """The same log as a .eval archive: header, samples, summaries, reductions."""
    head = {key: value for key, value in log.items() if key not in ("samples", "reductions")}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("_journal/start.json", json.dumps({k: log[k] for k in ("version", "eval", "plan")}))
        for sample in log["samples"]:
            archive.writestr(f"samples/{sample['id']}_epoch_{sample['epoch']}.json", json.dumps(sample))
        archive.writestr("summaries.json", "[]")
        if "reductions" in log:
            archive.writestr("reductions.json", json.dumps(log["reductions"]))
        if log["status"] != "started":
            archive.writestr("header.json", json.dumps(head))


def test_inspect_logs_in_both_formats(tmp_path):
    for k in range(6):
        log = inspect_log(f"out/run-{k}", 0.5 + k / 20, ["C", "I", "P", "N", True, 0.25], q=1 if k % 2 else -1)
        if k < 3:
            (tmp_path / f"2025-06-01T10-00-0{k}_gsm8k_{k}.json").write_text(json.dumps(log))
        else:
            as_eval(tmp_path / f"2025-06-01T10-00-0{k}_gsm8k_{k}.eval", log)
    roles = Roles(("gsm8k",), ("Q",))
    found = load(gather([tmp_path], None, None, roles.outcomes), roles)
    assert found.table.runs == tuple(f"out/run-{k}" for k in range(6))
    np.testing.assert_allclose(found.table.outcomes["gsm8k"], 0.5 + np.arange(6) / 20)
    assert found.table.factors["Q"].tolist() == [-1, 1] * 3
    for line in found.table.items["gsm8k"]:
        assert line.tolist() == [1.0, 0.0, 0.5, 0.0, 1.0, 0.25]
    row = gather([tmp_path], None, None, ()).rows[4]
    assert row.cells["gsm8k/match/accuracy"] == row.cells["gsm8k"]
    assert "gsm8k/match/stderr" not in row.cells
    assert row.cells["model"] == "hf/base"


def test_inspect_reductions_are_preferred_and_unscored_samples_are_missing(tmp_path):
    reduced = [{"sample_id": "x", "value": 0.75}, {"sample_id": "y", "value": NAN}]
    log = inspect_log("m", 0.75, ["C"], reductions=[{"scorer": "match", "reducer": "mean", "samples": reduced}])
    (tmp_path / "a.json").write_text(json.dumps(log))
    as_eval(tmp_path / "b.eval", log)
    for name in ("a.json", "b.eval"):
        items = gather([tmp_path / name], None, None, ("gsm8k",)).rows[0].items["gsm8k"]
        assert items["x"] == 0.75
        assert math.isnan(items["y"])


def test_inspect_logs_that_failed_are_failed_runs(tmp_path):
    for k in range(5):
        (tmp_path / f"{k}.json").write_text(json.dumps(inspect_log(f"run-{k}", 0.5 + k / 9, ["C"], q=(-1) ** k)))
    error = {"message": "CUDA out of memory", "traceback": "..", "traceback_ansi": ".."}
    (tmp_path / "5.json").write_text(json.dumps(inspect_log("run-5", 0, ["C"], status="error", error=error)))
    as_eval(tmp_path / "6.eval", inspect_log("run-6", 0, [], status="started"))
    early = inspect_log("run-1", 0, [], status="cancelled", created="2025-05-01T00:00:00+00:00")
    (tmp_path / "7.json").write_text(json.dumps(early))  # tried again later, with success
    roles = Roles(("gsm8k",), ("Q",))
    found = load(gather([tmp_path], None, None, ()), roles)
    assert [(entry["run"], entry["error"]) for entry in found.failed] == [
        ("run-5", "gsm8k: CUDA out of memory"),
        ("run-6", "gsm8k: status started"),
    ]
    assert len(found.table) == 5
    texts = [warning["text"] for warning in found.warnings if warning["code"] == "log_failed"]
    assert texts == ["logs that did not succeed give no score: run-5: gsm8k, run-6: gsm8k"]


def test_archives_that_are_no_logs(tmp_path):
    path = tmp_path / "a.eval"
    path.write_bytes(b"not a zip")
    with pytest.raises(ReadError, match="the log cannot be read"):
        gather([path], None, None, ())
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("else.txt", "")
    with pytest.raises(ReadError, match="no log in the archive"):
        gather([path], None, None, ())
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("header.json", "{}")
    with pytest.raises(ReadError, match=r"header\.json is no log"):
        gather([path], None, None, ())


def test_archives_compressed_in_a_way_that_python_does_not_know(tmp_path):
    path = tmp_path / "a.eval"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("header.json", "{}")
    data = bytearray(path.read_bytes())
    for mark, place in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        data[data.index(mark) + place] = 93  # Zstandard
    path.write_bytes(data)
    with pytest.raises(ReadError, match=r"the log cannot be read[\s\S]*inspect log convert --to json"):
        gather([path], None, None, ())


def test_kinds_are_not_mixed(harness, tmp_path):
    (tmp_path / "log.json").write_text(json.dumps(inspect_log("m", 1.0, ["C"])))
    with pytest.raises(InputError, match="several kinds"):
        gather([harness, tmp_path / "log.json"], None, None, ())
