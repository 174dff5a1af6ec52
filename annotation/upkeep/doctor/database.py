"""The database, its tables, and its clock."""

import time

from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from annotation.upkeep.doctor.result import CheckResult, fails, judged, ok

SLOW_S, TOO_SLOW_S = 0.1, 1.0
APART_S, TOO_FAR_APART_S = 1.0, 5.0


def check_database() -> CheckResult:
    """It responds, fast enough, and allows writes."""
    start = time.monotonic()
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version'), pg_is_in_recovery()")
        version, is_copy = cursor.fetchone()
    took = time.monotonic() - start
    if is_copy:
        return fails("database", "The database is a read-only copy.", "Point VOXLOOP_DATABASE to the primary server.")
    return judged(
        "database",
        took,
        (SLOW_S, TOO_SLOW_S),
        f"PostgreSQL {version} answered in {1000 * took:.0f} ms.",
        "Look at the load of the database server and at the network to it.",
    )


def check_migrations() -> CheckResult:
    """All migrations of this version are applied, and none of a later one."""
    executor = MigrationExecutor(connection)
    waiting = [f"{one.app_label}.{one.name}" for one, _ in executor.migration_plan(executor.loader.graph.leaf_nodes())]
    if waiting:
        return fails(
            "migrations",
            f"{len(waiting)} migrations are not applied yet, the first is {waiting[0]}.",
            "Run manage.py prepare_installation.",
        )
    known = set(executor.loader.disk_migrations)
    ours = {app for app, _ in known}
    later = [
        f"{app}.{name}" for app, name in executor.loader.applied_migrations if app in ours and (app, name) not in known
    ]
    if later:
        return fails(
            "migrations",
            f"The tables were migrated by a later version ({sorted(later)[0]}).",
            "Run the version that this database was last used with, or a newer one.",
        )
    return ok("migrations", "All migrations are applied.")


def check_clock() -> CheckResult:
    """This machine and the database agree on the time."""
    with connection.cursor() as cursor:
        before = time.time()
        cursor.execute("SELECT extract(epoch FROM clock_timestamp())")
        theirs = float(cursor.fetchone()[0])
        after = time.time()
    apart = max(0.0, before - theirs, theirs - after)
    return judged(
        "clock",
        apart,
        (APART_S, TOO_FAR_APART_S),
        f"The database's clock is {apart:.1f} s from this machine's.",
        "Let both machines take their time from the same server (chrony, ntp).",
    )
