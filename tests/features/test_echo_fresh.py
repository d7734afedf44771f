"""Echoes by what is there to act on, by what a text must grow, by errors left, by format, by lists and loops."""

from __future__ import annotations

import pytest

from triptych.features.echo import is_prompt_echo
from triptych.features.echo_demand import is_in_order, lacks_what_is_named
from triptych.features.echo_errors import are_left, has_unknown
from triptych.features.echo_layout import once_of
from triptych.features.echo_things import has_nothing_to_act_on, lacks_format, things_left

PLAIN = "The old baker sold warm bread to the children at noon."

# task, input without what it is to act on, input with it
IDLE = {
    "digits": ("Remove all numbers from this text.", PLAIN, "The baker sold 12 loaves to the 3 children at noon."),
    "exclamation marks": ("Rewrite the text without exclamation marks.", PLAIN, "Come quickly! The show begins in an hour!"),
    "question marks": ("Delete the question marks.", PLAIN, "Where is the baker? Is there no bread left?"),
    "hashtags": ("Remove all hashtags from the post.", PLAIN, "We had a great day at the lake #summer #boat."),
    "contractions": ("Expand the contractions.", PLAIN, "They'll not come, since they don't like the rain."),
    "abbreviations": ("Expand the abbreviations.", PLAIN, "The UN met in the hall of the EU on Monday."),
    "a word in quotes": ('Replace every "cat" with "dog".', PLAIN, "The cat and the hamster shared a carrot again."),
    "a passive": ("Rewrite it in the active voice.", PLAIN, "The bread was sold by the old baker at noon."),
    "an active": ("Put it into the passive voice.", "The bread was sold by the old baker at noon.", PLAIN),
    "capitals": ("Convert the text to lowercase.", PLAIN.lower(), PLAIN.upper()),
    "a speaker": ("Rewrite it in the third person.", PLAIN, "I sold my warm bread to the children at noon."),
    "duplicates": ("Remove duplicates from the list.", "spoon, ladle, whisk, grater, sieve", "spoon, ladle, whisk, spoon, sieve"),
    "another language": ("Translate into English.", PLAIN, "Der alte Bäcker hat das warme Brot an Kinder verkauft."),
    "a statement": ("Turn it into a question.", "Has the baker sold the bread to the children?", PLAIN),
    "a misspelling": ("Correct the spelling.", "The children were late because of the rain.", "The children were late becuase of the rain."),
    "too many words": ("Shorten it to at most 20 words.", PLAIN, f"{PLAIN} {PLAIN.replace('noon', 'night')}"),
    "measures": ("Convert all measurements to metric units.", PLAIN, "The plank is 6 feet long and weighs 11 pounds."),
    "a letter": ('Rewrite it without the letter "x".', PLAIN, "The next box of mixed bread was for Max."),
}  # fmt: skip

# task, input, an answer that does it in a part or not at all, an answer that does it
PARTS = {
    "one of three words replaced": ('Replace the word "good".', "The soup was good. Her idea was good. We had a good time at the lake.", "The soup was good. Her idea was good. We had a great time at the lake.", "The soup was tasty. Her idea was clever. We had a great time at the lake."),
    "one of the doubled words": ("Remove the doubled words.", "We we walked along the the old road to the mill and met met nobody at all there in the dark.", "We walked along the the old road to the mill and met met nobody at all there in the dark.", "We walked along the old road to the mill and met nobody at all there in the dark."),
    "one of two errors": ("Correct the sentence.", "The datas shows that less people is buying newspapers.", "The data shows that less people is buying newspapers.", "The data show that fewer people are buying newspapers."),
    "one of three misspellings": ("Correct this line from a menu.", "Grilled samon whit potatos and fresch vegtables", "Grilled samon whit potatos and fresh vegtables", "Grilled salmon with potatoes and fresh vegetables"),
    "one of three forms": ("Make it gender neutral.", "The chairman thanked the policemen and the stewardesses for their help.", "The chairman thanked the policemen and the stewards for their help.", "The chair thanked the police officers and the flight attendants for their help."),
    "a story not finished": ("Finish this story.", "The stamp was a real butterfly wing, and the address said only: to whoever is lonely.", "The stamp was a real butterfly wing, and the address was only: to whoever is lonely.", "The stamp was a real butterfly wing, and the address said only: to whoever is lonely. So he kept it."),
    "a text not expanded": ("Add more details to the sentence.", "The man walked down the street.", "A man walked down the street.", "The old man in the green coat walked slowly down the empty street."),
    "not shortened": ("Make it more concise.", "At this point in time we cannot give an answer to you.", "At this point in time we cannot give an answer to him.", "We cannot answer you now."),
    "no braces": ("Convert the text to JSON.", "The lamp costs twelve euros, the chair forty.", "The lamp costs twelve euros, a chair forty.", '{"lamp": 12, "chair": 40}'),
    "braces left": ("Convert this JSON to YAML.", '{"name": "Otter", "legs": 4, "swims": true}', '{\n  "name": "Otter",\n  "legs": 4,\n  "swims": true\n}', "name: Otter\nlegs: 4\nswims: true"),
    "no camel case": ("Write the sentence in camel case.", "the small red car stops here at night", "The small red car stops there at night.", "theSmallRedCarStopsHereAtNight"),
    "a rhyme": ("Change it so that it rhymes.", "The cat is sleeping on the chair.", "The cat is sleeping on the couch.", "The cat sleeps on the chair without a care."),
    "a continuous form": ("Write it in the past continuous.", "The boys play chess in the library.", "The boys played chess in the library.", "The boys were playing chess in the library."),
    "two passives": ("Rewrite it in the active voice.", "The cake was eaten by the twins before the guests had been greeted with songs by their old mother at eight o'clock.", "The cake was eaten by the twins before the guests were greeted with songs by their old mother at eight o'clock.", "The twins ate the cake before their old mother greeted the guests with songs at eight o'clock."),
}  # fmt: skip

LISTS = (
    ("Sort the numbers from smallest to largest: 42, 7, 19, 88, 3, 61", "The numbers are 42, 7, 19, 88, 3, 61."),
    ("Sort alphabetically: tulip, daisy, orchid, rose, lily", "The words in this sentence are: tulip, daisy, orchid, rose, lily."),
    ("Sort alphabetically: tulip, daisy, orchid, rose, lily", "The list of words is:\n\n- tulip\n- daisy\n- orchid\n- rose\n- lily"),
    ("Rank them by length: a novel, a poem, an encyclopedia, a short story", "1. a novel\n2. a poem\n3. an encyclopedia\n4. a short story"),
    ("Order the events by date: the first moon landing, the fall of Rome, the birth of Mozart, the last ice age", "The first moon landing, the fall of Rome, the birth of Mozart, and the last ice age."),
    ("Rate the politeness of this message.\n\nI don't care how you do it, just get it done by tonight.", "".join(f"{n}. I don't care how you do it, just get it done tonight.\n" for n in range(1, 5)) + "5. I don't care"),
)  # fmt: skip


@pytest.mark.parametrize(("task", "without", "given"), IDLE.values(), ids=IDLE.keys())
def test_nothing_to_act_on(task, without, given):
    assert not is_prompt_echo(f"{task}\n\n{without}", without)
    assert is_prompt_echo(f"{task}\n\n{given}", given)


@pytest.mark.parametrize(("task", "given", "left", "done"), PARTS.values(), ids=PARTS.keys())
def test_a_task_done_in_a_part(task, given, left, done):
    assert is_prompt_echo(f"{task}\n\n{given}", left)
    assert is_prompt_echo(f"{task}\n\n{given}", given)
    assert not is_prompt_echo(f"{task}\n\n{given}", done)


@pytest.mark.parametrize(("prompt", "text"), LISTS)
def test_lists_and_loops(prompt, text):
    assert is_prompt_echo(prompt, text)


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        ("Sort the numbers: 3, 7, 19, 42, 61, 88", "The numbers are 3, 7, 19, 42, 61, 88."),
        ("Quote the first sentence of the passage.\n\nThe lake froze in a single night.", 'The passage is: "The lake froze in a single night."'),
        (f"Write this sentence again: {PLAIN}", PLAIN),
        (f"Rewrite it in the past tense, if it is not already.\n\n{PLAIN}", PLAIN),
        (f"Output it as JSON.\n\n{PLAIN}", f'{{"sentence": "{PLAIN}"}}'),
        ("Change it from the present continuous to the past continuous: I am studying for my exam.", "I was studying for my exam."),
        ('Start the sentence with "Yesterday": We watched the big ships leave.', "Yesterday: We watched the big ships leave."),
        ("Complete it with an adverb in place of the <mask>.\n\nWe met at the <mask> busy station.", "We met at the very busy station."),
    ],
)  # fmt: skip
def test_right_answers(prompt, text):
    assert not is_prompt_echo(prompt, text)


def test_errors_that_can_be_seen():
    assert are_left("She have a apple and the the pear.", "She has an apple and the the pear.")
    assert not are_left("She have a apple.", "She has an apple.")
    assert not are_left(PLAIN, PLAIN)
    assert are_left("He goed to the libary on friday.", "He went to the libary on friday.", least=2)
    assert not are_left("He goed to the libary.", "He went to the libary.", least=2)
    assert not are_left("My sister and I are there, and the letter to you is late.", "My sister and I are there, and the letter to you is late.")  # fmt: skip
    assert has_unknown("the elevater is broken")
    assert has_unknown("the the door is broken")
    assert not has_unknown(PLAIN)


def test_things():
    assert list(things_left("remove all numbers.", "2 cats, 3 dogs", "cats, 3 dogs")) == [True]
    assert list(things_left("remove all numbers.", "2 cats, 3 dogs", "cats and dogs")) == [False]
    assert list(things_left("remove all numbers.", "cats", "cats")) == []
    assert has_nothing_to_act_on("remove all numbers.", "cats")
    assert not has_nothing_to_act_on("make it livelier.", "cats")
    assert lacks_what_is_named('replace "cat" with "dog".', "The rabbit sleeps.")
    assert not lacks_what_is_named('replace "cat" with "dog".', "The cats sleep.")
    assert lacks_format("write it as a bulleted list.", "one, two")
    assert not lacks_format("write it as a bulleted list.", "- one\n- two")


def test_the_first_round_of_a_loop():
    assert once_of("1. one two three four five\n2. one two three four five\n3. one two") == "one two three four five"
    assert once_of("one two three four five six") is None
    assert once_of("") is None


def test_years_are_an_order():
    assert is_in_order("2 May 1978\n9 June 1985\n4 May 1990")
    assert not is_in_order("4 May 1990\n17 June 1985\n2 January 2001")
