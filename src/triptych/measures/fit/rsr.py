"""Rank-surprisal ratio: mean clipped token rank over mean surprisal, under the student; lower suits it better.

    RSR = Σ_i r_i / Σ_i s_i,   r_i = mean_t min(rank_t, 100),   s_i = mean_t -log p(y_t | x, y_<t)

rank_t is 1 + the number of tokens that the student holds likelier. "Which Reasoning Trajectories Teach Students to Reason
Better?" (arXiv 2601.14249), equal to the released code, which divides the means over records (of a single record it is the
ratio of its sums: column `student.rsr`). Low where responses are unlikely to the student and yet among its first choices:
something to learn that it can take up. The authors found a Spearman correlation of .86 with the score after training, over
5 students and 11 teachers, on reasoning. Unit: ranks per nat, range 0..∞. One forward pass a record, under the model named
by `--student`, on a sample with `--lm-sample N`, from the sampled records alone; the end of a response is not scored.

Confounded by the student's vocabulary and by text that repeats itself: its surprisal nears 0 and the ratio grows without
bound. Compare sets for one student, not students.

Worked example: ranks 2 and 6, surprisals 0.5 and 1.5: 8/2 = 4.
"""

from __future__ import annotations

from collections.abc import Sequence

from triptych.core.estimate import Undefined
from triptych.core.groups import Mask
from triptych.core.measure import Example, Measure, Row, measure
from triptych.measures.reference import kept, mean, numbers
from triptych.statistics.comoments import CoMoments

SURPRISAL, RANK = "student.surprisal", "student.rank"


@measure(
    axis="fit",
    title="Rank-surprisal ratio",
    unit="ranks per nat",
    bounds=(0.0, float("inf")),
    better="lower",
    source="arXiv 2601.14249",
    confounders=("repetition", "the student's vocabulary", "length"),
    headline=({},),
    extra="lm",
)
class Rsr(Measure):
    """Mean clipped rank over mean surprisal."""

    valid_only: bool = False

    def statistic(self) -> CoMoments:
        """Moments of surprisal and rank."""
        return CoMoments(SURPRISAL, RANK, where="valid" if self.valid_only else "all")

    def value(self, moments: CoMoments, keep: Mask) -> float | Undefined:
        """The ratio of the means."""
        if not moments.records(keep):
            return Undefined("no record that the student read has a prompt and a response")
        surprisal, rank = moments.means(keep)
        return rank / surprisal if surprisal > 0 else Undefined("nothing surprises the student")

    def reference(self, rows: Sequence[Row]) -> float | None:
        """Both means, summed one by one."""
        both = [row for row in kept(rows, self.valid_only) if row[SURPRISAL] is not None and row[RANK] is not None]
        surprisal, rank = mean(numbers(both, SURPRISAL)), mean(numbers(both, RANK))
        return rank / surprisal if surprisal and rank is not None else None


EXAMPLE = Example(
    records=[{"response": text, SURPRISAL: s, RANK: r} for text, s, r in (("a", 0.5, 2.0), ("b", 1.5, 6.0))], value=4.0
)
