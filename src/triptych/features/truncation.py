"""Truncated texts: those that stop before their end.

What shows it: an open code fence, bracket or quote; a last line that is only an enumerator or a bullet; a comma, colon,
hyphen or semicolon at the end; a last word that cannot end a sentence ("of", "and", "the graduate", "to provide"); a word or
a contraction cut in the middle; a last sentence of a few opening words, or an "if" without its main clause; a phrase or a
line of before that broke off. A whole sentence that merely lacks its full stop is not truncated.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_END = ".!?…\"'”’»)]}>*`_~|。！？।؟」』）;"
_DANGLING = frozenset(
    """a an the of and or but nor to with for from by at into onto between among is are was were be been am has
    have had which whose that than because although whereas if when while as can could would should will shall may might
    must my your our their its his i every such very more most not in on
    relies depends consists includes contains involves refers including""".split()
)
_LAST_IN_ITEM = frozenset(("with", "on", "for", "to", "at", "by", "not", "more", "from"))
_SOFT = frozenset(
    "to with for from by at is are was were am has have had can could would should will in on not more be".split()
)
_BARE_ITEM = re.compile(r"(?:\(?\d{1,3}[.):]|[-*•+]|#+|step \d{1,3}:?)\s*", re.IGNORECASE)
_LIST_LINE = re.compile(r"\s*(?:\(?[\dA-Za-z]{1,3}[.):]|[-*•+#|>])")
_CODE_LINE = re.compile(
    r"[{};]\s*$|^\s*(?:def |return\b|import |print\(|<[/a-z]|#include|for \(|if \()|\w\(.*\)$| = |==|\t"
)
_CODE = re.compile(
    r"[{};]\s*\n|</\w|\bdef \w+\(|\breturn\b.*\n|^\s*(?:import|#include|SELECT|function)\b", re.MULTILINE
)
_PROSE_SEMICOLON = re.compile(r"(?:[a-z][\w',-]* ){7,}[\w'-]+;$")
_END_MARK = re.compile(r"[a-z0-9)\"'”’ ][.!?][\"'”’)]?\s")
_LAST_WORD = re.compile(r"([^\W\d_]+)$")
_PENDING = re.compile(
    r"(?:\b(?:a|an|the|its|their|our|your|his|her|this|these|most|more|very|such|of|with|by)"
    r" (?:[a-z]+ly )?(?:[a-z]{3,}(?:ous|ful|ible|ical|iest|less)|various|different|several|many|important|significant|new|own|same"
    r"|overall|current|entire|specific|certain|large|small|great|wide|few|main|major|unique|potential|graduate|strong|captivating|amazing|stunning|breathtaking|fascinating|following|remaining|underlying|existing|resulting"
    r"|corresponding|surrounding|growing|ongoing|interesting|exciting|charming)"
    r"|(?<!\bit )(?<!\bthey )(?<!\byou )(?<!\bwe )\b(?:to|can|will|should|would|could|may|must|not|also|that|and|which) (?:provides?|ensures?|enables?|includes?|makes?|gives?|allows?"
    r"|offers?|requires?|involves?|contains?|becomes?|represents?|addresses|create|creates|maintain|maintains|have)"
    r"|[,a-z] (?:providing|including|ensuring|making|allowing|enabling|giving|containing|having|being|becoming|creating|using)"
    r"|\b(?:the|a|an|in) (?:use|number|variety|range|importance|majority|presence|lack|ability|existence|order|addition|terms|amount"
    r"|combination|kind|sort|series|set|fact)"
    r"|\b(?:due|according|based|rather|such|even though|as well as|both|each|per|in the|versus|via|upon|towards?|within|without|against"
    r"|during|since|until|unless|whether|whereby|where|who|they|we|he|he's|she|it's|there)"
    r"|\b(?:complexity|time|space|is|in) O|\b(?:No|Dr|Mr|Mrs|Ms|St|Prof)|\bin (?:[12]|1[5-9]|20)|\b(?:the|a|an|your|their|our|includes?) [B-HJ-Zb-hj-z]|(?:^|[\s(])(?:I|you|we|they|he|she|it|don|can|isn|doesn|didn|won|let|that)['’])$"
)
_STUB = re.compile(
    r"[a-z)\"][.!?]\s+(?:(?:The|A|An|This|These|Those|That|In|It|If|When|While|As|By|For|But|And|With|However|Additionally|Furthermore"
    r"|Moreover|They|We|He|She|There|Its|Their|His|Her|Our|Your|My|At|On|From|To|Also|So|One|Some|Another|Finally|Overall)\b,?"
    r"(?: [\w'’-]+){0,2})$"
)
_OPENING = re.compile(r"(?:The|This|These|In|It|If|When|By|For|But|And|With|However),?(?: [a-z'’-]+){0,3}")
_OPEN_BRACKET = re.compile(r"(?<![:;=8])[(\[{][^()\[\]{}]{1,80}$")
_CLAUSE = re.compile(
    r"[a-z)\"][.!?] +(?:If|When|While|Although|Since|By|Despite|Because|Whether|Once|Unless) [^.!?,;:\n]{0,160}$"
)
_NO_VERB = re.compile(
    r"[a-z)\"][.!?] +(?:The|These|Those|Its|Their|His|Her|Our|My|Another|Each) ((?:[A-Za-z'’-]+ ){0,6}[A-Za-z'’-]+)$"
)
_VERBAL = re.compile(
    r"\b(?:is|are|was|were|be|been|has|have|had|do|does|did|can|could|will|would|should|may|might|must|came|went|made|took|said|grew|became"
    r"|began|felt|stood|sat|gave|got|let|put|led|fell|saw|knew|ran|kept|left|held|won|lost|met|\w+ed|\w+s|\w+n't|\w+['’](?:s|re|ll|ve|d))\b"
)
MIN_OPEN = 30  # characters of a text that may not end with a colon
_KEYWORDS = frozenset("if for while def class else elif try with except".split())
_DIGITS = re.compile(r"\d+")
_STOPS = ".!?:\n\"')"
_ENDINGS = frozenset("s es d ed ing ly er ers r y al ion ions ment".split())
_BLANKS = " \t\r\n\x00\x03\xa0"


def is_truncated(text: str) -> bool:
    """Whether the text stops before its end. Looks at fences, then, with few exceptions, at the last 600 characters."""
    text = text.rstrip(_BLANKS)
    if not text:
        return False
    if "```" in text:
        return text.count("```") % 2 == 1 and not text.endswith("```")
    last = text[-1]
    tail = text[-600:]
    line = tail[tail.rfind("\n") + 1 :].strip()
    if len(text) >= 100 and last.isalnum() and (_OPEN_BRACKET.search(line) or _breaks_a_pattern(tail, line)):
        return True
    if last in _END and last not in "*-.);'’":
        return False
    if "\n" in tail and _BARE_ITEM.fullmatch(line):
        return True
    if last == ";":
        return bool(_PROSE_SEMICOLON.search(line)) and not _CODE.search(tail)
    if last in "'’":
        return len(text) >= 200 and bool(_PENDING.search(line))
    if last == ":" and len(text) > 600 and _is_loop_label(tail, line):
        return True
    if last in _END or _CODE.search(tail) or _CODE_LINE.search(line):
        return False
    return _stops_short(text, tail, line)


def _stops_short(text: str, tail: str, line: str) -> bool:
    """The rules for prose that has no end mark."""
    last = text[-1]
    words = line.split()
    if last == ":":
        return _ends_open(text, tail, line)
    if last in ",(–—-[=+":
        return len(words) >= (4 if "\n" in tail else 3)
    found = _LAST_WORD.search(line)
    item = bool(_LIST_LINE.match(line))
    if item and words and _BARE_ITEM.fullmatch(words[0]):
        words = words[1:]
    if len(text) >= 200 and _is_stub(tail, line):
        return True
    if len(words) < 5:
        return False
    if (
        len(text) >= 200
        and _END_MARK.search(tail)
        and (_is_open(line) or _PENDING.search(line) or (not item and _breaks_off(line)))
    ):
        return True
    if not found:
        return False
    word = found[1]
    if word in _DANGLING and (word not in _SOFT or _ends_inside(tail, line, word)):
        return True
    return len(text) >= 200 and (_cut_in_loop(text, words) or _cut_in_word(text, word))


def _ends_open(text: str, tail: str, line: str) -> bool:
    """Whether a colon at the end announces what does not come; forms ("Name:", "Date:") announce nothing."""
    if len(text) <= MIN_OPEN or _LIST_LINE.match(line[:1] + " "):
        return False
    if len(text) <= 100 and (line.count(" ") < 3 or line.split(maxsplit=1)[0] in _KEYWORDS):
        return False
    return sum(other.rstrip().endswith(":") for other in tail.split("\n")[:-1]) < 3


def _is_loop_label(tail: str, line: str) -> bool:
    """Whether the label at the end ("Output:") began a line three times before, and no list mark precedes it."""
    return not _LIST_LINE.match(line) and sum(other.startswith(line) for other in tail.split("\n")[:-1]) > 2


def _breaks_a_pattern(tail: str, line: str) -> bool:
    """Whether two lines of before, or three where only the end mark lacks, go on after the words of the last; digits aside."""
    line = _DIGITS.sub("0", line)
    if len(line) < 5:
        return False
    lines = (other.strip() for other in _DIGITS.sub("0", tail).split("\n")[:-1])
    after = [other[len(line) :] for other in lines if other.startswith(line)]
    least = 3 if all(more[:1] in (".", "!", "?") for more in after) else 2
    return len(after) >= least and all(after)


def _is_stub(tail: str, line: str) -> bool:
    """Whether the last paragraph is the first words of a sentence, after whole ones."""
    before = tail[: tail.rfind("\n") + 1]
    if not before or len(line) > 60:
        return False
    return before.rstrip()[-1:] in (".", "!", "?") and bool(_OPENING.fullmatch(line)) and line.lower() != "the end"


def _breaks_off(line: str) -> bool:
    """Whether the last sentence of a paragraph lacks the word, the verb or the clause that must follow."""
    if _STUB.search(line) or _CLAUSE.search(line):
        return True
    found = _NO_VERB.search(line)
    return found is not None and not _VERBAL.search(found[1])


def _is_open(line: str) -> bool:
    """Whether a bracket, or a quote of two words or more, stays open in the last line."""
    if line.count("(") > line.count(")") and len(line) - line.rfind("(") < 200:
        return bool(re.search(r"[\w,] \([\w\"][^()]{3,}$", line))
    return line.count('"') % 2 == 1 and bool(re.search(r"[\w,] \"[\w][^\"]{3,}$", line))


def _ends_inside(tail: str, line: str, word: str) -> bool:
    """Whether a word that may end a clause ("with", "in") stands in prose with end marks or in a long item of a list."""
    if _LIST_LINE.match(line):
        return word not in _LAST_IN_ITEM and len(line) > 60
    return bool(_END_MARK.search(tail))


def _cut_in_loop(text: str, words: Sequence[str]) -> bool:
    """Whether the last seven words stand earlier in the text too, and go on there."""
    if len(set(words[-7:])) < 3:
        return False
    ending = " ".join(words[-7:])
    before = text.find(ending)
    after = before + len(ending)
    return before >= 0 and text[after : after + 4].lstrip(" ")[:1] not in ("", *_STOPS)


def _cut_in_word(text: str, word: str) -> bool:
    """Whether the last word stands nowhere else but is the beginning of a word that does."""
    if not 3 <= len(word) <= 40 or not word.isalpha():
        return False
    other = re.findall(rf"(?<!\w){word}(\w*)", text)
    return (
        len(other) > (1 if word.islower() else 3) and all(other[:-1]) and not any(end in _ENDINGS for end in other[:-1])
    )
