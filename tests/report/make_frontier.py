"""Frontier documents for the tests: a plausible one with a planted front, one point, none defined, hostile, crowded, equal."""

import itertools
import random

JUDGES = (
    ("effective_templates", "effective templates", "effective records", True),
    ("ngram_entropy:n=3", "3-gram entropy", "nats", True),
    ("vendi:q=2", "Vendi, order 2", "effective records", False),
    ("novelty", "mean novelty", "ratio", False),
)
SWEEPS = {
    # policy: its dials from most diverse to highest quality, and how far its points stand above the common curve
    "balanced": ([("quality", q) for q in (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)], 0.10),
    "threshold": ([("level", q) for q in (0.2, 0.4, 0.6, 0.8, 0.9)], -0.06),
    "deita": ([("threshold", q) for q in (0.7, 0.8, 0.9)], 0.0),
    "mig": ([("weight", q) for q in (0.2, 0.5, 0.8)], 0.02),
    "facility_location": ([("weight", q) for q in (0, 0.3, 0.6, 0.9)], 0.03),
    "logdet": ([("weight", q) for q in (0, 0.5)], 0.05),
    "k_center": ([("", 0)], 0.02),
    "novelty": ([("", 0)], 0.04),
    "vendi_greedy": ([("weight", q) for q in (0, 0.5, 0.8)], 0.045),
    "archive": ([("", 0)], 0.01),
    "qurating": ([("temperature", q) for q in (2, 1, 0.5)], -0.03),
    "dedup": ([("", 0)], -0.05),
}
HOSTILE = "<script>alert(1)</script>{{ 7*7 }}\u202e\x1b[31m[bold]x[/bold]"


def reading(value, half, *, ratio=False):
    lo, hi = value - half, value + half
    return {"value": value, "lo": max(0.0, lo), "hi": min(1.0, hi) if ratio else hi, "reason": None}


def point(name, text, at, rng, role="policy", seed=0):
    """A point at (diversity share, quality)."""
    share, quality = at
    diversity = {
        "effective_templates": reading(60 + 380 * share, 9 + 5 * rng.random()),
        "ngram_entropy:n=3": reading(7.2 + 2.1 * share + rng.gauss(0, 0.05), 0.06),
        "vendi:q=2": reading(20 + 90 * share**1.3 + rng.gauss(0, 3), 3.5),
        "novelty": reading(min(1.0, 0.2 + 0.5 * share + rng.gauss(0, 0.02)), 0.015, ratio=True),
    }
    return {
        "id": f"{text}#{seed}" if role == "random" else text,
        "policy": name,
        "params": {},
        "text": text,
        "seed": seed,
        "role": role,
        "records": 1000,
        "tokens": 214_000 + int(9000 * rng.random()),
        "spent": 1000,
        "quality": reading(quality, 0.011 + 0.006 * rng.random(), ratio=True),
        "diversity": diversity,
        "complexity": reading(3.1 + 1.8 * quality * (1 - share) + rng.gauss(0, 0.15), 0.08),
        "facts": {},
        "notes": [],
        "undefined": None,
    }


def better(a, b, judge):
    """Whether a dominates b."""
    pairs = [(a["quality"]["value"], b["quality"]["value"])]
    pairs.append((a["diversity"][judge]["value"], b["diversity"][judge]["value"]))
    return all(x >= y for x, y in pairs) and any(x > y for x, y in pairs)


def finished(points, judges=JUDGES, **more):
    """The document that belongs to these points."""
    alive = [p for p in points if not p["undefined"]]
    fronts, volumes, knees, price = {}, {}, {}, []
    for key, _, _, _ in judges:
        for p in points:
            below = [q["id"] for q in alive if p in alive and better(q, p, key)]
            p.setdefault("dominated_by", {})[key] = below
            clear = [
                q["id"]
                for q in alive
                if q["id"] in below
                and (q["quality"]["lo"] > p["quality"]["hi"] or q["diversity"][key]["lo"] > p["diversity"][key]["hi"])
            ]
            p.setdefault("clearly_dominated_by", {})[key] = clear
        best = sorted(
            (p for p in alive if not p["dominated_by"][key]), key=lambda p, key=key: p["diversity"][key]["value"]
        )
        fronts[key] = [p["id"] for p in best]
        knees[key] = fronts[key][len(best) // 2] if len(best) > 2 else None
        volumes[key] = {
            name: max(p["quality"]["value"] * p["diversity"][key]["value"] / 600 for p in alive if p["policy"] == name)
            for name in dict.fromkeys(p["policy"] for p in alive)
        }
        for start, end in itertools.pairwise(best):
            gained = end["diversity"][key]["value"] - start["diversity"][key]["value"]
            lost = start["quality"]["value"] - end["quality"]["value"]
            told = "clear" if start["quality"]["lo"] > end["quality"]["hi"] else "cannot tell"
            price.append(
                {"judge": key, "from": start["id"], "to": end["id"], "policy": None, "diversity_gained": gained}
                | {"quality_lost": lost, "per_unit": lost / gained if gained else None, "verdict": told}
            )
    first = judges[0][0]
    return {
        "schema": "triptych/frontier@1",
        "data": {"name": "gsm8k_model_solutions", "path": "data/gsm8k model.jsonl.gz", "sha256": "ab" * 32}
        | {"rows": 7914, "records": 7914},
        "budget": {"number": 1000, "unit": "records"},
        "pool": {"records": 7914, "candidates": 7650, "tokens": 1_650_000},
        "at": 1000,
        "quality": {"label": "correct", "unit": "ratio"},
        "diversity": [
            {"label": key, "title": title, "unit": unit, "independent": own} for key, title, unit, own in judges
        ],
        "complexity": {"label": "reasoning_steps", "unit": "steps"},
        "points": points,
        "frontier": fronts,
        "hypervolume": volumes,
        "hypervolume_of_all": {first: 0.8},
        "knee": knees,
        "knee_reason": {
            key: None if knees[key] else "the front has 2 different points, a knee needs 3" for key in knees
        },
        "price": price,
        "noise": {},
        "threshold": None,
        "typicality": None,
        "pick": {"rule": "knee", "id": knees[first], "why": "it is the knee"} if knees[first] else None,
        "failed": [],
        "skipped": [],
        "warnings": [],
        "provenance": {"version": "0.4.0", "command": "triptych frontier data.jsonl --budget 1000", "seed": 0},
    } | more


def spread(rng, sweeps=SWEEPS):
    points = [
        point("random", "random", (0.47 + rng.gauss(0, 0.015), 0.60 + rng.gauss(0, 0.008)), rng, "random", seed)
        for seed in range(5)
    ]
    points.append(point("longest", "longest", (0.36, 0.52), rng, "longest"))
    points.append(point("top_quality", "top_quality", (0.12, 0.985), rng, "top_quality"))
    points.append(point("vendi_greedy", "vendi_greedy:quality=0", (0.93, 0.45), rng, "most_diverse"))
    for name, (dials, above) in sweeps.items():
        for at, (dial, value) in enumerate(dials):
            share = 0.5 if len(dials) == 1 else 1 - (at + 0.5) / len(dials)
            share = 0.15 + 0.75 * share
            quality = min(1.0, (1 - share**2.2) * 0.62 + 0.36 + above + rng.gauss(0, 0.006))
            text = f"{name}:{dial}={value}" if dial else name
            points.append(point(name, text, (share + above, quality), rng))
    return points


def threshold(points):
    rows = []
    for at, level in enumerate((0.2, 0.4, 0.6, 0.8, 0.9)):
        own = points[at]
        rows.append(
            {"id": own["id"], "threshold": level, "share": 0.95 - 0.2 * at, "records": 1000}
            | {key: own[key] for key in ("quality", "diversity", "complexity")}
        )
    return {
        "rows": rows,
        "verdict": "quality rises, the distribution narrows",
        "text": "Tightening the threshold: quality rises (+0.35 [+0.33, +0.37]).",
        "undefined": None,
        "quality_change": {"value": 0.35, "lo": 0.33, "hi": 0.37, "verdict": "rises"},
        "diversity_change": {
            "effective_templates": {"value": -200, "lo": -220, "hi": -180, "verdict": "narrows"},
            "vendi:q=2": {"value": -2, "lo": -6, "hi": 2, "verdict": "cannot tell"},
        },
    }


def typicality():
    rows = [
        {"decile": at + 1, "records": 765, "typicality": 0.3 + 0.05 * at, "length": 300 - 9 * at}
        | {"compliance": reading(0.42 + 0.3 * (1 - (1 - at / 9) ** 2), 0.03, ratio=True)}
        for at in range(10)
    ]
    return {
        "records": 7650,
        "label": "mean cosine to the 10 nearest neighbours",
        "quality": "correct",
        "deciles": rows,
        "difference": {"value": -0.21, "lo": -0.25, "hi": -0.17},
        "verdict": "less",
        "text": "Records far from the typical case comply less (-0.21 [-0.25, -0.17]).",
        "undefined": None,
    }


def document():
    """Twelve policies, four judges, a planted front."""
    rng = random.Random(7)
    points = spread(rng)
    late = point("dedup", "dedup:share=0.1", (0.4, 0.6), rng) | {"undefined": "it spent 612 of 1000 records"}
    points.append(late)
    levels = [p for p in points if p["policy"] == "threshold"]
    return finished(
        points,
        threshold=threshold(levels),
        typicality=typicality(),
        failed=[{"policy": "deita:threshold=0.99", "error": "too few: 412 of 1000 records are that far apart"}],
        skipped=[{"policy": "archive:by=skill", "reason": "the data have no field skill"}],
        warnings=[{"code": "common_number", "text": "Diversity is read on 1,000 records of each selection."}],
    )


def one_point():
    return finished([point("balanced", "balanced:quality=0.8", (0.5, 0.8), random.Random(1))])


def undefined():
    found = spread(random.Random(2))
    for p in found:
        p["undefined"] = "no record is valid"
        p["quality"] = {"value": None, "lo": None, "hi": None, "reason": "no record is valid"}
    return finished(found, pick=None)


def crowded(count=60):
    """Many points of many policies close together."""
    rng = random.Random(3)
    points = [
        point(
            f"policy_{at % 15}",
            f"policy_{at % 15}:dial={at}",
            (0.4 + rng.gauss(0, 0.05), 0.7 + rng.gauss(0, 0.03)),
            rng,
        )
        for at in range(count)
    ]
    return finished(points)


def equal():
    """Every point at the same place."""
    rng = random.Random(4)
    points = [point(f"policy_{at}", f"policy_{at}", (0.5, 0.8), rng) for at in range(8)]
    for p in points:
        for key in ("quality", "diversity", "complexity"):
            p[key] = points[0][key]
    return finished(points)


def hostile(count=12):
    """Texts and numbers that must not break the page."""
    rng = random.Random(5)
    points = [
        point(HOSTILE + str(at), HOSTILE + f":x={at}", (rng.random(), rng.random()), rng, role=HOSTILE)
        for at in range(count)
    ]
    judges = [(HOSTILE, HOSTILE, HOSTILE, None)]
    for p in points:
        p["diversity"] = {HOSTILE: p["diversity"]["effective_templates"]}
    points[0]["quality"] = {"value": float("nan"), "lo": 0, "hi": 1}
    points[1]["quality"] = {"value": 10**400}
    points[2]["diversity"] = 7
    points[3]["complexity"] = {"value": 1e300, "lo": -1e300, "hi": 1e300}
    made = [p for p in points if isinstance(p["diversity"], dict) and p["quality"]["value"] == p["quality"]["value"]]
    found = finished([p for p in made if p["quality"]["value"] < 2], judges)
    found["points"] = [*points, 7, None, {"id": None}]
    return found | {
        "data": {"name": HOSTILE, "path": HOSTILE + "'; rm -rf x", "records": "many"},
        "quality": {"label": HOSTILE, "title": HOSTILE, "unit": HOSTILE},
        "complexity": {"label": HOSTILE},
        "threshold": {
            "rows": [{"threshold": HOSTILE, "quality": {"value": 0.5}}, {"threshold": 1, "quality": {"value": 1}}]
        }
        | {"text": HOSTILE, "verdict": HOSTILE, "diversity_change": {HOSTILE: {"verdict": HOSTILE}}},
        "typicality": {
            "deciles": [{"decile": HOSTILE, "compliance": {"value": v}} for v in (0.1, "x", 0.4)],
            "text": HOSTILE,
        },
        "pick": {"rule": HOSTILE, "id": HOSTILE},
        "failed": [{"policy": HOSTILE, "error": HOSTILE}] * 300,
        "skipped": [HOSTILE, {"policy": HOSTILE}],
        "warnings": [{"code": HOSTILE, "text": f"{at} {HOSTILE}"} for at in range(300)],
        "provenance": {HOSTILE: HOSTILE, "packages": {HOSTILE: 1}},
    }
