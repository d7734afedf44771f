"""How long comparing two sets of 50,000 records takes. `python benchmarks/compare_speed.py`

51,941 instruction records against the same with every fifth response cut to its first half: prompts are shared, so the comparison is
paired, with all views and the whole default panel. `triptych compare` runs twice on two workers, as a user runs it: from nothing,
and with the features in the cache.
"""

from __future__ import annotations

import gzip
import json
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from harness import data_folder, save, watch

SECONDS = 60


def main() -> None:
    folder, rows = data_folder(), []
    with tempfile.TemporaryDirectory() as place:
        first, second = Path(place) / "whole.jsonl", Path(place) / "cut.jsonl"
        with (
            gzip.open(folder / "alpaca_cleaned_52k.jsonl.gz", "rt", encoding="utf-8") as source,
            first.open("w", encoding="utf-8") as whole,
            second.open("w", encoding="utf-8") as cut,
        ):
            for number, line in enumerate(source):
                row = json.loads(line)
                row = {"prompt": row["prompt"], "response": row["response"]}
                whole.write(json.dumps(row) + "\n")
                words = row["response"].split(" ")
                cut.write(
                    json.dumps({**row, "response": " ".join(words[: -(-len(words) // 2)])} if number % 5 == 0 else row)
                    + "\n"
                )
        for what in ("from nothing", "features cached"):
            words = ["compare", str(first), str(second), "-o", f"{place}/out", "--workers", "2", "--json"]
            usage = watch([sys.executable, "-m", "triptych.cli", *words], 1800, {"TRIPTYCH_CACHE": f"{place}/cache"})
            said = json.loads(usage.output)
            views = [view["name"] for view in said["pairs"][0]["views"]]
            rows.append({"run": what, **usage.row(), "views": views, "measures": len(said["results"])})
            print(json.dumps(rows[-1]), flush=True)
    save("compare_speed", {"records": 51_941, "target_seconds": SECONDS, "runs": rows}, quick=False)


if __name__ == "__main__":
    main()
