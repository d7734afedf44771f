"""What runs inside the sandbox: the response's program, then its tests, each counted.

Run by `python -c`, standard library only. The job comes on standard input as JSON: program, tests (a list of
sources), entry_point, folder, nonce, result (a file descriptor). One line goes to the result at the start and one when
all is done; a program that ends before the second has not passed.
"""

from __future__ import annotations

import ast
import builtins
import io
import json
import os
import sys
from collections.abc import Callable
from typing import Any

_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_PROCESS = (
    "os.fork",
    "os.forkpty",
    "os.exec",
    "os.posix_spawn",
    "os.spawn",
    "os.system",
    "subprocess.Popen",
    "pty.spawn",
)
_PATHS = (
    "os.remove", "os.rmdir", "os.mkdir", "os.rename", "os.link", "os.symlink", "os.chmod", "os.chown", "os.truncate",
    "os.utime", "os.setxattr", "os.removexattr", "os.chflags", "os.mkfifo", "os.mknod", "shutil.rmtree", "shutil.move",
)  # fmt: skip
_SOCKET = (
    "socket.__new__", "socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo",
    "socket.gethostbyname", "socket.gethostbyaddr",
)  # fmt: skip
_AF_UNIX = 1  # pairs of such sockets, which an event loop needs, lead nowhere


def guard(folder: str, tried: list[str]) -> None:
    """Refuse, and note, what a program must not try: the kernel's walls stand behind this one, which only tells why."""
    real, inside = os.path.realpath, os.path.realpath(folder) + os.sep

    def outside(path: Any) -> bool:
        if isinstance(path, int) or path is None:
            return False
        name = os.fsdecode(path)
        return name != os.devnull and not (real(name) + os.sep).startswith(inside)

    def hook(event: str, args: tuple[Any, ...]) -> None:
        why = ""
        if event == "open":
            path, mode, flags = args
            writes = any(sign in (mode or "") for sign in "wax+") or (isinstance(flags, int) and flags & _WRITES)
            why = "wrote outside its folder" if writes and outside(path) else ""
        elif event in _PATHS:
            paths = [path for path in args[:2] if isinstance(path, (str, bytes, os.PathLike))]
            why = "wrote outside its folder" if any(map(outside, paths)) else ""
        elif event in _PROCESS:
            why = "started a process"
        elif event in _SOCKET and not (event == "socket.__new__" and args[1] == _AF_UNIX):
            why = "opened a socket"
        if why:
            tried.append(why)
            raise PermissionError(f"{why}: {event}")

    sys.addaudithook(hook)


def run(tests: list[str], entry_point: str, names: dict[str, Any]) -> list[tuple[str, BaseException | None]]:
    """Run the tests; each with what it raised.

    A source is one test. Where it defines `check` (of the entry point), `test_*` functions or TestCase classes, each of
    those is one.
    """
    done: list[tuple[str, BaseException | None]] = []
    for place, source in enumerate(tests, start=1):
        label = source.strip().splitlines()[0] if len(tests) > 1 else f"test {place}"
        error = _raised(lambda source=source: exec(compile(source, "<test>", "exec"), names))  # type: ignore[misc] # noqa: S102
        found = [] if error else [case for name in _defined(source) for case in _cases(name, names, entry_point)]
        done += [(name, _raised(case)) for name, case in found] or [(label, error)]
    return done


def _raised(case: Callable[[], Any]) -> BaseException | None:
    try:
        case()
    except BaseException as error:  # noqa: BLE001 - whatever a test raises, it has failed
        return error
    return None


def _defined(source: str) -> list[str]:
    """Names of functions and classes that a source defines at its top."""
    kinds = (ast.FunctionDef, ast.ClassDef)
    return [node.name for node in ast.parse(source).body if isinstance(node, kinds)]


def _cases(name: str, names: dict[str, Any], entry_point: str) -> list[tuple[str, Callable[[], Any]]]:
    """The tests that a name of a test's source stands for."""
    item = names.get(name)
    unittest = sys.modules.get("unittest")
    if name == "check" and entry_point and callable(item):
        return [(name, lambda: item(names[entry_point]))]
    if isinstance(item, type):
        of_class = unittest is not None and issubclass(item, unittest.TestCase)
        suite = unittest.defaultTestLoader.loadTestsFromTestCase(item) if unittest and of_class else ()
        return [(str(case), lambda case=case: _run_case(case)) for case in suite]  # type: ignore[misc]
    return [(name, item)] if name.startswith("test") and callable(item) else []


def _run_case(case: Any) -> None:
    """Run a test of a TestCase.

    Raises:
        AssertionError: it fails, or raises.
    """
    result = case.run()
    wrong = [*result.errors, *result.failures]
    if wrong or not result.wasSuccessful():
        raise AssertionError(wrong[0][1].strip().splitlines()[-1] if wrong else "unexpected success")


def main() -> None:
    """Run the job."""
    job = json.load(sys.stdin)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    sys.stdin = io.StringIO()
    tried: list[str] = []
    say, leave, dumps, nonce, result = os.write, os._exit, json.dumps, job["nonce"], job["result"]

    def end(reason: str, detail: str = "", passed: int = 0, total: int = 0) -> None:
        body = {"nonce": nonce, "reason": reason, "detail": detail[:300], "passed": passed, "total": total}
        body |= {"reason": tried[0], "passed": 0} if tried else {}
        say(result, (dumps(body) + "\n").encode())
        leave(0)

    say(result, (dumps({"started": nonce}) + "\n").encode())
    guard(job["folder"], tried)
    names: dict[str, Any] = {"__name__": "response", "__builtins__": builtins}
    error = _raised(lambda: exec(compile(job["program"], "<response>", "exec"), names))  # noqa: S102 - that is the work
    if error is not None:
        names.clear()  # it may hold all the memory there is
        end("does not compile" if isinstance(error, SyntaxError) else _kind(error, "raised an error"), _told(error))
    done = run(job["tests"], job["entry_point"], names)
    failed = [(name, error) for name, error in done if error is not None]
    if not failed:
        end("", "", len(done), len(done))
    name, error = failed[0]
    end(_kind(error, "failed a test"), f"{name[:120]}: {_told(error)}", len(done) - len(failed), len(done))


def _kind(error: BaseException | None, other: str) -> str:
    return "out of memory" if isinstance(error, MemoryError) else other


def _told(error: BaseException | None) -> str:
    try:
        return f"{type(error).__name__}: {error}"
    except BaseException:  # noqa: BLE001 - an error of the program's own making may raise when it is shown
        return type(error).__name__


if __name__ == "__main__":
    main()
