"""A writer for `command.toml`: it reads the task that its last argument names, and prints prompts and answers of its own.

A real one would load the round's model from `task["model"]`, or call a tool. This one is a clerk who slips now and then.
"""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path

SLIPS = 0.2


def main() -> None:
    """Print `samples` records; the hotter the temperature of its prompt, the longer a sum may be."""
    task = json.loads(Path(sys.argv[-1]).read_text(encoding="utf-8"))
    draw = random.Random(task["seed"])  # noqa: S311 - no secret
    for temperature, count in task["explore"]:
        for _ in range(count):
            longer = draw.random() < temperature / 4
            terms = [draw.choice("+-") + str(draw.randrange(20)) for _ in range(2 + longer)]
            prompt = "".join(terms)[1:] + "="
            answer = int(terms[0][1:]) + sum(map(int, terms[1:])) + (draw.random() < SLIPS)
            print(json.dumps({"prompt": prompt, "response": str(answer), "explore": temperature}))


if __name__ == "__main__":
    main()
