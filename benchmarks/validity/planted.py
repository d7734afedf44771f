"""Populations that are made here, so that what changes is known: questions with worked answers, and what is done to them.

A manipulation gives data sets by dose; the first dose is the base. Where rows are changed in place, row i of every dose comes
from row i of the base and the difference is paired; a larger dose changes the rows of a smaller one and more.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from triptych.core.rng import stream
from triptych.worlds import wording
from triptych.worlds.demo import SKILLS
from triptych.worlds.draw import Draft, Draw, Skill
from triptych.worlds.registry import load_world
from triptych.worlds.words import COLOURS, DISHES, FOODS, GOODS, NAMES, PLACES, SUBJECTS, WORDS
from triptych.worlds.world import Dials

Row = dict[str, Any]

RECORDS, MOST = 600, 1000
PROMPTS, ANSWERS = 300, 4

AFTERWORDS = (
    "I hope this makes the idea clear and that it is of some use to you.",
    "It was a pleasure to look at this question with you today.",
    "Feel free to come back at any time with another question of this kind.",
    "Questions like this one come up more often than one might think.",
    "There are many places where the same thing is explained in other words.",
    "Take all the time that you like to read it again at your own pace.",
    "Many people find this kind of question pleasant once they know it well.",
    "This is the sort of thing that is good to have seen at least once.",
    "All the best with whatever you are going to do after reading this.",
    "A short break now and again is always a good idea as well.",
    "Thank you for bringing it here and for your patience while reading.",
    "That is all there is to say about it from my side for the moment.",
)
FOREWORDS = (
    "Hello there, I hope that you are having a good day.",
    "I came across this one while I was sitting on the bus this morning.",
    "A friend of mine showed me the following question a while ago.",
    "Thank you very much in advance for looking at this with me.",
    "I have been thinking about questions of this kind for some time now.",
    "This is one of those things that I have always been curious about.",
    "It is late in the evening here and the kettle is on.",
    "I read something like it in a magazine at the weekend.",
)
CONSTRAINTS = (
    "Use at most 80 words.",
    "Write in French.",
    "Do not use the word total.",
    "End with a question.",
    "Give the answer as a table.",
    "Explain it for a child.",
)


@dataclass(frozen=True)
class Text:
    """A question and an answer, with what they were made from."""

    prompt: str
    response: str
    draft: Draft
    skill: Skill
    form: int
    correct: bool = True

    def row(self) -> Row:
        return {"prompt": self.prompt, "response": self.response, "correct": float(self.correct)}


@dataclass(frozen=True)
class Manipulation:
    """What is done, at which doses, and to which base.

    Attributes:
        make: of a dose and a seed; those that are read by a model too, of a number of records as a third.
        base: "single" (an answer to a prompt), "several" (answers with labels, grouped by prompt) or a name of its own.
        paired: whether row i of every dose comes from row i of the base.
        axes: whose measures are read; `only`: these names alone.
    """

    name: str
    words: str
    base: str
    doses: tuple[float, ...]
    make: Callable[..., list[Row]]
    paired: bool = True
    axes: tuple[str, ...] = ("quality", "diversity", "complexity")
    only: tuple[str, ...] = ()


def texts(n: int, seed: int, *labels: str, skills: int = len(SKILLS)) -> list[Text]:
    """So many questions of the first skills of a random order, in turn, in random form, layout and wording."""
    order = stream("validity", "skills", seed).permutation(len(SKILLS))
    pool = [list(SKILLS.values())[place] for place in order[:skills]]
    made = []
    for index in range(n):
        draw = Draw("validity", seed, *labels, index)
        skill = pool[index % len(pool)]
        draft, form = skill.draft(draw), draw.below(len(skill.forms))
        answer = wording.response(draft, draw, draft.answer)
        made.append(Text(draft.worded(skill.forms[form]), answer, draft, skill, form))
    return made


def base(seed: int, n: int = RECORDS) -> list[Text]:
    return texts(n, seed, "base")


def fresh(seed: int) -> list[Row]:
    """Other records of the law that `base` is drawn from."""
    return [text.row() for text in texts(RECORDS, seed, "reference")]


def order(n: int, seed: int, what: str) -> list[int]:
    """Rows in the order in which a growing dose reaches them."""
    return [int(place) for place in stream("validity", what, seed).permutation(n)]


def changed(what: str, change: Callable[[Text, Draw, int], Text]) -> Callable[..., list[Row]]:
    """A manipulation that changes a share of the rows of the base, each by itself."""

    def make(share: float, seed: int, n: int = RECORDS) -> list[Row]:
        made = base(seed, n)
        for rank, place in enumerate(order(len(made), seed, what)[: round(share * len(made))]):
            made[place] = change(made[place], Draw("validity", what, seed, place), rank)
        return [text.row() for text in made]

    return make


def copies(share: float, seed: int, n: int = RECORDS, *, reworded: bool = False) -> list[Row]:
    """Rows replaced by copies of rows that every dose keeps: word for word, or the same task and answer in other words."""
    made = base(seed, n)
    places = order(len(made), seed, "copies")
    kept = places[-round(0.4 * len(made)) :]
    for rank, place in enumerate(places[: round(share * len(made))]):
        source = made[kept[rank % len(kept)]]
        if reworded:
            draw = Draw("validity", "reworded", seed, place)
            form = (source.form + 1 + draw.below(len(source.skill.forms) - 1)) % len(source.skill.forms)
            answer = wording.response(source.draft, draw, source.draft.answer)
            source = replace(source, prompt=source.draft.worded(source.skill.forms[form]), response=answer)
        made[place] = source
    return [text.row() for text in made]


def lost_modes(skills: float, seed: int, n: int = RECORDS) -> list[Row]:
    return [text.row() for text in texts(n, seed, "modes", str(skills), skills=int(skills))]


def size(share: float, seed: int) -> list[Row]:
    return [text.row() for text in texts(round(share * MOST), seed, "size", str(share))]


def two_sources(share: float, seed: int, drawn: str = "sources") -> list[Row]:
    """Rows of one writer on half of the skills replaced by those of another writer on the other half.

    `drawn`: label of the draw; under another one the law is the same and the records are others.
    """
    skills = list(SKILLS.values())
    half = order(len(skills), seed, "halves")
    sources = (half[: len(half) // 2], (0, 1, 2), 0), (half[len(half) // 2 :], (3, 4, 5), 4)
    second = set(order(RECORDS, seed, "second source")[: round(share * RECORDS)])
    rows = []
    for index in range(RECORDS):
        pool, forms, style = sources[index in second]
        draw = Draw("validity", drawn, seed, index, int(index in second))
        skill = skills[pool[draw.below(len(pool))]]
        draft = skill.draft(draw)
        answer = wording.response(draft, draw, draft.answer, style)
        rows.append({"prompt": draft.worded(skill.forms[draw.pick(forms)]), "response": answer, "correct": 1.0})
    return rows


def _padded(text: str, sentences: tuple[str, ...], factor: float, draw: Draw, *, before: bool) -> str:
    words = len(text.split())
    room, added = round((factor - 1) * words), list[str]()
    while room > 0:
        added.append(draw.pick(sentences))
        room -= len(added[-1].split())
    return " ".join([*added, text] if before else [text, *added])


def padded(factor: float, seed: int, n: int = RECORDS) -> list[Row]:
    """Sentences that say nothing, before the prompt and after the response."""
    rows = []
    for index, text in enumerate(base(seed, n)):
        draw = Draw("validity", "padding", seed, index, str(factor))
        row = text.row()
        row["prompt"] = _padded(text.prompt, FOREWORDS, factor, draw, before=True)
        row["response"] = _padded(text.response, AFTERWORDS, factor, draw, before=False)
        rows.append(row)
    return rows


_VOCABULARY = tuple(
    word.lower()
    for word in " ".join(
        [*NAMES, *GOODS, *FOODS, *DISHES, *PLACES, *WORDS, *SUBJECTS, *COLOURS, *AFTERWORDS, *FOREWORDS]
    )
    .replace(".", "")
    .replace(",", "")
    .split()
)


def _salad(text: Text, draw: Draw, _rank: int) -> Text:
    """As many words in no order."""
    count = max(5, len(text.response.split()))
    made = " ".join(draw.pick(_VOCABULARY) for _ in range(count))
    return replace(text, response=made.capitalize() + ".", correct=False)


def _gibberish(text: Text, draw: Draw, _rank: int) -> Text:
    """As many strings of random letters."""
    count = max(5, len(text.response.split()))
    letters = string.ascii_lowercase
    made = " ".join("".join(draw.pick(letters) for _ in range(draw.number(2, 9))) for _ in range(count))
    return replace(text, response=made.capitalize() + ".", correct=False)


def _wrong(text: Text, draw: Draw, _rank: int) -> Text:
    stated = wording.wrong_answer(text.draft, draw)
    return replace(text, response=wording.response(text.draft, draw, stated), correct=False)


def swapped(share: float, seed: int, n: int = RECORDS) -> list[Row]:
    """Pairs of rows exchange their responses: the set of prompts and that of responses stay as they are."""
    rows = [text.row() for text in base(seed, n)]
    places = order(n, seed, "swapped")[: 2 * round(share * n / 2)]
    for one, other in zip(places[::2], places[1::2], strict=True):
        rows[one]["response"], rows[other]["response"] = rows[other]["response"], rows[one]["response"]
        rows[one]["correct"] = rows[other]["correct"] = 0.0
    return rows


def _defect(text: Text, draw: Draw, rank: int) -> Text:
    """One of six visible defects, in turn."""
    kinds = (
        lambda: wording.truncated(text.response, draw),
        lambda: wording.refusal(draw),
        lambda: wording.prompt_echo(text.prompt, draw),
        lambda: wording.repetition_loop(text.draft, draw),
        lambda: wording.broken_encoding(text.response, draw),
        lambda: draw.pick(wording.EMPTY),
    )
    return replace(text, response=kinds[rank % len(kinds)](), correct=False)


def constrained(count: float, seed: int, n: int = RECORDS) -> list[Row]:
    rows = []
    for index, text in enumerate(base(seed, n)):
        draw = Draw("validity", "constraints", seed, index)
        wanted = draw.some(CONSTRAINTS, len(CONSTRAINTS))[: int(count)]
        rows.append({**text.row(), "prompt": " ".join([text.prompt, *wanted])})
    return rows


_EVENTS = (
    ("gain", "{k} more are delivered", 1),
    ("sell", "{k} are sold", -1),
    ("give", "{k} are given away", -1),
    ("return", "{k} come back", 1),
)


def steps_told(steps: float, seed: int, n: int = RECORDS) -> list[Row]:
    """Stocks that change so many times, one sentence of the answer for each; the structure names the changes."""
    rows = []
    for index in range(n):
        draw = Draw("validity", "steps", seed, str(steps), index)
        goods, place = draw.pick(GOODS), draw.pick(PLACES)
        held = start = draw.number(200, 400)
        told, answer, chain = [], [], []
        for _ in range(int(steps)):
            name, said, way = draw.pick(_EVENTS)
            k = draw.number(2, 20)
            told.append(said.format(k=k))
            answer.append(f"Then there are {held} {'+' if way > 0 else '-'} {k} = {held + way * k} {goods}.")
            held += way * k
            chain.append(name)
        prompt = f"A shop in {place} has {start} {goods}. Then {', then '.join(told)}. How many are there in the end?"
        rows.append({"prompt": prompt, "response": " ".join(answer), "structure": ">".join(chain), "correct": 1.0})
    return rows


def operations(depth: float, seed: int) -> list[Row]:
    """The world of programs at one depth: lists of digits, worked through without a word."""
    dials = Dials(depths={int(depth): 1.0})
    made = load_world("programs").data(dials, RECORDS, "validity", seed)
    keep = ("prompt", "response", "skeleton")
    return [{**{name: row[name] for name in keep}, "correct": 1.0} for row in made]


def code(branches: float, seed: int, remarks: int = 0) -> list[Row]:
    """Python functions with so many branches, and so many lines of remarks."""
    rows = []
    for index in range(RECORDS):
        draw = Draw("validity", "code", seed, str(branches), index)
        name = draw.pick(WORDS)
        lines = [f"def {name}(x):", *("    # " + draw.pick(AFTERWORDS) for _ in range(remarks))]
        for _ in range(int(branches)):
            lines += [
                f"    if x {draw.pick(('<', '>', '=='))} {draw.number(1, 99)}:",
                f"        x += {draw.number(1, 9)}",
            ]
        lines += [f"    return x * {draw.number(2, 9)}"]
        rows.append({"prompt": f"Write the function {name}.", "response": "```python\n" + "\n".join(lines) + "\n```"})
    return rows


def remarked(remarks: float, seed: int) -> list[Row]:
    return code(2, seed, int(remarks))


@dataclass(frozen=True)
class Answers:
    """Several answers to each prompt, right as often as the prompt is easy, with labels of known error.

    Labels: `correct` is the truth, `passed` agrees with it in .9, `grade` is 1 to 5, `preference` of two neighbours is that
    of the better grade.
    """

    prompts: int = PROMPTS
    answers: int = ANSWERS
    solved: float = 0.0
    collapsed: float = 0.0
    garbage: float = 0.0
    kind: Callable[[Text, Draw, int], Text] = _salad
    wrong: float = 0.0
    padding: float = 1.0
    flipped: float = 0.0
    saturated: float = 0.0
    longer: float = 0.0

    def rows(self, seed: int, *labels: str) -> list[Row]:
        ranks = {what: self._ranks(seed, what) for what in ("solved", "collapsed")}
        each = {what: self._each(seed, what) for what in ("garbage", "wrong", "flipped", "saturated", "longer")}
        return [
            row
            for at, text in enumerate(texts(self.prompts, seed, "several", *labels))
            for row in self._of(text, at, Draw("validity", "answers", seed, *labels, at), ranks, each)
        ]

    def _ranks(self, seed: int, what: str) -> set[int]:
        return set(order(self.prompts, seed, what)[: round(getattr(self, what) * self.prompts)])

    def _each(self, seed: int, what: str) -> set[int]:
        n = self.prompts * self.answers
        return set(order(n, seed, what)[: round(getattr(self, what) * n)])

    def _of(self, text: Text, at: int, draw: Draw, ranks: dict[str, set[int]], each: dict[str, set[int]]) -> list[Row]:
        easy, rows = draw.below(101), list[Row]()
        for number in range(self.answers):
            place = at * self.answers + number
            right = draw.chance(easy) or at in ranks["solved"]
            drawn = Draw("validity", "answer", place, draw.below(1 << 30))
            one = self._one(text, drawn, place, each, right=right)
            truth, noise = one.correct, drawn.pick((-1, -1, 0, 0, 0, 1, 1))
            row = one.row() | {"prompt_id": at, "grade": float((4 if truth else 2) + noise)}
            row["passed"] = float(truth ^ drawn.chance(10))
            rows.append({**rows[0]} if at in ranks["collapsed"] and rows else row)
        self._judged(rows, at, each, draw)
        return rows

    def _one(self, text: Text, draw: Draw, place: int, each: dict[str, set[int]], *, right: bool) -> Text:
        stated = text.draft.answer if right else wording.wrong_answer(text.draft, draw)
        one = replace(text, response=wording.response(text.draft, draw, stated), correct=right)
        if place in each["wrong"]:
            one = _wrong(one, draw, 0)
        if place in each["garbage"]:
            one = self.kind(one, draw, 0)
        if self.padding > 1:
            one = replace(one, response=_padded(one.response, AFTERWORDS, self.padding, draw, before=False))
        return one

    def _judged(self, rows: list[Row], at: int, each: dict[str, set[int]], draw: Draw) -> None:
        """Preferences of pairs of neighbours, and labels spoiled after them."""
        for first in range(0, len(rows), 2):
            a, b = rows[first], rows[first + 1]
            tie = draw.chance(50)
            better = a["grade"] > b["grade"] or (a["grade"] == b["grade"] and tie)
            if at * self.answers + first in each["longer"]:
                better = len(a["response"]) > len(b["response"])
            if at * self.answers + first in each["flipped"]:
                better = not better
            a["preference"], b["preference"] = float(better), float(not better)
        for number, row in enumerate(rows):
            place = at * self.answers + number
            row["correct"] = 1 - row["correct"] if place in each["flipped"] else row["correct"]
            row["grade"] = 5.0 if place in each["saturated"] else row["grade"]


def several(field: str, **fixed: Any) -> Callable[[float, int], list[Row]]:
    """A manipulation of several answers to a prompt: the dose is one field of `Answers`."""
    return lambda dose, seed: Answers(**{field: dose, **fixed}).rows(seed)


def fewer(share: float, seed: int) -> list[Row]:
    return Answers(prompts=round(share * PROMPTS)).rows(seed, "size", str(share))


def per_prompt(count: float, seed: int) -> list[Row]:
    """Fewer of the same answers: the first of eight."""
    rows = Answers(answers=8).rows(seed)
    return [row for place, row in enumerate(rows) if place % 8 < count]


CONTENT = ("quality", "complexity")
SHARES, GARBAGE = (0.0, 0.1, 0.3, 0.6), (0.0, 0.1, 0.3, 0.5)

MANIPULATIONS = (
    Manipulation("lost modes", "42 kinds of task become 21, 10, 5", "modes", (42, 21, 10, 5), lost_modes, paired=False),
    Manipulation("exact copies", "a share of the rows repeats others word for word", "single", SHARES, copies),
    Manipulation("reworded copies", "a share of the rows repeats the task and answer of others in other words", "single",
                 SHARES, lambda share, seed, n=RECORDS: copies(share, seed, n, reworded=True)),
    Manipulation("two sources", "a share comes from another writer with other tasks", "sources", (0.0, 0.1, 0.25, 0.5),
                 two_sources),
    Manipulation("padding", "prompt and response 1.25, 1.5, 2 times as long by sentences that say nothing", "single",
                 (1.0, 1.25, 1.5, 2.0), padded),
    Manipulation("word salad", "a share of the responses is words in no order", "single", GARBAGE, changed("salad", _salad)),
    Manipulation("gibberish", "a share of the responses is random letters", "single", GARBAGE,
                 changed("gibberish", _gibberish)),
    Manipulation("swapped responses", "a share of the responses has changed places", "single", SHARES, swapped),
    Manipulation("defects", "a share is cut off, refused, an echo, a loop, broken or empty, in turn", "single",
                 (0.0, 0.06, 0.18, 0.36), changed("defects", _defect)),
    Manipulation("size", "a half and a quarter of the records, drawn anew", "size", (1.0, 0.5, 0.25), size, paired=False),
    Manipulation("wrong answers", "a share of the responses arrives at a wrong answer", "single", SHARES,
                 changed("wrong", _wrong)),
    Manipulation("steps told", "2, 4, 6, 8 steps, told in sentences", "steps", (2, 4, 6, 8), steps_told, paired=False,
                 axes=CONTENT),
    Manipulation("operations", "programs of 1, 2, 3 operations, worked through in digits", "operations", (1, 2, 3),
                 operations, paired=False, axes=CONTENT),
    Manipulation("constraints", "0, 1, 2, 4 requirements added to the prompt", "single", (0, 1, 2, 4), constrained,
                 axes=CONTENT),
    Manipulation("steps told", "Python of 1, 2, 4, 8 branches", "code", (1, 2, 4, 8), code, paired=False,
                 only=("code_complexity",)),
    Manipulation("padding", "0, 2, 4, 8 lines of remarks in Python", "remarks", (0, 2, 4, 8), remarked,
                 only=("code_complexity",)),
    Manipulation("collapsed answers", "a share of the prompts has one answer, repeated", "several", SHARES,
                 several("collapsed")),
    Manipulation("answers per prompt", "8, 4, 2 answers to a prompt", "eight", (8, 4, 2), per_prompt),
    Manipulation("padding", "responses 1.25, 1.5, 2 times as long by sentences that say nothing", "several",
                 (1.0, 1.25, 1.5, 2.0), several("padding")),
    Manipulation("word salad", "a share of the responses is words in no order", "several", GARBAGE, several("garbage")),
    Manipulation("gibberish", "a share of the responses is random letters", "several", GARBAGE,
                 several("garbage", kind=_gibberish)),
    Manipulation("wrong answers", "a share of the responses arrives at a wrong answer", "several", SHARES,
                 several("wrong")),
    Manipulation("size", "a half and a quarter of the prompts, drawn anew", "fewer", (1.0, 0.5, 0.25), fewer, paired=False),
    Manipulation("solved prompts", "a share of the prompts is always answered right", "several", SHARES, several("solved")),
    Manipulation("flipped labels", "a share of the labels and preferences says the opposite", "several",
                 (0.0, 0.05, 0.15, 0.3), several("flipped")),
    Manipulation("saturated scores", "a share of the grades is 5, whatever the answer", "several", SHARES,
                 several("saturated")),
    Manipulation("longer preferred", "a share of the preferences goes to the longer answer", "several",
                 (0.0, 0.25, 0.5, 1.0), several("longer")),
)  # fmt: skip
"""All of them; a name that comes several times is one question asked of different measures."""

SEVERAL = frozenset({"several", "eight", "fewer"})
"""Bases of several answers to a prompt: measures grouped by prompt and of labels are read there, all others elsewhere."""

FRESH: Mapping[str, Callable[[int], list[Row]]] = {
    "single": fresh,
    "modes": fresh,
    "size": fresh,
    "sources": lambda seed: two_sources(0.0, seed, "reference"),
}
"""Base to a fresh draw of the same law: what measures that read a reference set are held against."""
