"""Policies by name: the folder scan, plug-ins, near misses, and the command line's form."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from textwrap import dedent
from typing import ClassVar, Literal

import pytest

from triptych import api
from triptych.core.errors import RegistryError, SpecError
from triptych.core.plugins import build, converted
from triptych.core.registry import measures
from triptych.core.selector import Choice, Selector
from triptych.selectors import registry
from triptych.selectors.qurating import QuRating
from triptych.selectors.random import Random
from triptych.selectors.registry import build_policy, example_of, lookup_policy, parse_policy, policy_text, selectors
from triptych.selectors.threshold import Threshold

PLUGIN = '''
"""Last: the last candidates."""
from dataclasses import dataclass
from typing import ClassVar
import numpy as np
from triptych.core.selector import Choice, Selector

@dataclass(frozen=True)
class Last(Selector):
    step: int = 1
    name: ClassVar[str] = "{name}"

    def choose(self, pool, basket, setting):
        held = len(basket)
        basket.fill(np.arange(len(pool))[::-self.step])
        setting.told(len(basket) - held)
        return Choice()

class Plain: pass
'''


@dataclass(frozen=True)
class Dials(Selector):
    count: int = 3
    share: float = 0.5
    loud: bool = False
    kind: Literal["left", "right"] = "left"
    most: int | None = None
    level: float | Literal["mean"] = "mean"
    words: str | int = ""

    name: ClassVar[str] = "dials"

    def __post_init__(self):
        if self.count < 1:
            raise ValueError("count is at least 1")

    def choose(self, pool, basket, setting):
        return Choice()


@pytest.fixture
def plug_in(tmp_path, monkeypatch):
    """A real small package with its dist-info on sys.path."""

    def install(name: str, target: str = "lasting:Last") -> None:
        (tmp_path / "lasting.py").write_text(dedent(PLUGIN.format(name=name)))
        info = tmp_path / "lasting-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: lasting\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[triptych.selectors]\nlast = {target}\n")
        monkeypatch.syspath_prepend(str(tmp_path))
        selectors.cache_clear()

    yield install
    sys.modules.pop("lasting", None)
    selectors.cache_clear()


def test_folder_is_scanned():
    found = selectors()
    assert {"random", "longest", "top_quality", "threshold", "qurating", "archive"} <= set(found)
    assert list(found) == sorted(found)


def test_names_match_files_and_no_measure():
    for name, cls in selectors().items():
        assert cls.__module__ == f"triptych.selectors.{name}"
        assert example_of(cls).spec.kind == name
    assert not set(selectors()) & set(measures())


def test_a_class_without_a_name_is_no_policy():
    assert registry.selectors_in(sys.modules[__name__]) == [Dials]


def test_plug_in_is_found(plug_in):
    plug_in("last")
    policy = parse_policy("last:step=2")
    assert policy_text(policy) == "last:step=2"
    assert "last" in [entry["name"] for entry in api.list_selectors()]
    assert "Last: the last candidates." in api.explain("last")


def test_name_taken_twice_names_both(plug_in):
    plug_in("random")
    with pytest.raises(RegistryError) as error:
        selectors()
    assert 'two policies are named "random"' in str(error.value)
    assert "triptych.selectors.random.Random" in str(error.value)
    assert "lasting.Last" in str(error.value)


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("lasting:Nothing", "cannot be loaded"),
        ("nowhere:Last", "cannot be loaded"),
        ("lasting:Plain", "is not a policy class"),
    ],
)
def test_bad_entry_point(plug_in, target, words):
    plug_in("last", target)
    with pytest.raises(RegistryError, match=words):
        selectors()


def test_forms():
    assert parse_policy("random") == parse_policy(" random: ") == Random()
    assert parse_policy("threshold: at = 0.5 ,") == Threshold(at=0.5)
    assert parse_policy("threshold:at=none,quantile=0") == Threshold(quantile=0.0)
    assert parse_policy("qurating:temperature=inf") == QuRating(float("inf"))
    assert parse_policy("archive:by=cluster:9+length").by == "cluster:9+length"
    assert build_policy("qurating", {"temperature": 2}) == QuRating(2.0)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", 'no policy is named ""'),
        ("randon", "try:  random"),
        ("zzzz", "triptych list --policies"),
        ("random:seed=3", 'no parameter "seed"'),
        ("qurating:heat=3", "want:  one of temperature"),
        ("qurating:temprature=3", "try:  qurating:temperature=3"),
        ("qurating:3", '"3" is not a parameter'),
        ("qurating:temperature=1,temperature=2", "is given twice"),
        ("qurating:temperature=hot", "want:  a number"),
        ("qurating:temperature=0", "must be 0.001 or more"),
        ("qurating:temperature=nan", "must be 0.001 or more"),
        ("threshold", "at=VALUE or as quantile=Q"),
        ("threshold:at=1,quantile=0.5", "one of the two"),
        ("threshold:quantile=1", "less than 1"),
        ("threshold:at=high", "want:  a number or none"),
        ("archive:by=clusters:4", 'Did you mean "cluster"'),
        ("archive:by=cluster:0", "cluster:N"),
    ],
)
def test_one_message_for_what_is_not_right(text, says):
    with pytest.raises(SpecError) as error:
        parse_policy(text)
    assert says in str(error.value)


@pytest.mark.parametrize(
    ("key", "value", "want"),
    [
        ("count", "4", 4),
        ("share", "1e-3", 0.001),
        ("share", 2, 2.0),
        ("loud", "Yes", True),
        ("kind", "right", "right"),
        ("most", "None", None),
        ("most", "7", 7),
        ("level", "0.25", 0.25),
        ("level", "mean", "mean"),
        ("words", "12", 12),
        ("words", "twelve", "twelve"),
    ],
)
def test_text_becomes_the_type_of_the_field(key, value, want):
    made = build(Dials, "policy", "dials", {key: value})
    assert getattr(made, key) == want
    assert type(getattr(made, key)) is type(want)
    assert build(Dials, "policy", "dials", made.spec.params) == made
    shown = policy_text(made).partition(":")[2]
    assert build(Dials, "policy", "dials", dict([shown.split("=")] if shown else [])) == made


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("count", "1.5", "a whole number"),
        ("count", 1.5, "a whole number"),
        ("loud", "perhaps", "true or false"),
        ("kind", "rihgt", 'Did you mean "right"'),
        ("most", "few", "a whole number or none"),
        ("level", "median", "a number or one of mean"),
        ("share", None, "a number"),
        ("count", "0", "count is at least 1"),
    ],
)
def test_what_does_not_fit_is_refused(key, value, says):
    with pytest.raises(SpecError, match=says):
        build(Dials, "policy", "dials", {key: value})


def test_other_annotations_are_not_looked_at():
    assert converted("x", "y", (1, 2), tuple[int, ...]) == (1, 2)


def test_a_policy_without_defaults_needs_a_sweep():
    assert example_of(Threshold) == Threshold(quantile=0.0)
    bare = type("Bare", (Threshold,), {"name": "bare", "sweep": ()})
    with pytest.raises(RegistryError, match="has no sweep"):
        example_of(bare)


def test_sweeps_are_policies_and_all_different():
    for name, cls in selectors().items():
        made = [build_policy(name, step) for step in cls.sweep]
        assert len({policy.spec.hash for policy in made}) == len(made)


def test_lookup_is_by_name():
    assert lookup_policy("random") is Random
