"""A watch over anybody's loop, in two lines.

    watch = triptych.Watch("guard/", anchor="real.jsonl")
    verdict = watch.add(records, selected=trained_on, scores={"id": 0.7, "ood": 0.3})     # each round

Every round is written into its folder whole or not at all, as `triptych guard guard/` reads it, with the verdict of the
newest in `guard.json` beside them. A watch that is made again goes on where the last one stopped.
"""

from __future__ import annotations

import logging
import math
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, final

import orjson

from triptych.core.errors import OutputError, ReadError, UsageError, message
from triptych.core.places import default_cache
from triptych.core.profile import write_json
from triptych.data.options import ReadOptions
from triptych.data.sources import locate
from triptych.data.values import excerpt
from triptych.engines.cache import ColumnCache
from triptych.engines.catalog import Instruments
from triptych.engines.local import LocalEngine
from triptych.engines.progress import Progress
from triptych.guarding.document import document
from triptych.guarding.judge import Verdict, judge
from triptych.guarding.ledger import Entry, Ledger
from triptych.guarding.panel import round_scores
from triptych.guarding.read import LedgerReader
from triptych.guarding.request import WATCH, WATCH_SCHEMA, GuardOptions, GuardRequest
from triptych.guarding.rounds import GENERATED, SCORES, SELECTED, RoundSource, find_rounds
from triptych.guarding.trackers import AUTO, VERDICTS, Trackers
from triptych.profiling.bench import Bench
from triptych.profiling.settings import Settings

OWN = WATCH.parent
"""Folder inside a watch's own: what it was made with, real data that were passed, rounds that were rolled back."""

ANCHOR = "anchor.jsonl"
DOCUMENT = "guard.json"
STATES = ("healthy", "quality_control", "stalled", "collapsing")
"""A state as a number is its place here: the higher the worse."""

_LOG = logging.getLogger("triptych.guard")


@final
class Watch:
    """Writes the rounds of a loop and judges them as they come.

    Attributes:
        folder: where the rounds are written.
        strict: whether what goes wrong with a round is raised; else it is logged, and the training goes on.
        verdict: of the last round; None before the first.
        document: of `guard.json`, newest; None before the first round.
    """

    def __init__(
        self, folder: str | Path, *, anchor: Any = None, log_to: Any = AUTO, strict: bool = False, **settings: Any
    ) -> None:
        """Watch a loop. Nothing is written before the first round.

        Args:
            folder: a new one, or that of an earlier watch, whose settings hold where none are given.
            anchor: real data to compare every round with: a path, rows, a table.
            log_to: "auto", nothing, names or objects: see `triptych.guarding.trackers`.
            strict: raise what goes wrong in `add`.
            settings: as for `triptych.guard`; `workers` is 1 unless it is given, beside a training.

        Raises:
            InputError: settings that are not right, or a folder that holds something else.
        """
        self.folder, self.strict = Path(folder), strict
        self._given = {name: value for name, value in settings.items() if value is not None}
        self._request = GuardRequest.of(
            (self.folder,), anchor, None, {"workers": 1, "command": "triptych.Watch", **settings}
        )
        self._trackers = Trackers(log_to)
        self._reader: LedgerReader | None = None
        self._entries: list[Entry] = []
        self._bench: Bench | None = None
        self._temporary: Any = None
        self.verdict: Verdict | None = None
        self.document: dict[str, Any] | None = None
        if self._request.options.settings.by is not None:
            want = "one call of add a round; triptych guard --by FIELD for files"
            raise UsageError(message("a watch is told its rounds.", got="by", want=want))
        _check_folder(self.folder)

    @property
    def options(self) -> GuardOptions:
        """What the rounds are read and judged with."""
        return self._request.options

    @property
    def rounds(self) -> tuple[RoundSource, ...]:
        """The rounds that are written."""
        return find_rounds((self.folder,)) if _folders(self.folder) else ()

    @property
    def numbers(self) -> dict[str, float]:
        """The last round's numbers by name, as they go to trackers: guard/diversity, guard/scores/ood, guard/verdict .."""
        if self.document is None or self.verdict is None:
            return {}
        found = {"guard/verdict": float(VERDICTS.index(self.verdict.verdict))}
        found["guard/state"] = float(STATES.index(self.verdict.state))
        found["guard/round"] = float(self.verdict.round)
        last = self.document["rounds"][-1]
        for prefix, part in (("", last), *((f"{name}/", last[name]) for name in ("selected", "splits", "scores"))):
            for name, reading in part.items():
                if isinstance(reading, Mapping) and reading.get("value") is not None:
                    found[f"guard/{prefix}{name}"] = float(reading["value"])
        return found

    def log_to(self, where: Any) -> None:
        """Log to other trackers from now on; see `triptych.guarding.trackers`."""
        self._trackers = Trackers(where)

    def add(
        self, records: Any, *, selected: Any = None, scores: Mapping[str, Any] | None = None, number: int | None = None
    ) -> Verdict:
        """Write a round and judge the loop up to it.

        Args:
            records: what was generated: rows, a table, a data set, or the path of a file.
            selected: what of it is trained on, likewise; None: not known.
            scores: panel (or `panel@k`) to its score, a number or {"score", "n", "lo", "hi"}.
            number: of the round; None: the next one.

        Returns:
            The verdict. Where something failed and the watch is not strict, the last verdict stands, its first reason says
            what failed, and so does the log.

        Raises:
            TriptychError, OSError: only of a strict watch.
        """
        try:
            at = self._next(number)
            self._write(at, records, selected, scores)
            self.verdict = self._judged(at)
        except Exception as error:
            if self.strict:
                raise
            return self._failed(number, error)
        words = {"guard/words": f"{self.verdict.verdict}, {self.verdict.state}: " + "; ".join(self.verdict.reasons)}
        self._trackers.log(self.numbers, words, self.verdict.round)
        return self.verdict

    def roll_back(self, number: int) -> None:
        """Take back the rounds after this one, to go on from it. They are kept, out of sight, in `.guard`."""
        later = [path for at, path in _folders(self.folder).items() if at > number]
        if later:
            self._move(later, f"after_{number:03d}_")
            self.verdict = self.document = None

    def _next(self, number: int | None) -> int:
        """The number of a round to come.

        Raises:
            UsageError: it, or a later one, is there already.
        """
        last = max(_folders(self.folder), default=-1)
        if number is not None and number <= last:
            hint = f"watch.roll_back({number - 1}) before it, to go on from there"
            raise UsageError(
                message(f"round {last} is there already.", got=f"round {number}", want="a later one", hint=hint)
            )
        return last + 1 if number is None else number

    def _move(self, paths: Sequence[Path], prefix: str) -> None:
        """Move rounds out of sight, into a folder of their own, and read what is left anew."""
        away = Path(tempfile.mkdtemp(dir=_made(self.folder / OWN), prefix=prefix))
        for path in paths:
            path.replace(away / path.name)
        self._reader, self._entries = None, []

    def _write(self, number: int, records: Any, selected: Any, scores: Mapping[str, Any] | None) -> None:
        """The round's folder, under a temporary name until it is whole."""
        _made(self.folder)
        part = Path(tempfile.mkdtemp(dir=self.folder, prefix=f".round_{number:03d}.", suffix=".part"))
        try:
            _write_rows(part / f"{GENERATED}.jsonl", records)
            if selected is not None:
                _write_rows(part / f"{SELECTED}.jsonl", selected)
            if scores is not None:
                told = {"scores": _plain(scores)}
                round_scores(told)
                write_json(part / SCORES, told)
            part.chmod(0o755)
            part.replace(self.folder / f"round_{number:03d}")
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise

    def _judged(self, number: int) -> Verdict:
        """Read what has not been read yet, judge all of it, and write `guard.json`. A round that cannot be read is set
        aside, so that it does not stand in the way of those to come.
        """
        started = time.perf_counter()
        if self._bench is None:
            self._bench, self._temporary = _bench(self._request.options.settings)
        try:
            with self._bench.engine:  # outside of it the training has its threads back
                ledger = self._ledger(self._bench)
        except Exception:
            self._move([self.folder / f"round_{number:03d}"], f"unread_{number:03d}_")
            raise
        verdicts = judge(ledger, self._request.options.judging)
        found = document(ledger, verdicts, self._request)
        found["provenance"] = self._bench.provenance(time.perf_counter() - started)
        write_json(self.folder / DOCUMENT, found)
        self.document = found
        return verdicts[-1]

    def _ledger(self, bench: Bench) -> Ledger:
        """The ledger of all rounds; those that this watch has read before are not read again."""
        sources = self.rounds
        read = {entry.round for entry in self._entries}
        if self._reader is None:
            self._keep_settings()
            self._reader = LedgerReader(self._request.anchor, self._request.options.at, self._request.options, bench)
        for source in sources:
            if source.round not in read:
                self._entries.append(self._reader.read(source))
        return replace(self._reader.ledger(self._entries), entries=tuple(self._entries))

    def _keep_settings(self) -> None:
        """Write down what the watch was made with, so that `triptych guard` on the folder reads the rounds alike."""
        anchor = self._request.anchor
        if anchor is not None and not isinstance(anchor, (str, Path)):
            _write_rows(_made(self.folder / OWN) / ANCHOR, anchor)
            self._request = replace(self._request, anchor=self.folder / OWN / ANCHOR)
            anchor = ANCHOR
        elif anchor is not None:
            anchor = str(Path(anchor).resolve())
        kept = {name: value for name, value in self._given.items() if name not in _NOT_KEPT}
        write_json(self.folder / WATCH, {"schema": WATCH_SCHEMA, "settings": kept, "anchor": anchor})

    def _failed(self, number: int | None, error: Exception) -> Verdict:
        """What stands when a round could not be written or read."""
        number = number if number is not None else max(_folders(self.folder), default=-1) + 1
        what = f"round {number} could not be judged: {type(error).__name__}: {str(error).splitlines()[0]}"
        _LOG.warning("guard: %s", what)
        last = self.verdict
        if last is None:
            return Verdict(number, "healthy", "continue", reasons=(what, "nothing is known of the loop yet"))
        return Verdict(
            number,
            last.state,
            last.verdict,
            last.since,
            (what, f"the verdict of round {last.round} stands", *last.reasons),
            last.suggest,
        )


_NOT_KEPT = ("workers", "cache", "command")


def _bench(settings: Settings) -> tuple[Bench, Any]:
    """A bench that lives as long as the watch, its engine asleep; and its temporary folder, where no cache is kept."""
    temporary = tempfile.TemporaryDirectory(prefix="triptych-") if settings.cache is False else None
    root = Path(temporary.name) if temporary else Path(settings.cache or default_cache())
    instruments = Instruments.named(settings.tokenizer, settings.encoder)
    return Bench(settings, instruments, ColumnCache(root), LocalEngine(settings.workers), Progress()), temporary


def _folders(folder: Path) -> dict[int, Path]:
    """The rounds' folders by number."""
    if not folder.is_dir():
        return {}
    found = [path for path in folder.iterdir() if path.is_dir() and path.name.startswith("round_")]
    return {int(path.name[6:]): path for path in sorted(found) if path.name[6:].isdecimal()}


def _check_folder(folder: Path) -> None:
    """Raises OutputError for a file, or a folder that holds something else than rounds."""
    if folder.exists() and not folder.is_dir():
        raise OutputError(message(f"{folder}: this is a file.", want="a folder for the rounds"))
    if not folder.is_dir() or _folders(folder) or (folder / WATCH).exists():
        return
    held = sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
    if held:
        got = ", ".join(held[:5]) + (" .." if len(held) > 5 else "")
        raise OutputError(message(f"{folder}: the folder holds something else.", got=got, want="a new or empty folder"))


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _write_rows(path: Path, records: Any) -> None:
    """Rows of whatever a data set can be opened from, as JSON lines.

    Raises:
        ReadError: it cannot be read, or holds something that is no row.
    """
    option = orjson.OPT_APPEND_NEWLINE | orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS
    with path.open("wb") as out:
        for item in locate(records, ReadOptions()).items:
            for line, value in item.rows():
                row = {"text": value} if isinstance(value, str) else value
                if not isinstance(row, Mapping):
                    want = "an object with named fields, or a text"
                    raise ReadError(message(f"{item.place(line)}: this is no row.", got=excerpt(value), want=want))
                out.write(orjson.dumps(dict(row), default=str, option=option))


def _plain(scores: Mapping[str, Any]) -> dict[str, Any]:
    """Scores as strict JSON values; one that is no number is null, never 0."""

    def number(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {str(name): number(inner) for name, inner in value.items()}
        if value is None or isinstance(value, str):
            return value
        found = float(value)
        return found if math.isfinite(found) else None

    return {str(name): number(value) for name, value in scores.items()}
