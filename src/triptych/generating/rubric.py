"""A judge's question about one record, and its answer as a number in [0, 1].

The words and the scale from 1 to 6 are those of `annotating.rubric`; a recipe may say what counts. An answer without one
number of the scale is no grade: it is never taken for a low one.
"""

from __future__ import annotations

from triptych.annotating.annotator import Item
from triptych.annotating.rubric import GRADES, SYSTEM, Grade, grade
from triptych.annotating.rubric import question as asked
from triptych.endpoints.replies import Reply
from triptych.generating.ask import Ask, Said

TOKENS = 16
"""That a judge may write; one that thinks before it grades needs hundreds."""


def question(prompt: str, response: str, rubric: str = "", tokens: int = TOKENS) -> Ask:
    """What a judge is asked, with greedy decoding.

    Args:
        prompt: of the record, not empty.
        response: of the record, not empty.
        rubric: what makes a response good here; "": nothing special.
        tokens: that it may write.
    """
    text = asked(Item(b"", prompt, response), "quality") or ""
    before = f"What counts here: {rubric}\n\n" if rubric else ""
    return Ask.of(before + text, "judge", system=SYSTEM, temperature=0.0, max_tokens=tokens)


def read_grade(said: Said) -> float | str:
    """The grade in an answer, (grade - 1) / 5; why there is none where it holds none, or several.

    >>> read_grade(Said("4")), read_grade(Said("6/6")), read_grade(Said("Good!"))
    (0.6, 1.0, 'the reply holds no grade')
    """
    if said.text is None:
        return said.reason
    found = grade(Reply(said.text, said.finish or None))
    if not isinstance(found, Grade):
        return found
    return (found.value - GRADES[0]) / (GRADES[-1] - GRADES[0])
