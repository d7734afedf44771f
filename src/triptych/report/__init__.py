"""JSON documents to pages and tables: the same numbers for people. Pure; it reads documents and measures nothing."""

from triptych.report.comparison import render_comparison
from triptych.report.comparison_text import print_comparison
from triptych.report.design_text import print_design, render_design_text
from triptych.report.frontier import frontier_answers, frontier_svg, render_frontier, typicality_svg
from triptych.report.frontier_text import print_frontier
from triptych.report.profiles import render_profiles
from triptych.report.study import render_study
from triptych.report.study_text import print_study
from triptych.report.terminal import print_profiles, verdicts

__all__ = [
    "frontier_answers",
    "frontier_svg",
    "print_comparison",
    "print_design",
    "print_frontier",
    "print_profiles",
    "print_study",
    "render_comparison",
    "render_design_text",
    "render_frontier",
    "render_profiles",
    "render_study",
    "typicality_svg",
    "verdicts",
]
