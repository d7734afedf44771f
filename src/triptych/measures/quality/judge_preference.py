"""Judge preference: share of pairs in which a judge that is asked in both orders prefers the chosen response.

    (wins + ties / 2) / pairs

A win names the chosen response whichever stands first, a loss the rejected one; a word that turns with the order is a tie.
One order alone would make a judge that always names what stands first right wherever the chosen one stands first. Source:
both orders, ties included, of Zheng et al. 2023 (arXiv 2306.05685); the prompts are this project's. Unit: share of pairs,
range 0..1; .5 is what a judge without an opinion has. Wins, losses and pairs that turn with the order are told beside it:
where most turn, the number is about the judge and not about the data.

Cost: two requests for each row of a chosen and a rejected response; `--judge-sample N` asks about N rows. Rows without a
verdict in both orders are counted with their reason and left out. Low: preferences that the judge does not share, labels
that are swapped, pairs of equals. Confounded by length and style, and by the judge's likeness to whoever preferred.

Worked example: one win, one loss, two that turn with the order, one without a verdict: (1 + 2/2) / 4 = .5.
"""

from __future__ import annotations

from collections.abc import Sequence

from triptych.core.dear import PAIR, PAIR_SWAPPED
from triptych.core.estimate import Undefined
from triptych.core.groups import Mask
from triptych.core.measure import Example, Measure, Row, measure
from triptych.measures.reference import kept, mean
from triptych.statistics.both_orders import BothOrders


@measure(
    axis="quality",
    unit="ratio",
    bounds=(0.0, 1.0),
    better="higher",
    interval="share",
    source="Zheng et al. 2023 (arXiv 2306.05685)",
    confounders=("length", "style", "likeness of the judge to whoever preferred"),
)
class JudgePreference(Measure):
    """Share of pairs in which a judge prefers the chosen response, asked in both orders."""

    valid_only: bool = False

    def statistic(self) -> BothOrders:
        """Counts of verdicts in both orders."""
        return BothOrders(where="valid" if self.valid_only else "all")

    def value(self, verdicts: BothOrders, keep: Mask) -> float | Undefined:
        """Wins and half of the ties."""
        n = verdicts.records(keep)
        if not n:
            return Undefined("the judge gave no pair a verdict in both orders")
        wins, losses = verdicts.wins(keep), verdicts.losses(keep)
        return (wins + (n - wins - losses) / 2) / n

    def reference(self, rows: Sequence[Row]) -> float | None:
        """Pair by pair."""
        pairs = [(row[PAIR], row[PAIR_SWAPPED]) for row in kept(rows, self.valid_only)]
        return mean([0.5 if (a > 0) == (b > 0) else float(a > 0) for a, b in pairs if a is not None and b is not None])


EXAMPLE = Example(
    records=[
        {"response": str(at), PAIR: straight, PAIR_SWAPPED: swapped}
        for at, (straight, swapped) in enumerate([(1.0, 0.0), (0.0, 1.0), (1.0, 1.0), (0.0, 0.0), (None, 1.0)])
    ],
    value=0.5,
)
