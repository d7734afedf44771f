"""Prompt echoes: responses that repeat the prompt instead of answering it.

Two kinds: a near-verbatim copy of the instruction that makes up most of the response, and the input of a task that has to
change it given back as it was. Tasks that may leave their input alone (correct, sort, extract a little ..) are safe.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_TOKEN = re.compile(r"\w+")
_MAY_STAY = re.compile(
    r"^\W*correct\b|\bcorrect (?:the|any|all|this|these)\b|\b(?:grammar|fix|edit|proofread|spelling|copy|repeat|punctuat|error|mistake|capitali|comma|insert|format|case\b"
    r"|divide|split|separate|sort|order|arrang|quote|highlight|underline|output|code|complete|check|remove|duplicate|filter|evaluate)"
)
_LEAD = frozenset(
    """a an the here s sure certainly some of output answer response input solution instruction question below
    following this these list to title text""".split()
)
_HERE_IS = frozenset(("sure", "certainly", "here", "is", "are", "s"))
_ASKS = frozenset(
    """what which who whom whose when where why how is are was were do does did can could will would should has have
    if""".split()
)
_WRAP = " \t\r\n\"'“”:.*"
_MUST_CHANGE = re.compile(
    r"\b(?:translat|summar|shorten|paraphras|rephras|condens|simplif|describe|brief|solve|rewrit|rewrot|professional|answer|caption)"
)
LONG_INPUT = 40  # words from which a near copy of the input is no answer to a task that has to change it
NEAR_COPY = 0.8
MIN_ECHO = 5  # words


def is_prompt_echo(prompt: str | None, text: str) -> bool:
    """Whether the response repeats the prompt instead of answering it."""
    if not prompt:
        return False
    asked, size = prompt[:6000].lower(), min(len(text), 8000)
    probes = [text[size * part // 8 : size * part // 8 + 10].lower() for part in (1, 3, 5, 7)]
    if size < 16 or sum(map(asked.__contains__, probes)) < 2:
        return False
    if text.strip().casefold() == prompt.strip().casefold() and len(text.split()) >= 3:
        return True
    words = _TOKEN.findall(text[:8000].lower())
    cut = "\n\n" if "\n\n" in asked.strip() else "\n"
    task, _, given = prompt[:6000].strip().partition(cut)
    task_is_last = len(task) > max(300, len(given))
    if not task_is_last and _repeats(asked if cut == "\n" else task.lower(), words):
        return True
    if not given:
        return False
    starts_alike = words[:3] == _TOKEN.findall(task.lower())[:3]
    return (starts_alike and not task_is_last and _repeats(asked, words)) or _returns_input(
        task.lower(), given, text[:8000]
    )


def _repeats(whole: str, said: Sequence[str]) -> bool:
    """Whether `said` is the instruction nearly word for word, or starts with it and adds less than it copied."""
    asked = _TOKEN.findall(whole)
    if len(asked) < MIN_ECHO or 2 * len(said) < len(asked):
        return False
    if said[0] in _HERE_IS and len(said) > 2:
        said = said[2:] if said[1] in _HERE_IS else said[1:]
        said = said[1:] if said[0] in _HERE_IS else said
    alike = list(said[:2]) == asked[:2]
    if set(said) - set(asked) <= _LEAD and (alike or (asked[0] not in _ASKS and len(said) <= len(asked))):
        grams = list(zip(asked[1:], asked[2:], asked[3:], strict=False))
        found = set(zip(said, said[1:], said[2:], strict=False))
        least = 0.9 if asked[0] in _ASKS else 0.65
        if sum(gram in found for gram in grams) >= least * len(grams) and (
            any(gram in found for gram in grams[:3]) and any(gram in found for gram in grams[-3:])
        ):
            return True
    same = 0
    for ours, theirs in zip(asked, said, strict=False):
        if ours != theirs:
            break
        same += 1
    ended = whole.rstrip().endswith((".", "?", "!", ":", '"'))
    return same >= 0.9 * len(asked) and len(said) <= (2 if ended else 1) * len(asked)


def _returns_input(task: str, given: str, text: str) -> bool:
    """Whether a task that must change its input gives the input back as it was, once or in a loop."""
    if _MAY_STAY.search(task) or ("extract" in task and len(given) < 150):
        return False
    first, _, rest = text.strip().partition("\n")
    said = (rest if first.endswith(":") and len(rest) > len(first) else text).strip(_WRAP + "`").split()
    if _MUST_CHANGE.search(task) and _is_near_copy(_TOKEN.findall(given.lower()), _TOKEN.findall(text[:8000].lower())):
        return True
    return any(_is_copy(part.strip(_WRAP).split(), said) for part in (given, given.partition("\n")[2]))


def _is_near_copy(words: Sequence[str], said: Sequence[str]) -> bool:
    """Whether nearly all runs of three words are those of a long input, and the other way round."""
    if not LONG_INPUT <= len(words) <= 1.25 * len(said):
        return False
    old, new = (set(zip(one, one[1:], one[2:], strict=False)) for one in (words, said))
    return len(old & new) >= NEAR_COPY * max(len(old), len(new))


def _is_copy(words: Sequence[str], said: Sequence[str]) -> bool:
    """Whether `said`, but for a lead-in of two words, is `words` to the letter, then nothing new."""
    if len(words) <= MIN_ECHO:
        return False
    starts = [at for at in range(min(3, len(said))) if list(said[at : at + 3]) == list(words[:3])]
    if not starts or any(word.lower().strip(_WRAP) not in _LEAD for word in said[: starts[0]]):
        return False
    rest = said[starts[0] :]
    size = len(words)
    if (
        list(rest[: size - 1]) != list(words[:-1])
        or len(rest) < size
        or rest[size - 1].strip(_WRAP) != words[-1].strip(_WRAP)
    ):
        return False
    old = {word.lower().strip(_WRAP) for word in words} | _LEAD
    return {word.lower().strip(_WRAP) for word in rest[size:]} <= old
