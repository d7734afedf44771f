"""What stands beside the numbers of a profile: histograms, defects with examples, the worst offenders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from triptych.core.batch import Batch
from triptych.core.relation import Keys
from triptych.core.sorting import tally
from triptych.engines.store import FeatureStore
from triptych.features.validity import DEFECTS

_EXCERPT = 400
_EXAMPLES = 3
_WORST = 5
_BINS = 30
REPEATED_RESPONSES = "Most repeated responses"

_DEAR = {
    "judge.quality": ("quality", "grade of quality by the judge", "grade"),
    "judge.complexity": ("complexity", "grade of complexity by the judge", "grade"),
    "reward.score": ("quality", "score of the reward model", "score"),
}
_TITLES = {
    "length": ("length", "tokens"),
    "reasoning_steps": ("reasoning steps", "steps"),
    "constraints": ("constraints of the prompt", "constraints"),
    "readability_grade": ("readability grade", "school grade"),
    "lexical_diversity": ("lexical diversity (HD-D)", "ratio"),
}


@dataclass(frozen=True)
class Beside:
    """Reads the records that were measured: a store, their keys, and the names of its sources."""

    store: FeatureStore
    keys: Keys
    sources: Sequence[str]
    on: str

    def details(self) -> dict[str, Any]:
        """Histograms, defects and offenders, as JSON values."""
        return {"histograms": self.histograms(), "defects": self.defects(), "offenders": self.offenders()}

    def _column(self, name: str) -> pa.Array:
        whole = self.store.whole(name)
        return whole.take(pa.array(self.keys.ordinal)).combine_chunks()

    def histograms(self) -> list[dict[str, Any]]:
        """One for each per-record number that was computed."""
        out = []
        for name in self.store.columns:
            base, _, on = name.partition("@")
            if base in _TITLES and on != "both":
                words, unit = _TITLES[base]
                title = f"{on} {words}" if base == "length" else words
                out.append(_histogram(name, title, "complexity", unit, self._column(name)))
            elif name in _DEAR:
                axis, title, unit = _DEAR[name]
                out.append(_histogram(name, title, axis, unit, self._column(name)))
            elif name.startswith("label."):
                out.append(_histogram(name, f"label {name[6:]}", "quality", "label value", self._column(name)))
        return [histogram for histogram in out if histogram]

    def defects(self) -> list[dict[str, Any]]:
        """Each kind with its count, share and up to three examples (those of the smallest address hash)."""
        name = f"defects@{self.on}"
        if name not in self.store.columns:
            return []
        flags = pc.fill_null(self._column(name), 0).to_numpy()
        out = []
        for bit, kind in enumerate(DEFECTS):
            carried = np.flatnonzero(flags >> bit & 1)
            first = carried[np.argsort(self.keys.address[carried])][:_EXAMPLES]
            share = len(carried) / max(len(flags), 1)
            examples = [self._excerpt(int(at)) for at in first]
            out.append({"kind": kind, "count": len(carried), "share": share, "examples": examples})
        return out

    def offenders(self) -> list[dict[str, Any]]:
        """The records, responses and structures that repeat most."""
        kinds = [
            ("Most repeated records", "Exact copies: the same prompt and the same response.", "content_id", "copies"),
            (REPEATED_RESPONSES, "The same response to whatever prompt.", "key@response", "records"),
            (
                "Most common structures",
                "Equal once digits, names, quotes and long literals are masked.",
                "template",
                "records",
            ),
        ]
        out = []
        for title, why, column, unit in kinds:
            name = next((n for n in self.store.columns if n == column or n.startswith(column + "@")), None)
            items = self._most_repeated(name, unit) if name else []
            if items:
                out.append({"title": title, "why": why, "items": items})
        return out

    def _most_repeated(self, name: str, unit: str) -> list[dict[str, Any]]:
        batch = Batch({name: self._column(name)}, self.keys.group, self.keys.address)
        keys = batch.keys(name)
        values, number = tally(keys[batch.present(name)])
        items = []
        for at in np.lexsort((values, -number))[:_WORST]:
            if number[at] < 2:
                break
            excerpt = self._excerpt(int(np.argmax(keys == values[at])))
            if name != "key@response" or excerpt["response"].strip():
                items.append({**excerpt, "note": f"{number[at]:,} {unit}", "count": int(number[at])})
        return items

    def _excerpt(self, at: int) -> dict[str, Any]:
        """Place and bounded texts of the record at this position among those measured."""
        ordinal = int(self.keys.ordinal[at])
        index = int(np.searchsorted(self.store.bounds, ordinal, side="right")) - 1
        inside = ordinal - int(self.store.bounds[index])
        read = self.store.shards[index].read(["source", "line", "prompt", "response"])
        source, line, prompt, response = (read[name][inside].as_py() for name in read)
        return {"where": f"{self.sources[source]}:{line}", "prompt": _cut(prompt), "response": _cut(response)}


def _cut(text: str | None) -> str | None:
    return text if text is None or len(text) <= _EXCERPT else text[:_EXCERPT] + " …"


def _histogram(name: str, title: str, axis: str, unit: str, column: pa.Array) -> dict[str, Any] | None:
    """Counts in at most 30 bins; the last one reaches from the 99th percentile to the largest value."""
    values: NDArray[np.float64] = column.drop_null().cast(pa.float64()).to_numpy()
    values = values[np.isfinite(values)]
    if not len(values):
        return None
    low, high, top = float(values.min()), float(values.max()), float(np.quantile(values, 0.99))
    whole = bool(np.all(values == np.rint(values)))
    if whole and high - low < _BINS:
        edges = np.arange(low, high + 2) - 0.5
    elif whole:
        step = max(1.0, np.ceil((top - low + 1) / _BINS))
        edges = (
            np.append(np.arange(low, top + step, step), high + 1)
            if high >= top + step
            else np.arange(low, high + step + 1, step)
        )
    else:
        edges = np.linspace(low, top, _BINS + 1) if top > low else np.array([low, max(high, low + 1.0)])
        edges = np.append(edges, high) if high > edges[-1] else edges
    edges = np.unique(edges)
    counts, _ = np.histogram(values, edges)
    return {
        "column": name,
        "title": title[0].upper() + title[1:],
        "axis": axis,
        "unit": unit,
        "edges": [float(edge) for edge in edges],
        "counts": [int(count) for count in counts],
        "missing": len(column) - len(values),
    }
