"""Small sets for gates: a baseline, the same in a new draw, and what a gate must see."""

from __future__ import annotations

import json

import pytest

from triptych import api
from triptych.core.rng import stream

QUICK = {"workers": 1}


def answers(n, *labels, rate=0.8, prompts=None):
    """n short answers with a label and a task; with `prompts` they answer those of another draw."""
    draw, other = stream("gate", *labels), stream("gate", "prompts", *([prompts] if prompts else labels))
    words = (
        "river market engine garden ledger bridge melody harvest planet library kitchen window copper meadow".split()
    )
    rows = []
    for number in range(n):
        asked = " ".join(words[i] for i in other.integers(len(words), size=5))
        said = " ".join(words[i] for i in draw.integers(len(words), size=int(draw.integers(6, 30))))
        rows.append(
            {
                "prompt": f"Tell me about the {asked}, number {number}.",
                "response": f"The {said}.",
                "correct": bool(draw.random() < rate),
                "task": ("count", "sort", "name")[number % 3],
            }
        )
    return rows


@pytest.fixture
def write(tmp_path):
    """Write rows as JSON lines; the path."""

    def to(name, rows):
        file = tmp_path / name
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return file

    return to


@pytest.fixture
def gate():
    """The verb in this process, with one worker."""

    def call(data, baseline=None, rules=None, **given):
        return api.gate(data, baseline=baseline, rules=rules, **QUICK, **given)

    return call


@pytest.fixture(scope="session")
def make():
    """The function that makes answers."""
    return answers


@pytest.fixture
def one():
    """The only limit of a document of a kind, a group, a measure."""

    def find(document, kind=None, group=None, measure=None):
        asked = {"kind": kind, "measure": measure}
        rows = [r for r in document["rules"] if all(v is None or r[k] == v for k, v in asked.items())]
        (found,) = [row for row in rows if row["group"] == group]
        return found

    return find
