"""Measures inside a prompt: the number of responses does not move them, and a collapsed prompt is counted."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest

from triptych.core.batch import Batch, list_array
from triptych.core.estimate import Undefined
from triptych.core.groups import everything
from triptych.core.registry import parse
from triptych.measures.diversity.vendi import Vendi
from triptych.statistics.prompt_sample import PROMPTS, PromptGrams, PromptStructures
from triptych.testing import make_rows
from triptych.testing.laws import fold

ALL = ("per_prompt_distinct_n", "per_prompt_structures", "per_prompt_vendi")


def value(request: str, records) -> float | Undefined:
    (measure,) = parse([request])
    return measure.value(fold(measure.statistic(), make_rows(records)), everything())


def drawn(responses: int, prompts: int = 1500) -> Batch:
    """Prompts with their own small set of templates, tokens and directions, answered that many times each."""
    rng = np.random.default_rng(responses)
    n = prompts * responses
    own = np.repeat(np.arange(prompts), responses)
    kinds = 1 + own % 6
    tokens = rng.integers(0, 30, n * 12) % np.repeat(5 + own % 25, 12)
    x = np.eye(8)[own % 8] + rng.normal(size=(n, 8)) * (0.2 + own % 5 / 5)[:, None]
    columns = {
        "prompt": pa.array([f"p{i}" for i in own]),
        "template@response": pa.array((own * 10 + (rng.random(n) * kinds).astype(int)).astype(np.uint64)),
        "tokens@response": list_array(tokens.astype(np.int32), np.arange(n + 1) * 12),
        "embedding@response": pa.FixedSizeListArray.from_arrays(pa.array(x.astype(np.float32).reshape(-1)), 8),
    }
    return Batch(columns, (own % 32).astype(np.uint8), rng.integers(0, 1 << 63, n).astype(np.uint64))


@pytest.mark.parametrize("request_", ALL)
def test_the_number_of_responses_does_not_move_it(request_):
    (measure,) = parse([request_])
    values = []
    for responses in (2, 4, 16):
        statistic = measure.statistic()
        statistic.update(drawn(responses))
        values.append(measure.value(statistic, everything()))
    assert values == pytest.approx([values[-1]] * 3, rel=0.03)


def test_what_is_pooled_over_a_prompt_does_move():
    """Distinct-2 of all responses to a prompt at once, as it is often taken: from 2 to 16 responses it falls by half."""
    pooled = []
    for responses in (2, 16):
        flat, offsets = drawn(responses).lists("tokens@response")
        texts = [flat[a:b].tolist() for a, b in pairwise(offsets)]
        shares = []
        for start in range(0, len(texts), responses):
            grams = [gram for text in texts[start : start + responses] for gram in pairwise(text)]
            shares.append(len(set(grams)) / len(grams))
        pooled.append(np.mean(shares))
    assert pooled[0] > 1.3 * pooled[1]


def test_a_prompt_that_is_always_answered_alike_counts():
    alike = [{"prompt": "Why?", "response": "So it is. a b c"}] * 6
    assert value("per_prompt_distinct_n", alike) == 0.5
    assert value("per_prompt_structures", alike) == 1.0
    assert value("per_prompt_vendi", alike) == pytest.approx(1.0, abs=1e-12)
    varied = [{"prompt": "How?", "response": text} for text in ("x y z", "u v w")]
    assert value("per_prompt_structures", [*alike, *varied]) == 1.5


def test_two_answers_that_share_nothing():
    records = [{"prompt": "How?", "response": text} for text in ("x y z", "u v w")]
    assert value("per_prompt_distinct_n", records) == 1.0
    assert value("per_prompt_distinct_n:n=4", records).reason == "no prompt has two responses of 4 tokens"
    assert value("per_prompt_structures:k=3", records).reason == "no prompt has 3 responses with a structure"
    assert value("per_prompt_vendi", ["x", "y"]).reason == "no prompt has two responses with a vector"


def test_vendi_of_a_prompt_at_its_own_number_is_the_vendi_score():
    rng = np.random.default_rng(3)
    records = [
        {"prompt": "Why?", "response": f"r{i}", "embedding@response": row.tolist()}
        for i, row in enumerate(rng.normal(1, 1, (7, 5)))
    ]
    measure = Vendi(q=2.0)
    want = measure.value(fold(measure.statistic(), make_rows(records)), everything())
    assert value("per_prompt_vendi:k=7", records) == pytest.approx(want, rel=1e-6)


def test_structures_among_as_many_as_there_are_is_their_number():
    records = [{"prompt": "Why?", "response": f"{word} it is"} for word in "aabbbc"]
    assert value("per_prompt_structures:k=6", records) == 3.0


def test_a_sample_of_prompts_and_responses_is_said():
    statistic = PromptGrams()
    statistic.update(drawn(40, prompts=64))
    assert statistic.bound() == (False, "read on a random sample of prompts and responses: 2,048 of 2,560 responses")
    assert statistic.records(everything()) == 64
    single = PromptStructures()
    n = 40_000
    columns = {"prompt": pa.array([f"p{i // 2}" for i in range(n)]), "template@response": pa.array(np.arange(n) // 2)}
    single.update(Batch(columns, (np.arange(n) // 2 % 32).astype(np.uint8), np.arange(n, dtype=np.uint64)))
    assert single.records(everything()) == 32 * PROMPTS
    assert single.mean(everything()) == 1.0
