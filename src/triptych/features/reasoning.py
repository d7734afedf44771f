"""Reasoning steps: how many steps of a solution, derivation or procedure a text takes.

The text is cut into units: lines, and sentences inside lines. A unit is one step when it

1. carries an explicit mark: "Step 3", "the next step", or an enumerator ("2.", "b)") in a list that is a procedure: the
   words before the list speak of steps, instructions, a process .., or most of its items begin with a verb of doing;
2. computes: an equation with a value on one side, or with an operator on one side, or `<<..>>`. In lines of code a plain
   assignment is none, an arithmetic one is;
3. infers: opens with, or has after a comma, therefore, thus, hence, so, consequently, as a result, this means; or holds
   because, since .., given that, it follows, if .. then;
4. goes on: opens with first, next, then, finally .. followed by we, you, a verb of doing or a passive ("is drawn");
   or begins with a verb of the kitchen or the workshop ("Preheat"), at least twice in the text. Narrative ("Then she
   left") is no step.

Only one step per unit, whatever it holds. Plain statements, headings, items of a collection and final answers
("#### 72", "Answer: 18") are none. Solutions of grade-school problems written by people have about one step per line.

A count of surface marks (source: this project; the idea of counting steps is from complexity-based prompting,
arXiv 2210.00720). Confounded by length and by layout: terse derivations and procedures told in prose are undercounted,
essays full of "because" overcounted.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

import pyarrow as pa

from triptych.core.feature import Feature

_SENTENCE = re.compile(
    r"\s(?<=[a-zA-Z0-9)%\"'”>][.!?]\s)(?<!^\d[.]\s)(?<!^\d\d[.]\s)\s*(?=[A-Z(\"“$\d])"  # by the space: few places to try
)
_VALUE = r"[$€£]?\d[\d,]{0,15}(?:\.\d+)?%?"
_COMPUTES = re.compile(
    rf"<<|(?:=|\bequals?\b)\s{{0,3}}[-+(\\]?\s{{0,3}}{_VALUE}|{_VALUE}\)?\s{{0,3}}(?:=|\bequals?\b)"
    r"|[-+*/^×÷]\s?[\w(\\{]{1,12}\s?=|=\s?[\w(]{1,12}\s?[-+*/^×÷]"
)
_CODE_LINE = re.compile(
    r"[;{}]\s*$|==|\+=|!=|<=|>=|^\s*(?:let|var|const|int|float|double|for|if|elif|else|while|def|return|print|#|//)\b"
    r"|^\s*[a-z_]\w{2,}(?:\[[^\]]{0,40}\]|, \w{1,20})?\s*=\s|\w{3}\(\w*\)\s*=\s|^\s*[a-z]\w{0,20}\s*=\s*\S{1,40}$"
)
_CODE_COMPUTES = re.compile(r"^\s*(?:\w{1,10} )?[a-z_]\w*\s*=\s[^=]*[\w)]\s*[-+*/]\s*[\w(]|^[a-z]\s*=\s*[-\d.]+$")
_STEP = re.compile(r"\W{0,4}step \d|\W{0,4}(?:the|a) (?:first|second|third|next|final|last) step\b")
_ITEM = re.compile(r"\W{0,4}(?:\d{1,2}|[a-z])[.):] ?\W{0,3}(?=\w)")
_PROCEDURE = re.compile(
    r"\b(?:steps?|instructions?|directions?|process|procedure|algorithm|recipe|how to|as follows)\b", re.IGNORECASE
)
_DOING = (
    r"(?:add|mix|preheat|open|click|insert|create|initiali[sz]e|set|define|calculate|compute|multiply|divide|subtract|find"
    r"|solve|let|take|pour|heat|cook|boil|bake|stir|cut|place|put|remove|turn|press|select|enter|write|check|repeat|install"
    r"|download|use|connect|wash|drain|combine|choose|determine|identify|gather|collect|make|start|measure|apply|fold"
    r"|serve|sort|compare|swap|return|simplify|substitute|move|draw|attach|fill|roll|spread|slice|chop|peel|plug|unplug"
    r"|loosen|tighten|navigate|go to|read|analyze|train|test|convert|decide|do some|secure)"
)
_DOES = re.compile(
    r"\W*(?:\d{1,2}[.):]|[a-z][.)])\W*(?:preheat|toss|stir|whisk|bake|boil|drain|pour|mix|combine|place|add|cook|simmer|chop|slice"
    r"|fold|knead|heat|press|click|rinse|melt|cut|insert|attach|unplug|plug|loosen|tighten|calculate|compute|multiply|divide"
    r"|subtract|initiali[sz]e|define|open|gather|collect|select|enter|download|install|set|check (?:if|whether)|repeat|return"
    r"|substitute|simplify|compare|swap|sort|measure|wash|remove|navigate|go to|start|draw|in (?:an?|the) (?:\w+ )?(?:bowl|pot|pan))\b",
    re.IGNORECASE,
)
_WORKSHOP = re.compile(
    r"\W{0,6}(?:preheat|toss|stir|whisk|bake|boil|drain|pour|mix|combine|place|add|cook|simmer|chop|slice|serve|fold|knead|heat"
    r"|season|press|click|rinse|melt|cut|insert|attach|unplug|plug|loosen|tighten|screw|glue|cover|transfer|spread|sprinkle)\b"
    r"(?! (?:to|of|up)\b)"
)
_INFERS = re.compile(
    r"(?:^\W*|, (?:and )?)(?:therefore|thus|hence|consequently|as a result|accordingly"
    r"|so\b(?! far| much| many| that| long| i'm| let| come| early| take| when| very))\b|\btherefore\b"
    r"|^\W*(?:this|that|which) (?:means|implies|gives|shows)\b|, (?:which|this) (?:means|implies|gives)\b"
    r"|\b(?:it follows|implies that|we can conclude|we get|we have|we know)\b"
    r"|\bbecause\b(?! of)|^\W*since\b[^.]{1,200},|\bgiven that\b|\bif\b[^.]{1,150}\bthen\b"
)
_OPENS = (
    "therefore",
    "thus",
    "hence",
    "consequently",
    "as a result",
    "accordingly",
    "so",
    "since",
    "this",
    "that",
    "which",
)
_HINTS = (", so", ", and so", ", thus", ", hence", ", consequently", ", as a result", ", accordingly", ", and thus", ", and hence",
          "therefore", "because", "given that", "then", "it follows", "implies that", "we can conclude", "we get", "we have",
          "we know", ", which ", ", this ")  # fmt: skip
_GOING = ("first", "second", "third", "fourth", "next", "then", "final", "lastly", "after th", "once", "now", "to ")
_PASSIVE = r"(?:is|are|be) (?:then |also )?(?:\w+ly )?(?:\w+(?:ed|wn|ken|ten)|made|set|put|sent|fed)\b"
_SEQUENCE = r"(?:first(?:ly)?|second(?:ly)?|third(?:ly)?|fourth(?:ly)?|next|then|finally|lastly|after (?:that|this)|once \w+|now)"
_GOES_ON = re.compile(
    rf"\W{{0,4}}(?:{_SEQUENCE}|to (?:find|solve|calculate|get|determine|compute))\b[,:]? [^.!?]{{0,40}}?\b(?:we|you|let's|{_DOING})\b"
    rf"|\W{{0,4}}{_SEQUENCE}\b[^.!?]{{0,80}}?\b{_PASSIVE}|[^.!?]{{0,60}}\bthen (?:be|is|are|will|must|\w+(?:[^s']s|es))\b"
)


def _is_step(unit: str, low: str, procedure: bool, workshop: bool, hints: Sequence[str]) -> bool:
    """Whether one unit is a step; the flags say that enumerated items, and verbs of the workshop, make one.

    Only a unit that holds one of `hints` can infer in its middle. `low` is the unit in lower case.
    """
    if (procedure and _ITEM.match(unit)) or (workshop and _WORKSHOP.match(low)):
        return True
    if "step" in low and _STEP.match(low):
        return True
    if "=" in unit or "equal" in unit:
        if _CODE_LINE.search(unit) and "<<" not in unit:
            return bool(_CODE_COMPUTES.search(unit))
        if _COMPUTES.search(unit):
            return not unit.lstrip().startswith("####")
    bare = low.lstrip(" -*•\"'([#>\t")
    if (bare.startswith(_OPENS) or any(map(low.__contains__, hints))) and _INFERS.search(low):
        return True
    return (bare.startswith(_GOING) or " then" in low) and bool(_GOES_ON.match(low))


def _is_procedure(units: list[str]) -> bool:
    """Whether the enumerated items of a text are steps rather than a collection."""
    items = [place for place, unit in enumerate(units) if _ITEM.match(unit)]
    if len(items) < 2:
        return False
    before = " ".join(units[: items[0]])[-300:]
    if _PROCEDURE.search(before):
        return True
    return 2 * sum(bool(_DOES.match(units[place])) for place in items) >= len(items)


def _units(text: str) -> list[str]:
    """Lines, and sentences inside lines."""
    units: list[str] = []
    for line in text.split("\n"):
        if not line or line.isspace():
            continue
        if ". " in line or "? " in line or "! " in line or '" ' in line:
            units += [unit[:2000] for unit in _SENTENCE.split(line)]
        else:
            units.append(line[:2000])
    return units


def reasoning_steps(text: str) -> int:
    r"""Number of steps; linear in the length of the text.

    >>> reasoning_steps("She sold 48/2 = 24 in May. So she sold 48+24 = 72 in all.\n#### 72")
    2
    >>> reasoning_steps("Paris is the capital of France.")
    0
    """
    units = _units(text)
    lows = [unit.lower() for unit in units]  # a pattern is matched several times faster without regard to case
    procedure = len(units) > 1 and _is_procedure(units)
    workshop = len(units) > 1 and sum(map(bool, map(_WORKSHOP.match, lows))) > 1
    low = text.lower()
    hints = [hint for hint in _HINTS if hint in low]
    return sum(_is_step(unit, low, procedure, workshop, hints) for unit, low in zip(units, lows, strict=True))


@dataclasses.dataclass(frozen=True)
class ReasoningSteps(Feature):
    """`reasoning_steps@on` int32: steps that the text takes; null where there is no text."""

    on: Literal["response", "prompt"] = "response"
    version: ClassVar[int] = 2

    @property
    def needs(self) -> tuple[str, ...]:
        """The text."""
        return (self.on,)

    @property
    def gives(self) -> tuple[str, ...]:
        """One count."""
        return (f"reasoning_steps@{self.on}",)

    def compute(self, batch: pa.RecordBatch) -> Mapping[str, pa.Array]:
        """The count of each record."""
        texts: list[str | None] = batch.column(self.on).to_pylist()
        found = [None if text is None else reasoning_steps(text) for text in texts]
        return {self.gives[0]: pa.array(found, type=pa.int32())}
