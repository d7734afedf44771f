"""The verb `compare`: what made the sets, then views that hold equal what must be equal, then differences and verdicts."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from triptych.comparing.adjudicate import SHEETS
from triptych.comparing.answers import COLUMNS, find_label
from triptych.comparing.audit import Audit, audit, comparability
from triptych.comparing.causes import indicators, wanted_fields
from triptych.comparing.document import INFERENCE, SCHEMA, set_entry, view_entry
from triptych.comparing.matching import MIX, Matching, shared_prompts, view
from triptych.comparing.members import Member, member
from triptych.comparing.models import check_label, models
from triptych.comparing.overlaps import asked_of, columns_for, overlaps
from triptych.comparing.ranks import rank
from triptych.comparing.reading import Compared, Memory, compare_view
from triptych.comparing.request import CompareOptions, pairs_of
from triptych.comparing.sides import Side, joined, prepare
from triptych.comparing.verdict import Judged, Margin, judge, parse_margins, price
from triptych.comparing.view import View
from triptych.core.errors import SchemaError, UsageError, message
from triptych.core.measure import AXES, Measure
from triptych.data import Dataset
from triptych.profiling.bench import Bench
from triptych.profiling.panel import plan
from triptych.profiling.warn import CONSTANT, FEW

COMPARE_FILES = frozenset({"comparison.json", "report.html", *SHEETS})
"""What a comparison writes into its folder."""

HALF = 0.5
RAW = "raw"
LENGTHS = {"prompt": "prompt length", "response": "response length"}


@dataclass(frozen=True)
class Common:
    """What is compared: the measures that all sets have, in order, and which are headlines; the others in words."""

    measures: tuple[Measure, ...]
    headlines: frozenset[str]
    warnings: tuple[dict[str, str], ...]


@dataclass(frozen=True)
class PairFound:
    """One pair of sets: its views with their verdicts, the primary one first."""

    views: tuple[tuple[View, list[Judged]], ...]


@dataclass(frozen=True)
class Case:
    """A comparison that is under way."""

    members: tuple[Member, ...]
    common: Common
    margins: dict[str, Margin]
    options: CompareOptions
    bench: Bench
    memory: Memory


def compare_sets(given: Sequence[tuple[object, Dataset]], bench: Bench, options: CompareOptions) -> dict[str, Any]:
    """Compare sets, each given with what it was opened from.

    Returns:
        The document of `comparison.json`.

    Raises:
        InputError: the sets or the options do not fit.
    """
    started = time.perf_counter()
    names = [dataset.name for _, dataset in given]
    pairs = pairs_of(names, [dataset.path for _, dataset in given], options.baseline)
    asked = asked_of(options)
    if options.models is not None:
        check_label([dataset for _, dataset in given], options.models)
    case = _case(given, bench, options)
    with bench.progress.stage("comparing", unit="pairs", total=len(pairs)) as stage:
        audits: dict[tuple[int, int], Audit] = {}
        found: dict[tuple[int, int], PairFound] = {}
        for pair in pairs:
            two = (case.members[pair[0]], case.members[pair[1]])
            audits[pair] = audit(two, bench)
            found[pair] = _pair(two, case)
            stage.advance(1)
    document = _document(case, audits, found)
    document |= overlaps(asked, [one.side for one in case.members], pairs[0], bench, options)
    document["provenance"] = bench.provenance(time.perf_counter() - started)
    return document


def _case(given: Sequence[tuple[object, Dataset]], bench: Bench, options: CompareOptions) -> Case:
    """Features, joint groups, fields and measures of all sets."""
    columns = COLUMNS if options.models is not None else ()
    sides = [prepare(dataset, bench, (*columns, *columns_for(dataset, options))) for _, dataset in given]
    for side in sides:
        if not side.valid.any():
            want = "at least one record without a defect"
            raise SchemaError(message(f"{side.name}: no record is valid.", got=f"{len(side):,} records", want=want))
    common = common_measures(sides, bench)
    mixes = _mixes(options)
    members = []
    for (source, _), side in zip(given, joined(sides), strict=True):
        known = [str(name).lower() for name in side.dataset.layout.known]
        members.append(member(source, side, wanted_fields(known), mixes))
    margins = parse_margins(options.margin, common.measures)
    return Case(tuple(members), common, margins, options, bench, Memory())


def common_measures(sides: Sequence[Side], bench: Bench) -> Common:
    """The measures that all sets have.

    Raises:
        UsageError: there is none.
    """
    hashes = [{measure.spec.hash for measure in side.measures} for side in sides]
    every = {measure.spec.hash: measure for side in sides for measure in side.measures}
    shared = set.intersection(*hashes)
    measures = tuple(measure for measure in sides[0].measures if measure.spec.hash in shared)
    if not measures:
        got = "; ".join(f"{side.name}: {', '.join(m.label for m in side.measures[:3])}, .." for side in sides[:3])
        raise UsageError(message("the sets have no measure in common.", got=got, hint="--measures or --map"))
    warnings = []
    for key in [key for key in every if key not in shared]:
        lacking = [side.name for side, mine in zip(sides, hashes, strict=True) if key not in mine]
        text = f"{every[key].label} is not compared: {', '.join(lacking)} cannot have it."
        warnings.append({"code": "measure_left_out", "text": text})
    asked: frozenset[str] = frozenset().union(*(plan(bench.settings, side.dataset.layout).headlines for side in sides))
    headlines = {measure.spec.hash for measure in measures if measure.spec.hash in asked}
    for axis in AXES:
        mine = [measure.spec.hash for measure in measures if measure.about.axis == axis]
        if mine and not headlines & set(mine):
            headlines.add(mine[0])
    return Common(measures, frozenset(headlines), tuple(warnings))


def _pair(two: tuple[Member, Member], case: Case) -> PairFound:
    """All views of two sets."""
    sides = (two[0].side, two[1].side)
    fields = {name: (two[0].fields[name.lower()], two[1].fields[name.lower()]) for name in _mixes(case.options)}
    how = Matching(case.options.draws, case.options.settings.seed, fields, _beside(two))
    made: list[View] = []
    for name in view_names(sides, case.options):
        if name == RAW and _keeps_all(made[0], sides):
            continue  # the primary view is that of all records
        made.append(view(name, sides, how))
    out = []
    for one in made:
        compared = compare_view(sides, one, case.common.measures, case.bench, case.memory)
        out.append((one, judge(compared, case.margins)))
    return PairFound(tuple(out))


def _mixes(options: CompareOptions) -> list[str]:
    """The fields whose mixes are held equal in some view."""
    parts = [part for name in options.match for part in name.split("+") if part.startswith(MIX)]
    return list(dict.fromkeys(part.removeprefix(MIX) for part in parts))


def view_names(sides: tuple[Side, Side], options: CompareOptions) -> list[str]:
    """The views of two sets, the primary one first.

    Without a wish the primary one matches prompts where at least half of the records of both sets have a shared prompt,
    most of them with another response; else records: sets that share their records would be compared with themselves.
    """
    prompts = shared_prompts(sides)
    names = list(options.match)
    if not names:
        names = ["prompt" if len(prompts) and _answers(sides, prompts) else "records"]
    names += [RAW, "length"]
    names += ["prompt+length"] if len(prompts) else []
    return list(dict.fromkeys(names))


def _answers(sides: tuple[Side, Side], prompts: np.ndarray[Any, np.dtype[np.uint64]]) -> bool:
    for side, other in (sides, sides[::-1]):
        shared = np.isin(side.prompt, prompts)
        if shared.mean() < HALF:
            return False
        mine, theirs = (one.store.whole("key@response").to_numpy() for one in (side, other))
        if np.isin(mine[shared], theirs).mean() > HALF:
            return False
    return True


def _keeps_all(one: View, sides: tuple[Side, Side]) -> bool:
    if len(one.draws) != 1:
        return False
    return (len(one.draws[0].a), len(one.draws[0].b)) == (len(sides[0]), len(sides[1]))


def _beside(two: tuple[Member, Member]) -> dict[str, Any]:
    """Numbers that a balance shows beside length and validity: lengths of both texts, and mixes of fields in both sets."""
    out: dict[str, Any] = {}
    if all(one.side.dataset.layout.has_prompt and one.side.dataset.layout.has_response for one in two):
        out["prompt length"] = tuple((one.side.tokens - one.side.length).astype(np.float64) for one in two)
    for name in two[0].fields:
        if name in two[1].fields:
            out |= indicators(two, name)
    return out


def _document(
    case: Case, audits: dict[tuple[int, int], Audit], found: dict[tuple[int, int], PairFound]
) -> dict[str, Any]:
    """The document, but for its provenance."""
    names = [one.name for one in case.members]
    pairs = [_pair_entry(case, pair, found[pair], audits[pair]) for pair in found]
    first = pairs[0]["views"][0]
    return {
        "schema": SCHEMA,
        "sets": [set_entry(one) for one in case.members],
        "comparability": comparability(audits, names, frozenset.intersection(*(_held(one) for one in found.values()))),
        "primary": first["name"],
        "pairs": pairs,
        "matched": {key: first[key] for key in ("records", "tokens", "balance")},
        "results": first["results"],
        "ranks": _ranks(case, names, found),
        "contamination": None,
        "across": None,
        "sheet": None,
        "models": _models(case, list(found)),
        "inference": INFERENCE,
        "warnings": [*case.common.warnings, *_warnings(case, found)],
    }


def _pair_entry(case: Case, pair: tuple[int, int], found: PairFound, known: Audit) -> dict[str, Any]:
    members = case.members[pair[0]], case.members[pair[1]]
    sides = (members[0].side, members[1].side)
    labels = [m.label for m in case.common.measures if m.spec.hash in case.common.headlines]
    names = [one.name for one in case.members]
    return {
        "first": members[0].name,
        "second": members[1].name,
        "primary": found.views[0][0].name,
        "views": [view_entry(one, sides, judged, case.common.headlines) for one, judged in found.views],
        "price": price(found.views[0][1], labels),
        "comparability": comparability({pair: known}, names, _held(found)),
    }


def _models(case: Case, pairs: Sequence[tuple[int, int]]) -> dict[str, Any] | None:
    """The sets as models, where a label is named or they are answers to the same prompts; else None."""
    sides = [one.side for one in case.members]
    label = case.options.models or find_label(sides)
    return models(sides, label, pairs) if label else None


def _held(found: PairFound) -> frozenset[str]:
    """Causes that the primary view holds equal."""
    primary = found.views[0][0]
    if primary.undefined is not None:
        return frozenset()
    parts = primary.name.split("+")
    held = {"prompts"} if "prompt" in parts else set()
    return frozenset(held | ({"tasks"} if any(part.startswith(MIX) for part in parts) else set()))


def _ranks(case: Case, names: list[str], found: dict[tuple[int, int], PairFound]) -> list[dict[str, Any]] | None:
    """The order of more than two sets by each headline measure, where all pairs were compared."""
    if len(names) < 3 or case.options.baseline is not None:
        return None
    out = []
    for place, measure in enumerate(case.common.measures):
        if measure.spec.hash in case.common.headlines:
            pairs: dict[tuple[int, int], Compared] = {
                pair: one.views[0][1][place].compared for pair, one in found.items()
            }
            out.append(rank(measure, names, pairs))
    return [one for one in out if one is not None]


def _warnings(case: Case, found: dict[tuple[int, int], PairFound]) -> list[dict[str, str]]:
    """Views that could not be drawn, and rows that were not read."""
    out = []
    for pair, one in found.items():
        first, second = (case.members[place].name for place in pair)
        for made, _ in one.views:
            if made.undefined is not None:
                text = f"{first} and {second}: the view {made.name} is empty: {made.undefined}."
                out.append({"code": "view_undefined", "text": text})
    for member_ in case.members:
        summary = member_.side.dataset.summary
        if summary is not None and summary.skipped_total:
            text = f"{member_.name}: {summary.skipped_total:,} rows could not be read and were skipped."
            out.append({"code": "rows_skipped", "text": text})
        repeated = member_.side.most_repeated()
        if len(member_.side) >= FEW and repeated > CONSTANT * len(member_.side):
            text = (
                f"{member_.name}: one response stands in {repeated:,} of {len(member_.side):,} records. One constant answer "
                "is no data to train on, whatever a score says of it."
            )
            out.append({"code": "constant_answer", "text": text})
    return out
