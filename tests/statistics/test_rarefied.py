"""What a sample of n would show, against every sample there is."""

from __future__ import annotations

import math
from collections import Counter
from itertools import combinations

import numpy as np
import pytest

from triptych.core.rng import stream
from triptych.statistics.rarefied import effective, expected_entropy, expected_seen

COUNTS = np.array([4, 3, 0, 1, 1])
RECORDS = [kind for kind, number in enumerate(COUNTS) for _ in range(number)]


@pytest.mark.parametrize("n", range(1, 10))
def test_every_draw(n):
    entropies, seen = [], []
    for drawn in combinations(RECORDS, n):
        shares = [k / n for k in Counter(drawn).values()]
        entropies.append(-sum(share * math.log(share) for share in shares))
        seen.append(len({1, 2, 3} & set(drawn)) / 3)
    assert expected_entropy(COUNTS, n) == pytest.approx(np.mean(entropies))
    assert expected_seen(COUNTS[1:4], 9, n) == pytest.approx(np.mean(seen))


def test_terms_far_from_the_mean_are_left_out_without_loss():
    draw = stream("rarefied")
    counts = np.array([5000, 1200, 300, 40, 3, 1, 1])
    kinds = np.repeat(np.arange(7), counts)
    slow = []
    for _ in range(300):
        shares = np.bincount(draw.choice(kinds, 800, replace=False), minlength=7) / 800
        slow.append(-sum(share * math.log(share) for share in shares if share))
    assert expected_entropy(counts, 800) == pytest.approx(np.mean(slow), abs=4 * np.std(slow) / math.sqrt(300))
    whole = counts / counts.sum()
    assert expected_entropy(counts, int(counts.sum())) == pytest.approx(-float(np.sum(whole * np.log(whole))))


def test_worked_example_and_bounds():
    assert effective(Counter(a=2, b=1), 2) == pytest.approx(1.5874, abs=1e-4)
    for n in (0, 10):
        with pytest.raises(ValueError, match="of 9 records"):
            expected_entropy(COUNTS, n)
        with pytest.raises(ValueError, match="of 9 records"):
            expected_seen(COUNTS, 9, n)
