"""Every registered measure, and every statistic, keeps the laws."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import pkgutil
from typing import Literal, get_args, get_origin, get_type_hints

import pytest

import triptych.statistics
from triptych.core.dear import maker_of
from triptych.core.measure import Measure, build
from triptych.core.registry import measures
from triptych.core.rng import stream
from triptych.core.statistic import Statistic
from triptych.engines.catalog import Instruments, work_for
from triptych.features.annotated import Annotated
from triptych.features.reference import Reference
from triptych.measures.calibrated_mean import CalibratedMean
from triptych.measures.dear_mean import DearMean
from triptych.statistics.tables import ColumnTable
from triptych.testing import check_measure, check_statistic
from triptych.testing.fixtures import make_rows

PARAMS = {
    "FlagCounts": {"column": "defects@response"},
    "Moments": {"column": "label.other"},
    "CoMoments": {"x": "length@response", "y": "label.score", "log_x": True},
    "LabelPairs": {"x": "label.score", "y": "label.other"},
    "PromptTallies": {"column": "label.score", "at": 0.5},
    "JointCounts": {"x": "label.score", "y": "length@both"},
    "PatternCounts": {"column": "near_duplicates:n=3,threshold=0.5@response"},
    "GroupVectors": {"column": "repeats:n=2@both"},
    "TextBlocks": {"block": 64, "on": "both"},
    "ScoredGram": {"field": "score"},
    "VectorRows": {"column": "student.gradient"},
    "PoweredMean": {"column": "judge.quality"},
    "Calibrated": {"column": "judge.quality", "field": "score"},
}


def statistics() -> list[type[Statistic]]:
    found = []
    for info in pkgutil.iter_modules(triptych.statistics.__path__, "triptych.statistics."):
        module = importlib.import_module(info.name)
        for item in vars(module).values():
            concrete = inspect.isclass(item) and issubclass(item, Statistic) and not inspect.isabstract(item)
            if concrete and item.__module__ == module.__name__:
                found.append(item)
    return found


@pytest.mark.parametrize("name", sorted(measures()))
def test_measure(name):
    cls = measures()[name]
    check_measure(cls, rows=asked_in_part() if issubclass(cls, (DearMean, CalibratedMean)) else None)


def asked_in_part():
    """Records of which enough, and not all, were asked about for vector and length to predict the rest; some are labelled."""
    draw = stream("laws", "asked in part")
    words = [f"w{rank}" for rank in range(60)]
    texts = [" ".join(words[i] for i in draw.integers(60, size=int(draw.integers(3, 30)))) for _ in range(300)]
    ends = (".", ",", " so it is.")
    labels = [{"label.score": draw.normal() if at % 2 else None, "label.other": at % 7} for at in range(150)]
    rows = [{"prompt": texts[at], "response": texts[-at - 1] + ends[at % 3], **labels[at]} for at in range(150)]
    return make_rows(rows)


@pytest.mark.parametrize("cls", statistics(), ids=lambda cls: cls.__name__)
def test_statistic(cls):
    statistic = cls(**PARAMS.get(cls.__name__, {}))
    check_statistic(statistic)
    if any(field.name == "where" for field in dataclasses.fields(cls)):
        check_statistic(dataclasses.replace(statistic, where="valid"))


def test_column_table_of_templates():
    check_statistic(ColumnTable(column="template@prompt", where="valid"))


def test_there_is_a_statistic_for_each_file():
    names = {cls.__module__.rpartition(".")[2] for cls in statistics()}
    assert names >= {"blocks", "flags", "gram", "joint", "moments", "tables", "vectors"}


def variants(cls: type[Measure]) -> list[Measure]:
    """The example and the panel, on every text and with both settings of every switch."""
    example = importlib.import_module(cls.__module__).EXAMPLE.params
    found = [build(cls, params) for params in (example, *cls.about.panel)]
    for field in dataclasses.fields(cls):
        words = get_args(get_type_hints(cls)[field.name]) or ((True, False) if isinstance(field.default, bool) else ())
        found += [dataclasses.replace(one, **{field.name: word}) for one in list(found) for word in words]
    return list({one.spec.hash: one for one in found}.values())


@pytest.mark.parametrize("name", sorted(measures()))
def test_columns_that_a_measure_reads_are_given(name):
    for one in variants(measures()[name]):
        dear = tuple(need for need in one.statistic().needs if maker_of(need))
        made = Annotated(dear, "0", 1 << 64, "none", "a model")
        references = tuple(Reference("none", "0", 5, on) for on in ("prompt", "response", "both"))
        work = work_for(one.statistic().needs, Instruments(annotations=(made,), references=references))
        given = {column for maker in (*work.features, *work.relations) for column in maker.gives}
        for need in one.statistic().needs:
            assert need in given or "@" not in need, (one.label, need)
        for maker in work.features:
            hints = get_type_hints(type(maker))
            assert all(
                getattr(maker, key) in get_args(hint) for key, hint in hints.items() if get_origin(hint) is Literal
            ), (one.label, maker)
