"""Programs: a prompt names operations on a list of digits, the answer is the list after each of them.

    prompt    reverse sort rotate : 3 1 4 1 =
    response  1 4 1 3 ; 1 1 3 4 ; 1 3 4 1

Eight operations keep the length of the list and its digits within 0 to 9; a skill is a sequence of one to three of them
(8 + 64 + 512), of four in the panel `deeper` (4,096). Lists have 4 digits, in the panel `longer` 5 or 6.

A wording combines four parts: a frame, which of operations and list is named first, one of three names for each
operation, and what stands between operations. Every frame is trained with two of the three sets of names; held out are
the forms that pair it with the third. So all words of a held-out form were seen, in other company.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cached_property
from itertools import product
from typing import NamedTuple, TypeAlias, final

from triptych.worlds.draw import Draw
from triptych.worlds.world import Row, Skill, Task, World

Digits: TypeAlias = tuple[int, ...]

DIGITS, LONGER = 4, (5, 6)
DEEPEST = 4
STEP = " ; "
"""Between the steps of a trace."""

OPERATIONS: dict[str, Callable[[Digits], Digits]] = {
    "reverse": lambda x: x[::-1],
    "rotate": lambda x: x[1:] + x[:1],
    "swap": lambda x: x[-1:] + x[1:-1] + x[:1],
    "sort": lambda x: tuple(sorted(x)),
    "increment": lambda x: tuple((digit + 1) % 10 for digit in x),
    "double": lambda x: tuple(2 * digit % 10 for digit in x),
    "triple": lambda x: tuple(3 * digit % 10 for digit in x),
    "complement": lambda x: tuple(9 - digit for digit in x),
}
"""Name to what it does to a list of digits: four move them, four change each, modulo 10. Swap exchanges the ends.

Not among them: the running sum modulo 10. In a trial (one layer, 6,000 right records, 700 steps) it was right on no
item of depth 1 where the seven others were right on all; a third of the skills of depth 3 would hold it.
"""

NAMES = (
    tuple(OPERATIONS),
    ("flip", "shift", "exchange", "order", "raise", "twice", "thrice", "invert"),
    ("mirror", "turn", "trade", "arrange", "bump", "duplicate", "treble", "negate"),
)
LINKS = (" ", " then ")
# Each frame with the operations first, and with the list first.
FRAMES = (
    ("{ops} : {list} =", "{list} : {ops} ="),
    ("apply {ops} to {list} .", "to {list} apply {ops} ."),
    ("after {ops} show {list} .", "show {list} after {ops} ."),
    ("what does {ops} make of {list} ?", "of {list} what does {ops} make ?"),
)


class Form(NamedTuple):
    """A wording: places in FRAMES, of the order within a frame, in NAMES and in LINKS."""

    frame: int
    order: int
    names: int
    link: int

    @property
    def held_out(self) -> bool:
        """Whether no data set has it: one set of names for each frame."""
        return (self.frame + self.names) % len(NAMES) == len(NAMES) - 1


def _spread(forms: list[Form]) -> list[Form]:
    """The plainest form first, then always one of parts that were used least, so that few forms differ in every way."""
    used, out = Counter[tuple[int, int]](), list[Form]()
    while forms:
        out.append(min(forms, key=lambda form: sum(used[part] for part in enumerate(form))))
        used.update(enumerate(out[-1]))
        forms = [form for form in forms if form not in out]
    return out


_EVERY = [Form(*parts) for parts in product(*map(range, (len(FRAMES), 2, len(NAMES), len(LINKS))))]
TRAINED = _spread([form for form in _EVERY if not form.held_out])
HELD = [form for form in _EVERY if form.held_out]


def _reader(frame: str) -> re.Pattern[str]:
    """What finds operations and list in a prompt of this frame."""
    ops, digits = "(?P<ops>[a-z]+(?: [a-z]+)*)", "(?P<list>[0-9](?: [0-9])*)"
    return re.compile(re.escape(frame).replace(r"\{ops\}", ops).replace(r"\{list\}", digits))


_READERS = [_reader(frame) for frames in FRAMES for frame in frames]


@final
class Programs(World):
    """Sequences of operations on a list of digits."""

    name = "programs"
    title = "operations on a list of digits, every step shown"
    depths = (1, 2, 3)
    errors = ("random_step", "plausible_slip", "truncated")
    forms = len(TRAINED)
    held_forms = len(HELD)
    harder = ("longer",)

    @cached_property
    def skills(self) -> tuple[Skill, ...]:
        """Every sequence of one to four operations, by depth; named `reverse>sort>rotate`."""
        depths = range(1, DEEPEST + 1)
        return tuple(Skill(">".join(ops), depth) for depth in depths for ops in product(OPERATIONS, repeat=depth))

    def task(self, skill: Skill, draw: Draw, kind: str = "plain") -> Task:
        """A list of random digits; of kind "longer", with 5 or 6 of them."""
        many = draw.pick(LONGER) if kind == "longer" else DIGITS
        digits = tuple(draw.below(10) for _ in range(many))
        return Task(skill, digits, _text(_trace(skill, digits)))

    def worded(self, task: Task, form: int, draw: Draw) -> str:
        """The prompt; all of it follows from task and form."""
        del draw
        parts = TRAINED[form] if form < self.forms else HELD[form - self.forms]
        names = dict(zip(OPERATIONS, NAMES[parts.names], strict=True))
        ops = LINKS[parts.link].join(names[op] for op in task.skill.name.split(">"))
        return FRAMES[parts.frame][parts.order].format(ops=ops, list=_text([task.facts]))

    def parse(self, prompt: str) -> Task | None:
        """The task: a frame, one to four operations named and joined in one way, a list as long as tasks have it."""
        for found in filter(None, (reader.fullmatch(prompt) for reader in _READERS)):
            skill, digits = _skill(found["ops"]), tuple(map(int, found["list"].split()))
            if skill is not None and len(digits) in {DIGITS, *LONGER}:
                return Task(skill, digits, _text(_trace(skill, digits)))
        return None

    def spoiled(self, task: Task, error: str, draw: Draw) -> str:
        """A wrong trace.

        random_step: one step gives a random list, later steps go on from it; plausible_slip: one digit of one step is
        one too high or too low (modulo 10), later steps go on from it; truncated: only the first steps are there, or
        part of the only one.
        """
        trace = _trace(task.skill, task.facts)
        if error == "truncated":
            if len(trace) > 1:
                return _text(trace[: draw.number(1, len(trace) - 1)])
            return _text([trace[0][: draw.number(1, len(trace[0]) - 1)]])
        step = draw.below(len(trace))
        wrong = _random_other(trace[step], draw) if error == "random_step" else _slipped(trace[step], draw)
        return _text([*trace[:step], wrong, *_trace(task.skill, wrong, step + 1)])

    def grade(self, row: Row, response: str) -> float:
        """Number of steps that are right before the first one that is not, over the number of steps there should be.

        Where there are more steps than should be, over the number there are.
        """
        wanted, got = ([step.split() for step in text.split(STEP.strip())] for text in (row["answer"], response))
        right = 0
        for one, other in zip(wanted, got, strict=False):
            if one != other:
                break
            right += 1
        return right / max(len(wanted), len(got))


def _skill(text: str) -> Skill | None:
    """The skill whose operations are named so."""
    link = next(link for link in reversed(LINKS) if link in text or link == LINKS[0])
    said = text.split(link)
    for names in NAMES:
        if len(said) <= DEEPEST and set(said) <= set(names):
            return Skill(">".join(tuple(OPERATIONS)[names.index(word)] for word in said), len(said))
    return None


def _trace(skill: Skill, digits: Digits, done: int = 0) -> list[Digits]:
    """The list after each operation that follows the first `done`."""
    out = []
    for op in skill.name.split(">")[done:]:
        digits = OPERATIONS[op](digits)
        out.append(digits)
    return out


def _text(trace: Sequence[Digits]) -> str:
    return STEP.join(" ".join(map(str, digits)) for digits in trace)


def _random_other(right: Digits, draw: Draw) -> Digits:
    """A random list of the same length; the right one plus a number that is not 0, so that it is another list."""
    size = len(right)
    value = (int("".join(map(str, right))) + draw.number(1, 10**size - 1)) % 10**size
    return tuple(map(int, f"{value:0{size}}"))


def _slipped(right: Digits, draw: Draw) -> Digits:
    """The list with one digit one too high or too low."""
    place, change = draw.below(len(right)), draw.pick((1, 9))
    return *right[:place], (right[place] + change) % 10, *right[place + 1 :]
