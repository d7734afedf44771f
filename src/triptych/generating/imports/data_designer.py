"""Outputs of NeMo Data Designer: a folder with `builder_config.json` (or .yaml) and `parquet-files/`.

The configuration holds under `data_designer` the lists model_configs {alias, model, inference_parameters} and columns
{name, column_type, prompt, model_alias, ..}, and seed_config, constraints and processors; `metadata.json` says how many records
were asked for and came. The layout was checked on what version 0.9.6 wrote. The configuration states everything that made the
rows, so what it does not list was not there. The package's own processors change columns and drop no row, and a validation column
only marks rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from triptych.core.errors import ReadError, message
from triptych.data.values import canonical
from triptych.generating.imports.imported import (
    NONE,
    SEVERAL,
    Imported,
    digest,
    json_object,
    public,
    rows_of,
    stated,
    values,
    yaml_object,
)

KIND = "data-designer"
METADATA = "metadata.json"
CONFIG, YAML, DATA = "builder_config.json", ("builder_config.yaml", "builder_config.yml"), "parquet-files"
LLM = "llm-"
COLUMNS_ONLY = frozenset({"drop_columns", "schema_transform"})
"""Processors that drop no row."""


def fits(path: Path) -> bool:
    """Whether a path is such an output."""
    return any((path / name).is_file() for name in (CONFIG, *YAML)) and (path / DATA).is_dir()


def read(path: Path) -> Imported:
    """Read one.

    Raises:
        ReadError: a file that cannot be read.
    """
    config = _config(path)
    columns = [one for one in config.get("columns") or [] if isinstance(one, Mapping)]
    asked = [one for one in columns if str(one.get("column_type", "")).startswith(LLM)]
    models = {one.get("alias"): one for one in config.get("model_configs") or [] if isinstance(one, Mapping)}
    used = [models.get(one.get("model_alias"), {}) for one in asked]
    settings = [one.get("inference_parameters") or {} for one in used]
    seeds = config.get("seed_config")
    processors = [str(one.get("processor_type") or one.get("name")) for one in config.get("processors") or []]
    others = [one for one in processors if one not in COLUMNS_ONLY]
    rows = list(rows_of(path / DATA))
    lost = _lost(path, len(rows))
    return Imported(
        kind=KIND,
        rows=rows,
        components=stated(
            seeds=NONE if seeds is None else canonical(public(seeds)),
            writer=values(_model(one.get("model")) for one in used),
            writer__temperature=values(one.get("temperature") for one in settings),
            writer__max_tokens=values(one.get("max_tokens") for one in settings),
            writer__top_p=values(one.get("top_p") for one in settings),
            method="columns " + ", ".join(f"{one.get('name')} ({one.get('column_type')})" for one in columns),
            method__prompts=digest([[one.get("system_prompt"), one.get("prompt")] for one in asked]),
            method__settings=digest(public([[_settings(one) for one in columns], config.get("constraints")])),
            method__processors=SEVERAL.join(one for one in processors if one in COLUMNS_ONLY) or None,
            search=NONE,
            filters=SEVERAL.join(others) or NONE,
        ),
        failed={"asked for, and not there": lost} if lost else {},
        notes=(f"what {SEVERAL.join(others)} does to rows is not stated",) if others else (),
    )


def _settings(column: Mapping[str, Any]) -> dict[str, Any]:
    """What a column is made by, beside its prompts and its model."""
    return {key: value for key, value in column.items() if key not in {"prompt", "system_prompt", "model_alias"}}


def _lost(path: Path, kept: int) -> int:
    """Records that were asked for and did not come; 0 where that is not stated."""
    asked = (json_object(path / METADATA) or {}).get("target_num_records")
    return max(asked - kept, 0) if isinstance(asked, int) else 0


def _model(found: Any) -> Any:
    """The name of a model, also where its endpoint stands beside it."""
    endpoint = found.get("api_endpoint") if isinstance(found, Mapping) else None
    return endpoint.get("model_id") if isinstance(endpoint, Mapping) else public(found)


def _config(path: Path) -> Mapping[str, Any]:
    found = json_object(path / CONFIG)
    if found is None:
        file = next(path / name for name in YAML if (path / name).is_file())
        found = yaml_object(file)
        if found is None:
            hint = f"pip install pyyaml, or save it as {CONFIG}"
            raise ReadError(message(f"{file}: PyYAML is needed to read it.", hint=hint))
    inner = found.get("data_designer", found)
    return inner if isinstance(inner, Mapping) else {}
