"""What the preset `findings` sets: for each world the low, middle and high level of each dial.

The levels are chosen from how the worlds are built, before any training: quality from half right to all right, as many
skills as the world has against a sixth of them, and the two depths beyond the first in shares that mirror each other, so
that the effective number of skills is the same at both levels of complexity.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from triptych.core.errors import SpecError, message, nearest
from triptych.worlds.world import Dials

CODES = (-1.0, 0.0, 1.0)
FACTORS = ("Q", "D", "C")


@dataclass(frozen=True)
class Preset:
    """A full 2 x 2 x 2 factorial with a centre point in one world.

    Attributes:
        world: its name.
        records: of an arm (in the design with equal tokens: of the arms that set the number of tokens).
        quality, skills, depths: the dials at low, middle and high.
        forms: surface forms in use; 0: all that may be trained on.
        items: of each panel.
        panels: which of the world's; empty: all.
        designs: what is held equal: "records", "tokens", or both in turn.
        trainer: as after `--trainer`.
    """

    world: str
    records: int
    quality: tuple[float, float, float]
    skills: tuple[int, int, int]
    depths: tuple[Mapping[int, float], Mapping[int, float], Mapping[int, float]]
    forms: int
    items: int = 300
    panels: tuple[str, ...] = ()
    designs: tuple[str, ...] = ("records",)
    trainer: str = "tiny"

    def dials(self, levels: Mapping[str, float]) -> Dials:
        """The dials of an arm at these coded levels."""
        at = {factor: CODES.index(levels[factor]) for factor in FACTORS}
        made = Dials(quality=self.quality[at["Q"]], skills=self.skills[at["D"]], depths=self.depths[at["C"]])
        return replace(made, forms=self.forms)


_MIRRORED = ({1: 0.1, 2: 0.6, 3: 0.3}, {1: 0.1, 2: 0.45, 3: 0.45}, {1: 0.1, 2: 0.3, 3: 0.6})

PRESETS: dict[str, Preset] = {
    "programs": Preset(
        world="programs",
        records=4000,
        quality=(0.5, 0.75, 1.0),
        skills=(8, 20, 48),
        depths=_MIRRORED,
        forms=1,
        panels=("id", "compositions", "deeper", "longer"),  # with one form of words, others were never read
        designs=("records", "tokens"),
    ),
    "rewriting": Preset(
        world="rewriting",
        records=4000,
        quality=(0.5, 0.75, 1.0),
        skills=(8, 20, 48),
        depths=_MIRRORED,
        forms=0,
    ),
}

TITLES = {"findings": "What quality, diversity and complexity do to in- and out-of-distribution scores"}
"""Preset to the title of its document."""


def chosen(preset: str | None, worlds: tuple[str, ...]) -> dict[str, Preset]:
    """World to preset, for these worlds or for all that have one.

    Raises:
        SpecError: no such preset, or none for a world.
    """
    if preset not in TITLES:
        want = ", ".join(TITLES)
        raise SpecError(message(f'no preset is named "{preset}".', want=want, hint=nearest(str(preset), TITLES)))
    for name in worlds:
        if name not in PRESETS:
            want = ", ".join(PRESETS)
            what = f'the preset "{preset}" has no world "{name}".'
            raise SpecError(message(what, want=want, hint=nearest(name, PRESETS)))
    return {name: PRESETS[name] for name in worlds or PRESETS}


def describe(preset: Preset, blocks: int) -> str:
    """What the preset would do in its world, in words."""
    runs = 9 * blocks * len(preset.designs)
    lines = [f"world {preset.world}: 2 x 2 x 2 arms and a centre in {blocks} blocks, {runs} runs of {preset.trainer}"]
    lines += [f"held equal: {' and, in a second design, '.join(preset.designs)}; {preset.records:,} records an arm"]
    lines += [f"quality, share of right answers: {', '.join(f'{q:g}' for q in preset.quality)}"]
    lines += [f"diversity, skills at each depth: {', '.join(map(str, preset.skills))}"]
    shares = ["/".join(f"{share:g}" for share in depths.values()) for depths in preset.depths]
    return "\n".join(
        [*lines, f"complexity, shares of depths {'/'.join(map(str, preset.depths[0]))}: {', '.join(shares)}"]
    )
