"""Laws that every measure, statistic and policy keeps, and records to check them on: for plug-in authors too."""

from __future__ import annotations

from triptych.core.errors import LawError
from triptych.testing.fixtures import fixtures, make_batch, make_rows
from triptych.testing.measures import check_measure
from triptych.testing.selectors import check_selector
from triptych.testing.statistics import check_statistic

__all__ = ["LawError", "check_measure", "check_selector", "check_statistic", "fixtures", "make_batch", "make_rows"]
