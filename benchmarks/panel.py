"""The whole default panel on 51,941 real records, report included. `python benchmarks/panel.py [--quick]`

Three runs of the command line in processes of their own: with an empty cache, again with a full one, and, with nothing
but the tokens cached, all measures of the panel that need no embedding. CPU seconds are those of all processes.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from harness import Usage, data_folder, save, watch

from triptych.data import open_dataset
from triptych.engines.cache import ColumnCache
from triptych.engines.catalog import Instruments, work_for
from triptych.engines.local import LocalEngine
from triptych.engines.progress import Progress
from triptych.engines.store import scan
from triptych.profiling.panel import plan
from triptych.profiling.settings import Settings

NAME = "alpaca_cleaned_52k.jsonl.gz"
TARGETS = {
    "cold": {"wall_seconds": 60, "peak_memory_mb": 1200},
    "warm": {"wall_seconds": 8},
    "no_embedding": {"cpu_seconds": 12, "peak_memory_mb": 400},
}


def without_embedding(path: Path) -> list[str]:
    """The measures of the default panel that rest on no embedding, as a user would ask for them."""
    panel = plan(Settings.of(), open_dataset(str(path)).layout)
    needs = {m.label: " ".join(m.statistic().needs) for m in panel.measures}
    return [label for label, need in needs.items() if "embedding" not in need and "per_prompt_distance" not in need]


def cache_tokens(path: Path, cache: Path, limit: int | None) -> None:
    """Put the base columns and the token lists into a cache, and nothing else."""
    settings = Settings.of(limit=limit)
    dataset = open_dataset(str(path), settings.reading())
    columns = [f"length@{on}" for on in ("prompt", "response")]
    with LocalEngine(1) as engine:
        scan(dataset, work_for(columns, Instruments.named()).features, ColumnCache(cache), engine, Progress())


def measure(path: Path, folder: Path, cache: Path, limit: int | None, *more: str) -> tuple[Usage, dict[str, Any]]:
    """Run `triptych measure` on the file."""
    command = [sys.executable, "-m", "triptych.cli", "measure", str(path), "-o", str(folder / "out"), "--json", *more]
    usage = watch([*command, *(["--limit", str(limit)] if limit else [])], 900, {"TRIPTYCH_CACHE": str(cache)})
    return usage, json.loads(usage.output)


def row(name: str, work: str, usage: Usage, profile: dict[str, Any]) -> dict[str, Any]:
    """One line of the table."""
    targets = TARGETS[name]
    records = profile["dataset"]["records"]
    found = {"name": name, "work": work, **usage.row(), "records": records, "measures": len(profile["estimates"])}
    found["records_per_second"] = round(records / usage.wall)
    found["targets"] = targets
    found["met"] = {key: found[key] <= most for key, most in targets.items()}
    found["stages"] = usage.stages
    print(json.dumps(found), flush=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="3,000 rows; writes no result")
    parser.add_argument("--dry", action="store_true", help="write no result")
    given = parser.parse_args()
    path = data_folder() / NAME
    limit = 3000 if given.quick else None
    rows = []
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for name, work in (("cold", "default panel, empty cache"), ("warm", "default panel, full cache")):
            rows.append(row(name, work, *measure(path, folder, folder / "cache", limit)))
        report = (folder / "out" / "report.html").stat().st_size
        cached = sum(file.stat().st_size for file in (folder / "cache").rglob("*.arrow"))
        wanted = without_embedding(path)
        cache_tokens(path, folder / "tokens", limit)
        more = ("--measures", ",".join(wanted), "--workers", "1")
        usage, profile = measure(path, folder, folder / "tokens", limit, *more)
        rows.append(
            row(
                "no_embedding",
                f"{len(wanted)} measures without an embedding, tokens cached, one process",
                usage,
                profile,
            )
        )
    facts = {
        "data": NAME.partition(".")[0],
        "tokens": profile["dataset"]["tokens"],
        "report_mb": round(report / 1e6, 2),
        "columns_on_disk_mb": round(cached / 1e6),
        "peer": "data-juicer analyze: not measured here (elsewhere, on another machine: 65 CPU seconds for eight text statistics)",
    }
    save("panel", {**facts, "rows": rows}, given.quick or given.dry)


if __name__ == "__main__":
    main()
