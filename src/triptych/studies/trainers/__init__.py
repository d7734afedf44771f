"""Trainers: one file each."""
