"""Programs in the sandbox: right ones, wrong ones, and ones that try to do harm."""

from __future__ import annotations

import os
import socket
import tempfile
import time
from pathlib import Path

import pytest

from triptych.core.estimate import Undefined
from triptych.verifiers import sandbox
from triptych.verifiers.sandbox import Job, Limits, run
from triptych.verifiers.unit_tests import UnitTests, program_of
from triptych.verifiers.verifier import Verdict

ROW = {"tests": ["assert add(1, 2) == 3", "assert add(-1, 1) == 0"]}
RIGHT = "def add(a, b):\n    return a + b\n"
OUTSIDE = Path(tempfile.gettempdir()) / f"triptych-was-here-{os.getpid()}"
VICTIM = OUTSIDE.with_name(f"triptych-victim-{os.getpid()}")
QUICK = Limits(seconds=1, memory=256, disk=8)


def stand():
    return run(Job("", ("assert True",)), QUICK).walls


WALLS = stand()
KERNEL = set(sandbox.KERNEL_WALLS) <= set(WALLS)
needs_kernel = pytest.mark.skipif(not KERNEL, reason=f"this machine gives {WALLS}: no kernel walls")
VERIFIER = UnitTests(timeout=1, memory=256, disk=8, walls="kernel" if KERNEL else "python")


@pytest.fixture(autouse=True)
def victim():
    VICTIM.write_text("alive")
    yield
    assert VICTIM.read_text() == "alive"
    assert not OUTSIDE.exists()
    VICTIM.unlink()


def judged(program, row=ROW, verifier=VERIFIER):
    return verifier.verify(row, program)


def test_what_stands_here_is_said():
    print(f"\nwalls: {', '.join(WALLS)}")
    assert WALLS[0] == "limits"
    if not KERNEL:
        found = UnitTests(timeout=1).verify(ROW, RIGHT)
        assert isinstance(found, Undefined)
        assert "no sandbox" in found.reason


@pytest.mark.parametrize(
    ("program", "verdict"),
    [
        (RIGHT, Verdict(1.0)),
        (f"Here it is:\n\n```python\n{RIGHT}```\nIt adds.", Verdict(1.0)),
        (f"```python\n{RIGHT}", Verdict(1.0)),
        ("def add(a, b):\n    print('x' * 10**6)\n    return a + b", Verdict(1.0)),
        ("def add(a, b): return 3", Verdict(0.0, "failed a test", "assert add(-1, 1) == 0: AssertionError: ")),
        ("def add(a, b) return", "does not compile"),
        ("I cannot do that", "does not compile"),
        ("1 / 0", "raised an error"),
        ("", "no code"),
        ("x = input()", "raised an error"),
    ],
)
def test_programs(program, verdict):
    found = judged(program)
    assert found == verdict if isinstance(verdict, Verdict) else (found.score, found.reason) == (0, verdict)


HOSTILE = {
    "loops": ("while True: pass", "out of time"),
    "sleeps": ("import time\nwhile True:\n    try: time.sleep(600)\n    except BaseException: pass", "out of time"),
    "ignores signals": (
        "import signal\nfor s in range(1, 65):\n    try: signal.signal(s, signal.SIG_IGN)\n"
        + "    except (OSError, ValueError): pass\nwhile True: pass",
        "out of time",
    ),
    "eats memory": ("x = []\nwhile True: x.append(bytearray(2**24))", "out of memory"),
    "eats memory at once": ("x = 'x' * 2**40", "out of memory"),
    "forks": ("import os\nwhile True: os.fork()", "started a process"),
    "forks and swallows": ("import os\ntry: os.fork()\nexcept OSError: pass\n" + RIGHT, "started a process"),
    "a shell": ("import os\nos.system('true')\n" + RIGHT, "started a process"),
    "subprocess": ("import subprocess\nsubprocess.run(['true'])", "started a process"),
    "exec": ("import os, sys\nos.execv(sys.executable, [sys.executable, '-c', ''])", "started a process"),
    "a socket": ("import socket\nsocket.create_connection(('127.0.0.1', 9))", "opened a socket"),
    "a name": ("import socket\ntry: socket.gethostbyname('localhost')\nexcept OSError: pass\n" + RIGHT, "opened a socket"),
    "writes elsewhere": (f"open({str(OUTSIDE)!r}, 'w')", "wrote outside its folder"),
    "writes above": ("open('../plan.json', 'w')", "wrote outside its folder"),
    "removes": (f"import os\ntry: os.remove({str(VICTIM)!r})\nexcept OSError: pass\n" + RIGHT, "wrote outside its folder"),
    "recurses": ("import sys\nsys.setrecursionlimit(10**9)\ndef f(): f()\nf()", None),
    "exits": ("import sys\nsys.exit(0)", "raised an error"),
    "leaves": ("import os\nos._exit(0)", "ended before its tests did"),
    "crashes": ("import ctypes\nctypes.string_at(0)", "crashed"),
    "an error that cannot be shown": (
        "class E(Exception):\n    def __str__(self): raise SystemExit\nraise E",
        "raised an error",
    ),
    "claims": ("import os\nfor n in range(3, 20):\n    try: os.write(n, b'{\"passed\": 1, \"reason\": \"\"}\\n')\n"
               + "    except OSError: pass\nos._exit(0)", "ended before its tests did"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_programs_fail_with_the_reason(name):
    program, reason = HOSTILE[name]
    start = time.monotonic()
    slow = UnitTests(timeout=0.3, memory=256, walls=VERIFIER.walls)
    found = judged(program, verifier=slow if name == "sleeps" else VERIFIER)
    assert isinstance(found, Verdict)
    assert found.score == 0
    assert (
        found.reason == reason
        if reason
        else found.reason in ("crashed", "out of memory", "out of time", "raised an error")
    )
    assert time.monotonic() - start < 30
    assert not OUTSIDE.exists()


def by_the_kernel(body):
    """What a program finds that has taken the audit hook's place: it asks the C library itself."""
    source = "import ctypes, os\nlibc = ctypes.CDLL(None, use_errno=True)\n" + body
    outcome = run(Job(source, ()), QUICK)
    assert outcome.walls == WALLS
    return outcome


@needs_kernel
@pytest.mark.parametrize(
    "call",
    [
        "libc.fork()",
        "libc.socket(2, 1, 0)",
        "libc.socket(1, 1, 0)",
        "libc.open(OUTSIDE, 0o101, 0o600)",
        "libc.open(VICTIM, 1)",
        "libc.open(VICTIM, 0)",
        "libc.open(b'/dev/shm/triptych-was-here', 0o101, 0o600)",
        "libc.chmod(VICTIM, 0o600)",
        "libc.unlink(VICTIM)",
        "libc.unshare(0x10000000)",
        "libc.mount(b't', b'/mnt', b'tmpfs', 0, None)",
        "libc.memfd_create(b'x', 0)",
        "libc.ptrace(0, 0, 0, 0)",
        "libc.open(b'/proc/1/environ', 0)",
        "libc.kill(PARENT, 0)",
    ],
)
def test_the_kernel_holds_where_the_hook_does_not(call):
    for name, value in (("PARENT", os.getpid()), ("OUTSIDE", bytes(OUTSIDE)), ("VICTIM", bytes(VICTIM))):
        call = call.replace(name, repr(value))
    outcome = by_the_kernel(f"assert {call} == -1, 'it could'\n")
    assert outcome.told is not None
    assert (outcome.reason, outcome.told["detail"]) == ("", "")


@needs_kernel
def test_nothing_is_read_but_python(tmp_path):
    secret = tmp_path / "answers.jsonl"
    secret.write_text("42")
    found = judged(f"open({str(secret)!r}).read()")
    assert found.reason == "raised an error"
    assert "PermissionError" in found.detail
    os.environ["TRIPTYCH_SECRET"] = "42"
    try:
        assert judged("import os\nassert 'TRIPTYCH_SECRET' not in os.environ\n" + RIGHT).score == 1
    finally:
        del os.environ["TRIPTYCH_SECRET"]


@needs_kernel
def test_the_network_is_not_there_even_for_a_server_here():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        program = f"import _socket\ns = _socket.socket(2, 1, 0)\ns.connect(('127.0.0.1', {port}))"
        assert judged(program).reason == "opened a socket"
        server.settimeout(0.05)
        with pytest.raises(TimeoutError):
            server.accept()


def test_a_program_may_use_its_folder_and_threads():
    program = (
        "import asyncio, os, tempfile, threading\n"
        "with tempfile.TemporaryDirectory() as folder:\n"
        "    open(os.path.join(folder, 'x'), 'w').write('y')\n"
        "open('here', 'w').write('z')\nassert open('here').read() == 'z'\n"
        "out = []\nt = threading.Thread(target=out.append, args=(1,))\nt.start()\nt.join()\nassert out == [1]\n"
        "async def f(): return 1\nassert asyncio.run(f()) == 1\n"
    )
    assert judged(program + RIGHT) == Verdict(1.0)


def test_a_folder_is_not_filled():
    big = judged("open('x', 'wb').write(bytes(2**22))")
    assert "File too large" in big.detail
    if "disk" in WALLS:
        many = judged("for n in range(100): open(str(n), 'wb').write(bytes(2**20))")
        assert "No space left" in many.detail


def test_nothing_is_left_behind(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    judged("import time\nopen('x', 'w').write('x')\nimport threading\n"
           "threading.Thread(target=lambda: [time.sleep(60) for _ in range(9)]).start()\n" + RIGHT)  # fmt: skip
    assert list(tmp_path.iterdir()) == []
    assert not [place for place in Path("/proc").glob("[0-9]*/environ") if _holds(place, str(tmp_path))]


def _holds(place, text):
    try:
        return text.encode() in place.read_bytes()
    except OSError:
        return False


def test_kinds_of_tests():
    share = UnitTests(timeout=1, memory=256, share=True, walls=VERIFIER.walls)
    half = "def add(a, b):\n    return 3"
    assert judged(half, verifier=share).score == 0.5
    assert judged(half, {"test": "\n".join(ROW["tests"])}, share).score == 0.5
    functions = (
        "def helper(x): return x\ndef test_a(): assert add(1, 2) == helper(3)\ndef test_b(): assert add(0, 0) == 0"
    )
    assert judged(half, {"tests": functions}, share).score == 0.5
    case = (
        "import unittest\nclass T(unittest.TestCase):\n    def setUp(self): self.x = 1\n"
        "    def test_a(self): self.assertEqual(add(self.x, 2), 3)\n    def test_b(self): self.assertEqual(add(1, 1), 2)\n"
    )
    found = judged(half, {"tests": case}, share)
    assert found.score == 0.5
    assert "AssertionError: 3 != 2" in found.detail
    assert judged(RIGHT, {"tests": case}) == Verdict(1.0)
    broken = judged(RIGHT, {"tests": ["assert later() == 1"]})
    assert broken.reason == "failed a test"
    mbpp = {"test_list": ["assert math.floor(add(1.5, 1)) == 2"], "test_setup_code": "import math"}
    assert judged(RIGHT, mbpp) == Verdict(1.0)


def test_a_program_may_go_on_from_its_prompt():
    row = {
        "prompt": 'def add(a, b):\n    """Add."""\n',
        "test": "def check(candidate):\n    assert candidate(1, 2) == 3\n",
        "entry_point": "add",
    }
    assert judged("    return a + b\n", row) == Verdict(1.0)
    assert judged(RIGHT, row) == Verdict(1.0)
    assert judged("    return a - b\n", row).reason == "failed a test"
    assert judged(
        "```python\nprint(add(1, 2))\n```\nso\n```python\n" + RIGHT + "```\n```\nadd(1, 2)\n```", row
    ) == Verdict(1.0)
    assert program_of("```python\nx = 1\n```\n```python\ny = 2\n```") == "y = 2"


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({}, 'tests in "tests"'),
        ({"tests": []}, "tests in"),
        ({"tests": 3}, "tests in"),
        ({"test": "def f(:"}, "tests that compile"),
    ],
)
def test_a_row_without_tests_has_no_verdict(row, says):
    assert says in VERIFIER.lacks(row)
    assert isinstance(judged(RIGHT, row), Undefined)


def test_a_program_that_was_not_run_has_no_verdict():
    found = judged(RIGHT, verifier=UnitTests(timeout=1, memory=4, walls=VERIFIER.walls))
    assert isinstance(found, Undefined)
    assert "was not run" in found.reason


def test_a_machine_without_walls_gives_no_verdict(monkeypatch):
    monkeypatch.setattr("triptych.verifiers.unit_tests.KERNEL_WALLS", ("landlock", "a wall that no machine has"))
    found = UnitTests(timeout=1).verify(ROW, RIGHT)
    assert isinstance(found, Undefined)
    assert "a wall that no machine has" in found.reason
    assert UnitTests(timeout=1, walls="python").verify(ROW, RIGHT) == Verdict(1.0)
