"""Attribution documents as a page and on a terminal: inert, bounded, complete, and never broken by what is missing."""

import copy
import io
import json

import pytest
from rich.console import Console

from triptych import api
from triptych.core.errors import SchemaError
from triptych.core.rng import stream
from triptych.report import print_attribution, render_attribution
from triptych.report.page import MAX_BYTES

HOSTILE = "<script>alert(1)</script>\u202e\x00[red]" + "x" * 900
KEYS = ("comparability", "runs", "measures", "taxonomy", "effects", "interactions", "costs", "scatter", "provenance")


@pytest.fixture(scope="module")
def document(tmp_path_factory):
    folder, places = tmp_path_factory.mktemp("runs"), []
    for method in ("few_shot", "evol"):
        for heat in ("0.7", "1.2"):
            rng, place = stream("attribution page", method, heat), folder / f"{method}-{heat}"
            place.mkdir()
            right = rng.random(60) < 0.5 + 0.3 * (method == "evol")
            rows = [
                {"prompt": f"Question {at} of {method} at {heat}?", "response": f"Answer {at}.", "correct": int(one)}
                for at, one in enumerate(right)
            ]
            (place / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
            parts = {"seeds": "none", "writer": "lm", "search": "none", "filters": "none", "method": method}
            recipe = {"schema": "triptych/recipe@1", "components": {**parts, "writer.temperature": heat}, "unknown": []}
            (place / "recipe.json").write_text(json.dumps({**recipe, "counts": {"kept": 60}, "cost": {"tokens": 900}}))
            places.append(place)
    return api.attribute(*places, workers=1)


def hostile(found):
    """The document with every text replaced."""
    if isinstance(found, dict):
        return {key: value if key == "schema" else hostile(value) for key, value in found.items()}
    if isinstance(found, list):
        return [hostile(value) for value in found]
    return HOSTILE if isinstance(found, str) else found


def without(found, rate, rng):
    """The document with a share of its keys gone."""
    if isinstance(found, dict):
        return {k: without(v, rate, rng) for k, v in found.items() if k == "schema" or rng.random() > rate}
    return [without(value, rate, rng) for value in found] if isinstance(found, list) else found


@pytest.fixture(scope="module")
def cases(document):
    many = copy.deepcopy(document)
    many["runs"], many["interactions"] = many["runs"] * 200, many["interactions"] * 400
    holes = {f"holes {at}": without(document, 0.25, stream("holes", at)) for at in range(6)}
    wrong = {"bare": {}, "wrong": dict.fromkeys(KEYS, 7), "texts": {key: ["a"] for key in KEYS}}
    return {"document": document, "hostile": hostile(document), "many": many, **holes, **wrong}


def test_pages_are_inert_and_bounded(cases, parsed):
    for name, case in cases.items():
        html = render_attribution(case)
        page = parsed(html)
        assert page.faults == [], name
        assert {"script", "iframe", "object", "link", "img", "form"}.isdisjoint(page.tags), name
        assert len(html.encode()) < MAX_BYTES
        assert render_attribution(case) == html
        ids = [value for _, key, value in page.attributes if key == "id"]
        assert len(ids) == len(set(ids))
        assert not any(key.startswith("on") or key in ("src", "style") for _, key, _ in page.attributes)
        assert "\u202e" not in html


def test_what_was_found_is_on_the_page(document, parsed):
    text = parsed(render_attribution(document)).text
    assert document["comparability"]["sentence"] in text
    assert "conditional on the one run of each cell" in text
    for row in document["effects"]:
        assert row["title"] in text
        assert row["verdict"] in text
    for run in document["runs"]:
        assert run["name"] in text
    assert "Prompt method" in text
    assert "held at" in text
    assert "no interval" in text


def test_the_terminal(cases):
    for name, case in cases.items():
        out = io.StringIO()
        print_attribution(case, Console(file=out, width=80, color_system=None))
        lines = out.getvalue().splitlines()
        assert max(map(len, lines), default=0) <= 80, name
        assert "\u202e" not in out.getvalue()
    shown = io.StringIO()
    print_attribution(cases["document"], Console(file=shown, width=80))
    assert "▲ raises" in shown.getvalue()
    assert "evol" in shown.getvalue()


def test_another_schema_is_refused():
    for found in ({"schema": "triptych/study@1"}, [1]):
        with pytest.raises(SchemaError, match="no attribution document"):
            render_attribution(found)


def test_a_letter_of_several_runs_is_named_for_the_cell():
    from triptych.report.attribution_map import _cell_name

    assert [_cell_name("01-few_shot-r2", many) for many in (True, False)] == ["01-few_shot", "01-few_shot-r2"]
