"""Halves of one set are not told apart, planted differences are, and a longer half wins nothing once length is matched.

A small version of `benchmarks/verdicts`. Which group a record falls in is dealt anew for every split.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from triptych.comparing.difference import difference
from triptych.comparing.matching import Matching, shared_groups, view
from triptych.comparing.reading import Compared, compare_view
from triptych.comparing.sides import joined, prepare
from triptych.comparing.verdict import Margin, judge
from triptych.comparing.view import Draw
from triptych.core.groups import GROUPS, group_of, mix
from triptych.core.interval import changes
from triptych.core.registry import parse
from triptych.core.relation import Keys
from triptych.core.rng import stream
from triptych.data import open_dataset
from triptych.engines.progress import Progress
from triptych.profiling.bench import open_bench
from triptych.profiling.settings import Settings

WORDS = [a + b for a in "ba be bi do du fa fe go ha ki la mo".split() for b in "ns rt lm st nd".split()]
MEASURES = ("label_mean:field=correct", "tokens", "distinct_n", "ead", "exact_duplicate_rate")
SPLITS = 80


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    settings = Settings.of(measures=MEASURES, cache=tmp_path_factory.mktemp("cache"), workers=1)
    with open_bench(settings, Progress()) as opened:
        yield opened


@pytest.fixture
def side_measures():
    """Two measures by name: a label and a length."""
    return parse(["label_mean:field=correct", "tokens"])


def texts(seed, prompts, times=1):
    """Records of unlike length; prompts differ in how hard they are; one record in thirty is a copy."""
    draw, rows = stream("null", seed), []
    chance = 1 / (1 + np.arange(len(WORDS)))
    for number in range(prompts):
        easy = draw.random()
        for _ in range(times):
            size = int(np.clip(draw.lognormal(3, 0.5), 4, 120))
            body = " ".join(draw.choice(WORDS, size, p=chance / chance.sum()))
            if rows and times == 1 and draw.random() < 1 / 30:
                rows.append(dict(rows[int(draw.integers(len(rows)))]))
                continue
            rows.append({"prompt": f"Tell me of {number}.", "response": body, "correct": bool(draw.random() < easy)})
    return rows


def prepared(bench, rows):
    return prepare(open_dataset(rows, bench.settings.reading()), bench)


def dealt(side, draw):
    """The side with its records in other groups, those of a prompt together."""
    salt, keys = np.uint64(draw.integers(2**63)), side.keys
    address = mix(keys.address ^ salt)
    cluster = np.where(keys.cluster == 0, np.uint64(0), mix(keys.cluster ^ salt))
    group = group_of(np.where(cluster == 0, address, cluster))
    return replace(side, keys=Keys(keys.ordinal, address, group, cluster))


def part(side, rows):
    """What matching reads of some records of a side."""
    k = side.keys
    keys = Keys(k.ordinal[rows], k.address[rows], k.group[rows], k.cluster[rows])
    columns = {name: getattr(side, name)[rows] for name in ("prompt", "length", "tokens", "valid")}
    return replace(side, keys=keys, **columns)


def cheap(side):
    """The measures that are tested on every split: not those that read all pairs of groups."""
    return [measure for measure in side.measures if measure.about.interval != "pairs"]


def verdicts(bench, side, halves, name="raw", measures=None):
    """Judged measures of two groups of records of one set."""
    rows = tuple(np.sort(half) for half in halves)
    parts = tuple(part(side, half) for half in rows)
    made = view(name, parts, Matching())
    draws = tuple(Draw(rows[0][one.a], rows[1][one.b]) for one in made.draws)
    made = replace(made, draws=draws, paired=shared_groups(parts))
    return judge(compare_view((side, side), made, measures or cheap(side), bench), {})


def by_prompt(side, draw, answers):
    """Records of every prompt in random order, (prompts, answers)."""
    order = np.lexsort((draw.random(len(side)), side.prompt))
    return draw.permutation(order.reshape(-1, answers))


def told(found):
    """For every measure: how often p < .05, and how often a verdict names a side."""
    return {
        measures[0].compared.measure.label: (
            np.mean([one.compared.difference.p < 0.05 for one in measures]),
            np.mean([one.verdict in ("a", "b") for one in measures]),
        )
        for measures in zip(*found, strict=True)
    }


def check(found):
    """At most one in twenty is told apart, for every measure; p < .05 not far oftener than one in twenty."""
    rates = told(found)
    assert {label: rate for label, (_, rate) in rates.items() if rate > 0.05} == {}
    assert {label: rate for label, (rate, _) in rates.items() if rate > 0.125} == {}  # 11 of 80: 1 in 500 at 5 %
    assert 0.005 < np.mean([rate for rate, _ in rates.values()]) < 0.085


def check_errors(found):
    """The stated error is that of the differences: with so many splits it is known to a twentieth."""
    for measures in zip(*found, strict=True):
        known = [one.compared.difference for one in measures]
        stated = np.sqrt(np.mean([one.se**2 for one in known]))
        assert 0.8 < stated / np.std([one.diff for one in known], ddof=1) < 1.25, measures[0].compared.measure.label


def test_halves_of_single_records(bench):
    side = prepared(bench, texts("single", 800))
    found = []
    for split in range(SPLITS):
        draw = stream("null", "halves", split)
        found.append(verdicts(bench, dealt(side, draw), np.split(draw.permutation(800), 2)))
    check(found)


@pytest.mark.parametrize("paired", [False, True])
def test_halves_of_prompts_with_several_answers(bench, paired):
    side = prepared(bench, texts("several", 160, 4))
    found = []
    for split in range(2 * SPLITS):
        draw = stream("null", "prompts", split)
        rows = by_prompt(side, draw, 4)
        halves = np.split(rows, 2, axis=1 if paired else 0)
        found.append(verdicts(bench, dealt(side, draw), [half.ravel() for half in halves]))
    check(found)
    check_errors(found)


def test_groups_that_ignore_the_prompt_would_be_wrong(bench):
    """The check above can fail: answers to one prompt in groups of their own make the error of the label too small."""
    side = prepared(bench, texts("several", 160, 4))
    wrong = 0
    for split in range(SPLITS):
        draw = stream("null", "prompts", split)
        loose = replace(side, keys=replace(side.keys, cluster=np.zeros(len(side), dtype=np.uint64)))
        rows = by_prompt(side, draw, 4)
        halves = [half.ravel() for half in np.split(rows, 2)]
        (label,) = verdicts(bench, dealt(loose, draw), halves, measures=side.measures[:1])
        wrong += label.compared.difference.p < 0.05
    assert wrong > 0.1 * SPLITS


def drawn(gap, n, trial):
    """The difference of two means of n numbers with a spread of 1."""
    draw, sides = stream("null", "needed", n, trial), []
    for mean in (gap, 0.0):
        groups, values = draw.integers(0, GROUPS, n), draw.normal(mean, 1, n)
        sums, sizes = (np.bincount(groups, weights, minlength=GROUPS) for weights in (values, None))
        sides.append(
            changes(
                lambda k, s=sums, z=sizes: float(s[k].sum() / z[k].sum()), lambda k, z=sizes: int(z[k].sum()), "plain"
            )
        )
    return difference(*sides, paired=False)


@pytest.mark.parametrize(
    ("gap", "margin", "word"), [(0.1, 0.02, "a"), (0.0, 0.1, "equivalent"), (0.06, 0.1, "equivalent")]
)
def test_as_many_records_as_are_needed_tell_within_a_panel(side_measures, gap, margin, word):
    """One measure that differs (or does not, and is to be shown not to) among twenty."""
    label, other = side_measures
    rest = [Compared(other, (300, 300), replace(drawn(0.0, 300, 0), p=0.5), None)] * 19
    margins = {label.label: Margin(margin)}
    exact = replace(
        drawn(gap, 300, 0), diff=gap, se=np.sqrt(2 / 300), lo=gap - 2 * np.sqrt(2 / 300), hi=gap + 2 * np.sqrt(2 / 300)
    )
    exact = replace(exact, p=0.2, inner=(exact.lo, exact.hi))
    needed = judge([Compared(label, (300, 300), exact, None), *rest], margins)[0].needed
    found = [
        judge([Compared(label, (needed, needed), drawn(gap, needed, trial), None), *rest], margins)[0].verdict
        for trial in range(150)
    ]
    assert 0.7 <= np.mean([one == word for one in found]) <= 0.9


def test_planted_differences_are_found_and_name_the_side(bench):
    first = [{**row, "correct": row["correct"] or place % 3 == 0} for place, row in enumerate(texts("p", 1000))]
    second = texts("q", 1000)
    second = [*second[:900], *second[:100]]
    second = [
        {**row, "prompt": "Now " + row["prompt"], "response": row["response"] + " in the end of all that is"}
        for row in second
    ]
    sides = [prepared(bench, rows) for rows in (first, second)]
    for order, better in (((0, 1), "a"), ((1, 0), "b")):
        pair = joined([sides[place] for place in order])
        found = judge(compare_view(pair, view("records", pair, Matching()), pair[0].measures, bench), {})
        verdict = {one.compared.measure.label: one.verdict for one in found}
        assert verdict["label_mean:field=correct"] == verdict["exact_duplicate_rate"] == better
        assert verdict["tokens"] == ("b" if better == "a" else "a")


def test_a_longer_half_wins_nothing_once_length_is_matched(bench):
    side = prepared(bench, texts("long", 1600))
    naive, fair = [], []
    for split in range(12):
        draw = stream("null", "long", split)
        size = np.log(side.length)
        leans = draw.random(1600) ** np.exp(-0.7 * (size - size.mean()) / size.std())
        order = np.argsort(-leans)
        mixed = dealt(side, draw)
        naive.append(verdicts(bench, mixed, (order[:800], order[800:])))
        fair.append(verdicts(bench, mixed, (order[:800], order[800:]), "length"))
    raw, matched = told(naive), told(fair)
    assert raw["tokens"] == raw["ead"] == (1.0, 1.0)
    assert matched["tokens"][1] == 0
    assert matched["ead"][0] <= 0.25
    assert np.mean([rate for _, rate in matched.values()]) <= 0.05
