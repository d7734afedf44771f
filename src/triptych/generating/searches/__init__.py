"""Searches: which of a method's records to hand on and to go on from, one file each."""
