"""Records on their way: the steps that all methods share.

A method makes a batch in steps: one ask for each draft that is still open, all at once; what comes back is read, and a
draft whose part cannot be read is closed with the reason. The last step asks for the responses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from triptych.core.errors import TriptychError, message
from triptych.generating.ask import Ask, Batch, Desk, Failed, Made, Message, Said, Seed, took
from triptych.generating.methods._reading import Unread, answer_of, plain

T = TypeVar("T")

TRIES = 5
"""Of what a method cannot begin without."""


@dataclass
class Draft:
    """A record that is not finished.

    Attributes:
        seeds: what it comes from: seeds, or records that were made before.
        nonce: of all that is asked for it.
        prompt, response: its texts, once there are any.
        row, extra: as in `Made`.
        attempt: as in `Made`.
        said: all answers so far that were asked for it.
        wrong: why it will be no record; None while it may be one.
    """

    seeds: tuple[Seed, ...]
    nonce: int
    prompt: str = ""
    response: str = ""
    row: dict[str, Any] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)
    attempt: int = 0
    said: list[Said] = field(default_factory=list)
    wrong: Unread | None = None

    @property
    def parents(self) -> tuple[str, ...]:
        """Ids of what it comes from, each once."""
        return tuple(dict.fromkeys(seed.id for seed in self.seeds))

    def close(self, reason: str, text: str = "") -> None:
        """It will be no record."""
        self.wrong = Unread(reason, text)

    def made(self) -> Made:
        """The record; the draft has both texts."""
        given = took(*self.said)._asdict()
        return Made(self.prompt, self.response, self.parents, self.attempt, row=self.row, extra=self.extra, **given)

    def failed(self) -> Failed:
        """What stands for it in the batch, once it is closed."""
        wrong = self.wrong or Unread("not finished")
        given = took(*self.said)._asdict()
        return Failed(wrong.reason, wrong.text, self.parents, self.attempt, extra=self.extra, **given)


def shown(examples: Iterable[tuple[str, str]], last: str, system: str = "") -> tuple[Message, ...]:
    """A talk in which the model has already done what it is asked for: (asked, answered), .., and the last question.

    A model of 135 million parameters repeats or solves the tasks of a list that it should add to, and answers a task that it
    should rewrite; it goes on with a talk whose turns begin with what they are ("Task: ..", "Harder task: ..").
    """
    first = (Message("system", system),) if system else ()
    turns = [Message(*turn) for asked, said in examples for turn in (("user", asked), ("assistant", said))]
    return (*first, *turns, Message("user", last))


def nonce(desk: Desk, *labels: str | int) -> int:
    """What tells asks apart that are equal, from labels that are not: 31 bits, under the recipe's seed."""
    return int(desk.rng("nonce", *labels).integers(2**31 - 1))


def drafts_of(desk: Desk, seeds: Iterable[tuple[Seed, ...]], *labels: str | int) -> list[Draft]:
    """A draft for each of these, with a nonce of its own.

    Args:
        desk: of the run.
        seeds: what each comes from; () where it comes from none.
        labels: of this batch: the method's name and the number of the batch.
    """
    return [Draft(each, nonce(desk, *labels, place)) for place, each in enumerate(seeds)]


def seed_of(made: Made) -> Seed:
    """A record that was made, as something to start from."""
    return Seed(made.id, made.prompt, made.response, made.row)


def step(
    desk: Desk, drafts: Sequence[Draft], ask: Callable[[Draft], Ask], read: Callable[[Said], T | Unread]
) -> list[tuple[Draft, T]]:
    """Ask once for each open draft, and read what comes.

    Returns:
        The drafts that are still open, with what was read; the others are closed with the reason.
    """
    still = [draft for draft in drafts if draft.wrong is None]
    found = []
    for draft, said in zip(still, desk.ask([ask(draft) for draft in still]), strict=True):
        draft.said.append(said)
        value = read(said)
        if isinstance(value, Unread):
            draft.wrong = value
        else:
            found.append((draft, value))
    return found


def respond(desk: Desk, drafts: Sequence[Draft]) -> None:
    """Ask for the response to each open draft's prompt; one that ended at the token limit is marked as `cut`."""
    for draft, text in step(desk, drafts, lambda draft: response_ask(draft.prompt, draft.nonce), answer_of):
        draft.response = text
        if draft.said[-1].finish == "length":
            draft.extra["cut"] = True


def response_ask(prompt: str, number: int) -> Ask:
    """How a response is asked for: the prompt, and nothing else."""
    return Ask.of(prompt, "response", number)


def batch_of(drafts: Sequence[Draft]) -> Batch:
    """Records and failures, in the order of the drafts."""
    return [draft.made() if draft.wrong is None else draft.failed() for draft in drafts]


def settled(desk: Desk, ask: Callable[[int], Ask], read: Callable[[Said], T | Unread], what: str, hint: str) -> T:
    """What a method cannot begin without (a taxonomy's first level), asked for until it can be read.

    Args:
        desk: to ask at.
        ask: from the number of the try.
        read: what comes back.
        what: is asked for, in words.
        hint: what the user can do instead.

    Raises:
        TriptychError: it could not be read in `TRIES` tries.
    """
    got = ""
    for number in range(TRIES):
        value = read(desk.ask([ask(number)])[0])
        if not isinstance(value, Unread):
            return value
        got = f"{value.reason}: {value.text[:80]}" if value.text else value.reason
    raise TriptychError(message(f"the writer gave no {what} in {TRIES} tries.", got=got, want=what, hint=hint))


class Copies:
    """Prompts that must not be handed on as new: seeds, and the examples that the model was shown."""

    def __init__(self, shown: Iterable[str] = ()) -> None:
        self._shown = {plain(text) for text in shown}
        self._last: Sequence[Seed] | None = None
        self._seeds: set[str] = set()

    def close(self, drafts: Iterable[Draft], seeds: Sequence[Seed]) -> None:
        """Close the open drafts whose prompt is one of these, but for case, punctuation and white space.

        Seeds that were there in an earlier batch still count: a search changes them.
        """
        if self._last is not seeds:
            self._last = seeds
            self._seeds.update(plain(seed.prompt) for seed in seeds if seed.prompt)
        for draft in drafts:
            if draft.wrong is None:
                key = plain(draft.prompt)
                if key in self._seeds or key in self._shown:
                    draft.close("copy of a seed" if key in self._seeds else "copy of an example", draft.prompt)


class Deck:
    """Seeds dealt in a drawn order, all of them before any comes again; shuffled anew when a search changes the seeds."""

    def __init__(self, desk: Desk, *labels: str | int) -> None:
        self._desk, self._labels = desk, labels
        self._from: tuple[str, ...] = ()
        self._left: list[Seed] = []
        self.turn = 0

    def deal(self, number: int, fits: Callable[[Seed], bool]) -> list[tuple[Seed, int]]:
        """Seeds that fit, each with how many times all of them were dealt before; none where none fits."""
        seeds = [seed for seed in self._desk.seeds if fits(seed)]
        ids = tuple(seed.id for seed in seeds)
        if ids != self._from:
            self._from, self._left = ids, []
        dealt: list[tuple[Seed, int]] = []
        while seeds and len(dealt) < number:
            if not self._left:
                order = self._desk.rng(*self._labels, "deck", self.turn).permutation(len(seeds))
                self._left = [seeds[i] for i in order[::-1]]
                self.turn += 1
            dealt.append((self._left.pop(), self.turn - 1))
        return dealt
