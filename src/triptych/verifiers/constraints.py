"""Constraints on the response that a program can check: counts, keywords, case, bullets, JSON, first and last words.

A row names its constraints in one field and their arguments in another, as IFEval does (Zhou et al. 2023, arXiv
2311.07911): `constraints: ["punctuation:no_comma"]`, `kwargs: [{}]`. `constraint_rules` holds the rules. A row with a
constraint that none of them knows (a language) has no verdict: to grade the rest would call it followed.

Worked example: no comma and at least three words; "One two three" has 1, "One, two" has 0, with share=true "One, two
three" has 0.5.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from triptych.core.errors import nearest
from triptych.core.estimate import Undefined
from triptych.verifiers.constraint_rules import RULES
from triptych.verifiers.verifier import Judgement, Verdict, Verifier, first_field

FIELDS = ("constraints", "instruction_id_list", "instruction_ids")


@dataclass(frozen=True)
class Constraints(Verifier):
    """1 where the response follows all constraints of the row, else 0; or the share that it follows.

    Attributes:
        field: of the row that lists the constraints; empty: `constraints`, else `instruction_id_list`.
        kwargs: field that lists the arguments of each.
        share: whether the verdict is the share of constraints that are followed.
        loose: whether a constraint counts as followed where it is so without the first line, the last line, both, or
            with the stars of emphasis taken away, as in IFEval's second accuracy.
    """

    name: ClassVar[str] = "constraints"

    field: str = ""
    kwargs: str = "kwargs"
    share: bool = False
    loose: bool = False

    def lacks(self, row: Mapping[str, Any]) -> str:
        """What the row lacks to be graded by, in words; empty where it lacks nothing.

        A row with a constraint that no rule knows lacks nothing: it has no verdict, and others have theirs.
        """
        found = self._asked(row)
        return found if isinstance(found, str) else ""

    def verify(self, row: Mapping[str, Any], response: str) -> Judgement:
        """Grade one response."""
        asked = self._asked(row)
        if isinstance(asked, str):
            return Undefined(f"the row lacks {asked}")
        broken = []
        for name, given in asked:
            if name not in RULES:
                near = nearest(name, RULES)
                return Undefined(f'no rule for "{name}"' + (f'; did you mean "{near}"?' if near else ""))
            try:
                followed = any(text.strip() and RULES[name](text, given) for text in self._readings(response))
            except (KeyError, ValueError, TypeError) as error:
                return Undefined(f"{name}: its arguments are not right: {type(error).__name__}: {error}")
            broken += [] if followed else [name]
        kept = 1 - len(broken) / len(asked)
        score = kept if self.share else float(not broken)
        return Verdict(score, "" if not broken else "constraint not followed", ", ".join(broken))

    def _readings(self, response: str) -> list[str]:
        """The texts of which one must follow a constraint."""
        if not self.loose:
            return [response]
        lines = response.splitlines()
        cut = [response, "\n".join(lines[1:]), "\n".join(lines[:-1]), "\n".join(lines[1:-1])]
        return [*cut, *(text.replace("*", "") for text in cut)]

    def _asked(self, row: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]] | str:
        """Name and arguments of each constraint, or what is wrong with the row."""
        field = self.field or first_field(row, FIELDS)
        names, given = _listed(row.get(field)), row.get(self.kwargs)
        if not names or not all(isinstance(name, str) for name in names):
            return f'a list of constraints in "{field or FIELDS[0]}"'
        filled = [{}] * len(names) if given in (None, "") else _listed(given)
        if len(filled) != len(names) or not all(isinstance(each, Mapping) for each in filled):
            return f'one object in "{self.kwargs}" for each of {len(names)} constraints'
        # Tables write every argument of every row, those that are not meant as null.
        return [
            (name, {key: value for key, value in each.items() if value is not None})
            for name, each in zip(names, filled, strict=True)
        ]


def _listed(value: Any) -> list[Any]:
    """A list, or the text of one; empty where it is neither."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return [part for part in (part.strip() for part in value.split(",")) if part]
    return list(value) if isinstance(value, (list, tuple)) else []
