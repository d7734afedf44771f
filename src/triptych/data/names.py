"""Which field plays which role: the names that are understood and the kinds of value they may hold.

Names are compared without regard to case, in the order of the lists: `response` is taken before `answer`, so that a
reference answer beside a response stays what it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from numbers import Real
from typing import Any

from triptych.data.turns import has_response, is_conversation
from triptych.data.values import Row, is_absent

PROMPT_NAMES = ("prompt", "instruction", "question", "query", "problem", "input")
RESPONSE_NAMES = (
    *("response", "completion", "output", "solution", "generated_solution", "answer", "target"),
    *("assistant", "gpt", "generation", "reply"),
)
# Names that are a prompt only beside a fitting response: `source` and `user` are provenance more often than not.
PAIRED_PROMPTS = {
    "source": frozenset({"target"}),
    "user": frozenset({"assistant", "gpt", "response", "reply"}),
    "human": frozenset({"assistant", "gpt", "response", "reply"}),
}
MESSAGE_NAMES = ("messages", "conversations", "conversation", "dialogue", "dialog", "turns", "chat")
COMPLETION_NAMES = ("completions", "responses", "outputs", "answers", "generations", "solutions", "samples")
TEXT_NAMES = ("text", "content")
SYSTEM_NAMES = ("system", "system_prompt")
EXTRA_NAMES = ("input", "context")  # joined to `instruction`, as Alpaca and Dolly do
STRUCTURE_NAMES = ("structure", "skeleton", "program", "operations", "tags")
GROUP_NAMES = ("group_id", "prompt_id", "pair_id")
LABEL_NAMES = frozenset(
    {"correct", "is_correct", "score", "scores", "reward", "rewards", "preference", "label", "labels"}
    | {"rating", "quality", "grade", "passed", "solved"}
)
LABEL_ENDINGS = ("_score", "_reward")

TEXT_KINDS = frozenset({"text", "number", "turns", "empty"})
RESPONSE_KINDS = TEXT_KINDS | {"bool"}
TURN_KINDS = frozenset({"turns", "answered", "empty"})
LIST_KINDS = frozenset({"texts", "conversations"})


@dataclass(frozen=True, slots=True)
class Fields:
    """Role to field.

    `shape` is one of text, pair, messages, preference, completions; `literal` says that the user named the prompt.
    """

    shape: str
    prompt: str | None = None
    response: str | None = None
    messages: str | None = None
    chosen: str | None = None
    rejected: str | None = None
    completions: str | None = None
    text: str | None = None
    system: str | None = None
    extra: str | None = None
    literal: bool = False

    @property
    def used(self) -> frozenset[str]:
        """The fields that play a role."""
        values = (self.prompt, self.response, self.messages, self.chosen, self.rejected)
        return frozenset(v for v in (*values, self.completions, self.text, self.system, self.extra) if v is not None)

    @property
    def sentence(self) -> str:
        """The roles in words."""
        parts = []
        for role in ("prompt", "response", "messages", "completions", "chosen", "rejected", "text"):
            name = getattr(self, role)
            if name is not None:
                extra = f" + '{self.extra}'" if role == "prompt" and self.extra else ""
                parts.append(f"{role} = '{name}'{extra}")
        if self.system:
            parts.append(f"system = '{self.system}'")
        return ", ".join(parts)


def kind_of(value: Any) -> str:
    """What a value holds: text, number, bool, turns, texts, conversations, empty (a list), list, object or other."""
    if isinstance(value, str):
        return "text"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, Real):
        return "number"
    if isinstance(value, Mapping):
        return "turns" if is_conversation([value]) else "object"
    return _kind_of_list(value) if isinstance(value, (list, tuple)) else "other"


def _kind_of_list(value: Sequence[Any]) -> str:
    if not value:
        return "empty"
    if is_conversation(value):
        return "turns"
    if all(item is None or isinstance(item, str) for item in value):
        return "texts"
    return "conversations" if all(item is None or is_conversation(item) for item in value) else "list"


def kinds_of(rows: Iterable[Row]) -> dict[str, set[str]]:
    """Field to the kinds of value that it holds in these rows, in order of appearance; nulls are absent."""
    kinds: dict[str, set[str]] = {}
    for row in rows:
        for name, value in row.items():
            if isinstance(name, str) and not is_absent(value):
                held = kinds.setdefault(name, set())
                held.add(kind_of(value))
                if name.lower() in MESSAGE_NAMES and is_conversation(value) and has_response(value):
                    held.add("answered")
    return kinds


def is_label_name(name: str) -> bool:
    """Whether a field is named like a label: see `LABEL_NAMES` and `LABEL_ENDINGS`."""
    lower = str(name).lower()
    return lower in LABEL_NAMES or lower.endswith(LABEL_ENDINGS)


def find(kinds: Mapping[str, set[str]], names: Iterable[str], wanted: frozenset[str] | None = None) -> str | None:
    """The first of `names` that is a field holding only the wanted kinds of value."""
    by_lower = {name.lower(): name for name in reversed(list(kinds))}
    for name in names:
        field = by_lower.get(name)
        if field is not None and (wanted is None or kinds[field] <= wanted):
            return field
    return None


def assign(kinds: Mapping[str, set[str]], roles: Mapping[str, str]) -> Fields | None:
    """Give roles to fields: those that the user named first, then by name.

    Returns None when no field has a role.
    """
    taken = {name for role, name in roles.items() if role not in ("structure", "group")}  # those may play two parts
    free = {name: held for name, held in kinds.items() if name not in taken}
    if "text" in roles:
        return Fields("text", text=roles["text"])
    system = roles.get("system") or find(free, SYSTEM_NAMES, frozenset({"text"}))
    prompt, extra = _prompt(free, roles)
    for shape in (_preference, _pair, _messages, _completions, _single):
        fields = shape(free, roles, prompt)
        if fields is not None:
            extra = extra if fields.prompt is not None and extra not in fields.used else None
            return replace(fields, system=system, extra=extra, literal="prompt" in roles)
    return None


def _prompt(free: Mapping[str, set[str]], roles: Mapping[str, str]) -> tuple[str | None, str | None]:
    prompt = roles.get("prompt") or find(free, PROMPT_NAMES, TEXT_KINDS)
    if prompt is None:
        for name, partners in PAIRED_PROMPTS.items():
            if find(free, (name,), TEXT_KINDS) and (roles.get("response") or find(free, sorted(partners))):
                prompt = find(free, (name,))
                break
    if prompt is None or prompt.lower() != "instruction" or "prompt" in roles:
        return prompt, None  # a prompt that the user named is taken literally
    return prompt, find(free, EXTRA_NAMES, frozenset({"text"}))


def _preference(free: Mapping[str, set[str]], roles: Mapping[str, str], prompt: str | None) -> Fields | None:
    wanted = frozenset({"text", "turns"})
    chosen = roles.get("chosen") or find(free, ("chosen",), wanted)
    rejected = roles.get("rejected") or find(free, ("rejected",), wanted)
    if chosen is None or rejected is None or roles.keys() & {"response", "messages", "completions"}:
        return None
    return Fields("preference", prompt=prompt, chosen=chosen, rejected=rejected)


def _pair(free: Mapping[str, set[str]], roles: Mapping[str, str], prompt: str | None) -> Fields | None:
    if roles.keys() & {"messages", "completions"}:
        return None
    response = roles.get("response") or find(free, RESPONSE_NAMES, RESPONSE_KINDS)
    if response is None:
        return None
    turns = find(free, MESSAGE_NAMES, TURN_KINDS)
    if prompt is None and turns is not None:  # a conversation without an answer, and the answer beside it
        if "answered" in free[turns] and "response" not in roles:
            return None
        prompt = turns
    prompt = prompt or find(free, TEXT_NAMES, TEXT_KINDS)
    return Fields("pair", prompt=prompt, response=response)


def _messages(free: Mapping[str, set[str]], roles: Mapping[str, str], _prompt: str | None) -> Fields | None:
    field = roles.get("messages") or find(free, MESSAGE_NAMES, TURN_KINDS)
    if field is None or "completions" in roles or ("messages" not in roles and _unanswered(free) and _many(free)):
        return None
    return Fields("messages", messages=field)


def _completions(free: Mapping[str, set[str]], roles: Mapping[str, str], prompt: str | None) -> Fields | None:
    prompt = prompt or _unanswered(free)
    field = roles.get("completions") or (_many(free) if prompt is not None else None)
    return None if field is None else Fields("completions", prompt=prompt, completions=field)


def _unanswered(free: Mapping[str, set[str]]) -> str | None:
    """A field of conversations that no assistant turn answers: a prompt."""
    field = find(free, MESSAGE_NAMES, TURN_KINDS)
    return None if field is None or "answered" in free[field] else field


def _many(free: Mapping[str, set[str]]) -> str | None:
    """A field of several responses."""
    wanted = LIST_KINDS | {"empty"}
    return find(free, COMPLETION_NAMES, wanted) or find(free, RESPONSE_NAMES, wanted)


def _single(free: Mapping[str, set[str]], _roles: Mapping[str, str], prompt: str | None) -> Fields | None:
    text = find(free, TEXT_NAMES, TEXT_KINDS)
    if prompt is not None:
        return Fields("pair", prompt=prompt, response=text)
    return None if text is None else Fields("text", text=text)
