"""Task families made by procedure, whose true answers are known."""
