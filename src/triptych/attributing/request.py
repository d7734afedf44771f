"""What an attribution is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from triptych.attributing.cells import MATCHES
from triptych.attributing.vary import DESIGNS, Varied, parse_vary
from triptych.core.errors import UsageError, message, nearest
from triptych.profiling.settings import Settings

COMMAND = "triptych.attribute"


@dataclass(frozen=True)
class AttributeOptions:
    """Options of `attribute`, as on the command line.

    Attributes:
        vary: keys of the one recipe that is given, with their values.
        design: full, oaat or fractional.
        replicates: runs of each cell.
        match: what all runs are cut to: records or tokens.
        reference: level of a component that the others are held against; else the first.
        margin: `NAME=0.02` or `NAME=5%`, or a mapping of them.
        settings: how the sets are read and measured.
    """

    vary: tuple[Varied, ...] = ()
    design: str = DESIGNS[0]
    replicates: int = 1
    match: str = MATCHES[0]
    reference: Mapping[str, str] = field(default_factory=dict)
    margin: tuple[str, ...] | Mapping[str, float | str] = ()
    settings: Settings = field(default_factory=Settings)

    @classmethod
    def of(cls, **given: Any) -> AttributeOptions:
        """Options from keywords: those above, and those of `measure`, with a hint for a name that is nearly right.

        Raises:
            UsageError: an unknown name or a value out of range.
        """
        mine = Settings.beside("attribute", cls, given)
        vary = mine.get("vary") or ()
        mine["vary"] = parse_vary((vary,) if isinstance(vary, str) else vary)
        mine["reference"] = _references(mine.get("reference") or ())
        margin = mine.get("margin") or ()
        mine["margin"] = (
            margin if isinstance(margin, Mapping) else (margin,) if isinstance(margin, str) else tuple(margin)
        )
        made = cls(**mine, settings=Settings.of(**{"command": COMMAND, **given}))
        made._check()
        return made

    def _check(self) -> None:
        for name, value, words in (("design", self.design, DESIGNS), ("match", self.match, MATCHES)):
            if value not in words:
                near = nearest(value, words)
                what = f"--{name} is not right."
                raise UsageError(message(what, got=value, want=", ".join(words), hint=near and f"--{name} {near}"))
        if self.replicates < 1:
            got = str(self.replicates)
            raise UsageError(
                message("there must be at least one run of a cell.", got=got, want="--replicates N, N >= 1")
            )
        if self.settings.by is not None or self.settings.valid_only:
            what = "attribute reads every run as a whole, and shows validity as a measure."
            raise UsageError(message(what, got="by or valid_only", hint="--measures vendi:valid_only=true"))


def _references(given: Sequence[str] | Mapping[str, str]) -> dict[str, str]:
    if isinstance(given, Mapping):
        return {str(name): str(value) for name, value in given.items()}
    out = {}
    for text in (given,) if isinstance(given, str) else given:
        name, equals, value = text.partition("=")
        if not equals:
            raise UsageError(message("--reference cannot be read.", got=text, want="COMPONENT=VALUE"))
        out[name.strip()] = value.strip()
    return out
