"""Loops: generate, verify, measure, select, train, evaluate, round after round."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from triptych.core.errors import UsageError, message
from triptych.core.profile import write_text
from triptych.engines.progress import Progress
from triptych.profiling.output import claim
from triptych.profiling.settings import Settings

if TYPE_CHECKING:
    from triptych.looping.config import LoopConfig


def loop(
    config: str | Path | Mapping[str, Any] | None = None,
    *,
    out: str | Path,
    progress: Progress | None = None,
    preset: str | None = None,
    seed: int | None = None,
    **settings: Any,
) -> dict[str, Any]:
    """Run a self-improvement loop: generate, verify, measure, select, train, evaluate, round after round.

    Args:
        config: a `loop.toml`, or the same as a dict, see `triptych.looping.config`; None with a preset.
        out: folder for the rounds, `loop.json`, `report.html` and `loop.svg`, its headline picture; a second call goes on where the first stopped.
        progress: what long work tells its caller.
        preset: name of a loop that is there already: collapse.
        seed: in place of the config's.
        settings: how rounds are measured, as for `measure`: workers (several policies run side by side), cache, encoder,
            tokenizer.

    Returns:
        The document of `loop.json`. A loop that cannot go on says why in its arm's `stopped`, and keeps its rounds.

    Raises:
        InputError: bad input or usage, or a folder with the rounds of another loop.
        TriptychError: the first model cannot be trained or scored.
    """
    from triptych.looping.conduct import run_loop  # noqa: PLC0415 - only loops need what is below
    from triptych.looping.folder import LOOP_FILES, PICTURE, REPORT, own_folders  # noqa: PLC0415
    from triptych.report.loop import loop_svg, render_loop  # noqa: PLC0415

    asked, measuring = _config(config, preset, seed), Settings.of(**{"command": "triptych.loop", **settings})
    folder = claim(Path(out), beside=own_folders(Path(out)), own=LOOP_FILES)
    document = run_loop(asked, folder, progress or Progress(), measuring)
    write_text(folder / REPORT, render_loop(document))
    write_text(folder / PICTURE, loop_svg(document))
    return document


def plan_loop(
    config: str | Path | Mapping[str, Any] | None = None, *, preset: str | None = None, seed: int | None = None
) -> str:
    """What `loop` would do, in words. Reads the start and the panels; trains nothing, writes nothing.

    Raises:
        InputError: as `loop`.
    """
    from triptych.looping.conduct import plan_text  # noqa: PLC0415 - only loops need what is below
    from triptych.looping.setting import Setting  # noqa: PLC0415

    asked = _config(config, preset, seed)
    return plan_text(asked, Setting.of(asked))


def _config(config: str | Path | Mapping[str, Any] | None, name: str | None, seed: int | None) -> LoopConfig:
    """The loop that is asked for, with the seed that is asked for."""
    from triptych.looping.config import LoopConfig  # noqa: PLC0415 - only loops need what is below
    from triptych.looping.presets import preset  # noqa: PLC0415

    if (config is None) == (name is None):
        want = "a loop.toml, or --preset collapse, and not both"
        raise UsageError(message("what loop is to be run?", want=want, hint="triptych loop --preset collapse"))
    if name is not None:
        found = preset(name)
    else:
        found = LoopConfig.of(config) if isinstance(config, Mapping) else LoopConfig.read(str(config))
    return found if seed is None else replace(found, seed=seed)
