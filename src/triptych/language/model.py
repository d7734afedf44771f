"""A language model in use: network, tokens and device, whatever the user named.

A Hugging Face folder or name, a GGUF file, or `smollm2` (carried by a package): all are loaded the same way, in float32 on a
CPU. One model is held at a time, so that annotators that ask for the same one share it and others take its place.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias, final

from triptych.core.errors import ReadError, UsageError, message
from triptych.language.codec import Codec
from triptych.language.load import first_line, identity, model_folder, need, quiet, unreadable

Device: TypeAlias = Literal["auto", "cpu", "cuda"]

CONTEXT = 2048
"""Tokens of a record at most, where neither the caller nor the model says less."""

LONGEST = 1 << 20
"""The context of a model that does not say what it takes."""

_ROWS = 512
"""Places whose logits are held at one time: 100 MB with a vocabulary of 49,152."""

_PROBE = 6


class Passage(NamedTuple):
    """Tokens that are read, at least one, and the tokens after them that are scored."""

    head: list[int]
    body: list[int]


class Encoded(NamedTuple):
    """A record as passages: the response behind its prompt, the response alone, and whether it was cut to the context.

    `given` is None without a prompt, `alone` None where a single token has nothing before it that could tell it.
    """

    given: Passage | None
    alone: Passage | None
    cut: bool


@final
@dataclass(frozen=True)
class LanguageModel:
    """A model that was loaded.

    Attributes:
        name: as the user named it.
        weights: hash of its files.
        network: of transformers, in evaluation mode, its weights frozen.
        codec: texts to tokens.
        start: the token that this tokenizer puts before every text, or None.
        parted: whether logits may be computed from the last hidden states of single places.
    """

    name: str
    weights: str
    network: Any
    codec: Codec
    start: int | None
    parted: bool

    def encode(self, prompt: str | None, response: str, most: int = CONTEXT) -> Encoded:
        """The passages of a record, without the end token.

        Of a record beyond `most` tokens, or beyond what the model takes, the response loses its end, then the prompt its beginning. Both passages score the
        same tokens of the response, but for the first one where nothing stands before it.
        """
        context = min(most, self.codec.context)
        body = self.codec.response(prompt or "", response)[:-1] if prompt else self._plain(response)
        head = self.codec.prompt(prompt) if prompt else []
        kept = body[: context - 1]
        shown = head[-(context - len(kept)) :]
        before, rest = ([self.start], kept) if self.start is not None else (kept[:1], kept[1:])
        return Encoded(
            given=Passage(shown, kept) if shown and kept else None,
            alone=Passage(before, rest) if rest else None,
            cut=len(kept) + len(shown) < len(body) + len(head),
        )

    def _plain(self, text: str) -> list[int]:
        ids: list[int] = self.codec.tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
        return ids

    def logits(self, ids: Any, rows: Any, places: Any) -> Iterator[Any]:
        """Logits behind single places, float32, at most 512 of them at a time.

        Args:
            ids: tokens (b, t), filled up at the end: with causal attention the filling is never seen.
            rows: of each place, (k,).
            places: in its row, (k,).

        Yields:
            Pieces of (k, V), in order.
        """
        if not self.parted:
            told = self.network(input_ids=ids, use_cache=False).logits[rows, places]
            yield from (piece.float() for piece in told.split(_ROWS))
            return
        head = self.network.get_output_embeddings()
        hidden = self.network.base_model(input_ids=ids, use_cache=False).last_hidden_state[rows, places]
        yield from (head(piece).float() for piece in hidden.split(_ROWS))


@lru_cache(maxsize=1)
def load_model(name: str, device: Device = "auto") -> LanguageModel:
    """The model of this name; the last one is kept, so that it is loaded once.

    Args:
        name: a folder, a GGUF file, `smollm2`, or a name on the hub.
        device: auto is a GPU where there is one.

    Raises:
        ReadError: it is not there, or cannot be loaded.
        MissingExtraError: a package is not installed.
        UsageError: there is no GPU.
    """
    folder = model_folder(name)
    network, codec = opened(folder, LONGEST, placed(device))
    network.requires_grad_(requires_grad=False)
    first = codec.tokenizer("a", verbose=False)["input_ids"][:1]
    start = codec.tokenizer.bos_token_id
    return LanguageModel(
        name=name,
        weights=weights_of(name),
        network=network,
        codec=codec,
        start=start if start is not None and first == [start] else None,
        parted=_parted(network),
    )


@lru_cache(maxsize=8)
def weights_of(name: str) -> str:
    """The hash of a model's files; the model is downloaded or dequantized now, if it must be."""
    return identity(model_folder(name))


def placed(device: Device) -> str:
    """The device that is meant: "cpu" or "cuda".

    Raises:
        UsageError: there is no GPU.
    """
    there = need("torch").cuda.is_available()
    if device == "cuda" and not there:
        raise UsageError(message("model: no GPU can be used.", got="device=cuda", hint="device=auto"))
    return "cuda" if there and device != "cpu" else "cpu"


def opened(folder: Path, context: int, device: str, *, half: bool = False) -> tuple[Any, Codec]:
    """The network of a folder, in evaluation mode on its device, and its codec; `half`: weights in bfloat16.

    Raises:
        ReadError: it cannot be loaded.
    """
    torch, transformers = need("torch"), need("transformers")
    given = {"local_files_only": True, "trust_remote_code": False}
    with quiet():
        try:
            network, info = transformers.AutoModelForCausalLM.from_pretrained(
                folder,
                use_safetensors=True,
                dtype=torch.bfloat16 if half else torch.float32,
                output_loading_info=True,
                **given,
            )
            tokenizer = transformers.AutoTokenizer.from_pretrained(folder, **given)
        except unreadable() as error:
            raise ReadError(message(f"model {folder}: it cannot be loaded.", got=first_line(error))) from error
    if missing := sorted(info["missing_keys"]):
        # Weights that are not in the file would be drawn at random, and so would every number.
        what = f"model {folder}: it is no language model: weights are missing."
        raise ReadError(message(what, got=f"no weights {missing[0]}", want="a causal language model"))
    limit = getattr(network.config.get_text_config(), "max_position_embeddings", None) or context
    codec = Codec.of(tokenizer, network.generation_config, min(context, limit))
    # A model's own settings (a repetition penalty, top-k) would be merged into every request.
    network.generation_config = transformers.GenerationConfig(eos_token_id=list(codec.ends), pad_token_id=codec.pad)
    return network.to(device).eval(), codec


def _parted(network: Any) -> bool:
    """Whether the output embeddings, put on the last hidden states, give the network's own logits (some scale or cap them)."""
    torch = need("torch")
    ids = torch.arange(_PROBE, device=network.device)[None] % network.get_input_embeddings().weight.shape[0]
    head, base = network.get_output_embeddings(), network.base_model
    if head is None or base is network:
        return False
    with quiet(), torch.inference_mode():
        whole = network(input_ids=ids, use_cache=False).logits
        hidden = getattr(base(input_ids=ids, use_cache=False), "last_hidden_state", None)
        if hidden is None or hidden.shape[-1] != getattr(head, "in_features", hidden.shape[-1]):
            return False
        return bool(torch.allclose(head(hidden), whole, rtol=1e-4, atol=1e-4))
