"""The callback in a training with TRL's GRPO: a tiny random model, on the CPU, in a few seconds.

    python examples/guard/grpo.py          needs torch, transformers, trl and datasets

Every two steps what the model wrote, with its rewards, is a round in guard-grpo/; the guard's numbers are in the trainer's log.
"""

from __future__ import annotations

import torch
from datasets import Dataset
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
from trl import GRPOConfig, GRPOTrainer

import triptych


def varied(completions: list[str], **_given: object) -> list[float]:
    """A reward for many different characters."""
    return [len(set(text)) / 8 for text in completions]


def main() -> None:
    """Eight steps, four rounds."""
    vocab = {word: at for at, word in enumerate(["<pad>", "<eos>", "<unk>", *"0123456789+= abcdef"])}
    marks = {"pad_token": "<pad>", "eos_token": "<eos>", "unk_token": "<unk>"}
    inner = Tokenizer(models.WordLevel(vocab, marks["unk_token"]))
    inner.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    inner.decoder = decoders.Fuse()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=inner, **marks)
    torch.manual_seed(0)
    size = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    ends = {"pad_token_id": 0, "eos_token_id": 1, "bos_token_id": None}
    model = LlamaForCausalLM(LlamaConfig(vocab_size=len(vocab), max_position_embeddings=64, **size, **ends))
    data = Dataset.from_list([{"prompt": f"{a}+{b}="} for a in range(8) for b in range(8)])

    guard = triptych.GuardCallback("guard-grpo/", every=2, stop=True)
    trainer = GRPOTrainer(
        model,
        reward_funcs=guard.rewards(varied),
        args=GRPOConfig(
            output_dir="out",
            max_steps=8,
            per_device_train_batch_size=32,
            num_generations=4,
            max_completion_length=8,
            logging_steps=1,
            report_to=[],
            save_strategy="no",
            use_cpu=True,
            disable_tqdm=True,
        ),
        train_dataset=data,
        processing_class=tokenizer,
    )
    guard.attach(trainer)  # puts the guard's numbers into the trainer's own log
    trainer.train()
    for entry in trainer.state.log_history:
        if "guard/verdict" in entry:
            print(
                {
                    name: value
                    for name, value in entry.items()
                    if name.startswith(("guard/verdict", "guard/div", "step"))
                }
            )
    print(guard.verdict)


if __name__ == "__main__":
    main()
