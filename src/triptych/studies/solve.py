"""The verb `solve`: ask a student every prompt of a data set, and write what it can do beside the rows.

`solved.jsonl` holds the rows as they stand in the source and in its order, each with two more fields: `solve_rate` (null
where no response was graded) and `surprisal` (null where there is no reference). A design reads them like any other
field: a low solve rate is high complexity, so levels go down, as in `C=solve_rate:.8,.2`, and `C=surprisal` goes up.
"""

from __future__ import annotations

import math
import platform
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from triptych._version import __version__
from triptych.core.errors import SchemaError, SpecError, TriptychError, UsageError, message, nearest
from triptych.core.estimate import Undefined
from triptych.core.groups import GROUPS, Mask, group_of
from triptych.core.interval import interval
from triptych.core.profile import write_json
from triptych.data import Dataset, ReadOptions, open_dataset
from triptych.engines.progress import Progress
from triptych.selecting.sourcerows import verbatim
from triptych.studies.panels import Grader, parse_scorer, read_located
from triptych.studies.student import Sampling, graded, right, sampled, surprisal
from triptych.studies.trainers.registry import parse_trainer
from triptych.studies.trainers.trainer import Example, ModelTrainer

SCHEMA = "triptych/solve@1"
SOLVED, ABOUT = "solved.jsonl", "solve.json"
SOLVE_FILES = frozenset({SOLVED, ABOUT})
"""What is written into the folder."""

FIELDS = ("solve_rate", "surprisal")
_HEAD = 200
_CHARACTERS = 4.0
"""Characters of a token, for plans: English prose has 4 to 5, other texts fewer."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class SolveOptions:
    """What is asked of `solve`, beside the data.

    Attributes:
        student: a trainer as after `--trainer`; the student is its model before training.
        scorer: exact, verifier, verifier:MODULE:FUNCTION or command:SCRIPT.
        samples, temperature, seed: see `Sampling`.
        map, split, limit, on_bad: how the data are read.
    """

    student: str
    scorer: str = "exact"
    samples: int = 4
    temperature: float = 0.8
    seed: int = 0
    map: Mapping[str, str] = field(default_factory=dict)
    split: str | None = None
    limit: int | None = None
    on_bad: Literal["raise", "skip"] = "raise"

    @classmethod
    def of(cls, **given: Any) -> SolveOptions:
        """Options from keywords, with a hint for a name that is nearly right.

        Raises:
            UsageError, SpecError: an unknown name or a value out of range.
        """
        known = [item.name for item in fields(cls)]
        for name in given:
            if name not in known:
                hint = nearest(name, known)
                raise UsageError(message(f'solve has no setting "{name}".', want=", ".join(known), hint=hint))
        if not given.get("student"):
            raise UsageError(message("no student is named.", want="--student TRAINER", hint="--student hf:MODEL"))
        made = cls(**given)
        _ = made.sampling, made.reading  # say now what is wrong with them
        return made

    @property
    def sampling(self) -> Sampling:
        """How responses are drawn."""
        return Sampling(self.samples, self.temperature, self.seed)

    @property
    def reading(self) -> ReadOptions:
        """How the data are read."""
        return ReadOptions(roles=dict(self.map), split=self.split, limit=self.limit, on_bad=self.on_bad)

    def grader(self) -> Grader:
        """The scorer.

        Raises:
            SpecError: none has this name, or it grades no responses.
        """
        scorer = parse_scorer(self.scorer)
        if not isinstance(scorer, Grader):
            what = f"{scorer.text} grades no responses; what it reads is the field surprisal of every result."
            raise SpecError(message(what, got=self.scorer, want="exact, verifier or command:SCRIPT"))
        return scorer

    def trainer(self) -> ModelTrainer:
        """The trainer whose model before training is the student.

        Raises:
            SpecError: none has this name, or a parameter is not right.
            UsageError: it trains no model that can be asked.
        """
        trainer = parse_trainer(self.student)
        if not isinstance(trainer, ModelTrainer):
            what = f"the trainer {trainer.name} has no model that can be asked."
            want = "hf:MODEL or tiny:start=FOLDER"
            raise UsageError(message(what, got=self.student, want=want, hint="--student hf:MODEL"))
        return trainer


def run_solve(source: Any, options: SolveOptions, progress: Progress) -> tuple[dict[str, Any], list[bytes]]:
    """Ask the student.

    Returns:
        The document of `solve.json`, and the lines of `solved.jsonl` without their ends.

    Raises:
        InputError: bad input or usage.
        TriptychError: no response was graded, or the scorer failed.
    """
    started = time.perf_counter()
    scorer, trainer = options.grader(), options.trainer()
    dataset, located = _read(source, options, scorer)
    places, examples = list(located), list(located.values())
    model = trainer.base()
    trainer = trainer.prepare(text for item in examples for text in (item.prompt, item.response))
    n = len(examples)
    with progress.stage("responses", unit="responses", total=n * options.samples) as stage:
        responses = sampled(model, [item.prompt for item in examples], options.sampling, stage)
        scores, first = graded(examples, responses, scorer)
    rates = right(scores)
    if np.isnan(rates).all():
        what = f"{dataset.name}: {scorer.text} gave no score for any response to {n:,} prompts."
        raise TriptychError(message(what, got=f"{first or 'no score'}, for the first", want="numbers"))
    with progress.stage("likelihoods", unit="records", total=n) as stage:
        costs = surprisal(model, examples, stage)
    document = {
        "schema": SCHEMA,
        "data": _data(dataset, n),
        "settings": {name: getattr(options, name) for name in ("scorer", "samples", "temperature", "seed", "limit")},
        "student": {"name": trainer.name, "params": trainer.spec.params, "hash": trainer.spec.hash},
        "solve_rate": _summary(rates, examples, share=True),
        "surprisal": {**_summary(costs, examples, share=False), "unit": "nats per token"},
        "mean_score": float(scores[~np.isnan(scores)].mean()),
        "ungraded": {"records": int(np.isnan(rates).sum()), "responses": int(np.isnan(scores).sum()), "first": first},
        "warnings": _warnings(rates),
        "cost": {"seconds": round(time.perf_counter() - started, 3), "responses": n * options.samples},
        "provenance": _provenance(trainer),
    }
    raw = verbatim(source, options.reading, places)
    return document, [_extended(line, values) for line, *values in zip(raw, rates, costs, strict=True)]


def save(document: Mapping[str, Any], lines: Sequence[bytes], folder: Path) -> None:
    """Write `solved.jsonl`, then `solve.json`, each moved into place when it is whole."""
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f".{SOLVED}.part"
    try:
        part.write_bytes(b"".join(line + b"\n" for line in lines))
        part.replace(folder / SOLVED)
    finally:
        part.unlink(missing_ok=True)
    write_json(folder / ABOUT, document)


def describe_solve(source: Any, options: SolveOptions) -> str:
    """What `run_solve` would do, in words. Reads the head of the data alone, and loads no model."""
    scorer, trainer = options.grader(), options.trainer()
    most = min(_HEAD, options.limit or _HEAD)
    head = list(_read(source, replace(options, limit=most), scorer)[1].values())
    rows = open_dataset(source, options.reading).expected_rows()
    known = len(head) if len(head) < most else rows
    prompts = sum(len(item.prompt) for item in head) / len(head) / _CHARACTERS
    references = sum(len(item.response) for item in head) / len(head) / _CHARACTERS
    lines = [f"student: {trainer.name} {options.student.partition(':')[2]}".rstrip()]
    drawn = f"{options.samples} to each prompt at temperature {options.temperature:g}, graded by {scorer.text}"
    if known is None:
        lines += [f"responses: {drawn}; rows are counted as they are read"]
        return "\n".join([*lines, f"tokens of a row, about: {prompts:.0f} of prompt, {references:.0f} of reference"])
    count = known * options.samples
    read = count * prompts + known * (prompts + references)
    lines += [f"about {known:,} prompts, {count:,} responses: {drawn}"]
    lines += [
        f"tokens, about: {read:,.0f} read, {count * references:,.0f} written if responses are as long as references"
    ]
    return "\n".join(lines)


def _read(source: Any, options: SolveOptions, scorer: Grader) -> tuple[Dataset, dict[tuple[int, int, int], Example]]:
    """The records by where they stand.

    Raises:
        InputError: rows without prompts, without what the scorer reads, or that have our fields already.
    """
    dataset = open_dataset(source, options.reading)
    if not dataset.layout.has_prompt:
        what = f"{dataset.name}: the records have no prompts to ask."
        raise SchemaError(message(what, got=dataset.layout.sentence, want="--map prompt=FIELD"))
    located = read_located(source, options.reading)
    scorer.check(dataset.name, list(located.values()))
    for name in FIELDS:
        taken = next((at for at, item in enumerate(located.values(), start=1) if name in item.row), None)
        if taken is not None:
            what = f'{dataset.name}: item {taken} has a field "{name}" already, which would be written.'
            raise SchemaError(
                message(what, want="rows without it", hint=f'rename it, or solve what "{name}" came from')
            )
    return dataset, located


def _data(dataset: Dataset, n: int) -> dict[str, Any]:
    return {"name": dataset.name, "path": dataset.path, "records": n, "detected": dataset.layout.sentence}


def _summary(values: Floats, examples: Sequence[Example], *, share: bool) -> dict[str, Any]:
    """Mean over the records that have a value, with the jackknife interval over 32 groups of prompts."""
    known = ~np.isnan(values)
    if not known.any():
        return {"mean": None, "lo": None, "hi": None, "no_interval": "no record has a value", "records": 0}
    keys = [blake2b(item.prompt.encode(errors="replace"), digest_size=8).digest() for item in examples]
    groups = group_of(np.frombuffer(b"".join(keys), dtype="<u8").astype(np.uint64))[known]
    counts = np.bincount(groups, minlength=GROUPS)
    sums = np.bincount(groups, weights=values[known], minlength=GROUPS)

    def mean(keep: Mask) -> float | Undefined:
        return float(sums[keep].sum() / counts[keep].sum()) if counts[keep].any() else Undefined("no record is left")

    bounds = (0.0, 1.0 if share else math.inf)
    found = interval(mean, lambda keep: int(counts[keep].sum()), "share" if share else "plain", bounds)
    about = {"lo": found.lo, "hi": found.hi, "level": found.level, "no_interval": found.reason}
    return {"mean": float(values[known].mean()), **about, "records": int(known.sum())}


def _warnings(rates: Floats) -> list[dict[str, str]]:
    """What makes solve rates useless as levels of complexity."""
    known = rates[~np.isnan(rates)]
    if len(known) > 1 and np.ptp(known) == 0:
        text = f"All solve rates are {known[0]:g}: they tell no record from another. surprisal may."
        return [{"code": "constant", "text": text}]
    return []


def _provenance(trainer: ModelTrainer) -> dict[str, Any]:
    packages = {"python": platform.python_version(), "numpy": version("numpy"), **trainer.versions}
    return {"version": __version__, "packages": packages}


def _extended(line: bytes, values: Sequence[float]) -> bytes:
    """A row with our fields behind its own, whose bytes stay as they are."""
    more = ", ".join(
        f'"{name}": {"null" if math.isnan(value) else repr(round(float(value), 6))}'
        for name, value in zip(FIELDS, values, strict=True)
    )
    row = line.strip()
    if not row.startswith(b"{"):  # a bare list of messages
        row = b'{"messages": ' + row + b"}"
    return row[:-1].rstrip() + b", " + more.encode() + b"}"
