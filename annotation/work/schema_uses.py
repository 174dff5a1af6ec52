"""What holds a label schema in place: masks, answers and models that were made by it.

Higher apps register what they keep (AppConfig.ready); `schema_changing` asks all of them before a change.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from annotation.work.models import Assignment, Campaign
from annotation.work.states import AssignmentState

Segment = tuple[str, int]  # layer, value
Choice = tuple[str, str]  # key of the question, value of the option


@dataclass
class Uses:
    """Of one campaign: who holds which part, each as words like “12 masks”; `open_scans` are being worked on now."""

    segments: dict[Segment, list[str]] = field(default_factory=lambda: defaultdict(list))
    layers: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    questions: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    choices: dict[Choice, list[str]] = field(default_factory=lambda: defaultdict(list))
    numbers: dict[str, tuple[float, float]] = field(default_factory=dict)  # smallest and largest answer
    longest: dict[str, int] = field(default_factory=dict)  # characters of the longest answer
    open_scans: int = 0

    @property
    def any(self) -> bool:
        """Whether anything was made by the schema."""
        return bool(self.segments or self.layers or self.questions or self.open_scans)


Counter = Callable[[Campaign, Uses], None]
_counters: list[Counter] = []


def on_schema_uses(counter: Counter) -> Counter:
    """Register what adds its uses of a campaign's schema: `counter(campaign, uses)`."""
    if counter not in _counters:
        _counters.append(counter)
    return counter


def find_uses(campaign: Campaign) -> Uses:
    """Everything that holds the campaign's label schema in place."""
    uses = Uses()
    uses.open_scans = Assignment.objects.filter(campaign=campaign, state=AssignmentState.OPEN).count()
    for counter in _counters:
        counter(campaign, uses)
    return uses


def counted(number: int, word: str) -> str:
    """`1 mask`, `2 masks`."""
    return f"{number} {word}{'' if number == 1 else 's'}"
