"""The rewriting world against sentences written by hand, and against tables of verb groups and pronouns."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from itertools import pairwise

import pytest

from triptych.worlds.draw import Draw
from triptych.worlds.rewriting import OPERATIONS, Rewriting, fits, operations, rewritten
from triptych.worlds.rewriting_grammar import VERBS, Clause, Phrase
from triptych.worlds.world import Dials

WORLD = Rewriting()

BASES = {
    "this man follows my dog .": Clause(Phrase("this", "man"), Phrase("my", "dog"), "follow"),
    "the women chose our mice .": Clause(
        Phrase("the", "woman", plural=True), Phrase("our", "mouse", plural=True), "choose", time="past"
    ),
    "the proud lady hides my goose near the river .": Clause(
        Phrase("the", "lady", adjective="proud"), Phrase("my", "goose"), "hide", place=("near", "river")
    ),
    "these boys carry our hungry wolves .": Clause(
        Phrase("this", "boy", plural=True), Phrase("our", "wolf", plural=True, adjective="hungry"), "carry"
    ),
    "the aunt fed my calf .": Clause(Phrase("the", "aunt"), Phrase("my", "calf"), "feed", time="past"),
}

BY_HAND = {
    "this man follows my dog .": """
        past: this man followed my dog .
        future: this man will follow my dog .
        must: this man must follow my dog .
        progressive: this man is following my dog .
        perfect: this man has followed my dog .
        passive: my dog is followed by this man .
        negative: this man does not follow my dog .
        question: does this man follow my dog ?
        plural_doer: these men follow my dog .
        plural_receiver: this man follows my dogs .
        pronoun_doer: he follows my dog .
        pronoun_receiver: this man follows it .
        often: this man often follows my dog .
        again: this man follows my dog again .
        cleft: it is this man that follows my dog .
        report: they say that this man follows my dog .
        past negative: this man did not follow my dog .
        past question: did this man follow my dog ?
        plural_doer question: do these men follow my dog ?
        plural_doer negative: these men do not follow my dog .
        plural_receiver passive: my dogs are followed by this man .
        passive pronoun_doer: my dog is followed by him .
        pronoun_doer plural_doer passive: my dog is followed by them .
        negative question: does this man not follow my dog ?
        often negative: this man does not often follow my dog .
        often question past: did this man often follow my dog ?
        past cleft: it was this man that followed my dog .
        passive cleft past: it was my dog that was followed by this man .
        question cleft: is it this man that follows my dog ?
        report cleft: they say that it is this man that follows my dog .""",
    "the women chose our mice .": """
        negative: the women did not choose our mice .
        passive: our mice were chosen by the women .
        perfect: the women had chosen our mice .
        progressive: the women were choosing our mice .
        perfect progressive: the women had been choosing our mice .
        perfect passive question: had our mice been chosen by the women ?
        progressive passive: our mice were being chosen by the women .
        progressive passive question negative: were our mice not being chosen by the women ?
        future: the women will choose our mice .
        must perfect passive: our mice must have been chosen by the women .
        pronoun_doer pronoun_receiver: they chose them .
        pronoun_receiver passive often: they were often chosen by the women .
        cleft plural_doer: it was the women that chose our mice .
        question cleft: was it the women that chose our mice ?""",
    "the proud lady hides my goose near the river .": """
        past: the proud lady hid my goose near the river .
        passive: my goose is hidden by the proud lady near the river .
        pronoun_doer: she hides my goose near the river .
        pronoun_doer passive perfect: my goose has been hidden by her near the river .
        plural_doer plural_receiver: the proud ladies hide my geese near the river .
        plural_receiver passive progressive: my geese are being hidden by the proud lady near the river .
        again pronoun_receiver: the proud lady hides it near the river again .
        future passive question: will my goose be hidden by the proud lady near the river ?
        must progressive: the proud lady must be hiding my goose near the river .
        report passive past: they say that my goose was hidden by the proud lady near the river .
        plural_doer perfect question: have the proud ladies hidden my goose near the river ?""",
    "these boys carry our hungry wolves .": """
        past: these boys carried our hungry wolves .
        progressive: these boys are carrying our hungry wolves .
        perfect: these boys have carried our hungry wolves .
        passive past: our hungry wolves were carried by these boys .
        cleft future: it is these boys that will carry our hungry wolves .
        often perfect progressive: these boys have often been carrying our hungry wolves .
        must negative question often: must these boys not often carry our hungry wolves ?
        pronoun_receiver passive question: are they carried by these boys ?""",
    "the aunt fed my calf .": """
        question: did the aunt feed my calf ?
        passive pronoun_receiver: it was fed by the aunt .
        plural_receiver passive perfect negative: my calves had not been fed by the aunt .
        future perfect negative: the aunt will not have fed my calf .
        report progressive pronoun_doer: they say that she was feeding my calf .""",
}  # fmt: skip
CASES = [
    (base, *(part.strip() for part in line.split(":")))
    for base, lines in BY_HAND.items()
    for line in lines.strip().splitlines()
]

# Every verb group of "choose", in full: time, then what is added, then the words for a plural subject.
GROUPS = """
    present - choose / past - chose / future - will choose / must - must choose
    present perfect have chosen / past perfect had chosen
    future perfect will have chosen / must perfect must have chosen
    present progressive are choosing / past progressive were choosing
    future progressive will be choosing / must progressive must be choosing
    present perfect+progressive have been choosing / past perfect+progressive had been choosing
    future perfect+progressive will have been choosing / must perfect+progressive must have been choosing
    present passive are chosen / past passive were chosen / future passive will be chosen / must passive must be chosen
    present perfect+passive have been chosen / past perfect+passive had been chosen
    future perfect+passive will have been chosen / must perfect+passive must have been chosen
    present progressive+passive are being chosen / past progressive+passive were being chosen"""


def group_table():
    for line in GROUPS.strip().replace("\n", "/").split("/"):
        when, added, *words = line.split()
        yield when, [] if added == "-" else added.split("+"), words


def tasks(skills, kind="plain", per_skill=2):
    for skill in skills:
        for turn in range(per_skill):
            yield WORLD.task(skill, Draw("test", skill.name, turn, kind), kind)


@pytest.mark.parametrize(("base", "steps", "expected"), CASES)
def test_sentences_written_by_hand(base, steps, expected):
    clause = BASES[base]
    assert clause.sentence() == base
    assert rewritten(clause, steps.split()).sentence() == expected
    assert rewritten(clause, steps.split()[::-1]).sentence() == expected


def test_the_hand_written_cases_use_every_operation_alone_and_composed():
    alone = {steps for _, steps, _ in CASES if " " not in steps}
    composed = {step for _, steps, _ in CASES if " " in steps for step in steps.split()}
    assert alone == composed == set(OPERATIONS)
    assert len(CASES) >= 40


@pytest.mark.parametrize(("when", "added", "words"), list(group_table()))
def test_verb_groups_against_the_table(when, added, words):
    women, mice = Phrase("the", "woman", plural=True), Phrase("my", "mouse", plural=True)
    clause = Clause(women, mice, "choose", time=when, **dict.fromkeys(added, True))
    subject, rest = ("my mice", "by the women") if "passive" in added else ("the women", "my mice")
    text = " ".join(words)
    assert clause.sentence() == f"{subject} {text} {rest} ."
    if len(words) == 1:  # without an auxiliary, questions and negations take do
        words = [{"choose": "do", "chose": "did"}[words[0]], "choose"]
    first, later = words[0], " ".join(words[1:])
    assert rewritten(clause, ["question"]).sentence() == f"{first} {subject} {later} {rest} ?"
    assert rewritten(clause, ["negative"]).sentence() == f"{subject} {first} not {later} {rest} ."
    assert rewritten(clause, ["negative", "often"]).sentence() == f"{subject} {first} not often {later} {rest} ."


def test_verbs_and_singular_agreement():
    man, dog = Phrase("the", "man"), Phrase("my", "dog")
    singular = {"are": "is", "were": "was", "have": "has", "do": "does"}
    for when, added, words in group_table():
        subject, rest = ("my dog", "by the man") if "passive" in added else ("the man", "my dog")
        first = "chooses" if words == ["choose"] else singular.get(words[0], words[0])
        expected = " ".join([subject, first, *words[1:], rest, "."])
        assert Clause(man, dog, "choose", time=when, **dict.fromkeys(added, True)).sentence() == expected
    regular = [verb for verb in VERBS.values() if len(verb.past) > 4 and verb.past.endswith("ed")]
    assert {verb.base for verb in regular} == {"help", "follow", "watch", "carry", "stop", "chase"}
    assert all(verb.past == verb.participle for verb in regular)
    assert all(
        len(set(verb)) in {4, 5} and verb.ing.endswith("ing") and verb.third.endswith("s") for verb in VERBS.values()
    )


def test_there_are_enough_skills_and_none_is_worded_like_another():
    assert Counter(skill.depth for skill in WORLD.skills) == {1: 16, 2: 113, 3: 462, 4: 1206}
    assert len({frozenset(operations(skill)) for skill in WORLD.skills}) == len(WORLD.skills)
    clause = BASES["this man follows my dog ."]
    rewritings = defaultdict(set)
    for skill in WORLD.skills:
        rewritings[rewritten(clause, operations(skill)).sentence()].add(skill.name)
    assert all(len(names) == 1 for names in rewritings.values())  # 1,797 skills, 1,797 different sentences
    assert not fits(("past", "future"))
    assert fits(("cleft", "passive", "pronoun_doer"))
    assert not fits(("cleft", "passive", "pronoun_receiver"))


def test_every_operation_of_every_skill_matters():
    for task in tasks(WORLD.skills, per_skill=1):
        steps = operations(task.skill)
        assert task.answer == rewritten(task.facts, steps).sentence()
        for step in steps:
            assert rewritten(task.facts, [other for other in steps if other != step]).sentence() != task.answer


@pytest.mark.parametrize("error", WORLD.errors)
def test_errors_are_always_wrong_and_of_their_kind(error):
    known = {word for task in tasks(WORLD.skills[:591], per_skill=3) for word in task.answer.split()}
    for task in tasks(WORLD.skills):
        wrong = WORLD.spoiled(task, error, Draw("test", error, task.answer))
        right = task.answer.split()
        assert wrong != task.answer
        assert WORLD.grade({"answer": task.answer}, wrong) < 1
        assert set(wrong.split()) <= known
        if error == "truncated":
            assert right[: len(wrong.split())] == wrong.split()
            assert len(right) // 2 <= len(wrong.split()) < len(right) - 1
        elif error in {"slip", "wrong_word"}:
            assert sum(one != other for one, other in zip(right, wrong.split(), strict=True)) == 1
        elif error == "dropped_step":
            steps = operations(task.skill)
            assert wrong in {rewritten(task.facts, {*steps} - {step}).sentence() for step in steps}


def test_a_slip_is_no_sentence_of_the_same_tense():
    slips = {
        "past": "this man follow my dog .",
        "future": "this man will follows my dog .",
        "progressive": "this man are following my dog .",
        "perfect passive": "my dog have been followed by this man .",
        "question": "do this man follow my dog ?",
        "must passive": "my dog must is followed by this man .",
        "past cleft passive": "it was my dog that were followed by this man .",
    }
    for steps, wrong in slips.items():
        assert rewritten(BASES["this man follows my dog ."], steps.split()).sentence(slip=True) == wrong


def test_forms_are_many_a_skill_and_held_out_wordings_are_new_though_their_words_are_known():
    trained, held = range(WORLD.forms), range(WORLD.forms, WORLD.forms + WORLD.held_forms)
    for skill in WORLD.skills[::7]:
        task = WORLD.task(skill, Draw("test", skill.name))
        seen = {WORLD.worded(task, form, Draw("any")) for form in trained}
        new = {WORLD.worded(task, form, Draw("any")) for form in held}
        assert len(seen) >= 20
        assert len(seen) == WORLD.forms // (2 if skill.depth == 1 else 1)  # one operation has one order
        assert not seen & new
        assert {word for text in new for word in text.split()} <= {word for text in seen for word in text.split()}


def test_the_first_form_is_the_short_one_and_the_first_few_differ_in_every_way():
    task = WORLD.task(next(skill for skill in WORLD.skills if skill.name == "past+passive"), Draw("test"))
    texts = [WORLD.worded(task, form, Draw("any")) for form in range(WORLD.forms)]
    assert texts[0] == f"past passive : {task.facts.sentence()}"
    assert len(texts[0]) == min(map(len, texts))
    assert all(one.split()[0] != other.split()[0] for one, other in pairwise(texts[:4]))


def test_texts_are_words_between_single_spaces_from_a_small_vocabulary():
    rows = WORLD.data(Dials(quality=0.5), 3000, "0", 0)
    panels = WORLD.panels("0", 0, 100, 8)
    known = {word for row in rows for word in f"{row['prompt']} {row['response']}".split()}
    assert 150 <= len(known) <= 250
    for row in [*rows, *(row for panel in panels.values() for row in panel)]:
        for text in (row["prompt"], row["response"]):
            assert text == " ".join(text.split())
            assert set(text.split()) <= known
    assert {word.strip("abcdefghijklmnopqrstuvwxyz") for word in known} == {"", ".", "?", ":", ","}


def test_longer_sentences_have_what_no_plain_one_has_together():
    for task in tasks(WORLD.skills[:300]):
        more = [task.facts.doer.adjective, task.facts.receiver.adjective, task.facts.place]
        assert sum(map(bool, more)) <= 1
    for task in tasks(WORLD.skills[:300], "longer"):
        assert task.facts.doer.adjective
        assert task.facts.receiver.adjective
        assert task.facts.place


def test_panels_hold_right_answers_and_no_skill_or_input_of_the_data():
    rows = WORLD.data(Dials(), 3000, "0", 0)
    panels = WORLD.panels("0", 1, 60, 8)
    assert set(panels) == {"id", "paraphrase", "compositions", "deeper", "longer"}
    trained = {row["skeleton"] for row in rows}
    for name, panel in panels.items():
        assert all(row["response"] == row["answer"] and WORLD.grade(row, row["response"]) == 1 for row in panel)
        if name in {"compositions", "deeper"}:
            assert not {row["skeleton"] for row in panel} & trained
        else:
            assert {row["skeleton"] for row in panel} <= trained
        prompts = {row["prompt"] for row in rows}
        assert not prompts & {row["prompt"] for row in panel}
    assert {row["depth"] for row in panels["deeper"]} == {4}


def test_data_is_the_same_each_time_and_changes_with_seed_and_block():
    started = time.perf_counter()
    one = WORLD.data(Dials(quality=0.7, skills=8), 1000, "0", 0)
    assert time.perf_counter() - started < 3
    assert one == WORLD.data(Dials(quality=0.7, skills=8), 1000, "0", 0)
    assert one != WORLD.data(Dials(quality=0.7, skills=8), 1000, "0", 1)
    assert one != WORLD.data(Dials(quality=0.7, skills=8), 1000, "1", 0)
    assert sum(row["correct"] for row in one) == 700
    assert Counter(row["error"] for row in one if not row["correct"]) == dict.fromkeys(WORLD.errors, 60)
    assert all(row["correct"] == (row["response"] == row["answer"]) for row in one)


def test_surface_and_skill_diversity_move_apart():
    counts = {
        (skills, forms): (len({row["skeleton"] for row in rows}), len({row["form"] for row in rows}))
        for skills in (4, 40)
        for forms in (2, 40)
        for rows in [WORLD.data(Dials(skills=skills, forms=forms), 2000, "0", 0)]
    }
    assert counts == {(4, 2): (12, 2), (4, 40): (12, 40), (40, 2): (96, 2), (40, 40): (96, 40)}


@pytest.mark.parametrize(
    ("response", "score"),
    [
        ("he was following it .", 1),
        ("  he was following  it . ", 1),
        ("he was following", 3 / 5),
        ("he is following it .", 4 / 5),
        ("", 0),
        ("he was following it . . . . . .", 1 / 2),
        ("it following was he", 1 / 5),
    ],
)
def test_grade_is_the_share_of_words_right_in_order(response, score):
    assert WORLD.grade({"answer": "he was following it ."}, response) == pytest.approx(score)


def test_parse_undoes_worded_in_every_form():
    draw = Draw("parse")
    pools = {depth: [skill for skill in WORLD.skills if skill.depth == depth] for depth in (1, 2, 3, 4)}
    for skill in pools[1] + [skill for depth in (2, 3, 4) for skill in draw.some(pools[depth], 40)]:
        for kind in ("plain", "longer"):
            task = WORLD.task(skill, draw, kind)
            for form in range(WORLD.forms + WORLD.held_forms):
                assert WORLD.parse(WORLD.worded(task, form, draw)) == task
    panels = WORLD.panels("0", 0, 200, 20).values()
    for row in [*WORLD.data(Dials(quality=0.5), 2000, "0", 0), *(row for panel in panels for row in panel)]:
        task = WORLD.parse(row["prompt"])
        assert (task.skill.name, task.skill.depth, task.answer) == (row["skeleton"], row["depth"], row["answer"])


def test_no_two_skills_are_named_alike_in_a_frame():
    for names in WORLD._said:
        assert len(names) == sum(4 * (1 if skill.depth == 1 else 2) for skill in WORLD.skills)


@pytest.mark.parametrize(
    "prompt",
    [
        "",
        "past",
        "past : this man follows my dog",
        "past : this man follow my dog .",  # agreement
        "past : this man followed my dog .",  # already past
        "plural_doer : this man follows my dog .",  # no name of it
        "doers : these men follow my dog .",  # already plural
        "past future : this man follows my dog .",  # they do not go together
        "past past : this man follows my dog .",
        "past the passive voice : this man follows my dog .",  # named in two ways
        "past : this dog follows my man .",  # who acts on whom
        "past : this man does not follow my dog .",  # no plain sentence
        "past : this man follows my small small dog .",
        "past : this man follows my dog near house .",
        "past : this man follows my dog near the house the .",
        "past : this man follows my dog near the .",
        "past : these man follows my dog .",
        "past : this man  follows my dog .",
        "past : this man follows my dog . .",
        "rewrite with past then question : this man follows my dog .",
        "past : follows my dog .",
        "past : this man follows .",
    ],
)
def test_parse_gives_none_for_what_is_no_task(prompt):
    assert WORLD.parse("past : this man follows my dog .").skill.name == "past"
    assert WORLD.parse(prompt) is None
