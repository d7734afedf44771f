"""What moved the scores: effects of factors on panels, with intervals that hold, from a table of runs."""
