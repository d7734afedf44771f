"""What searches do with a method's records: nothing lost, nothing doubled, and each its own rule."""

from __future__ import annotations

from collections import Counter
from itertools import islice

import numpy as np
import pytest

from triptych.core.errors import SpecError
from triptych.core.rng import stream
from triptych.generating.ask import Failed, Made, Method, Said, Search
from triptych.generating.registry import known, lookup, make
from triptych.generating.searches._cells import Bins
from triptych.generating.searches.map_elites import Archive

VARIANTS = (
    ("none", {}),
    ("rejection", {}),
    ("rejection", {"samples": 3, "keep": "all", "floor": 0.5}),
    ("map_elites", {}),
    ("map_elites", {"descriptors": ["length", "category"], "categories": ["poem", "letter"], "keep": "all"}),
    ("sparse_clusters", {"clusters": 6}),
)
IDS = [f"{name}-{'-'.join(map(str, params))}" for name, params in VARIANTS]
METHODS = ("few_shot", "evol_instruct", "given")


def run(search, method, desk, number=8, **params):
    return list(islice(make(Search, search, params).make(make(Method, method, {}), desk), number))


def records(found):
    return [one for batch in found for one in batch if isinstance(one, Made)]


def failures(found):
    return [one for batch in found for one in batch if isinstance(one, Failed)]


def test_all_searches_are_registered():
    assert {"none", "rejection", "map_elites", "sparse_clusters"} <= set(known(Search))
    graded = {name for name in known(Search) if lookup(Search, name).graded}
    assert {"rejection", "map_elites"} <= graded
    assert not {"none", "sparse_clusters"} & graded


@pytest.mark.parametrize(("name", "params"), VARIANTS, ids=IDS)
@pytest.mark.parametrize("method", METHODS)
class TestEverySearch:
    def test_nothing_is_lost_and_costs_add_up(self, desk_of, name, params, method):
        desk = desk_of(faults=0.15)
        found = run(name, method, desk, **params)
        assert len(records(found)) >= 3
        judged = sum(ask.purpose == "judge" for ask in desk.asked)
        assert sum(one.asks for batch in found for one in batch) == len(desk.asked) - judged
        plainly = list(islice(make(Method, method, {}).make(desk_of(faults=0.15)), 1))
        assert {one.prompt for one in records(found[:1])} <= {one.prompt for one in records(plainly)}

    def test_the_same_seed_gives_the_same(self, desk_of, name, params, method):
        one, two = (run(name, method, desk_of(faults=0.15), 5, **params) for _ in range(2))
        assert one == two

    def test_parents_are_seeds_or_records_before(self, desk_of, name, params, method):
        desk = desk_of()
        there = {seed.id for seed in desk.seeds}
        for batch in run(name, method, desk, 10, **params):
            assert {parent for one in batch for parent in one.parents} <= there
            there |= {one.id if isinstance(one, Made) else one.extra.get("id", "") for one in batch}


def test_no_search_hands_on_what_comes(desk_of):
    desk = desk_of(faults=0.2)
    assert run("none", "few_shot", desk, 4) == list(islice(make(Method, "few_shot", {}).make(desk_of(faults=0.2)), 4))


class TestRejection:
    def test_the_best_of_all_samples_is_handed_on(self, desk_of):
        desk = desk_of(batch=10)
        (batch,) = run("rejection", "given", desk, 1, samples=5)
        for one in (each for each in batch if isinstance(each, Made)):
            asked = [ask for ask in desk.asked if ask.messages[-1].content == one.prompt]
            assert len(asked) == 5
            grades = [desk.grade(one.prompt, said.text, {}) for said in desk.ask(asked)]
            assert one.extra["grade"] == max(grade for grade in grades if grade is not None)
            assert one.extra["grade"] == desk.grade(one.prompt, one.response, one.row)
            assert one.row
            assert one.asks == 5

    def test_it_raises_the_grade(self, desk_of):
        means = []
        for samples in (1, 2, 8):
            made = records(run("rejection", "given", desk_of(batch=40), 2, samples=samples))
            means.append(np.mean([one.extra["grade"] for one in made]))
        assert means == sorted(means)
        assert means[0] == pytest.approx(0.5, abs=0.12)
        assert means[2] > 0.8

    def test_all_that_pass(self, desk_of):
        found = run("rejection", "given", desk_of(batch=12), 2, samples=4, keep="all", floor=0.6)
        by_prompt = Counter((one.prompt, one.extra["passed"]) for one in records(found))
        assert all(one.extra["grade"] >= 0.6 for one in records(found))
        assert max(by_prompt.values()) > 1
        assert {one.reason for one in failures(found)} <= {"no response passes", "no grade"}
        assert all(one.extra["grade"] < 0.6 for one in failures(found) if one.reason == "no response passes")

    def test_no_grade_is_no_zero(self, desk_of):
        desk = desk_of()
        desk.grade = lambda prompt, response, row: None
        found = run("rejection", "given", desk, 1)
        assert {one.reason for one in failures(found)} == {"no grade"}
        assert not records(found)

    def test_equal_responses_are_one(self, desk_of):
        desk = desk_of()
        desk.grade = lambda prompt, response, row: 1.0
        desk.ask = lambda asks: [Said("The same.", "", "stop", 2, 2) for _ in asks]
        (batch,) = run("rejection", "given", desk, 1, samples=4, keep="all", floor=1)
        assert len(batch) == desk.batch
        assert {one.extra["samples"] for one in batch} == {1}
        assert {one.asks for one in batch} == {4}

    @pytest.mark.parametrize("params", [{"samples": 0}, {"keep": "all"}, {"keep": "some"}])
    def test_parameters_are_checked(self, params):
        with pytest.raises(SpecError):
            make(Search, "rejection", params)


class TestMapElites:
    @pytest.mark.parametrize("keep", ["elites", "good", "all"])
    def test_the_archive_never_gets_worse(self, desk_of, keep):
        desk = desk_of(batch=10)
        plainly = desk.grade
        desk.grade = lambda *texts: None if (grade := plainly(*texts)) is None else round(grade * 8) / 8
        found = run("map_elites", "few_shot", desk, 15, keep=keep)
        best: dict[str, tuple[float, str]] = {}
        before = {"filled": 0, "coverage": 0.0, "qd_score": 0.0}
        for one in records(found):
            cell, grade = one.extra["cell"], one.extra["grade"]
            better = cell not in best or grade > best[cell][0]
            assert one.extra["elite"] == better
            assert one.extra["replaced"] == (best[cell][1] if better and cell in best else None)
            assert better or keep == "all" or (keep == "good" and grade == best[cell][0])
            if better:
                best[cell] = (grade, one.id)
            for name, value in before.items():
                assert one.extra[name] >= value
            before = {name: one.extra[name] for name in before}
            assert before["filled"] == len(best)
            assert before["qd_score"] == pytest.approx(sum(grade for grade, _ in best.values()))
        assert any(one.extra["replaced"] for one in records(found))
        for one in failures(found):
            if one.reason == "no better than its cell's elite":
                assert one.extra["grade"] <= best[one.extra["cell"]][0]
            if one.reason == "worse than its cell's elite":
                assert one.extra["grade"] < best[one.extra["cell"]][0]

    def test_parents_are_elites_once_there_are_some(self, desk_of):
        desk = desk_of(batch=10)
        elites: dict[str, str] = {}
        steered = 0
        for batch in run("map_elites", "few_shot", desk, 12, start=5):
            if len(elites) >= 5:
                steered += 1
                assert {parent for one in batch for parent in one.parents} <= set(elites.values())
            else:
                assert all(parent.startswith("seed-") for one in batch for parent in one.parents)
            for one in batch:
                if isinstance(one, Made) and one.extra["elite"]:
                    elites[one.extra["cell"]] = one.id
        assert steered > 3

    def test_coverage_is_of_all_combinations(self, desk_of):
        found = run("map_elites", "few_shot", desk_of(batch=10), 6, lengths=[10, 30, 90], clusters=4)
        one = records(found)[-1]
        assert one.extra["coverage"] == one.extra["filled"] / 16

    def test_everything_with_a_cell_is_handed_on_where_asked(self, desk_of):
        found = run("map_elites", "few_shot", desk_of(batch=10), 6, keep="all", descriptors=["complexity"])
        assert {one.reason for one in failures(found)} <= {"no grade", "no cell"}
        assert {one.extra["cell"].split()[-1] for one in records(found)} == {"steps"}

    def test_a_category_that_is_not_named_is_no_cell(self, desk_of):
        desk = desk_of()
        plainly = desk.answer
        desk.answer = lambda ask, rng: "a song" if ask.purpose == "judge" else plainly(ask, rng)
        found = run("map_elites", "few_shot", desk, 2, descriptors=["category"], categories=["poem", "letter"])
        assert not records(found)
        assert "no cell" in {one.reason for one in failures(found)}

    def test_bins_begin_at_their_edges(self, desk_of):
        bins = Bins("length", (2, 4))
        texts = ["a", "a b", "a b c", "a b c d", "a b c d e"]
        places = bins.places([Made("p", text) for text in texts], desk_of())
        assert places == ["0-1 words", "2-3 words", "2-3 words", "4+ words", "4+ words"]
        assert bins.number == 3

    def test_an_equal_grade_replaces_nobody(self):
        archive = Archive(4)
        one, other = Made("p", "one"), Made("p", "other")
        assert archive.put(("a",), 1.0, one) == (True, None)
        assert archive.put(("a",), 1.0, other) == (False, None)
        assert archive.put(("a",), 2.0, other) == (True, one.id)
        assert archive.facts() == {"filled": 1, "coverage": 0.25, "qd_score": 2.0}
        assert [seed.id for seed in archive.seeds] == [other.id]

    @pytest.mark.parametrize(
        "params",
        [
            {"descriptors": ["lenght"]},
            {"descriptors": []},
            {"descriptors": ["length", "length"]},
            {"categories": ["poem"], "descriptors": ["category"]},
            {"lengths": [30, 20]},
            {"steps": []},
            {"clusters": 1},
            {"start": 0},
        ],
    )
    def test_parameters_are_checked(self, params):
        with pytest.raises(SpecError, match=next(iter(params))):
            make(Search, "map_elites", params)

    def test_lists_may_be_text(self):
        one = make(Search, "map_elites", {"descriptors": "length, cluster", "lengths": "10,20"})
        assert one == make(Search, "map_elites", {"descriptors": ["length", "cluster"], "lengths": [10, 20]})


class TestSparseClusters:
    @staticmethod
    def topics(desk, shares):
        """A writer whose prompts are of topics by share: few_shot goes on with the topic of its last example."""
        names = list(shares)

        def answer(ask, rng):
            if ask.purpose == "response":
                return " ".join([ask.messages[-1].content.split()[0]] * 6)
            told = [m.content.split()[0] for m in ask.messages if m.role == "assistant"]
            topic = told[-1] if rng.random() < 0.5 else str(rng.choice(names, p=list(shares.values())))
            return f"{topic} {topic} {topic} {int(rng.integers(10**6))}"

        desk.answer = answer
        return desk

    def test_what_is_rare_gets_its_share(self, desk_of):
        shares = {"river": 0.7, "violin": 0.2, "glacier": 0.08, "lantern": 0.02}
        seen = {}
        for search, params in (("none", {}), ("sparse_clusters", {"clusters": 4, "start": 12})):
            desk = self.topics(desk_of(batch=16), shares)
            made = records(run(search, "few_shot", desk, 25, **params))
            counts = np.array([sum(one.prompt.startswith(name) for one in made) for name in shares], dtype=float)
            p = counts / counts.sum()
            seen[search] = float(np.exp(-np.sum(p[p > 0] * np.log(p[p > 0]))))
        assert seen["sparse_clusters"] > 1.15 * seen["none"]

    def test_all_is_handed_on_while_the_pool_is_small(self, desk_of):
        found = run("sparse_clusters", "few_shot", desk_of(seeds=3, batch=4), 3, start=16)
        assert not failures(found[:3])

    def test_what_falls_in_a_crowd_is_dropped_and_parents_are_sparse(self, desk_of):
        found = run("sparse_clusters", "few_shot", desk_of(seeds=30, batch=12), 6, clusters=5)
        assert {one.reason for one in failures(found)} == {"falls in a crowded cluster"}
        parents = {parent for batch in found[:1] for one in batch for parent in one.parents}
        assert len(parents) < 30 * 0.6

    def test_sparse_clusters_hold_at_most_their_share(self):
        search = make(Search, "sparse_clusters", {"clusters": 5, "share": 0.3})
        rng = stream("blobs")
        sizes = (60, 20, 10, 6, 4)
        rows = np.concatenate([np.eye(16)[i] + 0.05 * rng.normal(size=(n, 16)) for i, n in enumerate(sizes)])
        rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
        codes, centres, sparse = search._sparse(rows, len(rows))
        assert sorted(np.bincount(codes)) == sorted(sizes)
        assert centres.shape == (5, 16)
        assert sorted(int(np.sum(codes == code)) for code in sparse) == [4, 6, 10]

    @pytest.mark.parametrize("params", [{"clusters": 1}, {"share": 0}, {"start": 2}])
    def test_parameters_are_checked(self, params):
        with pytest.raises(SpecError, match=next(iter(params))):
            make(Search, "sparse_clusters", params)


def test_a_search_works_where_there_are_no_seeds(desk_of):
    method = make(Method, "taxonomy", {"domain": "birds", "critic": False})
    for name in ("sparse_clusters", "map_elites", "rejection"):
        found = list(islice(make(Search, name, {}).make(method, desk_of(seeds=0)), 4))
        assert records(found)
