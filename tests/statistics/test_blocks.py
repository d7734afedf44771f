"""Blocks of text beyond what is kept."""

import numpy as np
import pyarrow as pa

from triptych.core.batch import Batch
from triptych.core.groups import group_of, mix
from triptych.statistics import blocks
from triptych.statistics.blocks import TextBlocks


def test_a_sample_is_not_called_exact(monkeypatch):
    monkeypatch.setattr(blocks, "CAPACITY", 1 << 10)
    statistic = TextBlocks(block=256)
    texts = pa.array([f"text number {i} of many" for i in range(4000)])
    keys = mix(np.arange(4000, dtype=np.uint64))
    statistic.update(Batch({"response": texts}, group_of(keys), keys))
    exact, words = statistic.bound()
    assert not exact
    assert "random sample" in words
