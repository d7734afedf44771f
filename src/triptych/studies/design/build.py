"""`triptych design`: a pool into `design.json` and `arms/NAME.jsonl`."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from triptych.core.errors import ReadError, SpecError, message
from triptych.core.profile import write_json
from triptych.data import Dataset
from triptych.profiling.bench import Bench
from triptych.selecting.sourcerows import verbatim
from triptych.studies.design.balance import ASKED, Arm, condition_number, overlap, table
from triptych.studies.design.diversity import TFIDF, diversity
from triptych.studies.design.levels import Request
from triptych.studies.design.make import ALL_EQUAL, Made, Maker
from triptych.studies.design.points import aliases, points_of
from triptych.studies.design.pool import Pool, read_pool
from triptych.studies.design.problems import Setup, given_levels, reads_length, setup
from triptych.studies.design.search import Search

SCHEMA = "triptych/design@1"
OWN = frozenset({"design.json"})
ARMS = "arms"
SEPARATED = 0.1


@dataclass(frozen=True)
class Built:
    """A design before it is written: the document, and which records stand in which arm."""

    document: dict[str, Any]
    arms: tuple[Arm, ...]
    pool: Pool


def build(source: object, dataset: Dataset, bench: Bench, request: Request) -> Built:
    """Make a design.

    Args:
        source: what the data set was opened from.
        dataset: the pool.
        bench: what to work with.
        request: what is asked.

    Raises:
        InputError: the pool does not fit or does not separate the levels; the message says what would do.
    """
    started = time.perf_counter()
    names = [factor.name for factor in request.factors]
    base = points_of(request.points, names, request.seed)
    points = (*base, *(dict.fromkeys(names, 0) for _ in range(request.centre)))
    pool = read_pool(source, dataset, bench, request)
    warnings = [{"code": "left_out", "text": f"{n:,} records are left out: {why}."} for why, n in pool.left_out.items()]
    pool, repeated = _uncapped(pool, request)
    warnings += repeated
    plan = setup(pool, request, points)
    given_levels(plan)
    with bench.progress.stage("clusters and blocks", unit="kinds", total=len(plan.kinds.sizes)) as stage:
        maker = Maker(plan, Search(bench.engine, bench.progress, request.seed))
        stage.advance(len(plan.kinds.sizes))
    designs, said = _designs(maker, plan, request)
    warnings += said
    beside = maker.beside()
    arms = (*(arm for design in designs for arm in design.arms), *beside)
    measured = diversity(pool, arms, bench)
    document = _document(plan, designs, beside, measured)
    document["points"] = len(base)
    document["power"] = _power(request, len(base))
    if base and (confounded := aliases(base)):
        text = "These points cannot tell apart " + "; ".join(confounded) + "."
        warnings.append({"code": "aliases", "text": text})
    document["warnings"] = warnings + _warnings(document, plan, maker)
    document["provenance"] = bench.provenance(time.perf_counter() - started)
    return Built(document, arms, pool)


def _uncapped(pool: Pool, request: Request) -> tuple[Pool, list[dict[str, str]]]:
    """Where there are fewer prompts than an arm has records, no prompt is held to one record."""
    shared = pool.prompts >= 0
    different = len(np.unique(pool.prompts[shared])) + int((~shared).sum())
    budget = request.budget
    wanted = budget.number if budget.unit == "records" else budget.number / float(pool.tokens.mean())
    if different >= wanted or len(pool) < wanted:
        return pool, []
    text = f"The pool has {different:,} prompts: an arm holds several answers to a prompt."
    return replace(pool, prompts=np.full(len(pool), -1)), [{"code": "repeated_prompts", "text": text}]


def _designs(maker: Maker, plan: Setup, request: Request) -> tuple[list[Made], list[dict[str, str]]]:
    """One design, or two where complexity is length: equal records, and equal tokens."""
    if request.equal:
        return [maker.made(request.equal)], []
    if not reads_length(plan):
        try:
            return [maker.made(ALL_EQUAL)], []
        except SpecError as error:
            if "C" not in plan.columns or not any(f"binds: {limit}" in str(error) for limit in ("length", "tokens")):
                raise
            why = f"Length cannot be held equal while complexity moves ({' '.join(str(error).split())})"
    else:
        why = "Complexity is length here"
    text = f"{why}: two designs, equal records and equal tokens. Read them apart."
    made = [maker.made(("records",), "records-"), maker.made(("tokens",), "tokens-")]
    return made, [{"code": "complexity_is_length", "text": text}]


def _document(
    plan: Setup, designs: Sequence[Made], beside: Sequence[Arm], measured: Sequence[Mapping[str, float]]
) -> dict[str, Any]:
    pool, request = plan.pool, plan.request
    everything = [*(arm for design in designs for arm in design.arms), *beside]
    read = dict(zip([arm.name for arm in everything], measured, strict=True))
    parts = [_part(plan, design, read) for design in designs]
    first = parts[0]
    summary = pool.dataset.summary
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "pool": {
            "name": pool.dataset.name,
            "path": pool.dataset.path,
            "sha256": summary.sha256 if summary else None,
            "records": len(pool.store),
            "usable": len(pool),
            "tokens": int(pool.tokens.sum()),
            "kinds": len(plan.kinds.sizes),
            "detected": pool.dataset.layout.sentence,
            "embedded": pool.on,
        },
        "kind": {"full": "factorial"}.get(request.points, request.points.partition(":")[0]),
        "equal": list(dict.fromkeys(name for design in designs for name in design.equal)),
        "budget": {"number": request.budget.number, "unit": request.budget.unit},
        "blocks": request.blocks,
        "draws": request.draws,
        "factors": first["factors"],
        "arms": [_arm(pool, arm, read[arm.name]) for arm in everything],
        "balance": first["balance"],
        "diversity": [{"arm": arm.name, **_diversity(read[arm.name])} for arm in everything],
        "overlap": first["overlap"],
        "condition_number": first["condition_number"],
        "gap": first["gap"],
        "binding": None,
    }
    if len(parts) > 1:
        document["designs"] = parts
    return document


def _part(plan: Setup, design: Made, read: Mapping[str, Mapping[str, float]]) -> dict[str, Any]:
    """What is told of one design: levels, balance, overlap, condition number."""
    pool = plan.pool
    factors = {}
    for factor in plan.request.factors:
        levels = [_reached(plan, design.arms, factor.name, code, read) for code in (-1, 1)]
        asked = None
        if factor.name != "D" and factor.name in (given := given_levels(plan)):
            mean, sd = pool.factors[factor.name].mean(), pool.factors[factor.name].std()
            middle, half = given[factor.name]
            asked = [float(mean + ((middle or 0.0) + sign * half) * sd) for sign in (-1, 1)]
        unit = "log effective records" if factor.name == "D" else "mean of the field"
        field = pool.labels.get(factor.name, factor.source)
        factors[factor.name] = {
            "field": factor.source,
            "label": field,
            "levels": asked,
            "reached": levels,
            "unit": unit,
        }
    names = [factor.name for factor in plan.request.factors]
    matrix = np.array([[_value(plan, arm, name, read) for name in names] for arm in design.arms])
    for block in {arm.block for arm in design.arms}:
        inside = np.array([arm.block == block for arm in design.arms])
        matrix[inside] -= matrix[inside].mean(axis=0)
    return {
        "title": design.title,
        "equal": list(design.equal),
        "arms": [arm.name for arm in design.arms],
        "factors": factors,
        "gap": {"taken": design.gap, "largest": list(design.widest), "unit": "SDs of the pool"},
        "balance": table(pool, design.arms, design.equal),
        "overlap": overlap(design.arms),
        "condition_number": condition_number(matrix),
    }


def _value(plan: Setup, arm: Arm, factor: str, read: Mapping[str, Mapping[str, float]]) -> float:
    """The level that an arm reached: the mean of the factor, or the log of the Vendi score of the embedding."""
    if factor == "D":
        return float(np.log(read[arm.name][_vendi(plan.pool)]))
    return float(plan.pool.factors[factor][arm.chosen].mean())


def _vendi(pool: Pool) -> str:
    return "vendi" if pool.on == "response" else f"vendi:on={pool.on}"


def _reached(
    plan: Setup, arms: Sequence[Arm], factor: str, code: int, read: Mapping[str, Mapping[str, float]]
) -> float | None:
    values = [_value(plan, arm, factor, read) for arm in arms if arm.codes[factor] == code]
    return float(np.mean(values)) if values else None


def _arm(pool: Pool, arm: Arm, measured: Mapping[str, float]) -> dict[str, Any]:
    means = {pool.labels[name]: float(values[arm.chosen].mean()) for name, values in pool.factors.items()}
    return {
        "name": arm.name,
        "levels": dict(arm.codes),
        "block": arm.block,
        "data_seed": arm.draw,
        "file": f"{ARMS}/{arm.name}.jsonl",
        "records": len(arm.chosen),
        "tokens": int(pool.tokens[arm.chosen].sum()),
        "measured": {**measured, **means},
    }


def _diversity(measured: Mapping[str, float]) -> dict[str, float]:
    wanted = ("vendi", "effective_structures", "distinct_n", TFIDF)
    return {label: value for label, value in measured.items() if label.startswith(wanted)}


def _warnings(document: Mapping[str, Any], plan: Setup, maker: Maker) -> list[dict[str, str]]:
    """What the numbers do not say by themselves."""
    out = []
    parts = document.get("designs") or [document]
    for part in parts:
        for row in part["balance"]:
            if row["asked"] and row["smd"] >= ASKED:
                text = f"{row['variable']} differs by {row['smd']:.2f} SDs ({row['worst']}): under {ASKED:g} was asked."
                out.append({"code": "unbalanced", "text": text})
        reached = part["factors"].get("D", {}).get("reached")
        if reached and None not in reached and reached[1] - reached[0] < SEPARATED:
            text = f"Diversity hardly separates: log Vendi {reached[0]:.2f} low, {reached[1]:.2f} high."
            out.append({"code": "narrow_diversity", "text": text})
    used = [set(block.low.tolist()) for block in maker.blocks]
    if "D" in plan.points[0]:
        if len(used) != len(set().union(*used)) and sum(map(len, used)) > len(set().union(*used)):
            out.append(
                {"code": "blocks_overlap", "text": "Low-diversity blocks share kinds of record: the pool has few."}
            )
        if len(used) < 3:
            text = "One low-diversity arm is one topic: with fewer than 3 blocks an effect of D may be that of a topic."
            out.append({"code": "few_blocks", "text": text})
    return out


def _power(request: Request, arms: int) -> list[dict[str, Any]]:
    """Minimal detectable effects of these arms from the noise of a pilot, for 1, 3 and 5 training seeds in each arm."""
    if request.pilot is None:
        return []
    from triptych.studies.power import minimal_effects  # noqa: PLC0415 - only with a pilot
    from triptych.studies.runs import RunLog, run_table  # noqa: PLC0415

    runs = [run for run in RunLog(Path(request.pilot)).read().values() if run.status == "done" and run.levels]
    if not runs:
        raise ReadError(message(f"{request.pilot}: the pilot has no finished run.", want="runs.jsonl of a study"))
    shown = run_table(runs, [name for name in runs[0].levels if all(name in run.levels for run in runs)])
    cells = request.blocks * request.draws
    return [
        {"seeds": seeds, **entry}
        for seeds in (1, 3, 5)
        if arms > 1 and cells * seeds > 1
        for entry in minimal_effects(shown, arms, cells * seeds)
    ]


def save(built: Built, source: object, folder: Path) -> None:
    """Write `arms/NAME.jsonl`, the rows as they stand in the source and in its order, then `design.json`.

    An earlier design's arms are replaced as a whole.
    """
    union = np.unique(np.concatenate([arm.chosen for arm in built.arms]))
    lines = verbatim(source, built.pool.dataset.options, built.pool.addresses(union))
    fresh = Path(tempfile.mkdtemp(dir=folder, prefix=".arms.", suffix=".part"))
    try:
        for arm in built.arms:
            places = np.searchsorted(union, arm.chosen)
            (fresh / f"{arm.name}.jsonl").write_bytes(b"".join(lines[at] + b"\n" for at in places))
        fresh.chmod(0o755)
        if (folder / ARMS).exists():
            shutil.rmtree(folder / ARMS)
        os.replace(fresh, folder / ARMS)  # noqa: PTH105 - Path.replace refuses folders on some systems
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    write_json(folder / "design.json", built.document)
