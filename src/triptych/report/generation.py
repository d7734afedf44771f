"""Generation documents to one page and to a terminal: what was asked, what came of it, what each filter did. Pure.

Equal documents and samples, equal bytes. Texts that models wrote pass the gate of `report.text` before they are shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from triptych.core.errors import SchemaError, message
from triptych.report.fields import finite, items, listed, mapping, number, text
from triptych.report.guard_text import indented
from triptych.report.loose import facts, table, written
from triptych.report.page import render
from triptych.report.study_records import Table
from triptych.report.study_text import plain_table
from triptych.report.text import clean, line
from triptych.report.words import count

SCHEMA = "triptych/recipe@1"
SHOWN, LONG, LISTED = 10, 900, 40
"""Records shown of each kind, characters of each text, entries of a list."""
AXES = ("quality", "diversity", "complexity")
ENDS = {"full": "The budget of records is full.", "short": "It ended short of its budget."}


def render_generation(document: Mapping[str, Any], samples: Mapping[str, Any]) -> str:
    """One self-contained HTML page.

    Args:
        document: `recipe.json` of a run.
        samples: some rows of `data.jsonl` under `kept` and of `failed.jsonl` under `failed`.

    Raises:
        SchemaError: the document has another schema.
    """
    return render("generation.html.jinja", _view(document, samples))


def print_generation(document: Mapping[str, Any], console: Console) -> None:
    """The same on a terminal, in a few lines.

    Raises:
        SchemaError: the document has another schema.
    """
    view = _view(document, {})
    console.print(Text(view["title"], style="bold"))
    console.print(indented(view["ended"], "" if document.get("ended") == "full" else "yellow"))
    for found in (view["filters"], view["short_axes"]):
        if found is None:
            continue
        console.print()
        shown = plain_table(*((head, 0 < place < 5) for place, head in enumerate(found.columns)))
        for row in found.rows:
            shown.add_row(*(Text(cell) for cell in row))
        console.print(shown)
    if view["axes"]:
        console.print(indented(f"each read on {view['axes_n']}; intervals are in the report", "dim"))
    if view["no_axes"]:
        console.print(indented(view["no_axes"], "dim"))
    if view["failed"]:
        console.print(indented("not a record: " + "; ".join(f"{name} ({many})" for name, many in view["failed"])))
    console.print(indented(view["cost_line"]))


def _view(document: Any, samples: Mapping[str, Any]) -> dict[str, Any]:
    """Everything that the template prints.

    Raises:
        SchemaError: the document has another schema.
    """
    if not isinstance(document, Mapping) or document.get("schema", SCHEMA) != SCHEMA:
        got = str(document.get("schema")) if isinstance(document, Mapping) else type(document).__name__
        raise SchemaError(message("not the document of a generation.", got=line(got, 80), want=SCHEMA))
    counts, cost, axes = mapping(document, "counts"), mapping(document, "cost"), mapping(document, "axes")
    kept, made = number(counts, "kept") or 0, number(counts, "made") or 0
    components = mapping(document, "components")
    method, writer = (line(str(components.get(name, "")), 60) for name in ("method", "writer"))
    stopped = text(document, "stopped")
    return {
        "title": f"{count(kept, 'record')} by {method} from {writer}",
        "ended": " ".join(filter(None, [ENDS.get(str(document.get("ended")), ""), _sentence(stopped)])),
        "short": document.get("ended") == "short",
        "lede": f"{count(number(counts, 'asked') or 0, 'request')}, {count(made, 'record')} made, {count(kept)} kept.",
        "filters": _filters(listed(counts, "filters")),
        "axes": _axes(axes),
        "short_axes": _axes(axes, ends=False),
        "no_axes": _sentence(text(axes, "reason")),
        "axes_n": count(number(axes, "n") or 0, "record"),
        "failed": [
            (line(str(name), 160), count(finite(many))) for name, many in list(mapping(counts, "failed").items())[:12]
        ],
        "over": number(counts, "over_budget") or 0,
        "cost": facts({name: value for name, value in cost.items() if name != "purposes"}),
        "cost_line": _cost(cost),
        "purposes": facts(mapping(cost, "purposes")),
        "components": tuple(
            (line(str(name), 60), line(str(value), 200)) for name, value in list(components.items())[: 2 * LISTED]
        ),
        "licences": [line(str(each), 120) for each in items(document.get("licences"))[:LISTED]],
        "unknown": [line(str(each), 60) for each in items(document.get("unknown"))[:LISTED]],
        "seeds": facts(mapping(document, "seeds")),
        "provenance": facts({"hash": document.get("hash"), **mapping(document, "provenance")}),
        "kept": [_sample(row) for row in listed(samples, "kept")[:SHOWN]],
        "lost": _lost([_sample(row) for row in listed(samples, "failed")[:SHOWN]]),
    }


def _filters(found: Sequence[Mapping[str, Any]]) -> Table | None:
    rows = [
        {
            "filter": each.get("filter"),
            "seen": each.get("seen"),
            "kept": each.get("kept"),
            "acceptance": "–" if each.get("acceptance") is None else each.get("acceptance"),
            "dropped most often for": ", ".join(list(mapping(each, "reasons"))[:2]) or "–",
        }
        for each in found
    ]
    return table("What each filter let pass", rows, 24, 5) if rows else None


def _axes(axes: Mapping[str, Any], *, ends: bool = True) -> Table | None:
    """One line for each stage; heads name the measure where there is room for intervals."""
    stages = listed(axes, "stages")
    if not stages:
        return None
    heads = {axis: text(mapping(stages[0], axis), "measure", 60) or axis for axis in AXES}
    body = tuple(
        (
            line(("after " if place else "") + str(stage.get("stage")), 60),
            written(stage.get("records")),
            *(_cell(mapping(stage, axis), ends=ends) for axis in AXES),
        )
        for place, stage in enumerate(stages[:LISTED])
    )
    columns = (
        "stage",
        "records",
        *(f"{axis}: {heads[axis]}" if ends and heads[axis] != axis else axis for axis in AXES),
    )
    return Table("Quality, diversity, complexity by stage", columns, body, 0)


def _cell(found: Mapping[str, Any], *, ends: bool) -> str:
    value, lo, hi = (number(found, name) for name in ("value", "lo", "hi"))
    if value is None:
        return "–"
    between = f" [{written(lo, fixed=True)}, {written(hi, fixed=True)}]" if lo is not None and hi is not None else ""
    return f"{written(value, fixed=True)}{between if ends else ''}"


def _cost(cost: Mapping[str, Any]) -> str:
    tokens = f"{count(number(cost, 'prompt_tokens') or 0)} tokens read, {count(number(cost, 'tokens') or 0)} written"
    money = number(cost, "money")
    return f"{tokens}, " + ("no price is told" if money is None else f"{money:,.4g} of money")


def _sentence(said: str) -> str:
    return said[:1].upper() + said[1:] + ("" if said.endswith(".") else ".") if said else ""


def _lost(found: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    """What did not become a record; where no text came, one of each reason is enough."""
    first: dict[str, int] = {}
    for place, each in enumerate(found):
        first.setdefault(each["reason"], place)
    return [
        each for place, each in enumerate(found) if each["prompt"] or each["response"] or first[each["reason"]] == place
    ]


def _sample(row: Mapping[str, Any]) -> dict[str, str]:
    """A record, or what came instead of one."""
    about = mapping(row, "triptych") or row
    notes = facts({"parents": about.get("parents"), **mapping(about, "method"), "filters": about.get("filters")}, 8)
    return {
        "prompt": clean(str(row.get("prompt") or ""), LONG),
        "response": clean(str(row.get("response") or row.get("text") or ""), LONG),
        "reason": line(f"{row.get('stage')}: {row.get('reason')}" if row.get("reason") else "", 200),
        "notes": "; ".join(f"{name} {value}" for name, value in notes),
    }
