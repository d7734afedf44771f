"""What a gate would do, in words, before it is done."""

from __future__ import annotations

from triptych.comparing.gate.against import DRAWS
from triptych.comparing.gate.prepared import planned
from triptych.comparing.gate.request import GateRequest, Source
from triptych.profiling.annotations import plan_lines, wanted


def describe_gate(request: GateRequest) -> str:
    """Data, baseline, rules, draws, cost.

    Raises:
        InputError: as the gate, as far as the heads of the data tell.
    """
    lines = [f"data: {_words(request.data)}"]
    lines += [f"baseline: {_words(request.baseline)}"] if request.baseline is not None else []
    lines += ["default rules:" if request.rules is None else "rules:"]
    pairs = planned(request, request.settings)
    rules = [rule for rule, _ in pairs]
    for rule in rules:
        parts = [f"at equal {rule.match}"] if rule.compares else []
        parts += [f"for each {rule.by}"] if rule.by else []
        lines.append(f"  {rule.name}: " + ", ".join([*rule.limits, *parts]))
    if any(rule.compares for rule in rules):
        lines.append(f"draws of a matching that leaves records out: {DRAWS}, the same whatever the seed")
    asked = wanted([measure for _, measure in pairs if measure is not None], request.settings)
    for source in (request.data, request.baseline):
        if asked and source is not None and source.dataset is not None and source.saved is None:
            lines += plan_lines(source.dataset, asked, request.settings)
    lines += [] if asked else ["calls to a model endpoint: 0; cost: 0"]
    return "\n".join(lines)


def _words(source: Source) -> str:
    if source.saved is None:
        assert source.dataset is not None  # noqa: S101 - a data set was opened
        return f"{source.dataset.name}: {source.dataset.layout.sentence}; it is measured"
    known = source.saved.profile.dataset
    kind = "saved profile alone" if source.saved.dataset is None else "saved profile with its features"
    return f"{known.get('name')}: {kind}, {known.get('measured'):,} records"
