"""Numbers and formulas: what is the answer, and whether two are one."""

from __future__ import annotations

import importlib.util
import json
import os
import time
from fractions import Fraction
from gzip import open as gzip_open
from pathlib import Path

import pytest

from triptych.core.errors import MissingExtraError
from triptych.core.estimate import Undefined
from triptych.verifiers import latex
from triptych.verifiers.answers import Number, final_answer, last_number, plain_number
from triptych.verifiers.number import NumberVerifier
from triptych.verifiers.verifier import Verdict

needs_library = pytest.mark.skipif(importlib.util.find_spec("math_verify") is None, reason="needs the extra verify")


def score(gold, said, **params):
    found = NumberVerifier(**params).verify({"answer": gold}, said)
    return found.reason if isinstance(found, Undefined) else found.score


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("18", 18), ("18.", 18), ("-5", -5), ("−5", -5), ("+5", 5), ("(-3)", -3), (".5", Fraction(1, 2)),
        ("1,250", 1250), ("1,234,567.5", Fraction(12345675, 10)), ("1{,}000", 1000), ("1\u202f000", 1000), ("10\\,000", 10000),
        ("$70,000.00", 70000), ("\\$5", 5), ("-$5", -5), ("$-5", -5), ("€3", 3),
        ("1/2", Fraction(1, 2)), ("-1/2", Fraction(-1, 2)), ("2 1/2", Fraction(5, 2)), ("½", Fraction(1, 2)), ("2½", Fraction(5, 2)),
        ("\\frac{3}{4}", Fraction(3, 4)), ("\\dfrac{3}{4}", Fraction(3, 4)), ("\\frac34", Fraction(3, 4)), ("2\\frac{1}{2}", Fraction(5, 2)),
        ("1.5e3", 1500), ("1.5 \\times 10^3", 1500), ("1.5×10^{-1}", Fraction(15, 100)), ("3 million", 3 * 10**6),
        ("18 dollars", 18), ("5 km/h", 5), ("20 cm^2", 20), ("5m", 5), ("12 eggs a day", 12), ("18\\text{ apples}", 18), ("90°", 90),
        ("**18**", 18), ("$18$", 18), ("x = 18", 18), ("\\(18\\)", 18), ("$\\frac{1}{2}$.", Fraction(1, 2)),
        ("2x", None), ("5i", None), ("3 and 4", None), ("2 pi", None), ("\\sqrt{2}", None), ("1,5", None), ("1/0", None), ("", None),
        ("eighteen", None), ("1" * 300, None), ("3 + 4", None), ("(1, 2)", None), ("12:30", None),
    ],
)  # fmt: skip
def test_plain_numbers(text, value):
    found = plain_number(text)
    assert (None if found is None else found.value) == value


@pytest.mark.parametrize(
    ("text", "answer", "marked"),
    [
        ("5 + 4 = 9\n#### 9", "9", True),
        ("so \\boxed{\\frac{1}{2}} it is", "\\frac{1}{2}", True),
        ("\\boxed{1} no, \\boxed{2}", "2", True),
        ("#### 1\n\\boxed{2}", "2", True),
        ("\\boxed{2}\n#### 1", "1", True),
        ("#### \\boxed{3}", "3", True),
        ("\\boxed 7", "7", True),
        ("\\boxed{3", "3", False),
        ("The answer is 18 dollars. She has 3 ducks.", "18 dollars", True),
        ("The answer is found by adding 3 and 4, so 7", "7", False),
        ("A: 26", "26", True),
        ("<think>#### 4</think>It is 5", "5", False),
        ("16-3", "3", False),
        ("it costs $1,250.50.", "$1,250.50", False),
        ("nothing", "", False),
        ("####", "", True),
    ],
)
def test_final_answers(text, answer, marked):
    found = final_answer(text)
    assert (found.text, found.marked) == (answer, marked)


@pytest.mark.parametrize(
    ("gold", "said", "wanted"),
    [
        ("#### 1,250", "so she pays \\boxed{1250 \\text{ dollars}}", 1),
        ("18", "18.0", 1), ("18", "18.5", 0), ("18", "-18", 0), ("0", "0.0", 1),
        ("50%", "0.5", 1), ("0.5", "50%", 1), ("50", "50%", 1), ("50%", "50%", 1), ("50%", "5", 0), ("50%", "0.5%", 0),
        ("0.3333333", "1/3", 1), ("0.33", "1/3", 0),
        ("4", "A: 16-12=4", 1), ("4", "the answer is 4 ducks, for she sold 3", 1),
        ("She has 3 ducks and 4 hens.\nA: 7", "7", 1),
        ("She has 3 ducks and 4 hens, which makes 7 birds", "7", 1),
    ],
)  # fmt: skip
def test_numbers_are_compared(gold, said, wanted):
    assert score(gold, said) == wanted


def test_tolerance():
    assert score("0.33", "1/3", tolerance=0.02) == 1
    assert score("100", "101", tolerance=0.02) == 1
    assert score("100", "103", tolerance=0.02) == 0
    with pytest.raises(ValueError, match="tolerance must be in"):
        NumberVerifier(tolerance=-1)


def test_no_answer_is_wrong_and_says_why():
    verifier = NumberVerifier()
    assert verifier.verify({"answer": 18}, "I do not know") == Verdict(0.0, "no answer")
    assert verifier.verify({"answer": 18}, "") == Verdict(0.0, "no answer")
    assert verifier.verify({"answer": 18}, "#### 19") == Verdict(0.0, "another answer", "19, not 18")


@pytest.mark.parametrize("row", [{}, {"answer": None}, {"answer": ""}, {"answer": True}, {"other": 3}])
def test_a_row_without_an_answer_has_no_verdict(row):
    verifier = NumberVerifier()
    assert "an answer" in verifier.lacks(row)
    assert isinstance(verifier.verify(row, "18"), Undefined)


def test_a_row_with_words_for_an_answer_is_refused():
    assert 'it is "Paris"' in NumberVerifier().lacks({"answer": "Paris"})


def test_where_the_answer_stands():
    row = {"answer": "1", "response": "2", "gold": "3"}
    assert NumberVerifier().verify(row, "1") == Verdict(1.0)
    assert NumberVerifier(field="gold").verify(row, "3") == Verdict(1.0)
    assert NumberVerifier().verify({"response": "so 2"}, "2") == Verdict(1.0)
    assert 'the field "gone"' in NumberVerifier(field="gone").lacks(row)


def test_without_the_library_formulas_have_no_verdict(monkeypatch):
    monkeypatch.setattr(latex, "installed", lambda: False)
    assert score("18", "\\boxed{18}") == 1
    assert score("2", "\\boxed{\\sqrt{4}}") == "a formula is compared with the extra verify only"
    with pytest.raises(MissingExtraError, match="math-verify is not installed") as error:
        NumberVerifier().lacks({"answer": "\\sqrt{2}"})
    assert "triptych[verify]" in str(error.value)


@needs_library
@pytest.mark.parametrize(
    ("gold", "said", "wanted"),
    [
        ("2", "\\boxed{\\sqrt{4}}", 1),
        ("\\frac{\\sqrt{3}}{2}", "so it is $\\frac{\\sqrt{3}}{2}$.", 1),
        ("\\frac{\\sqrt{3}}{2}", "\\boxed{\\frac{3}{2\\sqrt{3}}}", 1),
        ("\\frac{\\sqrt{3}}{2}", "\\boxed{\\frac{\\sqrt{2}}{2}}", 0),
        ("$(1, 2]$", "\\boxed{(1,2]}", 1),
        ("$(1, 2]$", "\\boxed{(1,2)}", 0),
        ("\\{1, 2\\}", "\\boxed{\\{2, 1\\}}", 1),
        ("x^2 + 2x + 1", "\\boxed{(x+1)^2}", 1),
        ("\\pi", "\\boxed{3}", 0),
    ],
)
def test_formulas_are_compared_by_the_library(gold, said, wanted):
    assert score(gold, said) == wanted


@needs_library
def test_a_bomb_costs_its_own_record_only():
    bomb = "\\boxed{9^{9^{9^{9}}} + \\sqrt{2}}"
    verifier = NumberVerifier(timeout=3)
    rows = [{"answer": "\\sqrt{2}"}, {"answer": "\\sqrt{2}"}, {"answer": "7"}, {"answer": "\\sqrt{3}"}]
    start = time.monotonic()
    first, bombed, plain, last = verifier.verify_all(rows, ["$\\sqrt{2}$", bomb, "7", "$\\sqrt{3}$"])
    assert time.monotonic() - start < 60
    assert first == plain == last == Verdict(1.0)
    assert bombed == Verdict(0.0, "another answer") or isinstance(bombed, Undefined)


def test_equality_is_symmetric():
    one, other = Number(Fraction(50), percent=True), Number(Fraction(1, 2))
    assert one.equals(other, 0)
    assert other.equals(one, 0)


def test_huge_text_is_read_in_no_time():
    start = time.process_time()
    for text in (
        "1," * 20000,
        "9" * 50000,
        "{" * 50000 + "\\boxed{" * 500,
        "-" * 50000,
        "1 " * 20000,
        "$" * 20000,
        "a = " * 9999,
    ):
        final_answer(text)
        last_number(text)
        plain_number(text)
        score("18", text)
    assert time.process_time() - start < 5


@pytest.mark.slow
def test_agreement_with_labels_on_real_solutions():
    folder = os.environ.get("TRIPTYCH_DATA")
    path = Path(folder or ".") / "gsm8k_model_solutions.jsonl.gz"
    if not folder or not path.is_file():
        pytest.skip("needs TRIPTYCH_DATA with gsm8k_model_solutions.jsonl.gz")
    with gzip_open(path) as file:
        rows = [json.loads(line) for line in file]
    gold = {row["prompt_id"]: row["response"] for row in rows if row["model"] == "human"}
    rows = [row for row in rows if row["model"] != "human"]
    start = time.process_time()
    found = NumberVerifier().verify_all(
        [{"response": gold[row["prompt_id"]]} for row in rows], [row["response"] for row in rows]
    )
    seconds = time.process_time() - start
    graded = [(row["correct"], each.score) for row, each in zip(rows, found, strict=True) if isinstance(each, Verdict)]
    agree = sum(label == said for label, said in graded)
    print(
        f"\n{agree} of {len(rows)} agree, {len(rows) - len(graded)} without a verdict, {len(rows) / seconds:.0f} a CPU second"
    )
    assert agree / len(rows) > 0.999
