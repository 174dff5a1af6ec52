"""What a release may become. A frozen one never changes; only its standing does."""

from voxloop.kernel.states import StateTable

RELEASE = StateTable.of(
    "release",
    "draft",
    {"draft": {"frozen"}, "frozen": {"published", "yanked"}, "published": {"yanked"}},
    needs_reason={"yanked"},
)

# What is fixed for good and may leave the house.
EXPORTABLE = frozenset({"frozen", "published"})
