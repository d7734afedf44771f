"""Every registered measure, and every statistic, keeps the laws."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import pkgutil

import pytest

import triptych.statistics
from triptych.core.registry import measures
from triptych.core.statistic import Statistic
from triptych.statistics.tables import ColumnTable
from triptych.testing import check_measure, check_statistic

PARAMS = {
    "FlagCounts": {"column": "defects@response"},
    "Moments": {"column": "label.other"},
    "JointCounts": {"x": "label.score", "y": "length@both"},
    "PatternCounts": {"column": "near_duplicates:n=3,threshold=0.5@response"},
    "GroupVectors": {"column": "repeats:n=2@both"},
    "TextBlocks": {"block": 64, "on": "both"},
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
    check_measure(measures()[name])


@pytest.mark.parametrize("cls", statistics(), ids=lambda cls: cls.__name__)
def test_statistic(cls):
    statistic = cls(**PARAMS.get(cls.__name__, {}))
    check_statistic(statistic)
    if any(field.name == "where" for field in dataclasses.fields(cls)):
        check_statistic(dataclasses.replace(statistic, where="valid"))


def test_column_table_of_templates():
    check_statistic(ColumnTable(column="template@prompt", on="prompt", where="valid"))


def test_there_is_a_statistic_for_each_file():
    names = {cls.__module__.rpartition(".")[2] for cls in statistics()}
    assert names >= {"blocks", "flags", "gram", "joint", "moments", "tables", "vectors"}
