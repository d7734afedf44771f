"""Three demo sets, made by procedure: real questions with worked answers that are checked.

    varied      every skill and every surface form in turn, all answers right, no question twice
    repetitive  three skills in two surface forms each; the seed of a question is its place added to the seed of its
                block, so that neighbouring blocks share most of their questions, at most with another name: how many
                procedural sets come to repeat themselves
    noisy       like varied, with 35 % of the records spoiled in seven ways (`NOISE`)

Each row holds prompt, response, answer (the right one), correct (whether the response arrives at it) and skill.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import cycle, islice
from pathlib import Path
from typing import Any, TypeAlias

import orjson

from triptych.core.profile import write_text
from triptych.worlds import logic_tasks, number_tasks, text_tasks, time_tasks, word_problems, wording
from triptych.worlds.checks import is_right
from triptych.worlds.draw import Draft, Draw, Skill
from triptych.worlds.words import NAMES

Row: TypeAlias = dict[str, Any]

SKILLS: dict[str, Skill] = {
    item.name: item
    for module in (word_problems, number_tasks, time_tasks, text_tasks, logic_tasks)
    for item in vars(module).values()
    if isinstance(item, Skill)
}

NOISE = ("truncated", "refusal", "prompt_echo", "repetition_loop", "broken_encoding", "empty", "wrong")
NOISE_PERCENT = 35

REPEATED = ("shopping_change", "stock_changes", "travel_time")
BLOCK, STEP = 100, 20  # a block of 100 questions begins 20 seeds after the one before it
_TRIES = 20


@dataclass(frozen=True)
class Item:
    """A question with its wording, before it is answered."""

    skill: Skill
    draft: Draft
    prompt: str

    def row(self, response: str, stated: str | None) -> Row:
        """The row in which this response states this answer (None: it states none)."""
        right = stated is not None and is_right(self.skill.name, self.draft.facts, stated)
        answer = {"answer": self.draft.answer, "correct": right, "skill": self.skill.name}
        return {"prompt": self.prompt, "response": response, **answer}


def demo_sets(seed: int, n: int = 2000) -> dict[str, list[Row]]:
    """The three sets, n rows each: varied, repetitive and noisy.

    Every row depends on the seed and its own position only, so a smaller n gives the first rows of a larger one (in
    the noisy set the spoiled rows move with n, so that their number is exact).
    """
    return {"varied": _varied(seed, n), "repetitive": _repetitive(seed, n), "noisy": _noisy(seed, n)}


def write_demo(folder: str | Path, seed: int, n: int = 2000) -> dict[str, Path]:
    """Write the sets as varied.jsonl, repetitive.jsonl and noisy.jsonl; each file appears whole or not at all."""
    sets = demo_sets(seed, n)
    paths = {name: Path(folder) / f"{name}.jsonl" for name in sets}
    for name, rows in sets.items():
        lines = (orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE).decode() for row in rows)
        write_text(paths[name], "".join(lines))
    return paths


def items(seed: int, n: int, name: str) -> list[tuple[Item, Draw]]:
    """So many different questions, skills and surface forms in turn, each with the stream that goes on to word its answer."""
    skills = list(SKILLS.values())
    made, seen = [], set()
    for index in range(n):
        skill = skills[index % len(skills)]
        form = skill.forms[index // len(skills) % len(skill.forms)]
        for attempt in range(_TRIES):
            draw = Draw("demo", seed, name, index, attempt)
            draft = skill.draft(draw)
            prompt = draft.worded(form)
            if prompt not in seen:
                break
        seen.add(prompt)
        made.append((Item(skill, draft, prompt), draw))
    return made


def _varied(seed: int, n: int) -> list[Row]:
    return [
        item.row(wording.response(item.draft, draw, item.draft.answer), item.draft.answer)
        for item, draw in items(seed, n, "varied")
    ]


def _repetitive(seed: int, n: int) -> list[Row]:
    rows = []
    for index in range(n):
        block, place = divmod(index, BLOCK)
        added = block * STEP + place
        skill = SKILLS[REPEATED[added % len(REPEATED)]]
        draft = skill.draft(Draw("demo", seed, "repetitive", added))
        draw = Draw("demo", seed, "repetitive wording", index)
        style = 0 if draw.chance(85) else 1
        if "name" in draft.facts and draw.chance(30):
            draft = replace(draft, facts={**draft.facts, "name": draw.pick(NAMES)})
        item = Item(skill, draft, draft.worded(skill.forms[added // len(REPEATED) % 2]))
        rows.append(item.row(wording.response(draft, draw, draft.answer, style), draft.answer))
    return rows


def noise_plan(seed: int, n: int) -> list[str | None]:
    """What is done to each row of the noisy set; None where it is left as it is."""
    spoiled = Draw("demo", seed, "noise").some(range(n), n * NOISE_PERCENT // 100)
    plan: list[str | None] = [None] * n
    for place, kind in zip(spoiled, islice(cycle(NOISE), len(spoiled)), strict=True):
        plan[place] = kind
    return plan


def _noisy(seed: int, n: int) -> list[Row]:
    plan = noise_plan(seed, n)
    return [_spoiled(item, draw, kind) for (item, draw), kind in zip(items(seed, n, "noisy"), plan, strict=True)]


def _spoiled(item: Item, draw: Draw, kind: str | None) -> Row:
    stated = wording.wrong_answer(item.draft, draw) if kind == "wrong" else item.draft.answer
    text = wording.response(item.draft, draw, stated)
    if kind is None or kind == "wrong":
        return item.row(text, stated)
    if kind == "broken_encoding":
        return item.row(wording.broken_encoding(text, draw), stated)
    silent: dict[str, Callable[[], str]] = {
        "truncated": lambda: wording.truncated(text, draw),
        "refusal": lambda: wording.refusal(draw),
        "prompt_echo": lambda: wording.prompt_echo(item.prompt, draw),
        "repetition_loop": lambda: wording.repetition_loop(item.draft, draw),
        "empty": lambda: draw.pick(wording.EMPTY),
    }
    return item.row(silent[kind](), None)
