"""JSON documents to pages and tables: the same numbers for people. Pure; it reads documents and measures nothing."""

from triptych.report.profiles import render_profiles
from triptych.report.terminal import print_profiles, verdicts

__all__ = ["print_profiles", "render_profiles", "verdicts"]
