"""What a recipe would take, said before anything is paid: it is rehearsed with the words of its seeds as answers.

A few batches are made at a desk that sends nothing: what is asked there is counted as it would be sent. How many of the
records would fail or be dropped only the run tells, so the numbers are those of a run in which every record passes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from triptych.core.errors import InputError, TriptychError
from triptych.generating.ask import Ask, Made, Plan, Said, Writer
from triptych.generating.desk import RunDesk
from triptych.generating.recipe import Recipe
from triptych.generating.seeds import Seeds, read_seeds
from triptych.generating.told import filter_text

BATCHES, LEAST = 8, 48
"""Most batches that are rehearsed, and tries after which it is enough."""
_WORDS = """describe how the parts of a thing work together and give one example of it in two or three sentences that
a reader who is new to the matter can follow without any help""".split()
_LISTS = frozenset({"taxonomy", "attributes", "ideas", "labels"})


@dataclass(frozen=True)
class Forecast:
    """What a run would take if every record passed.

    Attributes:
        seeds: that were read.
        requests: for one record, by purpose.
        records: that the budget allows for; None where that cannot be said.
        plan: of all requests; `tokens` is the most that could be written.
    """

    seeds: Seeds
    requests: Mapping[str, float]
    records: int | None
    plan: Plan


class _Rehearsal(RunDesk):
    """A desk that sends nothing."""

    def __init__(self, recipe: Recipe, seeds: Seeds) -> None:
        super().__init__(recipe, seeds.items, None)
        self._prompts = [seed.prompt.split() for seed in seeds.items if seed.prompt] or [_WORDS]
        self._responses = [seed.response.split() for seed in seeds.items if seed.response] or self._prompts
        self._draw = self.rng("rehearsal")
        self.purposes: Counter[str] = Counter()
        self.sent: dict[int, tuple[Writer, list[Ask]]] = {}
        self._seen: set[str] = set()

    def ask(self, asks: Sequence[Ask]) -> list[Said]:
        """Note what is asked, and answer with words of the seeds in another order."""
        self.check(asks)
        for ask in asks:
            if ask.key in self._seen:
                continue  # it would be answered from what is kept
            self._seen.add(ask.key)
            self.purposes[ask.purpose] += 1
            writer = self._writer(ask)
            self.sent.setdefault(id(writer), (writer, []))[1].append(ask)
        return [Said(self._text(ask.purpose), finish="stop") for ask in asks]

    def _text(self, purpose: str) -> str:
        if purpose == "judge":
            return "5\nyes"
        pool = self._responses if purpose == "response" else self._prompts
        words = pool[int(self._draw.integers(len(pool)))]
        mixed = [words[place] for place in self._draw.permutation(len(words)).tolist()]
        if purpose not in _LISTS:
            return " ".join(mixed)
        return "\n".join(f"{place + 1}. {' '.join(mixed[place::5][:3])}" for place in range(min(5, len(mixed))))


def forecast(recipe: Recipe) -> Forecast:
    """Rehearse a recipe. Nothing is sent and nothing is written.

    Raises:
        InputError: the seeds cannot be read, a filter cannot work, or the writer does not answer what is asked.
    """
    seeds = read_seeds(recipe)
    desk = _Rehearsal(recipe, seeds)
    gates = [each.begin(desk) for each in recipe.filters]
    made = tries = 0
    try:
        for batch in islice(recipe.search.make(recipe.method, desk), BATCHES):
            handed = [each for each in batch if isinstance(each, Made)]
            for gate in gates:
                if handed:
                    gate.judge(handed)
            made, tries = made + len(handed), tries + len(batch)
            if tries >= LEAST:
                break
    except InputError:
        raise
    except TriptychError:
        tries = max(tries, recipe.batch)  # a method that cannot go on without a real answer: what it asked counts
    one = max(made if 2 * made >= tries else tries, 1)
    plan = _together([writer.plan(asks) for writer, asks in desk.sent.values()])
    records = _records(recipe, plan, one)
    times = (records or 0) / one
    return Forecast(seeds, {name: count / one for name, count in desk.purposes.items()}, records, _times(plan, times))


def plan_text(recipe: Recipe) -> str:
    """What a recipe would do and take, in words.

    Raises:
        InputError: as `forecast`.
    """
    found = forecast(recipe)
    about = found.seeds.about
    writer = recipe.writer
    lines = [f"recipe {recipe.hash}"]
    if about:
        lines.append(
            f"seeds: {about['drawn']:,} of {about['records']:,} records of {about['name']} ({about['detected']})"
        )
    lines += [
        f"writer: {writer.kind}" + (f" {model}" if (model := getattr(writer, "model", "")) else ""),
        f"method: {filter_text(recipe.method)}" + (f", after {recipe.method.source}" if recipe.method.source else ""),
        f"search: {filter_text(recipe.search)}",
        "filters: " + (", ".join(filter_text(each) for each in recipe.filters) or "none"),
        f"budget: {recipe.budget}",
        "asks for one record: " + ", ".join(f"{count:.3g} {name}" for name, count in found.requests.items()),
    ]
    return "\n".join([*lines, _takes(recipe, found)])


def _takes(recipe: Recipe, found: Forecast) -> str:
    plan = found.plan
    if found.records is None:
        return "what it takes cannot be said: the method asks nothing without real answers"
    parts = [f"about {plan.requests:,} requests", f"{plan.prompt_tokens:,} tokens read"]
    parts.append(f"at most {plan.tokens:,} written")
    parts.append("time not known" if plan.seconds is None else f"about {plan.seconds:,.0f} seconds")
    parts.append("no price is told" if plan.money is None else f"at most {plan.money:,.4g} of money")
    kept = f"{found.records:,} records" if recipe.budget.records else f"about {found.records:,} records"
    return f"for {kept}, if every one passes: " + ", ".join(parts)


def _records(recipe: Recipe, plan: Plan, one: int) -> int | None:
    """How many records the budget allows for, if each costs what the rehearsed ones do; tokens at their most."""
    budget, limits = recipe.budget, list[float]()
    if budget.records is not None:
        limits.append(budget.records)
    if budget.tokens is not None and plan.requests:
        limits.append(budget.tokens * one / (plan.prompt_tokens + plan.tokens))
    if budget.money is not None and plan.money:
        limits.append(budget.money * one / plan.money)
    return int(min(limits)) if limits else None


def _together(plans: Sequence[Plan]) -> Plan:
    seconds, money = [plan.seconds for plan in plans], [plan.money for plan in plans]
    return Plan(
        sum(plan.requests for plan in plans),
        sum(plan.prompt_tokens for plan in plans),
        sum(plan.tokens for plan in plans),
        None if None in seconds else sum(each for each in seconds if each is not None),
        None if None in money else sum(each for each in money if each is not None),
    )


def _times(plan: Plan, times: float) -> Plan:
    return Plan(
        round(plan.requests * times),
        round(plan.prompt_tokens * times),
        round(plan.tokens * times),
        None if plan.seconds is None else plan.seconds * times,
        None if plan.money is None else plan.money * times,
    )
