"""The command line: one call plus printing; the same artifact as the API; exit codes and messages."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import triptych

RowsOf = Callable[..., list[dict[str, Any]]]


def run(*arguments: str | Path, text: str | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "triptych.cli", *map(str, arguments)]
    return subprocess.run(command, check=False, capture_output=True, text=True, input=text, timeout=120)


def lines(rows: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def test_the_command_line_gives_the_artifact_of_the_api(rows_of: RowsOf, tmp_path: Path) -> None:
    data = tmp_path / "mine.jsonl"
    data.write_text(lines(rows_of(120)))
    done = run("measure", data, "-o", tmp_path / "cli", "--workers", "1", "--json")
    assert done.returncode == 0, done.stderr
    printed = json.loads(done.stdout)
    (profile,) = triptych.measure(data, out=tmp_path / "api", workers=1)
    from_api = profile.to_json()
    for document in (printed, from_api):
        del document["provenance"]
    assert printed == from_api
    assert (tmp_path / "cli" / "features.parquet").read_bytes() == (tmp_path / "api" / "features.parquet").read_bytes()


def test_against_a_benchmark(rows_of: RowsOf, tmp_path: Path) -> None:
    data, bench = tmp_path / "mine.jsonl", tmp_path / "bench.jsonl"
    held = [
        {"prompt": f"A question of {i} words about item {i * 7} and its neighbours, as far as one knows them"}
        for i in range(60)
    ]
    data.write_text(lines(rows_of(90) + [{**held[at], "response": "It is so."} for at in range(3)]))
    bench.write_text(lines([{**row, "response": "b"} for row in held]))
    asked = ("measure", data, "--measures", "tokens", "--against", f"quiz={bench}", "--workers", "1")
    done = run(*asked, "-o", tmp_path / "cli", "--adjudicate", "5")
    assert done.returncode == 0, done.stderr
    assert "hold text of quiz" in " ".join(done.stdout.split())
    assert "to judge" in done.stdout
    (profile,) = triptych.measure(data, against=f"quiz={bench}", measures="tokens", workers=1)
    saved = json.loads((tmp_path / "cli" / "profile.json").read_text())
    assert saved["contamination"] == profile.to_json()["contamination"]
    assert (tmp_path / "cli" / "adjudicate.csv").read_text().count("mine against quiz") == 3
    planned = run(*asked, "--plan")
    assert "benchmarks: 1; one pass" in planned.stdout


def test_standard_input_table_and_plan(rows_of: RowsOf, tmp_path: Path) -> None:
    done = run("measure", "-", "-o", tmp_path / "o", "--measures", "vendi:q=2,tokens", text=lines(rows_of(80)))
    assert done.returncode == 0, done.stderr
    assert "Vendi" in done.stdout
    assert "report:" in done.stdout
    data = tmp_path / "mine.jsonl"
    data.write_text(lines(rows_of(80)))
    planned = run("measure", data, "--plan", "-o", tmp_path / "nothing")
    assert planned.returncode == 0
    assert "barrier" in planned.stdout
    assert not (tmp_path / "nothing").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["measure", "no-such-file.jsonl"], "no-such-file.jsonl"),
        (["measure", "DATA", "--measures", "vendy"], "vendi"),
        (["measure", "DATA", "--map", "response"], "role=field"),
        (["measure", "DATA", "--encoder", "minilmm"], "minilm"),
        (["measure", "DATA", "--limit", "0"], "at least one row"),
        (["explain", "vendy"], "vendi"),
        (["measure", "EMPTY"], "EMPTY.jsonl"),
        (["measure", "BROKEN"], ":2"),
        (["check", "nothing"], "MODULE:CLASS"),
        (["measure"], "Missing argument"),
    ],
)
def test_bad_input_exits_with_two_and_one_message(
    arguments: list[str], said: str, rows_of: RowsOf, tmp_path: Path
) -> None:
    files = {"DATA": lines(rows_of(20)), "EMPTY": "", "BROKEN": lines(rows_of(1)) + '{"prompt": \n' + lines(rows_of(1))}
    for name, content in files.items():
        (tmp_path / f"{name}.jsonl").write_text(content)
    given = [str(tmp_path / f"{a}.jsonl") if a in files else a for a in arguments]
    done = run(*given, *(("-o", tmp_path / "o") if given[0] == "measure" else ()))
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_list_explain_and_version() -> None:
    entries = json.loads(run("list", "--json").stdout)
    names = [entry["name"] for entry in entries]
    assert len(names) == len(set(names)) >= 20
    assert {"name", "axis", "unit", "params", "needs", "extra", "source"} == set(entries[0])
    assert "vendi" in run("list").stdout
    explained = run("explain", "vendi").stdout
    assert "Friedman" in explained
    assert "confounded by" in explained
    assert triptych.__version__ in run("--version").stdout


def test_check_accepts_a_good_measure_and_names_the_law_a_bad_one_breaks(tmp_path: Path) -> None:
    good = run("check", "triptych.measures.diversity.distinct_n:DistinctN")
    assert good.returncode == 0, good.stderr
    assert "keeps all laws" in good.stdout
    (tmp_path / "bad_measure.py").write_text(
        "from triptych.core.measure import Measure, measure\n"
        "from triptych.statistics.moments import Moments\n"
        "@measure(axis='complexity', unit='tokens', bounds=(0, 1), better='neither')\n"
        "class Bad(Measure):\n"
        "    'Mean length, said to be a ratio.'\n"
        "    def statistic(self):\n        return Moments('length@response')\n"
        "    def value(self, statistic, keep):\n        return statistic.mean(keep)\n"
        "    def reference(self, rows):\n        return None\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "triptych.cli", "check", "bad_measure:Bad"],
        check=False,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=120,
    )
    assert done.returncode == 1
    assert "LawError" in done.stderr
