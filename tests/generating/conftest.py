"""A desk with a scripted writer: what methods and searches do with answers is tested apart from any model."""

from __future__ import annotations

import re
import zlib

import numpy as np
import pytest

from triptych.core.errors import SpecError
from triptych.core.rng import stream
from triptych.generating.ask import Ask, Said, Seed

OPENINGS = ("Explain", "Describe", "Summarize", "Compare", "List", "Rewrite", "Translate", "Plan")
THINGS = "river market engine garden ledger bridge melody harvest planet library kitchen lantern violin glacier".split()
VERBS = "moves grows breaks sells turns waits opens carries holds changes freezes sings".split()
PLACES = "town coast rain hill dawn mill valley harbour attic desert orchard station".split()
JOBS = "nurse baker pilot student farmer plumber judge painter sailor widow".split()


def phrase(rng, words=(THINGS, VERBS, PLACES)):
    return " ".join(str(pool[int(rng.integers(len(pool)))]) for pool in words)


def task(rng):
    opening = OPENINGS[int(rng.integers(len(OPENINGS)))]
    return f"{opening} why a {phrase(rng)} while one {phrase(rng)} and {int(rng.integers(1000))} others wait."


def dressed(rng, text):
    """A text as small models give it."""
    forms = (
        "{}",
        '"{}"',
        "Task: {}",
        "1. {}",
        "**New task:** {}",
        "Sure! Here is another task:\n\n{}",
        "{}\n\nAnswer: no idea",
    )
    return forms[int(rng.integers(len(forms)))].format(text)


def numbered(rng, count, words=2):
    return "\n".join(f"{i + 1}. {phrase(rng, (PLACES, THINGS)[:words])}" for i in range(count))


class ScriptedDesk:
    """Seeds, and a writer that answers by what it is asked for; the same ask has the same answer.

    Attributes:
        asked: all asks, in order.
        faults: share of the answers that are missing, empty, cut, or a copy of a seed.
    """

    def __init__(self, seeds=12, batch=6, faults=0.0, seed=0, graded=True):
        rng = stream("seeds")
        self.seeds = [
            Seed(f"seed-{i}", f"{task(rng)} Seed {i}.", f"Because a {phrase(rng)}.", {"answer": str(i)})
            for i in range(seeds)
        ]
        self.batch, self.faults, self.seed, self.graded = batch, faults, seed, graded
        self.asked: list[Ask] = []

    def rng(self, *labels):
        return stream("desk", self.seed, *labels)

    def ask(self, asks):
        self.asked += asks
        return [self._said(ask) for ask in asks]

    def _said(self, ask):
        rng = stream("said", ask.key)
        if rng.random() < self.faults:
            copy = self.seeds[int(rng.integers(len(self.seeds)))].prompt if self.seeds else "x"
            kinds = (
                Said(None, "refusal", tokens=3),
                Said("...", tokens=1),
                Said("A task that nev", "", "length", 9, 4),
                Said(copy, tokens=9),
            )
            return kinds[int(rng.integers(len(kinds)))]
        text = self.answer(ask, rng)
        return Said(text, "", "stop", sum(len(m.content.split()) for m in ask.messages), len(text.split()), 0.5)

    def answer(self, ask, rng):
        last = ask.messages[-1].content
        if "yes or no" in last:
            return ("Yes.", "no", "Yes, it is.", "No\n\nIt is not.")[int(rng.integers(4))]
        if found := re.search(r"Say one of: ([^.]*)\.", last):
            names = found[1].split(", ")
            return f"It is a {names[int(rng.integers(len(names)))]}."
        if "one number" in last:
            return f"Rating: {int(rng.integers(1, 6))}"
        if ask.purpose in {"attributes", "taxonomy", "ideas", "labels"}:
            return "Here they are:\n\n" + numbered(rng, 4)
        if ask.purpose == "persona":
            return f"A {JOBS[int(rng.integers(len(JOBS)))]} who {phrase(rng)} and {phrase(rng)}."
        if ask.purpose == "instance":
            return ("none", task(rng))[int(rng.integers(2))]
        if ask.purpose in {"prompt", "evolve", "instruction"}:
            return dressed(rng, task(rng))
        return " ".join(f"The {phrase(rng)} because {phrase(rng)}." for _ in range(int(rng.integers(1, 30))))

    def embed(self, texts):
        """Words hashed into 48 places."""
        out = np.zeros((len(texts), 48), dtype=np.float32)
        for row, text in zip(out, texts, strict=True):
            for word in re.findall(r"\w+", text.lower()):
                row[zlib.crc32(word.encode()) % 48] += 1
            row /= max(float(np.linalg.norm(row)), 1e-9)
        return out

    def grade(self, prompt, response, row):
        """A fixed number for each response; None for one in ten."""
        if not self.graded:
            raise SpecError("no grade")
        rng = stream("grade", prompt, response)
        return None if rng.random() < 0.1 else float(rng.random())

    def grades(self, made):
        return [self.grade(one.prompt, one.response, one.row) for one in made]


@pytest.fixture
def desk_of():
    """What makes a scripted desk."""
    return ScriptedDesk
