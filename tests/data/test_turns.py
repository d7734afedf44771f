"""Turns of a conversation: sides, tool calls, typed parts, what Arrow adds."""

import pyarrow as pa
import pytest

from triptych.data.turns import common_prompt, split_turns, turn_text
from triptych.data.values import MisfitError


@pytest.mark.parametrize("arguments", [{"city": "Bern", "days": 2}, '{"days": 2, "city": "Bern"}'])
def test_tool_calls_are_canonical(arguments):
    call = {"type": "function", "function": {"name": "weather", "arguments": arguments}}
    assert (
        turn_text({"role": "assistant", "content": None, "tool_calls": [call]}) == 'weather({"city":"Bern","days":2})'
    )


def test_tool_calls_follow_the_content():
    turn = {"role": "assistant", "content": "Let me look.", "tool_calls": [{"name": "look", "arguments": {}}]}
    assert turn_text(turn) == "Let me look.\nlook({})"


def test_arguments_that_are_no_json_stay():
    assert turn_text({"role": "assistant", "function_call": {"name": "f", "arguments": "{oops"}}) == "f({oops)"


@pytest.mark.parametrize("calls", ['[{"name": "f", "arguments": {"x": 1}}]', {"name": "f", "arguments": {"x": 1}}])
def test_tool_calls_as_json_or_one_object(calls):
    assert turn_text({"role": "assistant", "tool_calls": calls}) == 'f({"x":1})'


def test_typed_parts_are_joined():
    parts = [{"type": "text", "text": "a"}, {"type": "image", "url": "x.png"}, {"type": "text", "text": "b"}]
    assert turn_text({"role": "user", "content": parts}) == "a\nb"


def test_sides():
    turns = [
        {"role": "system", "content": "s"},
        {"role": "user", "content": "u"},
        {"role": "assistant", "content": "", "tool_calls": [{"name": "f", "arguments": {"x": 1}}]},
        {"role": "tool", "content": "42"},
        {"role": "assistant", "content": "done"},
    ]
    assert split_turns(turns) == ("s\n\nu\n\n42", 'f({"x":1})\n\ndone')


def test_empty_and_absent_sides_differ():
    assert split_turns([{"role": "user", "content": "u"}]) == ("u", None)
    assert split_turns([{"role": "user", "content": "u"}, {"role": "assistant", "content": ""}]) == ("u", "")


def test_unknown_role():
    with pytest.raises(MisfitError, match='turn 2 has the unknown role "narrator"'):
        split_turns([{"role": "user", "content": "u"}, {"role": "narrator", "content": "n"}])


def test_common_prompt_leaves_an_answer():
    turns = [{"role": "user", "content": "u"}, {"role": "assistant", "content": "a"}]
    assert common_prompt(turns, turns) == 1


def test_nulls_that_arrow_adds_are_no_content(texts):
    rows = [
        {"messages": [{"role": "user", "content": "u"}, {"role": "assistant", "content": "a"}]},
        {
            "messages": [
                {"role": "user", "content": "u"},
                {"role": "assistant", "tool_calls": [{"name": "f", "arguments": {"x": 1}}]},
                {"role": "assistant", "tool_calls": [{"name": "g", "arguments": {"y": 1}}]},
            ]
        },
    ]
    expected = [("u", "a"), ("u", 'f({"x":1})\n\ng({"y":1})')]
    assert texts(rows) == expected
    assert texts(pa.Table.from_pylist(rows)) == expected
