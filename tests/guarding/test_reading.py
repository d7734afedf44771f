"""Readings of one set, against slow and obvious ones."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from itertools import combinations

import numpy as np
import pytest

from triptych.core.errors import SchemaError
from triptych.core.groups import everything
from triptych.core.rng import stream
from triptych.engines.progress import Progress
from triptych.features.structure import template
from triptych.guarding.archive import Archive
from triptych.guarding.counting import Table, rarer_half
from triptych.guarding.prepared import Scheme, prepare
from triptych.guarding.read import settle
from triptych.guarding.reading import Anchor, SetReader, structures, whole_clusters
from triptych.guarding.request import GuardOptions
from triptych.profiling.bench import open_bench

WORDS = "river market engine garden ledger bridge melody harvest planet library kitchen window copper meadow".split()


@pytest.fixture
def bench():
    with open_bench(GuardOptions.of(workers=1).settings, Progress()) as opened:
        yield opened


@pytest.fixture
def reader(bench):
    """A set's reader, with what is settled on the set itself unless it is given."""

    def make(rows, at=None, shared=False, archive=None, anchor=None, **options):
        asked = GuardOptions.of(workers=1, **options)
        made = prepare(rows, "set", asked, bench)
        scheme = settle(made, asked, shared=shared)
        made = prepare(rows, "set", asked, bench, scheme)
        at = int(made.valid.sum()) if at is None else at
        return SetReader.of(made, scheme, at, archive or Archive.empty(at), anchor or Anchor())

    return make


def tasks(n, *labels, kinds=40, right=0.7, skew=1.0):
    """n rows as a loop writes them: some are no task, some are wrong; kinds are as common as 1 / rank to the skew."""
    draw = stream("tasks", *labels)
    share = (1.0 / np.arange(1, kinds + 1)) ** skew
    rows = []
    for at in range(n):
        kind = int(draw.choice(kinds, p=share / share.sum()))
        a, b = WORDS[kind % 14], WORDS[kind // 14]
        digits = " ".join(str(d) for d in draw.integers(10, size=4))
        valid, good, told = draw.random() < 0.9, draw.random() < right, draw.random() < 0.05
        rows.append(
            {
                "prompt": f"{a} {b} : {digits} =",
                "response": digits[::-1],
                "valid": bool(valid),
                "verified": float(valid and (good or told)),
                "right": bool(good) if valid else None,
                "structure": f"{a} {b}" if valid else "",
                "complexity": float(kind % 3),
                "likelihood": -0.5,
                "group": "",
                "source": "anchor" if at % 4 == 0 else "generated",
                "round": 1,
                "index": at,
                "row": {"score": 0.5, "skeleton": "no", "answer": digits},
            }
        )
    return rows


def is_valid(row):
    return row["valid"] and row["verified"] >= 1 and row["right"] is not False


def entropy(values):
    counts = Counter(values)
    total = sum(counts.values())
    return -sum(c / total * math.log(c / total) for c in counts.values())


def test_our_own_lines_are_read_by_detection_alone(reader):
    rows = tasks(800, "own")
    found = reader(rows)
    assert found.scheme == Scheme(shared=False, on="both", text="prompt", by_field="structure")
    assert dict(found.prepared.named) == {
        "valid": "valid", "verified": "verified", "right": "right", "complexity": "complexity", "real": "source",
    }  # fmt: skip
    valid = [row for row in rows if is_valid(row)]
    assert found.prepared.valid.sum() == len(valid)
    told = found.readings()
    mean = {name: reading.value for name, reading in told.items()}
    assert mean["quality"] == pytest.approx(np.mean([row["valid"] for row in rows]))
    assert mean["verified"] == pytest.approx(np.mean([row["verified"] for row in rows]))
    assert mean["true"] == pytest.approx(np.mean([row["right"] for row in rows if row["right"] is not None]))
    assert mean["real"] == pytest.approx(0.25)
    assert mean["complexity"] == pytest.approx(np.mean([row["complexity"] for row in valid]))
    assert mean["structures"] == pytest.approx(math.exp(entropy(row["structure"] for row in valid)))
    assert mean["templates"] == pytest.approx(math.exp(entropy(template(row["prompt"]) for row in valid)))
    assert told["verified"].se == pytest.approx(math.sqrt(mean["verified"] * (1 - mean["verified"]) / 800), rel=0.4)
    for name in ("novelty", "semantic_novelty", "anchor_novelty", "tail", "zero_signal", "per_prompt"):
        assert told[name].value is None
        assert told[name].undefined


def test_structures_at_a_common_number(reader):
    rows = tasks(900, "common")
    found = reader(rows, at=150)
    told = found.readings()
    draw = stream("slow")
    kinds = [row["structure"] for row in rows if is_valid(row)]
    slow = [entropy(draw.choice(kinds, 150, replace=False)) for _ in range(400)]
    assert math.log(told["structures"].value) == pytest.approx(np.mean(slow), abs=4 * np.std(slow) / 20)
    everyone = [row["structure"] or template(row["prompt"]) for row in rows]
    slow = [entropy(draw.choice(everyone, 150, replace=False)) for _ in range(400)]
    assert math.log(told["structures_all"].value) == pytest.approx(np.mean(slow), abs=4 * np.std(slow) / 20)
    right = [row["structure"] for row in rows if row["right"]]
    slow = [entropy(draw.choice(right, 150, replace=False)) for _ in range(400)]
    assert math.log(told["correct_structures"].value) == pytest.approx(np.mean(slow), abs=4 * np.std(slow) / 20)


@pytest.mark.parametrize(("records", "at"), [(2000, 400), (420, 400), (400, 400)])
def test_the_error_of_structures_is_that_of_many_sets(records, at):
    draw = stream("errors", records, at)
    share = 1.0 / np.arange(1, 61)
    values, errors = [], []
    for _ in range(60):
        kind = draw.choice(60, size=records, p=share / share.sum()).astype(np.uint64) + np.uint64(1)
        told = Table.of(kind, draw.integers(32, size=records).astype(np.uint8)).effective(at)
        values.append(told.value)
        errors.append(told.se)
    assert np.mean(errors) == pytest.approx(np.std(values, ddof=1), rel=0.35)


def test_tail(reader):
    rows = tasks(900, "tail")
    valid = [row for row in rows if is_valid(row)]
    found = reader(rows)
    own = Table.of(found.structure[found.prepared.valid], found.prepared.keys.group[found.prepared.valid])
    rare = rarer_half(own)
    counts = Counter(row["structure"] for row in valid)
    assert len(rare) == len(counts) // 2
    assert max(own.of_names(rare).sum(axis=1)) <= sorted(counts.values())[len(rare)]
    told = reader(rows, at=100, anchor=Anchor(rare=rare)).readings()["tail"]
    draw = stream("slow tail")
    kept = sorted(own.of_names(rare).sum(axis=1))
    names = [f"rare {i}" for i, c in enumerate(kept) for _ in range(c)] + [""] * (len(valid) - sum(kept))
    slow = [(len(set(draw.choice(names, 100, replace=False)) - {""})) / len(rare) for _ in range(400)]
    assert told.value == pytest.approx(np.mean(slow), abs=4 * np.std(slow) / 20)
    assert told.lo < told.value < told.hi
    assert rarer_half(Table.of(np.array([7, 7], np.uint64), np.zeros(2, np.uint8))) is None
    assert own.of_names(np.array([1, 2**63], np.uint64)).sum() == 0


def test_novelty_against_an_archive(reader):
    first, second = reader(tasks(600, "a", kinds=20, skew=0.2)), tasks(600, "b", kinds=40, skew=0.2)
    archive = first.archived(0)
    assert len(archive) == first.prepared.valid.sum()
    told = reader(second, at=200, archive=archive).readings()
    known = {row["structure"] for row in tasks(600, "a", kinds=20, skew=0.2) if is_valid(row)}
    valid = [row for row in second if is_valid(row)]
    assert told["novelty"].value == pytest.approx(np.mean([row["structure"] not in known for row in valid]))
    assert told["novelty"].n == len(valid)
    assert told["semantic_novelty"].n == 200
    again = reader(tasks(600, "a", kinds=20, skew=0.2), at=200, archive=archive).readings()
    assert again["novelty"].value == 0
    assert again["semantic_novelty"].value == pytest.approx(0, abs=1e-3)
    assert told["semantic_novelty"].value > 0.02


def answers(prompts, each, *labels, same=0.0):
    """Responses to given prompts; a share of the prompts gets one and the same response every time."""
    draw = stream("answers", *labels)
    rows = []
    for number in range(prompts):
        one = " ".join(WORDS[int(i)] for i in draw.integers(14, size=6))
        alike = draw.random() < same
        for _ in range(each):
            other = " ".join(WORDS[int(i)] for i in draw.integers(14, size=6))
            rows.append(
                {
                    "prompt": f"Tell me about number {number}.",
                    "response": f"The {one if alike else other}.",
                    "skeleton": f"kind {number % 5}",
                    "passed": bool(draw.random() < (0.5 if number % 2 else 1.0)),
                }
            )
    return rows


def test_shared_prompts_are_read_on_their_responses(reader):
    rows = answers(100, 4, "shared")
    found = reader(rows, shared=True)
    assert found.scheme == Scheme(shared=True, on="response", text="response", by_field=None), (
        "the field is the prompt's"
    )
    told = found.readings()
    valid = [row for row in rows if row["passed"]]
    assert told["structures"].value == pytest.approx(
        math.exp(entropy(template(r["response"], inputs=False) for r in valid))
    )
    groups = defaultdict(list)
    for row in rows:
        groups[row["prompt"]].append(row["passed"])
    assert told["zero_signal"].value == pytest.approx(np.mean([len(set(seen)) == 1 for seen in groups.values()]))
    said = defaultdict(list)
    for row in valid:
        tokens = [*row["response"].rstrip(".").lower().split(), "."]
        said[row["prompt"]].append({tuple(tokens[i : i + 3]) for i in range(len(tokens) - 2)})
    means = [np.mean([1 - len(a & b) / len(a | b) for a, b in combinations(s, 2)]) for s in said.values() if len(s) > 1]
    assert told["per_prompt_novelty"].value == pytest.approx(np.mean(means))
    assert told["per_prompt_novelty"].n == len(means)
    named = reader(rows, shared=True, structure="skeleton")
    assert named.scheme.by_field == "skeleton"
    assert named.readings()["structures"].value == pytest.approx(math.exp(entropy(row["skeleton"] for row in valid)))


def test_responses_that_became_one_still_count(reader):
    """A prompt whose responses are all the same is what collapse looks like: it must not drop out of the mean."""
    told = reader(answers(100, 4, "half", same=0.5), shared=True).readings()
    other = reader(answers(100, 4, "none"), shared=True).readings()
    assert told["per_prompt"].value == pytest.approx(other["per_prompt"].value / 2, rel=0.25)
    assert told["surface"].value < other["surface"].value


def test_whole_clusters_are_taken(reader):
    found = reader(answers(60, 4, "whole"), shared=True)
    rows = whole_clusters(found.prepared, np.ones(240, dtype=np.bool_), 41)
    cluster = found.prepared.keys.cluster[rows]
    assert len(rows) == 44
    assert set(Counter(cluster.tolist()).values()) == {4}
    one_each = np.arange(240) % 4 == 0
    assert not len(whole_clusters(found.prepared, one_each, 41))


def test_names_of_fields(reader, bench):
    rows = [
        {"prompt": f"Say {i} things.", "response": f"The {WORDS[i % 14]} is number {i}.", "reward": i % 5 / 4, "depth": i % 3,
         "ok": i % 2 == 0, "kind": WORDS[i % 4]}
        for i in range(200)
    ]  # fmt: skip
    plain = reader(rows)
    assert plain.prepared.named == {"quality": "reward"}
    assert plain.readings()["quality"].value == pytest.approx(0.5)
    assert plain.readings()["verified"].undefined == "no field says whether a record was verified"
    named = reader(rows, verified="ok", complexity="depth", structure="kind")
    assert named.prepared.valid.sum() == 100
    told = named.readings()
    assert told["complexity"].value == pytest.approx(np.mean([i % 3 for i in range(0, 200, 2)]))
    assert told["structures"].value == pytest.approx(2)
    with pytest.raises(SchemaError, match='no field or per-record measure is called "dept"'):
        reader(rows, complexity="dept")
    with pytest.raises(SchemaError, match="something else than numbers"):
        reader(rows, verified="kind")
    odd = [{**row, "verified": f"by {i}", "source": "web", "valid": "maybe"} for i, row in enumerate(rows)]
    assert reader(odd).prepared.named == {"quality": "reward"}, "fields of that name that hold something else"


def test_nothing_valid(reader):
    rows = [{**row, "verified": 0.0} for row in tasks(100, "nothing")]
    found = reader(rows, at=50)
    told = found.readings()
    assert told["verified"].value == 0
    for name in ("structures", "templates", "semantic", "surface", "complexity", "per_prompt"):
        assert told[name].value is None, name
        assert told[name].undefined, name
    assert told["structures_all"].value > 1
    assert len(found.archived(0)) == 0
    few = reader(tasks(100, "few"), at=90).readings()["semantic"]
    assert "fewer than the 90" in few.undefined


def test_keys_of_structures(reader):
    found = reader(tasks(100, "keys"))
    assert (structures(found.prepared, found.scheme) != 0).all()
    bare = Scheme(shared=False, on="both", text="prompt", by_field="skill")
    rows = [{"prompt": row["prompt"], "response": row["response"]} for row in tasks(100, "keys")]
    other = reader(rows)
    assert not structures(other.prepared, bare).any(), "no such field: no structure rather than another kind of it"
    assert found.valid.sizes(everything()).sum() == found.prepared.valid.sum()


def test_evenness_is_one_where_all_occur_alike_and_low_with_a_dominant_kind() -> None:
    """Against the slow mean over random draws."""
    draw = np.random.default_rng(1)
    group = draw.integers(0, 32, 2000).astype(np.uint8)
    alike = np.repeat(np.arange(1, 21, dtype=np.uint64), 100)
    skewed = np.concatenate([np.full(1800, 1, dtype=np.uint64), np.repeat(np.arange(2, 22, dtype=np.uint64), 10)])
    assert (value := Table.of(alike, group).evenness(400).value) is not None
    assert value > 0.97
    told = Table.of(skewed, group).evenness(400)
    slow_effective, slow_different = [], []
    for _ in range(400):
        counts = np.unique(draw.permutation(skewed)[:400], return_counts=True)[1]
        share = counts / 400
        slow_effective.append(-float((share * np.log(share)).sum()))
        slow_different.append(len(counts))
    slow = float(np.exp(np.mean(slow_effective)) / np.mean(slow_different))
    assert told.value == pytest.approx(slow, rel=0.02)
    assert told.value is not None
    assert told.value < 0.2
