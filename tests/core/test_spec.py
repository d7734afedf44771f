"""Identity by parameters."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pytest

from triptych.core.spec import Spec, json_value, spec_of
from triptych.measures.diversity.distinct_n import DistinctN
from triptych.measures.diversity.vendi import Vendi


def test_canonical_json_is_sorted_and_strict():
    spec = Spec("x", {"b": 1, "a": [1, "é"]})
    assert spec.canonical == '{"kind":"x","params":{"a":[1,"é"],"b":1},"version":1}'
    with pytest.raises(ValueError, match="not JSON compliant"):
        _ = Spec("x", {"a": math.nan}).canonical


def test_hash_is_pinned():
    assert DistinctN().spec.hash == "1ae60c58e380553b"


def test_whole_numbers_are_one_thing():
    assert Vendi(q=2).spec.hash == Vendi(q=2.0).spec.hash
    assert Vendi(q=2).spec.hash != Vendi(q=2.5).spec.hash


def test_infinity_is_a_word():
    assert Vendi(q=math.inf).spec.params["q"] == "inf"
    assert json_value((1.5, -math.inf, 1e300, True)) == [1.5, "-inf", 1e300, True]


def test_order_of_fields_and_version():
    @dataclass
    class A:
        x: int = 1
        y: str = "a"

    @dataclass
    class B:
        y: str = "a"
        x: int = 1

    assert spec_of(A(), kind="k").hash == spec_of(B(), kind="k").hash
    assert spec_of(A(), kind="k").hash != spec_of(A(), kind="k", version=2).hash
    assert spec_of(A()).kind == "A"


def test_other_values_are_refused():
    with pytest.raises(TypeError, match="JSON value"):
        json_value(object())
