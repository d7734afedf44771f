"""Constraints: how many explicit requirements on the answer a prompt states.

Counted are marks of a requirement: length ("at least 300 words", "in one sentence", "briefly"), number of items ("three
tips"), format ("in JSON", "as a table", "bullet points"), inclusion ("include the word", "must", "make sure"), exclusion
("do not", "without", "avoid"), style, tone, language, point of view, audience ("for a child"), role ("act as"), start and
end ("end with"), choice from given options. Marks that no clause boundary parts (end of sentence, comma, semicolon,
"and") are one requirement. The task itself ("write a poem") is none.

In a prompt with a long input after a blank line only the instruction is read, and what follows the input again.

Source: constraint counts as in IFEval (arXiv 2311.07911) and FollowBench (2310.20410); the marks are this project's own.
A heuristic: it sees that there is a requirement, not what it asks. Confounded by prompt length, and by stories and
examples inside the prompt that hold such words.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping

import pyarrow as pa

from triptych.core.feature import Feature

_NUMBER = (
    r"(?:\d[\d,]{0,12}\+?(?:\s?(?:-|–|to)\s?\d+)?|one|two|three|four|five|six|seven|eight|nine|ten|twelve|fifteen|twenty|thirty|fifty"
    r"|hundred|single|few|couple of)"
)
_UNIT = (
    r"(?:words?|sentences?|paragraphs?|characters?|letters?|lines?|bullet|bullets|points?|items?|sections?|stanzas?|pages?"
    r"|syllables?|placeholders?|verses?|chapters?|steps?|tokens?|minutes?|tweets?|times)"
)
_ASK = r"(?:give|list|name|provide|suggest|generate|write|create|identify|find|describe|mention|make|think of|come up with|recommend|propose|offer|produce|brainstorm|outline|pick|choose|select|tell)"
_LENGTH = (
    rf"{_NUMBER}[ -](?:\w+ )?{_UNIT}\b"
    rf"|{_ASK} (?:me |us |out |up )?(?:a list of |the |any |only |exactly |another )?(?:top )?{_NUMBER} (?!of )[a-z]"
    r"|at least|at most|no (?:more|less|fewer|longer) than|(?:less|fewer|more|shorter|longer) than (?:\d|\w+ (?:words|sentences))"
    r"|within \d|under \d|exactly|up to \d|a? ?(?:maximum|minimum) of|limit(?:ed)? (?:it |your |the )?|between \d+ (?:and|to) \d+ \w"
    r"|brief(?:ly)?\b|concise(?:ly)?\b|short (?:\w+ )?(?:story|poem|paragraph|essay|answer|response|summary|description|email|letter|paper|blog|sentence|message|speech|dialogue|script)"
    r"|detailed|in detail|step[- ]by[- ]step"
)
_FORMAT = (
    r"json|xml|yaml|csv|markdown|latex|html|bullet(?:ed)?[ -](?:points?|list)|bullets\b|numbered list|in (?:a |the )?(?:\w+ )?(?:format|form|style|tone|voice)\b"
    r"|as a (?:list|table|poem|letter|haiku|dialogue|tweet|paragraph|string|single)|in a (?:table|list|paragraph|sentence|single)"
    r"|(?:low|upp)er ?case|capital(?:ized)? letters|all caps|capitali[sz]ed|quotation marks|wrap(?:ped)? |headings?|highlight|a title\b|placeholders?"
    r"|separated by|postscript|p\.s\.|alphabetical|ascending|descending|chronological|in order\b"
)
_INCLUDE = (
    r"includ(?:e|es|ing)\b|must\b|(?:you|it|each|response|answer|output|they) should|should (?:be|have|not|include|contain|use|start|end|follow|only|also|consist|mention|at|appear)\b"
    r"|make sure|ensure|be sure|have to (?:be|use|include|have)|needs? to (?:be|use|include|have|contain)|incorporat|mention(?:s|ing)? "
    r"|contain(?:s|ing)?\b|only (?:use|using|the|one|with|a|reply|answer|give|include|output|respond)|us(?:e|ing) (?:the|only|at|as|a|an|all|no|different|exactly|these|simple|your|of)\b"
    r"|the words? [\"'“\[]|the keywords? |the phrase|the letter\b|based on|according to|given (?:the )?(?:options|categories|choices|constraints)|options are|choose from|from the following|following (?:criteria|words|keywords|constraints|format|rules|structure)"
    r"|provide (?:an? )?(?:example|explanation|reason|source|citation|evidence)s?|with (?:an? )?(?:example|explanation)s?|explain (?:why|your)|justify|support your|cite|focus(?:ing)? (?:\w+ )?on|solely|specifically|preserv(?:e|ing)|convey(?:ing)?|keep (?:it|the|your)|tak(?:e|ing) into|do so\b|remember to|that (?:rhymes|starts?|ends?|begins?|is at|has|have|contains?|includes?|uses?)\b"
)
_EXCLUDE = r"do not|don't|dont|without|avoid|never|no (?:commas?|other|explanation|need|words)|not (?:contain|include|mention|exceed|use|allowed|be)\b|exclud|refrain|except\b|instead of|rather than|free of|omit|bypass|skip|leave out"
_STYLE = (
    r"style\b|tone\b|formal|informal|humorous|funny|persuasive|poetic|rhym(?:e|es|ing)|sarcastic|creative(?:ly)?|engaging|compelling"
    r"|in (?:english|spanish|french|german|chinese|japanese|italian|hindi|korean|portuguese|russian|arabic|shakespear\w*|simple|plain|layman)"
    r"|perspective|point of view|(?:first|second|third)[- ]person|(?:present|past|future|active|passive) (?:tense|voice)|as if|reminiscent|infus(?:e|ing)|adopting|professional (?:email|tone|letter|message)|like (?:a|an|you)\b|iambic|set in"
)
_ROLE = (
    r"you are an?\b|embody|persona\b|act(?:ing)? as|pretend|imagine|assum(?:e|ing)|play the role|as an? (?:expert|teacher|professional|\w+er|\w+or)\b|suppose|embrace the role|take on the|roleplay"
    r"|for an? (?:audience|\w*child|\w+ audience|kid|beginner|\w+[- ]year[- ]old|\d|\w+ grader|teenager|company|website|job|high)|to an? (?:child|kid|\w+ audience|\d|\w+[- ]year[- ]old|friend|beginner|\w+ grader|audience)|targeted|suitable for|aimed at|audience"
)
_PLACE = r"(?:end|start|begin|finish|conclud|clos)(?:e|es|s|ing|ning)? (?:\w+ ){0,3}with\b|first (?:word|sentence|letter|line)|last (?:word|sentence|letter|line)|repeat|at the end|in the (?:end|beginning|middle)|say nothing|no other|before (?:answering|giving)|follow(?:ed)? by|at the beginning"
_KINDS = (_LENGTH, _FORMAT, _INCLUDE, _EXCLUDE, _STYLE, _ROLE, _PLACE)
_MARK = re.compile(r"\b(?=\w)(?:" + "|".join(f"({kind})" for kind in _KINDS) + ")")
_BOUNDARY = re.compile(r"[.!?;:\n]\s|,|\b(?:and|but|also|while|that|who)\b|\n")
_QUOTED = re.compile(r"\"[^\"]{40,4000}\"|“[^”]{40,4000}”")
_EXAMPLE = re.compile(r"\b(?:i\.e\.?|e\.g\.?|for example|for instance|such as|like this)(?=\W)[^.;\n]{0,200}")
_TO_ANSWERER = re.compile(
    r"(?:^|[.!?] )(?:please|do not|don't|make sure|ensure|use|write|include|your|the (?:answer|response|output|summary)|answer|repeat"
    r"|only|according to|output|extract|return|i would like|i want|give|provide|in your|respond|be sure|at the end|finally|additionally|first|also)\b"
    r"|\byour (?:\w+ )?(?:answer|response|reply|output)|\b(?:yes or no|true or false|must|should|exactly|at least)\b",
    re.MULTILINE,
)
APART = 14  # characters between marks of two kinds that make them two requirements inside one clause
_BLANK_LINE = re.compile(r"\n[ \t]*\n")


def instruction(prompt: str) -> str:
    """The first paragraph of a prompt, with those later ones that speak to who answers; in lower case."""
    parts = _BLANK_LINE.split(prompt.lower().replace("’", "'"))
    return "\n".join([parts[0], *(part for part in parts[1:] if _TO_ANSWERER.search(part))])


def constraints(prompt: str) -> int:
    """Number of explicit requirements on the answer; linear in the length of the prompt.

    >>> constraints("Write a poem."), constraints("Write a poem of two lines, do not use the letter e.")
    (0, 2)
    """
    text = _QUOTED.sub(" ", instruction(prompt))
    if "e.g" in text or "i.e" in text or "for " in text or "such as" in text or "like this" in text:
        text = _EXAMPLE.sub(" ", text)
    count, end, kind = 0, -1, 0
    for found in _MARK.finditer(text):
        begin = found.start()
        if end < 0 or _BOUNDARY.search(text, end, begin) or (found.lastindex != kind and begin - end >= APART):
            count += 1
        end, kind = found.end(), found.lastindex or 0
    return count


@dataclasses.dataclass(frozen=True)
class Constraints(Feature):
    """`constraints@prompt` int32: requirements that the prompt states; null where there is no prompt."""

    @property
    def needs(self) -> tuple[str, ...]:
        """The prompt."""
        return ("prompt",)

    @property
    def gives(self) -> tuple[str, ...]:
        """One count."""
        return ("constraints@prompt",)

    def compute(self, batch: pa.RecordBatch) -> Mapping[str, pa.Array]:
        """The count of each record."""
        prompts: list[str | None] = batch.column("prompt").to_pylist()
        found = [None if prompt is None else constraints(prompt) for prompt in prompts]
        return {self.gives[0]: pa.array(found, type=pa.int32())}
