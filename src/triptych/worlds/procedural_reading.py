"""Reading questions of the world `procedural` back: for tasks whose question says all that the answer needs.

A question that somebody else wrote has no item number, so its answer is worked out here and its entry made anew. That is
done only where a question has one fixed wording and few numbers or words, and the verifier looks at nothing but the answer.
A question belongs to the first setting of its task whose ranges hold all its values: settings meet at the ends of their
ranges (1000 is in two of `gcd`), hardly ever in a question. Where they often do (lists of 25 words to reverse are in two
settings) the task is not read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from math import gcd, lcm
from typing import Any, Final, TypeAlias

_NUMBER: Final = "(?:0|[1-9][0-9]{0,17})"
_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"

_BASES: Final = {"binary": 2, "hexadecimal": 16} | {
    f"base-{base}": base for base in range(2, 37) if base not in (2, 16)
}

Ranges: TypeAlias = Mapping[str, list[int]]


@dataclass(frozen=True)
class Read:
    """What a question says.

    Attributes:
        ranges: name of a range of the task's configuration (`value` for min_value and max_value) to the values in it.
        answer: the right answer, from the task's data set (its words, its primes).
    """

    ranges: Ranges
    answer: Callable[[Any], str | None]


def _of_numbers(name: str, fold: Callable[[int, int], int]) -> Callable[[re.Match[str]], Read | None]:
    def read(found: re.Match[str]) -> Read | None:
        numbers = [int(number) for number in found["numbers"].split(", ")]
        return Read({name: [len(numbers)], "value": numbers}, lambda _: str(reduce(fold, numbers)))

    return read


def _chain_sum(found: re.Match[str]) -> Read | None:
    first, *rest = found["sum"].split(" ")
    total, terms = int(first), [first, *rest[1::2]]
    for sign, term in zip(rest[::2], rest[1::2], strict=True):
        total += int(term) if sign == "+" else -int(term)
    return Read({"terms": [len(terms)], "digits": [len(term) for term in terms]}, lambda _: str(total))


def _count_bits(found: re.Match[str]) -> Read | None:
    number = int(found["number"])
    return Read({"n": [number]}, lambda _: str(number.bit_count()))


def _count_primes(found: re.Match[str]) -> Read | None:
    start, end = int(found["start"]), int(found["end"])
    if start > end:
        return None
    return Read({"n": [start, end]}, lambda source: str(sum(source.primes[start : end + 1])))


def _base_conversion(found: re.Match[str]) -> Read | None:
    base, into, digits = _BASES.get(found["base"]), _BASES.get(found["into"]), found["digits"]
    if base is None or into is None or base == into or max(map(_DIGITS.index, digits)) >= base:
        return None
    value = int(digits, base)
    return Read({"base": [base, into], "value": [value]}, lambda _: _in_base(value, into))


def _in_base(value: int, base: int) -> str:
    out = ""
    while value or not out:
        value, digit = divmod(value, base)
        out = _DIGITS[digit] + out
    return out


def _spell_backward(found: re.Match[str]) -> Read | None:
    word = found["word"]
    return Read({"word_len": [len(word)]}, lambda source: word[::-1] if word in source.words else None)


_READERS: Final[dict[str, tuple[re.Pattern[str], Callable[[re.Match[str]], Read | None]]]] = {
    task: (re.compile(pattern), read)
    for task, pattern, read in (
        (
            "gcd",
            (
                rf"Find the Greatest Common Divisor \(GCD\) of these numbers: (?P<numbers>{_NUMBER}(?:, {_NUMBER})+)\."
                r" Give only the GCD as your final answer\."
            ),
            _of_numbers("numbers", gcd),
        ),
        (
            "lcm",
            rf"Find the Least Common Multiple \(LCM\) of these numbers: (?P<numbers>{_NUMBER}(?:, {_NUMBER})+)",
            _of_numbers("numbers", lcm),
        ),
        (
            "chain_sum",
            rf"State the final answer to the following arithmetic problem: (?P<sum>{_NUMBER}(?: [+-] {_NUMBER})+) =",
            _chain_sum,
        ),
        (
            "count_bits",
            rf"How many 1 bits are there in the binary representation of the number (?P<number>{_NUMBER})\?",
            _count_bits,
        ),
        (
            "count_primes",
            rf"Count how many prime numbers there are between (?P<start>{_NUMBER}) and (?P<end>{_NUMBER}) \(inclusive\) \?",
            _count_primes,
        ),
        (
            "base_conversion",
            (
                r"Your task is to convert a number between two different bases\.\n\n"
                r"If the target base is > 10, use lowercase letters a-z for digits above 9\.\n\n"
                r"Now, convert the (?P<base>[a-z0-9-]+) number (?P<digits>[1-9a-z][0-9a-z]{0,63}) to (?P<into>[a-z0-9-]+)\n"
            ),
            _base_conversion,
        ),
        (
            "spell_backward",
            r"Spell this word backward \(example: sun -> nus\): (?P<word>\w+)",
            _spell_backward,
        ),
    )
}

TASKS_READ: Final = tuple(_READERS)
"""The tasks whose questions can be read."""


def read_question(question: str) -> tuple[str, Read] | None:
    """The task of a question and what it says; None where it is no question of a task that can be read."""
    for task, (pattern, reader) in _READERS.items():
        found = pattern.fullmatch(question)
        if found and (read := reader(found)):
            return task, read
    return None


def within(ranges: Ranges, config: Any) -> bool:
    """Whether a setting's ranges hold all these values."""
    return all(
        getattr(config, f"min_{name}") <= value <= getattr(config, f"max_{name}")
        for name, values in ranges.items()
        for value in values
    )
