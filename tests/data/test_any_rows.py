"""Whatever the rows hold: records, or an error of ours; and every row is accounted for."""

import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from triptych.core.errors import InputError
from triptych.data import ReadOptions, open_dataset

NAMES = st.sampled_from(
    [
        *("prompt", "response", "messages", "chosen", "rejected", "completions", "text", "system", "instruction"),
        *("input", "answer", "conversations", "score", "rewards", "tags", "group_id", "score_chosen", "other"),
    ]
)
TURN = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant", "tool", "system", "narrator"])},
    optional={
        "content": st.none() | st.text(max_size=4) | st.lists(st.just({"type": "text", "text": "t"}), max_size=2),
        "tool_calls": st.none()
        | st.lists(st.just({"function": {"name": "f", "arguments": "{}"}}) | st.none(), max_size=2),
    },
)
SCALAR = st.none() | st.booleans() | st.integers(-5, 5) | st.floats() | st.text(max_size=6)
VALUE = (
    SCALAR
    | st.lists(SCALAR, max_size=3)
    | st.lists(TURN, max_size=3)
    | st.lists(st.lists(TURN, max_size=2), max_size=2)
    | TURN
    | st.dictionaries(st.text(max_size=2), SCALAR, max_size=2)
)
ROW = st.dictionaries(NAMES, VALUE, max_size=6) | SCALAR | st.lists(TURN, max_size=2)
ANY = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


@ANY
@given(rows=st.lists(ROW, max_size=6), on_bad=st.sampled_from(["raise", "skip"]))
def test_rows_in_memory(rows, on_bad):
    _account(rows, on_bad, len(rows))


@ANY
@given(rows=st.lists(ROW, max_size=6), cut=st.integers(0, 400), junk=st.binary(max_size=3))
def test_lines_of_a_damaged_file(rows, cut, junk, tmp_path):
    path = tmp_path / "data.jsonl"
    text = "".join(json.dumps(row) + "\n" for row in rows).encode()
    path.write_bytes(text[:cut] + junk + text[cut:])
    lines = [
        line for line in path.read_bytes().removeprefix(b"\xef\xbb\xbf").split(b"\n") if line and not line.isspace()
    ]
    _account(path, "skip", len(lines))


@ANY
@given(
    rows=st.lists(ROW, max_size=4), cut=st.integers(0, 300), junk=st.text(max_size=2), indent=st.sampled_from([None, 1])
)
def test_a_damaged_array(rows, cut, junk, indent, tmp_path):
    path = tmp_path / "data.json"
    text = json.dumps(rows, indent=indent)
    path.write_text(text[:cut] + junk + text[cut:])
    _account(path, "skip", None)


@ANY
@given(data=st.binary(max_size=60))
def test_bytes_as_csv(data, tmp_path):
    path = tmp_path / "data.csv"
    path.write_bytes(b"prompt,response\n" + data)
    _account(path, "skip", None)


def _account(source, on_bad, rows):
    try:
        dataset = open_dataset(source, ReadOptions(on_bad=on_bad))
        shards = list(dataset.shards())
    except InputError:
        return
    summary = dataset.summary
    assert sum(shard.batch.num_rows for shard in shards) == summary.records >= summary.rows
    for shard in shards:
        shard.batch.validate(full=True)
    if rows is not None:
        assert summary.rows + summary.skipped_total == rows
