"""Who is asked for the columns of a judge: one that grades records, and one that compares the two responses of a row."""

from __future__ import annotations

from collections.abc import Sequence

from triptych.annotating.annotator import Annotator
from triptych.annotating.judge import CRITERIA, Judge, bench_of
from triptych.annotating.pairs import PairJudge
from triptych.core.dear import PAIR, PAIR_SWAPPED
from triptych.core.errors import SpecError, message


def annotators(model: str, columns: Sequence[str]) -> tuple[Annotator, ...]:
    """A judge for each criterion, and one for each order of a pair, that is read.

    Raises:
        InputError: the judge is named wrongly, or nothing gives a column.
    """
    bench = bench_of(model)
    criteria = {column.removeprefix("judge.").removesuffix("_mass") for column in columns} - {"pair", "pair_swapped"}
    unknown = sorted(criteria - set(CRITERIA))
    if unknown:
        want = ", ".join([*(f"judge.{criterion}" for criterion in CRITERIA), PAIR, PAIR_SWAPPED])
        raise SpecError(message(f"no judge gives judge.{unknown[0]}.", want=want))
    graders = [Judge(bench, each) for each in CRITERIA if each in criteria]
    both = [PairJudge(bench), PairJudge(bench, swapped=True)]
    return (*graders, *(each for each in both if each.gives[0] in columns))
