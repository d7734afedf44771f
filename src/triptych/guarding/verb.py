"""The verb `guard`: rounds to a ledger, the ledger to verdicts, both to a document."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from triptych.guarding.document import document
from triptych.guarding.judge import judge
from triptych.guarding.ledger import Ledger
from triptych.guarding.panel import PanelScores, read_scores
from triptych.guarding.read import LedgerReader, read_ledger
from triptych.guarding.request import GuardOptions, GuardRequest
from triptych.guarding.rollouts import rounds_of_rows
from triptych.guarding.rounds import RoundSource, find_rounds
from triptych.profiling.bench import Bench

GUARD_FILES = frozenset({"guard.json", "report.html"})
"""What a guard writes into its folder."""


def run_guard(request: GuardRequest, bench: Bench) -> dict[str, Any]:
    """Read the rounds, judge them, and say so.

    Returns:
        The document of `guard.json`.

    Raises:
        InputError: rounds, real data or scores cannot be read, or do not fit the options.
    """
    started = time.perf_counter()
    scores = read_scores(request.panel) if request.panel is not None else {}
    with rounds_of(request) as sources:
        read = _one_by_one if request.watched else read_ledger
        ledger = read(sources, request.anchor, request.options, bench, scores)
        verdicts = judge(ledger, request.options.judging)
        found = document(ledger, verdicts, request)
    found["provenance"] = bench.provenance(time.perf_counter() - started)
    return found


@contextmanager
def rounds_of(request: GuardRequest) -> Iterator[tuple[RoundSource, ...]]:
    """The rounds that are asked for; those that are made of rows live in a folder that is removed at the end."""
    if request.options.settings.by is None:
        yield find_rounds(request.rounds)
        return
    with tempfile.TemporaryDirectory(prefix="triptych-") as folder:
        yield rounds_of_rows(request.rounds, request.options, Path(folder))


def _one_by_one(
    sources: Sequence[RoundSource],
    anchor: Any,
    options: GuardOptions,
    bench: Bench,
    scores: Mapping[int, PanelScores],
) -> Ledger:
    """The ledger as a watch reads it: the first round settles how all are read."""
    reader = LedgerReader(anchor, options.at, options, bench)
    entries = [reader.read(source, scores.get(source.round)) for source in sources]
    return replace(reader.ledger(entries), entries=tuple(entries))
