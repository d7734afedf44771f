"""Text that came from data, made inert and bounded before anything else sees it.

Escaping for HTML is the template's job (autoescape). This module removes what escaping leaves alone: control
characters, bidirectional overrides, lone surrogates, towers of combining marks. Each is replaced by its code point in
visible form, so that a reader sees that it was there.
"""

from __future__ import annotations

import unicodedata

EXCERPT = 400
"""Longest excerpt of a record that a report shows, in characters."""

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_JOINERS = frozenset("\u200c\u200d")  # needed by Persian, Indic scripts and emoji; they reorder nothing
_MARKS = 4  # a letter carries at most so many combining marks


def clean(text: str, limit: int = EXCERPT) -> str:
    """Make `text` printable: at most `limit` characters (and an ellipsis), nothing invisible, newlines kept.

    >>> clean("a\\u202eb\\x00")
    'a⟨U+202E⟩b⟨U+0000⟩'
    """
    kept: list[str] = []
    size = marks = 0
    for position, char in enumerate(text):
        marks = marks + 1 if unicodedata.combining(char) else 0
        if marks > _MARKS:
            shown = "" if marks > _MARKS + 1 else "⟨marks⟩"
        else:
            shown = _shown(char)
        # position is bounded too: a tower of marks adds nothing to the size
        if size + len(shown) > limit or position >= 4 * limit:
            return "".join(kept).rstrip() + "…"
        kept.append(shown)
        size += len(shown)
    return "".join(kept)


def line(text: str, limit: int = EXCERPT) -> str:
    """`clean`, on one line: every run of white space becomes one space."""
    return clean(" ".join(text[: 8 * limit].split()), limit)


def _shown(char: str) -> str:
    if char in "\n\t" or char in _JOINERS:
        return char
    if char == "\r":
        return ""
    return f"⟨U+{ord(char):04X}⟩" if unicodedata.category(char) in _HIDDEN else char
