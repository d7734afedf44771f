"""Readers: any training data set into shards of columnar records."""

from triptych.data.columns import SHARD_RECORDS, Shard
from triptych.data.dataset import Dataset, Skip, Summary, field_values, open_dataset
from triptych.data.layout import Layout
from triptych.data.options import ROLES, ReadOptions

__all__ = [
    "ROLES",
    "SHARD_RECORDS",
    "Dataset",
    "Layout",
    "ReadOptions",
    "Shard",
    "Skip",
    "Summary",
    "field_values",
    "open_dataset",
]
