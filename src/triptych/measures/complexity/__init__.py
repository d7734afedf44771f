"""Complexity: how demanding is a record?"""
