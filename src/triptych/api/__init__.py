"""The verbs. Each command of the command line is one of these calls plus printing."""

from __future__ import annotations

from triptych.api.attributing import attribute, plan_attribute
from triptych.api.auditing import audit, plan_audit
from triptych.api.comparing import compare, gate, plan_compare, plan_gate
from triptych.api.generating import generate, plan_generate
from triptych.api.guarding import guard, plan_guard
from triptych.api.listing import explain, list_measures, list_selectors, list_worlds
from triptych.api.looping import loop, plan_loop
from triptych.api.measuring import adapt, demo, measure, plan
from triptych.api.selecting import frontier, plan_frontier, plan_select, select
from triptych.api.studying import design, plan_design, plan_solve, plan_study, solve, study, trace, world

__all__ = [
    "adapt",
    "attribute",
    "audit",
    "compare",
    "demo",
    "design",
    "explain",
    "frontier",
    "gate",
    "generate",
    "guard",
    "list_measures",
    "list_selectors",
    "list_worlds",
    "loop",
    "measure",
    "plan",
    "plan_attribute",
    "plan_audit",
    "plan_compare",
    "plan_design",
    "plan_frontier",
    "plan_gate",
    "plan_generate",
    "plan_guard",
    "plan_loop",
    "plan_select",
    "plan_solve",
    "plan_study",
    "select",
    "solve",
    "study",
    "trace",
    "world",
]
