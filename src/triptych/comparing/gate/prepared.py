"""A gate ready to judge: the sides with the columns that the rules read, and each rule with its measure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from triptych.comparing.corpus import roles_of, signature_columns
from triptych.comparing.gate.against import estimate_of
from triptych.comparing.gate.benchmarks import open_benchmark
from triptych.comparing.gate.defaults import default_rules, measured
from triptych.comparing.gate.parts import Texts, field_texts
from triptych.comparing.gate.request import GateRequest, Source, check_instruments
from triptych.comparing.gate.rules import Rule
from triptych.comparing.gate.saved import saved_side
from triptych.comparing.sides import Side, joined, prepare
from triptych.core.errors import InputError, SchemaError, SpecError, message, nearest
from triptych.core.measure import Measure
from triptych.core.profile import Profile
from triptych.data import Layout
from triptych.profiling.bench import Bench
from triptych.profiling.panel import plan
from triptych.profiling.settings import Settings

CHEAP = "tokens"
"""What is measured where no rule names a measure."""
_EMBEDDED = ("embedding", "per_prompt_distance")


@dataclass(frozen=True, eq=False)
class Prepared:
    """What is judged.

    Attributes:
        rules: in order, each with its measure, or None where it only counts records.
        side: the data. `alone`: the same under its own grouping, as a profile reads it.
        base: the baseline with its records, or None.
        profile: the baseline where only its `profile.json` is there, or None.
        texts: values of the fields that rules read, of the data and of the baseline (None where it has no records).
        same: whether data and baseline hold the very same records.
    """

    rules: tuple[tuple[Rule, Measure | None], ...]
    side: Side
    alone: Side
    base: Side | None
    profile: Profile | None
    texts: Mapping[str, tuple[Texts, Texts | None]]
    same: bool = False


def ready(request: GateRequest, bench: Bench) -> Prepared:
    """Measure what the rules ask for, on both sides.

    Raises:
        InputError: a rule asks for something that the data or the baseline do not have; the message names the rule.
    """
    pairs = planned(request, bench.settings)
    rules = [rule for rule, _ in pairs]
    profile = _profile_alone(request.baseline)
    measures = {m.label: m for _, m in pairs if m is not None}
    embeds = any(word in need for m in measures.values() for need in m.statistic().needs for word in _EMBEDDED)
    for source in (request.data, request.baseline):
        if source is not None and source.saved is not None:
            check_instruments(source.saved, bench, embeds=embeds)
    equipped = replace(bench, settings=replace(bench.settings, measures=tuple(measures) or (CHEAP,)))
    alone = _side(request.data, equipped, _signatures(request, rules))
    base = None
    if request.baseline is not None and profile is None and any(rule.compares for rule in rules):
        base = _side(request.baseline, equipped)
    side, base = (alone, None) if base is None else joined((alone, base))
    texts = {}
    for rule in rules:
        for field in rule.fields:
            other = None
            if base is not None and request.baseline is not None and rule.compares:
                other = field_texts(base, request.baseline.given, field, rule.place)
            if field not in texts or other is not None:
                texts[field] = (field_texts(alone, request.data.given, field, rule.place), other)
    return Prepared(pairs, side, alone, base, profile, texts, _same(request, alone))


def content(source: Source) -> str | None:
    """Hash of the content of a set, None where it was not read."""
    if source.saved is not None:
        known = source.saved.profile.dataset.get("sha256")
        return None if known is None else str(known)
    summary = None if source.dataset is None else source.dataset.summary
    return None if summary is None else summary.sha256


def _same(request: GateRequest, side: Side) -> bool:
    """Whether both sets have the same content. Of a profile of valid records only, the content is another."""
    if request.baseline is None or content(request.data) is None:
        return False
    saved = request.baseline.saved
    if saved is not None and saved.dataset is None and saved.profile.dataset.get("measured") != len(side):
        return False
    return content(request.data) == content(request.baseline)


def planned(request: GateRequest, settings: Settings) -> tuple[tuple[Rule, Measure | None], ...]:
    """The rules, each with its measure fitted to the data, as far as the heads of both sets tell that it can be read.

    Raises:
        InputError: as `ready`.
    """
    layout = _layout(request.data)
    profile = _profile_alone(request.baseline)
    rules = request.rules or _defaults(request, layout, profile)
    pairs = tuple((rule, _measure(rule, layout, settings)) for rule in rules)
    for rule, measure in pairs:
        if rule.against is not None:
            open_benchmark(rule)
        if measure is not None:
            _check(rule, measure, request, layout, profile)
    return pairs


def _layout(source: Source) -> Layout:
    assert source.dataset is not None  # noqa: S101 - a request refuses data without records
    return source.dataset.layout


def _profile_alone(source: Source | None) -> Profile | None:
    if source is None or source.saved is None or source.saved.dataset is not None:
        return None
    return source.saved.profile


def _side(source: Source, bench: Bench, columns: Sequence[str] = ()) -> Side:
    if source.saved is not None:
        return saved_side(source.saved, bench, columns)
    assert source.dataset is not None  # noqa: S101 - a profile alone is no side
    return prepare(source.dataset, bench, columns)


def _signatures(request: GateRequest, rules: Sequence[Rule]) -> list[str]:
    """Columns that rules against benchmarks read."""
    if not any(rule.against for rule in rules):
        return []
    assert request.data.dataset is not None  # noqa: S101 - a request refuses data without records
    return signature_columns(roles_of(request.data.dataset))


def _defaults(request: GateRequest, layout: Layout, profile: Profile | None) -> tuple[Rule, ...]:
    assert request.baseline is not None  # noqa: S101 - a request without rules has a baseline
    if profile is not None:
        known = {estimate.label for estimate in profile}
    else:
        known = {measure.label for measure in measured(_layout(request.baseline), request.settings)}
    rules = default_rules(layout, request.settings, known)
    if not rules:
        what = "no default rule fits: the data and the baseline share no measure."
        raise SchemaError(message(what, got=layout.sentence, hint="--rules rules.toml"))
    return rules


def _measure(rule: Rule, layout: Layout, settings: Settings) -> Measure | None:
    """The measure of a rule, fitted to the data."""
    if rule.measure is None:
        return None
    try:
        found = plan(replace(settings, measures=(rule.measure,)), layout).measures
    except InputError as error:
        raise SpecError(f"{rule.place}: {error}") from error
    name = rule.measure.partition(":")[0].strip()
    return next(measure for measure in found if measure.about.name == name)


def _check(rule: Rule, measure: Measure, request: GateRequest, layout: Layout, profile: Profile | None) -> None:
    """The labels that a measure reads must be there, on both sides where the rule compares; so must the estimate."""
    sides = [("data", layout)]
    if rule.compares and request.baseline is not None and profile is None:
        base = _layout(request.baseline)
        sides.append(("baseline", base))
        try:
            plan(replace(request.settings, measures=(measure.label,)), base)
        except InputError as error:
            raise SpecError(f"{rule.place}: the baseline: {error}") from error
    for need in measure.statistic().needs:
        label = need.removeprefix("label.")
        for which, there in sides:
            if label != need and label not in there.labels:
                near = nearest(label, there.labels)
                hint = near and f'measure = "label_mean:field={near}"'
                what = f'{rule.place}: the {which} have no label "{label}".' if which == "data" else ""
                what = what or f'{rule.place}: the {which} has no label "{label}".'
                raise SchemaError(message(what, got="labels " + (", ".join(there.labels) or "none"), hint=hint))
    if rule.compares and profile is not None:
        _check_profile(rule, measure, profile)


def _check_profile(rule: Rule, measure: Measure, profile: Profile) -> None:
    """A profile alone knows its own measures at its own sizes, and nothing of parts of its records."""
    hint = "the folder with features.parquet as the baseline"
    if estimate_of(profile, measure) is None:
        labels = [estimate.label for estimate in profile]
        near = nearest(measure.label, labels)
        what = f"{rule.place}: the baseline's profile has no estimate of {measure.label}."
        raise SpecError(message(what, got=f"{len(labels)} others" + (f", {near} too" if near else ""), hint=hint))
    for key, wrong in (("match", rule.match != "records"), ("by", rule.by is not None)):
        if wrong:
            what = f"{rule.place}: {key} needs the records of the baseline, and there is its profile alone."
            raise SpecError(message(what, got=f"{key} = {getattr(rule, key)}", hint=hint))
