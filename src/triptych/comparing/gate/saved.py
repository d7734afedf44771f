"""A side of a comparison from a saved profile folder: `features.parquet` holds its texts, its columns and its groups.

The columns are read as they were saved. Those that are not there (a measure that was not asked for then, and the few that
are never saved) are computed again from the saved texts, so every measure can be compared; labels and fields of the rows
that were not saved cannot be made again.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from triptych.annotating.run import ALL, identity_hash
from triptych.comparing.sides import Side
from triptych.core.batch import DEFECTS, Text
from triptych.core.errors import ReadError, SpecError, message
from triptych.core.feature import Feature
from triptych.core.measure import Measure
from triptych.core.profile import Profile
from triptych.core.relation import Keys
from triptych.data import Dataset, Layout, ReadOptions, Shard
from triptych.data.columns import fingerprint, schema_of
from triptych.data.names import Fields
from triptych.engines.cache import ColumnCache, readable
from triptych.engines.catalog import work_for
from triptych.engines.grouping import NEEDS, Grouping
from triptych.engines.parquet import read_features
from triptych.engines.store import FeatureStore, ShardColumns, ShardFiles
from triptych.features.annotated import Annotated
from triptych.profiling.annotations import annotated, features_of, wanted
from triptych.profiling.bench import Bench
from triptych.profiling.panel import plan

PROFILE, FEATURES = "profile.json", "features.parquet"
_BLOCK = 1 << 20
_OURS = re.compile(rb'\s*\{\s*"schema"\s*:\s*"triptych/')
_GROUPED = re.compile(r'grouped by the field "(.*?)"(?::|$)')


@final
class SavedSet(Dataset):
    """A data set as a saved profile holds it: the layout is read off the columns, the shards are the saved ones."""

    def __init__(self, folder: Path, profile: Profile, store: FeatureStore, about: Mapping[str, Any]) -> None:
        self.name = str(profile.dataset.get("name") or folder.name)
        self.path = str(folder)
        self.options = ReadOptions()
        self.summary = None
        self.store = store
        self.layout = _layout(store, str(about.get("grouping", "")))

    @property
    def source_names(self) -> tuple[str, ...]:
        """Names of the sources are not saved: their ordinals."""
        known = pc.max(self.store.whole("source")).as_py() if len(self.store) else -1
        return tuple(str(at) for at in range(known + 1))

    def expected_rows(self) -> int | None:
        """Not saved."""
        return None

    def shards(self) -> Iterator[Shard]:
        """The records as they were read then."""
        names = schema_of(self.layout.labels, self.layout.carry).names
        for index, shard in enumerate(self.store.shards):
            columns = shard.read(names)
            batch = pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))
            yield Shard(index, batch, fingerprint(batch))


def _layout(store: FeatureStore, grouping: str) -> Layout:
    """How the rows became records, as far as the columns tell."""
    labels = [name.removeprefix("label.") for name in store.columns if name.startswith("label.")]
    several = bool(pc.max(store.whole("part")).as_py())
    paired = "preference" in labels
    shape = "preference" if several and paired else "completions" if several else "pair"
    named = _GROUPED.match(grouping)
    return Layout(
        source="saved profile",
        fields=Fields(shape, prompt="prompt", response="response"),
        label_fields={name: (name,) for name in labels if shape != "preference" or name != "preference"},
        structure_field="structure" if _held(store, "structure") else None,
        group_field=named[1] if named else None,
        carry=tuple(name.removeprefix("carry.") for name in store.columns if name.startswith("carry.")),
        has_prompt=_held(store, "prompt"),
        has_response=_held(store, "response"),
    )


def _held(store: FeatureStore, column: str) -> bool:
    """Whether any record has something there that is not empty."""
    if column == "structure":
        return bool(store.whole(column).null_count < len(store))
    return any(bool(pc.max(pc.binary_length(s.read([column])[column])).as_py()) for s in store.shards)


@dataclass(frozen=True, eq=False)
class Saved:
    """A saved profile folder: its profile, and its features where there are any."""

    folder: Path
    profile: Profile
    dataset: SavedSet | None
    keys: Keys | None
    about: Mapping[str, Any]

    @property
    def instruments(self) -> tuple[str, str, str, str]:
        """Name and identity of the tokenizer, then of the encoder."""
        noted = self.about.get("instruments") or {}
        out = []
        for kind in ("tokenizer", "encoder"):
            identity = str(noted.get(f"{kind}_identity") or self.profile.provenance.get(kind, ""))
            out += [str(noted.get(kind) or identity.partition("@")[0]), identity]
        return out[0], out[1], out[2], out[3]


def is_saved(source: object) -> bool:
    """Whether a source is a folder that `measure` wrote (of one set or of several), or the JSON of a profile."""
    if not isinstance(source, (str, Path)) or source == "-":
        return False
    path = Path(source)
    if path.is_dir():
        return any((path / name).is_file() for name in (PROFILE, FEATURES)) or bool(_below(path))
    if path.name == PROFILE or not path.is_file():
        return path.name == PROFILE
    with path.open("rb") as file:
        return _OURS.match(file.read(200)) is not None


def _below(folder: Path) -> list[str]:
    """Names of the sets that were measured together into this folder."""
    if not (folder / "report.html").is_file():
        return []
    return sorted(path.parent.name for path in folder.glob(f"*/{PROFILE}"))


def open_saved(source: str | Path) -> Saved:
    """The folder of a profile, or its `profile.json` alone.

    Raises:
        ReadError: it is not there, is no profile or of another schema, or its two files are of different runs.
    """
    path = Path(source)
    folder = path if path.is_dir() else path.parent
    if path.is_dir() and not (path / PROFILE).is_file() and (names := _below(path)):
        what = f"{path}: it holds the profiles of several sets; one is wanted."
        raise ReadError(message(what, got=", ".join(names), hint=str(path / names[0])))
    try:
        profile = Profile.load(path)
    except (KeyError, TypeError) as error:
        what = f"{path}: the profile is damaged."
        raise ReadError(message(what, got=f"{type(error).__name__}: {error}", hint="triptych measure DATA")) from error
    features = folder / FEATURES
    if not path.is_dir() or not features.is_file():
        return Saved(folder, profile, None, None, {})
    store, keys, about = read_features(features)
    records = profile.dataset.get("records")
    if records != len(store):
        raise ReadError(
            message(
                f"{folder}: {PROFILE} and {FEATURES} are of different runs.",
                got=f"{records:,} and {len(store):,} records",
                hint=f"triptych measure DATA -o {folder}",
            )
        )
    return Saved(folder, profile, SavedSet(folder, profile, store, about), keys, about)


def saved_side(saved: Saved, bench: Bench, columns: Sequence[str] = ()) -> Side:
    """The side of a comparison, as `comparing.sides.prepare` makes it of a data set.

    Args:
        saved: with its features.
        bench: what to work with; its settings name the measures, its instruments are those of the saved profile.
        columns: feature columns that are wanted beside those of the measures.

    Raises:
        InputError: a measure asks for a text or a column that is neither saved nor can be made again.
        TriptychError: a model that is asked about each record could not go on; what was paid for is kept.
    """
    dataset, keys = saved.dataset, saved.keys
    assert dataset is not None and keys is not None  # noqa: S101, PT018 - the caller looked
    layout = dataset.layout
    judged: Text = "response" if layout.has_response else "prompt"
    texts = [text for text in ("prompt", "response") if getattr(layout, f"has_{text}")]
    measures = plan(bench.settings, layout).measures
    needs = [need for measure in measures for need in measure.statistic().needs]
    needs += [*NEEDS, DEFECTS, *(f"length@{text}" for text in texts), *columns]
    work = work_for(
        needs, replace(bench.instruments, judged=judged, annotations=_dear(saved, dataset, measures, bench))
    )
    store = _completed(saved.folder / FEATURES, dataset.store, work.features, bench)
    lengths = {text: _numbers(store, f"length@{text}").astype(np.int64) for text in texts}
    return Side(
        dataset=dataset,
        store=store,
        grouping=Grouping(keys, str(saved.about.get("grouping", "")), 0),
        work=work,
        keys=keys,
        measures=measures,
        judged=judged,
        prompt=_numbers(store, "key@prompt"),
        length=lengths[judged],
        tokens=np.sum(list(lengths.values()), axis=0),
        valid=_numbers(store, DEFECTS) == 0,
    )


def _dear(saved: Saved, dataset: SavedSet, measures: Sequence[Measure], bench: Bench) -> tuple[Annotated, ...]:
    """Dear columns: those that were saved, and those of models that are asked now.

    Raises:
        SpecError: the saved ones are by another model than the one that is named now.
    """
    asked = wanted(measures, bench.settings)
    held = [each.annotator for each in asked if set(each.annotator.gives) <= set(dataset.store.columns)]
    known = {artifact["hash"] for artifact in saved.profile.artifacts}
    for maker in held:
        if identity_hash(maker) not in known:
            what = f"{saved.folder}: {maker.gives[0]} was made by another model, or asked for otherwise."
            got = "; ".join(one["name"] for one in saved.profile.artifacts)
            raise SpecError(message(what, got=got, want=maker.title, hint="measure it again with this one"))
    now = [each for each in asked if each.annotator not in held]
    lasting = bench.settings.cache is not False
    made = features_of(annotated(dataset, now, bench.cache.root, bench.progress, lasting=lasting))
    return (*made, *(Annotated(maker.gives, "saved", ALL, "", maker.title) for maker in held))


def _numbers(store: FeatureStore, column: str) -> Any:
    return pc.fill_null(store.whole(column).cast("uint64"), 0).to_numpy()


@dataclass(frozen=True)
class _Both:
    """One shard: columns that were saved, and files of those that were made again."""

    saved: ShardColumns
    files: ShardFiles

    @property
    def records(self) -> int:
        return self.saved.records

    def read(self, columns: Sequence[str]) -> dict[str, pa.Array]:
        made = [name for name in columns if name in self.files.files]
        kept = [name for name in columns if name not in self.files.files]
        found = (self.saved.read(kept) if kept else {}) | self.files.read(made)
        return {name: found[name] for name in columns}


@dataclass(frozen=True)
class _Job:
    cache: ColumnCache
    content: str
    shard: _Both
    features: tuple[Feature, ...]


def _completed(path: Path, store: FeatureStore, features: Sequence[Feature], bench: Bench) -> FeatureStore:
    """The store with the columns that it lacks, made again shard by shard and kept in the cache."""
    lacking = tuple(feature for feature in features if not set(feature.gives) <= set(store.columns))
    if not lacking:
        return store
    digest = _digest(path)
    jobs, shards = [], []
    for index, shard in enumerate(store.shards):
        content = f"{digest}-{index}"
        files = {
            name: bench.cache.path(content, feature.cache_key)
            for feature in lacking
            for name in feature.gives
            if name not in store.columns
        }
        both = _Both(shard, ShardFiles(shard.records, files))
        shards.append(both)
        if not all(readable(file) for file in files.values()):
            jobs.append(_Job(bench.cache, content, both, lacking))
    with bench.progress.stage(f"columns of {path.parent}", unit="records", total=len(store)) as stage:
        for records in bench.engine.map(_compute, jobs, parts=lacking):
            stage.advance(records)
    bench.engine.rest()
    made = [name for feature in lacking for name in feature.gives if name not in store.columns]
    return FeatureStore(tuple(shards), (*store.columns, *made))


def _digest(path: Path) -> str:
    """Hash of the content of a file: what its columns are cached by."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()[:40]


def _compute(job: _Job) -> int:
    """Make the missing columns of a shard; the number of its records."""
    for feature in job.features:
        file = job.cache.path(job.content, feature.cache_key)
        if readable(file):
            continue
        needed = job.shard.read(feature.needs)
        batch = pa.RecordBatch.from_arrays([needed[name] for name in feature.needs], names=list(feature.needs))
        job.cache.write(file, feature.compute(batch))
    return job.shard.records
