"""What a comparison is asked for."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from triptych.comparing.matching import ALSO, MIX
from triptych.core.errors import UsageError, message, nearest
from triptych.profiling.settings import Settings

MOST_PAIRS = 45
"""More pairs than these (ten sets) are compared only against a baseline."""

_ALIASES = {"n": "records", "size": "records", "prompts": "prompt"}
_NAMED = re.compile(r"(?P<name>[\w.+-]+)=(?P<source>.+)", re.DOTALL)


@dataclass(frozen=True)
class CompareOptions:
    """Options of `compare`, as on the command line.

    Attributes:
        match: views, the primary one first: records, tokens, length, prompt, mix:FIELD, several joined by "+"; empty: the
            one that fits the data.
        margin: `NAME=0.02` or `NAME=5%` (a share of the mean value), or a mapping of them.
        draws: of a matching that leaves records out.
        baseline: name or path of the set that all others are compared with; None: all pairs.
        models: label by which the sets are compared as models that answer the same prompts; None: one of 0 and 1, where
            they are that.
        against: benchmarks or held-out sets whose texts are looked for in the sets, as `triptych.open_dataset` takes them.
        adjudicate: pairs to write into a sheet for people to judge; None: no sheet.
        labels: a sheet that was filled in.
        settings: how the sets are read and measured; its seed is that of the draws.
    """

    match: tuple[str, ...] = ()
    margin: tuple[str, ...] | Mapping[str, float | str] = ()
    draws: int = 8
    baseline: str | None = None
    models: str | None = None
    against: tuple[Any, ...] = ()
    adjudicate: int | None = None
    labels: str | Path | None = None
    settings: Settings = field(default_factory=Settings)

    @classmethod
    def of(cls, **given: Any) -> CompareOptions:
        """Options from keywords: those above, and those of `measure`, with a hint for a name that is nearly right.

        Raises:
            UsageError: an unknown name or a value out of range.
        """
        mine = Settings.beside("compare", cls, given)
        mine["match"] = tuple(_view(name) for name in _listed(mine.get("match")))
        if not isinstance(mine.get("margin"), Mapping):
            mine["margin"] = _listed(mine.get("margin"))
        if isinstance(mine.get("baseline"), Path):
            mine["baseline"] = str(mine["baseline"])
        mine["against"] = sources_of(mine.get("against"))
        made = cls(**mine, settings=Settings.of(**{"command": "triptych.compare", **given}))
        if made.draws < 1:
            raise UsageError(message("there must be at least one draw.", got=str(made.draws), want="--draws N, N >= 1"))
        check_pairs(made.adjudicate)
        if made.settings.valid_only:
            what = "compare shows how many records are valid beside the rest, and leaves none out."
            raise UsageError(message(what, got="--valid-only", hint="--measures vendi:valid_only=true"))
        return made


def sources_of(against: Any) -> tuple[Any, ...]:
    """Benchmarks as they were given: one of them, rows of one, or several."""
    if against is None:
        return ()
    several = isinstance(against, (list, tuple))
    if not several or (against and all(isinstance(row, Mapping) for row in against)):
        return (against,)
    return tuple(against)


def check_pairs(adjudicate: int | None) -> None:
    """A sheet has at least one pair.

    Raises:
        UsageError: it has none.
    """
    if adjudicate is not None and adjudicate < 1:
        got = str(adjudicate)
        raise UsageError(message("there must be at least one pair to judge.", got=got, want="--adjudicate N, N >= 1"))


def _listed(given: str | Sequence[str] | None) -> tuple[str, ...]:
    pieces = (given,) if isinstance(given, str) else given or ()
    return tuple(part.strip() for piece in pieces for part in piece.split(",") if part.strip())


def _view(name: str) -> str:
    """The view of this name, by the names of its parts.

    Raises:
        UsageError: no such matching.
    """
    parts = [_ALIASES.get(part, part) for part in name.split("+")]
    for part in parts:
        if part not in ALSO and not (part.startswith(MIX) and part != MIX) and parts != ["raw"]:
            near = nearest(part, [*ALSO, "raw"])
            want = ", ".join((*ALSO, f"{MIX}FIELD", "raw"))
            raise UsageError(message(f'"{part}" is no way to match.', want=want, hint=near and f"--match {near}"))
    return "+".join(parts)


def named(source: Any) -> tuple[str | None, Any]:
    """The name that the user gave to a set, as in `new=runs/2/data.jsonl`, and the source; no name where there is none."""
    found = _NAMED.fullmatch(source) if isinstance(source, str) else None
    if found is None or Path(source).exists():
        return None, source
    return found["name"], found["source"]


def check_names(names: Sequence[str | None]) -> None:
    """Every name that the user gave must be given once.

    Raises:
        UsageError: one is not.
    """
    given = [name for name in names if name is not None]
    twice = next((name for name in given if given.count(name) > 1), None)
    if twice is not None:
        raise UsageError(message(f'two sets are named "{twice}".', want="a name of its own for each set"))


def check_number(sets: int) -> None:
    """Two sets at least.

    Raises:
        UsageError: fewer.
    """
    if sets < 2:
        want = "at least two, or one that --by FIELD splits"
        raise UsageError(message("there is nothing to compare with.", got=f"{sets} set", want=want))


def pairs_of(names: Sequence[str], paths: Sequence[str | None], baseline: str | None) -> list[tuple[int, int]]:
    """The pairs that are compared: every two in order, or every other set with the baseline as the second.

    Raises:
        UsageError: fewer than two sets, no such baseline, or too many pairs.
    """
    check_number(len(names))
    if baseline is None:
        found = [(a, b) for a in range(len(names)) for b in range(a + 1, len(names))]
        if len(found) > MOST_PAIRS:
            want = f"at most {MOST_PAIRS} pairs, or a baseline that all others are compared with"
            raise UsageError(
                message(f"{len(names)} sets are too many for all pairs.", want=want, hint=f"--baseline {names[0]}")
            )
        return found
    at = next((place for place, name in enumerate(names) if name == baseline), None)
    if at is None:
        at = next((place for place, path in enumerate(paths) if path == baseline), None)
    if at is None:
        near = nearest(baseline, names)
        what = f'the baseline "{baseline}" is not among the sets.'
        raise UsageError(message(what, want=", ".join(names), hint=near and f"--baseline {near}"))
    return [(other, at) for other in range(len(names)) if other != at]
