"""Outputs of other generators as finished recipes: what a file or folder states of how it was made, and what it leaves open.

One file for each kind. Nothing is guessed: a component that no field names is listed as unknown.
"""
