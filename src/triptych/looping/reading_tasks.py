"""What kind of task a prompt is: valid or not, its structure, its complexity, and the row that a verifier reads.

A given prompt brings its own row, whose fields tell structure and complexity. Any other prompt is read by the world: skill
and depth, or no task. Without a world it is a task where it has text, its structure is its template, and its complexity is
not known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from triptych.data.names import STRUCTURE_NAMES
from triptych.data.values import as_key, as_label
from triptych.features.structure import template
from triptych.looping.records import Written
from triptych.studies.trainers.trainer import Example
from triptych.worlds.world import World

COMPLEXITY_NAMES = ("complexity", "depth", "difficulty", "level")


@dataclass(frozen=True)
class TaskKind:
    """What is known of a prompt.

    Attributes:
        valid: whether it is a task at all.
        structure: what kind of task; "" where it is none.
        complexity: None where not known.
        item: what a verifier grades a response against: prompt, reference (or ""), row.
    """

    valid: bool
    structure: str
    complexity: float | None
    item: Example


@dataclass(frozen=True)
class TaskReader:
    """Reads prompts.

    Attributes:
        world: that reads prompts which nobody gave; None: any text is a task.
        prompts: that were given, in the order of the generator's list: `Written.group` is the place in it.
        structure, complexity: fields of the rows of given prompts; "": by the usual names.
    """

    world: World | None = None
    prompts: Sequence[Example] = ()
    structure: str = ""
    complexity: str = ""

    def read(self, written: Iterable[Written]) -> list[TaskKind]:
        """The kind of each record's prompt; equal prompts are read once."""
        known: dict[tuple[str, str], TaskKind] = {}
        out = []
        for record in written:
            key = record.group, record.prompt
            found = known.get(key)
            if found is None:
                found = known[key] = self._read(record)
            out.append(found)
        return out

    def own(self, prompt: str) -> TaskKind:
        """The kind of a prompt that nobody gave."""
        if self.world is None:
            valid = bool(prompt.strip())
            return TaskKind(valid, template(prompt) if valid else "", None, Example(prompt, ""))
        task = self.world.parse(prompt)
        if task is None:
            return TaskKind(valid=False, structure="", complexity=None, item=Example(prompt, ""))
        skill = task.skill
        row: dict[str, Any] = {
            "prompt": prompt,
            "response": task.answer,
            "answer": task.answer,
            "world": self.world.name,
        }
        row |= {"skeleton": skill.name, "depth": skill.depth, **self.world.extras(task)}
        return TaskKind(valid=True, structure=skill.name, complexity=float(skill.depth), item=_item(prompt, row))

    def given(self, item: Example) -> TaskKind:
        """The kind of a prompt that comes with a row: a test item, a record of the start, a prompt to be answered."""
        structure = as_key(_field(item.row, self.structure, STRUCTURE_NAMES))
        complexity = _number(_field(item.row, self.complexity, COMPLEXITY_NAMES))
        if structure is None:
            own = self.own(item.prompt)
            structure = own.structure or template(item.prompt)
            complexity = own.complexity if complexity is None else complexity
            item = Example(item.prompt, item.response or own.item.response, {**own.item.row, **item.row})
        return TaskKind(bool(item.prompt.strip()), structure, complexity, item)

    def _read(self, record: Written) -> TaskKind:
        if not record.group:
            return self.own(record.prompt)
        place = int(record.group) if record.group.isdecimal() else len(self.prompts)
        if place < len(self.prompts) and self.prompts[place].prompt == record.prompt:
            return self.given(self.prompts[place])
        return self.given(_item(record.prompt, record.row))


def _item(prompt: str, row: Mapping[str, Any]) -> Example:
    """The item of a row, with its reference where that is a text."""
    reference = row.get("response", row.get("answer", ""))
    return Example(prompt, reference if isinstance(reference, str) else "", row)


def _field(row: Mapping[str, Any], named: str, usual: Sequence[str]) -> Any:
    """A field's value: of the one that is named, else of the first of the usual names that holds something."""
    if named:
        return row.get(named)
    held = {str(name).lower(): value for name, value in row.items() if value is not None}
    return next((held[name] for name in usual if name in held), None)


def _number(value: Any) -> float | None:
    """A field as a number; None where it is none ("hard")."""
    try:
        return as_label(value)
    except ValueError:
        return None
