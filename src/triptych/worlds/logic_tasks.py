"""Questions of simple logic: comparisons, sets, two clubs, positions, moves on a grid, votes."""

from __future__ import annotations

from triptych.worlds.draw import Draft, Draw, listing, skill
from triptych.worlds.words import CLUBS, NAMES, WORDS

_SCALES = (
    ("taller", "tallest", "shortest"),
    ("older", "oldest", "youngest"),
    ("faster", "fastest", "slowest"),
    ("stronger", "strongest", "weakest"),
    ("richer", "richest", "poorest"),
)


@skill(
    "{clues} Who is the {most}?",
    "Read the clues. {clues} Which of them is the {most}?",
    "{clues} From this, name the {most} of all.",
    "Some friends compare themselves. {clues} Who among them is the {most}?",
    "Find out who is the {most}, knowing this: {clues}",
    "It is known that the following holds. {clues} So who must be the {most}?",
)
def comparisons(draw: Draw) -> Draft:
    """A chain of 3 to 6 people, clues in random order."""
    people = draw.some(NAMES, draw.number(3, 6))
    more, top, bottom = draw.pick(_SCALES)
    pairs = [(people[i], people[i + 1]) for i in range(len(people) - 1)]
    clues = [f"{a} is {more} than {b}." for a, b in draw.some(pairs, len(pairs))]
    upward = draw.chance(50)
    answer = people[0] if upward else people[-1]
    steps = [f"{b} comes after {a}." for a, b in pairs]
    steps.append(f"In order: {', '.join(people)}; so the {top if upward else bottom} is {answer}.")
    facts = {"pairs": pairs, "most": top if upward else bottom, "upward": upward}
    return Draft(facts, answer, tuple(steps), {"clues": " ".join(clues)}, tuple(p for p in people if p != answer))


@skill(
    "Set A holds {a}; set B holds {b}. Which words are in {what}? List them alphabetically.",
    "A = {{{a}}} and B = {{{b}}}. Write {what} in alphabetical order.",
    "Given A = {{{a}}} and B = {{{b}}}, determine {what} (sorted by letters).",
    "{name} has two word lists. A: {a}. B: {b}. Find {what}, sorted from A to Z.",
    "List, in alphabetical order, {what}, where A consists of {a} and B consists of {b}.",
    "What is {what} if A contains {a} and B contains {b}? Give the words in alphabetical order.",
)
def set_operation(draw: Draw) -> Draft:
    """Intersection, difference or union of two small sets."""
    words = draw.some(WORDS, 6)
    a, b = draw.some(words[:4], 4), draw.some(words[2:], 4)
    what = draw.pick(("the intersection of A and B", "A without B", "the union of A and B"))
    found = {"the": sorted({*a, *b}), "A": sorted(set(a) - set(b))}[what.split(maxsplit=1)[0]]
    if "intersection" in what:
        found = sorted(set(a) & set(b))
    steps = (
        f"Both sets hold {listing(sorted(set(a) & set(b)))}.",
        f"Only A holds {listing(sorted(set(a) - set(b)))}; only B holds {listing(sorted(set(b) - set(a)))}.",
        f"So {what} is {', '.join(found)}.",
    )
    wrong = (", ".join(sorted(set(b) - set(a))),)
    return Draft({"name": draw.pick(NAMES), "a": a, "b": b, "what": what}, ", ".join(found), steps, wrong=wrong)


@skill(
    "In a class of {n}, {a} are in the {one} club, {b} in the {two} club and {both} in both. How many are in neither?",
    "{a} of {n} pupils do {one}, {b} do {two}, {both} do both. How many do neither of the two?",
    "Out of {n} children {a} chose {one} and {b} chose {two}; {both} chose both. What number chose none of these?",
    "A survey of {n} people found {a} who like {one}, {b} who like {two} and {both} who like both. How many like neither?",
    "How many of {n} members stay away from {one} and {two}, if {a} go to {one}, {b} to {two}, and {both} to both?",
    "There are {n} campers. {one}: {a}. {two}: {b}. Both: {both}. Find how many take part in neither.",
)
def two_clubs(draw: Draw) -> Draft:
    """Inclusion and exclusion with two sets."""
    both, only_a, only_b, none = draw.number(2, 9), draw.number(3, 14), draw.number(3, 14), draw.number(1, 12)
    one, two = draw.some(CLUBS, 2)
    a, b, n = only_a + both, only_b + both, only_a + only_b + both + none
    steps = (
        f"In at least one club are {a} + {b} - {both} = {a + b - both}.",
        f"In neither are {n} - {a + b - both} = {none}.",
    )
    facts = {"n": n, "a": a, "b": b, "both": both, "one": one, "two": two}
    return Draft(facts, str(none), steps)


@skill(
    "{name} is number {front} from the front of a queue and number {back} from the back. How many people stand in the queue?",
    "Counted from the front, {name} is in place {front}; counted from the back, in place {back}. How long is the line?",
    "In a row of runners, {name} is {front} from the left and {back} from the right (both counted from 1). How many runners are there?",
    "What is the number of people waiting, if {name} has position {front} from one end and position {back} from the other?",
    "{name} sits in seat {front} of a row, which is seat {back} when counted from the other end. How many seats has the row?",
    "From one side {name}'s tree is tree number {front}, from the other side tree number {back}. How many trees stand in the row?",
)
def queue_length(draw: Draw) -> Draft:
    """A position counted from both ends."""
    front, back = draw.number(3, 40), draw.number(3, 40)
    total = front + back - 1
    name = draw.pick(NAMES)
    steps = (
        f"Before {name} there are {front - 1}, after {name} there are {back - 1}.",
        f"With {name} that makes {front - 1} + {back - 1} + 1 = {total}.",
    )
    return Draft({"name": name, "front": front, "back": back}, str(total), steps, wrong=(str(front + back),))


_MOVES = {"north": (0, 1), "south": (0, -1), "east": (1, 0), "west": (-1, 0)}


@skill(
    "A robot starts at (0, 0) and goes {path}. East adds to the first number, north to the second. Where does it stop?",
    "From the point (0, 0), move {path}. Give the coordinates (east, north) of the end point.",
    "{name} walks {path}, starting at (0, 0) of a grid whose axes are (east, north). At which point does the walk end?",
    "On a grid with coordinates (east, north), where does one arrive from (0, 0) after going {path}?",
    "Starting square: (0, 0). Instructions: {path}. Name the final square as (east, north).",
    "A drone at (0, 0) flies {path}. What are its coordinates (east, north) then?",
)
def grid_walk(draw: Draw) -> Draft:
    """A walk of 2 to 7 legs on a grid."""
    legs = [(draw.pick(tuple(_MOVES)), draw.number(1, 9)) for _ in range(draw.number(2, 7))]
    x = y = 0
    steps = []
    for way, far in legs:
        dx, dy = _MOVES[way]
        x, y = x + dx * far, y + dy * far
        steps.append(f"{far} {way}: now at ({x}, {y}).")
    path = listing([f"{far} {way}" for way, far in legs])
    wrong = (f"({y}, {x})",) if x != y else (f"({x + 1}, {y})",)
    return Draft({"name": draw.pick(NAMES), "legs": legs}, f"({x}, {y})", tuple(steps), {"path": path}, wrong)


@skill(
    "These votes were cast: {votes}. Who wins, and with how many votes?",
    "Count the ballots {votes}. Name the winner and the number of votes.",
    "In a small election the ballots read {votes}. Who has the most, and how many?",
    "Who gets the most votes in {votes}, and how many are they?",
    "A club elects its head. Ballots: {votes}. State the winner with the number of votes.",
    "Tally {votes}. Which candidate leads, and with what count?",
)
def election(draw: Draw) -> Draft:
    """A tally with one winner."""
    people = draw.some(NAMES, 3)
    top = draw.number(4, 6)
    numbers = [top, draw.number(1, top - 1), draw.number(1, top - 1)]
    ballots = [name for name, number in zip(people, numbers, strict=True) for _ in range(number)]
    votes = draw.some(ballots, len(ballots))
    tally = sorted(zip(people, numbers, strict=True), key=lambda pair: votes.index(pair[0]))
    answer = f"{people[0]} with {top} votes"
    steps = (*(f"{name}: {number}." for name, number in tally), f"In front is {answer}.")
    return Draft({"votes": votes}, answer, steps, wrong=(f"{people[1]} with {top} votes",))
