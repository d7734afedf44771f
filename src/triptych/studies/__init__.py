"""Controlled studies: design arms, train, and trace each axis to in- and out-of-distribution scores."""
