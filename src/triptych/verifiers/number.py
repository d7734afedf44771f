r"""Numeric and LaTeX answers: the final answer of a response is that of the row.

Two plain numbers are compared exactly, as fractions, up to `tolerance`: thousands separators, fractions, mixed numbers,
percents (50% equals 50 and 0.5), powers of ten and words of scale (2 million) are read, units are dropped and not
compared, decimal commas are not read. Everything else (roots, intervals, sets, formulas) is compared by math-verify, in
a process of its own with limits on time and memory: the extra `verify`.

A response with no answer in it is wrong, not ungraded. What cannot be compared has no verdict.

Worked example: a row whose answer is "#### 1,250" and the response "so she pays \boxed{1250 \text{ dollars}}": 1.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from triptych.core.estimate import Undefined
from triptych.verifiers.answers import Answer, Number, final_answer, last_number, leading_number, plain_number
from triptych.verifiers.latex import Pair, compare, need_library
from triptych.verifiers.verifier import RIGHT, Judgement, Verdict, Verifier, check_positive, first_field

NO_ANSWER, ANOTHER = "no answer", "another answer"
_PROSE = re.compile(r"(?<![A-Za-z])(?!(?:sin|cos|tan|log|ln|exp|sqrt|pi)(?![A-Za-z]))[A-Za-z]{2,}")
_FORMULA = set("\\^=()[]{}+*/<>|")


@dataclass(frozen=True)
class NumberVerifier(Verifier):
    """1 where the final answer of the response equals that of the row, else 0.

    Attributes:
        field: of the row that holds the answer, or a text that ends with it; empty: `answer`, else the reference.
        tolerance: share of the larger number by which two numbers may differ.
        timeout: seconds for one comparison of formulas.
    """

    name: ClassVar[str] = "number"

    field: str = ""
    tolerance: float = 1e-6
    timeout: float = 5.0

    def __post_init__(self) -> None:
        """Check the parameters.

        Raises:
            ValueError: one is out of range.
        """
        if not 0 <= self.tolerance < 1:
            raise ValueError(f"tolerance must be in [0, 1), got {self.tolerance}")
        check_positive(self, "timeout")

    def lacks(self, row: Mapping[str, Any]) -> str:
        """What the row lacks to be graded by, in words; empty where it lacks nothing.

        Raises:
            MissingExtraError: its answer is a formula, and math-verify is not installed.
        """
        text, number = self._reference(row)
        if not text:
            return f'an answer in the field "{self.field}"' if self.field else 'an answer in "answer" or its reference'
        if number is None:
            if not (any(sign.isdigit() for sign in text) or _FORMULA & set(text) or len(text) == 1):
                return f'a number or a formula as its answer (it is "{text[:60]}")'
            need_library()
        return ""

    def verify(self, row: Mapping[str, Any], response: str) -> Judgement:
        """Grade one response."""
        return self.verify_all([row], [response])[0]

    def verify_all(self, rows: Sequence[Mapping[str, Any]], responses: Sequence[str]) -> list[Judgement]:
        """Grade one response to each row, in order. Formulas are compared together, in one process."""
        out: list[Judgement | None] = []
        pairs: list[Pair] = []
        for row, said in zip(rows, responses, strict=True):
            found = self._plainly(row, said)
            out.append(None if isinstance(found, Pair) else found)
            pairs += [found] if isinstance(found, Pair) else []
        compared = iter(compare(pairs, self.timeout))
        return [_judged(next(compared)) if judged is None else judged for judged in out]

    def _plainly(self, row: Mapping[str, Any], response: str) -> Judgement | Pair:
        """The verdict where two plain numbers or the lack of an answer decide, else what math-verify is to compare."""
        text, number = self._reference(row)
        if not text:
            return Undefined("the row has no answer")
        answer = final_answer(response)
        said = _said(answer)
        if number is not None and said is not None:
            if number.equals(said, self.tolerance):
                return RIGHT
            return Verdict(0.0, ANOTHER, f"{answer.text[:60]}, not {text[:60]}")
        if number is not None and not answer.marked:
            return Verdict(0.0, NO_ANSWER)
        if not response.strip() or (answer.marked and not answer.text):
            return Verdict(0.0, NO_ANSWER)
        return Pair(text, answer.text if answer.marked else response, whole=not answer.marked)

    def _reference(self, row: Mapping[str, Any]) -> tuple[str, Number | None]:
        """The row's answer as written and, where it is one, as a number."""
        field = self.field or first_field(row, ("answer", "response"))
        value = row.get(field)
        if isinstance(value, bool) or value is None:
            return "", None
        text = str(value).strip()
        number = plain_number(text)
        if number is not None:
            return text, number
        answer = final_answer(text)
        if answer.marked:
            return answer.text, _said(answer)
        # A solution ends with its number; a formula is all answer.
        last = last_number(text) if _PROSE.search(text) and not {"\\", "^"} & set(text) else None
        return (last, plain_number(last)) if last else (text, None)


def _said(answer: Answer) -> Number | None:
    """The number that an answer is, or ends with behind `=`, or begins with where it goes on in words."""
    number = plain_number(answer.text) or plain_number(answer.text.rpartition("=")[2])
    if number is None and len(answer.text.split()) > 2 and "\\" not in answer.text:
        number = leading_number(answer.text)
    return number


def _judged(equal: bool | str) -> Judgement:
    if isinstance(equal, str):
        return Undefined(equal)
    return RIGHT if equal else Verdict(0.0, ANOTHER)
