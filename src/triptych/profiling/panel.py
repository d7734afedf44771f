"""Which measures a run reads: the ones asked for, or the default panel fitted to the layout of the data."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from triptych.core.dear import PAIR, maker_of
from triptych.core.errors import SpecError, message, nearest
from triptych.core.measure import AXES, Measure, build
from triptych.core.registry import lookup, measures, parse
from triptych.data import Layout
from triptych.features.tokens import DEFAULT, load_tokenizer
from triptych.profiling.settings import Settings


@dataclass(frozen=True)
class Panel:
    """The measures of a run, and those that a screen shows first."""

    measures: tuple[Measure, ...]
    headlines: frozenset[str]


def plan(settings: Settings, layout: Layout) -> Panel:
    """The panel for a data set.

    Raises:
        SpecError: a request that names no measure, or a text that the data do not have.
    """
    if settings.measures:
        chosen = [_fit(measure, _given(measure), settings, layout) for measure in parse(settings.measures)]
        _check_texts(chosen, layout)
    else:
        chosen = [_fit(build(cls, p), set(p), settings, layout) for cls in measures().values() for p in cls.about.panel]
        chosen += [
            build(lookup("label_mean"), {"field": name}) for name in layout.labels if not _balanced(name, layout)
        ]
        chosen = [measure for measure in chosen if _applies(measure, layout) and _affordable(measure, settings)]
    chosen += [companion for measure in chosen if (companion := _companion(measure, layout))]
    chosen.sort(key=lambda measure: AXES.index(measure.about.axis))
    return Panel(
        tuple({measure.spec.hash: measure for measure in chosen}.values()), _headlines(chosen, settings, layout)
    )


def _given(measure: Measure) -> set[str]:
    return {f.name for f in dataclasses.fields(measure) if getattr(measure, f.name) != f.default}  # type: ignore[arg-type]


def _fit(measure: Measure, given: set[str], settings: Settings, layout: Layout) -> Measure:
    """Fill in what the user left open: the text there is, valid records only, the tokenizer's vocabulary."""
    names = {f.name for f in dataclasses.fields(measure)}  # type: ignore[arg-type]
    changes: dict[str, Any] = {}
    if "on" in names and "on" not in given:
        only = "response" if layout.has_response else "prompt"
        have = {"prompt": layout.has_prompt, "response": layout.has_response}
        wanted = getattr(measure, "on")  # noqa: B009 - known to be there
        if (wanted == "both" and not all(have.values())) or (wanted != "both" and not have[wanted]):
            changes["on"] = only
    if "valid_only" in names and "valid_only" not in given and settings.valid_only:
        changes["valid_only"] = True
    if "vocabulary" in names and "vocabulary" not in given and settings.tokenizer != DEFAULT:
        changes["vocabulary"] = load_tokenizer(settings.tokenizer).get_vocab_size()
    return dataclasses.replace(measure, **changes) if changes else measure  # type: ignore[type-var]


def _applies(measure: Measure, layout: Layout) -> bool:
    """Whether a measure of the default panel says anything here: some need a prompt, some responses to one, some pairs."""
    if measure.about.name.startswith("per_prompt_") and not (layout.has_prompt and layout.has_response):
        return False
    if PAIR in measure.statistic().needs and layout.kind != "preference":
        return False
    return layout.has_prompt or not any(need.endswith("@prompt") for need in measure.statistic().needs)


def _affordable(measure: Measure, settings: Settings) -> bool:
    """Whether the models and the reference that a measure of the default panel reads are named."""
    needs = measure.statistic().needs
    if settings.reference is None and any(need.startswith("reference_") for need in needs):
        return False
    makers = [maker for need in needs if (maker := maker_of(need))]
    return all(settings.model_of(maker) is not None for maker in makers)


def _balanced(label: str, layout: Layout) -> bool:
    """Whether a label says nothing about the set: of chosen and rejected, half are preferred by construction."""
    return layout.kind == "preference" and label == "preference"


def _check_texts(chosen: Iterable[Measure], layout: Layout) -> None:
    for measure in chosen:
        for name, there in (("prompt", layout.has_prompt), ("response", layout.has_response)):
            needs = measure.statistic().needs
            if not there and any(need == name or need.endswith((f"@{name}", "@both")) for need in needs):
                raise SpecError(
                    message(
                        f"{measure.label}: the records have no {name}.", got=layout.sentence, hint=f"--map {name}=FIELD"
                    )
                )


def check_labels(chosen: Iterable[Measure], layout: Layout) -> None:
    """Whether every field of labels that is read is one that was found.

    Raises:
        SpecError: one is not; the message names the nearest.
    """
    for measure in chosen:
        for need in measure.statistic().needs:
            name = need.removeprefix("label.")
            if need != name and name not in layout.labels:
                got, near = ", ".join(layout.labels) or "no field of labels", nearest(name, layout.labels)
                want = f'a field of numbers or verdicts named "{name}"'
                raise SpecError(message(f"{measure.label}: no such label.", got=got, want=want, hint=near))


def _companion(measure: Measure, layout: Layout) -> Measure | None:
    """The rank correlation with length that is shown beside a complexity measure.

    A dear column is of the record: which text's length goes with it is told by the measure and not by what helps its mean.
    """
    column = measure.about.length
    if column is None:
        return None
    base, _, fixed = column.partition("@")
    on = fixed if maker_of(base) else getattr(measure, "on", fixed or "response")
    if maker_of(base) and not (layout.has_prompt if on == "prompt" else layout.has_response):
        on = "prompt" if on == "response" else "response"
    return build(lookup("length_correlation"), {"of": base, "on": on})


def _headlines(chosen: list[Measure], settings: Settings, layout: Layout) -> frozenset[str]:
    """Headlines among the chosen measures; with none of them asked for, the first one of each axis."""
    wanted = {
        _fit(build(type(m), params), set(params), settings, layout).spec.hash
        for m in chosen
        for params in m.about.headline
    }
    labels = [m for m in chosen if m.about.name == "label_mean"]
    if labels:
        wanted -= {m.spec.hash for m in chosen if m.about.axis == "quality"}
        wanted.add(labels[0].spec.hash)
    for axis in AXES:
        own = [m for m in chosen if m.about.axis == axis and m.about.name != "length_correlation"]
        if own and not wanted & {m.spec.hash for m in own}:
            wanted.add(own[0].spec.hash)
    return frozenset(wanted & {m.spec.hash for m in chosen})
