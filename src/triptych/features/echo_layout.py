"""How a prompt and an answer are laid out: task and input, headings, tags, words that lead in."""

from __future__ import annotations

import re
from collections.abc import Iterator

from triptych.features.echo_task import REWORDED, TAKES, kind_of, tells
from triptych.features.echo_words import LABELS, LEAST, WORD, words_of

TWICE = 2  # rounds of a loop, at least
RECURS = 24  # characters at the start of a loop that stand in it again
EDITS = ("marks", "style", "words", "wording")  # kinds of task in which a lead-in is no answer
TASK = 400  # characters of a prompt's first line that may be the task; of its last line, half as many

QUOTED = re.compile(r"[\"“][^\"”]{12,}[\"”]")
_LEAD_LINE = re.compile(r"[^\n]{0,200}:[ \t]*\n\s*(?=\S)")
_HERE_IS = re.compile(r"(?:(?:sure|certainly|of course)\W+)?here(?:['’]s| is| are)\b", re.IGNORECASE)
_IT_IS = re.compile(  # The corrected sentence should be "..
    r"(?:it should (?:be|read)|(?:the|your|an?|this)\b"
    r"(?: (?:mistake|error) in (?:the|this) |(?:(?!\bin (?:the|this|your) (?:sentence|text|passage|line|paragraph"
    r"|message)\b)[^\n\"“:]){0,60})"
    r"\b(?:sentence|text|version|paragraph|summary|translation|statement|form|punctuation|headline|title|question"
    r"|answer|code|message"
    r"|passage|tense|voice|order|spelling|plural|person|grammar|spanish|french|german|english)"
    r"(?: (?:is|reads?|becomes|(?:should|would|could|can) (?:be|read)))?(?: (?:as follows|rewritten|written))*)"
    r"(?::|(?=\s[\"“]))\s*",
    re.IGNORECASE,
)
LEADS = _LEAD_LINE, _HERE_IS, _IT_IS
_LEAD = re.compile(
    r"(?:\A|(?<=\n)|(?<=[.?!:,]\s)|(?<=[\"“”])|(?<=[\"“”]\s))[^\S\n]*([^\W_][^\n\"“”:.?!]{1,120})(?::\s*|(?=\s[\"“]))"
)
_ANNOUNCED = re.compile(
    r"(?:\A|(?<=\n)|(?<=[.?!\"”]\s))[^\S\n]*([^\W_][^\n:]{2,160}):(?:[^\S\n]*\n\s*|(?=\s*[\"“])|\s+)"
)
LEAD_UP = re.compile(
    r"(?:\W*[^\W_][^\n:]{0,100}:[*\s]*|[^\W_][^\n\"“:]{0,80}\s(?=[\"“])|(?:sure|certainly|of course|ok(?:ay)?"
    r"|absolutely|no problem|hello|hi)\b[.!,]+\s+"
    r"|(?:in (?:other|plain|short|simple\w*)(?: \w+)?|simply put),\s+){1,2}",
    re.IGNORECASE,
)
_IN_QUOTES = re.compile(r"[\"“][^\"”\n]*[\"”]")
_NUMBERED = re.compile(r"^\W*\d+[.)](?=\s)", re.MULTILINE)
ARE = re.compile(
    r"(?:the|these|those|your|this)(?: [\w'’-]+){0,6}? (?:is|are|reads?|becomes?|would be|should be)\s+(?=\S)",
    re.IGNORECASE,
)
_LEADS_UP = re.compile(r"[:\"“]|\A(?:in|simply|of course|no problem)\b|\A\w+[.!,]", re.IGNORECASE)
_NAMES = re.compile(  # what words before the input may be the answer to
    r"\?|\b(?:what|which|whom?|whose|where|when|why|how|titles?|head|labels?|name\b|acronym|mnemonic|creat\w*"
    r"|give an?\b|start|begin|open|greet|salut|introduc|dialog|report"
    r"|direct|speech|quot|interview|play\b|script|colon|guess|add\b|writ\w* an?\b)"
)
_IDLE = frozenset(
    """the a an is are be becomes reads read would could should can may this that these those it its to in into of with for from as by
    and or here there your my our we you one new original given following above below same final improved modified shortened
    shorter simpler formal polite different follows sure certainly course correct version word words phrase line list form way
    example passage part note message""".split()
)
_STEMS = tuple({word[:4] for word in _IDLE | LABELS if len(word) > 2})
_QUESTION = re.compile(r"(?:question|q)\W?:", re.IGNORECASE)
_READS = re.compile(r"\b(?:answer|question|passage|text|context|read)")
_LAST_QUESTION = re.compile(r"(?<![^\n.?!])[^.?!\n]{12,}\?\s*\Z")
_PASSAGE = re.compile(r"(?:context|passage|text|article|paragraph|document)\W?:", re.IGNORECASE)
_SPEAKER = re.compile(
    r"\A\s*(?:\[INST\]|(?:q|question|user|human|prompt|instruction|task)\s*:)\s*|\s*\[/INST\]\s*\Z", re.IGNORECASE
)
_FIRST_SENTENCE = re.compile(r"([^\n.?!]{3,200}[.?!])\s+(\S[^\n]*)\Z")
_BEFORE_DASH = re.compile(r"([^\n.?!:]{3,120}?)(?: [-–—]+ |; )(\S[^\n]*)\Z")
_SINGLE = re.compile(r"(?<!\w)'[^'\n]{12,}'(?!\w)")
_TOLD_BEFORE = re.compile(r"[^\n.?!:]{0,60}(?::|(?<=sentence)\.|(?<=text)\.|(?<=this)\.)\s+", re.IGNORECASE)
_LAST_SENTENCE = re.compile(r"(\S[^\n]*[.?!][\"”]?)\s+([^\n.?!]{3,200}[.?!]?)\Z")
_RULES = re.compile(
    r"(?:rules?|notes?|hints?|requirements?|constraints?|tips?|examples?|please|do not|don['’]t|keep|use|write"
    r"|answer|make|for example|e\.g)\b(?:\s\w+){0,2}[^\n]*",
    re.IGNORECASE,
)
_CAN_YOU = re.compile(r"(?:(?:hi|hello|hey)\W+)?(?:can|could|would|will) (?:you|i)\b", re.IGNORECASE)
_YES = re.compile(r"(?:yes|sure|certainly|of course|okay|ok|absolutely)\b[,.!:;]*\s+", re.IGNORECASE)
_REQUEST = re.compile(r"(?:can|could|would|will) you\b.*\b(?:this|that|above)\b", re.IGNORECASE)
_BACK = re.compile(r"\b(?:above|this|that|these|those|the (?:text|sentences?|words?|story|letter|paragraph|input))\b")
_BACK_TO_IT = re.compile(r"\b(?:it|them)\b|" + _BACK.pattern)
_IMPERATIVE = re.compile(
    r"(?:please |task\W? |instructions?\W? |now )*(?:add|answer|arrange|change|check|choose|classify|combine|compare|complete"
    r"|continue|convert|copy|correct|count|create|decide|describe|design|edit|explain|extract|fill|find|fix|generate|give|group"
    r"|identify|improve|insert|list|make|name|paraphrase|proofread|put|rate|read|remove|repeat|replace|re-?phrase|re-?word"
    r"|re-?write|say|select|shorten|simplify|sort|split|suggest|sum up|summari[sz]e|tell|translate|turn|use|write"
    r"|adapt|alphabeti[sz]e|break|capitali[sz]e|condense|count|cut|delete|express|fill|format|highlight|make|mark"
    r"|negate|number|pick|polish|punctuate|put|recast|reverse|say|spell|state|swap|tag|transform|transpose"
    r"|underline|unscramble|combine|connect|join|link|merge|negate|are|how|is|what|which|who|why)\b",
    re.IGNORECASE,
)
_ASKED_AFTER = re.compile(r"(?:now |then |please |and )*" + _IMPERATIVE.pattern, re.IGNORECASE)
_OPENING = re.compile(
    r"(?:hi|hello|hey|good \w+|i(?:['’]m| am| need| have| want| would)|we|my|topic|subject|context|course|exercise"
    r"|lesson|unit|level|theme)\b",
    re.IGNORECASE,
)
_COURTESY = re.compile(r"(?:\n\n(?:many )?(?:thanks?|thank you|cheers|please help)\b[^\n]{0,40})+\Z", re.IGNORECASE)
_LAID = (
    ("``", re.compile(r"^[^\S\n]*```\w*[^\S\n]*$", re.MULTILINE), ""),
    ("---", re.compile(r"^[^\S\n]*-{3,}[^\S\n]*$", re.MULTILINE), ""),
    ("#", re.compile(r"^#+[^\S\n]*(\w+(?: \w+)?):?[^\S\n]*$", re.MULTILINE), r"\1:"),
    ("</", re.compile(r"</?(?:text|input|passage|document|article|context|sentence)>", re.IGNORECASE), ""),
)
EMPTY_LABEL = re.compile(r"\n[^\w\n]*(?:\w+ ){0,2}\w+(?: ?\([^)\n]*\))?:\s*\Z")


def plain_of(text: str) -> str:
    """The text without fences, rules and tags; a heading of one or two words becomes a label."""
    for sign, marks, instead in _LAID:
        if sign in text:
            text = marks.sub(instead, text)
    return text.strip()


def ways_of(prompt: str) -> Iterator[tuple[str, str]]:
    """Ways to read a prompt as task and input: input after a blank line, a line or a colon, or the task at the end."""
    if "\n" not in prompt and len(quotes := QUOTED.findall(prompt)) == 1 and kind_of(prompt) != "own":
        yield prompt.replace(quotes[0], ""), quotes[0]
    if (bare := _COURTESY.sub("", prompt)) != prompt:
        yield from ways_of(bare)
    before, _, last = prompt.rpartition("\n")
    if before and _QUESTION.match(last):
        yield last, before
    yield from _asked_below(prompt)
    if "\n\n" in prompt:
        yield from _in_paragraphs(prompt)
    for cut in ("\n\n", "\n"):
        task, found, given = prompt.partition(cut)
        if found:
            before, _, last = prompt.rpartition(cut)
            below = _IMPERATIVE.match(last) and _BACK_TO_IT.search(last.lower()) and not _IMPERATIVE.match(task)
            if 2 * len(last) < TASK and (below or len(before) > TASK or _PASSAGE.match(before)):
                yield last, before
            if 2 * len(last) < TASK and (below or _REQUEST.match(last)):
                yield last, before
                return
            if len(task) < max(TASK, len(given)):
                yield task, given
            return
    yield from _in_one_line(prompt)
    task, found, given = prompt.partition(": ")
    yield (task, given) if found else (prompt, "")


def _in_one_line(prompt: str) -> Iterator[tuple[str, str]]:
    """The first sentence as the task, or the last one; what stands before a dash or a semicolon; around single quotes."""
    line = _SPEAKER.sub("", prompt)
    for parted in (_FIRST_SENTENCE, _BEFORE_DASH):
        found = parted.match(line)
        if found and (_IMPERATIVE.match(found[1]) or _CAN_YOU.match(found[1]) or _BACK.search(found[1].lower())):
            yield found[1], found[2]
    found = _LAST_SENTENCE.match(line)
    if found and _ASKED_AFTER.match(found[2]) and _BACK_TO_IT.search(found[2].lower()):
        yield found[2], found[1]
        if telling := _TOLD_BEFORE.match(found[1]):
            yield found[2], found[1][telling.end() :]
    if quoted := _SINGLE.search(line):
        yield line.replace(quoted[0], ""), quoted[0][1:-1]


def _in_paragraphs(prompt: str) -> Iterator[tuple[str, str]]:
    """An input after rules or an example, and one between words that tell of it and its task."""
    first, *between, last = (part.strip() for part in prompt.split("\n\n"))
    rest = prompt.partition("\n\n")[2]
    if len(first) < TASK / 4 and _OPENING.match(first) and _IMPERATIVE.match(rest):
        yield from ways_of(rest)
    if between and _IMPERATIVE.match(first) and all(_RULES.match(part) for part in between):
        yield "\n\n".join((first, *between)), last
    if between and 2 * len(last) < TASK and tells(first) and (_IMPERATIVE.match(last) or _BACK.search(last.lower())):
        yield last, "\n\n".join(between)


def _asked_below(prompt: str) -> Iterator[tuple[str, str]]:
    """The task and the input without the question that ends it."""
    task, found, given = prompt.partition("\n")
    last = _LAST_QUESTION.search(given)
    if found and last and _READS.search(task.lower()) and len(words_of(given[: last.start()])) >= REWORDED:
        yield f"{task} {last[0].strip()}", given[: last.start()]


def answers_of(text: str, prompt: str) -> Iterator[str]:
    """The response as it is, without a line or the words that lead in, as the case may be; a "yes" is such where one asked "can you"."""
    yield text
    if (
        len(text) < len(prompt)
        and (found := ARE.match(text))
        and not _NAMES.search(prompt.lower())
        and not TAKES.search(prompt.lower())
    ):
        rest = text[found.end() :]
        if f" {' '.join(words_of(rest))} " in f" {' '.join(words_of(prompt))} ":
            yield rest
    if (found := _YES.match(text)) and _CAN_YOU.match(prompt):
        yield text[found.end() :]
    for lead in LEADS:
        if found := lead.match(text):
            yield text[found.end() :]


def once_of(text: str) -> str | None:
    """The first round of a text that says the same words again and again, the last time perhaps cut short; None for others."""
    bare = _NUMBERED.sub("", text)
    start = WORD.search(bare)
    if start is None or bare.count(start[0]) < TWICE:
        return None
    places = [found.start() for found in WORD.finditer(bare)]
    words = WORD.findall(bare.lower())
    for size in range(LEAST - 1, len(words) // TWICE + 1):
        if words[size] == words[0] and words[size:] == words[:-size]:
            return bare[: places[size]].strip()
    return None


def _unannounced(text: str, prompt: str) -> Iterator[str]:
    """A loop of the prompt without what announces its rounds, in whatever words; its first round, where the others are the same.

    The last round may be cut short.
    """
    told = [*_ANNOUNCED.finditer(text)]
    if not told:
        return
    ends = [found.start() for found in told[1:]] + [len(text)]
    rounds = [text[: told[0].start()], *(text[found.end() : end] for found, end in zip(told, ends, strict=True))]
    *before, last = (part.strip() for part in rounds[-1].rpartition("\n")[::2])
    if last and any(found[0].lstrip().startswith(last) for found in told):
        rounds[-1] = "".join(before)
    rounds = [part for part in rounds if part.strip()]
    bare = "\n".join(rounds).strip()
    start = bare.lstrip('"“*')[:RECURS].lower()
    if len(rounds) < 2 or start not in prompt.lower() or bare.lower().count(start) < 2:
        return
    yield bare
    first, *others = (words_of(part) for part in rounds)
    if all(other == first for other in others[:-1]) and others[-1] == first[: len(others[-1])]:
        yield rounds[0].strip()


def bare_of(text: str, prompt: str, task: str) -> Iterator[str]:
    """The response without words before a colon or a quote that only name what follows; a loop also without those in it.

    Where something is to be found or a class named, such words may be the answer.
    """
    if not _LEADS_UP.search(text) or text.lstrip()[:1] in ("{", "[", "<"):
        return
    if kind_of(task) == "classes":
        return
    yield from _unannounced(text, prompt)
    if TAKES.search(task.lower()):
        return
    if not _NAMES.search(task.lower()) and (found := LEAD_UP.match(text)):
        rest = text[found.end() :]
        if f" {' '.join(words_of(rest))} " in f" {' '.join(words_of(prompt))} ":
            yield rest
    stems = (*_STEMS, *{word[:4] for word in words_of(_IN_QUOTES.sub(" ", task)) if len(word) > 2})

    def cut(found: re.Match[str]) -> str:
        words = WORD.findall(found[1].lower())
        idle = sum((len(word) < 3 and word.isalpha()) or word.startswith(stems) for word in words)
        line = found[0].endswith("\n") and found[0].strip() not in prompt and 2 * idle >= len(words)
        return "" if line or idle == len(words) else found[0]

    if found := _LEAD.match(text):
        yield cut(found) + text[found.end() :]
    bare = _LEAD.sub(cut, text)
    if bare.count(bare[:RECURS]) > 1:
        yield bare
