"""Profile: all estimates of one data set with their provenance. The artifact `profile.json`."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from triptych.core.errors import ReadError, SpecError, message, nearest
from triptych.core.estimate import Estimate

SCHEMA = "triptych/profile@1"


@dataclass(frozen=True)
class Profile:
    """What was measured on one data set.

    Attributes:
        dataset: name, path, sha256, rows, records, tokens, skipped, detected layout, grouping rule.
        estimates: one for each measure and parameter set, by axis.
        details: histograms, defects with examples, offenders: what a report shows beside the numbers.
        warnings: `{code, text}` in plain words.
        artifacts: frozen things that numbers are conditional on: `{name, hash}`.
        provenance: version, command, seed, seconds, packages: what two equal runs may differ in.
    """

    dataset: Mapping[str, Any]
    estimates: tuple[Estimate, ...]
    details: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[Mapping[str, str], ...] = ()
    artifacts: tuple[Mapping[str, str], ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Estimate]:
        return iter(self.estimates)

    def __getitem__(self, label: str) -> Estimate:
        """The estimate asked for as on the command line: `profile["vendi:q=2"]`, or by bare name when there is one.

        Raises:
            SpecError: no such estimate, or a bare name that several have.
        """
        found = [e for e in self.estimates if e.label == label] or [e for e in self.estimates if e.measure == label]
        if len(found) == 1:
            return found[0]
        labels = [e.label for e in self.estimates]
        if found:
            raise SpecError(message(f'"{label}" names several estimates.', want=" or ".join(e.label for e in found)))
        raise SpecError(message(f'no estimate "{label}" in this profile.', got=label, hint=nearest(label, labels)))

    def to_json(self) -> dict[str, Any]:
        """The document of `profile.json`: strict JSON values."""
        return {
            "schema": SCHEMA,
            "dataset": dict(self.dataset),
            "estimates": [estimate.to_json() for estimate in self.estimates],
            **self.details,
            "warnings": [dict(warning) for warning in self.warnings],
            "artifacts": [dict(artifact) for artifact in self.artifacts],
            "provenance": dict(self.provenance),
        }

    def save(self, path: Path) -> None:
        """Write the document, atomically."""
        write_json(path, self.to_json())

    @classmethod
    def load(cls, path: str | Path) -> Profile:
        """Read `profile.json`, or the folder that holds it.

        Raises:
            ReadError: there is none, or it is no profile.
        """
        file = Path(path)
        file = file / "profile.json" if file.is_dir() else file
        try:
            document = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ReadError(
                message(f"{file}: no profile can be read.", got=str(error), hint="triptych measure")
            ) from error
        if not isinstance(document, dict) or document.get("schema") != SCHEMA:
            got = document.get("schema") if isinstance(document, dict) else type(document).__name__
            raise ReadError(message(f"{file}: not a profile.", got=str(got), want=SCHEMA))
        own = {"schema", "dataset", "estimates", "warnings", "artifacts", "provenance"}
        return cls(
            dataset=document["dataset"],
            estimates=tuple(Estimate.from_json(entry) for entry in document["estimates"]),
            details={key: value for key, value in document.items() if key not in own},
            warnings=tuple(document["warnings"]),
            artifacts=tuple(document["artifacts"]),
            provenance=document["provenance"],
        )


def write_json(path: Path, document: Mapping[str, Any]) -> None:
    """Write strict, readable JSON, atomically: no NaN, keys in the order given, a newline at the end."""
    write_text(path, json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 text under a temporary name and move it into place. Lone surrogates are written as `?`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", errors="replace", newline="\n") as out:
            out.write(text)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
