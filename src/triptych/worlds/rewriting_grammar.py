"""A small grammar of English: a clause as features, and the one sentence that those features make.

One transitive verb with a doer and a receiver. The verb group is a chain of auxiliaries, each of which says what form
the next takes (will + base, have + participle, be + -ing, be + participle for the passive); the first is finite and
agrees with the subject. `do` comes in where a question or a negation finds no auxiliary (Huddleston and Pullum 2002,
The Cambridge Grammar of the English Language, ch. 3).

Worked example: doer "the king", receiver "my dogs", verb "choose", past, perfect, passive, question:
"had my dogs been chosen by the king ?"
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Verb(NamedTuple):
    """The forms of a verb."""

    base: str
    third: str
    past: str
    participle: str
    ing: str


VERBS = {
    line.split()[0]: Verb(*line.split())
    for line in (
        "help helps helped helped helping",
        "follow follows followed followed following",
        "watch watches watched watched watching",
        "carry carries carried carried carrying",
        "stop stops stopped stopped stopping",
        "chase chases chased chased chasing",
        "find finds found found finding",
        "catch catches caught caught catching",
        "lead leads led led leading",
        "feed feeds fed fed feeding",
        "draw draws drew drawn drawing",
        "choose chooses chose chosen choosing",
        "hide hides hid hidden hiding",
        "shake shakes shook shaken shaking",
    )
}

_BE = {False: {"present": "is", "past": "was"}, True: {"present": "are", "past": "were"}}
_DO = Verb("do", "does", "did", "done", "doing")
_HAVE = Verb("have", "has", "had", "had", "having")

DOERS = {
    "man": "men", "woman": "women", "boy": "boys", "girl": "girls", "king": "kings", "queen": "queens",
    "uncle": "uncles", "aunt": "aunts", "prince": "princes", "lady": "ladies",
}  # fmt: skip
RECEIVERS = {
    "dog": "dogs", "cat": "cats", "fox": "foxes", "wolf": "wolves", "mouse": "mice", "goose": "geese",
    "horse": "horses", "bird": "birds", "pony": "ponies", "calf": "calves",
}  # fmt: skip
"""Nouns and their plurals. People act on animals: words tell who does what, so that a small model need not count places."""

_PLURALS = DOERS | RECEIVERS
_PRONOUNS = dict.fromkeys(("man", "boy", "king", "uncle", "prince"), "he") | dict.fromkeys(
    ("woman", "girl", "queen", "aunt", "lady"), "she"
)
_OBLIQUE = {"he": "him", "she": "her", "it": "it", "they": "them"}

DETERMINERS = (("the", "this"), ("my", "our"))
"""Of doers, of receivers."""
ADJECTIVES = (("old", "young", "happy", "proud"), ("small", "hungry", "quiet", "wild"))
"""Of doers, of receivers."""
PREPOSITIONS = ("near", "behind", "beside")
PLACES = ("house", "river", "garden", "bridge", "tower", "market")


@dataclass(frozen=True)
class Phrase:
    """A noun phrase."""

    determiner: str
    noun: str
    plural: bool = False
    adjective: str = ""
    pronoun: bool = False

    @property
    def short(self) -> str:
        """The pronoun that stands for it as a subject."""
        return "they" if self.plural else _PRONOUNS.get(self.noun, "it")

    def words(self, *, subject: bool) -> list[str]:
        """The phrase as subject, or as object or after a preposition."""
        if self.pronoun:
            return [self.short if subject else _OBLIQUE[self.short]]
        determiner = "these" if self.plural and self.determiner == "this" else self.determiner
        adjective = [self.adjective] if self.adjective else []
        return [determiner, *adjective, _PLURALS[self.noun] if self.plural else self.noun]


@dataclass(frozen=True)
class Clause:
    """A clause as features.

    Attributes:
        doer: who acts.
        receiver: who is acted on.
        verb: its base form.
        place: a preposition and a noun ("near", "house"), or None.
        time: "present", "past", "future" (will) or "must".
        often: has the adverb "often" before the verb.
        again: has the adverb "again" at the end.
        cleft: the subject stands out: "it is .. that ..".
        report: after "they say that".
    """

    doer: Phrase
    receiver: Phrase
    verb: str
    place: tuple[str, str] | None = None
    time: str = "present"
    progressive: bool = False
    perfect: bool = False
    passive: bool = False
    negated: bool = False
    question: bool = False
    often: bool = False
    again: bool = False
    cleft: bool = False
    report: bool = False

    @property
    def subject(self) -> Phrase:
        """What the verb agrees with."""
        return self.receiver if self.passive else self.doer

    def sentence(self, *, slip: bool = False) -> str:
        """The sentence, words separated by single spaces. With `slip`, one verb has a wrong agreement or tense."""
        group = self._slipped() if slip else self._group()
        subject = self.subject.words(subject=True)
        tail = ["by", *self.doer.words(subject=False)] if self.passive else self.receiver.words(subject=False)
        tail += [self.place[0], "the", self.place[1]] if self.place else []
        tail += ["again"] if self.again else []
        inner = (["not"] if self.negated else []) + (["often"] if self.often else [])
        has_auxiliary = len(group) > 1
        if self.cleft:
            copula = _BE[False]["past" if self.time == "past" else "present"]
            start = [copula, "it"] if self.question else ["it", copula]
            start += [*subject, "that"]
        elif self.question:
            start = [group[0], *subject]
            group, has_auxiliary = group[1:], False
        else:
            start = subject
        verb = [group[0], *inner, *group[1:]] if has_auxiliary else [*inner, *group]
        report = ["they", "say", "that"] if self.report else []
        return " ".join([*report, *start, *verb, *tail, "?" if self.question else "."])

    def _group(self) -> list[str]:
        """The verb group: auxiliaries and verb, each in the form that the one before it asks for."""
        main = VERBS[self.verb]
        inverted = self.question and not self.cleft
        rest: list[tuple[Verb | None, str]] = []  # a verb (None: be) and the form that it asks of the next
        if self.perfect:
            rest.append((_HAVE, "participle"))
        if self.progressive:
            rest.append((None, "ing"))
        if self.passive:
            rest.append((None, "participle"))
        modal = {"future": "will", "must": "must"}.get(self.time)
        if modal is None and not rest and (self.negated or inverted):
            rest.append((_DO, "base"))
        words = [modal] if modal else []
        asked = "base" if modal else "finite"
        for verb, asks in [*rest, (main, "")]:
            words.append(self._form(verb, asked))
            asked = asks
        return words

    def _form(self, verb: Verb | None, asked: str) -> str:
        plural = self.subject.plural
        if verb is None:
            return {"base": "be", "participle": "been", "ing": "being"}.get(asked) or _BE[plural][self.time]
        if asked == "finite":
            return verb.past if self.time == "past" else verb.base if plural else verb.third
        return str(getattr(verb, asked))

    def _slipped(self) -> list[str]:
        """The verb group with its first inflected word in a wrong form that a writer might slip into."""
        group = self._group()
        place = 1 if group[0] in {"will", "must"} else 0
        word = group[place]
        verbs = (*VERBS.values(), _DO, _HAVE)
        swaps = {"is": "are", "are": "is", "was": "were", "were": "was", "be": "is"}
        swaps |= {verb.past: verb.base for verb in verbs} | {verb.third: verb.base for verb in verbs}
        swaps |= {verb.base: verb.third for verb in verbs}
        group[place] = swaps[word]
        return group


def read_clause(sentence: str) -> Clause | None:
    """The clause of a plain sentence (active, declarative, present or past, nothing added); None where it is none.

    The inverse of `Clause.sentence` for such clauses.
    """
    words = sentence.split(" ")
    verbs = {form: verb.base for verb in VERBS.values() for form in (verb.base, verb.third, verb.past)}
    place = next((at for at, word in enumerate(words) if word in verbs), None)
    if place is None:
        return None
    base, rest = verbs[words[place]], words[place + 1 :]
    near = next((at for at, word in enumerate(rest) if word in PREPOSITIONS), None)
    where = None if near is None or len(rest) < near + 3 else (rest[near], rest[near + 2])
    doer = _read_phrase(words[:place], 0)
    receiver = _read_phrase(rest[: len(rest) - 1 if near is None else near], 1)
    if doer is None or receiver is None or (where and where[1] not in PLACES):
        return None
    clause = Clause(doer, receiver, base, where, "past" if words[place] == VERBS[base].past else "present")
    return clause if clause.sentence() == sentence else None  # agreement, and nothing left over


def _read_phrase(words: list[str], role: int) -> Phrase | None:
    """The noun phrase of a doer (role 0) or a receiver (role 1)."""
    nouns = (DOERS, RECEIVERS)[role]
    singular = {form: noun for noun, plural in nouns.items() for form in (noun, plural)}
    if not 2 <= len(words) <= 3 or words[-1] not in singular:
        return None
    plural = words[-1] not in nouns
    determiner = "this" if plural and words[0] == "these" else words[0]
    adjective = words[1] if len(words) == 3 else ""
    if determiner not in DETERMINERS[role] or adjective not in {"", *ADJECTIVES[role]}:
        return None
    return Phrase(determiner, singular[words[-1]], plural, adjective)
