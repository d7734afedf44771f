"""The desk: what methods, searches and filters work with in a run. It asks, counts, stops at the budget, and grades."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from triptych.core.errors import SpecError, UsageError, message
from triptych.core.rng import stream
from triptych.features.embedding import load_encoder
from triptych.features.refusal import is_refusal
from triptych.generating.ask import Ask, BudgetSpentError, Made, Said, Seed, Told, Vectors, Writer
from triptych.generating.cost import Cost, counted, most
from triptych.generating.folder import FAILED_ASKS
from triptych.generating.grading import Grader, grader_of
from triptych.generating.keep import Answers
from triptych.generating.recipe import Recipe

EMPTY, REFUSAL, BLOCKED = "empty answer", "refusal", "stopped by a content filter"


class RunDesk:
    """The desk of one run.

    Everything that it gives follows from the recipe, the seeds and the answers that are kept: a second run over the same
    folder of answers gives the same.

    Attributes:
        told: called as answers come.
        cost: of everything that was asked.
    """

    def __init__(self, recipe: Recipe, seeds: Sequence[Seed], keep: Path | None) -> None:
        self._recipe, self._seeds, self._keep = recipe, tuple(seeds), keep
        self.told: Told | None = None
        self._failures = Answers(keep, FAILED_ASKS) if keep is not None else None
        self._counted: set[bytes] = set()
        self._names: dict[int, str] = {}
        self._grader: Grader | None = None
        self.cost = Cost()

    @property
    def seeds(self) -> Sequence[Seed]:
        """The seeds, in the order drawn."""
        return self._seeds

    @property
    def batch(self) -> int:
        """How many records a method should make at a time."""
        return self._recipe.batch

    def rng(self, *labels: str | int) -> np.random.Generator:
        """A stream of its own for these labels, under the recipe's seed."""
        return stream("generate", self._recipe.seed, *labels)

    def file(self, name: str) -> Path:
        """A file that the recipe names, as a path from here."""
        return self._recipe.file(name)

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Unit rows, float32 (n, d), of the packaged encoder."""
        return load_encoder("static").encode(list(texts))

    def grade(self, prompt: str, response: str, row: Mapping[str, Any]) -> float | None:
        """The recipe's quality of a record, in [0, 1]; None where it cannot be said.

        Raises:
            SpecError: the recipe has no [grade].
        """
        return self.grades([Made(prompt, response, row=row)])[0]

    def grades(self, made: Sequence[Made]) -> list[float | None]:
        """The same of many records at once, which a judge answers side by side."""
        if self._grader is None:
            if self._recipe.grade is None:
                what = "recipe: nothing says how good a record is."
                raise SpecError(message(what, want="a table [grade]", hint='[grade] judge = "writer"'))
            self._grader = grader_of(self._recipe.grade)
        return self._grader.grades(made, self.ask)

    def ask(self, asks: Sequence[Ask]) -> list[Said]:
        """The answers, in order. What is asked of a judge goes to the judge of the recipe, where it names one.

        Under a budget of tokens or money only so many are under way at once as surely fit, and at least one.

        Raises:
            BudgetSpentError: the budget does not allow for the next of them.
            UsageError: the writer is not one that answers such asks.
            TriptychError: the writer cannot go on.
        """
        self.check(asks)
        out: list[Said] = []
        while len(out) < len(asks):
            rest = asks[len(out) :]
            out += self._answered(rest[: self._allowed(rest)])
        return out

    def check(self, asks: Sequence[Ask]) -> None:
        """See that those who are asked can answer such asks at all.

        Raises:
            UsageError: one cannot.
        """
        for ask in asks:
            writer = self._writer(ask)
            if writer.purposes and ask.purpose not in writer.purposes:
                what = f'recipe: writer "{writer.kind}" cannot do what the other parts of this recipe ask of it.'
                hint = 'another method, search or judge, or a model that answers anything: [writer] kind = "lm"'
                want = ", ".join(writer.purposes)
                raise UsageError(message(what, got=f'an ask of the kind "{ask.purpose}"', want=want, hint=hint))

    def close(self) -> None:
        """Close the file of failures."""
        if self._failures is not None:
            self._failures.close()

    def _writer(self, ask: Ask) -> Writer:
        judge = self._recipe.judge if ask.purpose == "judge" else None
        return judge or self._recipe.writer

    def _allowed(self, asks: Sequence[Ask]) -> int:
        """How many of these asks surely fit what is left, at least one.

        Raises:
            BudgetSpentError: nothing is left.
        """
        budget, cost = self._recipe.budget, self.cost
        tokens = None if budget.tokens is None else budget.tokens - cost.prompt_tokens - cost.tokens
        money = None if budget.money is None else budget.money - (cost.money or 0.0)
        for name, left in (("tokens", tokens), ("money", money)):
            if left is not None and left <= 0:
                raise BudgetSpentError(f"the budget of {name} is spent")
        if tokens is None and money is None:
            return len(asks)
        for place, ask in enumerate(asks):
            writer = self._writer(ask)
            read, written = most(writer, ask)
            if tokens is not None:
                tokens -= read + written
            if money is not None and writer.price is not None:
                money -= writer.price.of(read, written)
            if place and ((tokens is not None and tokens < 0) or (money is not None and money < 0)):
                return place
        return len(asks)

    def _answered(self, asks: Sequence[Ask]) -> list[Said]:
        """Send these asks, each different one once, to whom they are for."""
        found: dict[str, Said] = {}
        for writer in {id(writer): writer for writer in map(self._writer, asks)}.values():
            mine = {self._key(writer, ask): ask for ask in asks if self._writer(ask) is writer}
            failed = {key: said for key in mine if (said := self._failure(key)) is not None}
            sent = {key: ask for key, ask in mine.items() if key not in failed}
            came = self._sent(writer, list(sent.values())) if sent else []
            for key, each in zip(sent, came, strict=True):
                if each.text is None and self._failures is not None:
                    self._failures.put(key, each)
            answers = {**failed, **dict(zip(sent, came, strict=True))}
            for key, ask in mine.items():
                found[key] = self._counted_once(writer, ask, key, answers[key])
        return [found[self._key(self._writer(ask), ask)] for ask in asks]

    def _sent(self, writer: Writer, asks: Sequence[Ask]) -> list[Said]:
        """Have these asks answered, and note how often they were tried."""
        came, usage = writer.asked(asks, self._keep, self.told)
        if usage is not None:
            self.cost.retried += usage.retried
            self.cost.ambiguous += usage.ambiguous
        return came

    def _counted_once(self, writer: Writer, ask: Ask, key: str, said: Said) -> Said:
        """The answer as methods see it, counted where it is new to this run."""
        said, estimated = counted(ask, said)
        short = bytes.fromhex(key[-32:])
        if short not in self._counted:
            self._counted.add(short)
            self.cost.add(writer, ask, said)
            self.cost.uncounted += estimated
        reason = _unusable(ask, said)
        return replace(said, text=None, reason=reason) if reason else said

    def _failure(self, key: str) -> Said | None:
        return None if self._failures is None else self._failures.get(key)

    def _key(self, writer: Writer, ask: Ask) -> str:
        if id(writer) not in self._names:
            self._names[id(writer)] = writer.spec.hash
        return f"{self._names[id(writer)]}-{ask.key}"


def _unusable(ask: Ask, said: Said) -> str:
    """Why an answer is none; "" where it is one, or where there is a reason already."""
    if said.text is None:
        return said.reason or "no answer"
    if said.finish == "content_filter":
        return BLOCKED
    if not said.text.strip():
        return EMPTY
    if ask.purpose != "judge" and is_refusal(ask.messages[-1].content, said.text):
        return REFUSAL
    return ""
