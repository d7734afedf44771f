"""A profile document read into frozen records: cleaned, bounded, tolerant of missing keys.

Everything after this module works on these records and never on the raw JSON, so that one gate (`text.clean`) stands
between data and page. A wrong schema is an error; an unknown key is ignored; a missing optional key has a neutral value.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from triptych.core.errors import SchemaError, message
from triptych.report.comparison_more import read_overlaps
from triptych.report.comparison_records import ComparisonLimits, Overlaps
from triptych.report.fields import items as _items
from triptych.report.fields import listed as _list
from triptych.report.fields import mapping as _map
from triptych.report.fields import number as _number
from triptych.report.fields import numbers as _numbers
from triptych.report.fields import raw as _raw
from triptych.report.fields import text as _text
from triptych.report.text import EXCERPT, clean, line
from triptych.report.words import AXES

SCHEMA = "triptych/profile@1"


@dataclass(frozen=True)
class Limits:
    """How much of a document a page shows. What is left out is counted and said."""

    sets: int = 40
    estimates: int = 150
    points: int = 24
    bins: int = 80
    histograms: int = 12
    kinds: int = 24
    examples: int = 3
    groups: int = 8
    items: int = 5
    notes: int = 20
    excerpt: int = EXCERPT


@dataclass(frozen=True)
class Point:
    """One point of a size curve."""

    n: float
    value: float
    se: float


@dataclass(frozen=True)
class About:
    """How a number was made."""

    summary: str
    source: str
    confounders: tuple[str, ...]
    conditional_on: str
    asked: str = ""


@dataclass(frozen=True)
class Estimate:
    """A number with its interval, or the reason why there is none."""

    measure: str
    title: str
    axis: str
    params: Mapping[str, Any]
    hash: str
    label: str
    headline: bool
    value: float | None
    undefined: str
    lo: float | None
    hi: float | None
    level: float
    no_interval: str
    n: float | None
    unit: str
    better: str
    exact: bool
    bound: str
    curve: tuple[Point, ...]
    about: About

    @property
    def key(self) -> str:
        """Estimates of several sets with equal keys measure the same thing."""
        return f"{self.measure} {self.hash or json.dumps(self.params, sort_keys=True, default=str)}"


@dataclass(frozen=True)
class Histogram:
    """Counts between edges; `len(edges) == len(counts) + 1`."""

    column: str
    title: str
    axis: str
    unit: str
    edges: tuple[float, ...]
    counts: tuple[float, ...]
    missing: float


@dataclass(frozen=True)
class Excerpt:
    """A cut piece of one record and where it stands."""

    where: str
    note: str
    prompt: str
    response: str


@dataclass(frozen=True)
class Defect:
    """A kind of broken record."""

    kind: str
    count: float | None
    share: float | None
    examples: tuple[Excerpt, ...]


@dataclass(frozen=True)
class Offenders:
    """A list of the records that weigh most on some number."""

    title: str
    why: str
    items: tuple[Excerpt, ...]


@dataclass(frozen=True)
class Skipped:
    """A row that could not be read."""

    where: str
    reason: str


@dataclass(frozen=True)
class Dataset:
    """What was read."""

    name: str
    path: str
    sha256: str
    rows: float | None
    records: float | None
    tokens: float | None
    skipped: float
    skipped_rows: tuple[Skipped, ...]
    detected: str
    grouping: str


@dataclass(frozen=True)
class Provenance:
    """How to make it again."""

    facts: tuple[tuple[str, str], ...]
    encoder: str


@dataclass(frozen=True)
class Second:
    """The measures that hang on the encoder, read under another one.

    Attributes:
        encoder: the other one.
        estimates: under it.
        first: of a sample, what the first encoder says at as many records; else empty, and the profile's own stand beside.
        asked, records: records of the sample, and of the set; None where all were asked about.
    """

    encoder: str
    estimates: tuple[Estimate, ...]
    first: tuple[Estimate, ...] = ()
    asked: float | None = None
    records: float | None = None


@dataclass(frozen=True)
class Profile:
    """One profile document."""

    dataset: Dataset
    estimates: tuple[Estimate, ...]
    left_out: int
    histograms: tuple[Histogram, ...]
    defects: tuple[Defect, ...]
    offenders: tuple[Offenders, ...]
    warnings: tuple[str, ...]
    provenance: Provenance
    second: Second | None = None
    contamination: Overlaps | None = None


def read_profile(document: Any, limits: Limits | None = None) -> Profile:
    """Read one document.

    Raises:
        SchemaError: it is no mapping, or it names another schema.
    """
    limits = limits or Limits()
    schema = document.get("schema", SCHEMA) if isinstance(document, Mapping) else type(document).__name__
    if schema != SCHEMA:
        raise SchemaError(
            message("this is no profile document.", got=line(str(schema), 80), want=f'"schema": "{SCHEMA}"')
        )
    listed = [item for item in _list(document, "estimates") if item.get("axis") in AXES]
    listed.sort(key=lambda item: item.get("headline") is not True)
    return Profile(
        dataset=_dataset(_map(document, "dataset"), limits),
        estimates=tuple(_estimate(item, limits) for item in listed[: limits.estimates]),
        left_out=max(0, len(listed) - limits.estimates),
        histograms=tuple(
            found for item in _list(document, "histograms")[: limits.histograms] if (found := _histogram(item, limits))
        ),
        defects=tuple(_defect(item, limits) for item in _list(document, "defects")[: limits.kinds]),
        offenders=tuple(_offenders(item, limits) for item in _list(document, "offenders")[: limits.groups]),
        warnings=_warnings(_list(document, "warnings"), limits),
        provenance=_provenance(document),
        second=_second(_map(document, "second_encoder"), limits),
        contamination=read_overlaps(document, _of_overlaps(limits)),
    )


def _of_overlaps(limits: Limits) -> ComparisonLimits:
    """How much of the overlaps with benchmarks is shown."""
    return ComparisonLimits(benchmarks=limits.notes, examples=limits.items, text=limits.excerpt)


def _second(item: Mapping[str, Any], limits: Limits) -> Second | None:
    encoder, sample = _text(item, "encoder", 160), _map(item, "sample")
    estimates, first = (
        tuple(_estimate(each, limits) for each in _list(item, name)[: limits.estimates] if each.get("axis") in AXES)
        for name in ("estimates", "first")
    )
    asked, records = _number(sample, "sampled"), _number(sample, "records")
    return Second(encoder, estimates, first, asked, records) if encoder else None


def _estimate(item: Mapping[str, Any], limits: Limits) -> Estimate:
    spec, about = _map(item, "spec"), _map(item, "about")
    value, undefined = _number(item, "value"), _text(item, "undefined")
    measure = _text(item, "measure", 80) or "unnamed"
    lo, hi = _number(item, "lo"), _number(item, "hi")
    bound = item.get("bound")
    return Estimate(
        measure=measure,
        title=_text(item, "title", 80) or measure.replace("_", " ").capitalize(),
        axis=_text(item, "axis", 20),
        params=_map(spec, "params"),
        hash=_text(spec, "hash", 64),
        label=_text(item, "label", 160) or measure,
        headline=item.get("headline") is True,
        value=None if undefined else value,
        undefined=undefined or ("" if value is not None else "the document gives neither a value nor a reason"),
        lo=lo if hi is not None and not undefined else None,
        hi=hi if lo is not None and not undefined else None,
        level=_number(item, "level") or 0.95,
        no_interval=_text(item, "no_interval"),
        n=_number(item, "n"),
        unit=_text(item, "unit", 60),
        better=_text(item, "better", 20),
        exact=item.get("exact", True) is not False,
        bound="" if bound is None else line(str(bound), 120),
        curve=_curve(_list(item, "curve"), limits),
        about=About(
            summary=_text(about, "summary"),
            source=_text(about, "source"),
            confounders=tuple(line(str(text), 200) for text in _items(about.get("confounders"))[:8]),
            conditional_on=_text(about, "conditional_on", 160),
            asked=_text(about, "asked", 120),
        ),
    )


def _curve(items: Sequence[Mapping[str, Any]], limits: Limits) -> tuple[Point, ...]:
    found = [(_number(item, "n"), _number(item, "value"), _number(item, "se")) for item in items[-limits.points :]]
    points = [
        Point(n, value, abs(se or 0.0)) for n, value, se in found if n is not None and n > 0 and value is not None
    ]
    return tuple(sorted(points, key=lambda point: point.n))


def _histogram(item: Mapping[str, Any], limits: Limits) -> Histogram | None:
    edges, counts = _numbers(item.get("edges")), _numbers(item.get("counts"))
    if edges is None or counts is None or not counts or len(edges) != len(counts) + 1 or edges != sorted(edges):
        return None
    step = math.ceil(len(counts) / limits.bins)
    counts = [sum(counts[at : at + step]) for at in range(0, len(counts), step)]
    column = _text(item, "column", 80)
    return Histogram(
        column=column,
        title=_text(item, "title", 80) or column,
        axis=_text(item, "axis", 20),
        unit=_text(item, "unit", 40),
        edges=(*edges[:-1:step], edges[-1]),
        counts=tuple(max(0.0, value) for value in counts),
        missing=_number(item, "missing") or 0.0,
    )


def _excerpt(item: Mapping[str, Any], limits: Limits) -> Excerpt:
    prompt, response = (clean(_raw(item, key), limits.excerpt) for key in ("prompt", "response"))
    return Excerpt(_text(item, "where", 160), _text(item, "note", 160), prompt, response)


def _defect(item: Mapping[str, Any], limits: Limits) -> Defect:
    examples = tuple(_excerpt(example, limits) for example in _list(item, "examples")[: limits.examples])
    return Defect(_text(item, "kind", 80) or "unnamed", _number(item, "count"), _number(item, "share"), examples)


def _offenders(item: Mapping[str, Any], limits: Limits) -> Offenders:
    items = tuple(_excerpt(example, limits) for example in _list(item, "items")[: limits.items])
    return Offenders(_text(item, "title", 120) or "Unnamed", _text(item, "why"), items)


def _dataset(item: Mapping[str, Any], limits: Limits) -> Dataset:
    path = _text(item, "path", 240)
    rows = tuple(
        Skipped(f"{_text(row, 'source', 120)}:{line(str(row.get('line', '?')), 20)}", _text(row, "reason", 200))
        for row in _list(item, "skipped_rows")[: limits.notes]
    )
    return Dataset(
        name=_text(item, "name", 60) or path.rsplit("/", 1)[-1] or "unnamed set",
        path=path,
        sha256=_text(item, "sha256", 80),
        rows=_number(item, "rows"),
        records=_number(item, "records"),
        tokens=_number(item, "tokens"),
        skipped=_number(item, "skipped") or 0.0,
        skipped_rows=rows,
        detected=_text(item, "detected"),
        grouping=_text(item, "grouping"),
    )


def _warnings(items: Sequence[Mapping[str, Any]], limits: Limits) -> tuple[str, ...]:
    raw = list(dict.fromkeys(text for item in items if (text := _raw(item, "text") or _raw(item, "code"))))
    more = len(raw) - limits.notes
    return tuple(
        [line(text) for text in raw[: limits.notes]]
        + ([f"{more} more warnings are in the profile."] if more > 0 else [])
    )


def _requests(name: str, item: Mapping[str, Any]) -> str:
    """What an encoder asked of its server, in words."""
    counts = _map(_map(item, "requests"), name)
    words = {"requests": "asked", "cached": "kept from before", "retried": "tried again", "prompt_tokens": "tokens"}
    told = [f"{value:,.0f} {word}" for key, word in words.items() if (value := _number(counts, key)) is not None]
    return f"{line(name, 120)}: {', '.join(told)}"


def _provenance(document: Mapping[str, Any]) -> Provenance:
    item, dataset = _map(document, "provenance"), _map(document, "dataset")
    packages = ", ".join(f"{key} {value}" for key, value in sorted(_map(item, "packages").items(), key=str))
    artifacts = ", ".join(
        f"{_text(each, 'name', 80)} {_text(each, 'hash', 64)}" for each in _list(document, "artifacts")[:12]
    )
    seconds = _number(item, "seconds")
    facts = {
        "command": line(_raw(item, "command"), 1000),
        "version": _text(item, "version", 40),
        "seed": line(str(item["seed"]), 40) if item.get("seed") is not None else "",
        "seconds": "" if seconds is None else f"{seconds:.1f}",
        "encoder": _text(item, "encoder", 160),
        "second encoder": _text(_map(document, "second_encoder"), "encoder", 160),
        "requests": "; ".join(_requests(name, item) for name in list(_map(item, "requests"))[:4]),
        "tokenizer": _text(item, "tokenizer", 160),
        "artifacts": artifacts,
        "packages": line(packages, 600),
        "source": _text(dataset, "path", 240),
        "SHA-256": _text(dataset, "sha256", 80),
    }
    return Provenance(tuple((key, value) for key, value in facts.items() if value), facts["encoder"])
