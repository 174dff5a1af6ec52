"""Time is the server's, in UTC, and aware."""

from datetime import UTC, date, datetime


def now() -> datetime:
    """The present, as an aware UTC time."""
    return datetime.now(UTC)


def today() -> date:
    """The present day in UTC."""
    return now().date()
