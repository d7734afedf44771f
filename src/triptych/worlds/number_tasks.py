"""Questions about numbers and shapes: geometry, sequences, units, chance, common multiples, number systems."""

from __future__ import annotations

from fractions import Fraction
from math import gcd

from triptych.worlds.draw import Draft, Draw, dollars, listing, skill
from triptych.worlds.words import COLOURS, NAMES, PLACES

_UNITS = (
    ("kilometres", "metres", 1000),
    ("metres", "centimetres", 100),
    ("hours", "minutes", 60),
    ("minutes", "seconds", 60),
    ("kilograms", "grams", 1000),
    ("litres", "millilitres", 1000),
    ("days", "hours", 24),
    ("weeks", "days", 7),
    ("feet", "inches", 12),
    ("yards", "feet", 3),
    ("dozens", "pieces", 12),
)


@skill(
    "Convert {many} {big} and {few} {small} to {small}.",
    "How many {small} are {many} {big} and {few} {small}?",
    "{name} notes {many} {big} plus {few} {small}. Write that in {small} alone.",
    "Express {many} {big} {few} {small} using only {small}.",
    "A form wants {small}, but {name} has {many} {big} and {few} {small}. What number goes into the form?",
    "Change the unit: {many} {big} together with {few} {small} make how many {small}?",
)
def unit_conversion(draw: Draw) -> Draft:
    """A mixed quantity in its smaller unit."""
    big, small, factor = draw.pick(_UNITS)
    many, few = draw.number(2, 40), draw.number(1, factor - 1)
    steps = (
        f"There are {factor} {small} to each of the {big}.",
        f"{many} × {factor} = {many * factor}.",
        f"{many * factor} + {few} = {many * factor + few} {small}.",
    )
    facts = {"name": draw.pick(NAMES), "many": many, "few": few, "big": big, "small": small}
    return Draft(facts, f"{many * factor + few} {small}", steps)


@skill(
    "A garden in {place} is {a} m long and {b} m wide. A fence costs {p} a metre. What does it cost to fence the garden all round?",
    "{p} per metre is the price of a fence. How much is a fence around a rectangle of {a} m by {b} m in {place}?",
    "The rectangular field near {place} has sides of {a} m and {b} m. Fencing it costs {p} for every metre. Find the cost.",
    "What must be paid to put a fence (at {p} a metre) round a plot of {a} m × {b} m at {place}?",
    "Around a school yard in {place}, {a} metres by {b} metres, a fence is planned. One metre is {p}. What is the total?",
    "Find the price of fencing: rectangle, length {a} m, width {b} m, {p} per metre, delivered to {place}.",
)
def fence_cost(draw: Draw) -> Draft:
    """Perimeter times a price."""
    a, b, p = draw.number(9, 60), draw.number(4, 40), draw.number(2, 20) * 100
    round_about = 2 * (a + b)
    steps = (
        f"The perimeter is 2 × ({a} + {b}) = {round_about} m.",
        f"The fence costs {round_about} × {dollars(p)} = {dollars(round_about * p)}.",
    )
    facts = {"place": draw.pick(PLACES), "a": a, "b": b, "p": p}
    return Draft(facts, dollars(round_about * p), steps, {"p": dollars(p)}, (dollars(a * b * p),))


@skill(
    "A tank measures {a} by {b} by {c} cm. It is filled to {percent} %. How many cubic centimetres of water does it hold?",
    "How much water, in cubic centimetres, is in a box-shaped tank of {a} cm × {b} cm × {c} cm that is {percent} % full?",
    "Water fills {percent} % of a rectangular tank whose edges are {a} cm, {b} cm and {c} cm. What is the volume of the water in cm³?",
    "{percent} % of the volume of a {a} × {b} × {c} cm box is taken up by sand. How many cubic centimetres is that?",
    "The edges of an aquarium are {a}, {b} and {c} centimetres. Find the volume of the water (in cm³) when {percent} % of it is filled.",
    "Compute {percent} percent of the volume of a box with sides {a} cm, {b} cm, {c} cm.",
)
def tank_volume(draw: Draw) -> Draft:
    """A share of a box."""
    a, b, c = draw.number(2, 9) * 10, draw.number(2, 9) * 10, draw.number(5, 60)
    percent = draw.pick((10, 20, 25, 40, 50, 60, 75, 80, 90))
    whole = a * b * c
    part = whole * percent // 100
    steps = (
        f"The base is {a} × {b} = {a * b} cm².",
        f"The whole volume is {a * b} × {c} = {whole} cm³.",
        f"{percent} % of {whole} is {part} cm³.",
    )
    return Draft({"a": a, "b": b, "c": c, "percent": percent}, f"{part} cm³", steps)


@skill(
    "Two angles of a triangle are {a}° and {b}°. How large is the third?",
    "In a triangle the angles at A and B measure {a} and {b} degrees. What is the angle at C?",
    "A triangle has one angle of {a}° and another of {b}°. Find the remaining angle.",
    "What is missing to complete a triangle whose first two angles are {a} degrees and {b} degrees?",
    "A roof forms a triangle. Its angles at the eaves are {a}° and {b}°. What is the angle at the ridge?",
    "Given triangle PQR with angle P = {a}° and angle Q = {b}°, determine angle R.",
)
def third_angle(draw: Draw) -> Draft:
    """The angles of a triangle add up to 180 degrees."""
    a, b = draw.number(20, 88), draw.number(20, 80)
    steps = (
        "The three angles add up to 180°.",
        f"{a}° + {b}° = {a + b}°.",
        f"180° - {a + b}° = {180 - a - b}°.",
    )
    return Draft({"a": a, "b": b}, f"{180 - a - b}°", steps)


@skill(
    "A sequence begins {start}; from then on each term is {gap} more than the one before. What is term number {n}?",
    "Find the {n}th term of {head}, ...",
    "The numbers {head} go on in the same way. Which number stands in place {n}?",
    "Seats in a hall: {head} and so on, row by row. How many seats has row {n}?",
    "If the pattern {head} continues, what is entry {n}?",
    "{head}, ... is an arithmetic sequence. Give its term at position {n}.",
)
def arithmetic_sequence(draw: Draw) -> Draft:
    """The n-th term."""
    start, gap, n = draw.number(2, 40), draw.number(2, 15), draw.number(8, 60)
    value = start + (n - 1) * gap
    steps = (
        f"Each step adds {gap}.",
        f"From the first term to term {n} there are {n} - 1 = {n - 1} steps.",
        f"{start} + {n - 1} × {gap} = {start} + {(n - 1) * gap} = {value}.",
    )
    head = ", ".join(str(start + k * gap) for k in range(4))
    return Draft({"start": start, "gap": gap, "n": n}, str(value), steps, {"head": head}, (str(value + gap),))


@skill(
    "A pond holds {start} lilies, and every week there are {factor} times as many. How many after {n} weeks?",
    "Bacteria: {start} at first, multiplied by {factor} each hour. What is their number after {n} hours?",
    "{start} people hear a rumour; every day the number is multiplied by {factor}. How many have heard it after {n} days?",
    "Start with {start} and multiply by {factor}, {n} times over. What is the result?",
    "What does {start} grow to when it is multiplied by {factor} in each of {n} rounds?",
    "A chain letter starts with {start} copies. In each of {n} rounds the number becomes {factor} times as large. How many copies go out in the last round?",
)
def repeated_growth(draw: Draw) -> Draft:
    """Repeated multiplication, one step a round."""
    start, factor = draw.number(2, 25), draw.number(2, 4)
    n = draw.number(3, 7 if factor == 2 else 5)
    now, steps = start, []
    for turn in range(1, n + 1):
        steps.append(f"Round {turn}: {now} × {factor} = {now * factor}.")
        now *= factor
    return Draft({"start": start, "factor": factor, "n": n}, str(now), tuple(steps), wrong=(str(now // factor),))


@skill(
    "A bag holds {balls} marbles. One is drawn without looking. What is the probability that it is {wanted}, as a fraction in lowest terms?",
    "There are {balls} socks in a drawer. {name} takes one in the dark. With what probability is it {wanted}? Give a reduced fraction.",
    "{name} draws one card from a pile of {balls} cards. What is the chance of a {wanted} one? Reduce the fraction.",
    "From {balls} buttons one is picked at random. Write the probability of {wanted} as a fraction that cannot be reduced.",
    "Among {balls} balloons one bursts, each with the same chance. How likely is it a {wanted} one? Answer with a reduced fraction.",
    "Find the probability of choosing {wanted} when one of {balls} beads is chosen blindly (fraction in lowest terms).",
)
def one_draw(draw: Draw) -> Draft:
    """A simple probability as a reduced fraction."""
    colours = draw.some(COLOURS, draw.number(2, 4))
    numbers = [draw.number(2, 12) for _ in colours]
    wanted = draw.below(len(colours))
    total = sum(numbers)
    chance = Fraction(numbers[wanted], total)
    divisor = gcd(numbers[wanted], total)
    steps = [
        f"In all there are {' + '.join(str(k) for k in numbers)} = {total}.",
        f"{numbers[wanted]} of them are {colours[wanted]}: {numbers[wanted]}/{total}.",
    ]
    if divisor > 1:
        steps.append(f"Dividing both by {divisor} gives {chance}.")
    facts = {"name": draw.pick(NAMES), "colours": colours, "numbers": numbers, "wanted": colours[wanted]}
    shown = {"balls": listing([f"{k} {colour}" for k, colour in zip(numbers, colours, strict=True)])}
    return Draft(facts, str(chance), tuple(steps), shown, (str(1 - chance),) if chance != Fraction(1, 2) else ())


@skill(
    "Two lighthouses flash together. One flashes every {a} seconds, the other every {b}. After how many seconds do they next flash together?",
    "Bus line {x} leaves every {a} minutes and line {y} every {b} minutes. Both leave now. In how many minutes do both leave at once again?",
    "What is the least common multiple of {a} and {b}?",
    "{one} visits the library every {a} days, {two} every {b} days. Today both are there. After how many days do they meet there again?",
    "Gears: one tooth mark returns every {a} turns, another every {b}. Both marks are up now. When are both up again, in turns?",
    "Find the smallest positive number that both {a} and {b} divide.",
)
def common_multiple(draw: Draw) -> Draft:
    """Least common multiple by way of the greatest common divisor."""
    a, b = draw.some(range(4, 31), 2)
    common = gcd(a, b)
    least = a * b // common
    one, two = draw.some(NAMES, 2)
    steps = (
        f"The greatest common divisor of {a} and {b} is {common}.",
        f"The least common multiple is {a} × {b} / {common} = {least}.",
    )
    facts = {"a": a, "b": b, "one": one, "two": two, "x": draw.number(1, 9), "y": draw.number(10, 30)}
    return Draft(facts, str(least), steps, wrong=(str(a * b),) if common > 1 else ())


@skill(
    "Write {n} in binary.",
    "What is the decimal number {n} in base 2?",
    "Convert {n} from base ten to base two.",
    "Which binary numeral stands for {n}?",
    "A register shows {n}. Which string of zeros and ones is stored (no leading zeros)?",
    "Give the base-2 form of {n}, and show the divisions.",
)
def to_binary(draw: Draw) -> Draft:
    """Binary by repeated halving, one step a digit."""
    n = draw.number(9, 255)
    rest, digits, steps = n, "", []
    while rest:
        steps.append(f"{rest} = 2 × {rest // 2} + {rest % 2}.")
        digits = str(rest % 2) + digits
        rest //= 2
    steps[-1] += f" Read from the last remainder to the first: {digits}."
    return Draft({"n": n}, digits, tuple(steps), wrong=(digits[::-1],) if digits != digits[::-1] else ())


@skill(
    "How many numbers from 1 to {n} are divisible by {a} or by {b}?",
    "Count the whole numbers between 1 and {n}, both included, that {a} or {b} divides.",
    "Among the tickets numbered 1 to {n}, those divisible by {a} or {b} win. How many win?",
    "From 1 up to {n}: how many multiples of {a} or of {b} (or of both) are there?",
    "{n} lockers are numbered from 1. Every one whose number is a multiple of {a} or {b} is painted. How many are painted?",
    "Find how many members of the set 1, 2, ..., {n} are a multiple of {a} or a multiple of {b}.",
)
def divisible_by_either(draw: Draw) -> Draft:
    """Inclusion and exclusion."""
    a, b = draw.pick(((2, 3), (2, 5), (3, 5), (3, 7), (2, 7), (5, 7), (3, 4), (4, 5), (4, 7), (5, 6)))
    n = draw.number(40, 300)
    both = n // (a * b)
    total = n // a + n // b - both
    steps = (
        f"Multiples of {a}: {n // a}.",
        f"Multiples of {b}: {n // b}.",
        f"Multiples of {a * b} are counted twice: {both}.",
        f"{n // a} + {n // b} - {both} = {total}.",
    )
    return Draft({"n": n, "a": a, "b": b}, str(total), steps, wrong=(str(total + both),) if both else ())
