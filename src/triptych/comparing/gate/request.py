"""What a gate is asked: the data, the baseline, the rules, and what to measure with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from triptych.comparing.gate.rules import Rule, read_rules
from triptych.comparing.gate.saved import FEATURES, Saved, is_saved, open_saved
from triptych.core.errors import InputError, ReadError, SpecError, UsageError, message
from triptych.data import Dataset, open_dataset
from triptych.profiling.bench import Bench
from triptych.profiling.settings import Settings

Rules = str | Path | Sequence[Mapping[str, Any]]


@dataclass(frozen=True, eq=False)
class Source:
    """Where a set comes from: what was given, and the profile or the data set that was opened."""

    given: Any
    opened: Saved | Dataset

    @property
    def saved(self) -> Saved | None:
        """The saved profile, or None."""
        return self.opened if isinstance(self.opened, Saved) else None

    @property
    def dataset(self) -> Dataset | None:
        """The data set, opened or saved with its features; None of a profile alone."""
        return self.opened.dataset if isinstance(self.opened, Saved) else self.opened


@dataclass(frozen=True, eq=False)
class GateRequest:
    """The data, the baseline or None, the rules or None (the default ones), the settings."""

    data: Source
    baseline: Source | None
    rules: tuple[Rule, ...] | None
    settings: Settings

    @classmethod
    def of(cls, data: Any, baseline: Any, rules: Rules | None, given: Mapping[str, Any]) -> GateRequest:
        """Open what is asked for.

        Tokenizer and encoder are those of the saved profile unless they are named.

        Raises:
            InputError: data, baseline or rules cannot be read, or do not go together.
        """
        read = None if rules is None else read_rules(rules)
        if baseline is None and (read is None or any(rule.compares for rule in read)):
            which = "the default rules compare" if read is None else f"{_first(read)} compares"
            raise UsageError(
                message(f"{which} with a baseline, and there is none.", want="--baseline DIR, profile.json or data")
            )
        for name in ("measures", "by", "valid_only"):
            if given.get(name):
                raise UsageError(message("gate has no such setting.", got=name, want="rules that say what is measured"))
        if data == "-" == baseline:
            raise UsageError(message("data and baseline cannot both be standard input.", want="one of them as a file"))
        saved = [open_saved(source) if is_saved(source) else None for source in (data, baseline)]
        if saved[0] is not None and saved[0].dataset is None:
            want = f"a data set, or the folder of a saved profile with its {FEATURES}"
            raise ReadError(message(f"{data}: a profile alone holds no records to judge.", want=want))
        chosen = _settings(given, [one for one in reversed(saved) if one is not None])
        sources = [
            None if source is None else Source(source, one or _open(source, chosen, what))
            for source, one, what in zip((data, baseline), saved, ("data", "baseline"), strict=True)
        ]
        assert sources[0] is not None  # noqa: S101 - the data are always there
        return cls(sources[0], sources[1], read, chosen)


def _first(rules: Sequence[Rule]) -> str:
    return next(rule.place for rule in rules if rule.compares)


def _open(source: Any, settings: Settings, what: str) -> Dataset:
    try:
        return open_dataset(source, settings.reading())
    except InputError as error:
        if what == "data":
            raise
        raise type(error)(f"the baseline: {error}") from error


def _settings(given: Mapping[str, Any], saved: Sequence[Saved]) -> Settings:
    """The settings, with the instruments of the first saved profile where none are named."""
    chosen = {name: value for name, value in given.items() if value is not None or name not in ("encoder", "tokenizer")}
    if saved:
        tokenizer, _, encoder, _ = saved[0].instruments
        chosen = {"tokenizer": tokenizer, "encoder": encoder} | chosen
    return Settings.of(**chosen)


def check_instruments(saved: Saved, bench: Bench, *, embeds: bool) -> None:
    """A saved profile must have been measured with what is measured with now.

    Args:
        saved: the profile.
        bench: what to work with.
        embeds: whether any measure reads embeddings.

    Raises:
        SpecError: another tokenizer, or another encoder where it counts.
    """
    _, tokenizer, _, encoder = saved.instruments
    pairs = [("tokenizer", tokenizer, bench.instruments.tokenizer_identity)]
    pairs += [("encoder", encoder, bench.instruments.encoder_identity)] if embeds else []
    for kind, then, now in pairs:
        if then != now:
            what = f"{saved.folder}: it was measured with another {kind}."
            hint = f"--{kind} {then.partition('@')[0]}, or measure it again"
            raise SpecError(message(what, got=then or "none", want=now, hint=hint))
