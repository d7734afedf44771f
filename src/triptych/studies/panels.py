"""Panels: test items with the rule that scores them.

    id=FILE[,SCORER]      FILE is any data set that the readers know

    exact                 1 where the generated text equals the reference, white space aside, else 0 (the default)
    loglik                mean log-likelihood per token of the reference, in nats
    verifier              the world that a row names in its field `world` grades the response, 0 to 1
    verifier:NAME         a verifier by name and parameters (number, unit_tests:timeout=5, json_schema, constraints) grades it
    verifier:module:name  a function (row, response) of the user's grades it, 0 to 1
    command:SCRIPT        a script of the user's: it reads lines {"id", "prompt", "reference", "response", "row"} on
                          standard input and writes one line for each: a number, or {"score": number[, "id": ..]}

A reply that is no number makes the item's score NaN, is counted and told with its first example, and is never 0.
"""

from __future__ import annotations

import importlib
import json
import re
import sys
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from triptych.core.errors import ReadError, SchemaError, SpecError, TriptychError, message, nearest
from triptych.core.estimate import Undefined
from triptych.core.rng import stream
from triptych.core.script import Script, last_lines, loads, number
from triptych.data import ReadOptions, open_dataset
from triptych.data.sources import locate
from triptych.data.values import excerpt, fields_of
from triptych.studies.trainers.trainer import Example, Model, Panel
from triptych.verifiers.registry import is_verifier, parse_verifier, verifier_text
from triptych.verifiers.verifier import Verifier

Scored: TypeAlias = tuple[NDArray[np.float64], dict[str, Any]]
"""Scores of the items, float64 (n,), NaN where there is none, and notes: JSON values."""

SCRIPT_SECONDS = 600.0


class Scorer(ABC):
    """A rule that scores the items of a panel. Final subclasses are frozen dataclasses: they are sent to workers."""

    @property
    @abstractmethod
    def text(self) -> str:
        """As on the command line."""

    def check(self, where: str, examples: Sequence[Example]) -> None:
        """Raise SchemaError where the items lack what the rule reads. By default: a reference.

        Args:
            where: what they are the items of, for messages.
            examples: the items.
        """
        for place, example in enumerate(examples, start=1):
            if not example.response.strip():
                what = f"{where}: item {place} has no reference, which {self.text} compares with."
                got = fields_of(example.row) if example.row else excerpt(example.prompt)
                raise SchemaError(message(what, got=got, want="a response in every row", hint="a verifier or command"))

    @abstractmethod
    def score(self, examples: Sequence[Example], model: Model, seed: int) -> Scored:
        """Score each item."""


class Grader(Scorer):
    """A rule that grades a response to each item, whoever gave it; a model is scored on its greedy ones."""

    @abstractmethod
    def grade(self, examples: Sequence[Example], responses: Sequence[str]) -> Scored:
        """Grade one response to each item."""

    def score(self, examples: Sequence[Example], model: Model, seed: int) -> Scored:
        """Grade the greedy response to each item."""
        draw = int(stream("responses", seed).integers(2**31))
        return self.grade(examples, model.generate([item.prompt for item in examples], temperature=0.0, seed=draw))


@dataclass(frozen=True)
class Exact(Grader):
    """1 where the response equals the reference, white space aside, else 0."""

    @property
    def text(self) -> str:
        """As on the command line."""
        return "exact"

    def grade(self, examples: Sequence[Example], responses: Sequence[str]) -> Scored:
        """Grade one response to each item."""
        same = [plain(said) == plain(item.response) for said, item in zip(responses, examples, strict=True)]
        return np.array(same, dtype=np.float64), {}


@dataclass(frozen=True)
class LogLikelihood(Scorer):
    """Mean log-likelihood per token of the reference, in nats."""

    @property
    def text(self) -> str:
        """As on the command line."""
        return "loglik"

    def score(self, examples: Sequence[Example], model: Model, seed: int) -> Scored:
        """Score each item."""
        del seed
        found = model.log_likelihood(examples)
        counts = found[:, 1]
        scores = np.full(len(examples), np.nan)
        np.divide(found[:, 0], counts, out=scores, where=counts > 0)
        return _finite(scores, [f"{value}" for value in scores], self.text)


@dataclass(frozen=True)
class WorldVerifier(Grader):
    """The world that each row names grades the response."""

    @property
    def text(self) -> str:
        """As on the command line."""
        return "verifier"

    def check(self, where: str, examples: Sequence[Example]) -> None:
        """Raise SchemaError where a row names no world."""
        for place, example in enumerate(examples, start=1):
            if not isinstance(example.row.get("world"), str):
                what = f"{where}: item {place} names no world to grade it."
                got = fields_of(example.row)
                want = 'a field "world" in every row'
                raise SchemaError(message(what, got=got, want=want, hint="verifier:MODULE:FUNCTION"))

    def grade(self, examples: Sequence[Example], responses: Sequence[str]) -> Scored:
        """Grade one response to each item."""
        from triptych.worlds.registry import load_world  # noqa: PLC0415 - a world may need an extra

        worlds = {name: load_world(name) for name in {str(item.row["world"]) for item in examples}}
        grades = [
            worlds[str(item.row["world"])].grade(dict(item.row), said)
            for item, said in zip(examples, responses, strict=True)
        ]
        return np.array(grades, dtype=np.float64), {}


@dataclass(frozen=True)
class UserVerifier(Grader):
    """A function (row, response) -> number in [0, 1] of the user's grades the response.

    Attributes:
        function: "module:name"; the module is looked for in the current folder too, as `python -m` does.
    """

    function: str

    def __post_init__(self) -> None:
        self.load()

    @property
    def text(self) -> str:
        """As on the command line."""
        return f"verifier:{self.function}"

    def check(self, where: str, examples: Sequence[Example]) -> None:
        """Nothing: the function knows what it reads."""

    def load(self) -> Callable[[dict[str, Any], str], Any]:
        """The function.

        Raises:
            SpecError: there is none of that name.
        """
        module, colon, name = self.function.partition(":")
        want = "verifier:MODULE:FUNCTION, a function (row, response) that gives a number in [0, 1]"
        if not (module and colon and name):
            raise SpecError(message("verifier: no function is named.", got=self.function, want=want))
        try:
            found = _import(module)
        except ImportError as error:
            what = f'verifier: the module "{module}" cannot be imported: {error}.'
            raise SpecError(message(what, got=self.function, want=want, hint="PYTHONPATH=FOLDER")) from error
        function = getattr(found, name, None)
        if not callable(function):
            known = [key for key, value in vars(found).items() if callable(value) and not key.startswith("_")]
            near = nearest(name, known)
            what = f'verifier: the module "{module}" has no function "{name}".'
            raise SpecError(message(what, got=self.function, want=want, hint=near and f"verifier:{module}:{near}"))
        checked: Callable[[dict[str, Any], str], Any] = function
        return checked

    def grade(self, examples: Sequence[Example], responses: Sequence[str]) -> Scored:
        """Grade one response to each item."""
        function = self.load()
        scores, replies = np.full(len(examples), np.nan), []
        for place, (item, said) in enumerate(zip(examples, responses, strict=True)):
            try:
                reply = function(_row(item), said)
            except Exception as error:  # noqa: BLE001 - whatever a user's function raises, the item has no score
                replies.append(f"{type(error).__name__}: {error}")
                continue
            value = number(reply.item() if isinstance(reply, np.generic) else reply)
            replies.append(repr(reply))
            if value is not None and 0 <= value <= 1:
                scores[place] = value
        return _finite(scores, replies, self.text)


@dataclass(frozen=True)
class NamedVerifier(Grader):
    """A verifier by name grades the response. Why responses are wrong is counted in the notes, as `wrong`.

    Attributes:
        verifier: the rule.
    """

    verifier: Verifier

    @property
    def text(self) -> str:
        """As on the command line."""
        return f"verifier:{verifier_text(self.verifier)}"

    def check(self, where: str, examples: Sequence[Example]) -> None:
        """Raise SchemaError where a row lacks what the verifier reads, MissingExtraError where it lacks a package."""
        for place, example in enumerate(examples, start=1):
            lacking = self.verifier.lacks(_row(example))
            if lacking:
                what = f"{where}: {self.text} cannot grade item {place}."
                raise SchemaError(
                    message(
                        what, got=fields_of(example.row), want=lacking, hint=f"verifier:{self.verifier.name}:field=NAME"
                    )
                )

    def grade(self, examples: Sequence[Example], responses: Sequence[str]) -> Scored:
        """Grade one response to each item."""
        scores, replies, wrong = np.full(len(examples), np.nan), [], Counter[str]()
        judged = self.verifier.verify_all([_row(item) for item in examples], responses)
        for place, each in enumerate(judged):
            if isinstance(each, Undefined):
                replies.append(each.reason)
                continue
            scores[place] = each.score
            replies.append(f"{each.score:g}")
            wrong += Counter({each.reason: 1} if each.reason else {})
        scores, notes = _finite(scores, replies, self.text)
        return scores, notes | ({"scorer": self.text, "wrong": dict(wrong.most_common())} if wrong else {})


@dataclass(frozen=True)
class CommandScorer(Grader):
    """A script of the user's scores the responses; see the module's text.

    Attributes:
        script: what is run, in the current folder.
        timeout: seconds it may take for one panel (or one sample of a data set).
    """

    script: Script
    timeout: float = SCRIPT_SECONDS

    @property
    def text(self) -> str:
        """As on the command line."""
        return f"command:{self.script.text}"

    def check(self, where: str, examples: Sequence[Example]) -> None:
        """Nothing: the script knows what it reads."""

    def grade(self, examples: Sequence[Example], responses: Sequence[str]) -> Scored:
        """Grade one response to each item."""
        lines = [
            {"id": place, "prompt": item.prompt, "reference": item.response, "response": said, "row": dict(item.row)}
            for place, (item, said) in enumerate(zip(examples, responses, strict=True))
        ]
        text = "".join(json.dumps(line, default=str) + "\n" for line in lines)
        replies = self.script.run(self.timeout, text=text).rstrip().splitlines()
        scores = np.full(len(examples), np.nan)
        parsed = [loads(reply) for reply in replies]
        named = [reply for reply in parsed if isinstance(reply, dict) and isinstance(reply.get("id"), int)]
        if named:
            by_id = {reply["id"]: reply.get("score") for reply in named}
            values = [by_id.get(place) for place in range(len(examples))]
            shown = [f"no line for item {p}" if p not in by_id else repr(by_id[p]) for p in range(len(examples))]
        elif len(replies) == len(examples):
            values = [reply.get("score") if isinstance(reply, dict) else reply for reply in parsed]
            shown = replies
        else:
            want = f"one line for each of the {len(examples)} items: a number, or an object with score (and id)"
            got = f"{len(replies)} lines; the last: {last_lines(replies[-1]) if replies else 'none'}"
            raise TriptychError(message(f"{self.text}: its output does not fit.", got=got, want=want))
        for place, value in enumerate(values):
            found = number(value)
            scores[place] = np.nan if found is None else found
        return _finite(scores, shown, self.text)


@dataclass(frozen=True)
class ScoredPanel(Panel):
    """Test items under a name, with the rule that scores them.

    Attributes:
        name: as in reports.
        examples: the items, at least one.
        scorer: the rule.
    """

    name: str
    examples: tuple[Example, ...]
    scorer: Scorer = Exact()

    def __post_init__(self) -> None:
        """Check the items.

        Raises:
            SchemaError: there is none, or one lacks what the scorer reads.
        """
        if not self.examples:
            raise SchemaError(message(f'panel "{self.name}" has no items.', want="at least one"))
        self.scorer.check(f'panel "{self.name}"', self.examples)

    @property
    def kind(self) -> Literal["id", "ood"]:
        """In or out of distribution, by the name."""
        return panel_kind(self.name)

    def scored(self, model: Model, seed: int) -> Scored:
        """Score of each item, (n,), and notes: how many items have none, why, and the first example.

        Raises:
            TriptychError: no item has a score, or the scorer failed.
        """
        scores, notes = self.scorer.score(self.examples, model, seed)
        if np.isnan(scores).all():
            first = notes.get("first_missing", "no score")
            what = f'panel "{self.name}": {self.scorer.text} gave no score for any of {len(scores)} items.'
            raise TriptychError(message(what, got=f"{first}, for the first", want="numbers"))
        return scores, notes

    def score(self, model: Model, seed: int) -> NDArray[np.float64]:
        """Score of each item, (n,)."""
        return self.scored(model, seed)[0]


def panel_kind(name: str) -> Literal["id", "ood"]:
    """`id`, and what begins with `id` and no further letter (id-easy, id_2), is in distribution; all else is not."""
    return "id" if re.match(r"id(?![a-z])", name, re.IGNORECASE) else "ood"


def _row(item: Example) -> dict[str, Any]:
    """The fields of an item's row, with its prompt and its reference."""
    return {"prompt": item.prompt, "response": item.response, **item.row}


def plain(text: str) -> str:
    """The text with every run of white space as one space, none at the ends."""
    return " ".join(text.split())


_SCORERS = ("exact", "loglik", "verifier", "command")


def parse_scorer(text: str) -> Scorer:
    """A scorer from the command line's form.

    Raises:
        SpecError: none has this name, or what it names is not there.
    """
    name, colon, rest = text.partition(":")
    if name == "verifier":
        if not colon:
            return WorldVerifier()
        return NamedVerifier(parse_verifier(rest)) if is_verifier(rest) else UserVerifier(rest)
    if name == "command":
        return CommandScorer(Script.parse(rest))
    simple = {"exact": Exact, "loglik": LogLikelihood}
    if name in simple and not colon:
        return simple[name]()
    want = "exact, loglik, verifier, verifier:NAME, verifier:MODULE:FUNCTION or command:SCRIPT"
    raise SpecError(message(f'no scorer is named "{text}".', got=text, want=want, hint=nearest(name, _SCORERS)))


def read_panel(text: str, options: ReadOptions | None = None) -> ScoredPanel:
    """A panel from the command line's form, `id=FILE[,SCORER]`.

    Raises:
        SpecError: not of that form, or an unknown scorer.
        ReadError, SchemaError: the file cannot be read, or its items lack what the scorer reads.
    """
    name, file, scorer = split_panel(text)
    return ScoredPanel(name, read_examples(file, options), parse_scorer(scorer))


def split_panel(text: str) -> tuple[str, str, str]:
    """Name, file and scorer of the command line's form; the scorer is `exact` where none is named.

    Raises:
        SpecError: not of that form.
    """
    name, equals, rest = text.partition("=")
    file, scorer = _split(rest)
    if not (equals and name.strip() and file.strip()):
        raise SpecError(message("--panel is not right.", got=text, want="NAME=FILE[,SCORER]", hint="id=test.jsonl"))
    return name.strip(), file.strip(), scorer or Exact().text


def _split(text: str) -> tuple[str, str]:
    """File and scorer. A file's name may hold commas, so the scorer begins at the first comma before a known name."""
    known = re.search(rf",\s*(?=({'|'.join(_SCORERS)})(:|\s*$))", text)
    if known:
        return text[: known.start()], text[known.end() :].strip()
    file, comma, scorer = text.rpartition(",")
    return (file, scorer.strip()) if comma and not Path(text).exists() else (text, "")


def read_examples(source: object, options: ReadOptions | None = None) -> tuple[Example, ...]:
    """The records of a data set as prompt and response, each with its whole row.

    Args:
        source: anything `open_dataset` takes.
        options: how to read it.

    Raises:
        ReadError: it cannot be read, or has no record.
        SchemaError: its rows have no known layout, or several responses each.
    """
    return tuple(read_located(source, options).values())


def read_located(source: object, options: ReadOptions | None = None) -> dict[tuple[int, int, int], Example]:
    """The records of `read_examples` by where their rows stand: (ordinal of the source, of the row in it, line).

    Raises:
        ReadError, SchemaError: as `read_examples`.
    """
    options = options if options is not None else ReadOptions()
    dataset = open_dataset(source, options)
    if dataset.layout.parts:
        what = f"{dataset.name}: a row gives several records ({dataset.layout.sentence})."
        raise SchemaError(message(what, want="one prompt and one response in a row", hint="--map response=FIELD"))
    rows: dict[tuple[int, int], Mapping[str, Any]] = {
        (number_, row): value
        for number_, item in enumerate(locate(source, options).items)
        for row, (_, value) in enumerate(item.rows())
        if isinstance(value, Mapping)
    }
    out = {}
    for shard in dataset.shards():
        columns = shard.batch.select(["source", "row", "line", "prompt", "response"]).to_pylist()
        for each in columns:
            row = rows.get((each["source"], each["row"]), {})
            place = each["source"], each["row"], each["line"]
            out[place] = Example(each["prompt"] or "", each["response"] or "", dict(row))
    if not out:
        raise ReadError(message(f"{dataset.name}: no records.", want="at least one record"))
    return out


def _import(module: str) -> Any:
    """A module of the user's: the current folder is searched first, as `python -m` does."""
    here = str(Path.cwd())
    sys.path.insert(0, here)
    try:
        return importlib.import_module(module)
    finally:
        sys.path.remove(here)


def _finite(scores: NDArray[np.float64], replies: Sequence[str], scorer: str) -> Scored:
    """Scores with infinities as NaN, and notes that count the items without a score."""
    scores = np.where(np.isfinite(scores), scores, np.nan)
    missing = np.flatnonzero(np.isnan(scores))
    if not len(missing):
        return scores, {}
    first = int(missing[0])
    notes = {"scorer": scorer, "missing": len(missing), "first_missing": f"item {first + 1}: {excerpt(replies[first])}"}
    return scores, notes
