"""Overlap with benchmarks: planted passages are found where they stand, unrelated text is not, and chance is told."""

from __future__ import annotations

import re

import numpy as np
import pytest

from triptych.comparing.contamination import contamination, document
from triptych.comparing.corpus import open_corpus
from triptych.comparing.overlap import Finder, passages
from triptych.comparing.spans import shared_spans, words_of
from triptych.core.rng import stream
from triptych.data import open_dataset
from triptych.engines.progress import Progress
from triptych.profiling.bench import open_bench
from triptych.profiling.settings import Settings

VOCABULARY = [f"{a}{b}{c}" for a in "bdfgklmnprst" for b in "aeiou" for c in ("n", "r", "st", "lo", "mi")]


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    with open_bench(Settings.of(cache=tmp_path_factory.mktemp("cache"), workers=1), Progress()) as opened:
        yield opened


def prose(seed, n, least=20, most=60):
    draw = stream("prose", seed)
    return [" ".join(draw.choice(VOCABULARY, int(draw.integers(least, most)))) for _ in range(n)]


def pairs(seed, n, **sizes):
    both = zip(prose(f"{seed} p", n, **sizes), prose(f"{seed} r", n, **sizes), strict=True)
    return [{"prompt": prompt, "response": response} for prompt, response in both]


def corpus(bench, rows, name="set"):
    return open_corpus(open_dataset(rows, bench.settings.reading(), name), bench)


def overlap(bench, rows, benchmark):
    return contamination([corpus(bench, rows)], [corpus(bench, benchmark, "held")], bench)[0]


def slow_words(text):
    return re.findall(r"[a-z0-9]+", text.lower())


def slow_coverage(text, item, n=8):
    def grams(words):
        return {tuple(words[at : at + n]) for at in range(len(words) - n + 1)}

    wanted = grams(slow_words(item))
    return len(wanted & grams(slow_words(text))) / len(wanted) if wanted else 0.0


def test_words_and_places_in_many_scripts():
    texts = ["Ann’s 3 cats", None, "", "ANN'S\t3--cats!", "cafe\u0301 Café", "日本語 abc", "x² ＡＢ İz", "  "]
    words = words_of(texts)
    cut = [
        [texts[at][a:b] for a, b in zip(words.start[lo:hi], words.stop[lo:hi], strict=True)] if texts[at] else []
        for at, (lo, hi) in enumerate(zip(words.offsets[:-1], words.offsets[1:], strict=True))
    ]
    assert cut == [
        ["Ann", "s", "3", "cats"], [], [], ["ANN", "S", "3", "cats"], ["cafe\u0301", "Café"], ["日", "本", "語", "abc"],
        ["x²", "ＡＢ", "İz"], [],
    ]  # fmt: skip
    key = [words.key[lo:hi].tolist() for lo, hi in zip(words.offsets[:-1], words.offsets[1:], strict=True)]
    assert key[0] == key[3]
    assert key[4][0] == key[4][1]
    assert words_of(["x2 ab iz"]).key.tolist() == key[6]
    assert words.whole()[0] == words.whole()[3] != words.whole()[4]


def test_word_hashes_are_those_of_the_words_however_texts_are_cut():
    texts = [*prose("cut", 400, least=0, most=400), "a" * 300_000, "bc " * 120_000]
    together = words_of(texts)
    names = [slow_words(text) for text in texts]
    flat = [name for text in names for name in text]
    assert together.sizes.tolist() == [len(text) for text in names]
    by_name: dict[str, set[int]] = {}
    for name, key in zip(flat, together.key.tolist(), strict=True):
        by_name.setdefault(name, set()).add(key)
    assert all(len(keys) == 1 for keys in by_name.values())
    assert len(set.union(*by_name.values())) == len(by_name)
    alone = [words_of([text]) for text in texts]
    assert (np.concatenate([each.key for each in alone]) == together.key).all()
    assert (np.concatenate([each.start for each in alone]) == together.start).all()
    assert [t.whole()[0] for t in alone] == together.whole().tolist()


def test_spans_are_the_shared_runs():
    text = "Some say: «The big Dog sat, on the mat» and left. Nobody knew why at all"
    other = "the big dog sat on the mat; later nobody knew why"
    assert [text[a:b] for a, b in shared_spans(text, other, 3)] == ["The big Dog sat, on the mat", "Nobody knew why"]
    assert shared_spans(text, "something else entirely here", 3) == []
    assert shared_spans("", other, 3) == shared_spans(text, "", 3) == []
    # runs that touch without a common run across are two
    assert shared_spans("a b c d e f", "a b c x d e f", 3) == [(0, 5), (6, 11)]
    # places count characters, also where one takes two units or an accent stands apart
    wide = "👩‍🚀🚀 «Ça va très bien aujourd’hui» 🎉 cafe\u0301"
    assert [wide[a:b] for a, b in shared_spans(wide, "ca va tres bien, aujourd hui! ... CAFÉ", 3)] == [
        "Ça va très bien aujourd’hui» 🎉 cafe\u0301"
    ]
    # a text shorter than n words is looked for as it is
    assert shared_spans("so the big dog sat", "big dog", 8) == [(7, 14)]


def test_coverage_agrees_with_sets_of_tuples(bench):
    items = pairs("slow", 40)
    draw = stream("mixed")
    texts = []
    for number in range(120):
        a, b = (items[int(draw.integers(40))]["response"].split() for _ in range(2))
        cut = int(draw.integers(1, len(a)))
        texts.append(" ".join([*a[:cut], *prose(number, 1, least=3, most=9)[0].split(), *b[cut:]]))
    held = corpus(bench, items)
    of = passages(held)
    best = Finder(of, 8).pairs(words_of(texts), "response").best()
    whole = {"prompt": [row["prompt"] for row in items], "response": [row["response"] for row in items]}
    flat = [whole["prompt" if role == 0 else "response"][at] for at, role in zip(of.record, of.role, strict=True)]
    slow = np.array([[slow_coverage(text, item) for item in flat] for text in texts])
    found = np.zeros(len(texts))
    found[best.asked] = best.share
    np.testing.assert_allclose(found, slow.max(axis=1))
    assert (slow[best.asked, best.text] == slow[best.asked].max(axis=1)).all()
    assert 0 < (found >= 0.7).sum() < len(texts)


def test_planted_passages_are_found_where_they_stand(bench):
    held, rows = pairs("held", 80), pairs("own", 400)
    rows[7]["prompt"] = "Please answer: " + held[3]["prompt"].upper().replace(" ", "  ") + " Thanks!"
    rows[11]["response"] = "«Ünï» – " + held[5]["response"] + " ende"
    words = held[9]["prompt"].split()
    rows[13]["prompt"] = " ".join([*words[: len(words) // 2], "entirely", *prose("other", 1)[0].split()])  # half of it
    found = overlap(bench, rows, held)
    assert np.flatnonzero(found.hits).tolist() == [7, 11]
    entry = document([found])["benchmarks"][0]
    assert (entry["hits"], entry["records"], entry["items"], entry["items_hit"]) == (2, 400, 80, 2)
    assert entry["lo"] < 2 / 400 < entry["hi"]
    by_row = {each["record"]["row"]: each for each in entry["examples"]}
    for row, item, role in ((7, 3, "prompt"), (11, 5, "response")):
        shown = by_row[row]
        assert shown["record"] == {"source": shown["record"]["source"], "row": row, "field": role}
        assert (shown["benchmark"]["row"], shown["benchmark"]["field"]) == (item, role)
        assert shown["text"] == rows[row][role]
        ((start, stop),) = shown["spans"]
        assert slow_words(shown["text"][start:stop]) == slow_words(held[item][role])
        assert shown["similarity"] == 1
    # half a text is a common run of thirteen words, and no hit
    rules = {rule["rule"]: rule["hits"] for rule in entry["rules"]}
    assert rules == {"coverage": 2, "run": 3, "near": rules["near"]}


def test_unrelated_text_has_no_hits_and_chance_says_none(bench):
    found = overlap(bench, pairs("one", 500), pairs("two", 300))
    assert not found.hits.any()
    assert not found.run.any()
    entry = document([found])["benchmarks"][0]
    assert entry["hits"] == entry["share"] == 0
    assert entry["lo"] == pytest.approx(0)
    assert 0 < entry["hi"] < 0.02
    assert entry["chance"]["rate"] == 0
    assert entry["precision"] is None
    assert entry["examples"] == []


def test_a_benchmark_equal_to_the_data_is_found_whole(bench):
    rows = [*pairs("same", 300), {"prompt": "what is it for?", "response": ""}, {"prompt": "hm", "response": "so"}]
    found = overlap(bench, rows, rows)
    # a prompt of four words is not looked for, nor what is shorter
    assert np.flatnonzero(~found.hits).tolist() == [300, 301]
    entry = document([found])["benchmarks"][0]
    assert (entry["items"], entry["items_hit"], entry["items_left_out"]) == (300, 300, 2)
    assert all(rule["hits"] == 300 for rule in entry["rules"])
    assert entry["precision"]["by"] == "chance"
    assert entry["precision"]["lo"] > 0.95
    assert entry["precision"]["hi"] == 1


def test_a_phrase_of_the_benchmark_is_no_passage_of_it(bench):
    phrase = "answer the following question with a single letter and explain in one short line why it is so"
    held = [{"prompt": f"{phrase} {text}", "response": "b"} for text in prose("quiz", 60, least=14, most=30)]
    rows = [{"prompt": f"{phrase} {text}", "response": "a"} for text in prose("mine", 100, least=14, most=30)]
    rows[4]["prompt"] = held[8]["prompt"]
    found = overlap(bench, rows, held)
    assert np.flatnonzero(found.hits).tolist() == [4]
    # of runs of thirteen words only those that reach beyond the phrase count
    after = {row["prompt"].split()[18] for row in held}
    assert np.flatnonzero(found.run).tolist() == [
        at for at, row in enumerate(rows) if row["prompt"].split()[18] in after
    ]


def test_short_prompts_must_be_equal(bench):
    held = [*pairs("long", 60), {"prompt": "Who wrote the Iliad, then?", "response": "Homer"}]
    rows = [
        *pairs("else", 60),
        {"prompt": "who wrote the iliad then", "response": "Nobody knows."},
        {"prompt": "Tell me: who wrote the Iliad, then?", "response": "Homer"},
        {"prompt": "Tell me.", "response": "Who wrote the Iliad, then?"},
    ]
    assert np.flatnonzero(overlap(bench, rows, held).hits).tolist() == [60]


def test_chance_counts_items_that_look_alike_but_not_answers_to_one_prompt(bench):
    twins = pairs("twins", 100)
    answered = [{"prompt": row["prompt"], "response": f"{row['response']} {turn}"} for row in twins for turn in "abc"]
    found = overlap(bench, pairs("far", 50), answered)
    assert found.chance["coverage"] == (0, 100)
    alike = [dict(row) for row in twins]
    for at in range(0, 20, 2):  # ten pairs of items whose responses are nearly the same
        alike[at + 1]["response"] = alike[at]["response"] + " and more"
    found = overlap(bench, pairs("far", 50), alike)
    assert found.chance["coverage"] == (20, 100)


def test_precision_from_chance_is_the_share_that_chance_leaves(bench):
    held = pairs("items", 200)
    for at in range(0, 8, 2):
        held[at + 1]["response"] = held[at]["response"]
    rows = [*[dict(row) for row in held[100:150]], *pairs("rest", 350)]
    entry = document([overlap(bench, rows, held)])["benchmarks"][0]
    assert entry["chance"]["rate"] == pytest.approx(0.04)
    assert entry["hits"] == 50
    assert entry["precision"]["value"] == pytest.approx(1 - 0.04 * 400 / 50)
    assert entry["precision"]["lo"] < entry["precision"]["value"] < entry["precision"]["hi"] < 1


def test_empty_texts_and_prompts_alone_harm_nothing(bench):
    held = [{"prompt": text} for text in prose("bare", 60)]
    rows = [
        {"prompt": "", "response": ""},
        {"prompt": held[2]["prompt"], "response": None},
        {"prompt": "…", "response": "?"},
    ]
    found = overlap(bench, [*rows, *pairs("filler", 40)], held)
    assert np.flatnonzero(found.hits).tolist() == [1]
    assert (found.near[1], found.near[0]) == (1, 0)


def test_a_long_text_is_shown_around_its_span(bench):
    held = pairs("deep", 60)
    rows = pairs("around", 40)
    rows[3]["response"] = " ".join(prose("before", 60)) + ". " + held[1]["response"]
    entry = document([overlap(bench, rows, held)])["benchmarks"][0]
    (shown,) = entry["examples"]
    assert len(shown["text"]) <= 4000 < len(rows[3]["response"])
    ((start, stop),) = shown["spans"]
    assert shown["text"][start:stop] == held[1]["response"]
    assert rows[3]["response"][shown["start"] :].startswith(shown["text"])


def test_a_benchmark_of_short_texts_only(bench):
    held = [{"prompt": f"name item {number}", "response": "done"} for number in range(60)]
    entry = document([overlap(bench, [*held, *pairs("beside", 20)], held)])["benchmarks"][0]
    assert (entry["hits"], entry["items"], entry["items_left_out"]) == (0, 0, 60)
    assert entry["precision"] is None
