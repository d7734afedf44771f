"""Constraints that a program can check, by their IFEval names.

The names and arguments are those of IFEval (Zhou et al. 2023, arXiv 2311.07911), so that its prompts and the sets made
after it can be used; the words and rules are our own. What differs: sentences are told apart by punctuation and
abbreviations and not by a fitted splitter; keywords are text and not patterns; letter case is checked whatever the
language. `language:response_language` is not here: no language is detected.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from triptych.verifiers.jsontext import read_json

Rule: TypeAlias = Callable[[str, Mapping[str, Any]], bool]

_ABBREVIATION = re.compile(
    r"(?:\b(?:mr|mrs|ms|dr|prof|sr|jr|st|vs|etc|e\.g|i\.e|cf|al|fig|no|vol|dept|inc|ltd|co|approx|a\.m|p\.m|u\.s)|\b[A-Z])\.$",
    re.IGNORECASE,
)
_STOP = re.compile(r"[.!?…。!?]+[\"'”’)\]*_]*(?=\s|$)")
_YES_NO = ("My answer is yes.", "My answer is no.", "My answer is maybe.")


def words(text: str) -> int:
    """Words of a text: runs of letters, digits and underscores."""
    return len(re.findall(r"\w+", text))


def sentences(text: str) -> int:
    """Sentences of a text. Worked example: "Dr. Li came. She sat (at 3.5 m)! Why" has three."""
    count, start = 0, 0
    for stop in _STOP.finditer(text):
        before = text[start : stop.end()]
        after = text[stop.end() :].lstrip()
        if not stop.group().strip(".…") and after and (_ABBREVIATION.search(before) or after[0].islower()):
            continue
        count += bool(re.search(r"\w", before))
        start = stop.end()
    return count + bool(re.search(r"\w", text[start:]))


def holds(count: int, relation: Any, wanted: Any) -> bool:
    """Whether a count is in this relation to a number.

    Raises:
        ValueError: no such relation.
    """
    number = int(wanted)
    known = {
        "at least": count >= number,
        "less than": count < number,
        "at most": count <= number,
        "more than": count > number,
        "exactly": count == number,
    }
    if relation not in known:
        raise ValueError(f'"{relation}" is none of {", ".join(known)}')
    return known[relation]


def _texts(value: Any) -> list[str]:
    """A list of texts.

    Raises:
        ValueError: it is none.
    """
    if not isinstance(value, list) or not value:
        raise ValueError(f"want a list of texts, got {value!r}")
    return [str(item) for item in value]


def _has(text: str, part: str) -> bool:
    return part.casefold() in text.casefold()


def _letter(text: str, given: Mapping[str, Any]) -> bool:
    count = text.casefold().count(str(given["letter"]).casefold())
    return holds(count, given["let_relation"], given["let_frequency"])


def _paragraphs(text: str, given: Mapping[str, Any]) -> bool:
    """Paragraphs parted by `***`; one with nothing in it is allowed at either end only."""
    parts = [part.strip() for part in text.split("***")]
    inner = parts[1:-1]
    return all(inner) and sum(map(bool, parts)) == int(given["num_paragraphs"])


def _first_word(text: str, given: Mapping[str, Any]) -> bool:
    """The n-th of so many paragraphs, parted by an empty line, begins with this word."""
    paragraphs = [part.strip() for part in re.split(r"\n\s*\n", text) if part.strip()]
    place = int(given["nth_paragraph"])
    if len(paragraphs) != int(given["num_paragraphs"]) or not 1 <= place <= len(paragraphs):
        return False
    first = re.match(r"[\"'“‘*_#\s]*([^\s.,?!'\"”’;:*_]*)", paragraphs[place - 1])
    return first is not None and first[1].casefold() == str(given["first_word"]).casefold()


def _postscript(text: str, given: Mapping[str, Any]) -> bool:
    """A line, or the rest of one, begins with the mark; white space in `P. S.` does not matter."""
    letters = [re.escape(sign) for sign in str(given["postscript_marker"]) if not sign.isspace()]
    mark = r"\s?".join(letters)
    return re.search(rf"(?<!\w){mark}", text, re.IGNORECASE) is not None


def _bullets(text: str, given: Mapping[str, Any]) -> bool:
    """Lines that begin with `*` (not bold) or `-`, exactly so many."""
    return len(re.findall(r"^\s*(?:\*(?!\*)|-).*$", text, re.MULTILINE)) == int(given["num_bullets"])


def _highlights(text: str, given: Mapping[str, Any]) -> bool:
    """Parts in `*..*` or `**..**` with something in them, at least so many."""
    bold = re.findall(r"\*\*([^\n*]+)\*\*", text)
    rest = re.sub(r"\*\*[^\n*]+\*\*", " ", text)
    found = [part for part in [*bold, *re.findall(r"\*([^\n*]+)\*", rest)] if part.strip()]
    return len(found) >= int(given["num_highlights"])


def _sections(text: str, given: Mapping[str, Any]) -> bool:
    """The word for a section with a number behind it, at least so many times."""
    return len(re.findall(rf"{re.escape(str(given['section_spliter']))}\s?\d+", text)) >= int(given["num_sections"])


def _title(text: str, given: Mapping[str, Any]) -> bool:
    del given
    return any(found.strip("<> ") for found in re.findall(r"<<([^\n]+)>>", text))


def _json(text: str, given: Mapping[str, Any]) -> bool:
    """The whole response is JSON, alone or in one code fence, of which either end may be missing."""
    del given
    bare = re.sub(r"^```\w*\s*|\s*```$", "", text.strip())
    try:
        read_json(bare, fences=False)
    except ValueError:
        return False
    return True


def _two(text: str, given: Mapping[str, Any]) -> bool:
    """Two different answers parted by six stars."""
    del given
    parts = [part.strip() for part in text.split("******")]
    kept = [part for part in parts if part]
    return all(parts[1:-1]) and len(kept) == 2 and kept[0] != kept[1]


def _capitals(text: str, given: Mapping[str, Any]) -> bool:
    """Words in capitals only: A, NASA, T-SHIRT, B2B."""
    found = [word for word in re.findall(r"\w+(?:['’-]\w+)*", text) if word.isupper()]
    return holds(len(found), given["capital_relation"], given["capital_frequency"])


def _starts(text: str, part: Any) -> bool:
    return text.strip().casefold().startswith(str(part).strip().casefold())


def _ends(text: str, given: Mapping[str, Any]) -> bool:
    return text.strip().strip('"').strip().casefold().endswith(str(given["end_phrase"]).strip().casefold())


def _quoted(text: str, given: Mapping[str, Any]) -> bool:
    del given
    bare = text.strip()
    return len(bare) > 1 and bare[0] == bare[-1] == '"'


RULES: Mapping[str, Rule] = {
    "change_case:capital_word_frequency": _capitals,
    "change_case:english_capital": lambda text, _: text.isupper(),
    "change_case:english_lowercase": lambda text, _: text.islower(),
    "combination:repeat_prompt": lambda text, given: _starts(text, given["prompt_to_repeat"]),
    "combination:two_responses": _two,
    "detectable_content:number_placeholders": lambda text, given: (
        len(re.findall(r"\[[^\[\]\n]*\]", text)) >= int(given["num_placeholders"])
    ),
    "detectable_content:postscript": _postscript,
    "detectable_format:constrained_response": lambda text, _: any(answer in text for answer in _YES_NO),
    "detectable_format:json_format": _json,
    "detectable_format:multiple_sections": _sections,
    "detectable_format:number_bullet_lists": _bullets,
    "detectable_format:number_highlighted_sections": _highlights,
    "detectable_format:title": _title,
    "keywords:existence": lambda text, given: all(_has(text, word) for word in _texts(given["keywords"])),
    "keywords:forbidden_words": lambda text, given: (
        not any(
            re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE)
            for word in _texts(given["forbidden_words"])
        )
    ),
    "keywords:frequency": lambda text, given: holds(
        text.casefold().count(str(given["keyword"]).casefold()), given["relation"], given["frequency"]
    ),
    "keywords:letter_frequency": _letter,
    "length_constraints:nth_paragraph_first_word": _first_word,
    "length_constraints:number_paragraphs": _paragraphs,
    "length_constraints:number_sentences": lambda text, given: holds(
        sentences(text), given["relation"], given["num_sentences"]
    ),
    "length_constraints:number_words": lambda text, given: holds(words(text), given["relation"], given["num_words"]),
    "punctuation:no_comma": lambda text, _: "," not in text,
    "startend:end_checker": _ends,
    "startend:quotation": _quoted,
    "startend:start_checker": lambda text, given: _starts(text, given["start_phrase"]),
}
"""Name to rule; `startend:start_checker` is ours."""
