"""The result of a check."""

from dataclasses import asdict, dataclass
from enum import StrEnum


class Health(StrEnum):
    """`warns`: it works, but somebody should look. `fails`: something has stopped or data may be lost."""

    OK = "ok"
    WARNS = "warns"
    FAILS = "fails"


@dataclass(frozen=True)
class CheckResult:
    """One line of the report. `todo` is one sentence on what to do; empty for ok."""

    name: str
    health: Health
    sentence: str
    todo: str = ""

    def to_json(self) -> dict[str, str]:
        """As `--json` writes it."""
        return asdict(self)


def ok(name: str, sentence: str) -> CheckResult:
    """The check passed."""
    return CheckResult(name, Health.OK, sentence)


def warns(name: str, sentence: str, todo: str) -> CheckResult:
    """A warning."""
    return CheckResult(name, Health.WARNS, sentence, todo)


def fails(name: str, sentence: str, todo: str) -> CheckResult:
    """A failure."""
    return CheckResult(name, Health.FAILS, sentence, todo)


def judged(name: str, value: float, limits: tuple[float, float], sentence: str, todo: str) -> CheckResult:
    """Judge a figure by its limits: ok up to the first, a warning up to the second, else a failure."""
    if value <= limits[0]:
        return ok(name, sentence)
    return (warns if value <= limits[1] else fails)(name, sentence, todo)
