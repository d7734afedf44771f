"""What became of everything that a run made: counts, and the texts by how far they came."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from triptych.generating.ask import Dropped, Filter, Made, Verdict
from triptych.generating.told import filter_text


@dataclass
class FilterTally:
    """What one filter did.

    Attributes:
        name: of the filter, `-2` behind one that is there twice.
        text: with its parameters.
        seen, kept: records.
        reasons: of those dropped.
    """

    name: str
    text: str
    seen: int = 0
    kept: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    def add(self, verdicts: Sequence[Verdict]) -> None:
        """Count the verdicts on a batch."""
        dropped = [each.reason for each in verdicts if isinstance(each, Dropped)]
        self.seen += len(verdicts)
        self.kept += len(verdicts) - len(dropped)
        self.reasons.update(dropped)

    def to_json(self) -> dict[str, Any]:
        """As JSON values; `acceptance` is null where nothing came."""
        acceptance = self.kept / self.seen if self.seen else None
        told = {"name": self.name, "filter": self.text, "seen": self.seen, "kept": self.kept}
        return {**told, "acceptance": acceptance, "reasons": dict(self.reasons.most_common())}


@dataclass(frozen=True)
class Passed:
    """A record by how far it came: `stage` filters let it pass."""

    made: Made
    stage: int


@dataclass
class Tally:
    """What became of everything.

    Attributes:
        filters: one tally for each filter.
        made: records that the method handed on; kept: those in the data.
        failed: what did not become a record before any filter, by reason.
        over: records that passed when the budget of records was full already.
        unseen: records that some filter could not look at, for the budget was spent.
        passed: all records that were made.
    """

    filters: list[FilterTally]
    made: int = 0
    kept: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    over: int = 0
    unseen: int = 0
    passed: list[Passed] = field(default_factory=list)

    @classmethod
    def of(cls, filters: Sequence[Filter]) -> Tally:
        """Of a run with these filters."""
        seen: Counter[str] = Counter()
        out = []
        for each in filters:
            seen[each.name] += 1
            again = seen[each.name]
            out.append(FilterTally(each.name if again == 1 else f"{each.name}-{again}", filter_text(each)))
        return cls(out)

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "made": self.made,
            "kept": self.kept,
            "failed": dict(self.failed.most_common()),
            "over_budget": self.over,
            "not_looked_at": self.unseen,
            "filters": [each.to_json() for each in self.filters],
        }

    def commonest(self) -> str:
        """The commonest reason why something is no record, in words; "" where there is none."""
        counts = self.failed.copy()
        for each in self.filters:
            counts.update({f"{each.name}: {reason}": number for reason, number in each.reasons.items()})
        return ", ".join(f"{reason} ({number:,})" for reason, number in counts.most_common(2))
