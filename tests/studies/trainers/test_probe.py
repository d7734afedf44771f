"""The trainer `probe`: a ridge regression on embeddings."""

from __future__ import annotations

import time

import numpy as np
import pytest

from triptych.core.errors import SchemaError, SpecError
from triptych.core.rng import stream
from triptych.features.embedding import load_encoder
from triptych.studies.panels import ScoredPanel
from triptych.studies.trainers.probe import STRENGTHS, Probe, Ridge
from triptych.studies.trainers.trainer import Example

TOPICS = {
    "animal": "cat dog horse sheep lion tiger wolf bear rabbit fox cow goat deer monkey elephant mouse pig camel",
    "food": "bread cheese soup rice apple pasta salad butter cake honey milk yogurt potato onion sausage pie noodles jam",
    "tool": "hammer saw drill wrench screwdriver pliers chisel rake axe shovel pickaxe clamp mallet crowbar trowel lathe sander hoe",
}
FRAMES = ("Tell me about the {}.",)
SPLIT = 12


def labelled(words, frames=FRAMES):
    return [
        Example(frame.format(word), topic)
        for topic, text in TOPICS.items()
        for word in text.split()[words]
        for frame in frames
    ]


TRAIN, TEST = labelled(slice(SPLIT)), labelled(slice(SPLIT, None))


def shuffled(data, seed=0):
    order = stream("probe test", seed).permutation(len(data))
    return [Example(a.prompt, data[i].response) for a, i in zip(data, order, strict=True)]


def score(data, panel):
    return Probe().run(data, [panel], 0).items[panel.name]


def test_few_answers_are_classes():
    panel = ScoredPanel("ood", tuple(TEST))
    outcome = Probe().run(TRAIN, [panel], 0)
    items = outcome.items["ood"]
    assert set(items.tolist()) <= {0.0, 1.0}
    assert items.shape == (len(TEST),)
    assert items.mean() > 0.8
    assert score(shuffled(TRAIN), panel).mean() < 0.7
    said = outcome.notes["panels"]["ood"]
    assert (said["rule"], said["classes"], said["classes_in_data"]) == ("classes", 3, 3)
    assert outcome.notes["encoder"] == load_encoder("static").identity


def test_an_answer_that_was_never_seen_cannot_be_given():
    panel = ScoredPanel("ood", tuple(TEST))
    seen = [example for example in TRAIN if example.response != "food"]
    items = score(seen, panel)
    truth = np.array([example.response for example in TEST])
    assert items[truth == "food"].sum() == 0
    assert items[truth != "food"].mean() > 0.8
    assert score([Example(e.prompt, "other") for e in TRAIN], panel).sum() == 0


def pairs(words):
    return [Example(f"Describe the {word}.", f"The {word} is a thing that people know as {word}.") for word in words]


def test_many_answers_are_retrieved():
    words = " ".join(TOPICS.values()).split()
    rng = stream("probe retrieval")
    order = [words[i] for i in rng.permutation(len(words))]
    train, panel = pairs(order[:48]), ScoredPanel("id", tuple(pairs(order[48:])))
    outcome = Probe().run(train, [panel], 0)
    assert outcome.notes["panels"]["id"]["rule"] == "retrieval"
    items = outcome.items["id"]
    assert set(np.round(1 / items, 9)) <= set(range(1, 7))
    assert items.mean() > 0.7
    random = np.mean([score(shuffled(train, seed), panel).mean() for seed in range(6)])
    assert random < items.mean() - 0.2


def test_retrieval_counts_ties_against_the_answer():
    items = [Example("x", f"answer {word}") for word in ("one", "two", "three")]
    same = [Example(f"prompt {i}", "only this") for i in range(6)]
    panel = ScoredPanel("id", (*items, Example("x", "Answer ONE")))  # one vector for two references
    assert score(same, panel)[0] in (1 / 2, 1 / 3, 1 / 4)
    assert score(same, panel)[0] == score(same, panel)[3]


def test_the_rule_is_the_panels_so_it_is_the_same_for_all_arms():
    panel = ScoredPanel("id", tuple(TEST))
    for data in (TRAIN, [Example(e.prompt, f"{e.response} {i}") for i, e in enumerate(TRAIN)]):
        assert Probe().run(data, [panel], 0).notes["panels"]["id"]["rule"] == "classes"


def slow_gcv(inputs, targets, strength):
    """GCV with the hat matrix written out, the intercept as an unpenalized column."""
    n, d = inputs.shape
    centred = inputs - inputs.mean(axis=0)
    scale = np.linalg.eigvalsh(centred.T @ centred).mean()
    full = np.column_stack([np.ones(n), centred])
    penalty = np.diag([0.0, *[strength * scale] * d])
    hat = full @ np.linalg.inv(full.T @ full + penalty) @ full.T
    rest = targets - hat @ targets
    return (rest**2).sum() / (1 - np.trace(hat) / n) ** 2, full, penalty


@pytest.mark.parametrize(("n", "d"), [(40, 6), (12, 9)])
def test_the_strength_minimizes_the_criterion_written_out(n, d):
    rng = stream("ridge", n, d)
    inputs = rng.normal(size=(n, d)) * np.linspace(0.2, 3, d)
    targets = inputs @ rng.normal(size=(d, 3)) + rng.normal(size=(n, 3)) * 3 + 5
    new = rng.normal(size=(4, d))
    predicted, strength = Ridge.of(inputs).predict(targets, new)
    slow = [slow_gcv(inputs, targets, each)[0] for each in STRENGTHS]
    assert strength == STRENGTHS[int(np.argmin(slow))]
    _, full, penalty = slow_gcv(inputs, targets, strength)
    weights = np.linalg.solve(full.T @ full + penalty, full.T @ targets)
    direct = np.column_stack([np.ones(4), new - inputs.mean(axis=0)]) @ weights
    np.testing.assert_allclose(predicted, direct, rtol=1e-8)


def test_ridge_with_fewer_rows_than_columns_and_with_equal_rows():
    rng = stream("ridge wide")
    inputs, targets = rng.normal(size=(8, 30)), rng.normal(size=(8, 2))
    predicted, strength = Ridge.of(inputs).predict(targets, inputs)
    assert np.isfinite(predicted).all()
    assert strength in STRENGTHS
    alike, _ = Ridge.of(np.ones((5, 3))).predict(targets[:5], np.zeros((2, 3)))
    np.testing.assert_allclose(alike, np.tile(targets[:5].mean(axis=0), (2, 1)))


def test_same_bits_whatever_the_seed_and_its_identity():
    panel = ScoredPanel("id", tuple(TEST))
    first, second = (Probe().run(TRAIN, [panel], seed) for seed in (0, 1))
    assert np.array_equal(first.items["id"], second.items["id"])
    assert first.notes == second.notes
    assert Probe().spec.params == {"encoder": "static", "identity": load_encoder("static").identity}


def test_bad_input():
    with pytest.raises(SchemaError, match="too few records"):
        Probe().run(TRAIN[:1], [ScoredPanel("id", tuple(TEST))], 0)
    with pytest.raises(SchemaError, match="at least two different references"):
        Probe().run(TRAIN, [ScoredPanel("id", (Example("a", "b"), Example("c", "b")))], 0)
    with pytest.raises(SpecError, match="no encoder is named"):
        Probe("nothing")


def test_seconds():
    texts = [
        f"{frame.format(word)} number {i}"
        for i in range(50)
        for frame in ("The {}.", "Where is the {}?", "A {}!", "Is a {}")
        for word in ("cat", "soup", "axe")
    ]
    data = [Example(text, f"about {text}") for text in texts]
    started = time.process_time()
    Probe().run(data, [ScoredPanel("id", tuple(data[:100]))], 0)
    taken = time.process_time() - started
    print(f"\n600 records, 100 items: {taken:.2f} CPU s")
    assert taken < 10
