"""Records as tokens for a language model: the same for training, likelihoods and generation.

With a chat template the prompt is a user's turn and the response the assistant's; without one the prompt ends with a line
break and the response follows. A response ends with an end token, which counts as one of its tokens. Prompt and response
are tokenized apart, so that the prompt of a record is, token by token, the prompt that is generated from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from triptych.core.errors import SchemaError, message


@dataclass(frozen=True)
class Encoded:
    """One record: all its tokens, how many of them, at the end, are the response, and whether it was cut."""

    tokens: list[int]
    response: int
    cut: bool

    @property
    def head(self) -> list[int]:
        """The tokens of the prompt."""
        return self.tokens[: len(self.tokens) - self.response]


@dataclass(frozen=True)
class Codec:
    """Texts to tokens and back.

    Attributes:
        tokenizer: of transformers.
        ends: tokens that end a response; the first is the tokenizer's own.
        context: tokens of a record at most.
    """

    tokenizer: Any
    ends: tuple[int, ...]
    context: int

    @classmethod
    def of(cls, tokenizer: Any, generation: Any, context: int) -> Codec:
        """For a tokenizer and the generation settings of its model.

        Raises:
            SchemaError: the tokenizer has no end token, so a response could not end.
        """
        if tokenizer.eos_token_id is None:
            raise SchemaError(
                message("model: the tokenizer has no end token.", want="eos_token in tokenizer_config.json")
            )
        more = generation.eos_token_id
        more = [] if more is None else [more] if isinstance(more, int) else list(more)
        return cls(tokenizer, tuple(dict.fromkeys([tokenizer.eos_token_id, *more])), context)

    @property
    def pad(self) -> int:
        """The token that fills up; it is never read."""
        pad = self.tokenizer.pad_token_id
        return int(self.ends[0] if pad is None else pad)

    @property
    def chat(self) -> bool:
        """Whether records are turns of a conversation."""
        return bool(self.tokenizer.chat_template)

    def prompt(self, text: str) -> list[int]:
        """Tokens of a prompt, at least one."""
        if self.chat:
            shown = self._shown([{"role": "user", "content": text}], add_generation_prompt=True)
            return self._ids(shown)
        ids: list[int] = self.tokenizer(text + "\n", verbose=False)["input_ids"]
        if ids and ids[-1] in self.ends:  # some tokenizers end every text
            ids = ids[:-1]
        start = self.tokenizer.bos_token_id
        return ids or [self.ends[0] if start is None else start]

    def response(self, prompt: str, response: str) -> list[int]:
        """Tokens of a response, its end token included."""
        ids = self._ids(self._tail(prompt, response))
        last = max((place for place, token in enumerate(ids) if token in self.ends), default=None)
        return [*ids, self.ends[0]] if last is None else ids[: last + 1]

    def encode(self, prompt: str, response: str) -> Encoded:
        """A record of at most `context` tokens: of a longer one the prompt loses its beginning, then the response its end."""
        head, tail = self.prompt(prompt), self.response(prompt, response)
        tail_kept = tail[: self.context - 1]
        head_kept = head[-(self.context - len(tail_kept)) :]
        cut = len(head_kept) + len(tail_kept) < len(head) + len(tail)
        return Encoded([*head_kept, *tail_kept], len(tail_kept), cut)

    def decode(self, tokens: Sequence[int]) -> str:
        """The text of generated tokens up to the first end token, without white space around it."""
        end = next((place for place, token in enumerate(tokens) if token in self.ends), len(tokens))
        text: str = self.tokenizer.decode(
            list(tokens[:end]), skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        return text.strip()

    def _tail(self, prompt: str, response: str) -> str:
        """What follows the prompt: what the template makes of the response, where it only adds to the prompt."""
        if not self.chat:
            return response
        turns = [{"role": "user", "content": prompt}]
        shown = self._shown(turns, add_generation_prompt=True)
        whole = self._shown([*turns, {"role": "assistant", "content": response}], add_generation_prompt=False)
        return whole.removeprefix(shown) if whole.startswith(shown) else response

    def _shown(self, turns: Sequence[dict[str, str]], *, add_generation_prompt: bool) -> str:
        text: str = self.tokenizer.apply_chat_template(
            list(turns), tokenize=False, add_generation_prompt=add_generation_prompt
        )
        return text

    def _ids(self, text: str) -> list[int]:
        ids: list[int] = self.tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
        return ids
