"""Refusals: responses that as a whole decline, or say that they cannot do what is asked, for whatever reason.

The response has to open with the refusal (or to be short and hold one), and no real answer may follow. What the prompt
asked for is none: an apology to write, a part to play, a text to work on. "It cannot be determined" as the answer to a
question is none either. English only.
"""

from __future__ import annotations

import re

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
    r"|offer|respond|set|remind|schedule|book|order|call|add|download|print|speak|produce|support|share|recommend|suggest|predict|translate|make|play|view|open|search|engage|discuss|process"
    r"|condone|promote|encourage|participate|determine|send|execute|run|edit|summari[sz]e|continue|proceed|understand|draw|show"
    r"|display|fully|directly|verify|confirm|advise|explain|describe|classify|(?:identify|find|tell|see|detect)\b(?! any))"
)
_AI = r"(?:ai|artificial intelligence|language model|chatbot|virtual assistant|machine|computer program|gpt|bot)\b"
_TASK = r"(?:instruction|request|task|question|prompt|input|query)s?"
_REFUSAL = re.compile(
    r"[\W_]{0,5}(?:(?:hi|hello|hey|well|no|thank you[^.!]{0,40}|thanks)[,.!]? ?)?(?:"
    rf"(?:(?:i am|i'm|we are|we're|i) )?(?:very |so |really |truly |deeply )?(?:sorry|afraid|apologi[sz]e|regret)\b"
    rf"(?! to hear| about| for (?:your|the loss|the delay|any)| if)[^.!?\"]{{0,120}}(?:[.!] [^.!?\"]{{0,90}})?\b{_CANNOT}(?! \w+ any\b)\b"
    rf"|(?:my apologies|unfortunately|regrettably)\b[^.!?]{{0,60}}\b(?:i|we|me|this|it|there|you)\b[^.!?]{{0,50}}\b{_CANNOT}\b"
    rf"|[^.!?]{{0,30}}\b(?:as|i am|i'm|being)(?: only| just)? (?:an? |the )?(?:\w+ ){{0,3}}{_AI}[^.!?]{{0,160}}\b{_CANNOT}\b"
    rf"|i (?:do not|don't|am not|cannot|can't)\b[^.!?]{{0,80}}\b(?:as|being) an? (?:\w+ ){{0,2}}{_AI}"
    r"|i (?:cannot|can't|can not|could not|am unable to|am not able to|won't|will not|must decline to|have to decline|decline to|refuse to"
    rf"|would not be able to|do not feel comfortable|don't feel comfortable|am not comfortable) ?(?:be able to )?(?:\w+ly )?(?:{_DO}|[.,])"
    rf"|i'm (?:unable to|not able to|not comfortable|not capable of) (?:\w+ly )?(?:{_DO}|with|\w+ing\b)"
    r"|i (?:do not|don't|did not|didn't) (?:currently )?(?:have|see)(?: \w+){0,3} (?:access|ability|information|context|capability|data|details|capacity|means)\b"
    rf"|(?:[^.!?]{{0,90}}, )?(?:this|the|such an?|that) (?:\w+ of )?{_TASK} (?:\w+ ){{0,2}}(?:cannot|can't|can not|is not possible|is impossible|is inappropriate|is not appropriate|is unethical)\b"
    r"|(?:it is|it's|it would be|this is|that is) (?:not possible|impossible|not appropriate|inappropriate|unethical|not ethical|against my \w+)\b[^.!?]{0,40}\b(?:for me|generate|provide|fulfill|create|write|complete)\b"
    r"|(?:<?no ?(?:in|out)put>?\W*)?(?:this )?cannot be (?:completed|evaluated|performed|done|generated|answered|executed|processed)\b"
    r"|(?:no|not enough|insufficient) (?:input|information|context|data)(?: (?:was|is|has been|were))?(?: (?:given|provided|available|found))?[.!]?$"
    r")"
)
_DECLINES = re.compile(
    r"\b(?:i|we) (?:cannot|can't|can not|am unable to|are unable to|am not able to|won't|will not) (?:answer|complete|fulfill|perform|provide"
    r"|generate|assist|help|do) (?:this|that|you|with|it)\b"
)
MAX_DECLINE = 240  # characters of a response that may decline in its last sentence
_PIVOT = re.compile(r"\b(?:however|but|nevertheless|that said|instead|still|though|nonetheless|based on|generally)\b")
_ASKED_APOLOGY = re.compile(
    r"\b(?:apolog|declin|refus|excuse|reject|turn(?:ing)? down|rude|sorry|regret|unable|(?:create|write|generate|give|compose|draft|come up with) (?:an?|the) (?:\w+ ){0,3}(?:response|reply|message|sentence|dialogue)\b|can't|cancel|customer|complain)"
)
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
    found = found or (_DECLINES.search(text.lower().replace("’", "'")) if len(text) < MAX_DECLINE else None)
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
