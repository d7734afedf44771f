"""Policies of a loop: one file each."""
