"""The archive of earlier rounds, against a plain list."""

from __future__ import annotations

import numpy as np
import pytest

from triptych.core.groups import address_keys, mix
from triptych.core.rng import stream
from triptych.guarding.archive import Archive, nearest_distance


def unit(draw, n, d=5):
    rows = draw.normal(size=(n, d)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def addresses(n):
    """The same rows in every round."""
    zeros = np.zeros(n, dtype=np.int32)
    return address_keys(zeros, np.arange(n), zeros)


def added(archive, rounds, n, kinds):
    """The archive after some rounds, and all that was added: (order, kind)."""
    held = []
    for number in rounds:
        draw = stream("archive", number)
        address = addresses(n)
        kind = draw.integers(1, kinds, size=n).astype(np.uint64)
        archive = archive.grown(number, address, kind, unit(draw, n))
        order = mix(address ^ mix(np.array([number + 1], dtype=np.uint64)))
        held += list(zip(order.tolist(), kind.tolist(), strict=True))
    return archive, held


def test_it_is_a_sample_of_fixed_size():
    archive, held = added(Archive.empty(100), range(4), 80, 50)
    assert len(archive) == 100
    best = sorted(held)[:100]
    assert list(zip(archive.order.tolist(), archive.structure.tolist(), strict=True)) == best
    assert archive.vectors.shape == (100, 5)


def test_every_round_has_its_share_of_it():
    archive = Archive.empty(300)
    for number in range(3):
        kind = np.full(1000, number + 1, dtype=np.uint64)
        archive = archive.grown(number, addresses(1000), kind, np.zeros((1000, 2), np.float32))
    shares = np.bincount(archive.structure.astype(int))[1:] / 300
    assert shares == pytest.approx([1 / 3] * 3, abs=0.1)


def test_novelty_does_not_fall_for_growing_alone():
    """Rounds drawn from one law: after the first, nothing changes."""
    draw, archive, new = stream("one law"), Archive.empty(400), []
    for number in range(12):
        kind = draw.integers(1, 2000, size=400).astype(np.uint64)
        if number:
            new.append(archive.lacks(kind).mean())
        archive = archive.grown(number, addresses(400), kind, np.zeros((400, 2), np.float32))
    assert abs(np.mean(new[:3]) - np.mean(new[-3:])) < 0.04
    assert np.mean(new) == pytest.approx(np.exp(-400 / 2000), abs=0.03)


def test_distance_to_the_nearest():
    draw = stream("nearest")
    rows, base = unit(draw, 30), unit(draw, 20)
    rows[3] = 0
    base[4] = 0
    found = nearest_distance(rows, base)
    assert np.isnan(found[3])
    for at in (0, 1, 29):
        slow = min(1 - sum(float(x) * float(y) for x, y in zip(rows[at], b, strict=True)) for b in base if b.any())
        assert found[at] == pytest.approx(slow, abs=1e-6)
    assert np.isnan(nearest_distance(rows, base[:0])).all()
    assert Archive.empty(5).lacks(np.array([1], dtype=np.uint64)).all()
