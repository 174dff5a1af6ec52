"""Proof that a background process takes work: a small file touched each time. Standard library only.

Read by the supervisor of one machine, and by `python -m voxloop.kernel.pulse NAME`, the health check of a container:
exit code 0 when NAME (`default@%h`, `beat@%h`; without @ the host is this one) gave proof recently, else 1."""

import contextlib
import os
import socket
import sys
import time
from pathlib import Path

EVERY_SECONDS = float(os.environ.get("VOXLOOP_PULSE_SECONDS", "10"))
SILENT_AFTER_SECONDS = 3 * EVERY_SECONDS  # reported by /healthz and on the pages
DEAD_AFTER_SECONDS = 6 * EVERY_SECONDS  # killed and restarted
FIRST_WITHIN_SECONDS = 90.0  # a start may wait for the database, the broker and a slow disk


def pulse_path(state: Path, name: str) -> Path:
    """The file of the process `name` in a state folder."""
    full = name if "@" in name else f"{name}@{socket.gethostname()}"
    return state / "run" / f"{full.replace('/', '_')}.pulse"


def give_proof(path: Path) -> None:
    """Touch the file; never raises. On a full disk an existing file's time still changes."""
    with contextlib.suppress(OSError):
        try:
            os.utime(path)
        except FileNotFoundError:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()


def proof_of(path: Path) -> int:
    """The file's mtime in ns, which changes with each proof; 0 where there is none yet."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def main(arguments: list[str]) -> int:
    """The health check: 0 or 1, 2 for bad arguments."""
    if len(arguments) != 1 or arguments[0].startswith("-"):
        sys.stderr.write("usage: python -m voxloop.kernel.pulse NAME\n")
        return 2
    path = pulse_path(Path(os.environ.get("VOXLOOP_STATE", ".state")), arguments[0])
    seen = proof_of(path)
    age = time.time() - seen / 1e9
    if seen and age < DEAD_AFTER_SECONDS:
        return 0
    sys.stderr.write(f"{arguments[0]} gave no proof of work{f' for {age:.0f} s' if seen else ''}.\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
