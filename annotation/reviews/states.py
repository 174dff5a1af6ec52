from voxloop.kernel.states import StateTable

REVIEW_ROUND = StateTable.of(
    "review round",
    "pending",
    {
        "pending": {"claimed", "withdrawn"},
        "claimed": {"approved", "corrected", "returned", "pending", "arbitration", "withdrawn"},
        "arbitration": {"approved", "corrected", "returned"},
    },
)

COMMENT = StateTable.of("comment", "open", {"open": {"resolved"}, "resolved": {"reopened"}, "reopened": {"resolved"}})
