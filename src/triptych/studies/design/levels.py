"""What a design is asked for: the budget, the factors and their levels, the points.

    Q=correct:0.2,0.8,D=embedding,C=reasoning_steps:value:2,value:4

A level is a quantile of the pool (between 0 and 1) or `value:` and a number; without levels the gap is the largest that
the pool gives. The levels of D are numbers of kinds: `D=embedding:8,50` is about 8 of 50 clusters against all of them.
Those of C may go down, where a low value is complex: `C=solve_rate:.8,.2` reads from easy to hard.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from triptych.core.budget import Budget
from triptych.core.errors import UsageError, message, nearest

FACTORS = ("Q", "D", "C")
EQUAL = ("records", "tokens", "length")


@dataclass(frozen=True)
class Level:
    """A level of a factor: a quantile of the pool, or a value."""

    number: float
    quantile: bool


@dataclass(frozen=True)
class Factor:
    """One factor: what it is read from, and its low and high level where they are given."""

    name: str
    source: str
    levels: tuple[Level, Level] | None = None


@dataclass(frozen=True)
class Request:
    """Options of `design`, as on the command line.

    Attributes:
        budget: of an arm.
        factors: one to three of Q, D and C.
        points: "full", "fractional", "d-optimal" or "d-optimal:N" (N arms in a block).
        centre: centre arms in a block.
        blocks: replicates, each with a low-diversity block of its own.
        draws: data sets drawn for each arm of a block.
        equal: what arms have in common: records, tokens, length; empty: all three where complexity is not length.
        balance: fields whose values are to be shared out equally, beside those that are found.
        seed: of clusters, blocks, draws and the random arm.
        pilot: `runs.jsonl` of earlier runs, whose noise tells the smallest effects that the design can find; or None.
    """

    budget: Budget
    factors: tuple[Factor, ...]
    points: str = "full"
    centre: int = 1
    blocks: int = 3
    draws: int = 1
    equal: tuple[str, ...] = ()
    balance: tuple[str, ...] = ()
    seed: int = 0
    pilot: str | Path | None = None

    @classmethod
    def of(
        cls, budget: str | int, levels: str | Mapping[str, str], options: Mapping[str, Any], seed: int = 0
    ) -> Request:
        """A request from what the user wrote.

        Raises:
            UsageError: something is not right; the message says what would be.
        """
        known = {item.name for item in fields(cls)} - {"budget", "factors", "seed"}
        for name in options:
            if name not in known:
                want = ", ".join(sorted(known))
                raise UsageError(message(f'design has no option "{name}".', want=want, hint=nearest(name, known)))
        made = cls(
            _records(Budget.of(budget)), factors_of(levels), seed=seed, **{n: _plain(v) for n, v in options.items()}
        )
        made._check()
        return made

    def factor(self, name: str) -> Factor | None:
        """The factor of this name, if it is asked for."""
        return next((factor for factor in self.factors if factor.name == name), None)

    def _check(self) -> None:
        for what, value, least in (("blocks", self.blocks, 1), ("draws", self.draws, 1), ("centre", self.centre, 0)):
            if value < least:
                raise UsageError(message(f"--{what} is not right.", got=str(value), want=f"{least} or more"))
        for name in self.equal:
            if name not in EQUAL:
                raise UsageError(
                    message("--equal is not right.", got=name, want=", ".join(EQUAL), hint=nearest(name, EQUAL))
                )
        if self.equal and not {"records", "tokens"} & set(self.equal):
            got = ", ".join(self.equal)
            raise UsageError(message("--equal needs records or tokens.", got=got, want="--equal records,tokens,length"))


def _records(budget: Budget) -> Budget:
    """Rows are records here: a pool of which a row gives several is refused."""
    return Budget(budget.number) if budget.unit == "rows" else budget


def _plain(value: Any) -> Any:
    """Names as a tuple: from a list, or from text with commas."""
    return tuple(_pieces(value)) if isinstance(value, (list, tuple)) else value


def _pieces(values: Sequence[str]) -> list[str]:
    return [piece.strip() for value in values for piece in str(value).split(",") if piece.strip()]


def factors_of(levels: str | Mapping[str, str]) -> tuple[Factor, ...]:
    """The factors of `Q=FIELD:lo,hi,D=..,C=..`, or of a mapping from factor to `FIELD:lo,hi`.

    Raises:
        UsageError: no factor, an unknown one, one given twice, or levels that are no levels.
    """
    found: dict[str, list[str]] = {}
    if isinstance(levels, Mapping):
        found = {name: str(text).split(",") for name, text in levels.items()}
    else:
        for piece in _pieces([levels]):
            name, equals, text = piece.partition("=")
            if equals and name.strip() not in found:
                found[name.strip()] = [text]
            elif equals or not found:
                raise _wrong(piece)
            else:
                found[next(reversed(found))].append(piece)
    for name, pieces in found.items():
        if name not in FACTORS or pieces[0] == "":
            raise _wrong(f"{name}={','.join(pieces)}")
    if not found:
        raise _wrong("nothing")
    return tuple(_factor(name, found[name]) for name in FACTORS if name in found)


def _wrong(got: str) -> UsageError:
    want = "Q=FIELD:lo,hi,D=embedding,C=FIELD:lo,hi, each at most once"
    return UsageError(message("--levels is not right.", got=got, want=want, hint="--levels Q=score,D=embedding"))


def _factor(name: str, pieces: list[str]) -> Factor:
    source, colon, first = pieces[0].partition(":")
    if not colon and len(pieces) == 1:
        return Factor(name, source.strip())
    texts = [first, *pieces[1:]]
    if len(texts) != 2:
        raise UsageError(message(f"{name} needs a low and a high level.", got=",".join(texts), want="lo,hi"))
    low, high = (_level(name, text.strip()) for text in texts)
    if low.quantile == high.quantile and not (low.number < high.number or (name == "C" and low != high)):
        raise UsageError(message(f"the low level of {name} is not below the high one.", got=",".join(texts)))
    return Factor(name, source.strip(), (low, high))


def _level(name: str, text: str) -> Level:
    kind, colon, number = text.rpartition(":")
    try:
        value = float(number)
    except ValueError:
        value = float("nan")
    if name == "D" and not colon and value >= 1 and value.is_integer():
        return Level(value, quantile=False)
    if name != "D" and ((kind == "value" and abs(value) < float("inf")) or (not colon and 0 < value < 1)):
        return Level(value, quantile=kind != "value")
    want = "a number of kinds" if name == "D" else "a quantile between 0 and 1, or value:NUMBER"
    hint = f"value:{number}" if name != "D" and not colon and value == value else None  # noqa: PLR0124 - NaN
    raise UsageError(message(f"a level of {name} is not right.", got=text, want=want, hint=hint))
