"""Run all checks in order. A check that raises becomes a failed result, and the rest go on."""

from collections.abc import Callable, Iterator

from django.db import Error, connection

from annotation.upkeep.doctor import database, installation, machine, storage, work
from annotation.upkeep.doctor.result import CheckResult, fails, warns

Check = Callable[[], CheckResult]
# Name, check, and whether it needs the database.
CHECKS: tuple[tuple[str, Check, bool], ...] = (
    ("database", database.check_database, True),
    ("migrations", database.check_migrations, True),
    ("clock", database.check_clock, True),
    ("worker default", work.check_default_worker, True),
    ("worker ml", work.check_ml_worker, True),
    ("beat", work.check_beat, True),
    ("storage", storage.check_storage, False),
    ("disk", storage.check_disks, False),
    ("file clock", storage.check_file_clock, False),
    ("shared memory", storage.check_shared_memory, False),
    ("memory", machine.check_memory, False),
    ("gpu", machine.check_gpu, False),
    ("front end", machine.check_front_end, False),
    ("secrets", installation.check_secrets, True),
    ("proxies", installation.check_front, False),
    ("mail", installation.check_mail, False),
    ("audit", installation.check_audit, True),
    ("anchor", installation.check_anchor, True),
    ("damage", installation.check_damage, True),
    ("back-up", installation.check_backup, True),
)
PROCESSES = {"worker default", "worker ml", "beat", "anchor"}
STOPPED = "The demonstration is stopped: its workers and scheduler were not asked, its database was started for this."
AWAY = "The database does not answer."


def examine(*, is_stopped: bool = False) -> Iterator[CheckResult]:
    """Yield the result of every check. Never raises. `is_stopped`: nothing of the installation runs, on purpose; then
    processes are not asked."""
    is_away = False
    if is_stopped:
        yield warns("processes", STOPPED, "Start it with manage.py demo --state FOLDER to check them, too.")
    for name, check, needs_database in CHECKS:
        if is_stopped and name in PROCESSES:
            continue
        if is_away and needs_database:
            yield warns(name, "This could not be checked without the database.", "Fix the database first.")
            continue
        try:
            yield check()
        except Error as error:
            is_away = not _is_database_there()
            if is_away:
                yield fails(
                    "database",
                    AWAY,
                    "Start the database, or correct VOXLOOP_DATABASE: nothing can be saved until it answers.",
                )
                if name != "database":
                    yield warns(name, "This could not be checked without the database.", "Fix the database first.")
            else:
                yield fails(
                    name, f"The check itself failed ({type(error).__name__}).", "Run manage.py prepare_installation."
                )
        except Exception as error:
            yield fails(name, f"The check itself failed ({type(error).__name__}: {error}).", "Fix what it names.")


def _is_database_there() -> bool:
    try:
        connection.close()
        connection.ensure_connection()
    except Error:
        return False
    return True
