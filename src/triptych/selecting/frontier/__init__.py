"""The verb `frontier`: the trade-off between quality and diversity that every policy offers under one budget."""
