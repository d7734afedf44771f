"""World `procedural`: English tasks with verifiers from reasoning-gym (Stojanovski et al. 2025, arXiv 2505.24760; Apache-2.0).

    Find the Greatest Common Divisor (GCD) of these numbers: 382, 840. Give only the GCD as your final answer.    2

A skill is a task with a difficulty from the task's own curriculum: all its dials at one level ("gcd/1"), or one dial at
that level and the others at their lowest ("gcd/1-value"); depth is level + 1. Only the top segment of each dial's range
is used, so that levels of a task share hardly any question. `procedural_tasks` lists the skills and says what was left out.

An item is the package's item of a drawn number below 2^32. It is named by skill and number, `skeleton` and `item` of a
row, which is all that `grade` needs to make it again and ask the package's own verifier. The same items come only from
the same version of the package, so a study that is to be made again notes it. Questions of the tasks in
`procedural_reading` can be read back, whoever wrote them; they are named by skill and question.

Questions and answers are texts as the package writes them, with line ends and single characters; `words` counts what
white space separates.
"""

from __future__ import annotations

import math
import string
from dataclasses import dataclass, field
from decimal import Context, localcontext
from functools import cache, cached_property
from typing import Any, ClassVar, Final, final

from triptych.core.errors import LawError, MissingExtraError, message
from triptych.worlds.draw import Draw
from triptych.worlds.procedural_reading import read_question, within
from triptych.worlds.procedural_tasks import TASKS
from triptych.worlds.world import Row, Skill, Task, World

_BEFORE: Final = (
    "",
    "Here is a task.\n",
    "Please solve the following.\n\n",
    "Read this with care, then answer.\n\n",
    "A question for you:\n\n",
    "Work on the problem below.\n",
)
_AFTER: Final = (
    "",
    "\n\nGive the answer alone.",
    "\n\nWrite the answer and nothing else.",
    "\nAnswer:",
    "\n\nWhat is the answer?",
    "\n\nReply in the form that is asked for.",
)
_NEW_TRIES = 200


def _form_table() -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Trained and held-out pairs of what stands before and after the question; the bare question first."""
    size = len(_BEFORE)
    # One held-out pair in each row and column, off the diagonal, so that every part is trained.
    held = [(before, (before + 1) % size) for before in range(size)]
    trained = [(before, (before + shift) % size) for shift in range(size) if shift != 1 for before in range(size)]
    return trained, held


_TRAINED, _HELD = _form_table()


@dataclass(frozen=True)
class Item:
    """An item of a task. Its question alone is its input, so that equal questions are on one side of train and test.

    The number is None where the question was read from a prompt that somebody else wrote.
    """

    question: str
    number: int | None = field(repr=False, compare=False)


@final
class Procedural(World):
    """Tasks of reasoning-gym at the levels of their curricula."""

    name: ClassVar[str] = "procedural"
    title: ClassVar[str] = "English tasks with verifiers, from reasoning-gym"
    depths: ClassVar[tuple[int, ...]] = (1, 2, 3)
    errors: ClassVar[tuple[str, ...]] = ("other_item", "slip", "truncated")
    forms: ClassVar[int] = len(_TRAINED)
    held_forms: ClassVar[int] = len(_HELD)
    extra: ClassVar[str | None] = "procedural"

    @cached_property
    def skills(self) -> tuple[Skill, ...]:
        """All tasks at all their settings."""
        return tuple(
            Skill(f"{task}/{setting}", int(setting[0]) + 1) for task, all_ in TASKS.items() for setting in all_
        )

    def task(self, skill: Skill, draw: Draw, kind: str = "plain") -> Task:
        """The item of a drawn number; one whose own answer the verifier does not call right is passed over.

        Raises:
            MissingExtraError: reasoning-gym is not installed.
            LawError: no answer is right.
        """
        del kind
        for _ in range(_NEW_TRIES):
            number = draw.below(1 << 32)
            entry = _entry(skill.name, number)
            if _score(skill.name, entry, entry["answer"]) == 1:
                return Task(skill, Item(entry["question"], number), entry["answer"])
        raise LawError(f"world {self.name}: no answer of {skill.name} is right in {_NEW_TRIES} tries")

    def worded(self, task: Task, form: int, draw: Draw) -> str:
        """The question, with something before and after it."""
        del draw
        before, after = (*_TRAINED, *_HELD)[form]
        return f"{_BEFORE[before]}{task.facts.question}{_AFTER[after]}"

    def parse(self, prompt: str) -> Task | None:
        """The task of a question of one of `procedural_reading.TASKS_READ`, in any form; None for all other prompts.

        White space around the prompt makes no difference: a model's answer has lost it.

        Raises:
            MissingExtraError: reasoning-gym is not installed.
        """
        text = prompt.strip()
        for before in _BEFORE:
            for after in _AFTER:
                if text.startswith(before) and text.endswith(after):
                    question = text[len(before) : len(text) - len(after)]
                    task = self._read(question) or (None if after else self._read(f"{question}\n"))
                    if task is not None:
                        return task
        return None

    def _read(self, question: str) -> Task | None:
        """The task of a bare question."""
        found = read_question(question)
        if found is None:
            return None
        task, read = found
        for setting in TASKS[task]:
            skill = Skill(f"{task}/{setting}", int(setting[0]) + 1)
            source = _source(skill.name)
            answer = read.answer(source) if within(read.ranges, source.config) else None
            if answer is not None:
                return Task(skill, Item(question, None), answer)
        return None

    def spoiled(self, task: Task, error: str, draw: Draw) -> str:
        """An answer that the verifier does not call right.

        other_item: the answer of another item of the skill; slip: one digit of the answer changed or, where there is
        none, one letter; truncated: the beginning of the answer or, of a single character, of a sentence.
        """
        entry = self._made(task.skill.name, task.facts)
        wrong: str
        for _ in range(_NEW_TRIES):
            if error == "other_item":
                wrong = _entry(task.skill.name, draw.below(1 << 32))["answer"]
            elif error == "slip":
                wrong = _slipped(task.answer, draw)
            else:
                cut = draw.below(len(task.answer))
                wrong = task.answer[:cut].rstrip() or "The answer is"
            if wrong != task.answer and _score(task.skill.name, entry, wrong) < 1:
                return wrong
        raise LawError(f"world {self.name}: no {error} of {task.skill.name} is wrong in {_NEW_TRIES} tries")

    def grade(self, row: Row, response: str) -> float:
        """What the task's own verifier gives, in [0, 1].

        Raises:
            MissingExtraError: reasoning-gym is not installed.
            LawError: the verifier failed on this response.
        """
        item = Item(row.get("question", ""), row["item"])
        return _score(row["skeleton"], self._made(row["skeleton"], item), response)

    def extras(self, task: Task) -> dict[str, Any]:
        """The number of the item, from which it can be made again; the question where it was read from a prompt."""
        number = task.facts.number
        return {"item": number} if number is not None else {"item": None, "question": task.facts.question}

    def _made(self, skill: str, item: Item) -> dict[str, Any]:
        """The entry of an item, as the package's verifier asks for it."""
        if item.number is not None:
            return _entry(skill, item.number)
        task = self._read(item.question)
        if task is None:
            raise LawError(message(f"world {self.name}: a row's question cannot be read.", got=item.question))
        # The verifiers of tasks that can be read look at nothing else.
        return {"question": item.question, "answer": task.answer, "metadata": {}}


@cache
def _source(skill: str) -> Any:
    """The package's data set of a skill: item i is made from i alone (the package adds the two, and its own seed is 0 here)."""
    try:
        from reasoning_gym.coaching.base_curriculum import (  # noqa: PLC0415 - an extra, slow to import
            DefaultCurriculumContext,
            RangeAttributeMode,
        )
        from reasoning_gym.factory import DATASETS, create_curriculum  # noqa: PLC0415
    except ImportError as error:
        hint = "pip install 'triptych[procedural]'"
        raise MissingExtraError(message("world procedural: reasoning-gym is not installed.", hint=hint)) from error
    task, _, setting = skill.partition("/")
    level, _, dial = setting.partition("-")
    curriculum = create_curriculum(task)
    for name, attribute in curriculum.attributes.items():
        at = min(int(level), len(attribute.levels) - 1) if dial in {"", name} else 0
        curriculum.set_attr_level(name, at)
    context = DefaultCurriculumContext(mode=RangeAttributeMode.UPPER_BOUND)
    config = curriculum.generate_configuration({"seed": 0, "size": 1 << 32}, context=context)
    return DATASETS[task][0](config)


def _entry(skill: str, number: int) -> dict[str, Any]:
    """The item of this number, as the package gives it."""
    # decimal_arithmetic sets the precision of all decimals that come after it: sums of other tasks came out rounded.
    with localcontext(Context()):
        entry: dict[str, Any] = _source(skill)[number]
    return entry


def _score(skill: str, entry: dict[str, Any], response: str) -> float:
    try:
        with localcontext(Context()):
            score = float(_source(skill).score_answer(response, entry))
    except Exception as error:  # the package's verifiers raise what they raise
        raise LawError(message(f"world procedural: the verifier of {skill} failed: {error!r}", got=response)) from error
    if 1 < score < 1 + 1e-9:
        # spell_backward adds 1/9 for each of nine right letters, whatever follows them; only 1 itself is wholly right.
        return math.nextafter(1, 0)
    if not 0 <= score <= 1 or math.isnan(score):
        raise LawError(message(f"world procedural: the verifier of {skill} gave no share.", got=str(score)))
    return score


def _slipped(answer: str, draw: Draw) -> str:
    """The answer with one of its digits changed, or, where it has none, one letter or mark."""
    digits = [place for place, mark in enumerate(answer) if mark in string.digits]
    if digits:
        place = draw.pick(digits)
        mark = draw.pick(string.digits.replace(answer[place], ""))
    else:
        place = draw.below(len(answer))
        letters = string.ascii_uppercase if answer[place].isupper() else string.ascii_lowercase
        mark = draw.pick(letters.replace(answer[place], ""))
    return f"{answer[:place]}{mark}{answer[place + 1 :]}"
