"""A writer whose answers follow from the asks, and a method that asks twice for a record: no model, no network."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import ClassVar

from triptych.generating.ask import Ask, Batch, Desk, Failed, Made, Method, Price, Said, Told, Writer, took
from triptych.generating.keep import answers_in
from triptych.generating.recipe import Budget, Recipe
from triptych.generating.searches.plain import Plain

WORDS = """river mountain copper engine window letter garden winter signal basket thunder market village pocket silver
candle bridge forest island rocket violin pepper lantern harbor meadow cotton marble falcon desert orchid""".split()


def sentence(key: str, words: int = 9) -> str:
    digest = hashlib.sha256(key.encode()).digest()
    return " ".join(WORDS[byte % len(WORDS)] for byte in digest[:words]).capitalize() + "."


@dataclass(frozen=True)
class Canned(Writer):
    """Answers by rule; what it was sent is logged, a line for each."""

    log: str = ""
    pause: float = 0.0
    tokens: int = 10
    priced: bool = False
    model: str = "canned"

    kind: ClassVar[str] = "canned"
    say: ClassVar[Callable[[Ask], str | None]] = lambda ask: sentence(ask.key)

    @property
    def price(self) -> Price | None:
        return Price(1.0, 2.0) if self.priced else None

    def write(self, asks: Sequence[Ask], keep: Path | None = None, done: Told | None = None) -> list[Said]:
        answers = answers_in(keep) if keep else None
        out = []
        for ask in asks:
            said = answers.get(ask.key) if answers else None
            if said is None:
                if self.log:
                    with Path(self.log).open("a") as log:
                        log.write(json.dumps([ask.key, ask.purpose]) + "\n")
                time.sleep(self.pause)
                text = type(self).say(ask)
                said = Said(text, "" if text is not None else "no such thing", "stop", 5, self.tokens, 0.25)
                if answers and text is not None:
                    answers.put(ask.key, said)
            out.append(said)
            if done:
                done(1)
        return out


@dataclass(frozen=True)
class Pairs(Method):
    """A prompt, then its response."""

    most: int = 0

    name: ClassVar[str] = "pairs"

    def make(self, desk: Desk) -> Iterator[Batch]:
        for turn in count():
            if self.most and turn >= self.most:
                return
            places = range(turn * desk.batch, (turn + 1) * desk.batch)
            prompts = desk.ask([Ask.of("Write a prompt.", "prompt", place) for place in places])
            able = [said for said in prompts if said.text is not None]
            responses = iter(desk.ask([Ask.of(said.text, "response") for said in able]))
            batch: Batch = []
            for said in prompts:
                if said.text is None:
                    batch.append(Failed(said.reason, **took(said)._asdict()))
                    continue
                back = next(responses)
                spent = took(said, back)._asdict()
                made = back.text is not None
                batch.append(Made(said.text, back.text, ("s",), **spent) if made else Failed(back.reason, **spent))
            yield batch


def recipe(writer=None, *, filters=(), method=None, **more):
    """Twenty records of the canned writer, eight at a time."""
    budget = more.pop("budget", Budget(records=20))
    return Recipe(writer or Canned(), method or Pairs(), Plain(), budget, filters=filters, **{"batch": 8, **more})
