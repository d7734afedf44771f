"""Recipes: what is read, what is refused with a hint, and what they say of themselves."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest

from triptych.core.errors import InputError, ReadError, RegistryError, SchemaError, SpecError, UsageError
from triptych.generating import registry
from triptych.generating.ask import Filter, Method, Search, Writer
from triptych.generating.planning import plan_text
from triptych.generating.recipe import Recipe
from triptych.generating.seeds import read_seeds

EXAMPLES = Path(__file__).parents[2] / "examples" / "generate"
SEEDS = [
    {"id": f"q{place}", "question": f"What is {place} plus {place}?", "answer": str(2 * place)} for place in range(9)
]


def table(**more):
    found = {
        "writer": {"kind": "replay", "file": "answers.jsonl"},
        "method": {"name": "few_shot", "shots": 2},
        "seeds": {"data": "seeds.jsonl"},
        "filters": [{"name": "near_duplicate", "threshold": 0.7}, {"name": "valid"}],
        "budget": {"records": 20},
    }
    found |= more
    return {key: value for key, value in found.items() if value is not None}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "seeds.jsonl").write_text("".join(json.dumps(row) + "\n" for row in SEEDS))
    (tmp_path / "answers.jsonl").write_text("")
    return tmp_path


def refused(folder, **more):
    with pytest.raises(InputError) as caught:
        Recipe.of(table(**more), folder)
    return caught.type, str(caught.value)


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        ({"writer": {"kind": "replai"}}, SpecError, ['no writer is named "replai"', "try:  replay"]),
        ({"method": {"name": "evol_instrukt"}}, SpecError, ["no generation method", "try:  evol_instruct"]),
        ({"search": {"name": "map_elite"}}, SpecError, ["no search", "try:  map_elites"]),
        ({"filters": [{"name": "near_duplicates"}]}, SpecError, ["no filter", "try:  near_duplicate"]),
        ({"filters": {"name": "valid"}}, SpecError, ["[[filters]]"]),
        ({"filters": [{"name": "valid", "promts": True}]}, SpecError, ['no key "promts"', "try:  prompts"]),
        ({"method": {"name": "few_shot", "shot": 2}}, SpecError, ['[method], generation method few_shot, has no key "shot"', "try:  shots"]),
        ({"method": {"name": "few_shot", "shots": "two"}}, SpecError, ["got:  two", "a whole number"]),
        ({"method": {"shots": 2}}, SpecError, ["[method] has no name"]),
        ({"filters": [{"name": "near_duplicate", "threshold": 0}]}, SpecError, ["above 0"]),
        ({"budget": {"records": 0}}, SpecError, ["[budget] records lets nothing be made", "got:  0"]),
        ({"budget": {"tokens": -1}}, SpecError, ["tokens lets nothing be made"]),
        ({"budget": {"record": 5}}, SpecError, ['no key "record"', "try:  records"]),
        ({"budget": {}}, UsageError, ["there is no budget"]),
        ({"budget": None}, UsageError, ["there is no budget"]),
        ({"writer": None}, UsageError, ["no table [writer]"]),
        ({"budgett": {}}, SpecError, ['no key "budgett"', "try:  budget"]),
        ({"budget": {"money": 1.0}}, UsageError, ["needs the price of the writer"]),
        ({"seeds": {"data": "a", "world": "programs"}}, UsageError, ["data or a world, and not both"]),
        ({"seeds": {"world": "program"}}, SpecError, ['no world is named "program"', "try:  programs"]),
        ({"seeds": {"data": "a", "sample": 0}}, SpecError, ["sample is out of range"]),
        ({"seeds": None}, UsageError, ['method "few_shot" needs seeds']),
        ({"filters": [{"name": "quality"}]}, UsageError, ['filter "quality" needs to know how good', '[grade] judge = "writer"']),
        ({"grade": {"verifier": "numbr"}}, SpecError, ['no verifier is named "numbr"', "verifier:number"]),
        ({"grade": {"verifier": "number", "world": "programs"}}, UsageError, ["verifier and world"]),
        ({"grade": {"verifier": "number", "rubric": "short"}}, UsageError, ["rubric is for a judge"]),
        ({"grade": {"judge": "me"}}, SpecError, ["judge is not right"]),
        ({"batch": 0}, SpecError, ["batch is out of range"]),
        ({"seed": "x"}, SpecError, ["a whole number"]),
        ({"filters": [{"name": "verifier", "verifier": "numbr"}]}, SpecError, ["no verifier is named"]),
        ({"filters": [{"name": "verifier"}]}, SpecError, ['needs "verifier"']),
    ],
)  # fmt: skip
def test_what_is_not_right_is_refused_with_what_would_be(folder, change, kind, words):
    caught, text = refused(folder, **change)
    assert issubclass(caught, kind), text
    for word in words:
        assert word in text


def test_a_file_that_is_no_toml_is_refused(tmp_path):
    (tmp_path / "recipe.toml").write_text("seed = ")
    for name in ("recipe.toml", "nothing.toml"):
        with pytest.raises(ReadError, match="no recipe can be read"):
            Recipe.read(tmp_path / name)


def test_a_recipe_reads_back_from_what_it_says_of_itself(folder):
    made = Recipe.of(
        table(grade={"judge": {"kind": "replay", "file": "answers.jsonl"}, "rubric": "It is kind."}), folder
    )
    again = Recipe.of(json.loads(json.dumps(made.to_json())), folder)
    assert again.hash == made.hash
    assert again.to_json() == made.to_json()
    assert again.components() == made.components()


def test_the_hash_is_that_of_the_components_said_or_not(folder):
    plain = Recipe.of(table(method={"name": "few_shot"}), folder)
    assert Recipe.of(table(method={"name": "few_shot", "shots": 3}), folder).hash == plain.hash
    assert Recipe.of(table(method={"name": "few_shot", "shots": 4}), folder).hash != plain.hash
    assert Recipe.of(table(method={"name": "few_shot"}, seed=1), folder).hash != plain.hash


def test_components_are_flat_and_differ_where_one_thing_does(folder):
    one = Recipe.of(table(), folder).components()
    assert one["seeds"] == "seeds.jsonl"
    assert one["writer"] == "replay"
    assert (one["method"], one["method.shots"], one["search"]) == ("few_shot", "2", "none")
    assert one["filters"] == "near_duplicate:threshold=0.7, valid"
    assert one["budget.records"] == "20"
    assert all(isinstance(value, str) for value in one.values())
    other = Recipe.of(table(method={"name": "few_shot", "shots": 5}), folder).components()
    assert {key for key in one if one[key] != other.get(key)} == {"method.shots"}
    assert Recipe.of(table(filters=[]), folder).components()["filters"] == "none"


def test_seeds_are_read_by_the_librarys_readers_and_drawn(folder):
    made = Recipe.of(table(seeds={"data": "seeds.jsonl", "sample": 4, "licence": "MIT"}), folder)
    seeds = read_seeds(made)
    assert len(seeds.items) == seeds.about["drawn"] == 4
    assert seeds.about["records"] == 9
    assert seeds.licences == ("MIT",)
    first = seeds.items[0]
    row = next(row for row in SEEDS if row["id"] == first.id)
    assert (first.prompt, first.response, first.row) == (row["question"], row["answer"], row)
    assert read_seeds(made).items == seeds.items
    assert read_seeds(Recipe.of(table(seeds={"data": "seeds.jsonl", "sample": 4}, seed=3), folder)).items != seeds.items


def test_seeds_of_unusual_fields_need_a_map(folder):
    rows = [{"ask": f"Name bird {place} please.", "say": "A wren.", "license": "CC0"} for place in range(3)]
    (folder / "seeds.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(SchemaError, match="no field has a known role"):
        read_seeds(Recipe.of(table(), folder))
    mapped = table(seeds={"data": "seeds.jsonl", "map": {"prompt": "ask", "response": "say"}})
    seeds = read_seeds(Recipe.of(mapped, folder))
    assert [seed.prompt for seed in seeds.items] == [row["ask"] for row in rows]
    assert [seed.id for seed in seeds.items] == ["seed-0", "seed-1", "seed-2"]
    assert seeds.licences == ("CC0",)


def test_a_seed_file_with_three_layouts_is_refused_with_the_place(folder):
    mixed = [
        {"prompt": "Name a bird.", "response": "A wren."},
        {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]},
        {"chosen": "Yes, of course.", "rejected": "No."},
    ]
    (folder / "seeds.jsonl").write_text("".join(json.dumps(row) + "\n" for row in mixed))
    with pytest.raises(SchemaError, match=r"seeds\.jsonl:2: the set mixes two layouts"):
        read_seeds(Recipe.of(table(), folder))
    lenient = Recipe.of(table(seeds={"data": "seeds.jsonl", "on_bad": "skip"}), folder)
    assert [seed.prompt for seed in read_seeds(lenient).items] == ["Name a bird."]


def test_seeds_without_what_the_method_needs_are_refused(folder):
    (folder / "seeds.jsonl").write_text('{"text": "A page about birds."}\n')
    with pytest.raises(SchemaError, match="needs the prompt of the seeds, and none has one"):
        read_seeds(Recipe.of(table(), folder))


def test_a_world_gives_seeds(folder):
    seeds = read_seeds(Recipe.of(table(seeds={"world": "programs", "records": 30, "sample": 5}), folder))
    assert len(seeds.items) == 5
    assert all(seed.row["answer"] == seed.response for seed in seeds.items)
    assert seeds.about["records"] == 30


@pytest.mark.parametrize(
    ("base", "least"),
    [
        (Writer, {"endpoint", "lm", "world", "command", "replay"}),
        (Method, {"few_shot", "self_instruct", "evol_instruct", "taxonomy", "back_translation", "attributed"}),
        (Search, {"none", "rejection", "map_elites", "sparse_clusters"}),
        (Filter, {"valid", "near_duplicate", "verifier", "judge", "quality", "decontaminate", "length"}),
    ],
)
def test_the_components_that_there_are(base, least):
    found = registry.known(base)
    assert least <= set(found)
    assert list(found) == sorted(found)
    assert all(cls.__doc__ for cls in found.values())


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.toml")), ids=lambda path: path.stem)
def test_the_examples_can_be_planned(path, monkeypatch):
    monkeypatch.delenv("MY_KEY", raising=False)
    text = plan_text(Recipe.read(path))
    assert "if every one passes" in text


class Entry:
    """An entry point of an installed package."""

    name, value = "odd_words", "package:OddWords"

    def __init__(self, item):
        self.load = lambda: item


def plugged(monkeypatch, item):
    found = {"triptych.filters": [Entry(item)]}
    monkeypatch.setattr("triptych.core.plugins.entry_points", lambda group: found.get(group, []))
    registry.known.cache_clear()


@pytest.fixture
def clean():
    yield
    registry.known.cache_clear()


@pytest.mark.usefixtures("clean")
def test_a_plug_in_is_a_component_like_any_other(monkeypatch, folder):
    @dataclass(frozen=True)
    class OddWords(Filter):
        """Of another package."""

        least: int = 3
        name: ClassVar[str] = "odd_words"

        def begin(self, desk):
            return desk

    plugged(monkeypatch, OddWords)
    made = Recipe.of(table(filters=[{"name": "odd_words", "least": 5}]), folder)
    assert made.filters == (OddWords(5),)
    assert made.components()["filters"] == "odd_words:least=5"
    OddWords.name = "valid"
    plugged(monkeypatch, OddWords)
    with pytest.raises(RegistryError, match='two filters are named "valid"'):
        registry.known(Filter)
    plugged(monkeypatch, int)
    with pytest.raises(RegistryError, match="is not a filter class"):
        registry.known(Filter)
