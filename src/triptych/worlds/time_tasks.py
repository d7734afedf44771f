"""Questions about clocks and calendars: durations, schedules, weekdays, dates, time zones."""

from __future__ import annotations

from datetime import date, timedelta

from triptych.worlds.draw import Draft, Draw, clock, count, listing, skill
from triptych.worlds.words import DAYS, ERRANDS, MONTHS, NAMES, PLACES, VEHICLES


def _duration(minutes: int) -> str:
    return f"{count(minutes // 60, 'hours')} {count(minutes % 60, 'minutes')}"


def _day(day: date) -> str:
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


@skill(
    "A {vehicle} leaves {here} at {start} and arrives in {there} at {end}. How long does it take, in hours and minutes?",
    "Departure {here} {start}, arrival {there} {end}: how long is the {vehicle} on the way (hours and minutes)?",
    "The {vehicle} from {here} sets out at {start} and is in {there} at {end} the same day. What is the travel time in hours and minutes?",
    "How many hours and minutes pass between {start}, when the {vehicle} starts from {here}, and {end}, when it is in {there}?",
    "If the {vehicle} to {there} starts in {here} at {start} and ends at {end}, what is the duration in hours and minutes?",
    "Timetable: {vehicle}, {here} {start}, {there} {end}. Find the duration, as hours and minutes.",
)
def travel_time(draw: Draw) -> Draft:
    """Time between two clock times of a day."""
    start = draw.number(5 * 60, 13 * 60)
    end = start + draw.number(65, 500)
    here, there = draw.some(PLACES, 2)
    hours, minutes = divmod(end - start, 60)
    steps = (
        f"From {clock(start)} to {clock(start + 60 * hours)} is {count(hours, 'hours')}.",
        f"From {clock(start + 60 * hours)} to {clock(end)} is {count(minutes, 'minutes')}.",
        f"Together: {_duration(end - start)}.",
    )
    facts = {"vehicle": draw.pick(VEHICLES), "here": here, "there": there, "start": start, "end": end}
    return Draft(facts, _duration(end - start), steps, {"start": clock(start), "end": clock(end)})


@skill(
    "{name} starts at {start} and does these one after the other: {plan}. Between two tasks there is a break of {gap} minutes. When is everything done?",
    "The plan of {name}: {plan}, with {gap} minutes of rest between tasks, beginning at {start}. At what time does the last task end?",
    "At {start} {name} begins. The list: {plan}. After each task but the last {name} rests {gap} minutes. Give the time of finishing.",
    "When will {name} be finished with {plan}, if the first begins at {start} and {gap} minutes lie between one and the next?",
    "Work out the end of the schedule. Start {start}; tasks: {plan}; pause between tasks: {gap} minutes; person: {name}.",
    "{plan}: that is what {name} has to do, in this order, from {start} on, pausing {gap} minutes in between. What time is it afterwards?",
)
def schedule_end(draw: Draw) -> Draft:
    """A chain of 2 to 5 tasks with breaks."""
    tasks = draw.some(ERRANDS, draw.number(2, 5))
    lengths = [draw.number(2, 18) * 5 for _ in tasks]
    start, gap = draw.number(7 * 12, 13 * 12) * 5, draw.pick((5, 10, 15, 20))
    now, steps = start, []
    for place, (task, length) in enumerate(zip(tasks, lengths, strict=True)):
        if place:
            now += gap
        steps.append(f"{task.capitalize()} lasts from {clock(now)} to {clock(now + length)}.")
        now += length
    plan = listing([f"{task} ({length} minutes)" for task, length in zip(tasks, lengths, strict=True)])
    facts = {"name": draw.pick(NAMES), "start": start, "lengths": lengths, "gap": gap}
    return Draft(facts, clock(now), tuple(steps), {"plan": plan, "start": clock(start)}, (clock(now + gap),))


@skill(
    "Today is {day}. Which day of the week is it in {n} days?",
    "If it is {day} now, what weekday comes {n} days later?",
    "{name} gets a parcel {n} days after {day}. On which weekday does it arrive?",
    "A library book borrowed on a {day} is due {n} days afterwards. What day of the week is that?",
    "Count {n} days on from {day}. Where in the week do you end?",
    "The seeds that {name} sows on {day} sprout after {n} days. Name the weekday.",
)
def weekday_after(draw: Draw) -> Draft:
    """Weekdays modulo seven."""
    day, n = draw.below(7), draw.number(9, 150)
    later = DAYS[(day + n) % 7]
    steps = (
        f"{n} = 7 × {n // 7} + {n % 7}, and full weeks change nothing.",
        f"{n % 7} days after {DAYS[day]} is {later}.",
    )
    wrong = (DAYS[(day + n + 1) % 7], DAYS[(day + n - 1) % 7])
    return Draft({"name": draw.pick(NAMES), "day": DAYS[day], "n": n}, later, steps, wrong=wrong)


@skill(
    "How many days are there from {first} to {last}?",
    "{name} counts the nights between {first} and {last}. How many are there?",
    "A course begins on {first} and its exam is on {last}. How many days later is that?",
    "Find the number of days from {first} until {last}, not counting the first day.",
    "{name} planted a tree on {first} and measured it on {last}. How many days lay between?",
    "An offer was made on {first} and lapses on {last}. For how many days does it stand (first day not counted)?",
)
def days_between(draw: Draw) -> Draft:
    """Days between two dates, month by month."""
    first = date(draw.number(2020, 2029), 1, 1) + timedelta(draw.number(0, 330))
    last = first + timedelta(draw.number(12, 110))
    steps, at = [], first
    while (at.year, at.month) != (last.year, last.month):
        following = date(at.year + at.month // 12, at.month % 12 + 1, 1)
        steps.append(f"From {_day(at)} to {_day(following)} there are {(following - at).days} days.")
        at = following
    steps.append(f"From {_day(at)} to {_day(last)} there are {(last - at).days} days.")
    total = (last - first).days
    steps.append(f"That makes {total} days.")
    facts = {"name": draw.pick(NAMES), "first": first.isoformat(), "last": last.isoformat()}
    return Draft(facts, f"{total} days", tuple(steps), {"first": _day(first), "last": _day(last)})


@skill(
    "{there} is {shift} hours ahead of {here}. When it is {start} in {here}, what time is it in {there}?",
    "Clocks in {there} show {shift} hours more than in {here}. A call starts at {start} in {here}. What do clocks in {there} say?",
    "It is {start} at home in {here}. {name} lives in {there}, {shift} hours ahead. What is the time there?",
    "A film is broadcast at {start} {here} time. At what time can {name} in {there} see it, {shift} hours ahead?",
    "If {here} reads {start} and {there} is {shift} hours further on, what does {there} read?",
    "Convert {start} in {here} to the time in {there}, which is {shift} hours ahead.",
)
def time_zone(draw: Draw) -> Draft:
    """A clock that is ahead, past midnight where need be."""
    start, shift = draw.number(0, 24 * 12 - 1) * 5, draw.number(2, 11)
    here, there = draw.some(PLACES, 2)
    later = start + 60 * shift
    steps = [f"{start // 60} + {shift} = {start // 60 + shift} for the hours; the minutes stay."]
    if later >= 24 * 60:
        steps.append(f"{later // 60} is past midnight: {later // 60} - 24 = {later // 60 - 24}.")
    steps.append(f"In {there} it is {clock(later)}.")
    facts = {"name": draw.pick(NAMES), "here": here, "there": there, "start": start, "shift": shift}
    return Draft(facts, clock(later), tuple(steps), {"start": clock(start)}, (clock(start + 1440 - 60 * shift),))


@skill(
    "Which date is {n} days after {first}?",
    "{name} must return a tent {n} days after {first}. On which date?",
    "Add {n} days to {first}. Give the date.",
    "A passport applied for on {first} is ready {n} days later. What is the date then?",
    "Starting on {first}, {name} waits {n} days. What date is it at the end?",
    "From {first} go {n} days forward in the calendar. Where do you arrive?",
)
def date_after(draw: Draw) -> Draft:
    """A date some days later, month by month."""
    first = date(draw.number(2020, 2029), 1, 1) + timedelta(draw.number(0, 364))
    n = draw.number(8, 75)
    last = first + timedelta(n)
    steps, at, rest = [], first, n
    while (at.year, at.month) != (last.year, last.month):
        following = date(at.year + at.month // 12, at.month % 12 + 1, 1)
        rest -= (following - at).days
        steps.append(f"{(following - at).days} days bring us to {_day(following)}; {count(rest, 'days')} remain.")
        at = following
    steps.append(f"{_day(at)} and {count(rest, 'days')} more is {_day(last)}.")
    wrong = (_day(last + timedelta(1)), _day(last - timedelta(1)))
    facts = {"name": draw.pick(NAMES), "first": first.isoformat(), "n": n}
    return Draft(facts, _day(last), tuple(steps), {"first": _day(first)}, wrong)
