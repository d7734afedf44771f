"""`triptych measure` and `triptych demo`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from triptych import api
from triptych.cli.show import progress
from triptych.core.errors import UsageError, message
from triptych.core.profile import Profile

Out = Annotated[
    Path | None, typer.Option("-o", "--out", help="Folder for the result.", show_default="./triptych-out/VERB")
]
Json = Annotated[
    bool, typer.Option("--json", help="Print the result as JSON on standard output, and nothing else there.")
]
Seed = Annotated[int, typer.Option(help="Kept in the provenance; the demo's data depend on it.")]
Limit = Annotated[int | None, typer.Option(help="Read only the first N rows.", metavar="N")]
Workers = Annotated[int | None, typer.Option(help="Processes.", show_default="one a core")]
Engine = Annotated[str, typer.Option(help="Where the work runs: local.")]
Tokenizer = Annotated[str, typer.Option(help="A tokenizer.json, a folder with one, or the one that comes along.")]
Plan = Annotated[bool, typer.Option("--plan", help="Print what would be done, and do nothing.")]
NoCache = Annotated[bool, typer.Option("--no-cache", help="Keep no columns for a later run.")]
Measures = Annotated[
    list[str] | None,
    typer.Option(help="Measures: name:param=value,.. separated by commas, or repeated.", show_default="the panel"),
]
Encoder = Annotated[
    str,
    typer.Option(
        help="static, minilm, minilm:onnx, adapted:PATH, onnx:FOLDER, st:MODEL, endpoint:URL,model=NAME,key_env=VARIABLE, "
        "column:FIELD or column:FILE.npy; for measure two of them: static,minilm."
    ),
]
EncoderSample = Annotated[
    int | None,
    typer.Option(help="Ask the second encoder about N records drawn at random.", metavar="N", show_default="all"),
]
Judge = Annotated[
    str | None,
    typer.Option(help="A model that rates records: URL,model=NAME[,key_env=NAME].", metavar="URL,.."),
]
JudgeSample = Annotated[
    int | None, typer.Option(help="Ask it about N records drawn at random.", metavar="N", show_default="all")
]
Lm = Annotated[
    str | None,
    typer.Option("--lm", help="Language model for surprisal and IFD: smollm2, a folder, a GGUF file or a name."),
]
LmSample = Annotated[
    int | None,
    typer.Option(
        "--lm-sample", help="Run language models on N records drawn at random.", show_default="all", metavar="N"
    ),
]
Student = Annotated[str | None, typer.Option(help="The model to be trained, named as for --lm.", metavar="MODEL")]
Reward = Annotated[
    str | None, typer.Option(help="Reward model or sequence classifier: a folder or a name.", metavar="MODEL")
]
RewardSample = Annotated[
    int | None, typer.Option(help="Run it on N records drawn at random.", metavar="N", show_default="all")
]
Reference = Annotated[str | None, typer.Option(help="A data set to hold the measured ones against.", metavar="FILE")]
Against = Annotated[
    list[str] | None,
    typer.Option(
        help="A benchmark or held-out set whose texts are looked for in the sets; NAME=PATH gives it a name. May be "
        "given several times.",
        show_default="none",
    ),
]
Adjudicate = Annotated[
    int | None,
    typer.Option(
        help="Write so many pairs near the thresholds to adjudicate.csv and .jsonl, to be judged.",
        show_default="none",
        metavar="N",
    ),
]
Labels = Annotated[Path | None, typer.Option(help="A sheet that was filled in: gives precision.", show_default="none")]
GroupBy = Annotated[str | None, typer.Option(help="Field that says which records belong together.", metavar="FIELD")]
By = Annotated[str | None, typer.Option(help="Split the data by this field and measure each value.", metavar="FIELD")]
ValidOnly = Annotated[bool, typer.Option("--valid-only", help="Measure only records without a defect.")]
OnBad = Annotated[str, typer.Option(help="What to do with a row that cannot be read: raise or skip.")]
Split = Annotated[str | None, typer.Option(help="Split of a saved Hugging Face set.")]


def measure(
    data: Annotated[
        list[str], typer.Argument(help="Data sets: JSONL, JSON, Parquet, CSV, a folder, a saved HF set, or -.")
    ],
    out: Out = None,
    measures: Measures = None,
    encoder: Encoder = "static",
    encoder_sample: EncoderSample = None,
    tokenizer: Tokenizer = "wordpiece",
    judge: Judge = None,
    judge_sample: JudgeSample = None,
    lm: Lm = None,
    lm_sample: LmSample = None,
    student: Student = None,
    reward: Reward = None,
    reward_sample: RewardSample = None,
    reference: Reference = None,
    against: Against = None,
    adjudicate: Adjudicate = None,
    labels: Labels = None,
    map_: Annotated[list[str] | None, typer.Option("--map", help="Role=field, for fields with unusual names.")] = None,
    group_by: GroupBy = None,
    by: By = None,
    valid_only: ValidOnly = False,
    on_bad: OnBad = "raise",
    split: Split = None,
    limit: Limit = None,
    seed: Seed = 0,
    workers: Workers = None,
    engine: Engine = "local",
    no_cache: NoCache = False,
    plan: Plan = False,
    as_json: Json = False,
) -> None:
    """Measure data sets on quality, diversity and complexity, every number with its interval."""
    settings: dict[str, Any] = {
        "measures": tuple(measures or ()),
        "encoder": encoder,
        "encoder_sample": encoder_sample,
        "tokenizer": tokenizer,
        "judge": judge,
        "judge_sample": judge_sample,
        "lm": lm,
        "lm_sample": lm_sample,
        "student": student,
        "reward": reward,
        "reward_sample": reward_sample,
        "reference": reference,
        "against": tuple(against or ()),
        "adjudicate": adjudicate,
        "labels": labels,
        "map": _roles(map_ or []),
        "group_by": group_by,
        "by": by,
        "valid_only": valid_only,
        "on_bad": on_bad,
        "split": split,
        "limit": limit,
        "seed": seed,
        "workers": workers,
        "engine": engine,
        "cache": False if no_cache else None,
    }
    if plan:
        typer.echo(api.plan(*data, **settings))
        return
    folder = out or Path("triptych-out") / "measure"
    profiles = api.measure(*data, out=folder, progress=progress(), command=_command(), **settings)
    _print(profiles, folder, as_json=as_json)
    if adjudicate is not None and not as_json:
        typer.echo(f"pairs to judge: {folder / 'adjudicate.csv'} (then --labels)")


def demo(
    out: Out = None,
    seed: Seed = 0,
    records: Annotated[int, typer.Option("-n", "--records", help="Records in each of the three sets.")] = 2000,
    workers: Workers = None,
    no_cache: NoCache = False,
    as_json: Json = False,
) -> None:
    """Make a varied, a repetitive and a noisy data set, and measure them side by side."""
    folder = out or Path("triptych-out") / "demo"
    cache = False if no_cache else None
    shown = progress()
    profiles = api.demo(
        out=folder, records=records, seed=seed, progress=shown, workers=workers, cache=cache, command=_command()
    )
    _print(profiles, folder, as_json=as_json)


def adapt(
    data: Annotated[str, typer.Argument(help="A data set, as for measure.")],
    out: Out = None,
    texts: Annotated[int, typer.Option(help="Texts of the sample that the teacher encodes.")] = 2000,
    teacher: Annotated[str, typer.Option(help="Encoder to follow.")] = "minilm",
    ridge: Annotated[float, typer.Option(help="Strength of the penalty.")] = 1.0,
    map_: Annotated[list[str] | None, typer.Option("--map", help="Role=field, for fields with unusual names.")] = None,
    split: Split = None,
    limit: Limit = None,
) -> None:
    """Fit the static encoder to your own texts, once: a frozen artifact for --encoder adapted:PATH."""
    folder = out or Path("triptych-out") / "adapt"
    settings: dict[str, Any] = {"map": _roles(map_ or []), "split": split, "limit": limit}
    fitted = api.adapt(data, out=folder, texts=texts, teacher=teacher, ridge=ridge, **settings)
    typer.echo(
        f"{fitted.identity}, fitted on {fitted.header['texts']} texts; agreement with {fitted.header['teacher']}"
    )
    for name, one in (("before", fitted.before), ("after", fitted.after)):
        typer.echo(
            f"  {name}: rank correlation of pair similarities {one.spearman:.3f}, neighbour in top ten {one.top10:.3f}"
        )
    typer.echo(f"use it: --encoder adapted:{folder / 'adapted.safetensors'}")


def _print(profiles: list[Profile], folder: Path, *, as_json: bool) -> None:
    documents = [profile.to_json() for profile in profiles]
    if as_json:
        whole = documents[0] if len(documents) == 1 else documents
        sys.stdout.write(json.dumps(whole, ensure_ascii=True, allow_nan=False) + "\n")
        return
    from triptych.report import print_profiles, verdicts  # noqa: PLC0415 - not needed for --json

    console = Console()
    print_profiles(documents, console)
    for line in verdicts(documents):
        console.print(line, highlight=False, markup=False)
    console.print(f"\nreport: {folder / 'report.html'}", highlight=False, markup=False, soft_wrap=True)


def _roles(requests: list[str]) -> dict[str, str]:
    """Role to field from `role=field,role=field`.

    Raises:
        UsageError: a piece without `=`.
    """
    roles = {}
    for piece in (part.strip() for request in requests for part in request.split(",")):
        role, equals, field = piece.partition("=")
        if not equals or not role or not field:
            raise UsageError(message("--map is not right.", got=piece, want="role=field", hint="--map response=output"))
        roles[role] = field
    return roles


def _command() -> str:
    return " ".join(["triptych", *sys.argv[1:]])
