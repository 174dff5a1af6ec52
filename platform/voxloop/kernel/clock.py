"""The server's time, timezone-aware in UTC."""

from datetime import UTC, date, datetime, tzinfo


def now() -> datetime:
    """The current time, aware, in UTC."""
    return datetime.now(UTC)


def today() -> date:
    """The current date in UTC."""
    return now().date()


def today_in(zone: tzinfo) -> date:
    """The current date in a time zone."""
    return now().astimezone(zone).date()
