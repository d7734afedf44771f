"""Fit: does the set suit the student that is to be trained on it?"""
