"""A random sample of the texts of a data set, by hash of the address: the same whatever the order or the shards."""

from __future__ import annotations

import numpy as np

from triptych.core.groups import address_keys
from triptych.data import Dataset


def sample_texts(dataset: Dataset, size: int) -> list[str]:
    """At most `size` responses (prompts where there are none), in the order of their hash; memory holds just those.

    Raises:
        InputError: the data cannot be read.
    """
    on = "response" if dataset.layout.has_response else "prompt"
    kept: list[tuple[int, str]] = []
    for shard in dataset.shards():
        source, row, part = (shard.batch.column(name).to_numpy() for name in ("source", "row", "part"))
        keys = address_keys(source, row, part)
        texts = shard.batch.column(on)
        first = np.argsort(keys)[:size]
        kept += [(int(keys[at]), texts[int(at)].as_py()) for at in first if texts[int(at)].as_py()]
        kept = sorted(kept)[:size]
    return [text for _, text in kept]
