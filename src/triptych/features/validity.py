"""Validity: six defects that make a record worthless whatever it was meant to say, found without a model.

A bitset, bit i for `DEFECTS[i]`; 0 means that nothing was found, not that the record is right.

    empty            no text, or only punctuation. "7", "A", "(A)", ":)", "[]", "+" and emoji are answers.
    truncated        stops before its end: an open code fence, a last line that is only an enumerator or a bullet, a
                     comma, colon, hyphen or open bracket at the end, a last word that cannot end a sentence
                     ("of", "and"), or a long prose text whose last sentence alone has no end mark.
    refusal          as a whole declines or says that it cannot do what is asked, for whatever reason. An apology that
                     is followed by a real answer, or that the prompt asked for, is none.
    prompt_echo      begins with a near-verbatim copy of the whole instruction that makes up most of the response, or
                     returns the input of a task that has to change it (translate, summarize). Copying tasks are safe.
    repetition_loop  the same words, line or sentence over and over: at least 4 rounds that fill much of the text or run
                     to its end. Refrains, tables, enumerations with a common start are none; nor is asked-for repetition.
    broken_encoding  U+FFFD, control characters, UTF-8 read as Latin-1, lone surrogates, double-escaped HTML entities.

Rules are for English; in other languages only empty, repetition_loop, broken_encoding and the formal signs of truncated
apply. Confounded by genre: poems, code and notes end without a full stop. Precision comes before recall.
In prompt-only sets the judged text is the prompt (`on="prompt"`): refusal and prompt_echo then never occur.
"""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Literal

import numpy as np
import pyarrow as pa

from triptych.core.feature import Feature

DEFECTS = ("empty", "truncated", "refusal", "prompt_echo", "repetition_loop", "broken_encoding")

# empty

_ANSWER = re.compile(r"[^\W_]")
_EMPTY_MARK = re.compile(r"[<\[(]?\s*no\s*(?:in|out)put\s*[>\])]?\.?", re.IGNORECASE)
_SIGN_ANSWER = re.compile(r"[:;=8][-'o^]?[()DPp/\\|\[\]]|\(\)|\[\]|\{\}|\"\"|''|(?=[^-]*-)(?=[^.]*\.)[.\-/ ]+")
_PUNCTUATION = re.compile(r"[\s!-*,-;?@\[-`{|}~\u2000-\u206f\u3000-\u303f¡¿«»§·\ufeff\u00ad\x00-\x1f\x7f]*")


def is_empty(text: str | None) -> bool:
    """Whether there is no answer: null, blank, punctuation only, or a placeholder such as "<nooutput>"."""
    if text is None:
        return True
    head = text[:64]
    if _ANSWER.search(head):
        return len(text) < 32 and bool(_EMPTY_MARK.fullmatch(text.strip()))
    return not _SIGN_ANSWER.fullmatch(text[:64].strip()) and bool(_PUNCTUATION.fullmatch(text))


# truncated

_END = ".!?…\"'”’»)]}>*`_~|。！？।؟」』）;"
_DANGLING = frozenset(
    """a an the of and or but nor to with for from by at into onto between among is are was were be been am has
    have had which whose that than because although whereas if when while as can could would should will shall may might
    must my your our their its his i every such very more most not in on""".split()  # noqa: SIM905
)
_SOFT = frozenset("to with for from by at is are was were am has have had can could would should will in on not more be".split())  # noqa: SIM905,E501
_BARE_ITEM = re.compile(r"(?:\(?\d{1,3}[.):]|[-*•+]|#+|step \d{1,3}:?)\s*", re.IGNORECASE)
_LIST_LINE = re.compile(r"\s*(?:\(?[\dA-Za-z]{1,3}[.):]|[-*•+#|>])")
_CODE_LINE = re.compile(r"[{};]\s*$|^\s*(?:def |return\b|import |print\(|<[/a-z]|#include|for \(|if \()|\w\(.*\)$| = |==|\t")
_CODE = re.compile(r"[{};]\s*\n|</\w|\bdef \w+\(|\breturn\b.*\n|^\s*(?:import|#include|SELECT|function)\b", re.MULTILINE)
_END_MARK = re.compile(r"[a-z0-9)\"'”’ ][.!?][\"'”’)]?\s")
_LAST_WORD = re.compile(r"([^\W\d_]+)$")
_STOPS = ".!?;:,\n\"')"
_ENDINGS = frozenset("s es d ed ing ly er ers r y al ion ions ment".split())
_BLANKS = " \t\r\n\x00\x03\xa0"


def is_truncated(text: str) -> bool:
    """Whether the text stops before its end. Looks at fences, then only at the last 600 characters."""
    text = text.rstrip(_BLANKS)
    if not text:
        return False
    if "```" in text:
        return text.count("```") % 2 == 1 and not text.endswith("```")
    last = text[-1]
    if last in _END and last not in "*-.)":
        return False
    tail = text[-600:]
    line = tail[tail.rfind("\n") + 1 :].strip()
    if "\n" in tail and _BARE_ITEM.fullmatch(line):
        return True
    if last in _END or _CODE.search(tail) or _CODE_LINE.search(line):
        return False
    return _stops_short(text, tail, line)


def _stops_short(text: str, tail: str, line: str) -> bool:
    """The rules for prose that has no end mark."""
    last = text[-1]
    words = line.split()
    if last in ",:(–—-[":
        return len(words) >= 4 and (last != ":" or (len(text) > 200 and len(words) >= 4))
    found = _LAST_WORD.search(line)
    if not found or len(words) < 6:
        return False
    word = found[1]
    if word in _DANGLING and (word not in _SOFT or (_END_MARK.search(tail) and not _LIST_LINE.match(line))):
        return True
    return len(text) >= 200 and (_cut_in_loop(text, words) or _cut_in_word(text, word))


def _cut_in_loop(text: str, words: Sequence[str]) -> bool:
    """Whether the last seven words stand earlier in the text too, and go on there."""
    ending = " ".join(words[-7:])
    before = text.find(ending)
    after = before + len(ending)
    return 0 <= before and after < len(text) and text[after] not in _STOPS


def _cut_in_word(text: str, word: str) -> bool:
    """Whether the last word stands nowhere else but is the beginning of a word that does."""
    if not 3 <= len(word) <= 40 or not word.islower():
        return False
    other = re.findall(rf"(?<!\w){word}(\w*)", text)
    return len(other) > 1 and all(other[:-1]) and not any(end in _ENDINGS for end in other[:-1])


# refusal

_REFUSAL_HINTS = (
    "sorry", "apolog", "cannot", "can't", "can not", "unable", "not able", "won't", "will not", "n ai ", "n ai,", "gpt",
    "language model", "possible", "declin", "refus", "n't have", "not have", "comfortable", "appropriate", "capable",
    "unfortunately", "against my", "no input", "not enough", "unethical", "regret",
)  # fmt: skip
_CANNOT = (
    r"(?:can ?not|can't|could ?(?:not|n't) (?:find|understand|process|complete|generate|answer)|unable to|not (?:\w+ly )?able to|won't|will not|not capable|not designed|not programmed"
    r"|(?:do|does|did) ?(?:not|n't)|have no|has no|not possible|impossible|not allowed|not comfortable|not appropriate|inappropriate"
    r"|unethical|decline to|have to decline|need more|haven't|not sure|not provided|not permitted|refuse|not a valid|not understand)"
)
_DO = (
    r"(?:help|assist|provide|answer|fulfil\w*|comply|write|generate|create|do (?:that|this|it|so)|perform|give|complete|access|browse"
    r"|offer|respond|produce|support|share|recommend|suggest|predict|translate|make|play|view|open|search|engage|discuss|process"
    r"|condone|promote|encourage|participate|determine|send|execute|run|edit|summari[sz]e|continue|proceed|understand|draw|show"
    r"|display|fully|directly|verify|confirm|advise|explain|describe|classify|(?:identify|find|tell|see|detect)\b(?! any))"
)
_AI = r"(?:ai|artificial intelligence|language model|chatbot|virtual assistant|machine|computer program|gpt|bot)\b"
_TASK = r"(?:instruction|request|task|question|prompt|input|query)s?"
_REFUSAL = re.compile(
    r"[\W_]{0,5}(?:(?:hi|hello|hey|well|no|thank you[^.!]{0,40}|thanks)[,.!]? ?)?(?:"
    rf"(?:(?:i am|i'm|we are|we're|i) )?(?:very |so |really |truly |deeply )?(?:sorry|afraid|apologi[sz]e|regret)\b"
    rf"(?! to hear| about| for (?:your|the loss|the delay|any)| if)[^.!?]{{0,120}}(?:[.!] [^.!?]{{0,90}})?\b{_CANNOT}(?! \w+ any\b)\b"
    rf"|(?:my apologies|unfortunately|regrettably)\b[^.!?]{{0,60}}\b(?:i|we|me|this|it|there|you)\b[^.!?]{{0,50}}\b{_CANNOT}\b"
    rf"|[^.!?]{{0,30}}\b(?:as|i am|i'm|being)(?: only| just)? (?:an? |the )?(?:\w+ ){{0,3}}{_AI}[^.!?]{{0,160}}\b{_CANNOT}\b"
    rf"|i (?:do not|don't|am not|cannot|can't)\b[^.!?]{{0,80}}\b(?:as|being) an? (?:\w+ ){{0,2}}{_AI}"
    r"|i (?:cannot|can't|can not|could not|am unable to|am not able to|won't|will not|must decline to|have to decline|decline to|refuse to"
    rf"|would not be able to|do not feel comfortable|don't feel comfortable|am not comfortable) ?(?:be able to )?(?:\w+ly )?(?:{_DO}|[.,])"
    rf"|i'm (?:unable to|not able to|not comfortable|not capable of) (?:\w+ly )?(?:{_DO}|with|\w+ing\b)"
    r"|i (?:do not|don't|did not|didn't) (?:currently )?(?:have|see)(?: \w+){0,3} (?:access|ability|information|context|capability|data|details|capacity|means)\b"
    rf"|(?:[^.!?]{{0,90}}, )?(?:this|the|such an?|that) (?:\w+ of )?{_TASK} (?:\w+ ){{0,2}}(?:cannot|can't|can not|is not possible|is impossible|is inappropriate|is not appropriate|is unethical)\b"
    r"|(?:it is|it's|it would be|this is|that is) (?:not possible|impossible|not appropriate|inappropriate|unethical|not ethical|against my \w+)\b[^.!?]{0,40}\b(?:for me|generate|provide|fulfill|create|write|complete)\b"
    r"|(?:no|not enough|insufficient) (?:input|information|context|data)(?: (?:was|is|has been|were))?(?: (?:given|provided|available|found))?[.!]?$"
    r")"
)
_PIVOT = re.compile(r"\b(?:however|but|nevertheless|that said|instead|still|though|nonetheless|based on|generally)\b")
_ASKED_APOLOGY = re.compile(r"\b(?:apolog|declin|refus|excuse|reject|turn(?:ing)? down|rude|sorry|regret|unable|can't|cancel|customer|complain)")
_ROLE = re.compile(r"\b(?:role-?play|pretend|act as|imagine|dialogue|conversation|you are an?\b)")
_NAMES_AI = re.compile(rf"\b{_AI}")
_QUOTES = str.maketrans("’‘`\n\t", "'" * 3 + "  ")
_HERE = re.compile(r"\bhere(?: is|'s|’s| are)\b")
SHORT_ANSWER = 10  # words after the refusing sentence that make it an answer, if they offer something ("here is")
LONG_ANSWER = 40  # words after the refusing sentence that make it an answer, if a turn ("however") comes
ANY_ANSWER = 110  # words after it that make it an answer anyway


def is_refusal(prompt: str | None, text: str) -> bool:
    """Whether the response as a whole declines. Looks at its first 400 characters and at what follows them."""
    head = text[:400].lower().replace("’", "'")
    if not any(map(head[:250].__contains__, _REFUSAL_HINTS)):
        return False
    head = head.translate(_QUOTES).lstrip()
    found = _REFUSAL.match(head)
    if not found or (prompt and _is_asked_for(prompt, head, found[0])):
        return False
    rest = text[found.end() :]
    words = len(rest.split())
    if words > SHORT_ANSWER and _HERE.search(rest.lower()):
        return False
    return words <= LONG_ANSWER or (words <= ANY_ANSWER and not _PIVOT.search(rest.lower()))


def _is_asked_for(prompt: str, head: str, opening: str) -> bool:
    """Whether the prompt wanted these words: an apology to write, a part to play, a text to work on."""
    asked = prompt[:4000].lower().translate(_QUOTES)
    if opening[:40].strip() in asked:
        return True
    return not _NAMES_AI.search(head) and bool(_ASKED_APOLOGY.search(asked) or _ROLE.search(asked))


# prompt_echo

_TOKEN = re.compile(r"\w+")
_MAY_STAY = re.compile(
    r"^\W*correct\b|\bcorrect (?:the|any|all|this|these)\b|\b(?:grammar|fix|edit|proofread|spelling|extract|copy|repeat|punctuat|error|mistake|capitali|comma|insert|format|case\b"
    r"|sort|order|arrang|quote|identify|find|select|choose|which|detect|highlight|output|code|complete|check|remove|duplicate|filter|evaluate)"
)
_LEAD = frozenset(
    """a an the here s sure certainly some of output answer response input solution instruction question below
    following this these list to title text""".split()  # noqa: SIM905
)
_HERE_IS = frozenset(("sure", "certainly", "here", "is", "are", "s"))
_ASKS = frozenset(
    """what which who whom whose when where why how is are was were do does did can could will would should has have
    if""".split()  # noqa: SIM905
)
_WRAP = " \t\r\n\"'“”:.*"
MIN_ECHO = 5  # words


def is_prompt_echo(prompt: str | None, text: str) -> bool:
    """Whether the response repeats the prompt instead of answering it."""
    if not prompt:
        return False
    asked, size = prompt[:6000].lower(), min(len(text), 8000)
    probes = [text[size * part // 8 : size * part // 8 + 10].lower() for part in (1, 3, 5, 7)]
    if size < 16 or sum(map(asked.__contains__, probes)) < 2:
        return False
    words = _TOKEN.findall(text[:8000].lower())
    task, gap, _ = asked.strip().partition("\n\n")
    if _repeats(task, words):
        return True
    if not gap:
        return False
    starts_alike = words[:3] == _TOKEN.findall(task)[:3]
    given = prompt[:6000].strip().partition("\n\n")[2]
    return (starts_alike and _repeats(asked, words)) or _returns_input(task, given, text[:8000])


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
        if sum(gram in found for gram in grams) >= least * len(grams) and any(gram in found for gram in grams[:3]):
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
    words, said = given.strip(_WRAP).split(), text.strip(_WRAP).split()
    if len(words) <= MIN_ECHO or _MAY_STAY.search(task):
        return False
    for start in range(min(3, len(said))):
        if said[start : start + 3] == words[:3] and all(word.lower().strip(_WRAP) in _LEAD for word in said[:start]):
            said = said[start:]
            break
    size = len(words)
    if said[: size - 1] != words[:-1] or said[size - 1 : size] and said[size - 1].strip(_WRAP) != words[-1].strip(_WRAP):
        return False
    return size - 1 <= len(said) <= size + 3 or any(said[at : at + 4] == words[:4] for at in range(size, size + 3))


# repetition_loop

_ASKED_LOOP = re.compile(
    r"\brepeat (?:the|this|it|that|after|each|every|your|a|\W?\w+\W? \d)|\b(?:say|write|type|print)\b.{0,60}\btimes\b"
    r"|\b(?:over and over|in a row|lyrics|chorus|song|chant|mantra|refrain)\b", re.IGNORECASE)
_PIECE = re.compile(r"(?<!\n\d)(?<!\n\d\d)[.!?。！？]+\s+|\n+")
_ENUMERATOR = re.compile(r"^\W*(?:\(?\d{1,3}[.):])?\W*")
_LONG_RUN = re.compile(r"([^\W\d_])\1{39}")
MIN_LENGTH = 60  # characters
LONG_WORDS = 15  # characters per word, from which there are no spaces between words, or runs of one letter
_COUNTER = re.compile(r"\(?\d{1,3}[.):]")
_HAS_LETTER = re.compile(r"[^\W\d_]")
MAX_PERIOD = 64  # tokens
MIN_LOOP = 16  # tokens that a loop spans at least, and 4 rounds


def is_repetition_loop(prompt: str | None, text: str) -> bool:
    """Whether the text loops. O(n) for nearly all texts, O(64 n) for those that look repetitive."""
    if len(text) < MIN_LENGTH or not _looks_repetitive(text):
        return False
    if prompt and _ASKED_LOOP.search(prompt[:2000]):
        return False
    if _LONG_RUN.search(text):
        return True
    tokens = ["#" if _COUNTER.fullmatch(token) else token for token in text.lower().split()]
    if len(text) > 40 * len(tokens):
        tokens = list(text[-2000:])
    return _cycles(tokens) or _repeats_pieces(text)


def _looks_repetitive(text: str) -> bool:
    """The cheap guard: few different words overall or at the end, or equal lines or sentences."""
    tokens = text.split()
    share = len(set(tokens)) / max(len(tokens), 1)
    if share < 0.5 or len(text) > LONG_WORDS * len(tokens):
        return True
    tail = tokens[-64:]
    if len(tokens) > 64 and len(set(tail)) < 0.5 * len(tail):
        return True
    if share > 0.67:  # a line repeated often enough repeats its words
        return False
    pieces = text.replace("\n", ". ").replace("! ", ". ").replace("? ", ". ").replace(" . ", ". ").split(". ")
    return len(pieces) >= 4 and len(set(pieces)) < 0.8 * len(pieces)


def _cycles(tokens: Sequence[str]) -> bool:
    """Whether tokens[i] equals tokens[i - period] for long enough, for any period up to 64."""
    number: dict[str, int] = {}
    ids = np.array([number.setdefault(token, len(number)) for token in tokens], dtype=np.int64)
    wordy = np.array([bool(_HAS_LETTER.search(token)) for token in number], dtype=bool)
    size = len(ids)
    for period in range(1, min(MAX_PERIOD, size // 3) + 1):
        equal = np.flatnonzero(ids[period:] != ids[:-period])
        edges = np.concatenate(([-1], equal, [size - period]))
        gaps = np.diff(edges) - 1
        best = int(gaps.argmax())
        span = int(gaps[best]) + period
        rounds = span / period
        begin = int(edges[best]) + 1
        if rounds < (3 if period >= 10 else 4) or span < MIN_LOOP or not wordy[ids[begin : begin + period]].any():
            continue
        if span >= 0.3 * size or begin + span >= size - period:
            return True
    return False


def _repeats_pieces(text: str) -> bool:
    """Whether one line or sentence of at least 4 words makes up much of the text, wherever it stands."""
    pieces = [_ENUMERATOR.sub("", piece).strip().lower() for piece in _PIECE.split(text)]
    long = [piece for piece in pieces if piece.count(" ") >= 3 and _HAS_LETTER.search(piece)]
    if len(long) < 4:
        return False
    extra = sum((times - 1) * len(piece) for piece, times in Counter(long).items() if times >= 4)
    neighbours = sum(one == two for one, two in pairwise(long))
    return extra >= 0.45 * sum(map(len, pieces)) or (neighbours >= 3 and 2 * neighbours >= len(long))


# broken_encoding

_BROKEN = re.compile(
    "[\ufffd\x00-\x08\x0b\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff]"
    "|\x0c(?:rac|orall)|\times\\b"
    "|â€|ï»¿|ï¿½|ðŸ|Ã[\x80-\xbf€‚ƒ„†‡ˆ‰Š‹ŒŽ˜™š›œžŸ]|Ã[‘’“”•–](?=[a-z])|Ã—|Â[\x80-\xb9\xbb-\xbf]"
    "|(?:[ÐÑ][\x80-\xbf…]){2}|(?:[äåæçèé][\x80-\xbf€‚„…†‡ˆ‰Š‹Œ‘’“”•–—˜™š›œžŸ]{2}){2}"
    "|&amp;(?:quot|amp|lt|gt|nbsp|apos|#x?[0-9a-fA-F]{1,5});"
)
_CONTROL = re.compile("[\x00-\x08\x0b-\x0c\x0e-\x1f\x7f]|\times\\b")
_ESCAPE = re.compile(r"\\u([dD][89abAB][0-9a-fA-F]{2})(?!\\u[dD][c-fC-F])")
_ENTITY = re.compile(r"&(?:quot|nbsp|apos|lt|gt|amp|#x?[0-9a-fA-F]{2,5});")
_MARKUP = re.compile(r"html|\bxml\b|\bweb|\bcss\b|\bpage|\btag|\bform\b|```|\bentit|\bescap|\bcode\b|<!doctype", re.IGNORECASE)


def is_broken_encoding(prompt: str | None, text: str) -> bool:
    """Whether the text was decoded or escaped wrongly. Entities are in order where the prompt or the text is of markup."""
    plain = text.isascii() and (text.isprintable() or not _CONTROL.search(text)) and "&amp;" not in text
    if not plain and _BROKEN.search(text):
        return True
    if "\\u" in text and _ESCAPE.search(text):
        return True
    if "&" not in text or len(_ENTITY.findall(text)) < 2:
        return False
    return not (_MARKUP.search(text) or (prompt and _MARKUP.search(prompt)))


# all

def defects(prompt: str | None, response: str | None) -> int:
    """The defects of a response as a bitset over `DEFECTS`; an empty one has no other defect.

    >>> defects("Name a prime.", "7"), defects("Name a prime.", " ... ")
    (0, 1)
    """
    if response is None or is_empty(response):
        return 1
    return (
        is_truncated(response) << 1
        | is_refusal(prompt, response) << 2
        | is_prompt_echo(prompt, response) << 3
        | is_repetition_loop(prompt, response) << 4
        | is_broken_encoding(prompt, response) << 5
    )


_TO_COMPLETE = re.compile(r"\b(?:complete|continue|finish|fill|blank|next|end)\b|_{2}|\.{3}", re.IGNORECASE)


def prompt_defects(prompt: str | None) -> int:
    """The defects of a prompt that stands alone. A text given to be completed is not truncated."""
    if prompt is None or is_empty(prompt):
        return 1
    stops = is_truncated(prompt) and not _TO_COMPLETE.search(prompt[:2000])
    return stops << 1 | is_repetition_loop(None, prompt) << 4 | is_broken_encoding(None, prompt) << 5


@dataclasses.dataclass(frozen=True)
class Validity(Feature):
    """`defects` uint16: the bitset over `DEFECTS` of the response, or of the prompt where that is the judged text."""

    on: Literal["response", "prompt"] = "response"

    @property
    def needs(self) -> tuple[str, ...]:
        """Both texts, or the prompt alone."""
        return ("prompt", "response") if self.on == "response" else ("prompt",)

    @property
    def gives(self) -> tuple[str, ...]:
        """The bitset."""
        return (f"defects@{self.on}",)

    def compute(self, batch: pa.RecordBatch) -> Mapping[str, pa.Array]:
        """The defects of each record."""
        prompts: list[str | None] = batch.column("prompt").to_pylist()
        if self.on == "prompt":
            found = [prompt_defects(prompt) for prompt in prompts]
        else:
            responses: list[str | None] = batch.column("response").to_pylist()
            found = [defects(prompt, response) for prompt, response in zip(prompts, responses, strict=True)]
        return {self.gives[0]: pa.array(found, type=pa.uint16())}
