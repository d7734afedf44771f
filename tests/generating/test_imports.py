"""Outputs of other tools as recipes: what is stated is known, the rest is listed, nothing is guessed."""

import json
import sqlite3
from contextlib import closing

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from triptych import api
from triptych.core.errors import ReadError, UsageError
from triptych.data import open_dataset
from triptych.generating.imports.imported import SCHEMA
from triptych.generating.imports.read import read_import


def lines(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def rollout(at, **more):
    return {
        "example_id": at // 2,
        "prompt": [{"role": "user", "content": f"What is {at} + 1?"}],
        "completion": [{"role": "assistant", "content": f"It is {at + 1}."}],
        "answer": str(at + 1),
        "reward": float(at % 3 > 0),
        "timing": {"total_ms": 10.0},
        "error": None,
        "token_usage": {"input_tokens": 12.0, "output_tokens": 5.0},
        **more,
    }


METADATA = {
    "env_id": "sums",
    "env_args": {"most": 9, "judge_api_key": "sk-1"},
    "model": "org/model",
    "base_url": "http://localhost",
    "rollouts_per_example": 2,
    "sampling_args": {"temperature": 0.7, "max_tokens": 64},
    "time": 3.5,
}


def test_verifiers(tmp_path):
    lost = rollout(2, error={"error": "x"}, completion=None)
    del lost["token_usage"]
    lines(tmp_path / "results.jsonl", [rollout(0), rollout(1), lost])
    (tmp_path / "metadata.json").write_text(json.dumps(METADATA))
    found = read_import(tmp_path)
    assert found.kind == "verifiers"
    assert found.components == {
        "seeds": 'sums {"most":9}',
        "writer": "org/model",
        "writer.temperature": "0.7",
        "writer.max_tokens": "64",
        "method": "rollouts",
        "method.each": "2",
        "search": "none",
        "filters": "none",
    }
    assert found.unknown == ()
    assert found.cost == {"prompt_tokens": 24.0, "tokens": 10.0, "seconds": 3.5}
    assert found.failed == {"error or no completion": 1}
    assert found.notes == ("1 of 3 rollouts state no tokens",)
    dataset = open_dataset(list(found.rows))
    assert dataset.layout.labels == ("reward",)
    assert dataset.layout.group_field == "prompt_id"
    alone = lines(tmp_path / "apart" / "traces.jsonl", [rollout(0)])
    bare = read_import(alone)
    assert bare.unknown == ("seeds", "writer", "writer.temperature", "method", "search", "filters")
    assert "who wrote them is not stated" in bare.notes[0]


def node(role, text, parent, *, sampled=False):
    return {"parent": parent, "message": {"role": role, "content": text}, "sampled": sampled, "token_ids": []}


def episode(at, *, answered=True):
    """One episode as verifiers 0.4.0 writes it: a system turn, a question, an answer that was begun anew once."""
    agent = {
        "harness": {"id": "null", "env": {}, "tool_timeout": 600.0},
        "runtime": {"type": "subprocess"},
        "model": "org/model",
        "client": {"base_url": "http://localhost", "headers": {}},
        "sampling": {"temperature": 0.7, "top_p": None, "max_tokens": 64},
    }
    nodes = [
        {"message": {"role": "system", "content": "Be brief."}, "sampled": False},
        node("user", f"How much is {at} and 1?", 0),
        node("assistant", "Let me see.", 1, sampled=True),
        node("assistant", f"It is {at + 1}.", 1, sampled=True),
    ]
    call = {"node": 3, "model": "org/model", "usage": {"prompt_tokens": 9, "completion_tokens": 4}}
    trace = {
        "version": 1,
        "agent": {"config": agent, "name": "agent"},
        "nodes": nodes if answered else [],
        "calls": [call] if answered else [{"model": "org/model", "error": {"type": "ProviderError"}}],
        "rewards": {"right": {"score": float(at % 2), "weight": 2.0}, "short": {"score": 1.0, "weight": 0.5}},
        "ok": answered,
        "timing": {
            "start": 10.0 + at,
            "setup": {"start": 10.0 + at, "end": 11.0},
            "agent": {"start": 11.0, "end": 20.0},
        },
    }
    if not answered:
        trace["rewards"] = {}
    task = {"type": "SumsTask", "data": {"prompt": "..", "answer": str(at + 1)}, "key": f"k{at}"}
    return {"id": f"e{at}", "env": {"id": "sums"}, "task": task, "ok": answered, "traces": [trace]}


EVAL = {
    "env": {"taskset": {"id": "sums", "num_tasks": 3, "system_prompt": None, "task": {"judges": []}}, "id": ""},
    "model": "org/model",
    "select": {"include": {"idx": []}, "shuffle": False, "seed": 0, "skip": 0, "limit": None},
    "num_rollouts": 2,
}


def test_verifiers_traces(tmp_path):
    lines(tmp_path / "traces.jsonl", [episode(0), episode(1), episode(2, answered=False)])
    (tmp_path / "configs" / "resolved").mkdir(parents=True)
    (tmp_path / "configs" / "resolved" / "eval.json").write_text(json.dumps(EVAL))
    found = read_import(tmp_path)
    assert found.kind == "verifiers-traces"
    known = dict(found.components)
    assert len(known.pop("method.settings")) == 8
    assert known == {
        "seeds": 'sums {"num_tasks":3}',
        "writer": "org/model",
        "writer.temperature": "0.7",
        "writer.max_tokens": "64",
        "method": "rollouts",
        "method.harness": "null",
        "method.each": "2",
        "search": "none",
        "filters": "none",
    }
    assert found.unknown == ()
    assert [turn["content"] for turn in found.rows[1]["prompt"]] == ["Be brief.", "How much is 1 and 1?"]
    assert [turn["content"] for turn in found.rows[1]["completion"]] == ["It is 2."]
    assert [row["reward"] for row in found.rows] == [0.5, 2.5]
    assert [row["prompt_id"] for row in found.rows] == ["k0", "k1"]
    assert found.cost == {"requests": 3.0, "prompt_tokens": 18.0, "tokens": 8.0, "seconds": 10.0}
    assert found.failed == {"error or no completion": 1}
    assert found.notes == ("1 of 3 requests state no tokens",)
    dataset = open_dataset(list(found.rows))
    assert (dataset.layout.labels, dataset.layout.group_field) == (("reward",), "prompt_id")


def test_traces_without_a_configuration_and_other_settings(tmp_path):
    alone = read_import(lines(tmp_path / "traces.jsonl", [episode(0)]))
    assert alone.unknown == ("seeds", "search", "filters")
    assert "is not stated" in alone.notes[0]
    other = episode(0)
    other["traces"][0]["agent"]["config"]["max_turns"] = 3
    changed = read_import(lines(tmp_path / "other" / "traces.jsonl", [other]))
    assert changed.components["method.settings"] != alone.components["method.settings"]
    unscored = episode(0)
    unscored["traces"][0]["rewards"] = {"right": None}
    (row,) = read_import(lines(tmp_path / "third" / "traces.jsonl", [unscored])).rows
    assert row["reward"] is None


ENTRY = {  # as reasoning-gym 0.1.25 gives it
    "question": "Calculate ( 56 + -33 ) - 84.",
    "answer": "-61",
    "metadata": {
        "source_dataset": "basic_arithmetic",
        "source_index": 0,
        "expression": "( 56 + -33 ) - 84",
        "num_terms": 3,
        "num_digits": 2,
        "difficulty": {"num_terms": [2, 6], "num_digits": [1, 4]},
    },
}


def test_reasoning_gym(tmp_path):
    rows = [{**ENTRY, "metadata": {**ENTRY["metadata"], "source_index": at}} for at in range(4)]
    found = read_import(lines(tmp_path / "tasks.jsonl", rows))
    assert found.kind == "reasoning-gym"
    assert found.components["method"] == "basic_arithmetic"
    assert found.components["writer"] == "reasoning-gym"
    assert "num_terms" in found.components["method.difficulty"]
    assert found.unknown == ("filters",)
    assert found.rows[0]["prompt"] == rows[0]["question"]
    assert found.rows[0]["response"] == rows[0]["answer"]


def test_reasoning_gym_of_several_tasks(tmp_path):
    other = {**ENTRY["metadata"], "source_dataset": "chain_sum", "difficulty": {"num_terms": [2, 4]}}
    both = [ENTRY, {**ENTRY, "metadata": other}]
    found = read_import(lines(tmp_path / "tasks.jsonl", both))
    assert found.components["method"] == "basic_arithmetic + chain_sum"
    assert 'chain_sum {"num_terms":[2,4]}' in found.components["method.difficulty"]
    drawn = {**ENTRY, "metadata": {**other, "difficulty": {"num_terms": [3, 3]}}}
    assert "method.difficulty" not in read_import(lines(tmp_path / "more.jsonl", [*both, drawn])).components


def response(at, **more):
    return {
        "response_message": f"Answer {at}",
        "response_errors": None,
        "raw_response": {},
        "raw_request": None,
        "generic_request": {
            "model": "org/model",
            "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": f"Question {at}?"}],
            "original_row": {},
            "original_row_idx": at,
            "generation_params": {"temperature": 0.2},
        },
        "created_at": "2026-01-01T00:00:00",
        "finished_at": "2026-01-01T00:00:02",
        "token_usage": {"input": 7, "output": 3},
        "response_cost": 0.001,
        "finish_reason": "stop",
        **more,
    }


def test_curator(tmp_path):
    lines(tmp_path / "responses_0.jsonl", [response(0), response(1, response_message={"a": 1})])
    silent = {"response_message": None, "token_usage": None, "response_cost": None}
    lines(tmp_path / "responses_1.jsonl", [response(2, response_errors=["time-out"], **silent)])
    found = read_import(tmp_path)
    assert found.kind == "curator"
    assert found.components == {"writer": "org/model", "writer.temperature": "0.2"}
    assert found.unknown == ("seeds", "method", "search", "filters")
    assert [row["response"] for row in found.rows] == ["Answer 0", '{"a":1}']
    assert found.rows[0]["prompt"] == "Be brief.\n\nQuestion 0?"
    assert found.cost == pytest.approx({"requests": 3, "prompt_tokens": 14, "tokens": 6, "seconds": 6, "money": 0.002})
    assert found.failed == {"error or no response": 1}
    assert found.notes[1:] == ("1 of 3 requests state no tokens",)


def test_curator_s_working_folder(tmp_path):
    lines(tmp_path / "0a1b" / "responses_0.jsonl", [response(0)])
    assert read_import(tmp_path / "0a1b").unknown == ("seeds", "method", "search", "filters")
    with closing(sqlite3.connect(tmp_path / "metadata.db")) as base:
        base.execute("CREATE TABLE runs (run_hash TEXT, dataset_hash TEXT, prompt_func TEXT, response_format TEXT)")
        base.execute("INSERT INTO runs VALUES ('0a1b', 'ffee', 'def prompt(row): ..', 'text')")
        base.commit()
    found = read_import(tmp_path)
    assert (found.components["seeds"], found.components["method"]) == ("data set ffee", "prompt function")
    assert len(found.components["method.prompts"]) == 8
    assert found.unknown == ("search", "filters")
    lines(tmp_path / "2c3d" / "responses_0.jsonl", [response(0)])
    with pytest.raises(UsageError, match="one run is wanted"):
        read_import(tmp_path)
    (tmp_path / "metadata.db").write_text("no database")
    assert read_import(tmp_path / "0a1b").unknown == ("seeds", "method", "search", "filters")


PIPELINE = """
distilabel: {version: 1.5.3}
pipeline:
  name: trial
  steps:
  - name: load
    step: {name: load, repo_id: org/seeds, type_info: {module: distilabel.steps.generators.huggingface, name: LoadDataFromHub}}
  - name: write
    step:
      name: write
      llm: {model: org/model, generation_kwargs: {temperature: 0.9}, type_info: {module: distilabel.models.llms.openai, name: OpenAILLM}}
      type_info: {module: distilabel.steps.tasks.evol_instruct.base, name: EvolInstruct}
  - name: near
    step: {name: near, threshold: 0.9, input_batch_size: 50, type_info: {module: distilabel.steps.filtering.minhash, name: MinHashDedup}}
  connections: []
"""


def generation(at, text="An answer."):
    told = {"statistics_write": {"input_tokens": 9, "output_tokens": 4}, "raw_output_write": text}
    return {"instruction": f"Task {at}", "generation": text, "model_name": "org/model", "distilabel_metadata": told}


def test_distilabel_rows(tmp_path):
    found = read_import(lines(tmp_path / "rows.jsonl", [generation(0), generation(1, None)]))
    assert found.kind == "distilabel"
    assert found.components == {"writer": "org/model"}
    assert found.unknown == ("seeds", "writer.temperature", "method", "search", "filters")
    assert found.failed == {"no generation": 1}
    assert found.cost == {"requests": 2.0, "prompt_tokens": 18.0, "tokens": 8.0}
    assert found.rows == [{"instruction": "Task 0", "generation": "An answer.", "model_name": "org/model"}]
    assert found.notes == ("no pipeline.yaml: only what rows say is known",)


def saved(folder, rows):
    """A data set as the `datasets` library saves one with a single split."""
    (folder / "train").mkdir(parents=True)
    table = pa.Table.from_pylist(rows)
    path = str(folder / "train" / "data-00000-of-00001.arrow")
    with pa.OSFile(path, "wb") as file, pa.ipc.new_stream(file, table.schema) as stream:
        stream.write_table(table)
    (folder / "dataset_dict.json").write_text('{"splits": ["train"]}')
    state = {"_data_files": [{"filename": "data-00000-of-00001.arrow"}], "_split": "train"}
    (folder / "train" / "state.json").write_text(json.dumps(state))
    (folder / "train" / "dataset_info.json").write_text("{}")


def test_a_distiset(tmp_path):
    pytest.importorskip("yaml")
    saved(tmp_path / "default", [generation(0), generation(1)])
    (tmp_path / "distiset_configs").mkdir()
    (tmp_path / "distiset_configs" / "pipeline.yaml").write_text(PIPELINE)
    found = read_import(tmp_path)
    known = dict(found.components)
    assert len(known.pop("method.settings")) == 8
    assert known == {
        "seeds": "org/seeds",
        "writer": "org/model",
        "writer.temperature": "0.9",
        "method": "EvolInstruct",
        "search": "none",
        "filters": 'MinHashDedup {"threshold":0.9}',
    }
    assert len(found.rows) == 2
    (tmp_path / "other").mkdir()
    with pytest.raises(UsageError, match="one leaf step is wanted"):
        read_import(tmp_path)


def test_rows_that_a_step_marked_are_not_taken_for_dropped(tmp_path):
    pytest.importorskip("yaml")
    mark = "keep_row_after_minhash_filtering"
    saved(tmp_path / "default", [{**generation(0), mark: True}, {**generation(1), mark: False}])
    (tmp_path / "distiset_configs").mkdir()
    (tmp_path / "distiset_configs" / "pipeline.yaml").write_text(PIPELINE)
    found = read_import(tmp_path)
    assert found.components["filters"] == "none"
    assert found.notes == ("1 rows are marked as not to be kept, and were not dropped",)
    assert len(found.rows) == 2


@pytest.mark.parametrize("change", ["threshold: 0.5", "template: other", "top_p: 0.5"])
def test_another_parameter_of_a_step_is_another_component(tmp_path, change):
    pytest.importorskip("yaml")
    was = {"threshold": "threshold: 0.9", "template": "name: write\n      llm", "top_p": "temperature: 0.9"}
    old = was[change.partition(":")[0]]
    new = {"template": f"{change}\n      llm", "top_p": f"temperature: 0.9, {change}"}.get(
        change.partition(":")[0], change
    )
    known = []
    for name, text in (("one", PIPELINE), ("two", PIPELINE.replace(old, new, 1))):
        saved(tmp_path / name / "default", [generation(0)])
        (tmp_path / name / "distiset_configs").mkdir()
        (tmp_path / name / "distiset_configs" / "pipeline.yaml").write_text(text)
        known.append(read_import(tmp_path / name).components)
    differ = {key for key in known[0] if known[0][key] != known[1][key]}
    assert differ == ({"filters"} if "threshold" in change else {"method.settings"})


def test_an_evolved_instruction_is_the_prompt_and_lists_of_tokens_are_a_batch_s(tmp_path):
    told = {"statistics_answer_evolve": {"input_tokens": [9, 9], "output_tokens": [4, 4]}}
    row = {"instruction": "Name a bird.", "evolved_instruction": "Name a bird that dives.", "answer": "A gannet."}
    rows = [{**row, "model_name": "org/model", "distilabel_metadata": told} for _ in range(2)]
    found = read_import(lines(tmp_path / "rows.jsonl", [*rows, {**rows[0], "evolved_instruction": None}]))
    assert found.cost == {}
    assert found.failed == {"no generation": 1}
    assert found.rows[0]["first_instruction"] == "Name a bird."
    dataset = open_dataset(list(found.rows))
    assert (dataset.layout.fields.prompt, dataset.layout.fields.response) == ("instruction", "answer")
    assert found.rows[0]["instruction"] == "Name a bird that dives."


CONFIG = {
    "data_designer": {
        "model_configs": [
            {"alias": "w", "model": "org/model", "inference_parameters": {"temperature": 0.85}, "provider": "p"}
        ],
        "columns": [
            {"name": "topic", "column_type": "sampler", "sampler_type": "category"},
            {"name": "question", "column_type": "llm-text", "prompt": "Ask about {{ topic }}.", "model_alias": "w"},
            {"name": "answer", "column_type": "llm-text", "prompt": "Answer {{ question }}", "model_alias": "w"},
        ],
        "seed_config": {"source": {"path": "seeds.parquet", "token": "hf_1"}},
        "processors": [{"name": "drop", "processor_type": "drop_columns"}],
    }
}


def designed(tmp_path, config=CONFIG):
    (tmp_path / "parquet-files").mkdir(parents=True)
    table = pa.table({"topic": ["a", "b"], "question": ["Why a?", "Why b?"], "answer": ["So.", "So too."]})
    pq.write_table(table, tmp_path / "parquet-files" / "batch_00000.parquet")
    (tmp_path / "builder_config.json").write_text(json.dumps(config))
    return tmp_path


def test_data_designer(tmp_path):
    found = read_import(designed(tmp_path))
    assert found.kind == "data-designer"
    assert found.unknown == ()
    known = dict(found.components)
    assert len(known.pop("method.prompts")) == len(known.pop("method.settings")) == 8
    assert known == {
        "seeds": '{"source":{"path":"seeds.parquet"}}',
        "writer": "org/model",
        "writer.temperature": "0.85",
        "method": "columns topic (sampler), question (llm-text), answer (llm-text)",
        "method.processors": "drop_columns",
        "search": "none",
        "filters": "none",
    }
    layout = open_dataset(list(found.rows)).layout
    assert (layout.fields.prompt, layout.fields.response) == ("question", "answer")


def test_data_designer_s_settings_and_losses(tmp_path):
    one = read_import(designed(tmp_path / "one"))
    inner = CONFIG["data_designer"]
    sampler = {**inner["columns"][0], "params": {"values": ["c", "d"]}}
    changed = {
        **inner,
        "columns": [sampler, *inner["columns"][1:]],
        "processors": [{"name": "p", "processor_type": "own"}],
    }
    place = designed(tmp_path / "two", {"data_designer": changed})
    (place / "metadata.json").write_text(json.dumps({"target_num_records": 5, "actual_num_records": 2}))
    two = read_import(place)
    assert two.components["method.settings"] != one.components["method.settings"]
    assert two.components["method.prompts"] == one.components["method.prompts"]
    assert two.components["filters"] == "own"
    assert two.notes == ("what own does to rows is not stated",)
    assert (one.failed, two.failed) == ({}, {"asked for, and not there": 3})


def test_a_recipe_is_strict_and_keeps_no_secret(tmp_path):
    document = read_import(designed(tmp_path / "a")).recipe()
    assert document["schema"] == SCHEMA
    assert "hf_1" not in json.dumps(document, allow_nan=False)
    assert document["recipe"] is None
    assert document["cost"]["money"] is None
    nested = {"model_configs": [{"alias": "w", "model": {"api_endpoint": {"model_id": "m", "api_key": "sk-2"}}}]}
    other = {"data_designer": {**CONFIG["data_designer"], **nested}}
    again = read_import(designed(tmp_path / "b", other))
    assert again.components["writer"] == "m"
    assert again.unknown == ("writer.temperature",)


def test_attribute_reads_them(tmp_path):
    for name, model in (("one", "org/a"), ("two", "org/b")):
        rows = [rollout(at, reward=float((at * 7 + (name == "two") * 3) % 5 > 1)) for at in range(80)]
        lines(tmp_path / name / "results.jsonl", rows)
        (tmp_path / name / "metadata.json").write_text(json.dumps({**METADATA, "model": model}))
    out = tmp_path / "out"
    document = api.attribute(tmp_path / "one", tmp_path / "two", out=out, workers=1, measures="label_mean:field=reward")
    (found,) = document["effects"]
    assert (found["component"], found["level"], found["reference"]) == ("writer", "org/b", "org/a")
    assert document["comparability"]["verdict"] == "controlled"
    assert document["inference"]["joint"]
    recipe = json.loads((out / "recipes" / "one.recipe.json").read_text())
    assert recipe["imported"] == "verifiers"
    again = api.attribute(tmp_path / "one", tmp_path / "two", out=out, workers=1, measures="label_mean:field=reward")
    assert again["effects"] == document["effects"]


def test_what_says_nothing_is_refused(tmp_path):
    with pytest.raises(ReadError, match="nothing says how this was made"):
        read_import(lines(tmp_path / "rows.jsonl", [{"prompt": "a", "response": "b"}]))
    (tmp_path / "broken" / "parquet-files").mkdir(parents=True)
    (tmp_path / "broken" / "builder_config.json").write_text("{")
    with pytest.raises(ReadError, match="cannot be read"):
        read_import(tmp_path / "broken")
