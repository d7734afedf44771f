"""The preset `findings`: its design is what it says, and a small version of it runs from nothing to a page."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from triptych import api
from triptych.core.errors import SpecError
from triptych.statistics.rarefied import effective
from triptych.studies.findings import presets
from triptych.studies.findings.build import write_design
from triptych.studies.findings.presets import PRESETS, chosen
from triptych.studies.folder import read_design
from triptych.studies.panels import read_examples


def small(world, **changes):
    return replace(PRESETS[world], records=240, items=30, **changes)


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    return read_design(write_design(tmp_path_factory.mktemp("design"), small("programs"), 2))


def test_every_block_has_all_points_in_both_designs(programs):
    assert [part.title for part in programs.parts] == ["equal records", "equal tokens"]
    for part in programs.parts:
        arms = [arm for arm in programs.arms if arm.name in part.arms]
        assert Counter(arm.block for arm in arms) == {"0": 9, "1": 9}
        assert Counter(tuple(arm.levels.values()) for arm in arms if arm.block == "0") == Counter(
            [(q, d, c) for q in (-1.0, 1.0) for d in (-1.0, 1.0) for c in (-1.0, 1.0)] + [(0.0, 0.0, 0.0)]
        )


def test_what_is_equal_is_equal(programs):
    records, tokens = ([arm for arm in programs.arms if arm.name in part.arms] for part in programs.parts)
    assert {arm.records for arm in records} == {240}
    assert np.ptp([arm.tokens for arm in tokens]) <= 30, "within one record of each other"


def test_dials_come_out_as_set(programs):
    rows = {arm.name: [example.row for example in read_examples(arm.file)] for arm in programs.arms}
    low, high = rows["b0-q0d0c0"], rows["b0-q1d1c1"]
    assert (sum(row["correct"] for row in low), sum(row["correct"] for row in high)) == (120, 240)
    assert np.mean([row["depth"] for row in low]) < np.mean([row["depth"] for row in high])
    narrow = {row["skeleton"] for row in low}
    assert narrow <= {row["skeleton"] for row in rows["b0-q0d1c0"]}, "a narrower set is part of a wider one"
    reached = programs.document["factors"]["D"]["reached"]
    assert reached[0] < reached[1] < reached[2]


def test_complexity_does_not_move_diversity():
    """With as many skills at both depths and shares that mirror each other, the effective number of skills is one."""
    n = 48_000
    shares = PRESETS["programs"].depths
    low, high = (
        Counter({(d, k): round(s * n / 48) for d, s in depths.items() for k in range(48)}) for depths in shares[::2]
    )
    assert effective(low, n) == pytest.approx(effective(high, n))


def test_no_item_of_a_panel_is_trained_on(programs):
    trained = {example.prompt for arm in programs.arms if arm.block == "0" for example in read_examples(arm.file)}
    for source in programs.panels:
        items = read_examples(programs.folder / source.file.replace("{block}", "0"))
        assert len(items) == 30
        assert not trained & {example.prompt for example in items}


def test_the_balance_says_what_moved(programs):
    lines = {line["variable"]: line for line in programs.parts[0].balance}
    assert lines["share right at one level"]["smd"] == pytest.approx(0, abs=1e-9)
    assert lines["words"]["smd"] > 0.1
    assert not lines["words"]["asked"], "deeper tasks take longer answers"
    assert programs.parts[0].condition_number == pytest.approx(1, abs=0.1)


def test_names_are_checked():
    assert list(chosen("findings", ())) == ["programs", "rewriting"]
    with pytest.raises(SpecError, match="no preset is named"):
        chosen("finding", ())
    with pytest.raises(SpecError, match="try:  rewriting"):
        chosen("findings", ("rewritin",))


def test_from_nothing_to_a_page(tmp_path, monkeypatch):
    pytest.importorskip("torch", reason="the trainer `tiny` needs torch")
    monkeypatch.setitem(presets.PRESETS, "programs", small("programs", trainer="tiny:epochs=1", designs=("records",)))
    monkeypatch.setitem(presets.PRESETS, "rewriting", small("rewriting", trainer="tiny:epochs=1"))
    out = tmp_path / "out"
    document = api.study(preset="findings", blocks=3, bootstrap=20, out=out, workers=2)
    assert [part["runs"]["done"] for part in document["parts"]] == [27, 27]
    assert len({part["title"] for part in document["parts"]}) == 2
    assert all(panel["undefined"] for panel in document["parts"][0]["panels"]), "a model this young can do nothing"
    assert json.loads((out / "study.json").read_text()) == document
    page = (out / "report.html").read_text()
    assert "programs" in page or "digits" in page
