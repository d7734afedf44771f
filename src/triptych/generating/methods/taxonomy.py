"""Taxonomy first: what there is to ask about is laid out as a tree before anything is written, and every leaf gets its turn.

After Simula (Davidson and Harkous et al. 2026, arXiv 2603.29791). *Globally*, the model divides the domain level by level, merging
several proposals for each node, and leaves are dealt so that all come before any comes again. *Locally*, it thinks of several situations for
a leaf (meta-prompts), each of which becomes one prompt. A share of the prompts is rewritten to be harder. *Two critics*, asked apart,
say whether the response is right and whether it is wrong: one question alone is answered with yes too readily. What is not
both right and not wrong is dropped.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import ClassVar, final

from triptych.core.errors import TriptychError, message
from triptych.generating.ask import Ask, Batch, Desk, Method
from triptych.generating.methods._drafts import (
    TRIES,
    Copies,
    Draft,
    batch_of,
    drafts_of,
    nonce,
    respond,
    settled,
    shown,
    step,
)
from triptych.generating.methods._operations import DEEPENING, EXAMPLES
from triptych.generating.methods._reading import Unread, bare, list_of, plain, text_of, verdict_of

Node = tuple[str, ...]

_DOMAIN_ASKED = "{tasks}\n\nWhat are these tasks about? Name their common field in a few words."
_DOMAIN = (
    (
        _DOMAIN_ASKED.format(
            tasks="When should I cut back an old apple tree?\n\nWhich flowers grow in the shade?\n\nHow do I keep snails from my salad?"
        ),
        "gardening",
    ),
)
_DIVIDE_ASKED = "Field: {node}\n\nDivide this field into {number} parts. List their names."
_DIVIDE = (
    (_DIVIDE_ASKED.format(number=4, node="gardening"), "1. fruit trees\n2. vegetables\n3. flowers\n4. tools"),
    (_DIVIDE_ASKED.format(number=3, node="gardening, fruit trees"), "1. planting\n2. pruning\n3. diseases"),
)
_IDEAS_ASKED = "List {number} different situations in which somebody needs help with: {node}"
_IDEAS = (
    (
        _IDEAS_ASKED.format(number=3, node="gardening, fruit trees, pruning"),
        "1. an old apple tree that nobody has cut for ten years\n2. a cherry tree broken by a storm\n3. a class that learns to saw",
    ),
)
_WRITE_SYSTEM = "You write tasks from a field, for a situation. You do not answer them."
_WRITE_ASKED = "Field: {node}\nSituation: {idea}"
_WRITE = (
    (
        _WRITE_ASKED.format(
            node="gardening, fruit trees, pruning", idea="an old apple tree that nobody has cut for years"
        ),
        "Task: Nobody has cut my apple tree for years. In which order should I take off branches, and how many this winter?",
    ),
    (
        _WRITE_ASKED.format(node="school, letters to parents", idea="a summer party in the yard"),
        "Task: Write a cheerful letter that invites the parents of a class to a summer party in the school yard.",
    ),
    (
        _WRITE_ASKED.format(node="ships, materials", idea="a child asks a sailor"),
        "Task: Explain to a child in two sentences why a ship of steel does not sink.",
    ),
)
_RIGHT_ASKED = "Task: {prompt}\n\nAnswer: {response}\n\nIs this answer right and complete? Say yes or no."
_WRONG_ASKED = "Task: {prompt}\n\nAnswer: {response}\n\nIs anything wrong or missing in this answer? Say yes or no."

_JUDGED = (
    {"prompt": "Name three rivers in Africa.", "response": "The Nile, the Congo and the Niger."},
    {"prompt": "Name three rivers in Africa.", "response": "The Nile and the Amazon."},
)
_HINT = '[method] domain = "cooking", or a larger model'


@final
@dataclass(frozen=True)
class Taxonomy(Method):
    """Prompts from the leaves of a tree.

    Attributes:
        domain: what the tree divides; "": the model names it from the seeds.
        levels: of the tree below its root.
        width: parts of a node, at most.
        proposals: lists of parts that are asked for at each node, and merged.
        variants: situations thought of for a leaf at a time.
        complexify: share of the prompts that are rewritten to be harder.
        critic: whether both critics are asked.
    """

    domain: str = ""
    levels: int = 2
    width: int = 5
    proposals: int = 2
    variants: int = 4
    complexify: float = 0.3
    critic: bool = True

    name: ClassVar[str] = "taxonomy"
    source: ClassVar[str] = "Davidson, Harkous et al. 2026 (Simula, arXiv 2603.29791)"

    def __post_init__(self) -> None:
        """Check the parameters."""
        for name in ("levels", "width", "proposals", "variants"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1; got {getattr(self, name)}")
        if not 0 <= self.complexify <= 1:
            raise ValueError(f"complexify must be between 0 and 1; got {self.complexify:g}")

    def make(self, desk: Desk) -> Iterator[Batch]:
        """The tree, then for each batch of leaves situations, prompts, harder prompts, responses and verdicts."""
        leaves = self.tree(desk)
        ideas: dict[Node, list[str]] = {leaf: [] for leaf in leaves}
        copies = Copies([*(bare(done) for _, done in _WRITE), *EXAMPLES])
        left: list[Node] = []
        for turn in count():
            drafts = drafts_of(desk, [()] * desk.batch, self.name, turn)
            for place, draft in enumerate(drafts):
                if not left:
                    left = [leaves[i] for i in desk.rng(self.name, "leaves", turn, place).permutation(len(leaves))]
                draft.extra["node"] = list(left.pop())
            self._think(desk, drafts, ideas)
            self._write(desk, drafts, copies, turn)
            respond(desk, drafts)
            if self.critic:
                _criticize(desk, drafts)
            yield batch_of(drafts)

    def tree(self, desk: Desk) -> list[Node]:
        """The leaves, as paths from the root, level by level. A node that the model cannot divide is a leaf.

        Raises:
            TriptychError: it cannot name the domain, or divide it.
        """
        level: list[Node] = [(self.domain.strip() or self._domain(desk),)]
        leaves: list[Node] = []
        for depth in range(self.levels):
            parts = self._first(desk, level[0]) if depth == 0 else self._divide(desk, level)
            leaves += [node for node, names in zip(level, parts, strict=True) if not names]
            level = [(*node, name) for node, names in zip(level, parts, strict=True) for name in names]
        return leaves + level

    def _domain(self, desk: Desk) -> str:
        seeds = [seed for seed in desk.seeds if seed.prompt]
        if not seeds:
            raise TriptychError(message("taxonomy: there is neither a domain nor a seed to name it from.", hint=_HINT))
        drawn = desk.rng(self.name, "domain").permutation(len(seeds))[:5]
        tasks = "\n\n".join((seeds[i].prompt or "")[:400] for i in drawn)
        last = _DOMAIN_ASKED.format(tasks=tasks)
        return settled(
            desk,
            lambda number: Ask(shown(_DOMAIN, last), "taxonomy", nonce(desk, self.name, "domain", number)),
            lambda said: list_of(said, 1, what="name of the domain", words=8),
            "name of the domain",
            _HINT,
        )[0]

    def _first(self, desk: Desk, root: Node) -> list[list[str]]:
        for number in range(TRIES):
            if (parts := self._divide(desk, [root], number))[0]:
                return parts
        what = f'taxonomy: the writer gave no parts of "{root[0]}" in {TRIES} tries.'
        raise TriptychError(message(what, want="a list of parts", hint=_HINT))

    def _divide(self, desk: Desk, nodes: Sequence[Node], number: int = 0) -> list[list[str]]:
        """The parts of each node: what its proposals name together, each once, at most `width`."""
        asks = [
            Ask(
                shown(_DIVIDE, _DIVIDE_ASKED.format(number=self.width, node=", ".join(node))),
                "taxonomy",
                nonce(desk, self.name, "divide", *node, proposal, number),
            )
            for node in nodes
            for proposal in range(self.proposals)
        ]
        said = desk.ask(asks)
        parts: list[list[str]] = []
        for place, node in enumerate(nodes):
            names: dict[str, str] = {}
            for each in said[place * self.proposals : (place + 1) * self.proposals]:
                found = list_of(each, self.width)
                for name in [] if isinstance(found, Unread) else found:
                    names.setdefault(plain(name), name)
            above = {plain(name) for name in node}
            parts.append([name for key, name in names.items() if key not in above][: self.width])
        return parts

    def _think(self, desk: Desk, drafts: Sequence[Draft], ideas: dict[Node, list[str]]) -> None:
        """A situation for each draft: from those left of its leaf, or from a new list that is asked for."""
        without = []
        for draft in drafts:
            if left := ideas[tuple(draft.extra["node"])]:
                draft.extra["idea"] = left.pop(0)
            else:
                without.append(draft)

        def ask(draft: Draft) -> Ask:
            last = _IDEAS_ASKED.format(number=self.variants, node=", ".join(draft.extra["node"]))
            return Ask(shown(_IDEAS, last), "ideas", draft.nonce)

        for draft, found in step(desk, without, ask, lambda said: list_of(said, self.variants, words=30)):
            draft.extra["idea"] = found[0]
            ideas[tuple(draft.extra["node"])] += found[1:]

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


def _task(draft: Draft) -> Ask:
    last = _WRITE_ASKED.format(node=", ".join(draft.extra["node"]), idea=draft.extra["idea"])
    return Ask(shown(_WRITE, last, _WRITE_SYSTEM), "prompt", draft.nonce)


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
