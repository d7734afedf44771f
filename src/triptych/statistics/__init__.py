"""Mergeable statistics in 32 groups, shared by the measures."""
