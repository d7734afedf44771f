"""Diversity: how much of the set is new beside the rest?"""
