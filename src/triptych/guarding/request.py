"""What a guard is asked: which fields say what, how diversity is read, how often it may be wrong."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from triptych.core.errors import ReadError, UsageError, message
from triptych.guarding.states import JudgeOptions
from triptych.profiling.settings import Settings

ALARM_RATE = 0.05
"""Share of healthy loops that may be called wrongly, over their whole length, unless the user says otherwise."""

LEAST_AT = 32
"""Fewer records than the groups of the jackknife give no error, and so no verdict."""


@dataclass(frozen=True)
class GuardOptions:
    """Options of `guard`, as on the command line.

    Attributes:
        quality: field that is read as quality; None: the label-like one that is detected.
        verified: field that says what the verifier passed, right: field that says what is right in truth, structure:
            field that names what kind of task a record is, complexity: field that counts its depth. None: detected.
        at: valid records at which diversity is read in every round; None: as many as the smallest round gives.
        alarm_rate: share of healthy loops that may be called wrongly, over their whole length.
        window: so many values of `by` in a row (steps of a trainer) make one round.
        decode: a `tokenizer.json`, or a folder with one, for rows that hold token numbers instead of text.
        settings: how the rounds are read: map, group_by, by, on_bad, limit, encoder, tokenizer, cache, workers.
    """

    quality: str | None = None
    verified: str | None = None
    right: str | None = None
    structure: str | None = None
    complexity: str | None = None
    at: int | None = None
    alarm_rate: float = ALARM_RATE
    window: int = 1
    decode: str | None = None
    settings: Settings = field(default_factory=Settings)

    @classmethod
    def of(cls, **given: Any) -> GuardOptions:
        """Options from keywords: those above, and those of `measure`, with a hint for a name that is nearly right.

        Raises:
            UsageError: an unknown name or a value out of range.
        """
        mine = Settings.beside("guard", cls, given, NOT_HERE)
        for name, why in NOT_HERE.items():
            if given.get(name):
                raise UsageError(message("guard has no such setting.", got=name, want=why))
        mine = {name: value for name, value in mine.items() if value is not None}
        if "decode" in mine:
            mine["decode"] = str(mine["decode"])
        made = cls(**mine, settings=Settings.of(**{"command": "triptych.guard", **given}))
        made._check()
        return made

    def _check(self) -> None:
        if not 0 < self.alarm_rate < 1:
            got = str(self.alarm_rate)
            raise UsageError(message("the alarm rate is a share.", got=got, want="--alarm-rate A, 0 < A < 1"))
        if self.at is not None and self.at < LEAST_AT:
            raise UsageError(message("too few records for an error.", got=f"at {self.at}", want=f"at least {LEAST_AT}"))
        if self.window < 1:
            raise UsageError(message("a round is at least one step.", got=str(self.window), want="--window N, N >= 1"))
        if self.window > 1 and self.settings.by is None:
            what = "there is nothing to count a window in."
            raise UsageError(message(what, got=f"--window {self.window}", want="--by FIELD with it", hint="--by step"))
        if self.decode is not None and self.settings.by is None:
            what = "rows of token numbers are one stream; a field must say their round."
            raise UsageError(message(what, got=f"--decode {self.decode}", want="--by FIELD with it", hint="--by step"))

    @property
    def named(self) -> Mapping[str, str]:
        """The fields that the user named, by what they say."""
        names = ("quality", "verified", "right", "structure", "complexity")
        return {name: getattr(self, name) for name in names if getattr(self, name) is not None}

    @property
    def judging(self) -> JudgeOptions:
        """What the rule is set to."""
        return JudgeOptions(alarm_rate=self.alarm_rate)


NOT_HERE = {
    "measures": "the measures that a guard reads; `triptych measure` reads others",
    "valid_only": "every round, with what is not valid counted",
}
"""Settings of `measure` that a guard has not, with what stands in their place."""


@dataclass(frozen=True, eq=False)
class GuardRequest:
    """The rounds as given, the real data or None, the file of scores or None, the options; and whether a watch wrote the
    rounds, so that they are read one after the other as it read them.
    """

    rounds: tuple[Any, ...]
    anchor: Any
    panel: Path | None
    options: GuardOptions
    watched: bool = False

    @property
    def anchor_name(self) -> str | None:
        """The name of the real data, free of paths; None: there are none."""
        if self.anchor is None:
            return None
        return Path(self.anchor).name if isinstance(self.anchor, (str, Path)) else "records in memory"

    @classmethod
    def of(cls, rounds: Sequence[Any], anchor: Any, panel: Any, given: Mapping[str, Any]) -> GuardRequest:
        """Put together what is asked. The folder of a watch brings what the watch was made with.

        Raises:
            InputError: no round, unknown settings, or the settings of a watch that cannot be read.
        """
        if not rounds:
            raise UsageError(
                message("no round is given.", want="a file or a folder for each round, or one folder of them")
            )
        asked = {name: value for name, value in given.items() if value not in (None, {})}
        kept = kept_settings(Path(rounds[0])) if len(rounds) == 1 and isinstance(rounds[0], (str, Path)) else None
        if kept is not None:
            anchor = anchor if anchor is not None else kept.pop("anchor", None)
            plain = {item.name: item.default for item in (*fields(GuardOptions), *fields(Settings))}
            asked = {**kept, **{name: value for name, value in asked.items() if value != plain.get(name)}}
            asked.pop("anchor", None)
        return cls(
            tuple(rounds), anchor, None if panel is None else Path(panel), GuardOptions.of(**asked), kept is not None
        )


def kept_settings(folder: Path) -> dict[str, Any] | None:
    """What the watch of a folder was made with, and its `anchor`; None: it is no watch's folder.

    Raises:
        ReadError: the file is damaged, or is of another schema.
    """
    path = folder / WATCH
    if not path.is_file():
        return None
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["schema"] != WATCH_SCHEMA:
            raise ReadError(message(f"{path}: not a watch.", got=str(document["schema"]), want=WATCH_SCHEMA))
        anchor = document["anchor"]
        return {**document["settings"], **({"anchor": path.parent / anchor} if anchor is not None else {})}
    except (OSError, ValueError, KeyError, TypeError) as error:
        hint = "remove the file; the rounds stay"
        raise ReadError(
            message(f"{path}: the settings of the watch cannot be read.", got=str(error), hint=hint)
        ) from error


WATCH = Path(".guard") / "watch.json"
"""What a watch was made with, inside its folder."""

WATCH_SCHEMA = "triptych/watch@1"
