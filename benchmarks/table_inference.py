"""Sections on generating, attributing, asking about samples, comparing and the gate."""

from __future__ import annotations

from typing import Any

from pages import ran, table, verdict


def powered(result: dict[str, Any]) -> list[str]:
    out = ["## Means of samples that lean on vectors and lengths of all records", "", ran(result)]
    rows = [
        (
            row["value"],
            f"{row['asked']:,} of {row['of']:,}",
            *(f"{row[kind]['coverage']:.3f}" for kind in ("plain", "powered")),
            f"{row['powered']['error'] / row['powered']['spread']:.2f}",
            f"{row['calls_saved']:.2f}",
        )
        for row in result["rows"]
    ]
    head = ("stands in for a dear value", "asked", "covered, plain", "covered, powered", "error / true", "calls saved")
    return [*out, *table(head, rows)]


def encoder_sample(result: dict[str, Any]) -> list[str]:
    out = ["## A sample of dear vectors, helped by cheap vectors of further samples", "", ran(result)]
    rows = [
        (
            row["set"],
            row["measure"],
            f"{row['asked']:,} of {row['of']:,}",
            f"{row['trials']:,}",
            *(f"{row[kind]['coverage']:.3f}" for kind in ("plain", "helped")),
            f"{row['helped']['bias'] / row['helped']['spread']:+.2f}",
            f"{row['helped']['error'] / row['helped']['spread']:.2f}",
            f"{row['calls_saved']:.2f}",
        )
        for row in result["rows"]
    ]
    covered = ("covered, alone", "covered, helped", "bias / true error", "error / true")
    return [*out, *table(("set", "measure", "asked", "trials", *covered, "calls saved"), rows)]


def faults(result: dict[str, Any]) -> list[str]:
    found = result["result"]
    out = ["## 10,000 asks through a faulty proxy, killed twice", "", ran(result)]
    keys = (
        "asks",
        "starts",
        "requests",
        "lost",
        "doubled",
        "wrong",
        "sent_again_after_its_answer_was_kept",
        "ambiguous",
    )
    rows = [(key.replace("_", " "), f"{found[key]:,}") for key in keys]
    return [*out, *table(("", "count"), rows)]


def _throughput(result: dict[str, Any]) -> list[str]:
    rows = [
        (
            name,
            one["median"],
            f"{one['range'][0]} to {one['range'][1]}",
            one["by_wall_time"],
            f"{verdict(one['met'])} ({one['target']})",
        )
        for name, one in result["ratios"].items()
    ]
    head = ("tokens a CPU second, ours / theirs", "median", "range", "by wall time", "goal")
    return [ran(result), *table(head, rows)]


def throughput_llama(result: dict[str, Any]) -> list[str]:
    return ["## Writing in this process, beside llama.cpp's own loop", "", *_throughput(result)]


def throughput_server(result: dict[str, Any]) -> list[str]:
    return ["## Writing through an endpoint, beside a bare client", "", *_throughput(result)]


def throughput_transformers(result: dict[str, Any]) -> list[str]:
    return ["## Writing with transformers, beside its own generate", "", *_throughput(result)]


def attribution(result: dict[str, Any]) -> list[str]:
    out = ["## Are effects of components told honestly?", "", ran(result)]
    rows = [
        (
            row["case"],
            row["runs"],
            row["trials"],
            f"{row['coverage']:.3f}",
            f"{row['false_finding_in_family']:.3f}",
            "-" if row.get("true_effects_found") is None else f"{row['true_effects_found']:.2f}",
        )
        for row in result["rows"]
    ]
    head = ("simulated cells", "runs", "trials", "covered of .95", "a false finding in a family", "true effects found")
    return [*out, *table(head, rows)]


def gate(result: dict[str, Any]) -> list[str]:
    out = ["## Does the gate flap?", "", ran(result)]
    rows = [
        (name, one["trials"], one["fails"], one.get("regressed", 0), one.get("improved", 0))
        for name, one in result["cases"].items()
    ]
    return [*out, *table(("case", "gates", "fail", "say regressed", "say improved"), rows)]


def comparisons(result: dict[str, Any]) -> list[str]:
    """What it says stands in docs/compare.md; here only how often."""
    found = result["rows"]
    systems, copies = found["systems"], found["copies"]
    wins = sum(
        one["measures"] for one in copies["padded"]["counted"] if one["verdict"] == "a" and "length" in one["view"]
    )
    rows = [
        (
            "pairs of systems called controlled",
            f"{systems['comparability'].get('controlled', 0)} of {systems['pairs']}",
        ),
        ("pairs told apart in accuracy, in the right order", f"{systems['right']} of {systems['pairs']}"),
        ("measures with a better side that a padded copy wins at equal length", wins),
    ]
    out = ["## Comparisons whose answer is known (docs/compare.md)", "", ran(result)]
    return [*out, *table(("", "count"), rows)]


def compare_speed(result: dict[str, Any]) -> list[str]:
    out = [f"## Comparing {result['records']:,} records with as many", "", ran(result)]
    rows = [
        (row["run"], row["wall_seconds"], row["cpu_seconds"], row["peak_memory_mb"], row["measures"], len(row["views"]))
        for row in result["runs"]
    ]
    met = verdict(result["runs"][-1]["wall_seconds"] <= result["target_seconds"])
    head = (
        "run",
        "seconds",
        "CPU seconds",
        "MB",
        "measures",
        f"views (goal, cached: {result['target_seconds']} s, {met})",
    )
    return [*out, *table(head, rows)]
