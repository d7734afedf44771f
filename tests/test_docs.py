"""What docs/generate.py makes of docstrings and of the validity bench, and that the bench is what it says it is."""

import gzip
import json
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from triptych.core.dear import maker_of
from triptych.core.registry import parse

HOME = Path(__file__).parents[1]


@pytest.fixture
def papers(monkeypatch):
    monkeypatch.syspath_prepend(str(HOME / "docs"))
    import papers as module

    return module


@pytest.fixture
def bench(monkeypatch):
    """The modules of the bench; they are forgotten again, since other benchmarks have modules of the same names."""
    names = ("expectations", "natural", "planted", "models", "words", "small_reward")
    monkeypatch.syspath_prepend(str(HOME / "benchmarks" / "validity"))
    held = {name: sys.modules.pop(name, None) for name in names}
    yield {name: __import__(name) for name in names}
    for name, module in held.items():
        sys.modules.pop(name, None)
        if module is not None:
            sys.modules[name] = module


def write(root, **modules):
    for name, text in modules.items():
        (root / f"{name}.py").write_text(text, encoding="utf-8")
    return root


def test_papers_are_read_from_docstrings_and_sources(papers, tmp_path):
    root = write(
        tmp_path,
        one='"""As Li et al. 2016 (arXiv 1510.03055) do; see Cohen 1960, "A coefficient of agreement", and RKE (arXiv 2410.21719)."""',
        two='X = 1\n"""After Li et al. 2016 and Kulesza and Taskar 2012, 1207.6083."""\nf(source="Fu et al. 2023 (arXiv 2210.00720)")',
        three='"""Since May 2024 a value of 1204.5000 and 0.12345 and 9913.12345; 2,000 of 3000.12345."""\n# arXiv 2001.00001\n',
    )
    numbered, named = papers.cited(root)
    assert {number: sorted(work.files) for number, work in numbered.items()} == {
        "1510.03055": ["one.py", "two.py"],
        "2410.21719": ["one.py"],
        "1207.6083": ["two.py"],
        "2210.00720": ["two.py"],
    }
    assert list(numbered["1207.6083"].names) == ["Kulesza & Taskar 2012"]
    assert list(numbered["2410.21719"].called) == ["RKE"]
    assert {name: list(work.titles) for name, work in named.items()} == {"Cohen 1960": ["A coefficient of agreement"]}
    page = papers.papers(root, "NOTE")
    assert "| [2410.21719](https://arxiv.org/abs/2410.21719) | RKE | [one.py](../src/triptych/one.py) |" in page
    assert '| Cohen 1960, "A coefficient of agreement" | [one.py](../src/triptych/one.py) |' in page
    assert "4 papers of arXiv and 1 other works" in page


def test_a_list_of_papers_gives_each_its_own_authors(papers, tmp_path):
    root = write(
        tmp_path, one='"""Wang et al. 2024 (arXiv 2402.02318); Yu et al. 2020 (arXiv 2006.08558); arXiv 2504.12522."""'
    )
    numbered, _ = papers.cited(root)
    assert {number: list(work.names) for number, work in numbered.items()} == {
        "2402.02318": ["Wang et al. 2024"],
        "2006.08558": ["Yu et al. 2020"],
        "2504.12522": [],
    }


def test_a_paper_under_two_authors_is_told_and_two_years_are_not(papers, tmp_path):
    root = write(
        tmp_path,
        one='"""Kirk et al. 2023 (arXiv 2310.06452); Li et al. 2016 (arXiv 1510.03055)."""',
        two='"""Kirk et al. 2024 (arXiv 2310.06452); Lu et al. 2016 (arXiv 1510.03055)."""',
    )
    (told,) = papers.conflicts(papers.cited(root)[0])
    assert told == "arXiv 1510.03055 is cited as Li et al. 2016 and as Lu et al. 2016 in one.py, two.py"


def test_the_source_cites_every_paper_under_one_author(papers):
    assert papers.conflicts(papers.cited(HOME / "src" / "triptych")[0]) == []


def test_the_catalog_quotes_verdicts_and_tells_what_was_not_measured(papers):
    import generate

    result = {
        "left_out": {"ifd": "it needs a model"},
        "verdicts": {
            "distinct_n:n=1": {"sees": ["exact copies"], "misread": ["padding (falls)", "size (rises)"]},
            "distinct_n:n=2": {},
            "surprisal": {"sees": ["word salad"]},
        },
        "few": {"surprisal": "40 to 80 records"},
    }
    said = "- `surprisal` (40 to 80 records a set, one replicate): *sees* word salad."
    assert list(generate.validity("surprisal", result))[3:] == [said]
    assert list(generate.validity("distinct_n", result))[3:] == [
        "- `distinct_n:n=1`: *sees* exact copies; *misread* padding (falls), size (rises).",
        "- `distinct_n:n=2`: no value on any of the populations.",
    ]
    assert list(generate.validity("ifd", result)) == ["", "Validity: not measured (it needs a model)."]
    assert list(generate.validity("distinct", result)) == ["", "Validity: not measured yet."]


def test_every_expectation_names_a_population(bench):
    known = {one.name for one in bench["planted"].MANIPULATIONS} | {one.name for one in bench["natural"].EXPERIMENTS}
    tables = [*bench["expectations"].AXIS.values(), *bench["expectations"].OWN.values()]
    assert {name for table in tables for name in table} <= known


def test_a_larger_dose_changes_the_rows_of_a_smaller_one_and_more(bench):
    planted = bench["planted"]
    for one in planted.MANIPULATIONS:
        if one.name not in ("exact copies", "reworded copies", "word salad") or one.base != "single":
            continue
        base, *others = ([(row["prompt"], row["response"]) for row in one.make(dose, 0)] for dose in one.doses)
        moved = [{at for at, row in enumerate(rows) if row != base[at]} for rows in others]
        assert all(a <= b for a, b in pairwise(moved))
        assert len(moved[-1]) == pytest.approx(one.doses[-1] * len(base), rel=0.02)


def test_swapped_responses_are_those_of_the_set_at_other_prompts(bench):
    planted = bench["planted"]
    for n in (80, planted.RECORDS):
        base, rows = [planted.swapped(share, 0, n) for share in (0.0, 0.6)]
        moved = [at for at in range(n) if base[at]["response"] != rows[at]["response"]]
        assert len(moved) == pytest.approx(0.6 * n, rel=0.02)
        assert all(rows[at]["correct"] == 0 for at in moved)
        assert [row["prompt"] for row in rows] == [row["prompt"] for row in base]
        assert sorted(row["response"] for row in rows) == sorted(row["response"] for row in base)


def test_a_reference_is_another_draw_of_the_law(bench):
    planted = bench["planted"]
    for one in planted.MANIPULATIONS:
        if one.base in planted.FRESH:
            base, other = one.make(one.doses[0], 0), planted.FRESH[one.base](0)
            shared = {(row["prompt"], row["response"]) for row in base} & {(r["prompt"], r["response"]) for r in other}
            assert len(shared) < 0.05 * len(base)


def test_small_populations_are_the_planted_ones_with_fewer_records(bench):
    for one, names in bench["models"].ASKED:
        measures = [parse([label])[0] for name in names for label in bench["expectations"].labels_of(name)]
        assert all(any(maker_of(need) for need in measure.statistic().needs) for measure in measures)
        if one.file:
            continue
        sets = list(one.make(Path()).values())
        assert len({len(rows) for rows in sets}) == 1
        models = bench["models"]
        assert len(sets[0]) <= (models.WHOLE if names == models.HELD_OUT else models.RECORDS)
        assert all(("prompt_id" in row) == one.paired for rows in sets for row in rows)
        rated = [sum(row.get("rating") is not None for row in rows) for rows in sets]
        assert set(rated) == {3 * len(sets[0]) // 4 if names[0].startswith("calibrated") else 0}


def test_a_reward_model_is_fitted_on_pairs_of_other_prompts_than_are_read(bench, tmp_path):
    rows = [
        {"pair_id": pair, "prompt": f"p{pair % 20}", "response": f"r{pair}{better}", "preference": float(better)}
        for pair in range(120)
        for better in (pair % 2, 1 - pair % 2)
    ]
    with gzip.open(tmp_path / "pandalm_human3.jsonl.gz", "wt", encoding="utf-8") as file:
        file.write("\n".join(json.dumps(row) for row in rows))
    sets = [bench["models"].preferences(read=read, n=30)(tmp_path) for read in (True, False)]
    for worse, better in (list(parts.values()) for parts in sets):
        assert len(worse) == len(better) == 30
        for a, b in zip(worse, better, strict=True):
            assert (a["prompt"], a["response"][:-1] + "1") == (b["prompt"], b["response"])
    read, fitted = ({row["prompt"] for row in parts["preferred"]} for parts in sets)
    assert len(read) == 6
    assert not read & fitted


def test_the_head_of_a_reward_model_is_where_the_slope_of_its_loss_is_nothing(bench):
    gaps = np.random.default_rng(0).normal((1.0, 0.0, -0.5), size=(40, 3))
    head = bench["small_reward"].fitted(gaps, 2.0)
    slope = 2.0 * head - (gaps / (1 + np.exp(gaps @ head))[:, None]).sum(axis=0)
    assert np.abs(slope).max() < 1e-3
    assert head[0] > 0 > head[2]
    assert bench["small_reward"].agreement(gaps, np.arange(40) % 5, 2.0) > 0.6


def test_flipped_pairs_are_the_same_pairs_turned_round(bench):
    one = next(one for one, names in bench["models"].ASKED if names == bench["models"].PREFERRED)
    base, turned = one.make(Path()).values()
    same = [a == b for a, b in zip(base, turned, strict=True)]
    assert sum(same) == len(base) / 2
    for a, b, equal in zip(base, turned, same, strict=True):
        assert equal or (a["prompt"], a["chosen"], a["rejected"]) == (b["prompt"], b["rejected"], b["chosen"])


def test_padding_keeps_the_content_and_doubles_the_words(bench):
    planted = bench["planted"]
    base, padded = planted.padded(1.0, 0), planted.padded(2.0, 0)
    assert all(long["response"].startswith(short["response"]) for short, long in zip(base, padded, strict=True))
    words = [sum(len(row["response"].split()) for row in rows) for rows in (base, padded)]
    assert 1.9 < words[1] / words[0] < 2.6


def test_verdicts_in_words(bench):
    def row(population, verdict, way, **more):
        doses = [{"dose": 1, "diff": way, "z": way}, {"dose": 2, "diff": 2 * way, "z": way}]
        return {
            "measure": "m",
            "population": population,
            "verdict": verdict,
            "way": way,
            "in_order": True,
            "doses": doses,
            **more,
        }

    rows = [
        row("lost modes", "sees", -1),
        row("reworded copies", "sees", -1, beside=["exact copies", 0.14]),
        row("padding", "reads", -1, beside=["lost modes", 1.25]),
        row("size", "holds", 0),
        row("two sources", "blind", 0),
        row("model's writing", "free", 1),
        row("defects", "no value", 0),
    ]
    assert bench["words"].verdicts(rows) == {
        "m": {
            "sees": ["lost modes", "reworded copies (.14 of exact copies)"],
            "blind to": ["two sources"],
            "misread": ["padding (falls, 1.2 times lost modes)"],
            "unmoved by": ["size"],
            "moves, nothing expected": ["model's writing (rises)"],
            "no value on": ["defects"],
        }
    }
