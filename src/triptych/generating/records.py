"""Records and failures as rows of `data.jsonl` and `failed.jsonl`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from triptych.data.names import COMPLETION_NAMES, MESSAGE_NAMES, is_label_name
from triptych.generating.ask import Failed, Made

_OWN = frozenset({"id", "prompt", "response", "triptych"})
_OF_THE_SEED = frozenset({"model", "generator", "chosen", "rejected", *MESSAGE_NAMES, *COMPLETION_NAMES})
"""Fields of a seed's row that say something of the seed's own texts."""


def data_row(made: Made, row_id: str, about: Mapping[str, Any]) -> dict[str, Any]:
    """A record as it is written: its texts, what its row holds for a verifier, where it comes from.

    Verdicts, scores and other texts in a row are those of the seed that it came with, and are left out.
    """
    carried = {
        name: value
        for name, value in made.row.items()
        if name not in _OWN and name not in _OF_THE_SEED and not is_label_name(name)
    }
    return {"id": row_id, "prompt": made.prompt, "response": made.response, **carried, "triptych": dict(about)}


def lost_row(lost: Made | Failed, stage: str, reason: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """What did not become a record, and why."""
    if isinstance(lost, Failed):
        texts = {"text": lost.text}
    else:  # records that were kept may name it as a parent
        texts = {"id": lost.id, "prompt": lost.prompt, "response": lost.response}
    return {"stage": stage, "reason": reason, **texts, **took_of(lost), "filters": dict(values)}


def took_of(each: Made | Failed) -> dict[str, Any]:
    """Where something comes from and what it took."""
    names = ("attempt", "asks", "prompt_tokens", "tokens", "seconds")
    return {"parents": list(each.parents), **{name: getattr(each, name) for name in names}, "method": dict(each.extra)}


def broken(made: Made) -> str:
    """Why a record is none; "" where it is one."""
    if not made.prompt.strip() or not made.response.strip():
        return "empty prompt" if not made.prompt.strip() else "empty response"
    try:
        f"{made.prompt}{made.response}".encode()
    except UnicodeEncodeError:
        return "a text holds a lone surrogate"
    return ""
