"""JSON schema: the response is JSON that fits the schema of the row.

The response may be the JSON alone or hold it in a code fence. Schemas are checked by jsonschema (the extra `verify`), by
the draft that they name, else 2020-12; what a `$ref` names outside the schema is not fetched, the row has no verdict then.
The schema is trusted: a `pattern` in it that takes for ever takes for ever.

Worked example: the schema {"type": "object", "required": ["name"]} and the response {"name": 3}: 1; [] has 0.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from triptych.core.errors import MissingExtraError, message
from triptych.core.estimate import Undefined
from triptych.verifiers.jsontext import read_json
from triptych.verifiers.verifier import RIGHT, Judgement, Verdict, Verifier, first_field

FIELDS = ("schema", "json_schema")


@dataclass(frozen=True)
class JsonSchema(Verifier):
    """1 where the response is JSON that fits the row's schema, else 0.

    Attributes:
        field: of the row that holds the schema, an object or its text; empty: `schema`, else `json_schema`.
        fences: whether the JSON may stand in a code fence, among other words.
    """

    name: ClassVar[str] = "json_schema"

    field: str = ""
    fences: bool = True

    def lacks(self, row: Mapping[str, Any]) -> str:
        """What the row lacks to be graded by, in words; empty where it lacks nothing.

        Raises:
            MissingExtraError: jsonschema is not installed.
        """
        found = self._checker(row)
        return f"a schema: {found}" if isinstance(found, str) else ""

    def verify(self, row: Mapping[str, Any], response: str) -> Judgement:
        """Grade one response."""
        checker = self._checker(row)
        if isinstance(checker, str):
            return Undefined(checker)
        try:
            value = read_json(response, fences=self.fences)
        except ValueError as error:
            return Verdict(0.0, "not JSON", str(error))
        return _check(checker, value)

    def _checker(self, row: Mapping[str, Any]) -> Any:
        """The schema's validator, or text that says what is wrong with the schema."""
        if importlib.util.find_spec("jsonschema") is None:
            what = "verifier json_schema: jsonschema is not installed."
            raise MissingExtraError(message(what, want="the extra verify", hint="pip install 'triptych[verify]'"))
        from jsonschema import Draft202012Validator, SchemaError  # noqa: PLC0415 - an extra
        from jsonschema.validators import validator_for  # noqa: PLC0415
        from jsonschema_specifications import REGISTRY  # noqa: PLC0415 - without it a $ref is fetched from the network

        schema = row.get(self.field or first_field(row, FIELDS))
        if schema is None:
            return f'no field "{self.field or FIELDS[0]}"'
        if isinstance(schema, str):
            try:
                schema = json.loads(schema)
            except ValueError as error:
                return f"it is no JSON: {error}"
        if not isinstance(schema, (dict, bool)):
            return f"it is no object but {type(schema).__name__}"
        cls = validator_for(schema, default=Draft202012Validator)
        try:
            cls.check_schema(schema)
        except SchemaError as error:
            return f"it is not right: {error.message}"
        return cls(schema, registry=REGISTRY)


def _check(checker: Any, value: Any) -> Judgement:
    """Whether a value fits; no verdict where the schema names what is not in it."""
    from jsonschema.exceptions import best_match  # noqa: PLC0415 - an extra
    from referencing.exceptions import Unresolvable  # noqa: PLC0415

    try:
        error = best_match(checker.iter_errors(value))
    except Unresolvable as missing:
        return Undefined(f"the schema names what is not in it: {missing}")
    except RecursionError:
        return Undefined("the schema and the response are nested too deeply")
    if error is None:
        return RIGHT
    place = "".join(f"[{part!r}]" for part in error.absolute_path)
    return Verdict(0.0, "does not fit the schema", f"{place or 'at the top'}: {error.message}"[:200])
