"""What a selection is asked for: the budget, the policy, what quality and complexity are read from, the limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from triptych.core.batch import Text
from triptych.core.budget import Budget
from triptych.core.errors import UsageError, message, nearest
from triptych.core.selector import Selector
from triptych.data import Dataset
from triptych.selecting.choose import fields_of
from triptych.selecting.limits import LimitRequest, needed_fields
from triptych.selecting.pool import PoolRequest
from triptych.selectors.registry import parse_policy, policy_text

MEASURES = ("vendi:q=2,valid_only=true", "effective_structures", "distinct_n:n=2")
"""Diversity of the selection, beside the means of quality, complexity and tokens."""

_LIMITS = {"max": "most", "min": "least", "keep": "keep", "drop": "drop", "id_field": "id_field", "dedup": "dedup"}
_OWN = ("by", "with_invalid", "on", "estimates")


@dataclass(frozen=True)
class SelectRequest:
    """Options of `select`, as on the command line.

    Attributes:
        budget: how much is taken.
        policy: what takes it.
        quality, complexity: a label, a numeric field, `FIELD=VALUE` or a measure's column; None: found, else none.
        by: fields that are read beside those that the policy and the limits name.
        with_invalid: whether records with a defect may be taken; never by a policy with a quality floor.
        on: the text that is embedded; None: the response, in a set of prompts the prompt.
        estimates: whether the selection is measured.
        limits: minimums, maximums, lists and de-duplication.
    """

    budget: Budget
    policy: Selector
    quality: str | None = None
    complexity: str | None = None
    by: tuple[str, ...] = ()
    with_invalid: bool = False
    on: Text | None = None
    estimates: bool = True
    limits: LimitRequest = field(default_factory=LimitRequest)

    @classmethod
    def of(
        cls,
        budget: str | int,
        policy: str | Selector,
        quality: str | None = None,
        complexity: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> SelectRequest:
        """A request from what the user wrote; a bool or None among the options leaves what is there.

        Args:
            budget: records (800), or "2M tokens", "500 rows".
            policy: "balanced:quality=0.8", or a policy.
            quality: what quality is read from.
            complexity: what complexity is read from.
            options: by, with_invalid, on, estimates, max, min, keep, drop, id_field, dedup.

        Raises:
            InputError: something is not right; the message says what would be.
        """
        given = {name: value for name, value in (options or {}).items() if value is not None}
        known = (*_OWN, *_LIMITS)
        for name in given:
            if name not in known:
                what = f'select has no option "{name}".'
                raise UsageError(message(what, want=", ".join(known), hint=nearest(name, known)))
        own = {name: given[name] for name in _OWN if name in given}
        if own.get("on") not in (None, "prompt", "response"):
            raise UsageError(message("--on is not right.", got=str(own["on"]), want="prompt or response"))
        if "by" in own:
            own["by"] = (own["by"],) if isinstance(own["by"], str) else tuple(own["by"])
        limits = {_LIMITS[name]: given[name] for name in _LIMITS if name in given}
        for name in ("most", "least"):
            limits[name] = (limits[name],) if isinstance(limits.get(name), str) else limits.get(name, ())
        return cls(
            budget=Budget.of(budget),
            policy=parse_policy(policy) if isinstance(policy, str) else policy,
            quality=quality,
            complexity=complexity,
            limits=LimitRequest(**limits),
            **own,
        )

    @property
    def text(self) -> str:
        """The policy as on the command line."""
        return policy_text(self.policy)

    def reading(self, dataset: Dataset, measures: tuple[str, ...], *, vectors: bool) -> PoolRequest:
        """What is to be read of the pool.

        Raises:
            InputError: a limit names a field that no row has.
        """
        names = [*self.by, *fields_of(self.policy, dataset.layout.known), *needed_fields(self.limits, dataset)]
        needs = {*self.policy.needs, *self.policy.wants}
        return PoolRequest(
            quality=self.quality,
            complexity=self.complexity,
            by=tuple(dict.fromkeys(names)),
            with_invalid=self.with_invalid,
            unit=self.budget.unit,
            on=self.on,
            vectors=vectors or "vectors" in needs,
            measures=(measures or MEASURES) if self.estimates else (),
        )
