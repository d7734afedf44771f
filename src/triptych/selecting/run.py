"""`triptych select`: a data set into `selected.jsonl`, `selection.parquet` and `selection.json`."""

from __future__ import annotations

import math
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from triptych.core.profile import write_json
from triptych.core.selector import Setting
from triptych.core.spec import json_value
from triptych.data import Dataset
from triptych.profiling.bench import Bench
from triptych.selecting.choose import Chosen, choose, fitted
from triptych.selecting.estimates import estimates
from triptych.selecting.explain import Explained, explain, write_selection
from triptych.selecting.limits import resolve
from triptych.selecting.pool import Pool, read_pool
from triptych.selecting.request import SelectRequest
from triptych.selecting.sourcerows import objects, stream

SCHEMA = "triptych/selection@1"
SELECTED, WHY, TOLD = "selected.jsonl", "selection.parquet", "selection.json"
OWN = frozenset({SELECTED, WHY, TOLD})


@dataclass(frozen=True)
class Selection:
    """A selection that was made.

    Attributes:
        document: what `selection.json` holds.
        ordinals: the records that are kept, ascending, int64 (k,).
        chosen: the policy's choice, with the pool.
        addresses: source, row and line of each row that is kept, once, in order, int64 (rows, 3).
        chosen: the policy's choice, with the pool, whose columns last as long as the cache.
        explained: the verdict on every record.
    """

    document: dict[str, Any]
    ordinals: NDArray[np.int64]
    addresses: NDArray[np.int64] = field(repr=False)
    chosen: Chosen = field(repr=False)
    explained: Explained = field(repr=False)
    source: object = field(repr=False)

    def __len__(self) -> int:
        return len(self.ordinals)

    @property
    def row_numbers(self) -> list[int]:
        """Ordinals of the rows that are kept, in their source; of a list of dicts, the places in the list."""
        return self.addresses[:, 1].tolist()  # type: ignore[no-any-return]

    def rows(self) -> Iterator[Mapping[Any, Any]]:
        """The rows that are kept as objects, in the order of the source."""
        return objects(self.source, self.chosen.pool.dataset.options, self.addresses)

    def lines(self) -> Iterator[bytes]:
        """The rows that are kept as lines of JSON, verbatim where the source is JSONL, without line ends."""
        return stream(self.source, self.chosen.pool.dataset.options, self.addresses)

    def save(self, folder: Path) -> None:
        """Write the three files into a folder that is ours. Each is written in whole and then moved into place."""
        path = _draft(folder, SELECTED)
        try:
            with path.open("wb") as out:
                for line in self.lines():
                    out.write(line + b"\n")
            write_selection(folder / WHY, self.chosen, self.explained, _lasting(self.document))
            path.chmod(0o644)
            path.replace(folder / SELECTED)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        write_json(folder / TOLD, self.document)


def _draft(folder: Path, name: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    handle, path = tempfile.mkstemp(dir=folder, prefix=f".{name}.", suffix=".part")
    os.close(handle)
    return Path(path)


def _lasting(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document without what two equal runs may differ in."""
    data = {name: value for name, value in document["data"].items() if name != "path"}
    return {**{name: value for name, value in document.items() if name != "provenance"}, "data": data}


def select_records(
    source: object, dataset: Dataset, bench: Bench, request: SelectRequest, *, near: bool = True
) -> Selection:
    """Select records under a budget and say of every record why.

    Args:
        source: what the data set was opened from.
        dataset: the data.
        bench: what to work with.
        request: what is asked.
        near: whether the nearest kept record of every other is looked for.

    Raises:
        InputError: the data, the budget or the limits do not fit; the message says what would.
    """
    started = time.perf_counter()
    seed = bench.settings.seed
    pool = read_pool(source, dataset, bench, request.reading(dataset, bench.settings.measures, vectors=near))
    shown = fitted(pool, request.policy)
    limits = resolve(request.limits, shown, request.budget, bench)
    total = request.budget.number if request.budget.unit != "tokens" else None
    with bench.progress.stage(f"policy {request.policy.name}", unit="records", total=total) as stage:
        setting = Setting(seed, bench.engine.workers, stage.advance, bench.cache.root)
        chosen = choose(shown, request.policy, request.budget, limits, setting)
    shown.candidates.memo.clear()  # a graph of a million records is half a gigabyte, and what follows needs none
    with bench.progress.stage("nearest kept records", unit="records", total=len(pool.store)) as stage:
        explained = explain(chosen, bench.engine.workers, near=near, told=stage.advance)
    document = _document(chosen, explained, pool, request)
    document["estimates"] = estimates(chosen, pool, bench, seed) if request.estimates else []
    document |= _told(chosen)
    document["warnings"] = _warnings(chosen)
    document["provenance"] = bench.provenance(time.perf_counter() - started)
    return Selection(document, chosen.ordinals, _addresses(chosen), chosen, explained, source)


def _addresses(chosen: Chosen) -> NDArray[np.int64]:
    """Source, row and line of each row that is kept, once, in order, (rows, 3)."""
    store = chosen.pool.store
    columns = [store.whole(name).to_numpy()[chosen.ordinals] for name in ("source", "row", "line")]
    table = np.stack(columns, axis=1).astype(np.int64).reshape(-1, 3)
    new = np.ones(len(table), dtype=np.bool_)
    new[1:] = (table[1:, :2] != table[:-1, :2]).any(axis=1)
    return table[new]


def _document(chosen: Chosen, explained: Explained, pool: Pool, request: SelectRequest) -> dict[str, Any]:
    summary, policy, kept = pool.dataset.summary, chosen.policy, chosen.ordinals
    rows = len(np.unique(np.stack([pool.store.whole(name).to_numpy()[kept] for name in ("source", "row")]), axis=1).T)
    return {
        "schema": SCHEMA,
        "data": {
            "name": pool.dataset.name,
            "path": pool.dataset.path,
            "sha256": summary.sha256 if summary else None,
            "rows": summary.rows if summary else None,
            "records": len(pool.store),
            "detected": pool.dataset.layout.sentence,
        },
        "policy": {
            "name": policy.name,
            "params": dict(policy.spec.params),
            "hash": policy.spec.hash,
            "text": request.text,
        },
        "budget": {
            "number": request.budget.number,
            "unit": request.budget.unit,
            "spent": chosen.spent,
            "records": len(kept),
        },
        "quality": _read_from("quality", pool),
        "complexity": _read_from("complexity", pool),
        "embedded": pool.on,
        "limits": list(chosen.limits.lines),
        "nearest": {"exact": explained.recall is None, "recall": explained.recall},
        "counts": {
            "records": len(pool.store),
            "candidates": len(chosen.pool),
            "kept": len(kept),
            "rows": rows,
            "tokens": int(pool.tokens[kept].sum()),
            "dropped": explained.counts(),
        },
    }


def _read_from(name: str, pool: Pool) -> dict[str, Any] | None:
    wish = getattr(pool, name)
    if wish is None:
        return None
    missing = int(np.isnan(pool.values[name]).sum())
    return {"label": wish.label, "field": wish.field or wish.column, "found": name in pool.detected, "missing": missing}


def _told(chosen: Chosen) -> dict[str, Any]:
    """What the policy and the limits say."""
    choice, pool = chosen.choice, chosen.pool
    notes = [*choice.notes, *chosen.limits.notes]
    if pool.quality is not None and "quality" in pool.detected:
        name = pool.quality.label.removeprefix("label_mean:field=")
        notes.append(f'Quality is read from the field "{name}", which was found; --quality names another.')
    return {"scored": choice.scored, "gained": choice.gained, "facts": _strict(dict(choice.facts)), "notes": notes}


def _strict(value: Any) -> Any:
    """As JSON holds it: no NaN, no infinity."""
    value = json_value(value)
    if isinstance(value, dict):
        return {name: _strict(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_strict(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _warnings(chosen: Chosen) -> list[dict[str, str]]:
    """What the user should look at."""
    pool = chosen.pool
    out = []
    quality = pool.candidates.quality
    if quality is not None:
        known = quality[~np.isnan(quality)]
        if len(known) and known[0] == known[-1] and len(pool) > 1:
            text = f"Quality is {known[0]:g} for all {len(known):,} candidates that have one: its order is arbitrary."
            out.append({"code": "constant_quality", "text": text})
        missing = len(quality) - len(known)
        if missing:
            text = f"{missing:,} candidates have no quality: they count as unknown, never as 0."
            out.append({"code": "missing_quality", "text": text})
    if shut := len(pool.left_out.get("no quality", ())):
        text = f"{shut:,} records have no quality, and {chosen.policy.name} takes none without."
        out.append({"code": "missing_quality", "text": text})
    out += [{"code": "budget_left", "text": note} for note in chosen.notes]
    return out + [{"code": code, "text": text} for code, text in chosen.limits.warnings]
