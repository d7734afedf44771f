"""What an audit is asked to do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from triptych.auditing.judges import ASKED, annotators_of
from triptych.core.errors import SchemaError, UsageError, message, nearest
from triptych.data import Dataset
from triptych.data.values import fields_of
from triptych.profiling.settings import Settings

PAIR_FIELD = "pair_id"
"""A field that makes pairs without being named."""
LENGTH = "@length"
"""The scorer that is the length of the response: what any other has to beat."""


_PARAMETER = re.compile(r"[a-z_]+=")


@dataclass(frozen=True)
class AuditOptions:
    """The options of `audit`.

    Attributes:
        scorers: fields (`FIELD`, `FIELD[0]` of a list, `FIELD[key]` of an object, `FIELD=VALUE` as 1 or 0), `@length`, or
            a judge that is asked: for grades (`judge:URL,model=NAME`), or for verdicts on pairs in both orders
            (`pairs:URL,model=NAME`).
        gold: likewise, what is taken for true; None: none.
        repeat: second scores of the same records by the same scorer.
        swapped: the verdicts with both responses in the other order.
        position: a number that says where a record stood when it was scored.
        pairs: field whose value two records of a pair share; None: chosen and rejected, else `pair_id` where there is one.
        settings: how the data are read.
    """

    scorers: tuple[str, ...]
    gold: str | None
    repeat: tuple[str, ...]
    swapped: str | None
    position: str | None
    pairs: str | None
    settings: Settings

    @classmethod
    def of(cls, scorer: str | Sequence[str], named: Mapping[str, Any], settings: Mapping[str, Any]) -> AuditOptions:
        """Options from what a user gave.

        Raises:
            UsageError: no scorer, a scorer as its own gold or repeat, several scorers with columns that belong to one.
        """
        scorers, repeat = split(scorer), split(named.get("repeat") or ())
        gold, swapped = named.get("gold"), named.get("swapped")
        if not scorers:
            raise UsageError(message("an audit needs a scorer.", want="--scorer FIELD", hint=f"--scorer {LENGTH}"))
        for option, values in (("--gold", (gold,)), ("--repeat", repeat), ("--swapped", (swapped,))):
            both = next((one for one in values if one in scorers), None)
            if both is not None:
                raise UsageError(
                    message("a scorer cannot be compared with itself.", got=f"{option} {both}", want="another field")
                )
        if len(scorers) > 1 and (repeat or swapped):
            got = f"{len(scorers)} scorers and {'--repeat' if repeat else '--swapped'}"
            raise UsageError(message("second scores belong to one scorer.", got=got, want="one --scorer"))
        given = {key: value for key, value in settings.items() if value is not None}
        chosen = Settings.of(**given)
        if chosen.by is not None or chosen.valid_only or chosen.measures:
            raise UsageError(message("audit has no such setting.", got="by, valid_only or measures"))
        return cls(scorers, gold, repeat, swapped, named.get("position"), named.get("pairs"), chosen)

    @property
    def columns(self) -> dict[str, str]:
        """Every column that is read, and the option that names it."""
        named = [*(("--scorer", one) for one in self.scorers), *(("--repeat", one) for one in self.repeat)]
        single = (("--gold", self.gold), ("--swapped", self.swapped), ("--position", self.position))
        named += [(option, one) for option, one in single if one is not None]
        return {one: option for option, one in named if one != LENGTH and not annotators_of(one)}

    def pair_field(self, dataset: Dataset) -> str | None:
        """The field that makes pairs; None where rows do, or nothing does."""
        if self.pairs is not None or dataset.layout.fields.shape == "preference":
            return self.pairs
        return PAIR_FIELD if PAIR_FIELD in dataset.layout.known else None


def split(given: str | Iterable[str]) -> tuple[str, ...]:
    """Names from a list of them, each of which may hold several, separated by commas.

    What stands behind the address of a judge (`judge:URL,model=NAME`) in the form of a parameter belongs to it.
    """
    many = [given] if isinstance(given, str) else list(given)
    names: list[str] = []
    for one in many:
        judged = False
        for part in filter(None, map(str.strip, one.split(","))):
            if judged and _PARAMETER.match(part):
                names[-1] += f",{part}"
                continue
            judged = ASKED.match(part) is not None
            names.append(part)
    return tuple(dict.fromkeys(names))


def no_field(name: str, option: str, dataset: Dataset) -> SchemaError:
    """What to raise where no row has a field that was named."""
    known = sorted(str(one) for one in dataset.layout.known | set(dataset.layout.labels))
    near = nearest(name, known)
    what = f'{dataset.path or dataset.name}: no row has the field "{name}" ({option}).'
    return SchemaError(
        message(what, got=fields_of(dict.fromkeys(known, "")), hint=f"{option} {near}" if near else None)
    )
