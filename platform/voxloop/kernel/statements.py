"""Prepared statements beside the ORM, for the few requests that come every second.

The ORM writes its SQL anew each time and PostgreSQL plans it anew; for a save of a mask both cost more than the work
itself. A statement here is written once, parsed and planned once by each connection, and its values travel beside it.
"""

from collections.abc import Mapping
from typing import Any

import psycopg
from django.db import connection
from django.db.models import QuerySet
from psycopg.rows import dict_row


def run_prepared(statement: str, values: Mapping[str, object]) -> list[dict[str, Any]]:
    """Rows of a statement with `%(name)s` places, within the caller's transaction. Raises what the ORM would raise."""
    connection.ensure_connection()
    connection.validate_no_broken_transaction()
    if connection.queries_logged:
        connection.queries_log.append({"sql": statement, "time": "0"})
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection, row_factory=dict_row) as cursor:
        cursor.execute(statement.encode(), values, prepare=True)
        return cursor.fetchall() if cursor.description else []


def statement_of(rows: QuerySet[Any], places: Mapping[object, str]) -> str:
    """The SQL of a queryset that was built with stand-ins, each of which becomes the place of that name.

    So a rule that is written as a queryset can be part of a prepared statement and is still written once. Whatever is
    not a stand-in must be text, which becomes part of the statement.
    """
    sql, values = rows.query.sql_with_params()
    return sql % tuple(f"%({places[value]})s" if value in places else _literal(value) for value in values)


def _literal(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} cannot be written into a statement")
    return "'" + value.replace("'", "''").replace("%", "%%") + "'"
