from voxloop.kernel.states import StateTable

BATCH = StateTable.of(
    "batch",
    "draft",
    {
        "draft": {"published", "cancelled"},
        "published": {"in_progress", "closed", "cancelled"},
        "in_progress": {"submitted", "closed", "cancelled"},
        "submitted": {"in_progress", "in_review", "accepted", "closed"},
        "in_review": {"in_progress", "returned", "accepted", "closed"},
        "returned": {"in_progress", "submitted", "closed", "cancelled"},
        "accepted": {"closed"},
    },
)

ASSIGNMENT = StateTable.of(
    "assignment",
    "queued",
    {
        "queued": {"open", "reclaimed", "skipped", "blocked"},
        "open": {"submitted", "approved", "queued", "skipped", "blocked", "reclaimed"},
        "submitted": {"approved", "returned", "open", "skipped"},
        "returned": {"open", "reclaimed", "skipped"},
        "blocked": {"open", "queued", "skipped", "reclaimed"},
        "skipped": {"queued"},
    },
    needs_reason={"skipped", "blocked", "reclaimed"},
)
