"""Every policy keeps all laws."""

from __future__ import annotations

import pytest

from triptych.selectors.archive import Archive
from triptych.selectors.registry import selectors
from triptych.testing import check_selector

# Where all vectors are at right angles, k-means parts them by rounding: that there is no first is no defect.
CLUSTERED = {"archive", "mig"}


@pytest.mark.parametrize("name", selectors())
def test_laws(name):
    check_selector(selectors()[name], skip=("rounding",) if name in CLUSTERED else ())


@pytest.mark.parametrize("by", ["length:3", "complexity:3+structure", "field:tag+field:size:3", "cluster:4+length:2"])
def test_laws_of_other_descriptors(by):
    check_selector(Archive(by), skip=("rounding",))
