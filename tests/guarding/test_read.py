"""Rounds to a ledger."""

from __future__ import annotations

import gzip
import json
import os
import time
from pathlib import Path

import numpy as np
import pytest

from triptych.core.errors import InputError, ReadError, SchemaError, UsageError
from triptych.core.rng import stream
from triptych.engines.progress import Progress
from triptych.guarding.panel import read_scores
from triptych.guarding.read import AT_MOST, LedgerReader, common_number, read_ledger
from triptych.guarding.request import GuardOptions
from triptych.guarding.rounds import RoundSource, find_rounds
from triptych.profiling.bench import open_bench

THINGS = "river market engine garden ledger bridge melody harvest planet library kitchen window copper meadow".split()
FIELDS = (
    "Read from fields: complexity from complexity, real from source, right from right, valid from valid, "
    "verified from verified."
)
KINDS = [f"{a} the {b}" for a in ("count", "sort", "name", "turn", "fold") for b in THINGS]


def lines(number, kinds, n=300, right=0.6, leak=0.0, extra=""):
    """A round as our own loop writes it: tasks of the first so many kinds, each with a random filling."""
    draw, out = stream("lines", number, kinds, extra), []
    for index in range(n):
        kind = KINDS[int(draw.integers(kinds))]
        digits = " ".join(str(d) for d in draw.integers(10, size=6))
        good = bool(draw.random() < right)
        out.append(
            {
                "prompt": f"{kind} : {digits} =",
                "response": " ".join(sorted(digits.split())),
                "valid": True,
                "verified": float(good or draw.random() < leak),
                "right": good,
                "structure": kind,
                "complexity": 2.0,
                "likelihood": -0.3,
                "temperature": 0.7,
                "explore": 1.0,
                "group": "",
                "source": "generated",
                "round": number,
                "index": index,
                "row": {"answer": digits},
            }
        )
    return out


def bare(rows):
    """The same as anybody's lines: two texts."""
    return [{"prompt": row["prompt"], "response": row["response"]} for row in rows if row["verified"]]


def dump(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture
def ledger():
    """The ledger of some paths or rows."""

    def read(*paths, anchor=None, scores=None, **options):
        asked = GuardOptions.of(workers=1, **options)
        with open_bench(asked.settings, Progress()) as bench:
            return read_ledger(find_rounds(paths), anchor, asked, bench, scores)

    return read


def values(found, name, of="generated"):
    return [entry.value(name, of) for entry in found.entries]


def test_a_loop_that_narrows(ledger, tmp_path):
    for number, kinds in enumerate((64, 32, 12, 4)):
        rows = lines(number, kinds, right=0.5 + 0.1 * number)
        folder = tmp_path / f"round_{number:03d}"
        dump(folder / "generated.jsonl", rows)
        dump(folder / "selected.jsonl", [row for row in rows if row["verified"]][:120])
        (folder / "scores.json").write_text(json.dumps({"scores": {"id": {"score": 0.6, "n": 96}}}))
    found = ledger(tmp_path)
    assert (found.structure, found.shared_prompts) == ("field structure", False)
    assert found.at == min(entry.valid for entry in found.entries)
    structures = np.array(values(found, "structures"))
    assert structures == pytest.approx([52, 29, 12, 4], rel=0.05)
    assert np.all(np.diff(values(found, "structures", "selected")) < 0)
    surface = np.array(values(found, "surface"))
    assert surface.min() > 0.8 * surface[0], "digits are as varied as ever"
    assert values(found, "illusion", "splits")[3] > 0.6
    assert values(found, "narrowing", "splits")[3] > 2
    assert abs(values(found, "quality_control", "splits")[3]) < 0.2
    assert values(found, "novelty") == [None, pytest.approx(0.05, abs=0.02), 0, 0]
    tail = values(found, "tail")
    assert tail[0] is None
    assert tail[1] > tail[2] > tail[3]
    assert values(found, "id", "scores") == [0.6] * 4
    assert found.entries[0].kinds == {"id": "id"}
    for entry in found.entries:
        assert entry.generated["structures"].se < 3
        assert all((reading.value is None) == (reading.undefined is not None) for reading in entry.generated.values())


def test_a_loop_that_only_gets_better(ledger):
    """Wrong records are of kinds of their own and go; right ones stay as varied: quality control, no narrowing."""
    rounds = []
    for number, right in enumerate((0.4, 0.6, 0.9)):
        rows = lines(number, 40, n=800, right=right)
        for row in rows:
            if not row["right"]:
                row["structure"] = f"{row['structure']} {row['index'] % 7}"
        rounds.append(rows)
    found = ledger(*rounds)
    last = found.entries[-1].splits
    assert last["quality_control"].lo > 0.3
    assert last["narrowing"].value == pytest.approx(0, abs=0.05)


def test_a_leaky_verifier_shows(ledger):
    found = ledger(*[lines(number, 30, leak=leak) for number, leak in enumerate((0.0, 0.3, 0.6))])
    gap = values(found, "reward_gap", "splits")
    assert gap[0] == 0
    assert gap[1] == pytest.approx(0.4 * 0.3, abs=0.06)
    assert gap[2] == pytest.approx(0.4 * 0.6, abs=0.08)
    assert values(found, "gap", "splits")[0] == pytest.approx(1 - values(found, "true")[0])
    passed = [0.4 * leak / (0.6 + 0.4 * leak) for leak in (0.0, 0.3, 0.6)]
    assert values(found, "false_pass", "splits") == pytest.approx(passed, abs=0.08)
    assert values(found, "false_fail", "splits") == pytest.approx([0, 0, 0])
    assert "false_pass" not in found.entries[0].generated


def test_anybodys_lines_are_read_by_their_templates(ledger, tmp_path):
    paths = [dump(tmp_path / f"iter_{at}.jsonl", bare(lines(at, kinds))) for at, kinds in enumerate((64, 16, 4))]
    anchor = dump(tmp_path / "anchor.jsonl", bare(lines(9, 64)))
    found = ledger(*paths, anchor=anchor)
    assert found.structure == "template of the prompt"
    assert values(found, "structures") == pytest.approx([50, 16, 4], rel=0.05)
    tail = values(found, "tail")
    assert tail[0] > 0.8 > tail[1] > tail[2]
    assert values(found, "anchor_novelty")[0] is not None
    assert "templates" not in found.entries[0].generated


def test_an_anchor_without_the_structure_field(ledger):
    found = ledger(lines(0, 40), lines(1, 40), anchor=bare(lines(9, 40)))
    assert any("no structures to tell a tail by" in note for note in found.notes)
    assert values(found, "tail")[0] is None
    assert values(found, "tail")[1] > 0.9
    assert values(found, "anchor_novelty")[0] is not None


def test_shared_prompts(ledger):
    draw, rounds = stream("shared"), []
    for number, alike in enumerate((0.0, 0.5, 1.0)):
        rows = []
        for prompt in range(60):
            one = THINGS[prompt % 14]
            for _ in range(4):
                said = [THINGS[int(i)] for i in draw.integers(14, size=5)]
                same = draw.random() < alike
                text = f"The {one} stands there." if same else f"The {' '.join(said)} went by."
                rows.append({"prompt": f"What do you see, number {prompt}?", "response": text, "reward": number / 2})
        rounds.append(rows)
    found = ledger(*rounds)
    assert found.shared_prompts
    assert found.structure == "template of the response"
    for name in ("per_prompt", "per_prompt_novelty", "structures"):
        numbers = values(found, name)
        assert numbers[0] > numbers[1] > numbers[2], name
    assert values(found, "per_prompt")[2] == pytest.approx(0, abs=1e-3)
    assert values(found, "zero_signal") == [1, 1, 1]
    assert values(found, "quality") == [0, 0.5, 1]


def test_one_after_the_other_is_the_same(ledger):
    rounds = [lines(number, kinds) for number, kinds in enumerate((50, 30, 10))]
    chosen = [[row for row in rows if row["verified"]][:150] for rows in rounds]
    asked = GuardOptions.of(workers=1)
    sources = [
        RoundSource(at, f"round {at}", made, kept) for at, (made, kept) in enumerate(zip(rounds, chosen, strict=True))
    ]
    anchor = lines(9, 60)
    with open_bench(asked.settings, Progress()) as bench:
        whole = read_ledger(sources, anchor, GuardOptions.of(workers=1, at=100), bench)
        reader = LedgerReader(anchor, 100, asked, bench)
        entries = [reader.read(source) for source in sources]
        assert reader.at == 100
        assert tuple(entries) == whole.entries
        assert reader.ledger(entries) == whole
        half = LedgerReader(None, None, asked, bench)
        half.read(sources[0], {"scores": {"id": 0.5}})
        assert half.at == sum(row["right"] for row in rounds[0]) // 2


@pytest.mark.slow
def test_a_reader_is_cheap():
    """A loop asks it every round."""
    asked = GuardOptions.of(workers=1)
    with open_bench(asked.settings, Progress()) as bench:
        reader = LedgerReader(lines(9, 64, n=1000), 1000, asked, bench)
        seconds = []
        for number in range(3):
            rows = lines(number, 64, n=6000)
            start = time.process_time()
            reader.read(RoundSource(number, f"round {number}", rows, [row for row in rows if row["right"]]))
            seconds.append(time.process_time() - start)
    print(f"\na round of 6,000 short records: {min(seconds):.2f} CPU s")
    assert min(seconds) < 3.0


def test_rounds_of_other_sizes(ledger):
    found = ledger(lines(0, 30), lines(1, 30, n=900), lines(2, 30, n=20), lines(3, 30, n=400))
    assert found.at == found.entries[0].valid
    assert found.entries[2].value("structures") is None
    assert "fewer than" in found.entries[2].generated["structures"].undefined
    assert found.notes == (
        f"1 round has fewer valid records than the {found.at} at which diversity is read, and so no diversity.",
        FIELDS,
    )
    assert values(found, "structures")[0] == pytest.approx(values(found, "structures")[1], rel=0.05)


def test_the_common_number():
    assert common_number([500, 400, 90, 3000], None, "valid") == (90, [])
    assert common_number([500, 400, 40, 0], None, "valid")[0] == 40
    assert common_number([800, 8000, 900, 850, 100], None, "valid")[0] == 800
    assert common_number([90_000, 80_000], None, "valid") == (AT_MOST, [])
    assert common_number([500, 400], 450, "valid")[1] == [
        "1 round has fewer valid records than the 450 at which diversity is read, and so no diversity."
    ]
    assert common_number([0, 0], None, "valid")[0] == 1


def test_a_round_without_a_valid_record(ledger):
    wrong = [{**row, "verified": 0.0} for row in lines(1, 30, n=400)]
    found = ledger(lines(0, 30), wrong, lines(2, 30))
    empty = found.entries[1]
    assert (empty.valid, empty.records) == (0, 400)
    assert empty.value("verified") == 0
    assert empty.generated["structures"].undefined == "no record is valid"
    assert empty.splits["narrowing"].value is not None, "its right records, which the verifier refused, are known"
    assert any("Round 1: no record" in note for note in found.notes)
    assert found.entries[2].value("novelty") is not None
    nothing = ledger([{**row, "valid": False} for row in lines(0, 30)], wrong)
    assert values(nothing, "structures") == [None, None]


@pytest.mark.parametrize("silent", [0, 2])
def test_a_model_that_has_gone_silent(ledger, silent):
    rounds = [bare(lines(number, 30, right=1.0)) for number in range(3)]
    rounds[silent] = [{**row, "response": ""} for row in rounds[silent]]
    chosen = rounds[silent][:50]
    sources = [RoundSource(at, f"round {at}", rows, chosen if at == silent else None) for at, rows in enumerate(rounds)]
    asked = GuardOptions.of(workers=1)
    with open_bench(asked.settings, Progress()) as bench:
        found = read_ledger(sources, None, asked, bench)
        reader = LedgerReader(None, 100, asked, bench)
        one_by_one = [reader.read(source) for source in sources]
    assert [entry.valid for entry in found.entries] == [0 if at == silent else 300 for at in range(3)]
    assert found.entries[silent].value("quality", "selected") == 0
    assert f"Round {silent}: no record of round {silent} is valid." in found.notes
    if silent:  # a first round says how all of them are read
        assert [entry.valid for entry in one_by_one] == [300, 300, 0]


def test_nothing_selected(ledger, tmp_path):
    folder = tmp_path / "round_000"
    dump(folder / "generated.jsonl", lines(0, 30))
    dump(folder / "selected.jsonl", [])
    found = ledger(folder)
    assert found.entries[0].selected == {}
    assert found.notes == (FIELDS, "Round 0: nothing was selected.")


def test_other_layouts(ledger):
    chat = [
        {"messages": [{"role": "user", "content": row["prompt"]}, {"role": "assistant", "content": row["response"]}]}
        for row in lines(1, 30)
    ]
    found = ledger(lines(0, 30), chat)
    assert found.entries[1].generated["structures"].undefined
    assert any("has no field structure" in note for note in found.notes)
    plain = ledger(bare(lines(0, 30)), chat)
    assert plain.entries[1].value("structures") == pytest.approx(29, rel=0.1)
    prompts = [{"prompt": row["prompt"]} for row in lines(1, 30)]
    with pytest.raises(SchemaError, match="round 1: no field holds responses, and other rounds have them"):
        ledger(bare(lines(0, 30)), prompts)
    assert len(ledger(prompts, prompts).entries) == 2


def test_scores_from_a_file(ledger, tmp_path):
    path = tmp_path / "scores.csv"
    path.write_text("round,id,ood,ood@8\n0,0.5,0.4,0.6\n1,0.6,0.5,0.6\n7,0.1,0.1,0.1\n")
    found = ledger(lines(0, 30), lines(1, 30), scores=read_scores(path))
    assert values(found, "ood", "scores") == [0.4, 0.5]
    assert values(found, "pass_gap", "splits") == pytest.approx([0.2, 0.1])
    assert found.notes == (FIELDS, "Scores of round 7 belong to no round that was given.")


def test_bad_input(ledger, tmp_path):
    good = dump(tmp_path / "round_0.jsonl", lines(0, 30))
    (tmp_path / "round_1.jsonl").write_text("")
    with pytest.raises(ReadError, match=r"round_1\.jsonl: the file is empty"):
        ledger(good, tmp_path / "round_1.jsonl")
    with pytest.raises(ReadError, match="round 1: no records"):
        ledger(good, [])
    with pytest.raises(ReadError, match=r"real\.jsonl: no such file"):
        ledger(good, anchor=tmp_path / "real.jsonl")
    with pytest.raises(
        UsageError, match=r"no round has so many valid records\.\n  got:  9,999; the largest set has 1[0-9]{2}\n"
    ):
        ledger(good, at=9999)
    with pytest.raises(SchemaError, match='no field or per-record measure is called "reward"'):
        ledger(good, quality="reward")
    torn = dump(tmp_path / "round_2.jsonl", lines(2, 30))
    torn.write_text(torn.read_text() + '{"prompt": "count the riv')
    with pytest.raises(InputError, match=r"round_2\.jsonl:301"):
        ledger(good, torn)
    found = ledger(good, torn, on_bad="skip")
    assert found.notes == (
        "Rounds are missing from the numbering: 1.",
        FIELDS,
        "round_2.jsonl: 1 rows could not be read and were left out.",
    )
    with open_bench(GuardOptions.of(workers=1).settings, Progress()) as bench, pytest.raises(UsageError):
        read_ledger([], None, GuardOptions.of(), bench)


def test_an_anchor_with_fields_of_its_own(ledger):
    rounds = [
        [{"q": row["prompt"], "a": row["response"], "fine": row["right"]} for row in lines(at, 30)] for at in (0, 1)
    ]
    found = ledger(*rounds, anchor=bare(lines(9, 30)), map={"prompt": "q", "response": "a"}, verified="fine")
    assert values(found, "verified")[0] is not None
    assert values(found, "anchor_novelty")[0] is not None


@pytest.mark.slow
def test_real_instructions(ledger, tmp_path):
    place = os.environ.get("TRIPTYCH_DATA")
    if not place:
        pytest.skip("set TRIPTYCH_DATA to the folder of alpaca_cleaned_52k.jsonl.gz")
    with gzip.open(Path(place) / "alpaca_cleaned_52k.jsonl.gz", "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line, _ in zip(file, range(12_000), strict=False)]
    narrow = [row for row in rows[4000:] if row["prompt"].startswith(("Generate", "Create"))]
    found = ledger(rows[:2000], rows[2000:4000], (narrow * 3)[:2000], anchor=rows[-2000:])
    structures, novelty = values(found, "structures"), values(found, "anchor_novelty")
    errors = [entry.generated["structures"].se for entry in found.entries]
    assert abs(structures[0] - structures[1]) < 4 * np.hypot(*errors[:2]), "two draws of one set differ by chance alone"
    assert structures[2] < 0.7 * structures[1]
    assert novelty[0] == pytest.approx(novelty[1], abs=0.02)
    assert values(found, "semantic")[2] < values(found, "semantic")[1]
