"""What a right answer may keep of the input of a task, read off the task, as a rule off its first sentence.

`features.echo` looks for the input in the response so:

    keeps    (copy, sort, match, proofread, "if needed" ..) the input as it is: no echo, but for a list that is not sorted yet, as far
             as one can tell, or all of a text where one sentence of it was asked for.
    gathers  (list all .., make a list) the items of a list: an echo where it is a text of sentences that comes back.
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
    r"\b(?:rearrange|unscrambl|reorder|words?\b[^.]{0,20}(?<!alphabetical )(?<!same )\border"
    r"|(?:put|arrange|place|bring)\b[^.]*\b(?:(?:right|correct|proper|logical|chronological) order|order of time)"
    r"|(?:reverse|inverse) order|backwards?\b"
    r"|(?:arrange|sort|order)\b[^.]* sentences?|\A(?:correct|fix|change|mend|repair"
    r"|restore)\b[^.]*(?<!in )\border\b|sequence\b[^.]*\b(?:events|steps|sentences)|(?:swap|switch|reverse"
    r"|exchange|invert|flip|change)\b[^.]*\b(?:order|positions?|places|clauses|halves))\b"
)
REVERSED = re.compile(r"\b(?:revers|backwards?|inverse)")
_KEEPS = re.compile(
    r"\b(?:(?<!ad )(?<!marketing )(?<!advertising )copy(?! ?(?:edit|writ))|write down|exactly (?:as|what|like)"
    r"|as (?:it|they) (?:is|are|stands?|was|were)\b|word for word|letter for letter"
    r"|once more|reproduce|re-?type\b|print (?:this|the following|out)|write (?:it|(?:this|the|that)(?: \w+){0,2})"
    r" (?:again|out)\b(?! (?:in|using|with|as|so|but|without|from)\b)|(?:say|read) (?:this|it|the \w+) (?:back|again|out)|back to me\b"
    r"|(?:if|unless)\b[^.]*\balready\b|(?:if|where|when) (?:required|applicable|appropriate|you (?:find|see|notice))|in case (?:there|it|you)|after me|dictat|typ(?:e|ing) (?:this|it|out|up)\b|echo\b|only if"
    r"|(?<!not )(?<!n['’]t )(?<!to )repeat(?!ed|s\b|ing)|recite|verbatim|paste"
    r"|transcribe(?! (?:into|to|in)\b)|without (?:any )?chang(?:es?\b|ing (?:anything|it\b|a\b|the (?:text|words?"
    r"|wording)))|unchanged|aloud|out loud|proofread|check\b(?! (?:whether|if|that|the tone)\b)"
    r"|(?<!what )(?<!some )(?<!this )(?:re)?sort(?! of\b)|arrange\b|order (?:the|these|this|them|by|from)\b|(?:put"
    r"|plac|bring|list|nam|giv|writ)\w*\b[^.]*\b(?<!in )order\b"
    r"|organi[sz]|in (?:\w+ ){0,2}order\b(?! to\b)|(?:correct|right|proper|logical) order|rank|filter(?! out)"
    r"|alphabet|match(?! (?:the|an?) (?:\w+ )?(?:tone|style|register|format|mood|voice|rhythm|level))|(?:quotation"
    r"|quote) marks?|(?:single|double) quotes?|(?:using|add) the (?:following|given)|quot(?:e"
    r"|ation)s?\b(?=[^.]* (?:from|that|exactly))|cit(?:e|ing)\b|quer(?:y|ies)\b|all (?:the )?(?:sentences|lines"
    r"|statements|phrases)\b"
    r"|(?:if|where) (?:necessary|needed|wrong|incorrect)|(?<!as )if (?:there|so\b|it\b|any|not correct|need)"
    r"|(?:is|are|does|do)\b[^.]*\b(?:errors?|mistakes?|correct)\b[^.]*\?|(?:extract|find|identif)[^.]{0,20}\bfacts\b)"
    r"|\A(?:please )?(?:proof|order|quote)\b"
)
_GATHERS = re.compile(
    r"\b(?:(?:select|identif|find|list|pick)[^.]{0,20}\ball\b|(?:creat|construct|build|compil|mak|writ|produc|generat|prepar|into|as)[^.]{0,30}\blists?\b)"
)
IF_NEEDED = re.compile(
    r"\b(?:if|unless)\b[^.]*\balready\b|\b(?:if|where|when|as) (?:necessary|needed|required|applicable|there|so\b|it\b|any|you (?:find|see|notice))"
)
ONE_PART = re.compile(
    r"\b(?:copy|write|repeat|recite|quot|cit)\w*\b[^.]*\b(?:first|second|third|fourth|fifth|last"
    r"|only(?: the)?) (sentences?|lines?|words?)\b"
)
SORTS = re.compile(
    r"\b(?:(?:re)?(?:sort|arrang)(?:e|ed|ing)?\b(?! of)|rank|alphabeti[sz]|(?:put|plac|bring|list|name|give|writ"
    r"|state)\w*\b[^.]*\b(?<!same )(?:order|sequence)\b"
    r"|alphabetical|(?:re)?order (?:the|these|this|them|by|from|all)\b|sequence (?:the|these)|(?:a|de)scending"
    r"|from (?:the )?\w+est to|(?:\w+est|most|least) \w* ?first)"
)
KNOWN_ORDER = re.compile(r"\b(?:alphabet|a to z\b|length|numbers?|digits|(?:a|de)scending|months|days of)")
LENGTHS = re.compile(r"\b(?:length|number of (?:letters|characters)|shortest|longest)\b")
_STYLE = re.compile(
    r"\b(?:edit|revis|improv)[^.]*\b(?:clarity|clear|concis|brevity|readab|easier to read|(?:style|flow)(?! guide))"
    r"|\b(?:polish|tidy|tidied|refin|brush\w* up|touch up|enhanc|streamlin|smooth)\w*\b(?![^.]*(?:gramma|spell"
    r"|punctuat|error|mistake|english))"
)
_MARKS = re.compile(
    r"\b(?:re|un)?-?(?:correct|gramma|mend\b|repair|amend|rectif|debug|bugs?\b|restor|apostroph|indent|fix|edit"
    r"|spelling|punctuat|mistake|errors?\b|capital|commas?\b|caps\b|(?:upper|lower)?case\b"
    r"|hyphen|periods?\b|full stop|definite article|convert|transform|modif|modern|vise\b|adjust|combin|connect|merg|join|updat"
    r"|insert|move\b|cut\b|cross|fill(?!ed)|blank|missing|mask|smaller|structur|format|tables?\b|chart|diagram"
    r"|json|html|xml|csv|bullet"
    r"|highlight|underlin(?!ed)|emphas|exclam|bold|label|annotat|clean|factor|optimi[sz]|separat|divid|split|break|group|align"
    r"|(?:an?|into|no\W?|indirect) questions?\b)"
)
_WORDS = re.compile(
    r"\b(?:un)?(?:add\b|drop\b|rid of|scrub|strip\b|eras|excis|discard|leave out|prun|abridg|abbreviate\b|wordy"
    r"|wordiness|tighten|needless|redundan|filler|superfluous|fewer words|complete\b|finish|remov|take\b.* out\b"
    r"|delet|omit|without|eliminat|unnecessary|shorten|trim"
    r"|condens|more concise)"
)
_CLASSES = re.compile(
    r"\b(?:categor|classif|assign|label|decide|true or false|positive or negative|(?:say|tell) (?:me )?(?:if"
    r"|whether)|judge\b|sentiment|right or wrong|\Atrue\b|\Ais (?:this|it|that|the)\b[^?]*\bor\b"
    r"|(?:what|which) (?:kind|type|sort|tone|genre|mood|emotion|category|language|tense|style|register|voice|person)\b)"
)
_LANGUAGE = (
    "(?:french|german|spanish|italian|portuguese|dutch|swedish|danish|norwegian|finnish|polish|russian|greek|latin|turkish|arabic"
    "|hebrew|hindi|chinese|japanese|korean|welsh|irish|modern english|python|javascript|java|ruby|c\\+\\+|rust|pirate)"
)
_OWN = re.compile(
    r"(?:(?:using|given|based on|with|from|for)\b[^,.:]*, )?(?:please )?(?:(?:translate|explain|describe|discuss|interpret|answer"
    r"|extract|count|rate|guess|elaborate|comment|argue|refute|debunk|respond|reply|unpack|predict|imagine|assess"
    r"|evaluate|review|critici[sz]e|critique|compare|contrast|solve|calculate|compute|prove|brainstorm|define|what"
    r"|why|how|who|whom|whose|when|where)\b|(?:put|say|express|give|write|render|turn|convert"
    r"|make)\b[^.:\n]*\b(?:in|into|to) LANGUAGE\b|(?:in|into) LANGUAGE\b|(?:write|create|compose|invent|suggest"
    r"|generate|give|draft|craft|come up with|think of|make up|prepare)\b[^.:\n]{0,30}\b"
    r"(?:headlines?|titles?|slogans?|mottos?|names?|e-?mails?(?! signature)|letters?|poems?|stor(?:y|ies)|repl(?:y|ies)|answers?"
    r"|articles?|essays?|posts?|descriptions?|haikus?|jokes?|dialogues?|recipes?)\b)".replace("LANGUAGE", _LANGUAGE)
)
TAKES = re.compile(
    r"\b(?:summar|gist\b|recap|boil|distil|tl;dr|main (?:point|idea)|essence|sum up|identif|find\b|analy[sz]"
    r"|detect|pick|indicat|spot\b|choose|select|count\b)"
)
_WORDING = re.compile(
    r"\b(?:re|un|para)?-?(?:sentences?|phras|clause|verb|adjective|pronoun|synonym|antonym|opposite|tense\b"
    r"|voice\b|imperative|command|request|replac|simplif|swap|substitut|exchang|anonymi|censor|redact|plural"
    r"|singular|negat|past\b|future\b|conditional|person\b|recast|retell|reword"
    r"|tone down|soften|plain english|simpler|easier|kinder|politer|rhyme|other words|perspective|point of view"
    r"|viewpoint|in the style|tourists?\b|exciting|dramatic|vivid)"
)
_KINDS = (
    ("marks", JUMBLED),
    ("keeps", _KEEPS),
    ("gathers", _GATHERS),
    ("style", _STYLE),
    ("marks", _MARKS),
    ("words", _WORDS),
    ("classes", _CLASSES),
    ("own", _OWN),
    ("others", TAKES),
    ("wording", _WORDING),
)
_REWORDS = re.compile(
    r"\b(?:re-?phras|paraphras|re-?word|other words|(?:different|another|new) way|formal|polite|friendl|profession"
    r"|simplif|recast|retell|tone down|soften|plain english|simpler|easier|kinder|rhyme|passive|child|kids?\b"
    r"|\w+-year-old"
    r"|perspective|point of view|viewpoint|in the style|dialogue|poem|tweet|slogan|audience|tourists?\b|newspaper"
    r"|exciting|dramatic|vivid)"
)
_RESTYLES = re.compile(
    r"\b(?:rhym|dialogue|poem|haiku|limerick|tweet|slogan|pirate|shakespeare|in the style|fairy tale)"
)
_ONE_WORD = re.compile(r"\bone word\b")
SWAPS = re.compile(r"\b(?:replac|synonym|re-?phras|paraphras|re-?word|other words|polite|friendl|profession)")
LETTERS = re.compile(
    r"correct|gramma|fix|edit|spell|punctuat|mistake|error|cap(?:ital|s\b)|case\b|title|proper|names?\b|clean|form"
)
COMMAS = re.compile(r"\b(?:add|insert|put|place|missing)\b[^.]*\bcommas?\b|\bcommas?\b[^.]*\bmissing\b")
CAPITALS = re.compile(r"\bcapital")
PUNCTUATES = re.compile(r"\bpunctuat")
MARKED = re.compile(r"\b(?:asterisk|underlin(?!ed)|bold\b|italic|highlight|(?:quotation|speech) marks)")
JOINS = re.compile(r"\b(?:camel|pascal|snake|kebab)[ -]?case\b")
LONGER = re.compile(r"\b(?:add|complete|finish|expand|extend|longer)\b")
SHORTER = re.compile(r"\b(?:shorten|shorter|concise|condens|trim|half|fewer words|remov|delet|omit|cut out)")
GROWS = re.compile(
    r"\b(?:finish|continue|continuing|continuation|expand|elaborate|lengthen|extend|carry on|go on"
    r"|(?<!a )(?<!the )complete(?! (?:sentences?|clauses?|words?|thoughts?)\b)"
    r"|add(?:ing)?\b(?! the (?:following|given))[^.:]{0,40}\b(?:sentences?|words?|adjectives?|adverbs?|details?|lines?|paragraphs?|clauses?"
    r"|reasons?|endings?|titles?|type hints|docstrings?|comments?|information|descriptions?|examples?|emojis?|items?|imagery"
    r"|interest|humou?r|colou?r|depth))\b"
)
POINTS = re.compile(
    r"\b(?:commas?|punctuat\w*|marks?|periods?|full stops?|apostrophes?|hyphens?|mask|synonyms?|antonyms?|replac\w*|in place of)\b|<\w+>"
)
CODE = re.compile(r"\b(?:code|program|script|functions?|bugs?|debug|syntax|sql|html|json|query)\b")
CUTS = re.compile(r"\b(?:shorten|shorter|concise|condens|trim|fewer words|wordy|wordiness|brief(?:er|ly)?|tighten)\b")
LAYOUT = re.compile(r"\b(?:bullet|numbered|tables?\b|json|html|xml)")


def tells(sentence: str) -> bool:
    """Whether a sentence only tells of the input, or of who speaks."""
    return bool(_TELLS.match(sentence.lower()))


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
    if kind == "own":
        return max(1, size // 10)
    if _ONE_WORD.search(task):
        return 0
    if kind in ("marks", "wording") and _RESTYLES.search(task):
        return max(1, size // 10)
    if kind == "wording" and size >= REWORDED and _REWORDS.search(task):
        return max(1, size // 10)
    return 0 if kind in ("marks", "words", "wording", "classes") or size < SHORT else size // 10
