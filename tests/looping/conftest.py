"""The fixture `loops`: loops that run in seconds: one skill a depth of the world programs, or sums of digits without any world."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from triptych.core.rng import stream
from triptych.engines.progress import Progress
from triptych.looping.conduct import run_loop
from triptych.looping.config import LoopConfig
from triptych.profiling.settings import Settings

TINY = "tiny:steps={},width=32,batch=32"
ROUND_FILES = {"generated.jsonl", "meta.json", "scores.json", "selected.jsonl", "written.json", "model"}


def table(**more):
    """A small loop, with these tables in place of its own."""
    found = {
        "rounds": 2,
        "at": 32,
        "start": {"world": "programs", "skills": 1, "records": 300, "items": 20, "trainer": TINY.format(400)},
        "model": {"trainer": TINY.format(60)},
        "generator": {"samples": 150},
        "policy": {"name": "correct", "budget": 100},
        "dials": {"start": "continue"},
        "evaluation": {"k": [1, 2], "k_items": 5, "panels": ["id", "compositions"]},
    }
    return {**found, **more}


def run(folder, **more):
    """Run it in this process."""
    return run_loop(LoopConfig.of(table(**more)), Path(folder), Progress(), Settings(workers=1, cache=False))


def sums(folder, n=300):
    """Sums of two digits as JSON lines, test items, and a module that checks them: a loop without a world."""
    draw = stream("sums")
    pairs = [(a, b) for a in range(10) for b in range(10)]
    order = draw.permutation(len(pairs)).tolist()
    held, known = [pairs[i] for i in order[:10]], [pairs[i] for i in order[10:]]
    lines = [known[int(draw.integers(len(known)))] for _ in range(n)]
    for name, some in (("seed", lines), ("id", known[:15]), ("ood", held)):
        rows = [{"prompt": f"{a}+{b}=", "response": str(a + b)} for a, b in some]
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "sums_check.py").write_text(
        "import re\n\n"
        "def check(row, response):\n"
        '    found = re.fullmatch(r"([0-9])[+]([0-9])=", row["prompt"])\n'
        "    return float(bool(found) and response == str(int(found[1]) + int(found[2])))\n"
    )
    return {
        "rounds": 1,
        "at": 32,
        "start": {"data": "seed.jsonl"},
        "model": {"trainer": "tiny:steps=300,width=32,batch=64,tokenization=bytes"},
        "generator": {"samples": 200},
        "verifier": {"scorer": "verifier:sums_check:check"},
        "policy": {"name": "correct", "budget": 150},
        "evaluation": {"k": [1, 4], "k_items": 5, "panels": {"id": "id.jsonl", "ood": "ood.jsonl,exact"}},
    }


def contents(folder):
    """Every file of a result but what may differ: seconds and the provenance."""
    out = {}
    for path in sorted(Path(folder).rglob("*")):
        if path.is_file():
            name = str(path.relative_to(folder))
            out[name] = plain(json.loads(path.read_text())) if path.suffix == ".json" else path.read_bytes()
    return out


def plain(value):
    """A JSON value without seconds and provenance."""
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items() if key not in {"seconds", "stages", "provenance"}}
    return [plain(each) for each in value] if isinstance(value, list) else value


@pytest.fixture(scope="session")
def loops():
    """Tables of small loops, how they are run, and what is in their folders."""
    return SimpleNamespace(table=table, run=run, sums=sums, contents=contents, plain=plain)
