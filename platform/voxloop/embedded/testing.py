"""`manage.py test`: every test, on a PostgreSQL of its own. Arguments go to pytest."""

import contextlib
import json
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
WHOLE_SUITE = ["-n", "auto", "--maxprocesses", "4", "--dist", "worksteal", "--durations", "25"]
# So many failed tests of the whole suite are tried once more: fewer are chance, more are a fault.
SECOND_TRIES = 5
USAGE = """usage: manage.py test [ARGUMENTS OF PYTEST]

Every test, the browser ones too, in parallel, on a PostgreSQL of its own (or on VOXLOOP_DATABASE).
Up to 5 tests of it that fail are tried once more, one by one; those that pass then are named as unsteady.
With arguments the tests run one after another; -n 2 runs two at a time:

  manage.py test tests/unit                 the tests of a folder or a file
  manage.py test -k export -x               by name, until the first that fails

The browser tests need Chromium, some of them Firefox and WebKit; .ci/run installs them on Debian.
`python -m pytest --help` in .venv lists every argument.
Exit codes: 0 all passed, 1 some failed, 2 bad arguments.
"""
PYTEST_FAILED = 1
PYTEST_BAD_ARGUMENTS = 4  # its others: interrupted 2, internal error 3, no test found 5


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
        code = run_suite(root, environment) if not arguments else run_pytest(root, arguments, environment)
    if code == PYTEST_BAD_ARGUMENTS:
        return 2
    return 0 if code == 0 else 1


def run_suite(root: Path, environment: dict[str, str]) -> int:
    """Run every test of `root` in parallel; return the exit code of pytest.

    A browser or a server may be slow on a machine that is busy. So up to `SECOND_TRIES` failed tests run again, alone.
    That a test was unsteady is printed: it has a race, in itself or in the product, that somebody has to mend.
    """
    code = run_pytest(root, WHOLE_SUITE, environment)
    if code != PYTEST_FAILED:
        return code
    remembered = root / ".pytest_cache" / "v" / "cache" / "lastfailed"
    failed = sorted(json.loads(remembered.read_text())) if remembered.exists() else []
    if not 0 < len(failed) <= SECOND_TRIES:
        return code
    say(f"{len(failed)} failed. Trying once more, one by one.")
    code = run_pytest(root, ["--last-failed", "--last-failed-no-failures", "none", "-p", "no:xdist"], environment)
    if code == 0:
        say("Passed on the second try, so unsteady:\n  " + "\n  ".join(failed))
    return code


def run_pytest(root: Path, arguments: list[str], environment: dict[str, str]) -> int:
    """Run pytest to its end, whatever key is pressed meanwhile; return its exit code."""
    process = subprocess.Popen([sys.executable, "-m", "pytest", *arguments], cwd=root, env=environment)  # noqa: S603
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            # The terminal has sent SIGINT to pytest too, which ends by itself.
            continue


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
