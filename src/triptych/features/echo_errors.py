"""Errors that are still to be seen in a text that was to be corrected.

Few kinds of error can be seen without a parser: a word twice in a row, "I is", "a apple", a plural or past that is none, a day in
small letters, and a word that the vocabulary of the default tokenizer lacks and that is one letter off a common one of it. An
answer that has kept one of them has not done what was asked, so that with a word changed it is still the input.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from triptych.features.tokens import DEFAULT, load_tokenizer

COMMON = 12_000  # rank in the vocabulary, which has common words first; of rarer words none is taken to be meant
SPELLED = 5  # letters of a word that is looked up, at least

CORRECTS = re.compile(
    r"\b(?:correct|fix|gramma|spell|mistake|errors?\b|proof|mend\b|amend|repair|typos?\b|wrong|edit|better english"
    r"|my english|repeated words?|doubled? words?)"
)
AS_IT_IS = re.compile(
    r"\b(?:copy(?! ?edit)|repeat(?!ed)|exactly|unchanged|word for word|without (?:any )?chang|verbatim)"
)

DOUBLED = re.compile(
    r"\b(?!(?:had|that|very|bye|so|far|no|ha|knock|blah|many|long|la|is|really|do|you|her|more)\b)([a-z]+) \1\b"
)
_SEEN = (
    DOUBLED,
    re.compile(
        r"(?<!and )(?<!or )\bi (?:is|are|has|does|am (?:go|come|want|like|have|agree))\b|(?<!to )(?<!of )(?<!for )(?<!with )\b(?:they|we|you) (?:is|was|has|does"
        r"|doesn['’]t|wasn['’]t|isn['’]t|hasn['’]t)\b|\b(?:he|she|it) are\b|\bpeople (?:is|was|has)\b"
        r"|\bless (?:people|children|men|women|\w+(?<!les)(?<!us)(?<!s)s (?:is|are|were))\b|(?:\A|[.!?:] )(?:where|what|why|when|how) "
        r"(?:you|he|she|they|we) (?:are|is|was|were|do|does|did|can|will)\b[^.!?]*\?"
        r"|(?:\A|[.!?,;] |\b(?:and|but|because|since|when|that|so) )(?:he|she|it) (?:have|do|don['’]t|go|want|like|need|say"
        r"|make|take|come|get|know|live|work)\b"
        r"|\b(?:these|those|many|few|several) (?:is|was|has)\b|\bthere(?:['’]s| is| was) (?:many|two|three|several)\b"
        r"|\bme and (?:him|her|my \w+) (?!to\b)|\b(?:him|her|me|them) and (?:his|her|my|their) \w+ (?:was|were|is|are|has|have|went)\b"
        r"|\b(?:did|does|do|didn['’]t|doesn['’]t|don['’]t|will|would|can|could|should|must) (?:(?:i|you|he|she|it|we|they) )?"
        r"(?:went|saw|came|goes|took|made|gave|got|knew|ate|bought)\b"
        r"|\b(?:has|have|had) (?:went|saw|came|took|gave|ate|wrote|broke|fell|drank|sang|began|forgot|chose|drove|did|knew)\b"
        r"|\bmore (?:bigg|small|tall|fast|strong|old|young|cheap|happi|easi|bett|long|short|high|warm|cold|hott|slow|quick)er\b"
        r"|\bmost \w{3,}[^er\W]est\b(?<!forest)(?<!interest)|\b(?:could|should|would|must) of\b"
    ),
    re.compile(r"\ba (?!eu|ewe)[aei][a-z]{3,}\b|\ban (?!h)[bcdfgjklmnpqrstvwyz][aeiou][a-z]{2,}\b"),
    re.compile(
        r"\b(?:buyed|bringed|goed|standed|eated|runned|catched|teached|thinked|writed|speaked|breaked|builded|falled|maked"
        r"|taked|comed|sleeped|swimmed|drinked|leaved|losed|payed|selled|telled|throwed|flyed|drived|gived"
        r"|keeped|feeled|meeted|rided|stealed|waked|weared|winned|childs|childrens|mans|womans|foots|tooths|mouses|mices"
        r"|sheeps|deers|gooses|informations|furnitures|advices|homeworks|luggages|equipments|datas|lifes|wifes"
        r"|knifes|leafs|mens|womens)\b"
    ),
)
_SMALL = re.compile(r"(?<![\w.])(?:i(?=['’]|\s(?!in\b|[^\w\s]))|(?:mon|tues|wednes|thurs|fri|satur|sun)days?\b)")
_WORD = re.compile(r"(?<![\w'’-])[a-z]+(?![\w'’-])")
_ENDINGS = "s es ed d ing ly er r ers est y ness less ful ish able ment".split()
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def are_left(given: str, answer: str, least: int = 1) -> bool:
    """Whether so many errors that can be seen in the input can still be seen in the answer."""
    before = set(_errors_of(given))
    return len(before) >= least and len(before.intersection(_errors_of(answer))) >= least


def has_unknown(text: str) -> bool:
    """Whether a word in small letters is unknown, be it a misspelling or rare, or stands there twice in a row."""
    return bool(DOUBLED.search(text.lower())) or any(
        len(word) > 2 and not _is_known(word) for word in _WORD.findall(text)
    )


def _errors_of(text: str) -> Iterator[str]:
    """What is wrong, as it stands there; a day or an "I" in small letters, a word that is none."""
    low = text.lower()
    for seen in _SEEN:
        yield from (found[0] for found in seen.finditer(low))
    yield from (found[0] for found in _SMALL.finditer(text))
    yield from (word for word in _WORD.findall(text) if len(word) >= SPELLED and _is_misspelled(word))


def _is_misspelled(word: str) -> bool:
    """Whether a word is unknown and one letter off a common one."""
    rank = load_tokenizer(DEFAULT).token_to_id
    return not _is_known(word) and any(
        (place := rank(other)) is not None and place < COMMON for other in _one_off(word)
    )


@lru_cache(maxsize=4096)
def _is_known(word: str) -> bool:
    """Whether the vocabulary has a word, be it without its ending."""
    rank = load_tokenizer(DEFAULT).token_to_id
    if rank(word) is not None:
        return True
    for ending in _ENDINGS:
        stem = word.removesuffix(ending)
        if stem == word or len(stem) < 3:
            continue
        single = stem[:-1] if stem[-1] == stem[-2] else stem
        stems = (stem, stem + "e", stem + "y", single, stem[:-1] + "y" if stem[-1] == "i" else stem)
        if any(rank(one) is not None for one in stems):
            return True
    return False


def _one_off(word: str) -> Iterator[str]:
    """The words that a letter less, more, changed or swapped with the next one makes of it."""
    for at in range(len(word) + 1):
        head, tail = word[:at], word[at:]
        if tail:
            yield head + tail[1:]
            yield from (head + letter + tail[1:] for letter in _LETTERS)
        if len(tail) > 1:
            yield head + tail[1] + tail[0] + tail[2:]
        yield from (head + letter + tail for letter in _LETTERS)
