"""Prompt echoes: nothing but the prompt comes back.

The response consists of the whole prompt, of its instruction (one whole sentence of it will do) or of its whole input, the
text that the task is to be done on; once or over and over, with at most one word in ten (rounded down; in texts under ten words
one) changed, left out, added or moved. A lead-in line ("Here is the list:"), labels ("Output:"), list marks, quotes, case,
punctuation and layout do not count. Part of an input, an instruction in other words and inputs of fewer than five words are no
echoes.

Nor is anything that a right answer may be (`features.echo_task`), as where the input has nothing of what is to be removed or
replaced (`features.echo_things`). What a task asks and one can see (a passive, no digits, two sentences, an order, a table, a
case) is looked for, and where it is missing or was done in a part, an input with a word changed is an echo
(`features.echo_demand`); so is one that is no longer where it was to grow, and one with errors left (`features.echo_errors`).
In an instruction that is a question no word may be new, for it may be the answer, unless a question comes back. Headings, tags
and fences are layout (`features.echo_layout`, which also parts task and input).

How often that is right, and what it misses: `benchmarks/detectors/evaluate.py`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

from triptych.features.echo_demand import HOLE, is_done, is_in_order, lacks_what_is_named
from triptych.features.echo_errors import AS_IT_IS, CORRECTS, are_left
from triptych.features.echo_layout import (
    ARE,
    EDITS,
    EMPTY_LABEL,
    LEAD_UP,
    LEADS,
    QUOTED,
    RECURS,
    TWICE,
    answers_of,
    bare_of,
    once_of,
    plain_of,
    ways_of,
)
from triptych.features.echo_task import (
    CAPITALS,
    CODE,
    COMMAS,
    CUTS,
    GROWS,
    IF_NEEDED,
    JOINS,
    JUMBLED,
    KNOWN_ORDER,
    LAYOUT,
    LENGTHS,
    LETTERS,
    LONGER,
    MARKED,
    ONE_PART,
    POINTS,
    PUNCTUATES,
    REVERSED,
    SENTENCE,
    SHORT,
    SHORTER,
    SORTS,
    SWAPS,
    kind_of,
    most_new,
)
from triptych.features.echo_things import has_nothing_to_act_on, lacks_format
from triptych.features.echo_words import (
    CLOSING,
    LABEL,
    LABELS,
    LEAST,
    ROUNDS,
    RUN,
    WORD,
    is_idle,
    is_near,
    is_size,
    loops,
    without_articles,
    words_of,
)

SHOWN = 6000, 8000  # characters of the prompt and of the response that are looked at
HEADING = 10  # words of a line that announces something, at most
LINES, PROBE, SHORTEST = 240, 12, 5  # characters at the start looked at line by line, of a line, and of one that counts
TOLD = 2  # such lines that do not suffice
SHARED = 0.7  # words that an input and an answer have in common at least, if one may be the other
AROUND = 30  # characters of the answer that may be more than the prompt has, if it starts in other words or lines
HEAD = 80  # characters at the start in which a colon ends what leads in
FEW, AHEAD = 30, 6  # words of an answer that may be a list after some words, and how many of them may be new
NEW_AROUND = 0.3  # new words that may stand around what is repeated, as a share of all that is said
ALIKE = 0.7  # words of an instruction that stands there again with another thing named

_MORE_THAN_ONE = re.compile(r"[:\"“]|[.?!]\s+\S")
_REQUESTED = re.compile(r"(?:can|could|would|will) you (?:please )?", re.IGNORECASE)
_GRANTED = re.compile(
    r"(?:(?:yes|sure|certainly|of course)\W+)?(?:(?:you|i|we) (?:can|could|would|will) )?", re.IGNORECASE
)
_INNER = re.compile(r"[,;:\"“”—]|[.?!]\s+\S")
_BEFORE_LINE = " \t\r\"'-*•.,;)0123456789"
_FORMATS = frozenset("{[<")
_LISTED = frozenset("-*•1{[")
_YES_OR_NO = frozenset(("true", "false", "yes", "no"))
_LENGTHENED = ("words", "wording", "style", "others")
_BACK_TO_ME = {"your": "my", "you": "i"}
_SIGNS = re.compile(r"[*_<\[(\"“”«]")
_OPEN = re.compile(r"\w:[^\S\n]*$", re.MULTILINE)
_QUOTES = '"“”'
_ASKS = re.compile(
    r"(?:(?:so|and|in|on|at|for|from|to|by|with) )?"
    r"(?:what|which|who|whom|whose|when|where|is|are|was|were|do|does|did|can|could|will|would|should|has|have"
    r"|how (?:many|much|long|old|far|tall|big))\b"
)
_ITEM = re.compile(r"[,;\n]|\band\b")
_EMPHASIS = re.compile(r"(?<=\s)[*_]+\w")
_LAID_OUT = re.compile(r"[|{}<>*•\t]|^\s*(?:-|\d+[.)])\s", re.MULTILINE)


def is_prompt_echo(prompt: str | None, text: str) -> bool:
    """Whether nothing but the prompt, its instruction or its input comes back. Looks at the first 8,000 characters."""
    if not prompt or not _may_echo(prompt, text):
        return False
    prompt, text = EMPTY_LABEL.sub("", plain_of(prompt[: SHOWN[0]])), plain_of(text[: SHOWN[1]])
    asked, all_said = words_of(prompt), words_of(text)
    known = set(asked)
    words_said = set(all_said)
    new = len(words_said - known)
    if new > (AHEAD if len(all_said) < FEW and ":" in text[:HEAD] else 2) + NEW_AROUND * len(all_said):
        return False
    ways = [*ways_of(prompt)]
    for answer in answers_of(text, prompt):
        said = all_said if answer is text else words_of(answer)
        if not said or (said[0] in _YES_OR_NO and not _REQUESTED.match(prompt)):  # that answers it
            continue
        if said == asked and len(said) >= 3:
            return True
        if len(said) < LEAST - 1 or len(set(said) - known) > 2 + 0.1 * len(said):
            continue
        if any(_is_told(prompt, way[0], asked, answer, said) or _is_given(*way, asked, answer) for way in ways):
            return True
    first = ways[0][0] if ways else prompt
    once = [once_of(text)] if len(all_said) >= TWICE * len(words_said) else []
    rest = chain(filter(None, once), bare_of(text, prompt, first))
    if any(_is_given(*way, asked, answer) for answer in rest for way in ways):
        return True
    return _is_told_by_lines(prompt, text)


def _may_echo(prompt: str, text: str) -> bool:
    """Whether the response is no longer than the prompt or comes back to itself, and probes of it stand in the prompt."""
    size = min(len(text.rstrip(CLOSING)), SHOWN[1])
    if size < 12:
        return False
    middle = text[size // 2 : size // 2 + 12]
    if size > 1.2 * len(prompt) + 120 and text.count(middle, 0, SHOWN[1]) < 2 and text.count(text[2:14]) < 2:
        return False
    asked = prompt[: SHOWN[0]].lower()
    probes = [text[size * part // 8 : size * part // 8 + 9].lower() for part in (1, 3, 5, 7)]
    found = sum(map(asked.__contains__, probes))
    if found < 2 and text.count(middle, 0, SHOWN[1]) >= ROUNDS:  # in a loop they may lie across the end of a line
        found = sum(map(asked.__contains__, map(str.strip, probes)))
    if found >= 2 or (found == 1 and any(lead.match(text) for lead in LEADS)):
        return True
    if size <= len(prompt) + AROUND and (
        ((text[0] in _LISTED or ":\n" in text[:HEAD]) and _has_lines_of(asked, text))
        or (found and "," in text and ". " not in text and ARE.match(text))
    ):
        return True
    start = text[:24].lstrip(CLOSING)[:14]
    if start.lower() in asked and text.count(start, 14, SHOWN[1]):
        return True
    led = LEAD_UP.match(text) if found else None
    return led is not None and text[led.end() : led.end() + 16].strip(CLOSING).lower()[:14] in asked


def _has_lines_of(asked: str, text: str) -> bool:
    """Whether three of the first lines start as something in the prompt does, and not more than one does not."""
    found = missing = 0
    for line in text[:LINES].splitlines():
        if len(line) < SHORTEST:
            continue
        if line.strip(_BEFORE_LINE).lower()[:PROBE] in asked:
            found += 1
        else:
            missing += 1
        if missing > 1 or found > TOLD:
            break
    return found > TOLD


# the instruction


def _is_told(prompt: str, task: str, asked: Sequence[str], answer: str, said: Sequence[str]) -> bool:
    """Whether what is said is the whole prompt, its instruction, or the first or last sentence of that."""
    sentences = SENTENCE.findall(task)
    requested = _REQUESTED.match(prompt)
    granted = requested and _GRANTED.match(answer)
    if requested and granted and words_of(prompt[requested.end() :]) == words_of(answer[granted.end() :]):
        return True
    for part in dict.fromkeys((prompt, task, *sentences[:1], *sentences[-1:])):
        words = asked if part is prompt else words_of(part)
        if not is_size(words, said) or _is_completed(part, words, said):
            continue
        strict = kind_of(task) not in ("own", "others") and bool(part == prompt != task or _MORE_THAN_ONE.search(task))
        if strict and part is not prompt and part != task and part != sentences[0]:
            continue
        asks, asked_back = (
            _ASKS.match(part.strip().lower()),
            answer.rstrip(CLOSING).endswith("?") and words[0] == said[0],
        )
        most = 0 if strict or (asks and not asked_back) else max(1, len(words) // 10)
        if said == words or (not strict and is_near(words, said, most, counts=not asked_back)):
            return True
        if loops(words, said, asked if part is prompt else words_of(task), most):
            return True
    return False


def _is_told_by_lines(prompt: str, text: str) -> bool:
    """Whether three lines are the instruction and all others are lines of the prompt, or announce what does not come.

    So base models go on, perhaps with other things named. The last line may be cut short.
    """
    lines = text.splitlines()[:-1]
    if len(lines) < ROUNDS or text.count(lines[0][:RECURS]) < ROUNDS:
        return False
    known = {" ".join(words_of(line)) for line in prompt.splitlines()}
    tasks = [
        (part, not _MORE_THAN_ONE.search(task)) for task, _ in ways_of(prompt) if len(part := words_of(task)) >= LEAST
    ]
    told = 0
    for line in dict.fromkeys(lines):
        said = words_of(line)
        if any(is_near(part, said, new) for part, new in tasks):
            told += lines.count(line)
        elif not (
            not said
            or " ".join(said) in known
            or (len(said) <= HEADING and line.endswith(":"))
            or any(new and (Counter(part) & Counter(said)).total() >= ALIKE * len(part) for part, new in tasks)
        ):
            return False
    return told >= ROUNDS


def _is_completed(part: str, words: Sequence[str], said: Sequence[str]) -> bool:
    """Whether the text lacks its end, and the answer goes on from there."""
    return not part.rstrip().endswith((".", "?", "!", ":", '"')) and (
        len(words) < len(said) < 2 * len(words) and said[: len(words)] == words
    )


# the input


def _is_given(task: str, given: str, asked: Sequence[str], answer: str) -> bool:
    """Whether the answer is the input of the task, so nearly that nothing was done."""
    names = {name.lower() for name in LABEL.findall(given)} - LABELS
    if len(_OPEN.findall(given)) > 1:  # a form: nothing but labels
        return _is_given_as(task, given, asked, answer, frozenset())
    if len(names) == 1 and _is_given_as(task, given, asked, answer, LABELS):  # it may be how the text starts
        return True
    return _is_given_as(task, given, asked, answer, LABELS | names)


def _shares(words: Sequence[str], said: Sequence[str]) -> bool:
    """Whether the two have so many words in common that one may be the other with one in ten and an article changed."""
    if len(said) > len(words) + RUN:  # perhaps a loop
        return len(set(words).intersection(said)) >= SHARED * len(set(words))
    size = max(len(words), len(said))
    return (Counter(words) & Counter(said)).total() >= size - max(size // 10, 1) - 1


class _Pair(NamedTuple):
    """An input and an answer that is about as long: as texts, as words, as lines to the letter."""

    given: str
    answer: str
    words: Sequence[str]
    said: Sequence[str]
    here: Sequence[str]
    there: Sequence[str]


def _is_given_as(task: str, given: str, asked: Sequence[str], answer: str, labels: frozenset[str]) -> bool:
    """Whether it is that, these labels aside."""
    words, said = words_of(given, labels), words_of(answer, labels)
    if "my" in words and "my" not in said:  # so small models speak back
        said = [_BACK_TO_ME.get(word, word) for word in said]
    if not is_size(words, said) or not _shares(words, said):
        return False
    quoted = QUOTED.search(task)
    if quoted and words_of(quoted[0]) != words:  # that is the text to work on, and what is given may be the answer
        return False
    if _EMPHASIS.search(answer) and not _EMPHASIS.search(given):  # that is how it says which part
        return False
    pair, low, kind = _Pair(given, answer, words, said, _letters(given), _letters(answer)), task.lower(), kind_of(task)
    seen = _is_seen(low, asked, pair)
    if seen is not None:
        return seen
    if kind in ("gathers", "keeps") or (kind == "marks" and JUMBLED.search(low)):
        return _is_left(kind, low, pair)
    if words == said and (JOINS.search(low) or (COMMAS.search(low) and answer.count(",") <= given.count(","))):
        return True
    longer = len(said) - len(words)
    lengthens = (LONGER.search(low) and longer < 0) or (SHORTER.search(low) and longer > 0)
    if kind in _LENGTHENED and lengthens:
        return is_near(words, said, 1)
    return _is_kept(kind, low, asked, pair)


def _is_seen(low: str, asked: Sequence[str], pair: _Pair) -> bool | None:
    """What is seen of a layout, of marks, and of what else a task may ask; None where nothing is."""
    given, answer, words, said, here, there = pair
    untouched = LAYOUT.search(low) and not _LAID_OUT.search(answer)
    if untouched and (loops(words, said, asked, 0) or (len(there) <= len(here) and is_near(words, said, 0))):
        return True
    if MARKED.search(low) and not lacks_format(low, answer) and not _is_marked(given, answer):
        return is_near(words, said, 0)
    if words == said and CAPITALS.search(low) and given.islower() and answer.islower():
        return True
    most = max(1, len(words) // 10)
    done = None if IF_NEEDED.search(low) else is_done(low, "\n".join(here), _seen_of(answer, there))
    if done:
        return False
    if len(said) < ROUNDS * len(words) and (lacks_what_is_named(low, given) or has_nothing_to_act_on(low, given)):
        return False
    if _is_undone(low, pair, most):
        return True
    if done is False:
        recurs = words[:RUN] in (said[at : at + RUN] for at in range(len(words), len(said)))
        if is_near(words, said, most, counts=False) or (recurs and loops(words, said, asked, most)):
            return True
    unmarked = len(words) >= SHORT and PUNCTUATES.search(low) and not _INNER.search(given)
    return True if unmarked and words == said and not _INNER.search(answer) else None


def _seen_of(answer: str, lines: Sequence[str]) -> str:
    """The answer without its label, unless that is part of a format."""
    return answer if answer.lstrip()[:1] in _FORMATS else "\n".join(lines)


def _is_undone(low: str, pair: _Pair, most: int) -> bool:
    """Whether a text that was to grow, to be cut or to be corrected is no longer, no shorter, or has the same errors."""
    given, answer, words, said, here, there = pair
    longer = len(said) - len(words)
    grows = GROWS.search(low) and longer <= 0 and not HOLE.search(given) and not POINTS.search(low)
    if grows or (CUTS.search(low) and longer >= 0 and len(answer) >= len(given)):
        return is_near(words, said, most, counts=False)
    if (
        not CORRECTS.search(low)
        or AS_IT_IS.search(low)
        or CODE.search(low)
        or not is_near(words, said, most, counts=False)
    ):
        return False
    before, after = "\n".join(here), "\n".join(there)
    least = 2 if IF_NEEDED.search(low) else 1
    return are_left(before, after, least) and is_near(WORD.findall(before), WORD.findall(after), most, counts=False)


def _is_left(kind: str, low: str, pair: _Pair) -> bool:
    """Whether a text is given back whole where a part or all things of a kind were to be found, a list not sorted."""
    given, _, words, said, here, there = pair
    if kind == "gathers":
        return words == said and len(words) > 4 * len(_ITEM.findall(given)) and len(there) <= len(here)
    if kind == "marks":
        return is_near(words, said, int(bool(REVERSED.search(low)))) and not is_in_order(given)
    if one := ONE_PART.search(low):
        return words == said and (len(SENTENCE.findall(given)) > 1 or one[1].startswith("word"))
    if "and" in said and "and" not in words:
        said = [word for word in said if word != "and"]
    if not SORTS.search(low) or words != said[: len(words)] or not set(said) <= set(words):
        return False
    return not is_in_order(given, len if LENGTHS.search(low) else None, least=3 if KNOWN_ORDER.search(low) else 4)


def _is_kept(kind: str, low: str, asked: Sequence[str], pair: _Pair) -> bool:
    """Whether more of the input is kept than a right answer to a task of this kind may keep."""
    given, answer, words, said, here, there = pair
    if kind == "marks" and not LETTERS.search(low):
        here, there = [line.lower() for line in here], [line.lower() for line in there]
    if kind == "marks" and there[: len(here)] != here and not _is_said_again(here, there):
        return False
    most = most_new(kind, low, len(words))
    if here == there or loops(words, said, asked, most):
        return True
    if kind == "marks" or (len(here) == 1 and len(there) > 2):  # laid out as lines
        return False
    if kind == "style":
        return words == said
    if kind != "own" and _end(answer) in "?!" and _end(given) != _end(answer):
        return False
    part = kind == "own" and len(said) < len(words)  # it may be what was to be found
    if kind == "words" or (
        len(words) < SHORT and (part or (kind == "wording" and most == 0 and not SWAPS.search(low)))
    ):
        return without_articles(words) == without_articles(said)
    return is_near(words, said, most, counts=kind not in EDITS)


def _is_marked(given: str, answer: str) -> bool:
    """Whether one of them has signs that mark a word, or the answer more capitals."""
    return bool(_SIGNS.search(given + answer)) or sum(map(str.isupper, answer)) > sum(map(str.isupper, given))


def _is_said_again(here: Sequence[str], there: Sequence[str]) -> bool:
    """Whether nothing but the input stands there to the letter, some times, the last one perhaps cut short."""
    whole = "\n".join(here)
    *before, rest = "\n".join(there).split(whole)
    return bool(before) and not any(WORD.search(part) for part in before) and whole.startswith(rest.strip(CLOSING))


def _end(text: str) -> str:
    """The last character, quotes aside; empty where there is none."""
    return text.rstrip(CLOSING)[-1:]


def _letters(text: str) -> list[str]:
    """The lines of a text without a label before it, the quotes around it and blank lines."""
    label = LABEL.match(text)
    if label and is_idle(label[1], LABELS):
        text = text[label.end() :]
    return [bare for line in text.strip(CLOSING).splitlines() if (bare := line.strip(_QUOTES).rstrip(CLOSING))]
