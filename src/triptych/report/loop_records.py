"""What a loop document holds once it is read: frozen records, cleaned and bounded. `loop_model.py` fills them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from triptych.report.guard_records import Round
from triptych.report.study_records import Facts


@dataclass(frozen=True)
class Sample:
    """A record that the model wrote."""

    prompt: str
    response: str
    structure: str
    verdict: str


@dataclass(frozen=True)
class Common:
    """One of the commonest structures, and its share of the round's valid records."""

    name: str
    share: float


@dataclass(frozen=True)
class Decided:
    """Why a dial stands where it does."""

    dial: str
    value: str
    reason: str


@dataclass(frozen=True)
class Shared:
    """Records trained on that have a prompt, and a structure, of a panel; None where that is not said."""

    prompts: float | None
    structures: float | None


@dataclass(frozen=True)
class Turn:
    """One round of one arm: its line of the ledger, and what was done."""

    round: Round
    dials: Mapping[str, str]
    decisions: tuple[Decided, ...]
    counts: Mapping[str, float]
    selected: Mapping[str, float]
    overlap: Mapping[str, Shared]
    samples: tuple[Sample, ...]
    structures: tuple[Common, ...]
    seconds: float | None


@dataclass(frozen=True)
class Arm:
    """One policy's loop. `label` is short and like no other arm's; `css` and `shape` are its colour and its points."""

    label: str
    policy: str
    title: str
    css: str
    shape: str
    turns: tuple[Turn, ...]
    turns_total: int
    stopped: str

    @property
    def rounds(self) -> tuple[Round, ...]:
        """The lines of its ledger."""
        return tuple(turn.round for turn in self.turns)


@dataclass(frozen=True)
class Loop:
    """A loop document."""

    title: str
    arms: tuple[Arm, ...]
    arms_total: int
    kinds: Mapping[str, str]
    closed: frozenset[str]
    budget: float | None
    samples: float | None
    at: float | None
    config: Facts
    conclusions: tuple[str, ...]
    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    provenance: Facts
