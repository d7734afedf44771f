"""The tables of the selection benchmarks."""

from __future__ import annotations

from typing import Any

from pages import ran, table, verdict

Rows = list[Any]


def selection_filters(result: dict[str, Any]) -> list[str]:
    out = ["## Selection: filters and neighbours beside peers", "", ran(result)]
    out += ["CPU seconds on one core with one thread; ratio = peer / ours. Identical picks are checked.", ""]
    return out + _beside(result["rows"], "cpu")


def selection_greedy(result: dict[str, Any]) -> list[str]:
    out = ["## Selection: greedy policies beside peers", "", ran(result)]
    out += ["CPU seconds on one core with one thread; ratio = peer / ours.", ""]
    out += _beside(result["rows"], "cpu_seconds")
    for row in result["rows"]:
        told = [
            f"{key.replace('_', ' ')} {row[key]}"
            for key in ("mean_similarity", "share_of_gain_kept", "log_det")
            if key in row
        ]
        if "ratio_without_compiling" in row:
            told.append(f"{row['ratio_without_compiling']} times without the peer's compiling")
        if "graph" in row:
            told.append(f"the graph itself {row['graph']['cpu_seconds']} CPU s")
        told += [row["note"]] if "note" in row else []
        out += [f"- {row['work']}: {'; '.join(told)}."] if told else []
    return [*out, ""]


def _beside(rows: Rows, seconds: str) -> list[str]:
    shown = []
    for row in rows:
        theirs = row.get("theirs")
        ratio = f"{row['ratio']:.2f}" + ("" if row["ratio"] >= 1 else " (slower)") if theirs else "-"
        goal = "-" if row["target"] is None and "met" not in row else verdict(row["met"])
        goal = f">= {row['target']:g} {goal}" if row["target"] is not None else goal if not theirs else "-"
        mine = [f"{row['ours'][seconds]:.3g}", f"{theirs[seconds]:.3g}" if theirs else "-"]
        shown.append([row["work"], row.get("peer") or "-", *mine, ratio, goal])
    return table(("work", "peer", "ours CPU s", "peer CPU s", "ratio", "goal"), shown)


def selection_million(result: dict[str, Any]) -> list[str]:
    total = result["all"]
    out = [f"## Selection: {result['budget']:,} of {result['records']:,} records", "", ran(result)]
    rows = [
        [
            row["policy"],
            f"{row['kept']:,}",
            row["wall_seconds"],
            row["cpu_seconds"],
            f"{row['peak_memory_mb']:,}",
            f"{row['peak_heap_mb']:,}",
        ]
        for row in result["policies"]
    ]
    out += table(("policy", "kept", "wall s", "CPU s", "peak MB, all processes", "of it heap"), rows)
    fast, small = total["minutes"] <= total["target_minutes"], total["peak_memory_mb"] <= total["target_mb"]
    said = f"All together {total['minutes']} minutes (goal {total['target_minutes']}: {verdict(fast)}), "
    said += f"{total['peak_memory_mb']:,} MB at most (goal {total['target_mb']:,}: {verdict(small)})."
    return [*out, said + " The run of the first policy computes the features.", ""]


def selection_frontiers(result: dict[str, Any]) -> list[str]:
    out = ["## Selection: who is ahead in quality against diversity", "", ran(result)]
    out += [
        (
            "The pools of the worlds leave the answers out. That was decided after a first run with them, in which `balanced` was "
            "clearly behind `vendi_greedy` and `novelty` in 5 of 5 pools of `programs` by TF-IDF of the answers (design/0010)."
        ),
        "",
    ]
    for pool in result["pools"]:
        judges = [name for name in pool["ahead"] if name != "all judges"]
        out += [
            f"### {pool['pool']}: {pool['budget']:,} records, {pool['seeds']} pools, {pool['seconds_each']} s each",
            "",
        ]
        volumes = pool["hypervolume"]
        first = volumes[judges[0]]
        names = sorted(first, key=lambda name: -(first[name] or 0))
        rows = [[name, *(_two(volumes[judge].get(name)) for judge in judges)] for name in names]
        out += ["Hypervolume (share of the plane that a policy's points dominate), by judge of diversity:", ""]
        out += table(("policy", *judges), rows)
        out += ["Points of other policies that no point of `balanced` reaches:", ""]
        rows = [
            [judge, _listed(found["by_value"]), _listed(found["clearly"])] for judge, found in pool["ahead"].items()
        ]
        out += table(("judge", "by value", "beyond the intervals"), rows)
    return out


def _two(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _listed(points: list[str]) -> str:
    return ", ".join(f"`{point.partition(' in ')[0]}` ({point.partition(' in ')[2]})" for point in points) or "none"


def selection_downstream(result: dict[str, Any]) -> list[str]:
    out = ["## Selection: what a model learns", "", ran(result)]
    parts = [
        (f"{part['world']}, score `{part['score']}`: {part['budget']:,} of {part['records']:,}", part)
        for part in result["worlds"]
    ]
    if isinstance(result["text"], dict):
        text = result["text"]
        parts.append((f"text, linear probe: {text['budget']:,} of {text['pool']:,}", text))
    for title, part in parts:
        panels = list(dict.fromkeys(row["panel"] for row in part["contrasts"]))
        rows = [
            [
                row["policy"],
                _two(row["right"]),
                "-" if row["kinds"] is None else f"{row['kinds']:.1f}",
                *(_span(row.get(panel)) for panel in panels),
            ]
            for row in part["scores"]
        ]
        out += [f"### {title}", "", *table(("policy", "right", "effective kinds", *panels), rows)]
        gaps = [[f"balanced less {row['balanced_less']}", row["panel"], _span(row)] for row in part["contrasts"]]
        out += table(("difference, seed by seed", "panel", "mean [95 %]"), gaps)
        failed = [f"- {row['policy']}: {row['failed'][0].splitlines()[0]}" for row in part["scores"] if row["failed"]]
        out += [*failed, ""] if failed else []
    return out


def _span(found: dict[str, Any] | None) -> str:
    if found is None:
        return "-"
    ends = "" if found["lo"] is None else f" [{found['lo']:.3f}, {found['hi']:.3f}]"
    return f"{found['mean']:.3f}{ends}"
