"""Rejection sampling: several responses to each prompt, of which the best, or all that pass, are handed on.

As in STaR (Zelikman et al. 2022, arXiv 2203.14465) and RAFT (Dong et al. 2023, arXiv 2304.06767): quality is bought with
asks, and prompts that are never answered well disappear, which moves the set towards what is easy. The method's own
response is the first of the samples; the others answer the same prompt. The cost of all samples is with the first record of the prompt.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import ClassVar, Literal, final

from triptych.generating.ask import Batch, Desk, Failed, Made, Method, Said, Search, took
from triptych.generating.methods._drafts import nonce, response_ask
from triptych.generating.methods._reading import Unread, answer_of
from triptych.generating.searches._steered import dropped


@final
@dataclass(frozen=True)
class Rejection(Search):
    """The best of some responses, or all that pass.

    Attributes:
        samples: responses to each prompt, with the method's own.
        keep: best, or all that reach `floor`, each text once.
        floor: grade that a record must reach; None: any (with keep = "best" alone).
    """

    samples: int = 4
    keep: Literal["best", "all"] = "best"
    floor: float | None = None

    name: ClassVar[str] = "rejection"
    source: ClassVar[str] = "Zelikman et al. 2022 (arXiv 2203.14465)"
    graded: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Check the parameters."""
        if self.samples < 1:
            raise ValueError(f"samples must be at least 1; got {self.samples}")
        if self.keep == "all" and self.floor is None:
            raise ValueError('keep = "all" needs a floor: the grade from which a response passes')

    def make(self, method: Method, desk: Desk) -> Iterator[Batch]:
        """The method's batches, with other responses where they are better.

        A method may go on from its own record while another response to its prompt was handed on: parents are the latter.
        """
        renamed: dict[str, str] = {}
        for turn, batch in zip(count(), method.make(desk), strict=False):
            made = [(place, one) for place, one in enumerate(batch) if isinstance(one, Made)]
            asks = [
                response_ask(one.prompt, nonce(desk, self.name, turn, place, sample))
                for place, one in made
                for sample in range(1, self.samples)
            ]
            said = desk.ask(asks) if asks else []
            each = self.samples - 1
            tried = [self._tried(one, said[i * each : (i + 1) * each]) for i, (_, one) in enumerate(made)]
            grades = iter(desk.grades([one for ones in tried for one in ones]))
            found = {
                place: self._chosen(ones, [next(grades) for _ in ones])
                for (place, _), ones in zip(made, tried, strict=True)
            }
            for place, was in made:
                renamed[was.id] = next((one.id for one in found[place] if isinstance(one, Made)), was.id)
            yield [_descended(one, renamed) for place, was in enumerate(batch) for one in found.get(place, [was])]

    def _tried(self, made: Made, said: Sequence[Said]) -> list[Made]:
        """The record with each of its different responses; the cost of all of them is with the first."""
        texts = [made.response, *(text for text in map(answer_of, said) if not isinstance(text, Unread))]
        cut = {each.text.strip() for each in said if each.text and each.finish == "length"}
        more = took(*said)
        first = replace(
            made,
            asks=made.asks + more.asks,
            prompt_tokens=made.prompt_tokens + more.prompt_tokens,
            tokens=made.tokens + more.tokens,
            seconds=made.seconds + more.seconds,
        )
        others = []
        for text in list(dict.fromkeys(texts))[1:]:
            extra = {key: value for key, value in made.extra.items() if key != "cut"} | (
                {"cut": True} if text in cut else {}
            )
            others.append(replace(made, response=text, extra=extra, asks=0, prompt_tokens=0, tokens=0, seconds=0.0))
        return [first, *others]

    def _chosen(self, tried: Sequence[Made], grades: Sequence[float | None]) -> list[Made | Failed]:
        """What is handed on of one prompt."""
        graded = [(grade, one) for one, grade in zip(tried, grades, strict=True) if grade is not None]
        if not graded:
            return [dropped(tried[0], "no grade")]
        passed = [(grade, one) for grade, one in graded if self.floor is None or grade >= self.floor]
        facts = {"samples": len(tried), "passed": len(passed)}
        if not passed:
            return [dropped(tried[0], "no response passes", **facts, grade=max(grade for grade, _ in graded))]
        if self.keep == "best":
            passed = [max(passed, key=lambda pair: pair[0])]
        cost = {name: getattr(tried[0], name) for name in ("asks", "prompt_tokens", "tokens", "seconds")}
        free = dict.fromkeys(cost, 0)
        return [
            replace(one, extra={**one.extra, **facts, "grade": grade}, **(cost if place == 0 else free))
            for place, (grade, one) in enumerate(passed)
        ]


def _descended(one: Made | Failed, renamed: Mapping[str, str]) -> Made | Failed:
    """A record with the parents that were handed on."""
    parents = tuple(dict.fromkeys(renamed.get(parent, parent) for parent in one.parents))
    return one if parents == one.parents else replace(one, parents=parents)
