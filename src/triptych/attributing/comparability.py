"""Whether an effect can be put down to the component that is named: controlled, confounded or unknown, as in `compare`.

controlled   only what was varied differs, and the runs tell every component from every other
confounded   something differs that was not varied, or components go together
unknown      what made some of the runs is not known well enough
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from triptych.attributing.factors import CONFOUNDED, CONTROLLED, UNKNOWN, Components
from triptych.attributing.runs import Run
from triptych.attributing.terms import main_effects

LISTED = 3


def comparability(runs: Sequence[Run], components: Components, varied: Sequence[str]) -> dict[str, Any]:
    """The part `comparability` of `attribution.json`.

    Args:
        runs: all of them.
        components: sorted.
        varied: keys that were varied on purpose; empty: the runs were found, so whatever differs is what is asked about.
    """
    names = [run.name for run in runs]
    factors = components.factors
    beside = [one.name for one in factors if varied and not _within(one.name, varied)]
    alike = {
        weights.term.factors[0]: [" × ".join(one) for one in weights.alike]
        for weights in main_effects(factors, len(runs))
        if weights.of is None
    }
    missing = [
        f"{name}: not stated by {_some([names[at] for at in silent])}" for name, silent in components.unknown.items()
    ]
    differs = [
        {
            "component": factor.name,
            "values": list(factor.levels),
            "varied": factor.name not in beside,
            "alike": alike.get(factor.name, []),
        }
        for factor in factors
    ]
    verdict = CONFOUNDED if beside or alike else UNKNOWN if missing or not factors else CONTROLLED
    return {
        "verdict": verdict,
        "sentence": _sentence(verdict, components, beside, alike),
        "differs": differs,
        "same": [{"component": name, "value": value} for name, value in components.held.items()],
        "follows": [{"component": name, "of": parent} for name, parent in components.follows.items()],
        "budgets": [{"component": name, "values": list(values)} for name, values in components.budgets.items()],
        "missing": missing,
    }


def _within(name: str, varied: Sequence[str]) -> bool:
    """Whether a component is a key that was varied, or a part of one, or the whole of which a part was varied."""
    return any(name == key or name.startswith(f"{key}.") or key.startswith(f"{name}.") for key in varied)


def _sentence(verdict: str, components: Components, beside: Sequence[str], alike: dict[str, list[str]]) -> str:
    if verdict == CONTROLLED:
        words = _listed([factor.name for factor in components.factors])
        one = len(components.factors) == 1
        return f"Controlled: {words} {'differs' if one else 'differ, each in runs that are alike in the others'}."
    if verdict == UNKNOWN:
        if not components.factors:
            return "Unknown: no component that is stated differs between the runs, so there is nothing to attribute to."
        return (
            f"Unknown: not all is stated ({_some(list(components.unknown))}), so what differs may not be all that does."
        )
    parts = []
    if beside:
        parts.append(f"{_listed(list(beside))} {'differs' if len(beside) == 1 else 'differ'} too, which was not varied")
    if alike:
        together = dict.fromkeys([*alike, *(name for names in alike.values() for name in names)])
        parts.append(f"{_listed(list(together))} go together, so a difference cannot be put down to one of them")
    return f"Confounded: {'; '.join(parts)}."


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]


def _some(words: Sequence[str]) -> str:
    more = f" and {len(words) - LISTED} more" if len(words) > LISTED else ""
    return ", ".join(words[:LISTED]) + more
