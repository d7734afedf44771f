"""What holds for every method, whatever the writer says, and the logic of each."""

from __future__ import annotations

from itertools import islice

import pytest

from triptych.core.errors import SpecError, TriptychError
from triptych.core.rng import stream
from triptych.generating.ask import Failed, Made, Method, Said
from triptych.generating.methods._alike import Pool, new_words
from triptych.generating.methods._operations import OPERATIONS
from triptych.generating.methods._reading import plain
from triptych.generating.registry import known, lookup, make
from triptych.statistics.pair_sample import rouge_l

NAMES = ("attributed", "back_translation", "evol_instruct", "few_shot", "given", "self_instruct", "taxonomy")
VARIANTS = (
    ("given", {}),
    ("few_shot", {}),
    ("few_shot", {"shots": 1}),
    ("self_instruct", {}),
    ("self_instruct", {"instances": "plain", "shots": 3}),
    ("self_instruct", {"instances": "input_first"}),
    ("self_instruct", {"instances": "output_first"}),
    ("attributed", {}),
    ("attributed", {"grid": {"subject": ["cooking", "travel"], "form": ["letter", "question", "poem"]}}),
    ("attributed", {"by": "personas", "each": 2}),
    ("evol_instruct", {"depth": 3}),
    ("evol_instruct", {"equal": "ask", "widen": 1.0}),
    ("taxonomy", {"critic": False}),
    ("taxonomy", {"complexify": 1.0, "critic": False}),
    ("taxonomy", {"trees": 3, "factors": ["form"], "critic": False}),
    ("taxonomy", {}),
    ("back_translation", {}),
    ("back_translation", {"curate": 3}),
)
IDS = [f"{name}-{'-'.join(map(str, params))}" for name, params in VARIANTS]


def batches(method, desk, number=10):
    return list(islice(method.make(desk), number))


def records(found):
    return [one for batch in found for one in batch if isinstance(one, Made)]


def failures(found):
    return [one for batch in found for one in batch if isinstance(one, Failed)]


def parent_in(ask):
    return ask.messages[-1].content.removeprefix("Task: ")


def test_all_methods_are_registered():
    assert set(NAMES) <= set(known(Method))
    assert all("arXiv" in lookup(Method, name).source for name in NAMES)


@pytest.mark.parametrize(("name", "params"), VARIANTS, ids=IDS)
@pytest.mark.parametrize("faults", [0.0, 0.25])
class TestEveryMethod:
    def test_makes_whole_records_that_come_from_what_is_there(self, desk_of, name, params, faults):
        desk = desk_of(faults=faults)
        found = batches(make(Method, name, params), desk)
        made = records(found)
        least = 1 if params == {} and name == "taxonomy" else 3 if faults or name == "taxonomy" else 15
        assert len(made) >= least
        there = {seed.id for seed in desk.seeds}
        for batch in found:
            assert len(batch) >= 1
            for one in batch:
                assert set(one.parents) <= there
                assert len(set(one.parents)) == len(one.parents)
                assert not isinstance(one, Made) or (plain(one.prompt) and plain(one.response))
                assert not isinstance(one, Failed) or one.reason
            there |= {one.id for one in batch if isinstance(one, Made)}

    def test_copies_no_seed(self, desk_of, name, params, faults):
        if name == "given":
            pytest.skip("its prompts are the seeds'")
        desk = desk_of(faults=faults)
        seeds = {plain(seed.prompt) for seed in desk.seeds}
        made = records(batches(make(Method, name, params), desk))
        assert not [one for one in made if plain(one.prompt) in seeds]

    def test_is_the_same_for_the_same_seed_and_another_for_another(self, desk_of, name, params, faults):
        one, two, other = (batches(make(Method, name, params), desk_of(faults=faults, seed=s), 4) for s in (7, 7, 8))
        assert one == two
        assert one != other

    def test_counts_what_it_took(self, desk_of, name, params, faults):
        desk = desk_of(faults=faults)
        method = make(Method, name, params)
        found = batches(method, desk, 5)
        shared = [ask for ask in desk.asked if ask.purpose in {"attributes", "taxonomy"}]
        assert sum(one.asks for batch in found for one in batch) == len(desk.asked) - len(shared)
        assert all(one.tokens > 0 for one in records(found))

    def test_no_two_asks_of_a_run_are_the_same(self, desk_of, name, params, faults):
        desk = desk_of(faults=faults)
        batches(make(Method, name, params), desk)
        keys = [ask.key for ask in desk.asked]
        assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("name", NAMES)
def test_a_writer_that_never_answers_gives_failures_and_no_records(desk_of, name):
    desk = desk_of()
    desk.ask = lambda asks: [Said(None, "no answer") for _ in asks]
    params = {"grid": {"form": ["letter"]}} if name == "attributed" else {}
    if name == "taxonomy":
        with pytest.raises(TriptychError, match="no name of the domain in 5 tries"):
            batches(make(Method, name, params), desk)
        return
    found = batches(make(Method, name, params), desk, 3)
    assert not records(found)
    assert {one.reason for one in failures(found)} == {"no answer"}


@pytest.mark.parametrize("name", ["given", "few_shot", "self_instruct", "evol_instruct", "back_translation"])
def test_a_method_that_needs_seeds_ends_without_them(desk_of, name):
    assert not batches(make(Method, name, {}), desk_of(seeds=0))


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("few_shot", {"shots": 0}),
        ("self_instruct", {"gate": 0}),
        ("self_instruct", {"own": 8}),
        ("attributed", {"each": 0}),
        ("attributed", {"grid": {}}),
        ("attributed", {"grid": {"form": "letter"}}),
        ("attributed", {"by": "colour"}),
        ("evol_instruct", {"depth": 0}),
        ("evol_instruct", {"widen": 1.5}),
        ("evol_instruct", {"gain": 0}),
        ("taxonomy", {"levels": 0}),
        ("taxonomy", {"complexify": 2}),
        ("taxonomy", {"trees": -1}),
        ("taxonomy", {"trees": 2, "factors": ["form", "asker"]}),
        ("taxonomy", {"factors": ["form", "Form."]}),
        ("taxonomy", {"factors": 3}),
        ("back_translation", {"curate": 6}),
        ("given", {"times": -1}),
    ],
)
def test_parameters_are_checked(name, params):
    with pytest.raises(SpecError, match=next(iter(params))):
        make(Method, name, params)


class TestGiven:
    def test_answers_every_seed_before_any_again(self, desk_of):
        desk = desk_of(seeds=9, batch=4)
        made = records(batches(make(Method, "given", {"times": 2}), desk))
        assert [one.attempt for one in made] == [0] * 9 + [1] * 9
        assert {one.parents[0] for one in made[:9]} == {seed.id for seed in desk.seeds}
        rows = {seed.id: (seed.prompt, seed.row) for seed in desk.seeds}
        assert all((one.prompt, one.row) == rows[one.parents[0]] for one in made)
        assert len({one.id for one in made}) == 18

    def test_asks_for_the_prompt_and_nothing_else(self, desk_of):
        desk = desk_of(seeds=1)
        batches(make(Method, "given", {"times": 1}), desk)
        (ask,) = desk.asked
        assert [(m.role, m.content) for m in ask.messages] == [("user", desk.seeds[0].prompt)]

    def test_a_cut_response_is_marked(self, desk_of):
        desk = desk_of()
        desk.ask = lambda asks: [Said("Half of it", "", "length") for _ in asks]
        (batch,) = batches(make(Method, "given", {}), desk, 1)
        assert all(one.extra == {"cut": True} for one in batch)


class TestFewShot:
    def test_shows_the_parents_as_what_it_wrote(self, desk_of):
        desk = desk_of()
        (batch,) = batches(make(Method, "few_shot", {"shots": 4}), desk, 1)
        prompts = {seed.prompt: seed.id for seed in desk.seeds}
        for one, ask in zip(batch, desk.asked, strict=False):
            told = [m.content for m in ask.messages if m.role == "assistant"]
            assert tuple(prompts[text] for text in told) == one.parents
            assert len(told) == 4


class TestSelfInstruct:
    def test_the_gate_holds(self, desk_of):
        desk = desk_of(seeds=6, batch=8)
        method = make(Method, "self_instruct", {"gate": 0.45, "instances": "plain"})
        found = batches(method, desk, 15)
        before = [seed.prompt for seed in desk.seeds]
        turned_away = [one for one in failures(found) if one.reason == "too much like a task of the pool"]
        assert turned_away
        for one in records(found):
            ids = {word: i for i, word in enumerate(plain(" ".join([*before, one.prompt])).split())}
            as_ids = [[ids[word] for word in plain(text).split()] for text in [*before, one.prompt]]
            nearest = max(rouge_l(as_ids[-1], other) for other in as_ids[:-1])
            assert nearest < 0.45
            assert one.extra["similarity"] == pytest.approx(nearest, abs=1e-4)
            before.append(one.prompt)

    def test_what_was_made_is_shown_later(self, desk_of):
        desk = desk_of(batch=4)
        found = batches(make(Method, "self_instruct", {"shots": 4, "own": 2}), desk, 8)
        seeds = {seed.id for seed in desk.seeds}
        first, later = records(found[:1]), records(found[2:])
        assert all(set(one.parents) <= seeds for one in first)
        assert all(len(set(one.parents) - seeds) == 2 for one in later)

    def test_output_first_gives_a_label_as_the_response(self, desk_of):
        desk = desk_of()
        made = records(batches(make(Method, "self_instruct", {"instances": "output_first"}), desk, 3))
        assert made
        assert not [ask for ask in desk.asked if ask.purpose == "response"]
        for one in made:
            asked = next(a for a in desk.asked if a.messages[-1].content.endswith(f"\nAnswer: {one.response}"))
            assert asked.purpose == "instance"
            assert one.extra["instance"] == "output_first"

    def test_an_input_follows_its_task_unless_none_is_needed(self, desk_of):
        made = records(batches(make(Method, "self_instruct", {"instances": "input_first"}), desk_of(), 6))
        with_input = ["\n\n" in one.prompt for one in made]
        assert any(with_input)
        assert not all(with_input)
        assert not [one for one in made if one.prompt.endswith("none")]

    def test_an_input_that_is_the_example_s_is_none(self, desk_of):
        desk = desk_of()
        plainly = desk.answer
        desk.answer = lambda ask, rng: "Input: 7, 3, 12, 5" if ask.purpose == "instance" else plainly(ask, rng)
        found = batches(make(Method, "self_instruct", {"instances": "input_first"}), desk, 2)
        assert not records(found)
        assert "copy of an example" in {one.reason for one in failures(found)}


GRID = {"subject": ["cooking", "travel"], "form": ["letter", "question", "poem"]}


class TestAttributed:
    def test_the_grid_is_drawn_from(self, desk_of):
        desk = desk_of(batch=30)
        found = batches(make(Method, "attributed", {"grid": GRID}), desk, 2)
        drawn = {tuple(one.extra["attributes"].values()) for one in records(found)}
        assert drawn == {(a, b) for a in GRID["subject"] for b in GRID["form"]}
        asked = [ask.messages[-1].content for ask in desk.asked if ask.purpose == "prompt"]
        assert all("subject: " in text and "form: " in text for text in asked)

    def test_it_works_without_seeds_where_a_grid_is_given(self, desk_of):
        assert records(batches(make(Method, "attributed", {"grid": GRID}), desk_of(seeds=0), 1))
        with pytest.raises(TriptychError, match="no seeds to make attributes from"):
            batches(make(Method, "attributed", {}), desk_of(seeds=0), 1)

    def test_the_model_makes_the_grid(self, desk_of):
        made = records(batches(make(Method, "attributed", {"dimensions": 2, "values": 3}), desk_of(), 10))
        names = {tuple(one.extra["attributes"]) for one in made}
        assert len(names) == 1
        assert len(next(iter(names))) == 2
        for place in range(2):
            assert 2 <= len({tuple(one.extra["attributes"].values())[place] for one in made}) <= 3

    def test_a_grid_that_never_comes_is_an_error(self, desk_of):
        desk = desk_of()
        desk.ask = lambda asks: [Said("!!!") for _ in asks]
        with pytest.raises(TriptychError, match=r"no list of attributes in 5 tries(.|\n)*empty"):
            batches(make(Method, "attributed", {}), desk, 1)

    def test_a_dimension_needs_two_values(self, desk_of):
        desk = desk_of()
        desk.answer = lambda ask, rng: "1. form" if "differ" in ask.messages[-1].content else "1. letter"
        with pytest.raises(TriptychError, match=r'list of values of "form"(.|\n)*fewer than two values'):
            batches(make(Method, "attributed", {"dimensions": 1}), desk, 1)

    def test_personas_are_of_a_seed_and_different(self, desk_of):
        desk = desk_of()
        made = records(batches(make(Method, "attributed", {"by": "personas", "each": 2}), desk, 6))
        personas = [one.extra["persona"] for one in made]
        assert max(personas.count(one) for one in set(personas)) <= 2
        assert all(len(one.parents) == 1 for one in made)

    def test_a_persona_much_like_another_is_dropped(self, desk_of):
        desk = desk_of()
        plainly = desk.answer
        desk.answer = lambda ask, rng: "A baker who sings." if ask.purpose == "persona" else plainly(ask, rng)
        found = batches(make(Method, "attributed", {"by": "personas"}), desk, 3)
        assert {one.extra["persona"] for one in records(found)} == {"A baker who sings."}
        assert len(records(found)) == 1
        assert {one.reason for one in failures(found)} == {"persona much like an earlier one"}

    def test_personas_without_seeds(self, desk_of):
        made = records(batches(make(Method, "attributed", {"by": "personas"}), desk_of(seeds=0), 2))
        assert made
        assert all(one.parents == () for one in made)


class TestEvolInstruct:
    def test_evolutions_are_counted_and_lead_back_to_a_seed(self, desk_of):
        desk = desk_of(faults=0.2)
        found = batches(make(Method, "evol_instruct", {"depth": 3}), desk, 30)
        made = {one.id: one for one in records(found)}
        assert {one.extra["depth"] for one in made.values()} == {1, 2, 3}
        for one in made.values():
            depth, at = 1, one
            while at.parents[0] in made:
                depth, at = depth + 1, made[at.parents[0]]
            assert depth == one.extra["depth"]
            assert at.parents[0].startswith("seed-")

    def test_a_failed_evolution_leaves_its_parent_at_work(self, desk_of):
        desk = desk_of(seeds=1, batch=1)
        said = iter(["..."])
        plainly = desk.answer
        desk.answer = lambda ask, rng: next(said, None) or plainly(ask, rng)
        first, second, third, _ = batches(make(Method, "evol_instruct", {"depth": 3}), desk, 4)
        assert (first[0].reason, first[0].attempt) == ("empty prompt", 0)
        assert (second[0].parents, second[0].attempt, second[0].extra["depth"]) == (("seed-0",), 1, 1)
        assert (third[0].parents, third[0].attempt, third[0].extra["depth"]) == ((second[0].id,), 0, 2)

    def test_operations_by_share(self, desk_of):
        for widen, kinds in ((0.0, {"constraints", "deepen", "concretize", "reasoning"}), (1.0, {"widen"})):
            found = batches(make(Method, "evol_instruct", {"widen": widen}), desk_of(batch=20), 3)
            assert {one.extra["operation"] for batch in found for one in batch} == kinds

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("{parent}", "no gain: much the same as its parent"),
            ("{parent} Please.", "no gain: much the same as its parent"),
            ("{half}", "no gain: much the same as its parent"),
            ("Name a bird that sings at night, which makes the given task harder.", "speaks of the rewriting"),
            (OPERATIONS["constraints"].examples[0][1], "copy of an example"),
        ],
    )
    def test_what_gained_nothing_is_eliminated_by_rule(self, desk_of, text, reason):
        desk = desk_of(batch=3)
        desk.answer = lambda ask, rng: text.format(parent=parent_in(ask), half=parent_in(ask)[:30])
        (batch,) = batches(make(Method, "evol_instruct", {}), desk, 1)
        assert {one.reason for one in batch} == {reason}

    def test_a_response_without_content_is_eliminated(self, desk_of):
        desk = desk_of()
        plainly = desk.answer
        desk.answer = lambda ask, rng: "Yes, it is." if ask.purpose == "response" else plainly(ask, rng)
        assert {one.reason for one in failures(batches(make(Method, "evol_instruct", {}), desk, 2))} == {
            "response says nothing"
        }

    def test_the_model_is_asked_for_a_gain_where_it_should(self, desk_of):
        desk = desk_of(batch=20)
        found = batches(make(Method, "evol_instruct", {"equal": "ask"}), desk, 3)
        judged = [ask for ask in desk.asked if ask.purpose == "judge"]
        assert len(judged) >= len(records(found))
        assert "no gain: asks for the same" in {one.reason for one in failures(found)}


class TestTaxonomy:
    def test_every_leaf_has_its_turn(self, desk_of):
        desk = desk_of(batch=5)
        method = make(Method, "taxonomy", {"levels": 2, "width": 3, "critic": False})
        (tree,) = method.grow(desk_of())
        leaves = tree.leaves
        assert len(set(leaves)) == len(leaves)
        assert all(len(leaf) == 3 for leaf in leaves)
        found = batches(method, desk, 40)
        nodes = [tuple(one.extra["node"]) for batch in found for one in batch]
        for start in range(0, len(nodes) - len(leaves), len(leaves)):
            assert len(set(nodes[start : start + len(leaves)])) == len(leaves)

    def test_the_tree_is_made_level_by_level(self, desk_of):
        desk = desk_of()
        desk.answer = lambda ask, rng: f"1. of {ask.key[:6]}\n2. and {ask.key[6:12]}"
        (tree,) = make(Method, "taxonomy", {"domain": "birds", "levels": 3, "width": 2, "proposals": 1}).grow(desk)
        asked = [ask.messages[-1].content.partition("\n")[0].removeprefix("Field: ").split(", ") for ask in desk.asked]
        assert [len(node) for node in asked] == [1, 2, 2, 3, 3, 3, 3]
        assert len(tree.leaves) == 8
        assert {leaf[0] for leaf in tree.leaves} == {"birds"}

    def test_a_node_that_cannot_be_divided_is_a_leaf(self, desk_of):
        desk = desk_of()
        plainly = desk.answer
        desk.answer = lambda ask, rng: "" if ", " in ask.messages[-1].content.partition("\n")[0] else plainly(ask, rng)
        (tree,) = make(Method, "taxonomy", {"domain": "birds", "levels": 3, "width": 3}).grow(desk)
        assert [len(leaf) for leaf in tree.leaves] == [2, 2, 2]

    def test_a_prompt_takes_a_leaf_of_every_tree_and_all_of_them_have_their_turn(self, desk_of):
        params = {"domain": "birds", "factors": ["form"], "trees": 3, "levels": 2, "width": 3, "critic": False}
        method = make(Method, "taxonomy", params)
        trees = method.grow(desk_of())
        assert [tree.factor for tree in trees[:2]] == ["", "form"]
        assert len(trees) == 3
        assert len({len(tree.leaves) for tree in trees} | {9}) == 1
        desk = desk_of(batch=6)
        found = [one for batch in batches(method, desk, 30) for one in batch]
        for factor, leaves in ((tree.factor, set(tree.leaves)) for tree in trees):
            dealt = [tuple(one.extra["factors"][factor] if factor else one.extra["node"]) for one in found]
            for start in range(0, len(dealt) - 9, 9):
                assert set(dealt[start : start + 9]) == leaves
        mixes = {repr((one.extra["node"], one.extra["factors"])) for one in found}
        assert len(mixes) > 90

    def test_what_was_drawn_is_what_is_asked_for(self, desk_of):
        desk = desk_of(batch=4)
        params = {"domain": "birds", "factors": "form, asker", "critic": False, "complexify": 0}
        (batch,) = batches(make(Method, "taxonomy", params), desk, 1)
        asked = [ask.messages[-1].content for ask in desk.asked if ask.purpose == "prompt"]
        for one, text in zip(batch, asked, strict=True):
            drawn = [f"{factor}: {', '.join(path)}" for factor, path in one.extra["factors"].items()]
            assert text.splitlines() == [
                f"Field: {', '.join(one.extra['node'])}",
                *drawn,
                f"Situation: {one.extra['idea']}",
            ]
            assert any(text.splitlines()[1:-1] == idea.messages[-1].content.splitlines()[1:] for idea in desk.asked)

    def test_factors_that_the_model_names_are_new(self, desk_of):
        desk = desk_of()
        plainly = desk.answer
        desk.answer = lambda ask, rng: (
            "1. Form\n2. birds\n3. tone" if "In which" in ask.messages[-1].content else plainly(ask, rng)
        )
        trees = make(Method, "taxonomy", {"domain": "birds", "factors": ["form"], "trees": 3}).grow(desk)
        assert [tree.factor for tree in trees] == ["", "form", "tone"]
        with pytest.raises(TriptychError, match="no list of 3 factors in 5 tries"):
            make(Method, "taxonomy", {"domain": "birds", "factors": ["form"], "trees": 4}).grow(desk)

    def test_a_factor_that_cannot_be_divided_ends_the_run(self, desk_of):
        desk = desk_of()
        plainly = desk.answer
        desk.answer = lambda ask, rng: "" if "differ in" in ask.messages[-1].content else plainly(ask, rng)
        with pytest.raises(TriptychError, match='no parts of "form" in 5 tries'):
            make(Method, "taxonomy", {"domain": "birds", "factors": ["form"]}).grow(desk)

    def test_ideas_of_a_leaf_are_used_once(self, desk_of):
        desk = desk_of(batch=10)
        found = batches(make(Method, "taxonomy", {"levels": 1, "width": 2, "critic": False}), desk, 4)
        ideas = [(tuple(one.extra["node"]), one.extra["idea"]) for one in records(found)]
        asked = [ask for ask in desk.asked if ask.purpose == "ideas"]
        assert len(asked) < len(ideas)
        assert len(set(ideas)) > len(asked)

    def test_complexify_is_a_share(self, desk_of):
        for share in (0.0, 1.0):
            found = batches(make(Method, "taxonomy", {"complexify": share, "critic": False}), desk_of(), 3)
            assert {"complexified" in one.extra for one in records(found)} == {share == 1.0}

    @pytest.mark.parametrize(
        ("right", "wrong", "reason"),
        [
            ("yes", "no", None),
            ("no", "no", "critic: not right"),
            ("yes", "yes", "critic: wrong"),
            ("hm", "no", "no verdict that can be read"),
        ],
    )
    def test_both_critics_have_to_agree(self, desk_of, right, wrong, reason):
        desk = desk_of()
        plainly = desk.answer

        def answer(ask, rng):
            last = ask.messages[-1].content
            return (
                right if "Is this answer right" in last else wrong if "Is anything wrong" in last else plainly(ask, rng)
            )

        desk.answer = answer
        found = batches(make(Method, "taxonomy", {}), desk, 2)
        assert {one.reason for one in failures(found)} == ({reason} if reason else set())
        assert bool(records(found)) == (reason is None)


class TestBackTranslation:
    def test_the_response_is_the_seed_s_text(self, desk_of):
        desk = desk_of()
        texts = {seed.id: seed.response for seed in desk.seeds}
        for one in records(batches(make(Method, "back_translation", {}), desk, 4)):
            assert one.response == texts[one.parents[0]]
        assert {ask.purpose for ask in desk.asked} == {"instruction"}

    def test_curation_keeps_what_is_rated_well(self, desk_of):
        found = batches(make(Method, "back_translation", {"curate": 4}), desk_of(batch=20), 3)
        assert {one.extra["rating"] for one in records(found)} == {4, 5}
        assert {one.extra["rating"] for one in failures(found)} == {1, 2, 3}

    def test_a_long_text_is_left_out(self, desk_of):
        desk = desk_of()
        most = sorted(len(seed.response) for seed in desk.seeds)[5]
        made = records(batches(make(Method, "back_translation", {"most": most}), desk, 6))
        assert max(len(one.response) for one in made) <= most
        assert not batches(make(Method, "back_translation", {"most": 1}), desk)


def test_likeness_is_rouge_l():
    assert Pool(["a b c d"]).nearest("A, c d!") == pytest.approx(6 / 7)
    assert Pool(["a b"]).nearest("") == Pool().nearest("a") == 0
    assert new_words("A c b e, f!", "a b c d") == 3
    assert new_words("c d", "a b c d") == 0
    assert (new_words("c d", ""), new_words("", "c d")) == (2, 0)
    pool = Pool(["a b c d", "x y"])
    assert pool.nearest("a b c d e") == pytest.approx(8 / 9)
    assert pool.nearest("z") == 0
    pool.add("z")
    assert pool.nearest("z") == 1


def test_the_nearest_is_that_of_comparing_with_all():
    rng = stream("pool")
    texts = [" ".join(rng.choice(list("abcdefghij"), size=int(rng.integers(1, 30)))) for _ in range(150)]
    pool = Pool(texts[:100])
    for text in texts[100:]:
        want = max(rouge_l([ord(w) for w in text.split()], [ord(w) for w in t.split()]) for t in texts[:100])
        assert pool.nearest(text) == pytest.approx(want)
        assert pool.nearest(text, 0.3) <= want
        assert (pool.nearest(text, 0.3) > 0.3) == (want > 0.3)
