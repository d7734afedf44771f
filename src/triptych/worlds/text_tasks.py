"""Questions about words and small documents: sorting, counting, ciphers, rewriting, JSON, tables."""

from __future__ import annotations

import json
import string

from triptych.worlds.draw import Draft, Draw, listing, skill
from triptych.worlds.words import GOODS, NAMES, PLACES, SUBJECTS, WORDS


@skill(
    "Sort these words alphabetically: {words}.",
    "Put the words {words} in the order in which a dictionary has them.",
    "Arrange in alphabetical order: {words}",
    "{name} files cards labelled {words}. In which order do they stand when sorted from A to Z?",
    "Here are some words: {words}. List them from first to last in the alphabet.",
    "Which order do {words} have in an index that is sorted by letters?",
)
def sort_words(draw: Draw) -> Draft:
    """Sorting 3 to 6 words."""
    words = draw.some(WORDS, draw.number(3, 6))
    ordered = sorted(words)
    if words == ordered:
        words = words[::-1]
    steps = [f"{'Then' if place else 'First'} comes {word}, with {word[:2]}-." for place, word in enumerate(ordered)]
    steps.append(f"The order is {', '.join(ordered)}.")
    swapped = [ordered[1], ordered[0], *ordered[2:]]
    return Draft(
        {"name": draw.pick(NAMES), "words": words}, ", ".join(ordered), tuple(steps), wrong=(", ".join(swapped),)
    )


@skill(
    'How many times does the letter "{letter}" occur in "{text}"?',
    'Count the letter "{letter}" in: "{text}".',
    'In "{text}", how often is "{letter}" written?',
    'What is the number of "{letter}"s in the words "{text}"?',
    'Look at "{text}". How many of its letters are "{letter}"?',
    'Letter search: "{letter}" in "{text}". Give the count.',
)
def count_letter(draw: Draw) -> Draft:
    """Counting a letter word by word."""
    words = draw.some(WORDS, draw.number(2, 5))
    letter = draw.pick(sorted({mark for word in words for mark in word if "".join(words).count(mark) > 1} or set("e")))
    steps = [f'"{word}" has {word.count(letter)}.' for word in words]
    total = " ".join(words).count(letter)
    steps.append(f"The sum is {' + '.join(str(word.count(letter)) for word in words)} = {total}.")
    return Draft({"letter": letter, "words": words}, str(total), tuple(steps), {"text": " ".join(words)})


@skill(
    'Encode "{word}" with a Caesar cipher that moves every letter {k} places forward.',
    'Shift each letter of "{word}" by {k} in the alphabet (z is followed by a). What comes out?',
    'A secret message moves letters {k} to the right. How is "{word}" written?',
    '{name} replaces every letter of "{word}" by the one {k} places later, starting over after z. Write the result.',
    'Apply a shift of {k} to "{word}", wrapping round at the end of the alphabet.',
    'What does "{word}" turn into under the Caesar shift {k}?',
)
def caesar(draw: Draw) -> Draft:
    """A Caesar shift."""
    word, k = draw.pick([word for word in WORDS if len(word) < 8]), draw.number(1, 9)
    letters = string.ascii_lowercase
    coded = "".join(letters[(letters.index(mark) + k) % 26] for mark in word)
    moves = ", ".join(f"{old} to {new}" for old, new in zip(word, coded, strict=True))
    back = "".join(letters[(letters.index(mark) - k) % 26] for mark in word)
    steps = (f"Letter by letter: {moves}.", f'Joined, that reads "{coded}".')
    return Draft({"name": draw.pick(NAMES), "word": word, "k": k}, coded, steps, wrong=(back,))


_RULES = (
    ("reverse it", "reversed"),
    ("drop its first letter", "without its first letter"),
    ("drop its last letter", "without its last letter"),
    ("double its last letter", "with its last letter doubled"),
    ("move its first letter to the end", "with its first letter moved to the end"),
    ("remove all its vowels (a, e, i, o, u)", "without vowels"),
    ("swap its first and last letters", "with its first and last letters swapped"),
)


def _rewrite(word: str, rule: int) -> str:
    results = (
        word[::-1],
        word[1:],
        word[:-1],
        word + word[-1],
        word[1:] + word[0],
        "".join(mark for mark in word if mark not in "aeiou"),
        word[-1] + word[1:-1] + word[0],
    )
    return results[rule]


@skill(
    'Take the word "{word}" and do the following: {rules}. What is left?',
    'Starting with "{word}", {rules}. Write the final string.',
    'A machine gets "{word}". Its program: {rules}. What does it print?',
    '{name} plays with the word "{word}": {rules}. What does {name} end up with?',
    'Rewrite "{word}" in this order: {rules}. Which string results?',
    'Follow the rules for "{word}": {rules}. Give the outcome.',
)
def rewrite_word(draw: Draw) -> Draft:
    """A chain of 1 to 4 rewriting rules."""
    word = draw.pick([word for word in WORDS if len(word) >= 6])
    rules = draw.some(range(len(_RULES)), draw.number(1, 4))
    now, steps = word, []
    for place, rule in enumerate(rules):
        after = _rewrite(now, rule)
        if len(after) < 3:
            rules = rules[:place]
            break
        steps.append(f'"{now}" {_RULES[rule][1]} is "{after}".')
        now = after
    shown = {"rules": ", then ".join(_RULES[rule][0] for rule in rules)}
    wrong = (now[::-1],) if now != now[::-1] else (now + now[0],)
    return Draft({"name": draw.pick(NAMES), "word": word, "rules": rules}, now, tuple(steps), shown, wrong)


_KEYS = ("id", "city", "owner", "stock", "price", "shelf")


@skill(
    "What is the value of {field} for the item {item} in this JSON?\n\n{data}",
    "Read the JSON below and report {field} of {item}.\n\n{data}",
    "{data}\n\nFrom the JSON above, extract {field} of the entry named {item}.",
    "Given this JSON, which {field} belongs to {item}?\n\n{data}",
    "Look up {item} in the following JSON and give its {field}.\n\n{data}",
    "An API returned this JSON. Which value does it give as the {field} of {item}?\n\n{data}",
)
def read_json(draw: Draw) -> Draft:
    """One value out of a small JSON document."""
    items = draw.some(GOODS, draw.number(2, 3))
    keys = draw.some(_KEYS, 3)
    entries = []
    for item in items:
        values: dict[str, str | int] = {"name": item}
        for key in keys:
            values[key] = {"city": draw.pick(PLACES), "owner": draw.pick(NAMES)}.get(key, draw.number(11, 980))
        entries.append(values)
    place, key = draw.below(len(items)), draw.pick(keys)
    answer = str(entries[place][key])
    data = json.dumps({"items": entries})
    steps = (
        f'The list "items" has {len(items)} entries; the one named {items[place]} is number {place + 1}.',
        f'Its field "{key}" holds {answer}.',
    )
    others = {str(value) for entry in entries for value in entry.values()} - {answer}
    facts = {"item": items[place], "field": f'"{key}"', "data": data}
    return Draft(facts, answer, steps, wrong=tuple(sorted(others)))


@skill(
    "{table}\n\nAccording to the table, how many {goods} were sold in {place} on both days together?",
    "How many {goods} did {place} sell over the two days?\n\n{table}",
    "Use the table to add up what {place} sold in {goods}.\n\n{table}",
    "The sales of {goods} are listed below. Find the total for {place}.\n\n{table}",
    "{table}\n\nWhat is the sum of the two numbers of {goods} for {place}?",
    "Given these sales of {goods}, what did {place} sell altogether?\n\n{table}",
)
def read_table(draw: Draw) -> Draft:
    """Two cells of a small table, added."""
    places = draw.some(PLACES, draw.number(3, 4))
    days = draw.some(("Mon", "Tue", "Wed", "Thu", "Fri", "Sat"), 2)
    cells = [(draw.number(11, 99), draw.number(11, 99)) for _ in places]
    rows = [f"| {where} | {a} | {b} |" for where, (a, b) in zip(places, cells, strict=True)]
    table = "\n".join([f"| town | {days[0]} | {days[1]} |", "|---|---|---|", *rows])
    at = draw.below(len(places))
    a, b = cells[at]
    steps = (
        f"The row of {places[at]} says {a} for {days[0]} and {b} for {days[1]}.",
        f"{a} + {b} = {a + b}.",
    )
    wrong = tuple(str(x + y) for x, y in cells if x + y != a + b)
    return Draft({"table": table, "goods": draw.pick(GOODS), "place": places[at]}, str(a + b), steps, wrong=wrong)


@skill(
    "Which of these words is the longest, and how many letters has it: {words}?",
    "Find the longest word in {words} and say how many letters it has.",
    "Compare the lengths of {words}. Name the longest with its number of letters.",
    "{name} wants the longest of the words {words}. Which is it, and how long?",
    "Among {words}, one word has more letters than the others. Give the word and the count.",
    "Pick the word with the most letters from this list and state its length: {words}.",
)
def longest_word(draw: Draw) -> Draft:
    """The longest of several words of different lengths."""
    lengths = draw.some((4, 5, 6, 7, 8, 9), draw.number(2, 5))
    words = [draw.pick([word for word in (*WORDS, *SUBJECTS, "lamp", "moss") if len(word) == size]) for size in lengths]
    best = max(words, key=len)
    steps = (
        f"The lengths are {listing([f'{word} {len(word)}' for word in words])}.",
        f"The largest number is {len(best)}, so it is {best}, {len(best)} letters.",
    )
    wrong = tuple(f"{word}, {len(word)} letters" for word in words if word != best)
    return Draft({"name": draw.pick(NAMES), "words": words}, f"{best}, {len(best)} letters", steps, wrong=wrong)
