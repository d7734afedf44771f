"""Checks of the demo's answers, apart from the code that made them: each recomputes the answer another way.

A check gets the facts of a question and nothing of its solution: it searches, simulates or uses the standard library
where the generator used a formula.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import count, permutations
from math import lcm
from statistics import fmean
from typing import Any, TypeAlias

Facts: TypeAlias = Mapping[str, Any]
Check: TypeAlias = Callable[[Facts], str]


def _money(cents: Decimal | Fraction | int) -> str:
    amount = Decimal(int(cents)) / 100
    return f"${amount:.0f}" if amount == int(amount) else f"${amount:.2f}"


def _clock(minutes: int) -> str:
    return (datetime(2024, 1, 1) + timedelta(minutes=minutes)).strftime("%H:%M")  # noqa: DTZ001  a clock face has no zone


def _long_date(day: date) -> str:
    return f"{day.day} {day.strftime('%B')} {day.year}"


def _shopping_change(f: Facts) -> str:
    return _money(f["paid"] - sum([f["p"]] * f["a"] + [f["q"]] * f["b"]))


def _left_over(f: Facts) -> str:
    return str(len(range(f["total"])[f["total"] // f["size"] * f["size"] :]))


def _stock_changes(f: Facts) -> str:
    return str(f["start"] + sum(f["changes"]))


def _production(f: Facts) -> str:
    return str(sum(f["rate"] for _ in range(f["hours"])) - f["bad"])


def _two_ages(f: Facts) -> str:
    return str(next(age for age in range(f["total"]) if 2 * age + f["gap"] == f["total"]))


def _two_legs(f: Facts) -> str:
    return f"{sum(speed * time for speed, time in ((f['v'], f['h']), (f['w'], f['k'])))} km"


def _double_discount(f: Facts) -> str:
    return _money(Fraction(f["price"]) * Fraction(100 - f["first"], 100) * Fraction(100 - f["second"], 100))


def _what_percent(f: Facts) -> str:
    return f"{next(p for p in range(101) if p * f['whole'] == 100 * f['part'])} %"


def _recipe_scaling(f: Facts) -> str:
    return f"{Fraction(f['grams'] * f['many'], f['few'])} g"


def _average(f: Facts) -> str:
    return f"{fmean(f['scores']):g}"


def _unit_price(f: Facts) -> str:
    return str(f["first"] if f["p"] * f["b"] < f["q"] * f["a"] else f["second"])


def _weeks_of_saving(f: Facts) -> str:
    return f"{next(week for week in count() if f['have'] + week * f['weekly'] >= f['goal'])} weeks"


def _ratio_share(f: Facts) -> str:
    return str(next(one for one in range(f["total"]) if one * f["b"] == (f["total"] - one) * f["a"]))


_LARGE_TO_SMALL = {
    "kilometres": 1000,
    "metres": 100,
    "kilograms": 1000,
    "litres": 1000,
    "hours": 60,
    "minutes": 60,
    "days": 24,
    "weeks": 7,
    "feet": 12,
    "yards": 3,
    "dozens": 12,
}


def _unit_conversion(f: Facts) -> str:
    return f"{f['few'] + _LARGE_TO_SMALL[f['big']] * f['many']} {f['small']}"


def _fence_cost(f: Facts) -> str:
    return _money(sum((f["a"], f["b"], f["a"], f["b"])) * f["p"])


def _tank_volume(f: Facts) -> str:
    return f"{Fraction(f['percent'], 100) * f['a'] * f['b'] * f['c']} cm³"


def _third_angle(f: Facts) -> str:
    return f"{next(c for c in range(181) if f['a'] + f['b'] + c == 180)}°"


def _arithmetic_sequence(f: Facts) -> str:
    return str(range(f["start"], 10**6, f["gap"])[f["n"] - 1])


def _repeated_growth(f: Facts) -> str:
    return str(f["start"] * f["factor"] ** f["n"])


def _one_draw(f: Facts) -> str:
    balls = [colour for colour, k in zip(f["colours"], f["numbers"], strict=True) for _ in range(k)]
    return str(Fraction(balls.count(f["wanted"]), len(balls)))


def _common_multiple(f: Facts) -> str:
    return str(lcm(f["a"], f["b"]))


def _to_binary(f: Facts) -> str:
    return format(f["n"], "b")


def _divisible_by_either(f: Facts) -> str:
    return str(len({*range(f["a"], f["n"] + 1, f["a"]), *range(f["b"], f["n"] + 1, f["b"])}))


def _travel_time(f: Facts) -> str:
    hours, minutes, _ = str(timedelta(minutes=f["end"] - f["start"])).split(":")
    return " ".join(
        f"{int(k)} {unit[:-1] if int(k) == 1 else unit}" for k, unit in ((hours, "hours"), (minutes, "minutes"))
    )


def _schedule_end(f: Facts) -> str:
    return _clock(f["start"] + sum(f["lengths"]) + f["gap"] * (len(f["lengths"]) - 1))


def _weekday_after(f: Facts) -> str:
    start = next(day for day in (date(2024, 1, k) for k in range(1, 8)) if day.strftime("%A") == f["day"])
    return (start + timedelta(f["n"])).strftime("%A")


def _days_between(f: Facts) -> str:
    return f"{date.fromisoformat(f['last']).toordinal() - date.fromisoformat(f['first']).toordinal()} days"


def _time_zone(f: Facts) -> str:
    return _clock(f["start"] + 60 * f["shift"])


def _date_after(f: Facts) -> str:
    return _long_date(date.fromordinal(date.fromisoformat(f["first"]).toordinal() + f["n"]))


def _sort_words(f: Facts) -> str:
    return ", ".join(next(order for order in permutations(f["words"]) if all(map(str.__lt__, order, order[1:]))))


def _count_letter(f: Facts) -> str:
    return str(Counter("".join(f["words"]))[f["letter"]])


def _caesar(f: Facts) -> str:
    return "".join(chr((ord(mark) - 97 + f["k"]) % 26 + 97) for mark in f["word"])


def _rewrite_word(f: Facts) -> str:
    marks = list(f["word"])
    for rule in f["rules"]:
        if rule == 0:
            marks.reverse()
        elif rule == 1:
            del marks[0]
        elif rule == 2:
            marks.pop()
        elif rule == 3:
            marks.append(marks[-1])
        elif rule == 4:
            marks.append(marks.pop(0))
        elif rule == 5:
            marks = [mark for mark in marks if mark not in set("aeiou")]
        else:
            marks[0], marks[-1] = marks[-1], marks[0]
    return "".join(marks)


def _read_json(f: Facts) -> str:
    entries = {entry["name"]: entry for entry in json.loads(f["data"])["items"]}
    return str(entries[f["item"]][f["field"].strip('"')])


def _read_table(f: Facts) -> str:
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in f["table"].splitlines()[2:]]
    return str(sum(int(cell) for row in rows if row[0] == f["place"] for cell in row[1:]))


def _longest_word(f: Facts) -> str:
    ordered = sorted(f["words"], key=len)
    return f"{ordered[-1]}, {len(ordered[-1])} letters"


def _comparisons(f: Facts) -> str:
    winners, losers = ({pair[side] for pair in f["pairs"]} for side in (0, 1))
    return str((winners - losers if f["upward"] else losers - winners).pop())


def _set_operation(f: Facts) -> str:
    a, b = set(f["a"]), set(f["b"])
    kept = {"the intersection of A and B": a & b, "A without B": a - b, "the union of A and B": a | b}[f["what"]]
    return ", ".join(sorted(kept))


def _two_clubs(f: Facts) -> str:
    kinds = (f["a"] - f["both"], f["b"] - f["both"], f["both"])
    return str(next(none for none in count() if none + sum(kinds) == f["n"]))


def _queue_length(f: Facts) -> str:
    return str(next(n for n in count(1) if n - f["front"] + 1 == f["back"]))


def _grid_walk(f: Facts) -> str:
    way = {"north": 1j, "south": -1j, "east": 1, "west": -1}
    end = sum(complex(way[name]) * far for name, far in f["legs"])
    return f"({int(end.real)}, {int(end.imag)})"


def _election(f: Facts) -> str:
    tally: Counter[str] = Counter(f["votes"])
    name, votes = tally.most_common(1)[0]
    return f"{name} with {votes} votes"


CHECKS: dict[str, Check] = {
    "shopping_change": _shopping_change,
    "left_over": _left_over,
    "stock_changes": _stock_changes,
    "production": _production,
    "two_ages": _two_ages,
    "two_legs": _two_legs,
    "double_discount": _double_discount,
    "what_percent": _what_percent,
    "recipe_scaling": _recipe_scaling,
    "average": _average,
    "unit_price": _unit_price,
    "weeks_of_saving": _weeks_of_saving,
    "ratio_share": _ratio_share,
    "unit_conversion": _unit_conversion,
    "fence_cost": _fence_cost,
    "tank_volume": _tank_volume,
    "third_angle": _third_angle,
    "arithmetic_sequence": _arithmetic_sequence,
    "repeated_growth": _repeated_growth,
    "one_draw": _one_draw,
    "common_multiple": _common_multiple,
    "to_binary": _to_binary,
    "divisible_by_either": _divisible_by_either,
    "travel_time": _travel_time,
    "schedule_end": _schedule_end,
    "weekday_after": _weekday_after,
    "days_between": _days_between,
    "time_zone": _time_zone,
    "date_after": _date_after,
    "sort_words": _sort_words,
    "count_letter": _count_letter,
    "caesar": _caesar,
    "rewrite_word": _rewrite_word,
    "read_json": _read_json,
    "read_table": _read_table,
    "longest_word": _longest_word,
    "comparisons": _comparisons,
    "set_operation": _set_operation,
    "two_clubs": _two_clubs,
    "queue_length": _queue_length,
    "grid_walk": _grid_walk,
    "election": _election,
}


def is_right(skill: str, facts: Facts, answer: str) -> bool:
    """Whether the answer to a question of this skill is the one that its check finds."""
    return CHECKS[skill](facts) == answer
