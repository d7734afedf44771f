"""Policies by name: what is found, how it is asked for, and what a near miss is told."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

import triptych.looping.policies
from triptych.core import plugins
from triptych.core.errors import RegistryError, SpecError
from triptych.looping.policies.archive import Archive
from triptych.looping.policies.correct import Correct
from triptych.looping.registry import build_policy, parse_policy, policies, policy_text

NAMES = {
    *("none", "correct", "quality_only", "accumulate", "balanced", "archive"),
    *("boundary", "bstar", "wiseft", "anchor", "keep"),
}


def test_one_file_each() -> None:
    folder = Path(triptych.looping.policies.__file__).parent
    assert {path.stem for path in folder.glob("*.py") if path.stem[0] != "_"} == NAMES == set(policies())
    assert all(cls.title for cls in policies().values())
    assert len({cls.title for cls in policies().values()}) == len(NAMES)


@pytest.mark.parametrize("name", sorted(NAMES))
def test_defaults_are_asked_for_by_name_alone(name: str) -> None:
    policy = parse_policy(name)
    assert policy_text(policy) == name
    assert policy.spec.kind == name
    assert policy == build_policy(name, policy.spec.params)


def test_parameters_from_text() -> None:
    policy = parse_policy(" archive: push=2, start=continue ")
    assert policy == Archive(push=2.0, start="continue")
    assert policy_text(policy) == "archive:push=2,start=continue"
    assert parse_policy(policy_text(policy)) == policy
    assert parse_policy("keep:explore=false").spec.params["explore"] is False


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("archve", "try:  archive"),
        ("keeep:push=1", "try:  keep"),
        ("archive:psh=1", "try:  archive:push=1"),
        ("archive:start=contine", 'Did you mean "continue"'),
        ("archive:push=deep", "want:  a number"),
        ("archive:push", "is not a parameter"),
        ("archive:push=1,push=2", "is given twice"),
        ("none:anchor=1", "want:  no parameters"),
        ("correct:anchor=1.5", "between 0 and 1"),
        ("wiseft:blend=0", "above 0"),
        ("archive:explore=-1", "between 0 and 10"),
        ("keep:push=9", "between 0 and 3"),
        ("", "no loop policy"),
    ],
)
def test_what_is_not_right(text: str, told: str) -> None:
    with pytest.raises(SpecError) as error:
        parse_policy(text)
    assert told in str(error.value)


def _plugged(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    entry = EntryPoint("other", value, "triptych.loop_policies")
    monkeypatch.setattr(plugins, "entry_points", lambda group: [entry] if group == entry.group else [])
    policies.cache_clear()


@pytest.fixture(autouse=True)
def _again() -> object:
    yield
    policies.cache_clear()


def test_plug_ins(monkeypatch: pytest.MonkeyPatch) -> None:
    class Other(Correct):
        name = "other"

    monkeypatch.setattr("triptych.looping.policies.correct.Other", Other, raising=False)
    _plugged(monkeypatch, "triptych.looping.policies.correct:Other")
    assert parse_policy("other:anchor=0.5").spec.kind == "other"
    assert set(policies()) == {*NAMES, "other"}


def test_plug_ins_that_break_the_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    class Other(Correct):
        name = "correct"

    monkeypatch.setattr("triptych.looping.policies.correct.Other", Other, raising=False)
    _plugged(monkeypatch, "triptych.looping.policies.correct:Other")
    with pytest.raises(RegistryError, match='two loop policies are named "correct"'):
        policies()
    _plugged(monkeypatch, "triptych.looping.dials:Dials")
    with pytest.raises(RegistryError, match="is not a loop policy class"):
        policies()
