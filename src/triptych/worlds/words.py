"""Names and things that the demo's questions speak of."""

NAMES = (
    "Amara Ben Chloe Daniel Elif Farid Grace Hugo Ines Jonas Keiko Leila Marco Nadia Omar Priya Quinn Rosa Samir Tara "
    "Ugo Vera Wendell Ximena Yusuf Zoe Anouk Bilal Carmen Dmitri Esther Fiona Goran Hana Igor Jasmine Kwame Lucia Mateo "
    "Noor Olga Pedro Rania Sven Tomas Uma Viktor Wanda Yara Zane"
).split()

GOODS = (
    "notebooks pens apples candles muffins postcards mugs lemons stickers batteries bagels tulips marbles ribbons "
    "oranges erasers magnets sandwiches scarves buttons plums lanterns socks brushes envelopes"
).split()

FOODS = "flour sugar rice oats milk butter cocoa lentils honey yogurt cornmeal almonds".split()

DISHES = (
    "pancakes",
    "lentil soup",
    "banana bread",
    "a rice pudding",
    "granola",
    "dumplings",
    "a cocoa cake",
    "biscuits",
)

PLACES = (
    "Arden Belcastle Corvale Dunmere Eastholm Fernley Glenport Harrowby Ironbridge Juniper Kestrel Larkhill Marlow "
    "Northgate Oakwell Pinecrest Quarrytown Redwater Silverton Thornbury"
).split()

VEHICLES = ("train", "bus", "ferry", "cyclist", "delivery van", "tram", "truck", "sailing boat")

WORKPLACES = ("bakery", "print shop", "workshop", "cannery", "mill", "paper factory", "brewery", "toy factory")

WORDS = (
    "river lantern velvet orchard thunder copper meadow anchor blossom cabin desert ember falcon garden harbor island "
    "jacket kettle ladder marble nectar oyster pebble quartz ribbon saddle timber umbrella valley walnut yellow zephyr "
    "basket candle dragon engine feather glacier hammer insect jungle kingdom library mirror needle ocean pencil quiver "
    "rocket silver temple uniform violin window bicycle cottage diamond elephant festival giraffe horizon"
).split()

SUBJECTS = "history biology chemistry music geography drawing physics grammar gardening pottery".split()

CLUBS = ("chess", "drama", "swimming", "robotics", "choir", "running", "cooking", "photography")

COLOURS = "red blue green yellow white black purple orange".split()

ERRANDS = (
    "buying groceries", "answering letters", "watering the plants", "repairing the bicycle", "calling the bank",
    "cleaning the kitchen", "walking the dog", "sorting the mail", "painting the fence", "packing a suitcase",
    "writing a report", "practising the piano",
)  # fmt: skip

DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()

MONTHS = "January February March April May June July August September October November December".split()
