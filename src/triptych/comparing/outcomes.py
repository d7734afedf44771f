"""Outcomes: what came of the causes (size, length, tokens, validity, language, style). Listed, and adjusted for by views.

Standardized mean differences are of the raw sets: first less second over the pooled standard deviation. Language and style
are judged on a sample, the records of the smallest address hash.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from triptych.comparing.balance import balance
from triptych.comparing.causes import OUTCOMES, independent, shares, variation
from triptych.comparing.members import Member
from triptych.comparing.sides import Ints, Side
from triptych.comparing.view import Draw
from triptych.engines.fold import Selected

SAMPLE = 2000
LIKELY = 2
"""Frequent words of a language that a text must hold to be called by it."""

_WORDS = {
    "English": "the and of to is that for with this are",
    "German": "der die und das ist nicht ein eine mit für",
    "French": "le la les et est une des pour dans que",
    "Spanish": "el los las y es una para que con por",
    "Italian": "il gli che di è una per con non sono",
    "Portuguese": "o os as e é uma para que com não",
    "Dutch": "de het een en van is niet dat met voor",
}
_FREQUENT = {name: frozenset(words.split()) for name, words in _WORDS.items()}
_SCRIPTS = (
    ("Cyrillic", "\u0400", "\u04ff"),
    ("Greek", "\u0370", "\u03ff"),
    ("Arabic", "\u0600", "\u06ff"),
    ("Hebrew", "\u0590", "\u05ff"),
    ("Devanagari", "\u0900", "\u097f"),
    ("Thai", "\u0e00", "\u0e7f"),
    ("Japanese", "\u3040", "\u30ff"),
    ("Korean", "\uac00", "\ud7af"),
    ("Chinese", "\u4e00", "\u9fff"),
)
_WORD = re.compile(r"[^\W\d_]+")
_STYLES = {
    "lists": re.compile(r"^\s*(?:[-*•]|\d+[.)])\s", re.MULTILINE),
    "code": re.compile(r"```|^\s*(?:def|class|import|#include|function)\b", re.MULTILINE),
    "headings or bold": re.compile(r"^#{1,6}\s|\*\*[^*\n]+\*\*", re.MULTILINE),
    "questions": re.compile(r"\?\s*$"),
}


def outcomes(pair: tuple[Member, Member]) -> list[dict[str, Any]]:
    """What the records of two sets came out as: {name, text, smd}, as in `comparison.json`."""
    sides = (pair[0].side, pair[1].side)
    whole = Draw(*(np.arange(len(side)) for side in sides))
    found = [_entry("records", f"{len(sides[0]):,} and {len(sides[1]):,}; matched by all views but raw", None)]
    shown: dict[str, tuple[str, list[NDArray[Any]], str]] = {
        "tokens": ("tokens of prompt and response", [side.tokens for side in sides], "{:.1f}"),
        "length": (f"tokens of the {sides[0].judged}", [side.length for side in sides], "{:.1f}"),
        "valid": ("records without a defect", [side.valid for side in sides], "{:.3f}"),
    }
    for one in balance(sides, [whole], (), {}):
        if one.variable in shown:
            words, columns, form = shown[one.variable]
            means = " and ".join(form.format(float(column.mean())) for column in columns)
            found.append(_entry(one.variable, f"{words}: {means} on average", one.before))
    return [*found, *_named(pair), *_written(sides)]


def _entry(name: str, text: str, smd: float | None) -> dict[str, Any]:
    return {"name": name, "text": text, "smd": smd}


def _named(pair: tuple[Member, Member]) -> list[dict[str, Any]]:
    """Fields that name the language."""
    out = []
    for field in sorted(OUTCOMES & pair[0].fields.keys() & pair[1].fields.keys()):
        counts = [Counter(one.fields[field]) for one in pair]
        out.append(_entry(field, " and ".join(shares(field, one) for one in counts), None))
    return out


def _written(sides: tuple[Side, Side]) -> list[dict[str, Any]]:
    """Language and style of the judged text of a sample."""
    texts = [_texts(side) for side in sides]
    found = _languages(sides, [Counter(map(language, mine)) for mine in texts])
    for name, pattern in _STYLES.items():
        flags = [np.array([bool(pattern.search(text)) for text in mine], dtype=np.float64) for mine in texts]
        spread = float(np.sqrt(np.mean([one.var() for one in flags])))
        gap = float(flags[0].mean() - flags[1].mean())
        if spread > 0:
            means = " and ".join(f"{one.mean():.3f}" for one in flags)
            found.append(_entry(name, f"share of texts with {name}: {means}", gap / spread))
    return found


def _languages(sides: tuple[Side, Side], told: Sequence[Counter[str | None]]) -> list[dict[str, Any]]:
    """The mix of languages of the texts that are told."""
    known = [Counter({name: number for name, number in counts.items() if name is not None}) for counts in told]
    if not all(known):
        return []
    first, second = (min(independent(side), counts.total()) for side, counts in zip(sides, known, strict=True))
    distance, chance = variation(known[0], known[1], (first, second))
    a, b = (_shares(counts) for counts in known)
    return [_entry("language", a if distance <= chance or a == b else f"{a} and {b}", None)]


def _shares(counts: Counter[str]) -> str:
    top = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:3]
    top = [item for item in top if item[1] >= 0.01 * counts.total()]
    return ", ".join(f"{name} {number / counts.total():.2f}" for name, number in top)


def _texts(side: Side) -> list[str]:
    """The judged text of a sample."""
    rows: Ints | None = None
    if len(side) > SAMPLE:
        rows = np.sort(np.argpartition(side.keys.address, SAMPLE)[:SAMPLE])
    out = []
    for _, batch in Selected(side.store, side.keys, rows).batches((side.judged,)):
        out += [text or "" for text in batch.columns[side.judged].to_pylist()]
    return out


def language(text: str) -> str | None:
    """A guess at the language of a text: by script, else by its most frequent words; None where neither tells."""
    part = text[:2000]
    letters = [sign for sign in part if sign.isalpha()]
    if not letters:
        return None
    by_script = Counter(_script(sign) for sign in letters)
    if by_script["Japanese"]:
        by_script["Japanese"] += by_script["Chinese"]
    script, most = by_script.most_common(1)[0]
    if script != "Latin":
        return script if script != "other" and most * 2 > len(letters) else None
    words = [word.casefold() for word in _WORD.findall(part)]
    hits = {name: sum(word in known for word in words) for name, known in _FREQUENT.items()}
    best, next_ = sorted(hits, key=lambda name: -hits[name])[:2]
    return best if hits[best] >= LIKELY and hits[best] > 1.5 * hits[next_] else None


def _script(sign: str) -> str:
    if sign < "\u0370":
        return "Latin"
    return next((name for name, low, high in _SCRIPTS if low <= sign <= high), "other")
