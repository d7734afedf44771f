"""The callback in real trainings: GRPO with functions and with a reward model, online DPO, supervised fine-tuning."""

from __future__ import annotations

import asyncio
import json
import logging

import pytest

import triptych
from triptych.core.errors import UsageError

torch = pytest.importorskip("torch", reason="the callback is for trainers that need torch")
for _name in ("transformers", "trl", "datasets"):
    pytest.importorskip(_name, reason=f"the callback needs {_name}")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
WORDS = list("0123456789+= abcdefghij")
PAIRS = (("bad", "big"), ("cage", "face"), ("fade", "hide"), ("dig", "jab"), ("bee", "chef"), ("add", "beg"))


@pytest.fixture(scope="module", autouse=True)
def _offline():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HUB_OFFLINE", "1")
        yield


@pytest.fixture
def tokenizer():
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    vocab = {word: at for at, word in enumerate(["<pad>", "<eos>", "<unk>", *WORDS])}
    made = Tokenizer(models.WordLevel(vocab, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    made.decoder = decoders.Fuse()
    return PreTrainedTokenizerFast(tokenizer_object=made, pad_token="<pad>", eos_token="<eos>", unk_token="<unk>")


@pytest.fixture
def model(tokenizer):
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    return LlamaForCausalLM(_config(LlamaConfig, tokenizer))


def _config(kind, tokenizer, **more):
    size = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    ends = {"pad_token_id": 0, "eos_token_id": 1, "bos_token_id": None}
    return kind(vocab_size=len(tokenizer), max_position_embeddings=64, **size, **ends, **more)


@pytest.fixture
def data():
    from datasets import Dataset

    rows = [{"prompt": f"{a}+{b}=", "answer": str(a + b), "kind": "ab"[a % 2]} for a in range(8) for b in range(8)]
    return Dataset.from_list(rows)


def varied(completions, **_given):
    """A reward for many different words."""
    return [len(set(text)) / 8 for text in completions]


def exact(completions, answer, **_given):
    """A reward for the right answer; none for an empty one."""
    return [None if not text else float(text == wanted) for text, wanted in zip(completions, answer, strict=True)]


def grpo(model, tokenizer, data, folder, rewards, **more):
    from trl import GRPOConfig, GRPOTrainer

    given = {"max_steps": 8, "per_device_train_batch_size": 16, "num_generations": 4, "max_completion_length": 8}
    settings = {"logging_steps": 1, "save_strategy": "no", "report_to": [], "use_cpu": True, "disable_tqdm": True}
    args = GRPOConfig(output_dir=str(folder), beta=0.0, **{**given, **settings, **more.pop("args", {})})
    return GRPOTrainer(
        model,
        reward_funcs=rewards,
        args=args,
        train_dataset=data,
        processing_class=tokenizer,
        eval_dataset=data,
        **more,
    )


def lines(folder, number, name="generated"):
    return [json.loads(line) for line in (folder / f"round_{number:03d}" / f"{name}.jsonl").read_text().splitlines()]


def test_grpo_rounds_hold_what_was_written_and_earned(model, tokenizer, data, tmp_path):
    from transformers import TrainerCallback

    guard = triptych.GuardCallback(tmp_path / "guard", every=2, keep=("kind",), strict=True)
    assert isinstance(guard, TrainerCallback)
    trainer = grpo(model, tokenizer, data, tmp_path / "out", guard.rewards(varied, exact), callbacks=[guard])
    guard.attach(trainer)
    assert [function.__name__ for function in trainer.reward_funcs] == ["varied", "exact"]
    assert trainer.callback_handler.callbacks.count(guard) == 1
    trainer.train()
    rounds = guard.watch.rounds
    assert [source.round for source in rounds] == [0, 1, 2, 3]
    rows = lines(tmp_path / "guard", 1)
    assert len(rows) == 32  # two steps of 16
    prompts = {row["prompt"]: row for row in data}
    for row in rows:
        assert row.keys() == {"prompt", "completion", "kind", "varied", "exact", "reward"}
        assert row["kind"] == prompts[row["prompt"]]["kind"]
        assert row["varied"] == varied([row["completion"]])[0]
        known = [value for value in (row["varied"], row["exact"]) if value is not None]
        assert row["reward"] == pytest.approx(sum(known))
    logged = [entry for entry in trainer.state.log_history if "guard/verdict" in entry]
    assert [entry["step"] for entry in logged] == [2, 4, 6, 8]
    assert logged[-1]["guard/round"] == 3
    assert all(isinstance(value, float | int) for value in logged[-1].values())
    steps = [entry["step"] for entry in trainer.state.log_history if "reward" in entry]
    assert steps == list(range(1, 9))  # the trainer's own logs are whole
    again = triptych.guard(tmp_path / "guard")
    assert again["rounds"][-1]["verdict"] == guard.verdict.verdict
    assert again["rounds"][-1]["reasons"] == list(guard.verdict.reasons)


def test_evaluation_is_no_part_of_a_round_and_the_rest_of_a_training_is(model, tokenizer, data, tmp_path):
    guard = triptych.GuardCallback(tmp_path / "guard", every=4, strict=True)
    args = {"max_steps": 6, "eval_strategy": "steps", "eval_steps": 1, "per_device_eval_batch_size": 16}
    trainer = grpo(model, tokenizer, data.select(range(16)), tmp_path / "out", varied, args=args)
    guard.attach(trainer)
    trainer.train()
    assert [len(lines(tmp_path / "guard", number)) for number in (0, 1)] == [64, 32]


def test_a_reward_model_is_read_from_the_log(model, tokenizer, data, tmp_path):
    from transformers import LlamaConfig, LlamaForSequenceClassification

    judge = LlamaForSequenceClassification(_config(LlamaConfig, tokenizer, num_labels=1))
    guard = triptych.GuardCallback(tmp_path / "guard", every=2, strict=True)
    args = {"max_steps": 4, "eval_strategy": "steps", "eval_steps": 2, "per_device_eval_batch_size": 16}
    trainer = grpo(model, tokenizer, data, tmp_path / "out", [judge], args=args, reward_processing_classes=[tokenizer])
    with pytest.raises(UsageError, match="cannot be wrapped"):
        guard.rewards(judge)
    guard.attach(trainer).attach(trainer)
    trainer.train()
    for number in (0, 1):
        rows = lines(tmp_path / "guard", number)
        assert len(rows) == 32
        assert all(isinstance(row["reward"], float) and row["completion"] is not None for row in rows)


def test_a_stop_ends_the_training_only_when_asked(model, tokenizer, data, tmp_path, caplog):
    state = {"step": 0}

    def narrowing(completions, **_given):
        state["step"] += 1
        return [0.5] * len(completions)

    def write(prompts, trainer):  # the model's words are replaced by a collapse that goes on
        kinds = max(1, 64 >> state["step"])
        texts = [
            " ".join(pair[(at % kinds) >> bit & 1] for bit, pair in enumerate(PAIRS)) for at in range(len(prompts))
        ]
        ids = [tokenizer(text)["input_ids"] for text in texts]
        own = [tokenizer(prompt)["input_ids"] for prompt in prompts]
        return {"prompt_ids": own, "completion_ids": ids, "logprobs": [[0.0] * len(one) for one in ids]}

    ended = {}
    for stop in (False, True):
        state["step"] = 0
        guard = triptych.GuardCallback(tmp_path / f"guard{stop}", every=1, stop=stop, strict=True)
        args = {"max_steps": 12, "per_device_train_batch_size": 64, "num_generations": 8}
        trainer = grpo(model, tokenizer, data, tmp_path / "out", narrowing, args=args, rollout_func=write)
        guard.attach(trainer)
        with caplog.at_level(logging.WARNING, logger="triptych.guard"):
            trainer.train()
        ended[stop] = trainer.state.global_step
        assert guard.verdict.verdict == "stop"
    assert ended[False] == 12
    assert ended[True] < 12
    assert "guard, step" in caplog.text


def test_online_dpo(model, tokenizer, data, tmp_path):
    online = pytest.importorskip("trl.experimental.online_dpo")
    guard = triptych.GuardCallback(tmp_path / "guard", every=2, strict=True)
    args = online.OnlineDPOConfig(
        output_dir=str(tmp_path / "out"), max_steps=4, per_device_train_batch_size=16, max_new_tokens=8, report_to=[],
        save_strategy="no", use_cpu=True, disable_tqdm=True, logging_steps=1,
    )  # fmt: skip
    trainer = online.OnlineDPOTrainer(
        model, reward_funcs=guard.rewards(varied), args=args, train_dataset=data, processing_class=tokenizer,
        reward_processing_classes=None, callbacks=[guard],
    )  # fmt: skip
    trainer.train()
    assert [len(lines(tmp_path / "guard", number)) for number in (0, 1)] == [64, 64]  # two answers to each prompt
    assert [entry["step"] for entry in trainer.state.log_history if "guard/verdict" in entry] == [2, 4]


def test_supervised_rounds(model, tokenizer, rows_of, tmp_path):
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    for number in range(2):
        written = rows_of(64, "sft", number)
        guard = triptych.GuardCallback(tmp_path / "guard", records=written, strict=True)
        args = SFTConfig(
            output_dir=str(tmp_path / "out"), max_steps=1, per_device_train_batch_size=2, report_to=[],
            save_strategy="no", use_cpu=True, disable_tqdm=True, max_length=32,
        )  # fmt: skip
        data = Dataset.from_list([{"text": f"{a}+1={a + 1}"} for a in range(8)])
        SFTTrainer(model, args=args, train_dataset=data, processing_class=tokenizer, callbacks=[guard]).train()
        assert guard.verdict.round == number
        assert lines(tmp_path / "guard", number) == written


def test_asynchronous_rewards_and_settings(tmp_path):
    guard = triptych.GuardCallback(tmp_path / "guard", every=3)

    async def later(completions, **_given):
        return [1.0 for _ in completions]

    (wrapped,) = guard.rewards(later)
    assert asyncio.iscoroutinefunction(wrapped)
    assert asyncio.run(wrapped(prompts=["a", "b"], completions=["x", "y"])) == [1.0, 1.0]
    with pytest.raises(UsageError, match="at least one step"):
        triptych.GuardCallback(tmp_path / "guard", every=0)
    with pytest.raises(UsageError, match="a watch has its settings"):
        triptych.GuardCallback(triptych.Watch(tmp_path / "guard"), alarm_rate=0.1)
