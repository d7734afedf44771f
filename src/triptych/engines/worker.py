"""A worker process: `python -m triptych.engines.worker`. Reads jobs from standard input, writes results to its output.

Started as a program of its own rather than by `multiprocessing`, so that the caller's script needs no main guard, and so
that a worker whose parent is killed sees its input end and leaves.
"""

from __future__ import annotations

import os
import pickle
import signal
import struct
import sys
from typing import IO, Any

from triptych.engines.memory import leave_out_pandas, return_large_blocks

_HEAD = struct.Struct("<Q")


def send(stream: IO[bytes], value: Any) -> None:
    """Write one length-prefixed value to a pipe between our own processes."""
    data = pickle.dumps(value, protocol=5)
    stream.write(_HEAD.pack(len(data)))
    stream.write(data)
    stream.flush()


def receive(stream: IO[bytes]) -> Any:
    """Read one value.

    Raises:
        EOFError: the other side has gone.
    """
    head = stream.read(_HEAD.size)
    if len(head) < _HEAD.size:
        raise EOFError
    (size,) = _HEAD.unpack(head)
    data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return pickle.loads(data)  # noqa: S301 - our own parent or child wrote it


def main() -> None:
    """Answer jobs `(function, argument)` with `(True, result)` or `(False, error)` until the input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return_large_blocks()
    leave_out_pandas()
    results = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    while True:
        try:
            function, argument = receive(sys.stdin.buffer)
        except EOFError:
            return
        try:
            answer = (True, function(argument))
        except Exception as error:  # noqa: BLE001 - handed to the parent, which raises it
            answer = (False, error)
        try:
            send(results, answer)
        except BrokenPipeError:
            return


if __name__ == "__main__":
    import pyarrow as pa

    pa.set_cpu_count(1)
    main()
