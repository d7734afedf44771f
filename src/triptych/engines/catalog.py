"""Which feature or relation gives a column, and in what order they must be computed.

Siblings meet by column name: a statistic says `near_duplicates:n=5,threshold=0.8@both`, and this table knows who makes
that. A name is `base[:param=value,..][@on]`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from triptych.core.batch import Text
from triptych.core.dear import OPTIONS, maker_of
from triptych.core.errors import SpecError, message
from triptych.core.feature import Feature
from triptych.core.relation import Relation
from triptych.features.annotated import Annotated
from triptych.features.code import CodeComplexity
from triptych.features.constraints import Constraints
from triptych.features.depth import StructureDepth
from triptych.features.embedding import ColumnVectors, Embedding, load_encoder
from triptych.features.judged import Judged
from triptych.features.keys import TextKeys
from triptych.features.lexical import LexicalDiversity
from triptych.features.minhash import MinHash
from triptych.features.readability import Readability
from triptych.features.reasoning import ReasoningSteps
from triptych.features.reference import Reference
from triptych.features.structure import Structure
from triptych.features.syntax import Syntax
from triptych.features.tokens import DEFAULT, BothTokens, Tokens, tokenizer_identity
from triptych.features.validity import Validity
from triptych.relations.near_duplicates import NearDuplicates
from triptych.relations.per_prompt import PerPromptDistance, PerPromptNovelty
from triptych.relations.repeats import Repeats

_NAME = re.compile(r"(?P<base>[a-z_]+)(?::(?P<params>[^@]*))?(?:@(?P<on>prompt|response|both|group))?")


@dataclass(frozen=True)
class Instruments:
    """The tokenizer and the encoder of a run, with the hashes that pin them, which text makes a record valid, and the dear
    columns that were made for this data set.
    """

    tokenizer: str = DEFAULT
    tokenizer_identity: str = ""
    encoder: str = "static"
    encoder_identity: str = ""
    judged: Text = "response"
    annotations: tuple[Annotated, ...] = ()
    references: tuple[Reference, ...] = ()

    @classmethod
    def named(cls, tokenizer: str = DEFAULT, encoder: str = "static") -> Instruments:
        """Look both up.

        Raises:
            InputError: one of them is not there.
        """
        if encoder.startswith("column:"):
            source = encoder.removeprefix("column:")
            identity = encoder if not source.endswith(".npy") else f"{encoder}@{_file_hash(source)}"
        else:
            identity = load_encoder(encoder).identity
        return cls(tokenizer, tokenizer_identity(tokenizer), encoder, identity)


def _file_hash(source: str) -> str:
    try:
        return hashlib.sha256(Path(source).read_bytes()).hexdigest()[:12]
    except OSError as error:
        raise SpecError(
            message(f"encoder column:{source}: {error.strerror}.", want="a .npy file of vectors")
        ) from error


@dataclass(frozen=True)
class Work:
    """What must be computed before a fold, in an order that works."""

    features: tuple[Feature, ...]
    relations: tuple[Relation, ...]


def work_for(columns: Iterable[str], instruments: Instruments) -> Work:
    """Everything that the columns rest on.

    Raises:
        SpecError: nothing gives a column.
    """
    features: dict[str, Feature] = {}
    relations: dict[str, Relation] = {}

    def visit(column: str) -> None:
        maker = _maker(column, instruments)
        if maker is None or maker.spec.hash in features or maker.spec.hash in relations:
            return
        for need in maker.needs:
            visit(need)
        if isinstance(maker, Relation):
            relations[maker.spec.hash] = maker
        else:
            features[maker.spec.hash] = maker

    for column in columns:
        visit(column)
    return Work(tuple(features.values()), tuple(relations.values()))


def _maker(column: str, instruments: Instruments) -> Feature | Relation | None:
    """Who gives a column; None for the columns every shard has."""
    if column in _BASE or column.startswith(("label.", "carry.")):
        return None
    looked_up = next((each for each in instruments.annotations if column in each.gives), None)
    if looked_up:
        return looked_up
    if maker := maker_of(column):
        option = OPTIONS[maker]
        what = f'the column "{column}" costs a call to a model for each record, and no model is named.'
        raise SpecError(message(what, want=option, hint=f"triptych measure DATA {option}"))
    found = _NAME.fullmatch(column)
    if not found or found["base"] not in _MAKERS:
        raise SpecError(message(f'nothing gives the column "{column}".', want="one of " + ", ".join(sorted(_MAKERS))))
    params = dict(piece.split("=", 1) for piece in (found["params"] or "").split(",") if piece)
    return _MAKERS[found["base"]](found["on"], params, instruments)


_BASE = frozenset(
    {"source", "row", "part", "ordinal", "line", "prompt", "response", "structure", "group_key", "content_id"}
)

Maker = Callable[[Any, Mapping[str, str], Instruments], Feature | Relation]


def _tokens(on: Any, _: Mapping[str, str], instruments: Instruments) -> Feature:
    if on == "both":
        return BothTokens()
    return Tokens(on, instruments.tokenizer, instruments.tokenizer_identity)


def _embedding(on: Any, _: Mapping[str, str], instruments: Instruments) -> Feature:
    if instruments.encoder.startswith("column:"):
        return ColumnVectors(instruments.encoder.removeprefix("column:"), on, instruments.encoder_identity)
    return Embedding(on, instruments.encoder, instruments.encoder_identity, instruments.tokenizer)


def _reference(on: Any, _: Mapping[str, str], instruments: Instruments) -> Feature:
    for reference in instruments.references:
        if reference.on == on:
            return reference
    what = f"a reference set is read by its {on}, and none is named."
    raise SpecError(message(what, want="--reference FILE", hint="triptych measure DATA --reference trusted.jsonl"))


_MAKERS: Mapping[str, Maker] = {
    "key": lambda _on, _params, _: TextKeys(),
    "tokens": _tokens,
    "length": _tokens,
    "embedding": _embedding,
    "defects": lambda on, _params, instruments: Validity(on) if on else Judged(instruments.judged),
    "reasoning_steps": lambda on, _params, _: ReasoningSteps(on),
    "constraints": lambda _on, _params, _: Constraints(),
    "readability_grade": lambda on, _params, _: Readability(on),
    **dict.fromkeys(
        [f"reference_{name}" for name in ("nearest", "near", "inside", "density", "balls", "size")], _reference
    ),
    "template": lambda on, _params, _: Structure(on),
    "lexical_diversity": lambda on, _params, _: LexicalDiversity(on),
    "code_complexity": lambda on, _params, _: CodeComplexity(on),
    "structure_depth": lambda _on, _params, _: StructureDepth(),
    "sentence_length": lambda on, _params, _: Syntax(on),
    "subordination": lambda on, _params, _: Syntax(on),
    "minhash": lambda on, params, _: MinHash(int(params["n"]), on),
    "near_duplicates": lambda on, params, _: NearDuplicates(int(params["n"]), float(params["threshold"]), on),
    "repeats": lambda on, params, _: Repeats(int(params["n"]), on),
    "per_prompt_distance": lambda on, _params, _: PerPromptDistance(on),
    "per_prompt_novelty": lambda on, params, _: PerPromptNovelty(int(params["n"]), on),
}
