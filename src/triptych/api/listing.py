"""What there is: measures, policies, worlds, and what each of them is."""

from __future__ import annotations

import dataclasses
import inspect
from typing import Any

from triptych.core.measure import Measure
from triptych.core.plugins import unknown
from triptych.core.registry import lookup, measures
from triptych.core.selector import Selector
from triptych.core.spec import json_value
from triptych.selectors.registry import build_policy, example_of, lookup_policy, policy_text, selectors
from triptych.worlds.writing import describe_worlds


def list_measures() -> list[dict[str, Any]]:
    """All measures: name, axis, unit, parameters with their defaults, columns they need, extra, source."""
    entries = []
    for name, cls in measures().items():
        needs = list(cls(**_example_params(cls)).statistic().needs)
        about = cls.about
        entries.append(
            {"name": name, "axis": about.axis, "unit": about.unit, "params": _defaults(cls), "needs": needs}
            | {"extra": about.extra, "source": about.source}
        )
    return entries


def _example_params(cls: type[Measure]) -> dict[str, Any]:
    """Parameters that make an instance: those of the worked example of the measure's file."""
    example = getattr(inspect.getmodule(cls), "EXAMPLE", None)
    return dict(example.params) if example is not None else {}


def list_selectors() -> list[dict[str, Any]]:
    """All policies: name, parameters with their defaults, what they need and use of the records, floor, sweep, source.

    What a policy needs may depend on its parameters: it is said for its defaults or, where one must be given, for the
    first step of its sweep.
    """
    entries = []
    for name, cls in selectors().items():
        example = example_of(cls)
        entries.append(
            {"name": name, "params": _defaults(cls), "needs": list(example.needs), "wants": list(example.wants)}
            | {"floor": cls.floor, "sweep": [dict(step) for step in cls.sweep], "source": cls.source}
        )
    return entries


def list_worlds() -> list[dict[str, Any]]:
    """All worlds: name, title, extra, number of skills by depth, surface forms, kinds of error, panels."""
    return describe_worlds()


def explain(name: str) -> str:
    """What a measure or a policy is: the documentation of its file, and how to ask for it.

    Raises:
        SpecError: neither has this name; the message hints at a near miss.
    """
    if name in measures():
        return _explain_measure(name)
    if name in selectors():
        return _explain_policy(name)
    want = "one of those in `triptych list` or `triptych list --policies`"
    raise unknown("measure or policy", name, [*measures(), *selectors()], want=want, hint="triptych list")


def _explain_measure(name: str) -> str:
    """Documentation, range, source, confounders and parameters."""
    cls = lookup(name)
    about = cls.about
    doc = inspect.cleandoc(inspect.getmodule(cls).__doc__ or cls.__doc__ or "")
    lines = [f"{name}: {about.title}, {about.axis}", "", doc, ""]
    lines += [f"unit: {about.unit}, from {about.bounds[0]:g} to {about.bounds[1]:g}; better: {about.better}"]
    lines += [f"source: {about.source}", "confounded by: " + (", ".join(about.confounders) or "nothing known")]
    return "\n".join(lines + _parameter_lines(cls))


def _explain_policy(name: str) -> str:
    """Documentation, what it reads, source and parameters."""
    cls = lookup_policy(name)
    example = example_of(cls)
    docs = [inspect.cleandoc(text) for text in (inspect.getmodule(cls).__doc__, cls.__doc__) if text]
    lines = [f"{name}: policy", "", "\n\n".join(docs), ""]
    lines += ["needs: " + (", ".join(example.needs) or "nothing but the records")]
    lines += ["uses where there is one: " + ", ".join(example.wants)] if example.wants else []
    lines += ["has a quality floor: it never takes a record that fails validity"] if cls.floor else []
    lines += [f"source: {cls.source}"] if cls.source else []
    steps = [policy_text(build_policy(name, step)) for step in cls.sweep]
    return "\n".join(lines + _parameter_lines(cls) + ([f"swept by frontier: {', '.join(steps)}"] if steps else []))


def _parameter_lines(cls: type[Measure | Selector]) -> list[str]:
    params = [f"  {key} = {'none' if value is None else value}" for key, value in _defaults(cls).items()]
    return ["parameters:", *params] if params else ["parameters: none"]


def _defaults(cls: type[Measure | Selector]) -> dict[str, Any]:
    """Parameters with their defaults as JSON values; null where there is none."""
    fields = dataclasses.fields(cls)  # type: ignore[arg-type]
    return {f.name: None if f.default is dataclasses.MISSING else json_value(f.default) for f in fields}
