"""What a judge is asked, and what its reply says."""

from __future__ import annotations

import math

import pytest

from triptych.annotating.annotator import Item
from triptych.annotating.rubric import CUT, NO_GRADE, OUTSIDE, SEVERAL, Grade, grade, question
from triptych.endpoints.replies import Reply

P, R = "Name a river.", "The Elbe."


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("4", 4), (" 4\n", 4), ("**4**", 4), ("Grade: 4", 4), ("4/6", 4), ("4 out of 6", 4), ("I say 4.", 4),
        ("<think>1 or 6? 2+2</think>\n5", 5), ("3. It is a 3.", 3), ("4 / 6.", 4),
    ],
)  # fmt: skip
def test_a_grade_is_read(text, value):
    assert grade(Reply(text)) == Grade(float(value), None)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", NO_GRADE), ("This is a fine response.", NO_GRADE), ("I cannot grade this.", NO_GRADE), ("four", NO_GRADE),
        ("4 or 5", SEVERAL), ("between 3-4", SEVERAL), ("4/10", SEVERAL), ("Step 1: it is 5", SEVERAL),
        ("7", OUTSIDE), ("0", OUTSIDE), ("45", OUTSIDE), ("4.5", OUTSIDE), ("-3", OUTSIDE), ("4,5", OUTSIDE),
        ("100", OUTSIDE),
    ],
)  # fmt: skip
def test_what_is_no_grade_is_no_number(text, why):
    assert grade(Reply(text)) == why


def test_a_reply_that_was_cut_off_says_so():
    assert grade(Reply("Well, let me", "length")) == CUT
    assert grade(Reply("<think>Perhaps a 4", "length")) == CUT
    assert grade(Reply("4", "length")) == Grade(4.0, None)


def test_the_expected_grade_and_the_mass_by_hand():
    shares = {"4": 0.5, "5": 0.2, " 5": 0.1, "10": 0.05, "The": 0.1}
    told = tuple((word, math.log(p)) for word, p in shares.items())
    found = grade(Reply("4", tops=(("4", told),)))
    assert found.value == pytest.approx((4 * 0.5 + 5 * 0.3) / 0.8)
    assert found.mass == pytest.approx(0.8)


def test_the_place_of_the_grade_is_read_and_no_other():
    sure, other = (("2", math.log(0.9)), ("3", math.log(0.1))), (("5", 0.0),)
    reply = Reply("Grade: 2.", tops=(("Grade", other), (":", other), (" 2", sure), (".", other)))
    assert grade(reply).value == pytest.approx(2.1)
    # A place that is not among the tokens, or holds no grade: the word stands alone, without a mass.
    assert grade(Reply("2", tops=(("two", sure),))) == Grade(2.0, None)
    assert grade(Reply("2", tops=(("2", (("x", -0.1),)),))) == Grade(2.0, None)
    # Servers that round have probabilities above 1.
    assert grade(Reply("2", tops=(("2", (("2", 1e-3),)),))) == Grade(2.0, 1.0)


def test_what_is_asked_depends_on_the_texts_there_are():
    def asked(prompt, response, criterion="quality"):
        return question(Item(b"", prompt, response), criterion)

    assert asked(None, None) is None
    assert asked("", " \n") is None
    both = asked(P, R)
    assert P in both
    assert R in both
    assert both.index(P) < both.index(R)
    assert "request" not in asked(None, R)
    assert "response" not in asked(P, None)
    assert "response" in asked(P, "")  # an empty response is a bad one; it is no request without a response
    assert R not in asked(P, R, "complexity")
    assert asked(P, R, "complexity") == asked(P, "Another.", "complexity") == asked(P, None, "complexity")
    assert R in asked(None, R, "complexity")
    assert len({asked(P, R), asked(P, None), asked(None, R), asked(P, R, "complexity")}) == 4
