r"""Final answers: where a text gives its answer, and what number that is.

The answer stands after the last `####`, in the last `\boxed{}`, after "answer is", "answer:" or a line's "A:", and failing
all of these it is the last number of the text. What stands before `</think>` is no answer.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from fractions import Fraction

LONGEST = 200
"""Characters of a number at most: what is longer is read by no rule here."""

_WHOLE = r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)"
_DECIMAL = rf"(?:{_WHOLE}(?:\.\d+)?|\.\d+)"
_POWER = r"(?:[eE](?P<e{0}>[+-]?\d{{1,3}})(?![\d.])|\s*(?:\\times|\\cdot|×|\*)\s*10\s*\^\s*\{{?\s*(?P<t{0}>[+-]?\d{{1,3}})\s*\}}?)?"
_CURRENCY = r"(?:US)?[$€£¥₹]?\s*"
_PLAIN = re.compile(
    rf"(?P<sign>[-+]?)\s*{_CURRENCY}(?P<sign2>-?)"
    rf"(?:(?:(?P<mixed>\d+)\s+|(?P<glued>\d+)(?=\\frac))?"
    rf"(?:(?P<up>\d+)\s*/\s*(?P<down>\d+)"
    rf"|\\frac\s*\{{\s*(?P<fsign>-?)(?P<fup>{_DECIMAL})\s*\}}\s*\{{\s*(?P<fdown>{_DECIMAL})\s*\}})"
    rf"|(?P<value>{_DECIMAL}){_POWER.format(1)})"
    r"(?P<scale>\s*(?:thousand|million|billion|trillion)\b)?(?P<percent>\s*(?:%|percent\b|per cent\b))?"
)
_NUMBER_AHEAD = r"(?=[\s*_`$€£¥(\[{\\-]*(?:\d|\.\d|\\[dt]?frac|\\boxed|\\sqrt|\\pi|[½¼¾⅓⅔]))"
_PHRASE = re.compile(
    rf"(?:\banswer\s*(?:is|:|=|\*\*:|:\*\*)|^\s*A\s*:)\s*(?:about|approximately|equal to)?{_NUMBER_AHEAD}",
    re.IGNORECASE | re.MULTILINE,
)
_SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_UNIT = re.compile(r"\s*(?:[A-Za-zµμΩ°²³]+(?:\s*\^?\s*\{?-?[1-9]\}?)?[./\s-]*){0,6}")
_NO_UNIT = re.compile(
    r"\b(?:and|or|to|pi|sqrt|times|plus|minus|over|sin|cos|tan|log|ln|exp|mod|is|equals|i|j|x|y|z|n|k|a|b|c|d|e|f|p|q|r|t|u|v|w)\b"
)
_GLUED_VARIABLE = re.compile(r"[a-z](?![A-Za-z])")
_ONE_LETTER_UNITS = frozenset("mglshLVAWKCFJNT")


@dataclass(frozen=True, slots=True)
class Number:
    """A number as written.

    Attributes:
        value: exact; of "50%" it is 50.
        percent: whether a percent sign follows.
    """

    value: Fraction
    percent: bool = False

    def equals(self, other: Number, tolerance: float) -> bool:
        """Whether the two are equal up to a share `tolerance` of the larger; "50%" equals 50 and 0.5."""
        if self.percent == other.percent:
            return _near(self.value, other.value, tolerance)
        share, whole = (self, other) if self.percent else (other, self)
        return _near(share.value, whole.value, tolerance) or _near(share.value / 100, whole.value, tolerance)


@dataclass(frozen=True, slots=True)
class Answer:
    """A text's final answer.

    Attributes:
        text: as written; for a text without a mark of an answer, its last number, or nothing.
        marked: whether the text says that this is its answer.
    """

    text: str
    marked: bool


def final_answer(text: str) -> Answer:
    """Where a text gives its answer."""
    text = text.rpartition("</think>")[2]
    hashes = text.rfind("####")
    boxed = _boxed(text)
    if hashes >= 0 and (boxed is None or hashes > boxed[0]):
        line = text[hashes:].lstrip("#").lstrip().splitlines()
        inner = _boxed(line[0]) if line else None
        return Answer(inner[1] if inner else line[0].strip() if line else "", marked=True)
    if boxed is not None:
        return Answer(boxed[1], marked=True)
    phrases = list(_PHRASE.finditer(text))
    if phrases:
        rest = text[phrases[-1].end() :].lstrip().splitlines()
        return Answer(re.split(r"\.(?:\s|$)", rest[0])[0].strip(), marked=True)
    last = last_number(text)
    return Answer("" if last is None else last, marked=False)


def plain_number(text: str) -> Number | None:
    r"""The number that a text is, its unit aside, or None where it is anything else.

    Worked example: "1,250 dollars" is 1250, "2 1/2" is 5/2, "\frac{3}{4}" is 3/4, "12.5%" is 12.5 percent, "2x" is none.
    """
    text = cleaned(text)
    if not text or len(text) > LONGEST:
        return None
    found = _PLAIN.match(text)
    return _number(found) if found and _is_unit(text[found.end() :]) else None


def leading_number(text: str) -> Number | None:
    """The number that a text begins with, or None: "18 dollars, for she sells 9" is 18."""
    text = cleaned(text)[:LONGEST]
    found = _PLAIN.match(text)
    if not found:
        return None
    glued = text[found.end() : found.end() + 1]
    return None if glued and (glued.isalnum() or glued in "\\^/*(_+=") else _number(found)


def last_number(text: str) -> str | None:
    """The last number of a text, as written with its sign, fraction, scale and percent sign; None where it has none."""
    found = None
    for match in _PLAIN.finditer(_straight(text)):
        before = match.string[: match.start()].rstrip()[-1:]
        written = match.group().strip()
        # "16-3" ends with 3, not with -3; "US" and the like are of the currency.
        found = written.lstrip("+-") if before and (before.isalnum() or before == ")") else written
    return found


def cleaned(text: str) -> str:
    """The text of an answer without what is around it: dollar signs of formulas, emphasis, `x =`, a full stop."""
    text = _straight(text).strip()
    for _ in range(4):  # wrappers stand in wrappers: **$18$.**
        short = text.strip().strip("*_`").strip()
        short = re.sub(r"^\\[(\[](.*)\\[)\]]$", r"\1", short, flags=re.DOTALL)
        short = re.sub(r"^\$+([^$]*?)\$+$", r"\1", short, flags=re.DOTALL)
        short = re.sub(r"^\(([^(),]*)\)$", r"\1", short)
        short = re.sub(r"^[A-Za-z]\s*=\s*", "", short).rstrip(".,;:! ")
        if short == text:
            break
        text = short
    return text.strip()


def _straight(text: str) -> str:
    r"""Other signs for the same as one: minus, fractions in one sign, LaTeX spaces, `\text{}`, `\dfrac`, `\%`."""
    text = re.sub(r"[¼-¾⅐-⅞]", lambda found: " " + unicodedata.normalize("NFKC", found[0]).replace("⁄", "/"), text)
    text = text.replace("−", "-").replace("–", "-").replace("\\%", "%").replace("\\$", "$").replace("{,}", ",")
    text = re.sub(r"\\[dtc]frac", r"\\frac", text)
    text = re.sub(r"\\frac\s*(\d)\s*(\d)", r"\\frac{\1}{\2}", text)
    text = re.sub(r"\\(?:text|textbf|mathrm|mathbf|mbox)\s*\{([^{}]*)\}", r" \1", text)
    text = re.sub(r"(?<=\d)(?:\\,|\\!|\u2009|\u202f|\u00a0)(?=\d{3}(?!\d))", "", text)
    return re.sub(r"\\[,!;: ]|\\left|\\right|~|\u00a0|\u202f|\u2009", " ", text)


def _number(found: re.Match[str]) -> Number | None:
    """The number of a match; None where it divides by nothing."""
    part = found.groupdict()
    if part["value"]:
        value = _fraction(part["value"])
        power = part["e1"] or part["t1"]
        value *= Fraction(10) ** int(power) if power else 1
    else:
        up, down = _fraction(part["up"] or part["fup"]), _fraction(part["down"] or part["fdown"])
        if not down:
            return None
        value = (-1 if part["fsign"] else 1) * up / down + int(part["mixed"] or part["glued"] or 0)
    if part["scale"]:
        value *= _SCALES[part["scale"].strip()]
    negative = (part["sign"] == "-") != (part["sign2"] == "-")
    return Number(-value if negative else value, percent=part["percent"] is not None)


def _fraction(digits: str) -> Fraction:
    return Fraction(digits.replace(",", ""))


def _near(one: Fraction, other: Fraction, tolerance: float) -> bool:
    return abs(one - other) <= Fraction(tolerance) * max(abs(one), abs(other))


def _is_unit(rest: str) -> bool:
    """Whether what follows a number is a unit (or nothing) and no further formula: "dollars per day", not "x" or "and 3"."""
    if not rest.strip(" .,;!)"):
        return True
    glued = not rest[0].isspace()
    rest = rest.strip(" .,;!)")
    if _UNIT.fullmatch(rest) is None:
        return False
    if len(rest) == 1:
        return rest in _ONE_LETTER_UNITS or rest == "°"
    if glued and _GLUED_VARIABLE.match(rest):
        return rest[0] in _ONE_LETTER_UNITS
    words = re.sub(r"\b[mglshLVAWKCFJNT]\b", "", rest)
    words = re.sub(r"\ba\b", "", words) if re.search(r"[A-Za-z]{2}", words) else words
    return _NO_UNIT.search(words) is None


def _boxed(text: str) -> tuple[int, str] | None:
    r"""Where the last `\boxed{..}` begins and what is in it, braces balanced; None where there is none that closes."""
    at = text.rfind("\\boxed")
    while at >= 0:
        begin = at + len("\\boxed")
        rest = text[begin:].lstrip()
        begin = len(text) - len(rest)
        if rest.startswith("{"):
            depth = 0
            for place in range(begin, len(text)):
                depth += {"{": 1, "}": -1}.get(text[place], 0)
                if not depth:
                    return at, text[begin + 1 : place].strip()
        elif rest:
            return at, rest.split()[0].rstrip(".$")
        at = text.rfind("\\boxed", 0, at)
    return None
