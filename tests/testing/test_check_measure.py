"""The checker catches what is planted, each defect by the law that should catch it."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest

from triptych.core.batch import Batch
from triptych.core.errors import LawError
from triptych.core.estimate import Undefined
from triptych.core.groups import GROUPS
from triptych.core.measure import Example, Measure, measure
from triptych.statistics.moments import Moments
from triptych.testing import check_measure, check_statistic, make_rows

ABOUT: dict[str, Any] = {"axis": "complexity", "unit": "squared labels", "bounds": (0.0, math.inf), "better": "neither"}


@measure(**ABOUT)
class Variance(Measure):
    """Population variance of a label: a sound measure, the plain form of all those below."""

    field: str = "score"

    made: ClassVar[type[Moments]] = Moments

    def statistic(self):
        return self.made(f"label.{self.field}")

    def value(self, moments, keep):
        return moments.variance(keep) if moments.records(keep) else Undefined("no labels")

    def reference(self, rows):
        values = [row[f"label.{self.field}"] for row in rows if row[f"label.{self.field}"] is not None]
        mean = math.fsum(values) / len(values) if values else 0.0
        return math.fsum((value - mean) ** 2 for value in values) / len(values) if values else None


EXAMPLE = Example(records=[{"response": "x", "label.score": score} for score in (1.0, 3.0)], value=1.0)


def broken_law(error: pytest.ExceptionInfo[LawError]) -> str:
    return str(error.value).partition("(")[0].removeprefix("law broken: ").strip()


def with_statistic(made: type[Moments], about: dict[str, Any] = ABOUT) -> type[Measure]:
    """The variance read from a spoiled statistic, under a name of its own in this module, so that it can be pickled."""
    name = f"VarianceOf{made.__name__}"
    cls = measure(**{"name": "variance", **about})(type(name, (Variance,), {"made": made, "__module__": __name__}))
    setattr(sys.modules[__name__], name, cls)
    return cls


def assert_caught(law: str, cls: type[Measure], **options: Any) -> None:
    with pytest.raises(LawError) as error:
        check_measure(cls, **options)
    assert broken_law(error) == law, error.value


def test_sound_measure_passes():
    check_measure(Variance)
    check_measure(Variance(field="other"))


@dataclass(eq=False)
class RaisesOnEmpty(Moments):
    def merge(self, other):
        if not other._n.any():
            raise ValueError("nothing to merge")
        super().merge(other)


@dataclass(eq=False)
class ForgetsOnEmpty(Moments):
    def merge(self, other):
        super().merge(other)
        if not other._n.any():
            self._squares = self._squares * 0


@pytest.mark.parametrize("made", [RaisesOnEmpty, ForgetsOnEmpty])
def test_empty_that_is_not_neutral(made):
    assert_caught("identity", with_statistic(made))
    with pytest.raises(LawError, match="identity"):
        check_statistic(made("label.score"))


@measure(**ABOUT, name="variance")
class Weighted(Variance):
    weight: int = 1


def test_parameter_without_effect():
    assert_caught("parameters", Weighted)


@measure(**ABOUT, name="variance")
class Mystery(Variance):
    def statistic(self):
        return Moments("label.score")

    def reference(self, rows):
        return Variance().reference(rows)


def test_text_parameter_without_effect():
    assert_caught("parameters", Mystery)


@dataclass(eq=False)
class Rounded(Moments):
    def state(self):
        return {name: np.round(array, 2) for name, array in super().state().items()}


@dataclass(eq=False)
class Narrowed(Moments):
    def state(self):
        return super().state() | {"squares": self._squares.astype(np.float32)}


@dataclass(eq=False)
class Shared(Moments):
    """Goes on in the arrays it was loaded from."""

    def update(self, batch):
        n, before = self._n, self._n.copy()
        super().update(batch)
        n += self._n - before


@pytest.mark.parametrize("made", [Rounded, Narrowed])
def test_lossy_round_trip(made):
    assert_caught("round trip", with_statistic(made))


def test_loaded_state_that_shares_memory():
    with pytest.raises(LawError, match="round trip"):
        check_statistic(Shared("label.score"))


@dataclass(eq=False)
class Float32Squares(Moments):
    """Σx² - (Σx)² in float32: 10,000 ± 1 has no variance."""

    def __post_init__(self):
        super().__post_init__()
        self._sum = np.zeros(GROUPS, dtype=np.float32)
        self._square = np.zeros(GROUPS, dtype=np.float32)

    def update(self, batch):
        values, present = batch.numbers(self.column)
        super().update(batch)
        np.add.at(self._sum, batch.group[present], values[present].astype(np.float32))
        np.add.at(self._square, batch.group[present], values[present].astype(np.float32) ** 2)

    def merge(self, other):
        super().merge(other)
        self._sum, self._square = self._sum + other._sum, self._square + other._square

    def state(self):
        return super().state() | {"sum": self._sum, "square": self._square}

    def load(self, state):
        super().load(state)
        self._sum, self._square = state["sum"].copy(), state["square"].copy()

    def variance(self, keep):
        n = self._n[keep].sum()
        return max(float(self._square[keep].sum() / n - (self._sum[keep].sum() / n) ** 2), 0.0)


def test_float32_sum_of_squares():
    assert_caught("reference", with_statistic(Float32Squares, ABOUT | {"panel": ({"field": "other"},)}))


@dataclass(eq=False)
class MeanOfMeans(Moments):
    def merge(self, other):
        mine = self._mean
        super().merge(other)
        self._mean = np.where((self._n > other._n) & (other._n > 0), (mine + other._mean) / 2, self._mean)


def test_merge_that_hangs_on_order():
    assert_caught("commutative", with_statistic(MeanOfMeans))
    with pytest.raises(LawError, match="commutative"):
        check_statistic(MeanOfMeans("label.score"))


@dataclass(eq=False)
class Drained(Moments):
    def merge(self, other):
        super().merge(other)
        other._squares = other._squares * 0


def test_merge_that_changes_the_other():
    with pytest.raises(LawError, match="law broken"):
        check_statistic(Drained("label.score"))


@dataclass(eq=False)
class MeanOfGroups(Moments):
    def variance(self, keep):
        return (
            super().variance(keep) if keep.all() else float(np.mean(self._squares[keep] / np.maximum(self._n[keep], 1)))
        )


def test_mask_that_is_no_fold():
    assert_caught("mask", with_statistic(MeanOfGroups))


@dataclass(eq=False)
class CountsAll(Moments):
    def records(self, keep):
        return int(self._n.sum()) if keep.any() else 0


def test_records_that_ignore_the_mask():
    with pytest.raises(LawError, match="mask"):
        check_statistic(CountsAll("label.score"))


def test_value_outside_its_range():
    assert_caught("range", with_statistic(Moments, ABOUT | {"bounds": (0.0, 0.01)}))


@dataclass(eq=False)
class ReadsNull(Moments):
    def update(self, batch):
        values, present = batch.numbers(self.column)
        if not present.all():
            values = np.where(present, values, np.nan)
            self._mean = self._mean + np.bincount(batch.group, weights=values, minlength=GROUPS)
        super().update(batch)


@dataclass(eq=False)
class RaisesOnNull(Moments):
    def update(self, batch):
        _, present = batch.numbers(self.column)
        if not present.all():
            raise ValueError("a label is missing")
        super().update(batch)


@dataclass(eq=False)
class NullIsZero(Moments):
    def update(self, batch):
        filled = {self.column: batch.columns[self.column].fill_null(0.0)}
        super().update(Batch(filled, batch.group, batch.address))


@pytest.mark.parametrize("made", [ReadsNull, RaisesOnNull, NullIsZero])
def test_empty_record_that_does_harm(made):
    assert_caught("range" if made is ReadsNull else "empty record", with_statistic(made))


@measure(**ABOUT, name="variance")
class WrongReference(Variance):
    def reference(self, rows):
        value = super().reference(rows)
        return value and value * 1.001


def test_wrong_reference():
    assert_caught("reference", WrongReference)


def test_tolerance_is_for_stated_bounds():
    check_measure(WrongReference, tolerance=0.01)


@dataclass(eq=False)
class Unpicklable(Moments):
    def __post_init__(self):
        super().__post_init__()
        self._square = lambda value: value**2


def test_statistic_that_cannot_be_pickled():
    assert_caught("picklable", with_statistic(Unpicklable))


def test_measure_that_cannot_be_pickled():
    @measure(**ABOUT, name="variance")
    class Local(Variance):
        def statistic(self):
            return Moments(f"label.{self.field}")

    assert_caught("picklable", Local)


@dataclass(eq=False)
class WithinBatches(Moments):
    """Forgets the spread between the means of batches."""

    def update(self, batch):
        values, present = batch.numbers(self.column)
        values, group = values[present], batch.group[present]
        n = np.bincount(group, minlength=GROUPS)
        mean = np.bincount(group, weights=values, minlength=GROUPS) / np.maximum(n, 1)
        self._squares = self._squares + np.bincount(group, weights=(values - mean[group]) ** 2, minlength=GROUPS)
        self._mean = (self._mean * self._n + mean * n) / np.maximum(self._n + n, 1)
        self._n = self._n + n


def test_batching_that_matters():
    assert_caught("batching", with_statistic(WithinBatches))
    with pytest.raises(LawError, match="batching"):
        check_statistic(WithinBatches("label.score"))


@dataclass(eq=False)
class WeighsByPlace(Moments):
    """Counts the first record of a batch by its place: another order, another value."""

    def update(self, batch):
        super().update(batch)
        if len(batch) > 1 and batch.address[0] < batch.address[1]:
            self._squares = self._squares * (1 + 1e-3)


def test_order_that_matters():
    with pytest.raises(LawError) as error:
        check_statistic(WeighsByPlace("label.score"))
    assert broken_law(error) in {"order", "batching", "merged equals one pass"}


@dataclass(eq=False)
class Undeclared(Moments):
    @property
    def needs(self):
        return ()


def test_column_that_is_not_declared():
    assert_caught("reference", with_statistic(Undeclared))
    with pytest.raises(LawError, match="KeyError"):
        check_statistic(Undeclared("label.score"))


@measure(**ABOUT, name="variance")
class ZeroForNothing(Variance):
    def value(self, moments, keep):
        return moments.variance(keep) if moments.records(keep) else 0.0


@measure(**ABOUT, name="variance")
class NoReason(Variance):
    def value(self, moments, keep):
        return moments.variance(keep) if moments.records(keep) else Undefined("")


@pytest.mark.parametrize("cls", [ZeroForNothing, NoReason])
def test_nothing_is_no_number(cls):
    assert_caught("empty", cls)


@dataclass(eq=False)
class ForgetsWhenRead(Moments):
    def variance(self, keep):
        value = super().variance(keep)
        self._squares = self._squares * 0
        return value


def test_reading_that_changes():
    assert_caught("reading", with_statistic(ForgetsWhenRead))


@measure(**ABOUT, name="variance")
class Never(Variance):
    def value(self, moments, keep):
        return Undefined("never")

    def reference(self, rows):
        return None


def test_measure_without_any_value():
    assert_caught("defined", Never)


def test_wrong_example(monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "EXAMPLE", Example(records=EXAMPLE.records, value=1.01))
    assert_caught("worked example", Variance)
    monkeypatch.delattr(sys.modules[__name__], "EXAMPLE")
    assert_caught("worked example", Variance)


def test_own_rows_and_alternatives():
    rows = make_rows([{"response": f"text {i}", "label.mine": float(i), "label.yours": 1.0} for i in range(20)])
    check_measure(Variance(field="mine"), rows, alternatives={"field": ["yours"]})
    with pytest.raises(LawError, match="parameters"):
        check_measure(Variance(field="mine"), rows, alternatives={"field": ["mine"]})
