"""Attributed prompting: each prompt is asked for with attributes of its own, or as what a person of a certain kind would ask.

Two forms. *Attributes*: a grid of dimensions and their values, from which each prompt draws one value of every dimension
(AttrPrompt, Yu et al. 2023, arXiv 2306.15895); the model makes the grid from the seeds, or the recipe gives it. *Personas*: the model says who would
ask a seed, and what else that person would ask (Persona Hub, Ge et al. 2024, arXiv 2406.20094); a persona much like an
earlier one is dropped, as there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, ClassVar, Literal, final

from triptych.core.errors import TriptychError, message
from triptych.generating.ask import Ask, Batch, Desk, Method, Said, Seed
from triptych.generating.methods._alike import Pool
from triptych.generating.methods._drafts import (
    Copies,
    Deck,
    Draft,
    batch_of,
    drafts_of,
    nonce,
    respond,
    settled,
    shown,
    step,
)
from triptych.generating.methods._reading import Unread, bare, list_of, text_of

Grid = dict[str, list[str]]

_DIMENSIONS_ASKED = "{tasks}\n\nIn which {number} ways do these tasks differ? List {number} words."
_DIMENSIONS = (
    (
        _DIMENSIONS_ASKED.format(
            number=3,
            tasks="When should I cut back an old apple tree?\n\nWrite a short letter to a shop.\n\nWrite a long poem about the sea.",
        ),
        "1. subject\n2. form\n3. length",
    ),
)
"""A small model gives the example back: it is one that fits most tasks."""
_VALUES_ASKED = "List {number} different kinds of: {name}"
_VALUES = (
    (_VALUES_ASKED.format(number=4, name="form"), "1. question\n2. letter\n3. poem\n4. list"),
    (_VALUES_ASKED.format(number=3, name="subject"), "1. gardening\n2. astronomy\n3. money"),
    (_VALUES_ASKED.format(number=3, name="mood"), "1. cheerful\n2. sad\n3. calm"),
)
_GRID_SYSTEM = "You write tasks that have the given attributes. You do not answer them."
_GRID = (
    ("subject: gardening\nform: question", "Task: When should I cut back an old apple tree, and how far?"),
    (
        "subject: school\nmood: cheerful\nform: letter",
        "Task: Write a cheerful letter that invites the parents of a class to a summer party in the school yard.",
    ),
    ("subject: ships\nlength: short", "Task: Explain in one sentence why a ship of steel does not sink."),
)
_WHO_SYSTEM = "You are told what somebody asked. You describe in one sentence who might have asked it."
_WHO = (
    (
        "Asked: When should I cut back an old apple tree, and how far?",
        "Person: A retired nurse who has inherited a neglected orchard and wants to sell the fruit at the market.",
    ),
    (
        "Asked: Write a program that finds the shortest way through a maze.",
        "Person: A student of computer science who builds a small robot for a competition.",
    ),
    ("Asked: Name three rivers in Africa.", "Person: A teacher who prepares a quiz for a class of ten-year-olds."),
)
_PERSON_ASKED = "Describe a person in one sentence, quite another one than before."
_PERSONA_SYSTEM = (
    "You are told of a person. You write one task or question that this person would bring to an assistant."
)
_PERSONA = (
    (
        "Person: A retired nurse who has inherited a neglected orchard.",
        "Task: Which old kinds of apple keep until March, and how do I have to store them?",
    ),
    (
        "Person: A student who builds a small robot for a competition.",
        "Task: Explain how a robot with two distance sensors can follow a wall without hitting it.",
    ),
    (
        "Person: A waiter who wants to open a café of his own.",
        "Task: List the costs of a small café in its first three months.",
    ),
)


@final
@dataclass(frozen=True)
class Attributed(Method):
    """Prompts by attributes or by personas.

    Attributes:
        by: attributes or personas.
        dimensions: of the grid that the model makes.
        values: of each dimension.
        grid: a grid instead: dimension to its values; None: the model makes it.
        each: prompts asked of one persona.
        apart: a persona is dropped that is at least so alike to an earlier one, by ROUGE-L.
    """

    by: Literal["attributes", "personas"] = "attributes"
    dimensions: int = 3
    values: int = 6
    grid: Mapping[str, Sequence[str]] | None = None
    each: int = 1
    apart: float = 0.9

    name: ClassVar[str] = "attributed"
    source: ClassVar[str] = "Yu et al. 2023 (arXiv 2306.15895); Ge et al. 2024 (arXiv 2406.20094)"

    def __post_init__(self) -> None:
        """Check the parameters."""
        for name in ("dimensions", "values", "each"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1; got {getattr(self, name)}")
        if not 0 < self.apart <= 1:
            raise ValueError(f"apart must be above 0 and at most 1; got {self.apart:g}")
        if self.grid is not None:
            object.__setattr__(self, "grid", _grid_of(self.grid))

    def make(self, desk: Desk) -> Iterator[Batch]:
        """A grid first, or personas as they are needed; then prompts and responses."""
        if self.by == "personas":
            yield from self._personas(desk)
            return
        grid = self.grid or self._grid(desk)
        copies = Copies(bare(done) for _, done in _GRID)
        for turn in count():
            rng = desk.rng(self.name, turn)
            drafts = drafts_of(desk, [()] * desk.batch, self.name, turn)
            for draft in drafts:
                draft.extra["attributes"] = {name: of[int(rng.integers(len(of)))] for name, of in grid.items()}
            yield _written(desk, drafts, _of_attributes, copies)

    def _grid(self, desk: Desk) -> Grid:
        """The grid that the model makes: the dimensions from up to five seeds, then the values of each.

        Raises:
            TriptychError: there are no seeds to make it from, or the model gives none.
        """
        seeds = [seed for seed in desk.seeds if seed.prompt]
        hint = '[method] grid = {subject = ["cooking", "travel"], form = ["question", "letter"]}'
        if not seeds:
            raise TriptychError(message("attributed: there are no seeds to make attributes from.", hint=hint))
        drawn = desk.rng(self.name, "dimensions").permutation(len(seeds))[:5]
        tasks = "\n\n".join((seeds[i].prompt or "")[:400] for i in drawn)
        last = _DIMENSIONS_ASKED.format(number=self.dimensions, tasks=tasks)
        names = settled(
            desk,
            lambda number: Ask(shown(_DIMENSIONS, last), "attributes", nonce(desk, self.name, "dimensions", number)),
            lambda said: list_of(said, self.dimensions, what="list of attributes", words=5),
            "list of attributes",
            hint,
        )
        return {name: self._values(desk, name, hint) for name in names}

    def _values(self, desk: Desk, name: str, hint: str) -> list[str]:
        last = _VALUES_ASKED.format(number=self.values, name=name)
        return settled(
            desk,
            lambda number: Ask(shown(_VALUES, last), "attributes", nonce(desk, self.name, "values", name, number)),
            self._read_values,
            f'list of values of "{name}"',
            hint,
        )

    def _read_values(self, said: Said) -> list[str] | Unread:
        """At least two values, where two are wanted: with one, nothing varies."""
        found = list_of(said, self.values, what="list of values")
        if isinstance(found, Unread) or len(found) >= min(2, self.values):
            return found
        return Unread("fewer than two values", said.text or "")

    def _personas(self, desk: Desk) -> Iterator[Batch]:
        deck, earlier = Deck(desk, self.name), Pool()
        copies = Copies(bare(done) for _, done in _PERSONA)
        for turn in count():
            number = -(-desk.batch // self.each)
            dealt = deck.deal(number, lambda seed: bool(seed.prompt))
            seeds: list[tuple[Seed, ...]] = [(seed,) for seed, _ in dealt] or [()] * number
            people = drafts_of(desk, seeds, self.name, "persona", turn)
            for draft, persona in step(desk, people, _who, lambda said: text_of(said, what="persona")):
                near = earlier.nearest(persona, self.apart)
                if near >= self.apart:
                    draft.close("persona much like an earlier one", persona)
                else:
                    earlier.add(persona)
                    draft.extra["persona"] = persona
            yield self._asked_of(desk, people, copies, turn)

    def _asked_of(self, desk: Desk, people: Sequence[Draft], copies: Copies, turn: int) -> Batch:
        """What each person asks; the cost of a persona is with its first record."""
        known = [person for person in people if person.wrong is None]
        drafts = drafts_of(desk, [p.seeds for p in known for _ in range(self.each)], self.name, turn)
        for place, draft in enumerate(drafts):
            person = known[place // self.each]
            draft.extra["persona"] = person.extra["persona"]
            if place % self.each == 0:
                draft.said += person.said
        lost = [person.failed() for person in people if person.wrong is not None]
        return _written(desk, drafts, _of_persona, copies) + lost


def _grid_of(given: Any) -> Grid:
    """A grid in its one form.

    Raises:
        ValueError: it is none.
    """
    table = given if isinstance(given, Mapping) else {}
    for name, values in table.items():
        if not isinstance(values, (list, tuple)) or not values or not all(isinstance(v, str) and v for v in values):
            raise ValueError(f"grid: {name} must be a list of texts; got {values!r}")
    if not table:
        raise ValueError(f'grid must be a table of lists: {{form = ["question", "letter"]}}; got {given!r}')
    return {str(name): list(values) for name, values in table.items()}


def _written(desk: Desk, drafts: list[Draft], ask: Any, copies: Copies) -> Batch:
    """Prompts, then responses."""
    for draft, text in step(desk, drafts, ask, text_of):
        draft.prompt = text
    copies.close(drafts, desk.seeds)
    respond(desk, drafts)
    return batch_of(drafts)


def _of_attributes(draft: Draft) -> Ask:
    fits = "\n".join(f"{name}: {value}" for name, value in draft.extra["attributes"].items())
    return Ask(shown(_GRID, fits, _GRID_SYSTEM), "prompt", draft.nonce)


def _of_persona(draft: Draft) -> Ask:
    return Ask(shown(_PERSONA, f"Person: {draft.extra['persona']}", _PERSONA_SYSTEM), "prompt", draft.nonce)


def _who(draft: Draft) -> Ask:
    """Who would ask the draft's seed, or, without one, anybody."""
    if not draft.seeds:
        return Ask(shown([(_PERSON_ASKED, done) for _, done in _WHO], _PERSON_ASKED), "persona", draft.nonce)
    last = f"Asked: {(draft.seeds[0].prompt or '')[:1000]}"
    return Ask(shown(_WHO, last, _WHO_SYSTEM), "persona", draft.nonce)
