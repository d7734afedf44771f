"""Identity by parameters: fields of a dataclass to canonical JSON to a hash.

Display names are for people; two objects with equal specs are the same thing, whatever they are called.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from typing import Any


@dataclasses.dataclass(frozen=True, slots=True)
class Spec:
    """The identity of a measure, statistic or feature.

    Attributes:
        kind: name of the class (or of the registered measure).
        params: its parameters, JSON values only; an infinite number is the string "inf" or "-inf".
        version: bumped when the result for equal parameters changes.
    """

    kind: str
    params: dict[str, Any]
    version: int = 1

    @property
    def canonical(self) -> str:
        """Canonical JSON: sorted keys, no spaces, no NaN."""
        body = {"kind": self.kind, "params": self.params, "version": self.version}
        return json.dumps(body, sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=False)

    @property
    def hash(self) -> str:
        """First 16 hex digits of the SHA-256 of the canonical JSON."""
        return hashlib.sha256(self.canonical.encode()).hexdigest()[:16]


def json_value(value: Any) -> Any:
    """A parameter as strict JSON: tuples to lists, infinities to strings, 2.0 to 2 (q=2 and q=2.0 are one thing).

    Raises TypeError for anything else.
    """
    if isinstance(value, float) and math.isinf(value):
        return "inf" if value > 0 else "-inf"
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (tuple, list)):
        return [json_value(item) for item in value]
    if isinstance(value, dict):
        return {str(key): json_value(item) for key, item in value.items()}
    raise TypeError(f"a parameter must be a JSON value, got {type(value).__name__}")


def params_of(obj: Any) -> dict[str, Any]:
    """The dataclass fields of `obj` that are parameters (all that `__init__` takes), as JSON values."""
    return {field.name: json_value(getattr(obj, field.name)) for field in dataclasses.fields(obj) if field.init}


def spec_of(obj: Any, *, kind: str | None = None, version: int = 1) -> Spec:
    """The spec of a dataclass instance."""
    return Spec(kind or type(obj).__name__, params_of(obj), version)
