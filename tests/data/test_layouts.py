"""Each layout is found by detection alone, said in one sentence, and read to the right texts."""

import pytest

from triptych.data import ReadOptions, open_dataset

U, A, S = "user", "assistant", "system"


def turn(role, content, **more):
    return {"role": role, "content": content, **more}


PAIRS = [
    ({"prompt": "p", "response": "r"}, ("p", "r")),
    ({"prompt": "p", "completion": "r"}, ("p", "r")),
    ({"instruction": "p", "input": "i", "output": "r"}, ("p\n\ni", "r")),
    ({"instruction": "p", "input": "", "output": "r"}, ("p", "r")),
    ({"instruction": "p", "input": "i", "output": "r", "text": "all of it"}, ("p\n\ni", "r")),
    ({"instruction": "p", "context": "i", "response": "r", "category": "x"}, ("p\n\ni", "r")),
    ({"question": "p", "answer": "r"}, ("p", "r")),
    ({"question": "p", "answer": 72}, ("p", "72")),
    ({"problem": "p", "solution": "r", "answer": "72"}, ("p", "r")),
    ({"query": "p", "response": "r"}, ("p", "r")),
    ({"input": "p", "target": "r"}, ("p", "r")),
    ({"source": "p", "target": "r"}, ("p", "r")),
    ({"human": "p", "assistant": "r"}, ("p", "r")),
    ({"Question": "p", "Answer": "r"}, ("p", "r")),
    ({"text": "p", "output": "r"}, ("p", "r")),
    ({"prompt": "p", "text": "r"}, ("p", "r")),
    ({"system_prompt": "s", "question": "p", "response": "r"}, ("s\n\np", "r")),
    ({"id": "1", "source": "gsm8k", "prompt": "p", "response": "r", "answer": "72", "user": "u1"}, ("p", "r")),
    ({"text": "t", "source": "web", "user": "u1"}, (None, "t")),
    ({"content": "t"}, (None, "t")),
    ({"prompt": [turn(U, "p")], "completion": [turn(A, "r")]}, ("p", "r")),
    ({"prompt": [turn(S, "s"), turn(U, "p")], "answer": "r"}, ("s\n\np", "r")),
    ({"messages": [turn(U, "p"), turn(A, "r")]}, ("p", "r")),
    ({"messages": [turn(U, "p"), turn(A, "r")], "prompt": "p", "prompt_id": "x"}, ("p", "r")),
    ({"messages": [turn(U, "p")], "answer": "r"}, ("p", "r")),
    ({"messages": [turn(U, "p"), turn(A, "r")], "answer": "72"}, ("p", "r")),
    ({"conversations": [{"from": "human", "value": "p"}, {"from": "gpt", "value": "r"}]}, ("p", "r")),
    ({"conversations": [turn(U, "p"), turn(A, "r")], "system": "s"}, ("s\n\np", "r")),
    (
        {"conversation": [turn(S, "s"), turn(U, "p"), turn(A, "r"), turn(U, "q"), turn(A, "t")]},
        ("s\n\np\n\nq", "r\n\nt"),
    ),
]


@pytest.mark.parametrize(("row", "expected"), PAIRS, ids=[" ".join(row) for row, _ in PAIRS])
def test_one_record_per_row(row, expected, texts):
    assert texts([row]) == [expected]


def test_sentence_names_fields_labels_and_group():
    row = {"instruction": "p", "input": "i", "output": "r", "score": 3, "prompt_id": 7, "tags": ["a", "b"]}
    layout = open_dataset([row]).layout
    assert layout.sentence == (
        "records in memory, prompt/response: prompt = 'instruction' + 'input', response = 'output'; "
        "labels: score; structure: tags; group: prompt_id"
    )
    assert (layout.kind, layout.labels, layout.group_field) == ("prompt/response", ("score",), "prompt_id")


def test_sentence_of_prompts_only():
    layout = open_dataset([{"prompt": "p", "response": ""}]).layout
    assert layout.kind == "prompts"
    assert layout.has_prompt
    assert not layout.has_response
    assert "prompts only: prompt = 'prompt', response = 'response' (response is empty)" in layout.sentence
    assert "prompts only: prompt = 'prompt'" in open_dataset([{"prompt": "p"}]).layout.sentence


def test_plain_text_has_no_prompt(texts):
    layout = open_dataset(["one", "two"]).layout
    assert (layout.has_prompt, layout.has_response, layout.kind) == (False, True, "plain text")
    assert texts(["one", "two"]) == [(None, "one"), (None, "two")]


def test_absent_null_and_empty_responses_differ(texts):
    rows = [{"prompt": "p", "response": "r"}, {"prompt": "p", "response": ""}, {"prompt": "p", "response": None}]
    assert texts([*rows, {"prompt": "p"}]) == [("p", "r"), ("p", ""), ("p", None), ("p", None)]


def test_input_that_first_appears_after_the_head_is_read(texts):
    rows = [{"instruction": f"p{i}", "output": "r"} for i in range(1100)]
    assert texts([*rows, {"instruction": "p", "input": "i", "output": "r"}])[-1] == ("p\n\ni", "r")


def test_preference_with_prompt(records):
    row = {"prompt": "p", "chosen": "good", "rejected": "bad", "score_chosen": 8, "score_rejected": "2.5"}
    first, second = records([row])
    assert (first["prompt"], first["response"], first["part"], first["label.preference"]) == ("p", "good", 0, 1.0)
    assert (second["prompt"], second["response"], second["part"], second["label.preference"]) == ("p", "bad", 1, 0.0)
    assert (first["label.score"], second["label.score"]) == (8.0, 2.5)
    assert open_dataset([row]).layout.parts


def test_preference_that_repeats_its_prompt(texts):
    row = {"prompt": "p", "chosen": [turn(U, "p"), turn(A, "good")], "rejected": [turn(U, "p"), turn(A, "bad")]}
    assert texts([row]) == [("p", "good"), ("p", "bad")]


def test_preference_with_implicit_prompt_of_messages(texts):
    shared = [turn(U, "p"), turn(A, "so far"), turn(U, "q")]
    row = {"chosen": [*shared, turn(A, "good")], "rejected": [*shared, turn(A, "bad")]}
    assert texts([row]) == [("p\n\nso far\n\nq", "good"), ("p\n\nso far\n\nq", "bad")]


def test_preference_of_equal_answers_keeps_them(texts):
    turns = [turn(U, "p"), turn(A, "same")]
    assert texts([{"chosen": turns, "rejected": list(turns)}]) == [("p", "same"), ("p", "same")]


def test_preference_with_implicit_prompt_of_transcripts(texts):
    head = "\n\nHuman: Hi?\n\nAssistant:"
    row = {"chosen": head + " I am well", "rejected": head + " I'm ill"}
    assert texts([row]) == [(head, "I am well"), (head, "I'm ill")]


def test_preference_strings_share_whole_words_only(texts):
    assert texts([{"chosen": "say this", "rejected": "say that"}]) == [("say", "this"), ("say", "that")]
    assert texts([{"chosen": "ab", "rejected": "cd"}]) == [(None, "ab"), (None, "cd")]


def test_completions_with_lists_of_labels(records):
    row = {"prompt": "p", "completions": ["a", "b", None], "rewards": [1, 0.5, None], "labels": [True, False, True]}
    found = records([row, {"prompt": "q", "completions": ["c"], "rewards": [2], "labels": [False]}])
    assert [(r["row"], r["part"], r["prompt"], r["response"]) for r in found] == [
        (0, 0, "p", "a"),
        (0, 1, "p", "b"),
        (0, 2, "p", None),
        (1, 0, "q", "c"),
    ]
    assert [r["label.rewards"] for r in found] == [1.0, 0.5, None, 2.0]
    assert [r["label.labels"] for r in found] == [1.0, 0.0, 1.0, 0.0]


def test_completions_of_messages_share_a_scalar_label(records):
    row = {"prompt": [turn(U, "p")], "completions": [[turn(A, "a")], [turn(A, "b")]], "score": 4}
    found = records([row])
    assert [(r["prompt"], r["response"], r["label.score"]) for r in found] == [("p", "a", 4.0), ("p", "b", 4.0)]


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("correct", [True, False, None], [1.0, 0.0, None]),
        ("score", ["3", "4.5", ""], [3.0, 4.5, None]),
        ("passed", ["True", "false", " TRUE", ""], [1.0, 0.0, 1.0, None]),
        ("reward", [1e100, -1e100, None], [1e100, -1e100, None]),
        ("helpful_score", [1, float("nan"), 2.5], [1.0, None, 2.5]),
    ],
)
def test_labels_become_numbers(name, values, expected, records):
    found = records([{"text": "t", name: value} for value in values])
    assert [r[f"label.{name}"] for r in found] == expected


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("label", ["pos", "1"]),
        ("label", ["true", "yes"]),
        ("similarity", [0.1, 0.2]),
        ("score", [[1], [2]]),
        ("reward", [1.0, 1e101]),
        ("reward", [1.0, float("inf")]),
    ],
)
def test_what_is_no_label(name, values):
    assert open_dataset([{"text": "t", name: value} for value in values]).layout.labels == ()


def test_structure_and_group_become_strings(records):
    rows = [
        {"text": "a", "tags": ["x", "y z"], "group_id": 3},
        {"text": "b", "tags": [], "group_id": "g"},
        {"text": "c"},
    ]
    found = records(rows)
    assert [r["structure"] for r in found] == ["x | y z", None, None]
    assert [r["group_key"] for r in found] == ["3", "g", None]


def test_mapped_fields_win(texts):
    rows = [{"prompt": "p", "response": "r", "draft": "d", "hint": "h"}]
    assert texts(rows, roles={"response": "draft"}) == [("p", "d")]
    assert texts(rows, roles={"text": "hint"}) == [(None, "h")]
    assert texts(rows, roles={"prompt": "hint", "system": "draft"}) == [("d\n\nh", "r")]


def test_group_by_any_field(records):
    options = ReadOptions(group_by="lang")
    assert open_dataset([{"text": "t", "lang": "de"}], options).layout.group_field == "lang"
    assert records([{"text": "t", "lang": "de"}], group_by="lang")[0]["group_key"] == "de"


def test_answers_that_are_numbers_or_booleans(texts):
    assert texts([{"question": "p", "answer": True}, {"question": "q", "answer": 1.5}]) == [("p", "true"), ("q", "1.5")]


def test_a_system_text_is_not_doubled(texts):
    row = {"messages": [turn(S, "s"), turn(U, "p"), turn(A, "r")], "system": "s"}
    assert texts([row]) == [("s\n\np", "r")]


def test_nan_of_a_data_frame_is_nothing(records):
    nan = float("nan")
    rows = [{"prompt": "p", "response": "r", "group_id": 3.0}, {"prompt": "q", "response": nan, "group_id": nan}]
    assert [(r["response"], r["group_key"]) for r in records(rows)] == [("r", "3"), (None, None)]


def test_names_that_are_no_strings(texts):
    assert texts([{"text": "t", 1: "x"}, {"text": "u", 2: "x"}]) == [(None, "t"), (None, "u")]


def test_a_preference_whose_prompt_is_null(texts):
    rows = [{"prompt": "p", "chosen": "a b", "rejected": "a c"}, {"prompt": None, "chosen": "a b", "rejected": "a c"}]
    assert texts(rows)[2:] == [(None, "a b"), (None, "a c")]


def test_a_reference_answer_does_not_stand_in_for_a_missing_response(texts):
    rows = [{"prompt": "p", "response": "r", "answer": "1"}, {"prompt": "p", "response": None, "answer": "1"}]
    assert texts(rows) == [("p", "r"), ("p", None)]


def test_an_explicit_prompt_is_taken_literally(texts):
    row = {"instruction": "p", "input": "i", "output": "r"}
    assert texts([row], roles={"prompt": "instruction"}) == [("p", "r")]


def test_messages_as_the_prompt_of_completions(texts):
    row = {"messages": [turn(U, "p")], "responses": ["a", "b"]}
    assert texts([row]) == [("p", "a"), ("p", "b")]


def test_a_field_may_be_prompt_and_group(records):
    row = {"prompt": "p", "response": "r"}
    for options in ({"roles": {"group": "prompt"}}, {"group_by": "prompt"}):
        found = records([row], **options)[0]
        assert (found["prompt"], found["response"], found["group_key"]) == ("p", "r", "p")


def test_a_prompt_of_several_turns_beside_conversations(texts):
    turns = [turn(U, "p"), turn(A, "so far"), turn(U, "q")]
    row = {"prompt": "p", "chosen": [*turns, turn(A, "good")], "rejected": [*turns, turn(A, "bad")]}
    assert texts([row]) == [("p\n\nso far\n\nq", "good"), ("p\n\nso far\n\nq", "bad")]
