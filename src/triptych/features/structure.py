"""The structure of a record: its structure field or, failing one, its template.

A template is the text with everything that is filled in masked: code, URLs, e-mail addresses, quoted strings, numbers,
names, and (in prompts) a long input after the first blank line. What is left is lower-cased and white space is folded.
Two records with equal templates differ in fillings only: their surface n-grams can vary while nothing new is asked.

Names are capitalized words inside a sentence. At the start of a sentence a capitalized word is a name when the text
shows it capitalized elsewhere, when another capitalized word follows, or when a verb or "'s" that wants a subject
follows ("Mary has"), unless it is one of the usual sentence openers. So "Mary has 5 pens" and "Ben has 7 pens" share a
template, and so do "Water is .." and "Iron is ..": a slot, not always a name.

Source: the idea of skeleton coverage (arXiv 2504.12522); the masks are this project's own. Confounded by wording: two
paraphrases of one task are two templates, and a change of a noun in lower case is one too. English capitalization is
assumed: German nouns look like names, and scripts without case keep theirs.
"""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections.abc import Mapping
from typing import Literal

import pyarrow as pa

from triptych.core.feature import Feature

LONG_INPUT = 80  # characters after the first blank line from which they are an input rather than part of the wording

_OPENERS = frozenset(
    """a an the this that these those there here it its he she they we you i my your his her our their what which who
    whom whose when where why how if as at in on of for from to by with and or but so not no yes is are was were be do
    does did can could will would should may might must has have had let lets please given suppose imagine assume
    consider using use write create generate give make list name describe explain provide find identify compare
    summarize tell design rewrite classify suggest construct calculate compute develop compose translate edit convert
    determine analyze outline describe discuss answer add propose come think read take choose select complete fill
    arrange formulate categorize evaluate predict state define estimate detect organize match rearrange recommend
    replace sort show draft draw produce change correct paraphrase simplify fix solve output invent brainstorm extract
    help pretend act play point prove sing research plan build convince interpret
    after before during while since because although though then now today first second third finally next all some any
    each every both most many one two three also however therefore thus hence about over under between""".split()
)
_FENCE = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
_INLINE = re.compile(r"`[^`\n]{1,200}`")
_URL = re.compile(r"(?:https?://|www\.)[^\s<>\"']{1,2000}")
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64}){1,5}")
_QUOTE = re.compile(r"\"[^\"\n]{1,1000}\"|“[^”\n]{1,1000}”|«[^»\n]{1,1000}»|(?<!\w)'[^'\n]{1,200}'(?!\w)")
_NUMBER = re.compile(r"\d+(?:[.,:/]\d+)*%?")
_UPPER = r"A-Z\u00c0-\u00d6\u00d8-\u00de"
_INNER = re.compile(rf"[{_UPPER}](?<=[^\s.!?:;…>] .)(?!(?<=I)\b)[\w’-]*(?:[ ][{_UPPER}][\w’-]*)*")
_START = re.compile(
    rf"([{_UPPER}](?:(?<=\A.)|(?<=[.!?:;…>] .)|(?<=\n.))[\w’-]*)"
    r"(?=((?:[ ]<name>)?(?:['’]s\b|[ ](?:has|had|have|is|was|were|are|and|wants|needs|bought|sold|went|gets|works|makes)\b)"
    r"|[ ]<name>)?)"
)
_BLANK_LINE = re.compile(r"\n[ \t]*\n")


def _literals(text: str, inputs: bool) -> str:
    """Mask what is a literal by its form; each mask only where its sign occurs."""
    if "```" in text:
        text = _FENCE.sub("<code>", text)
    if inputs:
        cut = _BLANK_LINE.search(text)
        if cut and cut.start() and len(text) - cut.end() >= LONG_INPUT:
            text = f"{text[: cut.start()]}\n<input>"
    if "`" in text:
        text = _INLINE.sub("<code>", text)
    if "://" in text or "www." in text:
        text = _URL.sub("<url>", text)
    if "@" in text:
        text = _EMAIL.sub("<email>", text)
    if '"' in text or "'" in text or "“" in text or "«" in text:
        text = _QUOTE.sub("<quote>", text)
    return _NUMBER.sub("<num>", text).replace(" -<num>", " <num>")


def _names(text: str) -> str:
    """Mask capitalized words that are not merely the start of a sentence."""
    seen: set[str] = set()

    def inner(match: re.Match[str]) -> str:
        seen.update(match[0].split())
        return "<name>"

    def start(match: re.Match[str]) -> str:
        word = match[1]
        if word.lower() in _OPENERS or not (match[2] or word in seen):
            return word
        return "<name>"

    text = _INNER.sub(inner, text)
    text = _START.sub(start, text)
    return text.replace("<name> <name>", "<name>") if "<name> <name>" in text else text


def template(text: str, *, inputs: bool = True) -> str:
    """The text with its fillings masked, lower-cased, white space folded.

    Args:
        text: any string.
        inputs: mask a long part after the first blank line too (prompts); False for responses.

    >>> template('Write 3 lines on "rain" for Ada Lovelace.')
    'write <num> lines on <quote> for <name>.'
    """
    masked = _literals(text.strip(), inputs)
    return " ".join((masked if text.isupper() else _names(masked)).lower().split())


def _hash(kind: bytes, text: str) -> int:
    """64 bits of a kind (field or template) and its text."""
    body = kind + text.encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(body, digest_size=8).digest(), "little")


@dataclasses.dataclass(frozen=True)
class Structure(Feature):
    """`template@on` uint64: hash of the structure field where there is one, else of the template; null without text."""

    on: Literal["response", "prompt"] = "prompt"

    @property
    def needs(self) -> tuple[str, ...]:
        """The structure field and the text."""
        return ("structure", self.on)

    @property
    def gives(self) -> tuple[str, ...]:
        """One hash."""
        return (f"template@{self.on}",)

    def compute(self, batch: pa.RecordBatch) -> Mapping[str, pa.Array]:
        """The hash of each record."""
        fields: list[str | None] = batch.column("structure").to_pylist()
        texts: list[str | None] = batch.column(self.on).to_pylist()
        inputs = self.on == "prompt"
        found = [
            _hash(b"f", field)
            if field is not None
            else (None if text is None else _hash(b"t", template(text, inputs=inputs)))
            for field, text in zip(fields, texts, strict=True)
        ]
        return {self.gives[0]: pa.array(found, type=pa.uint64())}
