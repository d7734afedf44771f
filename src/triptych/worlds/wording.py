"""How the demo's answers are written: openings, layouts of the steps, closings; and the ways in which they go wrong."""

from __future__ import annotations

import re

from triptych.worlds.draw import Draft, Draw

OPENINGS = (
    "", "", "", "Let's work it out.", "Here is how to find it.", "We go step by step.", "Sure.", "To solve this:",
    "Start with what is given.", "This takes a few steps.", "Good question.", "Let me think it through.", "Solution:",
    "We can do this directly.", "Begin at the beginning.", "Working:", "One way to see it:", "First things first.",
    "Take it piece by piece.", "Here goes.", "Reasoning:", "All that matters is in the question.", "It helps to write it down.",
    "There is a short way.", "Put in order, the argument is this.", "By hand:",
)  # fmt: skip

CLOSINGS = (
    "", "", "The answer is {x}.", "So the answer is {x}.", "Answer: {x}", "Therefore: {x}.", "Final answer: {x}",
    "Result: {x}", "Hence {x}.", "That gives {x}.", "#### {x}", "**{x}**", "We end up with {x}.", "In short: {x}.",
    "The result is {x}.", "It comes to {x}.", "And that is it: {x}.",
)  # fmt: skip

_ORDINALS = ("First", "Second", "Third", "Fourth", "Fifth", "Sixth", "Seventh", "Eighth", "Ninth", "Tenth")


def _laid_out(steps: list[str], layout: int) -> str:
    """The steps as running text, lines, bullets or numbered in one of several ways."""
    if layout <= 1 or (len(steps) == 1 and layout < 7):
        return " ".join(steps)
    marks = {
        2: [f"{k}. " for k in range(1, len(steps) + 1)],
        3: [f"Step {k}: " for k in range(1, len(steps) + 1)],
        4: ["- "] * len(steps),
        5: [""] * len(steps),
        6: [f"({k}) " for k in range(1, len(steps) + 1)],
    }.get(layout)
    if marks is None:
        return " ".join(f"{_ORDINALS[min(k, 9)]}: {step}" for k, step in enumerate(steps))
    return "\n".join(mark + step for mark, step in zip(marks, steps, strict=True))


LAYOUTS = 8


def response(draft: Draft, draw: Draw, stated: str, style: int | None = None) -> str:
    """The worked answer, ending in what it states (the right answer or a wrong one).

    Args:
        draft: the question.
        draw: where the choices come from.
        stated: the answer it arrives at.
        style: number of a fixed opening, layout and closing; None draws each of them.
    """
    head, _, tail = draft.steps[-1].rpartition(draft.answer)
    steps = [*draft.steps[:-1], head + stated + tail]
    if style is None:
        opening, closing, layout = draw.pick(OPENINGS), draw.pick(CLOSINGS), draw.below(LAYOUTS)
    else:
        opening, closing, layout = OPENINGS[3 + style], CLOSINGS[2 + style], style
    body = _laid_out(steps, layout)
    gap = "\n" if "\n" in body else " "
    return gap.join(part for part in (opening, body, closing.format(x=stated)) if part)


def wrong_answer(draft: Draft, draw: Draw) -> str:
    """A wrong answer that tempts, or the right one with a number changed."""
    tempting = [answer for answer in draft.wrong if answer != draft.answer]
    if tempting:
        return draw.pick(tempting)
    shift = draw.pick((1, 2, 3, 10))
    return re.sub(r"\d+", lambda found: str(int(found[0]) + shift), draft.answer, count=1)


REFUSALS = (
    "I'm sorry, but I cannot answer this question.",
    "I'm sorry, but as an AI language model I am not able to help with that.",
    "I apologize, but I can't solve this problem.",
    "Unfortunately, I am unable to provide an answer to this.",
    "As an AI language model, I do not have the ability to compute this.",
    "I cannot help with this request.",
    "I'm unable to answer that. Please ask something else.",
    "I do not have enough information to answer.",
)

EMPTY = ("", "", " ", "\n", "...", "-")


_UNFINISHED = frozenset("the a of and is are to from by that so in at for with".split())


def truncated(text: str, draw: Draw) -> str:
    """The text cut off in its second half; half of the time after a word that nothing can end on, where there is one."""
    words = text.split(" ")
    places = range(max(1, len(words) // 2), max(2, len(words) * 9 // 10))
    open_ended = [place for place in places if words[place - 1].lower() in _UNFINISHED]
    end = draw.pick(open_ended) if open_ended and draw.chance(50) else draw.pick(places)
    return " ".join(words[:end]).rstrip(" .!?,:")


def refusal(draw: Draw) -> str:
    """A sentence that declines."""
    return draw.pick(REFUSALS)


def prompt_echo(prompt: str, draw: Draw) -> str:
    """The question again in place of an answer."""
    return draw.pick(("", "", "Question: ", "Prompt: ")) + prompt


def repetition_loop(draft: Draft, draw: Draw) -> str:
    """The first step over and over, sometimes after a beginning."""
    step = draft.steps[0]
    start = draw.pick(OPENINGS)
    return " ".join([start, *[step] * draw.number(6, 18)]).strip()


def broken_encoding(text: str, draw: Draw) -> str:
    """The text with UTF-8 read as Latin-1, or with replacement characters in it."""
    words = text.replace("'", "’").replace(" - ", " – ").split(" ")
    place = draw.below(len(words))
    if draw.chance(50):
        words[place] = "“" + words[place] + "”"
        return " ".join(words).encode().decode("cp1252", "replace")
    for at in {place, draw.below(len(words)), 0}:
        words[at] += "\ufffd"
    return " ".join(words)
