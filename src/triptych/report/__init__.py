"""JSON documents to pages and tables: the same numbers for people. Pure; it reads documents and measures nothing."""

from triptych.report.design_text import print_design, render_design_text
from triptych.report.profiles import render_profiles
from triptych.report.study import render_study
from triptych.report.study_text import print_study
from triptych.report.terminal import print_profiles, verdicts

__all__ = [
    "print_design",
    "print_profiles",
    "print_study",
    "render_design_text",
    "render_profiles",
    "render_study",
    "verdicts",
]
