"""The verbs `select` and `frontier`: from a data set to the records to train on, and the trade-off they come from."""
