"""A Hugging Face model in use: batched generation, likelihoods, saving."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from triptych.core.errors import SpecError, UsageError, message
from triptych.core.profile import write_json
from triptych.core.rng import stream
from triptych.language.batching import batches
from triptych.language.codec import Codec, Encoded
from triptych.language.decode import Chance, Reading, continued
from triptych.language.load import need, quiet
from triptych.studies.trainers.hf_blend import averaged, joined
from triptych.studies.trainers.trainer import Example, Model, check_blend

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
        self,
        prompts: Sequence[str],
        *,
        temperature: float = 0.0,
        max_tokens: int | None = None,
        seed: int = 0,
        min_p: float = 0.0,
    ) -> list[str]:
        """One response for each prompt, without white space around it; a prompt beyond the context loses its beginning.

        The draws of prompt i depend on `seed`, i and the tokens a response may have, and on nothing else.
        """
        if temperature < 0:
            raise SpecError(message("hf: temperature is out of range.", got=f"{temperature}", want="at least 0"))
        most = min(self.max_tokens if max_tokens is None else max_tokens, self.codec.context - 1)
        heads = [self.codec.prompt(prompt)[-(self.codec.context - most) :] for prompt in prompts]
        draws = stream("hf", "generate", seed).random((len(heads), most)) if temperature else None
        said = [""] * len(heads)
        with _inference(self.network):
            for rows in batches([len(head) + most for head in heads], _GENERATED):
                mine = None if draws is None else Chance(draws[rows], temperature, min_p)
                found = continued(self.network, [heads[row] for row in rows], most, self.codec.ends, mine)
                for row, tokens in zip(rows, found, strict=True):
                    said[row] = self.codec.decode(tokens)
        return said

    def log_likelihood(self, examples: Sequence[Example]) -> NDArray[np.float64]:
        """log p(response and its end | prompt) in nats and number of those tokens, (n, 2)."""
        torch = need("torch")
        encoded = [self.codec.encode(example.prompt, example.response) for example in examples]
        out = np.zeros((len(encoded), 2))
        vocabulary = self.network.get_output_embeddings().weight.shape[0]
        with _inference(self.network):
            for rows in batches([len(each.tokens) for each in encoded], max(_LOGITS // vocabulary, 1)):
                ids, mask, labels = (
                    torch.tensor(part, device=self.network.device)
                    for part in _padded([encoded[row] for row in rows], self.codec.pad)
                )
                reading = Reading(self.network, [encoded[row].head for row in rows])
                logits = reading.go_on(ids[:, reading.alike :], mask)[:, :-1].float()
                losses = torch.nn.functional.cross_entropy(
                    logits.transpose(1, 2), labels[:, reading.alike + 1 :], ignore_index=_IGNORED, reduction="none"
                )
                out[rows, 0] = -losses.double().sum(dim=1).cpu().numpy()
                out[rows, 1] = [encoded[row].response for row in rows]
        return out

    def blended(self, other: Model, weight: float) -> HuggingFaceModel:
        """As `Model.blended`; see `hf_blend` for adapters. The untrained model counts as one whose adapters add nothing.

        Raises:
            UsageError: another shape, adapters of other weights, of another trainer, or on one side only.
        """
        check_blend(self, other, weight)
        if not isinstance(other, HuggingFaceModel):
            raise UsageError(message("hf: not a model of this trainer.", got=type(other).__name__))
        ranks = {model.about["lora"] for model in (self, other) if model.about["trained"]}
        if ranks <= {0}:
            network = averaged(self.network, other.network, weight)
            return dataclasses.replace(self, network=network.eval(), about=(self if weight else other).about)
        if len(ranks) > 1 or self.about["weights"] != other.about["weights"]:
            got, want = (f"lora={model.about['lora']} on {model.about['weights']}" for model in (other, self))
            raise UsageError(message("hf: these models cannot be averaged.", got=got, want=want))
        parts = [
            (model.network, share)
            for model, share in ((self, weight), (other, 1 - weight))
            if share and model.about["trained"]
        ]
        if not parts:
            return self if weight else other
        about = {**self.about, "lora": ranks.pop(), "trained": True}
        return dataclasses.replace(self, network=joined(parts), about=about)

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
    start = len(record.head)
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


@contextmanager
def _inference(network: Any) -> Iterator[None]:
    """No gradients, evaluation mode."""
    network.eval()
    with quiet(), need("torch").inference_mode():
        yield
