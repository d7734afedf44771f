"""`tiny`: a small decoder-only transformer, trained from scratch in seconds on one core.

By default one layer of width 64 with 4 heads: about 54,000 parameters with a vocabulary of some 80 words. A record is its
prompt, a mark, its response and an end mark; the loss is that of the response, unless `prompt_loss`. Trained by passes
over the data (`epochs`), so that arms of equal tokens get equal compute, or by `steps`.

The same arguments give the same bits on one kind of machine: one thread on a CPU, every draw from a labelled stream.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self, final

import numpy as np
from numpy.typing import NDArray

from triptych._version import __version__
from triptych.core.errors import MissingExtraError, ReadError, SpecError, TriptychError, UsageError, message
from triptych.core.profile import write_text
from triptych.core.rng import stream
from triptych.core.spec import Spec, params_of
from triptych.studies.trainers.tiny_decode import Chance, generate, log_likelihoods
from triptych.studies.trainers.tiny_fit import Feed, Plan, fit
from triptych.studies.trainers.tiny_model import Shape
from triptych.studies.trainers.tiny_text import END, RESPOND, UNKNOWN, Vocabulary
from triptych.studies.trainers.trainer import (
    Cost,
    Example,
    Model,
    ModelTrainer,
    Outcome,
    Task,
    check_blend,
)

if TYPE_CHECKING:
    import torch

SCHEMA = "triptych/tiny@1"
TOGETHER = 64
"""Arms in one batched model on a GPU: their parameters, gradients and moments are some 60 MB."""
WEIGHTS, CONFIG = "model.safetensors", "config.json"


@final
@dataclass(frozen=True)
class TinyModel(Model):
    """A trained tiny model.

    Attributes:
        shape: of its parameters.
        vocabulary: what its tokens stand for.
        flat: its parameters, (1, size), float32.
        longest: tokens of a response at most, where the caller does not say.
        context: tokens of a record at most; a longer prompt loses its beginning.
    """

    shape: Shape
    vocabulary: Vocabulary
    flat: torch.Tensor
    longest: int
    context: int

    def generate(
        self,
        prompts: Sequence[str],
        *,
        temperature: float = 0.0,
        max_tokens: int | None = None,
        seed: int = 0,
        min_p: float = 0.0,
    ) -> list[str]:
        """One response for each prompt; the draws of prompt i depend on `seed`, i and `max_tokens` alone."""
        encoded = [self.vocabulary.encode(prompt)[-self.context :] for prompt in prompts]
        most = self.longest if max_tokens is None else max_tokens
        with one_thread():
            tokens = generate(self.shape.views(self.flat), encoded, most, Chance(temperature, min_p, seed))
        return [self.vocabulary.decode(row) for row in tokens]

    def log_likelihood(self, examples: Sequence[Example]) -> NDArray[np.float64]:
        """log p(response and its end | prompt) in nats and number of those tokens, (n, 2)."""
        records = [encode(self.vocabulary, example, self.context)[:2] for example in examples]
        with one_thread():
            return log_likelihoods(self.shape.views(self.flat), records)

    def blended(self, other: Model, weight: float) -> TinyModel:
        """As `Model.blended`; limits of responses and records are this model's.

        Raises:
            UsageError: another shape or vocabulary, or a weight outside 0..1.
        """
        check_blend(self, other, weight)
        if not isinstance(other, TinyModel) or (other.shape, other.vocabulary) != (self.shape, self.vocabulary):
            got, want = f"{getattr(other, 'shape', other)}", f"{self.shape}, same vocabulary"
            raise UsageError(message("tiny: models of two shapes cannot be averaged.", got=got, want=want))
        mixed = other.flat.to(self.flat.device).lerp(self.flat, weight)
        return dataclasses.replace(self, flat=mixed)

    def save(self, folder: Path) -> None:
        """Write `model.safetensors` and `config.json`."""
        from safetensors.numpy import save  # noqa: PLC0415 - only where a model is written

        folder.mkdir(parents=True, exist_ok=True)
        views = self.shape.views(self.flat.cpu())
        part = folder / f".{WEIGHTS}.part"
        part.write_bytes(save({name: np.ascontiguousarray(view[0].numpy()) for name, view in views.items()}))
        part.replace(folder / WEIGHTS)
        config = {
            "schema": SCHEMA,
            **dataclasses.asdict(self.shape),
            "longest": self.longest,
            "context": self.context,
            "words": self.vocabulary.words,
        }
        config["vocabulary_hash"] = self.vocabulary.hash
        write_text(folder / CONFIG, json.dumps(config) + "\n")  # ASCII: a word may be a lone surrogate


@final
@dataclass(frozen=True)
class Tiny(ModelTrainer):
    """The tiny trainer.

    Attributes:
        layers: transformer blocks.
        width: of the residual stream; a multiple of 4 times `heads`.
        heads: of attention.
        epochs: passes over the data.
        steps: optimizer steps; 0: as many as the passes take.
        batch: records in a step.
        learning_rate: highest; rises over the first 5 % of steps, then falls along a cosine.
        weight_decay: of the matrices, embeddings aside.
        max_tokens: of a generated response; 0: twice the longest response of the training data.
        context: tokens of a record at most; of a longer one the prompt loses its beginning, then the response its end,
            and the notes say how many were cut.
        prompt_loss: whether the tokens of the prompt count in the loss.
        tokenization: auto (words where there are at most 2,048 different ones, else bytes), words or bytes.
        device: auto (a GPU where there is one), cpu or cuda.
        start: folder of a saved tiny model that training goes on from, with its vocabulary (the notes count the words it
            does not know); none: from scratch.
        vocabulary: what `prepare` fitted.
    """

    name: ClassVar[str] = "tiny"
    extra: ClassVar[str | None] = "torch"

    layers: int = 1
    width: int = 64
    heads: int = 4
    epochs: float = 15.0
    steps: int = 0
    batch: int = 64
    learning_rate: float = 1e-2
    weight_decay: float = 0.1
    max_tokens: int = 0
    context: int = 512
    prompt_loss: bool = False
    tokenization: str = "auto"
    device: str = "auto"
    start: str = ""
    vocabulary: Vocabulary | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        for what in ("layers", "width", "heads", "batch", "epochs", "learning_rate"):
            if not getattr(self, what) > 0:
                raise SpecError(message(f"tiny: {what} must be above 0.", got=str(getattr(self, what))))
        for what in ("steps", "weight_decay", "max_tokens"):
            if not getattr(self, what) >= 0:
                raise SpecError(message(f"tiny: {what} must be 0 or more.", got=str(getattr(self, what))))
        if self.width % (4 * self.heads):
            raise SpecError(
                message("tiny: width is no multiple of 4 times heads.", got=f"width {self.width}, {self.heads} heads")
            )
        if self.context < 4:
            raise SpecError(message("tiny: context is too short.", got=str(self.context), want="4 tokens or more"))
        if self.device not in {"auto", "cpu", "cuda"}:
            raise SpecError(message("tiny: no such device.", got=self.device, want="auto, cpu, cuda"))
        Vocabulary.fit(["."], self.tokenization)

    def prepare(self, texts: Iterable[str]) -> Self:
        """This trainer with the vocabulary of all texts of a study, or with that of the model it starts from.

        Raises:
            ReadError: there is no such model.
        """
        fitted = dataclasses.replace(self)
        vocabulary = self.base().vocabulary if self.start else Vocabulary.fit(texts, self.tokenization)
        object.__setattr__(fitted, "vocabulary", vocabulary)
        return fitted

    @property
    def spec(self) -> Spec:
        """The parameters and, once prepared, the hash of the vocabulary; of a model to start from the hash of its files.

        Raises:
            ReadError: there is no such model.
        """
        params = params_of(self)
        del params["device"], params["start"]  # where, not what
        if self.start:
            params |= {"start": _weights(Path(self.start).expanduser())}
        if self.vocabulary is not None:
            params |= {"vocabulary": self.vocabulary.hash}
        return Spec(self.name, params)

    @property
    def versions(self) -> dict[str, str]:
        """Versions of torch and of this package."""
        return {"torch": str(_torch().__version__), "triptych": __version__}

    def _steps(self, records: int) -> int:
        return self.steps or max(1, round(self.epochs * records / self.batch))

    def scratch(self, records: int) -> int | None:
        """Optimizer steps of a training on so many records; None with a model to start from."""
        return None if self.start else self._steps(records)

    def train(
        self, data: Sequence[Example], seed: int, start: Model | None = None
    ) -> tuple[TinyModel, Cost, dict[str, Any]]:
        """Train from scratch, or go on from a tiny model with the same shape and vocabulary.

        Raises:
            UsageError: not prepared, no records, or a `start` of another kind.
            TriptychError: the loss is no number any more.
        """
        return self._train([data], [seed], [self._from() if start is None else start])[0]

    def train_many(
        self, datas: Sequence[Sequence[Example]], seeds: Sequence[int]
    ) -> list[tuple[TinyModel, Cost, dict[str, Any]]]:
        """Train one model on each data set: on a GPU all as one, on a CPU one after the other.

        Gives what `train` gives for each, on a GPU to the tolerance of float32; seconds are shared evenly.
        """
        if self._place() == "cpu":
            return [self.train(data, seed) for data, seed in zip(datas, seeds, strict=True)]
        return self._train(datas, seeds, [self._from()] * len(datas))

    @property
    def together(self) -> int:
        """On a GPU so many arms in one batched model; on a CPU stacked arms are no faster than one by one."""
        return 1 if self._place() == "cpu" else TOGETHER

    def run_many(self, tasks: Sequence[Task]) -> list[Outcome]:
        """As `Trainer.run_many`, with the arms trained by `train_many`."""
        trained = self.train_many([task.data for task in tasks], [task.seed for task in tasks])
        return [self.outcome(task, one) for task, one in zip(tasks, trained, strict=True)]

    def base(self) -> TinyModel:
        """The model that `start` names.

        Raises:
            UsageError: it names none.
            ReadError: there is none, or it is damaged.
        """
        if not self.start:
            what = "the trainer tiny has no model before training: it starts from scratch."
            raise UsageError(message(what, want="the folder of a saved tiny model", hint="tiny:start=FOLDER"))
        return self.load(Path(self.start).expanduser())

    def load(self, folder: Path) -> TinyModel:
        """Read a model that `TinyModel.save` wrote.

        Raises:
            ReadError: there is none, or it is damaged.
        """
        from safetensors import SafetensorError  # noqa: PLC0415 - only where a model is read
        from safetensors.numpy import load  # noqa: PLC0415

        torch = _torch()
        try:
            config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
            parts = load((folder / WEIGHTS).read_bytes())
            if config["schema"] != SCHEMA:
                raise ReadError(message(f"{folder}: not a tiny model.", got=str(config["schema"]), want=SCHEMA))
            words = config["words"]
            vocabulary = Vocabulary(None if words is None else tuple(words))
            shape = Shape(*(config[name.name] for name in dataclasses.fields(Shape)))
            flat = torch.empty(1, shape.size)
            for name, view in shape.views(flat).items():
                view.copy_(torch.from_numpy(parts[name]))
            sizes = int(config["longest"]), int(config["context"])
        except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
            raise ReadError(message(f"{folder}: no tiny model can be read.", got=str(error))) from error
        if vocabulary.hash != config.get("vocabulary_hash") or len(vocabulary) != shape.vocabulary:
            raise ReadError(message(f"{folder / CONFIG}: the vocabulary is not the one that was saved."))
        return TinyModel(shape, vocabulary, flat.to(self._place()), *sizes)

    def _train(
        self, datas: Sequence[Sequence[Example]], seeds: Sequence[int], starts: Sequence[Model | None]
    ) -> list[tuple[TinyModel, Cost, dict[str, Any]]]:
        """Train all arms as one."""
        torch, began = _torch(), time.perf_counter()
        if self.vocabulary is None:
            raise UsageError(
                message("tiny: no vocabulary yet.", hint="trainer = trainer.prepare(texts), all of the study")
            )
        if not all(datas):
            raise UsageError(message("tiny: no records to train on.", got="0 records"))
        shape = Shape(len(self.vocabulary), self.layers, self.width, self.heads)
        encoded = [[encode(self.vocabulary, example, self.context) for example in data] for data in datas]
        steps = [self._steps(len(data)) for data in datas]
        order = sorted(range(len(datas)), key=lambda arm: -steps[arm])
        feeds = [
            Feed.of([(tokens, 1 if self.prompt_loss else first) for tokens, first, _ in encoded[arm]], seeds[arm])
            for arm in order
        ]
        flat = torch.stack([self._start(shape, seeds[arm], starts[arm]) for arm in order]).to(self._place())
        plan = Plan(tuple(steps[arm] for arm in order), self.batch, self.learning_rate, self.weight_decay)
        with one_thread():
            trained = fit(shape, flat, feeds, plan)
        out: list[tuple[TinyModel, Cost, dict[str, Any]]] = [None] * len(datas)  # type: ignore[list-item] # filled below
        seconds = (time.perf_counter() - began) / len(datas)
        for place, arm in enumerate(order):
            if not (np.isfinite(trained.losses[place]) and bool(flat[place].isfinite().all())):  # the last step counts
                got = f"loss {trained.losses[place]} at step {steps[arm]}"
                raise TriptychError(message("tiny: training diverged.", got=got, hint="a lower learning_rate"))
            longest = self.max_tokens or 2 * max(len(tokens) - first for tokens, first, _ in encoded[arm])
            model = TinyModel(shape, self.vocabulary, flat[place : place + 1].clone(), longest, self.context)
            notes = {"loss": trained.losses[place], "parameters": shape.size, "tokenization": self.vocabulary.kind}
            cut = sum(cut for *_, cut in encoded[arm])
            unknown = sum(tokens.count(UNKNOWN) for tokens, *_ in encoded[arm])
            notes |= {name: count for name, count in (("cut", cut), ("unknown", unknown)) if count}
            out[arm] = model, Cost(seconds, steps[arm], trained.tokens[place]), notes
        return out

    def _from(self) -> TinyModel | None:
        """The model that training begins with where the caller gives none."""
        return self.base() if self.start else None

    def _start(self, shape: Shape, seed: int, start: Model | None) -> torch.Tensor:
        """The parameters that training begins with, (size,)."""
        if start is None:
            draw = _torch().Generator().manual_seed(int(stream("tiny", "start", seed).integers(2**63)))
            return shape.start(draw)
        if not isinstance(start, TinyModel) or (start.shape, start.vocabulary) != (shape, self.vocabulary):
            got = f"{start.shape}" if isinstance(start, TinyModel) else type(start).__name__
            raise UsageError(message("tiny: cannot go on from this model.", got=got, want=f"{shape}, same vocabulary"))
        return start.flat[0].cpu()

    def _place(self) -> str:
        """cpu or cuda."""
        here = bool(_torch().cuda.is_available())
        if self.device == "cuda" and not here:
            raise UsageError(message("tiny: there is no GPU that torch can use.", hint="device=cpu or device=auto"))
        return "cuda" if here and self.device != "cpu" else "cpu"


def encode(vocabulary: Vocabulary, example: Example, context: int) -> tuple[list[int], int, bool]:
    """Tokens of a record of at most `context`, the place of its first response token, and whether it was cut."""
    prompt = [*vocabulary.encode(example.prompt), RESPOND]
    response = [*vocabulary.encode(example.response), END]
    cut = len(prompt) + len(response) > context
    response = response[: context - 1]
    prompt = prompt[-(context - len(response)) :]
    return prompt + response, len(prompt), cut


def _weights(folder: Path) -> str:
    """First 16 hex digits of the SHA-256 over the files of a saved model."""
    try:
        parts = [hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in (WEIGHTS, CONFIG)]
    except OSError as error:
        raise ReadError(message(f"{folder}: no tiny model can be read.", got=str(error))) from error
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


@contextmanager
def one_thread() -> Iterator[None]:
    """One torch thread inside: sums in one order, and processes that do not fight for cores."""
    torch = _torch()
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _torch() -> Any:
    """The package torch.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        import torch  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise MissingExtraError(
            message("tiny: torch is not installed.", hint="pip install 'triptych[torch]'")
        ) from error
    return torch
