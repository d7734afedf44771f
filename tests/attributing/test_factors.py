"""Which components are factors, which follow from others, what is unknown, which runs are replicates."""

import numpy as np
import pytest

from triptych.attributing.factors import components_of
from triptych.core.errors import UsageError


def test_factors_held_and_followers():
    found = components_of(
        [
            {"method": "few", "method.shots": "3", "method.depth": "none", "writer": "lm", "budget.records": "9"},
            {"method": "evol", "method.shots": "none", "method.depth": "2", "writer": "lm", "budget.records": "10"},
        ],
        [(), ()],
    )
    assert [factor.name for factor in found.factors] == ["method"]
    assert found.factors[0].levels == ("few", "evol")
    assert found.held == {"writer": "lm"}
    assert found.follows == {"method.shots": "method", "method.depth": "method"}
    assert found.budgets == {"budget.records": ("9", "10")}
    assert not found.unknown


def test_a_part_that_differs_within_one_value_is_said_with_it():
    stated = [{"method": "few", "method.depth": "none"}, *({"method": "evol", "method.depth": d} for d in "13")]
    found = components_of(stated, [()] * 3)
    assert [factor.levels for factor in found.factors] == [("few", "evol, depth 1", "evol, depth 3")]


def test_a_part_that_is_crossed_is_a_factor_of_its_own():
    stated = [{"writer": w, "writer.temperature": t} for w in ("a", "b") for t in ("0.7", "1.2")]
    found = components_of(stated, [()] * 4)
    assert [factor.name for factor in found.factors] == ["writer", "writer.temperature"]


def test_what_is_not_stated_is_unknown_and_no_replicate():
    found = components_of([{"writer": "a"}, {"writer": "a"}, {"writer": "b", "method": "x"}], [("method",), (), ()])
    assert found.unknown == {"method": (0, 1)}
    assert not found.replicated
    assert "method" not in found.held


def test_equal_components_are_replicates():
    found = components_of([{"method": "a"}, {"method": "a"}, {"method": "b"}], [()] * 3)
    assert found.replicated
    assert found.cells.tolist() == [0, 0, 1]


def test_reference():
    stated = [{"filters": "near"}, {"filters": "none"}]
    found = components_of(stated, [()] * 2, {"filters": "none"})
    assert found.factors[0].levels == ("none", "near")
    assert np.array_equal(found.factors[0].of, [1, 0])
    with pytest.raises(UsageError, match='no run has the value "nune" of filters'):
        components_of(stated, [()] * 2, {"filters": "nune"})
    with pytest.raises(UsageError, match='"method" does not differ'):
        components_of(stated, [()] * 2, {"method": "x"})
