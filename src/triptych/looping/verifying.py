"""The loop's verifier: it grades what was written, and may be made leaky on purpose.

A verdict is in [0, 1] and a record passes with 1. A prompt that is no task is not passed: its verdict is 0. A verifier
that fails on a record leaves no verdict there, and the record is counted; one that fails on all of them stops the loop.

A leak lets a share of the wrong answers pass, drawn by a hash of the record, so that the same record always gets the same
verdict. `right` stays the truth then. It is known where a world can grade the record, or where the verifier leaks (then it
is what the verifier says without its leak), and nowhere else: a verifier's word is no truth about itself.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from triptych.core.errors import InputError, SpecError, TriptychError, message
from triptych.data.values import excerpt
from triptych.looping.reading_tasks import TaskKind, TaskReader
from triptych.looping.records import Judged, Written
from triptych.studies.panels import CommandScorer, Grader, WorldVerifier, parse_scorer
from triptych.studies.trainers.trainer import Example


@dataclass(frozen=True)
class Verdicts:
    """Judged records, and what to tell.

    Attributes:
        judged: one for each record, in order.
        notes: JSON values: `failed` counts valid records without a verdict, with `first_failed`; `leaked` counts wrong
            ones that were passed on purpose.
    """

    judged: tuple[Judged, ...]
    notes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Verifier:
    """Judges records.

    Attributes:
        grader: the rule.
        reader: of prompts.
        leak: share of wrong answers that pass.
        seed: of the leak.
    """

    grader: Grader
    reader: TaskReader
    leak: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the leak.

        Raises:
            SpecError: it is no share.
        """
        if not 0 <= self.leak <= 1:
            raise SpecError(message("verifier: leak is out of range.", got=f"{self.leak}", want="0 to 1"))

    def judge(
        self, written: Sequence[Written], number: int, likelihood: Sequence[float | None] | None = None
    ) -> Verdicts:
        """Judge the records of a round.

        Args:
            written: as the generator gave them.
            number: of the round.
            likelihood: of each, as the generator told.

        Raises:
            TriptychError: the verifier failed on every task there is.
        """
        kinds = self.reader.read(written)
        tasks = [place for place, kind in enumerate(kinds) if kind.valid]
        graded, first = _graded(self.grader, written, kinds, tasks)
        failed = [place for place in tasks if place not in graded]
        if tasks and not graded:
            what = f"verifier {self.grader.text}: it gave no verdict on any of {len(tasks)} records."
            raise TriptychError(message(what, got=f"{first}, for the first", want="numbers in [0, 1]"))
        truth = self._truth(written, kinds, graded)
        leaked = {place for place, score in graded.items() if score < 1 and self._leaks(written[place])}
        judged = []
        for place, (record, kind) in enumerate(zip(written, kinds, strict=True)):
            verdict = 0.0 if not kind.valid else 1.0 if place in leaked else graded.get(place)
            told = None if likelihood is None else likelihood[place]
            about = (kind.valid, kind.structure, kind.complexity, verdict, truth.get(place), told)
            judged.append(Judged(record, number, place, *about))
        notes: dict[str, Any] = {"leaked": len(leaked)} if self.leak else {}
        notes |= {"failed": len(failed), "first_failed": first} if failed else {}
        return Verdicts(tuple(judged), notes)

    def _leaks(self, record: Written) -> bool:
        """Whether this record passes though it is wrong: a share `leak` of all records, by their hash."""
        if not self.leak:
            return False
        text = json.dumps(["leak", self.seed, record.prompt, record.response])
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little") < self.leak * 2**64

    def _truth(
        self, written: Sequence[Written], kinds: Sequence[TaskKind], graded: Mapping[int, float]
    ) -> dict[int, bool]:
        """Place to whether it is right, of the records of which that is known."""
        name = None if self.reader.world is None else self.reader.world.name
        worlds = [
            place for place, kind in enumerate(kinds) if kind.valid and name and kind.item.row.get("world") == name
        ]
        scores = dict(graded) if self.leak or isinstance(self.grader, WorldVerifier) else {}
        if worlds and not isinstance(self.grader, WorldVerifier):
            scores |= _graded(WorldVerifier(), written, kinds, worlds)[0]
        truth = {place: score >= 1 for place, score in scores.items()}
        if self.leak or self.reader.world is not None:
            truth |= {place: False for place, kind in enumerate(kinds) if not kind.valid}
        return truth


def parse_grader(text: str) -> Grader:
    """The verifier from the command line's form of a scorer.

    Raises:
        SpecError: none has this name, or it grades no responses.
    """
    scorer = parse_scorer(text)
    if not isinstance(scorer, Grader):
        want = "verifier, exact, verifier:NAME, verifier:MODULE:FUNCTION or command:SCRIPT"
        raise SpecError(message(f"verifier: {text} grades no responses.", got=text, want=want))
    return scorer


def _graded(
    grader: Grader, written: Sequence[Written], kinds: Sequence[TaskKind], places: Sequence[int]
) -> tuple[dict[int, float], str]:
    """Place to score in [0, 1], of the records that got one, and what was wrong with the first that did not.

    Equal responses to one item are graded once.
    """
    items: dict[tuple[str, str, str], int] = {}
    for place in places:
        record = written[place]
        items.setdefault((record.group, record.prompt, record.response), place)
    asked = list(items.values())
    if not asked:
        return {}, ""
    examples, said = [kinds[place].item for place in asked], [written[place].response for place in asked]
    grader.check("verifier", examples)
    scores, first = _scores(grader, examples, said)
    wrong = np.flatnonzero(np.isfinite(scores) & ((scores < 0) | (scores > 1)))
    if len(wrong):
        first = first or f"{scores[wrong[0]]:g}, which is not in [0, 1]"
        scores[wrong] = np.nan
    known = dict(zip(asked, scores.tolist(), strict=True))
    all_ = {}
    for place in places:
        record = written[place]
        score = known[items[record.group, record.prompt, record.response]]
        if score == score:  # noqa: PLR0124 - NaN, no verdict, is not itself
            all_[place] = score
    return all_, first


def _scores(grader: Grader, examples: Sequence[Example], said: Sequence[str]) -> tuple[NDArray[np.float64], str]:
    """Score of each, NaN where the grader failed, and how it failed first.

    A grader of ours that fails as a whole is asked for either half, so that one record costs no other; a script is not: it
    may take minutes, and says by itself which items it cannot grade.
    """
    try:
        scores, notes = grader.grade(examples, said)
    except InputError:
        raise  # a missing extra, an unknown world: the same for every record
    except TriptychError as error:
        if isinstance(grader, CommandScorer):
            raise
        if len(examples) == 1:
            return np.full(1, np.nan), excerpt(str(error))
        half = len(examples) // 2
        one, first = _scores(grader, examples[:half], said[:half])
        other, later = _scores(grader, examples[half:], said[half:])
        return np.concatenate([one, other]), first or later
    return scores, str(notes.get("first_missing", ""))
