"""Every error Triptych raises on purpose.

    TriptychError
    ├── InputError            bad input or usage; the command line exits with 2
    │   ├── ReadError         a source that cannot be read (missing, damaged, unknown kind)
    │   ├── SchemaError       rows whose layout is unknown, mixed or without text
    │   ├── SpecError         an unknown measure, feature or parameter, or a parameter out of range
    │   ├── UsageError        options that do not go together
    │   ├── SelectionError    a budget, cap or dial that the candidates cannot meet
    │   ├── OutputError       a result folder that must not be replaced
    │   └── MissingExtraError an optional package that is not installed
    ├── RegistryError         a plug-in that breaks the rules (a name taken twice, a bad entry point)
    └── LawError              a measure, statistic or engine that breaks a law (triptych.testing)

A message says what, where, got, want and what to try. `message()` lays those out.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class TriptychError(Exception):
    """Root of all errors raised on purpose."""


class InputError(TriptychError):
    """Bad input or usage."""


class ReadError(InputError):
    """A source cannot be read."""


class SchemaError(InputError):
    """The layout of the rows is unknown, mixed or has no text."""


class SpecError(InputError):
    """A name or a parameter is not known, or a value is out of range."""


class UsageError(InputError):
    """Options that do not go together."""


class SelectionError(InputError):
    """A budget, a cap or a policy's dial cannot be met by the candidates; the message names the smallest change."""


class OutputError(InputError):
    """An output folder holds something that must not be replaced."""


class MissingExtraError(InputError):
    """An optional package is not installed; the message names the extra."""


class RegistryError(TriptychError):
    """A plug-in breaks the rules of the registry."""


class LawError(TriptychError):
    """An object breaks one of the laws of `triptych.testing`."""


def message(what: str, *, got: str | None = None, want: str | None = None, hint: str | None = None) -> str:
    """Lay out one error message: what and where on the first line, then got, want and what to try."""
    lines = [what]
    lines += [f"  {label}:  {text}" for label, text in (("got", got), ("want", want), ("try", hint)) if text]
    return "\n".join(lines)


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name closest to `name` in spelling, or None when nothing is near."""
    found = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return found[0] if found else None
