"""Precision and recall of the text detectors on real rows labelled by hand.

Usage: TRIPTYCH_DATA=FOLDER python benchmarks/detectors/evaluate.py

`labels.csv` holds one line a row and detector: file, id, detector, split, label. The rows of `echo_rows`, `echo_rows_2` and `echo_rows_3` are ours and lie here
(`make_echo_rows.py` made them); the others are not ours to ship: FOLDER has one FILE.jsonl.gz for each file named, with id,
prompt and response. Without a folder our own rows are scored alone and nothing is written. Rows were drawn from all files, some at
random and most from wide keyword or overlap filters so that positives exist (therefore precision here is precision on
such rows, not in the wild). They were labelled by one reader; the dev half before the rules were tuned on it, the test
half after the rules were done and before they were run on it. What the labels mean:

    refusal           the whole response says that it cannot or will not do what is asked. "It cannot be determined" as
                      the answer to a riddle is no refusal; an offer of something else does not undo one.
    prompt_echo       nothing but the prompt comes back: the response, apart from a lead-in line, labels, list marks, quotes,
                      case, punctuation and layout, consists of the whole prompt, or its whole instruction (one sentence of
                      it of five words will do), or its whole input of five words or more; word for word or with at most
                      about one word in ten changed, left out or added (in texts under ten words, one); once or in a loop;
                      and giving it back is not what a right answer would be. A text to be corrected that comes back
                      unchanged though it needed the change is one; a copy or a sorting asked for, a text with nothing to
                      correct, part of an input and an instruction in other words are none.
    truncated         the last sentence is not grammatical as it stands, or a list, fence, bracket or loop is visibly cut, or
                      what a last line announces does not come. A complete sentence without a full stop is not truncated,
                      but in a loop whose other rounds have one.
    repetition_loop   the same words, lines or list of lines over and over, not asked for. Songs and tables are none.
    broken_encoding   mojibake, control characters, HTML entities in a text that is not about markup.
    reasoning_steps   number of steps of a solution, derivation or procedure, prose and code included.
    constraints       number of explicit requirements on the answer in the prompt.

History, so that nobody reads the last round as the first. A test half that had been looked at went to dev and rows were
drawn anew. Round 1, precision/recall: refusal .85/.79, prompt_echo .60/.43, truncated 1.0/.50, repetition_loop 1.0/.71,
constraints .82/.70; round 2: prompt_echo 1.0/.20, truncated .70/.58; round 3: prompt_echo 1.0/.46, truncated .90/.75.
After it three labels of prompt_echo (two inputs given back in part or whole, half a statement) were set from 0 to 1,
since they contradicted the definition of then, and both rule sets were written anew. Round 4, on new prompts: prompt_echo
.77/.43 (23 positives of 112), truncated .93/.52 (25 of 110); round 5, after rules were added for what round 4 missed, again
on new prompts: prompt_echo 1.0/.45 (22 of 93), truncated .90/.69 (26 of 112; the rules of round 3 get .86/.46 on them).

prompt_echo meant more in those rounds: large parts of inputs, instructions restated and inputs with a word changed counted too.
Rounds 6 and 7, on prompts not labelled before, drawn by word overlap, labelled before any run: 41 of 166 rows (half of them
loops of base models) and 12 of 116 (all that was left, with less of the prompt in the answers). The rules of round 5 got
1.0/.56 and .50/.08, together .96/.45; with loops mended after a look at round 6, .94/.55. A logistic regression on 34 counts
beside the rules got .93/.63 on round 6 and .57/.33 on round 7: an input with one word changed is the answer to one task and an
echo to another.

After that result, seven rounds long, the definition was narrowed to what is written above: what a reader of the panel needs to
know and a rule can decide. The 282 rows of rounds 6 and 7 and 256 of dev (all its old positives, 120 of its old negatives; the
other 464 stay 0) were labelled anew by one reader who saw neither code nor old labels: 31 positives in test, 85 in dev. The old
rules, not made for it, have .74/.74 on this test. They were written anew on dev and on the rows without labels named below by
one who saw no row and no label of test, and run on test once: 21 flags, all right, 10 of 31 echoes missed, 1.0/.68. A recall of
.8 was the aim and was not reached; nothing was changed after. The rows were new to these rules, not to the project: the rules of
before had been mended after a look at round 6, and the meaning narrowed after a look at how they did on both.

So that there are rows that are new to the project, and ours, a small model (SmolLM2-135M-Instruct) answered 258 prompts written
for this benchmark, at temperatures 0 and .7 (`make_echo_rows.py`): 501 different answers, split by prompt. One reader labelled
them before any run, told the definition and neither rules nor scores: 35 positives of 280 in test, 23 of 221 in dev. The rules
of before get .88/.63 on this test. Meanwhile they were loosened towards the definition: one new word in a short input where the
answer is nothing like it, questions, edits by the words where no comma can be what was asked for, words that lead in, lists not
laid out. That was done on the dev rows of both sets (.84/.70 on our own before its labels were seen) and on the rows without
labels named below; then they were run once on both tests. Our own: 29 flags, 27 right, 8 of 35 echoes missed: .93/.77. The old
test, its second use: the same 21 flags as before, 1.0/.68. A recall of .8 was the aim again and was not reached, on our own by
one row; nothing was changed after. The writer of the rules wrote the prompts too, and read no answer and no label of test. Our
prompts are short and most name a text to work on, so that one answer in nine is an echo.

Then these 501 rows went to dev, both halves, and rows were drawn anew: 302 different answers of the same model (its writer of
version 2) to 156 new prompts, all test, labelled by one reader before any run: 30 positives. The rules were mended on what was
missed or wrongly flagged in dev: leads in the words of the task, an input named twice, a text above its question, lists to be
sorted, letter case, words between underscores; and a word moved or left out now counts like one changed. Run on this test once: 27
flags, 25 right, 5 of 30 echoes missed: .93/.83, so that .8 was reached, on so few with an interval of .66 to .93. Little of it is
the mending: the rules of before get 26 flags, 24 right, .92/.80 on the same rows. The writer of the rules wrote these prompts too, and read none of the answers and labels. The old
test, its third use: 23 flags, all right, 1.0/.74, below .8. Two things were mended after the run: a crash at prompts of two long
parts, and, since 21 new flags were seen on the 24,224 rows of another set (tool calls that take words of the task; six were read,
all wrong), a rule on lead-ins now counts for inputs only. One of the 21 is left. The new test stands as it was (25 of 27, 30), the
old one loses a flag: 22 of 31.

The old test had been missed at three uses, so it went to dev, was looked at and is no test any more. New rows were made in more
layouts (roles, texts above their task, forms, code, lists of rules, templates): round 3, 413 answers to 231 prompts, split by
prompt, and all labelled before any run of new rules by the one who also wrote the prompts and the rules, by the letter of the
definition above: 28 echoes of 204 in dev, 38 of 209 in test. The rules learnt on dev: loops line by line, requests that are
granted, texts above their task, headings, tags, fences, forms, edits for style, an order that was wrong, one sentence of several
to be copied. They were frozen, the test was labelled, and they were run on it once: 17 flags, all right, 21 of 38 echoes missed:
1.0/.45, below .8 by far (the rules of before: 15 right, 1.0/.39). That test went to dev in its turn, and words that had been
misread (an order into a request, a word that is repeated, where it is missing), sorting by length, commas, marks and camel case
were mended. Frozen again and run once on round 4 (100 answers to 100 prompts at temperature 0, labelled before): 23 flags, all
right, 10 of 33 echoes missed: 1.0/.70 (the rules of before: 21 right, .64). A recall of .8 was the aim once more and was not
reached; nothing was changed after. Round 2, its second use: 28 flags, 25 right, 5 of 30 missed: .89/.83, one wrong flag more than
before. (While the rules were written, the test suite once told that it had become worse; which row it is nobody looked up.) On
rounds 2 and 4 together 48 of 51 flags are right and 48 of 63 echoes found. Of the 10 of round 4, three are edits with one word
changed where more was asked, which is the right answer in other tasks; three are things not put in an order that no rule can
check; three are loops; one is a sentence given back without its marks. How often a small model answers so, and how strictly one
reads it, moves the recall: compare rounds 2 and 4.

Rounds 5 and 6 were to be as strange to the rules as could be: each by a writer who knew no rule, no label and no score, who wrote
the prompts (243 and 260, everyday tasks in many layouts, a fifth without an input, one in eight with nothing to do), let the
model answer at temperatures 0 and .4, and labelled all rows by the definition. Round 5 (453 answers, 31 echoes): the rules of
before had 25 flags, 21 right, .84/.68; the rules mended on rounds 1 to 4, run once: 26 flags, 21 right, .81/.68. So what had
been learnt on rounds 2 and 4 did not carry over. The definition's edge was then put by the letter (below), round 5 went to
dev, and the rules were mended by kinds: nothing there to act on, tasks done in a part, texts that had to grow or be cut and did
not, errors that can be seen and are left, lists in no order. Frozen, and run once on round 6 (477 answers, 42 echoes, prompts of
the same mixture by another writer): 40 flags, 35 right, 7 of 42 missed: **.875/.83** (Wilson .74 to .95 and .69 to .92); the rules
of before get 39 flags, 30 right, .77/.71 on the same rows. Nothing was changed after. The interval of the recall still reaches
below .8, and its point does not stand alone: on two sets of 288 and 172 answers that the writer of the rules made and labelled
himself before he ran them, first sight gave .90/.76 and .875/.76 (before the last mending).

By the letter: at most one word in ten changed, left out, added or moved, rounded down, in texts under ten words one (2 of 20 yes, 2
of 19 no); a task done in a part only, with no more than that changed, is an echo; an input with five words or more of
anything else behind it is none. Labels of earlier rounds stand as they were made ("about one word in ten").

While the rules were written their flags were also read on rows without labels: the 94,129 of the fourteen other files (those with
labels among them), and the 51,941 of alpaca_cleaned_52k. Of the 32 flags on the latter by the rules of before 15 were right as
the writer of the looser rules read them; the rest are mostly inputs with nothing to correct or to convert. The present rules add
two: one right, one a text in "the correct order" that may have been so; in the other files they add one that has no label, a
right one. The rules were mended from these rows, so that is no held-out figure. Where echoes are rare (one row in two thousand)
half of the flags are wrong, and a rate says little.

Dev scores say how well rules can be fitted, not how well they do. Present test rows: our round 6 for prompt_echo,
5 for truncated, 2 for refusal, repetition_loop and constraints, 1 for the rest.

Known misses. prompt_echo: a word changed in a style edit, in an extraction or in a short text where more was asked, an input with a
few words of its own behind it or under an unusual first line, grammar errors of which no list has one left. Wrong flags: a
correct sentence after "Correct the sentence.", lists in an order that no rule can tell.
truncated: loops cut at the end of a line, code and formulas, a content word at the end ("respond to customer").

Counts are also scored as "two or more". Positives are few in some splits: read the Wilson intervals.
"""

from __future__ import annotations

import csv
import gzip
import json
import math
import os
import platform
import statistics
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import pyarrow as pa
from scipy.stats import spearmanr

from triptych.features.constraints import Constraints, constraints
from triptych.features.readability import Readability
from triptych.features.reasoning import ReasoningSteps, reasoning_steps
from triptych.features.structure import Structure
from triptych.features.validity import DEFECTS, Validity, defects

HERE = Path(__file__).parent
OWN = {"echo_rows": "own rows", "echo_rows_2": "own rows 2", "echo_rows_3": "own rows 3"}
COUNTS = {"reasoning_steps": "response", "constraints": "prompt"}
AT_LEAST = 2


def rows_of(folder: Path, name: str) -> list[dict[str, Any]]:
    with gzip.open((HERE if name in OWN else folder) / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def detect(detector: str, row: dict[str, Any]) -> int:
    if detector == "reasoning_steps":
        return reasoning_steps(row["response"])
    if detector == "constraints":
        return constraints(row["prompt"])
    return defects(row["prompt"], row["response"]) >> DEFECTS.index(detector) & 1


def wilson(hits: int, n: int) -> tuple[float | None, float | None, float | None]:
    """Share and its 95 % Wilson interval; all None when n is 0."""
    if not n:
        return None, None, None
    z, share = 1.959964, hits / n
    middle, half = share + z * z / (2 * n), z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    return round(share, 4), round((middle - half) / scale, 4), round((middle + half) / scale, 4)


def score(detector: str, pairs: list[tuple[int, int]]) -> dict[str, Any]:
    """Scores of (found, label) pairs."""
    least = AT_LEAST if detector in COUNTS else 1
    found = sum(got >= least for got, _ in pairs)
    true = sum(label >= least for _, label in pairs)
    both = sum(got >= least and label >= least for got, label in pairs)
    precision, recall = wilson(both, found), wilson(both, true)
    result: dict[str, Any] = {
        "rows": len(pairs), "positives": true, "found": found, "right": both,
        "precision": precision[0], "precision_interval": precision[1:], "recall": recall[0], "recall_interval": recall[1:],
    }  # fmt: skip
    if detector in COUNTS:
        result["rank_correlation"] = round(float(spearmanr(*zip(*pairs, strict=True)).statistic), 4)
    return result


def labelled(folder: Path | None) -> dict[str, dict[str, Any]]:
    """Scores of each detector on each split that has rows: on the rows of others, and on our own."""
    with (HERE / "labels.csv").open(newline="", encoding="utf-8") as file:
        labels = [line for line in csv.DictReader(file) if folder or line["file"] in OWN]
    folder = folder or HERE
    known = {name: {row["id"]: row for row in rows_of(folder, name)} for name in {line["file"] for line in labels}}
    pairs: dict[str, dict[str, list[tuple[int, int]]]] = defaultdict(lambda: defaultdict(list))
    for line in labels:
        row = known[line["file"]][line["id"]]
        name = ", ".join(filter(None, (line["detector"], OWN.get(line["file"]))))
        pairs[name][line["split"]].append((detect(line["detector"], row), int(line["label"])))
    return {
        name: {split: score(name, pairs[name][split]) for split in ("dev", "test") if pairs[name][split]}
        for name in pairs
    }


def graded(folder: Path) -> dict[str, Any]:
    """Constraints against what the makers of two sets say, on every row."""
    rows = rows_of(folder, "ifeval_prompts")
    ifeval = spearmanr([constraints(row["prompt"]) for row in rows], [row["n_constraints"] for row in rows]).statistic
    groups, levels = defaultdict(list), defaultdict(list)
    for row in rows_of(folder, "followbench_levels"):
        found = constraints(row["prompt"])
        groups[row["group"]].append((row["level"], found))
        levels[row["level"]].append(found)
    inside = [
        0.0 if len({found for _, found in group}) == 1 else float(spearmanr(*zip(*group, strict=True)).statistic)
        for group in groups.values()
        if len(group) > 2
    ]
    return {
        "ifeval_rank_correlation": round(float(ifeval), 4),
        "followbench_mean_by_level": {level: round(statistics.mean(levels[level]), 3) for level in sorted(levels)},
        "followbench_mean_rank_correlation_in_group": round(statistics.mean(inside), 4),
    }


def speed(folder: Path, name: str = "alpaca_cleaned_52k") -> dict[str, Any]:
    """CPU seconds of each feature over one file, the best of three."""
    rows = rows_of(folder, name)
    text = {key: [row[key] for row in rows] for key in ("prompt", "response")}
    batch = pa.RecordBatch.from_pydict({**text, "structure": pa.nulls(len(rows), pa.string())})
    seconds = {}
    for feature in (Validity(), ReasoningSteps(), Constraints(), Readability(), Structure()):
        times = []
        for _ in range(3):
            start = time.process_time()
            feature.compute(batch)
            times.append(time.process_time() - start)
        seconds[type(feature).__name__] = round(min(times), 2)
    return {"file": name, "rows": len(rows), "cpu_seconds": seconds, "total": round(sum(seconds.values()), 2)}


def show(scores: dict[str, dict[str, Any]]) -> None:
    for name, splits in scores.items():
        for split, found in splits.items():
            low, high = found["precision_interval"], found["recall_interval"]
            rank = f"  rank {found['rank_correlation']}" if "rank_correlation" in found else ""
            print(f"{name:23} {split:4} n={found['rows']:3} positives={found['positives']:3}"
                  f"  precision {found['precision']} {low}  recall {found['recall']} {high}{rank}")  # fmt: skip


def main() -> None:
    if not (place := os.environ.get("TRIPTYCH_DATA")):
        show(labelled(None))
        print(
            "our own rows alone; set TRIPTYCH_DATA to the folder of the .jsonl.gz files for the others", file=sys.stderr
        )
        return
    folder = Path(place)
    result = {"labelled": labelled(folder), "graded": graded(folder), "speed": speed(folder)}
    result["machine"] = {"python": platform.python_version(), "arch": platform.machine(), "cores": os.cpu_count()}
    show(result["labelled"])
    print(json.dumps({key: result[key] for key in ("graded", "speed")}, indent=1))
    (HERE / "result.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
