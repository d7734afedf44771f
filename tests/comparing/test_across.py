"""Duplicates across sets: the nearest is the nearest, planted ones are found and shown, and the threshold has its reason."""

from __future__ import annotations

import numpy as np
import pytest

from triptych.comparing.across import by_meaning, by_text, common_text, document, suggest
from triptych.comparing.corpus import open_corpus
from triptych.comparing.twins import LEAST, Twins
from triptych.core.rng import stream
from triptych.data import open_dataset
from triptych.engines.progress import Progress
from triptych.profiling.bench import open_bench
from triptych.profiling.settings import Settings

WORDS = (
    "river stone garden winter letter copper window market singer bridge forest candle engine harbour island jacket kitchen "
    "lantern mirror needle orchard pencil quarry ribbon saddle thunder umbrella valley wagon yellow zebra apple basket carpet "
    "desert eagle feather glacier hammer insect jungle kettle ladder magnet novel ocean planet rocket sailor temple"
).split()


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    with open_bench(Settings.of(cache=tmp_path_factory.mktemp("cache"), workers=1), Progress()) as opened:
        yield opened


def rows(seed, n, size=40):
    draw = stream("across", seed)
    return [
        {
            "prompt": f"{seed} {number}: " + " ".join(draw.choice(WORDS, 8)),
            "response": " ".join(draw.choice(WORDS, size)),
        }
        for number in range(n)
    ]


def corpus(bench, given, name):
    return open_corpus(open_dataset(given, bench.settings.reading(), name), bench)


def signatures(seed, n, like=None, share=0.8):
    """Random signatures; of those that are like another, about so many entries agree."""
    draw = stream("signatures", seed)
    table = draw.integers(0, 1 << 16, (n, 128)).astype(np.uint16)
    return table if like is None else np.where(draw.random((n, 128)) < share, like, table)


def slow_nearest(asked, base):
    share = (asked[:, None, :] == base[None]).mean(axis=2)
    best = share.argmax(axis=1)
    top = share[np.arange(len(asked)), best]
    return np.where(top >= LEAST, best, -1), np.where(top >= LEAST, top, 0.0)


def test_the_nearest_signature_is_that_of_all_pairs():
    base = signatures("base", 300)
    asked = np.concatenate(
        [
            signatures("a", 150, base[:150], 0.8),
            signatures("b", 100, base[100:200], 0.95),
            signatures("c", 100),
            base[::10],
            signatures("d", 50, base[:50], 0.3),
        ]
    )
    base = np.concatenate([base, signatures("e", 100, base[:100], 0.9), base[:5]])
    at, similarity = Twins(base).nearest(asked)
    slow_at, slow_similarity = slow_nearest(asked, base)
    clear = (slow_similarity >= 0.75) | (slow_similarity == 0)  # below, a band may miss a pair
    assert clear.mean() > 0.85
    assert (at[clear] == slow_at[clear]).all()
    np.testing.assert_allclose(similarity[clear], slow_similarity[clear])
    assert (similarity <= slow_similarity + 1e-12).all()


def test_families_are_left_out_of_the_nearest():
    base = signatures("own", 50)
    base = np.concatenate([base, base[:10]])
    family = np.arange(1, 61).astype(np.uint64)
    assert (Twins(base, family).nearest(base, family)[0][:10] == np.arange(50, 60)).all()
    assert (Twins(base, family).nearest(base, family)[0][10:50] == -1).all()
    family[50:] = family[:10]
    assert (Twins(base, family).nearest(base, family)[0] == -1).all()
    assert (Twins(base, family).nearest(base)[1] == 1).all()


def test_no_base_and_nobody_asked():
    none = np.zeros((0, 128), dtype=np.uint16)
    at, similarity = Twins(none).nearest(signatures("q", 3))
    assert (at.tolist(), similarity.tolist()) == ([-1] * 3, [0.0] * 3)
    assert len(Twins(signatures("q", 3)).nearest(none)[0]) == 0


def test_planted_duplicates_are_found_with_their_span(bench):
    first, second = rows("first", 200), rows("second", 150)
    second[4] = dict(first[17])
    words = first[30]["response"].split()
    second[9] = {"prompt": first[30]["prompt"], "response": " ".join([*words[:35], "quite", "another", "end"])}
    a, b = corpus(bench, first, "first"), corpus(bench, second, "second")
    assert common_text(a.roles, b.roles) == "both"
    for how in (by_text, by_meaning):
        found = how(a, b, "both", bench)
        assert found.at[[4, 9]].tolist() == [17, 30]
        assert found.similarity[4] == pytest.approx(1, abs=2e-3)
        assert 0.6 < found.similarity[9] < 1
        rest = np.setdiff1d(np.arange(150), [4, 9])
        assert found.similarity[rest].max() < found.similarity[9]
    found = by_text(a, b, "both", bench)
    entry = document([found])
    assert entry["pairs"] == int((found.similarity >= 0.8).sum())
    assert (entry["records"], entry["first"], entry["second"]) == (150, "first", "second")
    assert entry["meaning"] is None
    shown = entry["examples"][0]
    assert (shown["first"]["row"], shown["second"]["row"], shown["similarity"]) == (17, 4, 1)
    text = second[4]["prompt"] + "\n\n" + second[4]["response"]
    assert shown["second"]["text"] == shown["span"] == text
    assert shown["second"]["spans"] == [[0, len(text)]]


def test_sets_without_duplicates_have_no_pairs_and_no_threshold(bench):
    a, b = corpus(bench, rows("here", 120), "here"), corpus(bench, rows("there", 90), "there")
    entry = document([how(a, b, "both", bench) for how in (by_text, by_meaning)])
    assert entry["pairs"] == 0
    assert entry["share"] == 0
    assert entry["suggested"]["threshold"] is None
    assert "no record of there" in entry["suggested"]["why"]
    assert entry["meaning"]["pairs"] is None
    assert entry["meaning"]["threshold"] is None
    assert "not clear of chance" in entry["meaning"]["undefined"] or "too few" in entry["meaning"]["undefined"]


def test_a_set_and_itself(bench):
    a, b = corpus(bench, rows("me", 120), "me"), corpus(bench, rows("me", 120), "again")
    for how in (by_text, by_meaning):
        found = how(a, b, "both", bench)
        assert (found.at == np.arange(120)).all()
        assert found.suggested.threshold is not None
        assert found.suggested.threshold <= 1
    entry = document([by_text(a, b, "both", bench)])
    assert entry["pairs"] == 120
    assert entry["share"] == 1


def test_sets_without_a_text_in_common(bench):
    a = corpus(bench, [{"prompt": f"only {word}"} for word in WORDS], "a")
    b = corpus(bench, [{"response": f"only {word} here"} for word in WORDS], "b")
    if common_text(a.roles, b.roles) is None:
        entry = document([])
        assert entry["pairs"] is None
        assert "no kind of text" in entry["undefined"]
    else:
        assert common_text(a.roles, b.roles) in a.roles


def test_empty_records_have_no_match(bench):
    first = [*rows("full", 60), {"prompt": "", "response": ""}]
    second = [{"prompt": "", "response": ""}, *rows("full", 3)]
    a, b = corpus(bench, first, "a"), corpus(bench, second, "b")
    for how in (by_text, by_meaning):
        found = how(a, b, "both", bench)
        assert found.at.tolist() == [-1, 0, 1, 2]
        assert found.similarity[0] == 0


def test_the_suggested_threshold_is_the_least_clear_of_chance():
    chance = np.concatenate([np.full(900, 0.3), np.full(90, 0.6), np.full(9, 0.7)])
    seen = np.concatenate([np.full(500, 0.4), np.full(100, 0.65), np.full(400, 0.95)])
    found = suggest(seen, chance, 0.3, ("a", "b"))
    # at .60 chance reaches 100 of 1,000 and b 500: a fifth; from .61 it reaches 10 of 1,000, a fiftieth
    assert found.threshold == 0.61
    assert "0.0090 of the items of a" in found.why
    assert "0.5000 of the records of b" in found.why
    assert suggest(np.full(200, 0.65), np.full(200, 0.9), 0.3, ("a", "b")).threshold is None
    assert "needed to know" in suggest(seen, chance[:20], 0.3, ("a", "b")).why
    # one match where none of 100 items matches is not told from chance: 1 in 101 against 1 in 100
    few = suggest(np.append(np.zeros(99), 0.9), np.zeros(100), 0.6, ("a", "b"))
    assert few.threshold is None
    assert "too few to be told from chance" in few.why
