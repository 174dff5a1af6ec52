"""`manage.py test`: every test, on a PostgreSQL of its own. Arguments go to pytest."""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from voxloop.embedded.messages import StartError, say
from voxloop.embedded.postgres import EmbeddedPostgres

# The whole suite runs in parallel, because most tests wait for a browser or a server; with few workers, because each
# starts its own.
WHOLE_SUITE = ["-n", "auto", "--maxprocesses", "4", "--dist", "worksteal"]
USAGE = """usage: manage.py test [ARGUMENTS OF PYTEST]

Every test, the browser ones too, in parallel, on a PostgreSQL of its own (or on VOXLOOP_DATABASE).
With arguments the tests run one after another; -n 2 runs two at a time:

  manage.py test tests/unit                 the tests of a folder or a file
  manage.py test -k export -x               by name, until the first that fails

The browser tests need Chromium. `python -m pytest --help` in .venv lists every argument.
Exit codes: 0 all passed, 1 some failed, 2 bad arguments.
"""
PYTEST_BAD_ARGUMENTS = 4  # its others: failed 1, interrupted 2, internal error 3, no test found 5


def main(root: Path, arguments: list[str]) -> int:
    """Run pytest with `arguments` (none: the whole suite, on several processors); its summary is the last line. Returns
    0, 1 (failed) or 2 (bad arguments)."""
    if {"-h", "--help"} & set(arguments):
        sys.stdout.write(USAGE)
        return 0
    with database(root), tempfile.TemporaryDirectory(prefix="voxloop-test-") as state:
        environment = os.environ | {
            "VOXLOOP_STATE": state,
            "VOXLOOP_STORAGE": f"file://{state}/objects",
            "VOXLOOP_SECRET_KEY": "only-for-the-tests-" + "x" * 40,
            "DJANGO_SETTINGS_MODULE": "voxloop.project.settings",
        }
        command = [sys.executable, "-m", "pytest", *(arguments or WHOLE_SUITE)]
        process = subprocess.Popen(command, cwd=root, env=environment)  # noqa: S603
        while True:
            try:
                code = process.wait()
                break
            except KeyboardInterrupt:
                # The terminal has sent SIGINT to pytest too, which ends by itself.
                continue
    if code == PYTEST_BAD_ARGUMENTS:
        return 2
    return 0 if code == 0 else 1


@contextlib.contextmanager
def database(root: Path) -> Iterator[str]:
    """A running PostgreSQL for tests, its address in `VOXLOOP_DATABASE`; nothing is started where that is set already.

    The cluster is kept in `.state` for the next run; when another run uses it, a new one is made for this run.
    """
    given = os.environ.get("VOXLOOP_DATABASE")
    if given:
        yield given
        return
    postgres = EmbeddedPostgres(root / ".state" / "test-postgres", is_throwaway=True)
    throwaway: Path | None = None
    try:
        postgres.prepare()
    except StartError as error:
        say(f"{error} Making another one for this run.")
        throwaway = Path(tempfile.mkdtemp(prefix="voxloop-postgres-"))
        throwaway.chmod(0o711)
        postgres = EmbeddedPostgres(throwaway, is_throwaway=True)
    try:
        postgres.start()
        os.environ["VOXLOOP_DATABASE"] = postgres.url
        os.environ["VOXLOOP_TEST_LESSER_ROLE"] = postgres.lesser
        yield postgres.url
    finally:
        os.environ.pop("VOXLOOP_DATABASE", None)
        os.environ.pop("VOXLOOP_TEST_LESSER_ROLE", None)
        postgres.stop()
        if throwaway:
            postgres.remove()
            shutil.rmtree(throwaway, ignore_errors=True)
