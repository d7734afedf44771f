"""Scripts of the user's: how they are found and run, and what is said when they fail."""

from __future__ import annotations

import hashlib
import json
import math
import os
import shlex
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from triptych.core.errors import SpecError, TriptychError, message

LINES_SHOWN = 5
_LINE_SHOWN = 300


@dataclass(frozen=True)
class Script:
    """A command line with its words as absolute paths where they name files or folders, so that it runs from any folder.

    Attributes:
        text: as the user wrote it.
        words: what is run.
    """

    text: str
    words: tuple[str, ...]

    @classmethod
    def parse(cls, text: str, beside: Path | None = None) -> Script:
        """Split a command line as a shell would (quotes; no variables, no pipes) and find its files.

        Args:
            text: as the user wrote it.
            beside: folder that files are looked for in first; None: the current one alone.

        Raises:
            SpecError: no command, or quotes that do not close.
        """
        try:
            words = shlex.split(text)
        except ValueError as error:
            raise SpecError(message(f"command: {error}.", got=text, want="a command line")) from error
        if not words:
            raise SpecError(message("command: no command is named.", want="command:./script.py"))
        if beside is not None:
            words = [str(beside / word) if (beside / word).is_file() else word for word in words]
        return cls(text, tuple(str(Path(word).absolute()) if _is_place(word) else word for word in words))

    def hashes(self) -> dict[str, str]:
        """SHA-256 of each file that the command names: a changed script is another script."""
        files = [Path(word) for word in self.words if Path(word).is_absolute() and Path(word).is_file()]
        return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}

    def run(
        self, timeout: float, *, folder: Path | None = None, env: Mapping[str, str] | None = None, text: str = ""
    ) -> str:
        """Run it to its end, in its own process group, and give its standard output.

        Args:
            timeout: seconds after which it and what it started are killed.
            folder: where it runs; None: here.
            env: added to the environment.
            text: its standard input.

        Raises:
            TriptychError: it cannot be started, takes too long, or ends with another code than 0.
        """
        try:
            process = subprocess.Popen(  # noqa: S603 - the user's own command, not a shell's
                self.words,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=folder,
                env={**os.environ, **(env or {})},
                start_new_session=True,
            )
        except OSError as error:
            reason = error.strerror or str(error)
            hint = f"chmod +x {self.words[0]}, or name the interpreter: command:python {self.words[0]}"
            wrong = isinstance(error, PermissionError) or "Exec format" in reason
            what = f"command {self.text}: cannot be started: {reason}."
            raise TriptychError(message(what, hint=hint if wrong else None)) from error
        with process:
            try:
                out, err = process.communicate(text.encode(errors="replace"), timeout)
            except subprocess.TimeoutExpired as error:
                what = f"command {self.text}: it took longer than {timeout:g} seconds."
                raise TriptychError(message(what, got="killed", hint="a longer timeout")) from error
            finally:
                _end(process)
        if process.returncode:
            how = f"exit code {process.returncode}" if process.returncode > 0 else f"signal {-process.returncode}"
            what = f"command {self.text}: it failed ({how})."
            raise TriptychError(message(what, got=last_lines(err), want="exit code 0"))
        return out.decode(errors="replace")


def _is_place(word: str) -> bool:
    """Whether a word of a command names a file here, or a folder written as one (`./configs`)."""
    return Path(word).is_file() or ("/" in word and Path(word).exists())


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill what is left of the process group: the script itself, or what it started and left running."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):  # none is left (or, on macOS, only one that is not reaped yet)
        return


def last_lines(output: bytes | str) -> str:
    """The last lines of an output that say something, for a message."""
    text = output.decode(errors="replace") if isinstance(output, bytes) else output
    lines = [line.rstrip()[:_LINE_SHOWN] for line in text.splitlines() if line.strip()]
    return "\n        ".join(lines[-LINES_SHOWN:]) or "nothing on standard error"


def number(value: Any) -> float | None:
    """A JSON value as a score: numbers, true (1) and false (0); None for anything else, NaN and infinities too."""
    if isinstance(value, (bool, int, float)) and math.isfinite(value):
        return float(value)
    return None


def loads(text: str) -> Any:
    """Parse JSON; None where it is none (NaN and Infinity parse, `number` refuses them)."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
