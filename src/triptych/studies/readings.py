"""Which measure reads a factor on the arms: what is told as the measured effect beside the designed one."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from triptych.core.errors import SpecError, message, nearest
from triptych.studies.table import RunTable

PREFERRED = {
    "Q": ("label_mean", "valid_share"),
    "D": ("effective_structures", "vendi:q=2", "vendi"),
    "C": ("reasoning_steps", "constraints", "tokens"),
}
"""Factor to measures in the order in which they are tried: the headline measures, then what stands in for them."""


def readings(table: RunTable, given: Mapping[str, str]) -> dict[str, str]:
    """Factor to the label of the measure that reads it: the one given, else the first preferred one that moves.

    Raises:
        SpecError: a factor or a label that the study does not have.
    """
    for factor, label in given.items():
        for what, name, known in (("factor", factor, table.factors), ("measure", label, table.measured)):
            if name not in known:
                want = ", ".join(known) or "none: the arms were not measured"
                raise SpecError(message(f'the study has no {what} "{name}".', want=want, hint=nearest(name, known)))
    moving = [label for label, values in table.measured.items() if np.isfinite(values).all() and np.ptp(values) > 0]
    out = {}
    for factor in table.factors:
        found = [label for name in PREFERRED.get(factor, ()) for label in moving if _is(label, name)]
        if factor in given or found:
            out[factor] = given.get(factor) or found[0]
    return out


def _is(label: str, name: str) -> bool:
    """Whether a label is that measure, with whatever parameters where the name has none."""
    return label == name or (":" not in name and label.partition(":")[0] == name)


def parse_readings(given: tuple[str, ...]) -> dict[str, str]:
    """`D=vendi:q=2` as factor to label.

    Raises:
        SpecError: it has another form.
    """
    out = {}
    for text in given:
        factor, _, label = text.partition("=")
        if not factor or not label:
            raise SpecError(message("--measured is not right.", got=text, want="FACTOR=MEASURE", hint="D=vendi:q=2"))
        out[factor.strip()] = label.strip()
    return out
