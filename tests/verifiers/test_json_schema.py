"""JSON in responses, and whether it fits the schema of its row."""

from __future__ import annotations

import importlib.util
import json

import pytest

from triptych.core.errors import MissingExtraError
from triptych.core.estimate import Undefined
from triptych.verifiers.json_schema import JsonSchema
from triptych.verifiers.jsontext import fenced, read_json
from triptych.verifiers.verifier import Verdict

SCHEMA = {
    "type": "object",
    "required": ["name"],
    "properties": {"name": {"type": "string"}, "tags": {"type": "array", "items": {"enum": ["a", "b"]}}},
    "additionalProperties": False,
}
needs_jsonschema = pytest.mark.skipif(importlib.util.find_spec("jsonschema") is None, reason="needs the extra verify")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": 1}', {"a": 1}), (' "x" ', "x"), ("\ufeff[1]", [1]),
        ('```json\n{"a": 1}\n```', {"a": 1}), ("Here:\n\n```\n[1]\n```\nDone.", [1]), ("~~~\n2\n~~~", 2),
        ("```python\nx = {}\n```\nand\n```json\n[3]\n```", [3]), ("```json\n[1]\n```\n```json\n[2]\n```", [2]),
        ("```json\n[1]\n```\n```sh\nls\n```", [1]), ('  ```json\n  {"a": 1}\n  ```', {"a": 1}),
    ],
)  # fmt: skip
def test_json_is_found(text, value):
    assert read_json(text) == value


@pytest.mark.parametrize(
    "text", ["", "yes", "{'a': 1}", '{"a": 1', "NaN", "[Infinity]", "Here: [1]", "```json\nno\n```", "[" * 10**5]
)
def test_no_json(text):
    with pytest.raises(ValueError, match=r"."):
        read_json(text)


def test_fences_may_be_forbidden():
    with pytest.raises(ValueError, match="Expecting value"):
        read_json("```json\n[1]\n```", fences=False)
    assert fenced("a\n````md\n```\nx\n```\n````\nb") == ["```\nx\n```"]


def test_without_the_library(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match="jsonschema is not installed") as error:
        JsonSchema().lacks({"schema": SCHEMA})
    assert "triptych[verify]" in str(error.value)


@needs_jsonschema
@pytest.mark.parametrize(
    ("text", "score", "says"),
    [
        ('{"name": "x", "tags": ["a"]}', 1, ""),
        ('So:\n```json\n{"name": "x"}\n```', 1, ""),
        ('{"name": 3}', 0, "['name']: 3 is not of type 'string'"),
        ('{"name": "x", "tags": ["a", "c"]}', 0, "['tags'][1]: 'c' is not one of"),
        ("[]", 0, "at the top: [] is not of type 'object'"),
        ("{}", 0, "'name' is a required property"),
        ("name: x", 0, "Expecting value"),
    ],
)
def test_verdicts(text, score, says):
    for schema in (SCHEMA, json.dumps(SCHEMA)):
        found = JsonSchema().verify({"schema": schema}, text)
        assert (found.score, found.reason != "") == (score, score == 0)
        assert says in found.detail


@needs_jsonschema
def test_parameters():
    fence = '```json\n{"name": "x"}\n```'
    assert JsonSchema(fences=False).verify({"schema": SCHEMA}, fence).reason == "not JSON"
    assert JsonSchema(field="wants").verify({"wants": SCHEMA, "schema": False}, fence) == Verdict(1.0)
    assert JsonSchema().verify({"json_schema": True}, "1") == Verdict(1.0)
    assert JsonSchema().verify({"schema": False}, "1").score == 0


@needs_jsonschema
@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({}, 'no field "schema"'),
        ({"schema": "{"}, "it is no JSON"),
        ({"schema": 3}, "no object but int"),
        ({"schema": {"type": "objekt"}}, "it is not right"),
    ],
)
def test_a_row_without_a_schema_has_no_verdict(row, says):
    assert says in JsonSchema().lacks(row)
    assert isinstance(JsonSchema().verify(row, "{}"), Undefined)


@needs_jsonschema
def test_nothing_is_fetched():
    row = {"schema": {"$ref": "http://127.0.0.1:9/schema.json"}}
    found = JsonSchema().verify(row, "{}")
    assert isinstance(found, Undefined)
    assert "names what is not in it" in found.reason


@needs_jsonschema
def test_a_schema_that_never_ends():
    row = {"schema": {"$ref": "#"}}
    assert isinstance(JsonSchema().verify(row, "{}"), Undefined)
    old = {"schema": {"$schema": "http://json-schema.org/draft-04/schema#", "maximum": 3, "exclusiveMaximum": True}}
    assert JsonSchema().verify(old, "3").score == 0
