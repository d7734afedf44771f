"""What each measure should do in each population, declared before anything is read.

Directions speak of the thing measured, not of the number: +1 better, more diverse or more complex, -1 less, 0 unchanged,
None: no expectation. A measure inherits the row of its axis; `OWN` lists where what a measure says of itself differs.
No parameter of a measure was chosen on these sets; `LABELS` names fields, and sizes that fit texts of fifty tokens.
"""

from __future__ import annotations

from collections.abc import Mapping

from triptych.core.measure import Measure
from triptych.core.registry import lookup, measures

Expected = Mapping[str, int | None]

AXIS: Mapping[str, Expected] = {
    "diversity": {
        "lost modes": -1,
        "exact copies": -1,
        "reworded copies": -1,
        "two sources": 1,
        "padding": 0,
        "word salad": 0,
        "gibberish": 0,
        "swapped responses": 0,
        "size": 0,
        "wrong answers": 0,
        "dedup ladder": 1,
        "too similar rows": -1,
        "large numbers": 0,
        "collapsed answers": -1,
        "answers per prompt": 0,
    },
    "quality": {
        "lost modes": 0,
        "exact copies": 0,
        "reworded copies": 0,
        "two sources": 0,
        "padding": 0,
        "word salad": -1,
        "gibberish": -1,
        "swapped responses": -1,
        "defects": -1,
        "size": 0,
        "wrong answers": -1,
        "steps told": 0,
        "operations": 0,
        "constraints": 0,
        "rejected rows": -1,
        "better system": 1,
        "wrong solutions": -1,
        "people prefer": 1,
        "experts prefer (natural)": 1,
        "experts prefer (adversarial)": 1,
        "collapsed answers": 0,
        "answers per prompt": 0,
        "flipped labels": -1,
        "saturated scores": -1,
    },
    "complexity": {
        "exact copies": 0,
        "reworded copies": 0,
        "padding": 0,
        "word salad": 0,
        "gibberish": 0,
        "swapped responses": 0,
        "size": 0,
        "wrong answers": 0,
        "steps told": 1,
        "operations": 1,
        "constraints": 1,
        "levels": 1,
        "levels (equal length)": 1,
        "large numbers": 1,
        "collapsed answers": 0,
        "answers per prompt": 0,
        "solved prompts": -1,
    },
    # What the student is nearer to: text that says something. Of right and wrong, or more and less, it need not know.
    "fit": {
        "exact copies": 0,
        "word salad": -1,
        "gibberish": -1,
        "swapped responses": -1,
    },
}

_LABELS: Expected = {"wrong answers": None, "word salad": None, "gibberish": None}
_PAIRED: Expected = {**_LABELS, "collapsed answers": None, "longer preferred": -1}
_SOLVED: Expected = {"word salad": None, "gibberish": None, "wrong answers": None, "saturated scores": 0}

OWN: Mapping[str, Expected] = {
    # It is the length: padding is what it counts.
    "tokens": {"padding": 1},
    # A diagnostic of other measures: no population has a right value.
    "length_correlation": dict.fromkeys(AXIS["complexity"]),
    # Weighted by a label that says that garbage and wrong answers are worth nothing.
    "weighted_vendi": {"word salad": -1, "gibberish": -1, "wrong answers": -1, "swapped responses": -1},
    # One kind of defect each: neither wrong nor meaningless text is one, nor an answer to something else.
    "defect_rate": {"wrong answers": None, "word salad": None, "gibberish": None, "swapped responses": None},
    # A second source is not in the reference. These read the responses: whose prompt it was they cannot know.
    "reference_precision": {"two sources": -1, "swapped responses": 0},
    "reference_density": {"two sources": -1, "swapped responses": 0},
    # Rows that hold nothing of the reference cover nothing of it.
    "reference_coverage": {"two sources": -1, "word salad": -1, "gibberish": -1},
    # Novelty beside the reference: what comes of its law is as new as it was, however much of it is lost or repeated.
    "reference_distance": {"lost modes": 0, "exact copies": 0, "reworded copies": 0},
    # Wrong answers of one prompt differ from each other: that is variety.
    **{
        f"per_prompt_{kind}": {"wrong answers": None}
        for kind in ("distance", "distinct_n", "novelty", "structures", "vendi")
    },
    # It says surprise, of which neither more nor less is a better fit; what says nothing surprises.
    "student_surprisal": {"word salad": 1, "gibberish": 1, "swapped responses": 1},
    "label_mean:field=correct": {"flipped labels": 0, "saturated scores": 0},
    "label_mean:field=grade": {"flipped labels": 0, "saturated scores": 0},
    "label_agreement": {**_LABELS, "saturated scores": 0},
    "label_kappa": {**_LABELS, "saturated scores": 0},
    "label_rank_correlation": _LABELS,
    "label_floor_ceiling": {**_LABELS, "flipped labels": 0},
    "preference_margin": _PAIRED,
    "preference_length_bias": {**_PAIRED, "longer preferred": 1, "saturated scores": 0, "flipped labels": None},
    "solve_rate": {**_SOLVED, "solved prompts": 1, "flipped labels": 0},
    "learnability": {**_SOLVED, "flipped labels": 0},
    "zero_signal_share": {**_SOLVED, "flipped labels": 0},
}

LABELS: Mapping[str, tuple[str, ...]] = {
    "compression_ratio": ("compression_ratio:block=1024",),
    "length_adjusted": ("length_adjusted:at=50",),
    "weighted_vendi": ("weighted_vendi:field=correct",),
    "novelsum": ("novelsum", "novelsum:density=reference"),
    "label_mean": ("label_mean:field=correct", "label_mean:field=grade"),
    "label_agreement": ("label_agreement:field=passed,against=correct",),
    "label_kappa": ("label_kappa:field=passed,against=correct",),
    "label_rank_correlation": ("label_rank_correlation:field=grade,against=correct",),
    "label_floor_ceiling": ("label_floor_ceiling:field=grade",),
    "preference_margin": ("preference_margin:field=grade",),
    "solve_rate": ("solve_rate:field=correct",),
    "learnability": ("learnability:field=correct",),
    "zero_signal_share": ("zero_signal_share:field=correct",),
    "calibrated_quality": ("calibrated_quality:field=rating",),
    "calibrated_complexity": ("calibrated_complexity:field=rating",),
}
"""Name to what is asked for, where it is not the parameter sets of the default panel (or the defaults)."""

GROUPED = frozenset(
    "label_mean label_agreement label_kappa label_rank_correlation label_floor_ceiling preference_margin "
    "preference_length_bias solve_rate learnability zero_signal_share".split()
)
"""Read, with those named per_prompt_, on several answers to a prompt with labels."""

ONLY: Mapping[str, tuple[str, ...]] = {
    "code_complexity": ("code", "remarks"),
    "structure_depth": ("steps", "operations"),
}
"""Planted bases on which a measure has a value at all: it reads code, or a field of structures."""

APART: Mapping[str, str] = {
    "judge.": "it asks a judge about each record: read with --judge",
    "reward.": "it asks a reward model about each record: read with --reward",
    "student.": "it reads the student that is to be trained: read with --student",
    "lm.": "it asks a language model about each record: read with --lm",
    "gradients.": "it asks a language model about each record: read with --lm",
}
"""Beginnings of columns whose measures are left out, and why; those of `OPENED` are not where their model is named."""

OPENED: Mapping[str, tuple[str, ...]] = {
    "judge": ("judge.",),
    "lm": ("lm.", "gradients."),
    "student": ("student.",),
    "reward": ("reward.",),
}
"""Option that names a model to the beginnings of columns that it makes."""

REFERENCE = {"diversity": "lost modes", "quality": "defects", "complexity": "steps told", "fit": "swapped responses"}
"""The effect beside which all others of an axis are put."""


def labels_of(name: str) -> tuple[str, ...]:
    """What is asked for under the name of a measure."""
    if name in LABELS:
        return LABELS[name]
    return tuple(
        name + (":" + ",".join(f"{key}={_text(value)}" for key, value in params.items()) if params else "")
        for params in lookup(name).about.panel or ({},)
    )


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def grouped(name: str) -> bool:
    """Whether it is read on several answers to a prompt."""
    return name in GROUPED or name.startswith("per_prompt_")


def expected(measure: Measure, population: str) -> int | None:
    """Which way the thing that the measure is about goes."""
    name = measure.about.name
    own = {**OWN.get(name, {}), **OWN.get(measure.label, {})}
    return own[population] if population in own else AXIS.get(measure.about.axis, {}).get(population)


def sign(measure: Measure) -> int:
    """+1 where a higher number says more of the thing, else -1."""
    return -1 if measure.about.better == "lower" else 1


def known() -> list[str]:
    """Names of all measures."""
    return list(measures())
