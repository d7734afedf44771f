"""Documents of generations as a page and on a terminal: inert, bounded, complete, and never broken by what is missing."""

import copy
import io

import pytest
from rich.console import Console

from triptych import api
from triptych.core.errors import SchemaError
from triptych.core.rng import stream
from triptych.generating.samples import samples
from triptych.report import print_generation, render_generation

HOSTILE = "<script>alert(1)</script>\u202e\x00[red]" + "x" * 900
RECIPE = {
    "seeds": {"world": "programs", "records": 40, "licence": "CC0-1.0"},
    "writer": {"kind": "world", "world": "programs"},
    "method": {"name": "few_shot"},
    "filters": [{"name": "near_duplicate", "threshold": 0.5}, {"name": "quality", "least": 1.0}],
    "grade": {"world": "programs"},
    "budget": {"records": 30},
}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("generation")
    return api.generate(RECIPE, out=folder), samples(folder)


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
def cases(run):
    document, rows = run
    many = copy.deepcopy(document)
    many["counts"]["filters"] *= 200
    many["axes"]["stages"] *= 200
    many["licences"] *= 5000
    holes = {
        f"holes {at}": (without(document, 0.25, stream("holes", at)), without(rows, 0.25, stream("rows", at)))
        for at in range(6)
    }
    wrong = {"bare": ({}, {}), "wrong": (dict.fromkeys(document, 7) | {"schema": document["schema"]}, {"kept": 3})}
    texts = {key: ["a"] for key in document} | {"schema": document["schema"]}
    plain = {"document": run, "hostile": (hostile(document), hostile(rows)), "many": (many, rows)}
    return plain | holes | wrong | {"texts": (texts, {"kept": ["a"], "failed": [{"reason": 5}]})}


def test_pages_are_inert_and_bounded(cases, inert):
    for document, rows in cases.values():
        page = render_generation(document, rows)
        inert(page)
        assert render_generation(document, rows) == page


def test_counts_reasons_and_records_are_on_the_page(run, parsed):
    document, rows = run
    text = parsed(render_generation(document, rows)).text
    for each in document["counts"]["filters"]:
        assert each["filter"] in text
        assert f"{each['seen']} {each['kept']}" in text
    for stage in document["axes"]["stages"]:
        assert stage["stage"] in text
    for row in rows["kept"]:
        assert row["prompt"] in text
    assert "CC0-1.0" in text
    assert "Not told: writer.licence" in text


def test_the_terminal(cases):
    for document, _ in cases.values():
        out = io.StringIO()
        print_generation(document, Console(file=out, width=80))
        lines = out.getvalue().splitlines()
        assert lines
        assert max(map(len, lines)) <= 80
        assert "\x00" not in out.getvalue()


def test_another_document_is_refused():
    for found in ({"schema": "triptych/audit@1"}, [], "recipe.json"):
        with pytest.raises(SchemaError, match="not the document of a generation"):
            render_generation(found, {})


def test_a_failure_without_a_text_is_shown_once(run):
    document, found = run
    empty = {"stage": "method", "reason": "nobody answered", "text": "", "parents": ["s1"]}
    said = {**empty, "reason": "cut", "text": "half a sen"}
    page = render_generation(document, {**found, "failed": [empty, empty, said, empty, said]})
    assert page.count("method: nobody answered") == 1
    assert page.count("half a sen") == 2
