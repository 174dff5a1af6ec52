"""Prepared statements besides the ORM, for the few requests that come every second. The ORM builds its SQL and
PostgreSQL plans it every time; for a mask save both cost more than the work itself. A prepared statement is parsed and
planned once per connection."""

from collections.abc import Mapping
from typing import Any

import psycopg
from django.db import connection
from django.db.models import QuerySet
from psycopg.rows import dict_row


def run_prepared(statement: str, values: Mapping[str, object]) -> list[dict[str, Any]]:
    """Rows of a statement with `%(name)s` placeholders, in the caller's transaction. Raises what the ORM would
    raise."""
    connection.ensure_connection()
    connection.validate_no_broken_transaction()
    if connection.queries_logged:
        connection.queries_log.append({"sql": statement, "time": "0"})
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection, row_factory=dict_row) as cursor:
        cursor.execute(statement.encode(), values, prepare=True)
        return cursor.fetchall() if cursor.description else []


def statement_of(rows: QuerySet[Any], placeholders: Mapping[object, str]) -> str:
    """The SQL of a queryset built with stand-in values, each of which becomes the placeholder of its name. Lets a
    prepared statement reuse a rule that is written as a queryset. Other values must be text and become literals."""
    sql, values = rows.query.sql_with_params()
    return sql % tuple(f"%({placeholders[value]})s" if value in placeholders else _literal(value) for value in values)


def _literal(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} cannot be written into a statement")
    return "'" + value.replace("'", "''").replace("%", "%%") + "'"
