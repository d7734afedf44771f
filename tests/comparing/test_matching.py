"""Matching: what is asked to be equal is equal, everything else is drawn by chance, and the question is another one."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest

from triptych.comparing.matching import Matching, view
from triptych.comparing.reading import compare_view
from triptych.comparing.sides import joined, prepare
from triptych.core.errors import UsageError
from triptych.core.rng import stream
from triptych.data import open_dataset
from triptych.engines.progress import Progress
from triptych.profiling.bench import open_bench
from triptych.profiling.settings import Settings

WORDS = "the old boat went over a wide lake and found many small birds near two tall trees by night".split()


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    settings = Settings.of(
        measures=("label_mean:field=score", "tokens"), cache=tmp_path_factory.mktemp("cache"), workers=1
    )
    with open_bench(settings, Progress()) as opened:
        yield opened


def texts(seed, n, mean, prompts=None, times=1):
    """Records whose score goes with their length and with nothing else."""
    draw = stream("matching", seed)
    out = []
    for number, turn in itertools.product(range(n), range(times)):
        size = int(np.clip(draw.normal(mean, 8), 3, 80))
        body = " ".join(WORDS[i] for i in draw.integers(len(WORDS), size=size))
        prompt = f"Tell me about {seed} {number}." if prompts is None else f"Tell me about {prompts[number]}."
        out.append(
            {"prompt": prompt, "response": body, "score": float(np.clip(size / 80 + 0.05 * draw.normal(), 0, 1))}
        )
        del turn
    return out


def pair(bench, a, b):
    return joined([prepare(open_dataset(rows, bench.settings.reading()), bench) for rows in (a, b)])


def test_equal_records_and_equal_tokens(bench):
    sides = pair(bench, texts("a", 300, 20), texts("b", 500, 30))
    records = view("records", sides, Matching())
    assert len(records.draws) == 8
    assert all((len(draw.a), len(draw.b)) == (300, 300) for draw in records.draws)
    assert len({draw.b.tobytes() for draw in records.draws}) == 8
    tokens = view("tokens", sides, Matching())
    most = max(int(side.tokens.max()) for side in sides)
    for draw in tokens.draws:
        sums = [int(side.tokens[rows].sum()) for side, rows in zip(sides, (draw.a, draw.b), strict=True)]
        assert abs(sums[0] - sums[1]) <= most
        assert max(sums) == min(int(side.tokens.sum()) for side in sides)


def test_length_is_matched_and_takes_away_what_goes_with_it(bench):
    sides = pair(bench, texts("a", 1500, 26), texts("b", 1500, 32))
    raw, matched = (view(name, sides, Matching()) for name in ("raw", "length"))
    before = {one.variable: one for one in matched.balance}
    assert before["length"].before < -0.5
    assert abs(before["length"].after) < 0.03
    assert before["length"].asked
    measures = sides[0].measures[:1]
    naive, fair = (compare_view(sides, one, measures, bench)[0].difference for one in (raw, matched))
    assert naive.hi < -0.05
    assert fair.lo < 0 < fair.hi
    assert abs(fair.diff) < 0.01


def test_shared_prompts_have_equally_many_responses(bench):
    a = texts("a", 60, 20, prompts=range(60), times=3)
    b = texts("b", 80, 20, prompts=range(30, 110), times=2)
    sides = pair(bench, a, b)
    found = view("prompt", sides, Matching())
    assert found.paired
    for draw in found.draws:
        counts = [Counter(side.prompt[rows].tolist()) for side, rows in zip(sides, (draw.a, draw.b), strict=True)]
        assert counts[0] == counts[1]
        assert set(counts[0].values()) == {2}
        assert len(counts[0]) == 30


def test_pairs_of_like_length(bench):
    prompts = range(50)
    sides = pair(bench, texts("a", 50, 20, prompts, 3), texts("b", 50, 24, prompts, 3))
    (draw,) = view("prompt+length", sides, Matching()).draws
    by = [
        sorted(zip(side.prompt[rows].tolist(), side.length[rows].tolist(), strict=True))
        for side, rows in zip(sides, (draw.a, draw.b), strict=True)
    ]
    assert len(by[0]) > 60
    for (p, x), (q, y) in zip(*by, strict=True):
        assert p == q
        assert abs(x - y) <= 0.2 * max(x, y)


def test_same_mix(bench):
    sides = pair(bench, texts("a", 200, 20), texts("b", 200, 20))
    fields = {"topic": tuple(np.array([("x", "y", None)[i % m] for i in range(200)], dtype=object) for m in (2, 3))}
    found = view("mix:topic", sides, Matching(fields=fields))
    for draw in found.draws:
        counts = [Counter(column[rows]) for column, rows in zip(fields["topic"], (draw.a, draw.b), strict=True)]
        assert counts == [Counter(x=67, y=67)] * 2


def test_draws_are_the_same_again_and_other_seeds_are_others(bench):
    sides = pair(bench, texts("a", 100, 20), texts("b", 300, 20))
    one, two, other = (view("records", sides, Matching(seed=seed)).draws for seed in (0, 0, 1))
    assert all((x.b == y.b).all() for x, y in zip(one, two, strict=True))
    assert not (one[0].b == other[0].b).all()


def test_what_cannot_be_matched(bench):
    sides = pair(bench, texts("a", 40, 20), texts("b", 40, 20))
    assert view("prompt", sides, Matching()).undefined == "the two sets have no prompt in common"
    assert compare_view(sides, view("prompt", sides, Matching()), sides[0].measures, bench)[0].difference is None
    with pytest.raises(UsageError, match="records"):
        view("record", sides, Matching())


def test_equal_sizes_need_one_draw(bench):
    sides = pair(bench, texts("a", 40, 20), texts("b", 40, 20))
    assert len(view("records", sides, Matching()).draws) == 1
