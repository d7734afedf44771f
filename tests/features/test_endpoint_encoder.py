"""The encoder behind an address, against a server on this machine: values, wrong vectors, a server that goes down."""

from __future__ import annotations

import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

import triptych
from triptych.core.errors import SchemaError, SpecError, TriptychError, UsageError
from triptych.endpoints.vectors import pack, unpack
from triptych.features.embedding import encoder_names, load_encoder
from triptych.features.endpoint_encoder import EndpointEncoder

DIM = 5


def vector(text: str, dim: int = DIM) -> list[float]:
    """What the server gives for a text; not of length 1."""
    rng = np.random.default_rng(list(text.encode()))
    return [float(x) for x in rng.normal(size=dim)]


class Server:
    """Answers as `behave(body, how many requests came before)` says: a status and a JSON value."""

    def __init__(self, behave):
        self.bodies, self.lock, self.now, self.most = [], threading.Lock(), 0, 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with outer.lock:
                    outer.bodies.append({**body, "path": self.path, "key": self.headers.get("Authorization")})
                    before = len(outer.bodies) - 1
                    outer.now += 1
                    outer.most = max(outer.most, outer.now)
                status, answer = behave(body, before)
                with outer.lock:
                    outer.now -= 1
                data = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

        class Many(ThreadingHTTPServer):
            request_queue_size = 64

        self.http = Many(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.http.server_port}/v1"

    @property
    def texts(self):
        return [text for body in self.bodies for text in body["input"]]


@pytest.fixture
def serve():
    servers = []

    def start(behave):
        servers.append(Server(behave))
        return servers[-1]

    yield start
    for server in servers:
        server.http.shutdown()
        server.http.server_close()


def good(body, before):
    data = [{"index": i, "embedding": vector(text)} for i, text in enumerate(body["input"])]
    return 200, {"data": data, "usage": {"prompt_tokens": 3, "total_tokens": 3}}


def encoder_of(server, **more) -> EndpointEncoder:
    return EndpointEncoder(server.url, "small", tries=2, **more)


def test_unit_rows_in_the_order_of_the_texts_and_nothing_sent_twice(serve) -> None:
    server = serve(good)
    encoder = encoder_of(server)
    texts = [f"text {i % 150}" for i in range(300)] + ["", " \n"]
    rows = encoder.encode(texts)
    want = np.array([vector(text) for text in texts[:300]])
    np.testing.assert_allclose(rows[:300], want / np.linalg.norm(want, axis=1, keepdims=True), atol=1e-6)
    assert rows.shape == (302, DIM)
    assert not rows[300:].any()
    assert sorted(server.texts) == sorted({*texts[:300], "a"})
    assert {body["path"] for body in server.bodies} == {"/v1/embeddings"}
    assert server.most <= 8
    before = len(server.bodies)
    np.testing.assert_array_equal(encoder_of(server).encode(texts), rows)
    assert len(server.bodies) == before, "replies are kept"
    encoder_of(server).encode(["one more text", *texts])
    assert len(server.texts) < 150 + 1 + 1 + 64, "one text more moves one batch"


def test_orders_by_index_and_reads_base64(serve) -> None:
    def turned(body, before):
        data = [
            {"index": i, "embedding": base64.b64encode(np.array(vector(text), "<f4").tobytes()).decode()}
            for i, text in enumerate(body["input"])
        ]
        return 200, {"data": data[::-1]}

    rows = encoder_of(serve(turned)).encode(["x", "y"])
    want = np.array([vector("x"), vector("y")])
    np.testing.assert_allclose(rows, want / np.linalg.norm(want, axis=1, keepdims=True), atol=1e-6)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda data: data[:-1], "1 vectors for 2 texts"),
        (lambda data: [data[0], {**data[1], "embedding": [1.0, 2.0]}], "vectors of mixed size: 2, 5"),
        (lambda data: [data[0], {**data[1], "embedding": [float("nan")] * DIM}], "NaN or infinity"),
        (lambda data: [data[0], {**data[1], "embedding": [None] * DIM}], "no list of numbers"),
        (lambda data: [data[0], {"index": 1}], "no list of numbers"),
        (lambda data: [data[0], {**data[1], "embedding": "!!!"}], "no list of numbers"),
        (lambda data: [data[0], {**data[1], "embedding": []}], "mixed size"),
    ],
)
def test_wrong_vectors_are_one_clear_message(serve, spoil, said) -> None:
    def behave(body, before):
        status, answer = good(body, before)
        return status, {**answer, "data": spoil(answer["data"])} if len(body["input"]) == 2 else answer

    with pytest.raises(TriptychError, match=said) as caught:
        encoder_of(serve(behave)).encode(["x", "y"])
    assert str(caught.value).count("\n") <= 3


def test_a_zero_vector_is_no_vector(serve) -> None:
    def behave(body, before):
        return 200, {"data": [{"embedding": [0.0] * DIM if text == "x" else vector(text)} for text in body["input"]]}

    rows = encoder_of(serve(behave)).encode(["x", "y"])
    assert not rows[0].any()
    assert np.linalg.norm(rows[1]) == pytest.approx(1)


def test_another_size_than_before_is_refused(serve) -> None:
    size = [DIM]

    def behave(body, before):
        return 200, {"data": [{"embedding": vector(text, size[0])} for text in body["input"]]}

    server = serve(behave)
    encoder_of(server).encode(["x"])
    size[0] = 7
    with pytest.raises(SchemaError, match="7 and 5"):
        encoder_of(server).encode(["x", "y"])


def test_down_half_way_keeps_what_was_paid_for(serve, tmp_path: Path, rows_of, monkeypatch) -> None:
    """One process asks, whatever the number of workers; the second run asks only for the rest."""
    down = [True]

    def behave(body, before):
        return good(body, before) if before < 6 or not down[0] else (400, {"error": {"message": "out of credit"}})

    server = serve(behave)
    name = f"endpoint:{server.url},model=small,tries=1,at_once=3"
    given = {"encoder": name, "measures": "vendi", "workers": 2, "cache": tmp_path / "cache"}
    data = rows_of(300, "endpoint")
    with pytest.raises(TriptychError, match="run it again: replies that came are kept") as caught:
        triptych.measure(data, **given)
    assert "out of credit" in str(caught.value)
    paid, down[0] = list(server.bodies[:6]), False
    server.bodies.clear()
    (profile,) = triptych.measure(data, **given)
    assert not {tuple(body["input"]) for body in paid} & {tuple(body["input"]) for body in server.bodies}
    assert server.most <= 3
    assert profile["vendi"].about["conditional_on"].startswith("encoder endpoint:small@")
    texts = [row["response"] for row in data]
    rows = np.array([vector(text) for text in texts])
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float16).astype(float)
    values = np.linalg.eigvalsh(rows.T @ rows / len(rows))
    values = values[values > 1e-12] / values.sum()
    assert profile["vendi"].value == pytest.approx(np.exp(-(values * np.log(values)).sum()), rel=1e-3)
    (counts,) = profile.provenance["requests"].values()
    assert (counts["requests"], counts["cached"], counts["failed"]) == (len(server.bodies), len(paid), 0)
    assert counts["prompt_tokens"] == 3 * len(server.bodies)
    server.bodies.clear()
    (profile,) = triptych.measure(data, **given)
    assert not server.bodies, "columns are cached"
    assert set(*map(dict.values, profile.provenance["requests"].values())) == {0}


def test_settings(serve, monkeypatch: pytest.MonkeyPatch) -> None:
    server = serve(good)
    monkeypatch.setenv("SOME_KEY", "sk-secret")
    name = f"endpoint:{server.url},model=small,key_env=SOME_KEY,chars=4,dimensions=5"
    encoder = load_encoder(name)
    encoder.encode(["long text", "longer"])
    assert sorted(server.texts) == ["a", "long"]
    assert {(body["key"], body["dimensions"], body["model"]) for body in server.bodies} == {
        ("Bearer sk-secret", 5, "small")
    }
    assert "sk-secret" not in encoder.identity + repr(encoder)
    assert encoder.identity != load_encoder(name.replace("chars=4", "chars=5")).identity
    monkeypatch.delenv("SOME_KEY")
    with pytest.raises(UsageError, match="SOME_KEY is not set"):
        encoder.encode(["another text"])
    for bad, said in (
        ("endpoint:http://h", "no model is named"),
        ("endpoint:ftp://h,model=m", "url is no address"),
        ("endpoint:http://h,model=m,chars=x", "chars is no number"),
        ("endpoint:http://h,model=m,chars=-1", "0 or above"),
        ("endpoint:http://h,modle=m", 'is called "modle"'),
        ("endpoint:http://h,model=m,at_once=0", "at_once is out of range"),
    ):
        with pytest.raises(SpecError, match=said):
            load_encoder(bad)


def test_a_list_of_encoders() -> None:
    assert encoder_names("static") == ("static",)
    assert encoder_names("static,minilm") == ("static", "minilm")
    assert encoder_names("endpoint:http://h/v1,model=m,key_env=K,static") == (
        "endpoint:http://h/v1,model=m,key_env=K",
        "static",
    )
    with pytest.raises(SpecError, match="one encoder can be used here"):
        load_encoder("static,minilm")


def test_packing_is_lossless() -> None:
    rows = [{"embedding": [0.1, -2.0, 1e-20]}, {"embedding": [3, 4, 5]}]
    np.testing.assert_array_equal(unpack(pack(rows, 2)), np.array([[0.1, -2.0, 1e-20], [3, 4, 5]], np.float32))


def test_what_reads_its_vectors_waits_for_them(serve, rows_of, tmp_path: Path) -> None:
    """A reference set is compared after the server has answered, and under each of two encoders by its own vectors."""
    server, trusted = serve(good), tmp_path / "trusted.jsonl"
    trusted.write_text("".join(json.dumps(row) + "\n" for row in rows_of(60, "trusted")))
    name = f"endpoint:{server.url},model=small"
    given = {"measures": ("reference_distance", "distinct_n"), "reference": str(trusted), "workers": 1}
    data = rows_of(100, "reference")
    (both,) = triptych.measure(data, encoder=f"static,{name}", **given)
    (alone,) = triptych.measure(data, encoder=name, **given)
    (told,) = both.details["second_encoder"]["estimates"]
    assert told == alone["reference_distance"].to_json()
    assert told["value"] != both["reference_distance"].value
    assert told["about"]["conditional_on"].startswith("encoder endpoint:small@")
    assert "; reference trusted@" in told["about"]["conditional_on"]
    assert "conditional_on" not in alone["distinct_n"].about
