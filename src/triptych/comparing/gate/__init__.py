"""The gate: rules for a data set against a baseline, with a verdict and an exit code."""
