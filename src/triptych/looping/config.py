"""What a loop is asked to do: `loop.toml`, or the same as a dict.

```toml
seed = 0
rounds = 6                      # trainings; rounds 0..6 are evaluated
at = 1000                       # valid records at which diversity is read
guard = "advise"                # off | advise | stop
policies = ["correct", "keep"]  # several arms side by side, instead of [policy] name

[start]                         # the real data: what the first model is trained on
world = "programs"              # with skills, records, forms, block, quality, items; or:  data = "seed.jsonl"
trainer = ""                    # of round 0, where it differs

[model]
trainer = "tiny:steps=3000"
write = ""                      # what the model is asked so that it writes a prompt of its own

[generator]
kind = "self"                   # self | endpoint (url, model, key_env) | command (run)
samples = 6000
prompts = "own"                 # or a FILE of prompts, each answered `each` times
each = 1

[verifier]
scorer = "verifier"             # verifier, exact, verifier:MODULE:FUNCTION, command:SCRIPT
leak = 0.0                      # share of wrong answers that it lets pass

[policy]
name = "keep"                   # with its parameters beside it
budget = 4000                   # records trained on in a round
closed = ["compositions"]       # panels kept out of what is trained on; without it: all that are out of distribution

[dials]                         # any of `Dials`, where a policy does not set it

[evaluation]
k = [1, 16]
k_items = 100
panels = ["id", "compositions"] # of the world; or a table [evaluation.panels] of name = "FILE[,SCORER]"
```

Files are looked for beside the TOML file; those of a dict in the current folder.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias, TypeVar, get_type_hints

from triptych.core.errors import ReadError, SpecError, UsageError, message, nearest
from triptych.core.plugins import converted, parameters, unknown
from triptych.guarding.request import LEAST_AT
from triptych.looping.dials import Dials
from triptych.looping.generators.registry import GENERATORS, build_generator

OWN = "own"
"""Prompts that the model writes itself."""

Watch: TypeAlias = Literal["off", "advise", "stop"]
Section = TypeVar("Section")


@dataclass(frozen=True)
class StartConfig:
    """The real data of the start: a file, or a world with its dials.

    Attributes:
        data: file of records.
        world: name of a world; what follows are its dials.
        skills, records, forms, block, quality: see `triptych.worlds.world.Dials`.
        items: of each panel of the world.
        trainer: of round 0; empty: that of the model.
    """

    data: str = ""
    world: str = ""
    skills: int = 12
    records: int = 2000
    forms: int = 1
    block: str = "0"
    quality: float = 1.0
    items: int = 300
    trainer: str = ""


@dataclass(frozen=True)
class ModelConfig:
    """The model: its trainer, and what it is asked so that it writes a prompt of its own."""

    trainer: str = "tiny:steps=3000"
    write: str = ""


@dataclass(frozen=True)
class GeneratorConfig:
    """Who writes the records.

    Attributes:
        kind: the model itself, an endpoint that speaks the OpenAI protocol, or a command.
        samples: records a round.
        prompts: "own", or a file of prompts.
        each: responses to each prompt of a file.
        params: of the kind, see `triptych.looping.generators`.
    """

    kind: str = "self"
    samples: int = 6000
    prompts: str = OWN
    each: int = 1
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class VerifierConfig:
    """Who says what is right: a scorer as after `--panel`, and the share of wrong answers that it lets pass."""

    scorer: str = "verifier"
    leak: float = 0.0


@dataclass(frozen=True)
class EvaluationConfig:
    """How the model of each round is scored.

    Attributes:
        k: of pass@k; empty: greedy responses alone.
        k_items: items of each panel that pass@k is read on.
        panels: names of the world's panels; empty: all.
        files: name to "FILE[,SCORER]", instead.
    """

    k: tuple[int, ...] = (1, 16)
    k_items: int = 100
    panels: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class LoopConfig:
    """A loop. See the module's text.

    Attributes:
        policies: one arm each, as `name:param=value,..`.
        budget: records trained on in a round.
        closed: panels kept out of what is trained on; None: all that are out of distribution.
        dials: that the user set.
        base: folder that files are looked for in; no part of the identity.
    """

    seed: int = 0
    rounds: int = 6
    at: int = 1000
    guard: Watch = "advise"
    start: StartConfig = StartConfig()
    model: ModelConfig = ModelConfig()
    generator: GeneratorConfig = GeneratorConfig()
    verifier: VerifierConfig = VerifierConfig()
    policies: tuple[str, ...] = ("keep",)
    budget: int = 4000
    closed: tuple[str, ...] | None = None
    dials: Dials = field(default_factory=Dials)
    evaluation: EvaluationConfig = EvaluationConfig()
    base: Path = field(default=Path(), compare=False)

    def __post_init__(self) -> None:
        """Check numbers and what goes together; names of policies, trainers and scorers are looked up by the run.

        Raises:
            SpecError, UsageError: something is out of range, or does not go together.
        """
        for what, value, low, high in self._ranges():
            if not low <= value <= high:
                want = f"{low:g} or more" if high == INFINITE else f"{low:g} to {high:g}"
                raise SpecError(message(f"loop: {what} is out of range.", got=f"{value:g}", want=want))
        start = self.start
        if bool(start.data) == bool(start.world):
            want = '[start] data = "FILE", or world = "NAME"'
            raise UsageError(message("loop: the start needs data or a world, and not both.", want=want))
        if start.data and not self.evaluation.files:
            want = '[evaluation.panels] id = "FILE[,SCORER]"'
            raise UsageError(message("loop: there is no panel to score.", want=want))
        if not self.policies or len(set(self.policies)) < len(self.policies):
            got = ", ".join(self.policies) or "none"
            raise UsageError(message("loop: policies must be different ones, at least one.", got=got))

    def _ranges(self) -> list[tuple[str, float, float, float]]:
        samples, dials = self.generator.samples, self.dials
        shares = {name: getattr(dials, name) for name in ("archive", "even", "floor", "anchor", "blend")}
        return [
            ("rounds", self.rounds, 1, INFINITE),
            ("at", self.at, LEAST_AT, INFINITE),
            ("budget", self.budget, 1, INFINITE),
            ("[start] records", self.start.records, 1, INFINITE),
            ("[start] items", self.start.items, 1, INFINITE),
            ("[generator] samples", samples, 1, INFINITE),
            ("[generator] each", self.generator.each, 1, INFINITE),
            ("[verifier] leak", self.verifier.leak, 0, 1),
            ("[evaluation] k_items", self.evaluation.k_items, 1, INFINITE),
            *((f"[evaluation] k = {k}", k, 1, INFINITE) for k in self.evaluation.k),
            ("[dials] temperature", dials.temperature, 0, INFINITE),
            ("[dials] min_p", dials.min_p, 0, 1),
            ("[dials] push", dials.push, 0, INFINITE),
            *((f"[dials] {name}", value, 0, 1) for name, value in shares.items()),
            *(("[dials] explore", temperature, 0, INFINITE) for temperature, _ in dials.explore),
            ("[dials] sum of the shares of explore", sum(share for _, share in dials.explore), 1 - 1e-9, 1 + 1e-9),
        ]

    @classmethod
    def read(cls, path: str | Path) -> LoopConfig:
        """The config of a TOML file.

        Raises:
            ReadError: it cannot be read.
            SpecError, UsageError: it asks for something that is not there.
        """
        file = Path(path)
        try:
            table = tomllib.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise ReadError(message(f"{file}: no loop can be read.", got=reason, want="a TOML file")) from error
        return cls.of(table, file.parent)

    @classmethod
    def of(cls, table: Mapping[str, Any], base: Path | None = None) -> LoopConfig:
        """The config of a dict with the tables and keys of the TOML file.

        Raises:
            SpecError, UsageError: as `read`.
        """
        whole = dict(table)
        given: dict[str, Any] = {"base": base or Path()}
        policy = _table(whole.pop("policy", {}), "[policy]")
        if "policies" in whole:
            given["policies"] = _texts(whole.pop("policies"), "policies")
            if "name" in policy:
                raise UsageError(message("loop: policies and [policy] name exclude each other.", want="one of them"))
        elif "name" in policy:
            given["policies"] = (_policy(policy),)
        if "closed" in policy:
            given["closed"] = _texts(policy.pop("closed"), "[policy] closed")
        if "budget" in policy:
            given["budget"] = converted("loop: [policy]", "budget", policy.pop("budget"), int)
        if policy:
            raise _unknown("[policy]", next(iter(policy)), ("name", "budget", "closed"))
        for name, make in _SECTIONS.items():
            if name in whole:
                given[name] = make(_table(whole.pop(name), f"[{name}]"))
        kinds = {"seed": int, "rounds": int, "at": int, "guard": Watch}
        for name, value in whole.items():
            if name not in kinds:
                raise _unknown("", name, (*kinds, "policies", "policy", *_SECTIONS))
            given[name] = converted("loop", name, value, kinds[name])
        return cls(**given)

    def to_json(self) -> dict[str, Any]:
        """Strict JSON values: everything that the result follows from, but the contents of files."""
        values = {item.name: getattr(self, item.name) for item in fields(self) if item.name != "base"}
        for name in ("start", "model", "generator", "verifier", "evaluation"):
            values[name] = asdict(values[name])
        plain: dict[str, Any] = json.loads(json.dumps({**values, "dials": self.dials.to_json()}))
        return plain

    @property
    def hash(self) -> str:
        """First 16 hex digits of the SHA-256 of the canonical JSON."""
        text = json.dumps(self.to_json(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def of_policy(self, policy: str) -> LoopConfig:
        """The same loop with one arm."""
        return replace(self, policies=(policy,))

    def file(self, name: str) -> str:
        """A file of the config as a path from here."""
        return str(self.base / Path(name).expanduser())


INFINITE = float("inf")


def _policy(table: dict[str, Any]) -> str:
    """Name and parameters as on a command line; budget and closed stay in the table."""
    name: str = converted("loop: [policy]", "name", table.pop("name"), str)
    own = {key: table.pop(key) for key in tuple(table) if key not in ("budget", "closed")}
    pairs = [f"{key}={str(value).lower() if isinstance(value, bool) else value}" for key, value in own.items()]
    return name + (":" + ",".join(pairs) if pairs else "")


def _section(cls: type[Section], where: str, table: Mapping[str, Any]) -> Section:
    """A section of plain values."""
    hints = get_type_hints(cls)
    for key in table:
        if key not in hints:
            raise _unknown(where, key, hints)
    return cls(**{key: converted(f"loop: {where}", key, value, hints[key]) for key, value in table.items()})


def _generator(table: dict[str, Any]) -> GeneratorConfig:
    names = ("kind", "samples", "prompts", "each")
    own: dict[str, Any] = {name: table.pop(name) for name in names if name in table}
    made = _section(GeneratorConfig, "[generator]", own)
    if made.kind not in GENERATORS:
        raise unknown("generator", made.kind, GENERATORS)
    params = parameters(GENERATORS[made.kind])
    for key in table:
        if key not in params:
            raise _unknown("[generator]", key, (*names, *params))
    build_generator(made.kind, table)  # say now what is wrong with it
    return replace(made, params=table)


def _evaluation(table: dict[str, Any]) -> EvaluationConfig:
    panels = table.pop("panels", ())
    if isinstance(panels, Mapping):
        for name, value in panels.items():
            converted("loop: [evaluation.panels]", name, value, str)
        chosen: dict[str, Any] = {"files": dict(panels)}
    else:
        chosen = {"panels": _texts(panels, "[evaluation] panels")}
    if "k" in table:
        given = table.pop("k")
        many = given if isinstance(given, (list, tuple)) else [given]
        chosen["k"] = tuple(sorted({converted("loop: [evaluation]", "k", k, int) for k in many}))
    return replace(_section(EvaluationConfig, "[evaluation]", table), **chosen)


def _dials(table: dict[str, Any]) -> Dials:
    explore = table.pop("explore", None)
    dials = _section(Dials, "[dials]", table)
    return dials if explore is None else replace(dials, explore=_explore(explore))


def _explore(value: Any) -> tuple[tuple[float, float], ...]:
    """A temperature; several, used alike; or pairs of temperature and share."""
    items = value if isinstance(value, (list, tuple)) else [value]
    try:
        if all(isinstance(item, (list, tuple)) for item in items):
            return tuple((float(temperature), float(share)) for temperature, share in items)
        return tuple((float(item), 1 / len(items)) for item in items)
    except (TypeError, ValueError):
        want = "a temperature, a list of them, or of [temperature, share]"
        raise SpecError(message("loop: [dials] explore is not right.", got=str(value), want=want)) from None


def _texts(value: Any, where: str) -> tuple[str, ...]:
    items = [value] if isinstance(value, str) else value
    if not isinstance(items, (list, tuple)) or not all(isinstance(item, str) for item in items):
        raise SpecError(message(f"loop: {where} is not right.", got=str(value), want="a list of names"))
    return tuple(items)


def _table(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise SpecError(message(f"loop: {where} is not right.", got=str(value), want=f"a table {where}"))
    return dict(value)


def _unknown(where: str, key: str, known: Any) -> SpecError:
    names = list(known)
    what = f'loop: {where} has no key "{key}".' if where else f'loop: there is no key "{key}".'
    return SpecError(message(what, got=key, want=", ".join(names), hint=nearest(key, names)))


_SECTIONS: dict[str, Any] = {
    "start": lambda table: _section(StartConfig, "[start]", table),
    "model": lambda table: _section(ModelConfig, "[model]", table),
    "generator": _generator,
    "verifier": lambda table: _section(VerifierConfig, "[verifier]", table),
    "dials": _dials,
    "evaluation": _evaluation,
}
