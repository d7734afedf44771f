"""What `design` would do, in words, from the head of the pool."""

from __future__ import annotations

from triptych.core.batch import Text
from triptych.data import Dataset
from triptych.selecting.fields import number
from triptych.studies.design.levels import Request
from triptych.studies.design.points import points_of
from triptych.studies.design.pool import MOST


def describe_design(dataset: Dataset, request: Request) -> str:
    """Passes, programs and arms.

    Raises:
        InputError: a field or an option that is not right.
    """
    judged: Text = "response" if dataset.layout.has_response else "prompt"
    names = [factor.name for factor in request.factors]
    points = len(points_of(request.points, names, request.seed)) + request.centre
    read = [
        f"  {f.name}: {f.source}" + ("" if f.name == "D" else f" ({number(f.source, f.name, dataset, judged).label})")
        for f in request.factors
    ]
    rows = dataset.expected_rows()
    arms = points * request.blocks * request.draws
    budget = request.budget
    return "\n".join(
        [
            f"{dataset.name}: {dataset.layout.sentence}",
            f"  about {rows:,} rows" if rows is not None else "  rows are counted as they are read",
            *read,
            f"barrier: k-means over at most {MOST:,} records",
            f"programs: {request.blocks} for the largest gap, {request.blocks * request.draws} for the arms",
            f"arms: {arms} of {budget.number:,} {budget.unit}, random and longest; no network, no model but the encoder",
        ]
    )
