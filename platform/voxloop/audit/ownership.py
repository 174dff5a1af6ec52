"""Two database roles: one owns the tables, the other works with them. The owner of a table can disable its triggers, so
the product's own role must not own append-only tables. Whatever a trigger function `voxloop_refuse_…` refuses for every
row is not granted to the working role either. It owns only the broker's queues, which it creates as needed
(docs/adr/0022)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.conf import settings
from django.db import connection, transaction
from psycopg import sql

# Bits of pg_trigger.tgtype.
RIGHTS = (("UPDATE", 16), ("DELETE", 8))
READ_ONLY = {"django_migrations"}
# Tables, and the operations that their triggers refuse for every row.
REFUSED = """
SELECT c.relname, coalesce(bit_or(t.tgtype::int) FILTER (WHERE p.proname ^@ 'voxloop_refuse_'), 0)
FROM pg_class c LEFT JOIN pg_trigger t ON t.tgrelid = c.oid AND NOT t.tgisinternal AND t.tgqual IS NULL
LEFT JOIN pg_proc p ON p.oid = t.tgfoid
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') GROUP BY c.relname
"""


@contextmanager
def as_owner() -> Iterator[dict[str, Any]]:
    """Switch Django's connection to the owner role, where `VOXLOOP_OWNER_DATABASE` names one. Yields the settings of
    the working role's connection. May be nested."""
    if settings.OWNER_DATABASE is None:
        yield settings.WORKING_DATABASE
        return
    kept = dict(connection.settings_dict)
    connection.close()
    connection.settings_dict.update(settings.OWNER_DATABASE)
    try:
        yield settings.WORKING_DATABASE
    finally:
        connection.close()
        connection.settings_dict.clear()
        connection.settings_dict.update(kept)


@transaction.atomic
def grant_rights(role: str) -> None:
    """Grant the working role what it needs on the present tables and revoke the rest. Call as the owner after every
    migration."""
    who = sql.Identifier(role)
    with connection.cursor() as cursor:
        for text in (
            "REVOKE CREATE ON DATABASE {database} FROM {who}",
            "REVOKE CREATE ON SCHEMA public FROM PUBLIC, {who}",
            "GRANT USAGE ON SCHEMA public TO {who}",
            "REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {who}",
            "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {who}",
        ):
            cursor.execute(sql.SQL(text).format(who=who, database=_database()))
        cursor.execute(REFUSED)
        for table, refused in cursor.fetchall():
            rights = ["SELECT"]
            if table not in READ_ONLY:
                rights += ["INSERT", *(word for word, bit in RIGHTS if not refused & bit)]
            words = sql.SQL(", ").join(map(sql.SQL, rights))
            cursor.execute(sql.SQL("GRANT {} ON {} TO {}").format(words, sql.Identifier("public", table), who))


def install_as_worker(script: str, working: dict[str, Any]) -> None:
    """Run a script as the working role, which may create schemas only meanwhile."""
    who = sql.Identifier(str(working["USER"]))

    def may(text: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(sql.SQL(text).format(database=_database(), who=who))

    may("GRANT CREATE ON DATABASE {database} TO {who}")
    try:
        with psycopg.connect(**_parameters(working), autocommit=True) as worker:
            worker.execute(script.encode())
    finally:
        may("REVOKE CREATE ON DATABASE {database} FROM {who}")


def _database() -> sql.Identifier:
    return sql.Identifier(str(connection.settings_dict["NAME"]))


def _parameters(database: dict[str, Any]) -> dict[str, Any]:
    return {
        "host": database["HOST"],
        "port": database["PORT"] or None,
        "user": database["USER"],
        "password": database["PASSWORD"],
        "dbname": database["NAME"],
    }
