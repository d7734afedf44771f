"""A training step of the tiny model beside plain eager PyTorch. `python benchmarks/tiny_trainer.py [--quick] [--dry]`

128 records of 23 tokens, one layer of width 64, one thread. Four things are timed in turn, many rounds in one process:

    plain      what one writes first: LayerNorm, GELU, learned positions, attention in separate operations, cross entropy of
               every place, AdamW as it comes
    plain_sdpa the same with PyTorch's fused attention
    same       our model differentiated by autograd, loss on the response alone, AdamW fused: the same sums as ours
    same_all   as `same`, with the loss of every place
    ours       what the trainer runs, loss on the response alone (its default)
    ours_all   what the trainer runs with `prompt_loss`: every place, as in `plain`

Ours makes the batch of each step anew; the others have it ready. All run in one process, so that they too gain from the
memory that ours keeps between steps. Both favour the others.
Ratios are medians over rounds of times taken next to each other. With a GPU: many arms in one model beside one at a time.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
import numpy as np
import torch
from harness import packages, save

from triptych.core.rng import stream
from triptych.studies.trainers import tiny_decode
from triptych.studies.trainers.tiny_fit import Feed, Plan, collate, fit
from triptych.studies.trainers.tiny_model import Shape, logits

RECORDS, TOKENS, PROMPT, VOCABULARY, WIDTH, HEADS = 128, 23, 9, 64, 64, 4
TARGET, GPU_TARGET = 1.3, 20.0
STEPS = 5
"""Optimizer steps in one timing."""


class Plain(torch.nn.Module):
    """A one-layer transformer as it is usually written."""

    def __init__(self, fused_attention: bool) -> None:
        super().__init__()
        self.fused_attention = fused_attention
        self.embed = torch.nn.Embedding(VOCABULARY, WIDTH)
        self.position = torch.nn.Embedding(TOKENS, WIDTH)
        self.before, self.between, self.behind = (torch.nn.LayerNorm(WIDTH) for _ in range(3))
        self.qkv, self.out = torch.nn.Linear(WIDTH, 3 * WIDTH), torch.nn.Linear(WIDTH, WIDTH)
        self.up, self.down = torch.nn.Linear(WIDTH, 4 * WIDTH), torch.nn.Linear(4 * WIDTH, WIDTH)
        self.head = torch.nn.Linear(WIDTH, VOCABULARY, bias=False)
        self.head.weight = self.embed.weight
        ahead = torch.ones(TOKENS, TOKENS, dtype=torch.bool).triu(1)
        self.register_buffer("ahead", ahead)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        records, length = tokens.shape
        x = self.embed(tokens) + self.position.weight[:length]
        q, k, v = self.qkv(self.before(x)).view(records, length, 3, HEADS, -1).permute(2, 0, 3, 1, 4)
        if self.fused_attention:
            mixed = torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        else:
            scores = q @ k.transpose(-1, -2) / (WIDTH // HEADS) ** 0.5
            mixed = scores.masked_fill(self.ahead[:length, :length], float("-inf")).softmax(-1) @ v
        x = x + self.out(mixed.transpose(1, 2).reshape(records, length, WIDTH))
        x = x + self.down(torch.nn.functional.gelu(self.up(self.between(x))))
        return self.head(self.behind(x))


def records(seed: int) -> tuple[np.ndarray, Feed]:
    """Random records of 24 tokens, of which 23 are predicted from 23; and as a feed."""
    tokens = stream("bench", seed).integers(3, VOCABULARY, (RECORDS, TOKENS + 1))
    return tokens, Feed.of([(list(row), PROMPT + 1) for row in tokens.tolist()], seed)


def plain(fused_attention: bool) -> Callable[[], None]:
    torch.manual_seed(0)
    model = Plain(fused_attention)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    tokens = torch.from_numpy(records(0)[0])

    def step() -> None:
        optimizer.zero_grad()
        told = model(tokens[:, :-1])
        torch.nn.functional.cross_entropy(told.reshape(-1, VOCABULARY), tokens[:, 1:].reshape(-1)).backward()
        optimizer.step()

    return lambda: [step() for _ in range(STEPS)]


def shape() -> Shape:
    return Shape(VOCABULARY, 1, WIDTH, HEADS)


def start(arms: int) -> torch.Tensor:
    return torch.stack([shape().start(torch.Generator().manual_seed(arm)) for arm in range(arms)])


def same(every_place: bool) -> Callable[[], None]:
    """Our model by autograd."""
    feed = records(0)[1]
    if every_place:
        feed = Feed(feed.tokens, feed.lengths, np.ones_like(feed.first), 0)
    batch = collate([feed], [np.arange(RECORDS)], "cpu")
    parts = {name: view.clone().requires_grad_() for name, view in shape().views(start(1)).items()}
    optimizer = torch.optim.AdamW(parts.values(), lr=1e-3, fused=True)

    def step() -> None:
        optimizer.zero_grad()
        told = logits(parts, batch.tokens, batch.rows)
        torch.nn.functional.cross_entropy(told[0], batch.targets[0]).backward()
        optimizer.step()

    return lambda: [step() for _ in range(STEPS)]


def ours(every_place: bool) -> Callable[[], None]:
    feed = records(0)[1]
    if every_place:
        feed = Feed(feed.tokens, feed.lengths, np.ones_like(feed.first), 0)
    flat, plan = start(1), Plan((STEPS,), RECORDS, 1e-3, 0.1)
    return lambda: fit(shape(), flat, [feed], plan)


KINDS = {
    "plain": lambda: plain(fused_attention=False),
    "plain_sdpa": lambda: plain(fused_attention=True),
    "same": lambda: same(every_place=False),
    "same_all": lambda: same(every_place=True),
    "ours": lambda: ours(every_place=False),
    "ours_all": lambda: ours(every_place=True),
}
COMPARED = [
    ("ours", "plain"),
    ("ours", "plain_sdpa"),
    ("ours_all", "plain"),
    ("ours", "same"),
    ("ours_all", "same_all"),
]


def one_core(rounds: int) -> dict[str, Any]:
    """Milliseconds of CPU a step of each kind, and ratios of neighbours."""
    torch.set_num_threads(1)
    kinds = {name: make() for name, make in KINDS.items()}
    for run in kinds.values():
        run()
    times: dict[str, list[float]] = {name: [] for name in kinds}
    for _ in range(rounds):
        for name, run in kinds.items():
            began = time.process_time()
            run()
            times[name].append((time.process_time() - began) * 1e3 / STEPS)
    quarter = {name: statistics.quantiles(found, n=4) for name, found in times.items()}
    rows = {
        name: {"ms_min": round(min(found), 3), "ms_median": round(quarter[name][1], 3)} for name, found in times.items()
    }
    ratios = {}
    for fast, slow in COMPARED:
        found = sorted(b / a for a, b in zip(times[fast], times[slow], strict=True))
        ratios[f"{slow} / {fast}"] = {
            "median": round(statistics.median(found), 2),
            "middle_half": [round(found[len(found) // 4], 2), round(found[-len(found) // 4], 2)],
            "of_minima": round(min(times[slow]) / min(times[fast]), 2),
        }
    met = {
        "ours": ratios["plain / ours"]["median"] >= TARGET,
        "ours_all": ratios["plain / ours_all"]["median"] >= TARGET,
    }
    return {"steps": rows, "ratios": ratios, "target": TARGET, "met": met}


def processes(counts: Sequence[int], steps: int) -> list[dict[str, Any]]:
    """Steps a second of so many processes at once, all of them trained for the same time; by wall clock."""
    out = []
    for count in counts:
        command = [sys.executable, __file__, "--work", str(steps)]
        running = [
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(count)
        ]
        for process in running:
            assert process.stdout is not None
            process.stdout.readline()  # ready
        began = time.perf_counter()
        for process in running:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        cpu = [float(process.communicate()[0]) for process in running]
        wall = time.perf_counter() - began
        out.append(
            {
                "processes": count,
                "steps_per_second": round(count * steps / wall, 1),
                "cpu_ms_a_step": round(sum(cpu) * 1e3 / count / steps, 3),
            }
        )
        print(out[-1], flush=True)
    return out


def work(steps: int) -> None:
    """One of several processes: get ready, wait for a line, train, print CPU seconds."""
    torch.set_num_threads(1)
    ours(every_place=False)()
    print("ready", flush=True)
    sys.stdin.readline()
    began = time.process_time()
    fit(shape(), start(1), [records(0)[1]], Plan((steps,), RECORDS, 1e-3, 0.1))
    print(time.process_time() - began)


def generation(items: int) -> dict[str, Any]:
    """Seconds of CPU to generate 20 tokens to each of so many prompts, none of which ends early."""
    p = shape().views(start(1))
    p["embed"][:, 1] -= 10 * p["embed"].mean(
        1
    )  # any response ends when it ends; what matters is how many tokens there are
    prompts = [list(row) for row in stream("bench", "prompts").integers(3, VOCABULARY, (items, PROMPT)).tolist()]
    best, tokens = float("inf"), 0
    for _ in range(3):
        began = time.process_time()
        tokens = sum(map(len, tiny_decode.generate(p, prompts, 20, 0.0, 0)))
        best = min(best, time.process_time() - began)
    return {"items": items, "tokens": tokens, "cpu_seconds": round(best, 3)}


def gpu(arms: int, steps: int) -> dict[str, Any] | str:
    """Arm-steps a second, one at a time and many as one."""
    if not torch.cuda.is_available():
        return "no GPU"
    found = {}
    for count in (1, arms):
        flat = start(count).cuda()
        feeds = [records(arm)[1] for arm in range(count)]
        plan = Plan((steps,) * count, RECORDS, 1e-3, 0.1)
        fit(shape(), flat, feeds, plan)
        torch.cuda.synchronize()
        began = time.perf_counter()
        fit(shape(), flat, feeds, plan)
        torch.cuda.synchronize()
        found[count] = count * steps / (time.perf_counter() - began)
    ratio = found[arms] / found[1]
    return {
        "device": torch.cuda.get_device_name(),
        "arms": arms,
        "arm_steps_per_second": {str(count): round(value, 1) for count, value in found.items()},
        "ratio": round(ratio, 1),
        "target": GPU_TARGET,
        "met": ratio >= GPU_TARGET,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few rounds; writes no result")
    parser.add_argument("--dry", action="store_true", help="write no result")
    parser.add_argument("--work", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.work:
        work(given.work)
        return
    rounds = 5 if given.quick else 40
    rows = {
        "work": f"{RECORDS} records of {TOKENS} tokens, {TOKENS - PROMPT} of them the response's; {shape().size} parameters",
        "rounds": rounds,
        **one_core(rounds),
    }
    print(json.dumps(rows, indent=1), flush=True)
    cores = len(os.sched_getaffinity(0))
    rows["processes"] = processes(sorted({1, cores}), 20 if given.quick else 400)
    rows["generation"] = generation(300 if given.quick else 1500)
    rows["gpu"] = gpu(8 if given.quick else 128, 10 if given.quick else 100)
    rows["torch"] = packages(["torch"])["torch"]
    save("tiny_trainer", rows, given.quick or given.dry)


if __name__ == "__main__":
    main()
