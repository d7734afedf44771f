"""Traces of `verifiers` tasksets: `traces.jsonl` with `configs/resolved/eval.json` in the folder of a run, one episode a row.

A row holds task {data, key}, and traces: one for each agent that played, with agent {config {model, sampling, harness}}, nodes
{parent, message, sampled}, calls {usage, time}, rewards {name: {score, weight}}, ok and timing. The conversation is the path
to the last node; what stands before the first sampled message is the prompt. The configuration states taskset, selection
and rollouts of a task. The layout was checked on what version 0.4.0 wrote.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from triptych.data.values import canonical
from triptych.generating.imports.imported import (
    NONE,
    Imported,
    digest,
    first_row,
    json_object,
    public,
    rows_of,
    stated,
    told_total,
    total,
    values,
)

KIND = "verifiers-traces"
TRACES, CONFIG = "traces.jsonl", Path("configs") / "resolved" / "eval.json"
ASIDE = ("model", "client", "sampling", "runtime", "timeout", "retries", "network_notice")
"""Of an agent's configuration: what is stated elsewhere, or says nothing of what is written."""


def fits(path: Path) -> bool:
    """Whether a path is such an output."""
    file = path / TRACES if path.is_dir() else path
    row = first_row(file) if file.is_file() and file.suffix == ".jsonl" else None
    return row is not None and isinstance(row.get("task"), Mapping) and isinstance(row.get("traces"), list)


def read(path: Path) -> Imported:
    """Read one.

    Raises:
        ReadError: a file that cannot be read.
    """
    file = path / TRACES if path.is_dir() else path
    config = json_object(file.parent / CONFIG)
    pairs = [(episode, trace) for episode in rows_of(file) for trace in _tables(episode.get("traces"))]
    rows = [row for episode, trace in pairs if trace.get("ok") and (row := _row(episode, trace)) is not None]
    agents = [_table(_table(trace.get("agent")).get("config")) for _, trace in pairs]
    sampling = [_table(agent.get("sampling")) for agent in agents]
    calls = [call for _, trace in pairs for call in _tables(trace.get("calls"))]
    usage = [_table(call.get("usage")) for call in calls]
    usage += [one for _, trace in pairs for one in _tables(trace.get("extra_usage"))]
    prompt_tokens, silent = told_total(one.get("prompt_tokens") for one in usage)
    notes = [f"{silent} of {len(usage)} requests state no tokens"] if silent else []
    if config is None:
        notes.append(f"no {CONFIG} beside the traces: from which tasks they were drawn is not stated")
    return Imported(
        kind=KIND,
        rows=rows,
        components=stated(
            **_of_config(config),
            writer=values(agent.get("model") for agent in agents),
            writer__temperature=values(one.get("temperature") for one in sampling),
            writer__max_tokens=values(one.get("max_tokens") for one in sampling),
            method="rollouts",
            method__harness=values(_table(agent.get("harness")).get("id") for agent in agents),
            method__settings=digest(sorted({canonical(public(_settings(agent))) for agent in agents})),
        ),
        cost=stated(
            requests=float(len(calls)),
            prompt_tokens=prompt_tokens,
            tokens=told_total(one.get("completion_tokens") for one in usage)[0],
            seconds=_seconds([_table(trace.get("timing")) for _, trace in pairs]),
        ),
        failed={"error or no completion": len(pairs) - len(rows)} if len(rows) < len(pairs) else {},
        notes=tuple(notes),
    )


def _of_config(config: Mapping[str, Any] | None) -> dict[str, Any]:
    """What a run's configuration states: without it seeds, search and filters are not known."""
    if config is None:
        return {}
    env = _table(config.get("env"))
    taskset = dict(_table(env.get("taskset")))
    name = taskset.pop("id", None)
    chosen = {key: value for key, value in _table(_pruned(config.get("select"))).items() if value not in (False, 0)}
    more = _pruned(public({**taskset, "select": chosen}))
    rollouts = config.get("num_rollouts")
    return {
        "seeds": f"{name} {canonical(more)}" if name and more else name,
        "method__each": None if rollouts is None else canonical(rollouts),
        "search": str(env.get("id") or NONE),
        "filters": NONE,
    }


def _settings(agent: Mapping[str, Any]) -> Any:
    return _pruned({key: value for key, value in agent.items() if key not in ASIDE})


def _row(episode: Mapping[str, Any], trace: Mapping[str, Any]) -> dict[str, Any] | None:
    """The conversation on the last branch, its reward, and the task as what binds rollouts together."""
    nodes = _tables(trace.get("nodes"))
    path: list[Mapping[str, Any]] = []
    place: Any = len(nodes) - 1
    while isinstance(place, int) and 0 <= place < len(nodes) and len(path) < len(nodes):
        path.append(nodes[place])
        place = nodes[place].get("parent")
    path.reverse()
    first = next((at for at, node in enumerate(path) if node.get("sampled")), None)
    if first is None:
        return None
    turns = [_table(node.get("message")) for node in path]
    scores = [_table(one) for one in _table(trace.get("rewards")).values()]
    task = _table(episode.get("task"))
    return {
        "prompt": turns[:first],
        "completion": turns[first:],
        "reward": total(_product(one) for one in scores),
        "prompt_id": str(task.get("key") or digest(task.get("data"))),
    }


def _product(reward: Mapping[str, Any]) -> float | None:
    score, weight = reward.get("score"), reward.get("weight", 1.0)
    return score * weight if isinstance(score, (int, float)) and isinstance(weight, (int, float)) else None


def _seconds(timings: Sequence[Mapping[str, Any]]) -> float | None:
    """From the start of the first trace to the end of the last, by the clock."""
    starts = [one["start"] for one in timings if isinstance(one.get("start"), (int, float))]
    ends = [end for one in timings for span in one.values() if isinstance(end := _table(span).get("end"), (int, float))]
    return float(max(ends) - min(starts)) if starts and ends and max(ends) > min(starts) else None


def _pruned(value: Any) -> Any:
    """A value without keys that hold nothing: null, an empty list or an empty table."""
    if isinstance(value, Mapping):
        kept = {key: _pruned(item) for key, item in value.items()}
        return {key: item for key, item in kept.items() if item is not None and item not in ([], {})}
    return value


def _tables(found: Any) -> list[Mapping[str, Any]]:
    return list(_mappings(found)) if isinstance(found, list) else []


def _mappings(found: list[Any]) -> Iterator[Mapping[str, Any]]:
    return (one for one in found if isinstance(one, Mapping))


def _table(found: Any) -> Mapping[str, Any]:
    return found if isinstance(found, Mapping) else {}
