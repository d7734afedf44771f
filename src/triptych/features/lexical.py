"""Lexical diversity of one text, at a fixed length: HD-D.

HD-D (McCarthy & Jarvis 2007, "vocd: a theoretical and empirical evaluation"; McCarthy & Jarvis 2010, "MTLD, vocd-D, and
HD-D") is the expected type-token ratio of `draws` tokens drawn from the text without replacement. Each type adds the
probability that it occurs among the draws, divided by the number of draws:

    HD-D = sum over types of [1 - C(N - k, draws) / C(N, draws)] / draws

for a text of N tokens in which the type occurs k times. 42 draws are the published setting. Range 1/draws..1; higher is
more varied.

Confounded by the tokenizer (subword pieces repeat more than words) and by genre: code, tables and lists of one pattern
score low without being poor. Length is held equal by the draws; a drift with length remains, as topics shift in a text.

Worked example: "a a b", 2 draws of C(3, 2) = 3 pairs: aa, ab, ab. "a" is in all, "b" in 2 of 3: (1 + 2/3) / 2 = 0.8333.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from triptych.core.feature import Feature
from triptych.core.sorting import place, tally

Int = npt.NDArray[np.int64]
Float = npt.NDArray[np.float64]


def presence(total: Int, count: Int, draws: int) -> Float:
    """Probability that a type with `count` of `total` tokens occurs in a draw of `draws`, element by element.

    The ratio of the two binomials is a product of `draws` factors: unlike a difference of log-gammas it keeps full
    precision for long texts, and unlike C(N, draws) it does not overflow.
    """
    absent = np.ones(total.shape, dtype=np.float64)
    for drawn in range(draws):
        absent *= np.maximum(total - count - drawn, 0) / (total - drawn)
    return 1.0 - absent


def hdd(tokens: Int, lengths: Int, draws: int = 42) -> Float:
    """HD-D of each text.

    Args:
        tokens: token ids of all texts, one text after the other.
        lengths: tokens per text, shape (n,).
        draws: tokens drawn; at least 1.

    Returns:
        Shape (n,); NaN for texts of fewer than `draws` tokens. O(T log T) for T tokens.
    """
    row = np.repeat(np.arange(len(lengths), dtype=np.int64), lengths)
    long_enough = (lengths >= draws)[row]
    row, tokens = row[long_enough], tokens[long_enough]
    value = np.full(len(lengths), np.nan)
    if not len(row):
        return value
    width = int(tokens.max()) + 1
    key, count = tally(row * width + tokens)
    owner = key // width
    top = int(count.max()) + 1
    pair, where = place(lengths[owner] * top + count)
    chance = presence(pair // top, pair % top, draws)[where]
    sums = np.bincount(owner, weights=chance, minlength=len(lengths))
    done = lengths >= draws
    value[done] = sums[done] / draws
    return value


@dataclasses.dataclass(frozen=True)
class LexicalDiversity(Feature):
    """`lexical_diversity@on` float64, null for texts of fewer than `draws` tokens and where there is no text.

    Reads the token ids of `on`, column `tokens@on` (list of int32, null where there is no text).
    """

    on: Literal["response", "prompt"] = "response"
    draws: int = 42

    def __post_init__(self) -> None:
        """Raise ValueError when `draws` is below 1."""
        if self.draws < 1:
            raise ValueError(f"draws must be at least 1, got {self.draws}")

    @property
    def needs(self) -> tuple[str, ...]:
        """The token ids of `on`."""
        return (f"tokens@{self.on}",)

    @property
    def gives(self) -> tuple[str, ...]:
        """HD-D."""
        return (f"lexical_diversity@{self.on}",)

    def compute(self, batch: pa.RecordBatch) -> Mapping[str, pa.Array]:
        """HD-D of each record, the whole batch at once."""
        lists = batch.column(f"tokens@{self.on}")
        if pa.types.is_null(lists.type):
            return {self.gives[0]: pa.nulls(len(lists), pa.float64())}
        lengths = pc.fill_null(pc.list_value_length(lists), 0).to_numpy(zero_copy_only=False).astype(np.int64)
        tokens = pc.list_flatten(lists).to_numpy(zero_copy_only=False).astype(np.int64)
        value = hdd(tokens, lengths, self.draws)
        return {self.gives[0]: pa.array(value, type=pa.float64(), mask=np.isnan(value))}
