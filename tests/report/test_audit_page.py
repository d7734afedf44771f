"""Audit documents as a page and on a terminal: inert, bounded, complete, and never broken by what is missing."""

import copy
import io
import json

import pytest
from rich.console import Console

from triptych import api
from triptych.core.errors import SchemaError
from triptych.core.rng import stream
from triptych.report import print_audit, render_audit
from triptych.report.audit_model import read_audit

HOSTILE = "<script>alert(1)</script>\u202e\x00[red]" + "x" * 900
KEYS = ("dataset", "gold", "scorers", "thresholds", "warnings", "provenance")


@pytest.fixture(scope="module")
def document():
    rng = stream("audit page")
    rows = []
    for at in range(120):
        truth = rng.normal()
        row = {"prompt": f"Question {at % 40}?", "response": "word " * int(rng.integers(1, 30)) + str(at)}
        rows.append({**row, "gold": int(truth > 0), "judge": [truth + rng.normal(), truth + rng.normal()], "flat": 1})
    rows[5]["judge"] = "8/10 <b>"
    return api.audit(rows, scorer=("judge", "flat"), gold="gold")


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
    many["scorers"] = many["scorers"] * 40
    holes = {f"holes {at}": without(document, 0.25, stream("holes", at)) for at in range(6)}
    wrong = {"bare": {}, "wrong": dict.fromkeys(KEYS, 7), "texts": {key: ["a"] for key in KEYS}}
    return {"document": document, "hostile": hostile(document), "many": many, **holes, **wrong}


def test_pages_are_inert_and_bounded(cases, inert):
    for case in cases.values():
        html = render_audit(case)
        inert(html)
        assert render_audit(case) == html


def test_every_number_and_reason_is_on_the_page(document):
    html = render_audit(document)
    for scorer in document["scorers"]:
        assert scorer["verdict"] in html
        for numbers in scorer["numbers"].values():
            for each in numbers:
                assert each["title"] in html
    assert "8/10 &lt;b&gt;" in html


def test_the_terminal(cases):
    for case in cases.values():
        out = io.StringIO()
        print_audit(case, Console(file=out, width=80))
        assert "\u202e" not in out.getvalue()
    out = io.StringIO()
    print_audit(cases["document"], Console(file=out, width=80))
    assert "flat: no discrimination" in out.getvalue()
    assert max(len(text) for text in out.getvalue().splitlines()) <= 80


def test_another_schema_is_refused(document):
    with pytest.raises(SchemaError, match="no audit document"):
        render_audit({**document, "schema": "triptych/guard@1"})
    assert read_audit(json.loads(json.dumps(document))).scorers_total == 2
