"""Trees of what there is to ask about, made by the model level by level before anything is written.

One tree divides the field itself into its subjects. The others divide *factors*: other ways in which tasks of the field differ
(who asks, in which form). A node is its path from the root; lists that are asked for anew are merged at each.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from triptych.core.errors import TriptychError, message
from triptych.generating.ask import Ask, Desk, Message, Said
from triptych.generating.methods._drafts import TRIES, nonce, settled, shown
from triptych.generating.methods._reading import Unread, list_of, plain

Node = tuple[str, ...]

_PURPOSE = "taxonomy"
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
_FACTORS_ASKED = (
    "Tasks about: {domain}\n\nIn which {number} ways do such tasks differ, besides their subject? List {number} words."
)
_FACTORS = (
    (_FACTORS_ASKED.format(number=3, domain="gardening"), "1. form\n2. asker\n3. season"),
    (_FACTORS_ASKED.format(number=2, domain="school letters"), "1. tone\n2. occasion"),
)
_KINDS_ASKED = "Tasks about: {domain}\nThey differ in: {node}\n\nList {number} different kinds of: {last}"
_KINDS = (
    (
        _KINDS_ASKED.format(number=4, domain="gardening", node="asker", last="asker"),
        "1. a child\n2. a beginner\n3. a tenant with a balcony\n4. a fruit grower",
    ),
    (
        _KINDS_ASKED.format(number=3, domain="school", node="form, letter", last="letter"),
        "1. invitation\n2. complaint\n3. apology",
    ),
)
DOMAIN_HINT = '[method] domain = "cooking", or a larger model'
_FACTORS_HINT = '[method] factors = ["form", "asker"], or a larger model'


@dataclass(frozen=True)
class Shape:
    """Of a tree: levels below its root, parts of a node at most, lists that are merged at each node."""

    levels: int
    width: int
    proposals: int


@dataclass(frozen=True)
class Tree:
    """Leaves as paths below what is divided.

    Attributes:
        factor: that it divides; "" where it divides the field, whose name then begins each path.
        leaves: at least one.
    """

    factor: str
    leaves: tuple[Node, ...]


def domain_of(desk: Desk, method: str) -> str:
    """The common field of up to five seeds, in the model's words.

    Raises:
        TriptychError: there are no seeds, or the model names none.
    """
    seeds = [seed for seed in desk.seeds if seed.prompt]
    if not seeds:
        raise TriptychError(
            message(f"{method}: there is neither a domain nor a seed to name it from.", hint=DOMAIN_HINT)
        )
    drawn = desk.rng(method, "domain").permutation(len(seeds))[:5]
    tasks = "\n\n".join((seeds[i].prompt or "")[:400] for i in drawn)
    last = _DOMAIN_ASKED.format(tasks=tasks)
    return settled(
        desk,
        lambda number: Ask(shown(_DOMAIN, last), _PURPOSE, nonce(desk, method, "domain", number)),
        lambda said: list_of(said, 1, what="name of the domain", words=8),
        "name of the domain",
        DOMAIN_HINT,
    )[0]


def factors_of(desk: Desk, method: str, domain: str, number: int, known: Sequence[str] = ()) -> list[str]:
    """Ways in which tasks of the field differ: those that are known, and more in the model's words.

    Args:
        desk: to ask at.
        method: whose trees they are, for the random streams.
        domain: the field.
        number: of factors, with the known ones.
        known: named by the recipe.

    Raises:
        TriptychError: the model does not name enough of them.
    """
    if number <= len(known):
        return list(known)
    last = _FACTORS_ASKED.format(domain=domain, number=number)
    taken = {plain(name) for name in (*known, domain)}

    def read(said: Said) -> list[str] | Unread:
        found = list_of(said, number + len(taken), what="list of factors", words=5)
        if isinstance(found, Unread):
            return found
        new = [name for name in found if plain(name) not in taken][: number - len(known)]
        return new if len(new) == number - len(known) else Unread("too few factors", said.text or "")

    new = settled(
        desk,
        lambda attempt: Ask(shown(_FACTORS, last), _PURPOSE, nonce(desk, method, "factors", attempt)),
        read,
        f"list of {number} factors",
        _FACTORS_HINT,
    )
    return [*known, *new]


def tree_of_domain(desk: Desk, method: str, domain: str, shape: Shape) -> Tree:
    """The field divided into subjects.

    Raises:
        TriptychError: the model cannot divide it.
    """

    def asked(node: Node) -> tuple[Message, ...]:
        return shown(_DIVIDE, _DIVIDE_ASKED.format(number=shape.width, node=", ".join(node)))

    return Tree("", tuple(_grown(desk, method, (domain,), shape, asked, DOMAIN_HINT)))


def tree_of_factor(desk: Desk, method: str, domain: str, factor: str, shape: Shape) -> Tree:
    """A factor divided into its kinds.

    Raises:
        TriptychError: the model cannot divide it.
    """

    def asked(node: Node) -> tuple[Message, ...]:
        last = _KINDS_ASKED.format(number=shape.width, domain=domain, node=", ".join(node), last=node[-1])
        return shown(_KINDS, last)

    grown = _grown(desk, method, (factor,), shape, asked, _FACTORS_HINT)
    return Tree(factor, tuple(leaf[1:] for leaf in grown))


def _grown(
    desk: Desk, method: str, root: Node, shape: Shape, asked: Callable[[Node], tuple[Message, ...]], hint: str
) -> list[Node]:
    """The leaves, as paths from the root, level by level. A node that the model cannot divide is a leaf."""

    def parts_of(nodes: Sequence[Node], attempt: int = 0) -> list[list[str]]:
        """The parts of each node: what its proposals name together, each once, at most `width`."""
        asks = [
            Ask(asked(node), _PURPOSE, nonce(desk, method, "divide", *node, proposal, attempt))
            for node in nodes
            for proposal in range(shape.proposals)
        ]
        said = desk.ask(asks)
        each = shape.proposals
        return [_merged(node, said[i * each : (i + 1) * each], shape.width) for i, node in enumerate(nodes)]

    first = next((parts for attempt in range(TRIES) if (parts := parts_of([root], attempt))[0]), None)
    if first is None:
        what = f'{method}: the writer gave no parts of "{root[0]}" in {TRIES} tries.'
        raise TriptychError(message(what, want="a list of parts", hint=hint))
    level, leaves = [(*root, name) for name in first[0]], list[Node]()
    for _ in range(shape.levels - 1):
        parts = parts_of(level)
        leaves += [node for node, names in zip(level, parts, strict=True) if not names]
        level = [(*node, name) for node, names in zip(level, parts, strict=True) for name in names]
    return leaves + level


def _merged(node: Node, said: Sequence[Said], width: int) -> list[str]:
    names: dict[str, str] = {}
    for each in said:
        found = list_of(each, width)
        for name in [] if isinstance(found, Unread) else found:
            names.setdefault(plain(name), name)
    above = {plain(name) for name in node}
    return [name for key, name in names.items() if key not in above][:width]
