"""Filters: what each drops, with the reason, against slow references."""

from __future__ import annotations

import json
import re

import pytest

from triptych.core.errors import SpecError
from triptych.core.rng import stream
from triptych.generating.ask import Dropped, Kept, Made, Said, Seed
from triptych.generating.filters.decontaminate import Decontaminate
from triptych.generating.filters.judge import Judged
from triptych.generating.filters.length import Length
from triptych.generating.filters.near_duplicate import NearDuplicate
from triptych.generating.filters.quality import Quality
from triptych.generating.filters.valid import Valid
from triptych.generating.filters.verifier import Verified
from triptych.generating.rubric import question, read_grade


class Counter:
    """A desk that answers each ask by a rule."""

    def __init__(self, say=None, folder=None, seeds=(), grades=()):
        self.say, self.folder, self.seeds, self._grades = say, folder, seeds, list(grades)
        self.asked = []

    def ask(self, asks):
        self.asked += asks
        return [Said(text, "" if text is not None else "refusal") for text in map(self.say, asks)]

    def grades(self, made):
        return [self._grades.pop(0) for _ in made]

    def file(self, name):
        return self.folder / name


def told(verdicts):
    return [each.reason if isinstance(each, Dropped) else "" for each in verdicts]


def test_valid_drops_by_defect():
    batch = [
        Made("Name a bird.", "A wren."),
        Made("Name a bird.", "..."),
        Made("Name a bird.", "I'm sorry, but I can't help with that."),
        Made("Name a bird.", "The bird sings. " * 30),
        Made("???", "A wren."),
        Made("Name a bird.", "A wren.", extra={"cut": True}),
        Made("Name a bird\ufffd now.", "A wren."),
    ]
    expected = ["", "empty", "refusal", "repetition_loop", "prompt: empty", "truncated", "prompt: broken_encoding"]
    assert told(Valid().begin(Counter()).judge(batch)) == expected
    assert told(Valid(prompts=False).begin(Counter()).judge(batch))[4:] == ["", "truncated", ""]


def jaccard(one, other, n):
    runs = []
    for text in (one, other):
        words = re.findall(r"[a-z0-9]+", text.lower())
        runs.append({tuple(words[at : at + n]) for at in range(len(words) - n + 1)} or {tuple(words)})
    return len(runs[0] & runs[1]) / len(runs[0] | runs[1])


@pytest.mark.parametrize(("n", "threshold"), [(1, 0.5), (2, 0.4), (3, 0.3)])
def test_near_duplicates_by_the_slow_way(n, threshold):
    draw = stream("near duplicates")
    words = "red green blue one two three four".split()
    texts = [
        " ".join(words[place] for place in draw.integers(len(words), size=draw.integers(1, 9))) for _ in range(120)
    ]
    gate = NearDuplicate(threshold=threshold, n=n).begin(Counter())
    kept, dropped = [], 0
    for start in range(0, len(texts), 8):
        batch = [Made(text, "x") for text in texts[start : start + 8]]
        here = []
        for made, verdict in zip(batch, gate.judge(batch), strict=True):
            nearest = max((jaccard(made.prompt, other, n) for other in [*kept, *here]), default=0.0)
            assert verdict.value == pytest.approx(nearest)
            assert isinstance(verdict, Dropped) == (nearest >= threshold)
            here += [made.prompt] if isinstance(verdict, Kept) else []
            dropped += isinstance(verdict, Dropped)
        final = here[::2]  # a later filter drops every second one: they are forgotten
        gate.keep([Made(text, "x") for text in final])
        kept += final
    assert 10 < dropped < 110


def test_near_duplicates_look_at_the_text_that_is_named_and_at_seeds():
    seen = Seed("s", "How do tall trees drink water?", "Through their roots.")
    same = Made("How do TALL trees drink water", "By no means as you think they do.")
    assert told(NearDuplicate().begin(Counter(seeds=[seen])).judge([same])) == [""]
    assert told(NearDuplicate(seeds=True).begin(Counter(seeds=[seen])).judge([same])) != [""]
    assert told(NearDuplicate(seeds=True, on="response").begin(Counter(seeds=[seen])).judge([same])) == [""]


def test_a_verifier_passes_what_is_right_and_says_why_not():
    rows = [{"answer": "12"}, {"answer": "12"}, {}]
    batch = [Made("6 + 6?", said, row=row) for said, row in zip(["It is 12.", "It is 13.", "12"], rows, strict=True)]
    found = Verified("number").begin(Counter()).judge(batch)
    assert [type(each) for each in found] == [Kept, Dropped, Dropped]
    assert (found[0].value, found[1].value, found[2].value) == (1.0, 0.0, None)
    assert found[2].reason.startswith("no verdict: the record has no")


def test_a_judge_is_asked_for_all_at_once_and_no_number_is_no_low_number():
    says = {"good": "5", "bad": "2", "odd": "It depends.", "shy": None}
    desk = Counter(lambda ask: next(says[word] for word in says if f"A {word} prompt" in ask.messages[-1].content))
    batch = [Made(f"A {word} prompt", "x") for word in says]
    found = Judged(least=0.5).begin(desk).judge(batch)
    assert [type(each) for each in found] == [Kept, Dropped, Dropped, Dropped]
    assert told(found)[1:] == ["rated too low", "no rating: the reply holds no grade", "no rating: refusal"]
    assert [each.value for each in found] == [0.8, 0.2, None, None]
    assert {ask.purpose for ask in desk.asked} == {"judge"}
    assert len(desk.asked) == 4


@pytest.mark.parametrize(
    ("text", "value"),
    [("4", 0.6), ("6", 1.0), ("1", 0.0), ("Grade: 5/6", 0.8), ("**2**", 0.2), ("3 or 4", None), ("7", None), ("", None), (None, None)],
)  # fmt: skip
def test_grades_are_read_or_they_are_none(text, value):
    found = read_grade(Said(text, "" if text is not None else "refusal"))
    assert isinstance(found, str) if value is None else found == pytest.approx(value)


def test_the_rubric_stands_in_the_question():
    assert "It rhymes." in question("p", "r", "It rhymes.").messages[-1].content
    assert question("p", "r").key != question("p", "s").key
    assert question("p", "r", tokens=400).max_tokens == 400


def test_quality_reads_the_grade():
    found = Quality(least=0.5).begin(Counter(grades=[0.5, 0.4, None])).judge([Made("p", "r")] * 3)
    assert told(found) == ["", "graded too low", "no grade"]


def test_length_counts_words():
    batch = [Made("one two", "a b c"), Made("one two", "a"), Made("one two", "a b c d e"), Made("one", "a b c")]
    own = Length(least=2, most=4, prompt_least=2)
    assert told(own.begin(Counter()).judge(batch)) == [
        "",
        "response too short",
        "response too long",
        "prompt too short",
    ]


def test_decontamination_finds_what_a_benchmark_holds(tmp_path):
    item = (
        "A farmer keeps seven red hens and twelve brown hens in a long wooden shed behind the mill. "
        "Each red hen lays three eggs in a week. How many eggs do the red hens lay?"
    )
    rows = [
        {"question": item, "answer": "21"},
        {"question": "Which of the two rivers in the valley is the longer one?", "answer": "a"},
    ]
    (tmp_path / "bench.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    gate = Decontaminate("bench.jsonl").begin(Counter(folder=tmp_path))
    half = " ".join(item.split()[:20])
    batch = [
        Made(f"Please solve this: {item.upper()}", "21"),
        Made("Tell me about hens.", f"Here is one: {item}"),
        Made(f"{half} and nothing more of that kind.", "21"),
        Made("How do hens lay eggs?", "Slowly."),
    ]
    found = gate.judge(batch)
    assert told(found) == ["overlaps with a benchmark", "overlaps with a benchmark", "", ""]
    assert 0.3 < found[2].value < 0.7
    assert found[3].value == 0.0


@pytest.mark.parametrize(
    "make",
    [
        lambda: NearDuplicate(threshold=1.5),
        lambda: NearDuplicate(n=0),
        lambda: Judged(least=2),
        lambda: Quality(least=-1),
        lambda: Length(least=5, most=4),
        lambda: Verified("number", least=0),
        lambda: Decontaminate("x", threshold=0),
    ],
)
def test_parameters_out_of_range_are_refused(make):
    with pytest.raises(ValueError, match="must"):
        make()


def test_a_verifier_that_is_not_there_is_refused():
    with pytest.raises(SpecError, match="no verifier is named"):
        Verified("numbr")
