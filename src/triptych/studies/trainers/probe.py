"""`probe`: a linear probe on embeddings. It generates nothing; it shows in seconds what the data lets a linear map learn.

A ridge regression from the embedding of the prompt. The panel decides what it predicts, so that the rule, and with it
the meaning of a score, is the same for every arm:

    classes      at most 50 different references, each five times or more on average: an indicator of each answer that the
                 training data holds; score 1 where the largest one is the reference, else 0
    retrieval    otherwise: the embedding of the response; score is 1 / rank of the reference among the panel's different
                 references, by cosine to the predicted vector (ties count against it)

The strength of the ridge minimizes generalized cross-validation (Golub, Heath and Wahba 1979), over 10^-6 .. 10^3 times
the mean eigenvalue of the inputs' covariance. It takes records as independent: many rewordings of few prompts make the
ridge too weak, and held-out prompts score lower than they could. Nothing is random: the training seed has no effect.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from triptych.core.errors import SchemaError, message
from triptych.core.spec import Spec, params_of
from triptych.features.embedding import Encoder, load_encoder
from triptych.studies.panels import plain
from triptych.studies.trainers.trainer import Cost, Example, Outcome, Panel, Trainer

CLASSES_MOST = 50
ITEMS_A_CLASS = 5
STRENGTHS = np.logspace(-6, 3, 37)

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_RANK = 1e-10  # of the largest eigenvalue: below it there is only rounding


@final
@dataclass(frozen=True)
class Probe(Trainer):
    """The probe.

    Attributes:
        encoder: as for measures: static, minilm, adapted:PATH or a plug-in's.
    """

    name: ClassVar[str] = "probe"

    encoder: str = "static"

    def __post_init__(self) -> None:
        """Find the encoder.

        Raises:
            SpecError: none has this name.
            MissingExtraError: its weights are not installed.
        """
        load_encoder(self.encoder)

    @property
    def spec(self) -> Spec:
        """The encoder by name and by the hash of its weights."""
        return Spec(self.name, {**params_of(self), "identity": load_encoder(self.encoder).identity})

    @property
    def versions(self) -> dict[str, str]:
        """Of what computes it."""
        return {"numpy": version("numpy")}

    def run(self, data: Sequence[Example], panels: Sequence[Panel], seed: int) -> Outcome:
        """Fit the probe for each panel and score its items.

        Raises:
            SchemaError: fewer than two records, or a panel without references or with a single one.
        """
        del seed
        started = time.perf_counter()
        if len(data) < 2:
            raise SchemaError(message("probe: too few records.", got=f"{len(data)}", want="at least 2"))
        arm = _Arm(data, load_encoder(self.encoder))
        items, said = {}, {}
        for panel in panels:
            items[panel.name], said[panel.name] = arm.scored(panel)
        notes = {"encoder": load_encoder(self.encoder).identity, "panels": said}
        return Outcome(items, Cost(time.perf_counter() - started), notes)


class _Arm:
    """The records of one arm, embedded when first needed."""

    def __init__(self, data: Sequence[Example], encoder: Encoder) -> None:
        self._data, self._encoder = data, encoder
        self._answers = [plain(example.response) for example in data]

    def scored(self, panel: Panel) -> tuple[Floats, dict[str, Any]]:
        """Scores of a panel's items, (n,), and by which rule."""
        references = [plain(example.response) for example in panel.examples]
        candidates = list(dict.fromkeys(references))
        if not all(references) or len(candidates) < 2:
            got = f"only {candidates[0]!r}" if all(references) else "an item without one"
            what = f'panel "{panel.name}": the probe needs at least two different references.'
            raise SchemaError(message(what, got=got, want="a response in every row"))
        inputs = self._encode([example.prompt for example in panel.examples])
        right = np.array([candidates.index(reference) for reference in references])
        if len(candidates) <= min(CLASSES_MOST, len(references) // ITEMS_A_CLASS):
            return self._classes(candidates, inputs, right)
        predicted, strength = self._ridge.predict(self._embedded, inputs)
        closeness = predicted @ self._encode(candidates).T
        ranks = (closeness >= closeness[np.arange(len(right)), right][:, None]).sum(axis=1)
        return 1.0 / ranks, {"rule": "retrieval", "candidates": len(candidates), "strength": strength}

    def _classes(self, candidates: list[str], inputs: Floats, right: Ints) -> tuple[Floats, dict[str, Any]]:
        place = {answer: column for column, answer in enumerate(candidates)}
        targets = np.zeros((len(self._answers), len(candidates)))
        for row, answer in enumerate(self._answers):
            if answer in place:
                targets[row, place[answer]] = 1.0
        known: NDArray[np.bool_] = np.asarray(targets.any(axis=0))
        predicted, strength = self._ridge.predict(targets, inputs)
        predicted[:, ~known] = -np.inf  # an answer that was never seen cannot be given
        scores = ((predicted.argmax(axis=1) == right) & known[right]).astype(np.float64)
        counts = {"classes": len(candidates), "classes_in_data": int(known.sum())}
        return scores, {"rule": "classes", **counts, "strength": strength}

    @cached_property
    def _ridge(self) -> Ridge:
        return Ridge.of(self._encode([example.prompt for example in self._data]))

    @cached_property
    def _embedded(self) -> Floats:
        return self._encode(self._answers)

    def _encode(self, texts: Sequence[str]) -> Floats:
        return self._encoder.encode(texts).astype(np.float64)


@dataclass(frozen=True)
class Ridge:
    """Ridge regression with an intercept on n inputs of width d, ready for any targets.

    Attributes:
        centre: mean of the inputs, (d,).
        inputs: centred, (n, d).
        values: eigenvalues of inputs.T @ inputs, (d,), none below 0.
        vectors: its eigenvectors, (d, d).
    """

    centre: Floats
    inputs: Floats
    values: Floats
    vectors: Floats

    @classmethod
    def of(cls, inputs: Floats) -> Ridge:
        """Decompose the inputs, (n, d)."""
        centre = inputs.mean(axis=0)
        inputs = inputs - centre
        values, vectors = np.linalg.eigh(inputs.T @ inputs)
        return cls(centre, inputs, np.maximum(values, 0.0), vectors)

    def predict(self, targets: Floats, inputs: Floats) -> tuple[Floats, float]:
        """Predictions (m, k) for new inputs (m, d) after fitting targets (n, k), and the chosen strength.

        GCV(s) = (residual sum of squares / n) / (1 - trace of the hat matrix / n)^2, where the hat matrix has one more
        degree of freedom for the intercept.
        """
        n, mean = len(targets), targets.mean(axis=0)
        along = self.vectors.T @ (self.inputs.T @ (targets - mean))
        real = self.values > _RANK * self.values.max(initial=0.0)
        values, along, vectors = self.values[real], along[real], self.vectors[:, real]
        if not len(values):  # all inputs are one: nothing to learn from
            return np.tile(mean, (len(inputs), 1)), float(STRENGTHS[-1])
        explained = (along**2).sum(axis=1) / values
        rest = max(((targets - mean) ** 2).sum() - explained.sum(), 0.0)
        best, chosen = np.inf, STRENGTHS[-1]
        for strength in STRENGTHS:
            shrunk = values + strength * self.values.mean()
            residual = rest + (explained * (1 - values / shrunk) ** 2).sum()
            freedom = 1 - (1 + (values / shrunk).sum()) / n
            score = residual / freedom**2 if freedom > 0 else np.inf
            if score < best:
                best, chosen = score, strength
        weights = vectors @ (along / (values + chosen * self.values.mean())[:, None])
        return (inputs - self.centre) @ weights + mean, float(chosen)
