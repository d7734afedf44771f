"""Auditing scorers: `audit`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from triptych.core.profile import write_json, write_text
from triptych.data import open_dataset
from triptych.engines.progress import Progress
from triptych.profiling.output import claim


def audit(
    data: Any,
    *,
    scorer: str | Sequence[str],
    gold: str | None = None,
    pairs: str | None = None,
    out: str | Path | None = None,
    progress: Progress | None = None,
    **settings: Any,
) -> dict[str, Any]:
    """Say of a score column whether it can be trusted: spread, failures, repeatability, length, position, gold.

    Args:
        data: one data set, as for `measure`.
        scorer: `FIELD`, `FIELD[0]` of a list, `FIELD=VALUE` as 1 or 0, "@length", or a judge that is asked:
            "judge:URL,model=NAME" for grades, "pairs:URL,model=NAME" for verdicts in both orders; several, or several in a
            list.
        gold: likewise, what is taken for true.
        pairs: field whose value the two records of a pair share.
        out: folder for `audit.json` and `report.html`; None: nothing is written.
        progress: what long work tells its caller.
        settings: repeat (second scores), swapped (verdicts in the other order), position: see
            `triptych.auditing.request.AuditOptions`; and how to read the data, as for `measure`.

    Returns:
        The document of `audit.json`; each scorer's `verdict` is usable, weak, no discrimination or cannot tell.

    Raises:
        InputError: bad input or usage, with one clear message; nothing is written.
    """
    from triptych.auditing.request import AuditOptions  # noqa: PLC0415 - only audits need what is below
    from triptych.auditing.verb import AUDIT_FILES, audit_scores  # noqa: PLC0415
    from triptych.report.audit import render_audit  # noqa: PLC0415

    options = AuditOptions.of(scorer, _named(settings, gold, pairs), settings)
    folder = Path(out) if out is not None else None
    if folder is not None and folder.exists():
        claim(folder, own=AUDIT_FILES)
    document = audit_scores(data, open_dataset(data, options.settings.reading()), options, progress)
    if folder is not None:
        claim(folder, own=AUDIT_FILES)
        write_json(folder / "audit.json", document)
        write_text(folder / "report.html", render_audit(document))
    return document


def plan_audit(
    data: Any, *, scorer: str | Sequence[str], gold: str | None = None, pairs: str | None = None, **settings: Any
) -> str:
    """What `audit` would do, in words. Reads only the head of the data.

    Raises:
        InputError: as `audit`.
    """
    from triptych.auditing.request import AuditOptions  # noqa: PLC0415 - only audits need what is below
    from triptych.auditing.verb import describe_audit  # noqa: PLC0415

    options = AuditOptions.of(scorer, _named(settings, gold, pairs), settings)
    return describe_audit(open_dataset(data, options.settings.reading()), options)


def _named(settings: dict[str, Any], gold: str | None, pairs: str | None) -> dict[str, Any]:
    """The options of an audit, taken out of all settings."""
    own: dict[str, Any] = {"gold": gold, "pairs": pairs}
    return own | {name: settings.pop(name) for name in ("repeat", "swapped", "position") if name in settings}
