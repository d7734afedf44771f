"""What every measure sees and what misleads it: `python benchmarks/validity/run.py [--only NAME] [--measure NAME]`

Every measure of the registry that costs no model call is read on populations whose truth is known: planted ones, made here
(`planted.py`), and, where TRIPTYCH_DATA names the folder of the data sets, natural ones (`natural.py`). With `--lm`, `--student`,
`--reward` or `--judge` those that ask that model are read too, on small ones (`models.py`). What each should do was written down first
(`expectations.py`). Writes `result.json` and the tables of README.md; a part of the bench only with `--merge`.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parent))
from equipment import equipped, reads_reference
from expectations import APART, ONLY, OPENED, REFERENCE, expected, grouped, known, labels_of
from harness import COMMIT, MACHINE, packages
from models import ASKED
from natural import EXPERIMENTS, Experiment
from planted import FRESH, MANIPULATIONS, SEVERAL, Manipulation
from reading import CERTAIN, Found, differences, fitted, judged, pooled, side
from tables import write_tables
from words import small, verdicts

from triptych.comparing.reading import Memory
from triptych.comparing.sides import Side
from triptych.core.dear import maker_of
from triptych.core.errors import TriptychError
from triptych.core.measure import Measure
from triptych.core.profile import write_text
from triptych.core.registry import parse
from triptych.engines.progress import Progress
from triptych.profiling.bench import Bench, open_bench
from triptych.profiling.settings import Settings

HERE = Path(__file__).parent
RESULT = HERE / "result.json"
REPLICATES = 2
SLOW = frozenset({"facility_coverage"})
"""Read in one replicate: some seconds a set."""


Models = tuple[tuple[str, str], ...]
"""Options that name models, with what they name: (("lm", "smollm2"),)."""


def asked(only: Sequence[str] = (), models: Models = ()) -> tuple[dict[str, Measure], dict[str, str]]:
    """Label to measure for all that can be read, and name to reason for those that are left out."""
    chosen, left = {}, {}
    open_now = {start for option, _ in models for start in OPENED[option]}
    for name in known():
        if only and name not in only:
            continue
        try:
            made = [parse([label])[0] for label in labels_of(name)]
            needs = {need for measure in made for need in measure.statistic().needs}
        except (TriptychError, ValueError) as error:
            left[name] = str(error).partition("\n")[0]
            continue
        apart = {start: why for start, why in APART.items() if start not in open_now}
        reasons = [why for start, why in apart.items() if any(need.startswith(start) for need in needs)]
        if reasons:
            left[name] = reasons[0]
            continue
        chosen |= dict(zip(labels_of(name), made, strict=True))
    return chosen, left


def dear(measure: Measure) -> bool:
    """Whether it asks a model about each record."""
    return any(maker_of(need) for need in measure.statistic().needs)


def relevant(measures: Mapping[str, Measure], one: Manipulation) -> dict[str, Measure]:
    """The measures that are read on a manipulation."""
    several = one.base in SEVERAL
    return {
        label: measure
        for label, measure in measures.items()
        if grouped(measure.about.name) == several
        and not dear(measure)
        and (one.base in FRESH or not reads_reference(measure))
        and measure.about.axis in one.axes
        and (not one.only or measure.about.name in one.only)
        and one.base in ONLY.get(measure.about.name, (one.base,))
    }


class Planted:
    """Manipulations read one after the other; a base that several share is read once."""

    def __init__(self, bench: Bench, measures: Mapping[str, Measure]) -> None:
        self.bench, self.measures = bench, measures
        self.memory = [Memory() for _ in range(REPLICATES)]
        self.bases: dict[tuple[str, float, int], Side] = {}
        self.references: dict[tuple[str, int], list[Any]] = {}

    def cells(self, one: Manipulation) -> list[dict[str, Any]]:
        """One row for each measure."""
        wanted = relevant(self.measures, one)
        found: dict[str, list[list[Found]]] = {label: [[] for _ in one.doses[1:]] for label in wanted}
        for replicate in range(REPLICATES):
            now = {label: m for label, m in wanted.items() if not (replicate and m.about.name in SLOW)}
            alone = one.base not in SEVERAL
            for place, dose in enumerate(one.doses[1:]):
                base = self._base(one, replicate, now, alone=alone)
                rows = one.make(dose, replicate)
                ready, fit = self._side(rows, now, one, replicate)
                read = differences(
                    base, ready, list(fit.values()), paired=one.paired, memory=self.memory[replicate], bench=self.bench
                )
                for label, compared in zip(fit, read, strict=True):
                    found[label][place].append(Found.of(compared))
        return [row(one.name, label, self.measures[label], one.doses, each) for label, each in found.items() if each[0]]

    def _base(self, one: Manipulation, replicate: int, now: Mapping[str, Measure], *, alone: bool) -> Side:
        key = (one.base, one.doses[0] if one.base not in ("single", "several") else 0.0, replicate)
        if key not in self.bases:
            everything = {
                label: m
                for label, m in self.measures.items()
                if grouped(m.about.name) != alone
                and not (replicate and m.about.name in SLOW)
                and not dear(m)
                and (one.base in FRESH or not reads_reference(m))
            }
            self.bases[key] = self._side(one.make(one.doses[0], replicate), everything or now, one, replicate)[0]
        return self.bases[key]

    def _side(
        self, rows: list[Any], now: Mapping[str, Measure], one: Manipulation, replicate: int
    ) -> tuple[Side, dict[str, Measure]]:
        held = (one.base, replicate)
        if one.base in FRESH and held not in self.references:
            self.references[held] = FRESH[one.base](replicate)
        return opened(rows, self.bench, now, alone=one.base not in SEVERAL, reference=self.references.get(held))


def opened(
    rows: list[Any], bench: Bench, now: Iterable[str], *, alone: bool, reference: list[Any] | None = None
) -> tuple[Side, dict[str, Measure]]:
    """A side with the features of the measures that apply to it, and these by label."""
    fit = fitted(rows, bench, list(now))
    ready = equipped(replace(bench, settings=replace(bench.settings, measures=tuple(fit))), fit.values(), reference)
    return side(rows, ready, alone=alone), fit


def row(
    name: str, label: str, measure: Measure, doses: Sequence[Any], found: Sequence[Sequence[Found]]
) -> dict[str, Any]:
    """One measure on one population."""
    steps = [{"dose": dose, **pooled(each)} for dose, each in zip(doses[1:], found, strict=True)]
    wanted = expected(measure, name)
    return {
        "population": name,
        "measure": label,
        "axis": measure.about.axis,
        "expected": wanted,
        **judged(measure, steps, wanted),
        "doses": steps,
    }


def experiment(one: Experiment, folder: Path, bench: Bench, measures: Mapping[str, Measure]) -> tuple[list[Any], Any]:
    """One row for each measure on one natural experiment, and how many records each of its sets has."""
    sets = one.make(folder)
    first, *others = sets
    reference = one.reference(folder) if one.reference else None
    now = {
        label: m
        for label, m in measures.items()
        if not grouped(m.about.name) and m.about.name not in SLOW and (reference or not reads_reference(m))
    }
    if not fitted(sets[first], bench, list(now)):
        return [], {name: len(rows) for name, rows in sets.items()}
    base, own = opened(sets[first], bench, now, alone=not one.paired, reference=reference)
    found: dict[str, list[list[Found]]] = {label: [[] for _ in others] for label in own}
    memory = Memory()
    for place, name in enumerate(others):
        ready, fit = opened(sets[name], bench, own, alone=not one.paired, reference=reference)
        read = differences(base, ready, list(fit.values()), paired=one.paired, memory=memory, bench=bench)
        for label, compared in zip(fit, read, strict=True):
            found[label][place].append(Found.of(compared))
    rows = [row(one.name, label, measures[label], list(sets), each) for label, each in found.items() if all(each)]
    return rows, {name: len(rows) for name, rows in sets.items()}


@cache
def ready(only: tuple[str, ...], models: Models) -> Planted:
    """What a process works with, to its end."""
    bench = _LASTING.enter_context(open_bench(Settings.of(workers=1, **dict(models)), Progress()))
    return Planted(bench, asked(only, models)[0])


_LASTING = ExitStack()


EVERY = (*MANIPULATIONS, *EXPERIMENTS, *(one for one, _ in ASKED))
"""All populations, in the order in which they are read."""

Job = tuple[int, tuple[str, ...], Models, str]
"""The place of a population, the measures (all, where there is none), the models and the folder of the data."""


def population(job: Job) -> tuple[list[dict[str, Any]], dict[str, Any], float]:
    """The rows of one population, the records of its sets, and the CPU seconds it took."""
    place, only, models, folder = job
    planted, began = ready(only, models), time.process_time()
    one = EVERY[place]
    if isinstance(one, Manipulation):
        return planted.cells(one), {}, time.process_time() - began
    least = place - len(MANIPULATIONS) - len(EXPERIMENTS)
    names = ASKED[least][1] if least >= 0 else None
    now = {label: m for label, m in planted.measures.items() if (m.about.name in names if names else not dear(m))}
    rows, sizes = experiment(one, Path(folder), planted.bench, now)
    if names:
        rows, sizes = [{**each, "records": min(sizes.values())} for each in rows], {}
    return rows, {one.name: sizes} if sizes else {}, time.process_time() - began


def chosen(only: Sequence[str], measures: Mapping[str, Measure], models: Models, folder: str) -> list[int]:
    """Places of the populations that are read."""
    last = len(EVERY) if models else len(MANIPULATIONS) + len(EXPERIMENTS)
    names = {measure.about.name for measure in measures.values()}
    cheap = not all(map(dear, measures.values()))
    found = []
    for place, one in enumerate(EVERY[:last]):
        least = place - len(MANIPULATIONS) - len(EXPERIMENTS)
        if isinstance(one, Manipulation):
            fits = bool(relevant(measures, one))
        else:
            fits = bool(folder or not one.file) and bool(names & set(ASKED[least][1]) if least >= 0 else cheap)
        if fits and (not only or one.name in only):
            found.append(place)
    return found


def results(jobs: Sequence[Job], processes: int) -> Iterator[Any]:
    """What comes of each job, in order."""
    if processes == 1:
        yield from map(population, jobs)
        return
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        yield from pool.map(population, jobs)


def relative(rows: list[dict[str, Any]]) -> None:
    """Beside each effect, how large it is beside the one that the axis is about (of the same measure, largest dose)."""
    about = {(each["population"], each["measure"]): each for each in rows}
    for each in rows:
        other = "exact copies" if each["population"] == "reworded copies" else REFERENCE.get(each["axis"], "")
        if each["measure"].startswith("per_prompt_"):
            other = "collapsed answers"
        beside = about.get((other, each["measure"]))
        if beside is None or beside is each or each["verdict"] == "no value" or beside["verdict"] != "sees":
            continue
        each["beside"] = [other, round(abs(each["doses"][-1]["diff"] / beside["doses"][-1]["diff"]), 3)]


def shown(rows: Iterable[Mapping[str, Any]]) -> None:
    for each in rows:
        last = each["doses"][-1]
        detail = each.get("reason") or f"{last['base']} -> {last['value']} (z {last['z']})"
        print(f"  {each['verdict']:10} {each['measure']:44} {detail}")


COLUMNS = ("dose", "base", "value", "diff", "error", "z", "p", "spread")


def packed(each: Mapping[str, Any]) -> dict[str, Any]:
    """A row with its doses as lists in the order of `COLUMNS`, or as the reason why there is no value."""
    doses = [
        {"dose": one["dose"], "undefined": one["undefined"]} if "undefined" in one else [one[name] for name in COLUMNS]
        for one in each["doses"]
    ]
    return {**each, "doses": doses}


def unpacked(each: Mapping[str, Any]) -> dict[str, Any]:
    """The row that was packed."""
    doses = [one if isinstance(one, dict) else dict(zip(COLUMNS, one, strict=True)) for one in each["doses"]]
    return {**each, "doses": doses}


def document(head: Mapping[str, Any], left: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> str:
    """The result as text: a line for each verdict and each row."""
    parts = [f" {json.dumps(key)}: {json.dumps(value)}" for key, value in head.items()]
    parts += [f' "left_out": {json.dumps(left)}', f' "columns": {json.dumps(COLUMNS)}']
    told = ",\n".join(f"  {json.dumps(label)}: {json.dumps(said)}" for label, said in verdicts(rows).items())
    few = small(rows)
    parts += [f' "few": {json.dumps(few)}'] if few else []
    listed = ",\n".join(f"  {json.dumps(packed(each), allow_nan=False)}" for each in rows)
    return "{\n" + ",\n".join([*parts, f' "verdicts": {{\n{told}\n }}', f' "rows": [\n{listed}\n ]']) + "\n}\n"


def told_anew() -> None:
    """Verdicts, words and tables of the rows that were read, and the measures that are left out by now."""
    result = json.loads(RESULT.read_text(encoding="utf-8"))
    rows = [unpacked(each) for each in result.pop("rows")]
    for each in rows:
        (measure,) = parse([each["measure"]])
        wanted = expected(measure, each["population"])
        for key in ("verdict", "reason", "way", "in_order", "beside"):
            each.pop(key, None)
        doses = each.pop("doses")
        each |= {"expected": wanted, **judged(measure, doses, wanted), "doses": doses}
    relative(rows)
    written(result, rows)


def written(result: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> None:
    """The result file and the tables, of all rows that there are."""
    read = {each["measure"].partition(":")[0] for each in rows}
    left = {name: why for name, why in asked()[1].items() if name not in read}
    head = {
        key: value for key, value in result.items() if key not in ("left_out", "verdicts", "columns", "few", "rows")
    }
    write_text(RESULT, document(head, left, rows))
    write_tables(HERE)


def merged(head: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], what: str) -> None:
    """Rows that were read now in the place of those of the same measure and population; the others stay."""
    result = json.loads(RESULT.read_text(encoding="utf-8"))
    held = {(each["population"], each["measure"]): each for each in map(unpacked, result["rows"])}
    held |= {(each["population"], each["measure"]): dict(each) for each in rows}
    every = list(held.values())
    relative(every)
    result["records"] |= head["records"]
    part = {key: head[key] for key in ("date", *COMMIT, "machine", "packages", "cpu_seconds")}
    before = [each for each in result.get("later", ()) if each["what"] != what]
    result["later"] = [*before, {"what": what, "rows": len(rows), **part}]
    written(result, every)


def _said(option: str, model: str) -> str:
    """A model as the result names it: a judge without the port it happened to have, a reward model without its folder."""
    return f"--{option} " + (Path(model).name if option == "reward" else re.sub(r"^https?://[^,]*,model=", "", model))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", action="append", help="one population")
    parser.add_argument("--measure", action="append", help="one measure")
    parser.add_argument("--lm", help="a language model, for the measures that ask one")
    parser.add_argument("--student", help="a student, for the measures that read one")
    parser.add_argument("--reward", help="a reward model, for the measures that ask one; see small_reward.py")
    parser.add_argument("--judge", help="a judge (URL,model=NAME), for the measures that ask one; see judge.py")
    parser.add_argument("--merge", action="store_true", help="write a part of the bench beside what was read before")
    parser.add_argument("--processes", type=int, default=1, help="populations that are read at a time")
    parser.add_argument(
        "--tables", action="store_true", help="verdicts and tables of what was read before; reads nothing"
    )
    given = parser.parse_args()
    if given.tables:
        told_anew()
        return
    names = tuple(given.measure or ())
    models = tuple((option, getattr(given, option)) for option in OPENED if getattr(given, option))
    measures = asked(names, models)[0]
    started = time.perf_counter()
    folder = os.environ.get("TRIPTYCH_DATA", "")
    rows: list[dict[str, Any]] = []
    sizes: dict[str, Any] = {}
    seconds = 0.0
    jobs = [(at, names, models, folder) for at in chosen(given.only or (), measures, models, folder)]
    for found, size, took in results(jobs, given.processes):
        name = found[0]["population"] if found else next(iter(size), "")
        seconds += took
        print(f"{name}: {took:.0f} s of CPU, {seconds:.0f} so far", flush=True)
        shown(found)
        rows += found
        sizes |= size
    relative(rows)
    part = bool(given.only or names)
    if part and not given.merge:
        print("part of the bench: nothing was written")
        return
    head = {
        "date": datetime.now(UTC).isoformat(timespec="minutes"), **COMMIT, "machine": MACHINE, "packages": packages(),
        "level": CERTAIN, "replicates": REPLICATES, "cpu_seconds": round(seconds),
        "wall_seconds": round(time.perf_counter() - started), "processes": given.processes, "natural": bool(folder), "records": sizes,
    }  # fmt: skip
    if given.merge:
        merged(
            head,
            rows,
            ", ".join([*names, *(f'on "{name}"' for name in given.only or ()), *(_said(*model) for model in models)]),
        )
    else:
        written(head, rows)
    print("written: result.json, README.md")


if __name__ == "__main__":
    main()
