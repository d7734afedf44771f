"""A gate for people and for machines that read lines: `gate.md`, annotations, one sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from triptych.comparing.gate.limits import FAIL, PASS, UNSURE, show
from triptych.comparing.gate.outcome import Outcome
from triptych.comparing.gate.told import Told

Document = Mapping[str, Any]
_NUMBERS = ("value", "lo", "hi", "limit", "baseline", "diff", "diff_lo", "diff_hi", "margin", "n")
_LEVELS = {FAIL: "error", UNSURE: "warning", PASS: "notice"}
_MOST = 6
"""Names that a sentence lists."""


def entry(outcome: Outcome) -> dict[str, Any]:
    """One outcome as it stands in `gate.json`."""
    measure = outcome.measure
    return {
        "rule": outcome.rule.name,
        "measure": None if measure is None else measure.label,
        "kind": outcome.kind,
        "group": outcome.group,
        "by": outcome.rule.by,
        "match": outcome.rule.match if "baseline" in outcome.numbers else None,
        **{name: outcome.numbers.get(name) for name in _NUMBERS},
        "unit": "ratio"
        if outcome.kind == "contamination"
        else "records"
        if measure is None or outcome.kind == "minimum_n"
        else measure.about.unit,
        "better": None if measure is None else outcome.rule.better or measure.about.better,
        "outcome": outcome.outcome,
        "strict": outcome.rule.strict,
        "fails": outcome.fails,
        "text": outcome.text,
    }


def sentence(found: Told, outcomes: Sequence[Outcome]) -> str:
    """The gate in one sentence."""
    failed = [outcome for outcome in outcomes if outcome.fails]
    unsure = [outcome for outcome in outcomes if outcome.outcome == UNSURE and not outcome.fails]
    count = f"{len(outcomes)} limit{'s' if len(outcomes) != 1 else ''}"
    said = f"{len(failed)} of {count} failed" if failed else f"passes {count}" if outcomes else "nothing to judge"
    said += f", {len(unsure)} of them unsure" if unsure and not failed else f", {len(unsure)} unsure" if unsure else ""
    words = {
        "improved": f"improved ({_names(found.better)})",
        "regressed": f"regressed ({_names(found.worse)})"
        + (f"; better: {_names(found.better)}" if found.better else ""),
        "same": "the same as the baseline within the margins",
        "cannot tell": "no change against the baseline can be told",
    }
    return f"{words[found.verdict]}; {said}."


def _names(names: Sequence[str]) -> str:
    return ", ".join(names[:_MOST]) + (f" and {len(names) - _MOST} more" if len(names) > _MOST else "")


def markdown(document: Document) -> str:
    """`gate.md`: a heading, one sentence, a table, notes."""
    passed = "passed" if document["passed"] else "failed"
    lines = [f"### Triptych gate {passed}: {document['verdict']}", ""]
    data, baseline = document["data"], document["baseline"]
    lines += [
        f"{_code(data['name'])} ({data['records']:,} records)"
        + _against(baseline)
        + f": {_plain(document['sentence'])}"
    ]
    lines += ["", "| | rule | data | baseline | difference | wanted |", "| --- | --- | --- | --- | --- | --- |"]
    lines += ["| " + " | ".join(_cells(one)) + " |" for one in document["rules"]]
    told = [one for one in document["rules"] if one["outcome"] != PASS]
    if told:
        lines += ["", *(f"- {one['outcome']}: {_code(_title(one))}: {_plain(one['text'])}" for one in told)]
    if document["warnings"]:
        lines += ["", *(f"- note: {_plain(warning['text'])}" for warning in document["warnings"])]
    return "\n".join(lines) + "\n"


def _against(baseline: Mapping[str, Any] | None) -> str:
    return "" if baseline is None else f" against {_code(baseline['name'])} ({baseline['records']:,} records)"


def _title(one: Mapping[str, Any]) -> str:
    return str(one["rule"]) + (f", {one['by']} = {one['group']}" if one["group"] is not None else "")


def _cells(one: Mapping[str, Any]) -> list[str]:
    mark = one["outcome"] if one["outcome"] != UNSURE or not one["strict"] else "fail (unsure)"
    match = f" (at equal {one['match']})" if one["match"] not in (None, "records", "raw") else ""
    data = _ends(one["value"], one["lo"], one["hi"])
    return [
        f"**{mark}**" if one["fails"] else mark,
        _code(_title(one)) + _plain(match),
        data,
        _ends(one["baseline"], None, None),
        _ends(one["diff"], one["diff_lo"], one["diff_hi"]),
        _wanted(one),
    ]


def _ends(value: float | None, lo: float | None, hi: float | None) -> str:
    if value is None:
        return "-"
    return show(value) if lo is None or hi is None else f"{show(value)} [{show(lo)}, {show(hi)}]"


def _wanted(one: Mapping[str, Any]) -> str:
    if one["kind"] == "no_worse_than_baseline":
        return "no worse" + ("" if one["margin"] is None else f" by {show(one['margin'])}")
    said = {"floor": "at least", "ceiling": "at most", "minimum_n": "records, at least", "at_least_better": "better by"}
    said["contamination"] = "held by, at most"
    return said[one["kind"]] + ("" if one["limit"] is None else f" {show(one['limit'])}")


def _code(text: str) -> str:
    """A name as code, so that nothing in it is markup or a mention."""
    flat = " ".join(str(text).replace("`", "'").replace("|", "\\|").split())
    return f"`{flat or ' '}`"


def _plain(text: str) -> str:
    """A sentence that holds no markup."""
    flat = " ".join(text.split())
    for sign in ("\\", "`", "*", "_", "<", "|", "[", "]"):
        flat = flat.replace(sign, f"\\{sign}")
    return flat.replace("@", "@\u200b")


def workflow_commands(document: Document) -> list[str]:
    """Workflow commands of GitHub Actions: an error for what fails, a warning for what is unsure, a notice at the end."""
    out = []
    for one in document["rules"]:
        level = "error" if one["fails"] else _LEVELS[one["outcome"]]
        if level != "notice":
            out.append(_command(level, f"Triptych gate: {_title(one)}", one["text"]))
    title = f"Triptych gate {'passed' if document['passed'] else 'failed'}: {document['verdict']}"
    return [*out, _command("notice", title, document["sentence"])]


def _command(level: str, title: str, text: str) -> str:
    return f"::{level} title={_escaped(title, inside=True)}::{_escaped(text)}"


def _escaped(text: str, *, inside: bool = False) -> str:
    """As workflow commands want it; inside a property, colons and commas too."""
    out = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return out.replace(":", "%3A").replace(",", "%2C") if inside else out
