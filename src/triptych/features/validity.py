"""Validity: six defects that make a record worthless whatever it was meant to say, found without a model.

A bitset, bit i for `DEFECTS[i]`; 0 means that nothing was found, not that the record is right.

    empty            no text, or only punctuation. "7", "A", "(A)", ":)", "[]", "+" and emoji are answers.
    truncated        stops before its end: an open code fence, bracket or quote, a last line that is only an
                     enumerator or a bullet, a comma, colon or hyphen at the end, a last word that cannot end a
                     sentence ("of", "and"), a word cut in the middle, a phrase or line of before that broke off.
                     A whole sentence that merely lacks its full stop is not truncated.
    refusal          as a whole declines or says that it cannot do what is asked, for whatever reason. An apology that
                     is followed by a real answer, or that the prompt asked for, is none.
    prompt_echo      nothing but the prompt comes back: all of it, its instruction or its whole input, once or in a loop,
                     with one word in ten changed at most, where that is no right answer (`features.echo`). Part of an
                     input is none, nor is a copy that was asked for.
    repetition_loop  the same words, line or sentence over and over: at least 4 rounds that fill much of the text or run
                     to its end. Refrains, tables, enumerations with a common start are none; nor is asked-for repetition.
    broken_encoding  U+FFFD, control characters, UTF-8 read as Latin-1, lone surrogates, double-escaped HTML entities.

Rules are for English; in other languages only empty, repetition_loop, broken_encoding and the formal signs of truncated
apply. Confounded by genre: poems, code and notes end without a full stop. Precision comes before recall.
In prompt-only sets the judged text is the prompt (`on="prompt"`): refusal and prompt_echo then never occur.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import ClassVar, Literal

import pyarrow as pa

from triptych.core.feature import Feature
from triptych.features.echo import is_prompt_echo
from triptych.features.refusal import is_refusal
from triptych.features.repetition import is_repetition_loop
from triptych.features.truncation import is_truncated

DEFECTS = ("empty", "truncated", "refusal", "prompt_echo", "repetition_loop", "broken_encoding")

# empty

_ANSWER = re.compile(r"[^\W_]")
_EMPTY_MARK = re.compile(r"[<\[(]?\s*no\s*(?:in|out)put\s*[>\])]?\.?", re.IGNORECASE)
_SIGN_ANSWER = re.compile(r"[:;=8][-'o^]?[()DPp/\\|\[\]]|\(\)|\[\]|\{\}|\"\"|''|(?=[^-]*-)(?=[^.]*\.)[.\-/ ]+")
_PUNCTUATION = re.compile(r"[\s!-*,-;?@\[-`{|}~\u2000-\u206f\u3000-\u303f¡¿«»§·\ufeff\u00ad\x00-\x1f\x7f]*")


def is_empty(text: str | None) -> bool:
    """Whether there is no answer: null, blank, punctuation only, or a placeholder such as "<nooutput>"."""
    if text is None:
        return True
    head = text[:64]
    if _ANSWER.search(head):
        return len(text) < 32 and bool(_EMPTY_MARK.fullmatch(text.strip()))
    return not _SIGN_ANSWER.fullmatch(text[:64].strip()) and bool(_PUNCTUATION.fullmatch(text))


# broken_encoding

_BROKEN = re.compile(
    "[\ufffd\x00-\x08\x0b\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff]"
    "|\x0c(?:rac|orall)|\times\\b"
    "|â€|ï»¿|ï¿½|ðŸ|Ã[\x80-\xbf€‚ƒ„†‡ˆ‰Š‹ŒŽ˜™š›œžŸ]|Ã[‘’“”•–](?=[a-z])|Ã—|Â[\x80-\xb9\xbb-\xbf]"
    "|(?:[ÐÑ][\x80-\xbf…]){2}|(?:[äåæçèé][\x80-\xbf€‚„…†‡ˆ‰Š‹Œ‘’“”•–—˜™š›œžŸ]{2}){2}"
    "|&amp;(?:quot|amp|lt|gt|nbsp|apos|#x?[0-9a-fA-F]{1,5});"
)
_FIRST = re.compile(
    "[\ufffd\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfffâïðÃÂÐÑäåæçèé&]"
)  # what a broken one begins with
_CONTROL = re.compile("[\x00-\x08\x0b-\x0c\x0e-\x1f\x7f]|\times\\b")
_ESCAPE = re.compile(r"\\u([dD][89abAB][0-9a-fA-F]{2})(?!\\u[dD][c-fC-F])")
_ENTITY = re.compile(r"&(?:quot|nbsp|apos|lt|gt|amp|#x?[0-9a-fA-F]{2,5});")
_MARKUP = re.compile(
    r"html|\bxml\b|\bweb|\bcss\b|\bpage|\btag|\bform\b|```|\bentit|\bescap|\bcode\b|<!doctype", re.IGNORECASE
)


def is_broken_encoding(prompt: str | None, text: str) -> bool:
    """Whether the text was decoded or escaped wrongly. Entities are in order where the prompt or the text is of markup."""
    printable = text.replace("\n", "").isprintable()
    plain = text.isascii() and (printable or not _CONTROL.search(text)) and "&amp;" not in text
    if not plain and _FIRST.search(text) and _BROKEN.search(text):
        return True
    if "\\u" in text and _ESCAPE.search(text):
        return True
    if "&" not in text or len(_ENTITY.findall(text)) < 2:
        return False
    return not (_MARKUP.search(text) or (prompt and _MARKUP.search(prompt)))


# all


def defects(prompt: str | None, response: str | None) -> int:
    """The defects of a response as a bitset over `DEFECTS`; an empty one has no other defect.

    >>> defects("Name a prime.", "7"), defects("Name a prime.", " ... ")
    (0, 1)
    """
    if response is None or is_empty(response):
        return 1
    return (
        is_truncated(response) << 1
        | is_refusal(prompt, response) << 2
        | is_prompt_echo(prompt, response) << 3
        | is_repetition_loop(prompt, response) << 4
        | is_broken_encoding(prompt, response) << 5
    )


_TO_COMPLETE = re.compile(r"\b(?:complete|continue|finish|fill|blank|next|end)\b|_{2}|\.{3}", re.IGNORECASE)


def prompt_defects(prompt: str | None) -> int:
    """The defects of a prompt that stands alone. A text given to be completed is not truncated."""
    if prompt is None or is_empty(prompt):
        return 1
    stops = is_truncated(prompt) and not _TO_COMPLETE.search(prompt[:2000])
    return stops << 1 | is_repetition_loop(None, prompt) << 4 | is_broken_encoding(None, prompt) << 5


@dataclasses.dataclass(frozen=True)
class Validity(Feature):
    """`defects@on` uint16: the bitset over `DEFECTS` of the response, or of the prompt where that is the judged text."""

    on: Literal["response", "prompt"] = "response"
    version: ClassVar[int] = 6

    @property
    def needs(self) -> tuple[str, ...]:
        """Both texts, or the prompt alone."""
        return ("prompt", "response") if self.on == "response" else ("prompt",)

    @property
    def gives(self) -> tuple[str, ...]:
        """The bitset."""
        return (f"defects@{self.on}",)

    def compute(self, batch: pa.RecordBatch) -> Mapping[str, pa.Array]:
        """The defects of each record."""
        prompts: list[str | None] = batch.column("prompt").to_pylist()
        if self.on == "prompt":
            found = [prompt_defects(prompt) for prompt in prompts]
        else:
            responses: list[str | None] = batch.column("response").to_pylist()
            found = [defects(prompt, response) for prompt, response in zip(prompts, responses, strict=True)]
        return {self.gives[0]: pa.array(found, type=pa.uint16())}
