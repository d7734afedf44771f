"""Compares pairs of formulas with math-verify: run as a program by `latex`, which kills it when it takes too long.

Standard library and math-verify only: it is run as a file. One line on standard output when it is ready, then one for
each pair, in order: true, false, or text that says why there is no verdict.
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path
from typing import Any


def main(asked: str, memory: str) -> None:
    """Compare the pairs of a file.

    Args:
        asked: JSON list of objects with gold, said, whole.
        memory: MiB of address space.
    """
    pairs = json.loads(Path(asked).read_text())
    from math_verify import parse, verify  # noqa: PLC0415 - before the limit: what it loads is not the formula's

    limit = int(memory) * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    _say("ready")
    for pair in pairs:
        try:
            _say(_compare(pair, parse, verify))
        except MemoryError:
            _say("the comparison ran out of memory")
        except Exception as error:  # noqa: BLE001 - whatever the library raises, this pair has no verdict
            _say(f"math-verify: {type(error).__name__}: {error}"[:200])


def _compare(pair: dict[str, Any], parse: Any, verify: Any) -> bool | str:
    """Whether the two are equal. The library's own time limits are signals, and are switched off: the parent has one."""
    gold = parse(_boxed(pair["gold"]), parsing_timeout=None)
    if not any(not isinstance(each, str) for each in gold):
        return f"math-verify cannot read the row's answer ({pair['gold'][:60]})"
    said = parse(pair["said"] if pair["whole"] else _boxed(pair["said"]), parsing_timeout=None)
    return bool(verify(gold, said, timeout_seconds=None))


def _boxed(text: str) -> str:
    bare = text.strip()
    if bare.startswith("$") and bare.endswith("$") and len(bare) > 1:
        bare = bare.strip("$")
    return "\\boxed{" + bare + "}"


def _say(what: bool | str) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
