"""Questions about amounts: shopping, sharing, stocks, rates, prices, percentages, recipes, averages, ages."""

from __future__ import annotations

from triptych.worlds.draw import Draft, Draw, count, dollars, listing, skill
from triptych.worlds.words import DISHES, FOODS, GOODS, NAMES, PLACES, VEHICLES, WORKPLACES


@skill(
    "{name} buys {a} {one} at {p} each and {b} {two} at {q} each, and pays with {paid}. How much change is due?",
    "At the market, {one} cost {p} apiece and {two} cost {q} apiece. {name} takes {a} {one} and {b} {two} and hands over {paid}. What change does the seller return?",
    "How much money is left from {paid} once {name} has bought {a} {one} ({p} each) and {b} {two} ({q} each)?",
    "Work out the change: {name} paid {paid} for {a} {one} costing {p} each plus {b} {two} costing {q} each.",
    "A shop charges {p} for each of the {one} and {q} for each of the {two}. If {name} gives the cashier {paid} for {a} {one} and {b} {two}, what should come back?",
    "{name} has {paid} to spend. After paying for {a} {one} at {p} each and {b} {two} at {q} each, how much remains?",
)
def shopping_change(draw: Draw) -> Draft:
    """Two goods, one payment."""
    one, two = draw.some(GOODS, 2)
    a, b, p, q = draw.number(2, 9), draw.number(2, 9), draw.number(3, 30) * 25, draw.number(3, 30) * 25
    first, second = a * p, b * q
    paid = (first + second) // 1000 * 1000 + draw.pick((1000, 2000, 5000))
    answer = dollars(paid - first - second)
    steps = (
        f"The {one} cost {a} × {dollars(p)} = {dollars(first)}.",
        f"The {two} cost {b} × {dollars(q)} = {dollars(second)}.",
        f"Together that makes {dollars(first + second)}.",
        f"From {dollars(paid)} there remains {dollars(paid)} - {dollars(first + second)} = {answer}.",
    )
    facts = {"name": draw.pick(NAMES), "a": a, "b": b, "one": one, "two": two, "p": p, "q": q, "paid": paid}
    return Draft(facts, answer, steps, {"p": dollars(p), "q": dollars(q), "paid": dollars(paid)})


@skill(
    "{name} packs {total} {goods} into boxes that hold {size} each. How many are left over when no more full box can be packed?",
    "There are {total} {goods}, and every bag takes exactly {size}. After {name} has filled as many bags as possible, how many {goods} remain?",
    "Dividing {total} {goods} into groups of {size}, how many does {name} have in the incomplete group?",
    "{total} {goods} arrive at the stall of {name}, who bundles them by {size}. How many do not fit in a full bundle?",
    "If {name} hands out {total} {goods} in sets of {size}, what number of {goods} cannot be handed out?",
    "Find what is left over: {name} arranges {total} {goods} in rows of {size} and puts aside those that do not make a row.",
)
def left_over(draw: Draw) -> Draft:
    """Division with remainder."""
    size, goods = draw.number(4, 13), draw.pick(GOODS)
    total = size * draw.number(6, 30) + draw.number(1, size - 1)
    full, rest = divmod(total, size)
    steps = (
        f"{total} divided by {size} is {full} with something over.",
        f"{full} full groups use {full} × {size} = {full * size} {goods}.",
        f"So {total} - {full * size} = {rest} are left.",
    )
    facts = {"name": draw.pick(NAMES), "total": total, "goods": goods, "size": size}
    return Draft(facts, str(rest), steps)


_CHANGES = (
    ("{k} more are delivered", "{k} are sold"),
    ("a supplier brings {k}", "customers take {k}"),
    ("{k} are added", "{k} are given away"),
    ("a friend donates {k}", "{k} are thrown out as damaged"),
    ("{k} come back", "{k} are lent out"),
)


@skill(
    "A storeroom holds {start} {goods}. Then {events}. How many {goods} does it hold in the end?",
    "{name} counts {start} {goods} in the morning. During the day {events}. How many are there in the evening?",
    "Keep track of the stock: it begins with {start} {goods}; {events}. What is the final number?",
    "Starting from {start} {goods}, {events}. What number of {goods} does {name} have now?",
    "{name} owns {start} {goods}. Over the week {events}. How many {goods} are left at the end of the week?",
    "How many {goods} remain if there were {start} at first and then {events}?",
    "The ledger of {name} opens with {start} {goods}. The entries say: {events}. With which number does it close?",
)
def stock_changes(draw: Draw) -> Draft:
    """A running total over 2 to 7 events."""
    goods, start = draw.pick(GOODS), draw.number(60, 400)
    now, changes, events, steps = start, [], [], []
    for _ in range(draw.number(2, 7)):
        gain, loss = draw.pick(_CHANGES)
        size = draw.number(5, 45)
        up = now - size < 10 or draw.chance(45)
        change = size if up else -size
        events.append((gain if up else loss).format(k=size))
        steps.append(f"{now} {'+' if up else '-'} {size} = {now + change}.")
        changes.append(change)
        now += change
    facts = {"name": draw.pick(NAMES), "goods": goods, "start": start, "changes": changes}
    shown = {"events": listing(events).replace(" and ", ", and then ")}
    return Draft(facts, str(now), tuple(steps), shown)


@skill(
    "A {place} makes {rate} {goods} an hour. It runs for {hours} hours, and {bad} of what it makes is faulty. How many good ones are there?",
    "Every hour {rate} {goods} leave the line of a {place}. After {hours} hours {bad} of them are rejected. How many pass?",
    "In {hours} hours, at {rate} {goods} per hour, a {place} has {bad} rejects. What is the number of sound {goods}?",
    "{bad} of the {goods} that a {place} turned out in {hours} hours had to be scrapped. It makes {rate} an hour. How many were kept?",
    "The manager of a {place} plans {hours} hours at {rate} {goods} per hour and expects {bad} to be spoiled. How many can be sold?",
    "How many usable {goods} come from a {place} that works {hours} hours, makes {rate} per hour and discards {bad}?",
)
def production(draw: Draw) -> Draft:
    """A rate, a time and a loss."""
    rate, hours, bad = draw.number(12, 90), draw.number(3, 12), draw.number(4, 30)
    goods = draw.pick(GOODS)
    steps = (
        f"In {hours} hours, {hours} × {rate} = {hours * rate} {goods} are made.",
        f"Without the {bad} faulty ones, {hours * rate} - {bad} = {hours * rate - bad} remain.",
    )
    facts = {"place": draw.pick(WORKPLACES), "rate": rate, "hours": hours, "bad": bad, "goods": goods}
    return Draft(facts, str(hours * rate - bad), steps)


@skill(
    "{older} is {gap} years older than {younger}. Together they are {total}. How old is {younger}?",
    "The ages of {older} and {younger} add up to {total}, and {older} was born {gap} years earlier. What is the age of {younger}?",
    "{younger} is {gap} years younger than {older}. If the sum of their ages is {total}, how old is {younger}?",
    "When asked about their ages, {older} and {younger} say: together {total}, apart {gap}. {older} is the elder. Find the age of {younger}.",
    "How old is {younger}, given that {older} is {gap} years ahead and both ages sum to {total}?",
    "Two cousins, {older} and {younger}, have lived {total} years between them. {older} has lived {gap} years longer. How many years has {younger} lived?",
)
def two_ages(draw: Draw) -> Draft:
    """Sum and difference."""
    young, gap = draw.number(5, 40), draw.number(2, 25)
    older, younger = draw.some(NAMES, 2)
    total = 2 * young + gap
    steps = (
        f"Let {younger} be x years old; then {older} is x + {gap}.",
        f"x + x + {gap} = {total}, so 2x = {total - gap}.",
        f"x = {(total - gap) // 2}, which means that {younger} is {young}.",
    )
    return Draft({"older": older, "younger": younger, "gap": gap, "total": total}, str(young), steps)


@skill(
    "A {vehicle} goes from {here} to {there} in {h} hours at {v} km/h and then on for {k} hours at {w} km/h. How far does it go in all?",
    "For {h} hours a {vehicle} keeps {v} km/h after leaving {here}; past {there} it keeps {w} km/h for {k} hours. What is the whole distance in kilometres?",
    "How many kilometres does a {vehicle} cover if it leaves {here}, travels {h} hours at {v} km/h, passes {there} and travels {k} hours more at {w} km/h?",
    "Between {here} and {there} a {vehicle} does {v} km/h for {h} hours. Beyond {there} it does {w} km/h for {k} hours. Find the total distance in km.",
    "Total distance wanted: {here} to {there}, {h} hours at {v} km/h; after that, {k} hours at {w} km/h, all with the same {vehicle}.",
    "The log of a {vehicle} reads: {here} to {there}, speed {v} km/h, time {h} hours; then speed {w} km/h, time {k} hours. How long was the trip in kilometres?",
)
def two_legs(draw: Draw) -> Draft:
    """Distance over two legs."""
    h, k, v, w = draw.number(2, 6), draw.number(2, 6), draw.number(3, 24) * 5, draw.number(3, 24) * 5
    here, there = draw.some(PLACES, 2)
    steps = (
        f"First leg: {h} × {v} = {h * v} km.",
        f"Second leg: {k} × {w} = {k * w} km.",
        f"In all {h * v} + {k * w} = {h * v + k * w} km.",
    )
    facts = {"vehicle": draw.pick(VEHICLES), "here": here, "there": there, "h": h, "k": k, "v": v, "w": w}
    return Draft(facts, f"{h * v + k * w} km", steps)


@skill(
    "A coat costs {price}. It is reduced by {first} %, and at the till another {second} % comes off the reduced price. What does {name} pay?",
    "{name} sees a {price} chair with {first} % off, and a voucher takes a further {second} % off what is left. What is the final price?",
    "What is left to pay of {price} after a discount of {first} % and then, on the new price, one of {second} %? {name} wants to know.",
    "The list price of a lamp is {price}. {name} gets {first} % off in the sale, then {second} % off the sale price as a member. How much is it?",
    "First minus {first} %, then minus {second} % of the rest: what becomes of the {price} that {name} would have paid for a bag?",
    "Compute the price for {name}: {price}, less {first} percent, and the remainder less {second} percent.",
)
def double_discount(draw: Draw) -> Draft:
    """Two discounts, one after the other."""
    first, second = draw.pick((10, 20, 25, 30, 40, 50)), draw.pick((10, 20, 50))
    price = draw.number(3, 40) * 2000
    after = price * (100 - first) // 100
    last = after * (100 - second) // 100
    steps = (
        f"{first} % of {dollars(price)} is {dollars(price - after)}, so the price falls to {dollars(after)}.",
        f"{second} % of {dollars(after)} is {dollars(after - last)}.",
        f"What is paid is {dollars(after)} - {dollars(after - last)} = {dollars(last)}.",
    )
    facts = {"name": draw.pick(NAMES), "price": price, "first": first, "second": second}
    wrong = (dollars(price * (100 - first - second) // 100),) if first + second < 100 else ()
    return Draft(facts, dollars(last), steps, {"price": dollars(price)}, wrong)


@skill(
    "Of {whole} {goods} at a fair, {part} were sold. What percentage is that?",
    "{part} out of {whole} {goods} have been sold. Give the share in percent.",
    "What percent of {whole} {goods} are {part} {goods}?",
    "A stall had {whole} {goods} and sold {part}. Which percentage of them went?",
    "Express {part} of {whole} {goods} as a percentage.",
    "When {part} of the {whole} {goods} are gone, what share is gone, in percent?",
)
def what_percent(draw: Draw) -> Draft:
    """A part as a percentage of a whole."""
    whole = draw.pick((20, 25, 40, 50, 80, 120, 150, 200, 250, 300, 400, 500))
    percent = draw.pick([p for p in range(4, 97) if whole * p % 100 == 0])
    part, goods = whole * percent // 100, draw.pick(GOODS)
    steps = (
        f"The share is {part} / {whole} = {part / whole:g}.",
        f"Times 100 that is {percent} %.",
    )
    return Draft({"whole": whole, "part": part, "goods": goods}, f"{percent} %", steps)


@skill(
    "A recipe for {dish} serves {few} and needs {grams} g of {food}. How many grams are needed for {many} people?",
    "{name} cooks {dish} for {many}. The recipe, meant for {few}, asks for {grams} g of {food}. How much {food} should {name} weigh out, in grams?",
    "To make {dish} for {few} people you take {grams} g of {food}. Scale this to {many} people and give the grams.",
    "How much {food} (in grams) goes into {dish} for {many}, if {few} people need {grams} g?",
    "{grams} g of {food} is enough {dish} for {few} guests. {many} guests are coming. What weight in grams is required?",
    "Scale the recipe: {dish}, {few} servings, {grams} g of {food}. Wanted: {many} servings. Grams of {food}?",
)
def recipe_scaling(draw: Draw) -> Draft:
    """Proportion by way of one serving."""
    few, each = draw.number(2, 6), draw.number(4, 30) * 5
    many = draw.pick([m for m in range(3, 21) if m != few])
    food = draw.pick(FOODS)
    steps = (
        f"One serving takes {few * each} / {few} = {each} g.",
        f"{many} servings take {many} × {each} = {many * each} g of {food}.",
    )
    facts = {"name": draw.pick(NAMES), "dish": draw.pick(DISHES), "food": food, "few": few, "many": many}
    return Draft({**facts, "grams": few * each}, f"{many * each} g", steps)


@skill(
    "{name} scored {scores} in {n} tests. What was the average?",
    "Find the mean of the {n} results that {name} got: {scores}.",
    "The {n} rounds of {name} gave {scores} points. How many points is that per round on average?",
    "On average, how many pages a day did {name} read over {n} days, if the counts were {scores}?",
    "{scores}: these are the {n} catches of {name} this season. What is their arithmetic mean?",
    "Over {n} days {name} walked {scores} kilometres. Work out the average distance per day.",
)
def average(draw: Draw) -> Draft:
    """The mean of 3 to 6 numbers, a whole number."""
    n, mean = draw.number(3, 6), draw.number(8, 60)
    scores = [max(1, mean + draw.number(-7, 7)) for _ in range(n - 1)]
    scores.append(n * mean - sum(scores))
    if scores[-1] < 1:
        scores = [mean - 1, mean + 1] + [mean] * (n - 2)
    total = sum(scores)
    steps = (
        f"The sum is {' + '.join(str(score) for score in scores)} = {total}.",
        f"Divided by {n}: {total} / {n} = {mean}.",
    )
    return Draft({"name": draw.pick(NAMES), "scores": scores, "n": n}, str(mean), steps)


@skill(
    "{first} sells {a} {goods} for {p}; {second} sells {b} of the same {goods} for {q}. Who is cheaper for each one?",
    "Which offer has the lower price per piece: {a} {goods} for {p} at the stall of {first}, or {b} {goods} for {q} at the stall of {second}?",
    "{goods}: {first} asks {p} for {a}, {second} asks {q} for {b}. Name the seller with the lower unit price.",
    "You need {goods}. {first} offers a pack of {a} at {p}, {second} a pack of {b} at {q}. From whom is a single piece cheaper?",
    "Compare the unit prices of {first} ({a} {goods}, {p}) and {second} ({b} {goods}, {q}). Whose is lower?",
    "Is it {first} with {a} {goods} at {p} or {second} with {b} {goods} at {q} who charges less for one?",
)
def unit_price(draw: Draw) -> Draft:
    """Two offers by unit price."""
    first, second = draw.some(NAMES, 2)
    a, b = draw.some((3, 4, 5, 6, 8, 10, 12), 2)
    one = draw.number(8, 60) * 5
    two = one + draw.pick((-25, -15, -10, -5, 5, 10, 15, 25))
    best, other = (first, second) if one < two else (second, first)
    facts = {"first": first, "second": second, "a": a, "b": b, "goods": draw.pick(GOODS), "p": a * one, "q": b * two}
    steps = (
        f"{first}: {dollars(a * one)} / {a} = {dollars(one)} each.",
        f"{second}: {dollars(b * two)} / {b} = {dollars(two)} each.",
        f"{dollars(min(one, two))} is less than {dollars(max(one, two))}, so {best} is cheaper.",
    )
    return Draft(facts, best, steps, {"p": dollars(a * one), "q": dollars(b * two)}, (other,))


@skill(
    "{name} has {have} and saves {weekly} a week. After how many weeks is there enough for a {goal} telescope?",
    "A telescope costs {goal}. {name} already has {have} and puts aside {weekly} every week. How many weeks must {name} save?",
    "How many weeks of saving {weekly} does it take {name} to get from {have} to at least {goal}?",
    "Each week {name} earns {weekly} by mowing lawns. With {have} in hand, in how many weeks can {name} buy a telescope for {goal}?",
    "{name} wants {goal}, owns {have} and adds {weekly} weekly. What is the smallest number of weeks that suffices?",
    "Saving plan of {name}: at the start {have}, every week {weekly}, target {goal}. When (in weeks) is the target reached?",
)
def weeks_of_saving(draw: Draw) -> Draft:
    """A division that is rounded up."""
    have, weekly = draw.number(1, 20) * 100, draw.number(4, 20) * 100
    goal = have + weekly * draw.number(3, 14) + draw.number(1, weekly // 100 - 1) * 100
    missing = goal - have
    weeks = -(-missing // weekly)
    steps = (
        f"Missing: {dollars(goal)} - {dollars(have)} = {dollars(missing)}.",
        f"{dollars(missing)} / {dollars(weekly)} is more than {weeks - 1} and at most {weeks}.",
        f"Part of a week does not do, so it takes {count(weeks, 'weeks')}.",
    )
    shown = {"have": dollars(have), "weekly": dollars(weekly), "goal": dollars(goal)}
    facts = {"name": draw.pick(NAMES), "have": have, "weekly": weekly, "goal": goal}
    return Draft(facts, f"{weeks} weeks", steps, shown, (f"{weeks - 1} weeks",))


@skill(
    "{one} and {two} share {total} {goods} in the ratio {a}:{b}. How many does {one} get?",
    "Split {total} {goods} between {one} and {two} so that their shares are as {a} to {b}. What is the share of {one}?",
    "For every {a} {goods} that {one} takes, {two} takes {b}. There are {total} in all. How many go to {one}?",
    "{total} {goods} are divided {a}:{b}, first part to {one}, second part to {two}. Find the number for {one}.",
    "If the {goods} of {one} and {two} are in the proportion {a} to {b} and number {total} together, how many are {one}'s?",
    "A will leaves {total} {goods} to {one} and {two} in the ratio of {a} to {b}. How many {goods} does {one} inherit?",
)
def ratio_share(draw: Draw) -> Draft:
    """A total divided in a ratio."""
    a, b = draw.some(range(1, 8), 2)
    each, goods = draw.number(3, 25), draw.pick(GOODS)
    one, two = draw.some(NAMES, 2)
    steps = (
        f"There are {a} + {b} = {a + b} parts.",
        f"One part is {(a + b) * each} / {a + b} = {each}.",
        f"{one} gets {a} × {each} = {a * each} {goods}.",
    )
    facts = {"one": one, "two": two, "total": (a + b) * each, "goods": goods, "a": a, "b": b}
    return Draft(facts, str(a * each), steps, wrong=(str(b * each),))
