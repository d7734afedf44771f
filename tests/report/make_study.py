"""Study and design documents for the tests: a planted 2x2x2 factorial with a centre point, five blocks, five panels."""

import itertools
import random
from statistics import fmean, stdev

FACTORS = ("Q", "D", "C")
PLANTED = {
    "id": (0.62, {"Q": 0.30, "D": 0.04, "C": 0.02, "Q:D": 0.01}),
    "compositions": (0.40, {"Q": 0.12, "D": 0.42, "C": 0.03, "Q:D": 0.10}),
    "deeper": (0.22, {"Q": 0.05, "D": 0.15, "C": 0.12, "Q:D": 0.04}),
    "longer": (0.31, {"Q": 0.06, "D": 0.02, "C": -0.05, "Q:D": 0.0}),
    "paraphrase": None,
}
REASON = "every run is at the floor (mean at most 0.02 in 45 of 45 runs)"


def verdict(lo, hi, margin=0.03):
    if lo > 0:
        return "raises"
    if hi < 0:
        return "lowers"
    return "no effect worth the margin" if -margin < lo and hi < margin else "cannot tell"


def score(panel, levels, rng):
    base, effects = PLANTED[panel]
    moved = sum(
        size / 2 * (levels[name] if ":" not in name else levels[name[0]] * levels[name[2]])
        for name, size in effects.items()
    )
    return round(min(1.0, max(0.0, base + moved + rng.gauss(0, 0.02))), 4)


def arm(name, levels, block, rng):
    quality, diversity, complexity = (levels.get(factor, 0) for factor in FACTORS)
    measured = {
        "verifier_mean": round(0.7 + 0.25 * quality + rng.gauss(0, 0.005), 4),
        "vendi:q=2": round(40 + 25 * diversity + rng.gauss(0, 0.5), 3),
        "steps_mean": round(2.0 + 0.8 * complexity + rng.gauss(0, 0.02), 4),
        "tokens_mean": round(61 + rng.gauss(0, 0.4), 3),
    }
    return {
        "name": name,
        "levels": levels,
        "block": block,
        "data_seed": int(block),
        "file": f"arms/{name}.jsonl",
        "records": 6000,
        "tokens": 366_000 + int(rng.gauss(0, 900)),
        "measured": measured,
    }


def estimate(factor, panel, size, rng, **more):
    """One effect around `size` with a half-width near .012."""
    if size is None:
        numbers = dict.fromkeys(("estimate", "lo", "hi", "se", "df", "p", "p_adjusted", "sd_units", "partial_r2"))
        return (
            {"factor": factor, "panel": panel, "kind": "designed", "unit": "score", "n_runs": 45}
            | numbers
            | more
            | {
                "verdict": "cannot tell",
                "undefined": REASON,
            }
        )
    at, se = size + rng.gauss(0, 0.005), 0.006 + 0.002 * rng.random()
    return {
        "factor": factor,
        "panel": panel,
        "kind": "designed",
        "estimate": round(at, 5),
        "lo": round(at - 2.03 * se, 5),
        "hi": round(at + 2.03 * se, 5),
        "level": 0.95,
        "se": round(se, 5),
        "df": 33,
        "p": min(1.0, 10 ** (-abs(at) / se / 2)),
        "p_adjusted": min(1.0, 4 * 10 ** (-abs(at) / se / 2)),
        "unit": "score",
        "sd_units": round(at / 0.2, 3),
        "partial_r2": round(min(0.99, abs(at)), 3),
        "n_runs": 45,
        "verdict": verdict(at - 2.03 * se, at + 2.03 * se),
        "undefined": None,
    } | more


def sized(panel, factor):
    return None if PLANTED[panel] is None else PLANTED[panel][1].get(factor, 0.0)


def document(title="Programs, equal records", seed=0):
    """One study document."""
    rng = random.Random(seed)
    conditions = [dict(zip(FACTORS, signs, strict=True)) for signs in itertools.product((-1, 1), repeat=3)]
    conditions.append(dict.fromkeys(FACTORS, 0))
    arms, points = [], []
    for block in map(str, range(5)):
        for levels in conditions:
            name = f"b{block}-" + "".join(f"{factor.lower()}{level + 1}" for factor, level in levels.items())
            arms.append(arm(name, levels, block, rng))
            for panel, planted in PLANTED.items():
                if planted is not None:
                    point = {"run": f"{name}-s0", "arm": name, "block": block, "panel": panel, "levels": levels}
                    points.append(point | {"score": score(panel, levels, rng)})
    effects = [
        estimate(factor, panel, sized(panel, factor), rng)
        for panel in PLANTED
        for factor in ("Q", "D", "C", "Q:D", "Q:C", "D:C")
    ]
    effects += [
        estimate(label, panel, None if PLANTED[panel] is None else 0.4 * PLANTED[panel][1][axis], rng, kind="measured")
        for panel in PLANTED
        for label, axis in (("verifier_mean", "Q"), ("vendi:q=2", "D"), ("steps_mean", "C"))
    ]
    return {
        "schema": "triptych/study@1",
        "title": title,
        "question": "What did quality, diversity and complexity do to ID and OOD scores?",
        "design": {
            "pool": {"path": "world programs", "records": 60000},
            "kind": "factorial",
            "equal": ["records"],
            "factors": {
                "Q": {"field": "share of correct traces", "levels": [0.45, 0.95], "reached": [0.45, 0.95]},
                "D": {"field": "skeletons", "levels": [12, 200], "reached": [12, 200]},
                "C": {"field": "depth", "levels": [1.2, 2.8], "reached": [1.2, 2.8]},
            },
            "condition_number": 1.0,
        },
        "margin": 0.03,
        "arms": arms,
        "runs": {
            "total": 46,
            "done": 45,
            "failed": [{"run": "b2-q2d2c2-s1", "arm": "b2-q2d2c2", "seed": 1, "error": "exit code 137: out of memory"}],
            "seconds": 412.5,
            "trainer": {"name": "tiny", "params": {"layers": 1, "width": 64, "steps": 700}, "hash": "5f0c1de9"},
        },
        "panels": panels(points),
        "balance": balance(),
        "diversity": [
            {
                "arm": each["name"],
                "vendi_minilm": each["measured"]["vendi:q=2"],
                "vendi_tfidf": 1.6 * each["measured"]["vendi:q=2"],
            }
            for each in arms[:9]
        ],
        "effects": effects,
        "contrasts": contrasts(rng),
        "cells": cells(points, conditions),
        "points": points,
        "dose": dose(points),
        "power": [
            {"factor": factor, "panel": panel, "mde": 0.018, "residual_sd": 0.021, "runs_for": {"0.05": 2, "0.02": 4}}
            for factor in FACTORS
            for panel in ("id", "compositions")
        ],
        "sensitivity": sensitivity(rng),
        "bakeoff": bakeoff(),
        "conclusions": [
            {"kind": "can", "text": "Quality raises the ID score by 0.30 (0.29 to 0.31)."},
            {"kind": "can", "text": "Diversity raises OOD compositions more than ID: by 0.38 (0.36 to 0.40)."},
            {"kind": "cannot", "text": "Whether any axis moves paraphrase: every run is at the floor."},
        ],
        "warnings": [{"code": "floor", "text": "paraphrase is at its floor in every run"}],
        "provenance": {
            "version": "0.1.0",
            "command": "triptych study --preset findings",
            "seed": 0,
            "seconds": 431.2,
            "packages": {"numpy": "2.3", "torch": "2.9", "statsmodels": "0.14"},
        },
    }


def panels(points):
    found = []
    for panel, planted in PLANTED.items():
        scores = [point["score"] for point in points if point["panel"] == panel]
        found.append(
            {
                "name": panel,
                "kind": "id" if panel == "id" else "ood",
                "items": 256,
                "scorer": "exact match",
                "mean": fmean(scores) if scores else None,
                "sd_runs": stdev(scores) if scores else None,
                "undefined": None if planted else REASON,
            }
        )
    return found


def balance():
    return [
        {"variable": "response tokens", "smd": 0.021, "ks": 0.03, "worst": "b0-q0d0c0 vs b0-q2d2c2"},
        {"variable": "prompt tokens", "smd": 0.012, "ks": 0.02, "worst": "b1-q0d0c0 vs b1-q2d2c0"},
        {"variable": "source", "smd": 0.143, "ks": 0.07, "worst": "b3-q0d0c2 vs b3-q2d2c2"},
    ]


def contrasts(rng):
    more = [
        ("D x panel: compositions - id", "D", 0.38),
        ("D x panel: deeper - id", "D", 0.11),
        ("Q x panel: compositions - id", "Q", -0.18),
    ]
    found = []
    for name, factor, size in more:
        item = estimate(factor, "", size, rng)
        del item["panel"]
        found.append(item | {"name": name, "panels": name.split(": ")[1].split(" - ")})
    return found


def cells(points, conditions):
    found = []
    for panel in PLANTED:
        for levels in conditions:
            scores = [point["score"] for point in points if point["panel"] == panel and point["levels"] == levels]
            if scores:
                se = stdev(scores) / len(scores) ** 0.5
                found.append({"panel": panel, "levels": levels, "mean": fmean(scores), "se": se, "n": len(scores)})
    return found


def dose(points):
    found = []
    for factor, panel, level in itertools.product(FACTORS, PLANTED, (-1, 0, 1)):
        scores = [p["score"] for p in points if p["panel"] == panel and p["levels"][factor] == level]
        if scores:
            se = stdev(scores) / len(scores) ** 0.5
            found.append(
                {"factor": factor, "panel": panel, "level": level, "mean": fmean(scores), "se": se, "n": len(scores)}
            )
    return found


def sensitivity(rng):
    found = []
    for factor, panel in (("Q", "id"), ("D", "compositions"), ("C", "deeper")):
        names = [f"without block {block}" for block in range(5)] + ["with tokens and length", "bootstrap over items"]
        for name in names:
            item = estimate(factor, panel, sized(panel, factor), rng)
            found.append({key: item[key] for key in ("factor", "panel", "estimate", "lo", "hi")} | {"name": name})
    return found


def bakeoff():
    return {
        "note": "held-out R^2 over leave-one-block-out folds, after length, size and quality",
        "skills": [
            {
                "measure": name,
                "axis": axis,
                "panel": panel,
                "skill": skill,
                "lo": skill - 0.08,
                "hi": skill + 0.08,
                "rank": rank,
                "rank_lo": 1,
                "rank_hi": 3,
            }
            for panel, skill0 in (("id", 0.3), ("compositions", 0.6))
            for rank, (name, axis, skill) in enumerate(
                [
                    ("vendi:q=2", "diversity", skill0),
                    ("distinct_n", "diversity", skill0 - 0.1),
                    ("steps_mean", "complexity", 0.04),
                ],
                1,
            )
        ],
    }


def parts():
    """Two worlds in one document."""
    return {
        "schema": "triptych/study@1",
        "title": "Findings",
        "question": "Do the three findings hold, and where?",
        "parts": [document("Programs"), document("Arithmetic text", 1)],
    }


HOSTILE = "<script>alert(1)</script> {{ 7*7 }} \u202egnp.exe\u202c\x1b[2J\n\n[bold]x[/bold] שלום \ud800"


def hostile(arms=200, count=40):
    """Hostile names everywhere, 200 arms, 40 panels, wrong types in places."""
    base, rng = document(HOSTILE), random.Random(1)
    names = [f"{at} {HOSTILE * 30}" for at in range(count)]
    base |= {
        "question": HOSTILE * 100,
        "panels": [{"name": name, "kind": "ood", "items": 1, "undefined": None} for name in names] + ["text", None, 7],
        "effects": [estimate(factor, name, 0.1, rng, unit=HOSTILE) for name in names for factor in (*FACTORS, HOSTILE)],
        "arms": [arm(f"{at}{HOSTILE}", {HOSTILE: 1, "Q": -1}, "0", rng) for at in range(arms)],
        "points": [
            {"run": HOSTILE, "arm": f"{at}{HOSTILE}", "panel": name, "levels": {"Q": (-1) ** at}, "score": at / arms}
            for name in names
            for at in range(arms)
        ],
        "conclusions": [{"kind": "can", "text": HOSTILE}, {"kind": HOSTILE, "text": HOSTILE}],
        "warnings": [{"code": HOSTILE, "text": f"{at}{HOSTILE * 50}"} for at in range(300)],
        "balance": [{"variable": HOSTILE, "smd": 1e300, "ks": float("nan"), "worst": HOSTILE}] * 200,
        "sensitivity": [
            {"name": HOSTILE, "factor": "Q", "panel": name, "estimate": 1e308, "lo": -1e308, "hi": 1e308}
            for name in names
        ],
        "bakeoff": {HOSTILE: [{HOSTILE: HOSTILE}] * 100, "x": {"y": {"z": [1, {"a": HOSTILE}]}}},
        "dose": [{"factor": "Q", "panel": name, "level": HOSTILE, "mean": 0.1} for name in names],
        "cells": [{"panel": names[0], "levels": {"Q": 1, "D": 1}, "mean": 0.5, "se": float("inf")}],
        "power": [{"factor": "Q", "panel": HOSTILE, "mde": -1, "runs_for": {HOSTILE: HOSTILE}}],
        "provenance": {HOSTILE: HOSTILE, "command": HOSTILE * 50},
        "runs": {"total": "many", "failed": [{"run": HOSTILE, "error": HOSTILE * 99}] * 500, "trainer": HOSTILE},
    }
    return base


def design():
    """A design document."""
    study = document()
    return study["design"] | {
        "schema": "triptych/design@1",
        "arms": [*study["arms"][:9], {"name": "random", "levels": {}, "records": 6000, "tokens": 365_000}],
        "balance": study["balance"],
        "diversity": study["diversity"],
        "overlap": {"largest": 0.41, "between": "b0-q2d2c0 and b0-q2d2c2", "mean": 0.12},
        "power": study["power"],
        "binding": None,
        "warnings": [{"code": "overlap", "text": "arms share up to 0.41 of their records"}],
        "provenance": study["provenance"],
    }
