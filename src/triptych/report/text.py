"""Text that came from data, made inert and bounded before anything else sees it.

Escaping for HTML is the template's job (autoescape). This module removes what escaping leaves alone: control
characters, bidirectional overrides, lone surrogates, towers of combining marks. Each is replaced by its code point in
visible form, so that a reader sees that it was there.
"""

from __future__ import annotations

import re
import unicodedata

EXCERPT = 400
"""Longest excerpt of a record that a report shows, in characters."""

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_JOINERS = frozenset("\u200c\u200d")  # needed by Persian, Indic scripts and emoji; they reorder nothing
_PARTIAL = re.compile("⟨[^⟩]{0,10}$")
_MARKS = 4  # a letter carries at most so many combining marks


def clean(text: str, limit: int = EXCERPT) -> str:
    r"""Make `text` printable: at most `limit` characters (and an ellipsis), nothing invisible, newlines kept.

    >>> clean("a\u202eb\x00")
    'a⟨U+202E⟩b⟨U+0000⟩'
    """
    chunk = text[:limit]
    shown = chunk if chunk.isprintable() else chunk.translate(_TABLE)
    if not chunk.isascii() and any(map(unicodedata.combining, set(chunk))):
        shown = _without_towers(shown)
    if len(shown) <= limit and len(chunk) == len(text):
        return shown
    return _PARTIAL.sub("", shown[:limit]).rstrip() + "…"


def line(text: str, limit: int = EXCERPT) -> str:
    """`clean`, on one line: every run of white space becomes one space."""
    return clean(" ".join(text[: 2 * limit].split()), limit)


class _Table(dict[int, str]):
    """What `str.translate` puts in place of each character, worked out when it is first met."""

    def __missing__(self, code: int) -> str:
        self[code] = found = _shown(chr(code))
        return found


_TABLE = _Table()


def _without_towers(text: str) -> str:
    kept: list[str] = []
    marks = 0
    for char in text:
        marks = marks + 1 if unicodedata.combining(char) else 0
        kept.append(char if marks <= _MARKS else "⟨marks⟩" if marks == _MARKS + 1 else "")
    return "".join(kept)


def _shown(char: str) -> str:
    if char in "\n\t" or char in _JOINERS:
        return char
    if char == "\r":
        return ""
    return f"⟨U+{ord(char):04X}⟩" if unicodedata.category(char) in _HIDDEN else char
