"""What is an echo of the prompt, case by case as the definition in `features.echo` has them."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triptych.features.echo import is_prompt_echo

BENCH = Path(__file__).parents[2] / "benchmarks" / "detectors"
MILL = "The mill stood empty for years until a baker bought it and began to grind his own flour there."
LIST = "Rose: buys the paint\nJohn: cleans the shed\nTom: orders three new windows for the house"
MAIL = "Dear Ms Brown, the parcel came on Friday. Two of the six cups were broken. Please send me two new ones."
WORDS = [f"{one}{two}" for one in ("la", "me", "ni", "so", "tu", "ra") for two in "bcdfghklmnp"]

ECHOES = {
    "the whole prompt": ("Describe how a steam engine works.", "Describe how a steam engine works."),
    "the whole prompt, of four words": ("Name five blue flowers.", "Name five blue flowers."),
    "the whole prompt with its input": (f"Summarize the text.\n\n{MILL}", f"Summarize the text.\n\nInput: {MILL}\nOutput:"),
    "in another case, without its stop": ("List five exercises for a stiff neck.", "list five exercises for a stiff neck"),
    "one word changed": ("Formulate a plan for a small garden.", "Formulated a plan for a small garden."),
    "one word missing": ("Make a questionnaire for hotel guests.", "A questionnaire for hotel guests."),
    "a lead-in and no more": ("Write a poem about the first snow.", "Here is a poem about the first snow:"),
    "a question": ("What are the main causes of soil erosion?", "What are the main causes of soil erosion?"),
    "a question with another number": ("Which three cities lie on the coast?", "Which 2 cities lie on the coast?"),
    "the instruction without its input": (f"Summarize what happened to the mill.\n\n{MILL}", "Summarize what happened to the mill."),
    "its first sentence": ("Guess the film from these signs. Give one title only.", "Guess the film from these signs."),
    "the input": (f"Summarize the text.\n\n{MILL}", MILL),
    "the input after a line that leads in": (f"Summarize the text.\n\n{MILL}", f'Sure, here is the summary:\n\n"{MILL}"'),
    "the input after a colon": (f"Summarize: {MILL}", MILL),
    "the input before the task": (f"{MILL * 6}\nWhat is the text about?", MILL * 6),
    "a longer input with one word changed": (f"Suggest a title.\n\n{MILL}", MILL.replace("empty", "closed")),
    "an input without its labels": (f"Sum up what was agreed.\n\n{LIST}", LIST.replace("Rose: ", "").replace("John: ", "")),
    "lines with marks": (f"Sum up what was agreed.\n\n{LIST}", "- " + LIST.replace("\n", "\n- ")),
    "a short input with one word changed": ("Explain the saying.\n\nThe early bird always catches the worm.", "The early bird often catches the worm."),
    "an input in quotes in the task": ('Rephrase "The bus was late again because of the snow."', "The bus was late again because of the snow."),
    "the input after words that lead in": ("Correct it.\n\nNeither of the brothers want to sell it.", 'The sentence should read "Neither of the brothers want to sell it."'),
    "a rewording in other marks": ("Rephrase it.\n\nHe came home, late last night.", "He came home late last night."),
    "a longer rewording without a word": ("Rephrase it.\n\nThe bus was late again because of the snow on the bridge.", "The bus was late because of the snow on the bridge."),
    "nothing laid out": ("Write it as a bullet list.\n\nWe need nails, two planks and paint.", "We need nails, two planks, and paint."),
    "words left in disorder": ("Rearrange the words.\n\nkitchen the in singing is who", "kitchen the in singing is who"),
    "the text of a question": (f"Text: {MILL}\n\nWho bought the mill?", MILL),
    "an edit not made": (f"Correct the errors.\n\n{MILL.replace('empty', 'emty')}", MILL.replace("empty", "emty")),
    "an input twice": (f"Suggest a title.\n\n{MILL}", f"{MILL}\n{MILL}"),
    "an input and again its start": (f"Suggest a title.\n\n{MILL}", f"{MILL}\nOutput: {MILL[:70]}"),
    "a loop of instruction and input": ("Invent a motto.\n\nA small cafe by the canal", "Input: A small cafe by the canal\nOutput:\n\nInvent a motto.\n\n" * 9),
    "the input, named twice": (f"Paraphrase the text.\n\n{MILL}", f'The original text is: "{MILL}"\n\nThe revised text is: "{MILL[:70]}'),
    "the words of a task before the input": ("Turn it into a riddle.\n\nA grey cat sleeps on the roof.", 'The riddle: "A grey cat sleeps on the roof."'),
    "a text above its question": (f"Answer the question from the text.\n\n{MILL} Who bought it?", MILL),
    "a class not told": (f"Classify the text as news or letter.\n\n{MILL}", MILL.replace("own ", "")),
    "a list not sorted": ("Sort the words in alphabetical order.\n\nviolin, drum, harp, trumpet, flute", "Violin, drum, harp, trumpet, flute"),
    "a word still underlined": ("Replace the underlined word.\n\nThe path was _difficult_ after the rain.", "The path was **difficult** after the rain."),
    "capitals at some words": ("Convert the sentence to upper case.\n\nthe last bus leaves at midnight", "The Last Bus leaves at midnight."),
    "a list of one line": ("Name three rivers in the north.", "".join(f"{n}. Name three rivers in the north.\n" for n in range(1, 10))),
    "a style edit by a comma": ("Edit the sentence for clarity.\n\nWhen she had left the mill was empty.", "When she had left, the mill was empty."),
    "steps left in disorder": ("Put the steps into the right order.\n\n1. Pour in the batter.\n2. Break the eggs.\n3. Turn the pancake over.", "1. Pour in the batter.\n2. Break the eggs.\n3. Turn the pancake over."),
    "numbers not sorted": ("Sort the numbers.\n\n7, 3, 12, 5, 9", "7, 3, 12, 5, 9"),
    "all where a part was to be copied": (f"Copy the last sentence.\n\n{MAIL}", MAIL),
    "groups not made": ("Group the words by colour.\n\nrose, grass, poppy, leaf, tomato", "Rose, Grass, Poppy, Leaf, Tomato"),
    "an empty form": ("Fill in the form.\n\nName:\nDate of birth:\nReason for your visit:", "Name:\nDate of birth:\nReason for your visit:"),
    "a text above its task": (f"{MILL} That was in May.\n\nTranslate the text above.", f"{MILL} That was in May."),
    "an input under a heading": (f"### Instruction\nSuggest a title.\n\n### Input\n{MILL}\n\n### Response", MILL),
    "an input between tags": (f"Suggest a title.\n\n<text>{MILL}</text>", MILL),
    "code in a fence": ("Explain the code.\n\nfor name in names:\n    print(name.upper())", "```python\nfor name in names:\n    print(name.upper())\n```"),
    "an input after a role": (f"You are a proofreader. Make it easier to read.\n\n{MILL}", MILL),
    "a text that starts like a label": ("Classify the text.\n\nOnly today: three pairs of warm gloves for the price of two!", "Today: three pairs of warm gloves for the price of two!"),
    "a request granted": ("Can you turn the numbers into words? Use capital letters.", "Yes, you can turn the numbers into words. Use capital letters."),
    "a loop with other things named": ("Write a guide for moving to Oslo by train.", "".join(f"Write a guide for moving to {town} by train.\nOutput:\n" for town in ("Bergen", "Rome", "New York", "Bath", "Rome"))),
    "a loop with what announces it": ("Design a table for the costs of a garden.", "A table with these columns:\n\nDesign a table for the costs of a garden.\nOutput:\n" * 6),
    "a loop of an instruction with another input": ("List what a good baker must know.\n\nPierre", "List what a good baker must know.\n\nInput: Anna\nOutput:\n\n" * 9),
}  # fmt: skip

OTHERS = {
    "nothing": ("Describe how a steam engine works.", ""),
    "an answer": ("Describe how a steam engine works.", "Steam drives a piston."),
    "an answer in the words of the question": ("What is the capital of France?", "Paris is the capital of France."),
    "an answer at the end of the question": ("Name the capital of France.", "The capital of France is Paris."),
    "a verdict before it": ("Is this true? One day has 24 hours", "True. One day has 24 hours."),
    "a number in it": ("Round 3.14159 to two places and show it.", "Round 3.14 to two places and show it."),
    "an end to it": ("If the sky is red in the morning, then the sailor is", "If the sky is red in the morning, then the sailor is warned."),
    "the instruction in other words": ("Give three tips for a long walk in the rain.", "Three things help on long wet walks."),
    "part of the input": (f"Summarize the text.\n\n{MILL}", "The mill stood empty for years until a baker bought it."),
    "an input of four words": ("Name the opposite.\n\nthe tall red house", "the tall red house"),
    "an input with something new": (f"Complete the story.\n\n{MILL}", f"{MILL} Soon all of the town came to eat his bread."),
    "an input before something new": (f"Summarize the text.\n\n{MILL}", f"{MILL}\nThat is: a mill lives again."),
    "a short input with another word": ("Say the opposite.\n\nHe is glad to see the sea.", "He is sad to see the sea."),
    "a short rewording with another word": ("Rephrase it.\n\nThe bus was late because of the snow.", "The bus was delayed because of the snow."),
    "an order that was a question": ("Ask for it.\n\nYou can send me the keys.", "You can send me the keys?"),
    "a part named after words that lead in": ("Find the simile.\n\nHis mind works like a computer", 'The simile in this sentence is "His mind works like a computer".'),
    "a request below the text": (f"{MILL}\nCould you put this in upper case?", MILL.upper()),
    "a list laid out": ("Write it as a bullet list.\n\nWe need nails, two planks, paint", "- We need nails\n- two planks\n- paint"),
    "if needed": (f"Correct it if there is an error.\n\n{MILL}", MILL),
    "an input with other marks": ("Correct it.\n\nHe came, home late last night.", "He came home late last night."),
    "an input in capitals": (f"Put the sentences in upper case.\n\n{MAIL}", MAIL.upper()),
    "a blank filled": ("Fill the gap in the long sentence below.\n\n" + MILL.replace("baker", "____"), MILL),
    "a sorted list": ("Sort the names.\n\nAnna, Bert, Carla, Dora, Emil", "Anna, Bert, Carla, Dora, Emil"),
    "pairs that match": ("Match country and city.\n\nFrance: Paris, Italy: Rome, Spain: Madrid", "France: Paris, Italy: Rome, Spain: Madrid"),
    "a copy": (f"Copy the text.\n\n{MILL}", MILL),
    "another text to work on in the task": (f'Correct "{MILL.replace("stood", "standed")}".\n\n{MILL}', MILL),
    "a line made lines": ("Prepare an address.\n\nAnn Lee, 7 Mill Street, Hull, England", "Ann Lee\n7 Mill Street\nHull, England"),
    "labels put to it": ("Tell statements from questions.\n\nI came. You saw me, did you not?", "Statements: I came. Questions: You saw me, did you not?"),
    "emojis put to it": (f"Make it fun.\n\n{MILL}", MILL.replace(" ", " \U0001f600 ")),
    "a loop after an answer": ("Say which shop sells lamps.\n\nBright & Sons", "Bright\n\n" + "Say which shop sells lamps.\n\nInput: Bright & Sons\nOutput: Bright\n\n" * 9),
    "parts under their names": ("Name subject and predicate.\n\nThe old farmer shrugged his shoulders.", "Subject: The old farmer. Predicate: shrugged his shoulders."),
    "a thing found": ("Find the figure of speech.\n\nThe old stairs groaned aloud.", 'The figure of speech to be found here: "The old stairs groaned aloud."'),
    "a word marked": ("Pick the odd word.\n\nHe went to the kitchen taking ecstatic strides.", "He went to the kitchen taking _ecstatic_ strides."),
    "numbers in order": ("Reorder the numbers.\n\n-2, -1, 0, 1, 2, 3", "-2, -1, 0, 1, 2, 3"),
    "a letter case that was set": ("Convert the sentence to lower case.\n\nTHE SHOP IS CLOSED TODAY", "the shop is closed today"),
    "two sentences made one": (f"Summarize it in one sentence.\n\n{MILL} In spring the first guests came there, and since then people come from three valleys to see it.", f"{MILL[:-1]}, and in spring the first guests came there, and people from three valleys come."),
    "a prompt of two long parts": (f"{MILL * 6}\n\n{LIST * 3}", f'The text: "{MILL * 6}"'),
    "a style edit by a word": ("Edit the sentence for clarity.\n\nWe made cake for the old miller.", "We made a cake for the old miller."),
    "a part to be copied": (f"Copy the last sentence.\n\n{MAIL}", "Please send me two new ones."),
    "a copy of a text with an order in it": (f"Copy the text.\n\n{MILL}\n\nFix this soon.", f"{MILL}\n\nFix this soon."),
    "answers alike": ("Name towns in Norway with a harbour.", "".join(f"{town} is a town in Norway with a harbour.\n" for town in ("Oslo", "Bergen", "Bodo", "Moss", "Molde"))),
    "a form filled in": ("Fill in the form.\n\nName:\nDate of birth:\nReason for your visit:", "Name: Ann\nDate of birth: 4 May\nReason for your visit: a cough"),
    "a list of other things": ("What else may a buyer of this like?\n\nSteel pan with a lid and two handles, made in Italy for gas and induction, 28 cm, black", "\n".join(f"Steel pan with a lid and two handles, made in Italy for gas and induction, 28 cm, {colour}" for colour in ("red", "blue", "green", "white"))),
}  # fmt: skip


@pytest.mark.parametrize(("prompt", "text"), ECHOES.values(), ids=ECHOES.keys())
def test_an_echo(prompt, text):
    assert is_prompt_echo(prompt, text)


@pytest.mark.parametrize(("prompt", "text"), OTHERS.values(), ids=OTHERS.keys())
def test_no_echo(prompt, text):
    assert not is_prompt_echo(prompt, text)


@given(size=st.integers(15, 60), changed=st.integers(0, 12), data=st.data())
@settings(max_examples=60, deadline=None)
def test_one_word_in_ten_of_an_input_may_be_new(size, changed, data):
    words = data.draw(st.permutations(WORDS))[:size]
    places = data.draw(st.permutations(range(size)))[:changed]
    said = ["xeno" if at in places else word for at, word in enumerate(words)]
    found = is_prompt_echo(f"Suggest a motto.\n\n{' '.join(words)}", " ".join(said))
    if changed == 0:
        assert found
    if changed > max(1, size // 10):
        assert not found


@pytest.mark.parametrize("size", [15, 20, 40, 60])
def test_to_the_word(size):
    words = WORDS[:size]
    said = [*words[: size // 10 - 1], "xeno", *words[size // 10 :]]
    assert is_prompt_echo(f"Suggest a motto.\n\n{' '.join(words)}", " ".join(said))
    assert not is_prompt_echo(f"Replace the second name.\n\n{' '.join(words)}", " ".join(said))


def test_no_prompt_no_echo():
    assert not is_prompt_echo(None, MILL)
    assert not is_prompt_echo("", MILL)


@pytest.mark.parametrize(
    ("name", "split", "rows", "echoes", "flags", "right"),
    [
        ("echo_rows", "dev", 803, 88, 88, 84),
        ("echo_rows_2", "dev", 513, 99, 92, 92),
        ("echo_rows_3", "dev", 453, 31, 28, 28),
        ("echo_rows_3", "test", 477, 42, 40, 35),
    ],
)
def test_rows_labelled_by_hand(name, split, rows, echoes, flags, right):
    """Answers of a small model; what the rules get on them holds."""
    with (BENCH / "labels.csv").open(newline="", encoding="utf-8") as file:
        lines = csv.DictReader(file)
        labels = {line["id"]: line["label"] == "1" for line in lines if (line["file"], line["split"]) == (name, split)}
    with gzip.open(BENCH / f"{name}.jsonl.gz", "rt", encoding="utf-8") as file:
        texts = {row["id"]: (row["prompt"], row["response"]) for row in map(json.loads, file) if row["split"] == split}
    assert labels.keys() == texts.keys()
    assert (len(labels), sum(labels.values())) == (rows, echoes)
    found = [labels[name] for name, text in texts.items() if is_prompt_echo(*text)]
    assert sum(found) >= right
    assert sum(found) / len(found) >= right / flags
