"""Joint groups: who shares a prompt shares a group, on every side; everything else stays where it was."""

from __future__ import annotations

import numpy as np
import pytest

from triptych.comparing.reading import compare_view
from triptych.comparing.sides import joined, prepare
from triptych.comparing.view import Draw, View
from triptych.core.rng import stream
from triptych.data import open_dataset
from triptych.engines.progress import Progress
from triptych.profiling.bench import open_bench
from triptych.profiling.settings import Settings


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    settings = Settings.of(
        measures=("label_mean:field=correct", "tokens"), cache=tmp_path_factory.mktemp("cache"), workers=1
    )
    with open_bench(settings, Progress()) as opened:
        yield opened


def sides_of(bench, *sets, **options):
    return [prepare(open_dataset(rows, bench.settings.reading()), bench, **options) for rows in sets]


def answers(model, prompts, rate, times=1):
    draw = stream("sides", model)
    return [
        {"prompt": f"What is {number} squared?", "response": f"{model} says {number} {turn}.", "correct": bool(draw.random() < rate(number))}
        for number in prompts
        for turn in range(times)
    ]  # fmt: skip


def test_shared_prompts_share_groups_and_others_stay(bench):
    a, b = sides_of(bench, answers("a", range(200), lambda _: 0.5), answers("b", range(150, 400), lambda _: 0.5, 2))
    left, right = joined([a, b])
    group = dict(zip(left.prompt[150:].tolist(), left.keys.group[150:].tolist(), strict=True))
    assert all(group[p] == g for p, g in zip(right.prompt[:100].tolist(), right.keys.group[:100].tolist(), strict=True))
    assert (left.keys.group[:150] == a.keys.group[:150]).all()
    assert (left.keys.cluster[:150] == 0).all()
    own = right.keys.cluster[100:].reshape(-1, 2)
    assert (own[:, 0] == own[:, 1]).all()
    assert len(np.unique(own)) == 200


def test_nothing_in_common_changes_nothing(bench):
    a, b = sides_of(bench, answers("a", range(50), lambda _: 0.5), answers("b", range(50, 90), lambda _: 0.5))
    left, right = joined([a, b])
    assert (left.keys.group == a.keys.group).all()
    assert (right.keys.group == b.keys.group).all()


def test_a_row_that_binds_two_prompts_binds_their_groups(bench):
    rows = [
        {"prompt": f"p {number}", "response": f"r {number}", "group_id": f"g{number // 2}", "correct": True}
        for number in range(40)
    ]
    other = [{"prompt": f"p {number}", "response": f"s {number}", "correct": True} for number in range(40)]
    left, right = joined(sides_of(bench, rows, other))
    assert (left.keys.group[::2] == left.keys.group[1::2]).all()
    assert (right.keys.group == left.keys.group).all()


def test_pairing_lowers_the_error_where_prompts_differ_in_difficulty(bench):
    hard = {number: stream("hard", number).random() for number in range(600)}
    a, b = joined(sides_of(bench, answers("a", range(600), hard.get), answers("b", range(600), hard.get)))
    rows = np.arange(600)
    found = {
        paired: compare_view((a, b), View("prompt", "", paired, (Draw(rows, rows),)), a.measures, bench)[0].difference
        for paired in (True, False)
    }
    assert found[True].diff == found[False].diff
    assert found[True].se < 0.93 * found[False].se  # a correlation of 1/3 takes off a fifth
    mean = [np.mean([row["correct"] for row in answers(model, range(600), hard.get)]) for model in "ab"]
    assert found[True].a == pytest.approx(mean[0])
    assert found[True].diff == pytest.approx(mean[0] - mean[1])
