"""A world: a task family in which true quality, diversity and complexity are set by hand and every answer can be checked.

A world has *skills* (each of one depth), *forms* (ways to word the same task) and kinds of error. `Dials` say what a data
set made from it is like. Three splits never mix:

    skills    a fixed part of the skills of each depth beyond the first is held out: no data set contains them
    depths    deeper skills than any data set contains
    forms     a fixed part of the surface forms is held out

A *block* names one random order of the skills that may be trained on. A data set with `skills=k` uses the first k of that
order at each depth, so a narrower set's skills are among those of a wider one of the same block, and the panel `id`, whose
skills are the first few of the block, is in distribution for both.

Every text is a sequence of words separated by single spaces; `words` counts them. Rows are plain dicts with the fields of
`row`; panels' rows hold the right answer as `response`.
"""

from __future__ import annotations

import hashlib
import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, TypeAlias, final

from triptych.core.errors import LawError, SpecError, message, nearest
from triptych.core.rng import stream
from triptych.worlds.draw import Draw

Row: TypeAlias = dict[str, Any]

HELD_OUT = 0.15
"""Share of the skills of a depth that no data set contains (none of depth 1)."""

_TEST_SIDE = 26
"""Of 256: the share of inputs kept for test panels, about a tenth."""

_NEW_TRIES, _SIDE_TRIES = 30, 2000
_SAMPLE = 500


@dataclass(frozen=True)
class Skill:
    """One thing to be able to do: a name that is its structure (skeleton), and how many operations it composes."""

    name: str
    depth: int


@dataclass(frozen=True)
class Task:
    """One task of one skill before it is worded.

    Attributes:
        skill: what it takes.
        facts: the input, as the world keeps it.
        answer: the right answer, words separated by single spaces.
    """

    skill: Skill
    facts: Any
    answer: str


@dataclass(frozen=True)
class Dials:
    """What a data set is like.

    Attributes:
        quality: share of records whose answer is right, exact to one record.
        skills: how many different skills at each depth; all where a depth has fewer.
        depths: depth to share of the records; empty: even over the world's training depths.
        skew: skills of a depth are used in proportion to 1 / rank ** skew; 0: evenly.
        forms: how many surface forms; 0: all that may be trained on.
        errors: kinds of wrong answers, used in turn; empty: all the world has.
    """

    quality: float = 1.0
    skills: int = 50
    depths: Mapping[int, float] = field(default_factory=dict)
    skew: float = 0.0
    forms: int = 0
    errors: tuple[str, ...] = ()


class World(ABC):
    """A task family. Final subclasses say what skills, tasks, wordings and errors there are.

    Attributes:
        name: as on the command line.
        title: in a few words.
        depths: depths that data sets may have; deeper skills exist for the panel `deeper`.
        errors: kinds of wrong answer.
        forms: surface forms that may be trained on; forms `forms` .. `forms + held_forms - 1` are held out.
        held_forms: number of held-out surface forms.
        harder: kinds of task that no data set contains, each a panel of its own: longer inputs, say.
        extra: name of the optional extra it needs, or None.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    depths: ClassVar[tuple[int, ...]]
    errors: ClassVar[tuple[str, ...]]
    forms: ClassVar[int]
    held_forms: ClassVar[int]
    harder: ClassVar[tuple[str, ...]] = ()
    extra: ClassVar[str | None] = None

    @cached_property
    @abstractmethod
    def skills(self) -> tuple[Skill, ...]:
        """All skills, the deeper ones that are never trained on included, in a fixed order."""

    @abstractmethod
    def task(self, skill: Skill, draw: Draw, kind: str = "plain") -> Task:
        """A task of this skill. `kind` is "plain" or one of `harder`."""

    @abstractmethod
    def worded(self, task: Task, form: int, draw: Draw) -> str:
        """The prompt: the task in this surface form."""

    @abstractmethod
    def spoiled(self, task: Task, error: str, draw: Draw) -> str:
        """A wrong answer of this kind; always different from the right one."""

    @abstractmethod
    def grade(self, row: Row, response: str) -> float:
        """Share of the answer that is right, in [0, 1]; 1 exactly when it is wholly right."""

    def parse(self, prompt: str) -> Task | None:
        """The task that a prompt words in any form, trained or held out; None where it words none.

        The inverse of `worded`, for prompts that somebody else wrote. A world that cannot read prompts gives None always.
        """
        del prompt
        return None

    def extras(self, task: Task) -> dict[str, Any]:
        """Fields of a row that only this world has, where `grade` needs them."""
        del task
        return {}

    @final
    def held_out(self, depth: int) -> tuple[Skill, ...]:
        """The skills of a training depth that no data set contains; the same always."""
        return self._split[depth][1]

    @final
    def order(self, block: str, depth: int) -> tuple[Skill, ...]:
        """The skills of a training depth that may be trained on, in this block's order."""
        known = self._split[depth][0]
        return tuple(known[i] for i in stream("world", self.name, "order", block, depth).permutation(len(known)))

    @cached_property
    def _split(self) -> dict[int, tuple[tuple[Skill, ...], tuple[Skill, ...]]]:
        out = {}
        for depth in self.depths:
            mine = [skill for skill in self.skills if skill.depth == depth]
            held = 0 if depth == min(self.depths) == 1 else round(HELD_OUT * len(mine))
            shuffled = [mine[i] for i in stream("world", self.name, "held out", depth).permutation(len(mine))]
            out[depth] = tuple(shuffled[held:]), tuple(shuffled[:held])
        return out

    @final
    def data(self, dials: Dials, n: int, block: str, seed: int, tokens: int | None = None) -> list[Row]:
        """A data set of n records, or, with `tokens`, of as many as have that many words in all (within one record).

        Counts of depths, skills and right answers are exact for n records (largest remainders); with `tokens` the set
        is the beginning of a longer one in random order, so its counts are near those.

        Raises:
            SpecError: a dial is out of range.
        """
        self._check(dials, n)
        if tokens is not None:
            self._within("tokens", tokens, 1)
            n = self._enough(dials, block, seed, tokens)
        made = self._records(dials, n, block, seed)
        mixed = [made[i] for i in stream("world", self.name, "mix", block, seed).permutation(n)]
        return mixed if tokens is None else _cut(mixed, tokens)

    @final
    def panels(self, block: str, seed: int, n: int, skills: int, forms: int = 0) -> dict[str, list[Row]]:
        """Test panels of n items each; no item is in any data set of this world.

        Args:
            block: whose order of skills says what is in distribution.
            seed: of the inputs.
            n: items.
            skills: how many skills of the block's order, at each depth, count as in distribution: as many as the
                narrowest data set of the study has.
            forms: how many surface forms count as in distribution, likewise; 0: all that may be trained on.

        Raises:
            SpecError: a number is out of range.

        Returns:
            "id": those skills, each depth as often, in trained forms, with new inputs; only of depths that have held-out
            skills (where any has), so that "compositions" differs from it in nothing but whether a skill was seen;
            "paraphrase": the same in held-out forms (where the world has them);
            "compositions": held-out skills of trained depths; "deeper": deeper skills (where the world has them);
            and one for each of `harder`: the skills of "id" on harder inputs.
        """
        self._within("items", n, 1)
        self._within("skills", skills, 1)
        self._within("forms", forms, 0, self.forms)
        labels = (self.name, block, seed)
        return {name: self._items(name, kind, labels, n) for name, kind in self._kinds(block, skills, forms).items()}

    @final
    @property
    def panel_names(self) -> tuple[str, ...]:
        """The panels that this world has."""
        return tuple(self._kinds("0", 1, 0))

    def _kinds(self, block: str, skills: int, forms: int) -> dict[str, _Kind]:
        split = [depth for depth in self.depths if self.held_out(depth)] or self.depths
        known = [self.order(block, depth)[:skills] for depth in split]
        unseen = [pool for depth in split if (pool := self.held_out(depth))]
        deeper = [skill for skill in self.skills if skill.depth > max(self.depths)]
        trained, held = range(forms or self.forms), range(self.forms, self.forms + self.held_forms)
        wanted = {
            "id": _Kind(known, trained),
            "paraphrase": _Kind(known, held),
            "compositions": _Kind(unseen, trained),
            "deeper": _Kind([deeper] if deeper else [], trained),
            **{kind: _Kind(known, trained, kind) for kind in self.harder},
        }
        return {name: kind for name, kind in wanted.items() if kind.pools and kind.forms}

    def _items(self, name: str, kind: _Kind, labels: tuple[str | int, ...], n: int) -> list[Row]:
        rows, seen = [], set[str]()
        for index in range(n):
            draw = Draw("world", "panel", name, *labels, index)
            skill = draw.pick(kind.pools[index % len(kind.pools)])
            task, form, prompt = self._fresh(skill, kind.forms, draw, seen, kind.harder, test=True)
            rows.append(self._row(task, form, prompt))
        return rows

    def _records(self, dials: Dials, n: int, block: str, seed: int) -> list[Row]:
        skills = self._plan(dials, n, block)
        order = stream("world", self.name, "wrong", block, seed).permutation(n)
        wrong = {int(place): turn for turn, place in enumerate(order[: n - round(dials.quality * n)])}
        errors = dials.errors or self.errors
        rows, seen, forms = [], set[str](), range(dials.forms or self.forms)
        for index, skill in enumerate(skills):
            draw = Draw("world", self.name, "data", block, seed, index)
            task, form, prompt = self._fresh(skill, forms, draw, seen, "plain", test=False)
            row = self._row(task, form, prompt)
            if index in wrong:
                error = errors[wrong[index] % len(errors)]
                row |= {"response": self.spoiled(task, error, draw), "correct": False, "error": error}
            rows.append(row)
        return rows

    def _fresh(
        self, skill: Skill, forms: range, draw: Draw, seen: set[str], kind: str, *, test: bool
    ) -> tuple[Task, int, str]:
        """A task on the wanted side of train and test, with a prompt not seen yet where that is possible."""
        tries, found = 0, None
        while found is None or (found[2] in seen and tries < _NEW_TRIES):
            tries += 1
            task = self.task(skill, draw, kind)
            if _is_test(task) == test:
                form = draw.pick(forms)
                found = task, form, self.worded(task, form, draw)
            elif found is None and tries >= _SIDE_TRIES:
                side = "test" if test else "training"
                raise LawError(f"world {self.name}: skill {skill.name} has no task on the {side} side in {tries} tries")
        seen.add(found[2])
        return found

    def _row(self, task: Task, form: int, prompt: str) -> Row:
        row = {"prompt": prompt, "response": task.answer, "correct": True, "error": None, "answer": task.answer}
        place = {"world": self.name, "skeleton": task.skill.name, "depth": task.skill.depth, "form": form}
        return row | place | self.extras(task)

    def _plan(self, dials: Dials, n: int, block: str) -> list[Skill]:
        """The skill of each of n records."""
        shares = dials.depths or dict.fromkeys(self.depths, 1.0)
        out = []
        for depth, count in zip(shares, _whole(list(shares.values()), n), strict=True):
            used = self.order(block, depth)[: dials.skills]
            weights = [1 / rank**dials.skew for rank in range(1, len(used) + 1)]
            for skill, times in zip(used, _whole(weights, count), strict=True):
                out += [skill] * times
        return out

    def _enough(self, dials: Dials, block: str, seed: int, tokens: int) -> int:
        """How many records surely have so many words: the mean of a sample has an error of about 2 %."""
        sample = self._records(dials, _SAMPLE, block, seed)
        return math.ceil(1.1 * tokens / (sum(map(words, sample)) / _SAMPLE)) + 20

    def _check(self, dials: Dials, n: int) -> None:
        unknown = [error for error in dials.errors if error not in self.errors]
        if unknown:
            hint = nearest(unknown[0], self.errors)
            raise SpecError(message(f'{self.name}: no error "{unknown[0]}".', want=", ".join(self.errors), hint=hint))
        self._within("records", n, 1)
        self._within("quality", dials.quality, 0, 1)
        self._within("skills", dials.skills, 1)
        self._within("skew", dials.skew, 0)
        self._within("forms", dials.forms, 0, self.forms)
        depths = set(dials.depths) - set(self.depths)
        given = dials.depths.values()
        if depths or (given and not 0 < sum(given) < math.inf) or any(share < 0 for share in given):
            got = ", ".join(f"{depth}: {share}" for depth, share in dials.depths.items())
            want = f"shares of the depths {', '.join(map(str, self.depths))}, not all 0"
            raise SpecError(message(f"{self.name}: depths are out of range.", got=got, want=want))

    def _within(self, what: str, value: float, low: int, high: int | None = None) -> None:
        if not (low <= value < math.inf and (high is None or value <= high)):
            want = f"at least {low}" if high is None else f"{low} to {high}"
            raise SpecError(message(f"{self.name}: {what} is out of range.", got=f"{value}", want=want))


@dataclass(frozen=True)
class _Kind:
    """What the items of a panel are drawn from: pools of skills used in turn, forms, kind of task."""

    pools: Sequence[Sequence[Skill]]
    forms: range
    harder: str = "plain"


def words(row: Row) -> int:
    """Number of words of prompt and response."""
    return len(row["prompt"].split()) + len(row["response"].split())


def _is_test(task: Task) -> bool:
    """Whether the input of a task is kept for test panels, by a hash of skill and input alone."""
    return hashlib.sha256(f"{task.skill.name}|{task.facts!r}".encode()).digest()[0] < _TEST_SIDE


def _whole(weights: Sequence[float], total: int) -> list[int]:
    """Whole numbers in proportion to the weights, with this sum (largest remainders)."""
    exact = [weight * total / sum(weights) for weight in weights]
    counts = [math.floor(value) for value in exact]
    rest = sorted(range(len(exact)), key=lambda i: (counts[i] - exact[i], i))
    for i in rest[: total - sum(counts)]:
        counts[i] += 1
    return counts


def _cut(rows: list[Row], tokens: int) -> list[Row]:
    """The first rows that have at least so many words in all."""
    total = 0
    for index, row in enumerate(rows):
        total += words(row)
        if total >= tokens:
            return rows[: index + 1]
    raise LawError(f"{len(rows)} rows have fewer than {tokens} words")
