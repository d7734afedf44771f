"""Small populations for measures that ask a model about each record: some dozens of records, one replicate.

The planted ones are those of `planted.py`, the natural ones the first pairs of those of `natural.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from natural import EXPERIMENTS, Experiment
from planted import MANIPULATIONS, SEVERAL, order, texts

Row = dict[str, Any]

SCORED = ("surprisal", "ifd", "fluency", "misfit_rate")
GRADIENTS = ("g_vendi",)
FIT = ("student_surprisal", "rsr")
HELD_OUT = ("grace",)
REWARDED = ("reward_mean",)
GRADED, DEMAND = ("judge_mean",), ("judge_complexity",)
CALIBRATED = ("calibrated_quality", "calibrated_complexity")
PREFERRED = ("judge_preference",)
RECORDS, FEW = 80, 40
"""Records of a set that is scored, and of one of which gradients are taken: these cost about four times as much."""
WHOLE = 512
"""Records of a set that GRACE reads, which is mostly its smoothing while the others are fewer than the 512 numbers of a gradient."""
PAIRS = 100
"""Pairs of the adversarial kind, drawn from all of them, since the file has them by kind."""
JUDGED, FEWER = 60, 24
"""Records of a set whose tasks a judge is asked about, and of natural sets and pairs of responses; of others it is `FEW`."""


def planted(name: str, doses: tuple[float, ...], n: int = RECORDS, rated: str = "") -> Experiment:
    """A planted manipulation at some of its doses, on so many records.

    Args:
        name: of the manipulation.
        doses: the first is the base.
        n: records of a set.
        rated: field that is the rating of three records in four, at random; "dose": the dose, one too low or too high in two
            of three records; "": they have none.
    """
    one = next(each for each in MANIPULATIONS if each.name == name and each.base not in SEVERAL and not each.only)

    def make(_: Path) -> dict[Any, list[Row]]:
        made = {
            dose: [{**row, "dose": dose + at % 3 - 1} for at, row in enumerate(one.make(dose, 0, n))] for dose in doses
        }
        return {dose: _keyed(rows, one.paired, rated) for dose, rows in made.items()}

    return Experiment(name, one.words, "", make, one.paired)


def _keyed(rows: list[Row], paired: bool, rated: str) -> list[Row]:
    """Rows without labels, but for the rating of three in four; those that come from each other share a key."""
    known = set(order(len(rows), 0, "rated")[: 3 * len(rows) // 4])
    out = []
    for at, row in enumerate(rows):
        own = {key: row[key] for key in ("prompt", "response")} | ({"prompt_id": at} if paired else {})
        out.append(own | ({"rating": row[rated] if at in known else None} if rated else {}))
    return out


def _named(name: str) -> Experiment:
    return next(each for each in EXPERIMENTS if each.name == name)


def natural(name: str, n: int, parts: tuple[str, ...] = (), *, drawn: bool = False) -> Experiment:
    """So many pairs of a natural experiment, the first ones or drawn at random; of all its sets or of some."""
    one = _named(name)
    return replace(one, make=_drawn(one.make, n) if drawn else _first(one.make, n, parts))


def _first(
    make: Callable[[Path], dict[str, list[Row]]], n: int, parts: tuple[str, ...]
) -> Callable[[Path], dict[str, list[Row]]]:
    return lambda folder: {part: rows[:n] for part, rows in make(folder).items() if not parts or part in parts}


def _drawn(make: Callable[[Path], dict[str, list[Row]]], n: int) -> Callable[[Path], dict[str, list[Row]]]:
    return lambda folder: {part: _some(rows, n) for part, rows in make(folder).items()}


def preferences(*, read: bool, n: int) -> Callable[[Path], dict[str, list[Row]]]:
    """So many pairs of "people prefer" at random: of a third of the prompts, or of the others, on which a reward model is fitted."""

    def make(folder: Path) -> dict[str, list[Row]]:
        made = _named("people prefer").make(folder)
        prompts = sorted({row["prompt"] for row in next(iter(made.values()))})
        held = {prompts[at] for at in order(len(prompts), 0, "prompts")[: len(prompts) // 3]}
        return {part: _some([row for row in rows if (row["prompt"] in held) == read], n) for part, rows in made.items()}

    return make


def _some(rows: list[Row], n: int) -> list[Row]:
    """So many at random, in their order; the same places of sets of equal length."""
    return [rows[at] for at in sorted(order(len(rows), 0, "pairs")[:n])]


def flipped(doses: tuple[float, ...], n: int) -> Experiment:
    """Pairs of a right answer and words in no order, of which a share prefers the words."""

    def make(_: Path) -> dict[Any, list[Row]]:
        right = [text.row() for text in texts(n, 0, "base")]
        salad = next(each for each in MANIPULATIONS if each.name == "word salad").make(1.0, 0, n)
        ranked = order(n, 0, "flipped")
        out = {}
        for dose in doses:
            turned = set(ranked[: round(dose * n)])
            sides = [(a["response"], b["response"]) for a, b in zip(right, salad, strict=True)]
            sides = [pair[::-1] if at in turned else pair for at, pair in enumerate(sides)]
            out[dose] = [
                {"prompt": row["prompt"], "chosen": chosen, "rejected": rejected, "prompt_id": at}
                for at, (row, (chosen, rejected)) in enumerate(zip(right, sides, strict=True))
            ]
        return out

    return Experiment("flipped labels", "a share of the preferences says the opposite", "", make)


ASKED: tuple[tuple[Experiment, tuple[str, ...]], ...] = (
    (planted("exact copies", (0.0, 0.1, 0.3, 0.6)), SCORED),
    (planted("word salad", (0.0, 0.1, 0.3, 0.5)), SCORED),
    (planted("swapped responses", (0.0, 0.1, 0.3, 0.6)), SCORED),
    (planted("wrong answers", (0.0, 0.1, 0.3, 0.6)), SCORED),
    (natural("wrong solutions", 50), SCORED),
    (natural("experts prefer (natural)", 50), SCORED),
    (natural("experts prefer (adversarial)", PAIRS, drawn=True), SCORED),
    (planted("gibberish", (0.0, 0.1, 0.3)), SCORED),
    (planted("padding", (1.0, 1.5)), SCORED),
    (planted("exact copies", (0.0, 0.1, 0.3, 0.6), FEW), GRADIENTS),
    (planted("lost modes", (42, 5), FEW), GRADIENTS),
    (planted("word salad", (0.0, 0.1, 0.3, 0.5), FEW), GRADIENTS),
    (planted("steps told", (2, 8), 40), SCORED),
    (planted("exact copies", (0.0, 0.6)), FIT),
    (planted("word salad", (0.0, 0.5)), FIT),
    (planted("gibberish", (0.0, 0.5)), FIT),
    (planted("swapped responses", (0.0, 0.6)), FIT),
    (planted("wrong answers", (0.0, 0.6)), FIT),
    (planted("padding", (1.0, 1.5)), FIT),
    (planted("steps told", (2, 8), 40), FIT),
    (natural("wrong solutions", 50), FIT),
    (planted("exact copies", (0.0, 0.1, 0.3, 0.6), WHOLE), HELD_OUT),
    (planted("word salad", (0.0, 0.3), WHOLE), HELD_OUT),
    (planted("swapped responses", (0.0, 0.3), WHOLE), HELD_OUT),
    (planted("exact copies", (0.0, 0.6)), REWARDED),
    (planted("word salad", (0.0, 0.1, 0.3, 0.5)), REWARDED),
    (planted("gibberish", (0.0, 0.1, 0.3)), REWARDED),
    (planted("swapped responses", (0.0, 0.1, 0.3, 0.6)), REWARDED),
    (planted("wrong answers", (0.0, 0.1, 0.3, 0.6)), REWARDED),
    (planted("defects", (0.0, 0.06, 0.18, 0.36)), REWARDED),
    (planted("padding", (1.0, 1.5)), REWARDED),
    (planted("steps told", (2, 8), 40), REWARDED),
    (natural("wrong solutions", 50), REWARDED),
    (replace(_named("people prefer"), make=preferences(read=True, n=50)), REWARDED),
    (natural("experts prefer (natural)", 50), REWARDED),
    (natural("experts prefer (adversarial)", 50, drawn=True), REWARDED),
    (planted("exact copies", (0.0, 0.6), JUDGED), DEMAND),
    (planted("constraints", (0, 4), JUDGED), DEMAND),
    (planted("steps told", (2, 8), FEW), DEMAND),
    (planted("steps told", (2, 8), FEW, "dose"), CALIBRATED[1:]),
    (natural("levels", FEW, ("0", "5")), DEMAND),
    (planted("padding", (1.0, 1.5), JUDGED), DEMAND),
    (flipped((0.0, 0.5), FEWER), PREFERRED),
    (planted("exact copies", (0.0, 0.6), FEW), GRADED),
    (planted("word salad", (0.0, 0.5), FEW), GRADED),
    (planted("word salad", (0.0, 0.5), FEW, "correct"), CALIBRATED[:1]),
    (planted("wrong answers", (0.0, 0.6), FEW), GRADED),
    (planted("wrong answers", (0.0, 0.6), FEW, "correct"), CALIBRATED[:1]),
    (planted("defects", (0.0, 0.36), FEW), GRADED),
    (planted("padding", (1.0, 1.5), FEW), GRADED),
    (natural("experts prefer (natural)", JUDGED), GRADED),
    (natural("experts prefer (adversarial)", FEWER), GRADED),
)  # fmt: skip
"""Populations, and the measures that are read on them."""
