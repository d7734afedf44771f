"""Prompt echoes: nothing but the prompt comes back.

The response consists of the whole prompt, of its instruction (one whole sentence of it will do) or of its whole input, the
text that the task is to be done on; once or over and over, with at most about one word in ten changed, left out or added. A
lead-in line ("Here is the list:"), labels ("Output:"), list marks, quotes, case, punctuation and layout do not count. Part of
an input, an instruction in other words and inputs of fewer than five words are no echoes.

Nor is anything that a right answer may be (`features.echo_task`). A table or a list that was to be laid out, a case that was
to be set, commas that were to be put in and words that were to be marked are seen where they are missing. In an instruction
that is a question no word may be new, for it may be the answer, unless a question comes back. Headings, tags and fences are
layout.

How often that is right, and what it misses: `benchmarks/detectors/evaluate.py`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from difflib import SequenceMatcher

from triptych.features.echo_task import (
    ALL_PARTS,
    ALPHABET,
    CASED,
    COMMAS,
    JOINS,
    JUMBLED,
    LAYOUT,
    LENGTHS,
    LETTERS,
    LONGER,
    MARKED,
    ONE_OF_THEM,
    ONE_PART,
    PUNCTUATES,
    REWORDED,
    SENTENCE,
    SHORT,
    SHORTER,
    SORTS,
    SWAPS,
    TAKES,
    kind_of,
    most_new,
)

SHOWN = 6000, 8000  # characters of the prompt and of the response that are looked at
LEAST = 5  # words of an instruction or of an input
HEADING = 10  # words of a line that announces something, at most
ROUNDS = 2.9  # times the part stands in a loop, the last one perhaps cut short
RECURS = 24  # characters at the start of a loop that stand in it again
RUN = 4  # words in a row that a loop has in common with what it repeats
ALIKE = 0.7  # words of an instruction that stands there again with another thing named
TASK = 400  # characters of a prompt's first line that may be the task; of its last line, half as many

_WORD = re.compile(r"[^\W_]+(?:_+[^\W_]+)*|(?<!\w)_+(?!\w)|[\u2190-\u21ff\u2300-\u27bf\U0001f000-\U0001faff]")
_MORE_THAN_ONE = re.compile(r"[:\"“]|[.?!]\s+\S")
_QUOTED = re.compile(r"[\"“][^\"”]{12,}[\"”]")
_LABEL = re.compile(r"^[^\w\n]*(?:\w{1,2}[.)](?=\s)|((?:\w+ ){0,2}\w+)\W?:(?!\S))", re.MULTILINE)
_LABELS = frozenset(
    """input output answer response question instruction prompt task human user assistant ai text sentence title
    description table result solution corrected revised edited rewritten rephrased paraphrased simplified translated translation
    version summary""".split()
)
_NAMED = frozenset(
    ("sentence", "text", "version", "translation", "summary", "paragraph", "question", "statement", "answer")
)
_LEAD_LINE = re.compile(r"[^\n]{0,200}:[ \t]*\n\s*(?=\S)")
_HERE_IS = re.compile(r"(?:(?:sure|certainly|of course)\W+)?here(?:['’]s| is| are)\b", re.IGNORECASE)
_IT_IS = re.compile(  # The corrected sentence should be "..
    r"(?:it should (?:be|read)|(?:the|your|an?|this)\b"
    r"(?: (?:mistake|error) in (?:the|this) |(?:(?!\bin (?:the|this|your) (?:sentence|text|passage|line|paragraph|message)\b)[^\n\"“:]){0,60})"
    r"\b(?:sentence|text|version|paragraph|summary|translation|statement|form|punctuation|headline|title|question|answer|code|message"
    r"|passage|tense|voice|order|spelling|plural|person|grammar|spanish|french|german|english)"
    r"(?: (?:is|reads?|becomes|(?:should|would|could|can) (?:be|read)))?(?: (?:as follows|rewritten|written))*)"
    r"(?::|(?=\s[\"“]))\s*",
    re.IGNORECASE,
)
_LEADS = _LEAD_LINE, _HERE_IS, _IT_IS
_LEAD = re.compile(
    r"(?:\A|(?<=\n)|(?<=[.?!:,]\s)|(?<=[\"“”])|(?<=[\"“”]\s))[^\S\n]*([^\W_][^\n\"“”:.?!]{2,120})(?::\s*|(?=\s[\"“]))"
)
_IDLE = frozenset(
    """the a an is are be becomes reads read would could should can may this that these those it its to in into of with for from as by
    and or here there your my our we you one new original given following above below same final improved modified shortened
    shorter simpler formal polite different follows sure certainly course correct version word words phrase line list form way
    example passage part note message""".split()
)
_STEMS = tuple({word[:4] for word in _IDLE | _LABELS if len(word) > 2})
_QUESTION = re.compile(r"(?:question|q)\W?:", re.IGNORECASE)
_READS = re.compile(r"\b(?:answer|question|passage|text|context|read)")
_LAST_QUESTION = re.compile(r"(?<![^\n.?!])[^.?!\n]{12,}\?\s*\Z")
_PASSAGE = re.compile(r"(?:context|passage|text|article|paragraph|document)\W?:", re.IGNORECASE)
_REQUEST = re.compile(r"(?:can|could|would|will) you\b.*\b(?:this|that|above)\b", re.IGNORECASE)
_BACK = re.compile(r"\b(?:above|this|that|these|those|the (?:text|sentences?|words?|story|letter|paragraph|input))\b")
_IMPERATIVE = re.compile(
    r"(?:please |task\W? |instructions?\W? |now )*(?:add|answer|arrange|change|check|choose|classify|combine|compare|complete"
    r"|continue|convert|copy|correct|count|create|decide|describe|design|edit|explain|extract|fill|find|fix|generate|give|group"
    r"|identify|improve|insert|list|make|name|paraphrase|proofread|put|rate|read|remove|repeat|replace|re-?phrase|re-?word"
    r"|re-?write|say|select|shorten|simplify|sort|split|suggest|sum up|summari[sz]e|tell|translate|turn|use|write"
    r"|are|how|is|what|which|who|why)\b",
    re.IGNORECASE,
)
_REQUESTED = re.compile(r"(?:can|could|would|will) you (?:please )?", re.IGNORECASE)
_GRANTED = re.compile(
    r"(?:(?:yes|sure|certainly|of course)\W+)?(?:(?:you|i|we) (?:can|could|would|will) )?", re.IGNORECASE
)
_INNER = re.compile(r"[,;:\"“”—]|[.?!]\s+\S")
_SIGNS = re.compile(r"[*_<\[(\"“”«]")
_OPEN = re.compile(r"\w:[^\S\n]*$", re.MULTILINE)
_CLOSING = " \t\r\n\"'“”`"
_QUOTES = '"“”'
_ARTICLES = frozenset(("a", "an", "the"))
_VERDICTS = frozenset(("true", "false", "yes", "no", "not", "is", "are", "was", "were"))
_ASKS = re.compile(
    r"(?:(?:so|and|in|on|at|for|from|to|by|with) )?"
    r"(?:what|which|who|whom|whose|when|where|is|are|was|were|do|does|did|can|could|will|would|should|has|have"
    r"|how (?:many|much|long|old|far|tall|big))\b"
)
_NUMBER = re.compile(r"(?<![\w.])-?\d+(?![\w.])")
_ITEM = re.compile(r"[,;\n]|\band\b")
_LAID = (
    ("``", re.compile(r"^[^\S\n]*```\w*[^\S\n]*$", re.MULTILINE), ""),
    ("---", re.compile(r"^[^\S\n]*-{3,}[^\S\n]*$", re.MULTILINE), ""),
    ("#", re.compile(r"^#+[^\S\n]*(\w+(?: \w+)?):?[^\S\n]*$", re.MULTILINE), r"\1:"),
    ("</", re.compile(r"</?(?:text|input|passage|document|article|context|sentence)>", re.IGNORECASE), ""),
)
_EMPTY_LABEL = re.compile(r"\n[^\w\n]*(?:\w+ ){0,2}\w+:\s*\Z")
_EMPHASIS = re.compile(r"(?<=\s)[*_]+\w")
_LAID_OUT = re.compile(r"[|{}<>*•\t]|^\s*(?:-|\d+[.)])\s", re.MULTILINE)


def is_prompt_echo(prompt: str | None, text: str) -> bool:
    """Whether nothing but the prompt, its instruction or its input comes back. Looks at the first 8,000 characters."""
    if not prompt or not _may_echo(prompt, text):
        return False
    prompt, text = _EMPTY_LABEL.sub("", _plain(prompt[: SHOWN[0]])), _plain(text[: SHOWN[1]])
    asked = _words(prompt)
    for answer in _answers(text):
        said = _words(answer)
        if said == asked and len(said) >= 3:
            return True
        if len(said) < LEAST - 1 or len(set(said).difference(asked)) > 2 + 0.1 * len(said):
            continue
        if any(
            _is_told(prompt, way[0], asked, answer, said) or _is_given(*way, asked, answer) for way in _ways(prompt)
        ):
            return True
    if any(_is_given(*way, asked, answer) for answer in _bare(text, prompt) for way in _ways(prompt)):
        return True
    return _is_told_by_lines(prompt, text)


def _plain(text: str) -> str:
    """The text without fences, rules and tags; a heading of one or two words becomes a label."""
    for sign, marks, instead in _LAID:
        if sign in text:
            text = marks.sub(instead, text)
    return text.strip()


def _may_echo(prompt: str, text: str) -> bool:
    """Whether the response is no longer than the prompt or comes back to itself, and probes of it stand in the prompt."""
    size = min(len(text.rstrip(_CLOSING)), SHOWN[1])
    if size < 12:
        return False
    middle = text[size // 2 : size // 2 + 12]
    if size > 1.2 * len(prompt) + 120 and text.count(middle, 0, SHOWN[1]) < 2 and text.count(text[2:14]) < ROUNDS:
        return False
    asked = prompt[: SHOWN[0]].lower()
    probes = [text[size * part // 8 : size * part // 8 + 9].lower() for part in (1, 3, 5, 7)]
    found = sum(map(asked.__contains__, probes))
    if found < 2 and text.count(middle, 0, SHOWN[1]) >= ROUNDS:  # in a loop they may lie across the end of a line
        found = sum(map(asked.__contains__, map(str.strip, probes)))
    if found >= 2 or (found == 1 and any(lead.match(text) for lead in _LEADS)):
        return True
    start = text[:24].lstrip()[:14]
    return f"\n{start.lower()}" in f"\n{asked}" and text.count(start, 14, SHOWN[1]) >= 3


def _ways(prompt: str) -> Iterator[tuple[str, str]]:
    """Ways to read a prompt as task and input: input after a blank line, a line or a colon, or the task at the end."""
    if "\n" not in prompt and len(quotes := _QUOTED.findall(prompt)) == 1 and kind_of(prompt) != "own":
        yield prompt.replace(quotes[0], ""), quotes[0]
    before, _, last = prompt.rpartition("\n")
    if before and _QUESTION.match(last):
        yield last, before
    yield from _asked_below(prompt)
    for cut in ("\n\n", "\n"):
        task, found, given = prompt.partition(cut)
        if found:
            before, _, last = prompt.rpartition(cut)
            below = _IMPERATIVE.match(last) and _BACK.search(last.lower()) and not _IMPERATIVE.match(task)
            if 2 * len(last) < TASK and (below or len(before) > TASK or _PASSAGE.match(before)):
                yield last, before
            if 2 * len(last) < TASK and (below or _REQUEST.match(last)):
                yield last, before
                return
            if len(task) < max(TASK, len(given)):
                yield task, given
            return
    task, found, given = prompt.partition(": ")
    yield (task, given) if found else (prompt, "")


def _asked_below(prompt: str) -> Iterator[tuple[str, str]]:
    """The task and the input without the question that ends it."""
    task, found, given = prompt.partition("\n")
    last = _LAST_QUESTION.search(given)
    if found and last and _READS.search(task.lower()) and len(_words(given[: last.start()])) >= REWORDED:
        yield f"{task} {last[0].strip()}", given[: last.start()]


def _answers(text: str) -> Iterator[str]:
    """The response as it is, without a line or the words that lead in, as the case may be."""
    yield text
    for lead in _LEADS:
        if found := lead.match(text):
            yield text[found.end() :]


def _bare(text: str, prompt: str) -> Iterator[str]:
    """The response without words before a colon or a quote that only name what follows; a loop also without those in it.

    Where something is to be found or a class named, such words may be the answer.
    """
    task, _ = next(_ways(prompt), (prompt, ""))
    if kind_of(task) == "classes" or TAKES.search(task.lower()):
        return
    stems = (*_STEMS, *{word[:4] for word in _words(task) if len(word) > 2})

    def cut(found: re.Match[str]) -> str:
        words = _WORD.findall(found[1].lower())
        idle = sum((len(word) < 3 and word.isalpha()) or word.startswith(stems) for word in words)
        line = found[0].endswith("\n") and found[0].strip() not in prompt and 2 * idle >= len(words)
        return "" if line or idle == len(words) else found[0]

    if found := _LEAD.match(text):
        yield cut(found) + text[found.end() :]
    bare = _LEAD.sub(cut, text)
    if bare.count(bare[:RECURS]) > 1:
        yield bare


# the instruction


def _is_told(prompt: str, task: str, asked: Sequence[str], answer: str, said: Sequence[str]) -> bool:
    """Whether what is said is the whole prompt, its instruction, or the first or last sentence of that."""
    sentences = SENTENCE.findall(task)
    requested = _REQUESTED.match(prompt)
    granted = requested and _GRANTED.match(answer)
    if requested and granted and _words(prompt[requested.end() :]) == _words(answer[granted.end() :]):
        return True
    for part in dict.fromkeys((prompt, task, *sentences[:1], *sentences[-1:])):
        words = asked if part is prompt else _words(part)
        if not _is_size(words, said) or _is_completed(part, words, said):
            continue
        strict = kind_of(task) not in ("own", "others") and bool(part == prompt != task or _MORE_THAN_ONE.search(task))
        if strict and part is not prompt and part != task and part != sentences[0]:
            continue
        asks, asked_back = (
            _ASKS.match(part.strip().lower()),
            answer.rstrip(_CLOSING).endswith("?") and words[0] == said[0],
        )
        most = 0 if strict or (asks and not asked_back) else max(1, len(words) // 10)
        if said == words or (not strict and _is_near(words, said, most, counts=not asked_back)):
            return True
        if _loops(words, said, asked if part is prompt else _words(task), most):
            return True
    return False


def _is_told_by_lines(prompt: str, text: str) -> bool:
    """Whether three lines are the instruction and all others are lines of the prompt, or announce what does not come.

    So base models go on, perhaps with other things named. The last line may be cut short.
    """
    lines = text.splitlines()[:-1]
    if len(lines) < ROUNDS or text.count(lines[0][:RECURS]) < ROUNDS:
        return False
    known = {" ".join(_words(line)) for line in prompt.splitlines()}
    tasks = [(part, not _MORE_THAN_ONE.search(task)) for task, _ in _ways(prompt) if len(part := _words(task)) >= LEAST]
    told = 0
    for line in dict.fromkeys(lines):
        said = _words(line)
        if any(_is_near(part, said, new) for part, new in tasks):
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
    names = {name.lower() for name in _LABEL.findall(given)} - _LABELS
    if len(_OPEN.findall(given)) > 1:  # a form: nothing but labels
        return _is_given_as(task, given, asked, answer, frozenset())
    if len(names) == 1 and _is_given_as(task, given, asked, answer, _LABELS):  # it may be how the text starts
        return True
    return _is_given_as(task, given, asked, answer, _LABELS | names)


def _is_given_as(task: str, given: str, asked: Sequence[str], answer: str, labels: frozenset[str]) -> bool:
    """Whether it is that, these labels aside."""
    words, said = _words(given, labels), _words(answer, labels)
    if not _is_size(words, said):
        return False
    quoted = _QUOTED.search(task)
    if quoted and _words(quoted[0]) != words:  # that is the text to work on, and what is given may be the answer
        return False
    if _EMPHASIS.search(answer) and not _EMPHASIS.search(given):  # that is how it says which part
        return False
    here, there, low = _letters(given), _letters(answer), task.lower()
    untouched = LAYOUT.search(low) and not _LAID_OUT.search(answer)
    if untouched and (_loops(words, said, asked, 0) or (len(there) <= len(here) and _is_near(words, said, 0))):
        return True
    if MARKED.search(low) and not _is_marked(given, answer):
        return _is_near(words, said, 0)
    unmarked = len(words) >= SHORT and PUNCTUATES.search(low) and not _INNER.search(given)
    if unmarked and words == said and not _INNER.search(answer):
        return True
    kind = kind_of(task)
    if kind == "keeps" and not (ALL_PARTS.search(low) and len(words) > 4 * len(_ITEM.findall(given))):
        if one := ONE_PART.search(low):
            return words == said and (len(SENTENCE.findall(given)) > 1 or one[1].startswith("word"))
        known = ALPHABET.search(low) or (SORTS.search(low) and all(map(_NUMBER.fullmatch, words)))
        if LENGTHS.search(low):
            return words == said and not _is_in_order(given, len)
        return words == said and bool(known) and not _is_in_order(given)
    if kind == "marks" and JUMBLED.search(low):
        return words == said and not _is_in_order(given)
    if words == said and (JOINS.search(low) or (COMMAS.search(low) and answer.count(",") <= given.count(","))):
        return True
    longer = len(said) - len(words)
    if kind == "words" and ((LONGER.search(low) and longer < 0) or (SHORTER.search(low) and longer > 0)):
        return _is_near(words, said, 1)
    if words == said and (case := CASED.search(low)) and not _is_in_case(case[1], given):
        return not (ONE_OF_THEM.search(low) or _is_in_case(case[1], answer))
    if kind == "marks" and not LETTERS.search(low):
        here, there = [line.lower() for line in here], [line.lower() for line in there]
    if kind == "marks" and there[: len(here)] != here and not _is_said_again(here, there):
        return False
    most = most_new(kind, low, len(words))
    if here == there or _loops(words, said, asked, most):
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
        return _without_articles(words) == _without_articles(said)
    return _is_near(words, said, most)


def _is_marked(given: str, answer: str) -> bool:
    """Whether one of them has signs that mark a word, or the answer more capitals."""
    return bool(_SIGNS.search(given + answer)) or sum(map(str.isupper, answer)) > sum(map(str.isupper, given))


def _is_in_case(case: str, text: str) -> bool:
    """Whether most letters (or in titles, most words) are in this case."""
    signs = [word[0] for word in _WORD.findall(text)] if case == "title" else [*filter(str.isalpha, text)]
    return sum(map(str.islower if case == "lower" else str.isupper, signs)) > len(signs) / 2


def _is_in_order(given: str, key: Callable[[str], int] | None = None) -> bool:
    """Whether three items or more stand in the order of the alphabet, their numbers or a key, forwards or backwards."""
    items = [" ".join(words) for item in _ITEM.split(given) if (words := _words(item))]
    if key is not None:
        sizes = [key(item) for item in items]
        untold = any(item.count(" ") > 2 for item in items)  # sentences, that commas do not part
        return untold or sizes in (sorted(sizes), sorted(sizes, reverse=True))
    values = [float(number) for number in _NUMBER.findall(given)]
    rows: tuple[list[str] | list[float], ...] = (items, values) if len(values) == len(items) else (items,)
    return len(items) > 2 and any(row in (sorted(row), sorted(row, reverse=True)) for row in rows)


def _is_said_again(here: Sequence[str], there: Sequence[str]) -> bool:
    """Whether nothing but the input stands there to the letter, some times, the last one perhaps cut short."""
    whole = "\n".join(here)
    *before, rest = "\n".join(there).split(whole)
    return bool(before) and not any(_WORD.search(part) for part in before) and whole.startswith(rest.strip(_CLOSING))


def _end(text: str) -> str:
    """The last character, quotes aside; empty where there is none."""
    return text.rstrip(_CLOSING)[-1:]


def _without_articles(words: Sequence[str]) -> list[str]:
    return [word for word in words if word not in _ARTICLES]


def _letters(text: str) -> list[str]:
    """The lines of a text without a label before it, the quotes around it and blank lines."""
    label = _LABEL.match(text)
    if label and _is_idle(label[1], _LABELS):
        text = text[label.end() :]
    return [bare for line in text.strip(_CLOSING).splitlines() if (bare := line.strip(_QUOTES).rstrip(_CLOSING))]


# words


def _words(text: str, labels: frozenset[str] = _LABELS) -> list[str]:
    """The words in lower case, and arrows and emojis, without list marks and those labels at the start of a line."""
    return _WORD.findall(_LABEL.sub(lambda found: "" if _is_idle(found[1], labels) else found[0], text).lower())


def _is_idle(label: str | None, labels: frozenset[str]) -> bool:
    """Whether a label says nothing: a list mark, "Output", "Corrected sentence"."""
    if label is None or len(label) == 1 or label.lower() in labels:
        return True
    *before, last = label.lower().split()
    return bool(before) and last in _NAMED and before[-1] in _LABELS


def _is_size(part: Sequence[str], said: Sequence[str]) -> bool:
    """Whether the part is long enough, and what is said as long (give or take one word in ten, or one) or perhaps a loop."""
    low, high = sorted((len(part), len(said)))
    if len(part) < LEAST:
        return False
    return low >= high - max(high // 10, 1) or (len(said) > len(part) + RUN and said[0] == part[0])


def _is_near(part: Sequence[str], said: Sequence[str], most: int, *, counts: bool = True) -> bool:
    """Whether one word in ten differs at most (one of fewer than ten), and at most `most`, articles aside, are new or moved.

    A new number or a yes or no is an answer where it counts.
    """
    size = max(len(part), len(said))
    least = size - max(size // 10, 1)
    if min(len(part), len(said)) < least or (Counter(part) & Counter(said)).total() < least:
        return False
    added = Counter(said) - Counter(part)
    if counts and any(word in _VERDICTS or any(map(str.isdigit, word)) for word in added):
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


def _loops(part: Sequence[str], said: Sequence[str], asked: Sequence[str], most: int) -> bool:
    """Whether `said` starts with the part and goes on with it, or for two rounds more at least in runs of what was asked."""
    size = len(part)
    if said[0] != part[0] or len(said) < size + RUN or not _is_near(part, said[:size], most):
        return False
    if len(said) < ROUNDS * size:
        return len(said) >= SHORT and _is_near([*part, *part, *part][: len(said)], said, 2 * most)
    rest, runs = said[size:], set(_runs(asked))
    inside = [False] * len(rest)
    for at, run in enumerate(_runs(rest)):
        if run in runs:
            inside[at : at + RUN] = [True] * RUN
    return sum(inside) >= 0.85 * len(rest) and sum(map(str.isalpha, set(said).difference(asked))) <= 2


def _runs(words: Sequence[str]) -> Iterator[tuple[str, ...]]:
    return zip(*(words[at:] for at in range(RUN)), strict=False)
