"""Read WordNet 3.0 (package wordnet-base) and compose texts from its words, glosses and relations."""

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from templates import ANSWERS, INSTRUCTIONS, QUESTIONS


@dataclass(frozen=True)
class Synset:
    """One sense: its words, its gloss, its usage examples and the keys of narrower, broader and part senses."""

    words: tuple[str, ...]
    gloss: str
    examples: tuple[str, ...]
    narrower: tuple[str, ...]
    broader: tuple[str, ...]
    parts: tuple[str, ...]


def linked(links: list[tuple[str, str]], *kinds: str) -> tuple[str, ...]:
    return tuple(key for kind, key in links if kind in kinds)


def read(path: Path) -> dict[str, Synset]:
    """Synsets of one `data.*` file by their byte offset (format: wndb(5WN))."""
    found: dict[str, Synset] = {}
    for line in path.read_text("utf-8").splitlines():
        if line.startswith(" "):
            continue
        data, _, text = line.partition(" | ")
        fields = data.split()
        count = int(fields[3], 16)
        names = tuple(re.sub(r"\(\w+\)$", "", fields[4 + 2 * i]).replace("_", " ") for i in range(count))
        rest = fields[4 + 2 * count :]
        links = [(rest[1 + 4 * i], rest[2 + 4 * i]) for i in range(int(rest[0]))]
        gloss = re.split(r';\s*"', text.strip())[0].strip()
        found[fields[0]] = Synset(
            names,
            gloss,
            tuple(re.findall(r'"([^"]{8,})"', text)),
            linked(links, "~", "~i"),
            linked(links, "@", "@i"),
            linked(links, "%p", "%m", "%s"),
        )
    return found


class WordNet:
    """Nouns, verbs and adjectives of WordNet, and texts composed from them."""

    def __init__(self, folder: Path) -> None:
        self.nouns = read(folder / "data.noun")
        self.verbs = read(folder / "data.verb")
        self.adjectives = read(folder / "data.adj")
        self.adverbs = read(folder / "data.adv")
        every = list(self.nouns.values())
        self.proper = [s for s in every if s.words[0][0].isupper()]
        self.common = [s for s in every if s.words[0].islower() and len(s.words[0]) < 25]
        self.usual = self._usual(folder)
        self.verb_list = [s for s in self.verbs.values() if len(s.words[0]) < 20]
        self.adjective_list = [s for s in self.adjectives.values() if len(s.words[0]) < 20]
        self.sayings = [
            e
            for group in (self.nouns, self.verbs, self.adjectives, self.adverbs)
            for s in group.values()
            for e in s.examples
        ]

    def _usual(self, folder: Path) -> list[Synset]:
        """Nouns that the semantic concordance counts (cntlist.rev): the words people use."""
        tagged = {
            line.split("%")[0].replace("_", " ")
            for line in (folder / "cntlist.rev").read_text("utf-8").splitlines()
            if "%1:" in line
        }
        return [s for s in self.common if s.words[0] in tagged]

    def glosses(self) -> Iterator[str]:
        for group in (self.nouns, self.verbs, self.adjectives, self.adverbs):
            for number, sense in enumerate(group.values()):
                yield sense.gloss if number % 2 else f"{', '.join(sense.words)}: {sense.gloss}"

    def examples(self) -> Iterator[str]:
        for number, text in enumerate(self.sayings):
            yield text if number % 2 else text[0].upper() + text[1:] + ("" if text[-1] in ".!?" else ".")

    def _related(self, sense: Synset, rng: random.Random) -> list[str]:
        """Up to six words beside or below a sense."""
        keys = list(sense.narrower) or [k for up in sense.broader if up in self.nouns for k in self.nouns[up].narrower]
        rng.shuffle(keys)
        return [self.nouns[k].words[0] for k in keys[:6] if k in self.nouns] or [sense.words[-1]]

    def _slots(self, rng: random.Random) -> dict[str, str]:
        """One filling of the frames; the second noun is a relative of the first in half of the cases."""
        pool = self.usual if rng.random() < 0.65 else self.common
        first, third = rng.choice(pool), rng.choice(pool)
        kin = [self.nouns[k] for k in (*first.narrower, *first.broader, *first.parts) if k in self.nouns]
        second = rng.choice(kin) if kin and rng.random() < 0.5 else rng.choice(pool)
        verb, adjective, name = rng.choice(self.verb_list), rng.choice(self.adjective_list), rng.choice(self.proper)
        a, b, c = first.words[0], second.words[0], third.words[0]
        example = rng.choice(self.sayings)
        listed = ", ".join(self._related(first, rng))
        slots = {
            "a": a,
            "b": b,
            "c": c,
            "v": verb.words[0],
            "w": verb.gloss,
            "j": adjective.words[0],
            "k": adjective.words[-1],
            "i": adjective.gloss,
            "p": name.words[0],
            "o": name.gloss,
            "g": first.gloss,
            "h": second.gloss,
            "l": listed,
            "n": str(rng.choice((2, 3, 4, 5, 10, 20, 100))),
            "e": example[0].upper() + example[1:] + ".",
        }
        return slots | {key.upper(): value[0].upper() + value[1:] for key, value in slots.items()}

    def prompts(self, rng: random.Random, count: int) -> Iterator[str]:
        for _ in range(count):
            text = rng.choice(QUESTIONS if rng.random() < 0.4 else INSTRUCTIONS).format(**self._slots(rng))
            yield text if rng.random() < 0.85 else text.rstrip(".?")

    def answers(self, rng: random.Random, count: int) -> Iterator[str]:
        """Answers of one to four frames; a frame after the first keeps the topic in most cases."""
        for _ in range(count):
            slots, parts = self._slots(rng), []
            for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 4))):
                parts.append(rng.choice(ANSWERS).format(**slots))
                slots |= {k: v for k, v in self._slots(rng).items() if k.lower() not in "ag"}
            yield rng.choice((" ", "\n", "\n\n")).join(parts)

    def topics(self, rng: random.Random, count: int) -> Iterator[str]:
        """Paragraphs about one sense: its gloss, what it is a kind of, its kinds and parts, with their glosses."""
        for _ in range(count):
            sense = rng.choice(self.usual if rng.random() < 0.5 else self.common if rng.random() < 0.7 else self.proper)
            lines = [f"{sense.words[0][0].upper()}{sense.words[0][1:]} is {sense.gloss}."]
            for label, keys in (
                ("It is a kind of", sense.broader),
                ("A part of it is", sense.parts),
                ("One kind is", sense.narrower),
            ):
                near = [self.nouns[k] for k in keys if k in self.nouns]
                some = rng.sample(near, min(len(near), rng.choice((0, 1, 1, 2))))
                lines += [f"{label} {s.words[0]}{f': {s.gloss}' if rng.random() < 0.7 else ''}." for s in some]
            lines += [e[0].upper() + e[1:] + "." for e in sense.examples[:1]]
            yield rng.choice((" ", " ", "\n", "\n- ")).join(lines)
