"""Evol-instruct: prompts are rewritten to be harder (deepening) or rarer (widening), round by round.

Xu et al. 2023 (arXiv 2304.12244). In each round every prompt that is at work gets one operation, drawn evenly over those
that deepen, or with probability `widen` the one that widens; what fails is eliminated, and its parent gets another operation in
the next round. Eliminated is, by rule: a rewriting that has next to no words of its own (no gain), one that speaks of the
rewriting itself, one that is a seed or the example shown, and one whose response has no word with a meaning of its own; refusals count as
failures of the writer. All that is made at any depth is a record.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import ClassVar, Literal, final

from triptych.generating.ask import Ask, Batch, Desk, Made, Method, Seed
from triptych.generating.methods._alike import new_words
from triptych.generating.methods._drafts import Copies, Deck, Draft, batch_of, drafts_of, respond, seed_of, shown, step
from triptych.generating.methods._operations import DEEPENING, EXAMPLES, OPERATIONS, WIDENING
from triptych.generating.methods._reading import plain, text_of, verdict_of

_SPEAKS = re.compile(
    r"\b(?:(?:given|original|changed|rewritten|revised|harder|evolved|above) (?:task|prompt|instruction)\b"
    r"|(?:make|change) this task\b|this task (?:is|was|becomes|asks|requires|could)\b|one more requirement)",
    re.IGNORECASE,
)
_STOP = frozenset(
    "a an and are as at be been but by can could did do does for from had has have he her his i if in into is it its me my no "
    "not of on or our she so than that the their them then there these they this those to us was we were what when where which "
    "who will with would yes you your ok okay well just".split()
)
_GAIN_ASKED = (
    "First: {one}\n\nSecond: {other}\n\nDoes the second task ask for anything that the first does not? Say yes or no."
)
_GAINS = (
    (_GAIN_ASKED.format(one="Name a bird.", other="Give the name of one bird."), "no"),
    (_GAIN_ASKED.format(one="Name a bird.", other="Name a bird that cannot fly, and say why."), "yes"),
)


@dataclass(frozen=True)
class _Line:
    """A prompt at work: it was evolved `depth` times, `left` rounds remain, and `attempt` tries at it failed in a row."""

    at: Seed
    left: int
    depth: int = 0
    attempt: int = 0


@final
@dataclass(frozen=True)
class EvolInstruct(Method):
    """Prompts that evolve.

    Attributes:
        depth: rounds that each seed goes through.
        widen: share of the operations that widen.
        gain: a rewriting with fewer words that its parent does not have in the same order gained nothing.
        equal: rule (by `gain` alone), or ask: the model is asked, too, whether more is asked for.
    """

    depth: int = 2
    widen: float = 0.2
    gain: int = 3
    equal: Literal["rule", "ask"] = "rule"

    name: ClassVar[str] = "evol_instruct"
    source: ClassVar[str] = "Xu et al. 2023 (arXiv 2304.12244)"
    needs: ClassVar[tuple[str, ...]] = ("prompt",)

    def __post_init__(self) -> None:
        """Check the parameters."""
        if self.depth < 1:
            raise ValueError(f"depth must be at least 1; got {self.depth}")
        if not 0 <= self.widen <= 1:
            raise ValueError(f"widen must be between 0 and 1; got {self.widen:g}")
        if self.gain < 1:
            raise ValueError(f"gain must be at least 1: a copy gained nothing; got {self.gain}")

    def make(self, desk: Desk) -> Iterator[Batch]:
        """One round for a batch of prompts: those that are at work, and new ones in the places that are free."""
        deck = Deck(desk, self.name)
        copies = Copies(EXAMPLES)
        lines: list[_Line] = []
        for turn in count():
            dealt = deck.deal(desk.batch - len(lines), lambda seed: bool(seed.prompt))
            lines += [_Line(seed, self.depth) for seed, _ in dealt]
            if not lines:
                return
            batch = self._round(desk, lines, copies, turn)
            lines = [
                _Line(seed_of(one), line.left - 1, line.depth + 1)
                if isinstance(one, Made)
                else _Line(line.at, line.left - 1, line.depth, line.attempt + 1)
                for line, one in zip(lines, batch, strict=True)
                if line.left > 1
            ]
            yield batch

    def _round(self, desk: Desk, lines: Sequence[_Line], copies: Copies, turn: int) -> Batch:
        rng = desk.rng(self.name, turn)
        drafts = drafts_of(desk, [(line.at,) for line in lines], self.name, turn)
        deepening = list(DEEPENING)
        for draft, line in zip(drafts, lines, strict=True):
            kinds = list(WIDENING) if rng.random() < self.widen else deepening
            draft.attempt = line.attempt
            draft.extra |= {"operation": kinds[int(rng.integers(len(kinds)))], "depth": line.depth + 1}
        for draft, text in step(desk, drafts, _evolve, text_of):
            draft.prompt = text
            self._eliminate(draft)
        copies.close(drafts, desk.seeds)
        if self.equal == "ask":
            for draft, yes in step(desk, drafts, _gains, verdict_of):
                if not yes:
                    draft.close("no gain: asks for the same", draft.prompt)
        respond(desk, drafts)
        for draft in drafts:
            if draft.wrong is None and not set(plain(draft.response).split()) - _STOP:
                draft.close("response says nothing", draft.response)
        return batch_of(drafts)

    def _eliminate(self, draft: Draft) -> None:
        """Close a draft whose prompt is no evolution of its parent."""
        parent = draft.seeds[0].prompt or ""
        if new_words(draft.prompt, parent) < self.gain:
            draft.close("no gain: much the same as its parent", draft.prompt)
        elif _SPEAKS.search(draft.prompt) and not _SPEAKS.search(parent):
            draft.close("speaks of the rewriting", draft.prompt)


def _evolve(draft: Draft) -> Ask:
    talk = OPERATIONS[draft.extra["operation"]].talk(draft.seeds[0].prompt or "")
    return Ask(talk, "evolve", draft.nonce)


def _gains(draft: Draft) -> Ask:
    last = _GAIN_ASKED.format(one=draft.seeds[0].prompt, other=draft.prompt)
    return Ask(shown(_GAINS, last), "judge", draft.nonce)
