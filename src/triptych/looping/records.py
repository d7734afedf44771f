"""Records of a loop: what was written, how it was judged, and where it came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

GENERATED, ARCHIVE, ANCHOR = "generated", "archive", "anchor"
"""Where a record that is trained on came from: this round, an earlier round, or the real data of the start."""


@dataclass(frozen=True)
class Written:
    """A record as the generator gave it.

    Attributes:
        prompt, response: its texts.
        temperature: at which the response was drawn; None where the generator has none.
        explore: at which the prompt was drawn; None where prompts are given.
        group: which prompt of a given list it answers; "" where the generator wrote the prompt.
        row: the prompt's own row, where prompts are given (verifiers read labels from it).
    """

    prompt: str
    response: str
    temperature: float | None = None
    explore: float | None = None
    group: str = ""
    row: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Judged:
    """A record with its verdicts: a line of `generated.jsonl` and `selected.jsonl`.

    Attributes:
        written: its texts.
        round, index: where it was written; (-1, row) for a record of the start.
        valid: whether its prompt is a task at all.
        structure: what kind of task it is: the world's skill, a field, or the prompt's template; "" where it is none.
        complexity: depth of the task; None where not known.
        verified: what the loop's verifier says, in [0, 1]; None where it failed on the record.
        right: whether it is right in truth, where that is known apart from the verifier, else None.
        likelihood: log p(record) per token under the model that wrote it, in nats; None where not known.
        source: where it comes from, see the constants of this module.
    """

    written: Written
    round: int
    index: int
    valid: bool
    structure: str
    complexity: float | None = None
    verified: float | None = None
    right: bool | None = None
    likelihood: float | None = None
    source: str = GENERATED

    @property
    def passed(self) -> bool:
        """Whether it may be trained on: a task, and passed by the verifier."""
        return self.valid and self.verified is not None and self.verified >= 1.0

    def to_json(self) -> dict[str, Any]:
        """A line: flat, strict JSON values; `of_json` reads it."""
        w = self.written
        return {
            "prompt": w.prompt,
            "response": w.response,
            "valid": self.valid,
            "verified": self.verified,
            "right": self.right,
            "structure": self.structure,
            "complexity": self.complexity,
            "likelihood": self.likelihood,
            "temperature": w.temperature,
            "explore": w.explore,
            "group": w.group,
            "source": self.source,
            "round": self.round,
            "index": self.index,
            "row": dict(w.row),
        }

    @classmethod
    def of_json(cls, line: Mapping[str, Any]) -> Judged:
        """The record of a line that `to_json` gave."""
        texts = {name: line[name] for name in ("prompt", "response", "temperature", "explore", "group", "row")}
        names = ("round", "index", "valid", "structure", "complexity", "verified", "right", "likelihood", "source")
        return cls(Written(**texts), **{name: line[name] for name in names})
