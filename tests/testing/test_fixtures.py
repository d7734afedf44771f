"""The fixtures hold what the laws need to see."""

from __future__ import annotations

import numpy as np

from triptych.testing import fixtures, make_batch, make_rows
from triptych.testing.fixtures import empty_rows
from triptych.testing.relations import relation


def test_groups_follow_addresses_unless_a_prompt_has_different_responses():
    rows = make_rows(
        [{"prompt": "a", "response": "x"}, {"prompt": "a", "response": "y"}, *[{"prompt": "b", "response": "x"}] * 40]
    )
    assert rows[0]["cluster"] == rows[1]["cluster"] != 0
    assert rows[0]["group"] == rows[1]["group"]
    copies = rows[2:]
    assert {row["cluster"] for row in copies} == {0}
    assert len({row["group"] for row in copies}) > 10


def test_every_defect_occurs():
    bits = {row["defects@response"] for row in [*fixtures()["broken"], *empty_rows()]}
    for bit in range(6):
        assert any(flags >> bit & 1 for flags in bits), bit


def test_near_duplicates_of_three_copies_name_the_groups_of_lower_addresses():
    rows = make_rows(["a b c d e f"] * 3 + ["u v w x y z"])
    patterns = relation("near_duplicates:n=5,threshold=0.8@response", rows)
    first, second, third = sorted(range(3), key=lambda i: rows[i]["address"])
    assert patterns[first] == 0
    assert patterns[second] == 1 << rows[first]["group"]
    assert patterns[third] == 1 << rows[first]["group"] | 1 << rows[second]["group"]
    assert patterns[3] == 0


def test_repeats_of_two_copies():
    rows = make_rows(["a b c d e", "a b c d e", "x"])
    first, second, third = relation("repeats:n=4@response", rows)
    assert sum(first[:32]) == sum(second[:32]) == 4
    assert first[32] == 2
    assert third is None


def test_per_prompt_value_stands_on_one_record():
    rows = make_rows([{"prompt": "p", "response": text} for text in ("a b c", "a b c d", "x y z")])
    values = relation("per_prompt_novelty:n=3@response", rows)
    assert np.isclose(values[0], (0.5 + 1 + 1) / 3)
    assert values[1:] == [None, None]


def test_given_columns_win_over_made_up_ones():
    (row,) = make_rows([{"response": "a b", "embedding@response": [3.0, 4.0]}])
    assert make_batch([row], ["embedding@response"]).matrix("embedding@response").tolist() == [[3.0, 4.0]]


def test_empty_rows_fit_beside_others():
    rows = make_rows([{"response": "a b", "embedding@response": [3.0, 4.0], "mine": 7}])
    both = [*rows, *empty_rows(rows)]
    assert len({row["address"] for row in both}) == 3
    assert make_batch(both, ["mine"]).columns["mine"].to_pylist() == [7, None, None]
    assert make_batch(both, ["embedding@response"]).matrix("embedding@response").shape == (3, 2)
