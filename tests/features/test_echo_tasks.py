"""Echoes by what a task asks and by how it is written: a task not done that can be seen, layouts, lead-ins, cautions."""

from __future__ import annotations

import re

import pytest

from triptych.features.echo import is_prompt_echo
from triptych.features.echo_demand import is_done, is_in_order

MILL = "The mill stood empty for years until a baker bought it and began to grind his own flour there."
HENS = "My sister keeps three hens in the garden behind her house."

# task, input, an answer that does not do it, an answer that does
DEMANDS = {
    "a question": ("Turn it into a question.", "The museum opens at nine.", "The museum opens at ten.", "Does the museum open at nine?"),
    "an exclamation": ("Make it an exclamation.", "It is a lovely day today.", "It's a lovely day today.", "It is such a lovely day today!"),
    "capitals": ("Repeat it in capital letters.", "The shop is closed on Sundays.", "The shop is closed on Sunday.", "THE SHOP IS CLOSED ON SUNDAYS."),
    "numbers in words": ("Write the numbers in words.", "The hotel has 85 rooms and 3 lifts.", "The hotel has 85 rooms, 3 lifts.", "The hotel has eighty-five rooms and three lifts."),
    "other units": ("Convert it to metric units.", "The plank is 6 feet long and weighs 11 pounds.", "This plank is 6 feet long and weighs 11 pounds.", "The plank is 1.8 feet long and weighs 5 pounds."),
    "a passive": ("Rewrite it in the passive voice.", "The old farmer sold the mill.", "The old farmer sold his mill.", "The mill was sold by the old farmer."),
    "a future": ("Put it into the future tense.", "We visit the castle by the lake.", "We visited the castle by the lake.", "We will visit the castle by the lake."),
    "no negation": ("Rephrase without using a negation.", "It is not impossible that he came.", "It is not possible that he came.", "It is possible that he came."),
    "a word gone": ('Find a better word for "nice".', "The food at the inn was nice.", "The food at the inn was not nice.", "The food at the inn was tasty."),
    "a word put in": ('Join them, using the word "although".', "It was late. Nobody went to bed yet.", "It was so late. Nobody went to bed yet.", "Although it was late, nobody went to bed yet."),
    "another start": ('Start it with "Because".', "It was dark, so we took the lamp.", "It was dark, and we took the lamp.", "Because it was dark, we took the lamp."),
    "few words": ("Say it in three words.", "My aunt knits socks for the whole family.", "Your aunt knits socks for the whole family.", "Aunt knits socks."),
    "more sentences": ("Split it into two sentences.", "The boat that my aunt bought has a leak, which is why she sold it.", "The boat that my aunt bought has a leak, which is why she sells it.", "The boat that my aunt bought has a leak. This is why she sold it."),
    "third person": ("Put it into the third person.", "I lost my way in the fog.", "I lost the way in the fog.", "He lost his way in the fog."),
    "a blank": ("Fill in the blank.", "The cook put the ____ into the oven.", "A cook put the ____ into the oven.", "The cook put the bread into the oven."),
    "a choice": ("Choose the right word.", "She (go/goes) to school by bus in the winter.", "She (go/goes) to school by bus in winter.", "She goes to school by bus in the winter."),
    "politeness": ("Say it in a polite way.", "Give me the keys of the car.", "Give me the keys to the car.", "Give me the keys of the car, please."),
}  # fmt: skip

LAYOUTS = (
    "{task} {text}", "{task} - {text}", "Q: {task} {text}\nA:", "User: {task} {text}\nAssistant:",
    "[INST] {task} {text} [/INST]", "{text} {task}", "{task}\n\nRules: keep it simple.\n\n{text}",
    "{task}\n\nExample: The sea is grey.\n\n{text}", "I have a text for you.\n\n{text}\n\n{task}", "{task}\n>>> {text}", "Rewrite '{text}' in the passive voice.",
    "Hello! I need some help.\n\n{task}\n\n{text}\n\nMany thanks!", "Topic: grammar\n\nTask: {task}\n\nSentence: {text}",
    "Read the sentence. {text} Now put it into the passive voice.", "The sentence is: {text} Rewrite it in the passive voice.",
    "Old sentence: {text}\nNew sentence (passive voice):",
)  # fmt: skip

LEADS = (
    "My version: {}", "After some changes, it reads: {}", "Sure! {}", "Of course. Here it is: {}", 'You could say "{}".',
    "In other words, {}", "**Rewritten:** {}", "Okay, so: {}", "{0}\n\nThe sentence is wrong as it stands. The good one would be:\n\n{0}",
    '"{0}"\n\nThe old line was: "{0}"\n\nThe old line', "Before: {0}\nAfter: {0}",
)  # fmt: skip

STILL_ECHOES = (
    "Rewrite it without changing the meaning.", "Explain the quote.", "Turn this into marketing copy.", "What sort of text is this?",
    "Retell it as if it were a fairy tale.", "Rewrite so that it does not repeat any word.", "Check whether this is true.",
    "Rewrite it to match a formal register.", "Change the order of the words.", "Sort the words by length.", "Filter out the short words.",
    "Find all spelling mistakes.", "Swap every noun.", "Tighten this.", "Give it a title.",
)  # fmt: skip

RIGHT = (
    "Type this out.", "Say after me.", "Write it once more, exactly as it stands.", "Correct it if wrong.", "Proof this.",
    "Polish it, if necessary.", "Echo my words.", "Quote the proverb exactly.",
)  # fmt: skip


@pytest.mark.parametrize(("task", "text", "left", "done"), DEMANDS.values(), ids=DEMANDS.keys())
def test_what_a_task_asks_is_looked_for(task, text, left, done):
    assert is_prompt_echo(f"{task}\n\n{text}", text)
    assert is_prompt_echo(f"{task}\n\n{text}", left)
    assert not is_prompt_echo(f"{task}\n\n{text}", done)
    assert is_done(task.lower(), text, left) is False
    assert is_done(task.lower(), text, done)


def test_nothing_is_asked_that_can_be_seen():
    assert is_done("make it livelier.", HENS, HENS) is None
    assert is_done("turn it into a question.", "Is it late?", "It is late?") is None
    assert is_done("put the first word in capital letters.", HENS, HENS) is None


@pytest.mark.parametrize("layout", LAYOUTS)
def test_task_and_input_are_told_apart(layout):
    prompt = layout.format(task="Rewrite this sentence in the passive voice.", text=MILL)
    assert is_prompt_echo(prompt, MILL)
    assert not is_prompt_echo(prompt, "The mill was bought by a baker after it had stood empty for years.")
    assert not is_prompt_echo(prompt, MILL[: MILL.index(" until")])


@pytest.mark.parametrize("lead", LEADS)
def test_words_that_lead_in(lead):
    assert is_prompt_echo(f"Rephrase the sentence.\n\n{HENS}", lead.format(HENS))
    assert not is_prompt_echo(
        f"Rephrase the sentence.\n\n{HENS}", lead.format("There are three hens behind my sister's house.")
    )


@pytest.mark.parametrize(
    ("task", "answer"),
    [
        ("Find the figure of speech.", "Metaphor: {}"),
        ("Add a title.", "The Hens: {}"),
        ("True or false?", "True. {}"),
        ("Say who speaks.", 'She said: "{}"'),
        ("Create a mnemonic.", "MSKTH: {}"),
    ],
)
def test_a_lead_that_may_be_the_answer(task, answer):
    assert not is_prompt_echo(f"{task}\n\n{HENS}", answer.format(HENS))


@pytest.mark.parametrize("task", STILL_ECHOES)
def test_words_of_a_task_that_do_not_ask_for_the_input(task):
    assert is_prompt_echo(f"{task}\n\n{HENS}", HENS)


@pytest.mark.parametrize("task", RIGHT)
def test_words_of_a_task_that_ask_for_the_input(task):
    assert not is_prompt_echo(f"{task}\n\n{HENS}", HENS)


@pytest.mark.parametrize(
    ("task", "items"),
    [
        ("Sort these coins by value.", "one euro, ten cents, two euros, fifty cents, one cent"),
        ("Put the months in order.", "May, December, March, August, January"),
        ("Order the events.", "He moves to Rome. He is born in Bath. He dies in Ulm."),
        ("Rank the planets by their distance from the sun.", "Mars, Venus, Jupiter, Earth, Mercury"),
        ("Sort the prices.", "12.50, 3.20, 99.00, 45.10, 7.80"),
    ],
)
def test_a_list_left_in_disorder(task, items):
    assert is_prompt_echo(f"{task}\n\n{items}", items)
    assert is_prompt_echo(f"{task}\n\n{items}", f"The list is: {items}")


@pytest.mark.parametrize(
    ("task", "items"),
    [
        ("Put the months in order.", "January, March, May, August, December"),
        ("Sort the items by price.", "1. Pen:\t$2\n2. Book:\t$7\n3. Lamp:\t$30"),
        ("Rank the planets by their distance from the sun.", "Mercury, Venus, Earth, Mars, Jupiter"),
        ("Sort the pets by size.", "mouse, cat, dog"),
        ("Copy the words in the same order.", "pear, fig, apple, plum, lime"),
    ],
)
def test_a_list_that_may_be_in_order(task, items):
    assert not is_prompt_echo(f"{task}\n\n{items}", items)


def test_orders():
    assert is_in_order("Friday, Thursday, Monday")
    assert is_in_order("-2, -1, 0, 1.5")
    assert is_in_order("a bb ccc", len, least=3)
    assert not is_in_order("Thursday, Friday, Monday")
    assert not is_in_order("pear, fig")
    assert is_in_order("pear, fig", least=5)


def test_small_models_speak_back():
    cousin = "My cousin, who has red hair and likes tennis, has won the prize."
    assert is_prompt_echo(f"Take out the details.\n\n{cousin}", cousin.replace("My", "Your"))
    assert not is_prompt_echo(f"Take out the details.\n\n{cousin}", "Your cousin has won the prize.")


def test_nothing_capital_where_some_was_needed():
    text = "last summer we went to paris and saw aunt rosa"
    assert is_prompt_echo(f"Capitalize where needed.\n\n{text}", text)
    assert not is_prompt_echo(f"Capitalize where needed.\n\n{text}", "Last summer we went to Paris and saw Aunt Rosa")


def test_much_around_it_takes_no_time():
    prompt, text = f"Rephrase it.\n\n{HENS}", "a: " * 2000 + 'the "' * 600
    assert not is_prompt_echo(prompt, text)
    assert not is_prompt_echo(f"{prompt}\n\n{text}", re.sub("a", "e", text))
