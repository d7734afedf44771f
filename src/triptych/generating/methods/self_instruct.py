"""Self-instruct: a pool of tasks that grows by what the model writes, with a gate against what is much like what is there.

Wang et al. 2022 (arXiv 2212.10560). A new task is asked for after tasks from the seeds and from what was made before; it
must be less than `gate` alike, by ROUGE-L, to every task of the pool. Then an instance is written: input first (the task's
input, then the answer), or, for tasks whose answer is one of a few labels, output first (the labels, one of them drawn,
then an input that it is the answer to), which keeps the model from answering always the same. In the record, the input
follows the task in the prompt.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import ClassVar, Literal, TypeAlias, final

from triptych.generating.ask import Ask, Batch, Desk, Made, Method, Said, Seed
from triptych.generating.methods._alike import Pool
from triptych.generating.methods._drafts import Draft, batch_of, drafts_of, respond, shown, step
from triptych.generating.methods._reading import Unread, bare, list_of, plain, text_of, verdict_of
from triptych.generating.methods.few_shot import like_these

Instances: TypeAlias = Literal["auto", "plain", "input_first", "output_first"]

_LABELS_ASKED = (
    "Task: {task}\n\nIs the answer to this task always one of a few fixed labels, such as yes or no? Say yes or no."
)
_LABELS = (
    (_LABELS_ASKED.format(task="Say whether a sentence is a question or a statement."), "yes"),
    (_LABELS_ASKED.format(task="Write a poem about a river."), "no"),
)
_WHICH_ASKED = "Task: {task}\n\nList the labels that can be the answer to this task."
_WHICH = (
    (_WHICH_ASKED.format(task="Say whether a sentence is a question or a statement."), "1. question\n2. statement"),
)
_MATCH_SYSTEM = "You are given a task and its answer. You write the input of the task that has this answer."
_MATCH_ASKED = "Task: {task}\nAnswer: {label}"
_MATCH = (
    (
        _MATCH_ASKED.format(label="question", task="Say whether a sentence is a question or a statement."),
        "Input: Where did you leave the keys last night?",
    ),
    (
        _MATCH_ASKED.format(label="fruit", task="Say whether the thing is a fruit or a tool."),
        "Input: a ripe pear",
    ),
)
_INPUT_SYSTEM = "You write an input that a task can be done with. A task that lacks nothing needs none."
_INPUT_ASKED = "Task: {task}"
_INPUT = (
    (_INPUT_ASKED.format(task="Name three rivers in Africa."), "Input: none"),
    (
        _INPUT_ASKED.format(task="Shorten the sentence."),
        "Input: Owing to the fact that it was raining, we did not go out of the house.",
    ),
    (_INPUT_ASKED.format(task="Write a poem about the sea."), "Input: none"),
    (_INPUT_ASKED.format(task="Sort the numbers from small to large."), "Input: 7, 3, 12, 5"),
)
_SHOWN = frozenset(plain(bare(done)) for _, done in (*_MATCH, *_INPUT))


@final
@dataclass(frozen=True)
class SelfInstruct(Method):
    """Tasks from a growing pool.

    Attributes:
        shots: tasks shown for each new one.
        own: of these, how many are from what was made before, once there are so many.
        gate: a new task is dropped that is at least so alike to one of the pool (ROUGE-L, 0 to 1).
        instances: input_first, output_first, auto (output_first where the model says that a task has labels), or plain: the
            task is the prompt.
    """

    shots: int = 8
    own: int = 2
    gate: float = 0.7
    instances: Instances = "auto"

    name: ClassVar[str] = "self_instruct"
    source: ClassVar[str] = "Wang et al. 2022 (arXiv 2212.10560)"
    needs: ClassVar[tuple[str, ...]] = ("prompt",)

    def __post_init__(self) -> None:
        """Check the parameters."""
        if not 0 <= self.own < self.shots:
            raise ValueError(f"own must be at least 0 and below shots ({self.shots}); got {self.own}")
        if not 0 < self.gate <= 1:
            raise ValueError(f"gate must be above 0 and at most 1; got {self.gate:g}")

    def make(self, desk: Desk) -> Iterator[Batch]:
        """Tasks, then instances, then responses."""
        pool, made, known = Pool(), list[Seed](), set[str]()
        for turn in count():
            seeds = [seed for seed in desk.seeds if seed.prompt]
            if not seeds:
                return
            for seed in seeds:
                if seed.id not in known:
                    known.add(seed.id)
                    pool.add(seed.prompt or "")
            drafts = drafts_of(desk, self._drawn(desk, seeds, made, turn), self.name, turn)
            for draft, task in step(desk, drafts, like_these, text_of):
                draft.prompt = task
            self._pass(drafts, pool)
            tasks = {id(draft): draft.prompt for draft in drafts}
            self._instances(desk, drafts, turn)
            respond(desk, [draft for draft in drafts if not draft.response])
            batch = batch_of(drafts)
            made += [
                Seed(one.id, tasks[id(draft)], None)
                for draft, one in zip(drafts, batch, strict=True)
                if isinstance(one, Made)
            ]
            known.update(seed.id for seed in made)
            yield batch

    def _drawn(self, desk: Desk, seeds: Sequence[Seed], made: Sequence[Seed], turn: int) -> list[tuple[Seed, ...]]:
        """For each draft the tasks that are shown, in a drawn order."""
        rng = desk.rng(self.name, turn)
        drawn = []
        for _ in range(desk.batch):
            own = [made[i] for i in rng.permutation(len(made))[: self.own]]
            given = [seeds[i] for i in rng.permutation(len(seeds))[: self.shots - len(own)]]
            both = given + own
            drawn.append(tuple(both[i] for i in rng.permutation(len(both))))
        return drawn

    def _pass(self, drafts: Sequence[Draft], pool: Pool) -> None:
        """Close the drafts that are too much like the pool, of which those that pass become a part."""
        for draft in drafts:
            if draft.wrong is None:
                near = pool.nearest(draft.prompt, self.gate)
                draft.extra["similarity"] = round(near, 4)
                if near >= self.gate:
                    draft.close("too much like a task of the pool", draft.prompt)
                else:
                    pool.add(draft.prompt)

    def _instances(self, desk: Desk, drafts: Sequence[Draft], turn: int) -> None:
        """Put an input behind the tasks that need one; output first gives the response, too."""
        labelled = [draft for draft in drafts if self.instances == "output_first"]
        if self.instances == "auto":
            found = step(
                desk, drafts, lambda d: _ask("kind", _LABELS, _LABELS_ASKED.format(task=d.prompt), d), _has_labels
            )
            labelled = [draft for draft, yes in found if yes]
        others = [draft for draft in drafts if all(draft is not one for one in labelled)]
        if self.instances in {"auto", "input_first"}:
            asked = step(
                desk,
                others,
                lambda d: _ask("instance", _INPUT, _INPUT_ASKED.format(task=d.prompt), d, _INPUT_SYSTEM),
                lambda said: text_of(said, what="input"),
            )
            for draft, text in asked:
                draft.extra["instance"] = "input_first"
                if plain(text) in {"none", "no input", "nothing", "n a"}:
                    continue
                if plain(text) in _SHOWN:
                    draft.close("copy of an example", text)
                draft.prompt = f"{draft.prompt}\n\n{text}"
        self._output_first(desk, labelled, turn)

    def _output_first(self, desk: Desk, drafts: Sequence[Draft], turn: int) -> None:
        rng = desk.rng(self.name, "label", turn)
        asked = step(
            desk,
            drafts,
            lambda d: _ask("labels", _WHICH, _WHICH_ASKED.format(task=d.prompt), d),
            lambda s: list_of(s, 12, what="labels"),
        )
        labels = {}
        for draft, found in asked:
            labels[id(draft)] = found[int(rng.integers(len(found)))]
        asks = step(
            desk,
            drafts,
            lambda d: _ask(
                "instance", _MATCH, _MATCH_ASKED.format(label=labels[id(d)], task=d.prompt), d, _MATCH_SYSTEM
            ),
            lambda said: text_of(said, what="input"),
        )
        for draft, text in asks:
            draft.extra["instance"] = "output_first"
            if plain(text) in _SHOWN:
                draft.close("copy of an example", text)
            draft.prompt, draft.response = f"{draft.prompt}\n\n{text}", labels[id(draft)]


def _ask(purpose: str, examples: Sequence[tuple[str, str]], last: str, draft: Draft, system: str = "") -> Ask:
    return Ask(shown(examples, last, system), purpose, draft.nonce)


def _has_labels(said: Said) -> bool | Unread:
    """A verdict that cannot be read is a no: it is no part of the record, and input first does for any task."""
    verdict = verdict_of(said)
    return False if isinstance(verdict, Unread) and said.text is not None else verdict
