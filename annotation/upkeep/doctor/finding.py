"""What a check found, in words."""

from dataclasses import asdict, dataclass
from enum import StrEnum


class Health(StrEnum):
    """`warns`: it goes on, but somebody should look. `fails`: something stands still or may be lost."""

    OK = "ok"
    WARNS = "warns"
    FAILS = "fails"


@dataclass(frozen=True)
class Finding:
    """One line of the report. `todo` says in one sentence what to do; empty where all is well."""

    name: str
    health: Health
    sentence: str
    todo: str = ""

    def to_json(self) -> dict[str, str]:
        """As `--json` writes it."""
        return asdict(self)


def ok(name: str, sentence: str) -> Finding:
    """All is well."""
    return Finding(name, Health.OK, sentence)


def warns(name: str, sentence: str, todo: str) -> Finding:
    """It goes on."""
    return Finding(name, Health.WARNS, sentence, todo)


def fails(name: str, sentence: str, todo: str) -> Finding:
    """It does not."""
    return Finding(name, Health.FAILS, sentence, todo)


def judged(name: str, value: float, limits: tuple[float, float], sentence: str, todo: str) -> Finding:
    """A figure that must be small: up to the first limit it is well, up to the second it warns."""
    if value <= limits[0]:
        return ok(name, sentence)
    return (warns if value <= limits[1] else fails)(name, sentence, todo)
