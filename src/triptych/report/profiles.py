"""Profile documents to one page: `render_profiles`. Pure; the same documents give the same bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from triptych.core.errors import UsageError
from triptych.report.comparison_records import Overlaps
from triptych.report.comparison_words import reading_words
from triptych.report.encoders import two_encoders
from triptych.report.model import Limits, Profile, read_profile
from triptych.report.page import LADDER, render_bounded
from triptych.report.panels import SetView, methods, panels, size_curves
from triptych.report.rows import rows
from triptych.report.verdict import sentences
from triptych.report.words import AXES, count, letter, listing


def render_profiles(profiles: Sequence[Mapping[str, Any]]) -> str:
    """One self-contained HTML page for one or several profile documents, side by side.

    Args:
        profiles: profile documents (`triptych/profile@1`) as read from JSON.

    Returns:
        The page, under 3 MB. What had to be left out for that is counted on the page.

    Raises:
        UsageError: there is no profile.
        SchemaError: a document has another schema.
    """
    if not profiles:
        raise UsageError("a report needs at least one profile.")
    return render_bounded("profiles.html.jinja", lambda limits: profile_view(profiles, limits), LADDER)


def profile_view(documents: Sequence[Mapping[str, Any]], limits: Limits) -> dict[str, Any]:
    """Everything that the template prints, from the documents."""
    read = [read_profile(document, limits) for document in documents[: limits.sets]]
    sets = set_views(read)
    lined_up = {axis: rows(read, axis) for axis in AXES}
    return {
        "title": _title(read, len(documents)),
        "sets": sets,
        "several": len(sets) > 1,
        "notes": _notes(read, len(documents)),
        "panels": panels(read, sets, lined_up),
        "size_curves": size_curves(sets, lined_up["diversity"]),
        "encoders": two_encoders(read),
        "overlaps": overlaps(read),
        "cell": reading_words,
        "defects": _defects(read),
        "defects_in_panel": len(sets) <= 3,
        "methods": methods(sets, lined_up),
        "levels": _levels(read),
        "limits": limits,
    }


def set_views(profiles: Sequence[Profile]) -> list[SetView]:
    """Letter, colour and verdict of each set."""
    texts = sentences(profiles)
    return [
        SetView(index, letter(index), f"s{index % 8}", profile, texts[index]) for index, profile in enumerate(profiles)
    ]


def overlaps(profiles: Sequence[Profile]) -> Overlaps | None:
    """What all sets hold of benchmarks; None where that was not asked of any."""
    found = [profile.contamination for profile in profiles if profile.contamination]
    if not found:
        return None
    rows = tuple(row for each in found for row in each.rows)
    if len(profiles) == 1:
        rows = tuple(replace(row, owner="") for row in rows)
    return Overlaps(rows, " ".join(each.text for each in found if each.text))


def _title(profiles: Sequence[Profile], total: int) -> str:
    names = [profile.dataset.name for profile in profiles]
    if total > 4:
        return f"{total} data sets side by side"
    return listing(names)


def _notes(profiles: Sequence[Profile], total: int) -> list[str]:
    """What a reader must know before comparing the sets."""
    notes = []
    if total > len(profiles):
        notes.append(
            f"{count(total, 'set')} were given; this page shows the first {len(profiles)}. The others are in their profiles."
        )
    encoders: dict[str, list[str]] = {}
    for index, profile in enumerate(profiles):
        if profile.provenance.encoder:
            encoders.setdefault(profile.provenance.encoder, []).append(letter(index))
    if len(encoders) > 1:
        found = "; ".join(f"{listing(who)}: {name}" for name, who in encoders.items())
        notes.append(
            f"The sets were measured under different encoders ({found}). Numbers that depend on the encoder cannot be compared "
            "between them and never share a scale here. Measure all sets with one encoder to compare them."
        )
    sizes = [profile.dataset.records for profile in profiles if profile.dataset.records]
    if len(sizes) > 1 and max(sizes) > 1.1 * min(sizes):
        notes.append(
            f"The sets differ in size ({count(min(sizes))} to {count(max(sizes), 'record')}), and diversity grows with size: compare the size "
            "curves at a common n, not the values at full size."
        )
    return notes


def _levels(profiles: Sequence[Profile]) -> str:
    levels = sorted({item.level for profile in profiles for item in profile.estimates if item.lo is not None})
    return listing([f"{level:g}" for level in levels])


def _defects(profiles: Sequence[Profile]) -> list[dict[str, Any]]:
    """One line for each kind of defect, with one cell for each set (None: the set has none of it)."""
    kinds: dict[str, list[Any]] = {}
    for which, profile in enumerate(profiles):
        for defect in profile.defects:
            kinds.setdefault(defect.kind, [None] * len(profiles))[which] = defect
    return [{"kind": kind, "cells": cells} for kind, cells in kinds.items()]
