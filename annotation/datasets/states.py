from voxloop.kernel.states import StateTable

RELEASE = StateTable.of(
    "release",
    "draft",
    {"draft": {"frozen"}, "frozen": {"published", "yanked"}, "published": {"yanked"}},
    needs_reason={"yanked"},
)
