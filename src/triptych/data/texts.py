"""One row to the (prompt, response) texts of its records, for each shape of row."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from triptych.data.names import COMPLETION_NAMES, MESSAGE_NAMES, PROMPT_NAMES, RESPONSE_NAMES, Fields
from triptych.data.turns import BLANK_LINE, common_prompt, common_text, is_conversation, joined, split_turns, whole
from triptych.data.values import MisfitError, Row, as_text, excerpt, fields_of, is_absent

Texts = tuple[str | None, str | None]

_NAMES: Mapping[str, Sequence[str]] = {
    "prompt": PROMPT_NAMES,
    "response": RESPONSE_NAMES,
    "messages": MESSAGE_NAMES,
    "completions": COMPLETION_NAMES,
    "chosen": ("chosen",),
    "rejected": ("rejected",),
    "text": ("text", "content"),
}


def reader_of(fields: Fields) -> Callable[[Row], list[Texts]]:
    """The function that reads rows of this shape; it raises MisfitError for a row that has another."""
    readers: Mapping[str, Callable[[Fields], Callable[[Row], list[Texts]]]] = {
        "pair": _pair,
        "text": _text,
        "messages": _messages,
        "completions": _completions,
        "preference": _preference,
    }
    return readers[fields.shape](fields)


def missing(role: str, row: Row) -> MisfitError:
    """A row without a field for the role."""
    names = list(_NAMES[role])
    fields = [str(name) for name, value in row.items() if isinstance(value, (str, list))]
    near = next((field for field in fields for name in names if name in field.lower()), None)
    if near is None:
        near = next((f for f in fields if all(f.lower() not in known for known in _NAMES.values())), "FIELD")
    want = names[0] if len(names) == 1 else "one of " + ", ".join(names[:8])
    return MisfitError(f'no field with role "{role}"', got=fields_of(row), want=want, hint=f"--map {role}={near}")


def _side(value: Any, role: str) -> str | None:
    """A value that is a text, a number or a conversation as one text."""
    if isinstance(value, str):
        return value
    if is_absent(value):
        return None
    if is_conversation(value):
        return whole(value)
    if isinstance(value, (list, tuple)) and not value:
        return None
    if isinstance(value, Mapping) and is_conversation([value]):
        return whole([value])
    if isinstance(value, (list, tuple, Mapping, bytes)):
        raise MisfitError(f"the {role} is no text", got=excerpt(value), want="a string or a list of messages")
    return as_text(value)


def _sides(value: Any, role: str) -> Texts:
    """A response value as (what it adds to the prompt, the response): a conversation may hold both sides."""
    if is_conversation(value):
        return split_turns(value)
    if isinstance(value, Mapping) and is_conversation([value]):
        return split_turns([value])
    return None, _side(value, role)


def _around(fields: Fields) -> Callable[[Row, str | None], str | None]:
    """The function that puts the system text before a prompt and the extra input behind it.

    Both fields are looked for in every row, even where no row of the head has them: they are optional by custom.
    """
    system = fields.system or ("system" if "system" not in fields.used else None)
    extra = fields.extra
    if fields.prompt == "instruction" and not fields.literal and "input" not in fields.used:
        extra = extra or "input"

    def around(row: Row, prompt: str | None) -> str | None:
        before = row.get(system) if system is not None else None
        behind = row.get(extra) if extra is not None else None
        if isinstance(before, str) and before and not (prompt or "").startswith(before):
            prompt = before + BLANK_LINE + prompt if prompt else before
        if isinstance(behind, str) and behind:
            prompt = prompt + BLANK_LINE + behind if prompt else behind
        return prompt

    return around


def _pair(fields: Fields) -> Callable[[Row], list[Texts]]:
    around = _around(fields)
    prompt_field, response_field = fields.prompt, fields.response

    def read(row: Row) -> list[Texts]:
        prompt = row.get(prompt_field) if prompt_field is not None else None
        response = row.get(response_field) if response_field is not None else None
        if is_absent(prompt) and is_absent(response):
            raise missing("prompt" if prompt_field is not None else "response", row)
        if type(prompt) is not str:
            prompt = _side(prompt, "prompt")
        prompt = around(row, prompt)
        if type(response) is not str:
            more, response = _sides(response, "response")
            if more is not None:
                prompt = joined([prompt, more])
        return [(prompt, response)]

    return read


def _text(fields: Fields) -> Callable[[Row], list[Texts]]:
    name = fields.text

    def read(row: Row) -> list[Texts]:
        text = _side(row.get(name), "text") if name is not None else None
        if text is None:
            raise missing("text", row)
        return [(None, text)]

    return read


def _messages(fields: Fields) -> Callable[[Row], list[Texts]]:
    around = _around(fields)
    name = fields.messages

    def read(row: Row) -> list[Texts]:
        turns = row.get(name) if name is not None else None
        if turns is None:
            raise missing("messages", row)
        if not isinstance(turns, (list, tuple)) or not turns:
            raise MisfitError("the conversation holds no turn", got=excerpt(turns), want="a list of messages")
        prompt, response = split_turns(turns)
        return [(around(row, prompt), response)]

    return read


def _completions(fields: Fields) -> Callable[[Row], list[Texts]]:
    around = _around(fields)

    def read(row: Row) -> list[Texts]:
        many = row.get(fields.completions) if fields.completions is not None else None
        if many is None:
            raise missing("completions", row)
        if not isinstance(many, (list, tuple)) or not many or is_conversation(many):
            want = "a list of strings or of message lists"
            raise MisfitError("the row holds no list of completions", got=excerpt(many), want=want)
        prompt = _side(row.get(fields.prompt), "prompt") if fields.prompt is not None else None
        prompt = around(row, prompt)
        texts = []
        for one in many:
            more, response = _sides(one, "completion")
            texts.append((prompt if more is None else joined([prompt, more]), response))
        return texts

    return read


def _preference(fields: Fields) -> Callable[[Row], list[Texts]]:
    around = _around(fields)

    def read(row: Row) -> list[Texts]:
        sides: list[Any] = []
        for role, name in (("chosen", fields.chosen), ("rejected", fields.rejected)):
            value = row.get(name) if name is not None else None
            if value is None:
                raise missing(role, row)
            sides.append([value] if isinstance(value, Mapping) else value)
        given = _side(row.get(fields.prompt), "prompt") if fields.prompt is not None else None
        if fields.prompt is not None and all(isinstance(side, str) for side in sides):
            pairs: list[Texts] = [(None, side) for side in sides]
        else:
            pairs = _implicit(*sides)
        return [(around(row, _merged(given, prompt)), response) for prompt, response in pairs]

    return read


def _merged(given: str | None, found: str | None) -> str | None:
    """A prompt with a field of its own and the prompt that the conversations begin with, which may repeat it."""
    if given is None or found is None:
        return given if found is None else found
    if given.endswith(found):
        return given
    return found if found.startswith(given) or found.endswith(given) else joined([given, found])


def _implicit(chosen: Any, rejected: Any) -> list[Texts]:
    """The prompt is what both begin with."""
    if isinstance(chosen, str) and isinstance(rejected, str):
        cut = common_text(chosen, rejected)
        prompt = chosen[:cut].rstrip() if cut else None
        return [(prompt or None, text[cut:].lstrip() if cut else text) for text in (chosen, rejected)]
    if not is_conversation(chosen) or not is_conversation(rejected):
        got = f"{excerpt(chosen)} and {excerpt(rejected)}"
        raise MisfitError("chosen and rejected are no pair", got=got, want="two strings or two lists of messages")
    cut = common_prompt(chosen, rejected)
    pairs = []
    for turns in (chosen, rejected):
        more, response = split_turns(turns[cut:]) if turns[cut:] else (None, None)
        pairs.append((joined([whole(turns[:cut]) if cut else None, more]), response))
    return pairs
