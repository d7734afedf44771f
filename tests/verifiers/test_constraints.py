"""Constraints: every rule on texts that follow it and that do not, and rows that cannot be graded."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

import pytest

from triptych.core.estimate import Undefined
from triptych.verifiers.constraint_rules import RULES, sentences, words
from triptych.verifiers.constraints import Constraints
from triptych.verifiers.verifier import Verdict

CASES = [
    ("change_case:capital_word_frequency", {"capital_relation": "at least", "capital_frequency": 2}, "NASA and B2B", "NASA and Esa"),
    ("change_case:capital_word_frequency", {"capital_relation": "less than", "capital_frequency": 2}, "A dog", "A DOG"),
    ("change_case:english_capital", {}, "ALL OF IT, 3 TIMES", "ALL of it"),
    ("change_case:english_lowercase", {}, "none of it, 3 times", "None of it"),
    ("combination:repeat_prompt", {"prompt_to_repeat": "Say this. "}, "  say this. And more", "And say this."),
    ("combination:two_responses", {}, "one\n******\ntwo", "one\n******\none"),
    ("combination:two_responses", {}, "******one******two", "one******two******three"),
    ("combination:two_responses", {}, "one******two******", "one\n***\ntwo"),
    ("detectable_content:number_placeholders", {"num_placeholders": 2}, "[name] at [address]", "[name] at home"),
    ("detectable_content:postscript", {"postscript_marker": "P.S."}, "Bye\np. s. one more", "Bye\nPS one more"),
    ("detectable_content:postscript", {"postscript_marker": "P.P.S"}, "Bye\nP.P.S. more", "Bye\nP.S. more"),
    ("detectable_format:constrained_response", {}, "My answer is maybe.", "Maybe."),
    ("detectable_format:json_format", {}, '```json\n{"a": [1]}\n```', 'Here: {"a": 1}'),
    ("detectable_format:json_format", {}, "[1, 2]", "{'a': 1}"),
    ("detectable_format:json_format", {}, "[1, 2]\n```", "[1, 2]\n``"),
    ("detectable_format:json_format", {}, '```\n{"a": 1}\n```', "```\nNaN\n```"),
    ("detectable_format:multiple_sections", {"section_spliter": "SECTION", "num_sections": 2}, "SECTION 1 a SECTION 2 b", "Section 1 a SECTION 2"),
    ("detectable_format:number_bullet_lists", {"num_bullets": 2}, "So:\n* a\n  - b", "* a\n* b\n* c"),
    ("detectable_format:number_bullet_lists", {"num_bullets": 1}, "**bold**\n* a", "**bold**"),
    ("detectable_format:number_highlighted_sections", {"num_highlights": 2}, "*a* and **b c**", "*a* and * *"),
    ("detectable_format:title", {}, "<<My day>>\nIt rained", "<< >>\nIt rained"),
    ("keywords:existence", {"keywords": ["Rain", "sun"]}, "Sunny, then rainy", "Sunny"),
    ("keywords:forbidden_words", {"forbidden_words": ["rain"]}, "rainy", "Rain!"),
    ("keywords:frequency", {"keyword": "a.b", "relation": "at least", "frequency": 2}, "A.B and a.b", "a.b axb"),
    ("keywords:frequency", {"keyword": "rain", "relation": "less than", "frequency": 2}, "rain", "rain rain"),
    ("keywords:letter_frequency", {"letter": "e", "let_relation": "at least", "let_frequency": 3}, "Eee", "ee"),
    # The published checker counts a letter drawn at random in place of a sign.
    ("keywords:letter_frequency", {"letter": "!", "let_relation": "less than", "let_frequency": 1}, "no", "no!"),
    ("length_constraints:nth_paragraph_first_word", {"num_paragraphs": 2, "nth_paragraph": 2, "first_word": "weekend"},
     'One.\n\n"Weekend," he said', "One.\n\nThe weekend"),
    ("length_constraints:nth_paragraph_first_word", {"num_paragraphs": 2, "nth_paragraph": 1, "first_word": "one"},
     "**One** two\n\nthree", "One\n\ntwo\n\nthree"),
    ("length_constraints:number_paragraphs", {"num_paragraphs": 2}, "one\n***\ntwo", "one\n\ntwo"),
    ("length_constraints:number_paragraphs", {"num_paragraphs": 2}, "***one***two***", "one******two"),
    ("length_constraints:number_sentences", {"relation": "at least", "num_sentences": 2}, "One. Two", "Mr. One"),
    ("length_constraints:number_words", {"relation": "less than", "num_words": 3}, "one two", "one two three"),
    ("length_constraints:number_words", {"relation": "exactly", "num_words": 3}, "one two three", "one"),
    ("punctuation:no_comma", {}, "a b", "a, b"),
    ("startend:end_checker", {"end_phrase": "The END."}, 'So it was. "the end."  ', "The end. So it was"),
    ("startend:quotation", {}, '"a b"\n', '"a" b'),
    ("startend:start_checker", {"start_phrase": "Well"}, "well, well", "Oh well"),
]  # fmt: skip


def graded(names, kwargs, text, **params):
    return Constraints(**params).verify({"constraints": names, "kwargs": kwargs}, text)


@pytest.mark.parametrize(("name", "given", "good", "bad"), CASES)
def test_rules(name, given, good, bad):
    assert graded([name], [given], good) == Verdict(1.0)
    assert graded([name], [given], bad) == Verdict(0.0, "constraint not followed", name)
    assert graded([name], [given], "  ").score == 0


def test_every_rule_is_tested():
    assert {name for name, *_ in CASES} == set(RULES)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Dr. Li came. She sat (at 3.5 m)! Why", 3), ("", 0), ("...", 0), ("One", 1), ("One. Two. Three.", 3), ('He said "Go." She went.', 2),
        ("At 5 p.m. it rained.", 1), ("J. R. Smith wrote e.g. books.", 1), ("Wait... what? Yes!", 2), ("- a\n- b", 1), ("Really?! Yes.", 2),
        ("*Bold.* Next.", 2),
    ],
)  # fmt: skip
def test_sentences(text, count):
    assert sentences(text) == count


def test_words():
    assert words("It's 3.5, isn't it?") == 7


def test_several_and_shares():
    names = ["punctuation:no_comma", "length_constraints:number_words"]
    kwargs = [{}, {"relation": "at least", "num_words": 3, "num_bullets": None}]
    assert graded(names, kwargs, "One two three") == Verdict(1.0)
    assert graded(names, kwargs, "One, two").score == 0
    assert graded(names, kwargs, "One, two").detail == ", ".join(names)
    assert graded(names, kwargs, "One, two three", share=True).score == 0.5


def test_loose():
    name, given = "detectable_format:json_format", {}
    text = 'Here it is:\n{"a": 1}'
    assert graded([name], [given], text).score == 0
    assert graded([name], [given], text, loose=True) == Verdict(1.0)
    assert graded(["startend:quotation"], [{}], '**"a"**', loose=True) == Verdict(1.0)


def test_other_fields_and_texts():
    row = {"instruction_id_list": '["punctuation:no_comma"]', "kwargs": "[{}]"}
    assert Constraints().verify(row, "a") == Verdict(1.0)
    assert (
        Constraints(field="mine", kwargs="args").verify({"mine": "punctuation:no_comma", "args": None}, "a,").score == 0
    )
    assert Constraints(field="mine").lacks({"mine": [], "constraints": ["punctuation:no_comma"]})


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({}, 'a list of constraints in "constraints"'),
        ({"constraints": [3]}, "a list of constraints"),
        ({"constraints": ["punctuation:no_comma"], "kwargs": []}, 'one object in "kwargs" for each of 1'),
        ({"constraints": ["punctuation:no_comma"], "kwargs": [3]}, 'one object in "kwargs"'),
    ],
)
def test_rows_that_lack_something(row, says):
    assert says in Constraints().lacks(row)
    assert isinstance(Constraints().verify(row, "a"), Undefined)


@pytest.mark.parametrize(
    ("name", "given", "says"),
    [
        ("language:response_language", {"language": "de"}, 'no rule for "language:response_language"'),
        ("punctuation:no_coma", {}, 'did you mean "punctuation:no_comma"?'),
        ("length_constraints:number_words", {"relation": "about", "num_words": 3}, '"about" is none of'),
        ("length_constraints:number_words", {"relation": "at least"}, "KeyError: 'num_words'"),
        ("keywords:existence", {"keywords": "rain"}, "want a list of texts"),
        ("length_constraints:number_words", {"relation": "at least", "num_words": "many"}, "ValueError"),
    ],
)
def test_what_cannot_be_graded_has_no_verdict(name, given, says):
    row = {"constraints": ["punctuation:no_comma", name], "kwargs": [{}, given]}
    assert Constraints().lacks(row) == ""
    found = Constraints(share=True).verify(row, "a, b")
    assert isinstance(found, Undefined)
    assert says in found.reason


def test_share_of_real_prompts_that_are_covered():
    folder = os.environ.get("TRIPTYCH_DATA")
    path = Path(folder or ".") / "ifeval_prompts.jsonl.gz"
    if not folder or not path.is_file():
        pytest.skip("needs TRIPTYCH_DATA with ifeval_prompts.jsonl.gz")
    with gzip.open(path) as file:
        rows = [json.loads(line) for line in file]
    named = [name for row in rows for name in row["constraints"]]
    known = [name in RULES for name in named]
    found = [Constraints().verify(row, "A short reply, with nothing to it.") for row in rows]
    covered = [each for each in found if isinstance(each, Verdict)]
    print(f"\n{len(set(named) & set(RULES))} of {len(set(named))} kinds, {sum(known)} of {len(known)} constraints, "
          f"{len(covered)} of {len(rows)} prompts")  # fmt: skip
    assert set(named) - set(RULES) == {"language:response_language"}
    assert all(isinstance(each, Verdict) or "language:response_language" in each.reason for each in found)
