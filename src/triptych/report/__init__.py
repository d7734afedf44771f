"""JSON documents to pages and tables: the same numbers for people. Pure; it reads documents and measures nothing."""

from triptych.report.attribution import render_attribution
from triptych.report.attribution_text import print_attribution
from triptych.report.audit import render_audit
from triptych.report.audit_text import print_audit
from triptych.report.comparison import render_comparison
from triptych.report.comparison_text import print_comparison
from triptych.report.design_text import print_design, render_design_text
from triptych.report.frontier import frontier_answers, frontier_svg, render_frontier, typicality_svg
from triptych.report.frontier_text import print_frontier
from triptych.report.generation import print_generation, render_generation
from triptych.report.guard import render_guard
from triptych.report.guard_text import print_guard
from triptych.report.loop import loop_svg, render_loop
from triptych.report.loop_text import print_loop
from triptych.report.profiles import render_profiles
from triptych.report.study import render_study
from triptych.report.study_text import print_study
from triptych.report.terminal import print_profiles, verdicts

__all__ = [
    "frontier_answers",
    "frontier_svg",
    "loop_svg",
    "print_attribution",
    "print_audit",
    "print_comparison",
    "print_design",
    "print_frontier",
    "print_generation",
    "print_guard",
    "print_loop",
    "print_profiles",
    "print_study",
    "render_attribution",
    "render_audit",
    "render_comparison",
    "render_design_text",
    "render_frontier",
    "render_generation",
    "render_guard",
    "render_loop",
    "render_profiles",
    "render_study",
    "typicality_svg",
    "verdicts",
]
