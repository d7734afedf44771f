"""A reward model, or any sequence classifier: one score for each record.

The model reads prompt and response as a conversation in its own chat template; where it has none, as the pair of texts that
encoders take, and the text alone where there is one. Its score is its one output, or of several classes the expected class
Σ i·p(i). Batches hold texts of like length. A record longer than the model reads gets no score: half a text is another text.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from inspect import signature
from typing import Any, ClassVar, Literal, NamedTuple, final

from triptych.annotating.annotator import Annotator, Item, Outcome
from triptych.annotating.named import parameters_of
from triptych.annotating.reading import shown
from triptych.core.errors import ReadError, SpecError, message
from triptych.core.plugins import build
from triptych.language.batching import batches
from triptych.language.load import first_line, identity, model_folder, need, quiet, require_model, unreadable

VERSION = 1
COLUMN = "reward.score"
NO_TEXT = "the record has no text"
TOO_LONG = "longer than the model reads"
_TOKENS = 2048
"""In a batch at most, filled up."""
_LONGEST = 1 << 20
_PORTION = 64
"""Texts of a trial."""


class Row(NamedTuple):
    """Tokens, and of which text each is (0 or 1)."""

    ids: list[int]
    kinds: list[int]


@dataclass(frozen=True, eq=False)
class Classifier:
    """A sequence classifier that was loaded.

    Attributes:
        network, tokenizer: of transformers.
        longest: tokens that it reads.
        pad: token that fills rows up; None: none is safe, and a batch holds rows of one length.
        kinds: whether it is told which of two texts a token is of.
    """

    network: Any
    tokenizer: Any
    longest: int
    pad: int | None
    kinds: bool

    def encode(self, prompt: str | None, response: str | None) -> Row:
        """Tokens of a record, each with the number of its text."""
        pair = bool(prompt) and response is not None
        if pair and self.tokenizer.chat_template:
            turns = [{"role": "user", "content": prompt}, {"role": "assistant", "content": response}]
            ids = self.tokenizer.apply_chat_template(turns, tokenize=True, return_dict=False)
            return Row(ids, [0] * len(ids))
        texts = (prompt, response) if pair else (response or prompt, None)
        told = self.tokenizer(*texts, verbose=False)
        return Row(told["input_ids"], told.get("token_type_ids") or [0] * len(told["input_ids"]))

    def scores(self, rows: Sequence[Row]) -> list[float]:
        """The score of each row of one batch."""
        torch = need("torch")
        width = max(len(row.ids) for row in rows)
        ids = torch.full((len(rows), width), self.pad or 0, dtype=torch.long)
        mask, kinds = torch.zeros((2, len(rows), width), dtype=torch.long)
        for at, row in enumerate(rows):
            length = len(row.ids)
            ids[at, :length], mask[at, :length], kinds[at, :length] = torch.tensor(row.ids), 1, torch.tensor(row.kinds)
        given = {"input_ids": ids, "attention_mask": mask} | ({"token_type_ids": kinds} if self.kinds else {})
        with torch.inference_mode():
            logits = self.network(**given).logits.float()
            if logits.shape[1] == 1:
                found: list[float] = logits[:, 0].tolist()
                return found
            shares = logits.double().softmax(1)
            expected: list[float] = (shares @ torch.arange(shares.shape[1], dtype=torch.float64)).tolist()
            return expected

    def batches(self, lengths: Sequence[int]) -> Iterator[list[int]]:
        """Places in batches, shortest first."""
        if self.pad is not None:
            yield from batches(lengths, _TOKENS)
            return
        by_length: dict[int, list[int]] = {}
        for place, length in enumerate(lengths):
            by_length.setdefault(length, []).append(place)
        for length in sorted(by_length):
            same = by_length[length]
            size = max(_TOKENS // max(length, 1), 1)
            yield from (same[at : at + size] for at in range(0, len(same), size))


@lru_cache(maxsize=1)
def load_classifier(model: str) -> Classifier:
    """The classifier of a folder or of a name on the hub, on the CPU in float32.

    Raises:
        ReadError: it is not there, or has no head that gives scores.
        MissingExtraError: a package is not installed.
    """
    torch, transformers = need("torch"), need("transformers")
    folder = model_folder(model)
    given = {"local_files_only": True, "trust_remote_code": False}
    with quiet():
        try:
            network, info = transformers.AutoModelForSequenceClassification.from_pretrained(
                folder, use_safetensors=True, dtype=torch.float32, output_loading_info=True, **given
            )
            tokenizer = transformers.AutoTokenizer.from_pretrained(folder, **given)
        except unreadable() as error:
            what = f"reward model {model}: it cannot be loaded."
            raise ReadError(message(what, got=first_line(error))) from error
    if missing := sorted(info["missing_keys"]):
        # Weights that are not in the file would be drawn at random, and so would every score.
        what = f"reward model {model}: it has no head that gives scores."
        raise ReadError(message(what, got=f"no weights {missing[0]}", want="a model for sequence classification"))
    own = tokenizer.pad_token_id
    pad = own if own is not None and own != tokenizer.eos_token_id else None
    # Decoders look for the last token that fills up; where none can be told apart, rows are of one length and none is there.
    network.config.get_text_config().pad_token_id = network.config.pad_token_id = -1 if pad is None else pad
    limits = (getattr(network.config.get_text_config(), "max_position_embeddings", None), tokenizer.model_max_length)
    kinds = (
        "token_type_ids" in tokenizer.model_input_names and "token_type_ids" in signature(network.forward).parameters
    )
    return Classifier(network.eval(), tokenizer, min(_LONGEST, *(limit for limit in limits if limit)), pad, kinds)


@lru_cache(maxsize=8)
def _weights(model: str) -> str:
    return identity(model_folder(model))


@final
@dataclass(frozen=True)
class Reward(Annotator):
    """Scores of a reward model.

    Attributes:
        model: a folder, or a name on the hub.
        on: what it reads: prompt and response, or the response alone (graders of texts).
    """

    model: str
    on: Literal["both", "response"] = "both"

    name: ClassVar[str] = "reward"
    ARGUMENT: ClassVar[str] = "model"

    @property
    def title(self) -> str:
        """With the model."""
        return f"reward model {shown(self.model)}"

    @property
    def gives(self) -> tuple[str, ...]:
        """One score."""
        return (COLUMN,)

    @property
    def identity(self) -> str:
        """The model's files, and what it reads."""
        return f"reward {_weights(self.model)} on={self.on} version={VERSION}"

    def plan(self, items: Sequence[Item]) -> str:
        """Tokens, and time by a short trial."""
        model = load_classifier(self.model)
        some = [items[place] for place in range(0, len(items), -(-len(items) // _PORTION))] if items else []
        rows = [row for _, row in self._rows(model, some)[0]]
        if not rows:
            return "nothing to read"
        started = time.perf_counter()
        for batch in model.batches([len(row.ids) for row in rows]):
            model.scores([rows[at] for at in batch])
        seconds = (time.perf_counter() - started) / len(some) * len(items)
        tokens = sum(len(row.ids) for row in rows) / len(some) * len(items)
        return f"about {tokens:,.0f} tokens to read: about {max(seconds, 1):,.0f} s; no request leaves the machine"

    def annotate(self, items: Sequence[Item]) -> Iterator[tuple[bytes, Outcome]]:
        """Shortest records first; each batch is handed out as it is done."""
        model = load_classifier(self.model)
        found, none = self._rows(model, items)
        yield from none
        for batch in model.batches([len(row.ids) for _, row in found]):
            scores = model.scores([found[at][1] for at in batch])
            yield from ((found[at][0], {COLUMN: score}) for at, score in zip(batch, scores, strict=True))

    def _rows(
        self, model: Classifier, items: Sequence[Item]
    ) -> tuple[list[tuple[bytes, Row]], list[tuple[bytes, str]]]:
        """Tokens of the records that can be read, and why the others cannot."""
        found, none = [], []
        for item in items:
            prompt = item.prompt if self.on == "both" else None
            if not (item.response or prompt):
                none.append((item.content_id, NO_TEXT))
                continue
            row = model.encode(prompt, item.response)
            if len(row.ids) > model.longest:
                none.append((item.content_id, f"{TOO_LONG} ({model.longest:,} tokens)"))
            else:
                found.append((item.content_id, row))
        return found, none


def annotators(model: str, columns: Sequence[str]) -> tuple[Annotator, ...]:
    """The reward model, named as `MODEL` or `MODEL,on=response`.

    Raises:
        InputError: it is named wrongly, or nothing gives a column.
    """
    unknown = sorted(set(columns) - {COLUMN})
    if unknown:
        raise SpecError(message(f"no reward model gives {unknown[0]}.", want=COLUMN))
    named, given = parameters_of(model)
    require_model(named)
    return (build(Reward, "reward model", shown(named), {"model": named, **given}),)
