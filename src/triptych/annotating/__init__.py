"""Dear columns: what costs a call to a model for each record, made before the scan, on a sample, and kept row by row."""
