"""Conversations to text: which turns belong to the prompt and which to the response.

User, system and tool turns are what the model is given: the prompt side. Assistant turns are what it wrote: the
response side. Turns of one side are joined by a blank line. Both dialects are read: role/content and from/value.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

from triptych.data.values import MisfitError, as_text, canonical, excerpt

PROMPT_ROLES = frozenset(
    {"user", "human", "prompter", "system", "developer", "tool", "function", "tool_response"}
    | {"function_response", "observation", "ipython"}
)
RESPONSE_ROLES = frozenset(
    {"assistant", "gpt", "model", "bot", "chatgpt", "chatbot", "ai", "function_call", "tool_call"}
)
BLANK_LINE = "\n\n"

Turn = Mapping[str, Any]


def is_conversation(value: Any) -> bool:
    """Whether a value is a list of turns (an empty list is not)."""
    return bool(
        isinstance(value, (list, tuple))
        and value
        and all(isinstance(turn, Mapping) and ("role" in turn or "from" in turn) for turn in value)
    )


def joined(texts: Iterable[str | None]) -> str | None:
    """Texts joined by a blank line; empty ones add nothing; null when there is no text at all."""
    there = [text for text in texts if text is not None]
    return BLANK_LINE.join(text for text in there if text) if there else None


def split_turns(turns: Sequence[Turn]) -> tuple[str | None, str | None]:
    """The prompt side and the response side of a conversation; null where a side has no turn."""
    prompts: list[str | None] = []
    responses: list[str | None] = []
    for number, turn in enumerate(turns, start=1):
        (responses if _is_response(turn, number) else prompts).append(turn_text(turn))
    return joined(prompts), joined(responses)


def whole(turns: Sequence[Turn]) -> str | None:
    """All turns as one text: a conversation that stands in a prompt field is prompt from end to end."""
    for number, turn in enumerate(turns, start=1):
        _is_response(turn, number)
    return joined(turn_text(turn) for turn in turns)


def has_response(turns: Sequence[Turn]) -> bool:
    """Whether a conversation has an assistant turn."""
    return any(_role(turn) in RESPONSE_ROLES for turn in turns)


def turn_text(turn: Turn) -> str | None:
    """Content and tool calls of one turn; typed parts give their texts, one a line; null when there is neither."""
    content = next((turn[key] for key in ("content", "value", "parts") if turn.get(key) is not None), None)
    calls = [_call(call) for call in _calls(turn.get("tool_calls")) if call is not None]
    if turn.get("function_call") is not None:
        calls.append(_call(turn["function_call"]))
    text = None if content is None else _content(content)
    lines = [*([text] if text is not None else []), *calls]
    return "\n".join(line for line in lines if line) if lines else None


def common_prompt(chosen: Sequence[Turn], rejected: Sequence[Turn]) -> int:
    """Length of the longest common prefix of two conversations, short of either's last assistant turn."""
    most = min(_last_response(chosen), _last_response(rejected))
    for index in range(most):
        if canonical(chosen[index]) != canonical(rejected[index]):
            return index
    return most


def common_text(chosen: str, rejected: str) -> int:
    """Where the common beginning of two transcripts ends: after the last speaker mark, blank line or space in it."""
    length = 0
    for left, right in zip(chosen, rejected, strict=False):
        if left != right:
            break
        length += 1
    shared = chosen[:length]
    for mark in ("\n\nAssistant:", "<|assistant|>", "<|im_start|>assistant\n", "[/INST]"):
        if mark in shared:
            return shared.rindex(mark) + len(mark)
    if length == min(len(chosen), len(rejected)):
        length -= 1  # one begins with the other: something must be left to answer with
        shared = chosen[: max(length, 0)]
    cut = max(shared.rfind("\n"), shared.rfind(" "))
    return cut + 1


def _role(turn: Turn) -> str:
    role = turn.get("role")
    return str(turn.get("from") if role is None else role).lower()


def _is_response(turn: Any, number: int) -> bool:
    if not isinstance(turn, Mapping):
        raise MisfitError(f"turn {number} is no object", got=excerpt(turn), want="role and content, or from and value")
    role = _role(turn)
    if role in RESPONSE_ROLES:
        return True
    if role in PROMPT_ROLES:
        return False
    want = "one of user, assistant, system, tool, human, gpt"
    raise MisfitError(f'turn {number} has the unknown role "{role}"', got=excerpt(canonical(turn)), want=want)


def _content(content: Any) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, Mapping):
        content = [content]
    if isinstance(content, (list, tuple)):
        texts = [part.get("text") if isinstance(part, Mapping) else part for part in content]
        return "\n".join(text for text in texts if isinstance(text, str) and text)
    return as_text(content)


def _calls(calls: Any) -> Sequence[Any]:
    """The tool calls of a turn: a list, one object, or JSON of either (verbatim when it is no JSON)."""
    if isinstance(calls, str):
        try:
            calls = orjson.loads(calls)
        except orjson.JSONDecodeError:
            return [calls] if calls else []
    if calls is None:
        return []
    return calls if isinstance(calls, (list, tuple)) else [calls]


def _call(call: Any) -> str:
    """One tool call as name(arguments as canonical JSON)."""
    if not isinstance(call, Mapping):
        return as_text(call)
    body = call.get("function")
    if not isinstance(body, Mapping):
        body = call
    arguments = body.get("arguments")
    if isinstance(arguments, str):
        try:
            arguments = orjson.loads(arguments)
        except orjson.JSONDecodeError:
            return f"{body.get('name') or ''}({arguments})"
    return f"{body.get('name') or ''}({'' if arguments is None else canonical(arguments)})"


def _last_response(turns: Sequence[Turn]) -> int:
    for index in range(len(turns) - 1, -1, -1):
        if _role(turns[index]) in RESPONSE_ROLES:
            return index
    return len(turns)
