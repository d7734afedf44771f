"""What a task asks for that can be seen in the answer: marks, words, numbers, sentences, an order.

`is_done` compares the answer with the input. Where something was asked that the input has not and the answer has, the answer is no
echo, however near it is. Where the answer has it not either, one word changed is not what was asked, and the input with one word
changed is an echo. Most tasks ask nothing of the kind; `features.echo_task` says what a right answer to those may keep.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache

from triptych.features.echo_things import BY, lacks_format, things_left

SENTENCES = 3  # or items, that may be out of order

_TERM = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_QUOTED = re.compile(r"(?<!\w)[\"“‘']([^\W_]+(?:['’ -][^\W_]+){0,2})[\"”’'](?!\w)")
_SENTENCE_ENDS = re.compile(r"(?<!\bmr)(?<!\bdr)(?<!\bst)(?<!\bms)(?<!\bmrs)(?<!\b\w)[.?!]+[\"”’')]*(?=\s|\Z)")
_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?!\w|\.\d)")
_YEAR = re.compile(r"(?<!\d)(?:1\d|20)\d\d(?!\d)")
_ITEM = re.compile(r"[,;\n]|\band\b")
_MARK = re.compile(r"^\W*\d+[.)](?=\s)", re.MULTILINE)
_BLANK = re.compile(r"_{2,}|(?<![^\W_])_(?![^\W_])|\.{4,}")
_LETTER_GONE = re.compile(r"[^\W_]_[^\W_]")
HOLE = re.compile(r"_{2,}|(?<![^\W_])_(?![^\W_])|\.{3,}|…|[^\W_]_|\[\W*\]|\(\W*\)|[<\[](?i:mask|blank|gap)[>\]]")
_CHOICE = re.compile(r"[(\[]\s*[\w' ]+(?:/[\w' ]+)+[)\]]")
_BRACKETS = re.compile(r"[(\[][\w' ]+[)\]]")
_EMOJI = re.compile(r"[\u2600-\u27bf\U0001f000-\U0001faff]")
_BE = re.compile(r"\b(?:am|is|are|was|were|be|been|being|gets?|got)\b|['’](?:s|re|m)\b")
_DIGIT = re.compile(r"\d")
_COUNTS = {name: n for n, name in enumerate("one two three four five six seven eight nine ten".split(), 1)} | {
    "single": 1, "twelve": 12, "fifteen": 15, "twenty": 20,
}  # fmt: skip
_CYCLES = (
    "monday tuesday wednesday thursday friday saturday sunday".split(),
    "january february march april may june july august september october november december".split(),
    "zero one two three four five six seven eight nine ten eleven twelve".split(),
    "first second third fourth fifth sixth seventh eighth ninth tenth".split(),
    "spring summer autumn winter".split(),
    "morning noon afternoon evening night".split(),
    "mercury venus earth mars jupiter saturn uranus neptune".split(),
    "second minute hour day week month year decade century".split(),
)

_TAKES_OUT = re.compile(
    r"\b(?:replac\w*|without|remov\w*|avoid\w*|delet\w*|omit\w*|swap\w*|substitut\w*|exchang\w*|chang\w*|rid of"
    r"|drop\w*|instead of|turn\w*"
    r"|(?:better|other|stronger|different) words? (?:for|than)|synonyms? (?:for|of)|strik\w*|strip\w*|leav\w* out"
    r"|eliminat\w*|(?:not|n['’]t) (?:us|contain|includ)\w*)(?: \w+){0,5} ?\Z"
)
_PUTS_IN = re.compile(
    r"\b(?:us(?:e|es|ing)|contain\w*|includ\w*|add\w*|insert\w*|with|by)(?: (?:the|a|an|words?|verb|adjective"
    r"|adverb|phrase|conjunction|pronoun))* ?\Z"
)
_SOME_WORDS = re.compile(r"\b(?:first|last|each|every|words?|names?)\b")
_ONE_OF_THEM = re.compile(r"\b(?:first|second|third|last|once|one of)\b")
_FILLS = re.compile(r"\b(?:fill|complet|missing|blanks?\b|gaps?\b|insert|supply|restor|finish|put in)")


def is_done(task: str, given: str, answer: str) -> bool | None:
    """Whether the answer has what the task, in lower case, asks for and the input lacks; None where that cannot be seen."""
    found = None
    for match, has in _asked_by(task):
        if has(match, given, given):
            continue
        if has(match, answer, given):
            return True
        found = False
    if lacks_format(task, answer):
        found = False
    for left in things_left(task, given, answer):
        if not left:
            return True
        found = False
    for done in (_are_filled(task, given, answer), _are_replaced(task, given, answer)):
        if done is not None:
            return done
    return found


@lru_cache(maxsize=8)
def _asked_by(task: str) -> list[tuple[re.Match[str], Callable[[re.Match[str], str, str], bool]]]:
    """The demands of a task, with what in it tells of them."""
    return [(match, has) for asked, has in _DEMANDS if (match := asked.search(task))]


def _are_filled(task: str, given: str, answer: str) -> bool | None:
    """Whether blanks were filled in, a choice was made."""
    for holes in (_BLANK, _CHOICE, *([_LETTER_GONE] if "letter" in task else [])):
        if holes.search(given):
            if not holes.search(answer):
                return True
            return False if holes is _CHOICE or _FILLS.search(task) else None
    return None


def _are_replaced(task: str, given: str, answer: str) -> bool | None:
    """Whether the words that the task names in quotes are gone, where they are to go, and there, where they are to come."""
    here, there = f" {' '.join(terms(given))} ", f" {' '.join(terms(answer))} "
    for quoted in _QUOTED.finditer(task):
        name, before = f" {' '.join(terms(quoted[1]))} ", task[: quoted.start()]
        if name in here:
            if _TAKES_OUT.search(before):
                left = there.count(name)
                return left < here.count(name) if _ONE_OF_THEM.search(task) else not left
        elif _PUTS_IN.search(before) and not _TAKES_OUT.search(before):
            return name[: max(5, len(name) - 2)] in there
    return None


def lacks_what_is_named(task: str, given: str) -> bool:
    """Whether the words that the task names in quotes, to be taken out of the input, are not in it, not even within a word."""
    low = given.lower()
    names = [quoted[1] for quoted in _QUOTED.finditer(task) if _TAKES_OUT.search(task[: quoted.start()])]
    return bool(names) and not any(name.lower() in low for name in names)


def terms(text: str) -> list[str]:
    """The words in lower case, the apostrophe within them kept."""
    return _TERM.findall(text.lower().replace("’", "'"))


# what it is, and whether a text has it


def _matches(pattern: str) -> Callable[[re.Match[str], str, str], bool]:
    found = re.compile(pattern, re.IGNORECASE | re.MULTILINE)
    return lambda _, text, _given: bool(found.search(text))


def _lacks(pattern: str) -> Callable[[re.Match[str], str, str], bool]:
    found = re.compile(pattern, re.IGNORECASE)
    return lambda _, text, _given: not found.search(text)


def _is_passive(_: re.Match[str], text: str, given: str) -> bool:
    """Whether it has a form of "be" more than the input. The input itself has not."""
    return len(_BE.findall(text.lower())) > len(_BE.findall(given.lower()))


def _is_active(_: re.Match[str], text: str, given: str) -> bool:
    """Whether it has a form of "be" or a "by" less than the input, and nothing left that is done "by" one."""
    if BY.search(text.lower()):
        return False
    low, before = terms(text), terms(given)
    return len(_BE.findall(text.lower())) < len(_BE.findall(given.lower())) or low.count("by") < before.count("by")


def _has_more_sentences(_: re.Match[str], text: str, given: str) -> bool:
    return _sentences(text) > _sentences(given)


def _has_fewer_sentences(_: re.Match[str], text: str, given: str) -> bool:
    return _sentences(text) < _sentences(given) or _sentences(given) < 2


def _sentences(text: str) -> int:
    """Sentences, or lines where these are more."""
    lines = sum(bool(_TERM.search(line)) for line in text.splitlines())
    return max(len(_SENTENCE_ENDS.findall(text.lower().strip())), lines)


def _is_so_short(match: re.Match[str], text: str, _given: str) -> bool:
    """Whether it has no more than the words that were asked, or half as many again."""
    most = int(match[1]) if match[1].isdigit() else _COUNTS[match[1]]
    return len(terms(text)) <= 1.5 * most


def _is_half(_: re.Match[str], text: str, given: str) -> bool:
    return len(terms(text)) <= 0.75 * len(terms(given))


def _has_other_numbers(_: re.Match[str], text: str, given: str) -> bool:
    """Whether its numbers are not those of the input; true where that has none, since nothing can be seen."""
    before = set(_NUMBER.findall(given))
    return not before or set(_NUMBER.findall(text)) != before


def _starts_elsewhere(_: re.Match[str], text: str, given: str) -> bool:
    """Whether it starts with other words than the input: those after the first are compared, too."""
    return bool(text is not given and terms(text)[1:3] != terms(given)[1:3])


def _ends_elsewhere(_: re.Match[str], text: str, given: str) -> bool:
    return bool(text is not given and terms(text)[-2:] != terms(given)[-2:])


def _is_in_case(match: re.Match[str], text: str, _given: str) -> bool:
    """Whether it is in the case that was asked; true where only some words were to be, since that is not looked at."""
    return bool(_SOME_WORDS.search(match.string)) or is_in_case(match[1], text)


_DEMANDS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], str, str], bool]], ...] = tuple(
    (re.compile(asked), has)
    for asked, has in (
        (
            (
                r"\b(?:into|to|as|make|form|formulate|write|ask|turn|create"
                r"|pose)\b[^.?!]{0,30}(?<!indirect )(?<!answer )(?<!answering )(?<!the )(?<!this )(?<!following )questions?\b(?! marks?)"
                r"|\bquestion tags?\b|\btag questions?\b|\b(?:an? |\A)interrogative\b"
            ),
            _matches(r"\?"),
        ),
        (r"\bexclamation(?! marks? (?:from|in))|\bexclamatory\b", _matches("!")),
        (r"\bemojis?\b(?! from)", lambda _, text, _given: bool(_EMOJI.search(text))),
        (r"\bhashtags?\b", _matches(r"#\w")),
        (
            r"\b(?:to|into|in|as|all|only)\b (?:all )?(upper|lower|capital|caps|title)(?:[ -]?case| letters| only)?\b",
            _is_in_case,
        ),
        (
            (
                r"\b(?:in|into|as|with|to) words\b|\b(?:spell|write)\w*(?: \w+){0,2} out\b[^.]*\b(?:numbers?|digits|numerals"
                r"|figures)|\bspell out\b[^.]*\b(?:numbers?|digits|numerals|figures)|\bwords? (?:for"
                r"|instead of) (?:the )?(?:numbers?|digits|numerals)"
            ),
            _lacks(r"\d"),
        ),
        (r"\b(?:as|in|into|to|with|using) (?:digits|figures|numerals|arabic)\b", _matches(r"\d")),
        (
            (
                r"\b(?:convert\b[^.]*\b(?:units?|miles|feet|inch\w*|pounds|hours?|minutes|time|currenc\w+|euros|dollars"
                r"|measure\w*)\b|doubl|halv|tripl|scale\b|multipl|(?:to|in|into) (?:the )?(?:metric|imperial)|24[- ]hour"
                r"|12[- ]hour|(?:to|in|into) (?:degrees )?(?:fahrenheit|celsius|kilomet))"
            ),
            _has_other_numbers,
        ),
        (r"\b(?:to|into|in|as|an?|the)\b (?:the |an? )?(?:\w+ )?passive|\Apassivi|\Apassive\b", _is_passive),
        (r"\b(?:to|into|in|as|an?|the)\b (?:the |an? )?active (?:voice|form|sentence)", _is_active),
        (r"\b(?:to|into|in) (?:the )?(?:simple )?future\b", _matches(r"\b(?:will|shall|won['’]t|going to)\b|['’]ll\b")),
        (
            r"\b(?:continuous|progressive)\b",
            _matches(r"(?:\b(?:am|is|are|was|were|be|been)|['’](?:m|s|re))(?: \w+)? \w+ing\b"),
        ),
        (r"\bconditional\b", _matches(r"\b(?:would|could|might|should|if)\b|['’]d\b")),
        (
            r"\b(?:without|avoid\w*|no)\b[^.]{0,25}\bnegati(?:on|ve)s?\b",
            _lacks(r"\b(?:not|no|never|nobody|nothing|none|nor|neither|cannot)\b|n['’]t\b"),
        ),
        (
            (
                r"\bnegate\b|\b(?:make|turn|put|into|to|in|as)\b[^.?!]{0,30}\bnegative(?: (?:sentence|form|statement"
                r"|one))?\W*\Z"
            ),
            _matches(
                r"\b(?:not|no|never|nobody|nothing|none|nor|neither|cannot|without)\b|n['’]t\b|\b(?:un|in|im|dis)\w{4}"
            ),
        ),
        (
            r"(?<!im)(?<!less )\bpolite|\bcourteous",
            _matches(
                r"\b(?:please|could|would|kindly|may|might|thanks?|sorry|grateful\w*|appreciate\w*|mind|afraid|sir|madam)\b"
            ),
        ),
        (
            r"\bless certain|\buncertain|\bhedg|\btentative",
            _matches(
                r"\b(?:may|might|perhaps|probably|possibl[ey]|could|maybe|seems?|likely|appears?|should|supposed|expected"
                r"|hopefully|would|not sure|not certain|unsure|doubt\w*|think|believe|guess|hope)\b"
            ),
        ),
        (r"\b(?:to|into|in) (?:the )?(?:third|3rd)[ -]person\b", _lacks(r"\b(?:i|me|my|mine|we|us|our|ours)\b")),
        (r"\b(?:to|into|in) (?:the )?(?:second|2nd)[ -]person\b", _matches(r"\byou(?:r|rs|rself)?\b")),
        (r"\b(?:to|into|in) (?:the )?(?:first|1st)[ -]person\b", _matches(r"\b(?:i|me|my|mine|we|us|our|ours)\b")),
        (
            (
                r"\b(?:split|break|divid|chop|separat|cut)\w*\b[^.]*\binto\b[^.]*\b(?:sentences|ones)\b|\binto (?:two|three"
                r"|four|several|short\w*|many)\b[^.]*\bsentences\b|\b(?:two|three|four) sentences (?:instead|out of|from)"
            ),
            _has_more_sentences,
        ),
        (
            (
                r"\b(?:combin|join|merg|fus|link|connect|unit)\w*\b[^.]*\b(?:sentences?|these|them|two)\b|\b(?:one"
                r"|a single) sentence\b|\A(?:combine|join|merge|fuse|link|connect)\b"
            ),
            _has_fewer_sentences,
        ),
        (
            (
                r"\b(?:in|to|into|than|most|exactly|using) (?:a )?(single|\d+|one|two|three|four|five|six|seven|eight|nine|ten"
                r"|twelve|fifteen|twenty)(?: \w+)? words?\b"
            ),
            _is_so_short,
        ),
        (r"\bby half\b|\bhalf (?:as|its|the) (?:long|length)", _is_half),
        (
            r"(?<!that )\b(?:start|begin|open)(?:s|ing)?\b[^.]{0,25}\bwith\b (?!the same\b|a (?:capital|greeting|title))",
            _starts_elsewhere,
        ),
        (r"(?<!that )\b(?:end|finish|clos)(?:s|es|e|ing)?\b[^.]{0,25}\bwith\b", _ends_elsewhere),
        (r"\bverbs?\b[^.]*\b(?:brackets|parenthes[ei]s)\b", lambda _, text, _given: not _BRACKETS.search(text)),
    )
)


# letter case and order


def is_in_case(case: str, text: str) -> bool:
    """Whether most letters (or in titles, most words) are in this case."""
    signs = [word[0] for word in _TERM.findall(text)] if case == "title" else [*filter(str.isalpha, text)]
    return sum(map(str.islower if case == "lower" else str.isupper, signs)) > len(signs) / 2


def is_in_order(given: str, key: Callable[[str], int] | None = None, *, least: int = 0) -> bool:
    """Whether three items or more stand in an order, forwards or backwards: of the alphabet, of numbers, of the days, or by a key.

    Where they are fewer than `least` one cannot tell, and takes them to be. Three sentences tell, but are in no order of these.
    """
    parts = [part for part in _ITEM.split(_MARK.sub("", given)) if terms(part)]
    if len(parts) == 1 and (least or key):
        parts = terms(given)
    items = [" ".join(terms(part)) for part in parts]
    if key is not None:  # of sentences, that commas do not part, one cannot tell
        return any(item.count(" ") > 2 for item in items) or _is_sorted([key(item) for item in items])
    if len(_SENTENCE_ENDS.findall(given.lower())) >= SENTENCES:
        return False
    if len(items) < SENTENCES:
        return len(items) < least
    years = [_YEAR.findall(part) for part in parts]
    if all(len(found) == 1 for found in years) and _is_sorted([int(found[0]) for found in years]):
        return True
    numbers = [_NUMBER.findall(part) for part in parts]
    if all(len(found) == 1 for found in numbers) and _is_sorted([float(found[0]) for found in numbers]):
        return True
    return len(items) < least or _is_sorted(items) or any(_is_of_cycle(items, cycle) for cycle in _CYCLES)


def _is_of_cycle(items: Sequence[str], cycle: Sequence[str]) -> bool:
    """Whether each item has one word of a cycle and these stand in its order."""
    places = [[cycle.index(word) for word in item.split() if word in cycle] for item in items]
    return all(len(place) == 1 for place in places) and _is_sorted([place[0] for place in places])


def _is_sorted(row: Sequence[str] | Sequence[int] | Sequence[float]) -> bool:
    return list(row) in (sorted(row), sorted(row, reverse=True))
