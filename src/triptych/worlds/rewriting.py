"""World `rewriting`: English sentences rewritten by grammatical operations, composed.

A prompt names up to three operations (four in the panel `deeper`) and a sentence; the answer is the sentence with all of
them carried out:

    past passive question : this aunt follows my wolves .
    were my wolves followed by this aunt ?

The operations do not depend on order, so a skill is a set of them, and the order in which a prompt names them belongs to
its wording. The answer is the rewritten sentence alone: its length hardly depends on how many operations were composed,
so complexity here is not length. Every sentence comes from features (`rewriting_grammar`), so the truth is exact.

A surface form is a frame, a way to name the operations and an order. Held out are pairs of frame and way to name; every
frame and every name of theirs occurs in trained forms, so that their words are known and their combinations are new, and
no prompt of a held-out form reads like one of a trained form, whatever its order.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cached_property
from itertools import combinations
from typing import ClassVar, Final, final

from triptych.core.errors import LawError
from triptych.worlds.draw import Draw
from triptych.worlds.rewriting_grammar import (
    ADJECTIVES,
    DETERMINERS,
    DOERS,
    PLACES,
    PREPOSITIONS,
    RECEIVERS,
    VERBS,
    Clause,
    Phrase,
    read_clause,
)
from triptych.worlds.world import Row, Skill, Task, World

OPERATIONS: Final[dict[str, Callable[[Clause], Clause]]] = {
    "past": lambda c: replace(c, time="past"),
    "future": lambda c: replace(c, time="future"),
    "must": lambda c: replace(c, time="must"),
    "progressive": lambda c: replace(c, progressive=True),
    "perfect": lambda c: replace(c, perfect=True),
    "passive": lambda c: replace(c, passive=True),
    "negative": lambda c: replace(c, negated=True),
    "question": lambda c: replace(c, question=True),
    "plural_doer": lambda c: replace(c, doer=replace(c.doer, plural=True)),
    "plural_receiver": lambda c: replace(c, receiver=replace(c.receiver, plural=True)),
    "pronoun_doer": lambda c: replace(c, doer=replace(c.doer, pronoun=True)),
    "pronoun_receiver": lambda c: replace(c, receiver=replace(c.receiver, pronoun=True)),
    "often": lambda c: replace(c, often=True),
    "again": lambda c: replace(c, again=True),
    "cleft": lambda c: replace(c, cleft=True),
    "report": lambda c: replace(c, report=True),
}
"""Name to what it does to the features of a clause."""

_APART: Final = tuple(
    frozenset(line.split())
    for line in (
        "past future",
        "past must",
        "future must",
        "progressive perfect passive",  # has been being followed
        "progressive future passive",  # will be being followed
        "progressive must passive",
        "negative cleft",  # which of the two verbs is negated?
        "question report",
        "often again",
    )
)
"""Operations that do not go together: they undo each other, are unclear, or make what nobody would write."""

_NAMES: Final[dict[str, tuple[str, str, str, str]]] = {
    "past": ("past", "the past tense", "past time", "a verb in the past"),
    "future": ("future", "the future tense", "future time", "a verb in the future"),
    "must": ("must", "the word must", "an obligation", "a necessity"),
    "progressive": ("progressive", "the progressive form", "an ongoing action", "the continuous form"),
    "perfect": ("perfect", "the perfect form", "a completed action", "the finished form"),
    "passive": ("passive", "the passive voice", "a passive verb", "the receiver first"),
    "negative": ("negative", "a negation", "the word not", "a denial"),
    "question": ("question", "a question", "an inquiry", "the shape of a question"),
    "plural_doer": ("doers", "a plural doer", "more than one doer", "several doers"),
    "plural_receiver": ("receivers", "a plural receiver", "more than one receiver", "several receivers"),
    "pronoun_doer": ("pronoun doer", "a pronoun for the doer", "a short word for the doer", "the doer as a pronoun"),
    "pronoun_receiver": (
        "pronoun receiver",
        "a pronoun for the receiver",
        "a short word for the receiver",
        "the receiver as a pronoun",
    ),
    "often": ("often", "the word often", "a frequent action", "the adverb often"),
    "again": ("again", "the word again", "a repeated action", "the adverb again"),
    "cleft": ("cleft", "a cleft", "stress on the subject", "the subject in focus"),
    "report": ("report", "a report", "the words they say", "reported speech"),
}

_FRAMES: Final = (
    (" ", "{names} : {sentence}"),
    (" and ", "rewrite with {names} : {sentence}"),
    (" and then ", "{sentence} now with {names} :"),
    (" plus ", "please give me this sentence with {names} : {sentence}"),
    (" , ", "change {sentence} so that it has {names} :"),
    (" as well as ", "use {names} in : {sentence}"),
    (" with ", "i need {names} here : {sentence}"),
    (" and also ", "how does {sentence} read with {names} ?"),
)
"""What stands between two names, and the frame."""

_WAYS = 4
_ORDERS = 2


def _form_table() -> tuple[list[tuple[int, int, int]], list[tuple[int, int, int]]]:
    """Trained and held-out forms as (frame, way to name, order); the short one first, then as mixed as they can be."""
    cells = [(frame, way, order) for order in range(_ORDERS) for way in range(_WAYS) for frame in range(len(_FRAMES))]
    # Way 0 of frame 0 is trained, so the diagonal of held-out pairs starts one off.
    held = [cell for cell in cells if (cell[0] + 1) % _WAYS == cell[1]]
    trained = [cell for cell in cells if cell not in held]
    # Steps of 19 through the 48 (19 and 48 share no factor): the first few forms already differ in frame, way and order.
    return [trained[19 * place % len(trained)] for place in range(len(trained))], held


_TRAINED, _HELD = _form_table()


def _reader(frame: str) -> re.Pattern[str]:
    """What finds names and sentence in a prompt of this frame."""
    names, sentence = "(?P<names>[a-z ,]+)", r"(?P<sentence>[a-z ]+ \.)"
    return re.compile(re.escape(frame).replace(r"\{names\}", names).replace(r"\{sentence\}", sentence))


_READERS = [_reader(frame) for _, frame in _FRAMES]


@final
class Rewriting(World):
    """Sentences rewritten by sets of 16 grammatical operations."""

    name: ClassVar[str] = "rewriting"
    title: ClassVar[str] = "English sentences rewritten by composed grammatical operations"
    depths: ClassVar[tuple[int, ...]] = (1, 2, 3)
    errors: ClassVar[tuple[str, ...]] = ("wrong_step", "dropped_step", "slip", "wrong_word", "truncated")
    forms: ClassVar[int] = len(_TRAINED)
    held_forms: ClassVar[int] = len(_HELD)
    harder: ClassVar[tuple[str, ...]] = ("longer",)

    @cached_property
    def skills(self) -> tuple[Skill, ...]:
        """All sets of one to four operations that go together."""
        return tuple(
            Skill("+".join(chosen), depth)
            for depth in range(1, 5)
            for chosen in combinations(OPERATIONS, depth)
            if fits(chosen)
        )

    def task(self, skill: Skill, draw: Draw, kind: str = "plain") -> Task:
        """A sentence on which every one of the operations does something. "longer": more in its noun phrases."""
        steps = operations(skill)
        longer = kind == "longer"
        # At most one thing more than the two noun phrases and the verb; in longer sentences all three.
        more = draw.below(6)
        doer = _phrase(0, draw, plural="plural_doer" not in steps and draw.chance(30), adjective=longer or more == 0)
        receiver = _phrase(
            1, draw, plural="plural_receiver" not in steps and draw.chance(30), adjective=longer or more == 1
        )
        place = (draw.pick(PREPOSITIONS), draw.pick(PLACES)) if longer or more == 2 else None
        time = "past" if "past" not in steps and draw.chance(35) else "present"
        clause = Clause(doer, receiver, draw.pick(tuple(VERBS)), place, time)
        return Task(skill, clause, rewritten(clause, steps).sentence())

    def worded(self, task: Task, form: int, draw: Draw) -> str:
        """The operations and the sentence in this form."""
        del draw
        frame, way, order = (*_TRAINED, *_HELD)[form]
        between, text = _FRAMES[frame]
        names = [_NAMES[step][way] for step in operations(task.skill)]
        return text.format(names=between.join(names[:: 1 - 2 * order]), sentence=task.facts.sentence())

    def parse(self, prompt: str) -> Task | None:
        """The task: names that go together and a plain sentence on which each of them does something."""
        for frame, reader in enumerate(_READERS):
            found = reader.fullmatch(prompt)
            skill = self._said[frame].get(found["names"]) if found else None
            clause = read_clause(found["sentence"]) if found else None
            if skill is not None and clause is not None and _all_do_something(clause, operations(skill)):
                return Task(skill, clause, rewritten(clause, operations(skill)).sentence())
        return None

    @cached_property
    def _said(self) -> list[dict[str, Skill]]:
        """For each frame: how its prompts name the operations, to the skill."""
        return [
            {
                between.join([_NAMES[step][way] for step in operations(skill)][:: 1 - 2 * order]): skill
                for skill in self.skills
                for way in range(_WAYS)
                for order in range(_ORDERS)
            }
            for between, _ in _FRAMES
        ]

    def spoiled(self, task: Task, error: str, draw: Draw) -> str:
        """A wrong answer.

        wrong_step: another operation in place of one; dropped_step: one operation left out; slip: a verb with a wrong
        agreement or tense; wrong_word: another verb; truncated: the end is missing.
        """
        steps = operations(task.skill)
        right = rewritten(task.facts, steps)
        if error == "slip":
            return right.sentence(slip=True)
        if error == "wrong_word":
            return replace(right, verb=draw.pick([verb for verb in VERBS if verb != right.verb])).sentence()
        if error == "truncated":
            said = task.answer.split()
            return " ".join(said[: draw.number(len(said) // 2, len(said) - 2)])
        left_out = draw.some([[other for other in steps if other != step] for step in steps], len(steps))
        dropped = [rewritten(task.facts, kept).sentence() for kept in left_out]
        if error == "dropped_step":
            return dropped[0]
        for kept in left_out:
            others = [other for other in OPERATIONS if other not in steps and fits((*kept, other))]
            answers = [rewritten(task.facts, (*kept, other)).sentence() for other in others]
            if found := [answer for answer in answers if answer not in {task.answer, *dropped}]:
                return draw.pick(found)
        raise LawError(f"world {self.name}: no operation can stand in for one of {task.skill.name}")

    def grade(self, row: Row, response: str) -> float:
        """Words in common in the same order, as a share of the longer text."""
        right, given = row["answer"].split(), response.split()
        return _common(right, given) / max(len(right), len(given))


def operations(skill: Skill) -> tuple[str, ...]:
    """The operations of a skill."""
    return tuple(skill.name.split("+"))


def rewritten(clause: Clause, steps: Iterable[str]) -> Clause:
    """The clause with the operations carried out."""
    for step in steps:
        clause = OPERATIONS[step](clause)
    return clause


def _all_do_something(clause: Clause, steps: Iterable[str]) -> bool:
    """Whether each operation changes the sentence's features."""
    return all(OPERATIONS[step](clause) != clause for step in steps)


def fits(steps: tuple[str, ...]) -> bool:
    """Whether these operations go together."""
    chosen = frozenset(steps)
    if any(apart <= chosen for apart in _APART):
        return False
    # "it is he that .." or "it is him that ..": usage differs, so a cleft never holds a pronoun.
    subject = "pronoun_receiver" if "passive" in chosen else "pronoun_doer"
    return not {"cleft", subject} <= chosen


def _phrase(role: int, draw: Draw, *, plural: bool, adjective: bool) -> Phrase:
    """A noun phrase for the doer (role 0) or the receiver (role 1)."""
    noun = draw.pick(tuple((DOERS, RECEIVERS)[role]))
    return Phrase(draw.pick(DETERMINERS[role]), noun, plural, draw.pick(ADJECTIVES[role]) if adjective else "")


def _common(one: list[str], other: list[str]) -> int:
    """Length of the longest common subsequence of words."""
    best = [0] * (len(other) + 1)
    for word in one:
        diagonal = 0
        for place, against in enumerate(other, 1):
            diagonal, best[place] = best[place], diagonal + 1 if word == against else max(best[place], best[place - 1])
    return best[-1]
