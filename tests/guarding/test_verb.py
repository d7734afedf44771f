"""The verb: rounds from files, folders and streams of rows as trainers write them; the document; plans; bad input."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import triptych
from triptych import api
from triptych.core.errors import ReadError, SchemaError, SpecError, UsageError
from triptych.core.rng import stream

VERBS = ("Explain", "Describe", "List", "Compare", "Rewrite", "Plan", "Name", "Count")
PAIRS = (("bad", "big"), ("cage", "face"), ("fade", "hide"), ("dig", "jab"), ("bee", "chef"), ("add", "beg"))
READING = {"value", "lo", "hi", "n", "undefined"}


def written(kinds, *labels, n=128):
    """n records of so many templates, told apart by their words."""
    rng = stream("verb", kinds, *labels)
    out = []
    for _ in range(n):
        kind, a = int(rng.integers(kinds)), int(rng.integers(1000))
        words = " ".join(pair[kind >> bit & 1] for bit, pair in enumerate(PAIRS))
        out.append({"prompt": f"{VERBS[kind % 8]} {words} with {a}.", "response": f"It is {a}.", "score": 0.5})
    return out


def save(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture
def files(tmp_path):
    """Six files of a loop that collapses."""
    kinds = (64, 64, 30, 12, 5, 2)
    return [save(tmp_path / "rounds" / f"{at}.jsonl", written(k, at)) for at, k in enumerate(kinds)]


def test_the_document(files, tmp_path):
    scores = tmp_path / "scores.csv"
    scores.write_text("round,id,ood,ood@16\n" + "".join(f"{at},0.7,{0.6 - at / 20},0.8\n" for at in range(6)))
    anchor = save(tmp_path / "real.jsonl", written(64, "real"))
    document = triptych.guard(*files, anchor=anchor, panel=scores, out=tmp_path / "out")
    assert document == json.loads((tmp_path / "out" / "guard.json").read_text())
    assert (tmp_path / "out" / "report.html").stat().st_size > 10_000
    assert document["schema"] == "triptych/guard@1"
    assert (document["state"], document["verdict"]) == ("collapsing", "stop")
    assert document["since"] in (1, 2, 3)
    assert document["anchor"] == "real.jsonl"
    assert document["panels"] == {"id": "id", "ood": "ood"}
    assert document["suggest"][0].startswith("roll back to round")
    assert document["warnings"] == []
    assert len(document["rounds"]) == 6
    first, last = document["rounds"][0], document["rounds"][-1]
    for name in (
        "quality",
        "diversity",
        "complexity",
        "template_effective",
        "per_prompt",
        "semantic",
        "tail",
        "novelty",
    ):
        assert last[name].keys() == READING
        assert (last[name]["value"] is None) == (last[name]["undefined"] is not None)
    assert last["diversity"] == last["template_effective"]  # without a field, structures are templates
    assert last["pass_at"].keys() == {"ood@16"}
    assert last["scores"]["ood"]["value"] == pytest.approx(0.35)
    assert first["selected"] == {}
    assert (first["n"], first["valid"], first["verdict"]) == (128, 128, "continue")
    assert first["diversity"]["value"] > 5 * last["diversity"]["value"]
    assert json.dumps(document, allow_nan=False)
    assert (
        triptych.guard(*files, anchor=anchor, panel=scores)["rounds"] == document["rounds"]
    )  # again, the same numbers


def test_a_folder_of_files_is_the_files_and_numbers_are_kept(files):
    one, other = triptych.guard(files[0].parent), triptych.guard(*files)
    assert one["rounds"] == other["rounds"]
    assert [entry["round"] for entry in one["rounds"]] == list(range(6))


def test_rows_in_memory(files):
    rows = [[json.loads(line) for line in file.read_text().splitlines()] for file in files[:3]]
    found = triptych.guard(*rows)
    assert [entry["diversity"] for entry in found["rounds"]] == [
        entry["diversity"] for entry in triptych.guard(*files[:3])["rounds"]
    ]
    codes = [warning["code"] for warning in found["warnings"]]
    assert codes == ["few_rounds", "no_panel"]


def test_what_trl_writes_is_read_by_step(tmp_path):
    """One Parquet file each time the trainer logs; a reward column by the name of its function."""
    folder = tmp_path / "completions"
    folder.mkdir()
    for at, kinds in enumerate((64, 60, 62, 58, 20, 16, 4, 3)):
        rows = written(kinds, at, n=64)
        table = {
            "step": [10 * at + 10] * 64,
            "prompt": [[{"role": "user", "content": row["prompt"]}] for row in rows],
            "completion": [[{"role": "assistant", "content": row["response"]}] for row in rows],
            "exact_reward": [0.5] * 63 + [float("nan")],
            "advantage": [0.0] * 64,
        }
        pq.write_table(pa.table(table), folder / f"completions_{10 * at + 10:05d}.parquet")
    document = triptych.guard(folder, by="step", window=2)
    assert [entry["name"] for entry in document["rounds"]] == [
        "step 10 to 20",
        "step 30 to 40",
        "step 50 to 60",
        "step 70 to 80",
    ]
    assert [entry["n"] for entry in document["rounds"]] == [128] * 4
    assert document["rounds"][0]["quality"]["value"] == 0.5
    assert document["rounds"][0]["diversity"]["value"] > 3 * document["rounds"][-1]["diversity"]["value"]
    single = triptych.guard(folder, by="step")
    assert [entry["round"] for entry in single["rounds"]] == [10, 20, 30, 40, 50, 60, 70, 80]


def test_what_verl_and_openrlhf_write_is_read_as_it_is(tmp_path):
    rows = written(64, 0)
    for at in (1, 2, 10):
        verl = [{"input": r["prompt"], "output": r["response"], "gts": "7", "score": 1.0, "step": at} for r in rows]
        save(tmp_path / "verl" / f"{at}.jsonl", verl)
        open_rlhf = [{"input": r["prompt"], "output": r["response"], "reward": 1.5} for r in rows]
        save(tmp_path / "open" / f"iter_{at}.jsonl", open_rlhf)
    for name, quality in (("verl", 1.0), ("open", 1.5)):
        document = triptych.guard(tmp_path / name)
        assert [entry["round"] for entry in document["rounds"]] == [1, 2, 10]
        assert document["rounds"][0]["quality"]["value"] == quality


def test_what_verifiers_writes_is_read_as_it_is(tmp_path):
    for at in range(2):
        rows = [
            {
                "example_id": place,
                "prompt": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": row["prompt"]}],
                "completion": [{"role": "assistant", "content": row["response"]}],
                "answer": "7",
                "reward": 0.25,
                "is_completed": True,
                "metrics": {"exact": 0.25},
            }
            for place, row in enumerate(written(64, at))
        ]
        save(tmp_path / f"round_{at}" / "results.jsonl", rows)
    document = triptych.guard(*(tmp_path / f"round_{at}" / "results.jsonl" for at in range(2)))
    assert [entry["round"] for entry in document["rounds"]] == [0, 1]
    assert document["rounds"][1]["quality"]["value"] == 0.25
    assert document["rounds"][1]["diversity"]["value"] > 20


def test_token_numbers_are_decoded(tmp_path):
    """What open-instruct writes: token numbers of prompts and responses, in shards that know nothing of rounds."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    texts = [row for at in range(2) for row in written(64, at)]
    words = sorted({word for row in texts for part in ("prompt", "response") for word in row[part].split()})
    made = Tokenizer(models.WordLevel({word: at for at, word in enumerate(words)}, unk_token=words[0]))
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    made.decoder = decoders.Fuse()
    made.save(str(tmp_path / "tokenizer.json"))
    numbers = {word: at for at, word in enumerate(words)}
    rows = [
        {
            "step": at // 128,
            "prompt_tokens": [numbers[word] for word in row["prompt"].split()],
            "response_tokens": [numbers[word] for word in row["response"].split()],
            "reward": 1.0,
        }
        for at, row in enumerate(texts)
    ]
    shards = [save(tmp_path / f"run_rollouts_{at:06d}.jsonl", rows[at * 100 : at * 100 + 100]) for at in range(3)]
    document = triptych.guard(*shards, by="step", decode=tmp_path)
    assert [(entry["round"], entry["n"]) for entry in document["rounds"]] == [(0, 128), (1, 128)]
    assert document["rounds"][0]["tokens"]["value"] > 5
    with pytest.raises(ReadError, match="no tokenizer can be read"):
        triptych.guard(*shards, by="step", decode=tmp_path / "nowhere.json")
    with pytest.raises(SchemaError, match="no token numbers to decode"):
        triptych.guard(written(8, 0), by="score", decode=tmp_path)


def test_plan_reads_only_heads_and_writes_nothing(files, tmp_path):
    text = api.plan_guard(*files, structure="score", alarm_rate=0.01)
    assert text.startswith("rounds: 6\n  0: 0.jsonl\n")
    assert "layout of round 0: JSONL, prompt/response" in text
    assert "structure: field score" in text
    assert "at most 1% of healthy loops" in text
    assert api.plan_guard(*files, by="step", window=4).startswith("rounds: 4 values of step in a row in 6 sources")


@pytest.mark.parametrize(
    ("more", "error", "text"),
    [
        ({"alarm_rate": 0}, UsageError, "the alarm rate is a share"),
        ({"at": 8}, UsageError, "too few records for an error"),
        ({"window": 2}, UsageError, "nothing to count a window in"),
        ({"decode": "x"}, UsageError, "a field must say their round"),
        ({"struct": "x"}, UsageError, "structure"),
        ({"measures": ("vendi",)}, UsageError, "guard has no such setting"),
        ({"by": "stp"}, SchemaError, 'has no "stp"'),
        ({"structure": "skill"}, SchemaError, "skill"),
        ({"anchor": "nowhere.jsonl"}, ReadError, "nowhere"),
        ({"panel": "nowhere.csv"}, ReadError, "nowhere"),
        ({"limit": 0}, UsageError, "at least one row"),
    ],
)
def test_bad_input_is_one_message_and_nothing_is_written(files, tmp_path, more, error, text):
    with pytest.raises(error, match=text):
        triptych.guard(*files[:2], out=tmp_path / "out", **more)
    assert not (tmp_path / "out").exists()


def test_no_round_and_too_many(tmp_path):
    with pytest.raises(UsageError, match="no round is given"):
        triptych.guard()
    rows = [{"prompt": "p", "response": "r", "step": at} for at in range(1200)]
    with pytest.raises(SchemaError, match="--window 24"):
        triptych.guard(rows, by="step")
    with pytest.raises(SpecError, match="unknown role"):
        triptych.guard(rows, map={"anser": "x"})


def test_damaged_rows_of_a_stream_are_raised_or_skipped(tmp_path):
    rows = [{**row, "step": at // 64} for at, row in enumerate(written(64, 0))]
    file = save(tmp_path / "rows.jsonl", rows)
    file.write_text(file.read_text() + '{"prompt": "broken\n')
    with pytest.raises(ReadError, match=r"rows\.jsonl:129"):
        triptych.guard(file, by="step")
    document = triptych.guard(file, by="step", on_bad="skip")
    assert [entry["n"] for entry in document["rounds"]] == [64, 64]
