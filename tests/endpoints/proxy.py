"""A server that stands before another one, or before canned answers, and does harm in given shares.

What it does to a request is drawn from its body and how often that body came, so that a run meets the same faults whatever
its threads do:

    busy       429                                busy_wait   429 with Retry-After
    broken     500                                hang        nothing, until the client has lost patience
    cut        half of the answer, less than its Content-Length
    short      half of the answer, without a Content-Length: it looks whole
    garbled    200, and a body that is no JSON

With `cut` and `short` the answer was made, and is lost on the way; with `hang` and `garbled` nobody can know.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

from triptych.core.rng import stream

KINDS = ("busy", "busy_wait", "broken", "hang", "cut", "short", "garbled")
AMBIGUOUS = ("hang", "cut", "short", "garbled")
WHOLE = "whole"


class Answer(NamedTuple):
    """What the server behind says."""

    status: int
    body: bytes


class Seen(NamedTuple):
    """A request that came: hash of its body, what was done to it, how many bytes of answer left, and when."""

    key: str
    what: str
    sent: int
    at: float


def key_of(body: bytes) -> str:
    """The hash of a request's body, as JSON: however it is spaced."""
    return hashlib.sha256(json.dumps(json.loads(body), sort_keys=True).encode()).hexdigest()


def canned(path: str, body: bytes) -> Answer:
    """The same answer to the same request always: a hash of it, as a chat."""
    del path
    said = f"answer {key_of(body)[:24]}"
    choice = {"index": 0, "message": {"role": "assistant", "content": said}, "finish_reason": "stop"}
    document = {"choices": [choice], "usage": {"prompt_tokens": 7, "completion_tokens": 3}}
    return Answer(200, json.dumps(document).encode())


def forward(url: str) -> Callable[[str, bytes], Answer]:
    """What asks the server behind; `url` is its root."""

    def ask(path: str, body: bytes) -> Answer:
        request = urllib.request.Request(url + path, body, {"Content-Type": "application/json"}, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return Answer(answer.status, answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, error.read())

    return ask


class Proxy:
    """The server; it runs from when it is made until `close`.

    Args:
        behind: what answers.
        shares: kind of fault to its share of requests.
        seed: of the faults.
        wait: what Retry-After says.
    """

    def __init__(
        self, behind: Callable[[str, bytes], Answer], shares: Mapping[str, float], seed: int = 0, wait: str = "0.05"
    ) -> None:
        assert set(shares) <= set(KINDS)
        assert sum(shares.values()) <= 1
        self._behind, self._shares, self._seed, self._wait = behind, dict(shares), seed, wait
        self.log: list[Seen] = []
        self._came: Counter[str] = Counter()
        self._lock, self._end = threading.Lock(), threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_POST(self):
                with suppress(OSError):  # the client may be dead
                    outer.handle(self)

        class Many(ThreadingHTTPServer):
            request_queue_size = 256
            daemon_threads = True

            def handle_error(self, *_):
                pass

        self._http = Many(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._http.server_port}/v1"

    def close(self) -> None:
        """End it; requests that hang are let go."""
        self._end.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def count(self, *kinds: str) -> int:
        """Requests to which one of these was done; without a kind all."""
        with self._lock:
            return sum(seen.what in kinds for seen in self.log) if kinds else len(self.log)

    def handle(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer a request, or do it harm."""
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        key = key_of(body)
        with self._lock:
            turn = self._came[key]
            self._came[key] += 1
        what = self._drawn(key, turn)
        handler.close_connection = True
        if what == "hang":
            self._note(key, what, 0)
            self._end.wait(30)
            return
        if what == "broken":
            raw, status, more = b'{"error": {"message": "boom"}}', 500, {}
        elif what.startswith("busy"):
            raw, status, more = b'{"error": {"message": "slow down"}}', 429, {}
            more = {"Retry-After": self._wait} if what == "busy_wait" else {}
        elif what == "garbled":
            raw, status, more = b"<html>Bad gateway</html>", 200, {}
        else:
            (status, raw), more = self._behind(handler.path, body), {}
        sent = len(raw) // 2 if what in {"cut", "short"} else len(raw)
        # Noted before it leaves: the client may be killed, or ask again, as soon as it has it.
        self._note(key, what, sent)
        handler.send_response(status)
        for name, value in more.items():
            handler.send_header(name, value)
        if what != "short":
            handler.send_header("Content-Length", str(len(raw)))
        handler.end_headers()
        handler.wfile.write(raw[:sent])

    def _note(self, key: str, what: str, sent: int) -> None:
        with self._lock:
            self.log.append(Seen(key, what, sent, time.monotonic()))

    def _drawn(self, key: str, turn: int) -> str:
        at = float(stream("proxy", self._seed, key, turn).random())
        for kind, share in self._shares.items():
            at -= share
            if at < 0:
                return kind
        return WHOLE
