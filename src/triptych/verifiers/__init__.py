"""Verifiers: each grades a response to a row by a rule that can be checked, one file each; the file is the registration."""
