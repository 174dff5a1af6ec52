"""Maps errors of an unreachable or overloaded database to 503 instead of 500."""

import logging

from django.db import Error, OperationalError
from django.db.utils import InterfaceError

from voxloop.kernel.errors import FULL, Busy, DatabaseAway, DatabaseDamaged, NoSpace, Refusal, StorageAway

# By SQLSTATE (appendix A of PostgreSQL's manual): the full code, else its first characters.
BY_CODE: dict[str, type[Refusal]] = {
    "53100": NoSpace,  # disk_full
    "53200": Busy,  # out_of_memory
    "53300": Busy,  # too_many_connections
    "55P03": Busy,  # lock_not_available: lock_timeout
    "57014": Busy,  # query_canceled: statement_timeout
    "40001": Busy,  # serialization_failure
    "40P01": Busy,  # deadlock_detected
    "25006": DatabaseAway,  # read_only_sql_transaction: a standby, or one that is being moved
    "25P03": Busy,  # idle_in_transaction_session_timeout
    "58030": DatabaseAway,  # io_error
    "XX001": DatabaseDamaged,  # data_corrupted: a checksum of a page does not hold
    "XX002": DatabaseDamaged,  # index_corrupted
    "57P": DatabaseAway,  # shut down, crashed, starting up, dropped
    "08": DatabaseAway,  # the connection
}


def find_unavailable(error: BaseException | None) -> Refusal | None:
    """The refusal for a temporary error of the database; None for every other error."""
    if isinstance(error, Refusal):
        return error if isinstance(error, Busy | DatabaseAway | DatabaseDamaged | StorageAway | NoSpace) else None
    if isinstance(error, OSError) and error.errno in FULL:
        return NoSpace()
    if not isinstance(error, Error):
        return None
    code = getattr(error.__cause__, "sqlstate", None)
    if not code:  # no SQLSTATE: the server was not reached, or the connection broke
        return DatabaseAway() if isinstance(error, OperationalError | InterfaceError) else None
    for start in (code, code[:3], code[:2]):
        if start in BY_CODE:
            return BY_CODE[start]()
    return None


class FaultsOnly(logging.Filter):
    """Drops tracebacks of requests that failed because the database is unreachable."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to keep the record."""
        return getattr(record, "status_code", None) not in {503, 507}
