"""A judge that is asked which of two responses is better, in both orders, as a measure."""

from __future__ import annotations

import numpy as np
import pyarrow.parquet as pq
import pytest

import triptych
from serving import chat
from triptych import api
from triptych.annotating.annotator import pair_of
from triptych.annotating.run import ALL, draw
from triptych.core.dear import PAIR, PAIR_SWAPPED
from triptych.core.errors import SchemaError
from triptych.data import open_dataset
from triptych.data.columns import SHARD_RECORDS


def rows(n=60):
    """Pairs of which the chosen response is marked in five of six."""
    return [
        {
            "prompt": f"Is {i} so?",
            "chosen": f"Yes {i}{' §' if i % 6 else ''}",
            "rejected": f"No {i}{'' if i % 6 else ' §'}",
        }
        for i in range(n)
    ]


def sees(request, _):
    first = request["said"].split("response A\n")[1].split("====")[0]
    return chat("A" if "§" in first else "B")


def measured(server, data, **more):
    settings = {"judge": f"{server.url},model=m", "measures": "judge_preference"} | more
    return triptych.measure(data, **settings)[0]


def test_the_share_that_a_judge_prefers_in_both_orders(serve):
    server = serve(sees)
    profile = measured(server, rows())
    found = profile["judge_preference"]
    assert (found.value, found.n) == (pytest.approx(50 / 60), 60)
    assert found.interval.lo < 50 / 60 < found.interval.hi
    assert found.about["asked"] == "50 won and 10 lost in both orders, 0 turn with the order"
    assert [each["name"] for each in profile.artifacts][2:] == ["judge of pairs (m)", "judge of pairs (m, other order)"]
    assert len(server.requests) == 120
    api.audit(rows(), scorer=f"pairs:{server.url},model=m", gold="preference")
    assert len(server.requests) == 120  # what was measured is not asked again


def test_one_that_takes_what_stands_first_has_no_preference(serve):
    found = measured(serve(lambda *_: chat("A")), rows())["judge_preference"]
    assert found.value == 0.5
    assert found.about["asked"] == "0 won and 0 lost in both orders, 60 turn with the order"


def test_a_sample_is_of_pairs(serve):
    server = serve(sees)
    found = measured(server, rows(), judge_sample=20)["judge_preference"]
    assert (found.n, len(server.requests)) == (20, 40)
    assert found.about["asked"].endswith("turn with the order; 20 of 60 asked")
    assert "20 of 60 pairs, 20 contents of them done before" in api.plan(
        rows(), judge=f"{server.url},model=m", measures="judge_preference", judge_sample=20
    )


def test_a_response_that_is_chosen_over_several_has_a_verdict_for_each(serve):
    data = [{"prompt": "Is it so?", "chosen": "Yes", "rejected": f"No {i}{' §' * (i % 2)}"} for i in range(20)]
    found = measured(serve(sees), data + data[:4])["judge_preference"]
    assert (found.n, found.value) == (24, pytest.approx((12 * 0.5) / 24))
    assert found.about["asked"] == "0 won and 12 lost in both orders, 12 turn with the order"


def test_pairs_without_two_verdicts_are_left_out_and_told(serve):
    def behave(request, _):
        return chat("Hard to say.") if "Is 7 so?" in request["said"] else sees(request, _)

    profile = measured(serve(behave), rows(30))
    assert profile["judge_preference"].n == 29
    assert sum(each["code"] == "unscored" for each in profile.warnings) == 2


def test_only_rows_that_are_pairs_are_compared(serve):
    server = serve(sees)
    with pytest.raises(SchemaError, match="compares two responses, and the rows make no pairs"):
        measured(server, [{"prompt": "p", "response": "r"}] * 20)
    (profile,) = triptych.measure(rows(12), judge=f"{serve(lambda *_: chat('4')).url},model=m")
    assert profile["judge_preference"].value is None  # joins the panel of pairs: this judge names no side
    (profile,) = triptych.measure(
        [{"prompt": f"p {i}", "response": "r"} for i in range(9)], judge=f"{serve(lambda *_: chat('4')).url},model=m"
    )
    assert "judge_preference" not in {estimate.measure for estimate in profile}


def test_no_pair_is_cut_in_two_where_shards_meet():
    data = rows(SHARD_RECORDS // 2 + 50)
    uneven = open_dataset(data, triptych.data.ReadOptions(limit=len(data)))
    sample = draw(uneven, None, pairs=True)
    assert (sample.records, sample.size, sample.threshold) == (len(data), len(data), ALL)
    assert all(item.response.split()[1] == item.other.split()[1] for item in sample.items)
    some = draw(uneven, 100, pairs=True)
    assert {item.content_id for item in some.items} <= {item.content_id for item in sample.items}
    assert sum(map(len, some.addresses.values())) == some.size == 100


def test_shards_that_end_inside_a_pair(monkeypatch):
    dataset = open_dataset(rows(40))
    (shard,) = dataset.shards()
    cut = [shard.batch.slice(0, 31), shard.batch.slice(31, 1), shard.batch.slice(32)]
    monkeypatch.setattr(type(dataset), "shards", lambda _: iter([type(shard)(0, each, "") for each in cut]))
    sample = draw(dataset, None, pairs=True)
    assert sample.records == 40
    assert all(item.response.split()[1] == item.other.split()[1] for item in sample.items)


def test_one_pair_and_pairs_of_equals(serve):
    server = serve(sees)
    found = measured(server, rows(2)[1:])["judge_preference"]
    assert (found.value, found.n, found.interval.lo) == (1.0, 1, None)
    same = [{"prompt": f"Is {i} so?", "chosen": "Yes", "rejected": "Yes"} for i in range(40)]
    found = measured(server, same)["judge_preference"]
    assert (found.value, found.n) == (0.5, 40)


def test_the_key_of_a_pair_tells_its_order():
    (shard,) = open_dataset(rows(1)).shards()
    one, other = draw(open_dataset([{"prompt": "p", "response": text} for text in "ab"]), None).items
    assert pair_of(one, other).content_id != pair_of(other, one).content_id
    assert shard.batch.num_rows == 2


def test_columns_stand_with_the_chosen_record(serve, tmp_path):
    measured(serve(sees), rows(30), out=tmp_path / "out")
    table = pq.read_table(tmp_path / "out" / "features.parquet", columns=["part", PAIR, PAIR_SWAPPED])
    part = table["part"].to_numpy()
    for name in (PAIR, PAIR_SWAPPED):
        there = np.asarray(table[name].combine_chunks().is_valid())
        assert np.array_equal(there, part == 0)
