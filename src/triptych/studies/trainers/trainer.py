"""What a trainer is: something that turns an arm's records into scores of each item of each panel.

Two kinds. A `Trainer` that only gives outcomes (a script of the user's) implements `run`. A `ModelTrainer` gives a
`Model`, which can generate and tell likelihoods; its `run` is the same for all: train, then score every panel.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from triptych.core.errors import UsageError, message
from triptych.core.rng import stream
from triptych.core.spec import Spec


@dataclass(frozen=True)
class Example:
    """One training or test record as text. `row` is the source row: verifiers read labels from it."""

    prompt: str
    response: str
    row: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Cost:
    """What a run took: seconds of wall clock, optimizer steps, tokens trained on (each time they were seen)."""

    seconds: float
    steps: int = 0
    tokens: int = 0


@dataclass(frozen=True)
class Outcome:
    """What a run gave.

    Attributes:
        items: panel name to the score of each of its items, float64 (n,), NaN where an item has none (a nonsense reply
            of a script); such items are counted and reported, never averaged as 0.
        cost: what it took.
        notes: what the trainer has to say (versions, final loss): JSON values. Under `panels`: panel name to what its
            scorer has to say (items without a score, the first of them).
    """

    items: Mapping[str, NDArray[np.float64]]
    cost: Cost
    notes: Mapping[str, Any] = field(default_factory=dict)


class Model(ABC):
    """A trained model."""

    @abstractmethod
    def generate(
        self,
        prompts: Sequence[str],
        *,
        temperature: float = 0.0,
        max_tokens: int | None = None,
        seed: int = 0,
        min_p: float = 0.0,
    ) -> list[str]:
        """One response for each prompt; temperature 0 is greedy. `max_tokens` None: what the trainer thinks fit.

        `min_p`: a token less likely than so many times the likeliest one, before the temperature, is never drawn.
        """

    @abstractmethod
    def log_likelihood(self, examples: Sequence[Example]) -> NDArray[np.float64]:
        """log p(response | prompt) in nats and number of response tokens of each example, (n, 2)."""

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Write the model into a folder (safetensors and JSON; no pickle), so that `ModelTrainer.load` reads it."""

    def blended(self, other: Model, weight: float) -> Model:
        """A new model with `weight` of this one's weights and 1 - `weight` of the other's (WiSE-FT, Wortsman et al. 2022,
        arXiv 2109.01903); both stay as they are.

        Raises:
            UsageError: a weight outside 0..1, or models whose weights cannot be averaged.
        """
        del other, weight
        what = f"{type(self).__name__}: its weights cannot be averaged with another model's."
        raise UsageError(message(what, want="models of the trainers tiny or hf"))


class Panel(ABC):
    """Test items with the rule that scores them. See `triptych.studies.panels`."""

    name: str
    examples: tuple[Example, ...]

    @abstractmethod
    def score(self, model: Model, seed: int) -> NDArray[np.float64]:
        """Score of each item, (n,)."""

    def scored(self, model: Model, seed: int) -> tuple[NDArray[np.float64], dict[str, Any]]:
        """Score of each item, (n,), and what the scorer has to say (items without a score): JSON values."""
        return self.score(model, seed), {}


def check_blend(mine: Model, other: Model, weight: float) -> None:
    """Raise UsageError for a weight that is none, or for models of two kinds."""
    if not 0 <= weight <= 1:
        raise UsageError(message("blended: the weight is out of range.", got=f"{weight}", want="0 to 1"))
    if type(other) is not type(mine):
        want = f"another {type(mine).__name__}"
        raise UsageError(message("blended: models of two kinds.", got=type(other).__name__, want=want))


@dataclass(frozen=True)
class Task:
    """What one run is made from."""

    data: Sequence[Example]
    panels: Sequence[Panel]
    seed: int


class Trainer(ABC):
    """Turns records into outcomes. A frozen dataclass: its fields are its parameters and make its identity."""

    name: ClassVar[str]
    extra: ClassVar[str | None] = None

    def prepare(self, texts: Iterable[str]) -> Self:
        """This trainer, fitted to all texts of a study (a vocabulary). Called once, before any run."""
        del texts
        return self

    @property
    @abstractmethod
    def spec(self) -> Spec:
        """Name, parameters and what `prepare` fitted, as canonical JSON with a hash."""

    @property
    def versions(self) -> dict[str, str]:
        """Versions of the packages that the result depends on."""
        return {}

    @abstractmethod
    def run(self, data: Sequence[Example], panels: Sequence[Panel], seed: int) -> Outcome:
        """Train on the records and score every panel. The same arguments give the same outcome on one kind of machine.

        Raises:
            TriptychError: the run failed, with one clear message; the study notes it and goes on.
        """

    @property
    def together(self) -> int:
        """How many runs are best made at once in one process; 1: each by itself."""
        return 1

    def run_many(self, tasks: Sequence[Task]) -> list[Outcome]:
        """What `run` gives for each task, one after the other; where `together` is more than 1, all at once.

        Raises:
            TriptychError: one of them failed; the study then makes each by itself.
        """
        return [self.run(task.data, task.panels, task.seed) for task in tasks]


class ModelTrainer(Trainer):
    """A trainer that gives a model."""

    @abstractmethod
    def train(
        self, data: Sequence[Example], seed: int, start: Model | None = None
    ) -> tuple[Model, Cost, dict[str, Any]]:
        """Train from scratch, or go on from `start`. Gives the model, the cost and notes."""

    @abstractmethod
    def load(self, folder: Path) -> Model:
        """Read a model that `Model.save` wrote."""

    def scratch(self, records: int) -> int | None:
        """Optimizer steps of a training on so many records that begins with nothing; None: it begins with a model."""
        del records
        return None

    def base(self) -> Model:
        """The model before training.

        Raises:
            UsageError: training begins with none.
        """
        what = f"the trainer {self.name} has no model before training."
        raise UsageError(message(what, want="a trainer that begins with a model", hint="hf:MODEL"))

    def run(self, data: Sequence[Example], panels: Sequence[Panel], seed: int) -> Outcome:
        """Train, then score every panel."""
        return self.outcome(Task(data, panels, seed), self.train(data, seed))

    def outcome(self, task: Task, trained: tuple[Model, Cost, dict[str, Any]]) -> Outcome:
        """What a trained model scores on the panels; the cost is that of training and scoring."""
        started = time.perf_counter()
        model, cost, notes = trained
        scored = {
            panel.name: panel.scored(model, int(stream("score", panel.name, task.seed).integers(2**31)))
            for panel in task.panels
        }
        said = {name: about for name, (_, about) in scored.items() if about}
        items = {name: scores for name, (scores, _) in scored.items()}
        notes = {**notes, "panels": said} if said else notes
        return Outcome(items, replace(cost, seconds=cost.seconds + time.perf_counter() - started), notes)
