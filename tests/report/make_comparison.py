"""Comparison documents for the tests: a controlled pair that length explains, a trade, confounded, six sets, undefined, equal, hostile."""

import copy

MEASURES = (
    # label, title, axis, unit, better, headline, margin (a ratio's share, else of the mean)
    ("label_mean:field=correct", "Label mean", "quality", "ratio", "higher", True),
    ("valid_share", "Valid share", "quality", "ratio", "higher", False),
    ("defect_rate:kind=empty", "Defect rate", "quality", "ratio", "lower", False),
    ("effective_structures", "Effective structures", "diversity", "effective structures", "higher", True),
    ("vendi:q=2,valid_only=true", "Vendi score", "diversity", "effective records", "higher", True),
    ("near_duplicate_rate", "Near-duplicate rate", "diversity", "ratio", "lower", False),
    ("distinct_n", "Distinct-2", "diversity", "ratio", "higher", False),
    ("self_repetition", "Self-repetition", "diversity", "nats", "lower", False),
    ("reasoning_steps", "Reasoning steps", "complexity", "steps", "neither", True),
    ("tokens", "Tokens", "complexity", "tokens", "neither", False),
    ("readability_grade", "Readability grade", "complexity", "school grade", "neither", False),
)
PARAMS = {
    "label_mean:field=correct": {"field": "correct"},
    "defect_rate:kind=empty": {"kind": "empty"},
    "vendi:q=2,valid_only=true": {"q": 2, "valid_only": True},
}
BASE = {
    "label_mean:field=correct": 0.612,
    "valid_share": 0.981,
    "defect_rate:kind=empty": 0.012,
    "effective_structures": 412.0,
    "vendi:q=2,valid_only=true": 143.0,
    "near_duplicate_rate": 0.061,
    "distinct_n": 0.413,
    "self_repetition": 2.21,
    "reasoning_steps": 4.62,
    "tokens": 211.0,
    "readability_grade": 7.9,
}
QUESTIONS = {
    "raw": "how the two sets differ as they are, in size too",
    "records": "which is better with equally many records",
    "length": "which is better among records of like length; the mix of prompts is then not that of the sets",
    "prompt": "which answers the same prompts better, with equally many responses to each",
    "prompt+length": "which is better between two responses of like length to one prompt",
}
HOSTILE = "<script>alert(1)</script>{{ 7*7 }}\u202e\x1b[31m[bold]x[/bold]"


def result(label, shift, wide=1.0, n=(4000, 4000)):
    """A result whose difference is `shift` margins, with an interval of `wide` margins to either side."""
    _, title, axis, unit, better, headline = next(each for each in MEASURES if each[0] == label)
    b = BASE[label]
    margin = 0.02 if unit == "ratio" else 0.05 * b
    diff, half = shift * margin, wide * margin
    told = abs(shift) > wide
    higher = (shift > 0) == (better != "lower")
    verdict = "equivalent" if abs(shift) + 0.84 * wide < 1 else ("a" if higher else "b") if told else "cannot tell"
    return {
        "measure": label.split(":")[0],
        "label": label,
        "title": title,
        "axis": axis,
        "unit": unit,
        "better": better,
        "headline": headline,
        "spec": {"params": PARAMS.get(label, {}), "hash": "0f" * 8},
        "a": b + diff,
        "b": b,
        "n": list(n),
        "diff": diff,
        "lo": diff - half,
        "hi": diff + half,
        "se": half / 2.04,
        "p": 0.0002 if told else 0.3,
        "p_adjusted": 0.0021 if told else 1.0,
        "margin": margin,
        "margin_why": "0.02" if unit == "ratio" else "0.05 of the mean of both values",
        "verdict": verdict,
        "about": f"{verdict}: as the interval says",
        "needed": 9800 if verdict == "cannot tell" else None,
        "undefined": None,
    }


def balance(after):
    """Tokens and length far apart before, and so much of it left after."""
    before = {"tokens": 0.64, "length": 0.71, "log length": 0.66, "valid": 0.03, "difficulty": -0.12}
    return [
        {"variable": name, "before": gap, "after": gap * after.get(name, after[""]), "asked": name in after}
        for name, gap in before.items()
    ] + [{"variable": "turns", "before": None, "after": None, "asked": False}]


def view(name, shifts, wide=1.0, n=(4000, 4000), after=None, draws=1):
    """A view with these differences, in margins; 0.2 where none is given."""
    return {
        "name": name,
        "question": QUESTIONS[name],
        "paired": "prompt" in name,
        "draws": draws,
        "records": list(n),
        "tokens": [n[0] * 254, n[1] * 211],
        "balance": balance(after or {"": 1.0}),
        "undefined": None,
        "results": [result(label, shifts.get(label, 0.2), wide, n) for label, *_ in MEASURES],
    }


def undefined_view(name, reason):
    """A view that these sets do not have."""
    made = view(name, {}) | {"undefined": reason, "draws": 0, "records": [0, 0], "tokens": [0, 0], "balance": []}
    for item in made["results"]:
        item |= dict.fromkeys(("a", "b", "diff", "lo", "hi", "se", "p", "p_adjusted", "margin", "needed"))
        item |= {"undefined": reason, "verdict": "cannot tell", "n": [0, 0]}
    return made


def views():
    """A difference of diversity and steps that is length; quality stays."""
    raw = {
        "label_mean:field=correct": 3.1,
        "effective_structures": 2.6,
        "vendi:q=2,valid_only=true": -2.4,
        "near_duplicate_rate": -1.9,
        "distinct_n": -3.6,
        "reasoning_steps": 5.4,
        "tokens": 4.3,
    }
    held = {"label_mean:field=correct": 2.7, "effective_structures": 0.1, "vendi:q=2,valid_only=true": 0.7}
    held |= {"reasoning_steps": 1.1, "tokens": 0.02, "distinct_n": 0.2}
    same = {"label_mean:field=correct": 2.9, "effective_structures": 1.9, "vendi:q=2,valid_only=true": -1.3}
    same |= {"reasoning_steps": 4.0, "tokens": 3.9}
    both = {"label_mean:field=correct": 2.4, "effective_structures": 0.3, "vendi:q=2,valid_only=true": 1.9}
    both |= {"reasoning_steps": 0.9, "tokens": 0.1}
    return [
        view("raw", raw, 0.55, (6240, 4000)),
        view("records", raw, 0.7, draws=8),
        view("length", held, 0.72, (2610, 2610), {"": 0.2, "length": 0.01, "log length": 0.02}, 8),
        view("prompt", same, 0.9, (3120, 3120), {"": 0.8, "difficulty": 0.0}, 8),
        view("prompt+length", both, 1.5, (801, 801), {"": 0.3, "length": 0.04, "difficulty": 0.0}),
    ]


SETS = (("ours_v2", 6240, 1_584_960, 0.981), ("baseline", 4000, 844_000, 0.978))


def sets(found=SETS):
    return [
        {
            "name": name,
            "path": f"data/{name}.jsonl.gz",
            "sha256": f"{at}a" * 32,
            "records": records,
            "tokens": tokens,
            "valid": valid,
            "prompts": 1319,
        }
        for at, (name, records, tokens, valid) in enumerate(found)
    ]


def audit():
    return {
        "verdict": "controlled",
        "sentence": "Only the generator differs: prompts, tasks and filters are the same on both sides.",
        "same": [
            {"cause": "prompts", "text": "1,319 of 1,319 prompts are the same text"},
            {"cause": "tasks", "text": "one task: grade-school mathematics"},
            {"cause": "filters", "text": "neither was filtered"},
        ],
        "differs": [
            {
                "cause": "generator",
                "text": "other models wrote the responses",
                "first": "model-8b",
                "second": "model-1b",
            }
        ],
        "outcomes": [
            {"name": "length", "text": "254 against 211 tokens", "smd": 0.71},
            {"name": "language", "text": "English in both", "smd": None},
            {"name": "style", "text": "lists in 0.31 against 0.12 of the responses", "smd": 0.38},
        ],
        "missing": [],
        "prompts": {"exact": [0.97, 0.99], "normalized": [0.99, 0.992], "near": [1.0, 1.0]},
    }


def document():
    """Two sets, controlled; the main view holds the number of records equal."""
    made = views()
    main = made[1]
    return {
        "schema": "triptych/comparison@1",
        "sets": sets(),
        "comparability": audit(),
        "pairs": [{"first": "ours_v2", "second": "baseline", "views": made, "primary": "records", "price": price()}],
        "matched": {"records": main["records"], "tokens": main["tokens"], "balance": main["balance"]},
        "results": main["results"],
        "ranks": None,
        "contamination": contamination(),
        "across": across(),
        "models": models(),
        "warnings": [{"code": "size", "text": "The sets differ in size: the raw view compares sizes too."}],
        "provenance": {
            "version": "0.1.0",
            "command": "triptych compare data/ours_v2.jsonl.gz data/baseline.jsonl.gz --match records,length,prompt",
            "seed": 0,
            "seconds": 41.2,
            "packages": {"numpy": "2.3.1"},
        },
    }


def price():
    return {
        "better_quality": "a",
        "better_diversity": "b",
        "quality": "label_mean:field=correct",
        "diversity": "vendi:q=2,valid_only=true",
        "quality_lost": 0.062,
        "diversity_gained": 17.2,
        "per_unit": 0.0036,
        "lo": 0.0021,
        "hi": 0.0061,
        "unit": "ratio per effective records",
    }


def contamination():
    text = "Natalia sold clips to 48 of her friends in April, and then she sold half as many clips in May."
    found = {
        "set": "ours_v2",
        "name": "gsm8k_test",
        "records": 6240,
        "hits": 41,
        "share": 0.0066,
        "lo": 0.0048,
        "hi": 0.0089,
        "precision": {"value": 0.92, "lo": 0.86, "hi": 0.97, "by": "chance"},
        "threshold": 0.5,
        "items": 1319,
        "items_hit": 38,
        "examples": [
            {"record": {"source": "ours_v2", "row": 181, "field": "prompt"}, "spans": [[0, 49], [55, 93]], "text": text}
        ],
    }
    none = {"set": "ours_v2", "name": "humaneval", "records": 6240, "hits": 0, "share": 0.0, "lo": 0.0, "hi": 0.0006}
    return {"benchmarks": [found, none | {"precision": None}], "text": "41 records hold much of a text of gsm8k_test."}


def across():
    texts = ("There are 12 apples, so 12 / 3 = 4 each.", "There are 12 apples. 12 / 3 = 4 each.")
    first, second = (
        {"record": f"{name}:7", "text": text, "spans": [[0, 19]]}
        for name, text in zip(("ours_v2", "baseline"), texts, strict=True)
    )
    labels = {"labelled": 50, "threshold": 0.8, "precision": 0.84, "lo": 0.71, "hi": 0.92, "undefined": None}
    by_text = {"by": "text", "on": "response", "pairs": 212, "share": 0.053, "lo": 0.046, "hi": 0.061, "threshold": 0.8}
    example = {"first": first, "second": second, "similarity": 0.86, "span": "12 / 3 = 4 each"}
    meaning = {"by": "meaning", "on": "response", "pairs": None, "undefined": "no threshold parts the pairs"}
    return by_text | {"adjudication": labels, "examples": [example], "meaning": meaning}


def models():
    def at(value):
        return {"value": value, "lo": value - 0.02, "hi": value + 0.02, "n": 1319, "undefined": None}

    ours = {"set": "ours_v2", "quality": at(0.612), "per_prompt": at(0.21), "per_prompt_novelty": at(0.4)}
    theirs = {"set": "baseline", "quality": at(0.55), "per_prompt": at(0.34), "per_prompt_novelty": at(0.6)}
    return {
        "k": [1, 4, 16],
        "text": "ours_v2 is better than baseline at k = 1 and worse at k = 16: it has narrowed.",
        "note": "",
        "undefined": None,
        "rows": [
            ours | {"complexity": at(4.6), "pass_at": {"1": at(0.612), "4": at(0.741), "16": at(0.79)}},
            theirs | {"complexity": at(4.1), "pass_at": {"1": at(0.55), "4": at(0.76), "16": at(0.86)}},
        ],
    }


def confounded():
    """Several causes differ at once; differences of many margins."""
    made = document()
    made["comparability"] = audit() | {
        "verdict": "confounded",
        "sentence": "Prompts, generator, filters, tasks and seeds differ at once.",
        "same": [],
        "differs": [
            {
                "cause": "prompts",
                "text": "few are shared",
                "first": "0.02 of 3,912 prompts",
                "second": "0.06 of 1,319 prompts",
            },
            {"cause": "generator", "text": "", "first": "model-8b", "second": "people"},
            {"cause": "filters", "text": "", "first": "reward over 0.7", "second": "none"},
            {"cause": "tasks", "text": "", "first": "mathematics, code", "second": "mathematics"},
            {"cause": "seeds", "text": "", "first": "self-instruct", "second": "textbooks"},
        ],
        "prompts": {"exact": {"a": 0.02, "b": 0.06}},
    }
    far = {"label_mean:field=correct": -14.0, "effective_structures": 42.0, "vendi:q=2,valid_only=true": 8.1}
    made["pairs"] = [
        {
            "first": "ours_v2",
            "second": "baseline",
            "views": [
                view("raw", far, 1.4, (6240, 4000)),
                view("records", {"effective_structures": 11.0}, 1.8),
                undefined_view("prompt", "the two sets have no prompt in common"),
            ],
            "primary": "records",
            "price": None,
        }
    ]
    return made | {"contamination": None, "across": None, "models": None}


SIX = ("solver-6b", "solver-175b", "verifier-6b", "verifier-175b", "calculator-6b", "calculator-175b")


def six():
    """Six sets against one baseline, with ranks."""
    made = document()
    made["sets"] = sets([(name, 1319, 1319 * (90 + 7 * at), 0.99) for at, name in enumerate(SIX)])
    made["comparability"]["prompts"] = {"exact": 1.0}
    made["pairs"] = []
    for at, name in enumerate(SIX[1:]):
        shifts = {"label_mean:field=correct": -2.0 * at, "vendi:q=2,valid_only=true": (3.0, -2.6, 0.1, -0.4, 1.3)[at]}
        made["pairs"].append(
            {
                "first": SIX[0],
                "second": name,
                "views": [view("prompt", shifts, 0.8, (1319, 1319)), view("length", {}, 1.1, (602, 602), {"": 0.1})],
                "primary": "prompt",
                "price": None,
                "comparability": made["comparability"],
            }
        )
    values = (0.212, 0.336, 0.395, 0.551, 0.344, 0.402)
    made["ranks"] = [
        ranked("label_mean:field=correct", values, 0.02),
        ranked("vendi:q=2,valid_only=true", [300 * value for value in values[::-1]], 24.0),
    ]
    return made | {"contamination": None, "across": None, "models": None}


def ranked(label, values, half):
    order = sorted(zip(values, SIX, strict=True), reverse=True)
    found = []
    for value, name in order:
        above = sum(other - half > value + half for other in values)
        below = sum(other + half < value - half for other in values)
        found.append(
            {"set": name, "value": value, "lo": value - half, "hi": value + half}
            | {"rank_lo": above + 1, "rank_hi": len(values) - below}
        )
    title, axis, unit = next((each[1], each[2], each[3]) for each in MEASURES if each[0] == label)
    return {
        "measure": label,
        "label": label,
        "title": title,
        "axis": axis,
        "unit": unit,
        "better": "higher",
        "order": found,
    }


def all_undefined():
    """No view can be made."""
    made = document()
    reason = "no records of the two sets can be matched so"
    made["pairs"][0] |= {"views": [undefined_view(name, reason) for name in QUESTIONS], "price": None}
    made["comparability"] = {
        "verdict": "unknown",
        "sentence": "Neither file says how it was made.",
        "missing": [
            "a recipe card of either set",
            "a field that names the generator",
            "prompts: the records are plain text",
        ],
    }
    return made | {"contamination": {"benchmarks": []}, "across": None, "models": None}


def equal():
    """One set against itself under the same name."""
    made = document()
    made["sets"] = sets([("data", 4000, 844_000, 1.0)] * 2)
    made["comparability"] = audit() | {"differs": [], "sentence": "No known cause differs."}
    zero = [result(label, 0.0, 0.0) for label, *_ in MEASURES]
    for item in zero:
        item |= {"p": 1.0, "p_adjusted": 1.0, "verdict": "equivalent"}
    made["pairs"] = [
        {
            "first": "data",
            "second": "data",
            "views": [view("raw", {}) | {"results": zero, "balance": balance({"": 0.0})}],
            "primary": "raw",
            "price": None,
        }
    ]
    return made | {"contamination": None, "across": None, "models": None, "warnings": []}


def hostile():
    """Texts and numbers that must not break the page."""
    made = document()
    made["sets"] = [
        each | {"name": f"{HOSTILE}{at}", "path": HOSTILE, "tokens": "many"} for at, each in enumerate(sets())
    ]
    for pair in made["pairs"]:
        pair |= {"first": f"{HOSTILE}0", "second": f"{HOSTILE}1", "primary": HOSTILE}
        pair["price"] |= {"unit": HOSTILE, "per_unit": 1e300, "quality_lost": HOSTILE}
        for found in pair["views"]:
            found |= {"question": HOSTILE, "records": HOSTILE, "draws": -4}
            for item in found["results"]:
                item |= {"title": HOSTILE, "unit": HOSTILE, "about": HOSTILE, "margin_why": HOSTILE}
        first = pair["views"][0]["results"]
        first[0] |= {"diff": float("nan"), "margin": 0}
        first[1] |= {"diff": 10**400}
        first[3] |= {"margin": 1e-300}
        first[4] |= {"margin": -1, "verdict": HOSTILE}
        first[5] |= {"lo": 5, "hi": -5, "axis": HOSTILE, "label": HOSTILE}
        pair["views"][1]["name"] = HOSTILE
        pair["views"][1]["results"] += [7, None, {}, {"diff": 1}]
        pair["views"].append({"name": None})
    made["pairs"] += [{}, {"first": HOSTILE, "views": [7]}, 7, {"views": HOSTILE, "primary": []}]
    made["comparability"] |= {
        "differs": [HOSTILE, 7, {"cause": HOSTILE, "first": [HOSTILE] * 50, "second": {HOSTILE: 1}}]
    }
    made["comparability"] |= {
        "verdict": "confounded",
        "outcomes": [{"name": HOSTILE, "smd": HOSTILE}],
        "missing": [HOSTILE, {}],
    }
    made["ranks"] = [
        {"measure": HOSTILE, "order": [{"set": HOSTILE, "value": v, "rank_lo": HOSTILE} for v in (1, 2, "x")]},
        7,
        {"order": []},
    ]
    made["contamination"] = {
        "benchmarks": [
            {
                "name": HOSTILE,
                "hits": HOSTILE,
                "precision": {"value": 0.5},
                "examples": [
                    {
                        "record": HOSTILE,
                        "text": HOSTILE * 40,
                        "spans": [[3, 10**9], [-4, 2], HOSTILE, [1], {"start": 5}],
                    },
                    {"text": 7, "spans": 7},
                    7,
                ],
            },
            7,
        ]
    }
    made["across"] = {
        "pairs": HOSTILE,
        "examples": [{"first": {"text": HOSTILE}, "second": [HOSTILE], "span": [HOSTILE]}] * 90,
    }
    made["models"] = {"k": [HOSTILE, 4], "rows": [{"set": HOSTILE, "quality": HOSTILE, "pass_at": {HOSTILE: 1, 4: 7}}]}
    made["warnings"] = [{"code": HOSTILE, "text": f"{at} {HOSTILE}"} for at in range(300)]
    made["provenance"] = {HOSTILE: HOSTILE, "command": ["triptych", "compare", HOSTILE + "'; rm -rf x"]}
    return made


def wrong():
    """Every key of another type."""
    kinds = ("sets", "comparability", "pairs", "ranks", "contamination", "across", "models", "warnings", "provenance")
    return dict.fromkeys(kinds, 7)


def many(pairs=24):
    """More pairs and measures than a page can hold."""
    made = six()
    one = copy.deepcopy(document()["pairs"][0])
    for found in one["views"]:
        found["results"] = [
            item | {"label": f"{item['label']}:{at}", "about": "y" * 400}
            for item in found["results"]
            for at in range(9)
        ]
    made["pairs"] = [one | {"second": f"set {at}"} for at in range(pairs)]
    return made
