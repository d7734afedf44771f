"""A small HTTP server on this machine that speaks the OpenAI protocol, as well or as badly as a test wants it."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CUT, DROP, HANG, DRIP = "cut", "drop", "hang", "drip"


def chat(text, **more):
    choice = {"message": {"role": "assistant", "content": text}, "finish_reason": "stop"} | more
    return {"choices": [choice], "usage": {"prompt_tokens": 3, "completion_tokens": 2}}


class Server:
    """Answers as `behave(request, how often this prompt came)` says: (status, headers, body) or one of the mishaps."""

    def __init__(self, behave, port=0):
        self.behave, self.requests, self.most, self.now = behave, [], 0, 0
        self.lock, self.times, self.end = threading.Lock(), [], threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_POST(self):
                outer.handle(self)

        class Many(ThreadingHTTPServer):
            request_queue_size = 64  # with the usual 5 a burst of connections waits a second

        self.http = Many(("127.0.0.1", port), Handler)
        self.http.daemon_threads = True
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.http.server_port}/v1"

    def handle(self, handler):
        body = json.loads(handler.rfile.read(int(handler.headers["Content-Length"])))
        with self.lock:
            said = body["messages"][-1]["content"] if "messages" in body else body["prompt"]
            before = sum(request["said"] == said for request in self.requests)
            request = {"said": said, "body": body, "path": handler.path, "headers": dict(handler.headers)}
            self.requests.append(request)
            self.times.append(time.monotonic())
            self.now += 1
            self.most = max(self.most, self.now)
        try:
            answer = self.behave(request, before)
        finally:
            with self.lock:  # before the reply: the client may ask again as soon as it has it
                self.now -= 1
        self.reply(handler, answer)

    def reply(self, handler, answer):
        handler.close_connection = True
        if answer == DROP:
            return
        if answer == HANG:
            self.end.wait(5)
            return
        status, headers, body = answer if isinstance(answer, tuple) else (200, {}, answer)
        raw = body if isinstance(body, bytes) else json.dumps(chat("late") if body in (CUT, DRIP) else body).encode()
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(raw)), **headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        if body == DRIP:
            for place in range(len(raw)):
                if self.end.wait(0.05):
                    return
                handler.wfile.write(raw[place : place + 1])
                handler.wfile.flush()
        handler.wfile.write(raw[: len(raw) // 2] if body == CUT else raw)

    def close(self):
        self.end.set()
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()


def echo(request, before):
    return chat("re " + request["said"])
