"""What small models write, read as the part that was asked for."""

from __future__ import annotations

import doctest

import pytest

from triptych.generating.ask import Said
from triptych.generating.methods import _reading
from triptych.generating.methods._reading import (
    MOST_PROMPT,
    Unread,
    answer_of,
    choice_of,
    list_of,
    number_of,
    text_of,
    verdict_of,
)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Name a bird.", "Name a bird."),
        ("  Name a bird.\n", "Name a bird."),
        ('"Name a bird."', "Name a bird."),
        ("“Name a bird.”", "Name a bird."),
        ("**Name a bird.**", "Name a bird."),
        ("Task: Name a bird.", "Name a bird."),
        ("Task 4: Name a bird.", "Name a bird."),
        ("**New task:** Name a bird.", "Name a bird."),
        ("### Rewritten Task:\nName a bird.", "Name a bird."),
        ('Instruction: "Name a bird."', "Name a bird."),
        ("Question - Name a bird.", "Name a bird."),
        ("Harder task: Name a bird.", "Name a bird."),
        ("More specific task: Name a bird.", "Name a bird."),
        ("Harder goal: Name a bird.", "Name a bird."),
        ("3. Name a bird.", "Name a bird."),
        ("- Name a bird.", "Name a bird."),
        ("1. Task: Name a bird.", "Name a bird."),
        ("Sure! Here is a new task:\n\nName a bird.", "Name a bird."),
        ("Here's another task: Name a bird.", "Name a bird."),
        ("Of course, here is the changed task:\nTask: Name a bird.", "Name a bird."),
        ("Here is a task you could do:\n\n```\nName a bird.\n```", "Name a bird."),
        ('The question is "Name a bird."', "Name a bird."),
        ('The task that it answers could be: "Name a bird."', "Name a bird."),
        ("Name a bird.\n\nAnswer: A wren.", "Name a bird."),
        ("Name a bird.\n\n**Response:** A wren.", "Name a bird."),
        ("Name a bird.\nTask 5: Name a fish.", "Name a bird."),
        # What must stay.
        ("Which word is longer?\n\nbird: wren", "Which word is longer?\n\nbird: wren"),
        ("Translate the following:\n\nDer Vogel singt.", "Translate the following:\n\nDer Vogel singt."),
        ('Explain "to be" and "not to be"', 'Explain "to be" and "not to be"'),
        ('"To be" or "not to be"', '"To be" or "not to be"'),
        ("Sort these.\n\n1. pear\n2. fig", "Sort these.\n\n1. pear\n2. fig"),
        ("A bird in the hand: what does it mean?", "A bird in the hand: what does it mean?"),
        ("This is the text of a letter: explain it.", "This is the text of a letter: explain it."),
        ("What is x?\n- a\n- b", "What is x?\n- a\n- b"),
        ("Question everything.", "Question everything."),
        ("The question is what to do.", "The question is what to do."),
        ("名前を一つ挙げてください。", "名前を一つ挙げてください。"),
    ],
)
def test_a_text_without_what_stands_around_it(written, read):
    assert text_of(Said(written)) == read


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (Said(None, "refusal"), "refusal"),
        (Said(None), "no prompt came back"),
        (Said("  \n"), "empty prompt"),
        (Said("..."), "empty prompt"),
        (Said("```\n\n```"), "empty prompt"),
        (Said("Name a bir", "", "length"), "prompt cut at the token limit"),
        (Said("bird " * MOST_PROMPT), f"prompt longer than {MOST_PROMPT} characters"),
    ],
)
def test_what_is_no_text(said, reason):
    found = text_of(said)
    assert isinstance(found, Unread)
    assert found.reason == reason


def test_a_response_stays_as_it_was_written():
    assert answer_of(Said('\n"1. So be it."\n\nAnswer: yes ')) == '"1. So be it."\n\nAnswer: yes'
    assert answer_of(Said("Half of", "", "length")) == "Half of"
    assert answer_of(Said("?!")).reason == "empty response"
    assert answer_of(Said(None, "timed out")).reason == "timed out"


@pytest.mark.parametrize(
    ("written", "items"),
    [
        ("1. birds\n2. fish\n3. birds", ["birds", "fish"]),
        ("1) Birds.\n2) **Fish**\n", ["Birds", "Fish"]),
        ("Here are some:\n\n- birds\n- fish", ["birds", "fish"]),
        ("* birds: those that fly\n* fish: those that swim", ["birds", "fish"]),
        ("birds\nfish", ["birds", "fish"]),
        ("birds, fish and frogs", ["birds", "fish", "frogs"]),
        ("Here they are: birds; fish", ["birds", "fish"]),
        ("birds", ["birds"]),
        ("a) birds\nb) fish", ["birds", "fish"]),
        ("1. birds\n2.\n3. ...\n4. fish", ["birds", "fish"]),
        ("1. a\n2. b\n3. c\n4. d\n5. e\n6. f", ["a", "b", "c", "d", "e"]),
    ],
)
def test_a_list(written, items):
    assert list_of(Said(written), 5) == items


def test_a_list_that_was_cut_loses_its_last_item():
    assert list_of(Said("1. birds\n2. fi", "", "length"), 5) == ["birds"]
    assert isinstance(list_of(Said("1. bi", "", "length"), 5), Unread)


def test_sentences_about_a_list_are_no_items():
    found = list_of(Said("1. birds\n2. " + "and so on with many more words than an item may have at all " * 2), 5)
    assert found == ["birds"]
    assert isinstance(list_of(Said("\n...\n"), 5), Unread)
    assert list_of(Said(None, "no answer"), 5).reason == "no answer"


@pytest.mark.parametrize(
    ("written", "verdict"),
    [
        ("yes", True),
        ("No.", False),
        ("**Yes**, it is right.", True),
        ("The answer is no", False),
        ("TRUE", True),
        ("Let me think.\nThe rivers are right.\nYes", True),
        ("Maybe", None),
        ("Yesterday it was", None),
        ("...", None),
    ],
)
def test_a_verdict(written, verdict):
    found = verdict_of(Said(written))
    assert (None if isinstance(found, Unread) else found) is verdict
    assert verdict_of(Said(None, "no answer")).reason == "no answer"


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("4", 4),
        ("4/5", 4),
        ("Rating: 4.5 of 5", 4.5),
        ("I give 10, no: 3", 3),
        ("four", None),
        ("2024", None),
        ("", None),
    ],
)
def test_a_number(written, number):
    found = number_of(Said(written), 1, 5)
    assert (None if isinstance(found, Unread) else found) == number
    assert number_of(Said(None, "no answer"), 1, 5).reason == "no answer"


def test_a_choice():
    names = ("poem", "prose poem", "letter")
    assert choice_of(Said("It is a **prose poem**, no letter."), names) == "prose poem"
    assert choice_of(Said("POEM"), names) == "poem"
    assert isinstance(choice_of(Said("poems"), names), Unread)
    assert choice_of(Said(None, "no answer"), names).reason == "no answer"


def test_the_example_in_the_docstring():
    assert doctest.testmod(_reading).failed == 0
