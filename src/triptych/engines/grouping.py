"""Which records belong together, and so which of the 32 groups each record falls in.

A record is on its own (its group is a hash of its address) unless records are clustered by design:

    named       an explicit group field (or `--group-by`): the field's value
    row         one row gives several records (N completions, chosen and rejected): the row
    prompt      a prompt has at least two *different* responses: the prompt

Rows that repeat a prompt *and* its one response are no cluster: they are spread by address, so that copies count as the
independent draws they are (a random 1/32 of 100 texts x 100 copies holds about 96 different texts).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from triptych.core.groups import address_keys, group_of, mix
from triptych.core.relation import Keys
from triptych.core.sorting import different, tally
from triptych.data import Layout
from triptych.engines.store import FeatureStore

NEEDS = ("key@prompt", "key@response", "key@group")


@dataclass(frozen=True)
class Grouping:
    """The keys of all records and, in one line, the rule that made the groups."""

    keys: Keys
    sentence: str
    clusters: int


def _numbers(store: FeatureStore, column: str) -> NDArray[np.uint64]:
    chunks = store.whole(column)
    filled = pc.fill_null(chunks.cast("uint64"), 0)
    return np.asarray(filled.to_numpy())


def group_records(store: FeatureStore, layout: Layout) -> Grouping:
    """Group all records of a data set by the rule above."""
    address = store.address()
    cluster, sentence = _clusters(store, layout)
    cluster = np.where(cluster == 0, np.uint64(0), np.maximum(mix(cluster), np.uint64(1)))
    group = group_of(np.where(cluster == 0, address, cluster))
    names, size = tally(cluster[cluster != 0])
    several = int((size > 1).sum())
    if not len(names):
        return Grouping(Keys(np.arange(len(address)), address, group, cluster), sentence, 0)
    detail = f"{sentence}: {len(names):,} in all, {several:,} with several records"
    return Grouping(Keys(np.arange(len(address)), address, group, cluster), detail, several)


def _clusters(store: FeatureStore, layout: Layout) -> tuple[NDArray[np.uint64], str]:
    """Key of the cluster of each record, 0 where it is on its own, and the rule in words."""
    if layout.group_field is not None:
        return _numbers(store, "key@group"), f'grouped by the field "{layout.group_field}"'
    if layout.parts:
        source, row = store.whole("source").to_numpy(), store.whole("row").to_numpy()
        return np.maximum(
            address_keys(source, row, np.zeros_like(source)), np.uint64(1)
        ), "grouped by row, since a row gives several records"
    prompt, response = _numbers(store, "key@prompt"), _numbers(store, "key@response")
    several = prompt[:0]
    if layout.has_prompt and layout.has_response:
        several = _prompts_with_several(prompt, response)
    if not len(several):
        return np.zeros(len(prompt), dtype=np.uint64), "each record on its own (no prompt has two different responses)"
    clustered = np.isin(prompt, several)
    share = f"{len(several):,} prompts with at least two different responses"
    return np.where(clustered, prompt, np.uint64(0)), f"grouped by prompt where it has several responses ({share})"


def _prompts_with_several(prompt: NDArray[np.uint64], response: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Keys of the prompts that have at least two different responses, ascending."""
    order = np.lexsort((response, prompt))
    prompt, response = prompt[order], response[order]
    change = (prompt[1:] == prompt[:-1]) & (response[1:] != response[:-1])
    return different(prompt[1:][change & (prompt[1:] != 0)])
