"""Two lines in one's own loop: the rounds are written to guard/, judged as they come, and the loop reacts.

    python examples/guard/own_loop.py

The loop here is a toy that trains on what it writes most often, so it narrows; yours generates, selects and trains.
"""

from __future__ import annotations

import triptych
from triptych.core.rng import stream

TASKS = ("river", "market", "engine", "garden", "ledger", "bridge", "melody", "harvest", "planet", "library")
FORMS = ("Explain how a {} works, {}.", "Name three parts of a {}, {}.", "Why does a {} cost money? Answer {}.")
WAYS = ("please", "briefly", "with care", "in verse", "as a list")


def main() -> None:
    """At most ten rounds; the guard's word ends them earlier."""
    kinds = [(task, form, way) for task in TASKS for form in FORMS for way in WAYS]
    weights = dict.fromkeys(kinds, 1.0)
    watch = triptych.Watch("guard/")  # the first line
    for number in range(10):
        rng = stream("own loop", number)
        share = [weight / sum(weights.values()) for weight in weights.values()]
        drawn = [kinds[int(at)] for at in rng.choice(len(kinds), size=300, p=share)]
        records = [
            {"prompt": form.format(task, way), "response": f"A {task} is made of parts.", "structure": f"{form} {way}"}
            for task, form, way in drawn
        ]
        verdict = watch.add(records, scores={"id": 0.7, "ood": 0.5})  # the second line
        print(f"round {number}: {verdict.state}, {verdict.verdict}")
        if verdict.verdict == "stop":
            print(*verdict.reasons, *verdict.suggest, sep="\n")
            break
        counts = {kind: drawn.count(kind) for kind in kinds}
        weights = {kind: (0.1 + counts[kind]) ** 1.6 for kind in kinds}


if __name__ == "__main__":
    main()
