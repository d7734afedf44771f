"""An annotator: columns that cost a call to a model for each record.

Such columns are made before the scan, in the main process, for a sample of the records (`annotating/run.py`). What comes
out of an annotator is kept row by row, so that a killed run goes on where it was and nothing is paid for twice; cheap
features look it up afterwards. A concrete annotator is a frozen dataclass whose fields are its parameters.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Value: TypeAlias = float | NDArray[np.float32]
"""A finite number, or a vector of finite numbers where the column is one of `widths`."""

Outcome: TypeAlias = Mapping[str, Value | None] | str
"""The values of one record, or why there are none, in a few words that many records share ("no response").

A column that is None, or that is not in the mapping, has no value for this record.
"""


class Paid(str):
    """A reason that is kept as values are: the model was asked and has answered, and would answer so again."""

    __slots__ = ()


class Item(NamedTuple):
    """A record to annotate; records of equal content are annotated once. `other`: a response to compare it with."""

    content_id: bytes
    prompt: str | None
    response: str | None
    other: str | None = None


def pair_of(one: Item, other: Item) -> Item:
    """Two records with one prompt as one item; its id tells the order of the two."""
    key = hashlib.blake2b(one.content_id + other.content_id, digest_size=16).digest()
    return Item(key, one.prompt if one.prompt is not None else other.prompt, one.response, other.response)


class Annotator(ABC):
    """Makes dear columns. Subclasses are frozen dataclasses and final.

    Attributes:
        name: what people call it: "judge", "lm", "student", "reward", "gradients".
        title: what a progress bar and a message call this one, model included.
        pairs: whether it reads the chosen and the rejected response of a row together (`pair_of`) and not record by record.
    """

    name: ClassVar[str]
    pairs: ClassVar[bool] = False

    @property
    @abstractmethod
    def title(self) -> str:
        """One line: "judge of quality (gpt-x)"."""

    @property
    @abstractmethod
    def gives(self) -> tuple[str, ...]:
        """The columns, such as ("lm.surprisal", "lm.surprisal_alone"): float64, null where there is no value."""

    @property
    def widths(self) -> Mapping[str, int]:
        """Those of the columns that are vectors (float32), with their size."""
        return {}

    @property
    @abstractmethod
    def identity(self) -> str:
        """What a value depends on beside the record, in words and hashes: model, prompts, parameters, version.

        Kept values are keyed by it, and a profile names it among its artifacts (`model@hash`).
        """

    @abstractmethod
    def plan(self, items: Sequence[Item]) -> str:
        """What these would cost, in one line, before anything is paid: calls, tokens, seconds."""

    @abstractmethod
    def annotate(self, items: Sequence[Item]) -> Iterator[tuple[bytes, Outcome]]:
        """Annotate, in whatever order is cheapest, and hand out each record as soon as it is done.

        Args:
            items: n records of different content that have no kept values.

        Yields:
            The content id of each item exactly once, with its values or the reason why there are none. What has been
            yielded is kept at once. A reason is kept only where it is `Paid`; with others the next run tries again.

        Raises:
            TriptychError: nothing further can be done (a server is down); what was yielded before stays.
        """

    def notes(self) -> Mapping[str, Any]:
        """What the last `annotate` took or saw, as JSON values (requests, tokens, covered mass); {} where nothing."""
        return {}
