"""The frame of every report: one self-contained HTML file, made from a template and a bounded view.

A page loads nothing: styles and drawings are inline, a content policy forbids scripts and every request, and all text
passes through autoescape. Other documents (comparison, study, guard, frontier) extend `base.html.jinja` and call `render`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

from jinja2 import Environment, PackageLoader, StrictUndefined

from triptych.report.model import Limits
from triptych.report.words import count, number

MAX_BYTES = 3_000_000

Rung = TypeVar("Rung")

LADDER = (
    Limits(),
    Limits(sets=40, estimates=60, points=12, bins=48, histograms=6, examples=2, groups=5, items=3, notes=10),
    Limits(
        sets=24,
        estimates=40,
        points=8,
        bins=32,
        histograms=4,
        kinds=12,
        examples=1,
        groups=3,
        items=2,
        notes=6,
        excerpt=200,
    ),
    Limits(
        sets=12,
        estimates=24,
        points=8,
        bins=24,
        histograms=3,
        kinds=8,
        examples=1,
        groups=2,
        items=1,
        notes=4,
        excerpt=120,
    ),
    Limits(
        sets=6,
        estimates=16,
        points=6,
        bins=16,
        histograms=2,
        kinds=4,
        examples=0,
        groups=0,
        items=0,
        notes=2,
        excerpt=80,
    ),
)
"""What a page shows, from all that is readable to the least; the first that fits `MAX_BYTES` is taken."""


@cache
def environment() -> Environment:
    """The template environment: autoescape always on, an unknown name is an error."""
    made = Environment(
        loader=PackageLoader("triptych.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters["number"] = number
    made.filters["count"] = count
    return made


def render(template: str, context: Mapping[str, Any]) -> str:
    """Render one template of this package."""
    return environment().get_template(template).render(**context)


def render_bounded(template: str, view: Callable[[Rung], Mapping[str, Any]], ladder: Sequence[Rung]) -> str:
    """Render with the most generous limits of `ladder` that keep the page under `MAX_BYTES`."""
    page = ""
    for limits in ladder:
        page = render(template, view(limits))
        if len(page.encode()) < MAX_BYTES:
            break
    return page
