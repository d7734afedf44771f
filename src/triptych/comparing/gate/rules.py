"""The rules of a gate: from TOML, a list of mappings, or the default ones.

strict = false                        # for all rules: what cannot be told fails
match = "records"                     # for all rules: how the two sets are matched

[[rule]]
name = "answers stay right"           # shown in results; else the measure
measure = "label_mean:field=correct"  # as for `triptych measure --measures`
floor = 0.8                           # and / or ceiling
no_worse_than_baseline = true         # within
margin = 0.02                         # the margin, or "5%" of the mean of both values
at_least_better = 0.01                # better than the baseline by at least so much, or "5%"
better = "higher"                     # needed where the measure itself has no better side
match = "length"                      # records, tokens, length, prompt, mix:FIELD, joined by "+", or raw
by = "task"                           # each value of the field must pass
minimum_n = 500                       # records that the measure reads; all records without a measure
strict = true

[[rule]]
against = "benchmark.jsonl"           # a benchmark or held-out set, from the working directory
ceiling = 0.0                         # the largest share of records that may hold its text
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

from triptych.comparing.matching import ALSO, MIX
from triptych.comparing.verdict import Margin
from triptych.core.errors import InputError, ReadError, SpecError, message, nearest
from triptych.core.measure import Measure
from triptych.core.registry import parse

_COMPARED = ("no_worse_than_baseline", "at_least_better")
LIMITS = ("floor", "ceiling", *_COMPARED, "minimum_n")
_TOP = ("rule", "strict", "match")
_HEADER = re.compile(r"^\s*\[\[\s*rule\s*\]\]", re.MULTILINE)


@dataclass(frozen=True)
class Rule:
    """One rule; see the module for what its keys mean.

    Attributes:
        place: where it stands, for messages.
    """

    name: str
    place: str
    measure: str | None = None
    floor: float | None = None
    ceiling: float | None = None
    no_worse_than_baseline: bool = False
    margin: Margin | None = None
    at_least_better: Margin | None = None
    better: Literal["higher", "lower"] | None = None
    match: str = "records"
    by: str | None = None
    minimum_n: int | None = None
    against: str | None = None
    strict: bool = False

    @property
    def compares(self) -> bool:
        """Whether it needs a baseline."""
        return self.no_worse_than_baseline or self.at_least_better is not None

    @property
    def beside(self) -> str | None:
        """The same matching without length, where it holds length equal; else None.

        At equal length a padded copy sets its short texts against long ones, and may look better for it; as a whole it
        does not. So what is better at equal length must be better without it too.
        """
        parts = self.match.split("+")
        return "+".join(part for part in parts if part != "length") or "records" if "length" in parts else None

    @property
    def limits(self) -> tuple[str, ...]:
        """The keys of the limits that it sets."""
        return tuple(key for key in LIMITS if _set(getattr(self, key)))

    @property
    def fields(self) -> tuple[str, ...]:
        """Fields of the rows that it reads."""
        mixes = [part.removeprefix(MIX) for part in self.match.split("+") if part.startswith(MIX)]
        return tuple(dict.fromkeys([*([self.by] if self.by else []), *(mixes if self.compares else [])]))


_KEYS = tuple(item.name for item in fields(Rule) if item.name != "place")


def read_rules(rules: str | Path | Sequence[Mapping[str, Any]]) -> tuple[Rule, ...]:
    """Rules from a TOML file, or from mappings with the same keys.

    Raises:
        ReadError: the file cannot be read, or is no TOML; the message names the line.
        SpecError: a rule is not right; the message names the line and the rule.
    """
    if not isinstance(rules, (str, Path)):
        return _rules({"rule": list(rules)}, "rules", [])
    path = Path(rules)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise ReadError(message(f"{path}: no rules can be read.", got=str(reason), want="a TOML file")) from error
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        place = f"{path}:{line[1]}" if line else str(path)
        raise ReadError(message(f"{place}: the rules are no TOML.", got=str(error), hint="[[rule]]")) from error
    lines = [text.count("\n", 0, found.end()) + 1 for found in _HEADER.finditer(text)]
    return _rules(document, str(path), lines)


def _rules(document: Mapping[str, Any], place: str, lines: list[int]) -> tuple[Rule, ...]:
    for key in document:
        if key not in _TOP:
            near = nearest(key, [*_TOP, *_KEYS])
            hint = f"{near} inside [[rule]]" if near in _KEYS and near not in _TOP else near and f"[[{near}]]"
            raise SpecError(message(f'{place}: "{key}" is no key of the rules.', want=", ".join(_TOP), hint=hint))
    entries = document.get("rule")
    if not isinstance(entries, list) or not entries:
        raise SpecError(message(f"{place}: there is no rule.", want="at least one [[rule]]", hint="[[rule]]"))
    common = {key: document[key] for key in ("strict", "match") if key in document}
    out = []
    for at, entry in enumerate(entries):
        where = f"{place}:{lines[at]}" if len(lines) == len(entries) else place
        out.append(_rule(entry, f"{where}: rule {at + 1}", common))
    return tuple(out)


def _rule(entry: Any, place: str, common: Mapping[str, Any]) -> Rule:
    if not isinstance(entry, Mapping):
        raise SpecError(message(f"{place} is no table.", got=str(entry), want="[[rule]] with keys"))
    named = entry.get("name", entry.get("measure"))
    place = f"{place} ({named})" if isinstance(named, str) else place
    for key in entry:
        if key not in _KEYS:
            near = nearest(str(key), _KEYS)
            raise SpecError(message(f'{place}: unknown key "{key}".', want=", ".join(_KEYS), hint=near))
    given = {**common, **entry}
    made = _typed(given, place)
    if not any(_set(made.get(key)) for key in LIMITS):
        raise SpecError(message(f"{place}: it has no limit.", want="one of " + ", ".join(LIMITS), hint="floor = 0.9"))
    fallback = f"no text of {made['against']}" if "against" in made else "records"
    rule = Rule(name=made.pop("name", None) or made.get("measure") or fallback, place=place, **made)
    _check(rule, entry)
    return rule


def _typed(given: Mapping[str, Any], place: str) -> dict[str, Any]:
    """The values by key, of the right kinds."""
    out: dict[str, Any] = {}
    for key, value in given.items():
        if key in {"name", "measure", "by", "match", "better", "against"}:
            good = isinstance(value, str) and bool(value.strip())
            out[key], want = value, "a text"
        elif key in {"strict", "no_worse_than_baseline"}:
            good = isinstance(value, bool)
            out[key], want = value, "true or false"
        elif key == "minimum_n":
            good = isinstance(value, int) and not isinstance(value, bool) and value > 0
            out[key], want = value, "a number of records"
        elif key in {"margin", "at_least_better"}:
            out[key], want = _margin(value, zero=key == "margin"), 'a positive number, or a share as in "5%"'
            good = out[key] is not None
        else:
            good = _number(value)
            out[key], want = float(value) if good else None, "a number"
        if not good:
            raise SpecError(message(f"{place}: {key} is not right.", got=repr(value), want=want))
    if out.get("better") not in (None, "higher", "lower"):
        raise SpecError(message(f"{place}: better is not right.", got=out["better"], want='"higher" or "lower"'))
    return out


def _set(value: Any) -> bool:
    """Whether a limit is there: a floor of 0 is one."""
    return value is not None and value is not False


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _margin(value: Any, *, zero: bool) -> Margin | None:
    relative = isinstance(value, str) and value.strip().endswith("%")
    if relative:
        try:
            value = float(value.strip().removesuffix("%")) / 100
        except ValueError:
            return None
    if not _number(value) or value < 0 or (value == 0 and not zero):
        return None
    return Margin(float(value), relative=relative)


def _check(rule: Rule, given: Mapping[str, Any]) -> None:
    """Keys that do not go together, a measure that is not there, a floor above the range."""
    for part in rule.match.split("+"):
        if part not in ALSO and rule.match != "raw" and not (part.startswith(MIX) and part != MIX):
            want = ", ".join([*ALSO, f"{MIX}FIELD", "raw"])
            near = nearest(part, [*ALSO, "raw"])
            raise SpecError(message(f'{rule.place}: "{part}" is no way to match.', want=want, hint=near))
    for key, needs in (("margin", ("no_worse_than_baseline",)), ("better", _COMPARED), ("match", _COMPARED)):
        if key in given and not any(getattr(rule, need) for need in needs):
            want = " or ".join(needs)
            raise SpecError(message(f"{rule.place}: {key} has no effect here.", want=f"{key} beside {want}"))
    if rule.floor is not None and rule.ceiling is not None and rule.floor > rule.ceiling:
        raise SpecError(
            message(f"{rule.place}: the floor is above the ceiling.", got=f"{rule.floor:g}, {rule.ceiling:g}")
        )
    if rule.against is not None:
        _check_against(rule, given)
        return
    if rule.measure is None:
        wanting = [key for key in LIMITS if key != "minimum_n" and _set(given.get(key))]
        if wanting:
            raise SpecError(message(f"{rule.place}: no measure is named.", got=wanting[0], want='measure = "NAME"'))
        return
    measure = _measure(rule)
    low, high = measure.about.bounds
    for key in ("floor", "ceiling"):
        limit = getattr(rule, key)
        if limit is not None and not low <= limit <= high:
            unit = f"{measure.about.unit}, from {low:g} to {high:g}"
            hint = f"{key} = {limit / 100:g}" if high == 1 and 1 < limit <= 100 else None
            raise SpecError(
                message(f"{rule.place}: the {key} is out of range.", got=f"{limit:g}", want=unit, hint=hint)
            )
    if rule.compares and measure.about.better == "neither" and rule.better is None:
        what = f"{rule.place}: {measure.about.name} has no better side."
        raise SpecError(message(what, want='better = "higher" or better = "lower"'))


def _check_against(rule: Rule, given: Mapping[str, Any]) -> None:
    """A rule against a benchmark has a ceiling, and nothing else."""
    for key in given:
        if key not in {"name", "against", "ceiling", "strict"}:
            want = "against, ceiling, name, strict"
            raise SpecError(message(f"{rule.place}: {key} has no effect beside against.", want=want))
    if rule.ceiling is None or not 0 <= rule.ceiling <= 1:
        got = "none" if rule.ceiling is None else f"{rule.ceiling:g}"
        want = "the largest share of records that may hold text of it, 0 to 1"
        raise SpecError(message(f"{rule.place}: the ceiling is not right.", got=got, want=want, hint="ceiling = 0.0"))


def _measure(rule: Rule) -> Measure:
    try:
        found = parse([str(rule.measure)])
    except InputError as error:
        raise SpecError(f"{rule.place}: {error}") from error
    if len(found) > 1:
        raise SpecError(message(f"{rule.place}: one measure is wanted.", got=rule.measure, hint="a rule for each"))
    return found[0]
