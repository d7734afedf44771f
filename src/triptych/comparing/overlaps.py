"""What a comparison says of texts that sets share with benchmarks and with each other, and the sheet of pairs to judge."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from triptych.comparing import across, contamination
from triptych.comparing.adjudicate import Matches, Precision, read_labels, sheet
from triptych.comparing.corpus import Corpus, corpus_of, open_corpus, roles_of, signature_columns
from triptych.comparing.request import CompareOptions, check_names, named
from triptych.comparing.sides import Side
from triptych.core.errors import UsageError, message
from triptych.data import Dataset, ReadOptions, open_dataset
from triptych.profiling.bench import Bench
from triptych.profiling.output import unique_names
from triptych.profiling.settings import Settings


class Looking(Protocol):
    """What benchmarks are looked for with: benchmarks, a sheet that was filled in, and how sets are read."""

    @property
    def against(self) -> tuple[Any, ...]:
        """Benchmarks or held-out sets."""

    @property
    def labels(self) -> str | Path | None:
        """A sheet that was filled in."""

    @property
    def settings(self) -> Settings:
        """How sets are read."""


@dataclass(frozen=True)
class Asked:
    """The benchmarks, opened, and the precision by list of matches from labels that were given."""

    benchmarks: tuple[Dataset, ...]
    labels: dict[str, Precision]


def asked_of(options: Looking) -> Asked:
    """Open what the options name, so that what is wrong with it is said before the work.

    Raises:
        InputError: a benchmark or the labels cannot be read.
    """
    given = [named(source) for source in options.against]
    check_names([name for name, _ in given])
    reading = ReadOptions(on_bad=options.settings.on_bad)
    opened = unique_names([open_dataset(source, reading, name) for name, source in given])
    labels = read_labels(Path(options.labels)) if options.labels is not None else {}
    return Asked(tuple(opened), labels)


def columns_for(dataset: Dataset, options: CompareOptions) -> list[str]:
    """Feature columns of a set that is compared, so that it is read once for all."""
    roles = roles_of(dataset)
    on = across.common_text(roles, roles)
    columns = signature_columns([*(roles if options.against else ()), *([on] if on else ())])
    return [*columns, f"embedding@{on}"] if on and _judging(options) else columns


def _judging(options: CompareOptions) -> bool:
    """Whether pairs are to be judged, or have been."""
    return options.adjudicate is not None or options.labels is not None


def overlaps(
    asked: Asked, sides: Sequence[Side], pair: tuple[int, int], bench: Bench, options: CompareOptions
) -> dict[str, Any]:
    """The keys `contamination`, `across` and `sheet` of a comparison.

    Duplicates across sets are looked for in the pair that is named: by text always, by meaning where pairs are to be
    judged or have been.

    Raises:
        UsageError: the labels are of other sets.
    """
    sets = [corpus_of(side) for side in sides]
    benchmarks = [open_corpus(dataset, bench) for dataset in asked.benchmarks]
    held = contamination.contamination(sets, benchmarks, bench) if benchmarks else []
    twins = _twins((sets[pair[0]], sets[pair[1]]), bench, meaning=_judging(options))
    lists = [*(each.matches() for each in held), *(each.matches() for each in twins)]
    known = [each for each in lists if each is not None]
    check_labels(asked.labels, known, options)
    rows = sheet(known, options.adjudicate, options.settings.seed) if options.adjudicate is not None else None
    return {
        "contamination": contamination.document(held, asked.labels) if held else None,
        "across": across.document(twins, asked.labels),
        "sheet": rows,
    }


def _twins(pair: tuple[Corpus, Corpus], bench: Bench, *, meaning: bool) -> list[across.Twinned]:
    on = across.common_text(pair[0].roles, pair[1].roles)
    if on is None:
        return []
    found = [across.by_text(*pair, on, bench)]
    return [*found, across.by_meaning(*pair, on, bench)] if meaning else found


def check_labels(labels: Mapping[str, Precision], lists: Sequence[Matches], options: Looking) -> None:
    """Labels must be of lists that there are, drawn from the same data at the same threshold.

    Raises:
        UsageError: they are not.
    """
    known = {each.name: each for each in lists}
    for name, told in labels.items():
        expect_labels([name], known, options)
        mine = known[name]
        if (told.data, told.threshold) != (mine.data, mine.threshold):
            what = f'{options.labels}: the labels of "{name}" are of other data, or of another threshold.'
            got = f"data {told.data}, threshold {told.threshold:g}"
            raise UsageError(message(what, got=got, want=f"data {mine.data}, threshold {mine.threshold:g}"))


def expect_labels(labels: Collection[str], lists: Collection[str], options: Looking) -> None:
    """Labels must be of lists that are looked for.

    Args:
        labels: names of the lists that they are of.
        lists: names of those that are looked for.
        options: with the place of the labels.

    Raises:
        UsageError: one is not.
    """
    for name in labels:
        if name not in lists:
            what = f'{options.labels}: labels of "{name}", which is not looked for here.'
            raise UsageError(
                message(what, want=", ".join(lists) or "the sets and benchmarks that the sheet was made of")
            )
