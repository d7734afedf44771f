"""Comparing: `compare` and `gate`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from triptych.api.opening import named_sets
from triptych.core.profile import write_json, write_text
from triptych.engines.progress import Progress
from triptych.profiling.bench import open_bench
from triptych.profiling.output import claim


def compare(
    *data: Any, out: str | Path | None = None, progress: Progress | None = None, **settings: Any
) -> dict[str, Any]:
    """Compare data sets: say what made them differ, hold equal what must be equal, and give one of four verdicts each.

    Args:
        data: two or more sets, as for `measure`; a path may have a name before it: "new=runs/2/data.jsonl".
        out: folder for `comparison.json` and `report.html`; None: nothing is written but the cache.
        progress: what long work tells its caller.
        settings: match, margin, draws, baseline, models, against, adjudicate, labels: see `triptych.comparing.request.CompareOptions`; and how to read and
            measure the data, as for `measure`; `seed` is that of the draws.

    Returns:
        The document of `comparison.json`.

    Raises:
        InputError: bad input or usage, with one clear message; nothing is written.
    """
    from triptych.comparing.adjudicate import keep_sheet, write_sheet  # noqa: PLC0415 - only comparisons need what is below
    from triptych.comparing.request import CompareOptions  # noqa: PLC0415
    from triptych.comparing.verb import COMPARE_FILES, compare_sets  # noqa: PLC0415
    from triptych.report.comparison import render_comparison  # noqa: PLC0415

    options = CompareOptions.of(**settings)
    sets = named_sets(data, options.settings)
    folder = claim(Path(out), own=COMPARE_FILES) if out is not None else None
    if folder is not None and options.adjudicate is not None:
        keep_sheet(folder)
    with open_bench(options.settings, progress or Progress()) as bench:
        document = compare_sets(sets, bench, options)
    if folder is not None:
        write_json(folder / "comparison.json", document)
        if document["sheet"] is not None:
            write_sheet(folder, document["sheet"])
        write_text(folder / "report.html", render_comparison(document))
    return document


def plan_compare(*data: Any, **settings: Any) -> str:
    """What `compare` would do, in words. Reads only the heads of the sets.

    Raises:
        InputError: as `compare`.
    """
    from triptych.comparing.planning import describe_compare  # noqa: PLC0415 - only comparisons need what is below
    from triptych.comparing.request import CompareOptions  # noqa: PLC0415

    options = CompareOptions.of(**settings)
    return describe_compare([dataset for _, dataset in named_sets(data, options.settings)], options)


def gate(
    data: Any,
    *,
    baseline: Any = None,
    rules: str | Path | Sequence[Mapping[str, Any]] | None = None,
    out: str | Path | None = None,
    progress: Progress | None = None,
    **settings: Any,
) -> dict[str, Any]:
    """Judge a data set by rules, against a baseline: improved, regressed, same or cannot tell, and pass or fail.

    Args:
        data: a data set, as for `measure`, or the folder of a saved profile.
        baseline: the folder of a saved profile, its `profile.json` alone (then only at the sizes that it holds), or
            another data set; None where no rule compares.
        rules: a TOML file, or a list of mappings with the same keys, see `triptych.comparing.gate.rules`; None: nothing
            that counts may be clearly worse than the baseline.
        out: folder for `gate.json` and `gate.md`; None: nothing is written but the cache.
        progress: what long work tells its caller.
        settings: how to read and measure the data, as for `measure`; tokenizer and encoder are those of the saved
            profile unless named. No verdict depends on `seed`.

    Returns:
        The document of `gate.json`.

    Raises:
        InputError: bad input, rules or usage; nothing is written.
    """
    from triptych.comparing.gate.request import GateRequest  # noqa: PLC0415 - only gates need what is below
    from triptych.comparing.gate.run import GATE_FILES, run_gate, save  # noqa: PLC0415

    request = GateRequest.of(data, baseline, rules, {"command": "triptych.gate", **settings})
    folder = Path(out) if out is not None else None
    if folder is not None and folder.exists():
        claim(folder, own=GATE_FILES)
    with open_bench(request.settings, progress or Progress()) as bench:
        document = run_gate(request, bench)
    if folder is not None:
        save(document, claim(folder, own=GATE_FILES))
    return document


def plan_gate(
    data: Any,
    *,
    baseline: Any = None,
    rules: str | Path | Sequence[Mapping[str, Any]] | None = None,
    **settings: Any,
) -> str:
    """What `gate` would do, in words. Reads only the rules, the saved profiles and the heads of the data.

    Raises:
        InputError: as `gate`.
    """
    from triptych.comparing.gate.planning import describe_gate  # noqa: PLC0415 - only gates need it
    from triptych.comparing.gate.request import GateRequest  # noqa: PLC0415

    return describe_gate(GateRequest.of(data, baseline, rules, settings))
