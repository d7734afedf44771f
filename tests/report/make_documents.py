"""Makes realistic profile documents for the report's tests, and pages from them to look at.

Run `python tests/report/make_documents.py FOLDER` to write the documents and their pages into a folder.
"""

from __future__ import annotations

import json
import math
import random
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

Document = dict[str, Any]

ENCODER = "encoder static@1a2b3c"

# measure, title, axis, unit, better, params, headline, level at n=2000 for (varied, repetitive, noisy), half-width
MEASURES: list[tuple[str, str, str, str, str, dict[str, Any], bool, tuple[float | None, ...], float]] = [
    ("valid_share", "Valid share", "quality", "ratio", "higher", {}, True, (0.981, 0.974, 0.612), 0.011),
    (
        "label_mean",
        "Mean of score",
        "quality",
        "ratio",
        "higher",
        {"field": "score"},
        False,
        (0.803, 0.81, None),
        0.016,
    ),
    (
        "truncated_share",
        "Cut responses",
        "quality",
        "ratio",
        "lower",
        {"on": "response"},
        False,
        (0.002, 0.0, 0.118),
        0.006,
    ),
    ("format_share", "Follows the answer format", "quality", "ratio", "higher", {}, False, (0.993, 0.99, 0.71), 0.009),
    (
        "leak_share",
        "Prompt copied into response",
        "quality",
        "ratio",
        "lower",
        {"n": 8},
        False,
        (0.0, 0.004, 0.052),
        0.004,
    ),
    (
        "structures",
        "Effective valid structures",
        "diversity",
        "effective structures",
        "higher",
        {"q": 1, "valid_only": True},
        True,
        (48.3, 6.1, 51.7),
        2.1,
    ),
    (
        "vendi",
        "Vendi score",
        "diversity",
        "effective records",
        "higher",
        {"q": 2, "on": "response", "valid_only": True},
        True,
        (31.2, 4.4, 33.9),
        1.4,
    ),
    (
        "vendi",
        "Vendi score, order 1",
        "diversity",
        "effective records",
        "higher",
        {"q": 1, "on": "response"},
        False,
        (88.7, 11.9, 104.0),
        3.3,
    ),
    (
        "distinct_n",
        "Distinct bigrams",
        "diversity",
        "ratio",
        "higher",
        {"n": 2, "on": "response"},
        False,
        (0.412, 0.067, 0.534),
        0.009,
    ),
    (
        "distinct_n",
        "Distinct 4-grams",
        "diversity",
        "ratio",
        "higher",
        {"n": 4, "on": "response"},
        False,
        (0.871, 0.162, 0.894),
        0.008,
    ),
    (
        "near_duplicate_rate",
        "Near-duplicate rate",
        "diversity",
        "ratio",
        "lower",
        {"threshold": 0.9},
        False,
        (0.014, 0.742, 0.031),
        0.012,
    ),
    (
        "nearest_distance",
        "Nearest-neighbour distance",
        "diversity",
        "cosine distance",
        "higher",
        {"on": "response"},
        False,
        (0.312, 0.041, 0.358),
        0.012,
    ),
    (
        "compression",
        "Compression ratio",
        "diversity",
        "ratio",
        "higher",
        {"block": 65536},
        False,
        (0.341, 0.094, 0.402),
        0.004,
    ),
    (
        "per_prompt_distance",
        "Distance between responses to one prompt",
        "diversity",
        "cosine distance",
        "higher",
        {},
        False,
        (None, None, None),
        0.01,
    ),
    (
        "reasoning_steps",
        "Reasoning steps",
        "complexity",
        "steps",
        "higher",
        {"on": "response"},
        True,
        (4.21, 3.98, 2.77),
        0.09,
    ),
    (
        "length_correlation",
        "Correlation with length",
        "complexity",
        "rank correlation",
        "",
        {"of": "reasoning_steps"},
        False,
        (0.41, 0.92, -0.08),
        0.03,
    ),
    ("response_tokens", "Response length", "complexity", "tokens", "higher", {}, False, (91.4, 88.0, 143.2), 2.6),
    ("prompt_tokens", "Prompt length", "complexity", "tokens", "higher", {}, False, (34.4, 22.0, 36.2), 0.7),
    ("surprisal", "Surprisal", "complexity", "nats", "higher", {"order": 3}, False, (3.12, 1.84, 4.91), 0.05),
    (
        "length_correlation",
        "Correlation with length",
        "complexity",
        "rank correlation",
        "",
        {"of": "surprisal"},
        False,
        (-0.12, 0.2, 0.33),
        0.04,
    ),
    ("readability", "Reading grade", "complexity", "grade", "higher", {}, False, (7.3, 6.9, 9.8), 0.2),
    (
        "solve_rate",
        "Solve rate of a student",
        "complexity",
        "ratio",
        "lower",
        {"student": "none"},
        False,
        (None, None, None),
        0.02,
    ),
]

ABOUT = {
    "vendi": ("Exponential of the order-q entropy of the eigenvalues of the similarity matrix of the embeddings.",
              "Friedman & Dieng 2023 (arXiv 2210.02410)", ["grows with set size", "depends on the encoder"], ENCODER),
    "distinct_n": ("Share of n-grams that are different.", "Li et al. 2016 (arXiv 1510.03055)",
                   ["falls with set size", "falls with length"], ""),
    "structures": ("Effective number (exponential of entropy) of templates among valid records.", "Hill 1973",
                   ["grows with set size"], ""),
    "reasoning_steps": ("Mean number of lines, equations or sentences that carry a step.", "heuristic, see the catalog",
                        ["follows length"], ""),
}  # fmt: skip

REASONS = {
    "label_mean": "no row has the field score",
    "per_prompt_distance": "no prompt has two different responses",
    "solve_rate": "no student was named",
}

TEXTS = {
    "varied": ("A train leaves Lyon at 9:40 and covers 312 km in 2.4 hours. What is its mean speed?",
               "Step 1: speed is distance over time.\nStep 2: 312 / 2.4 = 130.\nAnswer: 130 km/h"),
    "repetitive": ("Write a short story about a lighthouse.",
                   "Once upon a time there was a lighthouse keeper named Elara who lived by the sea. " * 9),
    "noisy": ("Explain why the sky is blue to a", "Rayleigh scat\ufffd\ufffd \x00\x1b[31m scatters; \u202eeulb\u202c light ..."),
}  # fmt: skip


def estimate(row: int, which: int, n: int, rng: random.Random) -> Document:
    """One estimate of the list above, for one of the three kinds of set."""
    measure, title, axis, unit, better, params, headline, levels, half = MEASURES[row]
    value = levels[which]
    summary, source, confounders, conditional = ABOUT.get(measure, (f"{title}, see the catalog.", "", [], ""))
    about = {"summary": summary, "source": source, "confounders": confounders}
    about |= {"conditional_on": conditional} if conditional else {}
    label = measure + (":" + ",".join(f"{key}={item}" for key, item in params.items()) if params else "")
    found: Document = {
        "measure": measure, "title": title, "axis": axis, "label": label, "headline": headline, "unit": unit,
        "spec": {"params": params, "hash": f"{row:02x}c0ffee{row * 7919:06x}"}, "better": better, "about": about,
        "value": value, "undefined": None, "lo": None, "hi": None, "level": 0.95, "no_interval": None,
        "n": n, "exact": measure != "near_duplicate_rate", "curve": [],
        "bound": "error at most 0.002" if measure == "near_duplicate_rate" else None,
    }  # fmt: skip
    if value is None:
        return found | {"undefined": REASONS[measure], "n": 0}
    if measure == "compression":
        return found | {"no_interval": "fewer than 8 blocks"}
    half *= rng.uniform(0.8, 1.25) * math.sqrt(2000 / n)
    lo, hi = value - half, value + half
    if unit == "ratio":
        lo, hi = max(0.0, lo), min(1.0, hi)
    return found | {"lo": lo, "hi": hi, "curve": curve(value, half, n, axis, rng)}


def curve(value: float, half: float, n: int, axis: str, rng: random.Random) -> list[Document]:
    """A size curve that ends at (n, value)."""
    points = []
    for power in range(6):
        size = n * 2**power // 32
        grown = value * (1 - 0.55 * (1 - math.log(size) / math.log(n))) if axis == "diversity" else value
        noise = 0 if power == 5 else rng.gauss(0, half / 6)
        points.append({"n": size, "value": grown + noise, "se": half / 2 * math.sqrt(n / size) / 3})
    return points


def histogram(column: str, title: str, mean: float, rng: random.Random, n: int) -> Document:
    """A skewed histogram with a long tail."""
    edges = [8 * at for at in range(61)]
    counts = [0] * 60
    for _ in range(n):
        value = rng.lognormvariate(math.log(mean), 0.45)
        counts[min(59, int(value // 8))] += 1
    return {"column": column, "title": title, "axis": "complexity", "unit": "tokens", "edges": edges, "counts": counts,
            "missing": 4}  # fmt: skip


def document(kind: str = "varied", name: str = "", n: int = 2000) -> Document:
    """A profile of one of the three kinds of set."""
    which = ("varied", "repetitive", "noisy").index(kind)
    rng = random.Random(f"{kind} {name} {n}")
    prompt, response = TEXTS[kind]
    path = f"demo/{name or kind}.jsonl"
    example = {"where": f"{kind}.jsonl:17", "prompt": prompt, "response": response}
    noisy = kind == "noisy"
    valid = int(n * (0.61 if noisy else 0.98))
    return {
        "schema": "triptych/profile@1",
        "dataset": {"name": name or kind, "path": path, "sha256": "9f3c" * 16, "rows": n + 7 * noisy, "records": n,
                    "tokens": n * 92, "skipped": 7 * noisy,
                    "skipped_rows": [{"source": path, "line": 17 + at, "reason": "not JSON: expected a value"} for at in range(7 * noisy)],
                    "detected": "JSONL, prompt/response: fields question and answer",
                    "grouping": "records grouped by address: no prompt has two different responses"},
        "estimates": [estimate(row, which, valid if MEASURES[row][5].get("valid_only") else n, rng) for row in range(len(MEASURES))],
        "histograms": [histogram("response_tokens", "Response length", (88, 82, 130)[which], rng, 2000),
                       histogram("prompt_tokens", "Prompt length", (34, 22, 36)[which], rng, 2000)],
        "defects": [
            {"kind": "empty response", "count": 212, "share": 212 / n, "examples": [example | {"response": ""}]},
            {"kind": "cut in the middle", "count": 236, "share": 236 / n, "examples": [example, example]},
            {"kind": "control characters", "count": 9, "share": 9 / n, "examples": [example]},
        ] if noisy else [{"kind": "empty response", "count": 3, "share": 3 / n, "examples": [example | {"response": ""}]}],
        "offenders": [{"title": "Most repeated text", "why": "Each copy lowers every diversity measure.",
                       "items": [example | {"note": "812 copies"}, example | {"where": f"{kind}.jsonl:90", "note": "77 copies"}]},
                      {"title": "Longest responses", "why": "They carry most of the tokens.", "items": [example | {"note": "1,904 tokens"}]}],
        "warnings": [
            {"code": "repeats", "text": "Three of four records are near copies of another one; 812 records share one response."},
            {"code": "length", "text": "Reasoning steps follow length almost exactly: read them as length."},
        ] if kind == "repetitive" else [
            {"code": "invalid", "text": "388 of 1,000 records fail validity. Measures over all records reward garbage: read the valid-only ones."},
        ] if noisy else [],
        "artifacts": [{"name": "encoder static", "hash": "1a2b3c4d"}],
        "provenance": {"version": "0.1.0", "command": f"triptych measure {path} -o demo", "seed": 0, "seconds": 4.13,
                       "packages": {"numpy": "2.4.6", "pyarrow": "26.0.1"}, "encoder": "static@1a2b3c", "tokenizer": "triptych-8k@77aa"},
    }  # fmt: skip


def three() -> list[Document]:
    """The three demo sets."""
    return [document("varied"), document("repetitive"), document("noisy")]


def twelve() -> list[Document]:
    """Twelve sets of different sizes."""
    kinds = ("varied", "repetitive", "noisy")
    return [
        document(kinds[at % 3], f"round_{at:03d} of the self-instruct loop"[: 9 + 3 * at], 400 + 250 * at)
        for at in range(12)
    ]


HOSTILE = (
    "<script>alert(1)</script></style></title><!-- \"' onload=alert(1) {{ 7*7 }} {% raw %} </svg><img src=x onerror=alert(1)>"
    " javascript:alert(1) \u202egnirts\u2066 \x00\x07\x1b[2J \ud800 \ufeff z\u0300\u0301\u0302\u0303\u0304\u0305\u0306"
)


def poisoned(value: Any, skip: Sequence[str] = ("schema", "axis", "unit", "measure", "better")) -> Any:
    """The same document with every text replaced by a hostile one."""
    if isinstance(value, str):
        return HOSTILE
    if isinstance(value, Mapping):
        return {key: item if key in skip else poisoned(item, skip) for key, item in value.items()}
    if isinstance(value, list):
        return [poisoned(item, skip) for item in value]
    return value


def hostile() -> Document:
    """A document whose texts all try to run, break out or confuse."""
    found: Document = poisoned(document("noisy"))
    for row in found["estimates"]:
        row["unit"] = row["unit"] if row["headline"] else HOSTILE
        row["spec"]["hash"] = str(len(row["title"])) + row["measure"] + str(row["value"])
    return found


def other_encoder() -> Document:
    """The varied set, measured under another encoder."""
    found = document("varied", "varied-minilm")
    for row in found["estimates"]:
        if "conditional_on" in row["about"]:
            row["about"] = row["about"] | {"conditional_on": "encoder minilm@99ff"}
            row |= {"value": row["value"] * 2.1, "lo": row["lo"] * 2.1, "hi": row["hi"] * 2.1}
    found["provenance"]["encoder"] = "minilm@99ff"
    return found


def main(folder: Path) -> None:
    """Write documents and pages."""
    from triptych.report import render_profiles

    folder.mkdir(parents=True, exist_ok=True)
    cases = {"one": [document()], "three": three(), "twelve": twelve(), "hostile": [hostile(), document("varied")],
             "encoders": [document(), other_encoder()]}  # fmt: skip
    for name, documents in cases.items():
        (folder / f"{name}.json").write_text(json.dumps(documents, indent=1))
        page = render_profiles(documents)
        (folder / f"{name}.html").write_text(page, encoding="utf-8")
        print(name, len(page.encode()))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
