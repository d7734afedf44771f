"""Verdicts: the four words, whose side is better, margins, Holm, how many records would tell, and the price."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from triptych.comparing.difference import difference
from triptych.comparing.reading import Compared
from triptych.comparing.verdict import Margin, default_margin, judge, parse_margins, price
from triptych.core.errors import UsageError
from triptych.core.estimate import Undefined
from triptych.core.groups import GROUPS
from triptych.core.interval import changes
from triptych.core.registry import parse

VALID, VENDI, DUPLICATES, TOKENS = parse(["valid_share,vendi:q=2,near_duplicate_rate,tokens"])


def compared(measure, diff, se, n=1000, base=0.5):
    """A difference of two means with about this size and error."""
    rng = np.random.default_rng(0)
    noise = rng.normal(size=n)
    noise = (noise - noise.mean()) / noise.std() * se * np.sqrt(n / 2)
    groups = np.arange(n) % GROUPS

    def of(mean):
        values = mean + rng.permutation(noise)
        sums = np.bincount(groups, weights=values, minlength=GROUPS)
        sizes = np.bincount(groups, minlength=GROUPS)
        return changes(
            lambda keep: float(sums[keep].sum() / sizes[keep].sum()), lambda keep: int(sizes[keep].sum()), "plain"
        )

    return Compared(measure, (n, n), difference(of(base + diff), of(base), paired=False), None)


def verdict(*found, **margins):
    return [one.verdict for one in judge(found, {name: Margin(size) for name, size in margins.items()})]


def test_the_four_words():
    assert verdict(compared(VALID, 0.1, 0.01)) == ["a"]
    assert verdict(compared(VALID, -0.1, 0.01)) == ["b"]
    assert verdict(compared(VALID, 0.001, 0.002)) == ["equivalent"]
    assert verdict(compared(VALID, 0.001, 0.05)) == ["cannot tell"]
    assert verdict(Compared(VALID, (0, 0), None, "nothing")) == ["cannot tell"]


def test_lower_is_better_turns_it_round():
    assert verdict(compared(DUPLICATES, 0.1, 0.01)) == ["b"]
    assert verdict(compared(TOKENS, 20, 1, base=50)) == ["a"]


def test_found_and_yet_too_small_to_matter():
    assert verdict(compared(VALID, 0.008, 0.001)) == ["equivalent"]
    assert verdict(compared(VALID, 0.008, 0.001), valid_share=0.005) == ["a"]


def test_holm_over_the_view():
    one = compared(VALID, 0.1, 0.045)
    assert verdict(one) == ["a"]
    many = judge([one] * 5, {})
    assert [each.verdict for each in many] == ["cannot tell"] * 5
    assert many[0].p_adjusted == pytest.approx(min(1, 5 * one.difference.p))


def test_needed_tells_when_drawn_again():
    """With as many records as it says, four in five repetitions tell."""
    one = compared(VALID, 0.05, 0.04)
    needed = judge([one], {})[0].needed
    assert needed > 1000
    told = 0
    for trial in range(200):
        rng = np.random.default_rng([7, trial])
        groups = rng.integers(0, GROUPS, needed)
        pair = []
        for mean in (0.55, 0.5):
            values = rng.normal(mean, 0.04 * np.sqrt(500), needed)
            sums, sizes = np.bincount(groups, weights=values), np.bincount(groups)
            pair.append(changes(lambda k, s=sums, z=sizes: float(s[k].sum() / z[k].sum()), lambda k, z=sizes: int(z[k].sum()), "plain"))  # fmt: skip
        told += difference(*pair, paired=False).p < 0.05
    assert 0.7 <= told / 200 <= 0.9
    assert judge([compared(VALID, 0.1, 0.01)], {})[0].needed is None


def test_margins():
    assert default_margin(VALID) == Margin(0.02)
    assert default_margin(VENDI).of(compared(VENDI, 0, 1, base=100).difference) == pytest.approx(5, rel=0.1)
    asked = parse_margins(["valid_share=0.1", "vendi=10%"], [VALID, VENDI])
    assert asked == {"valid_share": Margin(0.1), VENDI.label: Margin(0.1, relative=True)}
    for bad in ("valid_share", "valid_share=0", "valid_share=x", "vendy=1"):
        with pytest.raises(UsageError):
            parse_margins([bad], [VALID, VENDI])


def test_price_is_a_trade_and_never_a_winner():
    trade = judge([compared(VALID, 0.1, 0.01), compared(VENDI, -20, 2, base=100)], {})
    found = price(trade, [VALID.label, VENDI.label])
    assert (found["better_quality"], found["better_diversity"]) == ("a", "b")
    assert found["lo"] < found["per_unit"] < found["hi"]
    assert found["per_unit"] == pytest.approx(0.1 / 20, rel=0.2)
    for other in (20, 0):
        assert (
            price(
                judge([compared(VALID, 0.1, 0.01), compared(VENDI, other, 2, base=100)], {}), [VALID.label, VENDI.label]
            )
            is None
        )


def test_nothing_against_nothing_is_equivalent_whatever_the_margin():
    assert verdict(compared(TOKENS, 0.0, 0.0, base=0.0)) == ["equivalent"]


def test_the_mean_of_a_label_of_0_and_1_is_a_ratio():
    (label,) = parse(["label_mean:field=x"])
    found = compared(label, 0.1, 0.01).difference
    assert default_margin(label, found) == Margin(0.05, relative=True)
    assert default_margin(label, replace(found, share=True)) == Margin(0.02)


def test_undefined_is_no_number():
    one = judge([Compared(VALID, (3, 3), None, "few"), compared(VALID, 0.1, 0.01)], {})
    assert (one[0].margin, one[0].p_adjusted, one[0].needed) == (None, None, None)
    assert one[1].p_adjusted == pytest.approx(one[1].compared.difference.p)
    assert isinstance(changes(lambda _: Undefined("x"), lambda _: 1, "plain"), Undefined)
