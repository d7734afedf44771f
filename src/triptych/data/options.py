"""How a data set is read: which field plays which role, which rows count, what happens to a bad one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from triptych.core.errors import SpecError, UsageError, message, nearest

ROLES = (
    "prompt",
    "response",
    "messages",
    "chosen",
    "rejected",
    "completions",
    "system",
    "structure",
    "group",
    "text",
)


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What the user says about a data set; everything else is detected.

    Attributes:
        roles: role to field (`--map role=field`); the roles are `ROLES`.
        group_by: field whose value groups the rows (`--group-by`).
        on_bad: raise at the first row that cannot be read, or skip and count it.
        limit: read only the first rows, counted before `where` filters.
        split: the split of a saved data set that has several.
        where: (field, value): keep only rows whose field, written as text, equals the value; "" keeps rows without it.
        carry: fields that hold a list of numbers, carried along as `carry.NAME`.

    Raises:
        SpecError: an unknown role, a limit below 1, another `on_bad`.
        UsageError: roles that do not go together.
    """

    roles: Mapping[str, str] = field(default_factory=dict)
    group_by: str | None = None
    on_bad: Literal["raise", "skip"] = "raise"
    limit: int | None = None
    split: str | None = None
    where: tuple[str, str] | None = None
    carry: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for role in self.roles:
            if role not in ROLES:
                near = nearest(role, ROLES)
                hint = f"--map {near}={self.roles[role]}" if near else None
                raise SpecError(message(f'unknown role "{role}".', want="one of " + ", ".join(ROLES), hint=hint))
        alone = set(self.roles) & {"prompt", "response", "messages", "chosen", "rejected", "completions"}
        if "text" in self.roles and alone:
            got = ", ".join(f"{role}={name}" for role, name in self.roles.items())
            raise UsageError(
                message('the role "text" stands alone.', got=got, want="text=FIELD or prompt and response")
            )
        if self.group_by is not None and self.roles.get("group", self.group_by) != self.group_by:
            got = f"--group-by {self.group_by} and --map group={self.roles['group']}"
            raise UsageError(message("two fields for the group.", got=got, want="one of them"))
        if self.on_bad not in ("raise", "skip"):
            raise SpecError(message("unknown value for on_bad.", got=repr(self.on_bad), want="raise or skip"))
        if self.limit is not None and self.limit < 1:
            raise SpecError(message("limit is out of range.", got=str(self.limit), want="a number of rows, at least 1"))

    @property
    def group(self) -> str | None:
        """The field that the user named for the group, by either option."""
        return self.group_by if self.group_by is not None else self.roles.get("group")
