"""Engines: features once per shard, statistics folded in shard order, the same bits for any number of workers."""
