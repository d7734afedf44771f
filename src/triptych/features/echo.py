"""Prompt echoes: responses that give back the prompt, or its input part, instead of an answer.

Three ways: the instruction comes back (once or in a loop) with nothing new; the input of a task comes back as it was, nearly
as it was, or in large part; or the response is only the lead-in of an answer ("Here is a poem about rain:"). How much of the
input makes an echo depends on the task:

    copies    (repeat, sort, code ..) may return all of it: never an echo.
    edits     (correct, format, rewrite ..) may keep every word: the input to the letter, or the first part of it.
    picks     (select, extract, answer, shorten ..) may return a span: all of it, or two thirds of a long input.
    others    (write, suggest, decide, solve ..) may not: all of it, or two fifths of it in its order and no new word.

Quotes, list marks and a label before the text ("Output:") are ignored. On new prompts about half of the echoes are found;
where echoes are rare (one row in a thousand) about half of the flags are wrong (`benchmarks/detectors/evaluate.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

_TOKEN = re.compile(r"\w+")
_COPIES = re.compile(
    r"\b(?:copy|repeat|paste|sort|(?<!in )order|in order of|(?:re)?arrange\b|(?:re)?organi[sz]e|reorder|rank|sequence|duplicate"
    r"|filter|code\b|bug|split|separate|divide|if (?:necessary|needed)|reverse|align|alphabet|(?:the|a) quote|find missing|line breaks?|break (?:it|up|the|this)"
    r"|transcri|aloud|out loud|emphasi[sz]|rearang|extra space|if-else|cross out|\w+ out of the|narrow down|reminder)"
)
_PROGRAM = re.compile(
    r"\b(?:write|create|design|implement) (?:a|an|some|the)? ?(?:\w+ )?(?:function\b|program|script|query|code)"
)
_EDITS = re.compile(
    r"\b(?:correct|grammar|grammatical|fix|edit|proofread|spelling|punctuat|mistake|capital|comma|(?:re)?format|bullet|outline|case\b"
    r"|uppercase|lowercase|convert|transform|rewrit|rephras|reword|replac|chang|modif|adjust|revis|improv|add|turn|combin|merg"
    r"|conjunction|updat|renam|markdown|html|insert|delet|remov|eliminat|unnecessary|cut\b|paraphras|fill|blank|mask|voice|tense|clause|pronoun|reformulat)"
)
_PICKS = re.compile(
    r"\b(?:choos|pick|select|identif|extract|find|locat|retriev|which|highlight|underline|quote|answer|determine|name the|what|who"
    r"|when|where|match|group|distinguish|point out|pars|tag\b|list all|search|summar|shorten|trim|condens|brief|concise|clear"
    r"|simplif|headline|topic|keyword|key points|main|label|count|essential|redundant|scan\b|decide which|tell me)"
)
_SELECTS = re.compile(r"\b(?:select|choos|pick|which of|which statement|identif|find|extract|retriev)")
_DECIDES = re.compile(r"\b(?:decide|whether|classif|categori[sz]|evaluat|rate\b|verify|detect|guess|opinion)")
_DEMANDS = re.compile(
    r"\b(?:translat|explain|solve|prove|write a\b|write an\b|caption|creat(?:e|ing)\b|generat|compos|design|suggest|come up|recommend"
    r"|respond|title|tagline|slogan|motto|advert|ad\b|tweet|invent|story|decide|whether|classif|categori[sz]|rate\b|guess|describ"
    r"|informative|complet|continu|finish|might interest|professional)"
)
_TO_LETTER = re.compile(
    r"\b(?:correct|grammar|spelling|punctuat|proofread|comma|case\b|capital|uppercase|lowercase|conjunction|combin|fill|blank|clause|insert|quotation)"
)
_CUTS = re.compile(r"\b(?:delet|remov|eliminat|unnecessary|cut\b|reduc|omit)")
_SHORTER = re.compile(
    r"\b(?:summar|shorten|trim|condens|brief|concise|clear|simplif|title|headline|topic|keyword|main)"
)
_LAYOUT = re.compile(r"(?<!given )(?<!the )(?<!following )\b(?:list|chart|graph|table|diagram)\b")
_LEAD = frozenset(
    """a an the here s sure certainly some of output answer response input solution instruction question below
    following this these list to title text and is are table""".split()
)
_ABOUT = frozenset("step by guide on for about".split()) | _LEAD
_FILLER = frozenset("in many several various different ways way".split())
_HERE_IS = frozenset(("sure", "certainly", "here", "is", "are", "s"))
_ASKS = frozenset(
    """what which who whom whose when where why how is are was were do does did can could will would should has have
    if""".split()
)
_LABEL = re.compile(r"[^\w\n]{0,4}(?:\w+ ?){1,2}:\s+")
_LEAD_LINE = re.compile(r"[^\n]{0,200}:[ \t]*\n+")
_QUOTED = re.compile(r"[\"“][^\"”]{12,}[\"”]")
_FIELD = re.compile(r"^[^\w\n]{0,4}(?:[\w']+ ){0,4}[\w']+: +(.{12,})$", re.MULTILINE)
_SENTENCE = re.compile(r"[^.?!:\n]{30,400}")
_WRAP = " \t\r\n\"'“”`"
MIN_ECHO = 5  # words
LONG = 25  # words from which a copy need not be complete; of a text to pick from, LONG_PICK
LONG_PICK = 45
IN_ORDER = 300  # words compared in order; of longer texts runs of three are compared
START = 14  # characters: a response is looked at too where it starts like a line of the prompt, and so again and again
SHOWN = 6000, 8000  # characters of the prompt and of the response that are looked at


def is_prompt_echo(prompt: str | None, text: str) -> bool:
    """Whether the response repeats the prompt or its input instead of answering. Looks at the first 8,000 characters."""
    if not prompt:
        return False
    asked, size = prompt[: SHOWN[0]].lower(), min(len(text), SHOWN[1])
    probes = [text[size * part // 8 : size * part // 8 + 9].lower() for part in (1, 3, 5, 7)]
    if size < 12:
        return False
    if sum(map(asked.__contains__, probes)) < 2:
        start = text[:24].lstrip()[:START]
        if f"\n{start.lower()}" not in f"\n{asked}" or text.count(start, START, SHOWN[1]) < 3:
            return False
    prompt, text = prompt[: SHOWN[0]].strip(), text[: SHOWN[1]].strip()
    said = _TOKEN.findall(text.lower())
    if len(said) < 3:
        return False
    if text.casefold() == prompt.casefold():
        return True
    known = set(_TOKEN.findall(asked))
    fresh = sum(word not in known and word not in _LEAD for word in said)
    if fresh > 0.4 * len(said) or not _same_case(prompt, text):
        return False
    return _repeats_task(prompt, text, said) or (
        fresh <= 0.15 * len(said) and any(_returns(task.lower(), given, text) for task, given in _parts(prompt))
    )


def _parts(prompt: str) -> Iterator[tuple[str, str]]:
    """Each way to read a prompt as task and input: input after a blank line, a line or a colon, or the task at the end."""
    for cut in ("\n\n", "\n"):
        task, found, given = prompt.partition(cut)
        if found:
            head, colon, _ = given[:60].partition(":")
            yield (f"{task} {head}" if colon and head.count(" ") > 1 and cut == "\n\n" else task), given
            before, _, last = prompt.rpartition(cut)
            if len(last) < 200 < len(before):
                yield (f"{task} {last}" if task.endswith(":") else last), before
            return
    task, found, given = prompt.partition(": ")
    if found:
        yield task, given


# the instruction


def _repeats_task(prompt: str, text: str, said: Sequence[str]) -> bool:
    """Whether the instruction, alone or with its input, comes back with nothing new."""
    task, found, given = prompt.partition("\n\n")
    whole = _TOKEN.findall(prompt.lower())
    if len(text) < 300 and text.endswith(":") and "\n" not in text and said[0] in _HERE_IS:
        return _is_lead_in(whole, said)
    if found and len(task) > max(300, len(given)):
        return False
    picks = bool(_PICKS.search(task.lower()))
    if _repeats(whole, said, prompt, 0.9 if picks else 0.65):
        return True
    if _loops(task.lower(), whole, text):
        return True
    if _is_sentence_of(task if found else prompt.rstrip(".?!").rpartition(". ")[0], said):
        return True
    return bool(found) and _repeats(_TOKEN.findall(task.lower()), said, task, 0.65)


def _is_lead_in(asked: Sequence[str], said: Sequence[str]) -> bool:
    """Whether the words of a lead-in ("Here is a poem about rain:") are for the greater part the last ones of the prompt."""
    known = set(asked[-40:])
    rest = [word for word in said if word not in _ABOUT]
    return len(rest) >= 2 and sum(word in known for word in rest) >= 0.5 * len(rest)


def _repeats(asked: Sequence[str], said: Sequence[str], whole: str, least: float) -> bool:
    """Whether `said` is the instruction nearly word for word, or starts with it and adds less than it copied."""
    if len(asked) < MIN_ECHO or 2 * len(said) < len(asked):
        return False
    while len(said) > 2 and said[0] in _HERE_IS:
        said = said[1:]
    alike = list(said[:2]) == list(asked[:2])
    manner = asked[0] in ("how", "why")
    new = set(said) - set(asked) - _LEAD
    if (not new and (alike or (asked[0] not in _ASKS and len(said) <= len(asked)))) or (manner and new <= _FILLER):
        grams, found = _grams(asked[2 if manner else 1 :]), set(_grams(said))
        least = 0.9 if asked[0] in _ASKS else least
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


def _loops(task: str, whole: Sequence[str], text: str) -> bool:
    """Whether a text longer than the prompt starts with a run of it and has, but for a word in twenty, no other words."""
    said = _TOKEN.findall(_bare(text).lower())
    while said and said[0] in _LEAD and said[:2] != whole[:2]:
        said = said[1:]
    if len(said) < max(2 * len(whole), 20) or _COPIES.search(task) or "convert" in task:
        return False
    known, grams = set(whole) | _LEAD, set(_grams(whole))
    start = _grams(said[:MIN_ECHO])
    few = sum(word not in known for word in said) <= 0.05 * len(said)
    return few and all(gram in grams for gram in start) and _covered(said, whole) >= 0.6


def _is_sentence_of(task: str, said: Sequence[str]) -> bool:
    """Whether the response is one of the sentences that introduce a task, with no new word."""
    low = task.lower().partition(":")[0]
    if len(said) < 8 or _EDITS.search(low) or _PICKS.search(low) or _COPIES.search(low):
        return False
    for sentence in _SENTENCE.findall(low):
        words = _TOKEN.findall(sentence)
        if (
            len(words) >= 8
            and set(said) <= set(words) | _LEAD
            and _in_order(words, said)[0] >= 0.8 * max(len(words), len(said))
        ):
            return True
    return False


# the input


def _returns(task: str, given: str, text: str) -> bool:
    """Whether the response is the input of the task, or so much of it that nothing was done."""
    bare = _bare(text)
    if len(bare) < 12 or _QUOTED.search(task) or (_COPIES.search(task) and not _PROGRAM.search(task)):
        return False
    first = bool(_PICKS.match(task.lstrip()) or _SELECTS.search(task))
    to_letter = not first and bool(_TO_LETTER.search(task))
    demands = not first and not to_letter and bool(_DEMANDS.search(task))
    edits = not first and not demands and (to_letter or bool(_EDITS.search(task)))
    picks = first or (not demands and not edits and bool(_PICKS.search(task)))
    lines = (given, given.partition("\n")[2]) if picks else (given, given.partition("\n")[2], *_fields(given))
    if (not picks or len(given) > 80) and any(
        _is_verbatim(one, lines, exact=edits) for one in (text.strip(_WRAP), bare)
    ):
        return True
    words, said = _TOKEN.findall(given), _TOKEN.findall(bare)
    if len(words) < 3 or len(said) < 3:
        return False
    shorter = bool(_SHORTER.search(task))
    if not picks and len(said) >= 8 and said == words[: len(said)] and not _CUTS.search(task):
        part = 0.6 if shorter else 0.4
        if part * len(words) <= len(said) <= 0.8 * len(words):
            return True
    if edits or (_LAYOUT.search(task) and not picks):
        return False
    words, said = [word.lower() for word in words], [word.lower() for word in said]
    if picks:
        return len(words) >= LONG_PICK and _is_near_copy(words, said, new=0.05, back=0.65, forth=0.9)
    decides = bool(_DECIDES.search(task))
    new = set(said) - set(words) - _LEAD
    if decides and new & set(_TOKEN.findall(task)):
        return False
    if len(words) >= LONG and _is_near_copy(
        words, said, new=0.15, back=0.8 if shorter else 0.7, forth=0.85 if shorter else 0.75
    ):
        return True
    return not new and len(said) >= MIN_ECHO and _is_part(words, said, shorter=shorter, least=6 if decides else 12)


def _is_part(words: Sequence[str], said: Sequence[str], *, shorter: bool, least: int) -> bool:
    """Whether one run of the input is nearly all that is said, or `least` words or more that are nearly all the input."""
    same, longest = _in_order(words, said)
    if longest >= 0.9 * len(said) and longest >= (0.95 if shorter else 0.4) * len(words):
        return True
    return not shorter and len(said) >= least and same >= 0.9 * len(said) and same >= 0.8 * len(words)


def _fields(given: str) -> list[str]:
    """What stands after the label in each line of an input ("Statement: ...")."""
    return [field.strip(_WRAP) for field in _FIELD.findall(given)] if "\n" in given else []


def _is_verbatim(bare: str, inputs: Sequence[str], *, exact: bool) -> bool:
    """Whether the text is one of the inputs, or begins with it and adds no new word; `exact`: to the case and mark."""
    whole = " ".join((bare if exact else bare.casefold()).split())
    for given in inputs:
        one = " ".join((given if exact else given.casefold()).strip(_WRAP if exact else _WRAP + ".").split())
        if one.count(" ") < 2 or not whole.startswith(one):
            continue
        more = whole[len(one) :]
        rest = _TOKEN.findall(more.lower())
        if not more or not exact or len(rest) >= one.count(" "):
            return set(rest) <= set(_TOKEN.findall(one.lower())) | _LEAD
    return False


def _is_near_copy(words: Sequence[str], said: Sequence[str], *, new: float, back: float, forth: float) -> bool:
    """Whether at most the share `new` of the words are new, and runs cover `back` of the input, `forth` of the text."""
    known = set(words) | _LEAD
    return (
        sum(word not in known for word in said) <= new * len(said)
        and _covered(words, said) >= back
        and _covered(said, words) >= forth
    )


def _same_case(prompt: str, text: str) -> bool:
    """Whether most words have the case they have in the prompt, or the one of a title."""
    known, said = set(_TOKEN.findall(prompt)), _TOKEN.findall(text)
    return 2 * sum(
        word in known or word.lower() in known for word in said if not word.isupper() or word in known
    ) >= len(said)


def _bare(text: str) -> str:
    """The text without a lead-in line, a label before it and the quotes around it."""
    lead = _LEAD_LINE.match(text)
    if lead and len(text) > 2 * lead.end():
        text = text[lead.end() :]
    label = _LABEL.match(text)
    return (text[label.end() :] if label and len(text) > label.end() + 10 else text).strip(_WRAP)


def _in_order(words: Sequence[str], said: Sequence[str]) -> tuple[int, int]:
    """How many words the two share in the same order, and in the longest run; 0 when one is too long to be compared so."""
    if max(len(words), len(said)) > IN_ORDER:
        return 0, 0
    sizes = [block.size for block in SequenceMatcher(None, words, said, autojunk=False).get_matching_blocks()]
    return sum(sizes), max(sizes)


def _grams(words: Sequence[str]) -> list[tuple[str, str, str]]:
    return list(zip(words, words[1:], words[2:], strict=False))


def _covered(words: Sequence[str], by: Sequence[str]) -> float:
    """Share of the words that stand in a run of three which `by` has too."""
    found = set(_grams(by))
    inside = [False] * len(words)
    for at, gram in enumerate(_grams(words)):
        if gram in found:
            inside[at : at + 3] = (True, True, True)
    return sum(inside) / max(1, len(words))
