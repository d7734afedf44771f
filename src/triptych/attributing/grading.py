"""The grade of every record as a label, where all recipes grade alike: by a verifier, or by a world that knows the answer.

A judge is not asked again here: that would cost more than reading does. A record without a grade has none, which is not 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from triptych.attributing.runs import Run
from triptych.core.errors import SpecError
from triptych.generating.ask import Made
from triptych.generating.grading import Grader, grader_of
from triptych.generating.imports.imported import rows_of
from triptych.generating.recipe import GradeConfig

LABEL = "grade"


def common_grader(runs: Sequence[Run]) -> Grader | None:
    """What grades the records of all runs; None where their recipes name nothing, other things, or a judge."""
    named = (
        {(run.grade or {}).get("verifier") or "" for run in runs},
        {(run.grade or {}).get("world") or "" for run in runs},
    )
    if any(len(one) != 1 for one in named) or any((run.grade or {}).get("judge") for run in runs):
        return None
    (verifier,), (world,) = named
    if not verifier and not world:
        return None
    try:
        return grader_of(GradeConfig(verifier=verifier, world=world))
    except SpecError:
        return None


def graded_rows(run: Run, grader: Grader) -> list[Mapping[str, Any]]:
    """The rows of a run with their grades; a field of that name that is there already stays."""
    rows = list(rows_of(Path(str(run.source))))
    fields = ("id", "prompt", "response", "triptych")
    made = [
        Made(str(row["prompt"]), str(row["response"]), row={key: row[key] for key in row if key not in fields})
        for row in rows
    ]
    grades = grader.grades(made, lambda _: [])
    bare = [{key: value for key, value in row.items() if key != "triptych"} for row in rows]
    return [{LABEL: grade, **row} for row, grade in zip(bare, grades, strict=True)]
