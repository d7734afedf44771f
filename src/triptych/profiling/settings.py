"""What a user may set when measuring."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from triptych.core.dear import OPTIONS
from triptych.core.errors import UsageError, message, nearest
from triptych.data import ReadOptions
from triptych.features.embedding import encoder_names
from triptych.features.tokens import DEFAULT as DEFAULT_TOKENIZER


@dataclass(frozen=True)
class Settings:
    """Options of `measure`, as on the command line.

    Attributes:
        measures: requests such as "vendi:q=2"; empty: the default panel.
        encoder, tokenizer: by name or path; two encoders for `measure`: "static,minilm".
        encoder_sample: how many records the second encoder is asked about, drawn at random; None: all.
        judge, lm, student, reward: models that are asked about each record: a judge at an endpoint
            ("URL,model=NAME,key_env=NAME"), a language model, the student to be trained, a reward model. With one of them
            named, its measures join the default panel.
        judge_sample, lm_sample, reward_sample: how many records each is asked about, drawn at random; None: all. That of
            the language model holds for the student too.
        reference: a data set that the measured ones are held against; None: none. Its measures then join the panel.
        map: role to field.
        group_by: field that says which records belong together.
        by: field that splits one source into several data sets.
        valid_only: measure only records without a defect.
        on_bad: what to do with a row that cannot be read.
        split: of a saved Hugging Face set.
        limit: first N rows.
        workers: processes; None: one a core.
        engine: "local".
        cache: folder; None: the default one; False: none is kept.
        seed: kept in the provenance; no number of `measure` depends on it.
        command: kept in the provenance.
    """

    measures: tuple[str, ...] = ()
    encoder: str = "static"
    encoder_sample: int | None = None
    tokenizer: str = DEFAULT_TOKENIZER
    judge: str | None = None
    judge_sample: int | None = None
    lm: str | None = None
    lm_sample: int | None = None
    student: str | None = None
    reward: str | None = None
    reward_sample: int | None = None
    reference: str | None = None
    map: Mapping[str, str] = field(default_factory=dict)
    group_by: str | None = None
    by: str | None = None
    valid_only: bool = False
    on_bad: Literal["raise", "skip"] = "raise"
    split: str | None = None
    limit: int | None = None
    workers: int | None = None
    engine: str = "local"
    cache: Path | Literal[False] | None = None
    seed: int = 0
    command: str = "triptych.measure"

    @classmethod
    def of(cls, **given: Any) -> Settings:
        """Settings from keywords, with a hint for a name that is nearly right.

        Raises:
            UsageError: an unknown name or a value out of range.
        """
        known = {item.name for item in fields(cls)}
        for name in given:
            if name not in known:
                raise UsageError(
                    message(
                        f'measure has no setting "{name}".', want=", ".join(sorted(known)), hint=nearest(name, known)
                    )
                )
        if isinstance(given.get("measures"), str):
            given["measures"] = (given["measures"],)
        given["measures"] = tuple(given.get("measures") or ())
        made = cls(**given)
        made._check()
        return made

    @classmethod
    def beside(cls, verb: str, own: type[Any], given: dict[str, Any], hidden: Collection[str] = ()) -> dict[str, Any]:
        """What of some keywords belongs to a verb's own options; it is taken out of them, the rest is for `of`.

        Args:
            verb: its name, for the message.
            own: its dataclass of options, with a field `settings` for ours.
            given: the keywords.
            hidden: names that are not offered in the message.

        Raises:
            UsageError: an unknown name, with a hint for one that is nearly right.
        """
        mine = {item.name for item in fields(own)} - {"settings"}
        known = mine | {item.name for item in fields(cls)}
        for name in given:
            if name not in known:
                want = ", ".join(sorted(known - set(hidden)))
                raise UsageError(message(f'{verb} has no setting "{name}".', want=want, hint=nearest(name, known)))
        return {name: given.pop(name) for name in mine & given.keys()}

    def _check(self) -> None:
        if self.limit is not None and self.limit < 1:
            raise UsageError(
                message("the limit must be at least one row.", got=str(self.limit), want="--limit N, N >= 1")
            )
        for name in ("encoder_sample", "judge_sample", "lm_sample", "reward_sample"):
            size = getattr(self, name)
            if size is not None and size < 1:
                option = f"--{name.replace('_', '-')} N, N >= 1"
                raise UsageError(message("a sample has at least one record.", got=str(size), want=option))
        if self.encoder_sample is not None and (len(self.encoders) < 2 or self.encoders[1].startswith("column:")):
            want = "two, the second of which is asked about the sample: static,minilm"
            raise UsageError(message("--encoder-sample needs a second encoder to ask.", got=self.encoder, want=want))
        self._check_models()
        if self.workers is not None and self.workers < 1:
            raise UsageError(message("there must be at least one worker.", got=str(self.workers), want="--workers N"))
        if self.engine != "local":
            raise UsageError(message(f'engine "{self.engine}" is not available.', want="local", hint="--engine local"))
        if self.on_bad not in ("raise", "skip"):
            raise UsageError(message("--on-bad is not right.", got=str(self.on_bad), want="raise or skip"))

    def _check_models(self) -> None:
        """Whether every model has a name, and every sample a model to be asked."""
        for name in ("judge", "lm", "student", "reward", "reference"):
            if getattr(self, name) is not None and not str(getattr(self, name)).strip():
                raise UsageError(message(f"--{name} is empty.", want=OPTIONS.get(name, f"--{name} FILE")))
        asked = {"judge_sample": ("judge",), "lm_sample": ("lm", "student"), "reward_sample": ("reward",)}
        for sample, models in asked.items():
            if getattr(self, sample) is not None and all(getattr(self, model) is None for model in models):
                option = f"--{sample.replace('_', '-')}"
                raise UsageError(
                    message(f"{option} without a model to ask.", want=" or ".join(OPTIONS[each] for each in models))
                )

    def model_of(self, maker: str) -> str | None:
        """The model that makes the dear columns of a maker (`triptych.core.dear`), as named; None: none is."""
        name = "lm" if maker == "gradients" else maker
        model: str | None = getattr(self, name)
        return model

    def sample_of(self, maker: str) -> int | None:
        """How many records the maker is asked about; None: all."""
        samples = {"judge": self.judge_sample, "reward": self.reward_sample}
        return samples.get(maker, self.lm_sample)

    @property
    def encoders(self) -> tuple[str, ...]:
        """The encoder, or the two under which every number that hangs on one is read.

        Raises:
            UsageError: more than two, or one twice.
        """
        names = encoder_names(self.encoder)
        if len(names) > 2 or len(set(names)) < len(names) or not all(names):
            raise UsageError(
                message("--encoder is not right.", got=self.encoder, want="one name, or two: static,minilm")
            )
        return names

    def reading(self, where: tuple[str, str] | None = None) -> ReadOptions:
        """How the data sets are read."""
        sources = [name.removeprefix("column:") for name in self.encoders if name.startswith("column:")]
        return ReadOptions(
            roles=dict(self.map),
            group_by=self.group_by,
            on_bad=self.on_bad,
            limit=self.limit,
            split=self.split,
            where=where,
            carry=tuple(source for source in sources if source and not source.endswith(".npy")),
        )
