"""Which of two responses is better: a judge is asked in both orders.

A judge that names the same response in both orders gives a win; one whose word turns with the order gives a tie, and a flip to be
counted (Wang et al. 2023, arXiv 2305.17926; Zheng et al. 2023, arXiv 2306.05685). Each order is an annotator of its own, so
that what was paid for in one is kept whatever happens to the other. The prompts are our own.

Columns `judge.pair` and `judge.pair_swapped`, of the chosen record of a row: 1 where the response that was shown first is
named, which is the chosen one in the first column and the rejected one in the second.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, TypeAlias, final

from triptych.annotating.annotator import Annotator, Item, Outcome, Paid
from triptych.annotating.judge import Bench, asked_of, failure_of
from triptych.annotating.rubric import SYSTEM, without_thought
from triptych.core.dear import PAIR, PAIR_SWAPPED
from triptych.endpoints.client import Failure
from triptych.endpoints.replies import Reply
from triptych.endpoints.wire import Question

VERSION = 2
NO_PAIR = "a response of the pair is missing"
NO_SIDE = "the reply names neither response"
BOTH = "the reply names both responses"
CUT = "the reply was cut off before a verdict"

Verdict: TypeAlias = Literal["win", "loss", "tie"]

_ASK = """Which of the two responses answers the request better? Right beats wrong, doing what was asked beats doing something
else, and only then count clarity and completeness. The order in which they stand means nothing."""
_CLOSING = "\n\nReply with one letter, A or B, and nothing else."
_LINE = "=" * 24
_SIDE = re.compile(r"(?<![A-Za-z'])([AB])(?![A-Za-z'])")


def question(item: Item, *, swapped: bool) -> str | None:
    """What is asked about a pair; None where a response is missing. `swapped`: the second one is shown first."""
    if item.response is None or item.other is None:
        return None
    shown = (item.other, item.response) if swapped else (item.response, item.other)
    request = [] if item.prompt is None else [f"{_LINE} request\n{item.prompt}"]
    parts = [
        _ASK,
        *request,
        *(f"{_LINE} response {side}\n{text}" for side, text in zip("AB", shown, strict=True)),
        _LINE,
    ]
    return "\n\n".join(parts) + _CLOSING


def shown_first(reply: Reply) -> float | str:
    """1.0 where the reply names the response that was shown first, 0.0 where the other; or why it names none."""
    text = without_thought(reply.text)
    named = set(_SIDE.findall(text or ""))
    if text is None or (not named and reply.finish == "length"):
        return CUT
    if len(named) != 1:
        return BOTH if named else NO_SIDE
    return float(named == {"A"})


def verdict(straight: float, swapped: float) -> Verdict:
    """Win, loss or tie of the first response, from whether the response shown first was named in each order.

    >>> verdict(1.0, 0.0), verdict(0.0, 1.0), verdict(1.0, 1.0)
    ('win', 'loss', 'tie')
    """
    if straight == swapped:
        return "tie"
    return "win" if straight else "loss"


@final
@dataclass(frozen=True)
class PairJudge(Annotator):
    """Asks about pairs in one order: whether the response shown first is the better one."""

    bench: Bench
    swapped: bool = False
    _noted: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    name: ClassVar[str] = "judge"
    pairs: ClassVar[bool] = True

    @property
    def title(self) -> str:
        """With the model."""
        return f"judge of pairs ({self.bench.model}{', other order' if self.swapped else ''})"

    @property
    def gives(self) -> tuple[str, ...]:
        """1 or 0."""
        return (PAIR_SWAPPED if self.swapped else PAIR,)

    @property
    def identity(self) -> str:
        """Prompts, order, model."""
        words = hashlib.sha256(f"{SYSTEM}\0{_ASK}\0{_CLOSING}\0{_LINE}".encode()).hexdigest()[:12]
        return f"judge of pairs {VERSION} {words} swapped={self.swapped} {self.bench.identity}"

    def plan(self, items: Sequence[Item]) -> str:
        """Requests and tokens."""
        return self.bench.costs({text for item in items if (text := question(item, swapped=self.swapped))})

    def annotate(self, items: Sequence[Item]) -> Iterator[tuple[bytes, Outcome]]:
        """Ask about the pairs, as replies come."""
        asked: list[tuple[bytes, Question]] = []
        for item in items:
            text = question(item, swapped=self.swapped)
            if text is None:
                yield item.content_id, NO_PAIR
            else:
                asked.append((item.content_id, self.bench.question(text)))
        for key, answer in asked_of(self.bench, asked, self._noted):
            if isinstance(answer, Failure):
                yield key, failure_of(answer)
                continue
            found = shown_first(answer)
            yield key, Paid(found) if isinstance(found, str) else {self.gives[0]: found}

    def notes(self) -> Mapping[str, Any]:
        """Requests and tokens of the last `annotate`."""
        return dict(self._noted)
