"""Writes README.md from the result files: `python benchmarks/table.py [--check]`. Wins and losses alike."""

from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from pages import HERE, load, ran, table, verdict
from table_inference import (
    attribution,
    compare_speed,
    comparisons,
    encoder_sample,
    faults,
    gate,
    powered,
    throughput_llama,
    throughput_server,
    throughput_transformers,
)
from table_selection import (
    selection_downstream,
    selection_filters,
    selection_frontiers,
    selection_greedy,
    selection_million,
)

README = HERE / "README.md"

HEAD = """# Benchmarks

Generated from the result files by `python benchmarks/table.py`; every number below stands in `results/*.json`. Ratios
are taken within one run on one machine, ours beside the peer's; they move by about a tenth from run to run. "missed" and
"slower" mean what they say; why goals are missed stands at the end.

    TRIPTYCH_DATA=FOLDER python benchmarks/panel.py         the whole panel on 51,941 records; --quick: a check in seconds
    TRIPTYCH_DATA=FOLDER python benchmarks/peers.py         beside the packages that do one part of the work
    TRIPTYCH_DATA=FOLDER python benchmarks/real_data.py     what the measures say of sets whose order is known
    python benchmarks/memory.py                             memory at 100,000 and at 1,000,000 records
    python benchmarks/findings.py                           the three findings in two worlds, see ../docs/findings.md
    TRIPTYCH_DATA=FOLDER python benchmarks/encoders.py      encoders beside sentence-transformers and model2vec, in turns
    python benchmarks/tiny_trainer.py                       a training step beside plain eager PyTorch
    python benchmarks/hf_trainer.py                         LoRA on a small language model
    python benchmarks/surprisal.py                          scoring with a small language model beside its forward pass
    TRIPTYCH_DATA=FOLDER python benchmarks/design.py        arms from real pools
    TRIPTYCH_DATA=FOLDER python benchmarks/trace.py         1,000 runs x 10 panels; is the bake-off honest?
    TRIPTYCH_DATA=FOLDER python benchmarks/selection_filters.py     DEITA's filter, k-center, neighbours beside peers
    TRIPTYCH_DATA=FOLDER python benchmarks/selection_greedy.py      facility location and log-determinant beside peers
    python benchmarks/selection_million.py                  100,000 of 1,000,000 records by six policies
    TRIPTYCH_DATA=FOLDER python benchmarks/selection_frontiers.py   quality against diversity of every policy
    TRIPTYCH_DATA=FOLDER python benchmarks/selection_downstream.py  what a model learns from each selection
    TRIPTYCH_DATA=FOLDER python benchmarks/comparisons.py   sets whose difference is known, see ../docs/compare.md
    TRIPTYCH_DATA=FOLDER python benchmarks/compare_speed.py  two sets of 51,941 records
    TRIPTYCH_DATA=FOLDER python benchmarks/gate.py          does the gate flap, and does it find what is planted?
    TRIPTYCH_DATA=FOLDER python benchmarks/powered.py       what a sample of dear values gains from cheap ones
    TRIPTYCH_DATA=FOLDER python benchmarks/encoder_sample.py  what a sample of dear vectors gains from cheap ones
    python benchmarks/attribution.py                        effects of components in simulated cells
    python benchmarks/generating/faults.py, throughput.py   writers: faults, kills, tokens a second
    python benchmarks/loops/worth.py, guard.py, collapse.py  loops and their guard, see loops/README.md
    python benchmarks/table.py                              this page

Results dated before 2026-11-23 04:10 say "uncommitted changes" only where that was put in by hand: until then the check looked
in the wrong folder and found none.

Beside these, with result files of their own: `loops/` (what policies and the guard are worth), `coverage/` (do the 95 % intervals of measures hold the truth?), `inference/`
(do those of effects?), `detectors/` (precision and recall on rows labelled by hand) and `validity/` (what each measure sees, and what
misleads it).
"""


TAIL = """## Why goals are missed

- From texts: WordPiece tokenizing alone takes most of the time. All measures of a run share it, and it is cached; a peer
  that splits on white space does less.
- Vendi: the state is 32 Gram matrices (for the interval and the size curve), from products of some 512 rows; the peer makes
  one product and gives one number. The memory above the input is the gain. The interval needs about 160 eigendecompositions.
- distinct-n: the table counts by group, so that one pass gives value, interval and curve; polars counts once.
- near-duplicates: 128 hash functions over all n-grams in numpy; rensa does this in Rust, and its shingling is the larger part.
- MiniLM: a NumPy forward pass without torch; on this processor torch is as fast.
- The panel without embeddings: two thirds of the time is reading, regular expressions over text, and writing columns.
"""


NAMES = {"wall_seconds": "s", "cpu_seconds": "CPU s", "peak_memory_mb": "MB"}


def panel(result: dict[str, Any]) -> list[str]:
    out = [f"## The whole panel: {result['data']}, {result['rows'][0]['records']:,} records", "", ran(result)]
    rows = []
    for row in result["rows"]:
        goals = ", ".join(f"{most:,} {NAMES[key]} {verdict(row['met'][key])}" for key, most in row["targets"].items())
        numbers = [row["wall_seconds"], row["cpu_seconds"], f"{row['peak_memory_mb']:,}", f"{row['peak_heap_mb']:,}"]
        rows.append(
            [
                row["work"],
                row["measures"],
                *numbers,
                f"{row['peak_single_process_mb']:,}",
                f"{row['records_per_second']:,}",
                goals,
            ]
        )
    head = (
        "work",
        "measures",
        "wall s",
        "CPU s",
        "peak MB, all processes",
        "of it heap",
        "largest process",
        "records/s",
        "goal (at most)",
    )
    out += table(head, rows)
    out += [
        f"The report has {result['report_mb']} MB, the cached columns {result['columns_on_disk_mb']} MB. Peer: {result['peer']}.",
        "",
    ]
    out += ["Where the time goes with an empty cache (wall seconds, peak MB):", ""]
    stages = result["rows"][0]["stages"]
    return out + table(
        ("stage", "s", "MB"),
        ((name, stage["seconds"], f"{stage['peak_memory_mb']:,}") for name, stage in stages.items()),
    )


def memory(result: dict[str, Any]) -> list[str]:
    out = ["## Memory against the number of records", "", ran(result)]
    rows = [
        [f"{row['records']:,}", f"{row['tokens']:,}", row["wall_seconds"], row["cpu_seconds"], f"{row['peak_memory_mb']:,}",
         f"{row['peak_heap_mb']:,}", f"{row['records_per_second']:,}"]
        for row in result["rows"]
    ]  # fmt: skip
    out += table(("records", "tokens", "wall s", "CPU s", "peak MB, all processes", "of it heap", "records/s"), rows)
    out += [
        f"Ratio of the peaks {result['ratio']} (heap alone {result['ratio_heap']}); goal at most {result['target_ratio']}: {verdict(result['met'])}.",
        "",
    ]
    names = list(result["rows"][0]["stages"])
    peaks = [
        [f"{row['records']:,}", *(f"{row['stages'].get(name, {}).get('peak_memory_mb', 0):,}" for name in names)]
        for row in result["rows"]
    ]
    return [*out, "Peak MB by stage:", "", *table(("records", *names), peaks)]


def peers(result: dict[str, Any]) -> list[str]:
    out = ["## Beside the peers", "", ran(result)]
    out += [
        "CPU seconds on one core with one thread, best of up to three; ratio = peer / ours, above 1 we are faster.",
        "",
    ]
    rows = []
    for row in result["rows"]:
        ours, theirs = row.get("ours"), row.get("theirs")
        if "not_measured" in row and not theirs:
            seconds = f"{ours['cpu']:.3g}" if ours else "-"
            rows.append([row["work"], row["peer"], seconds, "not measured here", "-", "-", "-"])
            continue
        goal = "-" if row["target"] is None else f">= {row['target']:g} {verdict(row['met'])}"
        memory = f"{ours['above_input_mb']:,} / {theirs['above_input_mb']:,}"
        ratio = f"{row['ratio']:.2f}" + ("" if row["ratio"] >= 1 else " (slower)")
        rows.append([row["work"], row["peer"], f"{ours['cpu']:.3g}", f"{theirs['cpu']:.3g}", ratio, goal, memory])
    out += table(("work", "peer", "ours CPU s", "peer CPU s", "ratio", "goal", "MB above the input, ours / peer"), rows)
    out += ["Values and notes:", ""]
    for row in result["rows"]:
        said = ". ".join(
            part
            for part in (
                row.get("values"),
                row["note"],
                f"not measured: {row['not_measured']}"
                if "not_measured" in row and row["not_measured"] != row["note"]
                else "",
            )
            if part
        )
        if said:
            out.append(f"- {row['work']}, {row['peer']}: {said}")
    return [*out, ""]


def real_data(result: dict[str, Any]) -> list[str]:
    step = result["ladder"]
    out = ["## What the measures say of known sets", "", ran(result), "### One pool, filtered harder at every step", ""]
    said = (
        f"{step['n']:,} random rows of each step, mean of {step['draws']} draws. {step['rising']} of {len(step['measures'])} diversity "
        f"measures say at every step that diversity rises (goal: {step['target']}; {verdict(step['met'])})."
    )
    out += [said, ""]
    rows = [
        [
            row["measure"],
            *(row["values"] or ["undefined"] * len(step["rows_by_step"])),
            max(row.get("sd_over_draws", [0])),
            direction(row),
        ]
        for row in step["measures"]
    ]
    out += table(("measure", *step["rows_by_step"], "largest sd over draws", "more diverse at every step"), rows)
    part = result["rejected"]
    out += ["### Rejected against accepted rows of one self-instruct run", "", f"{part['n']:,} rows each.", ""]
    pairs = [
        [
            label,
            interval(part["accepted"][label]),
            interval(part["rejected"][label]),
            "yes" if label in part["apart"] else "no",
        ]
        for label in part["accepted"]
    ]
    out += table(("measure", "accepted", "rejected", "intervals apart"), pairs)
    levels = result["constraints_by_level"]
    out += ["### Constraints by level (instructions with 0..5 constraints added)", ""]
    out += table(
        ("level", "constraints", "records"), ([name, interval(one), one["n"]] for name, one in levels["levels"].items())
    )
    out += [
        f"Rises at every level: {'yes' if levels['rises'] else 'no'}.",
        "",
        "### Mean of the label by system, 1,319 problems each",
        "",
    ]
    out += table(
        ("system", "share correct", "records"),
        ([name, interval(one), one["n"]] for name, one in result["label_mean_by_model"].items()),
    )
    out += ["### Every set loads by detection alone", ""]
    return out + table(
        ("set", "records", "skipped", "detected"),
        ([one["set"], f"{one['records']:,}", one["skipped"], one["detected"]] for one in result["detection"]),
    )


def tiny_trainer(result: dict[str, Any]) -> list[str]:
    out = ["## A training step of the tiny transformer", "", ran(result), f"{result['work']}, one thread.", ""]
    said = {
        "plain / ours": "plain eager PyTorch, against ours (loss on the response only)",
        "plain_sdpa / ours": "the same with fused attention, against ours",
        "plain / ours_all": "plain eager PyTorch, against ours with the loss on every position, as plain has it",
        "same / ours": "our architecture through autograd, against ours",
        "same_all / ours_all": "our architecture through autograd, against ours, the loss on every position",
    }
    goals = {"plain / ours": result["met"]["ours"], "plain / ours_all": result["met"]["ours_all"]}
    rows = [
        (text, result["ratios"][name]["median"], "{} to {}".format(*result["ratios"][name]["middle_half"]),
         f">= {result['target']} {verdict(goals[name])}" if name in goals else "-")
        for name, text in said.items()
    ]  # fmt: skip
    out += table(("pair", "ratio, median of pairs", "middle half", "goal"), rows)
    alone, both = result["processes"]
    speed = f"{alone['steps_per_second']} steps/s in one process, {both['steps_per_second']} in two at once"
    share = both["steps_per_second"] / alone["steps_per_second"]
    write = result["generation"]
    out += [f"{speed}: {share:.2f} times (goal: linear; {verdict(share > 1.9)}).", ""]
    out += [f"Generation: {write['items']:,} items, {write['tokens']:,} tokens in {write['cpu_seconds']} CPU s.", ""]
    return [*out, f"Many arms in one batched model on a GPU: {result['gpu']}.", ""]


def design(result: dict[str, Any]) -> list[str]:
    out = ["## Arms from a pool", "", ran(result)]
    rows = [
        (name, case["asked"]["budget"], case["blocks"], case["arms"], " ".join(f"{gap:.2f}" for gap in case["largest_gap_sd"]),
         f"{case['gap_taken_sd']:.2f}", f"{case['largest_smd']:.3f}", case["seconds"], case["cpu_seconds"])
        for name, case in result["cases"].items()
    ]  # fmt: skip
    head = ("pool", "records an arm", "blocks", "arms", "largest gap, SD", "taken", "largest SMD held", "s", "CPU s")
    return out + table(head, rows)


def trace(result: dict[str, Any]) -> list[str]:
    speed = result["speed"]
    out = [f"## Trace: {speed['runs']:,} runs, {speed['panels']} panels", "", ran(result)]
    rows = [
        (name, used["wall_seconds"], used["cpu_seconds"], used["peak_memory_mb"])
        for name, used in (("effects", speed["trace"]), ("and the bake-off of 10 measures", speed["trace_bakeoff"]))
    ]
    out += table(("work", "s", "CPU s", "MB"), rows)
    most = max(speed[name]["wall_seconds"] for name in ("trace", "trace_bakeoff"))
    return [*out, f"Goal: under {speed['goal_seconds']:g} s; {verdict(most < speed['goal_seconds'])}.", ""]


def surprisal(result: dict[str, Any]) -> list[str]:
    out = [f"## Scoring with a small language model: {result['model']}", "", ran(result)]
    kinds = ("forward", "surprisal", "surprisal and rank")
    rows = [
        (
            f"{row['batch']} x {row['length']}",
            *(f"{row[f'{kind} tokens/s']:,}" for kind in kinds),
            *(row[f"{kind} ratio"] for kind in kinds[1:]),
            verdict(row["met"]),
        )
        for row in result["rows"]
    ]
    head = ("batch x length", "forward pass, tokens/s", *kinds[1:], "ratio", "with ranks", f"goal: {result['goal']}")
    moved = result["batches"]
    said = (
        f"Tokens a CPU second. Projected gradients: {result['gradient tokens/s']:,} tokens/s. {moved['passages']} passages of "
        f"many lengths, alone against in batches: a token moves by at most {moved['largest change of a token']:.1e} nats, "
        f"the mean of a passage by {moved['largest change of a mean']:.1e}."
    )
    return [*out, *table(head, rows), said, ""]


def encoders(result: dict[str, Any]) -> list[str]:
    out = ["## Encoders, in turns with their peers", "", ran(result)]
    rows = [(row["encoder"], f"{row['texts']:,}", f"{row['records_per_cpu_second']:,}") for row in result["rows"]]
    out += table(("encoder", "texts", "records a CPU second"), rows)
    named = {
        row["task"]: row["encoder"].partition(":")[0] if row["task"] != "onnx" else "minilm:onnx"
        for row in result["rows"]
    }
    named |= {
        "sentence_transformers_32": "sentence-transformers, default",
        "sentence_transformers_8": "sentence-transformers, batches of 8",
    }
    ratios = [
        (
            named[row["ours"]],
            named[row["peer"]],
            f"{row['ratio']:.2f}",
            f"{row['range'][0]:.2f} .. {row['range'][1]:.2f}",
            "-" if row["target"] is None else f">= {row['target']:g} {verdict(row['ratio'] >= row['target'])}",
        )
        for row in result["ratios"]
    ]
    out += table(("ours", "peer", "ratio", f"in {result['rounds']} rounds", "goal"), ratios)
    least = ", ".join(f"{named[task]} {value:.7f}" for task, value in result["smallest_cosine"].items())
    return [*out, f"Smallest cosine of a text's vector with that of sentence-transformers: {least}.", ""]


def direction(row: dict[str, Any]) -> str:
    """Whether a measure says at every step that diversity rises; "never less": some steps are equal."""
    if row["rises"] or not row["values"]:
        return "yes" if row["rises"] else "undefined: the responses are too few and short"
    sign = -1 if row["better"] == "lower" else 1
    steps = [sign * (after - before) for before, after in pairwise(row["values"])]
    return "never less" if min(steps) >= 0 and max(steps) > 0 else "no"


def interval(one: dict[str, Any]) -> str:
    if one["value"] is None:
        return "undefined"
    around = "no interval" if one["lo"] is None else f"{one['lo']:.4g} .. {one['hi']:.4g}"
    return f"{one['value']:.4g} ({around})"


def page() -> str:
    out = [HEAD]
    sections = (panel, memory, peers, real_data, tiny_trainer, design, trace, surprisal, encoders)
    sections += (selection_filters, selection_greedy, selection_million, selection_frontiers, selection_downstream)
    sections += (comparisons, compare_speed, gate, powered, encoder_sample, attribution, faults)
    sections += (throughput_llama, throughput_server, throughput_transformers)
    for make in sections:
        result = load(make.__name__)
        out += make(result) if result else []
    return "\n".join([*out, TAIL]).rstrip() + "\n"


def main() -> None:
    text = page()
    if "--check" in sys.argv:
        if README.read_text("utf-8") != text:
            sys.exit("benchmarks/README.md is not what the result files say: run python benchmarks/table.py")
        return
    README.write_text(text, encoding="utf-8")
    print("written: README.md")


if __name__ == "__main__":
    main()
