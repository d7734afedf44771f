"""A pool into arms at target levels of quality, diversity and complexity, with everything else held equal."""
