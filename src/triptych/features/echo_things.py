"""What a task is to act on, as far as it can be seen: digits to be removed, contractions to be expanded, a passive to be undone.

Where the input has none of it, giving it back is right. Where it has some, the task is done when none is left; with some left it
was done in a part. A format that is asked for must be there, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from triptych.features.echo_errors import DOUBLED, has_unknown

_REMOVES = (
    r"remov|delet|eliminat|omit|strip|drop|discard|eras|take out|rid of|without|replac|cut(?:ting)? out|leav\w* out|filter out"
    r"|avoid|resolv|(?:not|n['’]t) us"
)
_WRITES = r"convert|chang|turn|expand|spell|writ"
_UP_TO = r"\w*\b(?![^.:]*\b(?:unnecessary|extra|redundant|needless|superfluous)\b)[^.:]{0,40}\b"
_OUT, _INTO = f"(?:{_REMOVES}){_UP_TO}", f"(?:{_REMOVES}|{_WRITES}){_UP_TO}"
_MAY_BE_OUT = re.compile(rf"\b(?:{_REMOVES}|{_WRITES})")
_NUMBERED = (
    r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|twenty|thirty|\w+ty[- ]\w+|hundred"
    r"|thousand|million)\b"
)
_SHORTENED = r"n['’]t\b|['’](?:re|ll|ve|d|m)\b|\b(?:it|that|he|she|what|there|who|let|where|here|how)['’]s\b"
_GENDERED = re.compile(
    r"\b(?:he|she|his|her|him|hers|himself|herself|(?!hu|wo|ger)\w+m[ae]n|\w+wom[ae]n|(?:steward|wait|act|host)r?ess(?:es)?)\b",
    re.IGNORECASE,
)
_NEUTRAL = re.compile(r"\b(?:gender[- ](?:neutral|inclusive)|inclusive language)")
_THINGS = tuple(
    (re.compile(rf"\b{verbs}(?<!to )(?<!into )(?<!in )(?<!with )(?:{names})\b"), re.compile(thing))
    for verbs, names, thing in (
        (_INTO, r"(?:numbers|digits|numerals|figures)(?! of\b)", _NUMBERED),
        (_OUT, r"exclamation (?:marks?|points?)", "!"),
        (_OUT, r"question marks?", r"\?"),
        (_OUT, r"ampersands?", "&"),
        (_OUT, r"semicolons?", ";"),
        (_OUT, r"apostrophes?", "['’]"),
        (_OUT, r"per ?cent signs?", "%"),
        (_OUT, r"currency (?:signs?|symbols?)|(?:dollar|euro|pound) signs?", "[$€£]"),
        (_OUT, r"(?:special|strange) characters|symbols", r"[^\w\s.,;:!?'\"’“”-]"),
        (_OUT, r"(?:line|paragraph) breaks?|newlines?|blank lines|(?:double|extra) spaces", r"\S\n+\S|\S  +\S"),
        (_OUT, r"underscores?", "_"),
        (_OUT, r"e-?mail addresses", "@"),
        (_OUT, r"phone numbers?", r"\d{3}"),
        (_OUT, r"colou?rs|colou?r words", r"(?i:\b(?:red|blue|green|yellow|black|white|brown|gr[ae]y|orange|pink|purple|silver|golden)\b)"),
        (_OUT, r"(?:names of )?(?:the )?(?:days of the week|weekdays)", r"(?i:\b(?:mon|tues|wednes|thurs|fri|satur|sun)day)"),
        (_OUT, r"articles", r"(?i:\b(?:a|an|the)\b)"),
        (_OUT, r"superlatives?", r"(?i:\bmost\b|\w{2}est\b)"),
        (_OUT, r"intensifiers?", r"(?i:\b(?:very|really|so|extremely|totally|absolutely|quite)\b)"),
        (_OUT, r"emojis?|emoticons?|smileys?", r"[\u2600-\u27bf\U0001f000-\U0001faff]|[:;]-?[()DP]"),
        (_OUT, r"hashtags?", r"#\w"),
        (_OUT, r"links?|urls?|web addresses", r"https?:|www\.|\w\.(?:com|org|net)\b"),
        (_OUT, r"brackets|parenthes[ei]s", r"[()\[\]]"),
        (_OUT, r"commas", ","),
        (_OUT, r"(?:quotation|speech) marks?|quotes", r"[\"“”]"),
        (_OUT, r"hyphens?|dash(?:es)?", "[-–—]"),
        (_OUT, r"asterisks?", r"\*"),
        (_OUT, r"(?:html )?tags", r"</?\w"),
        (_OUT, r"punctuation(?: marks?)?(?! (?:errors?|mistakes?))", r"[.,;:!?]"),
        (_OUT, r"(?:capital|upper ?case) letters|capitals", r"[A-Z]"),
        (_OUT, r"(?:repeat|doubl|duplicat)\w* words?|words? (?:that (?:are|is) )?(?:repeated|doubled)", f"(?i:{DOUBLED.pattern})"),
        (_OUT, r"adverbs", r"\b(?!(?:famil|onl|repl|ital|appl|suppl|jul|ear)y?ly?\b)\w{3,}ly\b"),
        (_INTO, r"contractions|contracted|short forms", f"(?i:{_SHORTENED})"),
        (_INTO, r"abbreviations?|abbreviated|acronyms?", r"\b[A-Z]{2,}\b|\b[A-Za-z]{1,5}\.(?=,? [a-z\d]|,)|\b(?:Dr|Mr|Mrs|Ms|St|Rd|Ave|Prof)\.|\b[a-z]\.[a-z]\."),
    )
)  # fmt: skip
_AS = r"\b(?:to|into|in|as)\b(?! the)[^.]"
_FORMATS = tuple(
    (re.compile(asked), re.compile(form, re.MULTILINE))
    for asked, form in (
        (rf"{_AS}{{0,25}}\byaml\b", r"\A[^{}]*\Z"),
        (rf"{_AS}{{0,25}}\bjson\b", r"[{\[]"),
        (rf"{_AS}{{0,25}}\b(?:x|ht)ml\b", r"<\w"),
        (rf"{_AS}{{0,25}}\bcsv\b|\bcomma[- ]separated\b", r"\w ?,"),
        (
            r"\b(?:to|into|in|as|using|with)\b(?! the)[^.]{0,25}\b(?:bullet|bulleted|numbered)\b",
            r"^\s*(?:[-*•+]|\d+[.)])\s",
        ),
        (r"\b(?:camel|pascal)[ -]?case", "[a-z][A-Z]"),
        (r"\bsnake[ -]?case", r"\w_\w"),
        (r"\bkebab[ -]?case", r"\w-\w"),
        (rf"{_AS}{{0,15}}\btables?\b", r"[|\t]|<t[rdh]|\S {2,}\S"),
        (r"\b(?:as|into|comment out|add)\b[^.]{0,25}\bcomments?\b", r"#|//|/\*|--|\"\"\"|<!"),
    )
)
_FORMATTED = re.compile(r"yaml|json|ml\b|csv|comma|bullet|number|table|case\b")
_LETTER = re.compile(
    r"\b(?:without|avoid\w*|(?:not|n['’]t) us\w*|remov\w*|delet\w*)\b[^.:]{0,30}(?<!with the )(?<!by the )\bletter [\"“‘']?([a-z])\b"
)
_DUPLICATES = re.compile(
    r"\b(?:remov|delet|eliminat|drop|rid of|without)\w*\b[^.:]{0,25}\b(?:duplicates?|repeated (?:items|names|entries|lines)|repetitions)\b"
)
_ACTIVE = re.compile(r"\bactive\b")
_PASSIVE = re.compile(r"\bpassive\b")
_BE = re.compile(r"\b(?:am|is|are|was|were|be|been|being|gets?|got|by)\b|['’](?:s|re|m)\b")
BY = re.compile(r"\b(?:is|are|was|were|be|been|being)\b(?: \w+){1,4} by\b")
_CASED = re.compile(r"\b(?:to|into|in|as|all|only) (?:all )?(upper|lower|capital|caps)(?:[ -]?case| letters| only)?\b")
_SOME_WORDS = re.compile(r"\b(?:first|last|each|every|words?|names?)\b")
_IN_WORDS = re.compile(r"\b(?:number|digit|numeral|figure)s?\b[^.:]*\b(?:as|in|into|to|with|by) words\b")
_THIRD = re.compile(r"\b(?:third|3rd)[ -]person\b")
_SPEAKERS = re.compile(r"\b(?:i|me|my|mine|we|us|our|ours|you|your|yours)\b")
_MEASURES = re.compile(
    r"\bconvert\w*\b[^.:]*\b(?:units?|measurements?|quantities|miles|feet|inch\w*|pounds|fahrenheit|celsius|currenc\w+|dollars|euros"
    r"|amounts?|prices|temperatures?|distances?|metric|imperial)\b"
)
_TO_ENGLISH = re.compile(r"\btranslat\w*\b[^.:]*\b(?:to|into) english\b")
_ENGLISH = frozenset(
    "the a an and of to in is are was were it that with for on at by from i you he she we they this".split()
)
_TO_QUESTION = re.compile(r"\b(?:into|as|to) (?:an? )?(?:\w+ )?question\b(?! mark)")
_SPELLING = re.compile(
    r"\A(?:please )?(?:\w+ )?(?:correct|fix|check|mend|repair)\w*\b[^.:]*\b(?:typos?|spelling|misspell\w*|misspelt)\b(?![^.:]*\b(?:gramma|punctuat|and\b))"
)
_AT_MOST = re.compile(
    r"\b(?:at most|no more than|not more than|up to|maximum of|max|fewer than|less than|under|within) (\d+) words\b"
)
_ITEM = re.compile(r"[,;\n]|\band\b")


def things_left(task: str, given: str, answer: str) -> Iterator[bool]:
    """For each thing that the task, in lower case, wants gone, where the input has it: whether the answer still has it."""
    for thing in _things_of(task):
        if thing.search(given):
            yield bool(thing.search(answer))
    if _DUPLICATES.search(task) and _has_twice(given):
        yield _has_twice(answer)


def lacks_format(task: str, answer: str) -> bool:
    """Whether the signs of a format that the task, in lower case, asks for are not in the answer."""
    return bool(_FORMATTED.search(task)) and any(
        asked.search(task) and not form.search(answer) for asked, form in _FORMATS
    )


def has_nothing_to_act_on(task: str, given: str) -> bool:
    """Whether the input has nothing that the task, in lower case, could be done on."""
    things = _things_of(task)
    if things:
        return not any(thing.search(given) for thing in things)
    low = given.lower()
    if letter := _LETTER.search(task):
        return letter[1] not in low
    if _DUPLICATES.search(task):
        return not _has_twice(given)
    if _ACTIVE.search(task):
        return not _BE.search(low)
    if _MEASURES.search(task):
        return not re.search(_NUMBERED, low)
    if _TO_ENGLISH.search(task):
        words = low.split()
        return sum(word in _ENGLISH for word in words) > len(words) / 7
    if _TO_QUESTION.search(task):
        return given.rstrip("\"”' ").endswith("?") and low.count(".") + low.count("?") == 1
    if _SPELLING.search(task):
        return not has_unknown(given)
    if most := _AT_MOST.search(task):
        return len(low.split()) <= int(most[1])
    if _PASSIVE.search(task):
        return bool(BY.search(low)) and low.count(".") < 2
    if _IN_WORDS.search(task):
        return not re.search(r"\d", given)
    if _THIRD.search(task):
        return not _SPEAKERS.search(low)
    cased = None if _SOME_WORDS.search(task) else _CASED.search(task)
    return cased is not None and (given.islower() if cased[1] == "lower" else given.isupper())


@lru_cache(maxsize=8)
def _things_of(task: str) -> list[re.Pattern[str]]:
    things = [thing for asked, thing in _THINGS if asked.search(task)] if _MAY_BE_OUT.search(task) else []
    return [*things, _GENDERED] if _NEUTRAL.search(task) else things


def _has_twice(text: str) -> bool:
    """Whether an item of a list stands there twice."""
    items = [item.strip(" .-*\t").lower() for item in _ITEM.split(text)]
    items = [item for item in items if item]
    return len(set(items)) < len(items)
