"""The text detectors: precision and recall on rows written for it, and what they promise on any text."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triptych.features.constraints import Constraints, constraints
from triptych.features.readability import counts, grade
from triptych.features.reasoning import ReasoningSteps, reasoning_steps
from triptych.features.structure import template
from triptych.features.validity import DEFECTS, Validity, defects, prompt_defects

ROWS = [json.loads(line) for line in (Path(__file__).parent / "detector_rows.jsonl").read_text().splitlines()]
COUNTS = {
    "reasoning_steps": lambda row: reasoning_steps(row["response"] or ""),
    "constraints": lambda row: constraints(row["prompt"]),
}
LEAST = 0.8
ANY = st.one_of(
    st.text(max_size=300),
    st.text(alphabet="aA .,\n\t\"'`=<>()[]{}1&;#-*|:!?\\é’\ufffd", max_size=300),
    st.lists(
        st.sampled_from(["I'm sorry, ", "as an AI ", "cannot ", "1. ", "\n\n", "```", "so ", "= 4 ", "a b c. ", "“x”"])
    ).map("".join),
)


def names(bits: int) -> set[str]:
    return {name for place, name in enumerate(DEFECTS) if bits >> place & 1}


def outcome(detector: str, row: dict) -> tuple[bool, bool]:
    if detector in COUNTS:
        return COUNTS[detector](row) >= 2, row[detector] >= 2
    return detector in names(defects(row["prompt"], row["response"])), detector in row["defects"]


def test_the_order_of_the_defects_is_a_promise_to_saved_features():
    assert DEFECTS == ("empty", "truncated", "refusal", "prompt_echo", "repetition_loop", "broken_encoding")


@pytest.mark.parametrize("detector", [*DEFECTS, *COUNTS])
def test_precision_and_recall_on_written_rows(detector):
    pairs = [outcome(detector, row) for row in ROWS]
    both = sum(found and true for found, true in pairs)
    assert sum(true for _, true in pairs) >= 5
    assert both >= LEAST * sum(found for found, _ in pairs), "precision"
    assert both >= LEAST * sum(true for _, true in pairs), "recall"


def test_rows_without_a_defect_are_the_hard_ones_and_stay_clean():
    clean = [row for row in ROWS if not row["defects"]]
    assert len(clean) >= 40
    flagged = [row["response"] for row in clean if defects(row["prompt"], row["response"])]
    assert len(flagged) <= 0.05 * len(clean), flagged


@pytest.mark.parametrize(
    "answer", ["7", "A", "Yes", " (A)", ":)", "[]", "{}", '""', "+", "<", "🙂", "... --- ...", "٣", "是"]
)
def test_a_short_answer_is_not_empty(answer):
    assert "empty" not in names(defects("?", answer))


@pytest.mark.parametrize("answer", [None, "", " \n\t", "...", "?!", "<nooutput>", "[no output]", "---", "\u200b"])
def test_no_answer_is_empty_and_nothing_else(answer):
    assert names(defects("Say it.", answer)) == {"empty"}


def test_a_null_prompt_is_no_error_and_echoes_nothing():
    assert defects(None, "A plain sentence.") == 0


def test_an_apology_that_the_prompt_asked_for_is_no_refusal():
    answer = "I'm sorry, but I cannot come to the party."
    assert "refusal" in names(defects("Tell me a secret.", answer))
    assert "refusal" not in names(defects("Write an apology for missing the party.", answer))


@pytest.mark.parametrize("length", range(300, 800, 7))
def test_a_loop_of_the_instruction_is_an_echo_wherever_it_stops(length):
    prompt = "Name a dish for a cold day."
    assert "prompt_echo" in names(defects(prompt, (f"\n{prompt}\nOutput:" * 40)[:length]))


def test_asked_for_repetition_is_no_loop():
    answer = "I will be on time. " * 20
    assert "repetition_loop" in names(defects("Describe yourself.", answer))
    assert "repetition_loop" not in names(defects("Write 'I will be on time.' 20 times.", answer))


def test_markup_may_hold_entities_where_the_prompt_is_about_markup():
    answer = "Write &lt;b&gt; and &lt;/b&gt; around it."
    assert "broken_encoding" in names(defects("How do I stress a word?", answer))
    assert "broken_encoding" not in names(defects("How do I stress a word in HTML?", answer))


def test_prompts_are_judged_alone():
    text = "I'm sorry, but I cannot help with that."
    assert prompt_defects(text) == 0
    assert names(prompt_defects("")) == {"empty"}
    assert prompt_defects("Complete the sentence: the old house on the hill belonged to the") == 0


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("Paris is the capital of France.", 0),
        ("", 0),
        ("#### 72", 0),
        ("Natalia sold 48/2 = <<48/2=24>>24 clips in May.\nShe sold 48+24 = <<48+24=72>>72 in all.\n#### 72", 2),
        ("1. Mercury\n2. Venus\n3. Earth", 0),
        ("Follow these steps:\n1. Open the lid.\n2. Pull the lever.\n3. Close it.", 3),
        ("price = 5\ncost = price * 2 + 1\nprint(cost)", 1),
        ("It rained, so the match was off because the pitch was wet.", 1),
    ],
)
def test_steps(text, steps):
    assert reasoning_steps(text) == steps


def test_constraints_rise_as_they_are_added():
    parts = [
        "Write a story about a fox.",
        "Use at most 100 words.",
        "Do not mention the hen.",
        "Write in the style of a fable.",
        "End with a question.",
    ]
    found = [constraints(" ".join(parts[: n + 1])) for n in range(len(parts))]
    assert found == [0, 1, 2, 3, 4]


def test_a_long_input_adds_no_constraint():
    task = "Summarize the text in two sentences."
    text = "The rules say that members must pay at least ten pounds and never smoke. " * 5
    assert constraints(
        f"{task}\n\nThe club was founded long ago by sailors. {'It stood by the sea. ' * 20}"
    ) == constraints(task)
    assert constraints(text) > 0


@pytest.mark.parametrize("on", ["response", "prompt"])
def test_features_give_one_value_a_record(on):
    batch = pa.RecordBatch.from_pydict(
        {
            "prompt": pa.array(["Write a poem.", None, ""]),
            "response": pa.array([None, "It is so.", "I'm sorry, I cannot."]),
        }
    )
    (bits,) = Validity(on=on).compute(batch).values()
    (steps,) = ReasoningSteps(on=on).compute(batch).values()
    (wanted,) = Constraints().compute(batch).values()
    assert bits.type == pa.uint16()
    assert bits.null_count == 0
    assert bits.to_pylist() == ([1, 0, 4] if on == "response" else [0, 1, 1])
    assert steps.type == pa.int32()
    assert steps.to_pylist() == ([None, 0, 0] if on == "response" else [0, None, 0])
    assert wanted.type == pa.int32()
    assert wanted.to_pylist() == [0, None, 0]


@given(prompt=st.none() | ANY, response=st.none() | ANY)
@settings(max_examples=300, deadline=None)
def test_no_text_breaks_a_detector(prompt, response):
    bits = defects(prompt, response)
    assert 0 <= bits < 1 << len(DEFECTS)
    assert bits == defects(prompt, response)
    assert not prompt_defects(prompt) & (1 << DEFECTS.index("refusal") | 1 << DEFECTS.index("prompt_echo"))
    for text in (prompt, response):
        if text is not None:
            assert reasoning_steps(text) >= 0
            assert constraints(text) >= 0
            counts(text)
            grade(text)
            template(text)


HUGE = {
    "one letter": "a" * 1_000_000,
    "brackets": "(" * 1_000_000,
    "two letters": "ab " * 333_333,
    "digits": "1" * 1_000_000,
    "spaces": " " * 1_000_000 + "x",
    "lines": "\n" * 1_000_000 + "x",
    "quotes": "\"'" * 500_000,
    "fences": "```" * 333_333,
    "hashes": "# " * 500_000,
    "since": "since " * 166_666,
    "names": "A b C " * 166_666,
    "mails": "a@b." * 250_000,
    "equations": "1 = 1 + " * 125_000,
    "sentences": "I'm sorry. " * 90_909,
    "amp": "&amp;" * 200_000,
    "commas": "1,1" * 333_333,
    "if": "if " * 333_333,
}


@pytest.mark.parametrize("text", HUGE.values(), ids=HUGE.keys())
def test_a_megabyte_on_one_line_takes_no_quadratic_time(text):
    start = time.process_time()
    defects(text, text)
    prompt_defects(text)
    reasoning_steps(text)
    constraints(text)
    grade(text)
    template(text)
    assert time.process_time() - start < 12
