"""What measured sets hold of benchmarks: the key `contamination` of their profiles, made as in a comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

from triptych.comparing.adjudicate import Matches, sheet
from triptych.comparing.contamination import Looked, document, list_name, look_at, overlaps_of
from triptych.comparing.corpus import corpus_of_measured, open_corpus, roles_of, signature_columns
from triptych.comparing.overlaps import asked_of, check_labels, expect_labels
from triptych.comparing.request import check_pairs, sources_of
from triptych.core.errors import UsageError, message
from triptych.data import Dataset
from triptych.engines.fold import Selected
from triptych.profiling.bench import Bench
from triptych.profiling.settings import Settings


@dataclass(frozen=True)
class MeasureOptions:
    """Options of `measure` beside its settings, as on the command line.

    Attributes:
        against: benchmarks or held-out sets whose texts are looked for in the sets, as `triptych.open_dataset` takes them;
            a path may have a name before it: "test=gsm8k_test.jsonl".
        adjudicate: pairs to write into a sheet for people to judge; None: no sheet.
        labels: a sheet that was filled in.
        settings: how the sets are read and measured; its seed is that of the sheet's draw.
    """

    against: tuple[Any, ...] = ()
    adjudicate: int | None = None
    labels: str | Path | None = None
    settings: Settings = field(default_factory=Settings)

    @classmethod
    def of(cls, **given: Any) -> MeasureOptions:
        """Options from keywords: those above, and the settings, with a hint for a name that is nearly right.

        Raises:
            UsageError: an unknown name or a value out of range, or a sheet without a benchmark to judge.
        """
        mine = Settings.beside("measure", cls, given)
        mine["against"] = sources_of(mine.get("against"))
        made = cls(**mine, settings=Settings.of(**given))
        check_pairs(made.adjudicate)
        for name in ("adjudicate", "labels"):
            if getattr(made, name) is not None and not made.against:
                raise UsageError(message(f"--{name} without a benchmark.", want="--against FILE beside it"))
        return made

    def plan(self) -> list[str]:
        """What is done beside measuring, in words."""
        if not self.against:
            return []
        return [f"benchmarks: {len(self.against)}; one pass over the texts of each set, one over their signatures"]


@final
class Held:
    """Looks for benchmarks in sets while they are measured.

    Args:
        options: with at least one benchmark.
        bench: what to work with.

    Raises:
        InputError: a benchmark or the labels cannot be read.
    """

    def __init__(self, options: MeasureOptions, bench: Bench) -> None:
        self._options, self._bench, self._asked = options, bench, asked_of(options)
        self._ready: list[Looked] = []
        self._lists: list[Matches] = []

    def expect(self, sets: Sequence[str]) -> None:
        """Say before the work that labels are of other lists than these sets will have.

        Raises:
            UsageError: they are.
        """
        lists = [list_name(name, benchmark.name) for name in sets for benchmark in self._asked.benchmarks]
        expect_labels(self._asked.labels, lists, self._options)

    def columns(self, dataset: Dataset) -> Sequence[str]:
        """Feature columns of a set that are read, so that it is read once for all."""
        return signature_columns(roles_of(dataset))

    def details(self, dataset: Dataset, selected: Selected) -> Mapping[str, Any]:
        """The key `contamination` of a profile, of the records that are measured.

        Raises:
            UsageError: the labels are of other data.
        """
        if not self._ready:
            self._ready = [look_at(open_corpus(one, self._bench), self._bench) for one in self._asked.benchmarks]
        found = overlaps_of(corpus_of_measured(dataset, selected), self._ready, self._bench)
        lists = [each.matches() for each in found]
        labels = {each.name: self._asked.labels[each.name] for each in found if each.name in self._asked.labels}
        check_labels(labels, lists, self._options)
        self._lists += lists
        return {"contamination": document(found, labels)}

    def sheet(self) -> list[dict[str, Any]] | None:
        """Pairs of all sets so far to be judged; None where no sheet is wanted."""
        if self._options.adjudicate is None:
            return None
        return sheet(self._lists, self._options.adjudicate, self._options.settings.seed)
