"""The launcher of the sandbox: it builds the walls around itself and then becomes the program that is run in them.

Run as a file, standard library only: `python _inside.py JOB RESULT_FD`. The job is JSON: folder, command, environment,
readable (folders), seconds, wall, memory, file_size, disk (MiB), kernel (whether walls of the kernel are needed).

Walls, from outside in, each one that the machine allows; the first line of the result names those that stand:
  limits      RLIMIT: processor time, address space, size of a file, open files, no core file
  namespaces  user, network (empty), process, IPC and mount namespaces: no other process is seen, all mounts read-only
  disk        the folder is a file system in memory of its own, with a size
  landlock    reads from Python's folders and its own, writes to its own, no TCP, no signals to the outside
  seccomp     no sockets, no further processes (threads are allowed), no signals, mounts, tracing, memory files
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import platform
import resource
import signal
import struct
import sys
from typing import Any

_CLONE = {"mount": 0x20000, "ipc": 0x8000000, "user": 0x10000000, "pid": 0x20000000, "net": 0x40000000}
_MS_PRIVATE, _MS_REC, _MS_NOSUID, _MS_NODEV = 1 << 18, 1 << 14, 2, 4
_AT_FDCWD, _AT_RECURSIVE, _RDONLY = -100, 0x8000, 1
_PDEATHSIG, _NO_NEW_PRIVS, _SECCOMP, _SECUREBITS, _NO_ROOT = 1, 38, 22, 28, 0b11
_MOUNT_SETATTR, _LANDLOCK = 442, 444

# Numbers of system calls, by machine: how a filter knows it, that of clone, and those that are refused: new processes,
# signals, sockets, tracing, mounts, namespaces, shared memory and files in memory, keys, io_uring (which goes around
# filters), modules, reboot.
_CALLS = {
    "x86_64": (
        0xC000003E,
        56,
        *(57, 58, 41, 101, 310, 311, 165, 166, 155, 161, 272, 308, 29, 64, 68, 319, 248, 249, 250, 425),
        *(298, 304, 321, 323, 175, 313, 176, 169, 62, 129, 200, 234, 297, 424),
    ),
    "aarch64": (
        0xC00000B7,
        220,
        *(198, 117, 270, 271, 40, 39, 41, 51, 97, 268, 194, 190, 186, 279, 217, 218, 219, 425),
        *(241, 265, 280, 282, 105, 273, 106, 142, 129, 130, 131, 138, 240, 424),
    ),
}
_NEW_MOUNTS = (428, 429, 430, 431, 432, 433, 442)
_CLONE3, _CLONE_THREAD = 435, 0x10000
_EPERM, _ENOSYS = 1, 38
# Instructions of a filter, and what it returns.
_LOAD, _RETURN, _EQUAL, _AT_LEAST, _ANY_BIT = 0x20, 0x06, 0x15, 0x35, 0x45
_ERRNO, _ALLOW = 0x00050000, 0x7FFF0000

_libc = ctypes.CDLL(None, use_errno=True)


def main(job: dict[str, Any], result: int) -> int:
    """Build the walls, run the program in them, and give how it ended: its code, or 128 and the signal."""
    walls = ["limits"]
    _alarm(job["wall"] + 2)
    if sys.platform == "linux":
        if _namespaces():
            walls.append("namespaces")
        inner = os.fork()  # the first process of the new process namespace: all others end with it
        if inner:
            return _wait(inner)
        _libc.prctl(_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if "namespaces" in walls and _mounts(job["folder"], job["disk"]):
            walls.append("disk")
    program = os.fork()
    if program:
        return _wait(program)
    _limits(job)
    os.chdir(job["folder"])
    if sys.platform == "linux":
        _libc.prctl(_SECUREBITS, _NO_ROOT, 0, 0, 0)  # to be root gives the program no power
        _libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0)
        walls += ["landlock"] if _landlock(job["folder"], job["readable"]) else []
        walls += ["seccomp"] if _seccomp() else []
    os.write(result, (json.dumps({"walls": walls}) + "\n").encode())
    if job["kernel"] and not {"landlock", "seccomp"} <= set(walls):
        return 0
    _become(job, result)
    return 127


def _become(job: dict[str, Any], result: int) -> None:
    """Go on as the program; what has been built stands."""
    os.set_inheritable(result, True)  # noqa: FBT003 - it has no name
    os.execve(job["command"][0], job["command"], job["environment"])  # noqa: S606 - that is what this file is for


def _alarm(seconds: float) -> None:
    """End this process even where nobody waits for it any more."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds)


def _wait(process: int) -> int:
    _, status = os.waitpid(process, 0)
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _limits(job: dict[str, Any]) -> None:
    """The limits of the program; those of the launcher are the parent's."""
    mib = 2**20
    seconds = max(1, -int(-job["seconds"] // 1))
    wanted = {
        resource.RLIMIT_CPU: (seconds, seconds + 1),
        resource.RLIMIT_FSIZE: (job["file_size"] * mib,) * 2,
        resource.RLIMIT_NOFILE: (64, 64),
        resource.RLIMIT_CORE: (0, 0),
        resource.RLIMIT_AS: (job["memory"] * mib,) * 2,
    }
    for which, pair in wanted.items():
        hard = resource.getrlimit(which)[1]
        low = tuple(limit if hard == resource.RLIM_INFINITY else min(limit, hard) for limit in pair)
        # macOS has no limit on address space; the limits of this user may be lower than what is asked.
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(which, (low[0], low[1]))


def _namespaces() -> bool:
    """Leave the namespaces of the parent. The user stays the same, and keeps no power outside."""
    user, group = os.getuid(), os.getgid()
    if _libc.unshare(_CLONE["user"] | _CLONE["mount"] | _CLONE["ipc"] | _CLONE["pid"] | _CLONE["net"]):
        return False
    for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
        with open(f"/proc/self/{name}", "w") as file:  # noqa: PTH123 - pathlib is slow to load
            file.write(text)
    return True


def _mounts(folder: str, disk: int) -> bool:
    """All mounts read-only, and a file system in memory over the folder."""
    _libc.mount(None, b"/", None, _MS_REC | _MS_PRIVATE, None)
    attributes = struct.pack("QQQQ", _RDONLY, 0, 0, 0)
    if _libc.syscall(_MOUNT_SETATTR, _AT_FDCWD, b"/", _AT_RECURSIVE, attributes, len(attributes)):
        return False
    options = f"size={disk}m,nr_inodes=2048,mode=700".encode()
    return not _libc.mount(b"tmpfs", folder.encode(), b"tmpfs", _MS_NOSUID | _MS_NODEV, options)


def _landlock(folder: str, readable: list[str]) -> bool:
    """No path but these: the program reads `readable`, and does as it likes in its folder."""
    abi = _libc.syscall(_LANDLOCK, None, 0, 1)
    if abi < 1:
        return False
    bits = (1 << (13 if abi == 1 else 14 if abi == 2 else 15 if abi < 5 else 16)) - 1
    attributes = struct.pack("QQQ", bits, 3 if abi >= 4 else 0, 3 if abi >= 6 else 0)
    size = 8 if abi < 4 else 16 if abi < 6 else 24
    ruleset = _libc.syscall(_LANDLOCK, attributes[:size], size, 0)
    if ruleset < 0:
        return False
    look, of_file = 0b1101, 0b111 | 1 << 14  # execute, read a file, read a folder; what can be allowed on a file
    rules = [(path, look) for path in readable] + [(folder, bits)]
    rules += [("/dev/null", 0b110), ("/dev/zero", 0b100), ("/dev/urandom", 0b100), ("/dev/random", 0b100)]
    for path, wanted in rules:
        try:
            place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue  # this machine has no such folder
        allowed = wanted & bits if os.path.isdir(path) else wanted & bits & of_file  # noqa: PTH112
        _libc.syscall(_LANDLOCK + 1, ruleset, 1, struct.pack("=Qi", allowed, place), 0)
        os.close(place)
    held = bool(_libc.syscall(_LANDLOCK + 2, ruleset, 0) == 0)
    os.close(ruleset)
    return held


def _seccomp() -> bool:
    """Refuse system calls by a filter."""
    if platform.machine() not in _CALLS:
        return False
    arch, clone, *refused = _CALLS[platform.machine()]
    no, yes = _step(_RETURN, _ERRNO | _EPERM), _step(_RETURN, _ALLOW)
    steps = [_step(_LOAD, 4), _step(_EQUAL, arch, 1, 0), no]  # another architecture's numbers are other calls
    steps += [_step(_LOAD, 0), _step(_AT_LEAST, 0x40000000, 0, 1), no]
    # The C library then asks for clone, whose flags a filter can read.
    steps += [_step(_EQUAL, _CLONE3, 0, 1), _step(_RETURN, _ERRNO | _ENOSYS)]
    for number in (*refused, *_NEW_MOUNTS):
        steps += [_step(_EQUAL, number, 0, 1), no]
    steps += [_step(_EQUAL, clone, 1, 0), yes, _step(_LOAD, 16), _step(_ANY_BIT, _CLONE_THREAD, 0, 1), yes, no]
    code = ctypes.create_string_buffer(b"".join(steps))
    program = struct.pack("HxxxxxxQ", len(steps), ctypes.addressof(code))
    return bool(_libc.prctl(_SECCOMP, 2, program, 0, 0) == 0)


def _step(code: int, value: int, then: int = 0, otherwise: int = 0) -> bytes:
    """One instruction of a filter: how many of the next to skip where it holds, and where it does not."""
    return struct.pack("HBBI", code, then, otherwise, value)


if __name__ == "__main__":
    with open(sys.argv[1]) as given:  # noqa: PTH123
        asked = json.load(given)
    os._exit(main(asked, int(sys.argv[2])))
