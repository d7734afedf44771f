"""Audit documents to one page: `render_audit`. Pure; the same document gives the same bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from triptych.report.audit_model import read_audit
from triptych.report.audit_records import AUDIT_LADDER, SECTIONS, Audit, AuditNumber, Block, Scorer
from triptych.report.page import render_bounded
from triptych.report.plots import MARK_PAD, Mark, RidgePlot, ridge_plot
from triptych.report.scales import Scale, rounded
from triptych.report.words import count, decimals, listing, not_defined, number, span

ON_ONE = {"ratio": (0.0, 1.0), "probability": (0.0, 1.0), "difference": (-1.0, 1.0)}
"""Ends of the scale by unit; correlations and kappa run from -1 to 1, other numbers are not drawn."""


def render_audit(document: Mapping[str, Any]) -> str:
    """One self-contained HTML page for an audit document.

    Args:
        document: an audit document (`triptych/audit@1`) as read from JSON.

    Returns:
        The page, under 3 MB. What had to be left out for that is counted on the page.

    Raises:
        SchemaError: the document has another schema.
    """
    return render_bounded("audit.html.jinja", lambda limits: audit_view(read_audit(document, limits)), AUDIT_LADDER)


def audit_view(found: Audit) -> dict[str, Any]:
    """Everything that the template prints."""
    return {
        "found": found,
        "title": headline(found),
        "lede": lede(found),
        "scorers": [_scorer_view(one, at) for at, one in enumerate(found.scorers)],
        "left_out": found.scorers_total - len(found.scorers),
    }


def headline(found: Audit) -> str:
    """The verdicts in one line."""
    if not found.scorers:
        return "No scorer was audited"
    if len(found.scorers) == 1:
        one = found.scorers[0]
        return f"{one.name}: {one.verdict or 'no verdict'}"
    return "; ".join(f"{one.name}: {one.verdict or 'no verdict'}" for one in found.scorers[:4]) + (
        f" and {found.scorers_total - 4} more" if found.scorers_total > 4 else ""
    )


def lede(found: Audit) -> str:
    """What was audited, on what, against what."""
    names = [one.name for one in found.scorers[:6]]
    against = f"against {found.gold_name}" if found.gold_name else "without gold labels"
    return f"{found.title}: {listing(names) or 'nothing'} audited {against}. A score is trusted for what its intervals show."


def written(item: AuditNumber) -> tuple[str, str]:
    """Value and interval in words."""
    found = item.reading
    if found.value is None:
        return "not defined", item.undefined or "no reason was given"
    half = (found.hi - found.lo) / 2 if found.hi is not None and found.lo is not None else None
    signed = item.unit in ("kappa", "difference", "probability") or "correlation" in item.unit
    places = 3 if signed else decimals(found.value, half, item.unit)
    if found.lo is None or found.hi is None:
        return number(found.value, places), f"no interval: {item.no_interval or 'no reason was given'}"
    return number(found.value, places), span(found.lo, found.hi, places)


def _scorer_view(one: Scorer, at: int) -> dict[str, Any]:
    return {
        "one": one,
        "id": f"scorer-{at}",
        "sections": [
            {"title": SECTIONS[key][0], "about": SECTIONS[key][1], "rows": [_row(item) for item in held]}
            for key, held in one.sections
            if held
        ],
        "ridge": _ridge(one),
        "blocks": _blocks(one.blocks),
        "sets": [{"css": one.css, "name": one.name, "letter": "A"}],
    }


def _row(item: AuditNumber) -> dict[str, Any]:
    value, ends = written(item)
    of = count(item.n) if item.n is not None else ""
    if item.clusters is not None and item.n is not None and item.clusters < item.n:
        of += f" from {count(item.clusters)}"
    return {
        "item": item,
        "value": value,
        "ends": ends,
        "of": of,
        "mark": _mark(item),
        "spoken": f"{item.title}: {value}",
    }


def _mark(item: AuditNumber) -> Mark | None:
    ends = ON_ONE.get(item.unit, (-1.0, 1.0) if "correlation" in item.unit or item.unit == "kappa" else None)
    if ends is None or item.reading.value is None:
        return None
    return _placed(item.reading.value, item.reading.lo, item.reading.hi, Scale(*ends))


def _placed(value: float, lo: float | None, hi: float | None, scale: Scale) -> Mark:
    def place(at: float) -> float:
        return round(MARK_PAD + (100 - 2 * MARK_PAD) * scale.at(at), 1)

    return Mark(place(value), None if lo is None else place(lo), None if hi is None else place(hi))


def _ridge(one: Scorer) -> RidgePlot | None:
    return ridge_plot([(0, one.histogram)]) if one.histogram is not None else None


def _blocks(found: Sequence[Block]) -> list[dict[str, Any]]:
    """Tenths of the file with their means on a common scale."""
    ends = [end for each in found for end in (each.mean.value, each.mean.lo, each.mean.hi) if end is not None]
    if not ends:
        return []
    scale, places = rounded(min(ends), max(ends)), decimals(max(map(abs, ends)), (max(ends) - min(ends)) / 20, "")
    out = []
    for at, each in enumerate(found):
        mean = each.mean
        shown = not_defined("no score here") if mean.value is None else number(mean.value, places)
        mark = None if mean.value is None else _placed(mean.value, mean.lo, mean.hi, scale)
        out.append({"at": at + 1, "first": each.first, "value": shown, "mark": mark, "failed": count(each.failed)})
    return out
