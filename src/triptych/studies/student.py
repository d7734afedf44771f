"""Complexity relative to a student: how often it is right before it is trained, and how unlikely the answers are to it.

The solve rate of a record is the share of sampled responses to its prompt that a scorer grades right; the surprisal of a
record is what its own response costs the student, in nats per token. A record is the more complex the lower its solve
rate and the higher its surprisal.

Worked example: 4 samples of which 3 are graded, 1, 0.5 and 1: two of three are right, a solve rate of 0.667.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from triptych.core.errors import SpecError, message
from triptych.core.rng import stream
from triptych.engines.progress import Stage
from triptych.studies.panels import Grader
from triptych.studies.trainers.trainer import Example, Model

RIGHT = 1.0
"""A response of this score or a higher one is right: partly right is not."""

CHUNK = 256
"""Prompts of one request to the model, so that progress shows; the draws depend on it."""


@dataclass(frozen=True)
class Sampling:
    """How responses are drawn.

    Attributes:
        samples: responses to each prompt.
        temperature: of the draws; 0, the greedy response, only with one sample.
        seed: of the draws.

    Raises:
        SpecError: a value out of range.
    """

    samples: int = 4
    temperature: float = 0.8
    seed: int = 0

    def __post_init__(self) -> None:
        if self.samples < 1:
            raise SpecError(message("samples is out of range.", got=str(self.samples), want="1 or more"))
        if not 0 <= self.temperature < math.inf:
            raise SpecError(message("temperature is out of range.", got=str(self.temperature), want="0 or more"))
        if self.temperature == 0 and self.samples > 1:
            what = "at temperature 0 all samples are the same."
            hint = "--samples 1, or --temperature .8"
            raise SpecError(message(what, got=f"{self.samples} samples", want="1 sample", hint=hint))


def solve_rates(
    model: Model, examples: Sequence[Example], scorer: Grader, samples: int = 4, temperature: float = 0.8, seed: int = 0
) -> NDArray[np.float64]:
    """Share of sampled responses that the scorer grades right, float64 (n,), NaN where it grades none.

    Args:
        model: the student.
        examples: what it is asked, n of them.
        scorer: the rule.
        samples: responses to each prompt.
        temperature: of the draws.
        seed: of the draws.

    Raises:
        SchemaError: an example lacks what the scorer reads.
        SpecError: samples or temperature out of range.
    """
    scorer.check("the data", examples)
    responses = sampled(model, [item.prompt for item in examples], Sampling(samples, temperature, seed))
    return right(graded(examples, responses, scorer)[0])


def sampled(
    model: Model, prompts: Sequence[str], sampling: Sampling, stage: Stage | None = None
) -> Iterator[list[str]]:
    """A response to each of n prompts, (n,), for each sample, as it is drawn; `stage` hears of each response."""
    for sample in range(sampling.samples):
        said: list[str] = []
        for start in range(0, len(prompts), CHUNK):
            draw = int(stream("solve", sampling.seed, sample, start).integers(2**31))
            part = prompts[start : start + CHUNK]
            said += model.generate(part, temperature=sampling.temperature, seed=draw)
            if stage is not None:
                stage.advance(len(part))
        yield said


def graded(
    examples: Sequence[Example], responses: Iterable[Sequence[str]], scorer: Grader
) -> tuple[NDArray[np.float64], str | None]:
    """Scores (n, samples), NaN where there is none, and the first response without a score, in words.

    A sample is graded before the next one is drawn: a scorer that fails does so early.
    """
    columns, first = [], None
    for said in responses:
        scores, notes = scorer.grade(examples, said)
        columns.append(scores)
        first = first or notes.get("first_missing")
    return np.stack(columns, axis=1), first


def right(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of the graded samples of each record that are right, (n,) from (n, samples); NaN where none is graded."""
    known = ~np.isnan(scores)
    out = np.full(len(scores), np.nan)
    np.divide((scores >= RIGHT).sum(axis=1), known.sum(axis=1), out=out, where=known.any(axis=1))
    return out


def surprisal(model: Model, examples: Sequence[Example], stage: Stage | None = None) -> NDArray[np.float64]:
    """Minus the mean log-likelihood per token of each reference, in nats (n,); NaN where there is no reference."""
    out = np.full(len(examples), np.nan)
    for start in range(0, len(examples), CHUNK):
        part = [at for at in range(start, min(start + CHUNK, len(examples))) if examples[at].response.strip()]
        if part:
            found = model.log_likelihood([examples[at] for at in part])
            counted = found[:, 1] > 0
            out[np.array(part)[counted]] = -found[counted, 0] / found[counted, 1]
        if stage is not None:
            stage.advance(min(CHUNK, len(examples) - start))
    return np.where(np.isfinite(out), out, np.nan)
