"""Words of a text and of what it may repeat, without labels and list marks; how near two rows of them are."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

from triptych.features.echo_task import SHORT

LEAST = 5  # words of an instruction or of an input
ROUNDS = 2.9  # times the part stands in a loop, the last one perhaps cut short
RUN = 4  # words in a row that a loop has in common with what it repeats

WORD = re.compile(r"[^\W_]+(?:_+[^\W_]+)*|(?<!\w)_+(?!\w)|[\u2190-\u21ff\u2300-\u27bf\U0001f000-\U0001faff]")
LABEL = re.compile(r"^[^\w\n]*(?:\w{1,2}[.)](?=\s)|((?:\w+ ){0,2}\w+)\W?:(?!\S))", re.MULTILINE)
LABELS = frozenset(
    """input output answer response question instruction prompt task human user assistant ai text sentence title
    description table result solution corrected revised edited rewritten rephrased paraphrased simplified translated translation
    version summary""".split()
)
_NAMED = frozenset(
    ("sentence", "text", "version", "translation", "summary", "paragraph", "question", "statement", "answer")
)
CLOSING = " \t\r\n\"'“”`"
_ARTICLES = frozenset(("a", "an", "the"))
VERDICTS = frozenset(("true", "false", "yes", "no", "not", "is", "are", "was", "were"))


def words_of(text: str, labels: frozenset[str] = LABELS) -> list[str]:
    """The words in lower case, and arrows and emojis, without list marks and those labels at the start of a line."""
    return WORD.findall(LABEL.sub(lambda found: "" if is_idle(found[1], labels) else found[0], text).lower())


def is_idle(label: str | None, labels: frozenset[str]) -> bool:
    """Whether a label says nothing: a list mark, "Output", "Corrected sentence"."""
    if label is None or len(label) == 1 or label.lower() in labels:
        return True
    *before, last = label.lower().split()
    return bool(before) and last in _NAMED and before[-1] in LABELS


def is_size(part: Sequence[str], said: Sequence[str]) -> bool:
    """Whether the part is long enough, and what is said as long (give or take one word in ten, or one) or perhaps a loop."""
    low, high = sorted((len(part), len(said)))
    if len(part) < LEAST:
        return False
    return low >= high - max(high // 10, 1) or (len(said) > len(part) + RUN and said[0] == part[0])


def is_near(part: Sequence[str], said: Sequence[str], most: int, *, counts: bool = True) -> bool:
    """Whether one word in ten differs at most (one of fewer than ten), and at most `most`, articles aside, are new or moved.

    A new number or a yes or no is an answer where it counts.
    """
    size = max(len(part), len(said))
    least = size - max(size // 10, 1)
    if min(len(part), len(said)) < least or (Counter(part) & Counter(said)).total() < least:
        return False
    added = Counter(said) - Counter(part)
    if counts and any(word in VERDICTS or any(map(str.isdigit, word)) for word in added):
        return False
    kept, edits = _kept(part, said)
    return size - edits >= least and len(said) - kept - sum(added[word] for word in _ARTICLES) <= most


def _kept(part: Sequence[str], said: Sequence[str]) -> tuple[int, int]:
    """How many words the two share in the same order, and how many were changed, left out or added."""
    kept = next((at for at, (ours, theirs) in enumerate(zip(part, said, strict=False)) if ours != theirs), None)
    if kept is None:
        return min(len(part), len(said)), abs(len(part) - len(said))
    edits = 0
    for what, i1, i2, j1, j2 in SequenceMatcher(None, part[kept:], said[kept:], autojunk=False).get_opcodes():
        if what == "equal":
            kept += i2 - i1
        else:
            edits += max(i2 - i1, j2 - j1)
    return kept, edits


def loops(part: Sequence[str], said: Sequence[str], asked: Sequence[str], most: int) -> bool:
    """Whether `said` starts with the part and goes on with it, or for two rounds more at least in runs of what was asked."""
    size = len(part)
    if len(said) >= 2 * size and said == ([*part] * (len(said) // size + 1))[: len(said)]:
        return True
    if said[0] != part[0] or len(said) < size + RUN or not is_near(part, said[:size], most):
        return False
    if len(said) < ROUNDS * size:
        return len(said) >= SHORT and is_near([*part, *part, *part][: len(said)], said, 2 * most)
    rest, runs = said[size:], set(_runs(asked))
    inside = [False] * len(rest)
    for at, run in enumerate(_runs(rest)):
        if run in runs:
            inside[at : at + RUN] = [True] * RUN
    return sum(inside) >= 0.85 * len(rest) and sum(map(str.isalpha, set(said).difference(asked))) <= 2


def _runs(words: Sequence[str]) -> Iterator[tuple[str, ...]]:
    return zip(*(words[at:] for at in range(RUN)), strict=False)


def without_articles(words: Sequence[str]) -> list[str]:
    """The words but "a", "an" and "the"."""
    return [word for word in words if word not in _ARTICLES]
