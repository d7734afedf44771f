"""JSON documents to pages: the same numbers for people. Pure; it reads documents and measures nothing."""

from triptych.report.profiles import render_profiles

__all__ = ["render_profiles"]
