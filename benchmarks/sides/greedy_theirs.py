"""The peer's side of benchmarks/selection_greedy.py; runs in an environment that has apricot and not Triptych."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from clock import run


def facility_location(name: str) -> Callable[[Path], Callable[[], Any]]:
    def prepare(folder: Path) -> Callable[[], Any]:
        import numpy as np  # noqa: PLC0415
        from apricot import FacilityLocationSelection  # noqa: PLC0415

        vectors = np.load(folder / f"{name}.npy")
        picks = len(vectors) // 10

        def select(rows: Any, number: int) -> list[int]:
            # Cosines are given: apricot's own metric "cosine" squares them, and it takes none below 0.
            similar = np.maximum(rows @ rows.T, 0)
            policy = FacilityLocationSelection(number, metric="precomputed", optimizer="lazy")
            return [int(one) for one in policy.fit(similar).ranking]

        select(vectors[:200], 20)
        began = time.process_time()
        select(vectors[:200], 20)  # apricot compiles anew for every object that is made
        compiling = time.process_time() - began
        return lambda: {"taken": select(vectors, picks), "compiling": compiling}

    return prepare


if __name__ == "__main__":
    run({"apricot": facility_location("some")})
