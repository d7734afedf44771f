"""The ledger: what was read on each round of a loop, with the error of every number.

A round gives up to two sets of readings, of what was *generated* and of what was *selected* for training, and the scores of
its panels. Readings go by these names; every diversity is taken at the same number of records in all rounds (`at`):

    quality             mean of the label-like field; without one the share of records free of defects
    verified            share that the verifier passed, where a field says so
    structures          effective number of structures among valid records (a structure field, else the prompt's template;
                        the response's where rounds share their prompts)
    evenness            effective over different structures among valid records: 1 where all that occur do so alike
    structures_all      the same among all records, valid or not
    templates           effective templates among valid records, where a structure field has the place above
    semantic            Vendi score, order 2, of the embeddings of valid records
    surface             distinct n-grams of valid records
    per_prompt          mean distance of two responses to one prompt
    per_prompt_novelty  share of n-grams of a response that others to its prompt do not have
    complexity          the complexity field, else reasoning steps
    tokens              mean length of a record
    novelty             share of valid records whose structure an archive of earlier rounds, of fixed size, does not hold
    semantic_novelty    mean distance of a valid record to the nearest of that archive
    anchor_novelty      the same, to the anchor
    tail                share of the rarer half of the anchor's structures (else of the first round's) that still occur
    zero_signal         share of prompts whose responses are all right or all wrong
    real                share of records that come from real data
    correct_structures  effective structures among correct records, where correctness is known apart from the verifier
    true                share that is right in truth, where that is known (`verified` minus `true` is reward hacking)

A round's `splits` hold what is derived from several of them: reward_gap, false_pass and false_fail (the verifier's errors), gap
(generation-verification), quality_control and narrowing (the two parts of what diversity was lost since the first round),
illusion, pass_gap, length_drift.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Reading:
    """One number with its 95 % interval, or why there is none.

    Attributes:
        value: None exactly when `undefined` holds a reason.
        se: its standard error; None where there is no interval.
        n: records that it was read on.
    """

    value: float | None
    se: float | None = None
    lo: float | None = None
    hi: float | None = None
    n: int = 0
    undefined: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Strict JSON values."""
        return {"value": self.value, "lo": self.lo, "hi": self.hi, "n": self.n, "undefined": self.undefined}


@dataclass(frozen=True)
class Entry:
    """One round.

    Attributes:
        round: its number; a gap in the numbering is told, not filled.
        name: file or folder it was read from.
        records: how many were generated.
        valid: how many of them are valid (free of defects and, where it is known, correct).
        generated: readings of what was generated.
        selected: readings of what was selected for training; empty where that is not known.
        splits: readings derived from others.
        scores: panel or `panel@k` to its mean score.
        kinds: panel to id or ood.
    """

    round: int
    name: str
    records: int
    valid: int
    generated: Mapping[str, Reading] = field(default_factory=dict)
    selected: Mapping[str, Reading] = field(default_factory=dict)
    splits: Mapping[str, Reading] = field(default_factory=dict)
    scores: Mapping[str, Reading] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)

    def value(self, name: str, of: str = "generated") -> float | None:
        """A reading's value; None where there is none. `of`: generated, selected, splits or scores."""
        found: Reading | None = getattr(self, of).get(name)
        return None if found is None else found.value


@dataclass(frozen=True)
class Ledger:
    """All rounds, in order.

    Attributes:
        entries: one a round.
        at: valid records at which diversity is read, in every round.
        shared_prompts: whether rounds share their prompts, so that structure is read on responses.
        structure: what a structure is, in words: `field skeleton`, `template of the prompt`, ..
        notes: what a reader should know, one sentence each.
    """

    entries: tuple[Entry, ...]
    at: int
    shared_prompts: bool
    structure: str
    notes: tuple[str, ...] = ()
