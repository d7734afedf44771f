"""Many asks through a faulty proxy, by a process that is killed and started again. `python benchmarks/generating/faults.py [--quick]`

10,000 asks of the writer `endpoint` go to a proxy on this machine that does harm to a tenth of all requests in each of five
ways: 429 (half of them with Retry-After), 500, no answer until the client has lost patience, an answer cut in two (half of
them without a length, so that they look whole), a body that is no JSON. Behind it are canned answers, so that it is known
what each ask should have got. The process is killed with -9 when a third and when two thirds of the answers have left the
proxy, and started again.

Counted: asks without a record, records beyond one for each ask, records with another ask's answer, requests for what was on
disk at a kill (none may be), and requests for what had left the proxy whole before (what was under way at a kill, or came
after the client's patience: at most as many as are asked at once, for each kill). What is ambiguous (the answer may have
been made, and did not come whole) is asked again; the proxy's count of it stands beside the client's.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "endpoints"))
from harness import save
from killed import SHARES, account, drive
from proxy import Proxy, canned

ASKS, KILLS, AT_ONCE = 10_000, 2, 48


def main() -> None:
    """Run it and write `results/faults.json`."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="300 asks and one kill; nothing is written")
    quick = parser.parse_args().quick
    asks, kills = (300, 1) if quick else (ASKS, KILLS)
    proxy = Proxy(canned, SHARES)
    with tempfile.TemporaryDirectory() as folder:
        run = drive(proxy, Path(folder), asks, kills, AT_ONCE)
        found = account(proxy, run, asks, AT_ONCE)
    proxy.close()
    bad = ("lost", "doubled", "wrong", "sent_again_after_its_answer_was_kept")
    found["held"] = all(found[name] == 0 for name in bad)
    found["held"] &= found["sent_again_though_a_whole_answer_had_left"] <= kills * AT_ONCE
    save("faults", {"shares": SHARES, "result": found}, quick)


if __name__ == "__main__":
    main()
