"""Operations that make a task harder or another one: what is asked, and one task to which it was done.

The kinds are those of evol-instruct (Xu et al. 2023, arXiv 2304.12244): four that deepen and one that widens. The words
and the examples are our own.
"""

from __future__ import annotations

from typing import NamedTuple

from triptych.generating.ask import Message
from triptych.generating.methods._drafts import shown


class Operation(NamedTuple):
    """What is done to a task.

    Attributes:
        asked: what changes.
        label: of the changed task.
        examples: tasks, and what they became.
    """

    asked: str
    label: str
    examples: tuple[tuple[str, str], ...]

    def talk(self, task: str) -> tuple[Message, ...]:
        """The messages that ask for it, after the examples."""
        examples = [(f"Task: {before}", f"{self.label}: {after}") for before, after in self.examples]
        return shown(examples, f"Task: {task}", f"You rewrite tasks. You do not answer them. {self.asked}")


DEEPENING = {
    "constraints": Operation(
        "Each task becomes harder by one more requirement that the answer has to meet.",
        "Harder task",
        (
            (
                "Describe how to make tea.",
                "Describe how to make tea in exactly five steps, for somebody who has no kettle.",
            ),
            ("Name three birds.", "Name three birds that cannot fly, and say on which continent each of them lives."),
            (
                "Write a poem about the sea.",
                "Write a poem about the sea that has four lines and never uses the word blue.",
            ),
        ),
    ),
    "deepen": Operation(
        "Each task comes to ask for a deeper understanding of the same subject.",
        "Deeper task",
        (
            (
                "Why do leaves fall in autumn?",
                "Why do leaves fall in autumn, what happens in the stalk of a leaf before, and why do firs keep theirs?",
            ),
            (
                "What is bread made of?",
                "What is bread made of, what does each part do while the dough rests, and what happens without salt?",
            ),
            (
                "Write a note about a late train.",
                "Write a note about a late train that explains how one small delay in the morning grows until the evening.",
            ),
        ),
    ),
    "concretize": Operation(
        "Each task becomes more specific: particular things take the place of general ones.",
        "More specific task",
        (
            (
                "Write a letter of complaint to a shop.",
                "Write a letter to a bicycle shop that sold you a front lamp which broke in the rain after two days.",
            ),
            ("Name three animals.", "Name three animals with horns that live in the mountains of Asia."),
            (
                "How do I learn a language?",
                "How do I learn enough Portuguese in eight weeks to order food and ask for the way in Porto?",
            ),
        ),
    ),
    "reasoning": Operation(
        "Each task is changed so that it takes several steps of thinking to answer it.",
        "Harder task",
        (
            (
                "How many days are there in a week?",
                "A shop is closed on two days of every week. On how many days is it open in six weeks?",
            ),
            (
                "Name the largest of these: 4, 9, 7.",
                "Take the numbers 4, 9 and 7. Double the smallest, add it to the largest, and say whether the sum is even.",
            ),
            (
                "Which animal is faster, a horse or a cow?",
                "A horse is faster than a cow and slower than a car. A tractor is slower than a cow. Order all four by speed.",
            ),
        ),
    ),
}

WIDENING = {
    "widen": Operation(
        "For each task you write another one from the same field that few people would think of.",
        "Rarer task",
        (
            (
                "Name three dishes with potatoes.",
                "Name three dishes that sailors cooked on long journeys when there were no refrigerators.",
            ),
            ("Write a poem about the sea.", "Write a poem about the sound that ice makes on a lake at night."),
            ("How do I repair a flat tyre?", "How do I stop the saddle of an old bicycle from creaking?"),
        ),
    ),
}

OPERATIONS = DEEPENING | WIDENING
EXAMPLES = tuple(after for operation in OPERATIONS.values() for _, after in operation.examples)
"""What must not come back as a new task."""
