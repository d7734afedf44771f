"""A design folder: `design.json`, `arms/`, and for designs that bring their own test items `panels/`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from triptych.core.errors import ReadError, SchemaError, UsageError, message
from triptych.studies.panels import panel_kind

SCHEMA = "triptych/design@1"
BLOCK = "{block}"


@dataclass(frozen=True)
class Arm:
    """One data condition. `levels` is empty for arms beside the design (random, longest)."""

    name: str
    levels: Mapping[str, float]
    block: str
    data_seed: int
    file: Path
    records: int
    tokens: int

    def sha256(self) -> str:
        """Of the file's bytes.

        Raises:
            ReadError: it cannot be read.
        """
        try:
            return hashlib.sha256(self.file.read_bytes()).hexdigest()
        except OSError as error:
            raise ReadError(message(f"{self.file}: the arm cannot be read.", got=str(error.strerror))) from error


@dataclass(frozen=True)
class PanelSource:
    """A panel as it is named in a request: `name=FILE[,scorer]`; `{block}` in FILE stands for the arm's block."""

    name: str
    file: str
    scorer: str
    kind: str

    def request(self, block: str, folder: Path) -> str:
        """The request for one block, as `read_panel` takes it. A relative file of a design is looked for beside it."""
        path = self.file.replace(BLOCK, block)
        return f"{self.name}={folder / path},{self.scorer}"

    @property
    def by_block(self) -> bool:
        """Whether each block has its own items."""
        return BLOCK in self.file


@dataclass(frozen=True)
class Part:
    """The arms that are analysed together: a design with one thing held equal, and how well it is balanced."""

    title: str
    arms: tuple[str, ...]
    balance: Sequence[Mapping[str, Any]] = ()
    condition_number: float | None = None


@dataclass(frozen=True)
class DesignFolder:
    """A design that was read, with the document it came from."""

    folder: Path
    document: Mapping[str, Any]
    arms: tuple[Arm, ...]
    panels: tuple[PanelSource, ...]
    parts: tuple[Part, ...]

    @property
    def factors(self) -> tuple[str, ...]:
        """Names of the factors, Q before D before C."""
        return tuple(self.document["factors"])

    @property
    def blocks(self) -> tuple[str, ...]:
        """The blocks in order of appearance."""
        return tuple(dict.fromkeys(arm.block for arm in self.arms))


def read_design(folder: Path, panels: Sequence[PanelSource] = ()) -> DesignFolder:
    """Read a design folder; `panels` given by the user replace those of the design.

    Raises:
        ReadError: there is no design that can be read.
        SchemaError: the file is no design, or an arm lacks what it needs.
        UsageError: there is no panel.
    """
    file = folder / "design.json"
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ReadError(message(f"{file}: no design can be read.", got=str(error), hint="triptych design")) from error
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        got = document.get("schema") if isinstance(document, dict) else type(document).__name__
        raise SchemaError(message(f"{file}: not a design.", got=str(got), want=SCHEMA))
    try:
        arms = tuple(_arm(folder, entry) for entry in document["arms"])
    except (KeyError, TypeError, ValueError) as error:
        raise SchemaError(
            message(f"{file}: an arm lacks something.", got=str(error), hint="triptych design")
        ) from error
    own = tuple(
        PanelSource(name, entry["file"], entry.get("scorer", "exact"), entry.get("kind", panel_kind(name)))
        for name, entry in document.get("panels", {}).items()
    )
    if not panels and not own:
        raise UsageError(
            message("the study has no panel to score.", want="at least one", hint="--panel id=FILE --panel ood=FILE")
        )
    parts = [_part(entry, document) for entry in document.get("designs", [])]
    title = " and ".join(f"equal {what}" for what in document.get("equal", []))
    everything = _part({"title": title, "arms": [arm.name for arm in arms]}, document)
    return DesignFolder(folder, document, arms, tuple(panels) or own, tuple(parts) or (everything,))


def _part(entry: Mapping[str, Any], document: Mapping[str, Any]) -> Part:
    """A part says of its own balance, or what the design says holds for it."""
    said = {**document, **entry}
    return Part(entry["title"], tuple(entry["arms"]), said.get("balance", []), said.get("condition_number"))


def _arm(folder: Path, entry: Mapping[str, Any]) -> Arm:
    return Arm(
        name=str(entry["name"]),
        levels={factor: float(level) for factor, level in entry["levels"].items()},
        block=str(entry.get("block", "0")),
        data_seed=int(entry.get("data_seed", 0)),
        file=folder / entry["file"],
        records=int(entry["records"]),
        tokens=int(entry["tokens"]),
    )
