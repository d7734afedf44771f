"""Small sets of records with every column there is, made without models: what the laws are checked on.

A row is a mapping of column names to Python values, as a measure's `reference` sees it, with three more entries: its
`address` (scrambled key), its `group` (0..31) and its `cluster` (0: the record is on its own). The features are toys:
tokens are words, an embedding is a bag of hashed words, a step is a sentence. They only have to vary and to be of the
right types.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa

from triptych.core.batch import Batch
from triptych.core.dear import maker_of
from triptych.core.groups import address_keys, group_of
from triptych.core.measure import Row
from triptych.core.rng import stream
from triptych.testing.relations import is_relation, relation

Record: TypeAlias = str | Mapping[str, Any]
"""A response, or a mapping with `prompt`, `response` and any columns that are not to be made up."""

WIDTH = 8

DEAR = (
    "judge.quality",
    "judge.complexity",
    "judge.pair",
    "judge.pair_swapped",
    "reward.score",
    "lm.surprisal",
    "lm.surprisal_alone",
    "lm.ifd",
    "lm.ifd_perplexity",
    "student.surprisal",
    "student.rank",
    "lm.misfit",
)
"""Dear columns, made up from the content: a fifth of the records was not sampled."""

YES_OR_NO = ("lm.misfit", "judge.pair", "judge.pair_swapped")
"""Those that are 0 or 1."""

VECTORS = ("gradients.vector", "student.gradient")
"""Dear columns of vectors, made up likewise."""

_TYPES: dict[str, Any] = {
    "reference_balls": pa.list_(pa.int32()),
    "reference_size": pa.int32(),
    **dict.fromkeys([f"reference_{name}" for name in ("nearest", "near", "inside", "density")], pa.float64()),
    "prompt": pa.string(),
    "response": pa.string(),
    "structure": pa.string(),
    "content_id": pa.binary(16),
    "tokens": pa.list_(pa.int32()),
    "length": pa.int32(),
    "defects": pa.uint16(),
    "reasoning_steps": pa.int32(),
    "constraints": pa.int32(),
    "readability_grade": pa.float64(),
    "lexical_diversity": pa.float64(),
    "template": pa.uint64(),
    "code_complexity": pa.int32(),
    "structure_depth": pa.float64(),
    "sentence_length": pa.float64(),
    "subordination": pa.float64(),
    "near_duplicates": pa.uint32(),
    "repeats": pa.list_(pa.int32(), 33),
    "per_prompt_distance": pa.float64(),
    "per_prompt_novelty": pa.float64(),
}


def make_rows(records: Sequence[Record]) -> list[Row]:
    """Rows with all columns. Records of a prompt that has different responses are one cluster and share a group."""
    given = [{"response": record} if isinstance(record, str) else dict(record) for record in records]
    answers: dict[str, set[str | None]] = defaultdict(set)
    for record in given:
        if record.get("prompt") is not None:
            answers[record["prompt"]].add(record.get("response"))
    n = len(given)
    zeros = np.zeros(n, dtype=np.int32)
    keys = [int(key) for key in address_keys(zeros, np.arange(n, dtype=np.int64), zeros)]
    rows: list[Row] = []
    for record, key in zip(given, keys, strict=True):
        several = len(answers.get(record.get("prompt") or "", ())) > 1
        cluster = _hash64(record["prompt"]) if several else 0
        group = int(group_of(np.array([cluster or key], dtype=np.uint64))[0])
        rows.append({"address": key, "cluster": cluster, "group": group, **_columns(record), **record})
    return rows


def make_batch(rows: Sequence[Row], columns: Sequence[str]) -> Batch:
    """A batch with just these columns; relation columns are computed over exactly these rows.

    Raises:
        KeyError: the rows have no such column.
    """
    made = {}
    for name in columns:
        values = relation(name, rows) if is_relation(name) else [row[name] for row in rows]
        made[name] = pa.array(values, type=_type(name, values))
    group = np.array([row["group"] for row in rows], dtype=np.uint8)
    return Batch(made, group, np.array([row["address"] for row in rows], dtype=np.uint64))


def _type(name: str, values: Sequence[Any]) -> Any:
    base = re.split(r"[@:]", name)[0]
    if base == "embedding" or base in VECTORS:
        return pa.list_(pa.float32(), max((len(value) for value in values if value is not None), default=WIDTH))
    return pa.float64() if base.startswith("label.") or maker_of(base) else _TYPES.get(base)


def _columns(record: Mapping[str, Any]) -> dict[str, Any]:
    prompt, response = record.get("prompt"), record.get("response")
    parts = [part for part in (prompt, response) if part is not None]
    texts = {"prompt": prompt, "response": response, "both": "\n".join(parts) if parts else None}
    digest = hashlib.blake2b(repr((prompt, response)).encode(), digest_size=16).digest()
    out = {"prompt": prompt, "response": response, "content_id": digest, "label.score": None, "label.other": None}
    for on, text in texts.items():
        made = _text_columns(text, prompt)
        names = made if on != "both" else ("tokens", "length", "embedding")
        out |= {f"{name}@{on}": made[name] for name in names}
        out |= {f"reference_{name}@{on}": value for name, value in _against_reference(made["embedding"]).items()}
    made = {name: _dear(name, response) for name in DEAR} | {name: _gradient(name, response) for name in VECTORS}
    return out | {"defects": out["defects@response"]} | made


def _against_reference(vector: Sequence[float]) -> dict[str, Any]:
    """Where a vector lies among seven records of a toy reference: item j is near what has much of word class j."""
    if not any(vector):
        return {"nearest": None, "near": None, "inside": None, "density": None, "balls": [], "size": None}
    share = [x / sum(vector) for x in vector]
    balls = [item for item in range(WIDTH - 1) if share[item] > 0.2]
    distance = 1 - max(share)
    near, density = (1 + distance) / 2, len(balls) / 2
    return {
        "nearest": distance, "near": near, "inside": float(bool(balls)), "density": density, "balls": balls,
        "size": WIDTH - 1,
    }  # fmt: skip


def _dear(name: str, response: str | None) -> float | None:
    """A number from 1 to 6 in eighths, or 0 or 1; or None."""
    code = zlib.crc32(f"{name} {response}".encode())
    if not response or code % 5 == 0:
        return None
    return float(code % 3 == 0) if name in YES_OR_NO else 1 + code % 41 / 8


def _gradient(name: str, response: str | None) -> list[float] | None:
    """A vector of any length but 0, or None."""
    size = _dear(name, response)
    return [x / size for x in _embedding(str(response).split()[::2])] if size and str(response).strip() else None


def _text_columns(text: str | None, prompt: str | None) -> dict[str, Any]:
    if text is None:
        names = (
            "tokens",
            "length",
            "reasoning_steps",
            "constraints",
            "readability_grade",
            "code_complexity",
            "structure_depth",
            "sentence_length",
            "subordination",
            "lexical_diversity",
            "template",
        )
        return {"defects": 1, "embedding": [0.0] * WIDTH, **dict.fromkeys(names)}
    words = text.split()
    long_enough = len(words) >= 10
    return {
        "tokens": [zlib.crc32(word.encode()) % 30000 for word in words],
        "length": len(words),
        "embedding": _embedding(words),
        "defects": _defects(text, words, prompt),
        "reasoning_steps": text.count(". ") + words.count("so"),
        "constraints": words.count("must") + words.count("short"),
        "readability_grade": len(text) / len(words) * 1.5 - 3 if long_enough else None,
        "lexical_diversity": len(set(words[:10])) / 10 if long_enough else None,
        "code_complexity": 1 + words.count("so") if len(words) % 2 else None,
        "structure_depth": float(len(words) % 4 + 1) if words else None,
        "sentence_length": len(words) / (text.count(".") + 1) if long_enough else None,
        "subordination": 100 * words.count("so") / len(words) if long_enough else None,
        "template": _hash64(re.sub(r"\d+", "#", text)),
    }


def _embedding(words: Sequence[str]) -> list[float]:
    vector = [0.0] * WIDTH
    for word in words:
        code = zlib.crc32(word.encode())
        vector[code % WIDTH] += 1.0 + code // WIDTH % 3
    return vector


def _defects(text: str, words: Sequence[str], prompt: str | None) -> int:
    found = (
        not words,
        text.endswith(","),
        text.startswith("Sorry"),
        bool(prompt) and text != prompt and text.startswith(str(prompt)) and "\n" not in text,
        len(words) >= 8 and len(set(words)) == 1,
        "\ufffd" in text,
    )
    return sum(2**bit for bit, defect in enumerate(found) if defect)


def _hash64(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little") | 1


def _sentence(rng: np.random.Generator, words: int, vocabulary: int = 400) -> str:
    """Words of a Zipf law, here and there a full stop or a "so"."""
    ranks = np.minimum(rng.zipf(1.3, words), vocabulary)
    text = " ".join(f"w{rank}" + ("." if rank % 7 == 3 else "") if rank % 11 else "so" for rank in ranks)
    return text + "."


def _prose() -> list[Record]:
    rng = stream("fixture", "prose")
    return [
        {
            "prompt": f"Say {i % 9} things about {_sentence(rng, 3)}" + (" must be short" if i % 3 else ""),
            "response": _sentence(rng, int(rng.integers(3, 60))) + ("," if i % 7 == 0 else ""),
            "label.score": float(rng.integers(0, 2)),
            "label.other": 1e4 + float(rng.integers(-1, 2)),
        }
        for i in range(64)
    ]


def _copies() -> list[Record]:
    rng = stream("fixture", "copies")
    texts = [_sentence(rng, 20) for _ in range(6)]
    return [
        {
            "prompt": None if i % 2 else f"Ask {i % 4}",
            "response": texts[int(rng.integers(0, 6))] + (f" w{i}" if i % 3 == 0 else ""),
            "label.score": i / 48,
            "label.other": float(i % 2),
        }
        for i in range(48)
    ]


def _prompts() -> list[Record]:
    rng = stream("fixture", "prompts")
    return [
        {
            "prompt": f"Question {prompt}: {_sentence(stream('fixture', 'question', prompt), 4 + prompt)}",
            "response": _sentence(rng, int(rng.integers(3, 16)), vocabulary=6 + prompt),
            "label.score": float(rng.normal()),
            "label.other": None,
        }
        for prompt in range(14)
        for _ in range(1 + prompt % 4)
    ]


def _broken() -> list[Record]:
    rng = stream("fixture", "broken")
    out: list[Record] = []
    for i in range(36):
        text, prompt = _sentence(rng, 9), _sentence(rng, 4)
        spoiled = (text, text + ",", "Sorry " + text, prompt + " " + text, "w1 " * 9 + "w1", text + "\ufffd")[i % 6]
        out.append({"prompt": prompt + ("," if i % 5 == 0 else ""), "response": spoiled, "label.score": float(i % 6)})
    return out


def _same() -> list[Record]:
    record = {"prompt": "Say it.", "response": "w1 w2 w3 w4 w5 w6. so it is w1 w2 w3.", "label.score": 1.0}
    return [{**record, "label.other": 3.0}] * 40


@cache
def fixtures() -> Mapping[str, list[Row]]:
    """Contrasting sets: free text; copies and near-copies; several responses to a prompt; defects; one text; one record."""
    one: Record = {"prompt": "Say it.", "response": "w1 w2 w1 w3 w4 w5 w6.", "label.score": 0.5}
    sets = {
        "prose": _prose(),
        "copies": _copies(),
        "prompts": _prompts(),
        "broken": _broken(),
        "same": _same(),
        "single": [one],
    }
    return {name: make_rows(records) for name, records in sets.items()}


def empty_rows(like: Sequence[Row] = ()) -> list[Row]:
    """Two empty records with addresses of their own, to stand beside `like`: one without texts, one with blank texts.

    Vectors are zeros; columns of `like` that are not made up here are null.
    """
    blank: list[Record] = [{"prompt": None, "response": None}, {"prompt": "", "response": ""}]
    made = make_rows([""] * len(like) + blank)[len(like) :]
    widths = {key: len(value) for key, value in (like[0] if like else {}).items() if key.startswith("embedding@")}
    zeros = {key: [0.0] * width for key, width in widths.items()}
    return [{**dict.fromkeys(like[0] if like else ()), **row, **zeros} for row in made]
