"""`triptych trace`: the artifact of the API, tables on a terminal, one message for bad input."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from triptych import api
from triptych.cli.app import main
from triptych.cli.trace import _columns
from triptych.core.rng import stream

Call: TypeAlias = Callable[..., tuple[int, str, str]]


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "triptych.cli", "trace", *map(str, arguments)]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """The command in this process: exit code, standard output and standard error."""

    def run_here(*arguments: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["triptych", "trace", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return run_here


@pytest.fixture
def table(tmp_path: Path) -> Path:
    rng = stream("cli trace")
    path = tmp_path / "runs.csv"
    with path.open("w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["run", "arm", "model", "Q", "vendi:q=2,on=prompt", "id", "bench"])
        for k in range(48):
            arm, model, q = k % 16, "abc"[k // 16], 1 if k % 16 < 8 else -1
            vendi = 5 + 0.2 * arm
            score = 0.5 + 0.1 * q + 0.02 * rng.normal()
            writer.writerow([f"r{k}", f"arm{arm}", model, q, vendi, score, 40 + vendi + rng.normal()])
    return path


def test_the_command_line_gives_the_artifact_of_the_api(table: Path, tmp_path: Path) -> None:
    done = run(
        table, "--outcome", "id,bench", "--factors", "Q", "--blocks", "model", "--bakeoff", "--candidates",
        "vendi:q=2,on=prompt", "--bootstrap", "100", "-o", tmp_path / "cli", "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document == json.loads((tmp_path / "cli" / "study.json").read_text())
    api.trace(
        str(table), out=tmp_path / "api", outcome=("id", "bench"), factors=("Q",), blocks=("model",), bakeoff=True,
        candidates=("vendi:q=2,on=prompt",), bootstrap=100,
    )  # fmt: skip
    for name in ("study.json", "report.html"):
        assert (tmp_path / "cli" / name).read_bytes() == (tmp_path / "api" / name).read_bytes()


def test_tables_for_people(call: Call, table: Path, tmp_path: Path) -> None:
    code, said, _ = call(table, "--outcome", "id", "--factors", "Q", "--blocks", "model", "-o", tmp_path / "out")
    assert code == 0
    for text in ("48 of 48 runs analysed, 0 failed", "raises", "shares of variance", "report: "):
        assert text in said


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--factors", "Q"], "--outcome is not given"),
        (["--outcome", "idd", "--factors", "Q"], 'no column "idd"'),
        (["--outcome", "id", "--factors", "arm"], 'column "arm" holds words'),
    ],
)
def test_bad_input_is_one_message(call: Call, table: Path, tmp_path: Path, arguments: list[str], text: str) -> None:
    code, said, error = call(table, *arguments, "-o", tmp_path / "out")
    assert code == 2
    assert text in error
    assert said == ""


def test_names_keep_the_parameters_of_a_measure() -> None:
    assert _columns(["a,b", " c ", "vendi:q=2,on=prompt,distinct_n:n=3"]) == (
        "a", "b", "c", "vendi:q=2,on=prompt", "distinct_n:n=3",
    )  # fmt: skip
    assert _columns(None) == ()
