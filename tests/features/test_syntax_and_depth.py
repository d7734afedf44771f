"""Sentence length, subordination and the depth of a structure: by hand, and what gives no number."""

from __future__ import annotations

import pyarrow as pa
import pytest

from triptych.features.depth import StructureDepth, depth
from triptych.features.syntax import Syntax, subordination


def columns(texts, on="response"):
    made = Syntax(on).compute(pa.RecordBatch.from_arrays([pa.array(texts, pa.string())], [on]))
    return [made[f"{name}@{on}"].to_pylist() for name in ("sentence_length", "subordination")]


@pytest.mark.parametrize(
    ("text", "clauses"),
    [
        ("The cat sat on the mat. It was a very happy animal.", 0),
        ("We stayed at home because it rained and nobody came.", 1),
        ("The man who lives here says that the river, which is deep, froze.", 3),
        ("That house is old and this one is not so old.", 0),
        ("I know that man and I like that house a lot.", 0),
        ("Who are you? What do you want from me, and why now?", 1),
        ("When it rains, we stay inside until the sun comes out.", 2),
        ("He asked me where the station was and how I knew.", 2),
        ("Even if it fails we go on, whether you like it or not.", 2),
    ],
)
def test_clauses_by_hand(text, clauses):
    words = len(text.replace(",", "").replace(".", "").replace("?", "").split())
    assert subordination(text, words) * words / 100 == pytest.approx(clauses)
    lengths, found = columns([text])
    assert found[0] == pytest.approx(100 * clauses / words)
    assert lengths[0] == pytest.approx(words / max(text.count(".") + text.count("?"), 1))


def test_long_sentences_need_not_be_nested_nor_nested_ones_long():
    flat = "We bought apples and pears and plums and figs and nuts and bread and wine at the old market in town. "
    nested = "I left because he said that it was late. "
    (long, short), (few, many) = columns([flat * 3, nested * 3])
    assert long > 2 * short
    assert many > 10 > few


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "Too short.",
        "```python\nfor x in y:\n    print(x if x else 0, [1, 2, 3])\n```",
        "Это предложение " * 9,
    ],
)
def test_no_number_where_it_means_nothing(text):
    assert columns([text]) == [[None], [None]]


def test_prompts_are_read_too():
    assert columns(["one two three four five six seven eight nine ten"], "prompt") == [[10.0], [0.0]]


def test_a_very_long_text_is_read_in_linear_time():
    lengths, clauses = columns(["He said that he would go because it rained what what what. " * 20_000])
    assert lengths == [pytest.approx(12)]
    assert clauses[0] > 0


@pytest.mark.parametrize(
    ("structure", "want"),
    [
        ("reverse>sort>head", 3),
        ("a -> b", 2),
        ("a → b → c", 3),
        ("invert+split", 2),
        ("math | algebra | proof", 3),
        ("algebra/linear", 2),
        ("one, two; three", 3),
        ("chain", 1),
        ("a>>b>", 2),
        ("4", 4),
        (" 2.5 ", 2.5),
        ("-1", -1),
        ("0", 0),
        (">", None),
        ("  ", None),
        ('{"ops": ["a", "b"]}', None),
        ("9" * 400, None),
    ],
)
def test_depth(structure, want):
    assert depth(structure) == want


def test_the_column_of_depth():
    batch = pa.RecordBatch.from_arrays([pa.array(["a>b", None, "x"])], ["structure"])
    column = StructureDepth().compute(batch)["structure_depth@prompt"]
    assert column.to_pylist() == [2.0, None, 1.0]
    assert column.type == pa.float64()
