"""Columns computed per record, one file a feature: tokens, embedding, defects, counts, structure."""
