"""Taxonomy first: what there is to ask about is laid out as trees before anything is written, and every leaf gets its turn.

After Simula (Davidson and Harkous et al. 2026, arXiv 2603.29791). *Globally*, the model divides the domain level by level, merging
several proposals for each node, and likewise each further factor of variation (who asks, in which form); a prompt takes one leaf of
every tree, and of each tree leaves are dealt so that all come before any comes again. *Locally*, it thinks of several situations for
what was drawn (meta-prompts), of which each prompt takes one. A share of the prompts is rewritten to be harder. *Two critics*, asked
apart, say whether the response is right and whether it is wrong: one question alone is answered with yes too readily. What is not
both right and not wrong is dropped.

In the paper the model also says which trees go together and with what weights; here every tree is drawn from for every prompt,
all leaves alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, ClassVar, final

from triptych.generating.ask import Ask, Batch, Desk, Method
from triptych.generating.methods._drafts import Copies, Draft, batch_of, drafts_of, respond, shown, step
from triptych.generating.methods._operations import DEEPENING, EXAMPLES
from triptych.generating.methods._reading import bare, list_of, plain, text_of, verdict_of
from triptych.generating.methods._trees import (
    Node,
    Shape,
    Tree,
    domain_of,
    factors_of,
    tree_of_domain,
    tree_of_factor,
)

Mix = tuple[Node, ...]
"""One leaf of every tree."""

_IDEAS_ASKED = "List {number} different situations in which somebody needs help with: {node}{factors}"
_IDEAS = (
    (
        "gardening, fruit trees, pruning",
        "asker: a teacher",
        "1. an old apple tree that nobody has cut for ten years\n2. a cherry tree broken by a storm\n3. a class that learns to saw",
    ),
)
"""Field, factor, situations."""
_WRITE_SYSTEM = "You write tasks from a field, for a situation. You do not answer them."
_WRITE_ASKED = "Field: {node}{factors}\nSituation: {idea}"
_WRITE = (
    (
        "gardening, fruit trees, pruning",
        "form: question",
        "an old apple tree that nobody has cut for years",
        "Task: Nobody has cut my apple tree for years. In which order should I take off branches, and how many this winter?",
    ),
    (
        "school, letters to parents",
        "tone: cheerful",
        "a summer party in the yard",
        "Task: Write a cheerful letter that invites the parents of a class to a summer party in the school yard.",
    ),
    (
        "ships, materials",
        "asker: a child",
        "a child asks a sailor",
        "Task: Explain to a child in two sentences why a ship of steel does not sink.",
    ),
)
"""Field, factor, situation, what is to be written. Factors are shown where there are any to follow."""
_RIGHT_ASKED = "Task: {prompt}\n\nAnswer: {response}\n\nIs this answer right and complete? Say yes or no."
_WRONG_ASKED = "Task: {prompt}\n\nAnswer: {response}\n\nIs anything wrong or missing in this answer? Say yes or no."

_JUDGED = (
    {"prompt": "Name three rivers in Africa.", "response": "The Nile, the Congo and the Niger."},
    {"prompt": "Name three rivers in Africa.", "response": "The Nile and the Amazon."},
)


@final
@dataclass(frozen=True)
class Taxonomy(Method):
    """Prompts from the leaves of trees.

    Attributes:
        domain: what the first tree divides; "": the model names it from the seeds.
        trees: the domain's, and those of factors; 0: as many factors as are named. The model names what `factors` does not.
        factors: other ways in which tasks differ, each divided into a tree of its own.
        levels: of a tree below its root.
        width: parts of a node, at most.
        proposals: lists of parts that are asked for at each node, and merged.
        variants: situations thought of for a leaf (of every tree) at a time.
        complexify: share of the prompts that are rewritten to be harder.
        critic: whether both critics are asked.
    """

    domain: str = ""
    trees: int = 0
    factors: tuple[str, ...] = ()
    levels: int = 2
    width: int = 5
    proposals: int = 2
    variants: int = 4
    complexify: float = 0.3
    critic: bool = True

    name: ClassVar[str] = "taxonomy"
    source: ClassVar[str] = "Davidson, Harkous et al. 2026 (Simula, arXiv 2603.29791)"

    def __post_init__(self) -> None:
        """Check the parameters, and bring the factors into their one form."""
        for name in ("levels", "width", "proposals", "variants"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1; got {getattr(self, name)}")
        if not 0 <= self.complexify <= 1:
            raise ValueError(f"complexify must be between 0 and 1; got {self.complexify:g}")
        if self.trees < 0:
            raise ValueError(f"trees must be 0 or more; got {self.trees}")
        object.__setattr__(self, "factors", _names(self.factors))
        if self.trees and self.trees <= len(self.factors):
            what = f"trees counts the domain's too: with {len(self.factors)} factors it must be 0 or at least"
            raise ValueError(f"{what} {len(self.factors) + 1}; got {self.trees}")

    def make(self, desk: Desk) -> Iterator[Batch]:
        """The trees, then for each batch of leaves situations, prompts, harder prompts, responses and verdicts."""
        deck = _Leaves(desk, self.grow(desk))
        ideas: dict[Mix, list[str]] = {}
        copies = Copies([*(bare(done) for *_, done in _WRITE), *EXAMPLES])
        for turn in count():
            drafts = drafts_of(desk, [()] * desk.batch, self.name, turn)
            for place, draft in enumerate(drafts):
                node, *others = deck.deal(turn, place)
                draft.extra["node"] = list(node)
                if others:
                    named = zip(deck.factors, others, strict=True)
                    draft.extra["factors"] = {factor: list(path) for factor, path in named}
            self._think(desk, drafts, ideas, turn)
            self._write(desk, drafts, copies, turn)
            respond(desk, drafts)
            if self.critic:
                _criticize(desk, drafts)
            yield batch_of(drafts)

    def grow(self, desk: Desk) -> list[Tree]:
        """The trees, that of the domain first.

        Raises:
            TriptychError: the model cannot name the domain or the factors, or divide one of them.
        """
        domain = self.domain.strip() or domain_of(desk, self.name)
        shape = Shape(self.levels, self.width, self.proposals)
        first = tree_of_domain(desk, self.name, domain, shape)
        factors = factors_of(desk, self.name, domain, self.trees - 1, self.factors)
        return [first, *(tree_of_factor(desk, self.name, domain, factor, shape) for factor in factors)]

    def _think(self, desk: Desk, drafts: Sequence[Draft], ideas: dict[Mix, list[str]], turn: int) -> None:
        """A situation for each draft: from those left of its leaves, or from a new list that is asked for.

        Which of a new list is taken is drawn: the first that comes to mind is the commonest.
        """
        without = []
        for draft in drafts:
            if left := ideas.get(_mix(draft)):
                draft.extra["idea"] = left.pop()
            else:
                without.append(draft)

        def ask(draft: Draft) -> Ask:
            factored = "factors" in draft.extra
            examples = [(_ideas(3, node, factor * factored), said) for node, factor, said in _IDEAS]
            last = _ideas(self.variants, ", ".join(draft.extra["node"]), _lines(draft))
            return Ask(shown(examples, last), "ideas", draft.nonce)

        rng = desk.rng(self.name, "ideas", turn)
        for draft, found in step(desk, without, ask, lambda said: list_of(said, self.variants, words=30)):
            mixed = [found[place] for place in rng.permutation(len(found))]
            draft.extra["idea"] = mixed.pop()
            ideas.setdefault(_mix(draft), []).extend(mixed)

    def _write(self, desk: Desk, drafts: Sequence[Draft], copies: Copies, turn: int) -> None:
        """The prompts, of which a share is rewritten to be harder."""
        rng = desk.rng(self.name, "harder", turn)
        kinds = list(DEEPENING)
        for draft in drafts:
            if rng.random() < self.complexify:
                draft.extra["complexified"] = kinds[int(rng.integers(len(kinds)))]
        for draft, text in step(desk, drafts, _task, text_of):
            draft.prompt = text
        harder = [draft for draft in drafts if "complexified" in draft.extra]
        for draft, text in step(desk, harder, _harder, text_of):
            draft.prompt = text
        copies.close(drafts, desk.seeds)


class _Leaves:
    """Leaves dealt in a drawn order, of each tree by itself: all of them before any comes again."""

    def __init__(self, desk: Desk, trees: Sequence[Tree]) -> None:
        self._desk, self._trees = desk, trees
        self._left: list[list[Node]] = [[] for _ in trees]

    @property
    def factors(self) -> list[str]:
        """Of the trees after the first."""
        return [tree.factor for tree in self._trees[1:]]

    def deal(self, turn: int, place: int) -> Mix:
        """One leaf of each tree, for a place in a batch."""
        for tree, left in zip(self._trees, self._left, strict=True):
            if not left:
                named = [tree.factor] if tree.factor else []
                order = self._desk.rng("taxonomy", "leaves", *named, turn, place).permutation(len(tree.leaves))
                left += [tree.leaves[i] for i in order]
        return tuple(left.pop() for left in self._left)


def _names(given: Any) -> tuple[str, ...]:
    """Factors in their one form.

    Raises:
        ValueError: they are no texts, or two are the same.
    """
    parts = given.split(",") if isinstance(given, str) else given
    if not isinstance(parts, (list, tuple)) or not all(isinstance(one, str) for one in parts):
        raise ValueError(f"factors must be a list of texts; got {given!r}")
    names = tuple(name for one in parts if (name := one.strip()))
    if len({plain(name) for name in names}) < len(names):
        raise ValueError(f"factors must differ; got {', '.join(names)}")
    return names


def _mix(draft: Draft) -> Mix:
    return (tuple(draft.extra["node"]), *(tuple(path) for path in draft.extra.get("factors", {}).values()))


def _lines(draft: Draft) -> str:
    """The leaves of factors, a line each."""
    found = draft.extra.get("factors", {})
    return "\n".join(f"{factor}: {', '.join(path)}" for factor, path in found.items())


def _after(factors: str) -> str:
    return f"\n{factors}" if factors else ""


def _ideas(number: int, node: str, factors: str) -> str:
    return _IDEAS_ASKED.format(number=number, node=node, factors=_after(factors))


def _task(draft: Draft) -> Ask:
    factored = "factors" in draft.extra
    examples = [
        (_WRITE_ASKED.format(node=node, factors=_after(factor * factored), idea=idea), done)
        for node, factor, idea, done in _WRITE
    ]
    node, idea = ", ".join(draft.extra["node"]), draft.extra["idea"]
    last = _WRITE_ASKED.format(node=node, factors=_after(_lines(draft)), idea=idea)
    return Ask(shown(examples, last, _WRITE_SYSTEM), "prompt", draft.nonce)


def _harder(draft: Draft) -> Ask:
    return Ask(DEEPENING[draft.extra["complexified"]].talk(draft.prompt), "evolve", draft.nonce)


def _criticize(desk: Desk, drafts: Sequence[Draft]) -> None:
    """Close the drafts that are not called right, or are called wrong."""
    for asked, examples, wanted, reason in (
        (_RIGHT_ASKED, ("yes", "no"), True, "critic: not right"),
        (_WRONG_ASKED, ("no", "yes"), False, "critic: wrong"),
    ):
        turns = [(asked.format(**pair), said) for pair, said in zip(_JUDGED, examples, strict=True)]

        def ask(draft: Draft, asked: str = asked, turns: list[tuple[str, str]] = turns) -> Ask:
            return Ask(shown(turns, asked.format(prompt=draft.prompt, response=draft.response)), "judge", draft.nonce)

        for draft, yes in step(desk, drafts, ask, verdict_of):
            if yes is not wanted:
                draft.close(reason, draft.prompt)
