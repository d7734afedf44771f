"""What a right answer may keep of the input of a task, read off the task, as a rule off its first sentence.

`features.echo` looks for the input in the response so:

    keeps    (copy, sort, match, proofread, "if needed" ..) the input as it is: no echo, but for a list of words or numbers that is
             not sorted yet, or all of a text where one sentence of it was asked for.
    marks    (correct, convert, insert, combine ..) the input with one comma more: an echo to the letter only.
    style    (edit for clarity, improve the flow ..) the input with one word more: an echo to the word only.
    words    (complete, remove, shorten ..) the input with one word more or less: likewise, articles aside.
    wording  (rephrase, replace, simplify .., a sentence) likewise, but where much was to change one word in ten may be new.
    classes  (classify, decide ..) a new word: an echo where there is none.
    own      (translate, explain, answer .., a title, a letter) nothing like it: an echo by the words, however short.
    others   (summarize, find, suggest ..) likewise, but in a short input no word may be new, for it may be the answer.

A sentence that only tells of the input, or of a role, says nothing. An order that is wrong (rearrange, reverse) is a mark.
"""

from __future__ import annotations

import re
from functools import lru_cache

SHORT = 15  # words of an input below which no word may be new
REWORDED = 10  # words of an input, to be put in other words, of which one may be new

SENTENCE = re.compile(r"[^.?!:\n]+(?:[.?!:](?!\s)[^.?!:\n]*)*[.?!:]?")
_TELLS = re.compile(r"(?:you|in this|the|this|these|i|we|below|consider|there)\b|(?:given|here)\b[^,]*$")
_ROLE = re.compile(
    r"(?:you are|act as|play the role of|imagine (?:that )?you are)\b[^.,:\n]*\.\s+(?=\S)", re.IGNORECASE
)
JUMBLED = re.compile(
    r"\b(?:rearrange|unscrambl|reorder|words?\b[^.]{0,20}(?<!alphabetical )\border"
    r"|(?:put|arrange|place|bring)\b[^.]*\b(?:(?:right|correct|proper|logical|chronological) order|order of time)|(?:reverse|inverse) order|backwards?\b"
    r"|(?:arrange|sort|order)\b[^.]* sentences?)\b"
)
_KEEPS = re.compile(
    r"\b(?:copy|write down|repeat(?!ed|s\b)|recite|verbatim|paste|transcribe|without (?:any )?chang|unchanged|aloud|out loud|proofread|check\b"
    r"|(?:re)?(?:sort|(?<!in )(?<!this )(?<!an )order|arrange\b|organi[sz])|in order (?:of|from)|rank|filter|alphabet|match|quot(?:e|ation)"
    r"|cit(?:e|ing)\b|quer(?:y|ies)\b|(?:using|add) the (?:following|given)|(?:if|where) (?:necessary|needed)|if (?:there|so\b|it\b|any)"
    r"|(?:is|are|does|do)\b[^.]*\b(?:errors?|mistakes?|correct)\b[^.]*\?|(?:extract|find|identif)[^.]{0,20}\bfacts\b"
    r"|(?:select|identif|find|list|pick)[^.]{0,20}\ball\b|(?:creat|mak|writ|produc|generat|prepar|into|as)[^.]{0,30}\blists?\b)"
)
ONE_PART = re.compile(
    r"\b(?:copy|write|repeat|recite|quot|cit)\w*\b[^.]*\b(?:first|second|third|fourth|fifth|last|only(?: the)?) (sentences?|lines?|words?)\b"
)
ALL_PARTS = re.compile(r"\ball (?:the )?(?:nouns|verbs|adjectives|adverbs|pronouns|prepositions|names|numbers|dates)\b")
SORTS = re.compile(r"\b(?:re)?(?:sort|order|arrange|rank)|\b(?:a|de)scending\b")
LENGTHS = re.compile(r"\b(?:length|number of (?:letters|characters)|shortest|longest)\b")
ALPHABET = re.compile(r"\b(?:alphabet|a to z\b)")
_STYLE = re.compile(
    r"\b(?:edit|revis|improv)[^.]*\b(?:clarity|clear|concis|brevity|readab|easier to read|(?:style|flow)(?! guide))"
)
_MARKS = re.compile(
    r"\b(?:re|un)?-?(?:correct|gramma|fix|edit|spelling|punctuat|mistake|errors?\b|capital|commas?\b|caps\b|(?:upper|lower)?case\b"
    r"|hyphen|periods?\b|full stop|definite article|convert|transform|modif|modern|vise\b|adjust|combin|connect|merg|join|updat"
    r"|insert|move\b|cut\b|cross|fill|blank|missing|mask|smaller|structur|format|tables?\b|chart|diagram|json|html|xml|csv|bullet"
    r"|highlight|underlin(?!ed)|emphas|exclam|bold|label|annotat|clean|factor|optimi[sz]|separat|divid|split|break|group|align"
    r"|(?:an?|into|no\W?|indirect) questions?\b)"
)
_WORDS = re.compile(
    r"\b(?:un)?(?:add\b|complete\b|finish|remov|take\b.* out\b|delet|omit|without|eliminat|unnecessary|shorten|trim"
    r"|condens|more concise)"
)
_CLASSES = re.compile(
    r"\b(?:categor|classif|assign|label|decide|true or false|positive or negative|(?:say|tell) (?:me )?(?:if|whether))"
)
_OWN = re.compile(
    r"(?:(?:using|given|based on|with|from|for)\b[^,.:]*, )?(?:please )?(?:(?:translate|explain|describe|discuss|interpret|answer"
    r"|extract|count|rate|guess|what|why|how|who|whom|whose|when|where)\b|(?:write|create|compose|invent|suggest|generate|give|draft|come up with|think of|make up|prepare)\b[^.:\n]{0,30}\b"
    r"(?:headlines?|titles?|slogans?|mottos?|names?|e-?mails?(?! signature)|letters?|poems?|stor(?:y|ies)|repl(?:y|ies)|answers?"
    r"|articles?|essays?|posts?|descriptions?|haikus?|jokes?|dialogues?|recipes?)\b)"
)
TAKES = re.compile(r"\b(?:summar|sum up|identif|find\b|analy[sz]|detect|pick|indicat|spot\b|choose|select|count\b)")
_WORDING = re.compile(
    r"\b(?:re|un|para)?-?(?:sentences?|phras|clause|verb|adjective|pronoun|synonym|antonym|opposite|tense\b|voice\b|imperative|command|request|replac|simplif)"
)
_KINDS = (
    ("marks", JUMBLED),
    ("keeps", _KEEPS),
    ("style", _STYLE),
    ("marks", _MARKS),
    ("words", _WORDS),
    ("classes", _CLASSES),
    ("own", _OWN),
    ("others", TAKES),
    ("wording", _WORDING),
)
_REWORDS = re.compile(
    r"\b(?:re-?phras|paraphras|re-?word|other words|(?:different|another|new) way|formal|polite|friendl|profession|simplif)"
)
SWAPS = re.compile(r"\b(?:replac|synonym|re-?phras|paraphras|re-?word|other words|polite|friendl|profession)")
ONE_OF_THEM = re.compile(r"\b(?:first|each|words?)\b")
LETTERS = re.compile(
    r"correct|gramma|fix|edit|spell|punctuat|mistake|error|cap(?:ital|s\b)|case\b|title|proper|names?\b|clean|form"
)
COMMAS = re.compile(r"\b(?:add|insert|put|place|missing)\b[^.]*\bcommas?\b|\bcommas?\b[^.]*\bmissing\b")
PUNCTUATES = re.compile(r"\bpunctuat")
MARKED = re.compile(r"\b(?:asterisk|underlin(?!ed)|bold\b|italic|highlight|(?:quotation|speech) marks)")
JOINS = re.compile(r"\b(?:camel|pascal|snake|kebab)[ -]?case\b")
LONGER = re.compile(r"\b(?:add|complete|finish|expand|extend|longer)\b")
SHORTER = re.compile(r"\b(?:shorten|shorter|concise|condens|trim|half|fewer words|remov|delet|omit|cut out)")
CASED = re.compile(r"\b(?:to|into|in|as|use) (?:all )?(title|upper|lower|capital)(?:[ -]?case| letters)\b")
LAYOUT = re.compile(r"\b(?:bullet|numbered|tables?\b|json|html|xml)")


@lru_cache(maxsize=8)
def kind_of(task: str) -> str:
    """What a right answer may keep of the input: see above. A first sentence that only tells of the input says nothing."""
    task = _ROLE.sub("", task.lstrip())
    first = SENTENCE.match(task)
    low = (first.group() if first and not _TELLS.match(first.group().lower()) else task).lower()
    for kind, words in _KINDS:
        if words.match(low) if kind == "own" else words.search(low):
            return kind
    return "others"


def most_new(kind: str, task: str, size: int) -> int:
    """How many words of an input of this size may be new."""
    if kind == "own" or (kind == "wording" and size >= REWORDED and _REWORDS.search(task)):
        return max(1, size // 10)
    return 0 if kind in ("marks", "words", "wording", "classes") or size < SHORT else size // 10
