"""The preset `findings`: the three findings of arXiv 2412.02980 from nothing, in worlds whose dials are known."""
