"""What is generated: `recipe.toml`, or the same as a dict. A recipe is its components, of which one changes at a time.

```toml
seed = 0                        # of all draws
batch = 16                      # records that a method makes at a time
patience = 20                   # batches in a row without a record after which the run gives up

[seeds]                         # what it starts from; not every method needs it
data = "seeds.jsonl"            # any data set; or:  world = "programs", records = 200
sample = 50                     # drawn at random; without it: all
map = {prompt = "question"}     # for fields with unusual names
licence = "MIT"

[writer]
kind = "lm"                     # lm, endpoint, world, command, replay, with their parameters beside it
model = "smollm2"
temperature = 0.8

[method]
name = "evol_instruct"          # with its parameters beside it

[search]                        # around the method; without it: none
name = "none"

[[filters]]                     # any number, in this order
name = "near_duplicate"
threshold = 0.8

[grade]                         # quality of a record in [0, 1], for searches and filters that need it
verifier = "number"             # a verifier's name and parameters; or world = "programs"; or
                                # judge = {kind = "endpoint", url = .., model = ..}, or judge = "writer"; with rubric = ".."

[budget]                        # at least one of them
records = 200                   # kept
tokens = 1_000_000              # read and written by the models
money = 5.0                     # by the writer's price
```

Files are looked for beside the TOML file; those of a dict in the current folder. The hash of a recipe is that of its
components with all parameters, said or not; a file counts by its name (what was read from it stands in `recipe.json`).
"""

from __future__ import annotations

import dataclasses
import json
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from triptych.core.errors import ReadError, SpecError, UsageError, message
from triptych.core.plugins import converted
from triptych.generating.ask import Filter, Method, Search, Writer
from triptych.generating.rubric import TOKENS
from triptych.generating.tables import part, section, table, tables, unknown
from triptych.generating.told import filter_text, flat, hash_of, told, values
from triptych.verifiers.registry import parse_verifier
from triptych.worlds.registry import load_world

SCHEMA = "triptych/recipe@1"
ITSELF = "writer"
"""The writer of the recipe as its own judge."""


@dataclass(frozen=True)
class SeedsConfig:
    """What generation starts from: a data set, or a world that makes one.

    Attributes:
        data: file of records.
        world, records: name of a world, and how many records it makes.
        sample: drawn at random from them; None: all, in their order.
        map: role to field.
        on_bad: what to do with a row that cannot be read.
        split: of a saved data set.
        licence: of the data, as the user says.
    """

    data: str = ""
    world: str = ""
    records: int = 200
    sample: int | None = None
    map: Mapping[str, str] = field(default_factory=dict)
    on_bad: Literal["raise", "skip"] = "raise"
    split: str | None = None
    licence: str = ""

    def __post_init__(self) -> None:
        """Check what goes together.

        Raises:
            SpecError, UsageError: it does not, or a number is out of range.
        """
        if bool(self.data) == bool(self.world):
            want = '[seeds] data = "FILE", or world = "NAME"'
            raise UsageError(message("recipe: the seeds need data or a world, and not both.", want=want))
        for name, value in (("records", self.records), ("sample", 1 if self.sample is None else self.sample)):
            if value < 1:
                raise SpecError(message(f"recipe: [seeds] {name} is out of range.", got=str(value), want="1 or more"))
        if self.world:
            load_world(self.world)


@dataclass(frozen=True)
class GradeConfig:
    """What quality is read from; one of the three.

    Attributes:
        verifier: name and parameters, as after `verifier:`; the record's own row is what it compares with.
        world: that reads prompts and knows their answers.
        judge: a writer that rates records by the rubric; "writer": the recipe's own.
        rubric: what makes a record good, for the judge; "": what any judge here is asked.
        tokens: that the judge may write; one that thinks before it grades needs hundreds.
    """

    verifier: str = ""
    world: str = ""
    judge: Writer | Literal["writer"] | None = None
    rubric: str = ""
    tokens: int = TOKENS

    def __post_init__(self) -> None:
        """Check what goes together, and that it is there.

        Raises:
            SpecError, UsageError: it does not, or is not.
        """
        named = [name for name in ("verifier", "world", "judge") if getattr(self, name)]
        if len(named) != 1:
            want = "one of verifier, world, judge"
            raise UsageError(message("recipe: [grade] is not right.", got=" and ".join(named) or "none", want=want))
        if self.rubric and not self.judge:
            raise UsageError(message("recipe: [grade] rubric is for a judge.", got=named[0], want="judge"))
        if self.tokens < 1:
            raise SpecError(message("recipe: [grade] tokens is out of range.", got=str(self.tokens), want="1 or more"))
        if self.verifier:
            parse_verifier(self.verifier)
        if self.world:
            load_world(self.world)


@dataclass(frozen=True)
class Budget:
    """When a run is done: at the first that is reached.

    Attributes:
        records: that passed all filters.
        tokens: read and written by the writer and the judge, answers that failed later included.
        money: by their prices.
    """

    records: int | None = None
    tokens: int | None = None
    money: float | None = None

    def __post_init__(self) -> None:
        """Check that there is one, and that none is zero.

        Raises:
            SpecError, UsageError: there is none, or it lets nothing be made.
        """
        given = {item.name: getattr(self, item.name) for item in fields(self)}
        if all(value is None for value in given.values()):
            want = "records, tokens or money"
            raise UsageError(message("recipe: there is no budget.", want=want, hint="[budget] records = 200"))
        for name, value in given.items():
            if value is not None and not 0 < value < math.inf:
                what = f"recipe: [budget] {name} lets nothing be made."
                raise SpecError(message(what, got=f"{value:g}", want="more than 0"))

    def __str__(self) -> str:
        return ", ".join(f"{value:,} {name}" for name, value in dataclasses.asdict(self).items() if value is not None)


@dataclass(frozen=True)
class Recipe:
    """A recipe, its components built. See the module's text.

    Attributes:
        base: folder that files are looked for in; no part of the identity.
    """

    writer: Writer
    method: Method
    search: Search
    budget: Budget
    seeds: SeedsConfig | None = None
    filters: tuple[Filter, ...] = ()
    grade: GradeConfig | None = None
    seed: int = 0
    batch: int = 16
    patience: int = 20
    base: Path = field(default=Path(), compare=False)

    def __post_init__(self) -> None:
        """Check numbers and what goes together.

        Raises:
            SpecError, UsageError: something is out of range, or does not go together.
        """
        for name in ("batch", "patience"):
            if getattr(self, name) < 1:
                raise SpecError(
                    message(f"recipe: {name} is out of range.", got=str(getattr(self, name)), want="1 or more")
                )
        looking: list[Search | Filter] = [self.search, *self.filters]
        for each in looking:
            if each.graded and self.grade is None:
                kind = "search" if isinstance(each, Search) else "filter"
                what = f'recipe: {kind} "{each.name}" needs to know how good a record is.'
                raise UsageError(message(what, want="a table [grade]", hint='[grade] judge = "writer"'))
        if self.method.needs and self.seeds is None:
            what = f'recipe: method "{self.method.name}" needs seeds.'
            raise UsageError(message(what, want="a table [seeds]", hint='[seeds] data = "FILE"'))
        if self.budget.money is not None:
            for name, writer in (("writer", self.writer), ("judge", self.judge)):
                if writer is not None and writer.price is None:
                    hint = f"[{name}] price = {{prompt = 0.5, completion = 1.5}}  # of a million tokens"
                    raise UsageError(message(f"recipe: a budget of money needs the price of the {name}.", hint=hint))

    @classmethod
    def read(cls, path: str | Path) -> Recipe:
        """The recipe of a TOML file, or of the `recipe.json` of a finished run (or its folder).

        Raises:
            ReadError: it cannot be read.
            SpecError, UsageError: it asks for something that is not there.
        """
        file = Path(path)
        file = file / "recipe.json" if file.is_dir() else file
        try:
            text = file.read_text(encoding="utf-8")
            if file.suffix == ".json":
                document = json.loads(text)
                found, folder = document["recipe"], file.parent / document["provenance"].get("base", "")
            else:
                found, folder = tomllib.loads(text), file.parent
        except (OSError, ValueError, KeyError, TypeError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise ReadError(message(f"{file}: no recipe can be read.", got=reason, want="a TOML file")) from error
        return cls.of(found, folder)

    @classmethod
    def of(cls, given: Mapping[str, Any], base: Path | None = None) -> Recipe:
        """The recipe of a dict with the tables and keys of the TOML file; None stands for what is not said.

        Raises:
            SpecError, UsageError: as `read`.
        """
        whole: dict[str, Any] = {"search": {"name": "none"}}
        whole |= {key: value for key, value in table(given, "the recipe").items() if value is not None}
        for key in whole:
            if key not in _KEYS:
                raise unknown("", key, _KEYS)
        for key in ("writer", "method"):
            if key not in whole:
                raise UsageError(message(f"recipe: there is no table [{key}].", want="[writer], [method] and [budget]"))
        folder = base or Path()
        made: dict[str, Any] = {
            **{name: part(base, whole[name], f"[{name}]", folder) for name, base in _PARTS.items()},
            "filters": tuple(part(_FILTER, each, "[[filters]]", folder) for each in tables(whole.get("filters", ()))),
            "budget": section(Budget, whole.get("budget", {}), "[budget]"),
        }
        if "seeds" in whole:
            made["seeds"] = section(SeedsConfig, whole["seeds"], "[seeds]")
        if "grade" in whole:
            made["grade"] = _grade(table(whole["grade"], "[grade]"), folder)
        for key in ("seed", "batch", "patience"):
            if key in whole:
                made[key] = converted("recipe", key, whole[key], int)
        return cls(**made, base=folder)

    @property
    def judge(self) -> Writer | None:
        """Who answers what is asked of a judge, where that is not the writer."""
        judge = self.grade.judge if self.grade else None
        return judge if isinstance(judge, Writer) else None

    def to_json(self) -> dict[str, Any]:
        """Strict JSON values from which `of` makes the same recipe; every parameter is there."""
        grade = None
        if self.grade:
            grade = {item.name: getattr(self.grade, item.name) for item in fields(self.grade)}
            grade["judge"] = told(self.grade.judge) if isinstance(self.grade.judge, Writer) else self.grade.judge
        return {
            "seed": self.seed,
            "batch": self.batch,
            "patience": self.patience,
            "seeds": values(self.seeds) if self.seeds else None,
            "writer": told(self.writer),
            "method": told(self.method),
            "search": told(self.search),
            "filters": [told(each) for each in self.filters],
            "grade": grade,
            "budget": values(self.budget),
        }

    def components(self) -> dict[str, str]:
        """Every component and its parameters, flat, as text: `{"method": "few_shot", "method.shots": "3", ..}`.

        What has no value is left out. Two recipes that differ in one key differ in one thing.
        """
        document = self.to_json()
        out: dict[str, str] = {}
        for name, mark in (("seeds", "data"), ("writer", "kind"), ("method", "name"), ("search", "name")):
            own = dict(document[name] or {})
            out[name] = str(own.pop(mark, None) or own.pop("world", None) or "none")
            if self.seeds and self.seeds.data and name == "seeds":
                del own["records"]  # of a world
            out |= flat(name, own)
        out["filters"] = ", ".join(filter_text(each) for each in self.filters) or "none"
        grade = dict(document["grade"] or {})
        if not grade.get("judge"):
            grade.pop("tokens", None)
        out |= flat("grade", grade)
        out |= flat("budget", document["budget"])
        return out | {name: str(document[name]) for name in ("batch", "seed")}

    @property
    def hash(self) -> str:
        """First 16 hex digits of the SHA-256 of the canonical JSON."""
        return hash_of(self.to_json())

    def file(self, name: str) -> Path:
        """A file of the recipe as a path from here."""
        return self.base / Path(name).expanduser()


def _grade(given: dict[str, Any], folder: Path) -> GradeConfig:
    judge = given.pop("judge", None)
    if isinstance(judge, Mapping):
        judge = part(_PARTS["writer"], {"kind": "endpoint", **judge}, "[grade] judge", folder)
    elif judge not in (None, ITSELF):
        want = '{url = .., model = ..}, or "writer"'
        raise SpecError(message("recipe: [grade] judge is not right.", got=str(judge), want=want))
    return section(GradeConfig, {**given, "judge": judge}, "[grade]")


_KEYS = ("seed", "batch", "patience", "seeds", "writer", "method", "search", "filters", "grade", "budget")
_PARTS: Mapping[str, Any] = {"writer": Writer, "method": Method, "search": Search}
_FILTER: Any = Filter
