"""Measuring one data set end to end: the panel, the fold, the readings, what stands beside them, the files."""
