"""QuRating: sampling that prefers quality as strongly as a temperature says.

Wettig et al. 2024 (arXiv 2402.09739): candidates are drawn without replacement, each time with probability proportional to
exp(z / temperature), z being the quality standardized over the candidates. Drawn at once by Gumbel top-k (Kool et al. 2019,
arXiv 1903.06059): the order of z / temperature + Gumbel noise. Temperature 0.01 is nearly top_quality; `inf` is random.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from triptych.core.basket import Basket
from triptych.core.candidates import Candidates
from triptych.core.rng import stream
from triptych.core.selector import Choice, Selector, Setting
from triptych.selectors._columns import quality_of

_SPREAD = 1e-9
"""A standard deviation below this share of the largest value is rounding: the quality is constant."""


@final
@dataclass(frozen=True)
class QuRating(Selector):
    """Candidates drawn with a preference for quality.

    Attributes:
        temperature: standard deviations of quality that make a candidate e times as likely; 0.001 or more.
    """

    temperature: float = 1.0

    name: ClassVar[str] = "qurating"
    source: ClassVar[str] = "Wettig et al. 2024 (arXiv 2402.09739)"
    sweep: ClassVar = tuple({"temperature": heat} for heat in (8.0, 4.0, 2.0, 1.0, 0.5, 0.25, 0.1))

    def __post_init__(self) -> None:
        """Check the temperature.

        Raises:
            ValueError: it is not 0.001 or more.
        """
        if not self.temperature >= 0.001:
            raise ValueError(f"temperature must be 0.001 or more; got {self.temperature}")

    @property
    def needs(self) -> tuple[str, ...]:
        """Quality."""
        return ("quality",)

    def choose(self, pool: Candidates, basket: Basket, setting: Setting) -> Choice:
        """Draw without replacement until the basket admits none. O(n log n)."""
        quality = quality_of(pool)
        spread = float(quality.std()) if len(quality) else 0.0
        constant = spread <= _SPREAD * float(np.abs(quality).max(initial=0.0))
        z = np.zeros(len(quality)) if constant else (quality - quality.mean()) / spread
        score = z / self.temperature + stream("select", "qurating", setting.seed).gumbel(size=len(z))
        held = len(basket)
        basket.fill(np.argsort(-score, kind="stable"))
        setting.told(len(basket) - held)
        notes = ("All candidates have the same quality, so the temperature decided nothing.",) if constant else ()
        return Choice(score=score, scored="quality with noise", notes=notes)
