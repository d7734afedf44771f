"""Many asks through a faulty proxy by a process that is killed and started again, and what became of each.

python killed.py URL FOLDER ASKS AT_ONCE      the process: asks, and writes FOLDER/records.jsonl when it is done
"""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

from triptych.core.profile import write_json, write_text
from triptych.endpoints.wire import body_of
from triptych.generating.ask import Ask
from triptych.generating.writers.endpoint import EndpointWriter

if "proxy" not in sys.modules:
    _spec = importlib.util.spec_from_file_location("proxy", Path(__file__).parent / "proxy.py")
    sys.modules["proxy"] = importlib.util.module_from_spec(_spec)
    _spec.loader.exec_module(sys.modules["proxy"])
import proxy as faulty

TIMEOUT, TRIES, PAUSE = 1.0, 60, 0.0005
"""Of each request: with faults in half of all tries, one in 10^18 would still fail after 60."""

SHARES = {"busy": 0.05, "busy_wait": 0.05, "broken": 0.1, "hang": 0.1, "cut": 0.05, "short": 0.05, "garbled": 0.1}
"""A tenth of each of: 429, half with Retry-After; 500; time-outs; cut streams, half with their length; no JSON."""


class Run(NamedTuple):
    """How a run went.

    Attributes:
        starts: of the process.
        records: lines of the last one.
        kept: keys of the replies that were on disk at each kill, with the length of the proxy's log then.
        usage: what the last process says its requests took.
        seconds: from the first start to the end.
    """

    starts: int
    records: list[dict[str, Any]]
    kept: list[tuple[set[str], int]]
    usage: dict[str, int]
    seconds: float


def asks_of(count: int) -> list[Ask]:
    """Different asks; every tenth is the same as the one before but for its nonce."""
    return [Ask.of(f"ask {number - (number % 10 == 9)}", "response", number) for number in range(count)]


def writer_of(url: str, at_once: int) -> EndpointWriter:
    """The writer that is tried."""
    return EndpointWriter(url, "m", at_once=at_once, tries=TRIES, timeout=TIMEOUT, pause=PAUSE)


def drive(proxy: faulty.Proxy, folder: Path, asks: int, kills: int, at_once: int) -> Run:
    """Start the process, kill it `kills` times on the way, and let the last one end."""
    begun, kept = time.monotonic(), []
    for turn in range(kills + 1):
        words = [sys.executable, __file__, proxy.url, str(folder), str(asks), str(at_once)]
        process = subprocess.Popen(words, stderr=subprocess.PIPE, env={**os.environ, "OMP_NUM_THREADS": "1"})
        with process:
            while turn < kills and process.poll() is None:
                if proxy.count(faulty.WHOLE) >= asks * (turn + 1) // (kills + 1):
                    os.kill(process.pid, signal.SIGKILL)
                    break
                time.sleep(0.02)
            _, err = process.communicate(timeout=1800)
        if turn < kills:
            assert process.returncode == -signal.SIGKILL, err.decode()
            kept.append((on_disk(folder), proxy.count()))
        else:
            assert process.returncode == 0, err.decode()
    records = [json.loads(line) for line in (folder / "records.jsonl").read_text().splitlines()]
    usage = json.loads((folder / "usage.json").read_text())
    return Run(kills + 1, records, kept, usage, time.monotonic() - begun)


def on_disk(folder: Path) -> set[str]:
    """Keys of the requests whose replies are kept."""
    found = set()
    for file in (folder / "replies").glob("*/*.json"):
        found.add(faulty.key_of(json.dumps(json.loads(file.read_text())["request"]["body"]).encode()))
    return found


def account(proxy: faulty.Proxy, run: Run, asks: int, at_once: int) -> dict[str, Any]:
    """What became of each ask.

    `after_kept`: requests for what was on disk when the process was killed. `again`: requests for what had been answered
    whole before; only what was on its way to the disk at a kill, or came after the client's patience, may be among them.
    """
    writer = writer_of(proxy.url, at_once)
    client = writer.client(None)
    bodies = [body_of(client.endpoint, writer._question(ask)) for ask in asks_of(asks)]
    wanted = [json.loads(faulty.canned("", json.dumps(body).encode()).body) for body in bodies]
    texts = [document["choices"][0]["message"]["content"] for document in wanted]
    by_id = Counter(record["id"] for record in run.records)
    after_kept = sum(seen.key in keys for keys, start in run.kept for seen in proxy.log[start:])
    whole, again = set[str](), 0
    for seen in proxy.log:
        again += seen.key in whole
        whole |= {seen.key} if seen.what == faulty.WHOLE else set()
    done = Counter(seen.what for seen in proxy.log)
    last = proxy.log[run.kept[-1][1] :] if run.kept else proxy.log
    return {
        "asks": asks,
        "starts": run.starts,
        "requests": len(proxy.log),
        "faults": {kind: done[kind] for kind in faulty.KINDS if done[kind]},
        "lost": sum(by_id[number] == 0 for number in range(asks)),
        "doubled": sum(count - 1 for count in by_id.values()),
        "wrong": sum(record["text"] != texts[record["id"]] for record in run.records),
        "sent_again_after_its_answer_was_kept": after_kept,
        "sent_again_though_a_whole_answer_had_left": again,
        "under_way_at_once": at_once,
        "ambiguous": sum(done[kind] for kind in faulty.AMBIGUOUS),
        "ambiguous_in_the_last_start": sum(seen.what in faulty.AMBIGUOUS for seen in last),
        "ambiguous_as_counted_by_the_client": run.usage["ambiguous"],
        "kept_at_each_kill": [len(keys) for keys, _ in run.kept],
        "cached_in_the_last_start": run.usage["cached"],
        "seconds": round(run.seconds, 1),
    }


def main() -> None:
    """Ask everything; a killed process leaves no records."""
    url, place, count, at_once = sys.argv[1:]
    folder = Path(place)
    said, usage = writer_of(url, int(at_once)).asked(asks_of(int(count)), folder)
    lines = (json.dumps({"id": i, "text": each.text, "reason": each.reason}) + "\n" for i, each in enumerate(said))
    write_text(folder / "records.jsonl", "".join(lines))
    write_json(folder / "usage.json", usage.to_json())


if __name__ == "__main__":
    main()
