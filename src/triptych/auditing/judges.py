"""Scorers that are no field but a judge to be asked, as they are named."""

from __future__ import annotations

import re

from triptych.annotating.annotator import Annotator
from triptych.annotating.judge import Judge, bench_of
from triptych.annotating.pairs import PairJudge

ASKED = re.compile(r"(judge|pairs):(?=https?://)")
"""How such a scorer begins: `judge:URL,model=NAME` grades records, `pairs:URL,model=NAME` compares two responses."""


def annotators_of(scorer: str) -> tuple[Annotator, ...]:
    """Who must be asked for a scorer; () for one that the data bring along.

    Raises:
        InputError: it is named wrongly.
    """
    found = ASKED.match(scorer)
    if found is None:
        return ()
    bench = bench_of(scorer[found.end() :])
    return (Judge(bench, "quality"),) if found[1] == "judge" else (PairJudge(bench), PairJudge(bench, swapped=True))
