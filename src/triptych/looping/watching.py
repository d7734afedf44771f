"""The guard inside a loop: it reads every round as it ends, from the round's own files, and gives its verdict."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from triptych.guarding.document import readings, verdict_json
from triptych.guarding.judge import judge
from triptych.guarding.ledger import Entry
from triptych.guarding.read import LedgerReader
from triptych.guarding.request import GuardOptions
from triptych.guarding.rounds import RoundSource
from triptych.looping.folder import RoundFolder
from triptych.looping.setting import Setting
from triptych.profiling.bench import Bench


@dataclass(frozen=True)
class Seen:
    """A round as the guard saw it.

    Attributes:
        entry: its line of the ledger.
        verdict: state, verdict, reasons, suggestions as JSON values; None: the guard is off.
    """

    entry: Entry
    verdict: dict[str, Any] | None

    def ledger(self) -> dict[str, Any]:
        """The readings as in `guard.json`."""
        entry = self.entry
        return {
            "n": entry.records,
            "valid": entry.valid,
            **readings(entry.generated),
            "selected": readings(entry.selected) if entry.selected else {},
            "splits": {name: reading.to_json() for name, reading in entry.splits.items()},
        }


@dataclass
class Watching:
    """Reads rounds, one after the other."""

    reader: LedgerReader
    options: GuardOptions
    on: bool
    entries: list[Entry] = field(default_factory=list)

    @classmethod
    def of(cls, setting: Setting, bench: Bench) -> Watching:
        """The guard of a loop."""
        config = setting.config
        options = GuardOptions(at=config.at, settings=bench.settings)
        rows = [record.to_json() for record in setting.anchor]
        shared = setting.prompts is not None
        return cls(LedgerReader(rows, config.at, options, bench, shared), options, config.guard != "off")

    def see(self, folder: RoundFolder, *, selected: bool) -> Seen:
        """Read the files of a round that is over; rounds come in their order."""
        chosen = folder.selected if selected else None
        source = RoundSource(folder.number, folder.path.name, folder.generated, chosen, folder.scores)
        entry = self.reader.read(source, None)
        self.entries.append(entry)
        if not self.on:
            return Seen(entry, None)
        verdict = judge(self.reader.ledger(self.entries), self.options.judging)[-1]
        return Seen(entry, verdict_json(verdict))
