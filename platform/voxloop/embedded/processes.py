"""Facts about processes, ports and folders that Python's standard library does not provide."""

import ctypes
import fcntl
import os
import signal
import socket
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO

from voxloop.embedded.messages import StartError

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def die_with_parent(signal_number: int) -> Callable[[], None] | None:
    """A `preexec_fn`: the kernel sends `signal_number` to the child when its parent ends, even by kill -9. The kernel
    takes the starting thread as the parent: start children from the main thread. None where the kernel lacks this."""
    if _libc is None:
        return None
    parent = os.getpid()

    def ask() -> None:
        _libc.prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0)
        if os.getppid() != parent:  # the parent ended before this call
            os.kill(os.getpid(), signal.SIGKILL)

    return ask


def adopt_orphans() -> None:
    """Make this process adopt descendants whose parent ends (subreaper), so that none is lost."""
    if _libc is not None:
        _libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def list_descendants(pid: int) -> list[int]:
    """Pids of all living descendants of `pid`, nearest first; empty where there is no `/proc`."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[0] != "Z":
            children.setdefault(int(fields[1]), []).append(int(entry.parent.name))
    found: list[int] = []
    queue = [pid]
    while queue:
        below = children.get(queue.pop(0), [])
        found += below
        queue += below
    return found


def is_alive(pid: int) -> bool:
    """Whether a process of that id exists and is not a zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return not Path("/proc/self").exists()


def command_line(pid: int) -> list[str]:
    """The arguments a process was started with; empty when unknown."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")[:-1]
    except OSError:
        return []


def free_port() -> int:
    """A TCP port on 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_port_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server could listen on that port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def lock_folder(folder: Path, what: str) -> IO[str]:
    """Lock the folder for this process until the returned file is closed; `StartError` when another process holds
    it."""
    handle = (folder / "lock").open("a+")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        handle.seek(0)
        owner = handle.read().strip() or "unknown"
        handle.close()
        raise StartError(f"{what} on {folder} is already running (process {owner}).") from None
    handle.seek(0)
    handle.truncate()
    handle.write(str(os.getpid()))
    handle.flush()
    return handle


def is_open_to_others(folder: Path) -> bool:
    """Whether other users have execute permission on every parent of `folder`."""
    return all(parent.stat().st_mode & stat.S_IXOTH for parent in folder.resolve().parents)


def last_words(log: Path, size: int = 8192) -> list[str]:
    """The last lines of a log file, oldest first."""
    try:
        with log.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - size))
            return file.read().decode(errors="replace").splitlines()
    except OSError:
        return []
