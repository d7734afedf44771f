"""Measures by axis: one file each, and the file is the registration."""
