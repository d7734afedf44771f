"""Warnings of a profile, in plain words: what the numbers do not say by themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from triptych.core.estimate import Estimate
from triptych.language.gradients import WIDTH
from triptych.profiling.beside import REPEATED_RESPONSES

SMALL = 500
REPEATED = 0.3
CONSTANT = 0.5
SATURATED = 0.98
INVALID = 0.9
LENGTH_DRIVEN = 0.8
SHORT = 10
FEW = 10
UNKNOWN = 0.05
COVERED = 0.9
GRADIENTS = WIDTH * 8 // 7 + 1
"""Records of which seven of the eight folds hold more gradients than a gradient has numbers."""


def warnings(
    estimates: Sequence[Estimate], details: Mapping[str, Any], dataset: Mapping[str, Any]
) -> tuple[dict[str, str], ...]:
    """Warnings that the estimates call for.

    Args:
        estimates: of one data set.
        details: its histograms, defects and offenders.
        dataset: its description in the profile (records measured, rows skipped, tokens).
    """
    records = int(dataset["measured"])
    found = _of_dataset(dataset)
    for annotation in details.get("annotations", ()):  # before all that is told of every set
        found += _of_annotation(annotation)
    for held in details.get("contamination", {}).get("benchmarks", ()):
        found += _of_benchmark(held)
    for estimate in estimates:
        found += _of(estimate)
    found += _constant(details, records) + _short(estimates)
    return tuple({"code": code, "text": text} for code, text in found)


def _of_dataset(dataset: Mapping[str, Any]) -> list[tuple[str, str]]:
    found = []
    records, skipped = int(dataset["measured"]), int(dataset["skipped"])
    if skipped:
        rows = "1 row" if skipped == 1 else f"{skipped:,} rows"
        found.append(("skipped", f"{rows} could not be read and skipped; no number includes them."))
    if records < SMALL:
        only = "Only 1 record" if records == 1 else f"Only {records:,} records"
        found.append(("too_small", f"{only}: intervals are wide or missing, and diversity grows with set size."))
    unknown = int(dataset["unknown_tokens"]) / max(int(dataset["tokens"]), 1)
    if unknown > UNKNOWN:
        text = f"The tokenizer does not know {unknown:.2f} of the tokens (its vocabulary is English): name another one."
        found.append(("unknown_tokens", text))
    return found


def _of(estimate: Estimate) -> list[tuple[str, str]]:
    value, name = estimate.value, estimate.measure
    if value is None:
        return []
    if name in ("exact_duplicate_rate", "near_duplicate_rate") and value > REPEATED:
        kind = "exact copies" if name.startswith("exact") else "near-duplicates"
        return [
            ("mostly_duplicates", f"{value:.2f} of the records are {kind} of others: the set is smaller than it looks.")
        ]
    if name == "valid_share" and value < INVALID:
        return [("defects", f"{1 - value:.2f} of the records have a defect: read diversity on valid records only.")]
    if name == "label_mean" and (value >= SATURATED or value <= 1 - SATURATED) and estimate.interval.se is not None:
        field = estimate.spec.params.get("field")
        if 0 <= value <= 1:
            return [
                ("saturated_label", f'The label "{field}" is saturated at {value:.3f}: it can hardly tell sets apart.')
            ]
    if name == "grace" and estimate.n < GRADIENTS:
        text = (
            f"GRACE rests on {estimate.n:,} gradients of {WIDTH} numbers: with fewer than {GRADIENTS:,} the inverse is made "
            "mostly by its smoothing, and the value falls steeply with every record. Compare only at equal numbers."
        )
        return [("few_gradients", text)]
    if name == "length_correlation" and abs(value) > LENGTH_DRIVEN:
        of = str(estimate.spec.params.get("of")).replace("_", " ")
        return [("length_driven", f"{of} mostly reads length here (rank correlation {value:.2f}).")]
    return []


def _of_annotation(annotation: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What a model that was asked about each record could not say."""
    found = []
    title, failed = annotation["title"], annotation["failed"]
    if failed:
        reasons = "; ".join(f"{reason}: {count:,}" for reason, count in list(failed.items())[:3])
        more = f"; and {len(failed) - 3} other reasons" if len(failed) > 3 else ""
        many = sum(failed.values())
        none = f"{many:,} of {annotation['sampled']:,} {'record has' if many == 1 else 'records have'} no value"
        off = " They are left out: where they are unlike the others, the number is off."
        text = f"{title}: {none} ({reasons}{more}).{off if annotation['scored'] else ' There is no number.'}"
        found.append(("unscored", text))
    for name, told in annotation["means"].items():
        if name.endswith("_mass") and told["mean"] is not None and told["mean"] < COVERED:
            text = (
                f"{title}: the six grades hold only {told['mean']:.2f} of the model's probability on average: it would "
                "rather say something else, and its expected grade says little."
            )
            found.append(("low_mass", text))
        if name.endswith(".cut") and told["mean"]:
            text = (
                f"{title}: {round(told['mean'] * told['n']):,} of {told['n']:,} contents are longer than what the model was "
                "shown: their responses were read without their ends, or without the beginning of their prompts."
            )
            found.append(("cut", text))
    return found


def _of_benchmark(held: Mapping[str, Any]) -> list[tuple[str, str]]:
    """That records hold text of a benchmark."""
    if not held["hits"]:
        return []
    which = "1 record holds" if held["hits"] == 1 else f"{held['hits']:,} records hold"
    return [
        ("contamination", f"{which} text of {held['name']}: a score on it says less of a model trained on this set.")
    ]


def _constant(details: Mapping[str, Any], records: int) -> list[tuple[str, str]]:
    for offender in details.get("offenders", ()):
        if offender["title"] == REPEATED_RESPONSES and offender["items"]:
            count = offender["items"][0]["count"]
            if records >= FEW and count > CONSTANT * records:
                return [
                    (
                        "constant_answer",
                        f"One response stands in {count:,} of {records:,} records: one constant answer.",
                    )
                ]
    return []


def _short(estimates: Sequence[Estimate]) -> list[tuple[str, str]]:
    lengths = [e.value for e in estimates if e.measure == "tokens" and e.spec.params.get("on") == "response"]
    if lengths and lengths[0] is not None and lengths[0] < SHORT:
        text = f"Responses have {lengths[0]:.1f} tokens on average: their diversity says little; ask for on=prompt as well."
        return [("short_responses", text)]
    return []
