"""Columns that need the whole set of records at once: near-duplicates, repeats, responses to one prompt."""
