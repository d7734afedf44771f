"""Components as text and as JSON: what a recipe says of itself."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from triptych.core.spec import json_value
from triptych.generating.ask import Filter, Method, Search, Writer


def hash_of(document: Mapping[str, Any]) -> str:
    """First 16 hex digits of the SHA-256 of the canonical JSON."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def filter_text(part: Filter | Method | Search) -> str:
    """A component on one line, `name:param=value,..`, with the parameters that differ from their defaults."""
    default = {item.name: item.default for item in fields(part)}  # type: ignore[arg-type]
    changed = {name: value for name, value in values(part).items() if value != _default(default.get(name))}
    return part.name + (":" + ",".join(f"{name}={_text(value)}" for name, value in changed.items()) if changed else "")


def _default(value: Any) -> Any:
    """A parameter as strict JSON; what is no value (a field without a default) is None."""
    return None if value is dataclasses.MISSING else plain(value)


def plain(value: Any) -> Any:
    """A parameter as strict JSON values; dataclasses (a price) as objects."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {item.name: plain(getattr(value, item.name)) for item in fields(value)}
    return json_value(str(value) if isinstance(value, Path) else value)


def values(part: Any) -> dict[str, Any]:
    """The parameters of a component."""
    return {item.name: plain(getattr(part, item.name)) for item in fields(part) if item.init}


def told(part: Writer | Method | Search | Filter) -> dict[str, Any]:
    """A component as a table."""
    return {"kind": part.kind, **values(part)} if isinstance(part, Writer) else {"name": part.name, **values(part)}


def flat(name: str, table: Mapping[str, Any]) -> dict[str, str]:
    """The values of a table under dotted names, as text; what has no value is left out."""
    out: dict[str, str] = {}
    for key, value in table.items():
        if isinstance(value, Mapping):
            out |= flat(f"{name}.{key}", value)
        elif value not in (None, "", []):
            out[f"{name}.{key}"] = _text(value)
    return out


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
