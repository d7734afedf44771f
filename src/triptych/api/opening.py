"""Data sets as the verbs open them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from triptych.core.errors import UsageError, message
from triptych.data import Dataset, field_values, open_dataset
from triptych.profiling.output import unique_names
from triptych.profiling.settings import Settings


def one_set(settings: Settings) -> None:
    """A selection is from one set: fields are no several sets here, and who is valid is the policy's matter."""
    if settings.by is not None or settings.valid_only:
        want = "options={'by': ..} for fields that are read, options={'with_invalid': True} for records with a defect"
        raise UsageError(message("select has no such setting.", got="by or valid_only", want=want))


def open_sets(source: Any, settings: Settings) -> Iterator[Dataset]:
    """The data sets of one source: one, or one for each value of the field `by`."""
    if settings.by is None:
        yield open_dataset(source, settings.reading())
        return
    for value in field_values(source, settings.by, settings.reading()):
        yield open_dataset(source, settings.reading((settings.by, value)), value or "empty")


def named_sets(data: Sequence[Any], settings: Settings) -> list[tuple[Any, Dataset]]:
    """The sets of a comparison with what each was opened from, every one under a name of its own."""
    from triptych.comparing.request import check_names, check_number, named  # noqa: PLC0415 - only there needed

    sources = [named(source) for source in data]
    check_names([name for name, _ in sources])
    if settings.by is None:
        check_number(len(sources))
    found = []
    for name, source in sources:
        for dataset in open_sets(source, settings):
            if name is not None:
                dataset.name = name if settings.by is None else f"{name}-{dataset.name}"
            found.append((source, dataset))
    unique_names([dataset for _, dataset in found])
    return found
