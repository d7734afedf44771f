"""A Hugging Face model in use: batched generation, likelihoods, saving."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from triptych.core.errors import SpecError, message
from triptych.core.profile import write_json
from triptych.core.rng import stream
from triptych.studies.trainers.hf_load import need, quiet
from triptych.studies.trainers.hf_text import Codec, Encoded
from triptych.studies.trainers.trainer import Example, Model

ABOUT = "hf.json"

_LOGITS = 1 << 26  # float32 numbers of one batch of logits: 256 MB
_GENERATED = 1 << 14  # tokens of one batch that is generated
_IGNORED = -100  # torch's own label of a token without a loss


@final
@dataclass(frozen=True)
class HuggingFaceModel(Model):
    """A trained model.

    Attributes:
        network: of transformers, or of peft where it was trained by LoRA.
        codec: texts to tokens.
        max_tokens: of a response, where the caller does not say.
        about: what `save` writes beside the weights: what it was trained from, and how.
    """

    network: Any
    codec: Codec
    max_tokens: int
    about: dict[str, Any]

    def generate(
        self, prompts: Sequence[str], *, temperature: float = 0.0, max_tokens: int | None = None, seed: int = 0
    ) -> list[str]:
        """One response for each prompt, without white space around it; a prompt beyond the context loses its beginning."""
        if temperature < 0:
            raise SpecError(message("hf: temperature is out of range.", got=f"{temperature}", want="at least 0"))
        most = min(self.max_tokens if max_tokens is None else max_tokens, self.codec.context - 1)
        heads = [self.codec.prompt(prompt)[-(self.codec.context - most) :] for prompt in prompts]
        said = [""] * len(heads)
        with _inference(self.network, int(stream("hf", "generate", seed).integers(2**31))):
            for rows in _batches([len(head) + most for head in heads], _GENERATED):
                for row, tokens in zip(
                    rows, self._continued([heads[row] for row in rows], most, temperature), strict=True
                ):
                    said[row] = self.codec.decode(tokens)
        return said

    def _continued(self, heads: Sequence[list[int]], most: int, temperature: float) -> list[list[int]]:
        """What follows each of these tokens, filled up at the end."""
        torch, transformers = need("torch"), need("transformers")
        width = max(map(len, heads))
        ids = [[self.codec.pad] * (width - len(head)) + head for head in heads]
        mask = [[0] * (width - len(head)) + [1] * len(head) for head in heads]
        settings = transformers.GenerationConfig(
            max_new_tokens=most,
            do_sample=temperature > 0,
            **({"temperature": temperature, "top_k": 0, "top_p": 1.0} if temperature > 0 else {}),
            eos_token_id=list(self.codec.ends),
            pad_token_id=self.codec.pad,
        )
        device = self.network.device
        found = self.network.generate(
            input_ids=torch.tensor(ids, device=device),
            attention_mask=torch.tensor(mask, device=device),
            generation_config=settings,
        )
        rows: list[list[int]] = found[:, width:].tolist()
        return rows

    def log_likelihood(self, examples: Sequence[Example]) -> NDArray[np.float64]:
        """log p(response and its end | prompt) in nats and number of those tokens, (n, 2)."""
        torch = need("torch")
        encoded = [self.codec.encode(example.prompt, example.response) for example in examples]
        out = np.zeros((len(encoded), 2))
        vocabulary = self.network.get_output_embeddings().weight.shape[0]
        with _inference(self.network, 0):
            for rows in _batches([len(each.tokens) for each in encoded], max(_LOGITS // vocabulary, 1)):
                ids, mask, labels = (
                    torch.tensor(part, device=self.network.device)
                    for part in _padded([encoded[row] for row in rows], self.codec.pad)
                )
                logits = self.network(input_ids=ids, attention_mask=mask, use_cache=False).logits[:, :-1].float()
                losses = torch.nn.functional.cross_entropy(
                    logits.transpose(1, 2), labels[:, 1:], ignore_index=_IGNORED, reduction="none"
                )
                out[rows, 0] = -losses.double().sum(dim=1).cpu().numpy()
                out[rows, 1] = [encoded[row].response for row in rows]
        return out

    def save(self, folder: Path) -> None:
        """Write the weights (of the adapter alone, for LoRA), the tokenizer and `hf.json`."""
        folder.mkdir(parents=True, exist_ok=True)
        extra = {"save_embedding_layers": False} if self.about["lora"] else {}
        with quiet():
            self.network.save_pretrained(folder, **extra)
            self.codec.tokenizer.save_pretrained(folder)
        write_json(folder / ABOUT, self.about)


def labels_of(record: Encoded) -> list[int]:
    """Labels of a record: its response; what comes before has no loss."""
    start = len(record.tokens) - record.response
    return [_IGNORED] * start + record.tokens[start:]


def _padded(records: Sequence[Encoded], pad: int) -> tuple[list[list[int]], list[list[int]], list[list[int]]]:
    """Tokens, mask and labels of records, filled up at the end, (n, longest) each."""
    width = max(len(record.tokens) for record in records)
    missing = [width - len(record.tokens) for record in records]
    both = list(zip(records, missing, strict=True))
    return (
        [record.tokens + [pad] * rest for record, rest in both],
        [[1] * len(record.tokens) + [0] * rest for record, rest in both],
        [labels_of(record) + [_IGNORED] * rest for record, rest in both],
    )


def _batches(sizes: Sequence[int], most: int) -> Iterator[list[int]]:
    """Rows in batches of like size, each of at most `most` tokens when filled up (or one row)."""
    batch: list[int] = []
    for row in sorted(range(len(sizes)), key=lambda row: (sizes[row], row)):
        if batch and (len(batch) + 1) * sizes[row] > most:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch


@contextmanager
def _inference(network: Any, seed: int) -> Iterator[None]:
    """No gradients, evaluation mode, torch's generator seeded inside and as it was outside."""
    torch = need("torch")
    network.eval()
    with quiet(), torch.inference_mode(), torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        torch.manual_seed(seed)
        yield
