"""A ridge correction of an encoder towards a better one, fitted on a sample of one's own texts, as a frozen artifact.

The map adds to every base vector a linear function of it: y = normalize(x + [x, 1] C), with
C = (Z'Z + ridge n I)^-1 Z'(T - X), Z = [X, 1]: an infinite ridge leaves the base unchanged. One fifth of the sample is
held out and shows what the correction is worth: agreement before and after is stored in the artifact.
An artifact is one safetensors file; its header holds the base's identity, the teacher's, the sample size and the
agreement. An adapted encoder is a different instrument: numbers from it compare only with numbers from the same artifact.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, final

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load, save
from scipy.stats import spearmanr

from triptych.core.errors import ReadError, SpecError, message
from triptych.features.static_encoder import StaticEncoder

Floats = npt.NDArray[np.float32]
FORMAT = "triptych-adapted-1"
LEAST, MOST_PAIRED = 50, 2000


class Encoder(Protocol):
    """What adaptation needs of an encoder."""

    @property
    def identity(self) -> str:
        """Name and content hash."""

    def encode(self, texts: Sequence[str]) -> Floats:
        """float32 (n, d) unit rows; a zero row for a text without tokens."""


@dataclass(frozen=True)
class Agreement:
    """Agreement with the teacher on held-out texts: Spearman of pair similarities; nearest neighbour in its top ten."""

    spearman: float
    top10: float

    @classmethod
    def of(cls, ours: Floats, theirs: Floats) -> Agreement:
        """Of unit rows `ours` (n, d) and `theirs` (n, e); at most 2,000 rows are paired."""
        a, b = (rows[:MOST_PAIRED] @ rows[:MOST_PAIRED].T for rows in (ours, theirs))
        upper = np.triu_indices(len(a), 1)
        rank = float(spearmanr(a[upper], b[upper]).statistic)
        np.fill_diagonal(a, -2)
        np.fill_diagonal(b, -2)
        tenth = np.sort(b, axis=1)[:, -min(10, len(b))]
        return cls(rank, float((b[np.arange(len(b)), a.argmax(1)] >= tenth).mean()))


@final
class AdaptedEncoder:
    """A base encoder followed by a fitted linear correction."""

    def __init__(self, base: StaticEncoder, data: bytes) -> None:
        self.header: dict[str, str] = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])["__metadata__"]
        if self.header.get("base") != base.identity:
            raise SpecError(
                message(
                    "an adaptation fits only the encoder that it was made for.",
                    got=base.identity,
                    want=str(self.header.get("base")),
                    hint="fit it again on the same sample with adapt()",
                )
            )
        self.name = f"{base.name}+adapted"
        self.identity = f"{self.name}@{hashlib.sha256(data).hexdigest()[:12]}"
        self.max_tokens = base.max_tokens
        self.pooling = f"{base.pooling}; then a linear correction, length 1"
        self._base, self._data = base, data
        self._map = load(data)["correction"]
        self.dim = int(self._map.shape[1])

    @classmethod
    def load(cls, path: Path, base: StaticEncoder | None = None) -> AdaptedEncoder:
        """Read an artifact saved by `save`; the base is the shipped encoder unless given."""
        data = path.read_bytes()
        if FORMAT.encode() not in data[:4096]:
            raise ReadError(message(f"{path}: not an adaptation saved by Triptych.", want=f"format {FORMAT}"))
        return cls(base or StaticEncoder.load(), data)

    def save(self, path: Path) -> None:
        """Write the artifact, one safetensors file, under a temporary name and then in place."""
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.part")
        part.write_bytes(self._data)
        part.replace(path)

    @property
    def before(self) -> Agreement:
        """Agreement of the base with the teacher on the held-out part."""
        return Agreement(**json.loads(self.header["before"]))

    @property
    def after(self) -> Agreement:
        """Agreement of the corrected encoder with the teacher on the held-out part."""
        return Agreement(**json.loads(self.header["after"]))

    def encode(self, texts: Sequence[str]) -> Floats:
        """float32 (n, dim): unit rows; a zero row for a text without tokens."""
        return corrected(self._base.encode(texts), self._map)


def corrected(rows: Floats, correction: Floats) -> Floats:
    """normalize(x + [x, 1] C) for rows (n, d) and C (d + 1, d); zero rows stay zero."""
    moved = rows + rows @ correction[:-1] + correction[-1]
    length = np.linalg.norm(moved, axis=1, keepdims=True)
    kept = np.any(rows, axis=1, keepdims=True) & (length > 0)
    result: Floats = np.where(kept, moved / np.where(length > 0, length, 1), 0).astype(np.float32)
    return result


def fit(x: Floats, target: Floats, ridge: float) -> Floats:
    """C (d + 1, d) of the module's formula, in double precision; the constant is not penalized."""
    z = np.column_stack([x, np.ones(len(x))]).astype(np.float64)
    penalty = np.full(z.shape[1], ridge * len(x) / x.shape[1])
    penalty[-1] = 0
    solution: Floats = np.linalg.solve(z.T @ z + np.diag(penalty), z.T @ (target.astype(np.float64) - x)).astype(
        np.float32
    )
    return solution


def adapt(texts: Sequence[str], teacher: Encoder, base: StaticEncoder, *, ridge: float = 1.0) -> AdaptedEncoder:
    """Fit the correction on texts encoded by the teacher: about 40 texts a second for MiniLM; 2,000 texts are a good start.

    ridge is in units of the mean square of a base dimension; 1 was best or near it from 500 to 2,000 texts of three
    sources that the base had never seen (encoder/README.md). Every fifth distinct text is held out for the agreement,
    and then used in the final fit too.

    Raises:
        SpecError: fewer than 50 distinct texts with tokens, ridge not positive, or a teacher of another dimension.
    """
    distinct = list(dict.fromkeys(texts))
    x, target = base.encode(distinct), teacher.encode(distinct)
    filled = np.any(x, axis=1) & np.any(target, axis=1)
    x, target = x[filled], target[filled]
    if len(x) < LEAST or ridge <= 0 or x.shape != target.shape:
        got = f"{len(x)} texts, ridge {ridge}, base vectors of {x.shape[1]}, teacher's of {target.shape[1]}"
        raise SpecError(
            message("the correction cannot be fitted.", got=got, want="50 distinct texts, ridge > 0, equal sizes")
        )
    held = np.arange(len(x)) % 5 == 4
    trial = corrected(x[held], fit(x[~held], target[~held], ridge))
    before, after = Agreement.of(x[held], target[held]), Agreement.of(trial, target[held])
    header = {
        "format": FORMAT,
        "base": base.identity,
        "teacher": teacher.identity,
        "texts": str(len(x)),
        "ridge": repr(ridge),
        "before": json.dumps(vars(before)),
        "after": json.dumps(vars(after)),
    }
    return AdaptedEncoder(base, save({"correction": fit(x, target, ridge)}, header))
