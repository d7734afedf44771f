"""Rounds to a ledger: all of them at once, or one after the other while a loop runs.

What must be the same in all rounds is settled first: whether prompts are shared, what a structure is, and at how many valid
records diversity is read. `read_ledger` settles it on all rounds, `LedgerReader` on its first one.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from triptych.core.errors import SchemaError, UsageError, message
from triptych.core.sorting import different
from triptych.data import open_dataset
from triptych.guarding.archive import Archive
from triptych.guarding.counting import Table, rarer_half
from triptych.guarding.ledger import Entry, Ledger, Reading
from triptych.guarding.panel import PanelScores, round_scores
from triptych.guarding.prepared import Prepared, Scheme, equip, prepare
from triptych.guarding.reading import ANCHOR_MOST, Anchor, SetReader, answered_often, structures, vectors_of
from triptych.guarding.request import GuardOptions
from triptych.guarding.rounds import RoundSource
from triptych.guarding.splits import splits, verified_gap, verifier_errors
from triptych.profiling.bench import Bench

AT_MOST = 4000
"""More records than these make a round's reading slow and hardly surer."""

FAR_FEWER = 8
"""A round with fewer valid records than this part of the median is not what all others are read down to."""

_HALF = 0.5

Scores = PanelScores | Mapping[str, Any] | None


def read_ledger(
    sources: Sequence[RoundSource],
    anchor: Any,
    options: GuardOptions,
    bench: Bench,
    scores: Mapping[int, PanelScores] | None = None,
) -> Ledger:
    """Read all rounds.

    Args:
        sources: the rounds, ascending.
        anchor: real data as `triptych.open_dataset` takes them; None without.
        options: which fields say what, and at how many records diversity is read.
        bench: what to work with.
        scores: of panels, by round; they go before those of a round's `scores.json`.

    Raises:
        InputError: a round, the anchor or a file of scores cannot be read; the message names it.
        UsageError: no round is given.
    """
    if not sources:
        raise UsageError(message("no round is given.", want="a file or a folder for each round"))
    if anchor is not None:
        _opened(anchor, _called(anchor), bench)  # a wrong name is told before hours of work
    generated = [prepare(source.generated, source.name, options, bench) for source in sources]
    answered = any(made.dataset.layout.has_response for made in generated)
    generated = [
        made
        if made.dataset.layout.has_response or not answered
        else prepare(source.generated, source.name, options, bench, answered=True)
        for source, made in zip(sources, generated, strict=True)
    ]
    chosen = [_selected(source, options, bench, answered=answered) for source in sources]
    shared = shares_prompts(generated)
    scheme = settle(generated[0], options, shared=shared)
    notes = [note for source in sources for note in source.notes]
    at, said = common_number([int(one.valid.sum()) for one in generated], options.at, "valid")
    notes += said
    course = _Course(scheme, at, options, bench, notes=notes)
    known = [int(one.valid.sum()) for one in chosen if one is not None]
    if known:
        course.at_selected = min(at, common_number(known, None, "valid selected")[0])
        if course.at_selected < at:
            notes.append(f"What was selected is read at {course.at_selected:,} valid records.")
    course.begin(anchor)
    entries = []
    for source, made, taken in zip(sources, generated, chosen, strict=True):
        panel = (scores or {}).get(source.round)
        told = panel if panel is not None else _scores(source, None)
        entries.append(course.entry(source, equip(made, scheme, bench), taken and equip(taken, scheme, bench), told))
    for number in sorted(set(scores or {}) - {source.round for source in sources}):
        notes.append(f"Scores of round {number} belong to no round that was given.")
    return Ledger(tuple(entries), at, shared, scheme.sentence, tuple(dict.fromkeys(notes)))


class LedgerReader:
    """Reads a loop's rounds one after the other, as they come.

    The first round settles how all of them are read.

    Attributes:
        notes: what a reader should know, one sentence each.
    """

    def __init__(
        self, anchor: Any, at: int | None, options: GuardOptions, bench: Bench, shared: bool | None = None
    ) -> None:
        """What all rounds are read with.

        Args:
            anchor: real data as `triptych.open_dataset` takes them; None without.
            at: valid records at which diversity is read; None: half of those of the first round.
            options: which fields say what.
            bench: what to work with; it must stay open.
            shared: whether rounds share their prompts; None: when most prompts of the first round are answered several
                times, or stand in the anchor.
        """
        self.notes: list[str] = []
        self._given = (anchor, at, shared)
        self._options, self._bench = options, bench
        self._course: _Course | None = None

    @property
    def at(self) -> int:
        """Valid records at which diversity is read; 0 before the first round."""
        return 0 if self._course is None else self._course.at

    def read(self, source: RoundSource, scores: Scores = None) -> Entry:
        """The next round's line of the ledger.

        Args:
            source: the round.
            scores: of its panels, as in `scores.json`; None: those of the source, if it has any.

        Raises:
            InputError: the round cannot be read; the message names it.
        """
        course = self._course
        scheme, answered = (None, False) if course is None else (course.scheme, course.scheme.on != "prompt")
        made = prepare(source.generated, source.name, self._options, self._bench, scheme, answered=answered)
        if course is None:
            course = self._settled(made)
            made = equip(made, course.scheme, self._bench)
            if made.valid.any():  # a round without a valid record settles nothing for those to come
                self._course = course
        self.notes += source.notes
        answered = made.dataset.layout.has_response
        taken = _selected(source, self._options, self._bench, course.scheme, answered=answered)
        if taken is not None and not course.at_selected:
            course.at_selected = min(course.at, int(taken.valid.sum()))
        return course.entry(source, made, taken, _scores(source, scores))

    def ledger(self, entries: Sequence[Entry]) -> Ledger:
        """The ledger of what was read."""
        course = self._course
        if course is None:
            return Ledger((), 0, shared_prompts=False, structure="", notes=tuple(self.notes))
        notes = tuple(dict.fromkeys(self.notes))
        return Ledger(tuple(entries), course.at, course.scheme.shared, course.scheme.sentence, notes)

    def _settled(self, first: Prepared) -> _Course:
        anchor, at, shared = self._given
        if shared is None:
            shared = answered_often(first)
        if at is None:
            at = max(min(int(first.valid.sum()) // 2, AT_MOST), 1)
        scheme = settle(first, self._options, shared=shared)
        course = _Course(scheme, at, self._options, self._bench, notes=self.notes)
        course.begin(anchor)
        return course


@dataclass
class _Course:
    """What is carried from round to round."""

    scheme: Scheme
    at: int
    options: GuardOptions
    bench: Bench
    notes: list[str]
    at_selected: int = 0
    archive: Archive = field(init=False)
    anchor: Anchor = field(default_factory=Anchor)
    first: Mapping[str, Reading] | None = None
    named: Mapping[str, str] | None = None

    def __post_init__(self) -> None:
        self.archive = Archive.empty(self.at)

    def begin(self, anchor: Any) -> None:
        """Read the anchor, if there is one."""
        if anchor is None:
            self.anchor = Anchor(whose="there is no anchor, and no earlier round")
            return
        name = _called(anchor)
        made = _anchor(anchor, name, self.options, self.bench, self.scheme)
        rows = made.sample(ANCHOR_MOST, made.valid)
        if not len(rows):
            self.notes.append(f"The anchor {name} has no valid record, so nothing is compared with it.")
            self.anchor = Anchor(whose="the anchor has no valid record")
            return
        table = Table.of(structures(made, self.scheme)[made.valid], made.keys.group[made.valid])
        rare = rarer_half(table)
        if rare is None:
            self.notes.append(f"The anchor {name} has no structures to tell a tail by: the first round's are taken.")
        self.anchor = Anchor(
            vectors_of(made, self.scheme, rows), rare, "the anchor has no tail, and there is no earlier round"
        )

    def entry(self, source: RoundSource, made: Prepared, taken: Prepared | None, panel: PanelScores) -> Entry:
        """The line of a round; the archive takes it in."""
        for one in (made, taken):
            if one is not None:
                self._note(source, one)
        reader = SetReader.of(made, self.scheme, self.at, self.archive, self.anchor)
        generated = reader.readings()
        errors = verifier_errors(generated)
        selected = self._chosen(source, taken)
        derived = splits(generated, selected, self.first, verified_gap(made), panel.scores)
        self.archive = reader.archived(source.round)
        if self.first is None and made.valid.any():
            self.first = generated
            if self.anchor.rare is None:
                self.anchor = replace(
                    self.anchor, rare=rarer_half(reader.valid), whose="the first round has one structure"
                )
        return Entry(
            round=source.round,
            name=source.name,
            records=len(made),
            valid=int(made.valid.sum()),
            generated=generated,
            selected=selected,
            splits={**errors, **derived},
            scores=panel.scores,
            kinds=panel.kinds,
        )

    def _chosen(self, source: RoundSource, taken: Prepared | None) -> dict[str, Reading]:
        """Readings of what was selected; empty where that is not known."""
        if taken is None:
            if source.selected is not None:
                self.notes.append(f"Round {source.round}: nothing was selected.")
            return {}
        reader = SetReader.of(taken, self.scheme, max(self.at_selected, 1), self.archive, self.anchor)
        found = reader.readings()
        verifier_errors(found)
        return found

    def _note(self, source: RoundSource, made: Prepared) -> None:
        """What is odd about a set of a round."""
        summary = made.dataset.summary
        if summary is not None and summary.skipped_total:
            self.notes.append(f"{made.name}: {summary.skipped_total:,} rows could not be read and were left out.")
        if self.named is None:
            self.named = made.named
            if made.named:
                told = ", ".join(f"{role} from {name}" for role, name in sorted(made.named.items()))
                self.notes.append(f"Read from fields: {told}.")
        elif made.named != self.named:
            told = ", ".join(f"{role} from {name}" for role, name in sorted(made.named.items())) or "none"
            self.notes.append(f"{made.name} is read from other fields than the first round: {told}.")
        if not made.valid.any():
            self.notes.append(f"Round {source.round}: no record of {made.name} is valid.")
        own = made.dataset.layout.structure_field
        if self.scheme.by_field is None and own is not None:
            what = f"The field {own} says what a prompt asks, and rounds share their prompts"
            self.notes.append(f"{what}: structures are {self.scheme.sentence.replace('template', 'templates')}.")
        if self.scheme.by_field is not None and made.dataset.layout.structure_field is None:
            self.notes.append(f"{made.name} has no field {self.scheme.by_field}, so its structures are not read.")


def _anchor(anchor: Any, name: str, options: GuardOptions, bench: Bench, scheme: Scheme) -> Prepared:
    """The anchor; what the user named are fields of the rounds, which it need not have.

    Raises:
        InputError: it cannot be read.
    """
    known, bench = _opened(anchor, name, bench)
    absent: dict[str, Any] = {role: None for role, field_name in options.named.items() if field_name not in known}
    return prepare(anchor, name, replace(options, **absent), bench, scheme)


def _called(anchor: Any) -> str:
    """What the anchor is called in notes."""
    return Path(anchor).name if isinstance(anchor, (str, os.PathLike)) else "anchor"


def _opened(anchor: Any, name: str, bench: Bench) -> tuple[Collection[str], Bench]:
    """Fields of the anchor, and what to read it with: without roles that were mapped, where it has no such fields.

    Raises:
        InputError: it cannot be read.
    """
    try:
        return open_dataset(anchor, bench.settings.reading(), name).layout.known, bench
    except SchemaError:
        bench = replace(bench, settings=replace(bench.settings, map={}, group_by=None))
        return open_dataset(anchor, bench.settings.reading(), name).layout.known, bench


def common_number(valid: Sequence[int], named: int | None, what: str) -> tuple[int, list[str]]:
    """At how many valid records all sets are read, and notes.

    The smallest set's number, of those that have at least an eighth of the median; at most `AT_MOST`.

    Args:
        valid: valid records of each set.
        named: what the user asked for; it is taken as it is.
        what: records are counted.

    Raises:
        UsageError: no set has as many as the user asked for.
    """
    if named is not None and valid and 0 < max(valid) < named:
        got = f"{named:,}; the largest set has {max(valid):,}"
        raise UsageError(message(f"no round has so many {what} records.", got=got, want=f"--at N, N <= {max(valid)}"))
    enough = [number for number in valid if number and number * FAR_FEWER >= np.median(valid)]
    at = named if named is not None else min([*enough, AT_MOST]) if enough else 1
    few = sum(number < at for number in valid)
    if not few:
        return at, []
    which = "1 round has" if few == 1 else f"{few} rounds have"
    return at, [f"{which} fewer {what} records than the {at:,} at which diversity is read, and so no diversity."]


def shares_prompts(sets: Sequence[Prepared]) -> bool:
    """Whether most prompts of a round occurred in the one before it, and the other way round: in the second, and in most.

    Rounds that only meet by chance, over many rounds, share no prompts: a model that writes its own from few templates
    repeats some, and one that collapses repeats more and more.
    """
    if len(sets) < 2:
        return answered_often(sets[0])
    prompts = [different(one.prompt[one.prompt != 0]) for one in sets]
    both = [
        min(float(np.isin(a, b).mean()), float(np.isin(b, a).mean())) if len(a) and len(b) else 0.0
        for a, b in pairwise(prompts)
    ]
    return min(both[0], float(np.median(both))) > _HALF


def settle(first: Prepared, options: GuardOptions, *, shared: bool) -> Scheme:
    """How all rounds are read, from the first of them.

    A structure field that says the same of every record of a prompt belongs to the prompt. Where prompts are shared it
    stays what it was whatever becomes of the responses, so their templates are read instead, unless the user named it.
    """
    layout = first.dataset.layout
    answers = "response" if layout.has_response else "prompt"
    text = answers if shared or not layout.has_prompt else "prompt"
    on = "both" if text == "prompt" and layout.has_response else text
    by_field = layout.structure_field
    if shared and options.structure is None and by_field is not None and _of_prompt(first):
        by_field = None
    return Scheme(shared, on, text, by_field)  # type: ignore[arg-type]


def _of_prompt(made: Prepared) -> bool:
    """Whether all records of a prompt have one structure."""
    field_values = np.array([hash(text) for text in made.store.whole("structure").to_pylist()], dtype=np.int64)
    pairs = np.unique(np.stack([made.prompt.view(np.int64), field_values]), axis=1)
    return bool(pairs.shape[1] == len(np.unique(made.prompt)))


def _selected(
    source: RoundSource, options: GuardOptions, bench: Bench, scheme: Scheme | None = None, *, answered: bool
) -> Prepared | None:
    """What was selected in a round; None where that is not known, or nothing was."""
    given = source.selected
    if given is None:
        return None
    if isinstance(given, (str, os.PathLike)):
        if Path(given).is_file() and Path(given).stat().st_size == 0:
            return None
    elif isinstance(given, (list, tuple)) and not given:
        return None
    return prepare(given, f"{source.name}, selected", options, bench, scheme, answered=answered)


def _scores(source: RoundSource, scores: Scores) -> PanelScores:
    if isinstance(scores, PanelScores):
        return scores
    given = scores if scores is not None else source.scores
    return PanelScores() if given is None else round_scores(given)
