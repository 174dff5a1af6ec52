"""All checks in their order. One that breaks is a finding, and the rest go on."""

from collections.abc import Callable, Iterator

from django.db import Error, connection

from annotation.upkeep.doctor import database, installation, machine, places, work
from annotation.upkeep.doctor.finding import Finding, fails, warns

Check = Callable[[], Finding]
# Name, check, and whether it needs the database.
CHECKS: tuple[tuple[str, Check, bool], ...] = (
    ("database", database.check_database, True),
    ("migrations", database.check_migrations, True),
    ("clock", database.check_clock, True),
    ("worker default", work.check_default_worker, True),
    ("worker ml", work.check_ml_worker, True),
    ("beat", work.check_beat, True),
    ("storage", places.check_storage, False),
    ("disk", places.check_disks, False),
    ("file clock", places.check_file_clock, False),
    ("shared memory", places.check_shared_memory, False),
    ("memory", machine.check_memory, False),
    ("gpu", machine.check_gpu, False),
    ("front end", machine.check_front_end, False),
    ("secrets", installation.check_secrets, True),
    ("proxies", installation.check_front, False),
    ("mail", installation.check_mail, False),
    ("audit", installation.check_audit, True),
    ("damage", installation.check_damage, True),
    ("back-up", installation.check_backup, True),
)
AWAY = "The database does not answer."


def examine() -> Iterator[Finding]:
    """A finding of every check, as soon as it is there. Never raises."""
    is_away = False
    for name, check, needs_database in CHECKS:
        if is_away and needs_database:
            yield warns(name, "It could not be looked at without the database.", "Mend the database first.")
            continue
        try:
            yield check()
        except Error as error:
            is_away = not _is_database_there()
            if is_away:
                yield fails(
                    "database",
                    AWAY,
                    "Start the database, or mend VOXLOOP_DATABASE: nothing can be saved until it answers.",
                )
                if name != "database":
                    yield warns(name, "It could not be looked at without the database.", "Mend the database first.")
            else:
                yield fails(
                    name, f"The check itself failed ({type(error).__name__}).", "Run manage.py prepare_installation."
                )
        except Exception as error:
            yield fails(name, f"The check itself failed ({type(error).__name__}: {error}).", "Mend what it names.")


def _is_database_there() -> bool:
    try:
        connection.close()
        connection.ensure_connection()
    except Error:
        return False
    return True
