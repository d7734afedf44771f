"""What a model wrote, read as the part that was asked for: a text, a list, a verdict, a number.

Tolerant where small models are loose (a label before the text, numbering, quotes, bold, a sentence that announces what
follows, an answer after the task that nobody asked for), strict where there is nothing: a text without a letter or a digit
is no text, and a part that is missing is `Unread` with a reason, never half a record. Refusals never come this far: the
desk gives their reason instead of a text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from triptych.generating.ask import Said

MOST_PROMPT = 4000
"""Characters that a prompt may have: a model that writes more has lost the thread."""

_NOUN = (
    r"(?:task|instruction|prompt|question|request|problem|exercise|scenario|persona|person|idea|input|version|goal)s?"
)
_LABEL = re.compile(
    r"[\W_]*(?:(?:new|next|another|my|the|your|final|rewritten|revised|changed|harder|deeper|more specific|rarer|evolved)\s+)*"
    rf"{_NOUN}(?:\s*#?\d{{1,3}})?\**\s*[:\-–]\**\s+",
    re.IGNORECASE,
)
_ANNOUNCED = re.compile(
    r"(?:(?:sure|certainly|of course|absolutely|okay|ok)(?: thing)?[,.!]*\s*)?"
    rf"(?:here(?:['’]s| is| are)|this is|below is|i(?:['’]d| would) (?:like|suggest))\b[^\n:]{{0,60}}\b(?:{_NOUN}|one)\b[^\n:]{{0,60}}:\s+",
    re.IGNORECASE,
)
_NAMED = re.compile(
    rf"(?:the|my|a|one)\s+(?:\w+\s+)?{_NOUN}\s+(?:\w+\s+){{0,4}}(?:is|could be|would be|might be):?\s+(?:[\"“](.+)[\"”])\.?\Z",
    re.IGNORECASE | re.DOTALL,
)
_AFTER = re.compile(
    r"\n\s*[#*_]*(?:(?:example |sample |expected )?(?:answer|response|output|solution)|task \d+|instruction \d+|assistant)"
    r"[*_]*\s*\d*\s*[:：]",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"\s*[#*_]*(?:\d{1,3}\s*[.):]|[-*•–]|\(\d{1,3}\)|[a-z]\))[*_]*\s+")
_FENCE = re.compile(r"\A```\w*\n(.*?)\n?```\Z", re.DOTALL)
_PAIRS = (('"', '"'), ("'", "'"), ("“", "”"), ("«", "»"), ("`", "`"), ("**", "**"), ("[", "]"))
_YES = re.compile(r"\W*(?:the answer is\W+)?(yes|no|true|false)\b", re.IGNORECASE)
_NUMBER = re.compile(r"(?<![\d.])\d{1,3}(?:\.\d+)?(?![\d.]*\d)")


class Unread(NamedTuple):
    """Why a part could not be read."""

    reason: str
    text: str = ""


def plain(text: str) -> str:
    """A text as it is compared: lower case, words alone, one space between them."""
    return " ".join(re.findall(r"\w+", text.lower()))


def text_of(said: Said, *, what: str = "prompt") -> str | Unread:
    """The one text that was asked for.

    Args:
        said: what came back.
        what: the part, for the reason.
    """
    if said.text is None:
        return Unread(said.reason or f"no {what} came back")
    if not plain(said.text):
        return Unread(f"empty {what}", said.text)
    if said.finish == "length":
        return Unread(f"{what} cut at the token limit", said.text)
    text = bare(said.text)
    if not plain(text):
        return Unread(f"empty {what}", said.text)
    if len(text) > MOST_PROMPT:
        return Unread(f"{what} longer than {MOST_PROMPT} characters", said.text)
    return text


def answer_of(said: Said) -> str | Unread:
    """A response, as it was written but for white space at its ends: what it should not have is for filters to say."""
    if said.text is None:
        return Unread(said.reason or "no response came back")
    if not plain(said.text):
        return Unread("empty response", said.text)
    return said.text.strip()


def list_of(said: Said, most: int, *, what: str = "list", words: int = 12) -> list[str] | Unread:
    """The different items of a list: numbered or dotted lines, else all lines, else a line parted by commas.

    Args:
        said: what came back. A list that was cut loses its last item.
        most: items taken.
        what: the part, for the reason.
        words: an item may have; longer ones are sentences about the list.
    """
    if said.text is None:
        return Unread(said.reason or f"no {what} came back")
    lines = [line for line in said.text.splitlines() if line.strip()]
    if said.finish == "length":
        lines = lines[:-1]
    marked = [_NUMBERED.sub("", line, count=1) for line in lines if _NUMBERED.match(line)]
    if not marked and len(lines) == 1:
        line = lines[0].rpartition(": ")[2]
        marked = re.split(r"[,;]|\band\b", line) if "," in line or ";" in line else []
    found = [bare(line.partition("\n")[0]) for line in marked or lines]
    items = list(_different((_head(item) for item in found), words))[:most]
    return items or Unread(f"empty {what}", said.text)


def verdict_of(said: Said) -> bool | Unread:
    """Yes or no, by the first word, or by the last line where the text reasons first."""
    if said.text is None:
        return Unread(said.reason or "no verdict came back")
    lines = [line for line in said.text.splitlines() if line.strip()]
    for line in (*lines[:1], *lines[-1:]):
        if found := _YES.match(line):
            return found[1].lower() in {"yes", "true"}
    return Unread("no verdict that can be read", said.text)


def number_of(said: Said, low: float, high: float) -> float | Unread:
    """The first number in the range; "4 of 5" and "4/5" are 4."""
    if said.text is None:
        return Unread(said.reason or "no number came back")
    for found in _NUMBER.finditer(said.text):
        if low <= (value := float(found[0])) <= high:
            return value
    return Unread("no number that can be read", said.text)


def choice_of(said: Said, choices: Sequence[str]) -> str | Unread:
    """The one of these that is named first; of those that begin at one place, the longest."""
    if said.text is None:
        return Unread(said.reason or "no choice came back")
    text = f" {plain(said.text)} "
    places = [(text.find(f" {plain(choice)} "), -len(choice), choice) for choice in choices]
    named = sorted(place for place in places if place[0] >= 0)
    return named[0][2] if named else Unread("none of the choices is named", said.text)


def bare(text: str) -> str:
    r"""A text without what small models put around it.

    >>> bare('Sure! Here is a new task:\n\n**Task 4:** "Name a bird."\n\nAnswer: a wren')
    'Name a bird.'
    """
    text = _core(text.strip())
    before = _AFTER.split(text, maxsplit=1)[0]
    return _core(before.strip()) if plain(before) else text


def _core(text: str) -> str:
    while (peeled := _peeled(text)) != text:
        text = peeled
    return text


def _peeled(text: str) -> str:
    """A text without one layer of what was put around it, where something is left then."""
    if fenced := _FENCE.match(text):
        return fenced[1].strip() if plain(fenced[1]) else text
    if named := _NAMED.match(text):
        return named[1].strip() if plain(named[1]) else text
    for mark in (_ANNOUNCED, _LABEL) if "\n" in text else (_ANNOUNCED, _LABEL, _NUMBERED):
        if (found := mark.match(text)) and plain(text[found.end() :]):
            return text[found.end() :].strip()
    return _unquoted(text)


def _unquoted(text: str) -> str:
    """Without a pair of marks that stands around the whole text, and not inside it."""
    for opening, closing in _PAIRS:
        inner = text[len(opening) : len(text) - len(closing)]
        whole = len(text) > len(opening) + len(closing) and text.startswith(opening) and text.endswith(closing)
        if whole and opening not in inner and closing not in inner and plain(inner):
            return inner.strip()
    return text


def _head(item: str) -> str:
    """An item without what explains it ("cooking: recipes and more")."""
    head, colon, _ = item.partition(": ")
    return _unquoted((head if colon and len(head.split()) <= 6 else item).strip(" .;,*:"))


def _different(items: Iterable[str], words: int) -> Iterable[str]:
    seen = set()
    for item in items:
        key = plain(item)
        if key and key not in seen and len(item.split()) <= words:
            seen.add(key)
            yield item
