"""Guard and loop documents for the tests: plausible courses of rounds, hostile ones, crowded ones, and ones with holes."""

import math
import random

HOSTILE = "<script>alert(1)</script>{{ 7*7 }}\u202e\x1b[31m[bold]x[/bold]"
PANELS = {"id": "id", "compositions": "ood", "deeper": "ood"}
COURSES = {
    # policy: start and end of measured quality, id, ood, effective structures generated
    "quality_only": ((0.34, 0.997), (0.74, 0.03), (0.71, 0.02), (57.0, 4.2)),
    "correct": ((0.34, 0.71), (0.74, 0.93), (0.71, 0.69), (57.0, 41.0)),
    "keep": ((0.34, 0.66), (0.74, 0.97), (0.71, 0.93), (57.0, 334.0)),
}
STATES = {
    "quality_only": ["healthy", "healthy", "collapsing", "collapsing", "collapsing", "collapsing", "collapsing"],
    "correct": ["healthy", "healthy", "healthy", "stalled", "stalled", "stalled", "stalled"],
    "keep": ["healthy"] * 7,
}
VERDICTS = {"healthy": "continue", "quality_control": "continue", "stalled": "warn", "collapsing": "stop"}
TITLES = {"quality_only": "Likeliest first", "correct": "Whatever is correct", "keep": "Keep: our controller"}
SKILLS = ("reverse", "sort", "double", "increment", "rotate", "drop", "mirror", "square")


def number(value, half=None, n=1000, *, share=False):
    """A reading with its interval."""
    if half is None:
        return {"value": value, "lo": None, "hi": None, "n": n, "undefined": None}
    lo, hi = value - half, value + half
    lo, hi = (max(0.0, lo), min(1.0, hi)) if share else (lo, hi)
    return {"value": value, "lo": lo, "hi": hi, "n": n, "undefined": None}


def undefined(reason):
    return {"value": None, "lo": None, "hi": None, "n": 0, "undefined": reason}


def between(ends, at, *, log=False):
    """From one end to the other, most of the way in the middle of the run."""
    way = 1 / (1 + math.exp(-9 * (at - 0.45)))
    lo, hi = (1 / (1 + math.exp(-9 * (end - 0.45))) for end in (0, 1))
    way = (way - lo) / (hi - lo)
    if log:
        return math.exp(math.log(ends[0]) * (1 - way) + math.log(ends[1]) * way)
    return ends[0] + (ends[1] - ends[0]) * way


def share(value, half=0.012, n=1000):
    return number(min(1.0, max(0.0, value)), half, n, share=True)


def readings(policy, at, rng, *, selected=False):
    """What is read on what was generated, or selected, at a part of the run."""
    quality, _, ood, structures = COURSES[policy]
    ahead = min(1.0, at + (0.12 if selected else 0.0))
    effective = between(structures, ahead, log=True) * (1.05 if selected and policy == "keep" else 1.0)
    right = 1.0 if selected else between(quality, at)
    grown = structures[1] > structures[0]
    return {
        "quality": share(right),
        "verified": share(right),
        "true": share(right - 0.02),
        "structures": number(effective, 0.05 * effective),
        "structures_all": number(effective * 1.2, 0.05 * effective),
        "templates": number(effective * 0.8, 0.06 * effective),
        "semantic": number(12 + 0.05 * effective, 0.9),
        "surface": share(0.06 - 0.01 * at if grown else 0.055 - 0.03 * at, 0.002),
        "per_prompt": undefined("every prompt has one response"),
        "complexity": number(1.8 + (0.7 if grown else -0.5) * at + rng.gauss(0, 0.02), 0.05),
        "tokens": number(41.0 + (6 if grown else -9) * at, 0.8),
        "novelty": share(0.6 - 0.2 * at if grown else 0.3 * (1 - at), 0.02),
        "anchor_novelty": share(0.2 + 0.5 * at if grown else 0.2 * (1 - at), 0.02),
        "tail": share(0.9 if grown else 0.9 * (1 - at), 0.03),
        "zero_signal": share(0.3 + 0.2 * at, 0.02),
        "real": share(0.25 if policy == "keep" and selected else 0.0, 0.01),
        "correct_structures": number(effective * 0.95, 0.05 * effective) if ood else undefined("no truth"),
    }


def splits(at, grown):
    lost = 0.0 if grown else at
    return {
        "reward_gap": number(0.02, 0.01),
        "gap": number(0.3 * (1 - at), 0.02),
        "quality_control": number(0.15 * lost, 0.02),
        "narrowing": number(0.75 * lost, 0.03),
        "illusion": number(0.5 * lost, 0.04),
        "pass_gap": number(0.1 + 0.1 * at, 0.02),
        "length_drift": number(-0.2 * lost, 0.01),
    }


def ruling(policy, at, when):
    state = STATES[policy][min(len(STATES[policy]) - 1, round(at * 6))]
    verdict = "warn" if policy == "quality_only" and round(at * 6) == 2 else VERDICTS[state]
    said = {
        "healthy": ["effective structures hold: 57.0 at round 0, 61.2 now"],
        "stalled": ["no new structures in 3 rounds, while the score on id rose by 0.110"],
        "collapsing": [
            "effective structures among correct records fell from 57.0 (54.2–59.9) to 13.1 (12.4–13.8)",
            "the share of correct records rose from 0.340 to 0.940: quality does not show it",
        ],
    }[state]
    suggest = {
        "healthy": [],
        "stalled": ["raise the temperature while prompts are written", "sample the archive evenly over structures"],
        "collapsing": [
            f"roll back to round {max(0, when - 1)}",
            "spend the budget evenly over structures",
            "mix in the anchor",
        ],
    }[state]
    evidence = {"log_e_structures": 0.1 if state == "healthy" else 5.2, "log_e_scores": None, "cusum": 1.3}
    return {"state": state, "verdict": verdict, "reasons": said, "suggest": suggest, "evidence": evidence}


def line(policy, when, last, seed=0):
    """A round of guard.json."""
    rng = random.Random(f"{policy} {when} {seed}")
    at = when / max(1, last)
    _, near, far, structures = COURSES[policy]
    scores = {
        "id": share(between(near, at), 0.045, 300),
        "compositions": share(between(far, at), 0.05, 300),
        "deeper": share(between(far, at) * 0.6, 0.05, 300),
        "id@16": share(min(1.0, between(near, at) + 0.1), 0.03, 100),
    }
    generated = readings(policy, at, rng)
    return {
        "round": when,
        "name": f"round_{when:03d}",
        "n": 6000,
        "valid": round(6000 * generated["quality"]["value"]),
        **{
            {"structures": "diversity", "templates": "template_effective", "true": "right"}.get(k, k): v
            for k, v in generated.items()
        },
        "pass_at": {"id@16": scores["id@16"]},
        "scores": scores,
        "selected": readings(policy, at, rng, selected=True) if when < last else {},
        "splits": splits(at, structures[1] > structures[0]),
        **ruling(policy, at, when),
    }


def guard(policy="quality_only", rounds=7):
    """A guard document."""
    lines = [line(policy, when, rounds - 1) for when in range(rounds)]
    final = {key: lines[-1][key] for key in ("state", "verdict", "reasons", "suggest")}
    first = next((each["round"] for each in lines if each["state"] == final["state"]), None)
    return {
        "schema": "triptych/guard@1",
        "rounds": lines,
        **final,
        "since": first,
        "at": 1000,
        "structure": "field skeleton",
        "shared_prompts": False,
        "alarm_rate": 0.05,
        "anchor": {"path": "anchor.jsonl", "records": 2000},
        "panels": PANELS,
        "notes": ["round 6 has no selected.jsonl: only what was generated was read"],
        "warnings": ["rounds differ in size by a factor of 1.3"],
        "provenance": {"version": "0.1", "command": "triptych guard rounds", "seconds": 12.3},
    }


def sample(policy, when, at, kind):
    structure = "increment" if policy == "quality_only" and kind == "late" else SKILLS[at % len(SKILLS)]
    return {
        "prompt": f"{structure} then {SKILLS[(at * 3 + when) % 8]}: 4 1 7 {at}",
        "response": f"{at} 7 1 4",
        "structure": structure,
        "complexity": 2.0,
        "verified": 1.0 if at % 3 else 0.0,
        "right": bool(at % 3),
        "valid": True,
        "temperature": 0.7,
    }


def commonest(policy, when, last):
    """The commonest structures of a round with their shares."""
    sharp = {"quality_only": 0.3 + 2.4 * when / max(1, last), "correct": 0.3, "keep": 0.05}[policy]
    weights = [math.exp(-sharp * at) for at in range(60)]
    names = [f"{SKILLS[at % 8]}|{SKILLS[(at * 5 + 1) % 8]}" if at else "increment" for at in range(60)]
    return [
        {"structure": name, "share": weight / sum(weights), "n": round(1000 * weight / sum(weights))}
        for name, weight in list(zip(names, weights, strict=True))[:10]
    ]


def arm(policy, rounds=7, seed=0):
    """One arm of a loop document."""
    out = []
    for when in range(rounds):
        ledger = line(policy, when, rounds - 1, seed)
        said = {key: ledger.pop(key) for key in ("state", "verdict", "reasons", "suggest", "evidence")}
        scores = {
            name: {"score": ledger["scores"][name]["value"], "lo": ledger["scores"][name]["lo"]}
            | {
                "hi": ledger["scores"][name]["hi"],
                "n": 300,
                "kind": kind,
                "k": {"1": ledger["scores"][name]["value"], "16": 0.9},
            }
            for name, kind in PANELS.items()
        }
        last = when == rounds - 1
        selected = (
            {}
            if last
            else {
                "generated": 3000,
                "archive": 800 if policy == "keep" else 0,
                "anchor": 200 if policy == "keep" else 0,
            }
        )
        out.append(
            {
                "round": when,
                "scores": scores,
                "ledger": ledger,
                "dials": {
                    "temperature": 0.7,
                    "explore": [[1.0, 1.0]] if policy != "keep" or when < 2 else [[1.0, 0.5], [1.6, 0.5]],
                    "archive": 0.0 if policy != "keep" else round(min(1.0, 0.25 * when), 2),
                    "even": 1.0 if policy == "keep" else 0.0,
                    "likely": policy == "quality_only",
                    "push": 0.5,
                },
                "decisions": [
                    {
                        "dial": "archive",
                        "value": f"{0.25 * when:g}",
                        "reason": f"novelty against earlier rounds is 0.{40 - when}: the archive adds structures",
                    },
                    {
                        "dial": "explore",
                        "value": "1.6",
                        "reason": "prompts written at 1.6 gave 0.21 new structures a sample, at 1.0 0.08",
                    },
                ]
                if policy == "keep"
                else [],
                "counts": {
                    "written": 6000,
                    "valid": 5200,
                    "passed": 2100 + 100 * when,
                    "closed": 140 + when,
                    "failed": 0,
                    "selected": selected,
                },
                "overlap": {
                    "compositions": {"prompts": 0, "structures": 0},
                    "deeper": {"prompts": 0, "structures": 12},
                },
                "samples": [sample(policy, when, at, "late" if when else "early") for at in range(4)],
                "structures": commonest(policy, when, rounds - 1),
                "guard": said,
                "seconds": 30.5,
            }
        )
    return {"policy": policy, "title": TITLES[policy], "rounds": out, "stopped": None}


def loop(policies=("quality_only", "correct", "keep"), rounds=7):
    """A loop document."""
    return {
        "schema": "triptych/loop@1",
        "config": {
            "seed": 0,
            "rounds": rounds - 1,
            "at": 1000,
            "start": {"world": "programs", "skills": 12, "records": 2000},
            "model": {"trainer": "tiny:steps=3000"},
            "generator": {"kind": "self", "samples": 6000},
            "policy": {"name": ",".join(policies), "budget": 4000, "closed": ["compositions"]},
        },
        "arms": [arm(policy, rounds) for policy in policies],
        "panels": PANELS,
        "conclusions": [
            "Quality as measured rose in every loop.",
            "Only keep grew in structures and out of distribution.",
        ],
        "provenance": {"version": "0.1", "seconds": 640.0},
    }


def hostile_guard():
    """Every text is hostile."""
    document = guard(rounds=4)
    for each in document["rounds"]:
        each |= {"name": HOSTILE, "reasons": [HOSTILE], "suggest": [HOSTILE], "evidence": {HOSTILE: HOSTILE}}
        each["scores"][HOSTILE] = share(0.4)
        each["state"] = each["verdict"] = HOSTILE
        each["novelty"] = undefined(HOSTILE)
        each[HOSTILE] = number(3.0)
    texts = ("state", "verdict", "structure", "anchor")
    return (
        document
        | dict.fromkeys(texts, HOSTILE)
        | dict.fromkeys(("reasons", "suggest", "notes", "warnings"), [HOSTILE] * 60)
    )


def hostile_loop():
    """Every text is hostile."""
    document = loop(rounds=3)
    for each in document["arms"]:
        each |= {"policy": HOSTILE, "title": HOSTILE, "stopped": HOSTILE}
        for one in each["rounds"]:
            one["samples"] = [{"prompt": HOSTILE, "response": HOSTILE * 90, "structure": HOSTILE}]
            one["structures"] = [{"structure": HOSTILE, "share": 0.4}]
            one["decisions"] = [{"dial": HOSTILE, "value": HOSTILE, "reason": HOSTILE}]
            one["dials"] = {HOSTILE: HOSTILE}
            one["overlap"] = {HOSTILE: {"prompts": 0, "structures": 3}}
            one["guard"] = {"state": HOSTILE, "verdict": HOSTILE, "reasons": [HOSTILE], "suggest": [HOSTILE]}
            one["counts"] = {"written": HOSTILE, "selected": {HOSTILE: 3}}
            one["scores"][HOSTILE] = {"score": 0.5, "kind": HOSTILE}
    return document | {
        "conclusions": [HOSTILE] * 60,
        "panels": {HOSTILE: HOSTILE},
        "config": {HOSTILE: {HOSTILE: HOSTILE}},
    }


def holes(document):
    """The same with every third thing missing, None, of another type or not finite."""
    rng = random.Random("holes")
    wrong = (None, 7, "text", [], {}, [None, 3, "x"], math.nan, math.inf, -1e300, True, {"value": "x"})

    def bitten(found):
        if isinstance(found, dict):
            return {
                k: rng.choice(wrong) if k != "schema" and rng.random() < 0.12 else bitten(v) for k, v in found.items()
            }
        if isinstance(found, list):
            return [rng.choice(wrong) if rng.random() < 0.12 else bitten(v) for v in found]
        return found

    return bitten(document)
