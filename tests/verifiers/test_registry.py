"""Verifiers by name: on the command line, as a panel's scorer, in a loop, and from plug-ins."""

from __future__ import annotations

import json
import pickle
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from typing import ClassVar

import numpy as np
import pytest

from triptych.core.errors import RegistryError, SchemaError, SpecError, TriptychError
from triptych.core.estimate import Undefined
from triptych.looping.verifying import parse_grader
from triptych.studies.panels import NamedVerifier, ScoredPanel, UserVerifier, parse_scorer, read_panel
from triptych.studies.trainers.trainer import Example
from triptych.verifiers import registry
from triptych.verifiers.constraints import Constraints
from triptych.verifiers.json_schema import JsonSchema
from triptych.verifiers.number import NumberVerifier
from triptych.verifiers.registry import parse_verifier, verifier_text, verifiers
from triptych.verifiers.unit_tests import UnitTests
from triptych.verifiers.verifier import Verdict, Verifier


@dataclass(frozen=True)
class Polite(Verifier):
    """1 where it says please."""

    name: ClassVar[str] = "polite"

    word: str = "please"

    def lacks(self, row: Mapping[str, object]) -> str:
        return "" if row.get("prompt") else "a prompt"

    def verify(self, row: Mapping[str, object], response: str) -> Verdict | Undefined:
        if not response:
            return Undefined("nothing was said")
        return Verdict(1.0) if self.word in response else Verdict(0.0, "impolite")


@pytest.fixture
def plugged(monkeypatch):
    def plug(*items):
        group = registry.ENTRY_POINTS
        found = [EntryPoint(name, target, group) for name, target in items]
        monkeypatch.setattr("triptych.core.plugins.entry_points", lambda group: found)
        monkeypatch.setitem(sys.modules, "polite_plugin", sys.modules[__name__])
        verifiers.cache_clear()

    yield plug
    verifiers.cache_clear()


def test_ours():
    names = {"constraints": Constraints, "json_schema": JsonSchema, "number": NumberVerifier, "unit_tests": UnitTests}
    assert {name: cls for name, cls in verifiers().items() if cls.__module__.startswith("triptych.")} == names
    for cls in names.values():
        assert "Worked example" in sys.modules[cls.__module__].__doc__
        assert pickle.loads(pickle.dumps(cls())) == cls()


@pytest.mark.parametrize(
    ("text", "verifier"),
    [
        ("number", NumberVerifier()),
        ("number:tolerance=0.01,field=gold", NumberVerifier("gold", 0.01)),
        ("unit_tests:timeout=5", UnitTests(timeout=5)),
        (
            "unit_tests: timeout=2, memory=256, share=yes, walls=python",
            UnitTests(timeout=2, memory=256, share=True, walls="python"),
        ),
        ("json_schema:field=schema,fences=no", JsonSchema("schema", fences=False)),
        ("constraints:share=true", Constraints(share=True)),
    ],
)
def test_text_and_back(text, verifier):
    assert parse_verifier(text) == verifier
    assert parse_verifier(verifier_text(verifier)) == verifier
    scorer = parse_scorer(f"verifier:{text}")
    assert scorer == NamedVerifier(verifier) == parse_grader(f"verifier:{text}")
    assert parse_scorer(scorer.text) == scorer


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("verifier:numbr", "try:  verifier:number"),
        ("verifier:unit_test:timeout=5", "try:  verifier:unit_tests"),
        ("verifier:xyz", "want:  one of constraints, json_schema, number, unit_tests, or MODULE:FUNCTION of yours"),
        ("verifier:", 'no verifier is named ""'),
        ("verifier:unit_tests:timeout=0", "timeout must be above 0"),
        ("verifier:unit_tests:timeout=soon", "got:  soon"),
        ("verifier:unit_tests:tiemout=5", "try:  unit_tests:timeout=5"),
        ("verifier:unit_tests:timeout=5,6", '"6" is not a parameter'),
        ("verifier:unit_tests:timeout=5,timeout=6", "is given twice"),
        ("verifier:unit_tests:walls=glass", "one of kernel, python"),
        ("verifier:no_such_module_here:f", "cannot be imported"),
    ],
)
def test_bad_texts(text, says):
    with pytest.raises(SpecError) as error:
        parse_scorer(text)
    assert says in str(error.value)


def test_functions_of_the_users_go_on_working(tmp_path, monkeypatch):
    (tmp_path / "number_checks.py").write_text("def number(row, response):\n    return 1\n")
    monkeypatch.chdir(tmp_path)
    assert parse_scorer("verifier:number_checks:number") == UserVerifier("number_checks:number")
    monkeypatch.delitem(sys.modules, "number_checks")


def test_a_panel(tmp_path):
    path = tmp_path / "test,1.jsonl"
    rows = [{"prompt": f"{n} + 1?", "response": f"It is\n#### {n + 1}", "answer": str(n + 1)} for n in range(3)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    panel = read_panel(f"id={path},verifier:number:tolerance=0.01,timeout=3")
    assert panel.scorer == NamedVerifier(NumberVerifier(tolerance=0.01, timeout=3))
    scores, notes = panel.scorer.grade(panel.examples, ["1", "3", "no idea"])
    assert scores.tolist() == [1, 0, 0]
    assert notes == {
        "scorer": "verifier:number:tolerance=0.01,timeout=3",
        "wrong": {"another answer": 1, "no answer": 1},
    }
    assert panel.scorer.grade(panel.examples[:1], ["1"])[1] == {}
    assert pickle.loads(pickle.dumps(panel)) == panel
    with pytest.raises(SchemaError) as error:
        read_panel(f"id={path},verifier:unit_tests")
    assert "item 1" in str(error.value)
    assert 'want:  tests in "tests"' in str(error.value)


def test_a_failure_is_no_number():
    panel = ScoredPanel("id", (Example("p", "", {}), Example("q", "", {})), NamedVerifier(Polite()))
    scores, notes = panel.scorer.grade(panel.examples, ["", "please"])
    assert np.isnan(scores[0])
    assert scores[1] == 1
    assert notes == {"scorer": "verifier:polite", "missing": 1, "first_missing": "item 1: nothing was said"}
    with pytest.raises(TriptychError, match="cannot grade item 1"):
        ScoredPanel("id", (Example("", "", {}),), NamedVerifier(Polite()))


def test_plug_ins(plugged):
    plugged(("polite", "polite_plugin:Polite"))
    assert parse_verifier("polite:word=thanks") == Polite("thanks")
    plugged(("polite", "polite_plugin:Polite"), ("other", "polite_plugin:json"))
    with pytest.raises(RegistryError, match="is not a verifier class"):
        verifiers()
    plugged(("number", "polite_plugin:Twin"))
    with pytest.raises(RegistryError, match='two verifiers are named "number"'):
        verifiers()


@dataclass(frozen=True)
class Twin(Polite):
    name: ClassVar[str] = "number"


def test_a_verdict_is_a_share():
    with pytest.raises(ValueError, match=r"in \[0, 1\]"):
        Verdict(1.5)
    with pytest.raises(ValueError, match=r"in \[0, 1\]"):
        Verdict(float("nan"))
