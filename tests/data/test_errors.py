"""Messages for bad input: what, where, got, want, and what to try."""

import gzip

import pyarrow as pa
import pytest

from triptych.core.errors import ReadError, SchemaError, UsageError
from triptych.data import ReadOptions, open_dataset

PAIR = '{"prompt": "p", "response": "r"}\n'


def message_of(source, error, **options):
    with pytest.raises(error) as caught:
        list(open_dataset(source, ReadOptions(**options)).shards())
    return str(caught.value)


def test_a_later_row_without_a_response(tmp_path):
    path = tmp_path / "data.jsonl"
    path.write_text(PAIR * 1840 + '{"prompt": "p", "output_text": "r"}\n')
    assert message_of(path, SchemaError) == (
        f'{path}:1841: no field with role "response".\n'
        "  got:  prompt, output_text\n"
        "  want:  one of response, completion, output, solution, generated_solution, answer\n"
        "  try:  --map response=output_text, or --on-bad skip"
    )


@pytest.mark.parametrize("after", [1, 1500])
def test_mixed_layouts_in_a_file(after, tmp_path):
    path = tmp_path / "data.jsonl"
    path.write_text(PAIR * after + '{"text": "t"}\n')
    assert message_of(path, SchemaError) == (
        f"{path}:{after + 1}: the set mixes two layouts.\n"
        "  got:  this row: plain text (text = 'text')\n"
        "  want:  as in the rows before: prompt/response (prompt = 'prompt', response = 'response')\n"
        "  try:  measure the layouts as separate sets, --map role=field, or --on-bad skip"
    )


def test_mixed_names_in_a_file():
    rows = [{"prompt": "p", "response": "r"}, {"prompt": "p", "output": "r"}]
    text = message_of(rows, SchemaError)
    assert text.startswith("records, row 2: the set mixes two layouts.")
    assert "response = 'output'" in text


def test_mixed_files_in_a_folder(tmp_path):
    (tmp_path / "a.jsonl").write_text(PAIR)
    (tmp_path / "b.jsonl").write_text('\n{"messages": [{"role": "user", "content": "u"}]}\n')
    text = message_of(tmp_path, SchemaError)
    assert text.startswith(f"{tmp_path / 'b.jsonl'}:2: the set mixes two layouts.")
    assert "this row: messages (messages = 'messages')" in text


def test_no_known_role():
    assert message_of([{"headline": "a head", "body": "a longer text", "n": 3}], SchemaError) == (
        "records, row 1: no field has a known role.\n"
        "  got:  headline, body, n\n"
        "  want:  one of prompt, response, instruction, output, question, answer, messages, conversations, chosen, text\n"
        "  try:  --map prompt=headline and --map response=body"
    )


def test_a_mapped_field_that_no_row_has():
    assert message_of([{"prompt": "p", "reply_text": "r"}], SchemaError, roles={"response": "replytext"}) == (
        'records, row 1: no row has the field "replytext" (--map response) among the first 1.\n'
        "  got:  prompt, reply_text\n  want:  a field that rows have\n  try:  --map response=reply_text"
    )
    assert "(--group-by)" in message_of([{"text": "t"}], SchemaError, group_by="g")
    assert "(--carry v)" in message_of([{"text": "t"}], SchemaError, carry=("v",))


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (b'{"prompt": ', "not JSON (unexpected end of data)"),
        (b'{"prompt": NaN}', "NaN and Infinity are no JSON"),
        (b'{"prompt": "\xff"}', "invalid UTF-8 at byte 13 of the line"),
        (b'{"text": "' + b"x" * 500, "x" * 60 + "..."),
    ],
)
def test_damaged_lines(line, text, tmp_path):
    path = tmp_path / "data.jsonl"
    path.write_bytes(PAIR.encode() + line + b"\n")
    found = message_of(path, ReadError)
    assert found.startswith(f"{path}:2: ")
    assert text in found
    assert "\n  try:  --on-bad skip" in found
    assert max(len(part) for part in found.splitlines() if part.startswith("  got:")) <= 80 + len("  got:  ")


def test_rows_that_are_no_objects():
    assert message_of([{"text": "t"}, 3], SchemaError).startswith("records, row 2: the row is no object.\n  got:  3")


def test_a_label_that_is_no_number():
    rows = [{"text": "t", "score": 1}] * 1000 + [{"text": "t", "score": "high"}]
    assert message_of(rows, SchemaError) == (
        'records, row 1001: the label "score" is no number.\n'
        "  got:  high\n  want:  a number, true, false or null\n  try:  --on-bad skip"
    )


def test_rewards_of_another_length():
    good = {"prompt": "p", "completions": ["a", "b"], "rewards": [1, 0]}
    text = message_of([good] * 1000 + [{**good, "rewards": [1]}], SchemaError)
    assert "got:  1 values for 2 completions" in text


def test_no_completions():
    rows = [{"prompt": "p", "completions": ["a"]}, {"prompt": "p", "completions": []}]
    assert message_of(rows, SchemaError).startswith("records, row 2: the row holds no list of completions.")


def test_a_pair_without_its_other_half():
    rows = [{"prompt": "p", "chosen": "a", "rejected": "b"}, {"prompt": "p", "chosen": "a"}]
    assert message_of(rows, SchemaError).startswith("records, row 2: ")


def test_lone_surrogates():
    assert "lone surrogate" in message_of([{"text": "a\ud800b"}], SchemaError)
    assert "lone surrogate" in message_of([{"text": "a", "group_id": "\ud800"}], SchemaError)


def test_a_carried_field_that_is_no_vector():
    assert 'the carried field "v" is no vector' in message_of([{"text": "t", "v": "abc"}], SchemaError, carry=("v",))


@pytest.mark.parametrize("content", [b"", b"\n\n", b"[]", b"[ ]"])
def test_no_records(content, tmp_path):
    path = tmp_path / "data.json"
    path.write_bytes(content)
    text = message_of(path, ReadError)
    assert "no records" in text or "is empty" in text


def test_no_records_in_memory_or_behind_a_filter():
    assert message_of([], ReadError).startswith("records: no records.")
    text = message_of([{"text": "t", "k": "a"}], ReadError, where=("k", "b"))
    assert text.startswith('records: no row whose "k" is "b".')


def test_all_rows_skipped(tmp_path):
    path = tmp_path / "data.jsonl"
    path.write_text("{\n")
    assert "rows skipped: 1, all there are" in message_of(path, ReadError, on_bad="skip")


def test_a_file_that_is_not_there(tmp_path):
    (tmp_path / "data.jsonl").write_text(PAIR)
    text = message_of(tmp_path / "dta.jsonl", ReadError)
    assert text.startswith(f"{tmp_path / 'dta.jsonl'}: no such file or folder.")
    assert text.endswith(f"try:  {tmp_path / 'data.jsonl'}")


def test_an_unknown_kind_of_file(tmp_path):
    path = tmp_path / "data.bin"
    path.write_bytes(b"\x00\x01\x02")
    assert "unknown kind of file" in message_of(path, ReadError)


def test_a_folder_without_data(tmp_path):
    (tmp_path / "README.md").write_text("x")
    assert "no file of a known kind in the folder.\n  got:  README.md" in message_of(tmp_path, ReadError)


@pytest.mark.parametrize("ending", ["jsonl.gz", "jsonl.zst", "parquet"])
def test_truncated_files(ending, tmp_path, write):
    path = write(tmp_path, ending, [{"text": str(i) * 50} for i in range(2000)])
    path.write_bytes(path.read_bytes()[:-200])
    text = message_of(path, ReadError)
    assert "damaged" in text or "cannot be read to its end" in text


def test_damaged_gzip(tmp_path):
    path = tmp_path / "data.jsonl.gz"
    data = bytearray(gzip.compress(PAIR.encode() * 50))
    data[-6] ^= 255
    path.write_bytes(bytes(data))
    assert "cannot be read to its end" in message_of(path, ReadError)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ('[{"text": "a"}, {"text" "b"}]', "row 2: not JSON"),
        ('[{"text": "a"}, {"text": NaN}]', "NaN is no JSON"),
        ('[{"text": "a"} {"text": "b"}]', 'expected "," or "]"'),
        ('[{"text": "a"},]', "a comma before the end"),
        ('[{"text": "a"}] x', "text after the end"),
        ('[{"text": "a"}', "the end of the file"),
        ('[{"text": "a', "row 1: not JSON"),
    ],
)
def test_damaged_arrays_are_never_skipped(content, text, tmp_path):
    path = tmp_path / "data.json"
    path.write_text(content)
    assert text in message_of(path, ReadError, on_bad="skip")


def test_arrays_with_invalid_utf8(tmp_path):
    path = tmp_path / "data.json"
    path.write_bytes(b'[{"text": "\xff"}]')
    assert "invalid UTF-8 within bytes 1 to 15" in message_of(path, ReadError)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"prompt,response\na,b\nc\n", ":3: 1 cells in the row"),
        (b"prompt,response\na,\xff\n", ":2: invalid UTF-8 on line 2"),
        (b'prompt,response\na,"b"c\n', ":2: not CSV"),
        (b'prompt,response\na,"b', ":2: not CSV"),
        (b"prompt,prompt\na,b\n", "names a field twice"),
        (b"prompt,response\n", "no records"),
    ],
)
def test_damaged_csv(content, text, tmp_path):
    path = tmp_path / "data.csv"
    path.write_bytes(content)
    assert text in message_of(path, ReadError)


def test_csv_goes_on_after_a_bad_row(tmp_path, texts):
    path = tmp_path / "data.csv"
    path.write_bytes(b'prompt,response\na,b\nc\nd,\xff\ne,"f"g\nh,i\n')
    assert texts(path, on_bad="skip") == [("a", "b"), ("h", "i")]


def test_utf16(tmp_path):
    path = tmp_path / "data.jsonl"
    path.write_text(PAIR, encoding="utf-16")
    assert "a file in UTF-16" in message_of(path, ReadError)


@pytest.mark.parametrize("table", [False, True])
@pytest.mark.parametrize("before", [1, 1200])
def test_a_text_beside_a_pair_is_another_layout(table, before):
    empty = {"prompt": None, "response": None} if table else {}
    rows = [{"text": "t", **empty}] * before + [{"text": "t", "prompt": "p", "response": "r"}]
    text = message_of(pa.Table.from_pylist(rows) if table else rows, SchemaError)
    assert "the set mixes two layouts" in text
    assert f"row {before + 1}:" in text


def test_skipping_leaves_no_foreign_row_in(texts):
    rows = [{"text": "t"}] * 3 + [{"text": "t", "prompt": "p", "response": "r"}] * 2
    assert texts(rows, on_bad="skip") == [(None, "t")] * 3


def test_rows_without_any_text():
    rows = [{"prompt": "p", "response": "r"}, {"prompt": None, "response": None, "id": 1}]
    assert message_of(rows, SchemaError).startswith('records, row 2: no field with role "prompt".\n  got:  id')


@pytest.mark.parametrize(
    ("roles", "want"),
    [
        ({"chosen": "a"}, "chosen and rejected together"),
        ({"messages": "m", "prompt": "a"}, "roles that go with messages"),
    ],
)
def test_roles_without_effect(roles, want):
    rows = [{"a": "x", "prompt": "p", "response": "r", "m": [{"role": "user", "content": "u"}]}]
    assert want in message_of(rows, UsageError, roles=roles)
