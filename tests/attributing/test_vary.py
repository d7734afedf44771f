"""Designs around one recipe: what is varied changes, nothing else does."""

import pytest

from triptych.attributing.vary import parse_vary, plan
from triptych.core.errors import UsageError

TABLE = {
    "seed": 5,
    "writer": {"kind": "lm", "model": "smollm2", "temperature": 0.8},
    "method": {"name": "few_shot", "shots": 4},
    "filters": [{"name": "near_duplicate", "threshold": 0.7}, {"name": "length", "least": 3}],
    "budget": {"records": 20},
}


def planned(*vary, design="full", replicates=1):
    return plan(TABLE, parse_vary(vary), design, replicates)


def test_values_are_parsed():
    found = parse_vary(["method=few_shot,evol_instruct:depth=2,width=1", "writer.temperature=.7,1.2"])
    assert [one.values for one in found] == [("few_shot", "evol_instruct:depth=2,width=1"), (".7", "1.2")]
    assert parse_vary({"seeds.sample": [5, 10], "x.y": [True, False]})[1].values == ("true", "false")


def test_a_full_factorial():
    found = planned(
        "method=few_shot,evol_instruct:depth=2", "writer.temperature=.7,1.2", "filters=none,near_duplicate+valid"
    )
    assert len(found) == 8
    last = found[-1]
    assert last.table["method"] == {"name": "evol_instruct", "depth": 2}
    assert last.table["writer"] == {"kind": "lm", "model": "smollm2", "temperature": 1.2}
    assert last.table["filters"] == [{"name": "near_duplicate", "threshold": 0.7}, {"name": "valid"}]
    assert found[0].table["method"] == TABLE["method"]
    assert found[0].table["filters"] == []
    assert {one.table["seed"] for one in found} == {5}
    assert TABLE["writer"]["temperature"] == 0.8
    assert len({one.name for one in found}) == 8


def test_one_at_a_time_and_fractions():
    vary = ("writer.temperature=.7,1.2", "method.shots=1,2,3", "filters.length.least=1,9")
    found = planned(*vary, design="oaat")
    assert len(found) == 5
    base = found[0].levels
    assert [sum(one.levels[key] != base[key] for key in base) for one in found[1:]] == [1] * 4
    assert found[-1].table["filters"][1]["least"] == 9
    with pytest.raises(UsageError, match="two values each"):
        planned(*vary, design="fractional")
    half = planned("writer.temperature=.7,1.2", "method.shots=1,2", "filters.length.least=1,9", design="fractional")
    assert len(half) == 4
    for key in half[0].levels:
        assert len({one.levels[key] for one in half}) == 2


def test_replicates_have_seeds_of_their_own():
    found = planned("method.shots=1,2", replicates=3)
    assert len({one.table["seed"] for one in found}) == 6
    assert found == planned("method.shots=1,2", replicates=3)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("method", "cannot be read"),
        ("method=few_shot", "needs values that differ"),
        ("seed=1,2", "the same for all cells"),
        ("budget.records=1,2", "the same for all cells"),
        ("filters.quality.least=1,2", "no such filter"),
    ],
)
def test_what_cannot_vary(text, told):
    with pytest.raises(UsageError, match=told):
        planned(text)


def test_too_many_runs():
    with pytest.raises(UsageError, match="too many"):
        planned("method.shots=" + ",".join(map(str, range(300))))
