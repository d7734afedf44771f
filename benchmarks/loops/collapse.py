"""The preset `collapse` as a user runs it, its picture for the README, and its numbers. `python benchmarks/loops/collapse.py`

With a folder (`--folder DIR`) in which the preset has run, it is read and not run again; the seconds are those of its rounds.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))
from harness import save

import triptych
from triptych.report import loop_svg

PICTURE = Path(__file__).parent.parent.parent / "docs" / "img" / "collapse.svg"


def main() -> None:
    words = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="triptych-collapse-") as place:
        folder = Path(words[words.index("--folder") + 1]) if "--folder" in words else Path(place) / "collapse"
        there = (folder / "loop.json").exists()
        began = time.perf_counter()
        document = (
            json.loads((folder / "loop.json").read_text()) if there else triptych.loop(preset="collapse", out=folder)
        )
        wall = None if there else round(time.perf_counter() - began, 1)
    PICTURE.write_text(loop_svg(document), encoding="utf-8")
    arms = [told(arm) for arm in document["arms"]]
    seconds = round(sum(one["seconds"] for arm in document["arms"] for one in arm["rounds"]), 1)
    about = {
        "config": document["config"],
        "wall_seconds": wall,
        "target_seconds": 720,
        "seconds_of_all_rounds": seconds,
    }
    save("collapse", about | {"arms": arms, "conclusions": document["conclusions"]}, quick=False)


def told(arm: dict[str, Any]) -> dict[str, Any]:
    """An arm's curves."""
    rounds = arm["rounds"]
    return {
        "policy": arm["policy"],
        "verified": [one["ledger"]["verified"]["value"] for one in rounds],
        "structures": [one["ledger"]["diversity"]["value"] for one in rounds],
        "scores": {name: [one["scores"][name]["score"] for one in rounds] for name in rounds[0]["scores"]},
        "guard": [one["guard"]["state"] + ", " + one["guard"]["verdict"] for one in rounds],
        "overlap": [one["overlap"] for one in rounds],
    }


if __name__ == "__main__":
    main()
